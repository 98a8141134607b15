"""What ``doctor`` says of losses and of what a store cannot say."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor import titles
from snowgauge.actions.doctor.examine import examine
from snowgauge.actions.events import now_ms
from snowgauge.delivery.spool import SpoolLog
from snowgauge.delivery.spool.loss import Loss, report
from snowgauge.store.base import StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.events import described, web_page_view

URI = "iglu:com.acme/anything/jsonschema/1-0-0"


@pytest.fixture
def deployment(tmp_path):
    store = MemoryStore()
    store.migrate()
    log = SpoolLog(tmp_path / "spool", min_free_bytes=0)
    return Deployment(store, log, resolver=None, validator=None, data_dir=tmp_path, version="0")


def found(deployment, check, **around):
    return next(one for one in examine(deployment, Surroundings(**around)) if one.id == check)


def test_entries_that_damage_took_are_counted_until_their_reports_are_deleted(deployment, tmp_path):
    assert found(deployment, "eventlog-damage").status == "ok"
    for name, unreadable in (("a", 3), ("b", 4)):
        report(tmp_path / "spool", Loss(name, "damaged", 10, unreadable, True, 1.0), None)
    check = found(deployment, "eventlog-damage")
    assert (check.status, check.found) == ("fail", "7 acknowledged entries were lost to damaged files")
    assert "damaged" in check.cure
    assert "7 were lost" in found(deployment, "eventlog").found
    for file in (tmp_path / "spool" / "damaged").iterdir():
        file.unlink()
    assert found(deployment, "eventlog-damage").status == "ok"


def test_arrays_of_nulls_are_seen_where_the_store_has_json_columns(deployment):
    documents = [{"a": [{"x": 1}]}, {"a": [None]}, {"a": [None, None]}, {"a": [None, 1]}, {"a": None}]
    events = [
        web_page_view(n, collector_tstamp=now_ms() - 1000, unstruct_event=described(URI, document))
        for n, document in enumerate(documents)
    ]
    deployment.store.write(StoreBatch("b", events[:1]))
    assert found(deployment, "json-columns").status == "skip"
    assert found(deployment, "json-columns", json_columns=True).status == "ok"
    deployment.store.write(StoreBatch("c", events[1:]))
    check = found(deployment, "json-columns", json_columns=True)
    assert (check.status, check.found.split()[0]) == ("warn", "2")
    assert "unstruct_event" in check.cure


def test_a_check_is_called_by_what_is_true_in_its_state():
    for sentence, wrong in titles.SENTENCES.items():
        assert titles.title(sentence, "ok") == titles.title(sentence, "skip") == sentence
        assert titles.title(sentence, "warn") == titles.title(sentence, "fail") == wrong != sentence
    assert titles.title("Registry reachable: a.example", "warn") == "Registry unreachable: a.example"


def test_every_check_has_a_sentence_for_when_it_is_wrong(deployment):
    checks = examine(deployment, Surroundings(registries=("http://127.0.0.1:9",), cookie_domains=("x.example",)))
    wrong = set(titles.SENTENCES.values())
    assert len(checks) > 8
    for check in checks:
        sentence = check.title.partition(": ")[0]
        assert sentence in (wrong if check.status in ("warn", "fail") else titles.SENTENCES), check
    (registry,) = [check for check in checks if check.id == "registry"]
    assert registry.title == "Registry unreachable: 127.0.0.1"


def test_every_check_has_a_section_in_the_guide_to_troubleshooting() -> None:
    page = (Path(__file__).parents[2] / "docs/guide/troubleshooting.md").read_text("utf-8")
    headings = {line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")}
    assert headings >= set(titles.SENTENCES.values())
