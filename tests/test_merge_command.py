"""``xianzhi merge``: shards come home with their WARC files, from folders and from a store, and what cannot is said."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crawler.archive import custody, writer
from crawler.archive.connection import open_archive
from crawler.archive.lock import LockHeldError, RunLock
from crawler.cli import cli
from crawler.store import open_store, store_behind
from tests.support.archive import RUN, article, batch, begin
from tests.support.merging import shard

NAME = "xianzhi-shard-1-20260101020000-{}.db"
SEGMENT = "xianzhi-lingyang-1.warc.gz"


@dataclass(frozen=True)
class World:
    folder: Path
    home: sqlite3.Connection

    @property
    def warc(self) -> Path:
        return self.folder / "warc"

    def shard(self, number: int, *, segment: bool = True) -> Path:
        """A shard with an article, in a spool folder of its own with its WARC file."""
        spool = self.folder / "spool" / str(number)
        (spool / "warc").mkdir(parents=True)
        url = f"https://www.lingyang.example/{number}"
        capture = batch(article(f"第{number}件新闻", url=url, day=number))
        if segment:
            (spool / "warc" / SEGMENT).write_bytes(b"a segment")
        made = shard(self.home, spool / NAME.format(number), capture)
        for seed in spool.glob("*.seed"):
            seed.unlink()
        return made

    def merge(self, *arguments: object) -> Result:
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(cli, ["merge", *words, "--db", str(self.folder / "home.db"), "--json"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(begin(open_archive(tmp_path / "home.db"))) as home:
        yield World(tmp_path, home)


def said(result: Result) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_shards_below_a_folder_come_home_with_their_warc_files(world: World) -> None:
    world.shard(1)
    world.shard(2, segment=False)
    result = world.merge(world.folder / "spool")
    assert result.exit_code == 0
    assert [(own["articles"], own["was_known"]) for own in said(result)["shards"]] == [(1, False), (1, False)]
    assert said(result)["moved"] == [SEGMENT]
    assert (world.warc / SEGMENT).read_bytes() == b"a segment"
    assert world.home.execute("SELECT DISTINCT stored FROM captures").fetchall() == [("local",)]
    assert world.home.execute("SELECT count(*) FROM articles_fts_docsize").fetchone() == (2,)
    assert world.home.execute("SELECT count(*) FROM reprint_marks").fetchone() == (2,)
    assert [own["was_known"] for own in said(world.merge(world.folder / "spool"))["shards"]] == [True, True]


def test_a_warc_file_that_is_not_at_hand_is_named(world: World) -> None:
    result = world.merge(world.shard(1, segment=False))
    assert said(result)["elsewhere"] == [SEGMENT]
    assert world.home.execute("SELECT DISTINCT stored FROM captures").fetchall() == [("archived",)]


def test_every_shard_of_a_store_comes_home_once(world: World) -> None:
    (world.folder / "store").mkdir()
    store = open_store(str(world.folder / "store"))
    for number in (1, 2):
        path = world.shard(number)
        store.put(path, f"shards/{path.name}")
    store.put(path.parent / "warc" / SEGMENT, f"warc/{SEGMENT}")
    result = world.merge("--store", world.folder / "store")
    assert [own["articles"] for own in said(result)["shards"]] == [1, 1]
    assert said(result)["elsewhere"] == []
    assert world.home.execute("SELECT DISTINCT stored FROM captures").fetchall() == [("archived",)]
    assert store_behind(world.warc)
    assert said(world.merge("--store", world.folder / "store"))["shards"] == []
    assert not list(world.folder.glob("xianzhi-merge-*"))


def test_a_damaged_shard_is_named_and_the_others_come_home(world: World) -> None:
    whole, damaged = world.shard(1), world.shard(2)
    damaged.write_bytes(b"no database at all " * 100)
    result = world.merge(whole, damaged)
    assert result.exit_code == 1
    assert [own["name"] for own in said(result)["shards"]] == [whole.name]
    assert str(damaged) in said(result)["failures"][0]
    assert str(damaged.name) in result.stderr


def test_without_a_shard_it_is_wrong_usage(world: World) -> None:
    assert world.merge().exit_code == 2


def test_a_run_that_works_on_the_archive_is_not_disturbed(world: World) -> None:
    path = world.shard(1)
    with RunLock(world.folder / "home.db"):
        assert isinstance(world.merge(path).exception, LockHeldError)


def test_rows_that_came_home_are_under_the_next_seal(world: World) -> None:
    db = world.folder / "home.db"
    writer.write(world.home, batch(article("从前的新闻")))
    path = world.shard(1)
    world.home.execute("UPDATE runs SET status = 'ok', finished_at = '2024-01-02T00:00:00Z' WHERE id = ?", (RUN,))
    world.merge(path)
    sealed = custody.last_seal(world.home)
    assert sealed
    manifest = custody.read_manifest(db, sealed)
    assert manifest["captures"]["rows"] == 2
    assert [file["name"] for file in manifest["files"]] == [SEGMENT]
