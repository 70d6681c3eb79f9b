"""Folders that may not be read or written are named, with the exit code of what they are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.crawling import Archive, entry

PAGES = Path(__file__).parent / "pages"
ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
"""Before a command: it may not do what only root may."""


def xianzhi(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [*ORDINARY, sys.executable, "-m", "crawler", *words]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)


def test_a_folder_that_extract_may_not_look_into_is_told_in_its_place(tmp_path: Path) -> None:
    closed = tmp_path / "b"
    closed.mkdir()
    for name in ("a.html", "c.html", "b/secret.html"):
        shutil.copy(PAGES / "challenge.html", tmp_path / name)
    closed.chmod(0)
    done = xianzhi("extract", str(tmp_path), "--jobs", "1")
    closed.chmod(0o700)
    first, told, last = done.stdout.splitlines()
    assert done.returncode == 1
    assert told == f'{{"file": "{closed}", "error": "{closed}: Permission denied"}}'
    assert "error" not in first + last


@pytest.mark.parametrize(("words", "mode"), [("crawl", 0o500), ("verify --repair", 0o500), ("report", 0)])
def test_an_archive_in_a_folder_that_is_closed_cannot_be_used(tmp_path: Path, words: str, mode: int) -> None:
    archive = Archive(tmp_path / "kept")
    archive.folder.mkdir()
    archive.write_catalogue(entry("liuxi", "http://127.0.0.1:9"))
    where = ["--catalogue", str(archive.folder / "portals.toml")] if words == "crawl" else []
    archive.folder.chmod(mode)
    done = xianzhi(*words.split(), "--db", str(archive.db), *where)
    archive.folder.chmod(0o700)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"xianzhi: {archive.db}")
