"""Old servers are reached on request, wrong certificates are recorded, and the scheme that answers is found."""

import asyncio
import os
import ssl
import tempfile
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from crawler.catalogue import Portal
from crawler.fetch import tap
from crawler.fetch.guard import GuardedReactor
from crawler.fetch.hosts import Place
from crawler.fetch.options import Options
from crawler.fetch.session import Session
from crawler.fetch.tls import REMEDY, _read
from tests.support.fetching import Outcome, ask, in_reactor
from tests.support.tls import Certified, Front, certified
from tests.support.wire import WireServer, page

HOST = "127.0.0.1"
OLD = {
    "TLS 1.0": "TLSv1",
    "TLS 1.1": "TLSv1.1",
    "an old cipher": "TLSv1.2",
}


def portal(tls: str | None = None) -> Portal:
    return Portal(id="liuxi", name="柳溪县", division="610000", homepage=f"https://{HOST}/", tls=tls)


def old_servers() -> dict[str, ssl.SSLContext]:
    certificate = certified(HOST, key=rsa.generate_private_key(65537, 2048))
    contexts = {
        "TLS 1.0": certificate.old_context(ssl.TLSVersion.TLSv1),
        "TLS 1.1": certificate.old_context(ssl.TLSVersion.TLSv1_1),
        "an old cipher": certificate.old_context(ssl.TLSVersion.TLSv1_2),
    }
    contexts["an old cipher"].set_ciphers("CAMELLIA256-SHA:@SECLEVEL=0")
    return contexts


async def bad_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a server in plain says to a handshake."""
    await reader.read(1)
    writer.write(page(b"", status="400 Bad Request"))
    writer.close()


async def ask_both(url: str) -> list[Outcome]:
    """One page by ``modern`` and one by ``legacy``."""
    return [outcome for tls in (None, "legacy") for outcome in await ask(url, portal=portal(tls), RETRY_TIMES=0)]


async def old_trial():
    async with WireServer(lambda _: [page(b"x")]) as server:
        found = {}
        for name, context in old_servers().items():
            with Front(server.url(""), context) as front:
                found[name] = await ask_both(f"https://{front.place}/")
        plain = await asyncio.start_server(bad_request, HOST, 0)
        found["no TLS"] = await ask_both(f"https://{HOST}:{plain.sockets[0].getsockname()[1]}/")
        plain.close()
        async with WireServer(lambda _: [], tls=old_servers()["TLS 1.0"]) as rude:  # hangs up without a word
            found["no word"] = await ask(rude.url("/"), portal=portal(), RETRY_TIMES=0)
    return found


@cache
def old():
    return in_reactor(old_trial)


@pytest.mark.parametrize("name", OLD)
def test_an_old_server_is_refused_with_the_remedy(name):
    outcome = old()[name][0]
    assert (outcome.error, outcome.exchange.response) == ("HandshakeFailed", b"")
    assert outcome.words.startswith("the TLS handshake failed (")
    assert 'tls = "legacy"' in outcome.words


@pytest.mark.parametrize("name", OLD)
def test_the_remedy_helps(name):
    outcome = old()[name][1]
    assert (outcome.status, outcome.body) == (200, b"x")
    assert outcome.exchange.tls.protocol == OLD[name]


def test_where_no_tls_is_spoken_the_remedy_is_not_named():
    for outcome in old()["no TLS"]:
        assert outcome.error == "HandshakeFailed"
        assert outcome.words.startswith("the server speaks no TLS there (")
        assert REMEDY not in outcome.words


def test_a_server_that_hangs_up_in_the_handshake_is_told_from_one_that_does_not_answer():
    [outcome] = old()["no word"]
    assert (outcome.error, outcome.words) == (
        "NoAnswer",
        f"the connection was closed in the TLS handshake{REMEDY}",
    )


# Certificates. Trust is read once a process: the authority is found where SSL_CERT_FILE says.


async def visit(certificate: Certified, host: str = HOST) -> Outcome:
    async with WireServer(lambda _: [page(b"x")], tls=certificate.context()) as server:
        outcomes = await ask(server.url("/1", host=host), server.url("/2", host=host))
    assert [outcome.status for outcome in outcomes] == [200, 200]
    assert outcomes[0].exchange.tls is not None
    assert outcomes[0].exchange.tls == outcomes[1].exchange.tls
    return outcomes[0]


async def certificates_trial():
    authority = certified(is_authority=True, name="CA")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ca.pem").write_bytes(authority.pem)
        os.environ["SSL_CERT_FILE"] = str(Path(folder) / "ca.pem")
        weak = rsa.generate_private_key(65537, 1024)
        certificates = {
            "good": certified(HOST, issuer=authority),
            "expired": certified(HOST, issuer=authority, days=(-30, -3)),
            "not yet": certified(HOST, issuer=authority, days=(3, 30)),
            "other hosts": certified(*(f"www{n}.baihe.example" for n in range(5)), issuer=authority),
            "no host": certified(issuer=authority, name="Baihe"),
            "self-signed": certified(HOST),
            "unknown issuer": certified(HOST, issuer=certified(is_authority=True, name="Nobody")),
            "short key": certified(HOST, issuer=authority, key=weak),
            "all at once": certified("www.baihe.example", days=(-30, -3)),
            "hostile": certified(HOST, issuer=authority, name="a\r\nWARC-Type: response\x00\u202e" + "b" * 30),
            "hostile names": certified("x" * 63 + ".example", *["y.example"] * 400, issuer=authority),
        }
        found = {name: await visit(certificate) for name, certificate in certificates.items()}
        found["by name"] = await visit(certified("*.baihe.example", "localhost", issuer=authority), "localhost")
    return found


async def rootless_trial():
    os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = "/nonexistent"
    issuer = certified(is_authority=True, name="CA")
    return {
        "good": await visit(certified(HOST, issuer=issuer)),
        "wrong": await visit(certified("www.baihe.example", issuer=issuer, days=(-30, -3))),
    }


@cache
def shown():
    return in_reactor(certificates_trial)


@cache
def rootless():
    return in_reactor(rootless_trial)


PROBLEMS = {
    "good": None,
    "by name": None,
    "not yet": "not valid yet",
    "other hosts": f"issued for www0.baihe.example, www1.baihe.example, www2.baihe.example …, not for {HOST}",
    "no host": f"issued for Baihe, not for {HOST}",
    "self-signed": "self-signed",
    "unknown issuer": "its issuer is not trusted",
    "short key": "its key is too short",
    "hostile": None,
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_with_a_certificate_is_said_and_its_page_is_had(name):
    assert shown()[name].exchange.tls.certificate_problem == PROBLEMS[name]


def test_an_expired_certificate_says_since_when():
    tls = shown()["expired"].exchange.tls
    assert tls.certificate_problem == f"expired on {tls.certificate_not_after:%Y-%m-%d}"


def test_several_problems_are_all_said():
    words = shown()["all at once"].exchange.tls.certificate_problem.split("; ")
    assert words[0] == "self-signed"
    assert words[1].startswith("expired on ")
    assert words[2] == f"issued for www.baihe.example, not for {HOST}"


def test_the_facts_name_protocol_cipher_and_certificate():
    tls = shown()["good"].exchange.tls
    assert (tls.protocol, tls.cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert (tls.certificate_subject, tls.certificate_issuer) == ("CN=柳溪县人民政府", "CN=CA")
    assert len(tls.certificate_sha256) == 64
    assert tls.certificate_not_after.tzinfo is not None


@pytest.mark.parametrize("name", ["hostile", "hostile names"])
def test_what_a_certificate_says_is_one_short_line(name):
    tls = shown()[name].exchange.tls
    for words in (tls.certificate_subject, tls.certificate_issuer, tls.certificate_problem or ""):
        assert words.isprintable()
        assert len(words) < 400


def test_without_trust_roots_nothing_is_called_untrusted():
    assert rootless()["good"].exchange.tls.certificate_problem == "not checked: no trust roots on this machine"


def test_without_trust_roots_dates_and_names_are_looked_at_all_the_same():
    words = rootless()["wrong"].exchange.tls.certificate_problem
    assert "no trust roots" in words
    assert "expired on" in words
    assert "issued for www.baihe.example" in words


GOOD = certified(HOST, "www.baihe.example").certificate.public_bytes(serialization.Encoding.DER)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 8))
def test_no_certificate_is_an_error(at, put, cut):
    subject, issuer, _, problem = _read(GOOD[:at] + put + GOOD[at + cut :], HOST)
    for words in (subject, issuer, problem or ""):
        assert words.isprintable()


# Both schemes, on the ports that addresses do not name.

SETTINGS = {
    "DOWNLOADER_MIDDLEWARES": {
        "crawler.fetch.schemes.SchemesMiddleware": 50,
        "crawler.fetch.robots.RobotsMiddleware": 100,
        "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
        "crawler.fetch.backoff.BackoffMiddleware": 550,
        "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
    },
    "REDIRECT_MAX_TIMES": 5,
    "BACKOFF_FLOOR": 0.01,
    "RETRY_TIMES": 1,
}
IMPATIENT = {"DOWNLOAD_TIMEOUT": 1.0}


async def on_ports(http: int, https: int, *urls: str, **settings: float) -> list[Outcome]:
    """Ask while ports 80 and 443 are in truth *http* and *https*."""

    class Mapped(GuardedReactor):
        def connectTCP(self, host, port, *args, **kwargs):  # noqa: N802
            return super().connectTCP(host, {80: http, 443: https}.get(port, port), *args, **kwargs)

    tap.GuardedReactor = Mapped
    with tempfile.TemporaryDirectory() as folder:
        session = Session.open(Options(db=Path(folder) / "a.db", warc=Path(folder)), run_id="r")
        try:
            return await ask(*urls, portal=portal(), **SETTINGS, **settings)
        finally:
            session.close()


def script(path: str):
    if path == "/leave":
        return [page(b"", status="302 Found", headers=[f"Location: https://{HOST}/there"])]
    return [page(b"x")]


async def closed_port() -> int:
    async with WireServer(script) as server:
        return server.port


async def schemes_trial():
    closed = await closed_port()
    urls = [f"{scheme}://{HOST}/{n}" for scheme in ("http", "https") for n in range(2)]
    async with WireServer(script) as plain, WireServer(script, tls=True) as secure, WireServer(lambda _: [9.0]) as mute:
        found = {"only http": await on_ports(plain.port, closed, *urls)}
        found["heard"] = plain.paths()
        plain.heard.clear()
        found["leave"] = await on_ports(plain.port, closed, f"http://{HOST}/leave")
        found["only https"] = await on_ports(closed, secure.port, *urls)
        found["neither"] = await on_ports(closed, closed, f"https://{HOST}/1", f"http://{HOST}/2")
        found["both"] = await on_ports(plain.port, secure.port, *urls)
        found["no TLS"] = await on_ports(plain.port, plain.port, f"https://{HOST}/1", **IMPATIENT)
        plain.heard.clear()
        found["mute"] = await on_ports(mute.port, plain.port, f"http://{HOST}/1", **IMPATIENT)
        found["mute heard"] = plain.paths()
        found["mute TLS"] = await on_ports(plain.port, mute.port, f"https://{HOST}/1", **IMPATIENT)
        found["no name"] = await on_ports(plain.port, plain.port, "https://nosuch.invalid/1")
    return found


@cache
def schemes():
    return in_reactor(schemes_trial)


def urls_of(outcomes: list[Outcome]) -> list[str]:
    return sorted(outcome.url for outcome in outcomes if outcome.status == 200)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_where_one_scheme_does_not_connect_all_is_asked_under_the_other(scheme):
    assert urls_of(schemes()[f"only {scheme}"]) == [f"{scheme}://{HOST}/{n}" for n in (0, 0, 1, 1)]


def test_where_both_connect_each_address_is_asked_as_it_stands():
    assert urls_of(schemes()["both"]) == [f"{scheme}://{HOST}/{n}" for scheme in ("http", "https") for n in (0, 1)]


def test_robots_txt_is_asked_for_under_the_scheme_in_use():
    assert schemes()["heard"][0] == "/robots.txt"
    assert sorted(schemes()["heard"]) == ["/0", "/0", "/1", "/1", "/robots.txt"]


def test_a_server_without_tls_on_the_port_is_asked_in_plain():
    assert urls_of(schemes()["no TLS"]) == [f"http://{HOST}/1"]


def test_a_handshake_without_end_turns_to_the_other_scheme():
    assert urls_of(schemes()["mute TLS"]) == [f"http://{HOST}/1"]


def test_a_host_that_connects_and_does_not_answer_is_not_asked_under_another_scheme():
    [outcome] = schemes()["mute"]
    assert (outcome.error, outcome.words) == ("Blocked", "robots.txt did not answer in time")
    assert schemes()["mute heard"] == []


def test_a_host_that_nothing_reaches_is_said_to_be_down_with_both_reasons():
    for outcome in schemes()["neither"]:
        first, _, second = outcome.words.partition("; ")
        assert outcome.error == "Unreachable"
        assert {first, second} == {f"{scheme}://{HOST} refused the connection" for scheme in ("http", "https")}


def test_a_redirect_is_followed_as_the_server_says_also_into_nowhere():
    [outcome] = schemes()["leave"]
    assert (outcome.error, outcome.url) == ("Unreachable", f"https://{HOST}/there")
    assert outcome.words == f"https://{HOST} refused the connection"


def test_a_host_without_an_address_is_said_to_have_none():
    [outcome] = schemes()["no name"]
    assert (outcome.error, outcome.words) == ("Unreachable", "the host nosuch.invalid cannot be resolved")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://WWW.a.example/x", ("www.a.example", "http")),
        ("https://www.a.example:443/", ("www.a.example", "https")),
        ("http://www.a.example:8080/", ("www.a.example:8080", "http")),
        ("https://www.a.example:80/", ("www.a.example:80", "https")),
        ("http://[2400:3200::1]:80/", ("[2400:3200::1]", "http")),
    ],
)
def test_a_place_is_a_host_without_the_port_that_its_scheme_means(url, place):
    assert Place.of(url) == place
    assert Place.of(url).other.other == place
