"""Running workers for years: their figures, their disks, and hosts that are lost."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crawler.archive.postgres import connect
from crawler.fetch.tally import Tally
from crawler.operating import watchdog
from crawler.operating.endpoint import WorkerFigures
from crawler.queue.schema import prepare
from tests.support.crawling import Archive, entry, news_site
from tests.support.evidence import assert_nothing_is_lost_or_double
from tests.support.hosts import Watched, hosts, until, watched
from tests.support.postgres import Postgres

ARTICLES = 20
Figures = dict[tuple[str, ...], float]


def write_catalogue(archive: Archive, portals: dict[str, Watched]) -> None:
    archive.write_catalogue("".join(entry(name, portal.url) for name, portal in portals.items()))


def samples(text: str) -> Figures:
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def scraped(words: str) -> Figures:
    """The figures of a worker that said where they are."""
    url = re.findall(r"http://127\.0\.0\.1:\d+/metrics", words)[0]
    with urllib.request.urlopen(url, timeout=10) as answer:
        return samples(answer.read().decode())


def test_a_worker_serves_its_figures_and_says_how_the_queue_stands(tmp_path: Path, postgres: Postgres, dsn: str):
    sites = {"east": news_site(ARTICLES), "west": news_site(ARTICLES)}
    del sites["west"].pages["/news/2021/101.html"]
    with watched(sites, seconds=0.05) as portals, hosts(tmp_path, dsn) as farm:
        write_catalogue(farm.archive, portals)
        told = tmp_path / "told"
        with farm.night("--on-end", f"tee {told}", "--metrics", str(tmp_path / "night.prom")) as night:
            worker = farm.work("first", "--jobs", "1", "--metrics-port", "0", "--log-format", "json")
            until(lambda: "/metrics" in worker.words)
            until(lambda: scraped(worker.words)["xianzhi_queue_tasks", "running"] == 2)
            until(lambda: ("xianzhi_spool_oldest_shard_timestamp_seconds",) in scraped(worker.words))
            assert scraped(worker.words)[("xianzhi_spool_bytes",)] > 0
            ended = night.end()
        found = scraped(worker.words)
        postgres.stop()
        try:
            without = scraped(worker.words)
        finally:
            postgres.start()
        assert worker.drain() == 0
    assert ended.exit_code == 0, ended.words + farm.words
    assert found[("xianzhi_pages_total",)] == sum(portal["fetched"] for portal in ended.report["portals"])
    assert found["xianzhi_articles_total", "new"] == 2 * ARTICLES - 1
    assert found["xianzhi_failures_total", "http_4xx"] == 1
    assert found["xianzhi_portals_total", "ok"] == 2
    assert ("xianzhi_spool_oldest_shard_timestamp_seconds",) not in found
    assert (found["xianzhi_queue_tasks", "waiting"], found[("xianzhi_queue_up",)]) == (0, 1)
    assert without[("xianzhi_queue_up",)] == 0
    assert without[("xianzhi_pages_total",)] == found[("xianzhi_pages_total",)]
    assert json.loads(told.read_text()) == ended.report
    of_night = samples((tmp_path / "night.prom").read_text())
    assert of_night["xianzhi_last_run_status", "ok"] == 1
    assert of_night["xianzhi_last_run_failures", "http_4xx"] == 1
    assert all(json.loads(line)["level"] for line in worker.words.splitlines())


def test_counters_count_what_came_once_however_often_it_is_told_and_wherever(tmp_path: Path):
    figures = WorkerFigures(tmp_path, dict)

    def told(shard: str, *, has_ended: bool = False, **counts: Any) -> float:
        figures.tell(shard, "east", Tally(**counts), has_ended)
        return next(f for f in figures.collect() if f.name == "xianzhi_pages").samples[0].value

    assert told("a", fetched=3) == 3
    assert told("a", fetched=3) == 3
    assert told("a", fetched=5) == 5
    assert told("b", fetched=2) == 7  # given back, and taken up again
    assert told("b", fetched=4, has_ended=True) == 9
    assert told("c", fetched=1) == 10  # the next night


def test_a_worker_without_room_takes_nothing_and_gives_back_what_it_has(tmp_path: Path, dsn: str):
    disk = os.statvfs(tmp_path)
    free, margin = disk.f_bavail * disk.f_frsize, 10**9
    if free < 4 * margin:
        pytest.skip("a disk is needed here with 4 GB free, to fill a part of it")
    filler = tmp_path / "filler"
    with watched({"east": news_site(30)}, seconds=0.1) as portals, hosts(tmp_path, dsn) as farm:
        write_catalogue(farm.archive, portals)
        with farm.night() as night:
            # Half of it is where portals are given back: the filler takes the disk below that.
            crowded = farm.work("first", "--jobs", "1", "--min-free", str(free - margin))
            until(lambda: len(portals["east"].asked) > 5)
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, 2 * margin)
            until(lambda: "no new portals are taken: the disk of" in crowded.words)
            filler.unlink()
            until(lambda: "the disk has room again" in crowded.words)
            ended = night.end()
        assert ended.exit_code == 0, ended.words + farm.words
    assert_nothing_is_lost_or_double(farm.archive, articles=30)


def test_the_queue_says_who_is_at_work_and_what_is_not_in_the_store(dsn: str):
    prepare(dsn)
    with closing(connect(dsn)) as conn:
        [[worker]] = conn.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id").fetchall()
        conn.execute("INSERT INTO xianzhi.nights (run_id, queue) VALUES ('r', 'xianzhi')")
        for name, host, worker_id, at in [
            ("a", "gone", worker + 1, None), ("b", "gone", worker + 1, "now"), ("c", "here", worker, None)
        ]:  # fmt: skip
            conn.execute(
                "INSERT INTO xianzhi.shards (name, run_id, worker, worker_id, spool, archived_at) VALUES (%s, 'r', %s, %s, 's', %s)",
                (name, host, worker_id, at),
            )
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "queue", "status", "--queue", dsn, "--json"], capture_output=True, check=True
    )
    said = json.loads(done.stdout)
    assert said["tasks"] == {"waiting": 0, "running": 0, "given_up": 0}
    assert said["nights"] == ["r"]
    assert [(one["worker_id"], one["tasks"]) for one in said["workers"]] == [(worker, 0)]
    assert [(one["name"], one["shards"], one["is_at_work"]) for one in said["hosts"]] == [
        ("gone", 1, False), ("here", 1, True)
    ]  # fmt: skip


def test_a_worker_says_to_systemd_that_it_is_ready_and_goes_on_saying_that_it_lives(tmp_path: Path, dsn: str):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, hosts(tmp_path, dsn) as farm:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            worker = farm.work("first", "--once")
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"WATCHDOG=1"
        assert worker.process.wait(20) == 0


def test_without_systemd_nobody_is_told():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NOTIFY_SOCKET", raising=False)
        watchdog.notify(watchdog.READY)
        patch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
        watchdog.notify(watchdog.READY)
