"""The frame that every page of ours is in: its language, its head and foot, its links, and the same page as JSON."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.utils.asgi import Response

from crawler.publish.headers import PAGE_POLICY
from crawler.publish.metadata import archives
from crawler.publish.site.language import LANGS, Lang, lang_of, words

View = Callable[..., Awaitable[Any]]
"""``async def view(datasette, request)``; Datasette gives what the parameters' names ask for."""
Routes = Sequence[tuple[str, View]]
"""Regular expressions on the path, as for Datasette's ``register_routes``."""

PARAMETER = "_lang"

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


async def page(
    datasette: Any,
    request: Any,
    template: str,
    *,
    title: str,
    data: Any,
    status: int = 200,
    feed: str | None = None,
    description: str | None = None,
    is_indexed: bool = True,
    **context: Any,
) -> Response:
    """``templates/site/TEMPLATE.html`` in the reader's language, or *data* as JSON where the path ends in ``.json``.

    Args:
        datasette: the running Datasette.
        request: its request.
        template: name in ``templates/site`` without its ending.
        title: the page's own title, without the site's name.
        data: what JSON can say, the whole of what the page shows; JSON itself, but for ``str`` keys and ``Markup``.
        status: of the response.
        feed: path of the page's Atom feed.
        description: one sentence for search engines.
        is_indexed: whether search engines may list the page (not combinations of filters, of which there is no end).
        **context: what the template shows; with it come ``t``, ``lang``, ``link``, ``path_of_lang`` and ``title``.

    """
    lang = lang_of(request)
    headers = headers_for(datasette, lang)
    if request.path.endswith(".json"):
        return as_json(data, status=status, headers=headers)
    context |= {
        "title": title,
        "description": description,
        "feed": feed,
        "is_indexed": is_indexed and status == 200,
        **_surroundings(datasette, request, lang),
    }
    html = await datasette.render_template(f"site/{template}.html", context, request=request, view_name="xianzhi")
    return Response.html(upright(html), status=status, headers={**headers, "Content-Security-Policy": PAGE_POLICY})


async def not_found(datasette: Any, request: Any) -> Response:
    """The page that says, in the reader's language, that there is nothing here."""
    t = words(lang_of(request))
    data = {"ok": False, "error": "not found", "status": 404}
    return await page(datasette, request, "not_found", title=t("frame.not_found"), data=data, status=404)


async def bad_address(datasette: Any, request: Any, *, unread: Sequence[str] = ()) -> Response:
    """The page that says, in the reader's language, that an address asks for what cannot be.

    *unread*: names of the parameters at fault, where known.
    """
    t = words(lang_of(request))
    title = t("frame.bad_address.title")
    said = [t("frame.bad_address.value", value=request.args.get(name)) for name in unread]
    data = {"ok": False, "error": title, "status": 400, "not_understood": list(unread)}
    hint = " ".join([*said, t("frame.bad_address.hint")])
    return await page(datasette, request, "error", title=title, data=data, status=400, hint=hint)


def upright(text: str) -> str:
    """*text* without the controls that turn the direction of what follows (Unicode UAX 9 §2.1 to §2.4).

    An article's could turn around what a page says behind it, or end what keeps its words apart from ours.
    """
    return _TURNING.sub("", text)


def link(datasette: Any, request: Any, path: str, **parameters: Any) -> str:
    """The address of *path* on this site, in the language that the reader chose by ``_lang``, if any.

    *path* begins with a slash. Parameters that are None or empty are left out, lists give one each; a parameter that
    Python has a word for is written with an underscore behind it (``from_``).
    """
    asked = request.args.get(PARAMETER)
    pairs = [
        (name.removesuffix("_"), value)
        for name, given in parameters.items()
        for value in (given if isinstance(given, list | tuple) else [given])
        if value is not None and value != ""
    ]
    if asked in LANGS:
        pairs.append((PARAMETER, asked))
    query = urlencode(pairs)
    return str(datasette.urls.path(path)) + (f"?{query}" if query else "")


def here(request: Any, **changes: Any) -> str:
    """The address of this page with some parameters set, or taken out (None); the others stay."""
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name not in changes]
    kept += [(name, value) for name, value in changes.items() if value is not None]
    return f"{request.path}?{urlencode(kept)}" if kept else str(request.path)


def absolute(datasette: Any, request: Any, path: str) -> str:
    """*path* with scheme and host, as feeds and citations need it.

    Behind a proxy the host is what ``Host`` says; for https Datasette wants its setting ``force_https_urls``.
    """
    try:
        return str(datasette.absolute_url(request, path))
    except ValueError:  # a host that is none
        return path


def as_json(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """*data* as JSON with its Chinese readable."""
    body = json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    return Response(body, status=status, headers=headers, content_type="application/json; charset=utf-8")


def headers_for(datasette: Any, lang: Lang | None = None) -> dict[str, str]:
    """Headers by which caches may keep a response of ours; *lang* where it depends on the reader's language."""
    headers = {"Cache-Control": f"max-age={datasette.setting('default_cache_ttl')}"}
    return {**headers, "Vary": "Accept-Language", "Content-Language": lang} if lang else headers


def _surroundings(datasette: Any, request: Any, lang: Lang) -> dict[str, Any]:
    """What ``site/base.html`` needs on every page."""
    return {
        "t": words(lang),
        "lang": lang,
        "link": lambda path, **parameters: link(datasette, request, path, **parameters),
        "here": lambda **changes: here(request, **changes),
        "path_of_lang": {other: here(request, **{PARAMETER: other}) for other in LANGS},
        "canonical": absolute(datasette, request, here(request, **{PARAMETER: None})),
        "data_path": _data_path(request),
        "style_path": f"{datasette.urls.static_plugins('xianzhi', 'site.css')}?{_style_version()}",
        "home_path": str(datasette.urls.path("/")),
        "archive_path": str(datasette.urls.database(archives(datasette)[0])) if archives(datasette) else None,
        "section": "/" + str(request.path).removeprefix(datasette.setting("base_url").rstrip("/")).lstrip("/"),
    }


def _data_path(request: Any) -> str:
    """The address of this page as JSON."""
    path = str(request.path)
    query = f"?{request.query_string}" if request.query_string else ""
    return (f"{path}index.json" if path.endswith("/") else f"{path}.json") + query


@cache
def _style_version() -> str:
    """Changes when the style sheet does, so that no browser keeps an old one."""
    style = files("crawler.publish") / "static" / "site.css"
    return sha256(style.read_bytes()).hexdigest()[:8]
