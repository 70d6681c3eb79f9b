"""What a run remembers of hosts: the scheme that answers, TLS, and what is wrong with a certificate."""

import sqlite3
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import hosts, schema
from crawler.archive.connection import bring_up_to_date, open_archive
from crawler.archive.hosts import Answered
from crawler.demo.server import serve
from crawler.records import TlsFacts
from tests.support.archive import contents
from tests.support.crawling import Archive, entry, news_site
from tests.support.evidence import assert_both_readers_read_all, assert_rows_and_bytes_agree
from tests.support.tls import Front, certified

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
HOST = "127.0.11.1"
TLS = TlsFacts(
    protocol="TLSv1.2",
    cipher="AES256-SHA",
    certificate_sha256="ab" * 32,
    certificate_subject="CN=柳溪",
    certificate_issuer="CN=CA",
    certificate_not_after=NOW,
    certificate_problem="self-signed",
)
GENERIC = 'cms = "generic"'
LONG_AGO = "UPDATE hosts SET other_failed_at = '2020-01-01T00:00:00Z'"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    conn = open_archive(tmp_path / "archive.db")
    yield conn
    conn.close()


# The table.


def seen(**changes) -> Answered:
    fields = {"host": HOST, "scheme": "https", "checked_at": NOW, "tls": TLS}
    return Answered(**(fields | changes))


def row(conn: sqlite3.Connection) -> dict[str, object]:
    cursor = conn.execute("SELECT * FROM hosts")
    [values] = cursor.fetchall()
    return dict(zip([name for name, *_ in cursor.description], values, strict=True))


def test_a_host_is_one_row_with_what_was_seen_last(conn: sqlite3.Connection) -> None:
    hosts.store(conn, [seen(), seen(checked_at=NOW + timedelta(days=1))])
    assert row(conn) == {
        "host": HOST,
        "scheme": "https",
        "checked_at": "2026-03-02T02:00:00Z",
        "other_failed_at": None,
        "other_failure": None,
        "tls_protocol": "TLSv1.2",
        "tls_cipher": "AES256-SHA",
        "certificate_problem": "self-signed",
        "certificate_subject": "CN=柳溪",
        "certificate_issuer": "CN=CA",
        "certificate_not_after": "2026-03-01T02:00:00Z",
        "certificate_sha256": "ab" * 32,
    }


def test_an_answer_in_plain_leaves_what_is_known_of_tls(conn: sqlite3.Connection) -> None:
    hosts.store(conn, [seen(), seen(scheme="http", tls=None)])
    assert (row(conn)["scheme"], row(conn)["certificate_problem"]) == ("http", "self-signed")


def test_that_the_other_scheme_failed_is_true_until_it_answers(conn: sqlite3.Connection) -> None:
    hosts.store(conn, [seen(other_failed_at=NOW, other_failure="refused"), seen()])
    assert (row(conn)["other_failed_at"], row(conn)["other_failure"]) == ("2026-03-01T02:00:00Z", "refused")
    hosts.store(conn, [seen(scheme="http", tls=None)])
    assert (row(conn)["other_failed_at"], row(conn)["other_failure"]) == (None, None)


def test_an_archive_of_schema_1_gets_the_table_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite3.connect(path, isolation_level=None)
    bring_up_to_date(old, path, migrations=schema.MIGRATIONS[:1])
    old.execute("INSERT INTO runs (id, started_at, status) VALUES ('r', '2024-01-01T00:00:00Z', 'ok')")
    before = contents(old)
    old.close()
    conn = open_archive(path)
    after = contents(conn)
    assert {table: after[table] for table in before} == before
    assert after["hosts"] == []
    conn.close()
    copy = sqlite3.connect(tmp_path / "old.db.v1-backup")
    assert contents(copy) == before
    copy.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["old.db", "old.db.v1-backup"]


# Runs.


def metadata(archive: Archive) -> list[tuple[str, dict[str, str]]]:
    """The address and the fields of each metadata record."""
    found = []
    for path in sorted(archive.warc.glob("*.warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "metadata":
                    lines = record.content_stream().read().decode().splitlines()
                    found.append(
                        (
                            record.rec_headers.get_header("WARC-Target-URI"),
                            dict(line.split(": ", 1) for line in lines),
                        )
                    )
    return found


def test_a_portal_with_a_wrong_certificate_is_archived_and_the_evidence_says_so(archive: Archive) -> None:
    certificate = certified("www.baihe.example", days=(-30, -2))
    with serve({"liuxi": news_site(5)}) as urls, Front(urls["liuxi"], certificate.context()) as front:
        archive.write_catalogue(entry("liuxi", f"https://{front.place}"))
        crawled = archive.crawl()
    assert (crawled.exit_code, crawled.portal("liuxi")["new"]) == (0, 5), crawled.words
    [(host, scheme, problem, digest)] = archive.query(
        "SELECT host, scheme, certificate_problem, certificate_sha256 FROM hosts"
    )
    assert (host, scheme) == (front.place, "https")
    for words in ("self-signed", "expired on 20", f"issued for www.baihe.example, not for {HOST}"):
        assert words in problem
    records = metadata(archive)
    assert len(records) == 1 + archive.one("SELECT count(*) FROM captures WHERE kind <> 'robots'")
    for _, fields in records:
        assert fields["tls-protocol"] == "TLSv1.3"
        assert fields["tls-certificate-sha256"] == digest
        assert fields["tls-certificate-problem"] == problem
    assert_rows_and_bytes_agree(archive)
    assert_both_readers_read_all(archive)


def test_an_old_server_fails_its_portal_with_the_remedy_and_is_crawled_with_it(archive: Archive) -> None:
    context = certified(HOST).old_context(ssl.TLSVersion.TLSv1)
    with serve({"liuxi": news_site(3)}) as urls, Front(urls["liuxi"], context) as front:
        archive.write_catalogue(entry("liuxi", f"https://{front.place}", GENERIC))
        refused = archive.crawl()
        assert front.begun == {"tls": 1, "http": 1}  # neither scheme is tried again
        archive.write_catalogue(entry("liuxi", f"https://{front.place}", GENERIC, 'tls = "legacy"'))
        crawled = archive.crawl()
    assert (refused.exit_code, refused.portal("liuxi")["status"]) == (1, "failed")
    assert 'tls = "legacy"' in refused.portal("liuxi")["reason"]
    assert (crawled.exit_code, crawled.portal("liuxi")["new"]) == (0, 3)
    assert archive.query("SELECT tls_protocol FROM hosts") == [("TLSv1",)]


def test_the_scheme_that_answers_is_found_and_the_next_nights_start_with_it(archive: Archive) -> None:
    with serve({"liuxi": news_site(3)}) as urls, Front(urls["liuxi"]) as front:
        archive.write_catalogue(entry("liuxi", f"https://{front.place}"))
        crawled = archive.crawl()
        assert (crawled.exit_code, crawled.portal("liuxi")["new"]) == (0, 3), crawled.words
        assert front.begun["tls"] == 1
        [(scheme, failure)] = archive.query("SELECT scheme, other_failure FROM hosts")
        assert scheme == "http"
        assert failure.startswith(f"https://{front.place}: the server speaks no TLS there")
        crawled = archive.crawl()
        assert (crawled.exit_code, crawled.portal("liuxi")["new"]) == (0, 0)
        assert front.begun["tls"] == 1
        with sqlite3.connect(archive.db) as conn:
            conn.execute(LONG_AGO)
        conn.close()
        assert archive.crawl().exit_code == 0
        assert front.begun["tls"] == 2  # a week later the catalogue's own is tried again
    assert archive.one("SELECT other_failed_at FROM hosts") > "2026"


def test_a_remembered_scheme_that_fails_gives_way_to_the_catalogues_own(archive: Archive) -> None:
    with serve({"liuxi": news_site(3)}) as urls, Front(urls["liuxi"], certified(HOST).context()) as front:
        archive.write_catalogue(entry("liuxi", f"http://{front.place}"))
        assert archive.crawl().portal("liuxi")["new"] == 3
        assert archive.query("SELECT scheme, other_failed_at IS NULL FROM hosts") == [("https", 0)]
        with sqlite3.connect(archive.db) as conn:  # as if the server had changed its mind since
            conn.execute("UPDATE hosts SET scheme = 'http'")
        conn.close()
        archive.write_catalogue(entry("liuxi", f"https://{front.place}"))
        crawled = archive.crawl()
    assert crawled.exit_code == 0, crawled.words
    assert archive.query("SELECT scheme FROM hosts") == [("https",)]


def test_a_host_without_an_address_fails_its_portal_in_plain_words(archive: Archive) -> None:
    archive.write_catalogue(entry("liuxi", "https://www.nosuch-county.invalid"))
    crawled = archive.crawl()
    assert crawled.exit_code == 1
    assert crawled.portal("liuxi")["status"] == "failed"
    assert "the host www.nosuch-county.invalid cannot be resolved" in crawled.portal("liuxi")["reason"]


def test_a_host_that_is_down_leaves_its_queue_for_another_night(archive: Archive) -> None:
    with serve({"liuxi": news_site(25)}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], GENERIC))
        archive.crawl("--max-articles", "1")
    crawled = archive.crawl()
    assert crawled.portal("liuxi")["status"] == "failed"
    assert "refused the connection" in crawled.portal("liuxi")["reason"]
    queued = dict(archive.query("SELECT kind, count(*) FROM frontier WHERE state = 'queued' GROUP BY kind"))
    assert queued == {"article": 9, "list": 2}
    assert archive.one("SELECT max(attempts) FROM frontier") == 0
