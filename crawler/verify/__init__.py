"""``xianzhi verify``: do archive and WARC files agree, byte for byte and row for row?"""
