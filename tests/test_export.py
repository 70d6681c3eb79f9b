"""A study: every row that was asked for, in files that open right everywhere, described, and the same bytes each time."""

import csv
import gc
import hashlib
import io
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from crawler.archive import withholding, writer
from crawler.archive.batch import Observation
from crawler.archive.connection import open_archive
from crawler.cli.export import FORMATS as FORMAT_NAMES
from crawler.cli.export import TABLES
from crawler.cli.export import export as command
from crawler.publish import metadata
from crawler.publish.exports import csv_text
from crawler.publish.exports.codebook import tables
from crawler.publish.exports.formats import FORMATS
from crawler.records import Mention
from crawler.warc.files import lock
from tests.support.archive import PORTAL, RUN, START, article, batch, begin, capture, paragraph
from tests.support.replay import needs_replay
from tests.support.replay import run as run_beside
from tests.support.withheld import SECRET, stories

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    " =1+1",
    "\u3000-1",
    "\x00=1",
    '=HYPERLINK("http://x","y")',
]
NASTY = 'a "b",\r\nc\x00\u2028\ufeff<script>'


# CSV.


@given(st.lists(st.lists(st.text() | st.integers() | st.none(), min_size=2, max_size=2)))
@example([["'", "''="], ["=", "'="]])
def test_what_is_written_as_csv_can_be_read_back_exactly(rows: list[list[str | int | None]]) -> None:
    rows = [
        [value.encode(errors="replace").decode() if isinstance(value, str) else value for value in row] for row in rows
    ]
    written = csv_text.lines(rows).decode()
    read = [[csv_text.unguarded(cell) for cell in row] for row in csv.reader(io.StringIO(written, newline=""))]
    assert read == [["" if value is None else str(value) for value in row] for row in rows]


@given(st.text())
@example("\n=1")
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = csv_text.guarded(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert csv_text.unguarded(cell) == text


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert csv_text.guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["", "扶贫", "1-2", "a=b", "2014-06-03", "“=1”"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert csv_text.guarded(text) == text


def test_lines_are_what_rfc_4180_says() -> None:
    assert csv_text.lines([["a", 'say "so", twice', None, -1, "x\ny"]]) == b'a,"say ""so"", twice",,-1,"x\ny"\r\n'


# An export.


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Article 1 is withheld; 4 is nasty and was edited, deleted and put back; 5 is of another portal and county."""
    path = tmp_path_factory.mktemp("export") / "archive.db"
    with closing(begin(open_archive(path), PORTAL, "other")) as conn:
        stories(conn)
        withholding.withhold(conn, 1, f"{SECRET} 的理由")
        nasty = article(
            "=1+1", NASTY, url=f"https://{PORTAL}.example/n.html", title="=cmd|' /C calc'!A0", author="-", day=1,
            published="2016-02-03T08:00:00+08:00", division="610424", mentions=(Mention(division_code="610424", count=2),),
        )  # fmt: skip
        edited = replace(
            nasty, article=replace(nasty.article, title="改过的题目", capture=capture(day=2, url=nasty.url), spam=())
        )
        longer = replace(
            edited,
            article=replace(
                edited.article, capture=capture(day=3, url=nasty.url), paragraphs=(paragraph("改过的段落"),)
            ),
        )
        elsewhere = article(
            "别处的一段",
            url="https://other.example/5.html",
            portal_id="other",
            published="0016-31-99",
            division="990001",
        )
        for one in (nasty, edited, longer, elsewhere):
            writer.write(conn, batch(one))
        gone, back = (
            Observation(portal_id=PORTAL, url=nasty.url, seen_at=START.replace(day=day), state=state)  # type: ignore[arg-type]
            for day, state in ((20, "gone"), (21, "live"))
        )
        writer.write(conn, batch(observations=(gone,)))
        writer.write(conn, batch(observations=(back,)))
        conn.execute("INSERT INTO divisions VALUES ('610424', 1960, '乾县', 3, '610400', 2014)")
        conn.execute("INSERT INTO divisions VALUES ('610424', 2015, '乾州市', 3, '610400', NULL)")
        conn.execute("INSERT INTO reprints VALUES (4, 5, 0.7, 'excerpt')")
        conn.execute("UPDATE runs SET finished_at = '2024-02-01T00:00:00Z', status = 'ok'")
    return path


def run(db: Path, out: Path, *options: str) -> Any:
    done = CliRunner().invoke(command, [str(out), "--db", str(db), *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


ALL = ("--tables", ",".join(tables()), "--format", "csv,parquet,jsonl")


@pytest.fixture(scope="module")
def study(db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, in every format."""
    out = tmp_path_factory.mktemp("study") / "all"
    assert run(db, out, *ALL).exit_code == 0
    return out


def test_every_article_is_there_with_its_text_its_names_and_its_day(study: Path) -> None:
    rows = {row["id"]: row for row in rows_of(study / "articles.csv")}
    assert sorted(rows) == ["2", "3", "4", "5"]
    assert {
        name: rows["4"][name] for name in ("published", "published_date", "division", "portal", "body", "state")
    } == {
        "published": "2016-02-03T08:00:00+08:00",
        "published_date": "2016-02-03",
        "division": "乾州市",
        "portal": f"{PORTAL} county",
        "body": "改过的段落",
        "state": "edited",
    }
    assert (rows["5"]["published"], rows["5"]["published_date"], rows["5"]["division"]) == ("0016-31-99", "", "")


def test_the_three_formats_have_the_same_rows(study: Path) -> None:
    for table in tables().values():
        names = [column.name for column in table.columns]
        texts = {column.name for column in table.columns if column.type == "string"}
        as_json = [json.loads(line) for line in (study / f"{table.name}.jsonl").read_text().split("\n")[:-1]]
        assert [list(row) for row in as_json] == [names] * len(as_json)
        as_csv = [
            {name: csv_text.unguarded(cell) if name in texts else cell for name, cell in row.items()}
            for row in rows_of(study / f"{table.name}.csv")
        ]
        assert as_csv == [{name: "" if row[name] is None else str(row[name]) for name in names} for row in as_json]
        as_parquet = parquet.read_table(study / f"{table.name}.parquet")
        assert as_parquet.schema.names == names
        for column in table.columns:
            values = as_parquet.column(column.name).to_pylist()
            held = [row[column.name] for row in as_json]
            if column.type in {"date", "datetime"}:
                values = [value and value.isoformat().replace("+00:00", "Z") for value in values]
                held = [value and value.replace(".000000Z", "Z") for value in held]
            assert values == held, (table.name, column.name)


def test_parquet_has_types_and_meanings(study: Path) -> None:
    schema = parquet.read_schema(study / "articles.parquet")
    types = {name: str(schema.field(name).type) for name in ("id", "title", "published_date", "first_seen")}
    assert types == {
        "id": "int64",
        "title": "string",
        "published_date": "date32[day]",
        "first_seen": "timestamp[us, tz=UTC]",
    }
    assert "Title" in schema.field("title").metadata[b"description"].decode()


def test_changes_tell_edits_deletions_and_returns(study: Path) -> None:
    rows = [row for row in rows_of(study / "changes.csv") if row["article_id"] == "4"]
    assert [(row["at"][:10], row["change"], row["fields"]) for row in rows] == [
        ("2024-01-03", "edited", "title"),
        ("2024-01-04", "edited", "text"),
        ("2024-01-20", "gone", ""),
        ("2024-01-21", "back", ""),
    ]
    assert rows[0]["version_id"] == rows[1]["version_before"]
    assert int(rows[1]["chars_after"]) == len("改过的段落")


def test_nothing_of_what_is_withheld_is_in_any_file(study: Path) -> None:
    for file in study.iterdir():
        if file.suffix != ".parquet":
            assert SECRET not in file.read_text(encoding="utf-8"), file.name
    for table in tables():
        assert SECRET not in str(parquet.read_table(study / f"{table}.parquet").to_pylist())
    assert {row["article_id"] for row in rows_of(study / "versions.csv")} == {"2", "3", "4", "5"}


def test_every_column_of_the_archive_is_exported_and_every_exported_one_described(db: Path) -> None:
    own = {"articles": {"portal", "published_date", "division", "body"}}
    with closing(open_archive(db, readonly=True)) as conn:
        for name, table in tables().items():
            held = {row[1] for row in conn.execute(f"PRAGMA table_info({name})")}
            exported = {column.name for column in table.columns}
            if name != "changes":
                assert exported - own.get(name, set()) == held, name
            assert all(column.meaning and column.how for column in table.columns)
    assert metadata.tables().keys() >= tables().keys() - {"changes"}


def test_the_command_knows_every_table_and_format() -> None:
    assert tuple(tables()) == TABLES
    assert tuple(FORMATS) == FORMAT_NAMES


@needs_replay
def test_frictionless_finds_nothing_wrong(study: Path) -> None:
    said = run_beside("frictionless", "validate", "datapackage.json", "--json", folder=study)
    report = json.loads(said)
    assert report["valid"]
    assert report["stats"]["tasks"] == 3 * len(tables())


def test_the_manifest_has_every_file_with_its_digest(study: Path) -> None:
    manifest = json.loads((study / "manifest.json").read_text())
    listed = {file["path"]: file for file in manifest["files"]}
    assert listed.keys() | {"manifest.json"} == {path.name for path in study.iterdir()}
    for name, file in listed.items():
        content = (study / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert listed["articles.csv"]["rows"] == manifest["rows"]["articles"] == 4
    assert manifest["archive"] == {"run_id": RUN, "as_of": "2024-02-01T00:00:00Z"}


def test_the_codebook_tells_meanings_and_shares_of_empty_values(study: Path) -> None:
    book = (study / "codebook.md").read_text()
    [author] = [line for line in book.splitlines() if line.startswith("| `author` |")][:1]
    assert author.endswith("| 75.0 % |")
    assert "| `chars` | integer |" in book
    for table in tables():
        assert f"## {table}: " in book


def test_the_citation_is_yaml_with_what_the_format_asks_for(study: Path) -> None:
    said = yaml.safe_load((study / "CITATION.cff").read_text())
    assert said.keys() >= {"cff-version", "message", "title", "authors", "type", "version", "date-released"}
    assert (said["type"], said["version"], said["authors"]) == ("dataset", RUN, [{"name": "Xianzhi 县志"}])


def test_the_same_question_gives_the_same_bytes(db: Path, study: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run(db, again, *ALL)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in study.iterdir()
    }


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--division", "61"], ["4"]),
        (["--division", "610400"], ["4"]),
        (["--division", "乾州"], ["4"]),
        (["--portal", "other"], ["5"]),
        (["--from", "2014-06", "--to", "2014"], ["2", "3"]),
        (["--search", "公开"], ["2"]),
        (["--search", "公开", "--from", "2015"], []),
        (["--search", "-公开 网站:lingyang"], ["3", "4"]),
        (["--search", SECRET], []),
    ],
)
def test_filters_choose_articles(db: Path, tmp_path: Path, options: list[str], ids: list[str]) -> None:
    said = json.loads(run(db, tmp_path / "out", *options, "--json").output)
    assert [row["id"] for row in rows_of(tmp_path / "out" / "articles.csv")] == ids
    assert said["articles"] == len(ids)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["filters"] == {options[n][2:]: options[n + 1] for n in range(0, len(options), 2)}


def test_other_tables_have_what_belongs_to_the_chosen_articles(db: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(db, out, "--portal", "other", "--tables", ",".join(tables()))
    held = {table: rows_of(out / f"{table}.csv") for table in tables()}
    assert [row["article_id"] for row in held["versions"]] == ["5"]
    assert [row["text"] for row in held["sections"]] == ["别处的一段"]
    assert [(row["article_id"], row["other_id"]) for row in held["reprints"]] == [("4", "5")]
    assert [row["url"] for row in held["captures"]] == ["https://other.example/5.html"]
    assert held["changes"] == held["mentions"] == []


@needs_replay
def test_frictionless_finds_nothing_wrong_with_a_part(db: Path, tmp_path: Path) -> None:
    run(db, tmp_path / "out", "--division", "61", "--tables", ",".join(tables()))
    run_beside("frictionless", "validate", "datapackage.json", folder=tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--from", "here"], "2014-06-30"),
        (["--to", "2014-13"], "2014-06-30"),
        (["--search", "!!!"], "--search"),
        (["--division", "!"], "610424"),
        (["--portal", "nobody"], "nobody"),
        (["--portal", ""], "--portal"),
        (["--format", "xlsx"], "xlsx"),
        (["--tables", "articles,withheld"], "withheld"),
    ],
)
def test_wrong_usage_says_what_to_do_and_writes_nothing(
    db: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    done = run(db, tmp_path / "out", *options)
    assert done.exit_code == 2
    assert reason in done.output
    assert list(tmp_path.iterdir()) == []


# Where it goes.


def test_an_earlier_export_is_replaced_whole(db: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(db, out, "--format", "csv,jsonl")
    assert run(db, out, "--portal", "other").exit_code == 0
    assert not (out / "articles.jsonl").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(db: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run(db, tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "articles.csv").exists()


def test_what_is_no_export_is_left_alone(db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, added = tmp_path / "notes", tmp_path / "added"
    notes.mkdir()
    (notes / "diary.txt").write_text("a year")
    run(db, added)
    (added / "my analysis.R").write_text("a week")
    monkeypatch.chdir(added)
    for place in (notes, added, notes / "diary.txt", Path(), tmp_path / "none" / "out"):
        assert run(db, place).exit_code == 2, place
    assert (notes / "diary.txt").read_text() == "a year"
    assert (added / "my analysis.R").read_text() == "a week"


def test_an_export_that_fails_leaves_the_last_one(db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    run(db, out)
    before = (out / "articles.csv").read_bytes()

    def full(*_: object, **__: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(csv_text, "lines", full)
    done = run(db, out)
    assert (done.exit_code, "No space left" in done.output) == (1, True)
    del done
    gc.collect()  # what is still open now would be complained of
    assert (out / "articles.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_export_left_is_no_obstacle_and_a_living_one_is(db: Path, tmp_path: Path) -> None:
    import os

    from crawler.archive.lock import LockHeldError

    left = tmp_path / ".out.xianzhi-part"
    left.mkdir()
    (left / "articles.csv").write_text("half a row")
    descriptor = os.open(left, os.O_RDONLY)
    assert lock(descriptor)
    with pytest.raises(LockHeldError):
        run(db, tmp_path / "out")
    os.close(descriptor)
    assert run(db, tmp_path / "out").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_published_copy_can_be_exported_and_gives_the_same(db: Path, study: Path, tmp_path: Path) -> None:
    from crawler.archive.published import publish

    publish(db, tmp_path / "news.db", progress=lambda _what, _done: None)
    run(tmp_path / "news.db", tmp_path / "out", *ALL)
    for name in ("articles.csv", "versions.csv", "sections.jsonl", "captures.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (study / name).read_bytes()


def test_a_text_too_long_for_excel_is_said(tmp_path: Path) -> None:
    db = tmp_path / "archive.db"
    with closing(begin(open_archive(db))) as conn:
        writer.write(conn, batch(article("长" * 40_000)))
    assert "longer than a cell of Excel, in body" in run(db, tmp_path / "out").output
    assert "32,767" in (tmp_path / "out" / "codebook.md").read_text()
    assert len(rows_of_long(tmp_path / "out" / "articles.csv")[0]["body"]) == 40_000


def rows_of_long(file: Path) -> list[dict[str, str]]:
    before = csv.field_size_limit(10**6)
    try:
        return rows_of(file)
    finally:
        csv.field_size_limit(before)


def test_an_archive_without_anything_is_exported_as_nothing(tmp_path: Path) -> None:
    open_archive(tmp_path / "archive.db").close()
    assert run(tmp_path / "archive.db", tmp_path / "out", *ALL).exit_code == 0
    assert rows_of(tmp_path / "out" / "articles.csv") == []
