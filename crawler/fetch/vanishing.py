"""What became of known articles that are not answered as they were: gone, moved, or only mistaken for it.

One night of a portal may answer every address with its front page, or with 404 while its database is down. So verdicts
wait until the portal's other pages were looked at, and where too many would be gone, none is.
"""

import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from crawler.reading import kind
from crawler.records import Article, Capture

GONE_STATUSES = frozenset({404, 410})
SHARE = 5
"""Where more than a fifth of the articles looked at would be gone, the fault is the portal's, or ours."""
MAX_CONTROLS = 45
"""Further articles that are looked at, so that a few missing ones can be judged on a quiet night."""
MAX_PROBES = 5
"""Folders of a portal in which an address that cannot exist is asked for."""
ALIKE = 0.8
"""Share of paragraphs by which two answers are the same page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A known article whose address did not bring it."""

    url: str
    """The article's canonical address."""
    capture: Capture
    article: Article | None = None
    """What came under status 200 instead."""
    final_url: str
    """The canonical address that answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the articles that were missed."""

    gone: list[Missed] = field(default_factory=list)
    moved: list[Missed] = field(default_factory=list)
    """They answer under another address of the portal: ``final_url``."""
    unclear: list[tuple[Missed, str]] = field(default_factory=list)
    """Not marked, with the reason."""
    doubt: str | None = None
    """Why nothing was marked as gone, where too much would be; in words for the report."""


class Vanishing:
    """One portal in one run: gathers what was missed and judges it at the end."""

    def __init__(self) -> None:
        self._missed: dict[str, Missed] = {}
        self._probes: dict[str, str] = {}
        self._answers: dict[str, Article | None] = {}

    def __len__(self) -> int:
        return len(self._missed)

    def add(self, missed: Missed) -> None:
        """A known article did not answer as one."""
        self._missed[missed.url] = missed

    # Addresses that cannot exist: what a portal answers there, it answers for every page that is gone.

    def new_probes(self) -> list[str]:
        """Addresses to ask for, beside the articles that answered 200 with something else; each is named once."""
        folders: dict[str, str] = {}
        for missed in self._missed.values():
            if missed.article is not None:
                folders.setdefault(_folder(missed.url), missed.url)
        fresh = [folder for folder in folders if folder not in self._probes][: MAX_PROBES - len(self._probes)]
        self._probes.update((folder, _nowhere(folders[folder])) for folder in fresh)
        return [self._probes[folder] for folder in fresh]

    def is_probe(self, key: str | None) -> bool:
        """Whether a request's key is a probe's."""
        return key in self._probes.values()

    def answered(self, probe: str, article: Article | None) -> None:
        """What a probe brought: a page under status 200, or None for an honest error."""
        self._answers[probe] = article

    # The verdict.

    def controls_needed(self, looked: int) -> int:
        """How many further articles have to be looked at until those gone are a fifth; 0 where that is out of reach.

        *looked*: article pages that this run judged so far, the missed ones among them.
        """
        needed = SHARE * sum(1 for missed in self._missed.values() if self._is_gone(missed)) - looked
        return needed if 0 < needed <= MAX_CONTROLS else 0

    def verdict(self, looked: int) -> Verdict:
        """Judge. *looked* as above."""
        verdict = Verdict()
        for missed in self._missed.values():
            if self._is_gone(missed):
                verdict.gone.append(missed)
            elif missed.article is not None and missed.article.kind == "article":
                verdict.moved.append(missed)
            else:
                verdict.unclear.append((missed, "answers with a page that is no article"))
        if len(verdict.gone) * SHARE <= looked:
            return verdict
        doubt = (
            f"{len(verdict.gone)} of {looked} articles looked at are not there any more: more than a fifth, so none is"
            f" marked as gone; first {verdict.gone[0].url}"
        )
        unclear = [(missed, "not there any more, as too many tonight") for missed in verdict.gone]
        return Verdict(moved=verdict.moved, unclear=[*verdict.unclear, *unclear], doubt=doubt)

    def _is_gone(self, missed: Missed) -> bool:
        article = missed.article
        if article is None:
            return True
        if article.kind != "article":
            text = "\n".join(paragraph.text for paragraph in article.paragraphs)
            return kind.is_missing(article.title, text) or self._is_as_nowhere(missed, article)
        # Another article of the portal; one that many addresses lead to is a notice, if nowhere leads to it too.
        targets = Counter(other.final_url for other in self._missed.values())
        return targets[missed.final_url] > 1 and self._is_as_nowhere(missed, article)

    def _is_as_nowhere(self, missed: Missed, article: Article) -> bool:
        """Whether an address that cannot exist answered the same."""
        probe = self._answers.get(self._probes.get(_folder(missed.url), ""))
        return probe is not None and _are_alike(article, probe)


def _are_alike(one: Article, other: Article) -> bool:
    if one.capture.url == other.capture.url or one.capture.payload_sha256 == other.capture.payload_sha256:
        return True
    if (one.kind, one.title) != (other.kind, other.title):
        return False
    ours, theirs = ({paragraph.text for paragraph in article.paragraphs} for article in (one, other))
    return len(ours & theirs) >= ALIKE * max(len(ours), len(theirs))


def _folder(url: str) -> str:
    return url.rpartition("/")[0]


def _nowhere(url: str) -> str:
    """An address beside *url* that no page has, of the same shape."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    stem, dot, extension = name.partition(".")
    chance = secrets.token_hex(6)
    query = re.sub(r"=\d+", lambda found: f"{found[0]}{chance}", parts.query, count=1)
    return urlunsplit(
        (parts.scheme, parts.netloc, f"{folder}/{stem}{'' if query else chance}{dot}{extension}", query, "")
    )
