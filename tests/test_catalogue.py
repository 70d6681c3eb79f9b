"""The catalogue: a county is a few lines of TOML, and every mistake in them is named at once."""

import io
import json
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from crawler.catalogue import FAMILIES, Catalogue, CatalogueError, Expect, Portal, load
from crawler.catalogue.checks import IDENTITY_KEYS, SHARED_KEYS, checked_table
from crawler.cli.portals import portals, print_portals
from crawler.divisions import resolve

GOOD = """
[[portal]]
id = "yunling"
name = "云岭县人民政府"
division = "610000"
homepage = "https://www.yunling.gov.cn/"
lists = ["https://www.yunling.gov.cn/xwzx/"]
"""


def with_line(line: str) -> str:
    """The good entry, with *line* instead of the one of its key."""
    key = line.partition("=")[0].strip()
    kept = [old for old in GOOD.splitlines() if not old.startswith(f"{key} =")]
    return "\n".join([*kept, line, ""])


def write(folder: Path, text: str, name: str = "99-test.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path):
    with pytest.raises(CatalogueError) as caught:
        load(path)
    return caught.value.problems


def only_problem(path: Path):
    found = problems(path)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


# What stands in the box.


def test_the_bundled_catalogue_names_the_portals_of_the_five_seed_counties():
    entries = load()
    assert {(portal.id, portal.division) for portal in entries} >= {
        ("qianxian", "610424"),
        ("baoxing", "511827"),
        ("jiayin", "230722"),
        ("zhouqu", "623023"),
        ("zhangjiakou", "130700"),
    }


def test_the_bundled_catalogue_covers_every_province_of_the_mainland():
    entries = load()
    assert len(entries) >= 140
    assert len({portal.division[:2] for portal in entries}) == 31


def test_every_bundled_portal_that_is_enabled_has_somewhere_to_start():
    for portal in load():
        assert not portal.enabled or portal.lists or portal.feeds or portal.sitemaps, portal.id


def test_every_bundled_portal_says_where_it_comes_from_and_that_nobody_checked_it():
    for portal in load():
        assert portal.note, f"{portal.id}: where does the entry come from?"
        assert "not checked by us" in portal.note.lower() or not portal.enabled, portal.id


def test_every_bundled_portal_speaks_for_its_division_by_name_or_says_so_in_its_note():
    for portal in load():
        place = resolve(portal.division, 2026)
        nearest = place.county or place.prefecture or place.province
        assert nearest.to_year is None, f"{portal.id}: {nearest.name} is no longer"
        assert nearest.name in portal.name or nearest.name in (portal.note or ""), (portal.id, nearest.name)


def test_the_bundled_files_list_their_portals_by_division():
    for source in files("crawler").joinpath("portals").iterdir():
        codes = [entry["division"] for entry in tomllib.loads(source.read_text(encoding="utf-8"))["portal"]]
        assert codes == sorted(codes), source.name


def test_the_bundled_files_are_named_after_their_province():
    for source in files("crawler").joinpath("portals").iterdir():
        for entry in tomllib.loads(source.read_text(encoding="utf-8"))["portal"]:
            assert source.name.startswith(f"{entry['division'][:2]}-"), (source.name, entry["id"])


def test_loading_needs_no_scrapy():
    script = "import sys; from crawler.catalogue import load; load(); sys.exit('scrapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# What an entry says.


def test_an_entry_needs_six_lines(tmp_path):
    (portal,) = load(write(tmp_path, GOOD))
    assert portal == Portal(
        id="yunling",
        name="云岭县人民政府",
        division="610000",
        homepage="https://www.yunling.gov.cn/",
        lists=("https://www.yunling.gov.cn/xwzx/",),
    )
    assert (portal.cms, portal.enabled, portal.render, portal.expect) == (None, True, False, Expect())


def test_every_key_of_the_contract_arrives_in_the_portal(tmp_path):
    lines = r"""
feeds = ["https://www.yunling.gov.cn/rss.xml"]
sitemaps = ["https://www.yunling.gov.cn/sitemap.xml"]
cms = "trs"
expect = { week = 5, first_page = 10, filled = ["title", "published"], blocked = true }
article = '/t\d{8}_\d+\.html$'
body = "div.TRS_Editor, #zoom"
delay = 2
encoding = "gb18030"
tls = "legacy"
render = true
enabled = false
note = '''Two
lines.'''
"""
    (portal,) = load(write(tmp_path, GOOD + lines))
    assert portal == Portal(
        id="yunling",
        name="云岭县人民政府",
        division="610000",
        homepage="https://www.yunling.gov.cn/",
        lists=("https://www.yunling.gov.cn/xwzx/",),
        feeds=("https://www.yunling.gov.cn/rss.xml",),
        sitemaps=("https://www.yunling.gov.cn/sitemap.xml",),
        cms="trs",
        expect=Expect(week=5, first_page=10, filled=("title", "published"), blocked=True),
        article=r"/t\d{8}_\d+\.html$",
        body="div.TRS_Editor, #zoom",
        delay=2.0,
        encoding="gb18030",
        tls="legacy",
        render=True,
        enabled=False,
        note="Two\nlines.",
    )


def test_every_field_of_a_portal_has_its_check():
    assert set(Portal.__dataclass_fields__) == {*IDENTITY_KEYS, *SHARED_KEYS}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_of_the_contract_is_known(tmp_path, name):
    assert load(write(tmp_path, with_line(f'cms = "{name}"'))).portals[0].cms == name


def test_an_entrys_own_value_wins_over_the_defaults_of_its_file(tmp_path):
    second = GOOD.replace('"yunling"', '"lincang"') + 'cms = "vsb"\nrender = false\n'
    write(tmp_path, '[defaults]\ncms = "trs"\nrender = true\ndelay = 3\n' + GOOD + second, "1.toml")
    write(tmp_path, GOOD.replace('"yunling"', '"elsewhere"'), "2.toml")
    values = {portal.id: (portal.cms, portal.render, portal.delay) for portal in load(tmp_path)}
    assert values == {"yunling": ("trs", True, 3.0), "lincang": ("vsb", False, 3.0), "elsewhere": (None, False, None)}


def test_entries_that_come_from_one_source_share_its_note(tmp_path):
    second = GOOD.replace('"yunling"', '"lincang"') + 'note = "Found by hand."\n'
    entries = load(write(tmp_path, '[defaults]\nnote = "From the yearbook."\n' + GOOD + second))
    assert [portal.note for portal in entries] == ["From the yearbook.", "Found by hand."]


def test_a_folder_is_read_by_file_name_without_hidden_and_other_files(tmp_path):
    write(tmp_path, GOOD.replace('"yunling"', '"b"'), "2.toml")
    write(tmp_path, GOOD.replace('"yunling"', '"a"'), "1.toml")
    write(tmp_path, "no TOML", "readme.txt")
    write(tmp_path, "no TOML", ".#1.toml")
    assert [portal.id for portal in load(tmp_path)] == ["a", "b"]


def test_a_byte_order_mark_from_a_windows_editor_does_no_harm(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode().replace(b"\n", b"\r\n"))
    assert len(load(path)) == 1


def test_a_list_on_a_sister_host_of_the_same_domain_is_accepted(tmp_path):
    (portal,) = load(write(tmp_path, with_line('lists = ["http://xw.yunling.gov.cn/a/", "http://yunling.gov.cn:81/"]')))
    assert portal.hosts == {"www.yunling.gov.cn", "xw.yunling.gov.cn", "yunling.gov.cn"}


def test_a_disabled_portal_may_wait_for_its_lists(tmp_path):
    assert load(write(tmp_path, with_line("lists = []") + "enabled = false\n")).portals[0].lists == ()


# Finding portals.


def test_a_portal_is_found_by_its_id_and_a_near_one_suggested(tmp_path):
    entries = load(write(tmp_path, GOOD))
    assert entries.portal("yunling") is entries.portals[0]
    with pytest.raises(LookupError, match="did you mean yunling"):
        entries.portal("yunlin")


def entry(portal_id: str, *hosts: str) -> str:
    lists = json.dumps([f"http://{host}/{portal_id}/" for host in hosts])
    text = with_line(f'id = "{portal_id}"').replace('https://www.yunling.gov.cn/"\n', f'http://{hosts[0]}/"\n')
    return text.replace('["https://www.yunling.gov.cn/xwzx/"]', lists)


def test_portals_that_share_a_host_form_one_group_directly_or_by_way_of_another(tmp_path):
    text = (
        entry("a", "a.hn.gov.cn", "www.hn.gov.cn")
        + entry("lonely", "www.b.gov.cn")
        + entry("c", "c.hn.gov.cn", "d.hn.gov.cn")
        + entry("d", "d.hn.gov.cn", "hn.gov.cn")
    )
    groups = load(write(tmp_path, text)).groups()
    assert [[portal.id for portal in group] for group in groups] == [["a", "c", "d"], ["lonely"]]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3), max_size=8))
def test_groups_hold_every_portal_once_and_share_no_host(hosts_of):
    made = tuple(
        Portal(
            id=str(n),
            name="n",
            division="460000",
            homepage=f"http://{hosts[0]}.cn/",
            lists=tuple(f"http://{h}.cn/" for h in hosts),
        )
        for n, hosts in enumerate(hosts_of)
    )
    groups = Catalogue(portals=made).groups()
    assert sorted(portal.id for group in groups for portal in group) == sorted(portal.id for portal in made)
    hosts = [frozenset().union(*(portal.hosts for portal in group)) for group in groups]
    assert sum(map(len, hosts)) == len(frozenset().union(*hosts))


# Mistakes.


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('id = "Yun Ling"', "id", "no slug"),
        ('id = "../etc"', "id", "no slug"),
        ("id = 7", "id", "put it in quotes"),
        ('name = ""', "name", "is empty"),
        ('name = "a\\u001b[2Jb"', "name", "control character"),
        ('name = "a\\u202eb"', "name", "control character"),
        ('division = "999999"', "division", "no division has the code 999999"),
        ('division = "6104"', "division", "six digits"),
        ("division = 610424", "division", "put it in quotes"),
        ('homepage = "www.yunling.gov.cn"', "homepage", "http:// or https://"),
        ('homepage = "HTTPS://www.yunling.gov.cn/"', "homepage", "http:// or https://"),
        ('homepage = "ftp://www.yunling.gov.cn/"', "homepage", "http:// or https://"),
        ('homepage = "https:///xw/"', "homepage", "no valid host"),
        ('homepage = "https://www.yunling.gov.cn:99999/"', "homepage", "no valid host or port"),
        ('homepage = "https://a:b@www.yunling.gov.cn/"', "homepage", "user name"),
        ('homepage = "https://www.yunling.gov.cn/a b"', "homepage", "spaces"),
        ('homepage = "https://www.yunling.gov.cn/\\u0007"', "homepage", "control character"),
        ('lists = "https://www.yunling.gov.cn/xwzx/"', "lists", "no list: write ["),
        ('lists = ["https://www.yunling.gov.cn/a", "xw/"]', "lists[2]", "http:// or https://"),
        ('lists = ["https://www.yunling.gov.cn/a", "https://www.yunling.gov.cn/a"]', "lists[2]", "twice"),
        ('lists = ["https://www.lincang.gov.cn/xw/"]', "lists[1]", "outside the homepage's domain yunling.gov.cn"),
        ('feeds = ["https://rss.example.com/"]', "feeds[1]", "outside the homepage's domain"),
        ("lists = []", "lists", "needs lists, feeds or sitemaps"),
        ('list = ["https://www.yunling.gov.cn/xw/"]', "list", "did you mean lists?"),
        ('color = "red"', "color", "unknown key; known are id, name"),
        ('cms = "TRS"', "cms", "did you mean trs?"),
        ('cms = "tsr"', "cms", "did you mean trs?"),
        ('article = "/t(\\\\d+"', "article", "no regular expression"),
        ('article = "[[a]"', "article", "no regular expression"),
        ('body = "div..zoom"', "body", "no CSS selector"),
        ('body = "div::text"', "body", "no CSS selector"),
        ('body = "p:unheard-of"', "body", "no CSS selector"),
        ("delay = -1", "delay", "from 0 to 600"),
        ("delay = 6000", "delay", "from 0 to 600"),
        ("delay = nan", "delay", "from 0 to 600"),
        ("delay = true", "delay", "number of seconds"),
        ('delay = "1"', "delay", "number of seconds"),
        ('encoding = "gbk2"', "encoding", "no encoding"),
        ('encoding = "hex"', "encoding", "no encoding"),
        ('tls = "old"', "tls", "known are modern, legacy"),
        ('render = "yes"', "render", "neither true nor false"),
        ("enabled = 1", "enabled", "neither true nor false"),
        ("expect = 5", "expect", "no table"),
        ("expect = { weak = 5 }", "expect.weak", "did you mean week?"),
        ("expect = { week = -5 }", "expect.week", "0 or more"),
        ("expect = { week = 2.5 }", "expect.week", "whole number"),
        ('expect = { filled = ["titel"] }', "expect.filled[1]", "did you mean title?"),
        ('expect = { filled = "title" }', "expect.filled", "no list"),
        ("expect = { blocked = 1 }", "expect.blocked", "neither true nor false"),
        ("note = 1979-05-27", "note", "no text"),
    ],
)
def test_a_mistake_is_named_with_file_line_entry_and_key(tmp_path, line, key, words):
    path = write(tmp_path, with_line(line))
    problem = only_problem(path)
    assert (problem.file, problem.line, problem.key) == (str(path), 2, key)
    assert problem.entry == ("portal 1" if key == "id" else "yunling")
    assert words in problem.message


@pytest.mark.parametrize("key", ["id", "name", "division", "homepage", "lists"])
def test_a_missing_key_is_named(tmp_path, key):
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key} ="))
    problem = only_problem(write(tmp_path, text))
    assert problem.key == key
    assert problem.message.startswith("is missing")


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("", None, "names no portal"),
        ("# nothing yet\n", None, "names no portal"),
        ("portal = 5\n", "portal", "[[portal]]"),
        (GOOD.replace("[[portal]]", "[portal]"), "portal", "[[portal]]"),
        ("[default]\n" + GOOD, "default", "did you mean defaults?"),
        ("defaults = 5\n" + GOOD, "defaults", "no table"),
        ('[defaults]\nid = "a"\n' + GOOD, "id", "stands in each [[portal]]"),
        ('[defaults]\ncsm = "trs"\n' + GOOD, "csm", "did you mean cms?"),
        ('[defaults]\ncms = "tsr"\n' + GOOD, "cms", "did you mean trs?"),
    ],
)
def test_a_mistake_around_the_entries_is_named(tmp_path, text, key, words):
    problem = only_problem(write(tmp_path, text))
    assert problem.key == key
    assert words in problem.message


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (GOOD.encode() + b"cms = trs\n", 8, "is no TOML"),
        (GOOD.encode() + b'cms = "trs', 8, "is no TOML"),
        (GOOD.encode() + b'id = "twice"\n', 8, "is no TOML"),
        (GOOD.encode("gb18030"), 4, "is not UTF-8"),
        (b"a = " + b"[" * 5000, 1, "is no TOML"),
        (b"a = " + b"9" * 5000, 1, "is no TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path, data, line, words):
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    problem = only_problem(path)
    assert (problem.file, problem.line) == (str(path), line)
    assert words in problem.message


def test_a_file_or_folder_that_is_not_there_or_empty_is_named(tmp_path):
    assert "No such file" in only_problem(tmp_path / "nowhere.toml").message
    assert "no *.toml file" in only_problem(tmp_path).message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    write(tmp_path, GOOD)
    problem = only_problem(tmp_path)
    assert problem.file == str(tmp_path / "folder.toml")
    assert problem.message.startswith("cannot be read: ")


def test_an_id_taken_in_another_file_is_named_with_both_places(tmp_path):
    first = write(tmp_path, GOOD, "1.toml")
    second = write(tmp_path, "\n" + GOOD, "2.toml")
    problem = only_problem(tmp_path)
    assert (problem.file, problem.line, problem.entry, problem.key) == (str(second), 3, "yunling", "id")
    assert problem.message == f"yunling is taken by {first}:2"


def test_an_id_taken_in_the_same_file_is_named_even_where_the_entry_has_other_mistakes(tmp_path):
    found = problems(write(tmp_path, GOOD + with_line('cms = "tsr"')))
    assert {problem.key for problem in found} == {"id", "cms"}


def test_all_mistakes_of_all_files_come_at_once(tmp_path):
    write(
        tmp_path,
        with_line('division = "000000"') + 'cms = "tsr"\nexpect = { weak = 1, filled = ["x", "y"] }\n',
        "1.toml",
    )
    write(tmp_path, "nonsense", "2.toml")
    write(tmp_path, with_line('lists = ["a", "http://b.cn/"]'), "3.toml")
    found = [(Path(problem.file).name, problem.key) for problem in problems(tmp_path)]
    assert sorted(found, key=str) == sorted(
        [
            ("1.toml", "division"),
            ("1.toml", "cms"),
            ("1.toml", "expect.weak"),
            ("1.toml", "expect.filled[1]"),
            ("1.toml", "expect.filled[2]"),
            ("2.toml", None),
            ("3.toml", "id"),
            ("3.toml", "lists[1]"),
        ],
        key=str,
    )


def test_text_that_looks_like_an_entry_costs_the_lines_and_nothing_else(tmp_path):
    problem = only_problem(write(tmp_path, with_line('cms = "tsr"') + "note = '''\n[[portal]]\n'''\n"))
    assert (problem.line, problem.entry) == (None, "yunling")


def test_a_message_never_drives_the_terminal(tmp_path):
    path = write(tmp_path, with_line('"\\u001b[2J\\u202e\\nforged" = "x"'))
    message = str(only_problem(path))
    assert message.isprintable()
    assert r"\x1b[2J\u202e\nforged" in message


TOML_VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.dates(), st.times(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)


@given(st.sampled_from(sorted({*IDENTITY_KEYS, *SHARED_KEYS})), TOML_VALUES)
def test_no_value_of_any_type_is_more_than_a_mistake(key, value):
    values, mistakes = checked_table({key: value}, {**IDENTITY_KEYS, **SHARED_KEYS})
    assert (key in values) != bool(mistakes)


# The command line.


def run(*arguments: object):
    return CliRunner().invoke(portals, [str(argument) for argument in arguments])


def test_check_says_that_all_is_well():
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{len(load())} portals, all well\n"


def test_check_names_every_problem_and_ends_with_2(tmp_path):
    path = write(tmp_path, with_line('cms = "tsr"') + "delay = -1\n")
    result = run("check", "--catalogue", path)
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert [
        line.startswith(f"{path}:2: yunling: {key}: ") for line, key in zip(lines, ("cms", "delay"), strict=True)
    ] == [True, True]


def test_check_as_json_is_for_scripts(tmp_path):
    path = write(tmp_path, with_line('cms = "tsr"'))
    result = run("check", "--json", "--catalogue", path)
    assert result.exit_code == 2
    data = json.loads(result.stdout)
    assert data["portals"] == 0
    assert data["problems"][0] | {"message": ""} == {
        "file": str(path),
        "line": 2,
        "entry": "yunling",
        "key": "cms",
        "message": "",
    }
    assert json.loads(run("check", "--json").stdout) == {"portals": len(load()), "problems": []}


def test_list_shows_every_portal_with_its_place_on_one_line():
    lines = run("list").stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("qianxian")]
    assert "陕西省 咸阳市 乾县" in line
    assert "https://www.snqianxian.gov.cn/" in line


def ids(*arguments: str) -> set[str]:
    return {item["id"] for item in json.loads(run("list", "--json", *arguments).stdout)}


def test_list_shows_a_province_a_prefecture_or_a_family_alone():
    entries = load()
    assert ids("--division", "61") == {portal.id for portal in entries if portal.division[:2] == "61"}
    assert ids("--division", "610424") == {"qianxian"}
    assert ids("--cms", "vsb") == {portal.id for portal in entries if portal.cms == "vsb"}
    assert ids("--cms", "none") == {portal.id for portal in entries if portal.cms is None}
    assert ids("--division", "6230", "--cms", "vsb") == {"gannan-zhou", "zhouqu"}
    assert run("list", "--division", "99").stdout.startswith("0 portals")


@pytest.mark.parametrize("wrong", [["--division", "陕西"], ["--division", "6104240"], ["--cms", "TRS"]])
def test_list_refuses_what_can_never_match(wrong):
    result = run("list", *wrong)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("width", [80, 100, 150])
def test_list_keeps_ids_whole_and_most_portals_on_one_line_of_a_terminal(width):
    console = Console(force_terminal=True, width=width, file=io.StringIO())
    entries = load()
    print_portals(console, list(entries), {})
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in console.file.getvalue().splitlines()]
    assert {line.split()[0] for line in lines} >= {portal.id for portal in entries}
    assert len(lines) < 1.2 * len(entries)


def test_list_as_json_holds_every_key_of_the_entries():
    data = json.loads(run("list", "--json").stdout)
    assert [item["id"] for item in data] == [portal.id for portal in load()]
    assert set(data[0]) == {*Portal.__dataclass_fields__, "place", "detected"}
    assert data[0]["lists"]


def test_an_invalid_catalogue_ends_the_whole_program_with_2(tmp_path):
    path = write(tmp_path, with_line('cms = "tsr"'))
    command = [sys.executable, "-m", "crawler", "portals", "list", "--catalogue", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{path}:2: yunling: cms: " in result.stderr


@pytest.mark.parametrize("command", ["list", "check"])
def test_help_shows_examples(command):
    assert f"xianzhi portals {command} --catalogue my.toml" in run(command, "--help").stdout
