"""Dates as pages print them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text import dates


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("2014-6-3 7:27:00  来源:某报", "2014-06-03T07:27:00+08:00"),
        ("发布时间：2024-09-10 09:24", "2024-09-10T09:24:00+08:00"),
        ("2014年6月3日", "2014-06-03"),
        ("２０１４年６月３日", "2014-06-03"),
        ("2014 年 6 月 3 日 星期二", "2014-06-03"),
        ("2024年05月11日08:59 | 来源", "2024-05-11T08:59:00+08:00"),
        ("2024年5月20日週一 下午2:05", "2024-05-20T14:05:00+08:00"),
        ("2021/09/06", "2021-09-06"),
        ("2024.05.11", "2024-05-11"),
        ("2017——04——12 21:37", "2017-04-12T21:37:00+08:00"),
        ("2023-08-19 10∶08", "2023-08-19T10:08:00+08:00"),
        ("2023 11/ 17 20:52:15", "2023-11-17T20:52:15+08:00"),
        ("2024-05-13T06:03:00+08:00", "2024-05-13T06:03:00+08:00"),
        ("2024-05-12T22:03:00.250Z", "2024-05-12T22:03:00+08:00"),
        ("2024-05-13T06:03+0900", "2024-05-13T06:03:00+08:00"),
        ("2024-05-13 09:00-11:30", "2024-05-13T09:00:00+08:00"),
        ("Tue Jun 03 07:27:00 CST 2014", "2014-06-03"),
        ("二〇一四年六月三日", "2014-06-03"),
        ("成文日期：二零零九年十二月二十一日", "2009-12-21"),
        ("二O二〇年十月三十日", "2020-10-30"),
        ("一九九八年十一月十日", "1998-11-10"),
        ("十一月 6th, 2009", "2009-11-06"),
        ("Published 4:00 am CST, Wednesday, November 20, 2019", "2019-11-20"),
        ("By HNN Staff | Nov. 18, 2019 at 2:26 PM HST", "2019-11-18"),
        ("Washington, Nov 20 2019, 11:06am ist", "2019-11-20"),
        ("3rd June 2014", "2014-06-03"),
    ],
)
def test_a_printed_date_is_read_with_its_time(printed: str, value: str) -> None:
    found = dates.find(printed)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "text",
    [
        "2014年",
        "6月3日",
        "2014-13-01",
        "2023-02-30",
        "1.2014.6.3",
        "0916-2014-0603",
        "电话 2013456-7-8",
        "1820年6月3日",
        "June 31, 2014",
        "二〇一四年二月三十日",
        "二〇一四年十三月三日",
        "第二十年六月三日",
        "Marching 12, 2014",
        "",
    ],
)
def test_what_no_calendar_has_is_no_date(text: str) -> None:
    assert dates.find(text) is None


def test_the_span_covers_the_date_and_nothing_else() -> None:
    text = "时间：2014-6-3 7:27:00 来源"
    found = dates.find(text)
    assert found is not None
    assert text[found.start : found.end] == "2014-6-3 7:27:00"


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("http://a.example/xw/202404/t20240423_4604853.html", "2024-04-23"),
        ("http://a.example/art/2024/6/19/art_1861_4982441.html", "2024-06-19"),
        ("http://a.example/html/2014-06/03/content_7.htm", "2014-06-03"),
        ("http://a.example/001/001001/20230614/4f3c.html", "2023-06-14"),
        ("http://a.example/content/post_9360641.html", None),
        ("http://a.example/t18993630.shtml", None),
    ],
)
def test_an_address_names_a_day_only_where_it_is_whole(url: str, day: str | None) -> None:
    assert dates.of_url(url) == day


def test_a_dateline_takes_its_year_from_the_address_or_from_the_only_year_of_the_text() -> None:
    assert dates.of_dateline("青嵐日報5月20日訊 春回大地。", "http://a.example/201405/7.html") == "2014-05-20"
    assert dates.of_dateline("青嵐日報5月20日訊 2014年春季", "") == "2014-05-20"
    assert dates.of_dateline("青嵐日報5月20日訊 2013年秋季和2014年春季", "") is None
    assert dates.of_dateline("青嵐日報訊", "http://a.example/201405/7.html") is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = dates.find(text)
    assert found is None or 0 <= found.start < found.end <= len(text)


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31)))
def test_every_day_comes_back_in_every_common_form(day: date) -> None:
    for form in (
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y-%m-%d}",
        f"{day:%Y/%m/%d}",
        f"{day.year}.{day.month}.{day.day}",
    ):
        found = dates.find(f"发布日期：{form} 来源：县报")
        assert found is not None
        assert found.value == day.isoformat()
