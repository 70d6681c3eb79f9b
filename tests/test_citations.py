import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from crawler.publish.site.citations import Work, apa, bibtex, gb_t_7714, names, ris

WORK = Work(
    article_id=17,
    version_id=23,
    title="凌阳县安排部署防汛工作",
    author="王一,李二",
    portal="凌阳县人民政府",
    published="2014-06-03T07:27:00+08:00",
    seen_at="2024-01-31T22:00:00Z",
    original="https://www.lingyang.example/xw/t20140603_1.html",
    archived="https://news.example/article/17?version=23",
    text_sha256="ab" * 32,
)
ANY = st.builds(
    replace,
    st.just(WORK),
    title=st.none() | st.text(),
    author=st.none() | st.text(),
    portal=st.text(),
    published=st.none() | st.text(),
    original=st.text(),
)


def test_gb_t_7714_names_authors_portal_dates_and_both_addresses() -> None:
    assert gb_t_7714(WORK) == (
        "王一, 李二. 凌阳县安排部署防汛工作[EB/OL]. 凌阳县人民政府, (2014-06-03)[2024-01-31]."
        " https://www.lingyang.example/xw/t20140603_1.html. 存档: https://news.example/article/17?version=23."
    )
    assert gb_t_7714(replace(WORK, author=None, published=None)).startswith(
        "凌阳县人民政府. 凌阳县安排部署防汛工作[EB/OL]. [2024-01-31]."
    )
    assert gb_t_7714(replace(WORK, author="王一,李二,张三,赵四")).startswith("王一, 李二, 张三, 等. ")


def test_apa_gives_the_day_in_words_and_says_where_it_is_archived() -> None:
    assert apa(WORK) == (
        "王一, & 李二. (2014, June 3). 凌阳县安排部署防汛工作. 凌阳县人民政府. Archived January 31, 2024, at"
        " https://news.example/article/17?version=23 (original: https://www.lingyang.example/xw/t20140603_1.html)"
    )
    assert apa(replace(WORK, author=None, published=None)).startswith("凌阳县人民政府. (n.d.). ")


def test_bibtex_is_one_entry_whose_key_names_the_version() -> None:
    entry = bibtex(WORK)
    assert entry.startswith("@misc{xianzhi-17-23,\n")
    assert "  author = {{王一} and {李二}}," in entry
    assert "  urldate = {2024-01-31}," in entry
    assert bibtex(replace(WORK, title="a_b & 100% {c}")).count(r"a\_b \& 100\% \textbraceleft{}c\textbraceright{}") == 1


def test_ris_has_a_line_a_field() -> None:
    lines = ris(WORK).split("\r\n")
    assert (lines[0], lines[-2:]) == ("TY  - ELEC", ["ER  - ", ""])
    assert {"AU  - 王一", "AU  - 李二", "DA  - 2014/06/03/", "PB  - 凌阳县人民政府"} < set(lines)


@given(ANY)
def test_nothing_that_a_page_says_leaves_its_field(work: Work) -> None:
    entry, record = bibtex(work), ris(work)
    opened = [entry[:place].count("{") - entry[:place].count("}") for place in range(1, len(entry) + 1)]
    assert opened.index(0, entry.index("{")) == len(entry) - len("}\n")  # the entry ends where it ends, not before
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in record.split("\r\n")[:-1])
    for said in (gb_t_7714(work), apa(work)):
        assert len(said.splitlines()) == 1


def test_names_are_parted_at_commas_of_either_width() -> None:
    assert names("王一,李二，张三、 赵四,") == ["王一", "李二", "张三", "赵四"]
    assert names(None) == []
