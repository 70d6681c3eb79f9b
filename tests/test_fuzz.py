"""Mutated pages: whatever happens to a page, it is read, or refused with the documented errors, and in time."""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawler.cli.extract import _as_json, _chain, _safe_json
from crawler.demo.portals import render
from crawler.demo.stories import load_all
from crawler.reading.tree import LimitError
from crawler.text.coding import DecodeError
from tests.conftest import NO_SHARED, SHARED

PAGES = Path(__file__).parent / "pages"
IN_TIME = 2.0
"""CPU seconds a page may take."""
AT_MOST = 2_000_000
"""Bytes to which a mutated page is cut."""
CODECS = ("utf-8", "gb18030", "big5", "utf-16", "cp1252", "euc-kr")
SPLINTERS = [
    *(
        b"<p> </p> <div> </div> <table> <tr> <td> <a href=x.pdf> </a> <!-- --> <script> </script> <![CDATA[ <title>"
    ).split(),
    *(b"<body> </html> <svg> <br> ' \" = > < & ; \x00 \x1f \xff \xfe\xff \x81\x30 &#0; &#x110000; &lt").split(),
    *"来源： 责任编辑： 2014-6-3 99999年99月99日 （记者 （ 附件： 网站标识码：1 \ufeff \u202e \U0001f600".encode().split(),
]

Mutation = Callable[[random.Random, bytes], bytes]


def _spot(chance: random.Random, data: bytes, most: int = 5_000) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.randint(0, most))


def cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randint(0, len(data))] if chance.random() < 0.7 else data[chance.randint(0, len(data)) :]


def left_out(chance: random.Random, data: bytes) -> bytes:
    start, end = _spot(chance, data)
    return data[:start] + data[end:]


def doubled(chance: random.Random, data: bytes) -> bytes:
    start, end = _spot(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 2, 50)) + data[end:]


def swapped(chance: random.Random, data: bytes) -> bytes:
    (a, b), (c, d) = sorted((_spot(chance, data), _spot(chance, data)))
    b = min(b, c)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def bits_flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 10, 300)) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def tags_deleted(chance: random.Random, data: bytes) -> bytes:
    opened, *rest = data.split(b"<")
    share = chance.choice((0.02, 0.3, 0.9))
    kept = (piece.partition(b">")[2] if chance.random() < share else b"<" + piece for piece in rest)
    return opened + b"".join(kept)


def attributes_garbled(chance: random.Random, data: bytes) -> bytes:
    pieces = data.split(b"=")
    share = chance.choice((0.02, 0.3))
    joints = (
        chance.choice((b"=", b"", b"='", b'="', b"= >", b"==")) if chance.random() < share else b"=" for _ in pieces
    )
    return b"".join(part for piece, joint in zip(pieces, joints, strict=True) for part in (piece, joint))


def encodings_mixed(chance: random.Random, data: bytes) -> bytes:
    start, end = _spot(chance, data, 50_000)
    text = data[start:end].decode(chance.choice(CODECS), "replace")
    return data[:start] + text.encode(chance.choice(CODECS), "replace") + data[end:]


def splinters_put_in(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.choice((1, 5, 50))):
        start = chance.randint(0, len(data))
        data = data[:start] + chance.choice(SPLINTERS) * chance.choice((1, 1, 30)) + data[start:]
    return data


def nuls_put_in(chance: random.Random, data: bytes) -> bytes:
    start, _ = _spot(chance, data)
    return data[:start] + b"\x00" * chance.choice((1, 100, 100_000)) + data[start:]


def huge_attribute(chance: random.Random, data: bytes) -> bytes:
    start = data.find(b"<", chance.randint(0, len(data)))
    name = chance.choice((b"class", b"href", b"style", b"content", b"onclick", b"src", b"id", b"title"))
    value = chance.choice(SPLINTERS[-9:]) * chance.choice((1_000, 20_000))
    return data[:start] + b"<p " + name + b"='" + value + b"'>" + data[start:]


def nested(chance: random.Random, data: bytes) -> bytes:
    start = data.find(b"<", chance.randint(0, len(data)))
    return data[:start] + chance.choice(SPLINTERS[:7]) * chance.choice((300, 5_000)) + data[start:]


MUTATIONS: tuple[Mutation, ...] = (
    cut,
    left_out,
    doubled,
    swapped,
    bits_flipped,
    tags_deleted,
    attributes_garbled,
    encodings_mixed,
    splinters_put_in,
    nuls_put_in,
    huge_attribute,
    nested,
)


def own_pages() -> list[bytes]:
    """The saved pages of the tests, and every page of the demo's portals."""
    rendered = (response.body for portal in load_all() for response in render(portal).values())
    return [path.read_bytes() for path in sorted(PAGES.glob("*.html"))] + [body for body in rendered if body]


def corpus_pages() -> list[bytes]:
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED)
    return [path.read_bytes() for path in sorted((SHARED / "corpus" / "pages").glob("*.html"))]


def mutated(pages: list[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    """Mutated pages, the same in every run, each with what makes it again."""
    for number in range(count):
        chance = random.Random(number)
        data = chance.choice(pages)
        steps = chance.choices(MUTATIONS, k=chance.randint(1, 4))
        for step in steps:
            data = step(chance, data)[:AT_MOST]
        yield f"case {number}: {', '.join(step.__name__ for step in steps)}", data


def hold(pages: list[bytes], count: int) -> None:
    for case, data in mutated(pages, count):
        began = time.process_time()
        try:
            _safe_json(_as_json(case, None, _chain(data, "http://www.qinglan.example/a/1.html"))).encode()
        except (LimitError, DecodeError):
            pass
        except Exception as error:
            raise AssertionError(case) from error
        taken = time.process_time() - began
        assert taken < IN_TIME, f"{case}: {taken:.1f} s"


def test_a_mutated_page_is_read_or_refused_in_time() -> None:
    hold(own_pages(), 100)


def test_a_mutated_real_page_is_read_or_refused_in_time() -> None:
    hold(corpus_pages(), 100)


@pytest.mark.soak
def test_five_thousand_mutated_pages_are_read_or_refused_in_time() -> None:
    hold(own_pages(), 5_000)


@pytest.mark.soak
def test_five_thousand_mutated_real_pages_are_read_or_refused_in_time() -> None:
    hold(corpus_pages(), 5_000)


def test_mutations_are_the_same_in_every_run() -> None:
    pages = own_pages()
    assert list(mutated(pages, 10)) == list(mutated(pages, 10))
    assert json.dumps([case for case, _ in mutated(pages, 10)])
