"""Likeness of texts by their shingles (three-character runs), and sketches by which like texts find each other.

Everything is over folded text (`crawler.text.folding`), so that script, width and punctuation do not count.

Each shingle's hash falls into one of 40 slots, and each slot keeps its smallest: one-permutation MinHash (Li, Owen and
Zhang, NIPS 2012). Two texts agree in a slot with the probability of their Jaccard similarity J. A sketch has 16 keys:

- eight bands of four slots, alike with J to the fourth: for texts that are alike as a whole. A slot that nothing fell
  into borrows from the next that has something (densification by rotation, Shrivastava and Li, ICML 2014).
- eight anchors: the 24 characters that begin with a slot's smallest shingle. As rare as a band, but alike wherever the
  run stands in both texts: a third of a text, put into one paragraph, shares a key in 93 of 100 cases; by sixteen bands
  and no anchors 44 (``bench/lineage.py``).
"""

import struct
import sys
from array import array
from collections.abc import Collection, Iterable, Sequence, Set
from hashlib import blake2b
from zlib import crc32

WIDTH = 3
"""Characters of a shingle."""
BANDS = 8
BAND_SLOTS = 4
ANCHORS = 8
ANCHOR_WIDTH = 24
"""Characters of an anchor."""
SLOTS = BANDS * BAND_SLOTS + ANCHORS

_EMPTY = 1 << 32
_STEP = 0x9E3779B1
"""What a borrowed value is moved by a slot of distance, so that it agrees only with one borrowed over the same."""
_SAMPLED_BELOW = 1 << 29
_SAMPLE_SHIFT = 13
_BAND = struct.Struct(f"<B{BAND_SLOTS}I")


def shingles(folded: str) -> list[int]:
    """The three-character runs of a folded text in order, as 32-bit hashes (CRC-32); none below three characters.

    0.12 ms for 1,000 characters. Two different runs have one hash once in 4 billion.
    """
    data = folded.encode("utf-32-le", "surrogatepass")
    return [crc32(data[at : at + 4 * WIDTH]) for at in range(0, len(data) - 4 * (WIDTH - 1), 4)]


def sample(hashes: Iterable[int]) -> frozenset[int]:
    """One of eight shingles, those with the smallest hashes, as 16 bits each.

    The same shingle is in every text's sample or in none, so samples are as alike as their texts, roughly.
    """
    return frozenset([value >> _SAMPLE_SHIFT for value in hashes if value < _SAMPLED_BELOW])


def packed(sampled: Collection[int]) -> bytes:
    """A sample as it is stored: 16-bit numbers, little-endian, ascending. One byte for four characters of text."""
    return _little_endian(array("H", sorted(sampled))).tobytes()


def unpacked(data: bytes) -> frozenset[int]:
    """What `packed` made. Raises ValueError for an odd number of bytes."""
    numbers = array("H")
    numbers.frombytes(data)
    return frozenset(_little_endian(numbers))


def signature(hashes: Set[int]) -> tuple[int, ...]:
    """The MinHash signature of a set of shingles: 40 values of 32 bits; none for an empty set."""
    least = [_EMPTY] * SLOTS
    for value in hashes:
        slot = value % SLOTS
        if value < least[slot]:  # noqa: PLR1730 - half the time of min()
            least[slot] = value
    return tuple(_dense(least)) if hashes else ()


def sketch(folded: str, hashes: Sequence[int]) -> tuple[int, ...]:
    """The keys of a folded text with the shingles *hashes*: eight bands, up to eight anchors, signed 32 bits each.

    None without a shingle.
    """
    own = set(hashes)
    signed = signature(own)
    bands = [_BAND.pack(at, *signed[at : at + BAND_SLOTS]) for at in range(0, len(signed) - ANCHORS, BAND_SLOTS)]
    starts = [hashes.index(value) for value in signed[-ANCHORS:] if value in own]  # a borrowed value has no place
    anchors = [folded[start : start + ANCHOR_WIDTH].encode("utf-8", "surrogatepass") for start in starts]
    return tuple(map(_key, bands + anchors))


def jaccard(one: Set[int], other: Set[int]) -> float:
    """The share of all shingles that are in both sets: 0 to 1; 0 where both are empty."""
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


def containment(one: Set[int], other: Set[int]) -> float:
    """The share of the smaller set's shingles that are in the larger one too: 0 to 1; 0 where it is empty."""
    both = len(one & other)
    return both / min(len(one), len(other)) if both else 0.0


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _dense(least: Sequence[int]) -> list[int]:
    """Fill empty slots from the next full one to the right, around the end; there is one."""
    dense = list(least)
    lender = next(slot for slot in range(SLOTS) if least[slot] != _EMPTY)
    for slot in range(lender + SLOTS - 1, lender, -1):
        here = slot % SLOTS
        if dense[here] == _EMPTY:
            dense[here] = (dense[(here + 1) % SLOTS] + _STEP) % _EMPTY
    return dense


def _key(data: bytes) -> int:
    """32 bits: a key of two strangers costs a comparison, and among a million articles one of 16 has such a one."""
    return int.from_bytes(blake2b(data, digest_size=4).digest(), "big", signed=True)
