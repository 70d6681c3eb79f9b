"""Log lines for machines: one JSON object a line, whatever a portal put into its addresses and pages."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

ABOUT = ("run", "portal", "url")
"""What a line may be about, beside its words; each is there where it is known."""
MAX_CHARS = 8_000
"""Of a message or an address; journald cuts lines at 48 kB."""


class JsonFormatter(logging.Formatter):
    """One object a record: ``time`` (UTC, RFC 3339), ``level``, ``logger``, `ABOUT`, ``message``.

    Letters of any script stand as they are. What is no printable character is escaped, so that no line drives a
    terminal, ends early, or reads backwards.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        about = {name: getattr(record, name, None) for name in ABOUT}
        fields = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **{name: _cut(str(value)) for name, value in about.items() if value is not None},
            "message": _cut(super().format(record)),
        }
        line = json.dumps(fields, ensure_ascii=False)
        return line if line.isprintable() else "".join(map(_seen, line))


def log_as_json(stream: TextIO | None = None) -> None:
    """Let everything that this process logs be such lines on *stream* (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("crawler").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


def is_json() -> bool:
    """Whether `log_as_json` was called."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def _seen(char: str) -> str:
    """A character of a JSON text as it is, or escaped where it cannot be seen; they stand in strings only."""
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}…"
