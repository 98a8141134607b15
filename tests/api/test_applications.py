"""Settings of applications by the API: shown whole, changed with history, refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snowgauge.modelling.store import ModelStore
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.model_store import MemoryModelStore

PATH = "/api/v1/analytics"


class Modelled(MemoryStore):
    """A store in memory with modelled tables."""

    def __init__(self) -> None:
        super().__init__()
        self._model = MemoryModelStore()

    def modelling(self) -> ModelStore:
        return self._model


@pytest.fixture
def modelled(tmp_path: Path) -> Iterator[Browser]:
    port = PrivatePort(tmp_path, store=Modelled())
    yield Browser(port.app)
    port.close()


def test_settings_are_changed_and_remembered(modelled: Browser) -> None:
    assert modelled.get(f"{PATH}/applications").json()["default"]["complete"]["heartbeat"] == 10
    made = modelled.put(f"{PATH}/applications/shop", json={"settings": {"heartbeat": 15}, "version": 0})
    assert (made.status_code, made.json()["version"]) == (200, 1)
    assert made.json()["complete"]["minimum_visit"] == 5
    again = modelled.put(f"{PATH}/applications/shop", json={"settings": {}, "version": 0})
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "version 1 holds by now, and not 0: look at it, and try again",
    )
    assert modelled.put(f"{PATH}/defaults", json={"settings": {"zone": "Europe/Berlin"}}).status_code == 200
    shown = modelled.get(f"{PATH}/applications").json()
    assert [one["app_id"] for one in shown["applications"]] == ["shop"]
    assert shown["default"]["settings"] == {"zone": "Europe/Berlin"}
    history = modelled.get(f"{PATH}/applications/shop/history").json()
    assert [(one["version"], one["settings"]) for one in history] == [(1, {"heartbeat": 15})]


def test_wrong_settings_are_refused_with_the_field(modelled: Browser) -> None:
    answer = modelled.put(f"{PATH}/applications/shop", json={"settings": {"heartbeat": "often"}})
    assert answer.status_code == 422
    assert "heartbeat" in answer.json()["detail"]
    assert "'often'" in answer.json()["detail"]


def test_how_far_the_tables_are(modelled: Browser) -> None:
    found = modelled.get(f"{PATH}/model").json()
    assert (found["modelled_until"], found["error"]) == (None, "")


def test_a_store_without_modelled_tables_says_so(client: Browser) -> None:
    answer = client.get(f"{PATH}/applications")
    assert (answer.status_code, answer.json()["detail"]) == (
        404, "this store has no modelled tables: use ClickHouse or PostgreSQL",
    )  # fmt: skip
