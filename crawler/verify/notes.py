"""What an interrupted verification had done: JSON lines in a file beside the archive, until it has come to its end."""

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from crawler.archive.findings import Finding
from crawler.archive.times import to_second
from crawler.verify.units import Outcome
from crawler.version import SOFTWARE


class Notes:
    """The outcomes of pieces as they come, for a verification that goes on with them.

    Where it cannot be written (a backup on a read-only disk, a full one), nothing is kept, and nothing else is
    different.
    """

    def __init__(self, db: Path, *, warc: Path) -> None:
        self._path = db.with_name(f"{db.name}.verify")
        self._about = {"software": SOFTWARE, "warc": str(warc.resolve())}
        self._file: IO[bytes] | None = None
        self.began_at = to_second(datetime.now(UTC))
        """When the verification began, also where it goes on now."""

    def forget(self) -> None:
        """Begin anew."""
        self._path.unlink(missing_ok=True)

    def read(self) -> dict[str, Outcome]:
        """What was done already, by key; nothing where it was done by other rules or over another folder."""
        try:
            first, *lines = self._path.read_text(encoding="utf-8").splitlines()
            header = json.loads(first)
        except (OSError, ValueError):
            return {}
        if not isinstance(header, dict) or any(header.get(name) != value for name, value in self._about.items()):
            return {}
        self.began_at = str(header.get("began_at"))
        outcomes = [outcome for outcome in map(_outcome, lines) if outcome is not None]
        return {outcome.key: outcome for outcome in outcomes}

    def begin(self, outcomes: Mapping[str, Outcome]) -> None:
        """Write down what holds still, and be ready for more."""
        try:
            self._file = self._path.open("wb", buffering=0)
        except OSError:
            return
        self._line({**self._about, "began_at": self.began_at})
        for outcome in outcomes.values():
            self.add(outcome)

    def add(self, outcome: Outcome) -> None:
        """A piece is done."""
        self._line(dataclasses.asdict(outcome))

    def close(self, *, is_done: bool) -> None:
        """The verification ends; *is_done*: to be forgotten."""
        if self._file is not None:
            self._file.close()
        if is_done:
            with contextlib.suppress(OSError):
                self.forget()

    def _line(self, content: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
        except OSError:
            self._file.close()
            self._file = None


def _outcome(line: str) -> Outcome | None:
    """A line back; None for the half line that a kill may leave."""
    try:
        content = json.loads(line)
        findings = [Finding(**finding) for finding in content.pop("findings")]
        return Outcome(findings=findings, **content)
    except (ValueError, TypeError, KeyError):
        return None
