"""After a crash: every whole record is kept, wherever the file was cut."""

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from crawler.records import RecordRef
from crawler.warc.files import WarcError, open_files
from crawler.warc.reader import entries, read_record
from crawler.warc.salvage import Salvaged, salvage
from crawler.warc.writer import WarcWriter
from tests.conftest import ROOT
from tests.support.warc import INFO, STARTED, archived, assert_both_readers_are_content, exchange, write

NOISE = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(3_000))


def sample() -> tuple[str, bytes, list[RecordRef]]:
    """Name, bytes and places of a finished file: small records, and one longer than a step of the scan."""
    with TemporaryDirectory() as folder:
        path = archived(Path(folder), exchange(), exchange(b"HTTP/1.1 200 OK\r\n\r\n" + NOISE), exchange())
        return path.name, path.read_bytes(), [entry.ref for entry in entries(path)]


NAME, DATA, PLACES = sample()
ENDS = [place.offset + place.length for place in PLACES]


def crashed(folder: Path, data: bytes) -> Path:
    opened = folder / f"{NAME}.open"
    opened.write_bytes(data)
    return opened


def common_bytes(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


cuts = st.integers(0, len(DATA)) | st.builds(
    lambda end, by: min(max(end + by, 0), len(DATA)), st.sampled_from([0, *ENDS]), st.integers(-20, 20)
)


@settings(max_examples=150)
@given(cut=cuts, garbage=st.binary(max_size=40) | st.sampled_from([b"\0" * 500, DATA[:300], DATA[:10] * 9]))
def test_a_file_cut_anywhere_keeps_its_whole_records_and_loses_no_byte(cut: int, garbage: bytes):
    with TemporaryDirectory() as name:
        folder = Path(name)
        before = DATA[:cut] + garbage
        done = salvage(crashed(folder, before))
        as_it_was = common_bytes(before, DATA)  # garbage may happen to go on as the file did
        whole = [end for end in ENDS if end <= as_it_was]
        kept = whole[-1] if whole else 0
        file = folder / NAME
        aside = folder / f"{NAME}.cut"
        assert done == Salvaged(
            file=file if whole else None,
            records=len(whole),
            kept_bytes=kept,
            cut_bytes=len(before) - kept,
            damaged_bytes=0,
        )
        assert (file.read_bytes() if whole else b"") == before[:kept]
        assert (aside.read_bytes() if aside.exists() else b"") == before[kept:]
        assert open_files(folder) == []
        if whole:
            assert [entry.ref for entry in entries(file)] == PLACES[: len(whole)]
            assert_both_readers_are_content(file)


def test_an_empty_file_vanishes(tmp_path: Path):
    done = salvage(crashed(tmp_path, b""))
    assert (done.file, done.records, done.cut_bytes) == (None, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_records_behind_a_damaged_stretch_stay_in_their_places(tmp_path: Path):
    damaged = bytearray(DATA)
    start = PLACES[2].offset
    damaged[start : start + 50] = bytes(50)
    done = salvage(crashed(tmp_path, bytes(damaged)))
    assert done.records == len(PLACES) - 1
    assert done.damaged_bytes == PLACES[2].length
    assert done.cut_bytes == 0
    assert read_record(tmp_path, PLACES[-1]).fields["warc-type"] == "request"


def test_a_warc_file_that_a_portal_served_is_not_taken_for_ours(tmp_path: Path):
    served = archived(tmp_path / "served", exchange()).read_bytes()
    done = salvage(crashed(tmp_path, DATA[: ENDS[2]] + b"half a record of ours, with this inside: " + served))
    assert (done.records, done.kept_bytes, done.damaged_bytes) == (3, ENDS[2], 0)


def test_salvaging_twice_changes_nothing_more(tmp_path: Path):
    opened = crashed(tmp_path, DATA[:-5])
    (tmp_path / f"{NAME}.cut").write_bytes(b"an earlier attempt that was killed in the middle")
    done = salvage(opened)
    assert done.file is not None
    again = salvage(done.file.rename(opened))
    assert (again.records, again.kept_bytes, again.cut_bytes) == (done.records, done.kept_bytes, 0)
    assert (tmp_path / f"{NAME}.cut").read_bytes() == DATA[done.kept_bytes : -5]


def test_a_finished_file_of_that_name_is_never_replaced(tmp_path: Path):
    (tmp_path / NAME).write_bytes(b"finished")
    opened = crashed(tmp_path, DATA)
    with pytest.raises(WarcError, match="exists already"):
        salvage(opened)
    assert (tmp_path / NAME).read_bytes() == b"finished"
    assert opened.read_bytes() == DATA


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path):
    with WarcWriter(tmp_path, "qianxian", info=INFO) as writer:
        write(writer, exchange())
        (opened,) = open_files(tmp_path)
        with pytest.raises(WarcError, match="being written"):
            salvage(opened)
        write(writer, exchange())


@pytest.mark.parametrize("name", ["a.warc.gz", "missing.warc.gz.open"])
def test_only_open_files_that_are_there_can_be_salvaged(tmp_path: Path, name: str):
    with pytest.raises(WarcError, match=name):
        salvage(tmp_path / name)


def test_a_new_file_does_not_take_the_name_of_a_cut_one(tmp_path: Path):
    clock = {"clock": lambda: STARTED}
    with WarcWriter(tmp_path, "qianxian", info=INFO, **clock) as writer:
        first = write(writer, exchange())
    path = (tmp_path / first.file).rename(tmp_path / f"{first.file}.open")
    path.write_bytes(path.read_bytes()[:100])
    assert salvage(path).file is None
    with WarcWriter(tmp_path, "qianxian", info=INFO, **clock) as writer:
        assert write(writer, exchange()).file != first.file


WRITER = """
import sys
from pathlib import Path
from crawler.warc.writer import WarcWriter
from tests.support.warc import INFO, exchange, write
writer = WarcWriter(Path(sys.argv[1]), "qianxian", info=INFO)
while True:
    place = write(writer, exchange())
    print(place.file, place.offset, place.length, flush=True)
"""


def test_what_a_killed_process_had_written_is_all_there(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(20)]
        time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    (opened,) = open_files(tmp_path)
    done = salvage(opened)
    assert done.file is not None
    assert_both_readers_are_content(done.file)
    found = {(entry.ref.offset, entry.ref.length) for entry in entries(done.file)}
    reported = {tuple(map(int, line.split()[1:])) for line in lines if line.endswith(b"\n")}
    assert len(reported) >= 20
    assert reported <= found
