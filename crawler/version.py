"""Who archives and who reads: names with versions, as they stand in WARC files and in ``versions.extractor``."""

from importlib.metadata import version

SOFTWARE = f"xianzhi/{version('xianzhi')}"
EXTRACTOR = "xianzhi-1"
"""Goes up when the rules read a page differently."""
USER_AGENT = (
    f"Xianzhi/{version('xianzhi')} (+https://github.com/xianzhi-archive/xianzhi; archive of local news; "
    "mailto:xianzhi@example.org)"
)
