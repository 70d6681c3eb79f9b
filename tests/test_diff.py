"""``xianzhi diff``: what the portal changed, for people and as data, and what became of the article."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli.diff import diff
from tests.support.rereading import Shelf, page, without_author, without_last_paragraph

FIRST = (
    "1月2日，凌阳县在城关镇启动年度防汛演练，全县26个部门的300多人参加。",
    "县委有关负责同志要求，各乡镇要压实责任。会议还听取了汇报。",
    "演练持续到下午五时结束。参演人员表示收获很大。",
)
EDITED = (FIRST[0].replace("300", "500"), FIRST[1].replace("会议还听取了汇报。", ""), FIRST[2])


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.close()


def run(shelf: Shelf, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(diff, [*arguments, "--db", str(shelf.db)])
    return result.exit_code, result.output


def test_people_see_fields_first_then_sentences_with_signs(shelf: Shelf) -> None:
    shelf.see(page("凌阳县启动防汛演练", *FIRST))
    shelf.see(page("凌阳县开展防汛演练", *EDITED), day=2)
    code, words = run(shelf, "1")
    lines = words.splitlines()
    assert code == 0
    assert lines.index("@ title") < lines.index("@ text")
    assert "- 凌阳县启动防汛演练" in lines
    assert "+ 凌阳县开展防汛演练" in lines
    assert f"- {FIRST[0]}" in lines
    assert f"+ {EDITED[0]}" in lines
    assert "- 会议还听取了汇报。" in lines
    assert "  县委有关负责同志要求，各乡镇要压实责任。" in lines


def test_what_stayed_the_same_is_folded(shelf: Shelf) -> None:
    texts = tuple(f"第{number}项议程已经按时完成。" for number in range(9))
    shelf.see(page("会议结束", *texts))
    shelf.see(page("会议结束", *texts[:-1], texts[-1].replace("完成", "结束")), day=2)
    _, words = run(shelf, "1")
    assert "  … 7 sentences the same" in words.splitlines()


def test_scripts_get_every_sentence_with_its_place(shelf: Shelf) -> None:
    shelf.see(page("凌阳县启动防汛演练", *FIRST))
    shelf.see(page("凌阳县启动防汛演练", *EDITED), day=2)
    code, words = run(shelf, "1", "--json")
    told = json.loads(words)
    assert (code, told["from"], told["to"], told["fields"]) == (0, 1, 2, {})
    [reworded] = [each for each in told["differences"] if each["kind"] == "reword"]
    place = reworded["before"]
    assert FIRST[place["paragraph"]][place["start"] : place["end"]] == place["text"]
    assert {"kind": "add", "text": "500"} in reworded["words"]
    assert "".join(each["after"]["text"] for each in told["differences"] if each["after"]) == "\n".join(EDITED)


def test_an_article_is_found_by_its_address_too(shelf: Shelf) -> None:
    shelf.see(page())
    code, words = run(shelf, shelf.url().replace("https://", "HTTP://") + "#top")
    assert (code, "one version only" in words) == (0, True)


def test_versions_are_compared_as_todays_rules_read_them(shelf: Shelf) -> None:
    """What older rules missed in one of them is not the portal's doing."""
    shelf.see(page("防汛演练举行", *FIRST), rules=without_last_paragraph)
    shelf.see(page("防汛演练举行", *EDITED), rules=without_author, day=1)
    shelf.reprocess()
    told = json.loads(run(shelf, "1", "--json")[1])
    assert (told["from"], told["to"], told["fields"]) == (3, 4, {})
    assert sum(each["kind"] != "keep" for each in told["differences"]) == 2
    assert [(each["version_id"], each["replaces"]) for each in told["versions"]] == [
        (1, None),
        (3, 1),
        (2, None),
        (4, 2),
    ]
    older = json.loads(run(shelf, "1", "--from", "1", "--to", "3", "--json")[1])
    added = "".join(each["after"]["text"] for each in older["differences"] if each["kind"] == "add")
    assert added == f"\n{FIRST[2]}"


def test_gone_since_and_back_since_are_told_with_their_records(shelf: Shelf) -> None:
    shelf.see(page())
    gone = shelf.capture("<html>404</html>", day=3, status=404)
    shelf.observe("gone", day=3, capture=gone)
    shelf.see(page(more="<!-- 又 -->"), day=5)
    told = json.loads(run(shelf, "1", "--json")[1])
    assert [(each["since"], each["state"]) for each in told["states"]] == [
        ("2024-01-01T00:00:00Z", "live"),
        ("2024-01-04T00:00:00Z", "gone"),
        ("2024-01-06T00:00:00Z", "live"),
    ]
    place = {"file": gone.record.file, "offset": gone.record.offset, "length": gone.record.length}
    assert told["states"][1]["record"] == place
    _, words = run(shelf, "1")
    assert f"  gone since 2024-01-04T00:00:00Z  {gone.record.file} at byte {gone.record.offset}" in words.splitlines()


def test_a_portal_cannot_drive_a_terminal(shelf: Shelf) -> None:
    shelf.see(page("题目在此\x1b]0;x\x07一", "正文内容足够长，这里是一段话。\u202e反写的字也在这里。"))
    shelf.see(page("题目在此\x1b]0;x\x07二", "正文内容足够长，这里是一段话。\u202e反写的字不在这里。"), day=1)
    code, words = run(shelf, "1")
    assert code == 0
    assert not any(char in words for char in "\x1b\x07\u202e")


def test_wrong_names_are_wrong_usage(shelf: Shelf) -> None:
    shelf.see(page())
    for arguments in (["99"], ["https://nowhere.example/"], ["1", "--from", "7"], ["1", "--to", "1"]):
        code, words = run(shelf, *arguments)
        assert code == 2, words
