"""CSV that opens right and does nothing: UTF-8 with a byte order mark, RFC 4180, no cell that a spreadsheet would run.

A text cell that a spreadsheet could take for a formula gets an apostrophe in front, and so does one that begins with an
apostrophe. So the way back is one rule: of a text cell that begins with an apostrophe, drop it (`unguarded`). Numbers,
days and times are written as they are.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence

BOM = b"\xef\xbb\xbf"
"""Without it Excel reads UTF-8 as the machine's own code page."""
MEDIA_TYPE = "text/csv; charset=utf-8"

# What programs take a formula by (owasp.org/www-community/attacks/CSV_Injection), full width too; some trim first.
_RUN_BY_SPREADSHEETS = re.compile(r"[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]|[\t\r\n']")


def guarded(text: str) -> str:
    """*text* as a cell that no spreadsheet runs."""
    return f"'{text}" if _RUN_BY_SPREADSHEETS.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` made *cell* of."""
    return cell.removeprefix("'")


def lines(rows: Iterable[Sequence[object]], *, texts: Collection[int] | None = None) -> bytes:
    """*rows* as CSV, UTF-8: one line a row, ended by CRLF; None is an empty cell.

    *texts*: the columns whose strings are guarded, None for all. A file begins with `BOM`.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows(
        [
            guarded(value) if type(value) is str and (texts is None or number in texts) else value
            for number, value in enumerate(row)
        ]
        for row in rows
    )
    return buffer.getvalue().encode()
