"""One page read again, everything that was ever captured of it, and held against what was read before."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from crawler.archive.batch import StoredArticle
from crawler.archive.histories import History, Sighting
from crawler.archive.readings import Reading
from crawler.archive.readings import read as prepare
from crawler.archive.rereadings import (
    Found,
    FoundArticle,
    FoundEdit,
    Recoded,
    Refreshed,
    Reread,
    Shown,
    StoredReading,
)
from crawler.catalogue import Portal
from crawler.fetch.challenge import challenge
from crawler.reading.identity import contradiction
from crawler.records import Article, Capture, Listed, Mention, Role
from crawler.reprocess.changes import Change, Field, PageCounts
from crawler.reprocess.comparison import besides, differences, excerpts
from crawler.reprocess.past import Past
from crawler.text import jumps
from crawler.text.coding import unpacked
from crawler.text.decoding import decode_page
from crawler.version import EXTRACTOR
from crawler.warc.files import WarcError
from crawler.warc.reader import read_capture
from pipelines.chain import read_text
from pipelines.places import places

STUB_BYTES = 4_096
"""Pages that long or shorter, as they were sent, may be a jump or a bot wall, as in a crawl."""
ALIKE = 0.5
"""Share of paragraphs by which two captures under one title or another show one article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """What became of one page."""

    portal_id: str
    url: str
    counts: PageCounts
    found: tuple[Found, ...] = field(repr=False, default=())
    """To be written, in this order."""
    changes: tuple[Change, ...] = ()
    failures: tuple[str, ...] = ()


def with_excerpts(result: PageResult, past: Past) -> PageResult:
    """A page that was read without its texts at hand, its changes of text quoted now."""
    quoted = (
        excerpts(past.text(each.replaces) or "", each.reading)
        for each in result.found
        if isinstance(each, Reread)
        and past.stored_reading(each.replaces).fields.text_sha256 != each.reading.fields.text_sha256
    )
    changes = []
    for change in result.changes:
        before, after = next(quoted, (None, None)) if change.field == "text" else (change.before, change.after)
        changes.append(replace(change, before=before, after=after))
    return replace(result, changes=tuple(changes))


class _NoArticleError(Exception):
    """What a page is instead of an article, in a word or a few."""


class PageReader:
    """Reads pages again. *portals* are entries of today's catalogue, by id; the archive is asked by `read`'s *past*.

    Places are looked for where something else is read otherwise, where other rules read the page before, and of portals
    in *moved*, which are another division's now; else the same text by the same rules names the same ones.
    """

    def __init__(self, warc: Path, portals: Mapping[str, Portal], moved: Collection[str] = ()) -> None:
        self._warc = warc
        self._portals = portals
        self._moved = frozenset(moved)

    def read(self, history: History, past: Past) -> PageResult:
        """Read a page's captures in the order of time; nothing is written.

        Where *past* has no texts, what changed in one is not quoted: see `with_excerpts`.
        """
        portal = self._portals[history.portal_id]
        page = _Page(past, self._warc, portal, history, is_other_portal=portal.id in self._moved)
        if history.article_id is None:
            page.discover()
        else:
            page.compare(history.article_id)
        return PageResult(
            portal_id=history.portal_id,
            url=history.url,
            counts=_counts(page),
            found=tuple(page.found),
            changes=tuple(page.changes),
            failures=tuple(page.failures),
        )


class _Page:
    """A page on its way through its captures."""

    def __init__(self, past: Past, warc: Path, portal: Portal, history: History, *, is_other_portal: bool) -> None:
        self._past = past
        self._warc = warc
        self._portal = portal
        self._history = history
        self._is_other_portal = is_other_portal
        self._read: dict[tuple[str, str | None], Article | _NoArticleError] = {}
        self.found: list[Found] = []
        self.changes: list[Change] = []
        self.failures: list[str] = []

    @property
    def captures_read(self) -> int:
        """How many captures had to be read."""
        return len(self._read)

    def discover(self) -> None:
        """A page that was no article until now."""
        for sighting in self._history.sightings:
            try:
                reading = self._reading(sighting, None, is_known=False)
            except WarcError as error:
                self.failures.append(str(error))
            except _NoArticleError:
                continue
            else:
                if not self.found:
                    self._note("kind", "no article", "article")
                self.found.append(FoundArticle(reading=self._placed(reading, ())))

    def compare(self, article_id: int) -> None:
        """An article: its versions, and edits between them that older rules did not see."""
        listed = self._past.listed_day(article_id)
        before: Reading | None = None
        was_shown = False
        unseen: FoundEdit | None = None
        for sighting in self._history.sightings:
            if sighting.version_id is None and (
                before is None or sighting.came_late or _payload(before) == sighting.capture.payload_sha256
            ):
                continue
            try:
                reading = self._reading(sighting, listed)
            except WarcError as error:
                self.failures.append(str(error))
                before = None if sighting.version_id is not None else before
            except _NoArticleError as other:
                if sighting.version_id is not None:
                    self._note("kind", "article", str(other))
                    before = None
            else:
                if sighting.version_id is not None:
                    # Captures may have come late: what an earlier one showed, too, may have its version here.
                    if unseen and unseen.reading.fields != reading.fields:
                        self.found.append(unseen)
                    unseen = None
                    stored = self._past.stored_reading(sighting.version_id)
                    self._hold_against(article_id, stored, reading, sighting)
                    was_shown = was_shown or stored.shown is not None
                    before = reading
                elif before is not None and self._is_edit(article_id, before, reading):
                    if unseen:
                        self.found.append(unseen)
                    edited = self._placed(reading, ())
                    unseen = FoundEdit(article_id=article_id, reading=edited, is_shown=was_shown)
                    before = reading
        if unseen:
            self.found.append(unseen)

    def _is_edit(self, article_id: int, before: Reading, reading: Reading) -> bool:
        moment = reading.article.capture.fetched_at
        is_other = before.fields != reading.fields and _are_alike(before, reading)
        return is_other and self._past.answered_at(article_id, moment)

    def _hold_against(self, article_id: int, stored: StoredReading, reading: Reading, sighting: Sighting) -> None:
        differing = differences(stored, reading)
        before_text = self._past.text(stored.version_id) if "text" in differing else None
        if before_text is not None:
            differing["text"] = excerpts(before_text, reading)
        is_reread = bool(differing)
        if stored.shown:
            if not is_reread and stored.is_by(EXTRACTOR) and not self._is_other_portal:
                reading = _with_stored_places(reading, stored.shown)
            else:
                reading = self._placed(reading, () if is_reread else stored.shown_roles, stored)
            differing |= besides(stored.shown, reading.article)
        for name, (before, after) in differing.items():
            self._note(name, before, after)
        if is_reread:
            replaced = Reread(
                article_id=article_id,
                replaces=stored.version_id,
                reading=reading,
                is_shown=stored.shown is not None,
            )
            self.found.append(replaced)
        elif differing:
            self.found.append(Refreshed(article_id=article_id, reading=reading))
        article = reading.article
        if article.encoding != sighting.encoding:
            self._note("encoding", sighting.encoding, article.encoding)
            recoded = Recoded(
                capture_id=sighting.capture_id, encoding=article.encoding, encoding_basis=article.encoding_basis
            )
            self.found.append(recoded)

    def _placed(self, reading: Reading, roles: Sequence[Role], stored: StoredReading | None = None) -> Reading:
        """With the places that readers are shown: what was learned of the portal leaves some of the text out.

        *roles* with what was learned, and the *stored* spans; none for a reading that nothing is known of yet.
        """
        article = reading.article
        shown = article
        if roles and stored:
            shown = replace(
                article,
                paragraphs=tuple(
                    replace(each, role=role) for each, role in zip(article.paragraphs, roles, strict=True)
                ),
                spam=tuple(replace(own, cut=kept.cut) for own, kept in zip(article.spam, stored.spans, strict=True)),
            )
        if stored and stored.shown and not article.published:  # an article without a date is of the year of first_seen
            shown = replace(shown, capture=replace(shown.capture, fetched_at=stored.shown.first_seen))
        placed = places(shown, portal=self._portal)
        article = replace(
            article, mentions=placed.mentions, division=placed.division, division_basis=placed.division_basis
        )
        return replace(reading, article=article)

    def _reading(self, sighting: Sighting, listed: str | None, *, is_known: bool = True) -> Reading:
        """What a capture says by today's rules. Raises WarcError, _NoArticleError."""
        capture = replace(sighting.capture, listed=Listed(published=listed) if listed else None)
        key = capture.payload_sha256, capture.content_type
        if key not in self._read:
            self._read[key] = self._article(capture, is_known=is_known)
        article = self._read[key]
        if isinstance(article, _NoArticleError):
            raise article
        return prepare(StoredArticle(article=replace(article, capture=capture), url=self._history.url))

    def _article(self, capture: Capture, *, is_known: bool) -> Article | _NoArticleError:
        response = read_capture(self._warc, capture.record, capture.revisit_of)
        if hashlib.sha256(response.entity).hexdigest() != capture.payload_sha256:
            place = f"{capture.record.file} at byte {capture.record.offset}"
            raise WarcError(f"{place}: not the bytes that the archive knows; xianzhi verify says more")
        coded = replace(capture, body=response.entity, content_encoding=response.head.get("Content-Encoding"))
        try:
            if not is_known and self._leads_elsewhere(coded):
                return _NoArticleError("other")
            article = read_text(coded, self._portal)
        except (ValueError, RecursionError) as error:
            return _NoArticleError(f"cannot be read: {error}")
        stranger = contradiction(
            article.site_id, article.site_name, division=self._portal.division, name=self._portal.name
        )
        if stranger:
            return _NoArticleError(stranger)
        return article if article.kind == "article" else _NoArticleError(article.kind)

    def _leads_elsewhere(self, capture: Capture) -> bool:
        """Whether a short page is a jump or a bot wall, which a crawl never took for an article."""
        if len(capture.body) > STUB_BYTES:
            return False
        page = unpacked(capture.body, capture.content_encoding)
        text = decode_page(page, content_type=capture.content_type, hint=self._portal.encoding).text
        return challenge(capture.status, page) is not None or jumps.target(text, base=capture.url) is not None

    def _note(self, name: Field, before: str | None, after: str | None) -> None:
        change = Change(
            field=name, article_id=self._history.article_id, url=self._history.url, before=before, after=after
        )
        self.changes.append(change)


def _with_stored_places(reading: Reading, shown: Shown) -> Reading:
    mentions = tuple(Mention(division_code=code, count=count) for code, count in shown.mentions.items())
    article = replace(reading.article, mentions=mentions, division=shown.division, division_basis=shown.division_basis)
    return replace(reading, article=article)


def _are_alike(before: Reading, reading: Reading) -> bool:
    """Whether two captures under one address show one article, edited: a title or half of the paragraphs stayed."""
    if before.fields.title and before.fields.title == reading.fields.title:
        return True
    ours, theirs = ({paragraph.fold_hash for paragraph in each.paragraphs} for each in (before, reading))
    return len(ours & theirs) >= ALIKE * max(len(ours), len(theirs), 1)


def _payload(reading: Reading) -> str:
    return reading.article.capture.payload_sha256


def _counts(page: _Page) -> PageCounts:
    kinds = Counter(type(each) for each in page.found)
    return PageCounts(
        pages=1,
        captures=page.captures_read,
        reread=kinds[Reread],
        refreshed=kinds[Refreshed],
        edits=kinds[FoundEdit],
        articles=min(1, kinds[FoundArticle]),
        lost=sum(change.field == "kind" and change.before == "article" for change in page.changes),
        failed=len(page.failures),
    )
