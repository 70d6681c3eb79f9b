"""Who has a task: one worker at a time, as long as it lives, and nobody's word counts who lost it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from crawler.archive.frontier import Done, Queued
from crawler.archive.postgres import PostgresFrontier, connect
from crawler.catalogue import Expect, Portal
from crawler.fetch.options import Options
from crawler.fetch.tally import MediaTally, Tally
from crawler.queue import leases
from crawler.queue.leases import Leases, News
from crawler.queue.line import QueueAway
from crawler.queue.nights import Nights
from crawler.queue.schema import prepare
from crawler.queue.tasks import LIVES, portal_of, task_args, task_of
from tests.support.postgres import Postgres

OPTIONS = Options(db=Path("a.db"), warc=Path("warc"), max_articles=7, since="2024-01-01", media=True, delay=0.5)
RUN = "20261122T010203.456Z-abcd"


def portal(name: str, host: str | None = None) -> Portal:
    address = f"https://{host or name}.gov.cn/"
    return Portal(id=name, name=name, division="610000", homepage=address, lists=(f"{address}news/",))


EAST, WEST = portal("east"), portal("west")


@pytest.fixture
def nights(dsn: str) -> Nights:
    prepare(dsn)
    return Nights(dsn, queue="xianzhi")


def work(dsn: str, *steps: Callable[[Leases], Awaitable[object]], name: str = "a") -> list[object]:
    """Let a worker take steps, and vanish without a word."""

    async def live() -> list[object]:
        lease = Leases(dsn, queue="xianzhi", name=name)
        await lease.register()
        try:
            return [await step(lease) for step in steps]
        finally:
            await lease.close()

    return asyncio.run(live())


async def bury(lease: Leases) -> list[str]:
    """What a worker does that has been there for long."""
    lease._beaten_since -= 60
    return await lease.bury()


def silence(dsn: str) -> None:
    """No worker has been heard of for a while."""
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '11 s'")


def states(dsn: str) -> list[tuple[str, int]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT status::text, attempts FROM procrastinate_jobs ORDER BY id").fetchall()


def test_a_task_arrives_as_it_was_sent(nights: Nights, dsn: str):
    full = Portal(
        id="full", name="全县", division="610000", homepage="https://full.gov.cn/", lists=("https://full.gov.cn/n/",),
        expect=Expect(week=3, filled=("title", "body")), delay=2.5, tls="legacy", render=True, note="一二三",
    )  # fmt: skip
    nights.enqueue(RUN, [(full, WEST)], OPTIONS, {"full": "seeds/full.db"})
    [task] = work(dsn, Leases.take)
    assert task.portals == (full, WEST)
    assert task.run_id == RUN
    assert task.seeds == {"full": "seeds/full.db"}
    assert task.options == {"max_articles": 7, "since": "2024-01-01", "full": False, "media": True, "delay": 0.5}
    assert task.deaths == 0


def test_every_field_of_a_portal_survives_json():
    default = Portal(id="d", name="d", division="610000", homepage="https://d.gov.cn/")
    args = task_args(RUN, [default], OPTIONS, {})
    assert portal_of(args["portals"][0]) == default
    assert task_of(1, args, holder=1, deaths=0).portals == (default,)


def test_a_task_of_another_version_costs_a_life_and_says_so(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})
    with psycopg.connect(dsn) as conn:
        conn.execute("""UPDATE procrastinate_jobs SET args = jsonb_set(args, '{portals,0,colour}', '"red"')""")
    with pytest.raises(ValueError, match=r"another version of this program.*colour"):
        work(dsn, Leases.take)
    assert states(dsn) == [("todo", 1)]


def test_no_task_is_taken_twice(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,), (WEST,)], OPTIONS, {})
    taken = [work(dsn, Leases.take)[0] for _ in range(3)]
    assert [str(task) for task in taken] == ["east", "west", "None"]


def test_portals_that_a_night_has_are_refused_until_they_end(nights: Nights, dsn: str):
    shared = portal("other", host="east")
    assert nights.enqueue(RUN, [(EAST,)], OPTIONS, {}) == [(EAST,)]
    assert nights.enqueue("later", [(shared,), (WEST,)], OPTIONS, {}) == [(WEST,)]
    [task, _] = work(dsn, Leases.take, Leases.take)
    assert nights.free([(EAST,), (shared,), (WEST,)]) == []
    work(dsn, lambda lease: lease.finish(task))
    assert nights.free([(EAST,), (WEST,)]) == [(EAST,)]


def test_a_dead_worker_s_task_is_the_next_one_s_and_what_the_dead_says_is_not_heard(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})

    async def trial() -> None:
        dead, heir = (Leases(dsn, queue="xianzhi", name=name) for name in ("dead", "heir"))
        await dead.register()
        task = await dead.take()
        assert task is not None
        await heir.register()
        assert await bury(heir) == [], "it lives"
        silence(dsn)
        assert await heir.beat()
        assert await bury(heir) == ["the worker of east is gone; the next free one goes on"]
        again = await heir.take()
        assert again is not None
        assert (again.job_id, again.deaths) == (task.job_id, 1)
        assert not await dead.beat()
        await dead.tell([News(task=task, portal_id="east", shard="s", tally=Tally(new=9), has_ended=True)])
        await dead.finish(task)
        await dead.give_back(task, "no")
        assert states(dsn) == [("doing", 1)]
        assert nights.look(RUN).portals[0].status is None
        await dead.close()
        await heir.close()

    asyncio.run(trial())


def test_who_has_just_come_or_was_deaf_itself_buries_nobody(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})
    work(dsn, Leases.take)
    silence(dsn)
    assert work(dsn, Leases.bury) == [[]]
    assert states(dsn) == [("doing", 0)]


def test_after_an_outage_a_worker_waits_before_it_judges(nights: Nights, dsn: str, monkeypatch: pytest.MonkeyPatch):
    async def trial() -> None:
        now = time.monotonic()
        lease = Leases(dsn, queue="xianzhi", name="a")
        await lease.register()
        for seconds, is_witness in (
            (2, False),
            (4, False),
            (6, False),
            (8, False),
            (11, True),
            (31, False),
            (33, False),
        ):
            monkeypatch.setattr(leases.time, "monotonic", lambda seconds=seconds: now + seconds)
            await lease.beat()
            assert lease.is_witness == is_witness, seconds
        await lease.close()

    asyncio.run(trial())


def test_a_group_that_kills_its_processes_is_given_up(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST, WEST)], OPTIONS, {})

    async def die(lease: Leases) -> int:
        task = await lease.take()
        assert task is not None
        await lease.give_back(task, "a worker died (exit code -9)")
        return task.deaths

    for life in range(LIVES):
        with psycopg.connect(dsn) as conn:
            conn.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        assert work(dsn, die) == [life]
    assert states(dsn) == [("failed", LIVES)]
    night = nights.look(RUN)
    assert [line.status for line in night.portals] == ["interrupted"] * 2
    assert night.lost == ["east, west: a worker died (exit code -9) (3 times)"]
    assert night.is_through


def test_a_group_whose_hosts_die_goes_on_at_once_however_many(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})
    for life in range(2 * LIVES):
        [task] = work(dsn, Leases.take)
        assert task.deaths == life
        silence(dsn)
        work(dsn, bury)
    assert states(dsn) == [("todo", 2 * LIVES)]


def test_what_is_given_back_in_peace_costs_no_life(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})

    async def give_back(lease: Leases) -> None:
        task = await lease.take()
        assert task is not None
        await lease.give_back(task)

    for _ in range(5):
        work(dsn, give_back)
    assert states(dsn) == [("todo", 0)]


def test_what_was_taken_in_our_name_without_our_knowing_waits_again(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,), (WEST,)], OPTIONS, {})

    async def forget(lease: Leases) -> None:
        kept, _ = await lease.take(), await lease.take()
        assert kept is not None
        await lease.return_strays([kept.job_id])

    work(dsn, forget)
    assert states(dsn) == [("doing", 0), ("todo", 0)]


def test_tallies_of_one_portal_s_workers_add_up(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST, WEST)], OPTIONS, {})
    media = MediaTally(answers=3, captured=2, failed=1, reasons=["x: gone"])
    cut_off = Tally(fetched=5, new=4, media=media, interrupted=True, reasons=["u: \x00 broken"])

    def life(shard: str, *said: tuple[str, Tally, bool]) -> list[str]:
        """Take the task, say something of its portals, give it back; the portals that it had."""

        async def live(lease: Leases) -> list[str]:
            task = await lease.take()
            assert task is not None
            await lease.tell(
                [News(task=task, portal_id=name, shard=shard, tally=tally, has_ended=end) for name, tally, end in said]
            )
            await lease.give_back(task)
            return [portal.id for portal in task.portals]

        return work(dsn, live)[0]

    life("s1", ("east", Tally(fetched=1), False))
    life("s1", ("east", Tally(fetched=2, new=1), False))
    life("s2", ("east", cut_off, True), ("west", Tally(fetched=1), True))
    assert life("s3", ("east", Tally(fetched=1), True)) == ["east"], "west has ended"
    night = nights.look(RUN)
    assert [(line.tally.fetched, line.tally.new, line.status) for line in night.portals] == [(8, 5, "ok"), (1, 0, "ok")]
    assert night.portals[0].tally.media.captured == 2
    assert night.portals[0].tally.reasons == ["u: \ufffd broken"]


def test_what_a_lost_host_had_is_asked_for_again_but_only_of_a_lost_one(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})
    shard = "xianzhi-shard-1-20261122010203-1"

    async def fetch(lease: Leases) -> None:
        task = await lease.take()
        assert task is not None
        await lease.begin_shard(RUN, shard, spool="s")
        with closing(connect(dsn)) as conn, conn.transaction():
            asked = [Queued(portal_id="east", key=key, seq=n, url=key, kind="article") for n, key in enumerate("ab")]
            PostgresFrontier(conn).apply(RUN, shard, [*asked, Done(portal_id="east", key="a")])

    work(dsn, fetch, name="lost")
    assert nights.look(RUN).coming == [shard]
    with pytest.raises(ValueError, match="lost is at work"):
        nights.lose_host("lost")
    silence(dsn)
    night = nights.look(RUN)
    assert (night.coming, night.missing, night.workers) == ([], {shard: "lost"}, 0)
    assert nights.lose_host("lost") == 1
    assert nights.look(RUN).missing == {}
    with closing(connect(dsn)) as conn:
        assert PostgresFrontier(conn).waiting() == {"east": 2}


def test_a_shard_that_came_to_nothing_is_not_waited_for(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})
    for name, spool in (("empty", "here"), ("full", "here"), ("other", "there")):
        work(dsn, lambda lease, name=name, spool=spool: lease.begin_shard(RUN, name, spool=spool))
    work(dsn, lambda lease: lease.forget_shards(spool="here", there=["full"]))
    assert nights.look(RUN).coming == ["full", "other"]


def test_postgresql_that_is_away_is_said_and_passes(postgres: Postgres):
    dsn = postgres.database()
    prepare(dsn)

    async def trial() -> None:
        lease = Leases(dsn, queue="xianzhi", name="a")
        await lease.register()
        postgres.stop(crash=True)
        for step in (lease.beat, lease.take, lease.is_empty):
            with pytest.raises(QueueAway):
                await step()
        with pytest.raises(QueueAway):
            Nights(dsn, queue="xianzhi").running()
        postgres.start()
        assert await lease.beat()
        assert await lease.is_empty()
        await lease.close()

    asyncio.run(trial())


def test_who_was_taken_for_dead_takes_nothing_until_its_next_heartbeat(nights: Nights, dsn: str):
    nights.enqueue(RUN, [(EAST,)], OPTIONS, {})

    async def be_forgotten(lease: Leases) -> None:
        with closing(connect(dsn)) as conn:
            conn.execute("DELETE FROM procrastinate_workers")

    assert work(dsn, be_forgotten, Leases.take, Leases.beat) == [None, None, False]
