"""What every command says to values that mean nothing: wrong usage, before anything is read or written."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli import cli
from tests.support.crawling import entry


@pytest.fixture
def catalogue(tmp_path: Path) -> str:
    """Of a portal that nobody can reach: these commands must not get as far as to ask one."""
    path = tmp_path / "portals.toml"
    path.write_text(entry("liuxi", "http://127.0.0.1:9"), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "words",
    ["crawl --db", "crawl --warc", "crawl --catalogue", "wacz", "publish", "export", "serve", "schedule --write"],
)
def test_an_empty_path_is_no_current_folder(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, [*words.split(), ""])
    assert result.exit_code == 2
    assert "empty" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["crawl", "portals check --live"])
@pytest.mark.parametrize("delay", ["nan", "inf", "-1", "601"])
def test_a_delay_has_the_bounds_of_the_catalogue(command: str, delay: str, tmp_path: Path, catalogue: str) -> None:
    given = ["--catalogue", catalogue, "--delay", delay, *(["--db", f"{tmp_path}/a.db"] if command == "crawl" else [])]
    result = CliRunner().invoke(cli, [*command.split(), *given])
    assert result.exit_code == 2
    assert "--delay" in result.stderr
    assert "from 0 to 600" in result.stderr
