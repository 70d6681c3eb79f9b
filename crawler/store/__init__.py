"""Where WARC files and shards lie when they are no longer on the host that wrote them: a folder, or S3.

Objects are named ``warc/NAME``, ``shards/NAME``, ``seeds/NAME``. None is ever replaced or deleted from here.
"""

from crawler.store.base import ObjectDiffersError, ObjectMissingError, Store, Stored, StoreError, is_name
from crawler.store.opening import open_store, point, store_behind

__all__ = [
    "ObjectDiffersError",
    "ObjectMissingError",
    "Store",
    "StoreError",
    "Stored",
    "is_name",
    "open_store",
    "point",
    "store_behind",
]
