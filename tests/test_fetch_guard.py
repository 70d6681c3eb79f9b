"""The guard lets connections leave for public addresses only, judged where the connection is made."""

import ipaddress
import pickle
from contextlib import contextmanager
from functools import cache
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.resolver import CachingHostnameResolver, dnscache
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

from crawler.fetch.errors import AddressRefused
from crawler.fetch.guard import parse_networks, refusal
from tests.support.fetching import ask, in_reactor
from tests.support.wire import WireServer, page

REFUSED = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::192.168.0.1",
    "64:ff9b:1::1.1.1.1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "localhost",
    "example.com",
    "",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
)
PUBLIC = (
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "202.96.209.5",
    "2400:3200::1",
    "2606:4700:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",
)


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_refused(address):
    assert refusal(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_let_pass(address):
    assert refusal(address) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_dress(ip):
    why = refusal(str(ip))
    assert refusal(f"::ffff:{ip}") == why
    assert refusal(f"64:ff9b::{ip}") == why
    assert refusal(str(ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80)))) == why


@given(st.ip_addresses())
def test_nothing_passes_that_python_calls_not_global(ip):
    if ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        mapped = isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped
        assert mapped or refusal(str(ip))


@given(st.ip_addresses())
def test_an_allowed_block_opens_itself_and_nothing_else(ip):
    block = parse_networks([f"{ip}/{ip.max_prefixlen}"])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    assert mapped or refusal(str(ip), block) is None
    other = ipaddress.ip_address("10.9.8.7")
    assert ip == other or refusal(str(other), block)


def test_an_allowed_private_address_is_not_allowed_through_a_tunnel():
    allowed = parse_networks(["127.0.0.0/8"])
    assert refusal("::ffff:127.0.0.1", allowed) is None  # the kernel connects to the IPv4 address
    assert refusal("64:ff9b::127.0.0.1", allowed)  # a gateway's loopback is another one
    assert refusal("2002:7f00:1::", allowed)


def test_a_bad_block_is_named():
    with pytest.raises(ValueError, match=r"300\.0\.0\.0/8"):
        parse_networks(["127.0.0.0/8", "300.0.0.0/8"])


def test_a_refusal_says_who_where_and_why_and_can_cross_processes():
    error = pickle.loads(pickle.dumps(AddressRefused("evil.example", "10.0.0.1", "a private or reserved address")))
    assert str(error).startswith("evil.example is at 10.0.0.1, a private or reserved address")
    assert (error.host, error.address) == ("evil.example", "10.0.0.1")


@implementer(IHostnameResolver)
class Names:
    """Stands in for the DNS: each name has a list of answers, the last of which stays."""

    ANSWERS: ClassVar[dict[str, list[list[str]]]] = {
        "private.test": [["10.0.0.1"]],
        "mixed.test": [["10.0.0.1", "127.0.0.1"]],
        "rebinding.test": [["127.0.0.1"], ["127.0.0.2"]],
    }

    def resolveHostName(self, receiver, name, *, portNumber):  # noqa: N802, N803 - Twisted's names
        answers = self.ANSWERS[name]
        receiver.resolutionBegan(self)
        for address in answers.pop(0) if len(answers) > 1 else answers[0]:
            receiver.addressResolved(IPv4Address("TCP", address, portNumber))
        receiver.resolutionComplete()
        return self


async def loopback(*hosts: str, **settings):
    """What comes of asking a loopback server under other names."""
    async with WireServer(lambda _: [page(b"x"), "close"]) as server:
        outcomes = await ask(*(server.url("/", host=host) for host in hosts), **settings)
        return outcomes, server.paths()


async def redirected(*allowed: str):
    """A server at 127.0.0.1 that redirects to one at 127.0.0.2."""
    async with WireServer(lambda _: [page(b"secret")], host="127.0.0.2") as inner:
        target = inner.url("/secret")
        async with WireServer(lambda _: [page(b"", status="302 Found", headers=[f"Location: {target}"])]) as outer:
            middlewares = {"scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600}
            outcomes = await ask(outer.url("/"), DOWNLOADER_MIDDLEWARES=middlewares, ALLOW_NETWORKS=list(allowed))
            return outcomes, inner.paths()


@contextmanager
def resolver(names):
    from twisted.internet import reactor

    genuine = reactor.nameResolver
    reactor.installNameResolver(names(reactor))
    try:
        yield
    finally:
        reactor.installNameResolver(genuine)


async def named(*hosts: str):
    with resolver(lambda _: Names()):
        return await loopback(*hosts, ALLOW_NETWORKS=["127.0.0.1"])


async def cached():
    """A name in Scrapy's DNS cache, asked by a crawler that may and by one that may not."""
    with resolver(lambda reactor: CachingHostnameResolver(reactor, 100)):
        permitted, _ = await loopback("localhost", "localhost", ALLOW_NETWORKS=["127.0.0.0/8"])
        assert "localhost" in dnscache
        refused, _ = await loopback("localhost", ALLOW_NETWORKS=[])
        return permitted, refused


async def proxied():
    async with WireServer(lambda _: [page(b"proxy")]) as server:
        request = Request("http://10.0.0.1/", meta={"proxy": server.url("")})
        return await ask(request), server.paths()


LITERALS = ("127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]")


async def trial():
    return {
        "closed": await loopback(*LITERALS, ALLOW_NETWORKS=[]),
        "tls": await ask("https://127.0.0.1:1/", ALLOW_NETWORKS=[]),
        "retried": await ask(
            "http://10.0.0.1/",
            DOWNLOADER_MIDDLEWARES={"crawler.fetch.backoff.BackoffMiddleware": 550},
        ),
        "open": await loopback("127.0.0.1"),
        "redirected": await redirected("127.0.0.1/32"),
        "redirect allowed": await redirected("127.0.0.1/32", "127.0.0.2/32"),
        "private": await named("private.test"),
        "mixed": await named("mixed.test"),
        "rebinding": await named("rebinding.test", "rebinding.test"),
        "cached": await cached(),
        "proxied": await proxied(),
    }


@cache
def found():
    return in_reactor(trial)


def test_loopback_is_refused_however_it_is_spelt_and_the_server_hears_nothing():
    outcomes, paths = found()["closed"]
    assert [outcome.error for outcome in outcomes] == ["AddressRefused"] * len(LITERALS)
    assert paths == []
    assert all(outcome.exchange is None for outcome in outcomes)


def test_the_errback_can_say_why():
    words = [outcome.words for outcome in found()["closed"][0]]
    assert any(line.startswith("127.0.0.1 is at 127.0.0.1, a loopback address") for line in words)
    assert any(line.startswith("localhost is at ") for line in words)


def test_tls_is_guarded_too():
    assert [outcome.error for outcome in found()["tls"]] == ["AddressRefused"]


def test_a_refused_address_is_not_tried_again():
    [outcome] = found()["retried"]
    assert (outcome.error, outcome.retry_times) == ("AddressRefused", 0)


def test_an_allowed_network_answers():
    outcomes, paths = found()["open"]
    assert outcomes[0].status == 200
    assert paths == ["/"]


def test_a_redirect_to_a_private_address_is_refused():
    [outcome], paths = found()["redirected"]
    assert (outcome.error, paths) == ("AddressRefused", [])


def test_a_redirect_to_an_allowed_address_is_followed():
    [outcome], paths = found()["redirect allowed"]
    assert (outcome.body, paths) == (b"secret", ["/secret"])


def test_a_name_that_leads_to_a_private_address_is_refused():
    [outcome], _ = found()["private"]
    assert outcome.words.startswith("private.test is at 10.0.0.1, a private or reserved address")


def test_of_a_names_addresses_the_permitted_one_is_used():
    [outcome], paths = found()["mixed"]
    assert (outcome.status, paths) == (200, ["/"])


def test_a_name_that_changes_its_address_after_the_first_answer_is_refused():
    (first, second), paths = found()["rebinding"]
    assert (first.status, second.error) == (200, "AddressRefused")
    assert paths == ["/"]


def test_a_cached_name_is_no_way_around():
    permitted, refused = found()["cached"]
    assert [outcome.status for outcome in permitted] == [200, 200]
    assert [outcome.error for outcome in refused] == ["AddressRefused"]


def test_a_proxy_is_no_way_around():
    [outcome], paths = found()["proxied"]
    assert (outcome.error, paths) == ("AddressRefused", [])
