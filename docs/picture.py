"""Remakes the README's picture of the site over the demo portals: ``python docs/picture.py``. Needs Chromium."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from crawler.fetch.chromium import find_chromium

PICTURE = Path(__file__).with_name("site.png")
SIZE = "1120,860"
"""Pixels."""
PAGE = f"search?{urlencode({'q': '扶贫', '_lang': 'zh'})}"
XIANZHI = (sys.executable, "-m", "crawler")
ALONE = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""A browser that shows one page and asks nobody else for anything."""


def draw(address: str, picture: Path, *, profile: str) -> None:
    """The page at *address* as a PNG; *profile* is a folder for the browser's own files."""
    options = (f"--user-data-dir={profile}", f"--window-size={SIZE}", f"--screenshot={picture}")
    subprocess.run((find_chromium(), *ALONE, *options, address), check=True, stderr=subprocess.DEVNULL, timeout=60)


def main() -> None:
    """Crawl the demo portals into a folder of its own, serve what they brought, and draw a search."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive.db"
        subprocess.run((*XIANZHI, "demo", "--db", archive), check=True)
        serving = subprocess.Popen(
            (*XIANZHI, "serve", archive, "--port", "0"),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert serving.stdout is not None
            address = serving.stdout.readline().partition(" at ")[2].split()[0]
            draw(address + PAGE, PICTURE, profile=folder)
        finally:
            serving.terminate()
            serving.wait()


if __name__ == "__main__":
    main()
