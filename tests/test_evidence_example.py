"""The worked example of docs/evidence.md: each of its commands is run over such an archive, and prints what it says."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crawler.demo.portals import article_path, catalogue_toml, render, sites
from crawler.demo.server import serve
from crawler.demo.stories import edited, load
from crawler.publish import server
from tests.conftest import ROOT
from tests.support.crawling import Archive
from tests.support.programs import need
from tests.support.sites import close, get

STORY = 4431609
STORIES = 8
COUNT, CORRECTED = "1386", "1368"
NOTE = "转移群众人数以县防汛抗旱指挥部核实的数字为准。"
SITE = "http://127.0.0.1:8001"
BLOCKS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\b\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{4}\b", "RUN"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b20[2-9]\d(?:, \w+ \d+|-\d\d-\d\d)\b(?=\]|\}|, at)", "TODAY"),
    (r"(?<=-)\d{14}(?=-)|\b\d{14}\b", "STAMP"),
    (r"(?<=127\.0\.11\.\d:)\d+", "PORT"),
    (r"\w{3}, \d\d \w{3} 20\d\d [\d:]{8} GMT", "TIME"),
    (r'"[0-9a-f]{16}"', "ETAG"),
)
"""What is another one in every archive: digests, names, times. Places and lengths are `SIZES`."""
SIZES = re.compile(r"\b(?!200\b|404\b)\d{3,6}\b")


@dataclass(frozen=True)
class Evidence(Archive):
    """An archive under the name that the commands have."""

    @property
    def db(self) -> Path:
        return self.folder / "archive.db"


def plant(folder: Path) -> Evidence:
    """Three nights of a small portal that prints an article, corrects a number in it, and takes its page down."""
    archive, demo = Evidence(folder), load("qinglan")
    portal = replace(demo, stories=demo.stories[:STORIES], links=())
    told = portal.story(STORY)
    body = "\n\n".join([*(block.text for block in told.blocks), NOTE])
    corrected = edited(portal, STORY, title=told.title.replace(COUNT, CORRECTED), body=body)
    shown = sites([portal])
    with serve(shown) as urls:
        archive.write_catalogue(catalogue_toml(urls, [portal]))
        archive.crawl("--jobs", "1")
        shown["qinglan"].publish(render(corrected))
        archive.crawl("--jobs", "1", "--full")
        shown["qinglan"].remove(article_path(corrected, told))
        archive.crawl("--jobs", "1", "--full")
    return archive


def examples() -> list[tuple[str, str]]:
    """The commands and what they are said to print."""
    written = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    found = []
    for block in BLOCKS.findall(written):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            while command.endswith("\\"):
                more, _, printed = printed.partition("\n")
                command = f"{command}\n{more}"
            found.append((command, printed))
    return found


def outputs(archive: Evidence) -> Iterator[tuple[str, str, str]]:
    """Each command, what it is said to print, and what it prints, all in one shell."""
    site = server.open_site(archive.db, sql=False)
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "120"}
    assigned: list[str] = []
    for command, said in examples():
        if command.startswith("curl"):
            [address] = re.findall(re.escape(SITE) + r"(\S+)", command)
            printed = get(site, address).text.replace("http://localhost", SITE)
        else:
            printed = _run(archive.folder, "\n".join([*assigned, command]), path)
        if not printed:
            assigned.append(command)
        yield command, said, printed
    close(site)


def _run(folder: Path, command: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-eu", "-c", command],
        cwd=folder, env=environment, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout.decode("utf-8", "replace").replace("\r", "")


def settled(text: str) -> str:
    """*text* without what is another one in every archive."""
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return SIZES.sub("N", text)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    need("sqlite3", "jq", "gunzip", "sha256sum")
    return list(outputs(plant(tmp_path_factory.mktemp("evidence"))))


def test_every_command_of_the_example_prints_what_the_page_says(ran: list[tuple[str, str, str]]) -> None:
    assert len(ran) > 10
    for command, said, printed in ran:
        assert settled(printed) == settled(said), command


def test_what_two_commands_print_alike_is_alike_in_the_page(ran: list[tuple[str, str, str]]) -> None:
    """Digests are told apart in the page by reading: here they are the same in the same places."""

    def digests(texts: list[str]) -> list[int]:
        found = re.findall(r"\b[0-9a-f]{64}\b", "\n".join(texts))
        return [found.index(digest) for digest in found]

    assert digests([said for _, said, _ in ran]) == digests([printed for *_, printed in ran])
    assert article_path(load("qinglan"), load("qinglan").story(STORY)) in ran[0][2]
