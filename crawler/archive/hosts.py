"""Rows of ``hosts``: under which scheme a host answers, and what its TLS is like."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crawler.archive.texts import storable
from crawler.archive.times import parse, to_second
from crawler.records import TlsFacts

Scheme = Literal["http", "https"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A host answered."""

    host: str
    """In lower case, with its port where that is not the scheme's own."""
    scheme: Scheme
    checked_at: datetime
    tls: TlsFacts | None = None
    """None under http: what was known of its TLS stays."""
    other_failed_at: datetime | None = None
    """When it could not be reached under the other scheme; None where that was not tried."""
    other_failure: str | None = None
    """Why, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHost:
    """How a host was reached last."""

    scheme: Scheme
    other_failed_at: datetime | None


_OTHER = ("other_failed_at", "other_failure")
_TLS = (
    "tls_protocol",
    "tls_cipher",
    "certificate_problem",
    "certificate_subject",
    "certificate_issuer",
    "certificate_not_after",
    "certificate_sha256",
)
_COLUMNS = ("host", "scheme", "checked_at", *_OTHER, *_TLS)


def _unless(condition: str, columns: Iterable[str]) -> str:
    """The columns as they come in; as they are where *condition* holds."""
    return ", ".join(f"{name} = CASE WHEN {condition} THEN hosts.{name} ELSE excluded.{name} END" for name in columns)


# That the other scheme failed is true until that one answers; TLS that was not used is what it was.
SEEN_LATER = f"""scheme = excluded.scheme, checked_at = excluded.checked_at,
    {_unless("excluded.other_failed_at IS NULL AND hosts.scheme = excluded.scheme", _OTHER)},
    {_unless("excluded.tls_protocol IS NULL", _TLS)}
"""
"""SQL: what a row of ``hosts`` takes from another one that was seen later."""
SEEN_EARLIER = f"""
    {_unless("hosts.other_failed_at IS NOT NULL OR hosts.scheme <> excluded.scheme", _OTHER)},
    {_unless("hosts.tls_protocol IS NOT NULL", _TLS)}
"""
"""SQL: what it takes from one that was seen earlier."""
_STORE = f"""
    INSERT INTO hosts ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
    ON CONFLICT (host) DO UPDATE SET {SEEN_LATER}
"""  # noqa: S608 - names of ours


def store(conn: sqlite3.Connection, hosts: Iterable[Answered]) -> None:
    """Write what *hosts* showed, in their order, inside the caller's transaction."""
    conn.executemany(_STORE, (_row(host) for host in hosts))


def find(conn: sqlite3.Connection, host: str) -> KnownHost | None:
    """How *host* was reached last; None for one that never answered."""
    row = conn.execute("SELECT scheme, other_failed_at FROM hosts WHERE host = ?", (host,)).fetchone()
    return KnownHost(scheme=row[0], other_failed_at=parse(row[1]) if row[1] else None) if row else None


def _row(host: Answered) -> tuple[str | None, ...]:
    return (
        storable(host.host),
        host.scheme,
        to_second(host.checked_at),
        to_second(host.other_failed_at) if host.other_failed_at else None,
        host.other_failure and storable(host.other_failure),
        *(_tls_row(host.tls) if host.tls else [None] * len(_TLS)),
    )


def _tls_row(tls: TlsFacts) -> tuple[str | None, ...]:
    return (
        tls.protocol,
        tls.cipher,
        tls.certificate_problem and storable(tls.certificate_problem),
        storable(tls.certificate_subject),
        storable(tls.certificate_issuer),
        to_second(tls.certificate_not_after) if tls.certificate_not_after else None,
        tls.certificate_sha256,
    )
