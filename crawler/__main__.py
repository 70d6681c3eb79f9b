"""``python -m crawler`` is ``xianzhi``."""

from crawler.cli import main

main()
