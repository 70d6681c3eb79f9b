"""Divisions: who was which county in which year."""

import csv
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import divisions
from crawler.divisions import exists, predecessors, resolve, successor

LAST_YEAR = 2024
"""The last one that the table's source tells."""


def names(code, year):
    place = resolve(code, year)
    return [division and division.name for division in (place.province, place.prefecture, place.county)]


@pytest.mark.parametrize(
    ("code", "year", "place"),
    [
        ("610424", 2014, ["陕西省", "咸阳市", "乾县"]),
        ("623023", 2014, ["甘肃省", "甘南藏族自治州", "舟曲县"]),
        ("130700", 2014, ["河北省", "张家口市", None]),
        ("610000", 2014, ["陕西省", None, None]),
        ("110101", 2014, ["北京市", None, "东城区"]),
        ("429004", 2014, ["湖北省", None, "仙桃市"]),
        ("469001", 2014, ["海南省", None, "五指山市"]),
        ("139001", 1990, ["河北省", "邯郸市", "武安市"]),
        ("419001", 1990, ["河南省", "三门峡市", "义马市"]),
        ("419001", 2014, ["河南省", None, "济源市"]),
    ],
)
def test_a_code_resolves_to_its_place_in_that_year(code, year, place):
    assert names(code, year) == place


def test_a_code_keeps_its_place_in_years_without_it():
    assert names("130709", 2010) == ["河北省", "张家口市", "崇礼区"]
    assert names("130733", 2024) == ["河北省", "张家口市", "崇礼县"]
    assert names("469001", 1980) == ["海南省", None, "五指山市"]


def test_what_was_valid_in_the_sources_last_year_is_valid_still():
    assert names("610424", LAST_YEAR + 10) == ["陕西省", "咸阳市", "乾县"]
    years = {division.to_year for division in divisions.rows()}
    assert None in years
    assert LAST_YEAR not in years


@pytest.mark.parametrize(
    ("code", "prefix", "part"),
    [
        ("610424", "", "610000"),
        ("610424", "61", "610400"),
        ("610424", "6104", "610424"),
        ("610400", "61", "610400"),
        ("110105", "11", "110105"),
        ("469001", "46", "469001"),
    ],
)
def test_a_division_has_parts_and_a_county_without_a_prefecture_is_one_of_its_province(code, prefix, part):
    assert divisions.part_of(code, prefix) == part


def test_an_unknown_code_is_said_to_be_unknown():
    assert not exists("999999")
    assert not exists("")
    with pytest.raises(LookupError, match="999999"):
        resolve("999999", 2014)


def test_every_division_is_found_in_every_one_of_its_years_below_parents_of_that_year():
    for division in divisions.rows():
        for year in (division.from_year, division.to_year or LAST_YEAR):
            place = resolve(division.code, year)
            chain = [part for part in (place.county, place.prefecture, place.province) if part]
            assert chain[0] is division
            assert [part.parent_code for part in chain[:-1]] == [part.code for part in chain[1:]]
            assert all(part.from_year <= year <= (part.to_year or year) for part in chain)


@given(st.sampled_from([division.code for division in divisions.rows()]), st.integers(-10_000, 10_000))
def test_no_year_breaks_resolving(code, year):
    assert resolve(code, year).province.code == f"{code[:2]}0000"


def test_no_code_has_two_rows_that_begin_in_one_year():
    keys = Counter((division.code, division.from_year) for division in divisions.rows())
    assert max(keys.values()) == 1


def test_the_table_agrees_with_its_source_row_by_row(shared):
    with (shared / "knowledge" / "divisions_intervals.csv").open(encoding="utf-8", newline="") as lines:
        source = {
            (row["code"], row["name"], int(row["level"]), int(row["from_year"]), int(row["to_year"]), row["city_code"])
            for row in csv.DictReader(lines)
        }
    ours = {(d.code, d.name, d.level, d.from_year, d.to_year or LAST_YEAR) for d in divisions.rows()}
    assert ours == {row[:5] for row in source}
    prefectures = {row[0] for row in source if row[2] == 2}
    parents = {(row[0], row[3]): row[5] for row in source if row[2] == 3 and row[5] in prefectures}
    for division in divisions.rows():
        above = parents.get((division.code, division.from_year), f"{division.code[:2]}0000")
        assert division.parent_code == (None if division.level == 1 else above)


def test_the_shipped_file_is_plain_text_with_one_row_a_line():
    data = files("crawler").joinpath("divisions.csv").read_bytes()
    assert data.decode("utf-8").count("\n") == 1 + sum(1 for _ in divisions.rows())
    assert b"\r" not in data
    assert b'"' not in data


@pytest.mark.parametrize(
    ("code", "later"),
    [
        ("132533", "130733"),  # 崇礼县, under another prefecture
        ("130733", "130709"),  # 崇礼区 then
        ("510202", "500103"),  # 渝中区 (市中区), when 重庆 left 四川
        ("132134", "130421"),  # 邯郸县, not 邯郸市, which ended in the same year
        ("132505", "130705"),  # 宣化区, not 宣化县
        ("110103", None),  # 崇文区 became part of 东城区
        ("132105", None),  # 郊区 of which prefecture?
        ("610424", None),  # 乾县 is there still
    ],
)
def test_a_code_that_ended_leads_to_the_one_that_took_its_place(code, later):
    found = successor(code)
    assert (found and found.code) == later
    if later:
        assert code in {division.code for division in predecessors(later)}


def test_every_successor_begins_the_year_after_and_on_the_same_level():
    ended = {division.code: division for division in divisions.rows()}
    led = [(division, successor(code)) for code, division in ended.items() if successor(code)]
    assert len(led) == 2803
    assert all(later.from_year == before.to_year + 1 and later.level == before.level for before, later in led)
