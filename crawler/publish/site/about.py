"""``/about``: how the archive is made, what it cannot say, whose the texts are, and where to ask for a correction."""

from typing import Any

from crawler.publish.site.frame import Routes, page
from crawler.publish.site.language import lang_of, words


async def about(datasette: Any, request: Any) -> Any:
    """The page; as data it is what the reader can do with it: the contact and the licence note."""
    t = words(lang_of(request))
    return await page(datasette, request, "about", title=t("about.title"), data={}, contact=None)


ROUTES: Routes = [(r"/about(\.json)?$", about)]
