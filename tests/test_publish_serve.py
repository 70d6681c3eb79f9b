import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from crawler.archive.connection import open_archive

COMMAND = [sys.executable, "-m", "crawler", "serve"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.db"
    open_archive(path).close()
    return path


@contextmanager
def serving(*arguments: str | Path, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command and the address that it printed."""
    with subprocess.Popen([*COMMAND, *map(str, arguments)], cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            yield process, next(word for word in line.split() if word.startswith("http"))
        finally:
            process.kill()


def refusal(*arguments: str | Path, cwd: Path) -> str:
    """What the command says when it ends with exit code 2."""
    command = [*COMMAND, *map(str, arguments)]
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_the_archive_here_is_served_until_ctrl_c(archive: Path) -> None:
    with serving("--port", "0", cwd=archive.parent) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert httpx.get(address + "archive/articles.json?_shape=array").json() == []
        assert '<textarea id="sql-editor"' in httpx.get(address + "archive").text
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130


def test_readers_sql_is_off_where_others_can_reach_the_site(archive: Path) -> None:
    with serving(archive, "--host", "0.0.0.0", "--port", "0", cwd=archive.parent) as (_, address):
        assert httpx.get(address + "archive.json?sql=select+1").status_code == 403
        assert httpx.get(address + "archive/newest_articles").status_code == 200


@pytest.mark.parametrize(("option", "host", "status"), [("--sql", "0.0.0.0", 200), ("--no-sql", "127.0.0.1", 403)])
def test_readers_sql_is_what_was_asked_for(archive: Path, option: str, host: str, status: int) -> None:
    with serving(option, "--host", host, "--port", "0", "--db", archive, cwd=archive.parent) as (_, address):
        assert httpx.get(address + "archive.json?sql=select+1").status_code == status


def test_a_missing_or_wrong_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database " * 99)
    assert "archive.db" in refusal(cwd=tmp_path)
    assert "news.db" in refusal("news.db", cwd=tmp_path)
    assert "notes.db" in refusal("--db", "notes.db", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "notes.db"]


def test_a_port_that_is_taken_is_refused(archive: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in refusal("--port", str(port), cwd=archive.parent)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "replay.example", "https://"])
def test_a_replay_that_is_no_web_address_is_refused(archive: Path, address: str) -> None:
    assert "--replay-base" in refusal("--replay-base", address, cwd=archive.parent)
