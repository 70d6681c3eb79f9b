"""What ``xianzhi schedule`` prints starts the crawl that was meant, whatever its folders are called."""

import re
import shlex
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from contextlib import closing
from datetime import time as clock
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive.connection import open_archive
from crawler.archive.published import publish
from crawler.catalogue import CatalogueError
from crawler.cli.schedule import schedule
from crawler.cli.units import STOP_SECONDS, Nightly, UnfitError, cron_line, service
from crawler.demo.server import serve
from crawler.run import GRACE_SECONDS
from tests.support.crawling import LOOPBACK, Archive, entry, news_site

AWKWARD = "夜 班 %n 100% $HOME ${HOME} 'a' ; #"
SYSTEMD = shutil.which("systemd-analyze")

names = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="/"), min_size=1, max_size=12)


def asked(*arguments: object) -> Result:
    return CliRunner().invoke(schedule, [str(argument) for argument in arguments])


def keys_of(unit: str) -> dict[str, list[str]]:
    """A unit's keys, values as they stand."""
    found = defaultdict(list)
    for line in unit.split("\n"):
        if line and not re.match(r"[#\[]", line):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def words_of(value: str) -> list[str]:
    """A value's words as systemd reads them: quotes, backslashes, specifiers."""
    return [word.replace("%%", "%") for word in shlex.split(value)]


def started_by(unit: str) -> list[str]:
    program, *arguments = words_of(keys_of(unit)["ExecStart"][0])
    return [program, *(word.replace("$$", "$") for word in arguments)]


def as_cron_runs_it(line: str) -> str:
    """A line's command as cron hands it to the shell: what follows a bare % would be its input."""
    command = line.rstrip("\n").split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)
    return command.replace(r"\%", "%")


def nightly(folder: Path, *options: str, user: str | None = "archivist") -> Nightly:
    return Nightly(
        command=("/opt/bin/xianzhi", "crawl", "--db", str(folder / "a.db"), *options),
        folder=folder,
        writable=(folder,),
        user=user,
        at=clock(1, 30),
    )


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    folder = tmp_path / AWKWARD
    folder.mkdir()
    return Archive(folder)


def of_archive(archive: Archive, *options: object) -> list[object]:
    return ["--db", archive.db, "--catalogue", archive.folder / "portals.toml", *options]


def test_the_service_starts_the_crawl_with_every_path_as_it_is(archive: Archive, tmp_path: Path) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    (tmp_path / "old tapes").mkdir()
    done = asked(*of_archive(archive, "--warc", tmp_path / "old tapes", "--jobs", "2", "--write", tmp_path / "units"))
    assert done.exit_code == 0, done.output
    unit = (tmp_path / "units" / "xianzhi.service").read_text(encoding="utf-8")
    program, *arguments = started_by(unit)
    assert arguments == [
        "crawl", "--db", str(archive.db), "--warc", str(tmp_path / "old tapes"),
        "--catalogue", str(archive.folder / "portals.toml"), "--jobs", "2",
    ]  # fmt: skip
    assert words_of(keys_of(unit)["ReadWritePaths"][0]) == [str(archive.folder), str(tmp_path / "old tapes")]
    assert keys_of(unit)["WorkingDirectory"] == [str(archive.folder).replace("%", "%%")]
    assert keys_of(unit)["User"] == [archive.folder.owner()]
    started = subprocess.run([program, *arguments, "--help"], capture_output=True, timeout=30, check=True)
    assert b"Crawl the named portals" in started.stdout


def test_systemd_takes_both_files_without_a_word(archive: Archive, tmp_path: Path) -> None:
    """By our own reading everywhere; by systemd's where it is at hand."""
    archive.write_catalogue(entry("east", "http://east.example"))
    for place in ("--user", "--system"):
        asked(*of_archive(archive, place, "--zone", "Asia/Shanghai", "--write", tmp_path / place))
        files = sorted((tmp_path / place).iterdir())
        assert [file.name for file in files] == ["xianzhi.service", "xianzhi.timer"]
        judged_by_systemd(files)


def judged_by_systemd(files: list[Path]) -> None:
    for file in files:
        lines = file.read_text().splitlines()
        assert all(re.fullmatch(r"(\[\w+\]|\w+=.*|# .*|)", line) for line in lines)
    if SYSTEMD:
        done = subprocess.run(
            [SYSTEMD, "verify", "--man=no", *map(str, files)], capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_s_service_starts_it_again_and_sees_when_it_hangs(tmp_path: Path) -> None:
    spool, store = tmp_path / "spo ol", tmp_path / "store"
    spool.mkdir()
    store.mkdir()
    words = ["--queue", "postgresql://x@db/y", "--store", str(store), "--spool", str(spool), "--min-free", "5%"]
    done = asked("--worker", "--write", tmp_path, "--", *words)
    assert done.exit_code == 0, done.output
    assert "enable --now xianzhi-worker.service" in done.stderr
    unit = (tmp_path / "xianzhi-worker.service").read_text()
    assert started_by(unit)[1:] == ["work", *words]
    keys = keys_of(unit)
    assert words_of(keys["ReadWritePaths"][0]) == [str(spool), str(store)]
    assert (keys["Type"], keys["Restart"], keys["KillMode"]) == (["notify"], ["always"], ["mixed"])
    assert keys["EnvironmentFile"] == ["-/etc/xianzhi/environment"]
    assert int(keys["TimeoutStopSec"][0]) > 3 * GRACE_SECONDS
    judged_by_systemd([tmp_path / "xianzhi-worker.service"])


def test_the_site_of_a_copy_needs_no_user_and_writes_nowhere(tmp_path: Path) -> None:
    with closing(open_archive(tmp_path / "a.db")):
        pass
    publish(tmp_path / "a.db", tmp_path / "news.db", progress=lambda *_: None)
    for name, who in (("news.db", "DynamicUser"), ("a.db", "User")):
        done = asked("--site", "--db", tmp_path / name, "--write", tmp_path, "--force", "--", "--no-sql")
        assert done.exit_code == 0, done.output
        unit = (tmp_path / "xianzhi-site.service").read_text()
        assert started_by(unit)[1:] == ["serve", "--db", str(tmp_path / name), "--no-sql"]
        assert who in keys_of(unit)
        assert ("ReadWritePaths" in keys_of(unit)) == (name == "a.db")
        judged_by_systemd([tmp_path / "xianzhi-site.service"])


def test_folders_that_a_night_s_options_write_to_are_writable(archive: Archive, tmp_path: Path) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    figures, store = tmp_path / "figures", tmp_path / "store"
    figures.mkdir()
    store.mkdir()
    words = ["--", "--metrics", figures / "x.prom", "--queue", "postgresql://x/y", "--store", store, "--wait"]
    unit = asked(*of_archive(archive, *words)).stdout
    assert words_of(keys_of(unit)["ReadWritePaths"][0]) == [str(archive.folder), str(figures), str(store)]


@given(names, names)
def test_any_folder_and_any_word_is_read_back_as_it_was(name: str, word: str) -> None:
    night = nightly(Path("/srv") / f"{name}x", word)
    unit = service(night)
    assert started_by(unit) == list(night.command)
    assert words_of(keys_of(unit)["ReadWritePaths"][0]) == [str(night.folder)]


@given(names, names)
def test_cron_hands_any_folder_and_any_word_to_the_shell_as_it_was(name: str, word: str) -> None:
    night = nightly(Path("/srv") / name, word)
    if "\\" in name + word:
        with pytest.raises(UnfitError):
            cron_line(night)
    else:
        assert shlex.split(as_cron_runs_it(cron_line(night)))[1 : len(night.command) + 1] == list(night.command)


@pytest.mark.parametrize(
    "folder", ["/srv/line\nbreak", "/srv/ends with backslash\\", "/srv/ends with space ", "/srv/\udcff"]
)
def test_a_folder_that_a_unit_cannot_hold_is_refused(folder: str) -> None:
    with pytest.raises(UnfitError, match="another"):
        service(nightly(Path(folder)))


def test_a_stop_is_clean_and_no_failure(archive: Archive) -> None:
    site = news_site(40)
    with serve({"east": site}) as urls:
        archive.write_catalogue(entry("east", urls["east"]))
        unit = asked(*of_archive(archive, "--", "--delay", "0.2", "--allow-network", LOOPBACK)).stdout
        process = subprocess.Popen(started_by(unit), stderr=subprocess.DEVNULL)
        while site.hits.total() < 6:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)  # to the parent alone, as KillMode=mixed has it
        code = process.wait(timeout=30)
    assert [str(code)] == keys_of(unit)["SuccessExitStatus"]
    assert keys_of(unit)["KillMode"] == ["mixed"]
    assert archive.query("SELECT status FROM runs") == [("interrupted",)]


def test_a_stop_has_the_time_that_a_run_may_take_to_end() -> None:
    assert keys_of(service(nightly(Path("/srv"))))["TimeoutStopSec"] == [str(STOP_SECONDS)]
    assert STOP_SECONDS > 2 * GRACE_SECONDS


def test_the_cron_line_crawls_into_the_archive_and_its_log(archive: Archive) -> None:
    with serve({"east": news_site(12)}) as urls:
        archive.write_catalogue(entry("east", urls["east"]))
        line = asked(*of_archive(archive, "--cron", "--at", "2:05", "--", "--allow-network", LOOPBACK)).stdout
        assert line.startswith("5 2 * * * ")
        said = in_a_bare_shell(as_cron_runs_it(line))
    assert said == ""
    assert archive.one("SELECT count(*) FROM articles") == 12
    assert "east" in (archive.folder / "xianzhi.log").read_text(encoding="utf-8")


def test_cron_has_a_letter_to_send_where_the_night_did_not_end_well(archive: Archive) -> None:
    archive.write_catalogue(entry("east", "http://127.0.0.1:9"))  # and loopback is refused
    line = asked(*of_archive(archive, "--cron")).stdout
    said = in_a_bare_shell(as_cron_runs_it(line))
    assert said == f"xianzhi crawl: exit code 1, see {archive.folder / 'xianzhi.log'}\n"


def in_a_bare_shell(command: str) -> str:
    """What a command says under the few variables that cron sets."""
    bare = {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "HOME": "/", "LOGNAME": "archivist"}
    return subprocess.run(
        ["/bin/sh", "-c", command], env=bare, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_the_timer_rings_at_the_time_asked_for_and_makes_up_for_a_night_missed(archive: Archive) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    keys = keys_of(asked(*of_archive(archive, "--at", "23:10", "--zone", "Asia/Shanghai")).stdout)
    assert keys["OnCalendar"] == ["*-*-* 23:10:00 Asia/Shanghai"]
    assert keys["Persistent"] == ["yes"]
    assert keys_of(asked(*of_archive(archive)).stdout)["OnCalendar"] == ["*-*-* 01:30:00"]


def test_a_user_s_own_manager_gets_only_what_it_can_do() -> None:
    keys = keys_of(service(nightly(Path("/srv"), user=None)))
    assert not keys.keys() & {"User", "ProtectSystem", "After", "CapabilityBoundingSet"}
    assert keys["NoNewPrivileges"] == ["yes"]


@pytest.mark.parametrize("folder", ["/tmp/x", "/var/tmp/x"])
def test_an_archive_among_temporary_files_is_not_hidden_from_its_service(folder: str) -> None:
    assert "PrivateTmp" not in keys_of(service(nightly(Path(folder))))
    assert "PrivateTmp" in keys_of(service(nightly(Path("/srv"))))


def test_an_archive_behind_a_link_is_writable_where_it_really_is(archive: Archive, tmp_path: Path) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    (tmp_path / "disk").mkdir()
    archive.db.symlink_to(tmp_path / "disk" / "a.db")
    unit = asked(*of_archive(archive)).stdout
    assert str(archive.db) in started_by(unit)
    assert words_of(keys_of(unit)["ReadWritePaths"][0]) == [str(archive.folder), str(tmp_path / "disk")]


def test_files_that_are_there_stay_unless_forced(archive: Archive, tmp_path: Path) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    (tmp_path / "xianzhi.timer").write_text("mine")
    refused = asked(*of_archive(archive, "--write", tmp_path))
    assert refused.exit_code == 2
    assert "xianzhi.timer" in refused.stderr
    assert not (tmp_path / "xianzhi.service").exists()
    assert asked(*of_archive(archive, "--write", tmp_path, "--force")).exit_code == 0
    assert "[Timer]" in (tmp_path / "xianzhi.timer").read_text()


def test_a_full_disk_is_said_with_the_folder(archive: Archive, tmp_path: Path) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    (tmp_path / "xianzhi.service").symlink_to("/dev/full")
    refused = asked(*of_archive(archive, "--write", tmp_path, "--force"))
    assert f"{tmp_path}: No space left on device" in refused.stderr


def test_files_are_followed_by_the_commands_that_enable_them(archive: Archive, tmp_path: Path) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    done = asked(*of_archive(archive, "--write", tmp_path / "my units"))
    assert done.stdout == ""
    assert f"sudo cp '{tmp_path}/my units'/xianzhi.* /etc/systemd/system/" in done.stderr
    assert "sudo systemctl enable --now xianzhi.timer" in done.stderr
    assert "systemctl --user enable --now xianzhi.timer" in asked(*of_archive(archive, "--user")).stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--", "--max-artcles", "3"], "max-artcles"),
        (["--", "nowhere"], "nowhere"),
        (["--", "--db", "other.db"], "before"),
        (["--", "--allow-network", "home"], "CIDR|address block"),
        (["--at", "25:00"], "25:00"),
        (["--zone", "../etc/passwd"], "time zone"),
        (["--cron", "--zone", "Asia/Shanghai"], "systemd timer"),
        (["--cron", "--write", "units"], "crontab"),
        (["--warc", "nowhere"], "no such folder"),
        (["--worker", "--site"], "different"),
        (["--worker", "--", "--queue", "postgresql://db/x", "--store", "s3://b", "--spool", "spool"], "absolute"),
        (["--worker", "--", "--spool", "/"], "--queue"),
        (["--site", "--db", "/nowhere/a.db"], "no such file"),
        (["--site", "--", "other.db"], "before"),
        (["--", "--metrics", "x.prom"], "absolute"),
    ],
)
def test_what_would_fail_at_night_is_refused_today(archive: Archive, options: list[str], complaint: str) -> None:
    archive.write_catalogue(entry("east", "http://east.example"))
    refused = asked(*of_archive(archive, *options))
    assert refused.exit_code == 2
    assert re.search(complaint, refused.stderr)


def test_an_invalid_catalogue_is_refused_today(archive: Archive) -> None:
    archive.write_catalogue("[[portal]]\nid = 3\n")
    assert isinstance(asked(*of_archive(archive)).exception, CatalogueError)
