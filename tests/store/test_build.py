"""From settings to a store."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from snowgauge.errors import SettingsError, StoreUnavailable
from snowgauge.store.build import build, embedded, engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.memory import MemoryStore
from snowgauge.store.settings import ClickHouseSettings, EngineSettings, StoreSettings
from snowgauge.testing.deployment import free_port


def _clickhouse(url: str, **connection: object) -> ClickHouseStore:
    store = build(
        StoreSettings.model_validate({"url": url}), ClickHouseSettings.model_validate({"connection": connection})
    )
    assert isinstance(store, ClickHouseStore)
    return store


@pytest.mark.parametrize(
    ("url", "connection", "expected"),
    [
        ("clickhouse://h", {}, "http://h:8123"),
        ("clickhouse://u:p@h:9123/db", {}, "http://h:9123"),
        ("clickhouses://h", {}, "https://h:8443"),
        ("https://h", {}, "https://h:8443"),
        ("clickhouse://h?secure=true", {}, "https://h:8443"),
        ("", {"host": "ch1"}, "http://ch1:8123"),
        ("", {"host": "ch1", "interface": "https"}, "https://ch1:8443"),
        ("", {}, "http://127.0.0.1:8123"),
    ],
)
def test_the_server_of_a_url_or_of_the_settings(url: str, connection: dict[str, object], expected: str) -> None:
    assert _clickhouse(url, **connection).connection.url == expected


def test_memory() -> None:
    assert isinstance(build(StoreSettings.model_validate({"url": "memory://"}), ClickHouseSettings()), MemoryStore)


@pytest.mark.parametrize(
    "url", ["mongodb://h/db", "clickhouse://", "clickhouse://h?colour=red", "clickhouse://h:99999"]
)
def test_a_wrong_url_is_named_with_the_cure(url: str) -> None:
    with pytest.raises(SettingsError, match=r"store\.url"):
        _clickhouse(url)


def test_the_engine_is_the_default() -> None:
    assert embedded(StoreSettings(), ClickHouseSettings())
    assert not embedded(StoreSettings.model_validate({"url": "memory://"}), ClickHouseSettings())
    assert not embedded(StoreSettings(), ClickHouseSettings.model_validate({"connection": {"host": "h"}}))


def test_the_engine_is_reached_by_its_own_user() -> None:
    settings = ClickHouseSettings.model_validate({"engine": {"host": "0.0.0.0", "username": "u", "password": "p"}})
    connection = engine_connection(settings, "http://127.0.0.1:7777")
    assert (connection.host, connection.port, connection.username) == ("127.0.0.1", 7777, "u")
    assert engine_connection(settings).host == "127.0.0.1"


def test_an_engine_that_does_not_run_is_called_by_its_name() -> None:
    store = build(StoreSettings(), ClickHouseSettings(engine=EngineSettings(port=free_port())))
    with pytest.raises(StoreUnavailable, match=r"cannot be reached: .*refused.*`snowgauge serve`"):
        store.migrate()
    store.close()


def test_a_server_that_does_not_answer_is_named_with_the_reason() -> None:
    for host, reason in (("127.0.0.1", "refused"), ("nobody.invalid", "not known|address")):
        url = SecretStr(f"clickhouse://{host}:{free_port()}")
        store = build(StoreSettings(url=url), ClickHouseSettings())
        says = rf"(?i)ClickHouse at http://{host}:\d+ cannot be reached: [^(\']*({reason})"
        with pytest.raises(StoreUnavailable, match=says) as away:
            store.migrate()
        assert "Max retries" not in str(away.value)
        assert "snowgauge serve" not in str(away.value)
        store.close()
