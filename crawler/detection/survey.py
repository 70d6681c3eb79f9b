"""A look at a portal's live pages: its homepage, its columns, how far a family's spider gets with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from crawler.detection.columns import Column, columns_of, feeds_of
from crawler.detection.family import GENERIC, LEAST, Guess, Trial, attempt, recognise, spider_of, together
from crawler.fetch.visitor import NotHad, Visitor
from crawler.reading import metatags
from crawler.text.urls import host_of, registered_domain
from spiders.listing import Following, Listing

MAX_COLUMNS = 6
"""Columns of a homepage that are looked at."""
MAX_SITEMAPS = 5
MAX_SHELLS = 3
"""Answers on the way from a column's page to the program's first articles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a portal's pages say of whose they are, by their mandated tags."""

    site_name: str | None = None
    site_id: str | None = None
    title: str | None = None
    """Of the first page, the homepage; may stand in for a missing name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReport:
    """What a list page came to."""

    name: str
    url: str
    articles: int = 0
    """On the first page."""
    dated: int = 0
    newest: str | None = None
    """Day of the newest, ISO 8601."""
    pager: str = "not tried"
    """In words: ``ok, 15 of 15 new``, ``none``, why the second page could not be had."""
    problem: str | None = None
    """Why there is nothing, where there is nothing."""
    urls: frozenset[str] = frozenset()
    """The articles' addresses."""

    @property
    def has_next(self) -> bool:
        """Whether its second page named other articles."""
        return self.pager.startswith("ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All that was found of a portal."""

    homepage: str
    """The address that answered."""
    identity: Identity
    guesses: Sequence[Guess]
    """The families, the likeliest first."""
    lists: Sequence[ListReport]
    feeds: Sequence[str] = ()
    sitemaps: Sequence[str] = ()

    @property
    def family(self) -> str:
        """The likeliest."""
        return self.guesses[0].family if self.guesses else GENERIC


def identity_of(pages: Sequence[Listing]) -> Identity:
    """What *pages* say, the first one that says it."""
    tags = [metatags.read(page.tree) for page in pages]
    title = " ".join((pages[0].tree.findtext(".//title") or "").split()) if pages else ""
    return Identity(
        site_name=next((tag["sitename"] for tag in tags if "sitename" in tag), None),
        site_id=next((tag["siteidcode"] for tag in tags if "siteidcode" in tag), None),
        title=title or None,
    )


async def survey(
    visitor: Visitor, homepage: str, lists: Sequence[str] = (), *, tell: Callable[[str], None] = lambda _: None
) -> Survey:
    """Look at *homepage* and at *lists*, or at the columns that it links to.

    *tell* gets a line for people at each step. Raises NotHad where the portal does not answer, and without a homepage
    where no lists are named.
    """
    tell(homepage)
    try:
        front, turned = await front_page(visitor, homepage)
    except NotHad as error:
        if not lists or error.is_silent or error.is_blocked:
            raise
        front, turned = Listing.parse(url=homepage, number=1, text=""), str(error)  # the lists are all there is
    if turned:
        tell(turned)
    visitor.hosts = visitor.hosts | {host_of(front.url)}
    columns = [Column(name="", url=url) for url in lists] or columns_of(front)[:MAX_COLUMNS]
    tell(f"{len(columns)} columns to look at")
    pages: list[tuple[Column, Listing | NotHad]] = []
    for column in columns:
        tell(f"{column.name or 'list'} {column.url}")
        visitor.hosts = visitor.hosts | {host_of(column.url)}
        page = await _page(visitor, column.url)
        pages.append((column, page))
        if isinstance(page, NotHad) and page.is_blocked:  # more requests would only make it worse
            break
    had = [page for _, page in pages if isinstance(page, Listing)]
    guesses = together(recognise(page) for page in had)
    family = guesses[0].family if guesses else GENERIC
    tell(f"family {family}; now its pager")
    domain = registered_domain(host_of(front.url))
    return Survey(
        homepage=front.url,
        identity=identity_of([front, *had]),
        guesses=guesses,
        lists=[await _report(visitor, family, column, page) for column, page in pages],
        feeds=list(dict.fromkeys(feeds_of(front))),
        sitemaps=[url for url in visitor.sitemaps(front.url) if registered_domain(host_of(url)) == domain][
            :MAX_SITEMAPS
        ],
    )


async def front_page(visitor: Visitor, url: str) -> tuple[Listing, str | None]:
    """The homepage at *url*; where nothing answers there, the other scheme's, and words to say so. Raises NotHad."""
    try:
        return await list_page(visitor, GENERIC, url), None
    except NotHad as error:
        if not error.is_silent:
            raise
        scheme, _, rest = url.partition("://")
        other = f"{'http' if scheme == 'https' else 'https'}://{rest}"
        try:
            return await list_page(visitor, GENERIC, other), f"{error}; only {other} answers"
        except NotHad as second:
            words = "; ".join(dict.fromkeys([str(error), str(second)]))
            raise NotHad(words, is_silent=second.is_silent, is_blocked=second.is_blocked) from second


async def list_page(visitor: Visitor, family: str, listed: str) -> Listing:
    """The page that the catalogue lists as *listed*, as the family's spider asks for it. Raises NotHad."""
    return await _following(visitor, spider_of(family, visitor.hosts).first_page(listed), number=1)


async def first_articles(visitor: Visitor, family: str, page: Listing) -> tuple[Listing, Trial]:
    """The page of a list that names its first articles, and what the family's spider finds there.

    That is *page* itself or, where it is only the shell of a program, what the program answers. Raises NotHad.
    """
    trial = _attempt(visitor, family, page)
    for _ in range(MAX_SHELLS):
        if trial.links or trial.behind is None:
            break
        page = await _following(visitor, trial.behind, number=1)
        trial = _attempt(visitor, family, page)
    return page, trial


async def try_pager(visitor: Visitor, family: str, first: Listing, trial: Trial) -> str:
    """Ask for the second page of a list, and say in words what came of it."""
    if trial.following is None:
        return "none"
    try:
        second = await _following(visitor, trial.following, number=first.number + 1)
    except NotHad as error:
        return str(error)
    links = _attempt(visitor, family, second).links
    new = {link.url for link in links} - {link.url for link in trial.links}
    return f"ok, {len(new)} of {len(links)} new" if new else f"{second.url} names nothing new"


async def _page(visitor: Visitor, url: str) -> Listing | NotHad:
    """The list page at *url*, or why there is none."""
    try:
        return await list_page(visitor, GENERIC, url)
    except NotHad as error:
        return error


def _attempt(visitor: Visitor, family: str, page: Listing) -> Trial:
    return attempt(family, page, hosts=visitor.hosts, article=visitor.portal.article)


async def _following(visitor: Visitor, page: Following, *, number: int) -> Listing:
    came = await visitor.get(page.url, method=page.method, body=page.body, headers=page.headers)
    return Listing.parse(url=came.url, number=number, text=came.text, state=page.state)


async def _report(visitor: Visitor, family: str, column: Column, page: Listing | NotHad) -> ListReport:
    if isinstance(page, NotHad):
        return ListReport(name=column.name, url=column.url, problem=str(page))
    state = spider_of(family, visitor.hosts).first_page(column.url).state
    try:
        first, trial = await first_articles(visitor, family, replace(page, state=state))
    except NotHad as error:
        return ListReport(name=column.name, url=column.url, problem=str(error))
    days = [link.published for link in trial.links if link.published]
    return ListReport(
        name=column.name,
        url=column.url,
        articles=len(trial.links),
        dated=trial.dated,
        newest=max(days, default="")[:10] or None,
        pager=await try_pager(visitor, family, first, trial) if trial.dated >= LEAST else "not tried",
        problem=None if trial.links else "names no article",
        urls=frozenset(link.url for link in trial.links),
    )
