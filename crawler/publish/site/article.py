"""``/article/ID``: one article to read, with its history and its evidence; ``?version=V``, ``?compare=V..W``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from datasette.utils.asgi import Response

from crawler.archive.editions import Edition
from crawler.publish.addresses import is_web_address, replay_address
from crawler.publish.site import citations
from crawler.publish.site.asked import number, said
from crawler.publish.site.asking import ask
from crawler.publish.site.citations import Work
from crawler.publish.site.comparison import passages
from crawler.publish.site.dossier import CARRIERS, Dossier, dossier, texts
from crawler.publish.site.frame import Routes, absolute, headers_for, link, not_found, page
from crawler.publish.site.language import lang_of, words
from crawler.publish.site.names import full_name
from crawler.publish.site.reading import Block, Reading, read
from crawler.text.differences import differences

FIELDS = ("title", "published", "source", "author", "editor")
"""In which versions differ, beside their text."""
DESCRIPTION = 120
"""Characters for search engines."""
AT_FIRST = 5
"""Reprints and captures that are listed openly."""

_FILES: Mapping[str, tuple[Callable[[Work], str], str]] = {
    ".bib": (citations.bibtex, "application/x-bibtex; charset=utf-8"),
    ".ris": (citations.ris, "application/x-research-info-systems; charset=utf-8"),
}


async def article(datasette: Any, request: Any) -> Any:
    """The page, its comparison of two versions, or a file for reference managers."""
    article_id = number(request.url_vars["id"])
    version_id, is_named = _version_asked(request)
    if article_id is None or (is_named and version_id is None):
        return await not_found(datasette, request)
    found = await ask(datasette, lambda conn: dossier(conn, article_id, version_id))
    if found is None:
        return await not_found(datasette, request)
    if "compare" in request.args:
        return await _comparison(datasette, request, found)
    reading = read(found.edition.title or "", found.printed, found.spans)
    work = _work(datasette, request, found, _title_of(reading))
    if (form := request.url_vars["form"]) in _FILES:
        return _file(datasette, work, form)
    return await _reading(datasette, request, found, reading, work)


def _version_asked(request: Any) -> tuple[int | None, bool]:
    """The version that the address names, and whether it names one."""
    given = request.args.get("version")
    return number(given), given is not None


async def _reading(datasette: Any, request: Any, found: Dossier, reading: Reading, work: Work) -> Any:
    t = words(lang_of(request))
    return await page(
        datasette,
        request,
        "article",
        title=work.title or t("frame.untitled"),
        data=_data(datasette, request, found, reading, work),
        description=_description(reading),
        is_indexed=found.edition.version_id == found.article["version_id"],
        found=found,
        article=found.article,
        edition=found.edition,
        headline=reading.title,
        groups=_groups(reading.blocks),
        removals=reading.removals,
        carriers=found.carriers,
        most_carriers=CARRIERS,
        place=full_name(found.article["division_code"]),
        authors=citations.names(found.edition.author),
        original=found.article["url"] if is_web_address(found.article["url"]) else None,
        is_newest=found.edition.version_id == found.article["version_id"],
        versions=_versions(found.today),
        since=found.states[-1].since if len(found.states) > 1 else None,
        captures=[{**one, "replay": _replay(datasette, one)} for one in found.captures],
        work=work,
        cited={"gb": citations.gb_t_7714(work), "apa": citations.apa(work), "bibtex": citations.bibtex(work)},
        at_first=AT_FIRST,
        said=said,
        is_web_address=is_web_address,
    )


def _title_of(reading: Reading) -> str:
    """A title without what was injected into it."""
    return "".join(piece.text for piece in reading.title).strip()


def _groups(blocks: Sequence[Block]) -> list[tuple[bool, list[Block]]]:
    """Paragraphs in order; rows of a data table together (True)."""
    return [(is_table, list(group)) for is_table, group in groupby(blocks, key=lambda block: bool(block.cells))]


def _versions(today: Sequence[Edition]) -> list[dict[str, Any]]:
    """The portal's versions, the newest first, each with what differs from the one before."""
    listed: list[dict[str, Any]] = []
    for place, edition in enumerate(today):
        before = today[place - 1] if place else None
        listed.append(
            {
                "number": place + 1,
                "edition": edition,
                "before": before,
                "changed": changed_fields(before, edition) if before else [],
                "grown": edition.chars - before.chars if before else 0,
            }
        )
    return listed[::-1]


def changed_fields(before: Edition, after: Edition) -> list[str]:
    """Names of what differs between two versions: `FIELDS`, and ``text``."""
    fields = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    return [*fields, "text"] if before.text_sha256 != after.text_sha256 else fields


def _description(reading: Reading) -> str:
    text = " ".join("".join(piece.text for piece in block.pieces) for block in reading.blocks if block.role == "body")
    return text if len(text) <= DESCRIPTION else f"{text[:DESCRIPTION]}…"


def _replay(datasette: Any, capture: Mapping[str, Any]) -> str | None:
    base = (datasette.plugin_config("xianzhi") or {}).get("replay_base")
    return replay_address(base, capture["url"], capture["fetched_at"])


# One article as a reference.


def _work(datasette: Any, request: Any, found: Dossier, title: str) -> Work:
    path = str(datasette.urls.path(f"/article/{found.article['id']}"))
    edition = found.edition
    return Work(
        article_id=found.article["id"],
        version_id=edition.version_id,
        title=title,
        author=edition.author,
        portal=found.article["portal"],
        published=edition.published,
        seen_at=edition.seen_at,
        original=found.article["url"],
        archived=absolute(datasette, request, f"{path}?version={edition.version_id}"),
        text_sha256=edition.text_sha256,
    )


def _file(datasette: Any, work: Work, form: str) -> Response:
    written, content_type = _FILES[form]
    headers = {**headers_for(datasette), "Content-Disposition": f'attachment; filename="{work.key}{form}"'}
    return Response(written(work), headers=headers, content_type=content_type)


# Two versions.


async def _comparison(datasette: Any, request: Any, found: Dossier) -> Any:
    pair = _pair(found.history, request.args.get("compare"))
    if pair is None:
        return await not_found(datasette, request)
    before, after = pair
    changes = await ask(
        datasette, lambda conn: differences(texts(conn, before.version_id), texts(conn, after.version_id))
    )
    t = words(lang_of(request))
    headline = found.title or t("frame.untitled")
    fields = [(name, getattr(before, name), getattr(after, name)) for name in FIELDS]
    changed = [(name, old, new) for name, old, new in fields if old != new]
    return await page(
        datasette,
        request,
        "comparison",
        title=t("article.comparison_of", title=headline),
        data={
            "article": found.article["id"],
            "from": before.version_id,
            "to": after.version_id,
            "fields": {name: {"before": old, "after": new} for name, old, new in changed},
            "differences": [asdict(change) for change in changes],
        },
        is_indexed=False,
        article=found.article,
        headline=headline,
        before=before,
        after=after,
        fields=changed,
        passages=passages(changes),
        said=said,
    )


def _pair(history: Sequence[Edition], given: str) -> tuple[Edition, Edition] | None:
    """The two versions that ``V..W`` names; None where one is none of the article's."""
    by_id = {edition.version_id: edition for edition in history}
    older, dots, newer = given.partition("..")
    before, after = by_id.get(number(older) or 0), by_id.get(number(newer) or 0)
    return (before, after) if dots and before and after else None


# For programs.


def _data(datasette: Any, request: Any, found: Dossier, reading: Reading, work: Work) -> dict[str, Any]:
    """All that the page shows."""
    fields = {name: value for name, value in found.article.items() if name not in ("homepage", "portal")}
    return {
        **fields,
        "title": found.title,
        "portal": {"id": found.article["portal_id"], "name": found.article["portal"]},
        "division": full_name(found.article["division_code"]),
        "page": absolute(datasette, request, link(datasette, request, f"/article/{found.article['id']}")),
        "version": asdict(found.edition),
        "text": [
            {
                "position": block.position,
                "role": block.role,
                "text": "".join(piece.text for piece in block.pieces),
                "section": block.section_id,
                "other_articles": found.carriers.get(block.section_id, 0),
            }
            for block in reading.blocks
        ],
        "removed": [asdict(removal) for removal in reading.removals],
        "images": list(found.images),
        "attachments": list(found.attachments),
        "story": asdict(found.story),
        "versions": [asdict(edition) for edition in found.history],
        "states": [asdict(state) for state in found.states],
        "captures": [{**one, "replay": _replay(datasette, one)} for one in found.captures],
        "previous": found.previous,
        "next": found.following,
        "cite": {
            "gb_t_7714": citations.gb_t_7714(work),
            "apa": citations.apa(work),
            "bibtex": citations.bibtex(work),
            "ris": citations.ris(work),
        },
    }


ROUTES: Routes = [(r"/article/(?P<id>[^/]+?)(?P<form>\.json|\.ris|\.bib)?$", article)]
