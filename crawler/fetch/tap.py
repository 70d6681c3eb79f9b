"""The wire tap: Scrapy's HTTP/1.1 download handler with every byte of a request and its response kept.

It sits between Twisted's HTTP client and the transport (above TLS, whose facts it keeps). After a download, done or
failed, ``request.meta["exchange"]`` is the ``Exchange``; it is absent only where no request was sent (no address, no
connection). Interim responses (1xx) before the response are in ``request.meta["interim"]`` where there were any.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf
from typing import Any
from urllib.parse import urldefrag

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _BindAddressAgent,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _ScrapyAgent,
)
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.utils._download_handlers import normalize_bind_address, wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import BODY, HTTP11ClientProtocol
from twisted.web._newclient import Request as TxRequest
from twisted.web.client import URI
from twisted.web.iweb import IResponse

from crawler.fetch.errors import ConnectTimeout, NoAnswer
from crawler.fetch.guard import GuardedReactor, Network, parse_networks
from crawler.fetch.tls import RecordingConnection, RecordingPolicy, facts_of, handshake_failure, is_secured
from crawler.records import Exchange, TlsFacts, Truncation

DOWNLOAD_HANDLERS: dict[str, str | None] = {
    "http": "crawler.fetch.tap.TapDownloadHandler",
    "https": "crawler.fetch.tap.TapDownloadHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
"""Scrapy's setting: the web, and nothing else that an address could name."""

MAX_HEAD = 256 * 1024
"""Bytes of status line and headers, interim responses included, after which we hang up (browsers' limit)."""
FRAMING = 1024 * 1024
"""Bytes that headers and chunk sizes may add to ``DOWNLOAD_MAXSIZE``, which counts the body alone."""

INTERIM = re.compile(rb"HTTP/\S+ 1\d\d(?: [^\n]*)?\r?\n(?:[^\r\n][^\n]*\n)*\r?\n")


class Tap:
    """What crosses the wire for one request."""

    __slots__ = (
        "connection",
        "excess",
        "ip",
        "is_over",
        "is_reset",
        "limit",
        "received",
        "sent",
        "size",
        "started_at",
        "tls",
        "transport",
    )

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.started_at: datetime | None = None
        self.transport: Any = None
        self.connection: RecordingConnection | None = None
        self.ip: str | None = None
        self.tls: TlsFacts | None = None
        self._clear()

    def _clear(self) -> None:
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.size = 0
        self.excess = 0
        self.is_over = False
        self.is_reset = False

    def begin(self, transport: Any) -> None:
        """A request is about to be sent over *transport*; a stale connection's attempt before it is forgotten."""
        self._clear()
        self.started_at = datetime.now(UTC)
        self.transport = transport
        self.ip = transport.getPeer().host
        # Twisted lets go of it before it says that the connection is lost.
        self.connection = transport.getHandle() if ISSLTransport.providedBy(transport) else None

    @property
    def is_connected(self) -> bool:
        """Whether the request could be sent: over TLS only after the handshake."""
        return self.transport is not None and (self.connection is None or is_secured(self.connection))

    def why_cut(self, error: BaseException | None) -> Truncation:
        """Why a response that is not whole ended, in WARC's words."""
        if isinstance(error, DownloadTimeoutError):
            return "time"
        if isinstance(error, DownloadCancelledError):
            return "length"
        if self.transport is not None and self.transport.disconnecting:
            return "unspecified"  # we hung up on what is not HTTP
        return "disconnect"

    def leave(self, request: Request, truncated: Truncation | None) -> None:
        """Put the exchange into the meta of *request*."""
        if self.started_at is None:
            return
        data = b"".join(self.received)
        interim, response = split_interim(data[: -self.excess] if self.excess else data)
        if interim:
            request.meta["interim"] = interim
        request.meta["exchange"] = Exchange(
            url=urldefrag(request.url)[0] if "#" in request.url else request.url,
            method=request.method,
            started_at=self.started_at,
            ip=self.ip,
            request=b"".join(self.sent),
            response=response,
            truncated=truncated,
            tls=self.tls,
        )


def split_interim(data: bytes) -> tuple[bytes, bytes]:
    """The interim responses (1xx) at the head of what a server sent, and the response after them."""
    end = 0
    while found := INTERIM.match(data, end):
        end = found.end()
    return data[:end], data[end:]


class _Tee:
    """A transport that keeps what is written to it."""

    __slots__ = ("_sent", "_transport")

    def __init__(self, transport: Any, sent: list[bytes]) -> None:
        self._transport = transport
        self._sent = sent

    def write(self, data: bytes) -> None:
        self._sent.append(data)
        self._transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:  # noqa: N802 - Twisted's name
        self.write(b"".join(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _TappedRequest(TxRequest):
    def writeTo(self, transport: Any) -> Deferred[None]:  # noqa: N802 - Twisted's name
        tap: Tap = self._parsedURI.tap  # type: ignore[union-attr]
        result: Deferred[None] = super().writeTo(_Tee(transport, tap.sent))  # type: ignore[no-untyped-call]
        return result


class _TapProtocol(_LenientHTTP11ClientProtocol):
    _tap: Tap | None = None
    _tls: TlsFacts | None = None

    def request(self, request: TxRequest) -> Deferred[IResponse]:
        request.__class__ = _TappedRequest  # it has no state of its own; Scrapy changes the parser in the same way
        tap: Tap = request._parsedURI.tap  # type: ignore[union-attr]  # noqa: SLF001
        tap.begin(self.transport)
        self._tap = tap
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        tap = self._tap
        if tap is not None:
            if tap.is_over:
                return
            if not tap.received:
                tap.tls = self._facts(tap.connection)
            tap.received.append(data)
            tap.size += len(data)
            is_head_over = tap.size > MAX_HEAD and self._parser is not None and self._parser.state != BODY
            if is_head_over or tap.size > tap.limit:
                tap.is_over = True
                self.transport.abortConnection()  # type: ignore[union-attr]
                return
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def _facts(self, connection: RecordingConnection | None) -> TlsFacts | None:
        """Of this protocol's connection; looked up once, with its first answer."""
        if self._tls is None and connection is not None:
            self._tls = facts_of(connection)
        return self._tls

    def _finishResponse(self, rest: bytes) -> None:  # noqa: N802 - Twisted's name
        tap, self._tap = self._tap, None
        if tap is not None and rest:
            # Bytes after the end of a response belong to no request of ours: they are not kept, and what follows on
            # this connection could be taken for the next response.
            tap.excess = len(rest)
            if self._currentRequest is not None:
                self._currentRequest.persistent = False
        super()._finishResponse(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        if self._tap is not None:
            # Under TLS a reset looks like a close without its alert, which is common and ends whole responses.
            is_plain = not ISSLTransport.providedBy(self.transport)
            self._tap.is_reset = is_plain and isinstance(reason.value, ConnectionLost)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class _TapFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:  # noqa: N802 - Twisted's name
        return _TapProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class _TapAgent(_BindAddressAgent):
    def __init__(self, tap: Tap, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tap = tap

    def _requestWithEndpoint(self, key: Any, endpoint: Any, method: bytes, parsedURI: URI, *rest: Any) -> Any:  # noqa: N802, N803
        # The address is the one object of a request that Twisted hands on to the connection that will carry it.
        parsedURI.tap = self._tap  # type: ignore[attr-defined]
        return super()._requestWithEndpoint(key, endpoint, method, parsedURI, *rest)


class _GuardedTapAgent(_ScrapyAgent):
    """Scrapy's agent without proxies, whose connections are guarded and whose bytes are kept."""

    def __init__(self, tap: Tap, allowed: tuple[Network, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tap = tap
        self._allowed = allowed

    def _get_agent(self, request: Request, timeout: float) -> _TapAgent:
        from twisted.internet import reactor  # noqa: PLC0415 - importing it earlier installs another one

        return _TapAgent(
            self._tap,
            reactor=GuardedReactor(reactor, urlparse_cached(request).hostname or "", self._allowed),
            contextFactory=self._contextFactory,
            connectTimeout=timeout,
            bindAddress=normalize_bind_address(request.meta.get("bindaddress") or self._bindAddress),
            pool=self._pool,
        )


class TapDownloadHandler(HTTP11DownloadHandler):
    """Downloads http and https with the exchange kept, from public addresses and those of ``ALLOW_NETWORKS``."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _TapFactory  # noqa: SLF001 - Scrapy puts its own factory in the same way
        self._allowed = parse_networks(crawler.settings.getlist("ALLOW_NETWORKS"))
        portal = getattr(crawler.spider, "portal", None)
        self._is_legacy = portal is not None and portal.tls == "legacy"
        self._contextFactory = RecordingPolicy(legacy=self._is_legacy)  # type: ignore[assignment]  # zope's interface

    async def download_request(self, request: Request) -> Response:
        """Download, and leave the exchange in the meta of *request* however it ends.

        A response cut short by the server comes with the flag ``dataloss``. Raises what Scrapy's handler raises (where
        nothing came: NoAnswer, HandshakeFailed, ConnectTimeout) and AddressRefused; DownloadCancelledError means a
        limit of size.
        """
        request.meta.pop("exchange", None)
        request.meta.pop("interim", None)
        maxsize = request.meta.get("download_maxsize", self._default_maxsize)
        tap = Tap(maxsize + FRAMING if maxsize else inf)
        try:
            response = await self._download(request, tap)
        except BaseException as error:
            tap.leave(request, tap.why_cut(error))
            raise
        tap.leave(request, tap.why_cut(None) if "dataloss" in response.flags else None)
        return response

    async def _download(self, request: Request, tap: Tap) -> Response:
        agent = _GuardedTapAgent(
            tap,
            self._allowed,
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        try:
            with wrap_twisted_exceptions():
                response = await maybe_deferred_to_future(agent.download_request(request))
        except (DownloadFailedError, ResponseDataLossError) as error:
            if tap.is_over:
                raise DownloadCancelledError(f"{request.url} sent more than {tap.size} bytes") from error
            if tap.received or not isinstance(error, DownloadFailedError):
                raise
            if tap.is_connected:
                raise NoAnswer("the connection was closed without an answer") from error
            raise handshake_failure(error, legacy=self._is_legacy) from error
        except DownloadTimeoutError as error:
            if tap.is_connected:
                raise
            raise ConnectTimeout(str(error)) from error
        except DownloadCancelledError as error:
            maxsize = request.meta.get("download_maxsize", self._default_maxsize)
            raise DownloadCancelledError(f"cut short, as its body is longer than {maxsize:,} bytes") from error
        if tap.is_over:
            raise DownloadCancelledError(f"{request.url} sent more than {tap.size} bytes")
        if tap.is_reset and "partial" in response.flags:
            response.flags[:] = ["dataloss"]
        return response
