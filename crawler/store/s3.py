"""A store that speaks the S3 protocol, by obstore."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from crawler.store.base import (
    STEP,
    ObjectMissingError,
    Store,
    Stored,
    StoreError,
    checked,
    checked_prefix,
    differs,
    is_name,
)
from crawler.store.remote_file import RemoteFile

PART_BYTES = 8 * STEP
"""Of an upload in parts; larger for files that would have too many of them."""
PARTS_AT_ONCE = 4
MAX_PARTS = 9_000
"""S3 takes 10,000 ("Amazon S3 multipart upload limits")."""
DIGEST = "sha256"
"""User metadata of every object (``x-amz-meta-sha256``): the digest of the whole file, in hexadecimal."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)*/?")
_ENDPOINT = re.compile(r"https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_NO_BUCKET = "<Code>NoSuchBucket</Code>"
"""In the body of an answer 404; obstore takes it for an object that is missing."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fingerprint:
    """What a local file's object must look like."""

    bytes: int
    sha256: str
    etag: str
    """MD5 of the file, or of its parts' MD5s, as S3 makes it but for keys of the customer's (SSE-C, SSE-KMS)."""


class S3Store(Store):
    """Objects of a bucket below a prefix.

    The environment says who asks whom: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``,
    ``AWS_ENDPOINT_URL`` … Without TLS only where it says ``AWS_ALLOW_HTTP=true``. A request is tried for about ten
    seconds; who can wait longer tries again.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not _BUCKET.fullmatch(parts.netloc) or not _PREFIX.fullmatch(parts.path) or parts.query or parts.fragment:
            raise StoreError(f"{url}: not the address of a bucket; s3://bucket/prefix")
        self.url = url.rstrip("/")
        allow_http = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true", "yes"}
        endpoint = _endpoint(allow_http=allow_http)
        try:
            self._bucket = Bucket.from_url(
                self.url,
                client_options={"allow_http": allow_http, "connect_timeout": "5s", "timeout": "5min"},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
                **({"endpoint": endpoint} if endpoint else {}),
            )
        except BaseError as error:
            raise StoreError(f"{url}: {_first_line(error)}") from error

    def put(self, path: Path, name: str) -> None:
        """Upload the file, in parts where it is large; see `Store.put`.

        The store has all bytes where its ETag is the one that these bytes make; where the store makes its ETags
        otherwise, the object is read back.
        """
        local = _fingerprint(path)
        if self.stat(checked(name)) is None:
            with self._refusals(name):
                obstore.put(
                    self._bucket,
                    name,
                    path,
                    attributes={DIGEST: local.sha256, "Content-Type": "application/octet-stream"},
                    use_multipart=local.bytes > PART_BYTES,
                    chunk_size=_part_bytes(local.bytes),
                    max_concurrency=PARTS_AT_ONCE,
                )
        self._confirm(name, local)

    def stat(self, name: str) -> Stored | None:
        """What a HEAD request says."""
        try:
            with self._refusals(name):
                return _stored(obstore.head(self._bucket, checked(name)))
        except ObjectMissingError:
            return None

    def sha256(self, name: str) -> str:
        """As stated when the object was stored; read and hashed where it was stored by other programs."""
        with self._refusals(name):
            stated = obstore.get(self._bucket, checked(name), options={"head": True}).attributes.get(DIGEST)
        return stated or self._read_back(name)

    def open(self, name: str) -> BinaryIO:
        """Range requests, none before the first read."""
        path = checked(name)

        def size() -> int:
            with self._refusals(name):
                found: int = obstore.head(self._bucket, path)["size"]
            return found

        def get(start: int, end: int) -> bytes:
            try:
                with self._refusals(name):
                    data: bytes = obstore.get_range(self._bucket, path, start=start, end=end).to_bytes()
            except StoreError:
                if start < size():
                    raise
                return b""  # a range behind the end is refused
            return data

        return cast("BinaryIO", RemoteFile(f"{self.url}/{name}", get, size))

    def listed(self, prefix: str) -> Iterator[Stored]:
        """What a listing says."""
        folder, _, start = checked_prefix(prefix).partition("/")
        with self._refusals(prefix):
            found = [
                stored
                for batch in obstore.list(self._bucket, folder or None)
                for stored in map(_stored, batch)
                if is_name(stored.name) and stored.name.partition("/")[2].startswith(start)
            ]
        yield from sorted(found, key=lambda stored: stored.name)

    def _copy(self, name: str, part: Path) -> None:
        with part.open("wb") as target:
            for data in self._stream(name):
                target.write(data)
            target.flush()
            os.fsync(target.fileno())

    def _delete(self, name: str) -> None:
        with suppress(ObjectMissingError), self._refusals(name):
            obstore.delete(self._bucket, name)

    def _confirm(self, name: str, local: _Fingerprint) -> None:
        with self._refusals(name):
            meta = obstore.head(self._bucket, name)
        if meta["size"] == local.bytes and (meta["e_tag"] or "").strip('"') == local.etag:
            return
        stored = self._read_back(name)
        if stored != local.sha256:
            raise differs(self.url, name, stored=stored, local=local.sha256)

    def _read_back(self, name: str) -> str:
        digest = hashlib.sha256()
        for data in self._stream(name):
            digest.update(data)
        return digest.hexdigest()

    def _stream(self, name: str) -> Iterator[memoryview]:
        with self._refusals(name):
            for data in obstore.get(self._bucket, checked(name)).stream(min_chunk_size=STEP):
                yield memoryview(data)

    @contextmanager
    def _refusals(self, name: str) -> Iterator[None]:
        """Whatever the store answers instead of what was asked, as an error of ours."""
        try:
            yield
        except FileNotFoundError as error:
            if _NO_BUCKET in str(error):
                raise StoreError(f"{self.url}: there is no such bucket") from error
            raise ObjectMissingError(f"{self.url} has no {name}") from error
        except BaseError as error:
            if _NO_BUCKET in str(error):
                raise StoreError(f"{self.url}: there is no such bucket") from error
            raise StoreError(f"{self.url}: {name}: {_first_line(error)}") from error


def _endpoint(*, allow_http: bool) -> str | None:
    """Where the store is, if it is not Amazon's. Raises StoreError for what is no address: obstore would panic."""
    name = next(filter(os.environ.get, _ENDPOINTS), None)
    if name is None:
        return None
    endpoint = os.environ[name]
    if not _ENDPOINT.fullmatch(endpoint):
        raise StoreError(f"{name}={endpoint}: no address of a store; https://host:port")
    if endpoint.startswith("http:") and not allow_http:
        raise StoreError(f"{name}={endpoint}: is not encrypted; AWS_ALLOW_HTTP=true allows it")
    return endpoint


def _fingerprint(path: Path) -> _Fingerprint:
    size = path.stat().st_size
    step = _part_bytes(size)
    whole, parts = hashlib.sha256(), []
    with path.open("rb") as file:
        while data := file.read(step):
            whole.update(data)
            parts.append(hashlib.md5(data, usedforsecurity=False))
    if size > PART_BYTES:
        of_parts = hashlib.md5(b"".join(part.digest() for part in parts), usedforsecurity=False)
        etag = f"{of_parts.hexdigest()}-{len(parts)}"
    else:
        etag = (parts[0] if parts else hashlib.md5(usedforsecurity=False)).hexdigest()
    return _Fingerprint(bytes=size, sha256=whole.hexdigest(), etag=etag)


def _part_bytes(size: int) -> int:
    return max(PART_BYTES, -(-size // MAX_PARTS))


def _stored(meta: Mapping[str, Any]) -> Stored:
    return Stored(name=meta["path"], bytes=meta["size"], changed_at=meta["last_modified"])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip()
