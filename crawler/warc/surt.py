"""The key under which a replay looks for an address: SURT, the host's labels from the right, then the path.

Two spellings of an address that brought the same page have one key: ``http://www.Example.cn:80/A/?b=2&a=1`` and
``https://example.cn/a?a=1&b=2`` are ``cn,example)/a?a=1&b=2``. What is left out and in which order follows the
convention that pywb, OpenWayback and the Python package ``surt`` share; ``tests/test_cdxj.py`` holds it to the package.
"""

import re
from urllib.parse import unquote_to_bytes

_ADDRESS = re.compile(
    r"(https?)://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^/?#:]*)(?::(\d*))?([^?#]*)(?:\?([^#]*))?", re.IGNORECASE
)
_WWW = re.compile(r"www\d*\.")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_TO_QUOTE = re.compile(rb"[\x00-\x20\x7f-\xff#%]")
_BLANKS = re.compile(r"[\t\r\n]")
# Session keys that IIS, Java servers, PHP and ColdFusion put into addresses.
_PATH_SESSION = re.compile(rb"(.*/)(?:\((?:[a-z]\([0-9a-z]{24}\))+\)|\([0-9a-z]{24}\))/([^?]+\.aspx.*)")
_QUERY_SESSIONS = (
    re.compile(rb"(.*)jsessionid=[0-9a-z]{32}(?:&(.*))?", re.IGNORECASE),
    re.compile(rb"(.*)phpsessid=[0-9a-z]{32}(?:&(.*))?", re.IGNORECASE),
    re.compile(rb"(.*)sid=[0-9a-z]{32}(?:&(.*))?", re.IGNORECASE),
    re.compile(rb"(.*)aspsessionid[a-z]{8}=[a-z]{24}(?:&(.*))?", re.IGNORECASE),
    re.compile(rb"(.*)cfid=[^&]+&cftoken=[^&]+(?:&(.*))?", re.IGNORECASE),
)


def surt(url: str) -> str:
    """The key of *url*, in ASCII where the host is; what is no web address (``urn:dom:…``) is its own key."""
    address = _ADDRESS.match(_BLANKS.sub("", url).strip())
    if address is None:
        return url
    scheme, host, port, path, query = address.groups()
    mark = f":{port}" if port and port != _DEFAULT_PORTS[scheme.lower()] else ""
    return f"{_host(host)}{mark}){_path(path)}{_query(query)}"


def _host(host: str) -> str:
    if host.startswith("["):
        return host[1:-1].lower()
    if not host.isascii():
        host = _idna(host)
    return ",".join(reversed(_WWW.sub("", host.lower().strip("."), count=1).split(".")))


def _idna(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _path(path: str) -> str:
    segments: list[bytes] = []
    for segment in _unquoted(path).split(b"/")[1:]:
        if segment == b".." and segments:
            segments.pop()
        elif segment != b".":
            segments.append(segment)
    quoted = _quoted(b"/" + b"/".join(filter(None, segments))).lower()
    session = _PATH_SESSION.fullmatch(quoted)
    return (session[1] + session[2] if session else quoted).decode("ascii")


def _query(query: str | None) -> str:
    if not query:
        return ""
    quoted = _quoted(_unquoted(query))
    for pattern in _QUERY_SESSIONS:
        session = pattern.fullmatch(quoted)
        if session:
            quoted = session[1] + (session[2] or b"")
    if not quoted:
        return ""
    parameters = sorted(parameter.split(b"=", 1) for parameter in quoted.lower().split(b"&"))
    return "?" + b"&".join(b"=".join(parameter) for parameter in parameters).decode("ascii")


def _unquoted(text: str) -> bytes:
    """Percent-escapes undone until none is left: crawlers and servers quote what is quoted."""
    before, after = b"", text.encode("utf-8", "surrogatepass")
    while after != before:
        before, after = after, unquote_to_bytes(after)
    return after


def _quoted(raw: bytes) -> bytes:
    return _TO_QUOTE.sub(lambda byte: b"%%%02X" % byte[0][0], raw)
