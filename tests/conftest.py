"""What all tests share: where the real pages lie, and that nothing skips where everything is required."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.postgres import Postgres
    from tests.support.s3 import S3

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
NO_SHARED = "the folder ../shared with real pages is not here"

# How long an example takes says more of the machine than of the code: bench/ measures.
settings.register_profile("xianzhi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xianzhi")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pages beside the project; the one thing that CI may lack."""
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED)
    return SHARED


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[S3]":
    """One S3 server a test process."""
    from tests.support.s3 import serving

    with serving(tmp_path_factory.mktemp("s3")) as s3:
        yield s3


@pytest.fixture
def s3(s3_server: "S3", monkeypatch: pytest.MonkeyPatch) -> "Iterator[S3]":
    """The server, in this process's environment, its line whole before and after."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    yield s3_server
    if not s3_server.line.is_open:
        s3_server.line.mend()


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """A PostgreSQL of this process's tests."""
    from tests.support.postgres import running

    with running() as server:
        yield server


@pytest.fixture
def dsn(postgres: "Postgres") -> str:
    """A database of one test's own."""
    return postgres.database()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long trials run only where they are asked for: their small versions are always there."""
    if not os.environ.get("XIANZHI_SOAK"):
        items[:] = [item for item in items if "soak" not in item.keywords]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """With XIANZHI_REQUIRE_ALL a skip is a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("XIANZHI_REQUIRE_ALL") and NO_SHARED not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may skip: {report.longrepr}"
