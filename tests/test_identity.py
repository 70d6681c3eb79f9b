"""Whose page it is: what contradicts the catalogue's portal, and what only looks so."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from crawler import divisions
from crawler.catalogue import load
from crawler.reading import metatags
from crawler.reading.identity import contradiction, relatives
from crawler.text.decoding import decode_body

QIANXIAN = {"division": "610424", "name": "乾县人民政府"}
CODES = sorted({row.code for row in divisions.rows()})


def test_a_domain_that_another_county_took_over_is_noticed_by_code_and_name() -> None:
    xinping = {"division": "530427", "name": "新平彝族傣族自治县人民政府"}
    words = "says it is 溆浦县人民政府 (431224), the catalogue says 新平彝族傣族自治县人民政府 (530427)"
    assert contradiction("4312240001", "溆浦县人民政府", **xinping) == words
    assert contradiction("4312240001", None, **xinping) == words.replace("溆浦县人民政府", "溆浦县")
    assert contradiction(None, "溆浦县人民政府门户网站", **xinping) == (
        "says it is 溆浦县人民政府门户网站, the catalogue says 新平彝族傣族自治县人民政府 (530427)"
    )


@pytest.mark.parametrize(
    ("site_id", "whose"),
    [
        ("6104240007", "its own"),
        ("6104000002", "its prefecture's"),
        ("6100000017", "its province's"),
        ("6122270001", "its own before its prefecture had a new code"),
        ("6122000001", "its prefecture's of that time"),
        ("bm14000002", "a ministry's"),
        ("9999990001", "nobody's"),
        ("six104240007", "no code"),
        ("61", "no code"),
        ("", "none"),
    ],
)
def test_a_relatives_code_and_what_is_no_code_say_nothing_against_a_portal(site_id: str, whose: str) -> None:
    assert contradiction(site_id, None, **QIANXIAN) is None, whose


@pytest.mark.parametrize(
    ("division", "site_id"),
    [
        ("130709", "1307330001"),  # 崇礼: a county became a district
        ("130733", "1307090001"),
        ("130709", "1325330001"),  # and had another prefecture before
        ("421083", "4224260001"),  # 洪湖: a county became a city
        ("530700", "5332000001"),  # 丽江: a prefecture became a city
        ("530700", "5332210001"),  # and had a county of its name
        ("411281", "4190010001"),  # 义马: directly below the province for a time, under a code used again later
        ("429004", "4200000001"),  # 仙桃: no prefecture
        ("610400", "6104240001"),  # a prefecture shows a county's page
    ],
)
def test_codes_of_one_place_at_two_times_do_not_contradict(division: str, site_id: str) -> None:
    assert contradiction(site_id, None, division=division, name="某网") is None


@pytest.mark.parametrize(
    ("division", "site_id"),
    [
        ("610424", "6104250001"),  # the neighbour
        ("610424", "6105000001"),  # the neighbour's prefecture
        ("320106", "3203020001"),  # 鼓楼区 of 南京 and of 徐州, both there at once
        ("130104", "1307030001"),  # 桥西区 of 石家庄 and of 张家口
    ],
)
def test_another_place_contradicts_also_under_the_same_name(division: str, site_id: str) -> None:
    assert contradiction(site_id, None, division=division, name="某网") is not None


@pytest.mark.parametrize(
    "site_name",
    [
        "乾县人民政府",
        "乾縣人民政府門戶網站",
        "陕西省乾县人民政府网",
        "咸阳市人民政府",
        "中国·陕西",
        "国家民委门户网站",
        "",
        "新区管委会",
        "政府信息公开",
    ],
)
def test_a_name_of_its_own_of_a_relative_or_of_no_place_says_nothing_against_a_portal(site_name: str) -> None:
    assert contradiction(None, site_name, **QIANXIAN) is None


@pytest.mark.parametrize(
    "site_name", ["凤翔县人民政府", "陕西省凤翔县人民政府", "和县人民政府", "欢迎访问鳳翔縣政府網"]
)
def test_the_full_name_of_another_division_contradicts(site_name: str) -> None:
    assert (
        contradiction(None, site_name, **QIANXIAN)
        == f"says it is {site_name}, the catalogue says 乾县人民政府 (610424)"
    )


def test_a_name_that_two_divisions_share_is_taken_for_the_portals() -> None:
    assert contradiction(None, "鼓楼区人民政府", division="320302", name="徐州鼓楼") is None


def test_a_wrong_code_in_the_template_is_no_alarm_where_the_name_is_right() -> None:
    henan = {"division": "410000", "name": "河南省政府网"}
    assert contradiction("4500000001", "河南省人民政府", **henan) is None
    assert contradiction("4500000001", "门户网站", **henan) is not None
    assert contradiction("1307330001", "柳溪县人民政府", division="610000", name="柳溪县人民政府") is None


def test_the_code_goes_before_the_name() -> None:
    assert contradiction("6104240007", "凤翔县人民政府", **QIANXIAN) is None


def test_a_long_name_is_cut() -> None:
    words = contradiction("4312240001", "溆浦县" * 1_000_000, **QIANXIAN)
    assert words is not None
    assert len(words) < 200


@given(st.sampled_from(CODES), st.sampled_from(CODES))
def test_being_related_goes_both_ways_up_and_down(code: str, other: str) -> None:
    for row in divisions.rows():
        if row.code == code and row.parent_code:
            assert row.parent_code in relatives(code)
            assert code in relatives(row.parent_code)
    assert code in relatives(code)
    assert contradiction(other, None, division=other, name="x") is None


@given(st.text(max_size=12), st.text(max_size=60), st.sampled_from(CODES))
def test_nothing_that_a_page_says_breaks_it(site_id: str, site_name: str, code: str) -> None:
    contradiction(site_id, site_name, division=code, name=site_name)
    contradiction(site_id, site_name, division=code, name="")


def test_no_portal_of_the_catalogue_contradicts_itself() -> None:
    for portal in load(None):
        short = portal.name.removesuffix("门户网站")
        assert contradiction(None, short, division=portal.division, name="某网") is None, portal.id


def test_real_pages_do_not_contradict_their_own_portals_and_do_contradict_others(shared) -> None:
    portals = {}
    with (shared / "corpus" / "manifest.jsonl").open(encoding="utf-8") as manifest:
        for page in map(json.loads, manifest):
            body = (shared / "corpus" / "pages" / f"{page['id']}.html").read_bytes()
            tags = metatags.read(
                html.fromstring(decode_body(body, content_encoding=None, content_type=None).text.encode())
            )
            if "siteidcode" in tags:
                portals[page["id"]] = (tags["siteidcode"], tags.get("sitename"))
    division = {name: site_id[:6] for name, (site_id, _) in portals.items() if site_id[:6].isdecimal()}
    division["gov-henan"] = "410000"  # its template has another province's code
    quiet = set()
    for name, other in product(division, repeat=2):
        words = contradiction(*portals[name], division=division[other], name=str(portals[other][1]))
        if division[name] in relatives(division[other]):
            assert words is None, (name, words)
        elif words is None:
            quiet.add((name, other))
    assert len(division) > 20
    assert quiet <= {("gov-cq-wlw", "gov-sc-tcm")}  # 重庆市 was one of 四川's until 1997
