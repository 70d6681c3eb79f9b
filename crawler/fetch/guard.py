"""The address guard: no connection leaves for an address that is not public.

It stands at ``connectTCP``, after name resolution, so the address that is judged is the address that is connected to:
redirects, rebinding names, cached answers and odd spellings of an address (``http://2130706433/``) all come by here.
A connection kept alive was judged when it was made.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from twisted.internet.interfaces import IReactorPluggableNameResolver
from zope.interface import implementer

from crawler.fetch.errors import AddressRefused

Network = IPv4Network | IPv6Network

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
NOT_PUBLIC: tuple[tuple[Network, str], ...] = (
    (IPv4Network("0.0.0.0/8"), "an address of this network"),
    (IPv4Network("100.64.0.0/10"), "a carrier's shared address"),
    (IPv4Network("192.88.99.0/24"), "a 6to4 relay"),
    (IPv6Network("2001::/32"), "a Teredo tunnel"),
    (IPv6Network("3fff::/20"), "a documentation address"),
)
"""What Python 3.11's ``is_global`` misses or names badly (IANA's registries of special-purpose addresses)."""


def parse_networks(blocks: Iterable[str]) -> tuple[Network, ...]:
    """CIDR blocks as networks; a bare address is a block of one. Raises ValueError that names the bad block."""
    return tuple(ip_network(block.strip(), strict=False) for block in blocks)


def refusal(address: str, allowed: Iterable[Network] = ()) -> str | None:
    """Why no connection may be made to *address* (numeric, as the connect call has it); None where it may.

    Inside a block of *allowed* everything may. An IPv4-mapped IPv6 address is the IPv4 address that the kernel
    connects to; NAT64 and 6to4 addresses lead to the IPv4 address inside them, which must be public itself.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return "not a numeric address"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip in network for network in allowed):
        return None
    return _not_public(_embedded(ip) or ip)


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.sixtofour


def _not_public(ip: IPv4Address | IPv6Address) -> str | None:
    for network, name in NOT_PUBLIC:
        if ip in network:
            return name
    if ip.is_loopback:
        return "a loopback address"
    if ip.is_link_local:
        return "a link-local address"
    if ip.is_multicast:
        return "a multicast address"
    if not ip.is_global or (isinstance(ip, IPv6Address) and ip not in GLOBAL_UNICAST):
        return "a private or reserved address"
    return None


@implementer(IReactorPluggableNameResolver)
class GuardedReactor:
    """The reactor as an endpoint sees it, with a guard at its TCP connections."""

    def __init__(self, reactor: Any, host: str, allowed: tuple[Network, ...]) -> None:
        self._reactor = reactor
        self._host = host
        self._allowed = allowed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def connectTCP(self, host: str, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - Twisted's name
        """Connect to the numeric address *host*. Raises AddressRefused."""
        why = refusal(host, self._allowed)
        if why:
            raise AddressRefused(self._host, host, why)
        return self._reactor.connectTCP(host, *args, **kwargs)
