"""Crawling loopback sites with the real command in real processes, and looking at what it left."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.demo.site import Response, Site

LOOPBACK = "127.0.0.0/8"
HTML = (("Content-Type", "text/html; charset=utf-8"),)


@dataclass(frozen=True)
class Crawled:
    """What a finished command said."""

    exit_code: int
    report: Mapping[str, Any]
    words: str

    def portal(self, portal_id: str) -> Mapping[str, Any]:
        return next(line for line in self.report["portals"] if line["id"] == portal_id)


@dataclass(frozen=True)
class Archive:
    """A folder with a catalogue, an archive and its WARC files."""

    folder: Path

    @property
    def db(self) -> Path:
        return self.folder / "a.db"

    @property
    def warc(self) -> Path:
        return self.folder / "warc"

    def write_catalogue(self, text: str) -> None:
        (self.folder / "portals.toml").write_text(text, encoding="utf-8")

    def command(self, *options: str) -> list[str]:
        return [
            sys.executable, "-m", "crawler", "crawl",
            "--catalogue", str(self.folder / "portals.toml"), "--db", str(self.db), "--warc", str(self.warc), "--json",
            *options,
        ]  # fmt: skip

    def crawl(self, *options: str, allow: str | None = LOOPBACK, file_limit: int | None = None) -> Crawled:
        """Run ``xianzhi crawl`` to its end; *file_limit*: no file may grow beyond so many bytes, as on a full disk."""
        allowed = ["--allow-network", allow] if allow else []
        limited = ["prlimit", f"--fsize={file_limit}"] if file_limit else []
        done = subprocess.run(
            [*limited, *self.command(*allowed, *options)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=90,
            check=False,
        )
        return Crawled(done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr)

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start ``xianzhi crawl`` as the leader of a process group of its own."""
        return subprocess.Popen(
            self.command("--allow-network", LOOPBACK, *options),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill_after(self, seconds: float, *options: str) -> None:
        """Start a crawl and kill -9 all of its processes after *seconds*."""
        process = self.start(*options)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        conn = sqlite3.connect(f"{self.db.as_uri()}?mode=ro", uri=True)
        try:
            return conn.execute(sql, values).fetchall()
        finally:
            conn.close()

    def one(self, sql: str, *values: object) -> Any:
        return self.query(sql, *values)[0][0]


def entry(portal_id: str, base: str, *more: str) -> str:
    """Six lines of catalogue for a site served at *base*, without delay."""
    lines = [
        "[[portal]]", f'id = "{portal_id}"', f'name = "{portal_id}"', 'division = "610000"', f'homepage = "{base}/"',
        f'lists = ["{base}/news/"]', "delay = 0", *more,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def article_page(title: str, text: str) -> Response:
    """A plain article page."""
    body = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>发布时间：2021-05-06　来源：柳溪县融媒体中心</p>"
        f'<div class="content"><p>{text}</p></div></body></html>'
    )
    return Response(headers=HTML, body=body.encode())


def news_site(articles: int, *, per_page: int = 10, validators: bool = False) -> Site:
    """A site with one list of *articles* over several pages, linked by 下一页."""
    pages = {}
    last = -(-articles // per_page)
    for page in range(1, last + 1):
        numbers = range((page - 1) * per_page, min(page * per_page, articles))
        items = "".join(
            f'<li><a href="/news/2021/{100 + n}.html">{title_of(n)}</a><span>2021-05-{1 + n % 28:02}</span></li>'
            for n in numbers
        )
        following = f'<a href="/news/list_{page + 1}.html">下一页</a>' if page < last else ""
        path = "/news/" if page == 1 else f"/news/list_{page}.html"
        pages[path] = Response(headers=HTML, body=f"<html><body><ul>{items}</ul>{following}</body></html>".encode())
    for n in range(articles):
        pages[f"/news/2021/{100 + n}.html"] = article_page(title_of(n), text_of(n))
    return Site(pages, validators=validators)


def title_of(number: int) -> str:
    return f"柳溪县第{number}村修通了通村公路"


def text_of(number: int) -> str:
    return (
        f"经过两个月的紧张施工，柳溪县第{number}村全长{number + 3}公里的通村公路日前竣工通车，沿线{number + 200}户群众告别了出行难。"
        f"据了解，该村今年还将安装路灯{number + 30}盏，新修水渠{number + 5}公里，让{number + 40}亩旱地变成水浇地。"
    )
