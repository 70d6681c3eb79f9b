"""Pages that only send the reader elsewhere."""

import pytest

from crawler.text import jumps

BASE = "http://www.liuxi.example/xw/1.html"
PROSE = "<p>" + "柳溪县第三村全长六公里的通村公路日前竣工通车，沿线二百户群众告别了出行难。" * 8 + "</p>"


@pytest.mark.parametrize(
    ("markup", "target"),
    [
        ('<script>window.location.href="/xw/2.html"</script>', "http://www.liuxi.example/xw/2.html"),
        ("<script>location='2.html';</script>", "http://www.liuxi.example/xw/2.html"),
        ("<script>top.location.replace('../zw/2.html')</script>", "http://www.liuxi.example/zw/2.html"),
        ("<body onload=\"window.location.assign('/2.html')\">", "http://www.liuxi.example/2.html"),
        ('<meta http-equiv="refresh" content="0;url=/2.html">', "http://www.liuxi.example/2.html"),
        ('<meta content="0;url=/2.html" http-equiv="refresh">', "http://www.liuxi.example/2.html"),
        ('<meta http-equiv="refresh" content="0; /2.html">', "http://www.liuxi.example/2.html"),
        ("<META HTTP-EQUIV=Refresh CONTENT='3; URL=2.html?a=1&amp;b=2'>", "http://www.liuxi.example/xw/2.html?a=1&b=2"),
        (
            '<title>跳转</title><p>正在跳转</p><script>location.href="http://other.example/"</script>',
            "http://other.example/",
        ),
    ],
)
def test_a_page_without_a_text_of_its_own_leads_where_its_script_or_refresh_says(markup: str, target: str) -> None:
    assert jumps.target(f"<html>{markup}</html>", base=BASE) == target


@pytest.mark.parametrize(
    "markup",
    [
        PROSE + '<script>location.href="/2.html"</script>',  # to be read
        '<meta http-equiv="refresh" content="300;url=/1.html">',  # reloads itself every five minutes
        '<script>if(/Android/.test(navigator.userAgent)) location.href="/mobile/1.html"</script>',  # for phones only
        '<script>location.href="javascript:void(0)"</script>',
        '<script>var x = relocation="a.html"</script>',
        "<script>location.href=prefix+name</script>",
        "",
    ],
)
def test_a_page_to_be_read_or_a_jump_for_some_leads_nowhere(markup: str) -> None:
    assert jumps.target(f"<html>{markup}</html>", base=BASE) is None
