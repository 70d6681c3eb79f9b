"""A study: tables of an archive in a folder, with what is needed to read, check and cite them."""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.archive.beside import folder_beside
from crawler.publish.exports import description, selection
from crawler.publish.exports.codebook import Table
from crawler.publish.exports.description import Study, WrittenFile, WrittenTable
from crawler.publish.exports.formats import FORMATS, Output, Row, Statistics
from crawler.publish.exports.selection import Filters

BATCH = 500
"""Rows in memory: of articles about 3 MB of text."""
MANIFEST = "manifest.json"

Progress = Callable[[str, int], None]
"""Takes the name of a table and how many of its rows are written."""


class ExportError(Exception):
    """No place for an export; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was written."""

    folder: Path
    articles: int
    """Chosen ones."""
    study: Study
    files: Sequence[WrittenFile]
    """All of them; the manifest, which lists the others, is the last one."""


def write(
    db: Path, out: Path, filters: Filters, *, tables: Sequence[Table], formats: Sequence[str], progress: Progress
) -> Export:
    """Export *tables* of the archive *db* to the folder *out*, which is there when it is whole.

    Rows are those of the articles that *filters* choose, of one moment of the archive, without what is withheld. The
    same archive, filters and version of this program give the same bytes. An earlier export in *out* is replaced.
    Raises ExportError, ArchiveError, LockHeldError, ValueError for filters that say nothing, LookupError for an unknown
    portal, OSError for a full disk.
    """
    out = out.resolve()
    _refuse_what_would_be_lost(out)
    with selection.chosen(db, filters) as chosen, folder_beside(out) as folder:
        run_id, as_of = chosen.conn.execute(
            "SELECT max(id), max(coalesce(finished_at, started_at)) FROM runs"
        ).fetchone()
        written = [_write_table(folder, table, formats, _batches(chosen, table), progress) for table in tables]
        study = Study(run_id=run_id, as_of=as_of, filters=filters.as_data(), tables=written)
        files = [file for one in written for file in one.files.values()]
        files += [
            _write_text(folder, "codebook.md", description.codebook(study)),
            _write_text(folder, "datapackage.json", _json(description.datapackage(study))),
            _write_text(folder, "CITATION.cff", description.citation(study)),
        ]
        files.append(_write_text(folder, MANIFEST, _json(description.manifest(study, files))))
        return Export(folder=out, articles=selection.articles(chosen), study=study, files=files)


def _refuse_what_would_be_lost(out: Path) -> None:
    if not out.parent.is_dir():
        raise ExportError(f"{out.parent}: no such folder")
    if out == Path.cwd():
        raise ExportError(f"{out}: is the current folder; name one to be made in it")
    if out.exists() and not (out.is_dir() and _is_export(out)):
        raise ExportError(f"{out}: is there already, and is no export of this program; name another folder")


def _is_export(folder: Path) -> bool:
    """Whether there is nothing in *folder* but what an earlier export wrote."""
    names = {path.name for path in folder.iterdir()}
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        listed = {file["path"] for file in said["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return not names
    return names <= {MANIFEST, *listed}


def _batches(chosen: selection.Chosen, table: Table) -> Generator[Sequence[Row], None, None]:
    with closing(selection.rows(chosen, table)) as rows:
        while batch := rows.fetchmany(BATCH):
            yield batch


def _write_table(
    folder: Path,
    table: Table,
    formats: Sequence[str],
    batches: Generator[Sequence[Row], None, None],
    progress: Progress,
) -> WrittenTable:
    outputs = {format_: Output(folder / f"{table.name}.{format_}") for format_ in formats}
    try:
        writers = [FORMATS[format_](output, table) for format_, output in outputs.items()]
        statistics = Statistics(table)
        for batch in batches:
            statistics.add(batch)
            for writer in writers:
                writer.write(batch)
            progress(table.name, statistics.rows)
        for writer in writers:
            writer.finish()
        files = {format_: output.finish() for format_, output in outputs.items()}
    finally:
        batches.close()  # an error, which is told later than the archive is closed, would keep it
        for output in outputs.values():
            output.close()
    return WrittenTable(
        table=table, rows=statistics.rows, empty=statistics.empty, longest=statistics.longest, files=files
    )


def _write_text(folder: Path, name: str, text: str) -> WrittenFile:
    with closing(Output(folder / name)) as output:
        output.write(text.encode())
        return output.finish()


def _json(said: Any) -> str:
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"
