"""Files that are imported: where they come to lie, and what is done with bombs and damage."""

import gzip
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.importing.collection import held
from crawler.records import RecordRef
from crawler.verify.verification import verify
from crawler.warc.files import WarcError
from crawler.warc.foreign import bring, form_of
from crawler.warc.reader import read_capture, read_record
from tests.support.collected import (
    HOME,
    PORTAL,
    SHAPES,
    Place,
    Taken,
    arc,
    heritrix,
    page,
    plain,
    wget,
    whole,
    zipped_arc,
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# Bombs.


def bomb(url: str = f"{HOME}bomb.html", *, size: int = 140_000_000) -> bytes:
    """A record that its compression makes a thousand times smaller."""
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2013-05-06T08:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{0:032x}>\r\nContent-Length: {size}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    )
    return head.encode() + bytes(size - len("HTTP/1.1 200 OK\r\n\r\n")) + b"\r\n\r\n"


def arc_bomb(*, size: int = 140_000_000) -> bytes:
    return f"{HOME}bomb.html 192.0.2.1 20130506080000 text/html {size}\n".encode() + bytes(size) + b"\n"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.warc.gz", lambda: wget([page(1)]) + gzip.compress(bomb(), 1) + wget([page(2)])),
        ("a.warc", lambda: plain([page(1)]) + bomb() + plain([page(2)])),
        ("a.warc.gz", lambda: gzip.compress(plain([page(1)]) + bomb() + plain([page(2)]), 1)),
        ("a.arc.gz", lambda: gzip.compress(arc([page(1)]) + arc_bomb() + arc([page(2)]), 1)),
    ],
    ids=["members", "plain", "whole", "arc"],
)
def test_a_record_that_inflates_without_measure_is_named_and_the_rest_goes_on(
    place: Place, name: str, make: Callable[[], bytes]
) -> None:
    found = place.take(place.put(name, make()))
    assert (found.status, found.new, found.failures) == ("failed", 2, [])
    [said] = found.damage
    assert "a record of 140,0" in said
    assert name.partition(".")[0] in said
    assert place.query("SELECT url FROM captures") == [(page(number).url,) for number in (1, 2)]
    assert verify(db=place.db, warc=place.warc).findings == ()


def test_an_arc_file_of_one_endless_line_is_read_as_far_as_it_is_one(place: Place) -> None:
    data = gzip.compress(arc([page(1)]), 1) + gzip.compress(bytes(300_000_000), 1)
    found = place.take(place.put("a.arc.gz", data))
    assert (found.status, found.new) == ("failed", 1)
    assert "no record begins within" in found.damage[0]


def test_a_file_that_was_exchanged_for_a_bomb_since_is_not_inflated(place: Place) -> None:
    data = gzip.compress(bomb(), 1)
    place.warc.mkdir()
    (place.warc / "a.warc.gz").write_bytes(data)
    with pytest.raises(WarcError, match=r"a\.warc\.gz at byte 0: more than 134,217,728 bytes"):
        read_record(place.warc, RecordRef(file="a.warc.gz", offset=0, length=len(data)))


# Where files lie.


def test_a_file_gets_a_link_that_survives_its_own_name(place: Place) -> None:
    source = place.put("a.warc.gz", wget([page(1)]))
    [brought] = place.take(source).files
    assert brought.how == "linked"
    assert brought.name == f"import-{brought.sha256[:12]}-a.warc.gz"
    assert (place.warc / brought.name).samefile(source)
    source.unlink()
    file, offset, length = place.query("SELECT warc_file, warc_offset, warc_length FROM captures")[0]
    assert read_capture(place.warc, RecordRef(file=file, offset=offset, length=length)).whole


def test_where_no_hard_link_can_be_had_it_is_a_symbolic_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    [brought] = place.take(place.put("a.warc.gz", wget([page(1)]))).files
    assert (place.warc / brought.name).is_symlink()
    assert place.one("SELECT count(*) FROM captures") == 1


def test_a_copy_has_bytes_of_its_own(place: Place) -> None:
    source = place.put("a.warc.gz", wget([page(1)]))
    [brought] = place.take(source, copy=True).files
    assert brought.how == "copied"
    assert (place.warc / brought.name).read_bytes() == source.read_bytes()
    assert not (place.warc / brought.name).samefile(source)


def test_a_file_that_lies_in_the_warc_folder_stays_under_its_name(place: Place) -> None:
    place.warc.mkdir()
    source = place.warc / "found.warc.gz"
    source.write_bytes(wget([page(1)]))
    [brought] = place.take(source).files
    assert (brought.name, brought.how) == ("found.warc.gz", "there")


def test_a_name_from_outside_becomes_a_plain_one(place: Place) -> None:
    [brought] = place.take(place.put("柳溪 $(x)\n.warc.gz", wget([page(1)]))).files
    assert brought.name == f"import-{brought.sha256[:12]}-_x_.warc.gz"


def test_the_form_of_a_file_is_told_by_its_bytes(place: Place) -> None:
    taken = [page(1), page(2)]
    forms = {shape: form_of(place.put("x", make(taken))) for shape, (_, make) in SHAPES.items()}
    assert forms == {
        "wget": "records", "heritrix": "records", "plain": "records", "whole": "whole", "joined": "whole", "arc": "arc",
        "arc.gz": "arc", "arc as a whole": "arc",
    }  # fmt: skip


# Damage.


def test_damaged_records_are_passed_over_and_named_with_file_and_byte(place: Place) -> None:
    data = bytearray(wget([page(number) for number in range(6)]))
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"\x1f\x8b\x08\x00"]
    middle = starts[len(starts) // 2]
    data[middle + 30 : middle + 60] = b"\xff" * 30
    found = place.take(place.put("a.warc.gz", bytes(data)))
    [damage] = found.damage
    assert f"at byte {middle}:" in damage
    assert damage.startswith("import-")
    assert found.new in {5, 6}  # it may have been a request's record
    assert found.exit_code == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_of_a_file_that_was_cut_off_all_whole_records_are_taken(place: Place, shape: str) -> None:
    name, make = SHAPES[shape]
    noise = [f"<!-- {Random(number).randbytes(900).hex()} -->".encode() for number in range(6)]
    data = make([replace(one, body=one.body + noise[number]) for number, one in enumerate(map(page, range(6)))])
    found = place.take(place.put(name, data[: int(len(data) * 0.7)]))
    assert found.exit_code == 1
    assert len(found.damage) == 1
    assert 2 <= found.new <= 5


def test_what_is_no_collection_is_named_and_the_others_are_done(place: Place) -> None:
    wrong = [
        place.put(name, data) for name, data in (("a.warc", b""), ("b.warc", b"GIF89a"), ("c.warc.gz", b"\x1f\x8bx"))
    ]
    found = place.take(*wrong, place.put("d.warc", b"WARC/1.0\r\n\r\n"), place.put("e.warc.gz", wget([page(1)])))
    assert found.new == 1
    assert [line.split("/")[-1].split(":")[0] for line in found.damage[:3]] == ["a.warc", "b.warc", "c.warc.gz"]
    assert len(found.damage) == 4
    assert found.exit_code == 1


def test_a_file_that_is_being_written_is_refused(place: Place) -> None:
    with pytest.raises(WarcError, match="being written"):
        bring(place.put("a.warc.gz.open", wget([page(1)])), place.warc, copy=False)


@settings(max_examples=60)
@given(
    shape=st.sampled_from([wget, heritrix, plain, whole, arc, zipped_arc]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=40), st.integers(0, 60)), min_size=1, max_size=4),
)
def test_no_damage_is_beyond_words(
    tmp_path_factory: pytest.TempPathFactory,
    shape: Callable[[Sequence[Taken]], bytes],
    edits: list[tuple[float, bytes, int]],
) -> None:
    data = shape([page(1), page(2, day=1)])
    for place_, inserted, dropped in edits:
        at = int(place_ * len(data))
        data = data[:at] + inserted + data[at + dropped :]
    folder = tmp_path_factory.mktemp("hurt")
    source = folder / "a.warc.gz"
    source.write_bytes(data)
    with suppress(WarcError):
        brought = bring(source, folder / "warc", copy=False)
        list(held(folder / "warc", brought.name, PORTAL.hosts))
