"""The stages, one file each, in the order of the flow: decode, extract, clean, spam, sections, places, store."""
