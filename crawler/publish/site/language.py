"""The two languages of the site: which one a reader wants, and the site's words in it.

Words are in ``words/*.toml``, a file a page: ``key = ["中文", "English"]``, or with a third form for an English plural.
Asked for as ``t("file.key")``; a key in a table of the file is ``file.table.key``.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
"""The first one is what a reader gets who asks for neither."""

Words = Callable[..., str]
"""``t("file.key", **values)``: the words with *values* put in (`str.format`); a value ``n`` of 1 takes the singular."""

_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[\w-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def lang_of(request: Any) -> Lang:
    """What ``?_lang=`` says, else the one of ours that ``Accept-Language`` (RFC 9110 §12.5.4) prefers, else Chinese."""
    asked = request.args.get("_lang")
    if asked in LANGS:
        return "en" if asked == "en" else "zh"
    weights = dict.fromkeys(LANGS, 0.0)
    for one in request.headers.get("accept-language", "")[:1_000].split(","):
        match = _RANGE.fullmatch(one)
        if match and (name := match[1].lower()) in LANGS:
            lang: Lang = "en" if name == "en" else "zh"
            weights[lang] = max(weights[lang], float(match[2] or 1))
    return "en" if weights["en"] > weights["zh"] else "zh"


@cache
def words(lang: Lang) -> Words:
    """The site's words in *lang*; an unknown key raises KeyError."""
    column = LANGS.index(lang)

    def t(key: str, **values: Any) -> str:
        forms = every_word()[key]
        is_plural = lang == "en" and len(forms) == 3 and values.get("n") != 1
        return forms[2 if is_plural else column].format(**values)

    return t


@cache
def every_word() -> Mapping[str, tuple[str, ...]]:
    """Each key with its forms: Chinese, English, and perhaps the English plural."""
    found: dict[str, tuple[str, ...]] = {}
    for file in (files("crawler.publish.site") / "words").iterdir():
        if file.name.endswith(".toml"):
            found.update(_flat(file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8"))))
    return found


def _flat(name: str, table: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{name}.{key}", value)
        else:
            yield f"{name}.{key}", tuple(value)
