"""The promises of a crawl on several hosts in full size: a night over the zoo, in which something dies or is away.

What `bench/scale.py` prints and the soak tests hold.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psycopg
from fastwarc.warc import ArchiveIterator, WarcRecordType

from crawler.store import Store, open_store
from tests import zoo
from tests.support.crawling import Archive, Crawled
from tests.support.hosts import Hosts, Watched, Worker, contents, hosts, payloads, until, watched
from tests.support.planting import at_least
from tests.support.postgres import Postgres
from tests.support.s3 import S3
from tests.zoo import ZooPortal

FAMILIES = "channel_list dedecms easysite empirecms epoint nfcms num_html phpcms sitemap trs vsb wordpress".split()
"""Twelve that have a dialect that needs no programs on its server."""
ARTICLES = 100
WORKERS = 4
ANSWER_SECONDS = (0.25, 0.05)
"""Of the first portal, and how much more of each one after it: so they do not all end at once."""
NIGHT_SECONDS = 900
ASKED_AGAIN = frozenset({"captures", "portals"})
"""What a night looks different in where a page was asked for twice, because its first answer died with its worker."""


@dataclass(frozen=True, kw_only=True)
class Night:
    """What came of one."""

    crawled: Crawled
    said: str
    """By all workers."""
    seconds: float
    asked: Mapping[str, list[float]]
    """When each portal was asked."""
    most_at_once: int
    """Requests to one portal at the same time."""

    @property
    def longest_gap(self) -> float:
        """Seconds between two requests to one portal, at most."""
        return max(later - earlier for times in self.asked.values() for earlier, later in pairwise(times))


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What an archive and its store have of what was planted."""

    planted: int
    lost: list[str]
    """Addresses that no article of the archive has."""
    doubled: list[str]
    """Addresses of several articles, or of one with several versions."""
    unstored: list[str]
    """Addresses of articles that were read from a record that the store has not, or of none."""
    findings: list[object]
    """Of ``xianzhi verify``, over the store."""
    differing: list[str]
    """Tables with other rows than those of one machine's ``crawl``."""

    @property
    def is_whole(self) -> bool:
        return not (self.lost or self.doubled or self.unstored or self.findings or self.differing)


class Farm:
    """Hosts, a queue, an object store, and twelve portals of the zoo with a hundred articles each, all on loopback."""

    def __init__(self, folder: Path, hosts: Hosts, portals: Mapping[str, tuple[ZooPortal, Watched]]) -> None:
        self.hosts = hosts
        self._folder = folder
        self._portals = portals

    def night(self, happen: Callable[["Farm"], None]) -> Night:
        """Crawl all portals on all hosts, while *happen* lets something happen."""
        began = time.monotonic()
        for number, (_, portal) in enumerate(self._portals.values()):
            portal.seconds = ANSWER_SECONDS[0] + number * ANSWER_SECONDS[1]
        with self.hosts.night() as running:
            for number in range(WORKERS):
                self.work(number)
            happen(self)
            crawled = running.end(NIGHT_SECONDS)
        return Night(
            crawled=crawled,
            said=self.hosts.words,
            seconds=time.monotonic() - began,
            asked={name: list(portal.asked) for name, (_, portal) in self._portals.items()},
            most_at_once=max(portal.server.most_at_once for _, portal in self._portals.values()),
        )

    def work(self, number: int) -> Worker:
        """Start the worker of a host: one process, whose shards go home after some seconds."""
        return self.hosts.work(f"host{number}", "--jobs", "1", "--shard-minutes", "0.2", "--portals-at-once", "6")

    @property
    def asked(self) -> int:
        """Requests to all portals so far."""
        return sum(len(portal.asked) for _, portal in self._portals.values())

    @property
    def planted(self) -> set[str]:
        """Addresses of all articles."""
        return {portal.url + article.path for zoo, portal in self._portals.values() for article in zoo.planted}

    def one_machine(self) -> Archive:
        """The archive that ``xianzhi crawl`` makes of the same portals."""
        alone = Archive(self._folder / "alone")
        alone.folder.mkdir()
        alone.write_catalogue((self.hosts.archive.folder / "portals.toml").read_text("utf-8"))
        for _, portal in self._portals.values():
            portal.seconds = 0.01
        crawled = alone.crawl("--jobs", "2")
        assert crawled.exit_code == 0, crawled.words
        return alone

    def kept(self) -> Kept:
        """Look at what the last night left."""
        archive, planted = self.hosts.archive, self.planted
        articles = Counter(dict(archive.query("SELECT url, count(*) FROM articles GROUP BY 1")))
        versions = archive.query(
            "SELECT url, count(*) FROM versions JOIN articles ON articles.id = article_id GROUP BY articles.id"
        )
        read = archive.query(
            "SELECT articles.url, warc_file, warc_offset FROM articles JOIN versions ON versions.id = version_id"
            " JOIN captures ON captures.id = capture_id"
        )
        stored = set(_records(open_store(self.hosts.store), self._folder))
        there, here = contents(self.one_machine()), contents(archive)
        differing = [table for table in there if table not in ASKED_AGAIN and there[table] != here[table]]
        if payloads(there) != payloads(here):
            differing.append("captures")
        return Kept(
            planted=len(planted),
            lost=sorted(planted - set(articles)),
            doubled=sorted(
                {url for url, count in articles.items() if count > 1} | {url for url, count in versions if count > 1}
            ),
            unstored=sorted(planted - {url for url, *place in read if tuple(place) in stored}),
            findings=_findings(archive),
            differing=differing,
        )


@contextmanager
def farm(folder: Path, postgres: Postgres, s3: S3) -> Iterator[Farm]:
    """One whose workers end with the block. The store's credentials must be in the environment."""
    with at_least(ARTICLES):
        dialects = [portal for portal in zoo.portals() if portal.family in FAMILIES and portal.site.script is None]
    chosen = {portal.family: portal for portal in reversed(dialects)}
    with ExitStack() as stack:
        served = stack.enter_context(watched({portal.name: portal.site for portal in chosen.values()}))
        there = stack.enter_context(hosts(folder, postgres.database(), s3.bucket()))
        portals = {portal.name: (portal, served[portal.name]) for portal in chosen.values()}
        there.archive.write_catalogue("".join(_entry(portal, watched.url) for portal, watched in portals.values()))
        yield Farm(folder, there, portals)


@dataclass(frozen=True, kw_only=True)
class Kill:
    """A worker that was killed."""

    moment: float
    portals: frozenset[str]
    """Ids of those that it had."""


def kill_ten(chance: random.Random, kills: list[Kill]) -> Callable[[Farm], None]:
    """What kills a worker at ten random moments, with its process or alone, and starts another on its host.

    *kills* gets them.
    """

    def happen(farm: Farm) -> None:
        dead: list[int] = []
        last = len(FAMILIES) * ARTICLES - 100
        for request in sorted(chance.sample(range(20, last), 10)):
            until(lambda request=request: farm.asked >= request, seconds=NIGHT_SECONDS)
            worker = chance.choice([worker for worker in farm.hosts.workers if worker.process.poll() is None])
            host = worker.log.stem.partition("-")[0]
            moment = time.monotonic()
            chance.choice([worker.kill, worker.kill_host])()
            with psycopg.connect(farm.hosts.dsn) as conn:
                held = conn.execute(_HELD, {"host": host, "dead": dead}).fetchall()
            dead += {worker_id for worker_id, _ in held}
            kills.append(Kill(moment=moment, portals=frozenset(portal for _, portal in held)))
            farm.work(int(host.removeprefix("host")))

    return happen


_HELD = """
    SELECT DISTINCT j.worker_id, portal ->> 'id' FROM xianzhi.shards s JOIN procrastinate_jobs j USING (worker_id),
        jsonb_array_elements(j.args -> 'portals') AS portal
    WHERE s.worker = %(host)s AND j.status = 'doing' AND NOT worker_id = ANY(%(dead)s)
"""


def waited(night: Night, kills: Sequence[Kill]) -> list[float]:
    """Seconds from each kill to the next request to each portal that the killed worker had.

    Of a portal whose next worker was killed, too, before it had asked anything, from that kill.
    """
    seconds = []
    for number, kill in enumerate(kills):
        for portal in kill.portals:
            again = next((moment for moment in night.asked[portal] if moment > kill.moment), None)
            later = (other for other in kills[number + 1 :] if portal in other.portals)
            if again is not None and not any(other.moment < again for other in later):
                seconds.append(again - kill.moment)
    return seconds


def away(postgres: Postgres, s3: S3, moments: dict[str, list[float]]) -> Callable[[Farm], None]:
    """What cuts the store off for 30 seconds and then stops PostgreSQL for 20; *moments* gets when each began and ended."""

    def happen(farm: Farm) -> None:
        until(lambda: farm.asked >= 150, seconds=NIGHT_SECONDS)
        # The fastest portal ends meanwhile, and its file cannot be uploaded.
        moments["store"] = _during(30, s3.line.cut, s3.line.mend)
        until(lambda: farm.hosts.words.count("answers again") >= 1, seconds=60)
        moments["postgresql"] = _during(20, lambda: postgres.stop(crash=True), postgres.start)

    return happen


def _during(seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> list[float]:
    begin()
    began = time.monotonic()
    time.sleep(seconds)
    end()
    return [began, time.monotonic()]


def _entry(portal: ZooPortal, base: str) -> str:
    lists = ", ".join(f'"{base}{path}"' for path in portal.lists)
    lines = [
        "[[portal]]", f'id = "{portal.name}"', 'name = "柳溪县人民政府"', 'division = "610000"', "delay = 0",
        f'homepage = "{base}/"', f"lists = [{lists}]", f'cms = "{portal.family}"',
        *(line.replace("{base}", base) for line in portal.entry),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _records(store: Store, folder: Path) -> Iterator[tuple[str, int]]:
    """File and offset of all responses in a store."""
    for stored in store.listed("warc/"):
        path = store.fetch(stored.name, folder)
        if path.suffix == ".gz":
            with path.open("rb") as stream:
                for record in ArchiveIterator(stream, record_types=WarcRecordType.response | WarcRecordType.revisit):
                    yield path.name, record.stream_pos
        path.unlink()


def _findings(archive: Archive) -> list[object]:
    done = subprocess.run(
        [
            sys.executable, "-m", "crawler", "verify", "--json", "--restart",
            "--db", str(archive.db), "--warc", str(archive.warc),
        ],
        capture_output=True, text=True, timeout=NIGHT_SECONDS, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    findings: list[object] = json.loads(done.stdout)["findings"]
    return findings
