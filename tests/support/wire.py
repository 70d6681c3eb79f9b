"""A raw loopback server: sends the bytes that a test wrote down, and keeps the bytes that it heard."""

import asyncio
import ipaddress
import socket
import ssl
import struct
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Step = bytes | float | Literal["close", "drop", "reset"]
"""Bytes to send, seconds to wait, or an end of the connection (``drop``: under TLS without its alert).

A script that does not end the connection keeps it alive.
"""


@dataclass(kw_only=True)
class Heard:
    """One request as it arrived, and what went back."""

    path: str
    request: bytes
    connection: int
    sent: bytearray = field(default_factory=bytearray)


class WireServer:
    """Answers each request with the steps that *script* gives for its path."""

    def __init__(self, script: Callable[[str], Sequence[Step]], *, tls: bool = False, host: str = "127.0.0.1") -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self._connections = 0
        self.heard: list[Heard] = []
        self.at_once = 0
        self.most_at_once = 0

    async def __aenter__(self) -> Self:
        context = self_signed() if self._tls else None
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=context, limit=1 << 20)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def url(self, path: str, *, host: str | None = None) -> str:
        return f"{'https' if self._tls else 'http'}://{host or self._host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [heard.path for heard in self.heard]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        try:
            while request := await _read_request(reader):
                heard = Heard(path=request.split(b" ", 2)[1].decode(), request=request, connection=connection)
                self.heard.append(heard)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    if not await _play(self._script(heard.path), heard, writer):
                        return
                finally:
                    self.at_once -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, which some tests are about
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        if not line:
            return b""
        head += line
    length = next((int(row[15:]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


async def _play(steps: Sequence[Step], heard: Heard, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection is still open."""
    for step in steps:
        if isinstance(step, bytes):
            writer.write(step)
            heard.sent += step
            await writer.drain()
        elif isinstance(step, float):
            await asyncio.sleep(step)
        else:
            if step == "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if step != "close":
                writer.transport.abort()
            return False
    return True


def self_signed() -> ssl.SSLContext:
    """A server context with a certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "server.pem"
        pem.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context.load_cert_chain(pem)
    return context


def page(body: bytes, *, status: str = "200 OK", headers: Sequence[str] = ()) -> bytes:
    """A plain response with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
