"""Addresses: one row an article, however it is linked, and nothing that a hostile page can break."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.text.urls import MAX_LENGTH, absolute, canonical, host_of, registered_domain, same_site

PAGE = "https://www.yunling.gov.cn/xwzx/jryw/index.html"

# Strings that look like addresses find more than random text: pieces that mean something, in any order.
PIECES = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "HTTP:",
            "//",
            "/",
            "\\",
            "..",
            ".",
            "/./",
            "/../",
            "%",
            "%2e",
            "%2F",
            "%41",
            "%zz",
            "%b9",
        ),
        *(";jsessionid=", ";JSESSIONID=a1", "?", "&", "=", "t=1700000000000", "_=1", "jump=true", "ddtab", "id=7", "#"),
        *(
            "index.html",
            "index.php",
            "www.yunling.gov.cn",
            "云岭.政务",
            "[::1]",
            "127.0.0.1",
            ":80",
            ":443",
            ":",
            "@",
            "[",
        ),
        *(
            " ",
            "\t",
            "\n",
            "\x00",
            "\x7f",
            "\u202e",
            "\u3000",
            "乾县",
            "\ud800",
            "。",
            "／",
            "javascript:",
            "a",
            "Z",
            "xn--",
        ),
    ]
)
ANY_TEXT = st.one_of(st.text(st.characters()), st.lists(PIECES, max_size=12).map("".join))
ADDRESSES = st.builds("{}{}".format, st.sampled_from(["http://", "https://"]), ANY_TEXT)


@pytest.mark.parametrize(
    ("linked", "identity"),
    [
        ("HTTP://WWW.Yunling.GOV.cn:80/xw/", "http://www.yunling.gov.cn/xw/"),
        ("https://www.yunling.gov.cn:443", "https://www.yunling.gov.cn/"),
        ("https://www.yunling.gov.cn:8443/a", "https://www.yunling.gov.cn:8443/a"),
        ("http://www.yunling.gov.cn./a", "http://www.yunling.gov.cn/a"),
        ("http://user:secret@www.yunling.gov.cn/a", "http://www.yunling.gov.cn/a"),
        ("http://h.cn/a.html#45", "http://h.cn/a.html"),
        ("http://h.cn/info/1.htm;jsessionid=0A1B2C!-3?id=1", "http://h.cn/info/1.htm?id=1"),
        ("http://h.cn/show.jsp?jsessionid=0A&id=1", "http://h.cn/show.jsp?id=1"),
        ("http://h.cn/a?_=0.8361", "http://h.cn/a"),
        ("http://h.cn/a?t=1700000000000&id=3", "http://h.cn/a?id=3"),
        ("http://h.cn/a?id=3&t=0.7361", "http://h.cn/a?id=3"),
        ("http://h.cn/a?jump=true", "http://h.cn/a"),
        ("http://h.cn/a?ddtab=true", "http://h.cn/a"),
        ("http://h.cn/a?from=singlemessage&isappinstalled=0", "http://h.cn/a"),
        ("http://h.cn/a/./b/../c", "http://h.cn/a/c"),
        ("http://h.cn/a/%2e%2E/c", "http://h.cn/c"),
        ("http://h.cn/../../c", "http://h.cn/c"),
        ("http://h.cn/xw/index.shtml", "http://h.cn/xw/"),
        ("http://h.cn/%7exw/%e4%b9%be", "http://h.cn/~xw/%E4%B9%BE"),
        ("http://h.cn/乾县?q=乾", "http://h.cn/%E4%B9%BE%E5%8E%BF?q=%E4%B9%BE"),
        ("http://h.cn/100%.html", "http://h.cn/100%25.html"),
        ("http://云岭.政务.cn/", "http://xn--9kqv75a.xn--zfr164b.cn/"),
        (" http://h.cn/a\n/b ", "http://h.cn/a/b"),
        ("http:\\\\h.cn\\a", "http://h.cn/a"),
    ],
)
def test_what_leads_to_the_same_article_has_one_identity(linked, identity):
    assert canonical(linked) == identity


@pytest.mark.parametrize(
    "url",
    [
        "http://h.cn/a//b",  # some servers tell doubled slashes apart
        "http://h.cn/index.php?m=content&a=show&id=7",  # with a query the script is meant, not the folder's page
        "http://h.cn/show.asp?t=3&id=7",  # a short number may be a topic
        "http://h.cn/a?jump=false",
        "http://h.cn/a?b=2&a=1&b=1",  # order and repetition are the server's business
        "http://h.cn/a%2Fb",  # an escaped slash is no slash
        "http://h.cn/myindex.html",
        "http://h.cn/t?from=2014",
    ],
)
def test_what_may_be_another_article_keeps_its_address(url):
    assert canonical(url) == url


def test_http_and_https_are_one_article_of_the_portal():
    assert (
        canonical("http://h.cn/a", scheme="https")
        == canonical("https://h.cn:443/a", scheme="https")
        == "https://h.cn/a"
    )


def test_an_explicit_port_speaks_only_the_scheme_it_was_given_with():
    assert canonical("http://h.cn:8080/a", scheme="https") == "http://h.cn:8080/a"


@pytest.mark.parametrize("other", ["mailto:a@h.cn", "javascript:void(0)", "", "h.cn/a", "http:///a", "http://h cn/"])
def test_what_is_no_web_address_stays_as_it_is(other):
    assert canonical(other) == other


@given(st.one_of(ANY_TEXT, ADDRESSES), st.sampled_from([None, "http", "https"]))
@example("http://h/%%34%31", None)
@example("http://h/;jsessi;jsessionid=onid=1", None)
@example("http://h:443/", "https")
def test_an_identity_is_its_own_identity(url, scheme):
    once = canonical(url, scheme=scheme)
    assert canonical(once, scheme=scheme) == once


@given(ADDRESSES)
def test_an_identity_can_be_clicked_and_leads_to_the_same_host(url):
    if host_of(url):
        identity = canonical(url)
        assert identity.isascii()
        assert identity.isprintable()
        assert urlsplit(identity).hostname == host_of(url).strip("[]")
        assert absolute(PAGE, identity) == identity or len(identity) > MAX_LENGTH


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("./202404/t20240423_4604853.html", "https://www.yunling.gov.cn/xwzx/jryw/202404/t20240423_4604853.html"),
        ("../../a.html", "https://www.yunling.gov.cn/a.html"),
        ("/a.html?b=1#c", "https://www.yunling.gov.cn/a.html?b=1#c"),
        ("//paper.yunling.gov.cn/a", "https://paper.yunling.gov.cn/a"),
        ("?page=2", "https://www.yunling.gov.cn/xwzx/jryw/index.html?page=2"),
        ("\r\n  /a\n.html\t", "https://www.yunling.gov.cn/a.html"),
        ("/附件 1.doc", "https://www.yunling.gov.cn/附件%201.doc"),
        ("\\files\\a.doc", "https://www.yunling.gov.cn/files/a.doc"),
        ("http://云岭.政务.cn/", "http://云岭.政务.cn/"),
    ],
)
def test_a_link_leads_where_a_browser_would_go(href, url):
    assert absolute(PAGE, href) == url


@pytest.mark.parametrize(
    "href",
    [
        *("", "  ", "#", "#top", "javascript:void(0)", "JavaScript:alert(1)", "java\nscript:alert(1)", "mailto:a@h.cn"),
        *("data:text/html,x", "tel:110", "file:///etc/passwd", "ftp://h.cn/a", "http:///a", "http://", "https://[::1"),
        *("http://h.cn:99999/", "http://www.yunling.gov.cn@evil.cn/", "/a\x00b", "/a\x1b[2J", "/" + "a" * MAX_LENGTH),
        *("http://a..b/", "http://h.cn／.evil.cn/", "http://%77.cn/", "/\ud800"),
    ],
)
def test_what_leads_nowhere_on_the_web_is_no_link(href):
    assert absolute(PAGE, href) is None


def test_a_backslash_does_not_hide_the_host_that_answers():
    assert host_of(absolute(PAGE, "http://evil.cn\\@www.yunling.gov.cn/")) == "evil.cn"
    assert not same_site("http://evil.cn\\@www.yunling.gov.cn/", {"www.yunling.gov.cn"})


@given(ANY_TEXT, ANY_TEXT)
def test_every_link_found_is_a_web_address_without_control_characters(base, href):
    url = absolute(base, href)
    if url is not None:
        assert url.lower().startswith(("http://", "https://"))
        assert host_of(url)
        assert len(url) <= MAX_LENGTH
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in url)


@given(ANY_TEXT)
def test_no_string_breaks_the_other_functions(text):
    assert host_of(text) == host_of(canonical(text))
    assert same_site(text, {host_of(text)}) == bool(host_of(text))
    assert registered_domain(text) in text


def test_a_site_is_its_host_with_and_without_www():
    hosts = {"www.yunling.gov.cn", "news.cn"}
    assert same_site("http://yunling.gov.cn/a", hosts)
    assert same_site("https://WWW.YUNLING.GOV.CN:8080/a", hosts)
    assert same_site("http://www.news.cn/", hosts)


def test_a_subdomain_is_another_site_because_counties_live_below_their_prefecture():
    assert not same_site("http://county.yunling.gov.cn/", {"www.yunling.gov.cn"})
    assert not same_site("http://evil-yunling.gov.cn/", {"yunling.gov.cn"})
    assert not same_site("javascript:void(0)", {""})


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.yunling.gov.cn", "yunling.gov.cn"),
        ("xxgk.zw.yunling.gov.cn", "yunling.gov.cn"),
        ("yunling.gov.cn", "yunling.gov.cn"),
        ("www.yunling.gd.cn", "yunling.gd.cn"),
        ("news.yunling.cn", "yunling.cn"),
        ("www.yunling.com", "yunling.com"),
        ("www.yunling.gov.hk", "yunling.gov.hk"),
        ("127.0.11.1", "127.0.11.1"),
        ("[::1]", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_a_registered_domain_is_what_its_owner_registered(host, domain):
    assert registered_domain(host) == domain
