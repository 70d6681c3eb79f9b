"""What each family's sample portals cost and yield: ``make zoo``. A row that finds less than was planted ends it with 1."""

import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import zoo
from tests.support.nights import Nights, two_nights
from tests.zoo import ZooPortal

HEAD = ("family", "portals", "planted", "found", "requests, first night", "requests, unchanged night")


def main() -> int:
    by_family: dict[str, list[tuple[ZooPortal, Nights]]] = defaultdict(list)
    for portal in zoo.portals():
        with TemporaryDirectory() as folder:
            by_family[portal.family].append((portal, two_nights(portal, Path(folder))))
    rows = [(family, *_figures(pairs)) for family, pairs in by_family.items()]
    sums = ("all", *(sum(row[column] for row in rows) for column in range(1, len(HEAD))))
    print(f"| {' | '.join(HEAD)} |\n| --- {'| ---: ' * (len(HEAD) - 1)}|")
    for row in (*rows, sums):
        print(f"| {' | '.join(map(str, row))} |")
    return int(any(planted != found for _, _, planted, found, *_ in rows))


def _figures(pairs: list[tuple[ZooPortal, Nights]]) -> tuple[int, int, int, int, int]:
    planted = sum(len(portal.planted) for portal, _ in pairs)
    found = sum(
        len({path for path, *_ in nights.stored} & {article.path for article in portal.planted})
        for portal, nights in pairs
    )
    first, quiet = (sum(getattr(nights, name).requests for _, nights in pairs) for name in ("first", "quiet"))
    return len(pairs), planted, found, first, quiet


if __name__ == "__main__":
    sys.exit(main())
