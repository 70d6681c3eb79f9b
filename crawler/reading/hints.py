"""What class and id say of a block, by the words of ``vocabulary/cms.toml``."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from crawler.vocabulary import table

_WORDS = re.compile(r"[a-z]+|\d+")


class Hints(NamedTuple):
    """What a block is likely to be."""

    furniture: bool = False
    """Named like something that is no article: comments, related links, sharing."""
    maybe_furniture: bool = False
    """Named by a word that furniture and honest blocks share: top, bottom, side."""
    title: bool = False
    account: bool = False
    """Holds the account or paper that published it, without a label."""


NONE = Hints()


@lru_cache(maxsize=8192)
def of(names: str) -> Hints:
    """Read *names*, the class and id of an element with a space between."""
    lowered = names.lower()
    words = set(_WORDS.findall(lowered))
    patterns = _patterns()
    return Hints(
        furniture=bool(patterns["furniture"].search(lowered)),
        maybe_furniture=not words.isdisjoint(_single_words()),
        title=bool(patterns["title"].search(lowered)),
        account=bool(patterns["account"].search(lowered)),
    )


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {
        kind: re.compile("|".join(map(re.escape, words)))
        for kind, words in table("cms")["hints"].items()
        if kind != "furniture_words"
    }


@cache
def _single_words() -> frozenset[str]:
    return frozenset(table("cms")["hints"]["furniture_words"])
