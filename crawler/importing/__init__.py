"""Collections of others: WARC and ARC files of a portal, through the same stages as what was crawled."""
