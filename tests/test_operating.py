"""Running an archive for years: what machines read of a run, whom its end is told, and that no disk runs full."""

import http.server
import io
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from crawler import room
from crawler.demo.server import serve
from crawler.demo.site import Site
from crawler.fetch.failures import class_of
from crawler.operating import ending
from crawler.operating.logs import JsonFormatter
from tests.support.crawling import LOOPBACK, Archive, Crawled, entry, news_site
from tests.support.evidence import assert_nothing_is_lost_or_double
from tests.support.hosts import until

ARTICLES = 5


@contextmanager
def crawled(folder: Path, *options: str, site: Site | None = None) -> Iterator[tuple[Archive, Crawled]]:
    archive = Archive(folder)
    with serve({"east": site or news_site(ARTICLES)}) as urls:
        archive.write_catalogue(entry("east", urls["east"]))
        yield archive, archive.crawl(*options)


def lines_of(words: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in words.splitlines()]


def figures(file: Path) -> dict[tuple[str, ...], float]:
    """Samples by name and labels' values."""
    families = text_string_to_metric_families(file.read_text())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@contextmanager
def webhook(status: int = 204) -> Iterator[tuple[str, list[bytes]]]:
    got: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook/SECRET", got
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Told:
    """A night that told everybody."""

    archive: Archive
    result: Crawled
    file: Path
    command: str
    posted: list[bytes]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("night")
    site, file = news_site(ARTICLES), folder / "xianzhi.prom"
    del site.pages["/news/2021/101.html"]
    command = f"sh -c 'cat > {folder}/told; echo thanks'"
    with webhook() as (url, posted):
        options = ["--log-format", "json", "--metrics", str(file), "--on-end", command, "--on-end-url", url]
        with crawled(folder, *options, site=site) as (archive, result):
            assert result.exit_code == 0, result.words
    return Told(archive, result, file, (folder / "told").read_text(), posted)


# Logs.


def formatted(text: str, **about: str) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    record = logging.LogRecord("crawler.x", logging.WARNING, "", 0, "%s", (text,), None)
    for name, value in about.items():
        setattr(record, name, value)
    handler.handle(record)
    return stream.getvalue()


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_whatever_a_portal_put_there_a_log_line_is_one_object_in_one_line_that_can_be_read_aloud(words: str, url: str):
    line = formatted(words, url=url, portal="east")
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    read = json.loads(line)
    assert (read["message"], read["url"], read["portal"]) == (words, url, "east")
    assert read["level"] == "warning"


def test_chinese_stays_readable_and_what_is_endless_is_cut():
    assert "柳溪县" in formatted("柳溪县")
    assert len(formatted("x" * 100_000)) < 10_000


def test_a_crawl_logs_for_machines_with_run_portal_and_url(night: Told):
    lines = lines_of(night.result.words)
    assert {line["run"] for line in lines if "portal" in line} == {night.result.report["run"]}
    failure = next(line for line in lines if "url" in line)
    assert failure["portal"] == "east"
    assert failure["url"].endswith("/news/2021/101.html")
    assert failure["message"] == "answered 404"
    assert any(line["message"].startswith("run ended: ok") for line in lines)
    assert all(line["time"].endswith("Z") and line["level"] and line["message"] for line in lines)


def test_what_ends_a_command_is_logged_for_machines_too(tmp_path: Path):
    (tmp_path / "a.db").write_text("no archive")
    with crawled(tmp_path, "--log-format", "json") as (_, result):
        assert result.exit_code == 2
        assert [line["level"] for line in lines_of(result.words)][-1] == "error"


# Figures.


def test_figures_of_a_run_are_where_prometheus_reads_them(night: Told):
    found = figures(night.file)
    assert found["xianzhi_last_run_status", "ok"] == 1
    assert found["xianzhi_last_run_status", "failed"] == 0
    assert found["xianzhi_last_run_articles", "new"] == ARTICLES - 1
    assert found["xianzhi_last_run_failures", "http_4xx"] == 1
    assert found["xianzhi_last_run_failures", "timeout"] == 0
    assert found["xianzhi_last_run_portals", "ok"] == 1
    assert found[("xianzhi_last_run_pages",)] == night.archive.one("SELECT count(*) FROM captures")
    assert found[("xianzhi_last_run_received_bytes",)] > 1_000
    last_success = found["xianzhi_portal_last_success_timestamp_seconds", "east"]
    assert last_success == found[("xianzhi_oldest_portal_success_timestamp_seconds",)]
    assert 0 <= found[("xianzhi_last_run_end_timestamp_seconds",)] - last_success < 90
    assert [path.name for path in night.file.parent.glob("*.prom*")] == ["xianzhi.prom"]


@pytest.mark.parametrize("name", ["x.txt", "nowhere/x.prom"])
def test_figures_that_nobody_would_read_are_wrong_usage(tmp_path: Path, name: str):
    with crawled(tmp_path, "--metrics", str(tmp_path / name)) as (archive, result):
        assert result.exit_code == 2
        assert not archive.db.exists()


def test_without_the_package_a_crawl_says_what_to_install(tmp_path: Path):
    script = (
        "import sys; sys.modules['prometheus_client'] = None; from crawler.cli import main;"
        f"main(['crawl', '--metrics', {str(tmp_path / 'x.prom')!r}, '--db', {str(tmp_path / 'a.db')!r}, 'nobody'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "xianzhi[distributed]" in done.stderr


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("answered 404", "http_4xx"),
        ("answered 502", "http_5xx"),
        ("ConnectTimeout: Connection timed out", "timeout"),
        ("NoAnswer: the connection was closed", "connection"),
        ("HandshakeFailed: wrong version number", "tls"),
        ("the host x.gov.cn cannot be resolved", "dns"),
        ("robots.txt disallows http://x/", "robots"),
        ("AddressRefused: x is at 10.0.0.1, which is private", "address"),
        ("the answer was cut short (length)", "truncated"),
        ("ValueError: no list", "page"),
    ],
)
def test_each_failure_has_a_class(reason: str, expected: str):
    assert class_of(reason) == expected


# The end of a run.


def test_the_end_of_a_run_is_told_to_a_command_and_to_an_address(night: Told):
    assert json.loads(night.command) == night.result.report
    assert [json.loads(body) for body in night.posted] == [night.result.report]
    assert "--on-end: thanks" in night.result.words


def test_a_run_that_cannot_begin_is_told_too(tmp_path: Path):
    (tmp_path / "a.db").write_text("no archive")
    command = f"sh -c 'cat > {tmp_path}/told'"
    with crawled(tmp_path, "--on-end", command, "--metrics", str(tmp_path / "x.prom")) as (_, result):
        assert result.exit_code == 2
    told = json.loads((tmp_path / "told").read_text())
    assert (told["status"], told["portals"]) == ("failed", [])
    assert "a.db" in told["lost"][0]
    assert figures(tmp_path / "x.prom")["xianzhi_last_run_status", "failed"] == 1


def test_who_does_not_take_the_report_is_named_and_the_run_ends_as_it_would(tmp_path: Path):
    options = ["--on-end", "sh -c 'echo broken; exit 3'"]
    with webhook(status=302) as (url, got), crawled(tmp_path, *options, "--on-end-url", url) as (_, result):
        assert result.exit_code == 0
    assert len(got) == 1
    assert "--on-end: sh: exit code 3, broken" in result.words
    assert "127.0.0.1 answered 302" in result.words
    assert "SECRET" not in result.words


def test_a_command_that_never_ends_is_killed_with_all_it_started():
    with pytest.raises(ending.NotToldError, match="killed"):
        ending.give_to_command("sh -c 'sleep 100 & sleep 100'", b"{}", seconds=0.2)


def test_a_command_that_leaves_something_running_is_not_waited_for():
    assert ending.give_to_command("sh -c 'sleep 5 & echo done'", b"{}", seconds=2) == "done"


def test_an_address_that_never_answers_is_given_up():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with pytest.raises(ending.NotToldError, match=r"127\.0\.0\.1 did not answer in 0\.2 s"):
            ending.post(f"http://127.0.0.1:{deaf.getsockname()[1]}/", b"{}", seconds=0.2)


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://example.org/", "https://", "example.org", "http://127.0.0.1.nip.io/"])  # fmt: skip
def test_reports_go_to_nobody_over_a_line_that_others_read(url: str):
    with pytest.raises(ValueError, match="https"):
        ending.check_address(url)


@pytest.mark.parametrize("url", ["https://example.org/x", "http://127.0.0.1:1/", "http://[::1]/", "http://localhost/x"])
def test_reports_go_to_this_machine_or_over_https(url: str):
    ending.check_address(url)


# The disk.


def test_a_run_does_not_begin_where_there_is_no_room(tmp_path: Path):
    with crawled(tmp_path, "--min-free", "100%", "--on-end", f"sh -c 'cat > {tmp_path}/told'") as (archive, result):
        assert result.exit_code == 1
        assert not archive.db.exists()
    assert "less than the" in result.words
    assert "less than the" in json.loads((tmp_path / "told").read_text())["lost"][0]


def test_a_run_ends_cleanly_before_the_disk_is_full_and_the_next_one_goes_on(tmp_path: Path):
    disk = os.statvfs(tmp_path)
    free, margin = disk.f_bavail * disk.f_frsize, 10**9
    if free < 4 * margin:
        pytest.skip("a disk is needed here with 4 GB free, to fill a part of it")
    archive, filler = Archive(tmp_path), tmp_path / "filler"
    with serve({"east": news_site(60)}) as urls:
        archive.write_catalogue(entry("east", urls["east"]))
        options = ["--allow-network", LOOPBACK, "--delay", "0.2", "--min-free", str(free - margin)]
        with subprocess.Popen(archive.command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until(lambda: any(path.stat().st_size > 3_000 for path in archive.warc.glob("*")))
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, 2 * margin)
            output, _ = process.communicate(timeout=30)
        filler.unlink()
        report = json.loads(output)
        assert process.returncode == 1
        assert "less than the" in report["lost"][0]
        assert archive.query("SELECT status FROM runs") == [("failed",)]
        [portal] = report["portals"]
        assert portal["status"] == "interrupted"
        assert portal["new"] == archive.one("SELECT count(*) FROM articles") < 60
        assert archive.crawl().exit_code == 0
    assert_nothing_is_lost_or_double(archive, articles=60)


@pytest.mark.parametrize(
    ("text", "size", "share"),
    [("2GB", 2e9, 1.0), ("500m", 5e8, 1.0), ("1.5 kB", 1500, 1.0), ("7", 7, 1.0), ("0", 0, 1.0), ("5%", float("inf"), 0.05)],
)  # fmt: skip
def test_room_is_said_in_bytes_or_as_a_share(text: str, size: float, share: float):
    assert room.parse(text) == room.Reserve(size=size, share=share)


@pytest.mark.parametrize("text", ["", "much", "-1GB", "2 apples", "5%%", "²"])
def test_other_words_for_room_are_refused(text: str):
    with pytest.raises(ValueError, match="2GB"):
        room.parse(text)


def test_of_a_small_disk_a_share_stays_free_by_default():
    assert room.DEFAULT.bytes_of(10**13) == 2e9
    assert room.DEFAULT.bytes_of(10**10) == 2e8


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_above(tmp_path: Path):
    assert room.lack([tmp_path / "a" / "b"], room.Reserve(size=1)) is None
    assert "a/b" in str(room.lack([tmp_path / "a" / "b"], room.Reserve(share=1.0)))
