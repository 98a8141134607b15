from __future__ import annotations

import json
from pathlib import Path

import pytest

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.adapters.registry import AdapterRegistry
from snowgauge.enrich.adapters.tp2 import PROPERTIES
from snowgauge.errors import SettingsError
from snowgauge.events.tracker import TrackerEvent
from snowgauge.iglu import bundled

SCHEMAS = Path(str(bundled.__file__)).parent / "schemas"


class Mine(Adapter):
    paths = (("com.acme", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        raise NotImplementedError


class Yours(Mine):
    paths = (("com.acme", "v1"),)


def test_snowplows_own_paths_are_found_without_a_list() -> None:
    own = {
        ("com.snowplowanalytics.snowplow", "tp1"),
        ("com.snowplowanalytics.snowplow", "tp2"),
        ("r", "tp2"),
        ("com.snowplowanalytics.iglu", "v1"),
    }
    assert own <= set(AdapterRegistry().paths())


def test_a_users_adapter_joins_and_may_replace() -> None:
    assert type(AdapterRegistry([Mine]).adapter("com.acme", "v1")) is Mine


def test_two_adapters_for_one_path_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"Mine and Yours both answer for /com\.acme/v1"):
        AdapterRegistry([Mine, Yours])


@pytest.mark.parametrize("key", PROPERTIES)
def test_what_tp2_knows_of_payload_data_is_what_the_schema_says(key: object) -> None:
    schema = json.loads((SCHEMAS / key.path).read_text())  # type: ignore[attr-defined]
    items = schema["items"]
    assert schema["minItems"] == 1
    assert set(items["properties"]) == PROPERTIES[key]  # type: ignore[index]
    assert set(items["required"]) == {"e", "p", "tv"}
    assert items["additionalProperties"] is False
    assert all(rule == {"type": "string"} for rule in items["properties"].values())
