"""What the markup itself cuts out of the article's block: hidden parts, lists of links, blocks named like furniture.

Where such parts advertise, they were injected; what readers may not see is cut only then.
"""

import re
from itertools import groupby
from typing import NamedTuple

from crawler.reading.container import Container, prose
from crawler.reading.lines import FURNITURE_TAGS, Layout, Line
from crawler.text.spam import advertises

_FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".zip", ".rar", ".wps", ".ofd")
_FILE_LABEL = re.compile(r"^\W*附件?\s*\d{0,2}\s*[:：.．、]?")
MAX_NAMED = 0.2
"""A block named like furniture is taken for it up to this part of the container's prose."""
MAX_CONCEALED = 0.5
"""A block that readers may not see is an advertisement up to this part of the container's prose."""
HIDDEN_SPAM = "hidden advertisement"
LINKED_SPAM = "linked advertisement"
ADVERTISEMENTS = frozenset({HIDDEN_SPAM, LINKED_SPAM})
"""Rules for what was injected where no reader looks."""


class Pruned(NamedTuple):
    """Lines kept, and lines cut with the rule that cut them."""

    kept: list[Line]
    cut: list[tuple[Line, str]]


def prune(layout: Layout, container: Container) -> Pruned:
    """Part the container's lines."""
    lines = layout.lines[container.start : container.end]
    rules: list[str | None] = [None] * len(lines)
    weights = [prose(line) for line in lines]
    total = sum(weights) or 1.0
    for span in layout.spans:
        inside = container.start <= span.start < span.end <= container.end and span.element is not container.element
        if not inside or not (span.hints.furniture or span.element.tag in FURNITURE_TAGS):
            continue
        start, end = span.start - container.start, span.end - container.start
        if sum(weights[start:end]) <= MAX_NAMED * total:
            rules[start:end] = ["named block"] * (end - start)
    visible = sum(weight for weight, line in zip(weights, lines, strict=True) if not line.hidden)
    for index, line in enumerate(lines):
        if line.hidden and visible > 0.5 * total:
            rules[index] = "hidden"
    _mark_link_lists(lines, rules)
    _mark_advertisements(lines, rules, weights)
    for index, line in enumerate(lines):
        if line.hrefs and rules[index] is None and _is_file_label(line):
            rules[index] = "attachment label"
    kept = [line for line, rule in zip(lines, rules, strict=True) if rule is None]
    return Pruned(kept, [(line, rule) for line, rule in zip(lines, rules, strict=True) if rule is not None])


def _mark_link_lists(lines: list[Line], rules: list[str | None]) -> None:
    """Lines that are all link: runs of two and more, and those at the beginning and the end."""
    index = 0
    while index < len(lines):
        end = index
        while end < len(lines) and lines[end].hrefs and lines[end].is_link and not _is_file(lines[end]):
            end += 1
        if end - index >= 2 or (end > index and (index == 0 or end == len(lines))):
            rules[index:end] = [rule or "link list" for rule in rules[index:end]]
        index = max(end, index + 1)


def _mark_advertisements(lines: list[Line], rules: list[str | None], weights: list[float]) -> None:
    """Of link lists the lines that advertise; of what readers may not see whole runs where a third of them does."""
    for (is_concealed, rule), group in groupby(range(len(lines)), lambda index: (lines[index].concealed, rules[index])):
        run = list(group)
        if not (is_concealed or rule == "link list") or not advertises("\n".join(lines[index].text for index in run)):
            continue
        telling = [index for index in run if advertises(lines[index].text)]
        if rule == "link list":
            for index in telling:
                rules[index] = LINKED_SPAM
        elif sum(weights[run[0] : run[-1] + 1]) <= MAX_CONCEALED * sum(weights):
            for index in run if 3 * len(telling) >= len(run) else telling:
                rules[index] = HIDDEN_SPAM


def _is_file_label(line: Line) -> bool:
    """Tell whether a line is nothing but a linked file's name (附件：清单.pdf), which stands in ``attachments``.

    Without its ending it is what the text calls the annex (2.作品报送要求) and stays.
    """
    bare = _FILE_LABEL.sub("", line.text)
    return bare.lower().endswith(_FILES) and line.linked >= 0.85 * len(bare.replace(" ", ""))


def _is_file(line: Line) -> bool:
    return line.text.startswith(("附件", "附:", "附：")) or any(
        href.lower().split("?")[0].endswith(_FILES) for href in line.hrefs
    )
