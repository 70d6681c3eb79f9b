"""What a host of several fetched, on its disk until the object store has it."""

from crawler.spool.shard import (
    NotNowError,
    Shard,
    Spool,
    SpoolError,
    first_serial,
    first_serial_beside,
    shard_name,
)
from crawler.spool.upload import SHARDS_IN_STORE, Uploader

__all__ = [
    "SHARDS_IN_STORE",
    "NotNowError",
    "Shard",
    "Spool",
    "SpoolError",
    "Uploader",
    "first_serial",
    "first_serial_beside",
    "shard_name",
]
