"""The object store: what was put is there whole, under names of ours, and nothing else takes its place."""

import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.store import ObjectDiffersError, ObjectMissingError, Store, StoreError, open_store, point, store_behind
from crawler.store.remote_file import RemoteFile
from crawler.store.s3 import PART_BYTES
from tests.conftest import ROOT
from tests.support.s3 import S3, needs_s3

HOSTILE = [
    "",
    "warc",
    "warc/",
    "/warc/a",
    "warc/..",
    "warc/.hidden",
    "../warc/a",
    "warc/../../etc/passwd",
    "warc//a",
    "warc/a/b",
    "warc/a\n",
    "warc/a b",
    "warc/a%2e%2e",
    "warc/县",
    "warc\\a",
    "warc/" + "a" * 300,
]


@pytest.fixture(params=["folder", pytest.param("s3", marks=needs_s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of each kind, empty."""
    if request.param == "s3":
        return open_store(request.getfixturevalue("s3").bucket())
    root = tmp_path / "store"
    root.mkdir()
    return open_store(str(root))


def test_what_was_put_can_be_listed_read_and_fetched(store: Store, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    for name in ("warc/b.warc.gz", "warc/a.warc.gz", "shards/a.db"):
        store.put(written(tmp_path / "file", data + name.encode()), name)
    assert store.names("") == ["shards/a.db", "warc/a.warc.gz", "warc/b.warc.gz"]
    assert store.names("warc/") == ["warc/a.warc.gz", "warc/b.warc.gz"]
    assert store.names("warc/b") == ["warc/b.warc.gz"]
    assert store.names("seeds/") == []
    assert (store.has("shards/a.db"), store.has("shards/b.db")) == (True, False)
    stat = store.stat("shards/a.db")
    assert stat is not None
    assert stat.bytes == len(data) + len("shards/a.db")
    assert stat in list(store.listed("shards/"))
    expected = data + b"warc/a.warc.gz"
    assert store.sha256("warc/a.warc.gz") == hashlib.sha256(expected).hexdigest()
    fetched = store.fetch("warc/a.warc.gz", tmp_path)
    assert (fetched.name, fetched.read_bytes()) == ("a.warc.gz", expected)
    with store.open("warc/a.warc.gz") as file:
        file.seek(123_456)
        assert file.read(1_000) == expected[123_456:124_456]
        assert file.read() == expected[124_456:]
        assert file.read() == b""


def test_an_empty_file_is_an_object_too(store: Store, tmp_path: Path) -> None:
    store.put(written(tmp_path / "file", b""), "warc/empty")
    assert store.fetch("warc/empty", tmp_path).read_bytes() == b""
    with store.open("warc/empty") as file:
        assert file.read() == b""


def test_putting_it_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    file = written(tmp_path / "file", b"the same")
    store.put(file, "warc/a")
    before = store.stat("warc/a")
    store.put(file, "warc/a")
    assert store.stat("warc/a") == before


def test_another_file_under_the_same_name_is_refused_and_both_digests_are_named(store: Store, tmp_path: Path) -> None:
    store.put(written(tmp_path / "file", b"first"), "warc/a")
    with pytest.raises(ObjectDiffersError) as refusal:
        store.put(written(tmp_path / "file", b"other"), "warc/a")
    for data in (b"first", b"other"):
        assert hashlib.sha256(data).hexdigest() in str(refusal.value)
    assert store.fetch("warc/a", tmp_path).read_bytes() == b"first"


def test_what_is_not_there_is_said_to_be_missing(store: Store, tmp_path: Path) -> None:
    assert store.stat("warc/a") is None
    with pytest.raises(ObjectMissingError):
        store.sha256("warc/a")
    with pytest.raises(ObjectMissingError):
        store.fetch("warc/a", tmp_path)
    with pytest.raises(ObjectMissingError), store.open("warc/a") as file:
        file.read(1)
    assert list(tmp_path.glob("*a*")) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(store: Store, tmp_path: Path, name: str) -> None:
    file = written(tmp_path / "file", b"data")
    for act in (store.stat, store.sha256, store.open):
        with pytest.raises(ValueError, match="not a name"):
            act(name)
    with pytest.raises(ValueError, match="not a name"):
        store.put(file, name)
    with pytest.raises(ValueError, match="not a name"):
        store.fetch(name, tmp_path)


def test_a_listing_gives_no_name_that_could_not_have_been_put(tmp_path: Path) -> None:
    for name in ("warc/.a.part", "warc/a b", "loose", "warc/deep/file", "warc/good"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / name, b"data")
    assert open_store(str(tmp_path)).names("") == ["warc/good"]


@needs_s3
def test_a_listing_of_a_bucket_gives_no_name_that_could_not_have_been_put(s3: S3) -> None:
    url = s3.bucket()
    for name in ("warc/.hidden", "warc/a%20b", "loose", "warc/deep/file", "warc/good"):
        s3.ask("PUT", f"{url.removeprefix('s3://')}/{name}", b"data")
    assert open_store(url).names("") == ["warc/good"]
    assert open_store(url).names("warc/") == ["warc/good"]


@needs_s3
def test_a_large_file_goes_in_parts_and_every_part_is_confirmed(s3: S3, tmp_path: Path) -> None:
    data = os.urandom(PART_BYTES * 2 + 12_345)
    store = open_store(s3.bucket())
    file = written(tmp_path / "file", data)
    store.put(file, "warc/large")
    carried = s3.line.carried
    store.put(file, "warc/large")
    assert s3.line.carried - carried < 10_000  # known by its ETag, nothing went twice
    assert store.sha256("warc/large") == hashlib.sha256(data).hexdigest()
    assert store.fetch("warc/large", tmp_path).read_bytes() == data


@needs_s3
def test_an_object_that_another_program_stored_is_read_to_know_its_digest(s3: S3, tmp_path: Path) -> None:
    url = s3.bucket()
    s3.ask("PUT", f"{url.removeprefix('s3://')}/warc/a", b"data")
    store = open_store(url)
    assert store.sha256("warc/a") == hashlib.sha256(b"data").hexdigest()
    store.put(written(tmp_path / "file", b"data"), "warc/a")


@needs_s3
def test_reading_a_record_is_one_request_for_its_bytes_alone(s3: S3, tmp_path: Path) -> None:
    store = open_store(s3.bucket())
    store.put(written(tmp_path / "file", os.urandom(5_000_000)), "warc/a")
    asked: list[tuple[int, int]] = []
    with store.open("warc/a") as file:
        assert isinstance(file, RemoteFile)
        get = file._get

        def counted(start: int, end: int) -> bytes:
            asked.append((start, end))
            return get(start, end)

        file._get = counted
        file.seek(2_000_000)
        assert len(file.read(12_345)) == 12_345
    assert asked == [(2_000_000, 2_012_345)]


@needs_s3
def test_a_store_that_does_not_answer_is_an_error_that_names_it(s3: S3) -> None:
    store = open_store(s3.bucket())
    s3.line.cut()
    with pytest.raises(StoreError, match=r"s3://bucket-.*warc/a"):
        store.stat("warc/a")
    s3.line.mend()
    assert store.stat("warc/a") is None


@needs_s3
def test_a_bucket_that_is_not_there_is_said_to_be_missing_and_not_what_was_asked_of_it(s3: S3, tmp_path: Path) -> None:
    store = open_store("s3://no-such-bucket/archive")
    for act in (
        lambda: store.names("warc/"),
        lambda: store.put(written(tmp_path / "f", b"x"), "warc/a"),
        lambda: store.fetch("warc/a", tmp_path),
    ):
        with pytest.raises(StoreError, match="s3://no-such-bucket/archive: there is no such bucket") as raised:
            act()
        assert not isinstance(raised.value, ObjectMissingError)


def test_a_folder_that_is_not_mounted_is_no_empty_store(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "gone"))
    for act in (lambda: store.names(""), lambda: store.put(written(tmp_path / "f", b"x"), "warc/a")):
        with pytest.raises(StoreError, match="no such folder"):
            act()
    with pytest.raises(StoreError, match="no such folder"):
        store.stat("warc/a")


def test_without_tls_a_store_is_asked_only_where_that_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example")
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    with pytest.raises(StoreError, match="AWS_ALLOW_HTTP"):
        open_store("s3://bucket/archive")


@pytest.mark.parametrize("endpoint", ["store:9000", "nonsense", "http://", "https:// host", "ftp://store"])
def test_an_endpoint_that_is_no_address_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    with pytest.raises(StoreError, match="AWS_ENDPOINT_URL"):
        open_store("s3://bucket/archive")


def test_a_folder_on_a_full_disk_refuses_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    store, file = open_store(str(tmp_path)), written(tmp_path / "file", os.urandom(200_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StoreError, match="warc/a"):
            store.put(file, "warc/a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "warc").iterdir()) == []
    with pytest.raises(FileNotFoundError):  # but a file that is not here is no fault of the store's
        store.put(tmp_path / "none", "warc/a")


def test_what_a_killed_upload_left_in_a_folder_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "warc").mkdir()
    (tmp_path / "warc" / ".a.4711-1.part").write_bytes(b"half")
    open_store(str(tmp_path)).put(written(tmp_path / "file", b"whole"), "warc/a")
    assert [path.name for path in (tmp_path / "warc").iterdir()] == ["a"]


@pytest.mark.parametrize(
    "url", ["ftp://host/folder", "s3://", "s3://bucket/../other", "s3://user:secret@bucket/x", "s3://bucket/a?b=c"]
)
def test_what_is_no_store_is_said_to_be_none(url: str) -> None:
    with pytest.raises(StoreError, match=r"s3://"):
        open_store(url)


def test_a_folder_points_to_its_store(tmp_path: Path) -> None:
    root = tmp_path / 'a "store"'
    root.mkdir()
    assert store_behind(tmp_path) is None
    point(tmp_path, open_store(str(root)))
    store = store_behind(tmp_path)
    assert store is not None
    assert store.url == str(root)


@pytest.mark.parametrize("text", ["", "url = 1", "url", '[store]\nurl = "x"', 'url = "ftp://x"', "\x00"])
def test_a_pointer_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.toml").write_text(text)
    with pytest.raises(StoreError):
        store_behind(tmp_path)


def test_a_crawl_on_one_machine_loads_none_of_it() -> None:
    code = "import sys, crawler.worker, crawler.run, crawler.store; print('obstore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@given(
    data=st.binary(max_size=2_000),
    steps=st.lists(st.tuples(st.sampled_from(["seek", "end", "read", "read1", "all"]), st.integers(0, 2_500))),
)
def test_a_remote_file_reads_as_a_local_one_does(data: bytes, steps: list[tuple[str, int]]) -> None:
    def get(start: int, end: int) -> bytes:
        assert start < end
        return data[start:end]

    file, at = RemoteFile("name", get, lambda: len(data)), 0
    for step, number in steps:
        if step == "seek":
            at = file.seek(number)
        elif step == "end":
            at = file.seek(-min(number, len(data)), 2)
        elif step == "read":
            assert file.read(number) == data[at : at + number]
            at = min(max(at, len(data)), at + number) if at < len(data) else at
        elif step == "read1":
            got = file.read1(number)
            assert data[at : at + number].startswith(got)
            assert got or not data[at : at + number]
            at += len(got)
        else:
            assert file.read() == data[at:]
            at = max(at, len(data))
        assert file.tell() == at


def written(path: Path, data: bytes) -> Path:
    """A file with this content."""
    path.write_bytes(data)
    return path


def test_only_what_is_passing_can_be_deleted(store: Store, tmp_path: Path) -> None:
    for name in ("warc/a", "tasks/a", "results/a"):
        store.put(written(tmp_path / "file", b"a"), name)
    store.delete("tasks/a")
    store.delete("results/a")
    store.delete("results/a")
    for name in ("warc/a", "shards/a", "seeds/a"):
        with pytest.raises(ValueError, match="is to stay"):
            store.delete(name)
    assert store.names("") == ["warc/a"]
