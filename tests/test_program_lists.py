"""Families whose later list pages come from programs: what is asked for, and that no answer breaks a spider."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.base import PortalSpider
from spiders.epoint import EpointSpider
from spiders.jcms import JcmsSpider
from spiders.jpaas import JpaasSpider
from spiders.listing import Following, Listing
from spiders.longtech import LongtechSpider
from spiders.nfcms import NfcmsSpider

HOME = "http://www.liuxi.example"
GUID = "7eb5f7f1-9041-43ad-8e13-8fcb82ea831a"
STATES: list[tuple[type[PortalSpider], str, dict[str, Any]]] = [
    (JcmsSpider, "/col/col1/index.html", {}),
    (
        JcmsSpider,
        "/module/web/jpage/dataproxy.jsp",
        {"page": HOME, "proxy": HOME, "form": {}, "total": 99, "per_page": 5, "last": 15, "head": HOME},
    ),
    (JpaasSpider, "/col/col1/index.html", {}),
    (JpaasSpider, "/unit", {"address": HOME, "query": {}, "page": HOME, "rows": 15, "number": 2}),
    (NfcmsSpider, "/gkmlpt/index", {}),
    (NfcmsSpider, "/gkmlpt/api/all/0?sid=1", {"seen": 0}),
    (LongtechSpider, "/public/column/1", {}),
    (EpointSpider, "/dynamic/zwgk/govInfoPub.html?categorynum=003001", {}),
    (
        EpointSpider,
        "/EWB-FRONT/rest",
        {
            "page": HOME,
            "categorynum": "003",
            "deptcode": "",
            "action": HOME,
            "guid": GUID,
            "seen": 0,
            "asked": 0,
        },
    ),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("9" * 5_000),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "data html custom articles classify post_count total infourl infodate url post_url title date".split()
            ),
            inner,
        )
    ),
    max_leaves=8,
)
MARKUP = st.lists(
    st.sampled_from(
        [
            "<datastore>", "</datastore>", "<record>", "<![CDATA[", "]]>", "</record>", "<li>", "2024-01-02", "标题",
            "<a href='/art/2024/1/2/art_1_2.html'>", "</a>", "<nextgroup>", "<a href='dataproxy.jsp?columnid=1&unitid=2'>",
            "totalRecord:9,perPage:0,proxyUrl:'//[/'", "<i queryData=\"{'webId':'1','pageId':'2','tplSetId':'3'}\" count=x rows=0>",
            "SID: '1'", "{publicInfoList: 'x', a: 1}", "'/site/label/8888?a'", "pageCount:3", "location.href='?pageIndex='+pageIndex",
            f"siteGuid: '{GUID}'", "<script src='/js/webBuilderCommon.js'>", "<span id=index>1/9</span>", "<base href='//['>",
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip


def listing(text: str, *, path: str = "/col/col1/index.html", state: dict[str, Any] | None = None) -> Listing:
    return Listing.parse(url=HOME + path, number=1, text=text, state=state)


@pytest.mark.parametrize(("family", "path", "state"), STATES)
@given(text=st.text(max_size=300) | MARKUP | JSON.map(json.dumps))
def test_any_answer_is_read_without_an_error(
    family: type[PortalSpider], path: str, state: dict[str, Any], text: str
) -> None:
    spider, page = family(), listing(text, path=path, state=state)
    links = list(spider.links(page))
    following = spider.next_page(page)
    assert all(link.url.startswith("http") for link in links)
    assert following is None or isinstance(following, str) or json.dumps(dict(following.state))


def island(records: int, total: int, *, columnid: str = "1", unitid: str = "25630") -> str:
    items = "".join(
        f'<record><![CDATA[<li><a href="/art/2024/1/2/art_1_{n}.html" title="柳溪县新闻{n}">柳溪…</a><b>2024-01-02</b></li>]]></record>'
        for n in range(records)
    )
    group = (
        f"/module/web/jpage/dataproxy.jsp?page=1&amp;webid=49&amp;path=/&amp;columnid={columnid}&amp;unitid={unitid}"
    )
    return (
        f'<script type="text/xml"><datastore><nextgroup><![CDATA[<a href="{group}"></a>]]></nextgroup><recordset>{items}'
        f"</recordset></datastore></script><script>$('#u').jpage({{perPage:5,totalRecord:{total}}});</script>"
    )


def test_the_second_batch_begins_where_the_data_island_ends() -> None:
    following = JcmsSpider().next_page(listing(island(13, 40)))
    assert isinstance(following, Following)
    assert parse_qs(urlsplit(following.url).query) == {
        "startrecord": ["14"], "endrecord": ["28"], "perpage": ["5"]
    }  # fmt: skip
    assert parse_qs(following.body)["unitid"] == ["25630"]


def test_a_data_island_with_all_records_has_no_second_batch() -> None:
    assert JcmsSpider().next_page(listing(island(13, 13))) is None


def test_an_encrypted_unit_is_handed_back_as_it_is() -> None:
    following = JcmsSpider().next_page(listing(island(3, 9, columnid="a%2BF=", unitid="x/9%3D")))
    assert isinstance(following, Following)
    assert parse_qs(following.body)["columnid"] == ["a+F="]
    assert parse_qs(following.body)["unitid"] == ["x/9="]


def test_of_two_data_islands_that_of_the_page_s_column_is_read() -> None:
    side = island(9, 99, columnid="2", unitid="7").replace("art_1_", "art_2_")
    links = list(JcmsSpider().links(listing(side + island(3, 3))))
    assert [urlsplit(link.url).path for link in links] == [f"/art/2024/1/2/art_1_{n}.html" for n in range(3)]


def test_the_pager_of_a_jpaas_unit_says_when_it_ends() -> None:
    def page(count: int) -> Listing:
        query = "{'parseType':'bulidstatic','webId':'1','pageId':'2','tplSetId':'3','tagId':'信息列表'}"
        return listing(f'<table class="pagination" queryData="{query}" unitUrl="/unit" count="{count}" rows="15">')

    following = JpaasSpider().next_page(page(16))
    assert isinstance(following, Following)
    assert json.loads(parse_qs(urlsplit(following.url).query)["paramJson"][0]) == {"pageNo": 2, "pageSize": 15}
    assert JpaasSpider().next_page(page(15)) is None


@pytest.mark.parametrize("value", [1685237400, "1685237400", "2023-05-28 09:30:00"])
def test_a_day_in_seconds_or_in_digits_is_the_same_day(value: int | str) -> None:
    body = {"articles": [{"url": "/gkmlpt/content/1/2/post_3.html", "title": "通知", "date": value}]}
    spider = NfcmsSpider()
    spider.hosts = frozenset({"www.liuxi.example"})
    (link,) = spider.links(listing(json.dumps(body), path="/gkmlpt/api/all/475?page=1&sid=1"))
    assert (link.url, link.published) == (f"{HOME}/gkmlpt/content/1/2/post_3.html", "2023-05-28")


def test_a_label_s_whole_address_in_the_script_is_asked_for_page_by_page() -> None:
    address = "/hs/site/label/8888?labelName=publicInfoList&siteId=1&pageIndex=1&catId=2&file=%2Fxxgk%2FpublicInfoList"
    following = LongtechSpider().next_page(
        listing(f"<script>var u = '{address}'; f({{pageCount:9}});</script>", path="/public/column/1")
    )
    assert isinstance(following, Following)
    assert parse_qs(urlsplit(following.url).query)["pageIndex"] == ["2"]
    assert urlsplit(following.url).path == "/hs/site/label/8888"
