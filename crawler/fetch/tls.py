"""TLS to portals: a wrong certificate is recorded and accepted, because its pages belong into the archive too.

The chain is verified while the connection is made, by a callback that notes each error and goes on. Old servers are
reached by ``tls = "legacy"`` alone: some modern ones hang when they are greeted in the old way.
"""

import hashlib
import ssl
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto
from service_identity import VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.exceptions import CertificateError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.web.client import ResponseFailed
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from crawler.fetch.errors import HandshakeFailed, NoAnswer
from crawler.records import TlsFacts

CIPHERS = b"DEFAULT"
LEGACY_CIPHERS = b"ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0"
"""SECLEVEL 0 also stands for TLS 1.0 and 1.1, SHA-1 signatures and short keys (OpenSSL 3 and later)."""
LEGACY_SERVER_CONNECT = 0x4
"""OpenSSL's option to go on with servers that lack RFC 5746: what we send is the same, so nobody hangs under it."""
REMEDY = '; an old server may answer with tls = "legacy" in its catalogue entry'
NO_TLS = frozenset({"wrong version number", "packet length too long", "http request", "record layer failure"})
"""What OpenSSL says where the other side speaks something else."""
MAX_NAME = 300
"""Characters kept of a certificate's subject and issuer."""
NAMES_SHOWN = 3

EXPIRED = 10
UNKNOWN_ISSUER = frozenset({2, 19, 20, 21, 27})
"""Nobody whom this machine trusts vouches for it."""
PROBLEMS = {
    3: "its revocation list is missing",
    7: "its signature is wrong",
    9: "not valid yet",
    EXPIRED: "expired",
    18: "self-signed",
    23: "revoked",
    24: "issued by what is no authority",
    26: "not meant for servers",
    66: "its key is too short",
    67: "an authority's key is too short",
    68: "signed with a weak digest",
}
"""X509_V_ERR_* of OpenSSL's x509_vfy.h in words."""


class RecordingConnection(SSL.Connection):
    """A connection that knows its host, and what verification found: OpenSSL's errors with their depth in the chain."""

    def __init__(self, context: SSL.Context, host: str) -> None:
        super().__init__(context, None)
        self.host = host
        self.errors: list[tuple[int, int]] = []
        if not _is_address(host):  # RFC 6066 section 3 allows names alone
            self.set_tlsext_host_name(host.encode("ascii"))


@implementer(IPolicyForHTTPS)
class RecordingPolicy:
    """Connects to every server that OpenSSL can talk to; *legacy*: also to those with TLS 1.0 and old ciphers."""

    def __init__(self, *, legacy: bool) -> None:
        self._legacy = legacy

    def creatorForNetloc(self, hostname: bytes, port: int) -> "_ConnectionCreator":  # noqa: N802 - Twisted's
        """What makes a connection to *hostname*."""
        return _ConnectionCreator(_context(legacy=self._legacy), hostname.decode("ascii"))


@implementer(IOpenSSLClientConnectionCreator)
class _ConnectionCreator:
    def __init__(self, context: SSL.Context, host: str) -> None:
        self._context = context
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: Any) -> RecordingConnection:  # noqa: N802, N803 - Twisted's
        return RecordingConnection(self._context, self._host)


@cache
def _context(*, legacy: bool) -> SSL.Context:
    """One a process: making one for each connection, with the trust roots, would cost 7 ms."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_VERSION if legacy else SSL.TLS1_2_VERSION)
    context.set_cipher_list(LEGACY_CIPHERS if legacy else CIPHERS)
    context.set_options(SSL.OP_ALL | SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET | LEGACY_SERVER_CONNECT)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    paths = ssl.get_default_verify_paths()
    if _has_roots():
        context.load_verify_locations(paths.cafile, paths.capath)
    context.set_verify(SSL.VERIFY_PEER, _note)
    return context


def _note(connection: SSL.Connection, _certificate: crypto.X509, error: int, depth: int, is_fine: int) -> bool:
    if not is_fine and isinstance(connection, RecordingConnection):
        connection.errors.append((error, depth))
    return True


@cache
def _has_roots() -> bool:
    """Whether this machine has a list of authorities that it trusts."""
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).glob("*.0")))


def is_secured(connection: SSL.Connection) -> bool:
    """Whether the handshake came so far that both sides agree on a cipher."""
    return connection.get_cipher_name() is not None


def facts_of(connection: RecordingConnection) -> TlsFacts | None:
    """What a connection is like after its handshake; None where the server showed no certificate."""
    shown = connection.get_peer_certificate()
    if shown is None:
        return None
    der = crypto.dump_certificate(crypto.FILETYPE_ASN1, shown)
    subject, issuer, not_after, names_problem = _read(der, connection.host)
    problems = [*_problems(connection.errors, not_after), *([names_problem] if names_problem else [])]
    return TlsFacts(
        protocol=connection.get_protocol_version_name(),
        cipher=connection.get_cipher_name() or "",
        certificate_sha256=hashlib.sha256(der).hexdigest(),
        certificate_subject=subject,
        certificate_issuer=issuer,
        certificate_not_after=not_after,
        certificate_problem="; ".join(problems) or None,
    )


def _problems(errors: Sequence[tuple[int, int]], not_after: datetime | None) -> list[str]:
    found: dict[str, None] = {}  # each once, in their order
    for error, depth in errors:
        words = PROBLEMS.get(error, f"OpenSSL's verification error {error}")
        if error in UNKNOWN_ISSUER:
            words = "its issuer is not trusted" if _has_roots() else "not checked: no trust roots on this machine"
        elif depth:
            words = f"in its chain: {words}"
        elif error == EXPIRED and not_after:
            words = f"expired on {not_after:%Y-%m-%d}"
        found[words] = None
    return list(found)


def _read(der: bytes, host: str) -> tuple[str, str, datetime | None, str | None]:
    """Subject, issuer, end of validity, and why the certificate is not one for *host*."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject, issuer = _line(certificate.subject.rfc4514_string()), _line(certificate.issuer.rfc4514_string())
        return subject, issuer, certificate.not_valid_after_utc, _names_problem(certificate, host)
    except Exception:  # whatever it takes to break a parser, a server may show it
        return "", "", None, "it cannot be read"


def _names_problem(certificate: x509.Certificate, host: str) -> str | None:
    try:
        wanted = IPAddress_ID(host) if _is_address(host) else DNS_ID(host)
        verify_service_identity(extract_patterns(certificate), [wanted], [])
    except (VerificationError, CertificateError, ValueError):
        names = _names(certificate)
        more = " …" if len(names) > NAMES_SHOWN else ""
        return f"issued for {_line(', '.join(names[:NAMES_SHOWN]) or 'no host')}{more}, not for {host}"
    return None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return [
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    ]


def handshake_failure(error: BaseException, *, legacy: bool) -> NoAnswer:
    """*error*, by which a handshake ended, in words that say what may help.

    Only what the two sides say of TLS is a HandshakeFailed: a connection that just broke may not break again.
    """
    reason = _openssl_reason(error)
    remedy = "" if legacy else REMEDY
    if reason is None:
        return NoAnswer(f"the connection was closed in the TLS handshake{remedy}")
    if reason in NO_TLS:
        return HandshakeFailed(f"the server speaks no TLS there ({reason})")
    return HandshakeFailed(f"the TLS handshake failed ({reason}){remedy}")


def _openssl_reason(error: BaseException | None) -> str | None:
    """OpenSSL's own words; None where it has none."""
    while error is not None:
        if isinstance(error, SSL.Error):
            reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
            return reasons[-1][2] if reasons else None
        if isinstance(error, ResponseFailed):
            return next(filter(None, (_openssl_reason(failure.value) for failure in error.reasons)), None)
        error = error.__cause__
    return None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _line(text: str) -> str:
    """One short line, whatever a server wrote into its certificate."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_NAME])
