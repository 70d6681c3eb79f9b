"""TLS servers of every age on loopback, with certificates of every worth."""

import ipaddress
import socket
import socketserver
import ssl
import tempfile
import threading
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def context(self) -> ssl.SSLContext:
        """A server's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "server.pem"
            pem.write_bytes(self.pem + key)
            context.load_cert_chain(pem)
        return context

    def old_context(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        """That of a server that speaks *version* and nothing later."""
        context = self.context()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python, which is right
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
        return context


def certified(
    *hosts: str,
    issuer: Certified | None = None,
    is_authority: bool = False,
    days: tuple[int, int] = (-1, 30),
    key: PrivateKey | None = None,
    name: str = "柳溪县人民政府",
) -> Certified:
    """A certificate for *hosts*, valid from and to *days* from now, by *issuer* or else by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if is_authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
    return Certified(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Front:
    """A port before a server, with TLS or without, that counts what its callers begin with: ``tls`` or ``http``."""

    def __init__(self, base: str, context: ssl.SSLContext | None = None) -> None:
        self.begun: Counter[str] = Counter()
        target = urlsplit(base)
        front = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                first = self.request.recv(1, socket.MSG_PEEK)
                front.begun["tls" if first == b"\x16" else "http"] += 1
                with suppress(OSError), socket.create_connection((target.hostname, target.port)) as behind:
                    _relay(context.wrap_socket(self.request, server_side=True) if context else self.request, behind)

        self._server = socketserver.ThreadingTCPServer((target.hostname or "", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.place = f"{target.hostname}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _relay(caller: Any, behind: socket.socket) -> None:
    """Pass on what each says, until one of them has said all."""
    back = threading.Thread(target=_pump, args=(behind, caller), daemon=True)
    back.start()
    _pump(caller, behind)
    back.join()
    caller.close()


def _pump(source: Any, target: Any) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        if isinstance(target, ssl.SSLSocket):
            target.unwrap()
        else:
            target.shutdown(socket.SHUT_WR)
