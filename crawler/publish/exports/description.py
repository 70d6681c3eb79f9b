"""What lies beside the tables of an export: codebook.md, datapackage.json, CITATION.cff and manifest.json.

Nothing in them comes from the clock: the same archive and filters give the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawler.publish import metadata
from crawler.publish.exports.codebook import Column, Table
from crawler.version import SOFTWARE

EXCEL_CELL = 32_767
"""Characters that a cell of Excel holds (support.microsoft.com, "Excel specifications and limits")."""
EXCEL_ROWS = 1_048_576
"""Rows that its sheets hold, with the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file of an export."""

    path: str
    """Its name in the folder."""
    bytes: int
    sha256: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTable:
    """A table of an export, in all its formats."""

    table: Table
    rows: int
    empty: Sequence[int]
    """Of each column, rows without a value."""
    longest: Sequence[int]
    """Of each column, characters of the longest text."""
    files: Mapping[str, WrittenFile]
    """By format."""

    @property
    def too_long_for_excel(self) -> list[str]:
        """Columns of the CSV with texts that no cell holds."""
        if "csv" not in self.files:
            return []
        columns = zip(self.table.columns, self.longest, strict=True)
        return [column.name for column, longest in columns if longest > EXCEL_CELL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What was exported, from what, and how it was chosen."""

    run_id: str | None
    """The newest run of the archive; None where there is none."""
    as_of: str | None
    """When that run ended (began, where it has not ended yet), UTC."""
    filters: Mapping[str, str]
    tables: Sequence[WrittenTable]

    @property
    def chosen_by(self) -> str:
        """The filters as options of ``xianzhi export``."""
        return " ".join(f"--{name} {value}" for name, value in self.filters.items())


def codebook(study: Study) -> str:
    """What every column means, its unit, where its values come from, and how many are empty: Markdown."""
    parts = [
        "# 编码手册 · Codebook\n",
        f"{metadata.site()['title']}\n",
        metadata.site()["description"].strip().replace("\n", "  \n") + "\n",
        f"- 档案截至 · Archive as of: {study.as_of or '–'} (run `{study.run_id or '–'}`, {SOFTWARE})",
        f"- 筛选 · Chosen by: {_code(study.chosen_by) if study.filters else '全部文章 · all articles'}",
        f"- 版权 · Rights: {metadata.site()['license']}\n",
        _READING,
        *(_table(written) for written in study.tables),
    ]
    return "\n".join(parts)


_READING = """\
## 读法 · How to read the files

CSV：UTF-8 带 BOM，逗号分隔（RFC 4180）；空单元格表示没有值。为防止表格软件把文字当作公式运行，可能被当作公式的文字\
前面加了一个撇号 `'`，本来就以撇号开头的也加一个。还原：凡以撇号开头的文字，去掉第一个撇号。Parquet 与 JSON Lines 不加。

CSV: UTF-8 with a byte order mark, commas (RFC 4180); an empty cell is a missing value. So that no spreadsheet runs a \
text as a formula, what could be taken for one has an apostrophe `'` in front, and so has what begins with one anyway. \
The way back: drop the first apostrophe of every text that begins with one. Parquet and JSON Lines have none added.
"""


def _table(written: WrittenTable) -> str:
    table = written.table
    lines = [
        f"## {table.name}: {table.title}\n",
        f"{table.description}\n",
        f"{written.rows:,} 行 rows: {', '.join(f'`{file.path}`' for file in written.files.values())}\n",
        *_warnings(written),
        "| 列 column | 类型 type | 含义 meaning | 单位 unit | 来历 how obtained | 空值 empty |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for column, empty in zip(table.columns, written.empty, strict=True):
        cells = (
            f"`{column.name}`", column.type, column.meaning, column.unit or "", column.how, _share(empty, written.rows)
        )  # fmt: skip
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join([*lines, ""])


def _warnings(written: WrittenTable) -> list[str]:
    said = []
    if long := [f"`{name}`" for name in written.too_long_for_excel]:
        said.append(
            f"Excel 的单元格最多 {EXCEL_CELL:,} 个字符，{'、'.join(long)} 有更长的文字：请用其他工具读取。"
            f" A cell of Excel holds {EXCEL_CELL:,} characters; {', '.join(long)} has longer texts: use another tool.\n"
        )
    if "csv" in written.files and written.rows >= EXCEL_ROWS:
        said.append(
            f"Excel 的工作表最多 {EXCEL_ROWS:,} 行：请用其他工具读取。"
            f" A sheet of Excel holds {EXCEL_ROWS:,} rows: use another tool.\n"
        )
    return said


def _share(empty: int, rows: int) -> str:
    if not empty:
        return "0"
    share = 100 * empty / rows
    return f"{share:.1f} %" if share >= 0.05 else "< 0.1 %"


def _code(text: str) -> str:
    fence = "`" * (max((len(run) for run in text.split() if set(run) == {"`"}), default=0) + 2)
    return f"{fence} {text} {fence}"


def datapackage(study: Study) -> dict[str, Any]:
    """The folder as a Data Package (specs.frictionlessdata.io): each file, and the columns of the CSV tables."""
    names = {written.table.name for written in study.tables if "csv" in written.files}
    return {
        "profile": "data-package",
        "name": "xianzhi",
        "title": metadata.site()["title"],
        "description": f"{metadata.site()['description'].strip()}\n{metadata.site()['license']}",
        **({"version": study.run_id, "created": study.as_of} if study.run_id else {}),
        "keywords": list(_KEYWORDS),
        "resources": [
            _resource(written, format_, file, names)
            for written in study.tables
            for format_, file in written.files.items()
        ],
    }


def _resource(written: WrittenTable, format_: str, file: WrittenFile, names: set[str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": written.table.name if format_ == "csv" else f"{written.table.name}-{format_}",
        "path": file.path,
        "title": written.table.title,
        "description": written.table.description,
        "format": format_,
        "mediatype": _MEDIA_TYPES[format_],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if format_ != "csv":
        return said | {"type": "file"}  # what can read it knows its columns
    return said | {
        "type": "table",
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "dialect": {"lineTerminator": "\r\n"},
        "schema": _schema(written.table, names),
    }


def _schema(table: Table, names: set[str]) -> dict[str, Any]:
    keys = [
        {"fields": [column], "reference": {"resource": other, "fields": ["id"]}}
        for column, other in table.refers.items()
        if other in names
    ]
    return {
        "fields": [_field(column) for column in table.columns],
        "missingValues": [""],
        **({"primaryKey": list(table.key)} if table.key else {}),
        **({"foreignKeys": keys} if keys else {}),
    }


def _field(column: Column) -> dict[str, Any]:
    return {"name": column.name, "type": column.type, "description": column.meaning}


def citation(study: Study) -> str:
    """How to cite the export (citation-file-format.github.io, 1.2.0). Values are JSON, which YAML reads as it is."""
    said: dict[str, Any] = {
        "cff-version": "1.2.0",
        "type": "dataset",
        "message": "引用本数据集时请注明以下信息。 If you use this data set, please cite it as below.",
        "title": metadata.site()["title"],
        "authors": [{"name": "Xianzhi 县志"}],
        **({"version": study.run_id} if study.run_id else {}),
        **({"date-released": (study.as_of or "")[:10]} if study.as_of else {}),
        "abstract": _abstract(study),
        "keywords": list(_KEYWORDS),
    }
    return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in said.items())


def _abstract(study: Study) -> str:
    counts = ", ".join(f"{written.table.name} ({written.rows:,} rows)" for written in study.tables)
    chosen = f"Chosen by: {study.chosen_by}." if study.filters else "All articles that are public."
    return f"{metadata.site()['description'].strip()} {counts}. {chosen} {metadata.site()['license']}"


def manifest(study: Study, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """Every file with its digest, and what it was made from."""
    rows = {file.path: written.rows for written in study.tables for file in written.files.values()}
    return {
        "archive": {"run_id": study.run_id, "as_of": study.as_of},
        "software": SOFTWARE,
        "filters": dict(study.filters),
        "rows": {written.table.name: written.rows for written in study.tables},
        "files": [
            {
                "path": file.path,
                "bytes": file.bytes,
                "sha256": file.sha256,
                **({"rows": rows[file.path]} if file.path in rows else {}),
            }
            for file in files
        ],
    }


_KEYWORDS = ("地方新闻", "县级政府网站", "网络存档", "local news", "county governments", "web archive")
_MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "jsonl": "application/jsonl"}
