"""robots.txt is obeyed as RFC 9309 says."""

import asyncio
import gzip
import pickle
import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response

from crawler.fetch.errors import Blocked, Disallowed
from crawler.fetch.robots import MAX_BYTES, MAX_CRAWL_DELAY, judge, origin_of, parse_rules
from tests.support.fetching import ask, in_reactor
from tests.support.wire import WireServer, page

MIDDLEWARES = {
    "crawler.fetch.robots.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "crawler.fetch.backoff.BackoffMiddleware": 550,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
}
SETTINGS = {
    "DOWNLOADER_MIDDLEWARES": MIDDLEWARES,
    "RETRY_TIMES": 0,
    "REDIRECT_MAX_TIMES": 5,
    "BACKOFF_FLOOR": 0.01,
}
HANGS = 30.0
RULES = b"User-agent: *\nDisallow: /private/\nAllow: /private/open\n"
HTML = (
    b"<!DOCTYPE html><html><body><p>User-agent: * <br>Disallow: /</p>\n"
    + b"<a href='/'>x</a>\n" * 50
    + b"</body></html>"
)
ALLOWED, DISALLOWED, BLOCKED = "200", "Disallowed", "Blocked"

ROBOTS = {
    # name: (what /robots.txt answers, outcome for /public, outcome for /private/x)
    "rules": ([page(RULES)], ALLOWED, DISALLOWED),
    "rules for us": ([page(b"User-agent: xianzhi\nDisallow: /p\n\nUser-agent: *\nAllow: /")], DISALLOWED, DISALLOWED),
    "rules for others": ([page(b"User-agent: Other\nDisallow: /")], ALLOWED, ALLOWED),
    "everything": ([page(b"User-agent: *\nDisallow: /")], DISALLOWED, DISALLOWED),
    "empty": ([page(b"")], ALLOWED, ALLOWED),
    "HTML": ([page(HTML, headers=["Content-Type: text/html"])], ALLOWED, ALLOWED),
    "a byte order mark": ([page(b"\xef\xbb\xbf" + RULES)], ALLOWED, DISALLOWED),
    "UTF-16": ([page(RULES.decode().encode("utf-16"))], ALLOWED, DISALLOWED),
    "GB 18030": (
        [page("# 禁止抓取\nUser-agent: *\nDisallow: /private/ # 内部".encode("gb18030"))],
        ALLOWED,
        DISALLOWED,
    ),
    "NUL bytes": ([page(b"\0\0" + RULES + b"\0")], ALLOWED, DISALLOWED),
    "gzip, unasked": ([page(gzip.compress(RULES), headers=["Content-Encoding: gzip"])], ALLOWED, DISALLOWED),
    "gzip, broken": ([page(gzip.compress(RULES)[:-12] + b"?" * 30)], ALLOWED, None),
    "404": ([page(RULES, status="404 Not Found")], ALLOWED, ALLOWED),
    "401": ([page(RULES, status="401 Unauthorized")], ALLOWED, ALLOWED),
    "403": ([page(RULES, status="403 Forbidden")], ALLOWED, ALLOWED),
    "410": ([page(RULES, status="410 Gone")], ALLOWED, ALLOWED),
    "304": ([b"HTTP/1.1 304 Not Modified\r\n\r\n"], ALLOWED, ALLOWED),
    "500": ([page(b"", status="500 Oops")], BLOCKED, BLOCKED),
    "503": ([page(b"", status="503 Busy")], BLOCKED, BLOCKED),
    "429": ([page(b"", status="429 Slow down")], BLOCKED, BLOCKED),
    "999": ([page(b"", status="999 Denied")], BLOCKED, BLOCKED),
    "hanging": ([HANGS], BLOCKED, BLOCKED),
    "hanging in the body": ([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUser", HANGS], BLOCKED, BLOCKED),
    "cut short": ([b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + RULES, "close"], BLOCKED, BLOCKED),
    "closed at once": (["close"], BLOCKED, BLOCKED),
    "not HTTP": ([b"SSH-2.0-OpenSSH\r\n"], BLOCKED, BLOCKED),
    "redirected": ([page(b"", status="301 Moved", headers=["Location: /hop/1"])], ALLOWED, DISALLOWED),
    "redirected in a circle": ([page(b"", status="302 Found", headers=["Location: /robots.txt"])], ALLOWED, ALLOWED),
    "redirected nowhere": ([page(b"", status="302 Found")], ALLOWED, ALLOWED),
}
WORDS = {
    "503": "robots.txt answered 503",
    "429": "robots.txt answered 429",
    "hanging": "robots.txt did not answer in time",
    "hanging in the body": "robots.txt did not answer in time",
    "cut short": "robots.txt was cut short",
    "closed at once": "the connection was closed without an answer",
}


async def visit(steps):
    """Two pages of a host with this robots.txt, and what the host heard."""

    def script(path):
        match path.split("/"):
            case ["", "robots.txt"]:
                return steps
            case ["", "hop", "5"]:
                return [page(RULES)]
            case ["", "hop", number]:
                return [page(b"", status="302 Found", headers=[f"Location: /hop/{int(number) + 1}"])]
        return [page(b"x")]

    async with WireServer(script) as server:
        patience = {"DOWNLOAD_TIMEOUT": 0.4} if HANGS in steps else {}
        outcomes = await ask(server.url("/public"), server.url("/private/x"), **SETTINGS, **patience)
        by_path = {outcome.asked.rsplit(str(server.port), 1)[1]: outcome for outcome in outcomes}
        return by_path, server.heard


async def many_at_once():
    """Ten requests to two hosts while robots.txt takes its time."""

    def script(path):
        return [0.1, page(RULES)] if path == "/robots.txt" else [page(b"x")]

    async with WireServer(script) as server, WireServer(script, host="127.0.0.2") as other:
        urls = [host.url(f"/{number}") for number in range(5) for host in (server, other)]
        outcomes = await ask(*urls, CONCURRENT_REQUESTS=10, **SETTINGS)
        return outcomes, server.paths(), other.paths()


async def delayed(seconds: str):
    """The slot's delay on a host with this Crawl-delay, which forbids the page so that nobody waits for it."""

    def script(_):
        return [page(f"User-agent: *\nCrawl-delay: {seconds}\nDisallow: /".encode())]

    async with WireServer(script) as server:
        [outcome] = await ask(server.url("/"), **SETTINGS)
        return outcome.delay


async def unreachable():
    async with WireServer(lambda _: [page(b"x")]) as server:
        url = server.url("/")
    return await ask(url, **SETTINGS)


async def private():
    return await ask("http://10.0.0.1/one", "http://10.0.0.1/two", **SETTINGS)


async def tried_again():
    """A robots.txt that is there at the third try."""
    answers = [page(b"", status="503 Busy"), page(b"", status="502 Bad"), page(RULES)]

    def script(path):
        return [answers.pop(0)] if path == "/robots.txt" else [page(b"x")]

    async with WireServer(script) as server:
        return await ask(server.url("/private/x"), **{**SETTINGS, "RETRY_TIMES": 2})


async def trial():
    visits = await asyncio.gather(*(visit(steps) for steps, *_ in ROBOTS.values()))
    return {
        "visits": dict(zip(ROBOTS, visits, strict=True)),
        "many": await many_at_once(),
        "unreachable": await unreachable(),
        "private": await private(),
        "tried again": await tried_again(),
        "delays": {
            seconds: await delayed(seconds) for seconds in ("0.2", "12", "3600", "0", "-3", "nan", "inf", "soon")
        },
    }


@cache
def found():
    return in_reactor(trial)


def in_a_word(outcome):
    return outcome.error or str(outcome.status)


@pytest.mark.parametrize("name", ROBOTS)
def test_the_host_gets_what_its_robots_txt_asks(name):
    outcomes, _ = found()["visits"][name]
    _, public, private = ROBOTS[name]
    assert in_a_word(outcomes["/public"]) == public
    assert private is None or in_a_word(outcomes["/private/x"]) == private


@pytest.mark.parametrize("name", ROBOTS)
def test_robots_txt_is_asked_first_once_and_plainly(name):
    _, heard = found()["visits"][name]
    paths = [row.path for row in heard if not row.path.startswith("/hop/")]
    asked = [row for row in heard if row.path == "/robots.txt"]
    assert paths[0] == "/robots.txt"
    assert len(asked) == (6 if name == "redirected in a circle" else 1)
    assert b"Accept-Encoding: identity\r\n" in asked[0].request


@pytest.mark.parametrize("name", [name for name, row in ROBOTS.items() if row[1] == BLOCKED])
def test_a_blocked_host_hears_nothing_more(name):
    _, heard = found()["visits"][name]
    assert [row.path for row in heard] == ["/robots.txt"]


@pytest.mark.parametrize("name", WORDS)
def test_the_reason_is_said_in_words(name):
    outcomes, _ = found()["visits"][name]
    assert WORDS[name] in outcomes["/public"].words


def test_requests_at_once_wait_for_one_robots_txt_a_host():
    outcomes, *hosts = found()["many"]
    assert [outcome.status for outcome in outcomes] == [200] * 10
    for paths in hosts:
        assert paths[0] == "/robots.txt"
        assert paths.count("/robots.txt") == 1


def test_a_host_that_cannot_be_reached_is_said_to_be_down():
    [outcome] = found()["unreachable"]
    assert outcome.error == "Unreachable"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ refused the connection", outcome.words)


def test_a_refused_address_stays_what_it_is():
    assert [outcome.error for outcome in found()["private"]] == ["AddressRefused"] * 2
    assert {outcome.words[:27] for outcome in found()["private"]} == {"10.0.0.1 is at 10.0.0.1, a "}


def test_robots_txt_is_tried_again_before_it_is_given_up():
    assert [in_a_word(outcome) for outcome in found()["tried again"]] == [DISALLOWED]


def test_a_crawl_delay_slows_the_slot_and_a_senseless_one_does_not():
    delays = found()["delays"]
    assert [delays.pop(seconds) for seconds in ("0.2", "12", "3600")] == [0.2, 12, MAX_CRAWL_DELAY]
    assert set(delays.values()) == {0}


@given(st.binary(max_size=300))
def test_no_robots_txt_is_an_error(body):
    rules = parse_rules(body)
    rules.can_fetch("http://a.example/b?c=%E6%97%AC", "Xianzhi")
    rules.crawl_delay("Xianzhi")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["User-agent", "Disallow", "Allow", "Crawl-delay", "Sitemap", "x"]), st.text(max_size=9)
        )
    ),
    st.sampled_from(["utf-8", "gb18030", "utf-16", "big5hkscs"]),
)
def test_no_line_of_robots_txt_is_an_error(lines, encoding):
    text = "\n".join(f"{field}: {value}" for field, value in lines)
    rules = parse_rules(text.encode(encoding, errors="replace"))
    rules.can_fetch("http://a.example/", "Xianzhi")


def test_half_a_megabyte_is_read_and_no_more():
    line = b"Disallow: /%06d\n"
    body = b"User-agent: *\n" + b"".join(line % number for number in range(60_000))
    rules = parse_rules(body)
    last = (MAX_BYTES - 14) // 18 - 1
    assert not rules.can_fetch(f"http://a.example/{last:06d}", "Xianzhi")
    assert rules.can_fetch(f"http://a.example/{last + 2:06d}", "Xianzhi")


def test_a_gzip_bomb_is_read_as_far_as_half_a_megabyte():
    bomb = gzip.compress(b"User-agent: *\nDisallow: /private/\n" + b"#" * 50_000_000)
    assert not parse_rules(bomb).can_fetch("http://a.example/private/", "Xianzhi")


@pytest.mark.parametrize("status", range(200, 600))
def test_every_status_is_judged(status):
    answer = judge(Response("http://a.example/robots.txt", status=status, body=b"User-agent: *\nDisallow: /"))
    if status < 300:
        assert not answer.can_fetch("http://a.example/x", "Xianzhi")
    elif status >= 500 or status == 429:
        assert isinstance(answer, Blocked)
    else:
        assert answer.can_fetch("http://a.example/x", "Xianzhi")


def test_an_origin_is_scheme_host_and_port_without_passwords():
    assert origin_of(Request("https://user:secret@WWW.A.example:8443/x")) == "https://www.a.example:8443"
    assert origin_of(Request("http://[2400:3200::1]/x")) == "http://[2400:3200::1]"


@pytest.mark.parametrize("error", [Blocked("robots.txt answered 503"), Disallowed("http://a.example/x")])
def test_refusals_can_cross_processes(error):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
