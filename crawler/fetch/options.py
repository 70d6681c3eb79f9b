"""What a user asked of a run; travels to every worker process."""

from dataclasses import dataclass
from pathlib import Path

from crawler.archive.lease import Lease
from crawler.room import DEFAULT, Reserve


def default_db(start: Path | None = None) -> Path:
    """``archive.db`` beside the ``scrapy.cfg`` in or above the current folder, else in the current folder."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "scrapy.cfg").is_file():
            return folder / "archive.db"
    return here / "archive.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one run."""

    db: Path
    warc: Path
    """Folder of the WARC files."""
    jobs: int = 1
    """Worker processes."""
    max_articles: int | None = None
    """Article pages asked of a portal in this run; what is left stays queued."""
    since: str | None = None
    """``YYYY-MM-DD``: what a list dates earlier is left out."""
    full: bool = False
    """Look again at everything that the lists still name."""
    media: bool = False
    """Fetch the files and pictures of articles, of every portal."""
    delay: float | None = None
    """Seconds between two requests to a host; None: the portal's own, or 1."""
    allow_networks: tuple[str, ...] = ()
    """CIDR blocks that may be asked although they are not public."""
    reserve: Reserve = DEFAULT
    """What a run leaves free of the disks that it writes to."""
    settings: tuple[tuple[str, object], ...] = ()
    """Further Scrapy settings, for trials."""
    lease: Lease | None = None
    """In a crawl on several hosts: by what this worker may ask portals. ``db`` is then its shard."""
    first_serial: int = 1
    """Number of a portal's first WARC file: where several processes write one portal's, theirs never meet."""
    segment_seconds: float | None = None
    """A WARC file that is older is finished; None: only its size counts."""
