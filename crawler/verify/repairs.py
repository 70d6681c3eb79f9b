"""What can be done about each kind of finding, in words for people."""

from collections.abc import Mapping

from crawler.archive.findings import Kind

_RESTORE = "restore it from a backup (docs/operations.md)"

REPAIRS: Mapping[Kind, str] = {
    "missing": (
        f"Look for the file where it may have been moved to, or {_RESTORE}. Its manifest has its length and SHA-256."
    ),
    "damaged": (
        "The records around the damage are sound and stay readable. Keep the file for study, and"
        f" {_RESTORE}: the right copy is the one whose SHA-256 its manifest has."
    ),
    "changed": f"The file is not what was sealed after its run. Keep it for study, and {_RESTORE}.",
    "unfinished": "xianzhi verify --repair finishes the file, and so does the next crawl.",
    "unreadable": (
        "By our own reading the file is sound, so nothing is lost; but others should be able to read it, too."
        " Please report it with the record that is named."
    ),
    "disagrees": (
        "The WARC file is the evidence, and its manifest tells whether it was changed; if it was not, the database was."
        " Restore the database from a backup; xianzhi verify --repair then adopts what that does not know yet."
    ),
    "unlisted": (
        "Nothing is lost. xianzhi verify --repair gives these records their rows. Where the database is an older copy"
        " than the files, let xianzhi import read them first (docs/operations.md, Restoring)."
    ),
    "revisit": "The payload is in the original record. Restore the database from a backup.",
    "text": (
        "The page itself is in its WARC record. Restore the database from a backup; without one, xianzhi reprocess"
        " reads the text from the record again."
    ),
    "search": "xianzhi verify --repair makes the full-text index anew from the articles.",
    "database": (
        "Copy the file before anything else, then restore it from a backup. Without one, sqlite3's .recover saves what"
        " is left, and xianzhi import reads the WARC files again."
    ),
    "reference": "Rows were deleted by hand, or by a failing disk. Restore the database from a backup.",
    "orphan": "Nothing shows these rows, and nothing is lost. If no other program wrote them, please report it.",
    "article": (
        "Restore the database from a backup; without one, xianzhi reprocess reads the article from its records again."
    ),
    "run": "Rows of this run are gone. Restore the database from a backup; the WARC files still have the records.",
    "manifest": (
        "Something that was sealed has been changed: a backup, or a manifest kept elsewhere, tells what it was"
        " (docs/evidence.md). Where a run just has no manifest, xianzhi verify --repair or the next crawl writes it."
    ),
    "unchecked": "Nothing is known to be wrong. xianzhi verify without --queue checks the file here.",
}
