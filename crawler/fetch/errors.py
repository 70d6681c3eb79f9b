"""Why a request was not made, or brought nothing: words for the report."""

from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, IgnoreRequest


class Blocked(IgnoreRequest):
    """The host does not want us tonight; ``str()`` says why. It is asked nothing more in the same run."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreachable(Blocked):
    """There is no way to the host: no address, no connection, no TLS. That is no refusal; the portal is ``failed``."""


class Dropped(Blocked):
    """The portal is another worker's by now, or the run is being stopped."""


class NoAnswer(DownloadFailedError):  # noqa: N818 - says what happened
    """The connection ended without a byte of an answer."""


class HandshakeFailed(NoAnswer):
    """The TLS handshake failed, as it would again."""


class ConnectTimeout(DownloadTimeoutError):  # noqa: N818 - says what happened
    """There was no connection in time, or no TLS handshake on it."""


class Disallowed(IgnoreRequest):
    """robots.txt forbids this address."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url

    def __str__(self) -> str:
        return f"robots.txt disallows {self.url}"


class AddressRefused(Exception):  # noqa: N818 - says what happened
    """The host's address is not one that a crawler of the public web may connect to."""

    def __init__(self, host: str, address: str, why: str) -> None:
        super().__init__(host, address, why)
        self.host = host
        self.address = address
        self.why = why

    def __str__(self) -> str:
        return f"{self.host} is at {self.address}, {self.why} (--allow-network permits it)"
