"""By what a worker of a crawl on several hosts may ask portals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """By what a worker process may ask portals: travels to its child processes."""

    dsn: str
    """Of the PostgreSQL database that has queue and frontier."""
    worker_id: int
    """The worker's row in the queue."""
    shard: str
    """Name of the shard that the process writes."""
