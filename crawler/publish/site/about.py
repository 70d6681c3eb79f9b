"""``/about``: how the archive is made, what it cannot say, whose the texts are, and where to ask for a correction."""

from dataclasses import asdict
from typing import Any

from datasette.database import QueryInterrupted

from crawler.publish.addresses import contact_address
from crawler.publish.site.coverage import coverage
from crawler.publish.site.frame import Routes, page
from crawler.publish.site.language import lang_of, words


async def about(datasette: Any, request: Any) -> Any:
    """The page; its text is one template a language."""
    t = words(lang_of(request))
    contact = (datasette.plugin_config("xianzhi") or {}).get("contact")
    try:
        covered = await coverage(datasette)
    except QueryInterrupted:
        covered = None
    return await page(
        datasette,
        request,
        "about",
        title=t("about.title"),
        description=t("about.description"),
        data={"contact": contact, "rights": t("frame.rights"), "coverage": covered and asdict(covered)},
        contact=contact,
        contact_address=contact_address(contact) if contact else None,
        covered=covered,
        part=f"site/about_{lang_of(request)}.html",
    )


ROUTES: Routes = [(r"/about(\.json)?$", about)]
