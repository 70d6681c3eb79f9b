"""From a URL to a store, and the small file by which a WARC folder says where the rest of it lies."""

import tomllib
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from crawler.store.base import Store, StoreError
from crawler.store.folder import FolderStore

POINTER = "store.toml"
"""In a folder of WARC files: ``url = "s3://…"``, where those of its files are that are not at hand."""


def open_store(url: str) -> Store:
    """The store at ``s3://bucket/prefix``, at ``file:///folder`` or in a folder named by its path.

    Nothing is asked yet. Credentials, region and endpoint of S3 come from the environment (``AWS_…``). Raises
    StoreError for anything else, and where obstore is not installed.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme == "s3":
        try:
            from crawler.store.s3 import S3Store  # noqa: PLC0415  # obstore is loaded by those who use it
        except ImportError as error:
            raise StoreError(f"{url}: S3 needs obstore; install xianzhi[distributed] ({error})") from error
        return S3Store(url)
    if scheme == "file":
        return FolderStore(Path(url2pathname(urlsplit(url).path)))
    if scheme:
        raise StoreError(f"{url}: no such store; s3://bucket/prefix or a folder")
    return FolderStore(Path(url))


def point(folder: Path, store: Store) -> None:
    """Say in *folder*, a folder of WARC files, that what is not there is in *store*."""
    escaped = store.url.replace("\\", "\\\\").replace('"', '\\"')
    part = folder / f".{POINTER}.part"
    part.write_text(f'url = "{escaped}"\n', encoding="utf-8")
    part.replace(folder / POINTER)


def store_behind(folder: Path) -> Store | None:
    """The store that *folder* points to; None where it points to none. Raises StoreError for a pointer that is none."""
    pointer = folder / POINTER
    try:
        changed_at = pointer.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{pointer}: {error.strerror}") from error
    return _pointed_to(pointer, changed_at)


@lru_cache(maxsize=16)
def _pointed_to(pointer: Path, _changed_at: int) -> Store:
    try:
        url = tomllib.loads(pointer.read_text(encoding="utf-8")).get("url")
    except (OSError, ValueError) as error:
        raise StoreError(f"{pointer}: {error}") from error
    if not isinstance(url, str):
        raise StoreError(f'{pointer}: says no url = "s3://…"')
    return open_store(url)
