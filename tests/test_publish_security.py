"""What the site keeps from harm: its readers, the machine, and what is the archive's own."""

import asyncio
import base64
import hashlib
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from datasette.app import Datasette
from hypothesis import given
from hypothesis import strategies as st

from crawler.publish import addresses, headers
from tests.support.printed import HOSTILE, fill
from tests.support.sites import Links, close, get, opened


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("publish") / "archive.db"
    fill(path)
    return path


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[Any]:
    with opened(archive, sql=True) as site:
        yield site


@pytest.fixture(scope="module")
def public_site(archive: Path) -> Iterator[Any]:
    with opened(archive, replay_base="https://replay.example/xianzhi/") as site:
        yield site


OURS = ("/", "/article/3", "/nothing/here")
DATASETTES = (
    "/archive",
    "/archive/articles",
    "/archive/articles?_facet=title&_sort=title",
    "/archive/articles/3",
    "/archive/articles/4",
    "/archive/versions",
    "/archive/versions/3",
    "/archive/sections",
    "/archive/version_sections",
    "/archive/article_texts",
    "/archive/captures",
    "/archive/newest_articles",
    "/archive/articles_of_a_county?county=乾县&year=2014",
    "/archive/articles_sharing_paragraphs?article=1",
    "/archive?sql=select+title,+source,+url+from+articles",
    "/archive?sql=select+nonsense",
)
PAGES = (*OURS, *DATASETTES)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_hostile_in_an_article_runs_or_leads_anywhere(site: Any, path: str) -> None:
    page = get(site, path).text
    links = Links(page)
    assert {urlsplit(address).scheme for address in links.addresses} <= {"", "http", "https"}
    assert links.handlers == []
    assert "img" not in links.elements
    assert not any("alert" in script for script in links.scripts)


def test_an_article_is_shown_with_the_characters_it_has(site: Any) -> None:
    assert html.escape(HOSTILE, quote=True).replace("&quot;", "&#34;") in get(site, "/archive/articles/3").text


def test_our_own_pages_have_no_script_and_may_run_none(site: Any) -> None:
    for path in ("/", "/search?q=扶贫", "/article/1", "/about", "/changes", "/defaced", "/county", "/portal"):
        response = get(site, path)
        assert response.status_code == 200, path
        assert not Links(response.text).scripts
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy


@pytest.mark.parametrize("path", DATASETTES)
def test_the_policy_names_every_inline_script_that_is_served(site: Any, path: str) -> None:
    scripts = Links(get(site, path).text).scripts
    served = {"sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts}
    assert scripts
    assert served <= set(headers.INLINE_SCRIPTS)


def test_the_policy_names_no_script_that_is_not_served(archive: Path) -> None:
    served = set()
    for allow_facet in (True, False):
        with opened(archive, sql=True) as site:
            site._settings["allow_facet"] = allow_facet
            for path in ("/archive", "/archive/articles"):
                served |= set(Links(get(site, path).text).scripts)
    digests = {"sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in served}
    assert digests == set(headers.INLINE_SCRIPTS)


@pytest.mark.parametrize("path", [*PAGES, "/-/static/app.css", "/-/versions.json", "/robots.txt", "/archive.json"])
def test_every_response_carries_the_security_headers(site: Any, path: str) -> None:
    response = get(site, path)
    for name, value in headers.HEADERS:
        if path not in OURS or name.lower() != b"content-security-policy":  # our own pages have a stricter one
            assert response.headers.get_list(name.decode()) == [value.decode()]
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


MACHINE_PAGES = (
    *("actor", "allow-debug", "auth-token", "config", "databases", "logout", "messages", "metadata", "patterns"),
    *("permissions", "plugins", "settings", "threads", "versions"),
)


@pytest.mark.parametrize("page", MACHINE_PAGES)
def test_pages_about_the_machine_are_closed(site: Any, page: str) -> None:
    for path in (f"/-/{page}", f"/-/{page}.json", f"/-/{page}?token=1", f"/-/static/../{page}", f"/%2D/{page}"):
        response = get(site, path, follow_redirects=True)
        assert response.status_code in {400, 404}, path
        assert str(Path(__file__).parent.parent) not in response.text


@pytest.mark.parametrize("path", ["/", "/article/3", "/archive", "/archive/articles", "/-/static/app.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"])
def test_whoever_wants_more_than_to_ask_is_refused(site: Any, path: str, method: str) -> None:
    response = asyncio.run(site.client.request(method, path, headers={"Content-Type": "multipart/form-data"}))
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("cookie", [b"\xff=1", b"a=\xe6", b"a/b=c", b"ds_actor=x", b"=;;"])
def test_a_cookie_of_another_site_on_the_host_spoils_no_page(site: Any, cookie: bytes) -> None:
    for path in ("/", "/archive/articles"):
        assert get(site, path, headers={b"Cookie": cookie}).status_code == 200


@pytest.mark.parametrize("path", ["//", "///", "//example.org/", "/\\example.org/", "/%5Cexample.org/"])
def test_no_address_leads_to_another_host_or_to_itself(site: Any, path: str) -> None:
    response = get(site, path)
    assert response.status_code in {302, 404}
    assert re.fullmatch(r"(?:/[\w~-].*)?", response.headers.get("location", "")), response.headers["location"]


def test_static_files_stay_open(site: Any) -> None:
    for address in Links(get(site, "/archive/articles").text).addresses:
        if "/-/static" in address:
            assert get(site, address).status_code == 200


def test_pages_about_the_machine_are_closed_below_a_base_url(archive: Path) -> None:
    site = Datasette([str(archive)], settings={"base_url": "/news/"})
    assert get(site, "/-/versions.json").status_code == 404
    assert get(site, "/-/static/app.css").status_code == 200
    for path in ("/", "/archive/articles/1", "/search?to=2015"):
        assert "/news/article/1" in Links(get(site, path).text).addresses
    close(site)


def test_the_database_cannot_be_downloaded(site: Any) -> None:
    assert get(site, "/archive.db").status_code == 403


def test_the_servers_own_tables_are_closed(site: Any) -> None:
    assert get(site, "/_internal").status_code == 403
    assert get(site, "/_memory").status_code == 404


def test_readers_write_sql_only_where_it_is_allowed(site: Any, public_site: Any) -> None:
    query = "/archive.json?sql=select+count(*)+from+articles&_shape=arrays"
    assert get(site, query).json()["rows"] == [[5]]
    assert get(public_site, query).status_code == 403
    assert get(public_site, "/archive/articles.json?_where=1").status_code == 403
    assert get(public_site, "/archive/articles.json?title__contains=大会&_shape=array").json()[0]["id"] == 1


def test_readers_sql_cannot_write_and_ends_in_time(site: Any) -> None:
    assert not get(site, "/archive.json?sql=delete+from+articles").json()["ok"]
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    response = get(site, f"/archive.json?sql={quote(endless)}")
    assert response.status_code == 400
    assert "Interrupted" in response.json()["title"]


def test_pages_are_compressed_and_robots_are_kept_out(site: Any) -> None:
    assert get(site, "/archive/articles", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "Disallow: /" in get(site, "/robots.txt").text


def test_the_queue_and_sqlites_own_tables_are_hidden(site: Any) -> None:
    tables = {table["name"]: table for table in get(site, "/archive.json").json()["tables"]}
    assert {name for name, table in tables.items() if table["hidden"]} >= {"frontier", "sqlite_sequence"}
    assert not tables["articles"]["hidden"]


@given(st.text())
def test_only_web_addresses_are_led_to(address: str) -> None:
    assert addresses.is_web_address(address) == bool(re.match("https?://[^/\\s]", address.lower()))
    assert not addresses.is_web_address("javascript:" + address)
