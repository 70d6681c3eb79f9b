"""Pages of places and portals over an archive with a history: who reprinted whom, what was missed, what places became."""

import asyncio
import html
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette.app import Datasette

from crawler.archive import mentions, runs, withholding, writer
from crawler.archive.connection import open_archive, transaction
from crawler.archive.reprint_flows import reprinted
from crawler.archive.reprints import first_appearance
from crawler.publish.server import open_site
from crawler.records import Mention, SpamSpan
from tests.support.archive import RUN, article, batch, begin

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
QIAN, QINGSHUI, CHONGLI = "610424", "620521", "130709"
PORTALS = {
    "qian": ("乾县人民政府", QIAN),
    "daily": ("乾县日报", QIAN),
    "qingshui": ("清水县人民政府", QINGSHUI),
    "chongli": (HOSTILE, CHONGLI),
}

STORIES = (
    # Told by (portal, day), the first first; the pairs that were found among them, by their places.
    ((("qian", "2023-01-01"), ("qingshui", "2023-01-03"), ("chongli", "2023-01-04")), ((0, 1, "same"), (1, 2, "edited"))),
    ((("qian", "2023-02-01"), ("qingshui", "2023-02-02"), ("daily", "2023-02-03")), ((0, 1, "same"), (0, 2, "same"))),
    ((("qingshui", "2023-03-01"), ("qian", "2023-03-05")), ((0, 1, "edited"),)),
    ((("chongli", "2023-04-01"), ("qian", "2023-04-02")), ((0, 1, "excerpt"),)),
)  # fmt: skip
WELL_ON = ("2024-01-01", "2024-01-02", "2024-01-06", "2024-01-10")
FAILED_ON = ("2024-01-04", "2024-01-07", "2024-01-12")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flows") / "archive.db"
    conn = begin(open_archive(path), *PORTALS)
    with transaction(conn):
        runs.load_divisions(conn)
        conn.executemany(
            "UPDATE portals SET name = ?, division_code = ? WHERE id = ?",
            [(name, code, key) for key, (name, code) in PORTALS.items()],
        )
    tell(conn)
    with transaction(conn):
        crawl(conn)
    conn.close()
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Datasette]:
    yield from opened(archive)


def opened(path: Path) -> Iterator[Datasette]:
    site = open_site(path, sql=False)
    yield site
    site.executor.shutdown()
    for database in site.databases.values():
        database.close()


def tell(conn: sqlite3.Connection) -> None:
    """Store the stories, the last printed first: an article's id says nothing of when it was printed."""
    for number, (told, pairs) in enumerate(STORIES):
        ids: dict[int, int] = {}
        for place, (portal, day) in reversed(list(enumerate(told))):
            spam = SpamSpan(position=-1, start=0, end=1, text="第", rule="chain", score=9.0, cut=True)
            item = article(
                f"第{number}件事的经过，由{portal}登出。",
                url=f"https://{portal}.example/{number}.html",
                portal_id=portal,
                title=f"第{number}件事",
                published=day,
                division=PORTALS[portal][1],
                spam=(spam,) if (number, portal) == (0, "qingshui") else (),
            )
            [written] = writer.write(conn, batch(item))
            ids[place] = written.article_id
            named = {QIAN, QINGSHUI, "610400", "610000"} if number < 2 else {QIAN}
            mentions.store(conn, ids[place], [Mention(division_code=code, count=1) for code in sorted(named)])
        conn.executemany(
            "INSERT INTO reprints (article_id, other_id, similarity, kind) VALUES (?, ?, 0.9, ?)",
            [(*sorted((ids[one], ids[other])), kind) for one, other, kind in pairs],
        )


def crawl(conn: sqlite3.Connection) -> None:
    """Nights of the two portals of one county: they fail by turns, and twice no run takes place."""
    days = sorted({*WELL_ON, *FAILED_ON})
    conn.execute("DELETE FROM portal_runs")
    conn.execute("UPDATE runs SET status = 'ok' WHERE id = ?", (RUN,))
    conn.executemany("INSERT INTO runs VALUES (?, ?, NULL, 'ok')", [(day, f"{day}T20:00:00Z") for day in days])
    conn.executemany(
        "INSERT INTO portal_runs (run_id, portal_id, status) VALUES (?, ?, ?)",
        [(day, "qian", "ok" if day in WELL_ON else "failed") for day in days] + [("2024-01-07", "daily", "ok")],
    )
    conn.execute(
        "INSERT INTO hosts (host, scheme, checked_at, other_failed_at, other_failure) VALUES"
        " ('daily.example', 'http', '2024-01-07T20:00:00Z', '2024-01-07T19:59:00Z', ?)",
        (f"no handshake {HOSTILE}",),
    )
    conn.execute(
        "INSERT INTO hosts (host, scheme, checked_at, tls_protocol, certificate_problem, certificate_subject) VALUES"
        " ('qian.example', 'https', '2024-01-07T20:00:00Z', 'TLSv1.2', 'certificate has expired', ?)",
        (HOSTILE,),
    )


def get(site: Any, path: str) -> httpx.Response:
    response: httpx.Response = asyncio.run(site.client.get(path))
    return response


def partners(flow: dict[str, Any]) -> dict[str, int]:
    return {one["portal_id"]: one["articles"] for one in flow["partners"]}


def test_a_reprint_leads_to_the_first_appearance_of_its_story(archive: Path) -> None:
    conn = open_archive(archive, readonly=True)
    found = reprinted(conn)
    assert [one.first_id for one in found] == [first_appearance(conn, one.article_id).article_id for one in found]
    assert len(found) == len({one.article_id for one in found}) == 5
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    conn.close()


def test_a_portal_says_from_whom_it_reprints_and_who_reprints_it(site: Any) -> None:
    said = get(site, "/portal/qian.json").json()["reprints"]
    assert partners(said["taken"]) == {"qingshui": 1}
    assert partners(said["given"]) == {"qingshui": 2, "chongli": 1, "daily": 1}
    assert (said["taken"]["articles"], said["given"]["articles"]) == (1, 4)


def test_what_portals_of_one_place_take_from_each_other_is_no_flow_of_the_place(site: Any) -> None:
    for code in (QIAN, "610400", "610000"):
        said = get(site, f"/county/{code}.json").json()["reprints"]
        assert partners(said["taken"]) == {"qingshui": 1}
        assert partners(said["given"]) == {"qingshui": 2, "chongli": 1}


def test_each_number_of_reprints_leads_to_a_list_of_as_many(site: Any) -> None:
    for page in ("/portal/qian", f"/county/{QIAN}", "/county/610000", "/portal/chongli"):
        said = get(site, f"{page}.json").json()["reprints"]
        markup = html.unescape(get(site, page).text)
        flows = [(flow["href"], flow["articles"]) for flow in said.values() if flow["partners"]]
        flows += [(one["href"], one["articles"]) for flow in said.values() for one in flow["partners"]]
        assert flows
        for href, number in flows:
            assert f'href="{href}"' in markup
            listed = get(site, href.replace("/reprints?", "/reprints.json?")).json()
            assert listed["total"] == len(listed["reprints"]) == number
            assert all(one["first"]["id"] != one["later"]["id"] for one in listed["reprints"])
            assert get(site, href).text.count('class="headline"') == number


def test_a_withheld_article_is_in_no_list_of_reprints(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive.db"
    with sqlite3.connect(archive) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    opening = opened(copy)
    served = next(opening)
    before = get(served, "/reprints.json").json()
    hidden = before["reprints"][0]["first"]["id"]
    conn = open_archive(copy)
    withholding.withhold(conn, hidden, "a private person")
    conn.close()
    after = get(served, "/reprints.json").json()
    assert hidden not in {one[side]["id"] for one in after["reprints"] for side in ("first", "later")}
    assert list(opening) == []


def test_places_of_one_level_that_are_named_together_are_listed_with_the_articles_that_name_both(site: Any) -> None:
    [other] = get(site, f"/county/{QIAN}.json").json()["named_together"]
    assert (other["code"], other["name"], other["articles"]) == (QINGSHUI, "清水县", 6)
    path = f"/county/{QIAN}/with/{QINGSHUI}"
    assert f'href="{path}"' in get(site, f"/county/{QIAN}").text
    listed = get(site, f"{path}.json").json()
    assert listed["total"] == len(listed["articles"]) == 6
    assert [one["day"] for one in listed["articles"]] == sorted(
        (one["day"] for one in listed["articles"]), reverse=True
    )
    assert "没有文章同时提到这两个地方" in get(site, f"/county/{QIAN}/with/{CHONGLI}").text


def test_nights_without_a_crawl_that_went_well_are_counted_and_the_longest_named(site: Any) -> None:
    said = get(site, "/portal/qian.json").json()["nights"]
    assert (said["first"], said["last"], said["all"], said["missed"]) == ("2024-01-01", "2024-01-12", 12, 8)
    spells = [("2024-01-07", "2024-01-09", 3), ("2024-01-03", "2024-01-05", 3), ("2024-01-11", "2024-01-12", 2)]
    assert [(one["first"], one["last"], one["nights"]) for one in said["silences"]] == spells
    page = get(site, "/portal/qian").text
    assert "12 夜里，有 8 夜没有抓成" in page
    assert "2024-01-07 至 2024-01-09（3 夜）" in page


def test_a_night_of_a_place_is_missed_only_where_none_of_its_portals_was_fetched_well(site: Any) -> None:
    said = get(site, f"/county/{QIAN}.json").json()["nights"]
    assert said["missed"] == 7
    assert {"first": "2024-01-08", "last": "2024-01-09", "nights": 2} in said["silences"]
    assert get(site, f"/county/{QINGSHUI}.json").json()["nights"]["first"] is None


def test_a_renamed_county_leads_to_its_codes_before_and_after(site: Any) -> None:
    said = get(site, "/county/130733.json").json()
    assert (said["predecessors"], said["successor"]) == (["132533"], "130709")
    page = get(site, "/county/130733?_lang=en").text
    assert re.search(
        r'Before that <a href="/county/132533\?_lang=en"><span lang="zh-Hans">崇礼县</span> 132533</a>', page
    )
    assert re.search(
        r'After that <a href="/county/130709\?_lang=en"><span lang="zh-Hans">崇礼区</span> 130709</a>', page
    )
    assert get(site, f"/county/{CHONGLI}.json").json()["predecessors"] == ["130733"]
    assert "此前是" not in get(site, "/county/610000").text


def test_a_portal_says_how_its_host_is_reached(site: Any) -> None:
    page = get(site, "/portal/qian?_lang=en").text
    assert "TLSv1.2" in page
    assert "certificate has expired" in page
    page = get(site, "/portal/daily?_lang=en").text
    assert "No answer under https" in page
    assert "no handshake" in page
    assert "http, unencrypted" in page
    assert "http，不加密" in get(site, "/portal/daily").text
    assert "Connection" not in get(site, "/portal/qingshui?_lang=en").text


def test_a_portal_with_injected_advertisements_says_so_and_leads_to_the_evidence(site: Any) -> None:
    assert get(site, "/portal/qingshui.json").json()["defaced"] == {"articles": 1, "still": 1}
    for path in ("/portal/qingshui", "/portal"):
        assert 'href="/defaced?portal=qingshui"' in get(site, path).text
    assert get(site, "/defaced?portal=qingshui").status_code == 200
    assert "/defaced?portal=" not in get(site, "/portal/qian").text


def test_portals_can_be_narrowed_to_a_province(site: Any) -> None:
    listed = get(site, "/portal.json?division=61").json()["portals"]
    assert {one["id"] for one in listed} == {"qian", "daily"}
    assert "noindex" in get(site, "/portal?division=61").text
    assert get(site, "/portal.json?division=nowhere").json()["total"] == len(PORTALS)


def test_every_place_and_portal_is_in_the_sitemap_and_the_frame_leads_there(site: Any) -> None:
    listed = get(site, "/sitemap-0.xml").text
    for path in ("/county", "/portal", "/county/610424", "/county/610400", "/county/610000", "/portal/qian"):
        assert f"http://localhost{path}</loc>" in listed
    home = get(site, "/").text
    assert 'href="/county"' in home
    assert 'href="/portal"' in home


@pytest.mark.parametrize(
    "path", ["/reprints", f"/reprints?from_division={CHONGLI}", "/reprints?to=chongli", "/portal/chongli", "/portal/daily",
             "/portal/qian", f"/county/{CHONGLI}", "/reprints?from=<script>&to_division=<img>"]
)  # fmt: skip
def test_nothing_hostile_runs(site: Any, path: str) -> None:
    page = get(site, path)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "<img" not in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reprints?page=999999999999999999999", 200),
        ("/reprints?from=%00%ff&to_division=999999", 200),
        ("/reprints?from_division=" + "9" * 5_000, 200),
        ("/reprints.json?to=nobody", 200),
        (f"/county/{QIAN}/with/{QIAN}", 404),
        (f"/county/{QIAN}/with/999999", 404),
        (f"/county/000000/with/{QIAN}", 404),
        (f"/county/{QIAN}/with/610424'--", 404),
        (f"/county/{QIAN}/with/{QINGSHUI}?page=-1", 200),
    ],
)
def test_odd_addresses_have_an_answer(site: Any, path: str, status: int) -> None:
    assert get(site, path).status_code == status
