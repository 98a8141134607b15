"""The engine's own passwords: made once, private, and used by the deployment's parts without anyone doing a thing."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from snowgauge.errors import SettingsError, StoreUnavailable
from snowgauge.store.build import build, engine_connection
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.passwords import FILE, MAINTENANCE_FILE, with_passwords
from snowgauge.store.settings import ClickHouseSettings, EngineSettings, StoreSettings
from snowgauge.testing.engine import EngineProcess, ask


def test_passwords_are_made_once_and_are_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as many:
        made = list(many.map(lambda _: with_passwords(EngineSettings(), tmp_path), range(64)))
    passwords = {one.password.get_secret_value() for one in made}
    maintenance = {one.maintenance_password.get_secret_value() for one in made}
    assert len(passwords) == len(maintenance) == 1
    assert passwords != maintenance
    assert min(map(len, passwords | maintenance)) >= 32
    assert sorted(path.name for path in tmp_path.iterdir()) == [MAINTENANCE_FILE, FILE]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_password_of_the_settings_counts(tmp_path: Path) -> None:
    given = EngineSettings.model_validate({"password": "mine"})
    assert with_passwords(given, tmp_path).password.get_secret_value() == "mine"
    assert not (tmp_path / FILE).exists()


def test_a_file_that_others_can_read_or_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("known to all\n")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        with_passwords(EngineSettings(), tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="cannot be read"):
        with_passwords(EngineSettings(), tmp_path)
    file.unlink()
    file.touch(mode=0o600)
    with pytest.raises(SettingsError, match="empty"):
        with_passwords(EngineSettings(), tmp_path)


@pytest.mark.e2e
def test_without_the_password_nothing_is_answered_and_maintenance_alone_copies_parts(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "data", password="for-tools", maintenance_password="for-backups").start()
    try:
        for who in ({}, {"user": "default"}, {"user": "maintenance"}, {"user": "maintenance", "password": "for-tools"},
                    {"user": "default", "password": "for-backups"}, {"password": "for-tool"}):  # fmt: skip
            assert ask(engine, "SELECT 1", **who).status == 403
        assert ask(engine, method="GET", path="/ping").status == 200
        tools = {"user": "default", "password": "for-tools"}
        backups = {"user": "maintenance", "password": "for-backups"}
        assert ask(engine, "CREATE TABLE default.t (a Int8) ENGINE = MergeTree ORDER BY a", **tools).status == 200
        frozen = "ALTER TABLE default.t FREEZE WITH NAME 'x'"
        assert ask(engine, frozen, **tools).headers["X-ClickHouse-Exception-Code"] == "164"
        assert ask(engine, frozen, **backups).status == 200
        reaching = "SELECT * FROM file('/etc/passwd', 'LineAsString')"
        assert ask(engine, reaching, **backups).headers["X-ClickHouse-Exception-Code"] == "164"
    finally:
        engine.stop()


@pytest.mark.e2e
def test_an_old_data_folder_goes_on_with_a_password(tmp_path: Path) -> None:
    old = EngineProcess(tmp_path / "data").start()
    assert ask(old, "CREATE TABLE default.t ENGINE = MergeTree ORDER BY tuple() AS SELECT 7 AS n").status == 200
    old.stop()
    engine = with_passwords(EngineSettings(), tmp_path)
    settings = ClickHouseSettings(engine=engine)
    new = EngineProcess(
        tmp_path / "data",
        password=engine.password.get_secret_value(),
        maintenance_password=engine.maintenance_password.get_secret_value(),
    ).start()
    try:
        store = build(StoreSettings(), settings, new.url)
        assert store.query("SELECT n FROM default.t").rows == [[7]]
        store.close()
        stranger = Connection(engine_connection(ClickHouseSettings(), new.url))
        with pytest.raises(StoreUnavailable, match="does not let"):
            stranger.rows("SELECT 1")
    finally:
        new.stop()
