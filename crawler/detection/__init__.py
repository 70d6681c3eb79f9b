"""Which software runs a portal, and where its news lists are: looked up on its pages, not known beforehand."""
