"""List pages that are only shells of a program's list: later nights ask the program, the shell only where it is needed."""

import json
from pathlib import Path

import pytest

from crawler.demo.server import serve
from crawler.demo.site import NOT_FOUND, Asked, Response, Site
from tests.support.crawling import Archive, article_page, entry, text_of, title_of
from tests.support.planting import page
from tests.zoo import epoint as epoint_zoo

SHELL = "/public/column/7"


class Disclosure:
    """A disclosure column of Longtech's: a shell, and a program that can move, fail and fall silent."""

    def __init__(self) -> None:
        self.program = "/site/label/8888"
        self.named = self.program
        """The program as the shell's script has it."""
        self.numbers = range(1001, 1004)
        self.status = 200
        self.site = Site({}, script=self.answer)

    def answer(self, asked: Asked) -> Response | None:
        if asked.path == SHELL:
            address = f"{self.named}?labelName=publicInfoList&siteId=1&catId=2"
            return page(f"<div id=list></div><script>$.get('{address}&pageIndex=1')</script>" + "<p>柳溪</p>" * 60)
        if asked.path == self.program and "catId=2" in asked.query:
            items = "".join(
                f'<li><a href="/public/7/{n}.html">{title_of(n)}</a><b>2021-05-06</b></li>' for n in self.numbers
            )
            return Response(status=self.status, body=f"<ul>{items}</ul>".encode())
        name = asked.path.removeprefix("/public/7/").removesuffix(".html")
        return article_page(title_of(int(name)), text_of(int(name))) if name.isdecimal() else NOT_FOUND

    def asked(self) -> list[str]:
        """What was asked for since the last time, articles and robots.txt apart."""
        paths = [path for path, _ in self.site.hits if not path.endswith((".html", ".txt"))]
        self.site.hits.clear()
        return sorted(paths)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def catalogue(archive: Archive, base: str) -> None:
    text = entry("liuxi", base, 'cms = "longtech"')
    archive.write_catalogue(text.replace("/news/", SHELL))


def test_a_program_is_asked_directly_and_where_it_moved_the_shell_tells(archive: Archive) -> None:
    column = Disclosure()
    with serve({"liuxi": column.site}) as urls:
        catalogue(archive, urls["liuxi"])
        archive.crawl()
        assert column.asked() == [SHELL, "/site/label/8888"]
        column.numbers = range(1000, 1003)
        assert archive.crawl().portal("liuxi")["new"] == 1
        assert column.asked() == ["/site/label/8888"]
        column.program = column.named = "/hs/site/label/8888"
        column.numbers = range(999, 1003)
        moved = archive.crawl()
        assert (moved.portal("liuxi")["status"], moved.portal("liuxi")["new"]) == ("ok", 1)
        assert column.asked() == ["/hs/site/label/8888", SHELL, "/site/label/8888"]
        archive.crawl()
        assert column.asked() == ["/hs/site/label/8888"]


def test_a_program_that_fails_though_the_shell_still_names_it_fails_its_portal(archive: Archive) -> None:
    column = Disclosure()
    with serve({"liuxi": column.site}) as urls:
        catalogue(archive, urls["liuxi"])
        archive.crawl()
        column.status = 500
        failed = archive.crawl()
        assert (failed.exit_code, failed.portal("liuxi")["status"]) == (1, "failed")
        assert "its program" in failed.portal("liuxi")["reason"]
        assert "answered 500" in failed.portal("liuxi")["reason"]
        column.status = 200
        column.numbers = range(998, 1001)
        assert archive.crawl().portal("liuxi")["new"] == 3


def test_a_program_that_names_nothing_any_more_is_asked_for_at_its_shell_again(archive: Archive) -> None:
    column = Disclosure()
    with serve({"liuxi": column.site}) as urls:
        catalogue(archive, urls["liuxi"])
        archive.crawl()
        column.numbers = range(0)
        column.asked()
        assert archive.crawl().exit_code == 0
        assert column.asked() == [SHELL, "/site/label/8888"]
        column.numbers = range(998, 1001)
        assert archive.crawl().portal("liuxi")["new"] == 3
        assert column.asked() == [SHELL, "/site/label/8888"]


def test_columns_that_share_the_script_with_the_portals_id_are_all_read(archive: Archive) -> None:
    zoo = epoint_zoo.portals()[1]
    asked: list[str] = []

    def answer(request: Asked) -> Response | None:
        if request.path != epoint_zoo.ACTION:
            return None
        form = json.loads(request.body)
        asked.append(form["categorynum"])
        body = json.dumps(form | {"categorynum": epoint_zoo.CATEGORY})
        assert zoo.site.script
        return zoo.site.script(
            Asked(method=request.method, path=request.path, query="", headers=request.headers, body=body)
        )

    site = Site(zoo.site.pages, script=answer)
    with serve({"liuxi": site}) as urls:
        lists = ", ".join(
            f'"{urls["liuxi"]}{epoint_zoo.SHELL}?categorynum={number}"' for number in ("003001", "003002")
        )
        text = entry("liuxi", urls["liuxi"], 'cms = "epoint"')
        archive.write_catalogue(text.replace(f'"{urls["liuxi"]}/news/"', lists))
        archive.crawl("--max-articles", "1")
    assert set(asked) == {"003001", "003002"}


def test_a_list_page_that_only_leads_to_the_list_is_followed_there(archive: Archive) -> None:
    stub = page('<meta http-equiv="refresh" content="0;url=/xw/">')
    items = "".join(f'<li><a href="/xw/2021/{n}.html">{title_of(n)}</a><b>2021-05-06</b></li>' for n in range(100, 103))
    articles = {f"/xw/2021/{n}.html": article_page(title_of(n), text_of(n)) for n in range(100, 103)}
    site = Site({"/news/": stub, "/xw/": page(f"<ul>{items}</ul>"), **articles})
    with serve({"liuxi": site}) as urls:
        archive.write_catalogue(entry("liuxi", urls["liuxi"], 'cms = "generic"'))
        assert archive.crawl().portal("liuxi")["new"] == 3
