"""A night on four hosts in full size: the archive is that of one machine, whatever dies or is away."""

import random
from pathlib import Path

import pytest

from tests.support import trials
from tests.support.postgres import Postgres
from tests.support.s3 import S3, needs_s3

GOES_ON_SECONDS = 15

pytestmark = [pytest.mark.soak, needs_s3]


def test_ten_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path, postgres: Postgres, s3: S3) -> None:
    kills: list[trials.Kill] = []
    with trials.farm(tmp_path, postgres, s3) as farm:
        night = farm.night(trials.kill_ten(random.Random(20261122), kills))
        kept = farm.kept()
    assert night.crawled.exit_code == 0, night.crawled.words + night.said
    assert kept.is_whole, kept
    assert night.most_at_once == 1
    assert len(kills) == 10
    assert max(trials.waited(night, kills)) <= GOES_ON_SECONDS


def test_a_store_and_a_postgresql_that_go_and_come_back_lose_nothing(
    tmp_path: Path, postgres: Postgres, s3: S3
) -> None:
    moments: dict[str, list[float]] = {}
    with trials.farm(tmp_path, postgres, s3) as farm:
        night = farm.night(trials.away(postgres, s3, moments))
        kept = farm.kept()
    assert night.crawled.exit_code == 0, night.crawled.words + night.said
    assert kept.is_whole, kept
    assert night.most_at_once == 1
    began, ended = moments["store"]
    assert sum(began < moment < ended for times in night.asked.values() for moment in times) > 100, "it went on"
    for words in ("not uploaded for now", "answers again", "PostgreSQL is away", "PostgreSQL is back"):
        assert words in night.said
