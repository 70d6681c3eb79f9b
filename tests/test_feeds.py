"""Feeds and sitemaps: what hostile and broken XML may do, what their times mean, what a night costs."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.demo.server import serve
from crawler.demo.site import Response, Site
from crawler.text import timestamps, xml
from spiders.sitemaps import changed_since
from tests.support.crawling import Archive, entry
from tests.support.planting import page, plant
from tests.zoo import Planted, article_html
from tests.zoo import feed as feed_zoo
from tests.zoo import founder_epaper as epaper_zoo

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "柳溪柳溪"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><rss><channel><title>&c;</title></channel></rss>'
)
FILE = '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/hostname">]><rss><title>&f;</title></rss>'
HIDDEN = '<!-- <![CDATA[ --><!DOCTYPE rss [<!ENTITY a "x">]><rss>&a;</rss>'


@pytest.mark.parametrize("text", [BOMB, FILE, HIDDEN], ids=["bomb", "file", "hidden"])
def test_a_document_that_declares_entities_is_refused(text: str) -> None:
    with pytest.raises(xml.XmlError, match="declares entities"):
        xml.parse(text)


@pytest.mark.parametrize("text", ["", "  ", "nothing here", "<?xml version='1.0'?>"])
def test_what_has_no_element_is_no_xml(text: str) -> None:
    with pytest.raises(xml.XmlError, match="no XML"):
        xml.parse(text)


def test_an_external_document_type_is_not_fetched() -> None:
    assert xml.words(xml.parse('<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/rss.dtd"><rss>柳溪</rss>')) == "柳溪"


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<a>http://x/?a=1&b=2</a>", "http://x/?a=1&b=2"),
        ("<a>http://x/?a=1&amp;b=2</a>", "http://x/?a=1&b=2"),
        ("<a><![CDATA[a&b &ldquo; <p>]]></a>", "a&b &ldquo; <p>"),
        ("<a>&ldquo;柳溪&rdquo;&nbsp;要闻&#8212;&#x4e00;</a>", "“柳溪” 要闻—一"),
        ("\ufeff\n<?xml version='1.0' encoding='gb2312'?><a>柳\0溪\x0b</a>", "柳溪"),
        ("<a>柳溪<b>要闻", "柳溪要闻"),
        ("<a>柳溪<!-- 要闻 --></a>", "柳溪"),
    ],
)
def test_slips_that_real_feeds_have_are_mended(markup: str, words: str) -> None:
    assert xml.words(xml.parse(markup)) == words


@given(
    st.text(max_size=200) | st.lists(st.sampled_from(["<a>", "</a>", "<![CDATA[", "]]>", "&", "&a;", "<!--", "-->"]))
)
def test_any_text_is_xml_or_an_xml_error(pieces: str | list[str]) -> None:
    try:
        xml.words(xml.parse("".join(pieces)))
    except xml.XmlError:
        return


def test_xml_of_any_depth_is_read() -> None:
    assert xml.local_name(xml.parse("<a>" * 100_000)) == "a"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sat, 27 May 2023 16:00:00 GMT", "2023-05-28T00:00:00+08:00"),
        ("Sun, 28 May 2023 00:00:00 +0800", "2023-05-28T00:00:00+08:00"),
        ("Sun, 28 May 2023 00:00:00 CST", "2023-05-28T00:00:00+08:00"),
        ("28 May 2023 10:00:00", "2023-05-28T10:00:00+08:00"),
        ("2023-05-27T16:00:00Z", "2023-05-28T00:00:00+08:00"),
        ("2023-05-28T09:30:15.123+08:00", "2023-05-28T09:30:15+08:00"),
        ("2023-05-28 09:30", "2023-05-28T09:30:00+08:00"),
        ("2023-05-28", "2023-05-28"),
        (" 2023年5月28日 ", "2023-05-28"),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_a_time_is_told_in_china_whatever_zone_it_is_printed_in(text: str, moment: str | None) -> None:
    assert timestamps.read(text) == moment


@given(
    st.text(max_size=80) | st.from_regex(r"\A(Sun, )?\d{1,4}[ -](May|\d{1,3})[ -]\d{1,5}([ T]\d\d:\d\d(Z|[+-]\d{4})?)?")
)
def test_any_text_is_a_time_or_none(text: str) -> None:
    timestamps.read(text)


def test_a_feed_is_archived_as_one(tmp_path: Path) -> None:
    archive, zoo = Archive(tmp_path), feed_zoo.portals()[0]
    with serve({"feed": zoo.site}) as urls:
        line = zoo.entry[0].replace("{base}", urls["feed"])
        archive.write_catalogue(entry("feed", urls["feed"], line, 'cms = "feed"'))
        archive.crawl("--jobs", "1")
    assert archive.query("SELECT kind, count(*) FROM captures GROUP BY 1 ORDER BY 1") == [
        ("article", 30),
        ("feed", 3),
        ("robots", 1),
    ]


@pytest.mark.parametrize("body", [BOMB, "<html><body>404</body></html>", ""], ids=["bomb", "html", "empty"])
def test_a_sitemap_that_is_none_fails_its_portal_with_the_reason(body: str, tmp_path: Path) -> None:
    archive, site = Archive(tmp_path), Site({"/sitemap.xml": Response(body=body.encode())})
    with serve({"map": site}) as urls:
        _catalogue(archive, urls["map"], "sitemap", "/sitemap.xml")
        done = archive.crawl("--jobs", "1")
    assert (done.exit_code, done.portal("map")["status"]) == (1, "failed")
    assert "XmlError" in done.portal("map")["reason"]


def test_a_part_of_an_index_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    planted = plant(3, lambda n: f"/2023/0528/{n + 100}.html")
    archive, site = Archive(tmp_path), _indexed({"a": planted[:1], "b": planted[1:2]}, b="2023-06-01")
    with serve({"map": site}) as urls:
        _catalogue(archive, urls["map"], "sitemap", "/sitemap.xml")
        archive.crawl("--jobs", "1")
        site.hits.clear()
        site.publish(_indexed({"a": planted[:1], "b": planted[1:]}, b="2023-06-02").pages)
        archive.crawl("--jobs", "1")
    asked = {path for path, _ in site.hits}
    assert asked == {"/robots.txt", "/sitemap.xml", "/b.xml", planted[2].path}


def test_a_part_that_changed_today_is_read_again_tomorrow(tmp_path: Path) -> None:
    planted = plant(1, lambda _: "/2023/0528/100.html")
    archive, site = Archive(tmp_path), _indexed({"b": planted}, b=timestamps.today().isoformat())
    with serve({"map": site}) as urls:
        _catalogue(archive, urls["map"], "sitemap", "/sitemap.xml")
        archive.crawl("--jobs", "1")
        site.hits.clear()
        archive.crawl("--jobs", "1")
    assert site.hits["/b.xml", 200] == 1


def _indexed(parts: dict[str, list[Planted]], *, b: str) -> Site:
    changed = {"a": "2023-05-01", "b": b}
    pages = {article.path: page(article_html(article).decode()) for items in parts.values() for article in items}
    for name, items in parts.items():
        entries = "".join(f"<url><loc>{article.path}</loc></url>" for article in items)
        pages[f"/{name}.xml"] = Response(body=f"<urlset>{entries}</urlset>".encode())
    index = "".join(f"<sitemap><loc>/{name}.xml</loc><lastmod>{changed[name]}</lastmod></sitemap>" for name in parts)
    pages["/sitemap.xml"] = Response(body=f"<sitemapindex>{index}</sitemapindex>".encode())
    return Site(pages)


def _catalogue(archive: Archive, base: str, family: str, path: str) -> None:
    archive.write_catalogue(entry("map", base, f'sitemaps = ["{base}{path}"]', f'cms = "{family}"'))


def test_of_a_newspaper_the_calendar_is_not_followed_and_since_ends_the_walk(tmp_path: Path) -> None:
    archive, zoo = Archive(tmp_path), epaper_zoo.portals()[0]
    since = timestamps.today() - timedelta(days=2)
    with serve({"paper": zoo.site}) as urls:
        text = entry("paper", urls["paper"], 'cms = "founder_epaper"')
        archive.write_catalogue(text.replace("/news/", zoo.lists[0]))
        archive.crawl("--jobs", "1", "--since", since.isoformat())
        assert archive.one("SELECT min(substr(published, 1, 10)) FROM articles") == since.isoformat()
        archive.crawl("--jobs", "1")
    assert archive.one("SELECT count(*) FROM articles") == len(zoo.planted)
    assert not [path for path, _ in zoo.site.hits if path.endswith("node_1.htm") and _age(path) > epaper_zoo.FIRST_AGE]


def _age(path: str) -> int:
    day = timestamps.read(path[len("/paper/lxrb/html/") :][:10].replace("/", "-"))
    return (timestamps.today() - type(timestamps.today()).fromisoformat(str(day))).days


@pytest.mark.parametrize(
    ("family", "reason"),
    [("founder_epaper", "names no day"), ("feed", "no feeds"), ("sitemap", "no sitemaps")],
)
def test_an_entry_that_gives_its_family_nothing_to_start_from_fails_with_the_reason(
    family: str, reason: str, tmp_path: Path
) -> None:
    archive = Archive(tmp_path)
    with serve({"x": Site({})}) as urls:
        archive.write_catalogue(entry("x", urls["x"], f'cms = "{family}"'))
        done = archive.crawl("--jobs", "1")
    assert (done.exit_code, done.portal("x")["status"]) == (1, "failed")
    assert reason in done.portal("x")["reason"]


# Besides the lists, for a portal of any family.


def besides(planted: list[Planted], *, changed: dict[str, str] | None = None) -> dict[str, Response]:
    """A list, a feed and a sitemap; each names a third of the articles, the sitemap also those of *changed*."""
    third = len(planted) // 3
    pages = {each.path: page(article_html(each).decode()) for each in planted}
    items = "".join(f'<li><a href="{each.path}">{each.title}</a><b>{each.day}</b></li>' for each in planted[:third])
    pages["/news/"] = page(f"<ul>{items}</ul>")
    fed = "".join(
        f"<item><title>{each.title}</title><link>{each.path}</link><pubDate>{each.day}</pubDate></item>"
        for each in planted[third : 2 * third]
    )
    pages["/rss.xml"] = Response(body=f"<rss><channel>{fed}</channel></rss>".encode())
    stamps = dict.fromkeys((each.path for each in planted[2 * third :]), "2023-06-01") | (changed or {})
    urls = "".join(f"<url><loc>{path}</loc><lastmod>{day}</lastmod></url>" for path, day in stamps.items())
    pages["/sitemap.xml"] = Response(body=f"<urlset>{urls}</urlset>".encode())
    return pages


def write_besides(archive: Archive, base: str, *more: str) -> None:
    lines = (f'feeds = ["{base}/rss.xml"]', f'sitemaps = ["{base}/sitemap.xml"]')
    archive.write_catalogue(entry("liuxi", base, *lines, *more))


@pytest.mark.parametrize("family", ["generic", "trs"])
def test_feeds_and_sitemaps_are_read_besides_the_lists_of_any_family(family: str, tmp_path: Path) -> None:
    planted = plant(9, lambda n: f"/news/202305/t20230528_{n + 100}.html")
    archive, site = Archive(tmp_path), Site(besides(planted), validators=True)
    with serve({"liuxi": site}) as urls:
        write_besides(archive, urls["liuxi"], f'cms = "{family}"')
        assert archive.crawl("--jobs", "1").portal("liuxi")["new"] == 9
        site.hits.clear()
        quiet = archive.crawl("--jobs", "1")
        assert (quiet.exit_code, quiet.portal("liuxi")["failed"]) == (0, 0)
        assert dict(site.hits) == {
            ("/robots.txt", 404): 1, ("/news/", 200): 1, ("/rss.xml", 304): 1, ("/sitemap.xml", 304): 1
        }  # fmt: skip
        more = plant(12, lambda n: f"/news/202305/t20230528_{n + 100}.html")
        site.publish(besides(more))
        assert archive.crawl("--jobs", "1").portal("liuxi")["new"] == 3
        site.hits.clear()
        archive.crawl("--jobs", "1", "--full")
    assert (site.hits["/rss.xml", 200], site.hits["/sitemap.xml", 200]) == (1, 1)
    assert archive.query("SELECT DISTINCT kind FROM captures WHERE url LIKE '%.xml'") == [("feed",)]


def test_what_a_feed_names_from_before_since_is_still_found_without_it(tmp_path: Path) -> None:
    planted = plant(9, lambda n: f"/news/202305/t20230528_{n + 100}.html")
    archive, site = Archive(tmp_path), Site(besides(planted), validators=True)
    with serve({"liuxi": site}) as urls:
        write_besides(archive, urls["liuxi"], 'cms = "feed"')
        archive.crawl("--jobs", "1", "--since", planted[4].day)
        assert archive.one("SELECT count(*) FROM articles") == 5  # the sitemap's three have no day of their own
        archive.crawl("--jobs", "1")
        assert archive.one("SELECT count(*) FROM articles") == 6


def test_an_article_that_a_sitemap_says_was_changed_is_looked_at_again(tmp_path: Path) -> None:
    planted = plant(9, lambda n: f"/news/202305/t20230528_{n + 100}.html")
    archive, site = Archive(tmp_path), Site(besides(planted), validators=True)
    with serve({"liuxi": site}) as urls:
        write_besides(archive, urls["liuxi"], "")
        archive.crawl("--jobs", "1")
        with sqlite3.connect(archive.db) as conn:  # as if the first night had been some days ago
            conn.execute("UPDATE frontier SET updated_at = '2024-01-01T00:00:00Z'")
        conn.close()
        today = timestamps.today().isoformat()
        site.publish(besides(planted, changed={planted[2].path: today, planted[7].path: today}))
        site.replace(planted[2].path, page(article_html(replace(planted[2], text=planted[5].text)).decode()))
        site.hits.clear()
        night = archive.crawl("--jobs", "1").portal("liuxi")
        assert (night["new"], night["changed"], night["unchanged"]) == (0, 1, 1)
        assert (site.hits[planted[2].path, 200], site.hits[planted[7].path, 304]) == (1, 1)
        site.hits.clear()
        archive.crawl("--jobs", "1")
    assert not [path for path, _ in site.hits if path in {article.path for article in planted}]
    assert archive.query("SELECT published FROM articles WHERE url LIKE ?", f"%{planted[2].path}") == [
        (planted[2].day,)
    ]


LOOKED = datetime(2024, 5, 1, 18, 0, tzinfo=UTC)
"""In China already the second of May."""


@pytest.mark.parametrize(
    ("changed", "is_later"),
    [("2024-05-02", False), ("2024-05-02T23:00:00+08:00", False), ("2024-05-03", True), ("2024-04-30", False)],
)
def test_a_change_counts_from_the_day_after_the_last_look(changed: str, is_later: bool) -> None:
    assert changed_since({"a": changed}, {"a": LOOKED}) == (["a"] if is_later else [])


def test_days_to_come_and_days_stamped_on_most_of_a_sitemap_are_no_changes() -> None:
    keys = [str(number) for number in range(10)]
    looks = dict.fromkeys(keys, LOOKED)
    assert changed_since({"a": "2099-01-01"}, {"a": LOOKED}) == []
    assert changed_since(dict.fromkeys(keys, "2024-06-01"), looks) == []
    stamped = dict.fromkeys(keys[:6], "2024-06-01") | dict.fromkeys(keys[6:], "2024-05-20")
    assert sorted(changed_since(stamped, looks)) == keys[6:]
    half = dict.fromkeys(keys[:5], "2024-06-01") | dict.fromkeys(keys[5:], "2024-01-01")
    assert sorted(changed_since(half, looks)) == keys[:5]


def test_a_sitemap_has_some_hundred_articles_looked_at_again_a_night_the_newest_first() -> None:
    days = {str(n): (LOOKED + timedelta(days=2 + n % 40)).date().isoformat() for n in range(2_000)}
    changed = changed_since(days, dict.fromkeys(days, LOOKED))
    assert len(changed) == 500
    assert min(days[key] for key in changed) > "2024-05-30"
