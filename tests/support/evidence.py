"""Does an archive tell the truth? Every row against the bytes it points at."""

import hashlib

from warcio.archiveiterator import ArchiveIterator

from crawler.archive import search
from crawler.archive.connection import open_archive
from crawler.records import RecordRef
from crawler.warc.files import open_files
from crawler.warc.reader import read_capture
from tests.support.crawling import Archive
from tests.support.warc import assert_both_readers_are_content


def assert_rows_and_bytes_agree(archive: Archive) -> int:
    """Every capture's record is there, holds the payload that the row says; returns how many there are."""
    rows = archive.query(
        "SELECT c.warc_file, c.warc_offset, c.warc_length, c.payload_sha256, c.status,"
        " o.warc_file, o.warc_offset, o.warc_length FROM captures c LEFT JOIN captures o ON o.id = c.revisit_of"
    )
    for file, offset, length, digest, status, *original in rows:
        ref = RecordRef(file=file, offset=offset, length=length)
        first = RecordRef(file=original[0], offset=original[1], length=original[2]) if original[0] else None
        response = read_capture(archive.warc, ref, first)
        assert response.head.status == status
        if status != 304:
            assert hashlib.sha256(response.entity).hexdigest() == digest
    return len(rows)


def assert_no_response_lacks_a_row(archive: Archive) -> None:
    """Every response, revisit and drawn page in the WARC files has its row."""
    places = set()
    for path in sorted(archive.warc.glob("*.warc.gz")):
        with path.open("rb") as stream:
            iterator = ArchiveIterator(stream)
            for record in iterator:
                if record.rec_type in {"response", "revisit", "resource"}:
                    places.add((path.name, iterator.get_record_offset()))
    assert places == set(archive.query("SELECT warc_file, warc_offset FROM captures"))


def assert_both_readers_read_all(archive: Archive) -> None:
    """warcio and FastWARC, with their digest checks, accept every file, and none is left open."""
    assert open_files(archive.warc) == []
    for path in sorted(archive.warc.glob("*.warc.gz")):
        assert_both_readers_are_content(path)


def assert_nothing_is_lost_or_double(archive: Archive, *, articles: int) -> None:
    """All articles, each with one version, nothing left to do, no row without its partner, an index that is true."""
    assert archive.one("SELECT count(*) FROM articles") == articles
    assert archive.one("SELECT count(*) FROM versions") == articles
    assert archive.query("SELECT * FROM frontier WHERE state <> 'done'") == []
    assert archive.query("PRAGMA foreign_key_check") == []
    assert archive.one("PRAGMA integrity_check") == "ok"
    assert archive.one("SELECT count(*) FROM articles WHERE version_id IS NULL") == 0
    assert archive.one("SELECT count(*) FROM versions WHERE id NOT IN (SELECT version_id FROM version_sections)") == 0
    assert_the_index_is_true(archive)


def assert_the_index_is_true(archive: Archive) -> None:
    """Every article is in the full-text index, with the words it has now."""
    conn = open_archive(archive.db, readonly=True)
    assert search.check(conn) == []
    conn.close()
