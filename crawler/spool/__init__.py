"""What a host of several fetched, on its disk until the object store has it."""

from crawler.spool.shard import NotNowError, Shard, Spool, SpoolError, shard_name
from crawler.spool.upload import Uploader

__all__ = ["NotNowError", "Shard", "Spool", "SpoolError", "Uploader", "shard_name"]
