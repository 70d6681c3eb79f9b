"""Documentation that cannot rot: held to the code."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crawler.catalogue import FAMILIES, Portal
from crawler.cli import COMMANDS, cli
from crawler.cli.reprocess import reprocess
from docs import generate
from tests.conftest import ROOT


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_reference_page_is_what_the_code_says(page: str) -> None:
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == generate.PAGES[page](), "write it anew: python docs/generate.py"


def test_the_page_of_commands_is_the_same_whatever_was_called_before_it() -> None:
    CliRunner().invoke(reprocess, ["--nonsense"])
    assert generate.commands() == (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_a_readme_names_every_command_and_both_make_targets(readme: str) -> None:
    words = (ROOT / readme).read_text(encoding="utf-8")
    for name in COMMANDS:
        assert re.search(rf"xianzhi {name}\b|\|{name}\b|xianzhi [a-z|]*\b{name}\b", words), name
    assert "make run" in words
    assert "make test" in words


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_with_examples_and_exit_codes(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    context = click.Context(command)
    names = command.list_commands(context) if isinstance(command, click.Group) else []
    for each in [command.get_command(context, own) for own in names] or [command]:
        assert each.epilog, each.name
        assert "Examples:" in each.epilog
        assert "Exit codes:" in each.epilog
        for parameter in each.params:
            assert not isinstance(parameter, click.Option) or parameter.help, f"{each.name} {parameter.name}"


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_key_of_the_catalogue_and_every_family_is_documented() -> None:
    words = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    for key in Portal.__slots__:
        assert f"`{key}`" in words, key
    for family in FAMILIES:
        assert f"`{family}`" in words, family


def test_our_three_package_names_belong_to_us_alone() -> None:
    owners = packages_distributions()
    for name in ("crawler", "spiders", "pipelines"):
        assert set(owners[name]) == {"xianzhi"}


def test_the_lock_names_no_host_and_holds_every_dependency() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in lock
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for wanted in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]:
        name = re.match(r"[\w-]+", wanted)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), name


def test_the_second_lock_adds_the_extras_and_nothing_that_the_first_one_has() -> None:
    first, second = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-test.txt")
    )
    assert "://" not in second
    locked = set(re.findall(r"^([\w.-]+)==", second, re.MULTILINE))
    assert locked.isdisjoint(re.findall(r"^([\w.-]+)==", first, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    for wanted in [*extras["render"], *extras["distributed"], *project["dependency-groups"]["queue"]]:
        assert re.match(r"[\w-]+", wanted)[0].lower() in locked


def test_the_lock_of_what_replays_holds_its_group_and_names_no_host() -> None:
    lock = (ROOT / "requirements-replay.txt").read_text(encoding="utf-8")
    assert "://" not in lock
    locked = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for wanted in project["dependency-groups"]["replay"]:
        assert re.match(r"[\w-]+", wanted)[0].lower() in locked


def test_no_file_of_the_project_is_longer_than_a_reader_can_hold() -> None:
    files = [path for folder in ("crawler", "spiders", "pipelines") for path in (ROOT / folder).rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): count
        for path in files
        if (count := len(Path(path).read_text().splitlines())) > 400
    }
    assert long == {}


def test_the_picture_of_an_archive_s_growth_is_drawn_from_its_figures(tmp_path: Path) -> None:
    drawn = tmp_path / "sizing.svg"
    command = [sys.executable, ROOT / "bench" / "sizing.py", "--sizes", "", "--picture", drawn]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    assert drawn.read_text("utf-8") == (ROOT / "docs" / "sizing.svg").read_text("utf-8")
