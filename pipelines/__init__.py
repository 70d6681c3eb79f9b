"""The stages, one file each, in the order of the flow: decode, extract, clean, sections, store."""
