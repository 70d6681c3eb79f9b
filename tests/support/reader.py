"""A reader with a browser: goes from page to page, and holds each of them to what every page promises."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from crawler.fetch.chromium import find_chromium
from crawler.publish.site.language import Lang, words

LOCALES = {"zh": "zh-CN", "en": "en-GB"}
WIDTHS = (320, 768, 1280)
"""Pixels that every page has to fit: the narrowest that WCAG 2.2 knows (1.4.10), a tablet and a desk."""

_FAULTS = """() => {
  const faults = [];
  if (document.documentElement.scrollWidth > innerWidth)
    faults.push(`${document.documentElement.scrollWidth} px wide in ${innerWidth}`);
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  const isOurs = document.querySelector('main') !== null;  // Datasette's filters have no labels
  for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (isOurs && !field.labels.length && !field.ariaLabel) faults.push(`no label: ${field.outerHTML}`);
  for (const field of document.querySelectorAll('input[placeholder]'))
    if (getComputedStyle(field).color === getComputedStyle(field, '::placeholder').color)
      faults.push(`its example looks like what was typed: ${field.outerHTML}`);
  for (const one of document.querySelectorAll('button')) if (one.offsetHeight > 60) faults.push(`in two lines: ${one.outerHTML}`);
  for (const one of document.querySelectorAll('li, tr'))
    if (one.getClientRects().length > 1) faults.push(`torn apart: ${one.outerHTML}`);
  for (const cell of document.querySelectorAll('td')) {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = new Set([...range.getClientRects()].map(one => Math.round(one.top)));
    if (/^\\d{4}-\\d\\d-\\d\\d\\S*$/.test(cell.textContent.trim()) && lines.size > 1) faults.push(`a day in two lines: ${cell.textContent}`);
  }
  for (const link of document.querySelectorAll('a, button'))
    if (!link.textContent.trim() && !link.ariaLabel) faults.push(`no name: ${link.outerHTML}`);
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.localName[1]));
  levels.forEach((level, n) => { if (isOurs && n && level > levels[n - 1] + 1) faults.push(`h${level} below h${levels[n - 1]}`); });
  const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: #${id}`);
  return faults;
}"""

_PALE = """() => {
  // Relative luminance and contrast as WCAG 2.2 defines them.
  const parse = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    const whole = colour.startsWith('color(') ? 255 : 1;
    return [r * whole, g * whole, b * whole, a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
  const luminance = colour => {
    const [r, g, b] = colour.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    if (!element) return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
    const tile = element.localName === 'text' && element.previousElementSibling;
    if (tile && tile.matches('rect.tile')) return over(parse(getComputedStyle(tile).fill), ground(tile.parentElement));
    return over(parse(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  };
  const contrast = (colour, element) => {
    const [one, other] = [over(parse(colour), ground(element)), ground(element)].map(luminance);
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  for (const details of document.querySelectorAll('details')) details.open = true;
  const pale = [];
  const look = (colour, element, text) => {
    const found = contrast(colour, element);
    if (found < 4.5) pale.push(`${found.toFixed(2)} <${element.localName} class="${element.getAttribute('class')}"> ${text.slice(0, 30)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = texts.nextNode());) {
    const element = text.parentElement;
    if (!text.data.trim() || element.closest('title, script, style, option') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    look(element instanceof SVGElement ? style.fill : style.color, element, text.data.trim());
  }
  for (const field of document.querySelectorAll('input:not([type=hidden]), select')) {
    look(getComputedStyle(field).color, field, field.outerHTML);
    if (field.placeholder) look(getComputedStyle(field, '::placeholder').color, field, field.placeholder);
  }
  return [...new Set(pale)];
}"""


class Reader:
    """A tab, with all that was said on its console and all that it asked another host for."""

    def __init__(self, tab: Any, address: str, lang: Lang, width: int) -> None:
        self.tab, self.address, self.lang, self.width = tab, address, lang, width
        self.t = words(lang)
        self.complaints: list[str] = []
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", self._note)

    def _note(self, request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"asked for {request.url}")

    def opens(self, path: str) -> None:
        """Go to *path* of the site, and look at the page."""
        self.tab.goto(self.address + path)
        self.looks()

    def clicks(self, name: str, *, inside: str = "main", **options: Any) -> None:
        """Follow the first link of that *name* within *inside* (CSS), and look at the page it leads to."""
        self.follows(self.tab.locator(inside).get_by_role("link", name=name, **options).first)

    def follows(self, link: Any) -> None:
        """Follow *link* (a locator; or press a button), and look at the page."""
        with self.tab.expect_navigation():
            link.click()
        self.looks()

    def looks(self) -> None:
        """The page fits a phone, a tablet and a desk, has one heading, labels and names, and nothing was complained about."""
        faults = []
        for width in WIDTHS:
            self.tab.set_viewport_size({"width": width, "height": 800})
            faults += self.tab.evaluate(_FAULTS)
        self.tab.set_viewport_size({"width": self.width, "height": 800})
        assert faults + self.complaints == [], f"{self.tab.url}: {faults + self.complaints}"

    def pale_texts(self) -> list[str]:
        """Texts whose contrast is below 4.5 (WCAG 2.2, 1.4.3), with all that can be opened open."""
        found: list[str] = self.tab.evaluate(_PALE)
        return found

    @property
    def heading(self) -> str:
        """The page's heading."""
        return str(self.tab.locator("h1").inner_text())


@contextmanager
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def reader(chromium: Any, address: str, *, lang: Lang, width: int = 1280) -> Iterator[Reader]:
    """Somebody with nothing but a browser of that language and width."""
    context = chromium.new_context(viewport={"width": width, "height": 800}, locale=LOCALES[lang])
    try:
        yield Reader(context.new_page(), address, lang, width)
    finally:
        context.close()
