"""How far an interrupted reprocessing had come: a file beside the archive, until it has come to its end.

It may lag behind what is stored, never run ahead: what is read twice is found to be stored already.
"""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawler.reprocess.changes import Summary


@dataclass(slots=True, kw_only=True)
class Progress:
    """What was done."""

    upto: dict[str, str] = field(default_factory=dict)
    """By portal, the address of its last page that is done."""
    files: list[str] = field(default_factory=list)
    """What was done elsewhere, by `crawler.reprocess.reprocessing.Elsewhere`'s names."""
    moved: list[str] = field(default_factory=list)
    """Portals of which the catalogue says another name, division or homepage than the archive did at the beginning."""
    summary: Summary = field(default_factory=Summary)


class Notes:
    """Notes about one reprocessing; *about* tells it from others: rules, portals, days."""

    def __init__(self, db: Path, about: dict[str, Any]) -> None:
        self._path = db.with_name(f"{db.name}.reprocess")
        self._about: dict[str, Any] = json.loads(json.dumps(about))

    def read(self) -> Progress:
        """What an interrupted one had done; nothing where there was none, or it was another one."""
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
            if noted["about"] != self._about:
                return Progress()
            summary = Summary.from_data(noted["summary"])
            return Progress(
                upto=dict(noted["upto"]), files=list(noted["files"]), moved=list(noted["moved"]), summary=summary
            )
        except (OSError, ValueError, KeyError, TypeError):
            return Progress()

    def write(self, progress: Progress) -> None:
        """Note what is done now. Where the folder cannot be written, nothing is kept, and nothing else is different."""
        noted = {
            "about": self._about,
            "upto": progress.upto,
            "files": progress.files,
            "moved": progress.moved,
            "summary": progress.summary.as_data(),
        }
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            part.write_text(json.dumps(noted, ensure_ascii=False), encoding="utf-8")
            part.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def forget(self) -> None:
        """It has come to its end, or is to begin anew."""
        self._path.unlink(missing_ok=True)
