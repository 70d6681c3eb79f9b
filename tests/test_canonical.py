"""One row an article, however it is linked; and never two articles in one row."""

import time
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.demo.server import serve
from crawler.demo.site import Response, Site
from crawler.text.canonical import canonical, original
from crawler.text.urls import MAX_LENGTH, absolute, host_of, registered_domain
from tests.support.addresses import ADDRESSES, ANY_TEXT, DISGUISES, TWO_PAGES
from tests.support.crawling import HTML, Archive, article_page, entry, text_of, title_of

HOME = "https://www.yunling.gov.cn/"


@pytest.mark.parametrize(
    ("linked", "identity"),
    [
        ("HTTP://WWW.Yunling.GOV.cn:80/xw/", "http://www.yunling.gov.cn/xw/"),
        ("https://www.yunling.gov.cn:443", "https://www.yunling.gov.cn/"),
        ("https://www.yunling.gov.cn:8443/a", "https://www.yunling.gov.cn:8443/a"),
        ("http://www.yunling.gov.cn./a", "http://www.yunling.gov.cn/a"),
        ("http://user:secret@www.yunling.gov.cn/a", "http://www.yunling.gov.cn/a"),
        ("http://h.cn/a/./b/../c", "http://h.cn/a/c"),
        ("http://h.cn/a/%2e%2E/c", "http://h.cn/c"),
        ("http://h.cn/../../c", "http://h.cn/c"),
        ("http://h.cn/%7exw/%e4%b9%be", "http://h.cn/~xw/%E4%B9%BE"),
        ("http://h.cn/乾县?q=乾", "http://h.cn/%E4%B9%BE%E5%8E%BF?q=%E4%B9%BE"),
        ("http://h.cn/100%.html", "http://h.cn/100%25.html"),
        ("http://云岭.政务.cn/", "http://xn--9kqv75a.xn--zfr164b.cn/"),
        (" http://h.cn/a\n/b ", "http://h.cn/a/b"),
        ("http:\\\\h.cn\\a", "http://h.cn/a"),
    ],
)
def test_an_address_has_one_spelling(linked, identity):
    assert canonical(linked) == identity


@pytest.mark.parametrize(
    ("linked", "identity"),
    [
        ("http://h.cn/a.html#45", "http://h.cn/a.html"),
        ("http://h.cn/info/1.htm;jsessionid=0A1B2C!-3?id=1", "http://h.cn/info/1.htm?id=1"),
        ("http://h.cn/show.jsp?jsessionid=0A&id=1", "http://h.cn/show.jsp?id=1"),
        ("http://h.cn/show.jsp?id=1;jsessionid=0A", "http://h.cn/show.jsp?id=1"),
        ("http://h.cn/show.php?PHPSESSID=tk3v&id=1", "http://h.cn/show.php?id=1"),
        ("http://h.cn/a?sessionid=cd3fe35c46c24cdab030f7c8772fafd8", "http://h.cn/a"),
        ("http://h.cn/(S(lit3py55t21z5v55vlm25s55))/show.aspx?id=1", "http://h.cn/show.aspx?id=1"),
        ("http://h.cn/(X(1)S(lit3py55t21z5v55vlm25s55))/show.aspx?id=1", "http://h.cn/show.aspx?id=1"),
        ("http://h.cn/a?_=0.8361", "http://h.cn/a"),
        ("http://h.cn/a?_=1700000000000", "http://h.cn/a"),
        ("http://h.cn/a?t=1700000000000&id=3", "http://h.cn/a?id=3"),
        ("http://h.cn/a?id=3&t=0.7361", "http://h.cn/a?id=3"),
        ("http://h.cn/a?t=20140603072700&id=3", "http://h.cn/a?id=3"),
        ("http://h.cn/a?t=Tue Jun 03 2014 07:27:00 GMT+0800&id=3", "http://h.cn/a?id=3"),
        ("http://h.cn/a?T=1700000000&id=3", "http://h.cn/a?id=3"),
        ("http://h.cn/a?t=&id=3", "http://h.cn/a?id=3"),
        ("http://h.cn/a.html?v=20240506", "http://h.cn/a.html"),
        ("http://h.cn/a?jump=true", "http://h.cn/a"),
        ("http://h.cn/hainan/sj_list3.shtml?ddtab=true", "http://h.cn/hainan/sj_list3.shtml"),
        ("http://h.cn/a.html?print=1", "http://h.cn/a.html"),
        ("http://h.cn/a?from=singlemessage&isappinstalled=0", "http://h.cn/a"),
        ("http://h.cn/a?tdsourcetag=s_pcqq_aiomsg", "http://h.cn/a"),
        ("http://h.cn/a?utm_source=x&id=3&utm_medium=y", "http://h.cn/a?id=3"),
        ("http://h.cn/a?spm=chekydwncf.0.0.1.NBJDG4", "http://h.cn/a"),
    ],
)
def test_what_the_visit_leaves_in_an_address_is_dropped(linked, identity):
    assert canonical(linked) == identity


@pytest.mark.parametrize(
    ("linked", "identity"),
    [
        ("http://h.cn/xw/index.shtml", "http://h.cn/xw/"),
        ("http://h.cn/xw/index.html?t=1700000000000", "http://h.cn/xw/"),
        ("http://h.cn/xw/Default.aspx", "http://h.cn/xw/"),
        ("http://h.cn/xw/content/mpost_9360641.html", "http://h.cn/xw/content/post_9360641.html"),
        ("http://h.cn/gkmlpt/content/10/10799/mpost_7.html", "http://h.cn/gkmlpt/content/10/10799/post_7.html"),
        ("http://big5.www.h.gov.cn/gate/big5/www.h.gov.cn/xw/1.htm", "http://www.h.gov.cn/xw/1.htm"),
        ("http://www.h.gov.cn/gate/big5/www.h.gov.cn/xw/1.htm?id=3", "http://www.h.gov.cn/xw/1.htm?id=3"),
        ("http://big5.h.gov.cn:8080/gate/big5/www.h.gov.cn/", "http://www.h.gov.cn/"),
        ("http://www.h.gov.cn/gate/big5/www.h.gov.cn", "http://www.h.gov.cn/"),
        ("https://big5.h.gov.cn/gate/big5/xxgk.h.gov.cn:8080/1.htm", "https://xxgk.h.gov.cn:8080/1.htm"),
        ("http://m.h.gov.cn/big5/big5/www.h.gov.cn:443/2020/0207/26908.html", "https://www.h.gov.cn/2020/0207/26908.html"),
        ("http://www.h.gov.cn/gate/big5/www.h.gov.cn/big5/x/mpost_1.html", "http://www.h.gov.cn/x/post_1.html"),
        ("http://www.h.gov.cn/big5/xwzx/4923871.html", "http://www.h.gov.cn/xwzx/4923871.html"),
        ("http://www.h.gov.cn/BIG5/n1/2019/1209/c417079-31497247.html", "http://www.h.gov.cn/n1/2019/1209/c417079-31497247.html"),
    ],
)  # fmt: skip
def test_a_copy_is_known_by_the_address_of_its_original(linked, identity):
    assert canonical(linked) == identity


@pytest.mark.parametrize(
    "url",
    [
        "http://h.cn/a//b",  # some servers tell doubled slashes apart
        "http://h.cn/index.php?m=content&a=show&id=7",  # with a query the script is meant, not the folder's page
        "http://h.cn/show.asp?t=3&id=7",  # a short number may be a topic
        "http://h.cn/list.asp?t=20140603",  # eight digits may choose a day
        "http://h.cn/index.php?r=site/view&id=7",
        "http://h.cn/a?jump=false",
        "http://h.cn/a?b=2&a=1&b=1",  # order and repetition are the server's business
        "http://h.cn/a%2Fb",  # an escaped slash is no slash
        "http://h.cn/myindex.html",
        "http://h.cn/t?from=2014",
        "http://h.cn/list.jsp?pageNum=2",
        "http://h.cn/a?sessionid=12",  # a session of the people's congress
        "http://h.cn/xw/mpost_7/",
        "http://h.cn/xw/compost_7.html",
        "http://h.cn/xw/big5/1.html",
        "http://h.cn/big5.html",
        "http://big5.h.gov.cn/gate/big5/www.other.gov.cn/1.htm",  # a stranger's host is not believed
        "http://big5.gov.cn/gate/big5/sousuo.gov.cn/1.htm",
        "http://h.cn/jaxrmzf/jayw/pc/list.html",  # the only form that such portals have
        "http://m.h.gov.cn/xw/1.html",
        "http://h.cn/content.jsp?urltype=news.NewsContentUrl&wbtreeid=1276&wbnewsid=39834",
    ],
)
def test_what_may_be_another_article_or_may_not_answer_keeps_its_address(url):
    assert canonical(url) == url


@pytest.mark.parametrize("host", ["www.yunling.gov.cn", "yunling.gov.cn"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_homepage_decides_between_schemes_and_between_www_or_not(scheme, host):
    home = f"{scheme}://{host}/"
    for linked in ("http://www.yunling.gov.cn/a", "https://yunling.gov.cn:443/a"):
        assert canonical(linked, homepage=home) == f"{scheme}://{host}/a"


@pytest.mark.parametrize(
    ("linked", "identity"),
    [
        ("http://www.yunling.gov.cn:8080/a", "http://www.yunling.gov.cn:8080/a"),  # a port speaks one scheme
        ("http://yunling.gov.cn:8080/a", "http://yunling.gov.cn:8080/a"),  # and may be another site's
        ("http://xxgk.yunling.gov.cn/a", "https://xxgk.yunling.gov.cn/a"),
        ("http://www.other.gov.cn/a", "https://www.other.gov.cn/a"),
    ],
)
def test_other_hosts_and_ports_stay_what_they_are(linked, identity):
    assert canonical(linked, homepage=HOME) == identity


@pytest.mark.parametrize("other", ["mailto:a@h.cn", "javascript:void(0)", "", "h.cn/a", "http:///a", "http://h cn/"])
def test_what_is_no_web_address_stays_as_it_is(other):
    assert canonical(other) == other
    assert original(other) == other


@settings(max_examples=300)
@given(TWO_PAGES, DISGUISES, DISGUISES)
def test_two_addresses_are_one_article_exactly_where_they_name_the_same_page(two, disguise, another):
    one, other = two
    assert canonical(disguise(one), homepage=HOME) == canonical(another(one), homepage=HOME)
    assert (canonical(disguise(one), homepage=HOME) == canonical(another(other), homepage=HOME)) == (one == other)


@given(st.one_of(ANY_TEXT, ADDRESSES), st.sampled_from([None, HOME, "http://yunling.gov.cn", "http://[::1]:80/", ""]))
@example("http://h/%%34%31", None)
@example("http://h/;jsessi;jsessionid=onid=1", None)
@example("http://h/;jsessionid=;jsession;jsessionid=id=1", None)
@example("http://h:443/", HOME)
@example("http://www.cn/gate/big5/cn/x", "http://cn/")
@example("http://h.cn/big5/h.cn/big5/big5/h.cn:443/big5//big5/", None)
def test_an_identity_is_its_own_identity(url, homepage):
    once = canonical(url, homepage=homepage)
    assert canonical(once, homepage=homepage) == once
    assert original(original(url)) == original(url)


@pytest.mark.parametrize(
    "piece", ["/big5/h.cn", "/big5", "/(S(", "/(S(a))", ";jsessionid=", "/..", "/mpost_1.html", "&t=", "%41"]
)
@pytest.mark.parametrize("start", ["http://h.cn", "http://h.cn?"])
def test_no_address_takes_long(start, piece):
    url = start + piece * (65_536 // len(piece))
    began = time.process_time()
    canonical(url, homepage=HOME)
    original(url)
    assert time.process_time() - began < 1  # measured: 0.1


@given(ADDRESSES)
@example("http://h.cn/gate/big5/user:secret@www.h.cn/a")
@example("http://h.cn/gate/big5/h.cn:99999/a")
def test_an_identity_can_be_clicked_and_leads_to_the_same_owner(url):
    if host_of(url):
        identity = canonical(url)
        assert identity.isascii()
        assert identity.isprintable()
        owners = {registered_domain(host_of(each).removeprefix("www.")) for each in (url, identity, original(url))}
        assert len(owners) == 1
        assert urlsplit(identity).username is None
        assert absolute(HOME, identity) == identity or len(identity) > MAX_LENGTH


def test_only_a_copy_is_fetched_at_another_address_than_the_listed_one():
    assert original("http://h.cn/xw/mpost_1.html") == "http://h.cn/xw/post_1.html"
    assert original("http://big5.h.cn/gate/big5/www.h.cn/a?b=1") == "http://www.h.cn/a?b=1"
    listed = "http://H.cn/a/index.html;jsessionid=1?t=1700000000000#4"
    assert original(listed) == listed


ARTICLES = [*(f"/news/2021/{100 + n}.html" for n in range(4)), "/news/content/post_7.html", "/news/2021/nine/"]


def twins(path: str, host: str) -> list[str]:
    """How a careless page links to one article; *host* with its port."""
    name = f"{path}index.html" if path.endswith("/") else path.replace("/post_", "/mpost_")
    return [
        f"{path}?from=timeline&isappinstalled=0", f"{name}", f"http://{host}{path}", f"{path};jsessionid=0A1B2C?print=1",
        f"{path}?t=1700000000000#45", f"{path}?jump=true", f"http://{host}/gate/big5/{host}{path}", f"/big5{name}",
    ]  # fmt: skip


def twin_site(host: str) -> Site:
    """A list of every article under all its addresses; the copies themselves are not served."""
    pages = {path: article_page(title_of(n), text_of(n)) for n, path in enumerate(ARTICLES)}
    items = "".join(
        f'<li><a href="{href}">{title_of(n)}</a><span>2021-05-06</span></li>'
        for n, path in enumerate(ARTICLES)
        for href in twins(path, host)
    )
    pages |= {path.replace(".html", ".html;jsessionid=0A1B2C"): page for path, page in pages.items()}
    listing = Response(headers=HTML, body=f"<html><body><ul>{items}</ul></body></html>".encode())
    return Site({"/news/": listing, **pages})


def test_a_portal_that_lists_its_articles_under_all_their_addresses_has_one_row_for_each(tmp_path):
    archive = Archive(tmp_path)
    site = Site({})
    with serve({"liuxi": site}) as urls:
        base = urls["liuxi"]
        site.publish(twin_site(base.removeprefix("http://")).pages)
        archive.write_catalogue(entry("liuxi", base, 'cms = "generic"', "article = '/news/(?:2021|content)/'"))
        nights = [archive.crawl("--jobs", "1") for _ in range(2)]
    assert [(night.exit_code, night.portal("liuxi")["new"]) for night in nights] == [(0, len(ARTICLES)), (0, 0)]
    rows = archive.query("SELECT url, title FROM articles ORDER BY url")
    assert rows == sorted((base + path, title_of(number)) for number, path in enumerate(ARTICLES))
    assert site.hits.total() <= 1 + 2 * 2 + len(ARTICLES)  # robots.txt and the list on two nights
