"""A crawl on several hosts: what is left of a night in which workers die, or PostgreSQL or the object store are away.

    python -m bench.scale kills [--seed 1]     of four workers one is killed ten times, and started again
    python -m bench.scale away                 the store for 30 seconds, then PostgreSQL for 20

Hosts are loopback addresses and spool folders of their own; PostgreSQL and the S3 server are real ones, on loopback, too.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from tests.support import trials
from tests.support.postgres import running
from tests.support.s3 import serving


def say(what, value, goal=""):
    print(f"{what:64} {value!s:>12}  {goal}", flush=True)


def tell(night, kept):
    say("exit code of crawl --queue --wait", night.crawled.exit_code, "0")
    say(f"of {kept.planted} articles: lost", len(kept.lost), "0")
    say("doubled", len(kept.doubled), "0")
    say("addresses missing from the object store", len(kept.unstored), "0")
    say("findings of xianzhi verify over the store", len(kept.findings), "0")
    say("tables unlike those of one machine's crawl", ", ".join(kept.differing) or 0, "0")
    say("requests at once to one portal, most", night.most_at_once, "1")
    say("seconds between two requests to one portal, most", f"{night.longest_gap:.1f}")
    say("requests; seconds", f"{sum(map(len, night.asked.values()))}; {night.seconds:.0f}")
    if night.crawled.exit_code or not kept.is_whole:
        print(kept, night.crawled.words, night.said, night.crawled.report.get("lost"), sep="\n")


def kills(farm, seed):
    killed = []
    night = farm.night(trials.kill_ten(random.Random(seed), killed))
    tell(night, farm.kept())
    waited = sorted(trials.waited(night, killed))
    say(f"{len(killed)} kills; portals that they left", sum(len(kill.portals) for kill in killed))
    say("seconds until they went on: median; most", f"{statistics.median(waited):.1f}; {waited[-1]:.1f}", "≤ 15")


def away(farm, postgres, s3):
    moments = {}
    night = farm.night(trials.away(postgres, s3, moments))
    tell(night, farm.kept())
    for what, (began, ended) in moments.items():
        asked = sorted(moment for times in night.asked.values() for moment in times)
        during = sum(began <= moment < ended for moment in asked)
        after = next((moment - ended for moment in asked if moment >= ended), None)
        say(f"{what} away, seconds; requests meanwhile", f"{ended - began:.0f}; {during}")
        say("seconds from its return to the next request", f"{after:.1f}")
    print(*(line for line in night.said.splitlines() if "away" in line or "back" in line or "again" in line), sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trial", choices=["kills", "away"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, running() as postgres, serving(Path(made)) as s3:
        os.environ.update(s3.environment)
        folder = Path(made) / "night"
        folder.mkdir()
        with trials.farm(folder, postgres, s3) as farm:
            if options.trial == "kills":
                kills(farm, options.seed)
            else:
                away(farm, postgres, s3)
    print(f"load at the end: {os.getloadavg()[0]:.1f}; {time.strftime('%H:%M')}")


if __name__ == "__main__":
    main()
