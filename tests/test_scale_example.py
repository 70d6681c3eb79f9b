"""The three hosts of docs/scale-out.md: their commands are run, and print what the page says."""

import re
import subprocess
import sys
from pathlib import Path

from crawler.demo.portals import catalogue_toml, sites
from crawler.demo.server import serve
from tests.conftest import ROOT
from tests.support.programs import need
from tests.support.s3 import S3, needs_s3

PAGE = ROOT / "docs" / "scale-out.md"
BLOCKS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
MARK = "-- next --\n"
DSN, STORE = "postgresql://archive@db.example/xianzhi", "s3://news/county"
SECONDS = re.compile(r"\b\d+\.\d+ s\b")


def written() -> list[tuple[str, str]]:
    """The commands and what they are said to print."""
    parts = COMMAND.split("".join(BLOCKS.findall(PAGE.read_text(encoding="utf-8"))))
    return list(zip(parts[1::2], parts[2::2], strict=True))


def settled(text: str) -> str:
    """*text* without what is another one each time."""
    return SECONDS.sub("N s", text)


@needs_s3
def test_every_command_of_the_three_hosts_prints_what_the_page_says(tmp_path: Path, dsn: str, s3: S3) -> None:
    need("jq", "sqlite3")
    bucket, commands = s3.bucket(), written()
    script = "".join(f"{command}\necho '{MARK.strip()}'\n" for command, _ in commands)
    with serve(sites()) as urls:
        (tmp_path / "portals.toml").write_text(catalogue_toml(urls), encoding="utf-8")
        done = subprocess.run(
            ["bash", "-u", "-c", script.replace(DSN, dsn).replace(STORE, bucket)],
            cwd=tmp_path,
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "120", **s3.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )  # fmt: skip
    printed = done.stdout.replace(bucket, STORE).split(MARK)
    logs = "\n".join(path.read_text("utf-8") for path in sorted(tmp_path.glob("*.log")))
    for (command, said), shown in zip(commands, printed[:-1], strict=True):
        assert settled(shown) == settled(said), f"{command}\n{logs}"
    assert len(commands) > 5
