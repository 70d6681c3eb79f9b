"""Addresses by the hundred: such as no page should have, and two articles' under every disguise."""

from dataclasses import dataclass

from hypothesis import strategies as st

# Strings that look like addresses find more than random text: pieces that mean something, in any order.
WORDS = """
    http:// https:// HTTP: // / \\ .. . /./ /../ % %2e %2F %41 %zz %b9 ;jsessionid= ;JSESSIONID=a1 /(S(a1)) ? & = #
    t=1700000000000 _=1 jump=true print=1 ddtab id=7 index.html index.php Default.aspx /mpost_7.html /big5 /gate/big5/
    www. www.yunling.gov.cn yunling.gov.cn 云岭.政务 [::1] 127.0.0.1 :80 :443 : @ [ 乾县 。 ／ javascript: a Z xn--
""".split()
PIECES = st.sampled_from([*WORDS, " ", "\t", "\n", "\x00", "\x7f", "\u202e", "\u3000", "\ud800"])
ANY_TEXT = st.one_of(st.text(st.characters()), st.lists(PIECES, max_size=12).map("".join))
ADDRESSES = st.builds("{}{}".format, st.sampled_from(["http://", "https://"]), ANY_TEXT)


@dataclass(frozen=True)
class Page:
    """A page of www.yunling.gov.cn as its own site names it."""

    path: str
    query: str

    def under(self, start: str, *marks: str, session: str = "", anchor: str = "") -> str:
        """Its address behind *start*, with marks of a visit."""
        parameters = "&".join(filter(None, [*marks[:1], self.query, *marks[1:]]))
        return f"{start}{self.path}{session}{'?' if parameters else ''}{parameters}{anchor}"


SHAPES = (
    "/xwzx/t20240423_{}.html", "/art/2024/6/19/art_{}_{}.html", "/info/{}/{}.htm", "/xw/content/post_{}.html",
    "/xw/{}.html", "/col{}/index_{}.html", "/show.asp", "/index.php", "/list/{}.jsp", "/{}/{}/index.htm",
)  # fmt: skip
NUMBERS = st.integers(1, 3).map(str) | st.integers(0, 10**10).map(str)
CHOOSING = (
    "id aid page p s t v r from pageNum cur_page cat_id catid wbtreeid wbnewsid date type jump sid print2".split()
)
"""Parameters that choose a page; ``t``, ``v``, ``r``, ``from`` and ``jump`` do so where their value is a small number."""


def pages(shape: str) -> st.SearchStrategy[Page]:
    """Pages whose paths look alike."""
    parameters = st.lists(st.tuples(st.sampled_from(CHOOSING), st.integers(0, 20_000)), max_size=3)
    queries = parameters.map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
    return st.builds(Page, st.tuples(NUMBERS, NUMBERS).map(lambda numbers: shape.format(*numbers)), queries)


TWO_PAGES = st.sampled_from(SHAPES).flatmap(lambda shape: st.tuples(pages(shape), pages(shape)))
HOST = "www.yunling.gov.cn"
STARTS = st.sampled_from(
    f"https://{HOST} http://{HOST} http://yunling.gov.cn http://{HOST.upper()}:80 https://{HOST}/big5 http://{HOST}/(S(x1y2))"
    f" http://big5.yunling.gov.cn/gate/big5/{HOST} https://{HOST}/big5/{HOST}:443".split()
)
MARKS = st.lists(
    st.sampled_from(
        "_=0.83612 t=1700000000000 v=20240506 rnd=12 from=timeline isappinstalled=0 ddtab=true jump=true print=1 t="
        " utm_source=a spm=a1.b2.c3 PHPSESSID=k2 t=Tue%20Jun%2003%202014 r=0.7301934".split(" ")
    ),
    max_size=3,
)
SESSIONS = st.sampled_from(["", ";jsessionid=0A1B2C!-3"])
ANCHORS = st.sampled_from(["", "#45", "#page?id=9"])
DISGUISES = st.builds(
    lambda start, marks, session, anchor: lambda page: page.under(start, *marks, session=session, anchor=anchor),
    STARTS,
    MARKS,
    SESSIONS,
    ANCHORS,
)
