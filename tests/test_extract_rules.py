"""How the parts of a page are told apart, on pages made for one rule each."""

from datetime import UTC, datetime

import pytest

from crawler.records import Article, Capture, Listed, Page, RecordRef
from pipelines.extract import ExtractPipeline, extract

FIRST = "全县秋收工作进展顺利，十二个乡镇抢抓晴好天气，组织农机跨区作业，确保颗粒归仓、应收尽收。"
SECOND = "县农业农村局抽调技术人员进村入户，帮助农户检修机具、调配劳力，解决了一批实际困难。"
TEXT = f"<p>{FIRST}</p><p>{SECOND}</p><p>{FIRST[::-1]}</p>"


def page(html: str, *, url: str = "http://www.qinglan.example/a/1.html", listed: Listed | None = None) -> Page:
    capture = Capture(
        run_id="",
        portal_id="",
        kind="article",
        url=url,
        fetched_at=datetime(2024, 6, 4, tzinfo=UTC),
        status=200,
        payload_sha256="",
        record=RecordRef(file="", offset=0, length=0),
        listed=listed,
    )
    return Page(capture=capture, text=html, encoding="utf-8", encoding_basis="test")


def read(html: str, *, url: str = "http://www.qinglan.example/a/1.html") -> Article:
    return extract(page(html, url=url))


def texts(article: Article) -> list[str]:
    return [paragraph.text for paragraph in article.paragraphs]


def test_the_catalogues_selector_wins_over_every_other_block() -> None:
    html = f'<div id="zoom">{TEXT}</div><div class="mine"><p>{SECOND}</p></div>'
    assert texts(extract(page(html), body="div.mine")) == [SECOND]


def test_a_selector_that_matches_nothing_is_as_good_as_none() -> None:
    assert texts(extract(page(f'<div id="zoom">{TEXT}</div>'), body=".gone"))[:2] == [FIRST, SECOND]


def test_the_familys_own_block_wins_over_a_longer_one() -> None:
    html = f'<div class="Detailcontent_inner"><p>{SECOND}</p></div><div class="x">{TEXT}{TEXT}</div>'
    assert texts(extract(page(html), cms="channel_list")) == [SECOND]


def test_a_block_is_found_by_its_prose_where_no_name_helps() -> None:
    menu = "".join(f'<li><a href="/{n}">栏目之{n}，更多内容请点击这里查看</a></li>' for n in range(30))
    assert texts(read(f"<ul>{menu}</ul><div class='q7'>{TEXT}</div><ul>{menu}</ul>"))[:2] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "rest", [f"<p>{SECOND}</p><p>特此通知。</p>", f"{SECOND}<br>特此通知。", f"<span>{SECOND}</span><p>特此通知。</p>"]
)
def test_text_behind_a_stray_end_tag_is_read(rest: str) -> None:
    html = f"<div><div id='zoom'>{TEXT}</div>{rest}</div><div>主办单位：青岚县人民政府</div>"
    assert texts(read(html)) == [*texts(read(TEXT)), SECOND, "特此通知。"]


def test_parts_of_a_text_in_blocks_of_one_name_are_read_together() -> None:
    parts = "".join(f"<div class='TRS_Editor'><p>{text}</p></div>" for text in (FIRST, SECOND, FIRST[::-1]))
    hidden = f"<div class='TRS_Editor' style='display:none'><p>{SECOND}手机版。</p></div>"
    assert texts(read(f"<div><h1>秋收</h1>{parts}{hidden}</div><p>扫一扫在手机打开当前页</p>")) == texts(read(TEXT))


def test_what_follows_the_block_without_a_sentence_is_no_text() -> None:
    line = "<p>来源：青岚县融媒体中心　发布时间：2014-06-03　作者：张三　责任编辑：李四光　浏览次数：35</p>"
    html = f"<div><div id='zoom'>{TEXT}</div><p>扫一扫在手机打开当前页</p>{line}</div>"
    assert texts(read(html)) == texts(read(TEXT))


def test_breaks_part_paragraphs_and_source_line_breaks_do_not() -> None:
    broken = FIRST[:20] + "\n      " + FIRST[20:]
    assert texts(read(f"<div>　　{broken}<br/><br/>&nbsp;&nbsp;{SECOND}</div>")) == [FIRST, SECOND]


def test_a_data_table_gives_a_line_a_row_and_a_layout_table_none() -> None:
    rows = "<table><tr><td>乡镇</td><td>面积</td></tr><tr><td>石桥镇</td><td>四千亩</td></tr></table>"
    layout = f"<table><tr><td>{TEXT}{rows}</td></tr></table>"
    assert texts(read(layout))[-2:] == ["乡镇\t面积", "石桥镇\t四千亩"]


def test_a_hidden_copy_is_cut_and_reported() -> None:
    article = read(f'<div id="zoom">{TEXT}<div style="display:none"><p>{SECOND}手机版。</p></div></div>')
    assert [(cut.rule, cut.text) for cut in article.removed] == [("hidden", f"{SECOND}手机版。")]


def test_a_page_that_is_hidden_until_its_script_runs_is_read_all_the_same() -> None:
    article = read(
        f'<div style="display:none"><div id="zoom">{TEXT}</div><p>发布日期：2014-06-03 责任编辑：李四光</p></div>'
    )
    assert texts(article)[:2] == [FIRST, SECOND]
    assert (article.published, article.editor) == ("2014-06-03", "李四光")


def test_a_list_of_links_inside_the_text_is_cut_and_reported() -> None:
    links = "".join(f'<p><a href="/x/{n}.html">青岚县第{n}次常务会议</a></p>' for n in range(3))
    article = read(f'<div id="zoom">{TEXT}{links}</div>')
    assert [cut.rule for cut in article.removed] == ["link list"] * 3


@pytest.mark.parametrize(
    ("html", "title"),
    [
        (f"<title>秋收进展顺利_要闻_青岚县人民政府</title><h1>要闻</h1><h2>秋收进展顺利</h2>{TEXT}", "秋收进展顺利"),
        (f"<title>秋收进展顺利-青岚网</title>{TEXT}", "秋收进展顺利"),
        (f"<title>青岚县人民政府</title><div class='nav'>x</div><h3>秋收工作进展顺利</h3>{TEXT}", "秋收工作进展顺利"),
        (
            f"<title>秋收进展顺利 开镰见喜 -- 青岚网</title><h1>秋收进展顺利<br>开镰见喜</h1>{TEXT}",
            "秋收进展顺利 开镰见喜",
        ),
        (f"<meta name='ARTICLETITLE' content='秋收&amp;nbsp;顺利'><title>x</title><h1>别的</h1>{TEXT}", "秋收 顺利"),
        (f"<meta name=ArticleTitle content='秋收工作进展...'><h1>秋收工作进展顺利</h1>{TEXT}", "秋收工作进展顺利"),
        (f"<meta name=ArticleTitle content='秋收工作进展...'><h1>别的</h1>{TEXT}", "秋收工作进展..."),
        (TEXT, None),
    ],
)
def test_the_title_is_the_tags_then_the_heading_that_the_page_title_repeats(html: str, title: str | None) -> None:
    assert read(html).title == title


def test_the_date_that_readers_see_wins_over_the_tag() -> None:
    article = read(f"<meta name='PubDate' content='2024-02-29 16:00'><p>时间：2023年11月14日</p>{TEXT}")
    assert (article.published, article.published_basis) == ("2023-11-14", "visible")
    assert article.meta_published == "2024-02-29T16:00:00+08:00"


@pytest.mark.parametrize(
    ("tag", "text", "published"),
    [
        ("2024-02-28T22:30:00Z", TEXT, "2024-02-29T06:30:00+08:00"),
        ("2024-02-28T22:30:00.250+00:00", TEXT, "2024-02-29T06:30:00+08:00"),
        ("Wed Feb 28 22:30:00 CST 2024", TEXT, "2024-02-28T22:30:00+08:00"),
        ("2024-02-28T22:30:00Z", "<p>The county opened its first mobile clinic for the valleys on Wednesday.</p>" * 4,
         "2024-02-28T22:30:00+08:00"),
    ],
)  # fmt: skip
def test_a_tags_time_is_chinas_and_on_a_page_without_chinese_the_day_that_its_readers_saw(
    tag: str, text: str, published: str
) -> None:
    assert read(f"<meta property='article:published_time' content='{tag}'>{text}").published == published


def test_without_a_visible_date_tag_list_and_address_follow() -> None:
    tag, listed = "<meta name='pubdate' content='2024-02-29'>", Listed(published="2024-02-28")
    url = "http://www.qinglan.example/202402/t20240227_1.html"
    for made, basis in (
        (page(tag + TEXT, url=url, listed=listed), "meta"),
        (page(TEXT, url=url, listed=listed), "list"),
        (page(TEXT, url=url), "url"),
    ):
        assert extract(made).published_basis == basis


@pytest.mark.parametrize(
    "line",
    [
        "今天是2024年6月4日 星期二",
        "开始时间：2024-05-08",
        "请于2024-6-11前反馈",
        "时间：2024-6-11 地点：会堂",
        "2024年6月4日 星期二 设为首页",
    ],
)
def test_a_date_of_something_else_is_not_the_pages(line: str) -> None:
    assert read(f"<div>{line}</div><div>{TEXT}</div>").published is None


@pytest.mark.parametrize(
    "line",
    [
        "青岚县融媒体中心 发布于 2014-06-03",
        "来源：青岚日报，发布时间：2014-06-03，点击：3",
        "<ul><li>更新时间：2014-06-05</li><li>发布时间：2014-06-03</li></ul><p>修改时间：2014-06-07</p>",
        "Published: June 3, 2014 | 7:27 a.m. Updated: June 5, 2014",
        "Posted on June 3, 2014 by admin",
        "发布日期：二〇一四年六月三日",
        "由 <a href='/author/admin'>admin</a> 发布于 <a href='/p/1'><time>2014年6月3日</time></a>",
        "<li><a href='/x'>青岚县召开第七次常务会议研究工作</a><span>2014-06-05</span></li><p>2014-06-03</p>",
    ],
)
def test_the_date_of_publication_is_told_from_others(line: str) -> None:
    assert read(f"<div>{line}</div><div>{TEXT}</div>").published == "2014-06-03"


def test_a_time_by_itself_right_below_the_text_dates_it_and_that_of_a_link_does_not() -> None:
    stamp = "<div>2014-06-03 09:24</div>"
    assert read(f"<div id='zoom'>{TEXT}</div>{stamp}").published == "2014-06-03T09:24:00+08:00"
    assert read(f"<div id='zoom'>{TEXT}</div><h4><a href='/x'>秋种开始</a></h4>{stamp}").published is None
    assert read(f"<div id='zoom'>{TEXT}</div><div>2014-06-03</div>").published is None


def test_an_events_time_does_not_date_its_notice() -> None:
    event = "<p>时间：2014年6月15日9:30</p><p>会议地点：县政府会堂</p>"
    tag = "<meta name='PubDate' content='2014-06-03'>"
    assert read(f"{tag}<div id='zoom'>{event}{TEXT}</div>").published == "2014-06-03"


def test_a_moving_greeting_is_no_part_of_the_text() -> None:
    greeting = "<marquee>欢迎访问青岚县人民政府门户网站，我们将竭诚为您服务！</marquee>"
    assert texts(read(f"{greeting}<h1>秋收</h1><p>2014-06-03</p>{TEXT}"))[-3:] == texts(read(TEXT))
    assert greeting[9:-10] not in texts(read(f"<div>{greeting}{TEXT * 2}</div>"))


@pytest.mark.parametrize("link", ["<a href='#'><div>{}</div></a>", "<a href='#top'><div>{}</div>"])
def test_text_behind_a_link_that_was_left_open_is_read(link: str) -> None:
    article = read(f"<p>2014-06-03</p>{link.format(TEXT * 2)}")
    assert (article.kind, texts(article)[:2]) == ("article", [FIRST, SECOND])


def test_an_item_of_a_list_above_the_text_does_not_date_it() -> None:
    item = "<li><a href='/x'>青岚县召开第七次常务会议</a><span>[2014-06-05]</span></li>"
    assert read(f"<ul>{item}</ul><h1>秋收工作进展顺利</h1><div>{TEXT}</div>").published is None


def test_an_information_line_that_nobody_sees_is_not_read() -> None:
    hidden = "<div style='display:none'>发布时间：2001-01-01 来源：青岚网 作者：张三 责任编辑：李四光</div>"
    for article in (read(f"{hidden}<div>{TEXT}</div>"), read(f"<div>{TEXT}</div>{hidden}")):
        assert (article.published, article.source, article.author, article.editor) == (None, None, None, None)


def test_a_text_in_an_item_of_a_list_is_read() -> None:
    menu = "".join(f"<li><a href='/{n}'>青岚县第{n}次常务会议召开</a></li>" for n in range(9))
    article = read(f"<ul>{menu}<li>{TEXT}</li></ul><p>本站由青岚县大数据中心承建，欢迎提出宝贵的意见。</p>")
    assert texts(article) == texts(read(TEXT))


def test_a_label_without_a_value_does_not_take_what_has_a_label_of_its_own() -> None:
    article = read(f"<div>{TEXT}<p>责任编辑：</p><p>上一篇：<a href='/x'>青岚县召开防汛会议</a></p></div>")
    assert article.editor is None
    assert read(f"<div>{TEXT}<p>责任编辑：</p><p>李四光</p></div>").editor == "李四光"


def test_a_sign_off_is_read_above_the_neighbours() -> None:
    links = "".join(
        f"<p>{label}：<a href='/x'>青岚县召开防汛会议</a></p>" for label in ("上一篇", "下一篇", "相关链接")
    )
    assert read(f"<div>{TEXT * 2}<p>{SECOND}（刘一凡）</p>{links}</div>").author == "刘一凡"


def test_names_in_the_middle_of_the_text_sign_nothing_off() -> None:
    last = f"<p>{SECOND}</p>"
    assert read(f"<div>{TEXT}<p>{FIRST}（刘一凡）</p>{last}</div>").author is None
    assert read(f"<div>{TEXT}{last}<p>{FIRST}（刘一凡）</p></div>").author == "刘一凡"


def test_the_tags_source_counts_where_the_page_shows_none_or_only_its_beginning() -> None:
    tag = "<meta name='ContentSource' content='学习强国、县融媒体中心、石桥镇'>"
    assert read(tag + TEXT).source == "学习强国、县融媒体中心、石桥镇"
    assert (
        read(f"{tag}<p>2024-06-04 【来源：学习强国、县融媒体...】</p>{TEXT}").source == "学习强国、县融媒体中心、石桥镇"
    )
    assert read(f"{tag}<p>2024-06-04 来源：县融媒体中心</p>{TEXT}").source == "县融媒体中心"
    assert read(f"<meta name='ContentSource' content='无'>{TEXT}").source is None


@pytest.mark.parametrize(
    "line",
    [
        "<span>来源：青岚日报</span><span>时间：2014-06-03</span><i>点击：35</i>",
        "<b>来源：</b>青岚日报<b>日期：</b>2014年6月3日",
        "<span>来源：<a href='/x'>青岚日报</a></span><span>发布<font>时</font>间：2014-06-03</span>",
        "<em>2014-06-03</em><em>青岚要闻</em><p>来源：<span>青岚</span><span>日报</span></p>",
    ],
)
def test_what_styles_set_apart_is_read_apart(line: str) -> None:
    article = read(f"<div>{line}</div><div>{TEXT}</div>")
    assert (article.published, article.source) == ("2014-06-03", "青岚日报")


def test_the_tags_author_is_not_believed() -> None:
    assert read(f"<meta name='Author' content='张三'>{TEXT}").author is None


def test_a_responsible_editor_wins_over_an_editor_and_a_proofreader_is_none() -> None:
    article = read(f"{TEXT}<p>编辑：王小二 责任编辑：李四光 校对：赵五</p>")
    assert article.editor == "李四光"


def test_the_site_code_of_the_footer_stands_in_for_the_tag() -> None:
    article = read(f"{TEXT}<div class='footer'>主办：青岚县 网站标识码：6104240099 备案</div>")
    assert (article.site_id, article.division) == ("6104240099", "610424")
    assert read(f"{TEXT}<div class='footer'>网站标识码：bm01000001</div>").division is None


def test_the_column_is_the_last_step_of_the_breadcrumb() -> None:
    steps = "<a href='/'>首页</a> &gt; <a href='/x'>新闻</a> &gt; <a href='/x/y'>乡镇动态</a> &gt; 正文"
    crumb = f"<div>您的位置：{steps}</div>"
    assert read(crumb + TEXT).column == "乡镇动态"


def test_files_and_pictures_get_absolute_addresses_and_are_named_once() -> None:
    article = read(
        f"<div id='zoom'>{TEXT}<p><a href='../f/1.pdf'>通知</a><a href='/f/2.DOCX?x=1'></a></p>"
        "<p><a href='../f/1.pdf'>再</a></p>"
        "<p><a href=\"javascript:down('/f/3.xls')\">表</a><a href='file:///etc/passwd.pdf'>x</a></p>"
        "<figure><img data-original='/p/1.jpg' src='loading.gif'><figcaption>开镰</figcaption></figure>"
        "<img src='/p/icon.png' width='16'><img src='data:image/png;base64,xx'></div>"
    )
    assert [(file.url, file.title) for file in article.attachments] == [
        ("http://www.qinglan.example/f/1.pdf", "通知"),
        ("http://www.qinglan.example/f/2.DOCX?x=1", "2.DOCX?x=1"),
        ("http://www.qinglan.example/f/3.xls", "表"),
    ]
    assert [(image.url, image.caption) for image in article.images] == [("http://www.qinglan.example/p/1.jpg", "开镰")]


@pytest.mark.parametrize("label", ["<p>附件：</p>", "<h4>相关附件</h4>", "【附件】"])
def test_annexes_that_are_listed_below_the_text_are_attachments(label: str) -> None:
    annexes = f"<div>{label}<ul><li><a href='/f/a.pdf'>方案.pdf</a></li></ul></div>"
    others = "<div>下载专区<a href='/f/form.doc'>申请表</a></div>"
    for html in (f"<div id='zoom'>{TEXT}</div>{annexes}", f"<div><div id='zoom'>{TEXT}</div></div><hr>{annexes}"):
        assert [file.title for file in read(html + others).attachments] == ["方案.pdf"]


def test_text_behind_an_early_end_of_the_page_is_read() -> None:
    assert texts(read(f"<html><body><p>头</p></body></html><div id='zoom'>{TEXT}</div>"))[:2] == [FIRST, SECOND]


@pytest.mark.parametrize("tag", ["main", "article", "section"])
def test_text_is_read_where_the_tags_of_head_and_body_are_missing(tag: str) -> None:
    html = f"<meta charset=utf-8><title>秋收</title><header>青岚县</header><{tag}>{TEXT}</{tag}>"
    assert texts(read(html))[:2] == texts(read(f"{html}<div>青岚县</div>"))[:2] == [FIRST, SECOND]


def test_a_login_page_and_an_empty_page_are_no_articles() -> None:
    assert read("").kind == "other"
    assert read("<form><input name=user>用户名 密码 <button>登录</button></form>").kind == "other"


def test_the_pipeline_passes_what_is_no_page() -> None:
    assert ExtractPipeline().process_item("x") == "x"
    read_one = ExtractPipeline().process_item(page(TEXT))
    assert isinstance(read_one, Article)


HEADED = "<title>青岚县人民政府</title><div><a href='/'>首页</a> &gt; <a href='/x'>要闻</a></div>"


@pytest.mark.parametrize(
    "html",
    [
        f"{HEADED}<div>秋收工作进展顺利</div><div>来源：青岚日报 2014-06-03</div><div>{TEXT}</div>",
        f"<title>工作动态_青岚县文化局</title><p>秋收工作进展顺利</p><p>日期：2014-06-03</p><div>{TEXT}</div>",
        f"<title>青岚县重大项目建设指挥办公室</title><li>重大项目建设</li><h2>秋收工作进展顺利</h2><div>{TEXT}</div>",
        f"{HEADED}<h2>秋收工作进展顺利</h2><h3>十二个乡镇开镰割稻</h3><p>2014-06-03</p><div>{TEXT}</div>",
        f"{HEADED}<h3>秋收工作进展顺利</h3><h4>日期：2014-06-03 来源：</h4><div>{TEXT}</div>",
        f"{HEADED}<h2>秋收工作进展顺利 2014-06-03 来源：青岚日报</h2><div>{TEXT}</div>",
        f"{HEADED}<h1><a href='/a'>秋收工作进展顺利</a></h1><p>2014-06-03</p><div>{TEXT}</div>",
        f"{HEADED}<table><tr><td>信息名称：</td><td>秋收工作进展顺利</td></tr></table><div>{TEXT}</div>",
        f"{HEADED}<h1>青岚县人民政府</h1><h2>秋收工作进展顺利</h2><p>2014-06-03</p><div>{TEXT}</div>",
        f"{HEADED}<p>秋收工作进展顺利</p><p>2014-06-03</p><p>【打印】【纠错】</p><p>2014-06-03</p><div>{TEXT}</div>",
        f"{HEADED}<h1>青岚县政务网</h1><p>秋收工作进展顺利</p><p>2014-06-03</p><div>{TEXT}</div>",
        f"{HEADED}<p>秋收工作进展顺利</p><p>本报记者 石见山 方 敏</p><p>2014-06-03</p><div>{TEXT}</div>",
        f"{HEADED}<meta name=ColumnName content=要闻><meta name=ArticleTitle content=要闻><h1>秋收工作进展顺利</h1>{TEXT}",
        f"{HEADED}<h2>秋收工作进展顺利</h2><h5 style='display:none'>分享到微信朋友圈</h5><div>{TEXT}</div>",
    ],
)
def test_where_the_page_title_is_the_sites_the_line_above_the_text_is_the_title(html: str) -> None:
    assert read(html).title == "秋收工作进展顺利"


def test_the_value_behind_a_label_of_its_own_line_is_no_stamp() -> None:
    assert read(f"<dl><dt>结束时间：</dt><dd>2024-05-10</dd></dl><div>{TEXT}</div>").published is None
    assert read(f"<dl><dt>发布时间：</dt><dd>2024-05-10</dd></dl><div>{TEXT}</div>").published == "2024-05-10"


def test_a_day_in_a_sentence_above_the_text_is_no_stamp() -> None:
    assert read(f"<p>（2007年6月29日第十届县人大常委会通过）</p><div>{TEXT}</div>").published is None


def test_a_stream_of_teasers_is_not_taken_for_the_article() -> None:
    stream = "".join(
        f"<li><a href='/{n}'>另一则新闻的标题之{n}</a><p>{SECOND}{FIRST}{SECOND}</p></li>" for n in range(9)
    )
    article = read(f"<div><div><p>{FIRST}</p><p>{SECOND}</p></div><ul>{stream}</ul></div>")
    assert texts(article) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("404", "抱歉，您访问的页面不存在，可能已被删除，请检查网址是否正确，或者返回首页浏览其他内容，感谢您的支持。"),
        (
            "青岚县人民政府",
            "对不起，您要查看的文章不存在或已被管理员删除！系统将在三秒后自动跳转到首页，请您稍候，如无反应请点击此处。",
        ),
        (
            "访问验证",
            "为了保护网站安全，请您完成下方的安全验证，向右拖动滑块填充拼图，验证通过后即可继续访问，谢谢您的配合。",
        ),
        (
            "网站防火墙",
            "您的请求带有不合法参数，已被网站管理员设置拦截！可能原因：您提交的内容包含危险的攻击请求，请联系管理员处理。",
        ),
        (
            "Just a moment...",
            "Checking your browser before accessing the site. This process is automatic, and your browser will redirect.",
        ),
        (
            "用户登录",
            "请登录后再查看本页面的内容。为了您的账号安全，请勿在公共场所保存密码，如忘记密码，请联系系统管理员，谢谢。",
        ),
        (
            "正在跳转",
            "页面正在跳转，请稍候，如果您的浏览器没有自动跳转，请点击这里进入新版门户网站，给您带来不便，敬请谅解，谢谢。",
        ),
    ],
)
def test_a_page_that_refuses_is_no_article_although_it_is_dated(title: str, text: str) -> None:
    article = read(
        f"<title>{title}</title><h1>{title}</h1><p>时间：2024-06-03 12:00:00</p><div><p>{text}{text}</p></div>"
    )
    assert article.kind == "other"


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("我县开通政务服务统一登录", "市民请登录系统查询。"),
        ("400 服务热线开通", "热线今日开通。"),
        ("县应急局开展节前安全检查", "检查中责令整改。"),
        ("关于医保系统维护的通知", "医保系统正在进行升级，请互相转告。"),
    ],
)
def test_news_about_logins_checks_and_repairs_is_an_article(title: str, line: str) -> None:
    html = f"<title>{title}</title><h1>{title}</h1><p>2024-06-03</p><div>{TEXT}<p>{line}</p></div>"
    assert read(html).kind == "article"


@pytest.mark.parametrize("root", ["rss version='2.0'", "feed", "rdf:RDF"])
def test_a_feed_is_a_list(root: str) -> None:
    items = f"<channel><title>青岚网</title><item><title>秋收</title><description>{FIRST * 9}</description></item></channel>"
    assert read(f"<?xml version='1.0'?>\n<{root}>{items}</{root.split(maxsplit=1)[0]}>").kind == "list"


def test_an_undated_text_in_a_block_known_by_its_name_is_an_article() -> None:
    links = "".join(f"<li><a href='/{n}'>青岚县第{n}次常务会议召开</a></li>" for n in range(5))
    assert read(f"<ul>{links}</ul><div id='zoom'><p>{FIRST}{SECOND}{SECOND}</p></div>").kind == "article"


def test_a_board_of_meetings_with_dates_in_words_is_a_list() -> None:
    rows = "".join(f"<li>May {n}, 2024 <a href='/{n}'>Agenda and minutes of meeting {n}</a></li>" for n in range(1, 30))
    intro = "The board meets on the second Tuesday of each month, except as noted. Meetings are open to the public, and comments are heard."
    assert read(f"<p>January 12, 2024</p><div><p>{intro}</p><p>{intro}</p></div><ul>{rows}</ul>").kind != "article"
