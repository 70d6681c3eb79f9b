"""Where WARC files and shards lie when they are no longer on the host that wrote them: a folder, or S3.

Objects are named ``warc/NAME``, ``shards/NAME``, ``seeds/NAME``, ``tasks/NAME``, ``results/NAME``. None is ever
replaced, and only tasks and results, which live as long as a verification, are ever deleted.
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
