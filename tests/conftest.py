"""What all tests share: where the real pages lie, and that nothing skips where everything is required."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
NO_SHARED = "the folder ../shared with real pages is not here"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pages beside the project; the one thing that CI may lack."""
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED)
    return SHARED


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
