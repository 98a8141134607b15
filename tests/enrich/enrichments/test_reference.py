"""The generated pages say what the classes say."""

import json
import re

import pytest

from snowgauge.enrich.enrichments import reference
from snowgauge.enrich.enrichments.registry import find

PAGES = reference.pages()


def test_there_is_a_page_for_each_and_the_table_links_to_it():
    linked = set(re.findall(r"\]\((\w+\.md)\)", PAGES["index.md"]))
    assert linked == set(PAGES) - {"index.md"}
    assert len(linked) == len(find().classes)


@pytest.mark.parametrize("found", find().classes, ids=lambda found: found.__name__)
def test_a_page_shows_order_columns_and_a_configuration(found):
    page = PAGES[f"{reference.module_name(found)}.md"]
    assert f"| Runs at | {found.runs_at} |" in page
    for column in set(found.fields) - {"*"}:
        assert f"`{column}`" in page
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert json.loads(shown) == found.sample
    assert "``" not in page.replace("```", "")


def test_titles_differ():
    titles = [reference.title(found) for found in find().classes]
    assert len(set(titles)) == len(titles)
