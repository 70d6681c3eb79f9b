"""Pages of our own, in the markup of real systems, with what should be read from them: one test a field."""

import json
from pathlib import Path
from typing import Any

import pytest

from crawler.cli.extract import read_page

PAGES = Path(__file__).parent / "pages"
FIELDS = [
    "kind",
    "encoding",
    "title",
    "published",
    "published_basis",
    "meta_published",
    "source",
    "author",
    "editor",
    "column",
    "site_name",
    "site_id",
    "division",
    "body",
    "removed",
    "attachments",
    "images",
]


def expected(page: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return result


def test_every_page_has_its_expected_result_beside_it() -> None:
    pages = sorted(PAGES.glob("*.html"))
    assert len(pages) >= 8
    assert {page.with_suffix(".json") for page in pages} == set(PAGES.glob("*.json"))


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    return {page.stem: read_page(str(page), expected(page)["url"]) for page in PAGES.glob("*.html")}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", sorted(page.stem for page in PAGES.glob("*.html")))
def test_a_field_is_read_as_expected(results: dict[str, dict[str, Any]], name: str, field: str) -> None:
    assert results[name][field] == expected(PAGES / f"{name}.html")[field]
