"""What every command says to values that mean nothing: wrong usage, before anything is read or written."""

import contextlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.archive.connection import open_archive
from crawler.cli import cli, main
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


@pytest.mark.parametrize("words", ["crawl --store st", "queue status", "verify", "work --store st --spool sp"])
def test_a_queue_that_is_no_address_of_one_is_wrong_usage(words: str, catalogue: str) -> None:
    given = ["--catalogue", catalogue] if words.startswith("crawl") else []
    result = CliRunner().invoke(cli, [*words.split(), *given, "--queue", "garbage"])
    assert result.exit_code == 2
    assert "--queue" in result.stderr


@pytest.mark.parametrize("words", ["diff 1", "withhold 1 --undo"])
def test_an_archive_that_is_damaged_inside_cannot_be_used(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "a.db"
    with contextlib.closing(open_archive(db)) as conn:
        [(page, size)] = conn.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'articles'"
        )
    data = bytearray(db.read_bytes())
    data[(page - 1) * size : page * size] = bytes(size)
    db.write_bytes(data)
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), "--db", str(db)])
    assert ended.value.code == 2
    assert "damaged" in capsys.readouterr().err
