"""The demo's visitors: what they send is right but for what is wrong on purpose, always the same, and goes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from snowgauge.actions.demo import APP_ID, seeding
from snowgauge.actions.demo.calendar import DAY
from snowgauge.actions.demo.people import visitor
from snowgauge.actions.demo.places import place_of, somewhere
from snowgauge.actions.demo.traffic import Traffic
from snowgauge.actions.demo.visits import UNKNOWN
from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import Filter, Selection, StoreBatch, WriteResult
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.demo import seed_demo
from snowgauge.testing.events import schema_violation, web_page_view

UNTIL = 1_780_000_020_000
DAYS, VISITORS = 20, 150
EVERYTHING = Selection()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MemoryStore, Path, seeding.Totals]]:
    store, folder = MemoryStore(), tmp_path_factory.mktemp("demo")
    yield store, folder, seed_demo(store, folder, visitors=VISITORS, days=DAYS, until=UNTIL)
    store.close()


def keys(store: MemoryStore, column: str, kind: str = "good") -> list[str | None]:
    return [bucket.key for bucket in store.count_by(kind, column, EVERYTHING, limit=500)]  # type: ignore[arg-type]


def test_every_request_is_in_one_of_the_sums(filled) -> None:
    store, _, totals = filled
    assert totals.requests == totals.events + totals.failed
    assert totals.events == store.count("good", EVERYTHING)
    assert totals.failed == store.count("failed", EVERYTHING)
    assert 0.003 < totals.failed / totals.requests < 0.03


def test_only_what_is_wrong_on_purpose_fails(filled) -> None:
    store, _, _ = filled
    found = Counter(
        (str(row["schema"]).rpartition("/jsonschema")[0].rpartition("/")[2], row["message"])
        for row in store.events("failed", EVERYTHING, limit=10_000)
    )
    wrong = {
        "wishlist_item": "not found",
        "snowplow_ecommerce_action": "$.type: does not have a value in the enumeration",
        "transaction": "$.payment_method: is missing but it is required",
        "product": "$.price: string found, number expected",
        "atomic": "se_va",
    }
    assert {name for name, _ in found} == set(wrong)
    assert all(wrong[name] in message for name, message in found)
    assert UNKNOWN in keys(store, "schema", "failed")


def test_every_kind_of_event_comes(filled) -> None:
    store, _, _ = filled
    assert {"page_view", "page_ping", "link_click", "event", "focus_form", "change_form", "submit_form", "site_search",
            "web_vitals", "snowplow_ecommerce_action"} == set(keys(store, "event_name"))  # fmt: skip
    assert {"search", "social", "chatbot", "internal", None} <= set(keys(store, "refr_medium"))
    assert {"email", "cpc", "paid_social"} <= set(keys(store, "mkt_medium"))
    assert {"DE", "GB", "US"} <= set(keys(store, "geo_country"))
    robots = store.count("good", Selection(filters=[Filter("useragent", "contains", ["bot"])]))
    assert 0 < robots < store.count("good", EVERYTHING) / 10
    assert max(map(int, filter(None, keys(store, "domain_sessionidx")))) > 2


def test_it_all_lies_in_the_days_asked_for_and_has_the_demos_app_id(filled) -> None:
    store, _, _ = filled
    for kind in ("good", "failed", "incomplete"):
        assert keys(store, "app_id", kind) == [APP_ID]
        assert store.count(kind, Selection(UNTIL - DAYS * DAY, UNTIL)) == store.count(kind, EVERYTHING)


def test_the_same_seed_makes_the_same_requests() -> None:
    def made(seed: int) -> list:
        return list(Traffic(seed=seed, days=3, visitors=20, until=UNTIL).requests())

    assert made(7) == made(7)
    assert made(7) != made(8)


def test_a_second_run_adds_nothing_even_days_later(filled) -> None:
    store, folder, totals = filled
    before = store.count("good", EVERYTHING), store.count("failed", EVERYTHING)
    again = seed_demo(store, folder, visitors=VISITORS, days=DAYS, until=UNTIL + 3 * DAY)
    assert (again.requests, again.repeated) == (totals.requests, totals.requests)
    assert (store.count("good", EVERYTHING), store.count("failed", EVERYTHING)) == before


class BreaksOff(MemoryStore):
    """Away after the first batch, once."""

    broken = False

    def write(self, batch: StoreBatch) -> WriteResult:
        if self._batches and not self.broken:
            self.broken = True
            raise StoreUnavailable("gone for a moment")
        return super().write(batch)


def test_a_run_that_broke_off_is_gone_on_with(filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "_TOGETHER", 1000)
    whole, _, totals = filled
    store = BreaksOff()
    with pytest.raises(StoreUnavailable):
        seed_demo(store, tmp_path, visitors=VISITORS, days=DAYS, until=UNTIL)
    rest = seed_demo(store, tmp_path, visitors=VISITORS, days=DAYS, until=UNTIL + DAY)
    assert 0 < rest.repeated < totals.requests
    assert rest.events + rest.failed + rest.repeated == totals.requests
    assert ids(store) == ids(whole)


def ids(store: MemoryStore) -> set[str]:
    return {row["event_id"] for row in store.events("good", EVERYTHING, limit=100_000)}


def test_clear_takes_out_the_demo_and_nothing_else(tmp_path: Path) -> None:
    store = MemoryStore()
    store.write(StoreBatch("real", [web_page_view(1)], [schema_violation(1)], [web_page_view(2)]))
    first = seed_demo(store, tmp_path, visitors=20, until=UNTIL)
    gone = seeding.clear(store.lifetime(), seeding.SeedBook(tmp_path), UNTIL)
    assert (gone.events, gone.failed) == (first.events, first.failed)
    assert [store.count(kind, EVERYTHING) for kind in ("good", "failed", "incomplete")] == [1, 1, 1]
    assert seed_demo(store, tmp_path, visitors=20, until=UNTIL).events == first.events


def test_addresses_are_kept_for_documentation_and_have_their_place() -> None:
    from snowgauge.actions.demo.chance import generator

    pairs: Sequence = [somewhere(generator(n)) for n in range(500)]
    for place, address in pairs:
        assert place_of(address) == place
        assert address.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "[2001:db8:"))
    assert place_of("8.8.8.8") is place_of("unknown") is place_of("2001:4860::1") is None


def test_people_without_identifiers_have_none(filled) -> None:
    store, _, _ = filled
    nobody = [who for who in (visitor(1, n) for n in range(VISITORS)) if who.anonymous]
    unnamed = Selection(filters=[Filter("domain_userid", "none")])
    assert nobody
    assert store.count("good", unnamed) > 0
    assert {row["user_ipaddress"] for row in store.events("good", unnamed, limit=1000)} <= {None, "unknown"}
