"""Why a request was not made: words for the report, never tried again in the same run."""

from scrapy.exceptions import IgnoreRequest


class Blocked(IgnoreRequest):
    """The host does not want us tonight; ``str()`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
