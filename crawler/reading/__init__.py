"""Reading a parsed page: its lines, its tags, the block that holds the article, and what stands around it."""
