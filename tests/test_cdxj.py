"""The index: keys as every replay makes them, lines in their order, however many there are."""

import gzip
import io
import json
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.warc import cdxj
from crawler.warc.cdxj import Place
from crawler.warc.sorting import ExternalSort
from crawler.warc.surt import surt
from tests.support.replay import needs_replay, run

PLACE = Place(mime="text/html", status=200, digest="sha256:00", length=900, offset=12, filename="a.warc.gz")
HOSTS = [
    "www.example.gov.cn",
    "example.cn",
    "WWW2.e.cn",
    "127.0.11.1",
    "e_f.cn",
    "中文.cn",
    "www.cn",
    "e.cn.",
    "wwwx.e.cn",
]
PIECES = [
    "a", "B", "县", "%E5%8E%BF", "%2f", "%25", "%252e", ".", "..", "/", "//", "-", "~", "+", " ", "%20", "'", "|", "\\",
    ";", "=", "&", "?", ":", "@", "(", "[", "{", "index.html", "t20140603_1.html", "(S(abcdefghijklmnopqrstuvwx))",
    "x.aspx", "jsessionid=0123456789abcdef0123456789abcdef", "PHPSESSID=0123456789abcdef0123456789abcdef",
    "sid=0123456789abcdef0123456789abcdef", "ASPSESSIONIDabcdefgh=abcdefghijklmnopqrstuvwx", "cfid=1&cftoken=2",
    "a=1", "b=2", "a=0", "%3d", "%26", "%3F", "%23", "#", "%zz", "%",
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://www.Example.cn:80/A/?b=2&a=1", "cn,example)/a?a=1&b=2"),
        ("https://example.cn/a?a=1&b=2", "cn,example)/a?a=1&b=2"),
        ("http://example.cn", "cn,example)/"),
        ("http://127.0.0.1:8080/x", "1,0,0,127:8080)/x"),
        ("http://中文.cn/县", "cn,xn--fiq228c)/%e5%8e%bf"),
        ("urn:dom:http://www.example.cn/A", "urn:dom:http://www.example.cn/A"),
    ],
)
def test_spellings_of_an_address_have_one_key(url: str, key: str) -> None:
    assert surt(url) == key


@needs_replay
def test_keys_are_those_of_the_package_surt(tmp_path: Path) -> None:
    """Which pywb, wacz and most indexers use: another key would not be found."""
    dice = random.Random(20140603)

    def some(most: int) -> str:
        return "".join(dice.choices(PIECES, k=dice.randint(0, most)))

    urls = [
        f"{dice.choice(['http', 'https', 'HTTP'])}://{dice.choice(HOSTS)}{dice.choice(['', ':80', ':443', ':8080'])}"
        f"/{some(6)}{'?' * dice.randint(0, 1)}{some(6)}"
        for _ in range(5_000)
    ]
    script = "import json, sys, surt; json.dump([surt.surt(url) for url in json.load(sys.stdin)], sys.stdout)"
    theirs = json.loads(run("python", "-W", "ignore", "-c", script, folder=tmp_path, stdin=json.dumps(urls)))
    assert [surt(url) for url in urls] == theirs


@given(st.text())
def test_a_line_is_one_line_of_three_parts_whatever_the_address(url: str) -> None:
    line = cdxj.line(url, "2014-06-03T07:27:09.120000Z", PLACE)
    assert line.count(b"\n") == 1
    _, at, fields = line.decode("utf-8", "replace").split(" ", 2)
    assert at == "20140603072709"
    assert json.loads(fields)["url"] == url


def test_a_type_is_said_without_its_parameters() -> None:
    assert cdxj.media_type("Text/HTML; charset=GBK") == "text/html"
    assert cdxj.media_type("  ") == "unk"
    assert cdxj.media_type(None) == "unk"


def test_lines_come_out_sorted_by_their_bytes(tmp_path: Path) -> None:
    lines = [f"{random.Random(n).random()}县\n".encode() for n in range(5_000)]
    with ExternalSort(tmp_path, run_bytes=4_000) as ordered:
        for line in lines:
            ordered.add(line)
        assert list(ordered) == sorted(lines)
    assert list(tmp_path.iterdir()) == []


def test_sorting_keeps_one_run_in_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        with ExternalSort(tmp_path, run_bytes=200_000) as ordered:
            for number in range(60_000):  # 6 MB
                ordered.add(b"%099d\n" % ((number * 7919) % 60_000))
            assert sum(1 for _ in ordered) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()


def test_the_compressed_index_leads_to_the_block_of_each_line() -> None:
    lines = [cdxj.line(f"http://example.cn/{n:05}", "2014-06-03T07:27:09Z", PLACE) for n in range(1_000)]
    index = io.BytesIO()
    data = b"".join(cdxj.compressed(lines, name="index.cdx.gz", index=index))
    assert gzip.decompress(data) == b"".join(lines)
    meta, *blocks = index.getvalue().decode().splitlines()
    assert meta == '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'
    for number, block in enumerate(blocks):
        key, _, said = block.partition(" {")
        place = json.loads("{" + said)
        part = gzip.decompress(data[place["offset"] : place["offset"] + place["length"]])
        assert part == b"".join(lines[number * cdxj.BLOCK_LINES : (number + 1) * cdxj.BLOCK_LINES])
        assert part.startswith(key.encode() + b" {")
