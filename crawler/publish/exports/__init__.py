"""Files for those who study the archive: tables in formats that every tool opens, with a codebook and a citation."""
