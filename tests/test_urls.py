"""Addresses: where a link leads, whose it is, and nothing that a hostile page can break."""

import pytest
from hypothesis import given

from crawler.text.urls import MAX_LENGTH, absolute, host_of, parse, registered_domain, same_site
from tests.support.addresses import ANY_TEXT

PAGE = "https://www.yunling.gov.cn/xwzx/jryw/index.html"


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
    assert host_of(text) == host_of(str(parse(text) or ""))
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
