"""Programs of the system that the examples in our pages use."""

import shutil

import pytest


def need(*programs: str) -> None:
    """Skip the test that asks where one of *programs* is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here (make debian installs jq and sqlite3)")
