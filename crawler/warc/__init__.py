"""WARC 1.1 files: writing, reading and salvaging them."""
