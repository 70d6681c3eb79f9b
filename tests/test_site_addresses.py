"""No address gives a 500: our pages', Datasette's tables', rows' and questions', whatever stands in them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.publish import metadata
from tests.support import stories
from tests.support.sites import get, opened

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
ANSWERS = {200, 302, 400, 403, 404}
IN_SMALL, IN_FULL = 100, 5_000
"""Cases of each of the two trials below."""

ODD = (
    *("", "0", "1", "-1", "1e9", "9" * 30, str(2**63), str(-(2**63)), "0x1f", "１２３", "٣", "²", "NaN", "inf", "1.5"),
    *("nope", "x,y", "1,2", "'", '"', '""', "[", "]", "[]", "[1", "{}", '["a"]', "null", "%", "_", "--", ";", "~", "~zz"),
    *("\x00", "a\x00b", "\ud800", "\uffff", "\u202e\u2066", "\u200f", "é", "县", "乾縣", "🀄", "a" * 9_000, "县" * 3_000),
    *("AND", "AND OR NEAR(", "NEAR(a b, 99)", "a*", "^a", "title:", 'title : "', "-", "-a", "(a", "{a}:b", "标题:", "从:"),
    *("从:9999", "地区:610424", "状态:", "site:.", "from:2014-99-99", "2014-02-30", "2099-12", "20141332"),
    *("select 1", "select :a", "1=1", "(select 1)", "id = 1 limit 1", "drop table articles", "with x as (select 1) select *"),
    *("portal_id", "title", "published", "rowid", "articles.title", "on", "off", "array", "objects", "arrayfirst", "arrays"),
    *("object", "1..2", "2..", "..", "../../etc/passwd", "http://[", "javascript:alert(1)", "edited", "gone", "relevance"),
    HOSTILE,
)  # fmt: skip
NAMES = (
    *("_sort", "_sort_desc", "_sort_by_desc", "_facet", "_facet_array", "_facet_date", "_facet_year", "_facet_size"),
    *("_size", "_next", "_search", "_search_title", "_search_nope", "_searchmode", "_where", "_col", "_nocol", "_shape"),
    *("_labels", "_label", "_stream", "_dl", "_header", "_ttl", "_timelimit", "_nofacet", "_nosuggest", "_nocount"),
    *("_json", "_json_infinity", "_nl", "_extra", "_through", "_fts_table", "_fts_pk", "_blob_column", "_blob_hash"),
    *("_filter_column", "_filter_op", "_filter_value", "_filter_column_1", "_filter_op_1", "_filter_value_1"),
    *("_hash", "_trace", "_context", "_format", "_hide_sql", "_show_sql", "_lang"),
    *("id__gt", "id__in", "id__nope", "nope__gt", "title__like", "title__glob", "title__arraycontains", "title__date"),
    *("title__isnull", "published__contains", "published__startswith", "portal_id__exact", "__", "id__"),
    *("q", "from", "to", "division", "portal", "state", "sort", "page", "kind", "version", "compare", "style"),
    *("county", "year", "article", "section", "paragraph", "words", "sql"),
)  # fmt: skip
OURS = (
    *("/", "/index.json", "/search", "/search.json", "/search.atom", "/export.csv", "/articles.atom", "/changes"),
    *("/changes.json", "/changes.atom", "/defaced", "/defaced.json", "/about", "/about.json", "/county", "/county.json"),
    *("/county/610424", "/county/610000.json", "/portal", "/portal.json", "/portal/lingyang", "/portal/baishi.json"),
    *("/article/1", "/article/1.json", "/article/1.bib", "/article/1.ris", "/article/5", "/section/1", "/section/1.json"),
    *("/sitemap.xml", "/sitemap-0.xml", "/sitemap-1.xml", "/robots.txt", "/nothing"),
)  # fmt: skip
PIECES = (
    *("archive", "archive-1", "articles", "articles_fts", "article", "county", "portal", "section", "search", "1", "1,2"),
    *("newest_articles", "title", ".json", "articles.json", "articles.csv", "articles.blob", "1.json", "-", "static"),
    *("..", ".", "-facet", "sitemap-9.xml", "~2F", "_internal", "sqlite_master"),
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path: Path = tmp_path_factory.mktemp("addresses") / "archive.db"
    stories.fill(path)
    with opened(path, sql=True) as site:
        yield site


@pytest.fixture(scope="module")
def paths(site: Any) -> list[str]:
    """Our pages; Datasette's of every table and question, as page, data and table; rows of each kind of key."""
    tables = [table["name"] for table in get(site, "/archive.json").json()["tables"]]
    named = [f"/archive/{name}{end}" for name in (*tables, *metadata.queries()) for end in ("", ".json", ".csv")]
    rows = ["articles/1", "version_sections/1,0", "divisions/610424,1980", "portals/lingyang", "runs/x", "articles/x"]
    return [*OURS, "/archive", "/archive.json", "/archive.csv", *named, *(f"/archive/{one}{end}" for one in rows for end in ("", ".json"))]  # fmt: skip


def status_of(site: Any, path: str, query: str = "") -> int:
    """The status of the answer to an address as it stands; an answer that breaks off raises."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = path.encode("ascii")
    scope = {"type": "http", "method": "GET", "path": unquote_to_bytes(raw).decode(errors="replace"), "raw_path": raw,
             "query_string": query.encode("ascii"), "headers": [(b"host", b"localhost")], "scheme": "http"}  # fmt: skip
    asyncio.run(site.app()(scope, receive, send))
    assert not sent[-1].get("more_body")
    return int(sent[0]["status"])


def answers(query: str) -> set[int]:
    """What may be answered to Datasette's pages; who asks for less time than a query takes is told that it was too long."""
    return ANSWERS | ({503} if "_timelimit" in query else set())


def escaped(text: str, *, safe: str = "") -> str:
    """*text* as it stands in an address, lone surrogates too."""
    return quote(text.encode(errors="surrogatepass"), safe=safe)


values = st.sampled_from(ODD) | st.text(max_size=12)
broken = st.sampled_from(("%", "%f", "%zz", "%ff%fe", "%C3", "%ED%A0%80", "%00", "+", "&&", "=", "a=b=c", "?", "%25zz"))
"""Pieces of an address that no program would write."""
pairs = st.tuples(st.sampled_from(NAMES) | st.text(max_size=6), values).map(
    lambda pair: f"{escaped(pair[0])}={escaped(pair[1])}"
)
named_twice = st.tuples(st.sampled_from(NAMES), values, values).map(
    lambda found: f"{found[0]}={escaped(found[1])}&{found[0]}={escaped(found[2])}"
)
broken_value = st.tuples(st.sampled_from(NAMES), broken).map("=".join)
queries = st.lists(pairs | named_twice | broken_value | broken, max_size=4).map("&".join)
odd_paths = st.lists(st.sampled_from(PIECES) | values.map(escaped) | broken, max_size=4).map(
    lambda pieces: "/" + "/".join(piece for piece in pieces if piece)
)


def hold(site: Any, paths: list[str], count: int) -> None:
    """Ask for *count* known paths with odd parameters, and for as many odd paths."""
    trial = settings(
        max_examples=count,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )

    @trial
    @given(st.sampled_from(paths), queries)
    def parameters(path: str, query: str) -> None:
        may_refuse = path.startswith("/archive") or path.endswith((".atom", ".csv"))
        assert status_of(site, path, query) in (answers(query) if may_refuse else ANSWERS - {400})

    @trial
    @given(odd_paths, queries | st.just(""))
    def places(path: str, query: str) -> None:
        assert status_of(site, path, query) in answers(query)

    parameters()
    places()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_no_address_makes_a_page_fail(site: Any, paths: list[str]) -> None:
    hold(site, paths, IN_SMALL)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_ten_thousand_addresses_make_no_page_fail(site: Any, paths: list[str]) -> None:
    hold(site, paths, IN_FULL)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("name", NAMES)
def test_no_parameter_with_any_odd_value_makes_a_page_fail(site: Any, name: str) -> None:
    for path in ("/search", "/changes", "/article/1", "/archive/articles", "/archive/articles.csv", "/archive.json"):
        for value in ODD:
            query = f"{name}={escaped(value)}"
            assert status_of(site, path, query) in answers(query), (path, value)
