"""ClickHouse's official clients, each with its default settings, on the embedded engine with its password.

What Go, Maven and npm fetch stays in their own caches. Where a tool chain or its registry is missing, that is said.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from snowgauge.testing.engine import EngineProcess, ask

pytestmark = pytest.mark.e2e
PROGRAMS = Path(__file__).parent / "clients"
PASSWORD = "p w?/ü&"
SUMS = "1000 499500"
_GO, _JDBC, _SLF4J, _JS = "v2.51.0", "0.9.4", "2.0.17", "1.23.1"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("locked") / "data", sync=False, password=PASSWORD).start()
    yield process
    process.stop()


def _port(engine: EngineProcess) -> int:
    return int(urlsplit(engine.url).port or 0)


def _fetch(folder: Path, *command: str) -> None:
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not on this machine, so its ClickHouse client cannot be tested")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"`{' '.join(command[:3])} …` cannot fetch: {(done.stderr or done.stdout)[-300:]}")


def _said(folder: Path, *command: str) -> list[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    shutil.copy(PROGRAMS / "clickhouse_go.go", folder / "main.go")
    _fetch(folder, "go", "mod", "init", "client")
    _fetch(folder, "go", "get", f"github.com/ClickHouse/clickhouse-go/v2@{_GO}")
    _said(folder, "go", "build", "-o", "client", ".")
    return folder / "client"


@pytest.mark.parametrize("compression", ["", "lz4", "zstd"])
def test_clickhouse_go(locked: EngineProcess, go_program: Path, compression: str) -> None:
    url = f"http://default:{quote(PASSWORD, safe='')}@127.0.0.1:{_port(locked)}/default"
    sums, refused, many = _said(go_program.parent, str(go_program), url, compression)
    assert sums == SUMS
    assert "code: 47" in refused
    assert many == "300000"


@pytest.fixture(scope="module")
def java_program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("java")
    if shutil.which("java") is None:
        pytest.skip("java is not on this machine, so its ClickHouse client cannot be tested")
    for artifact in (
        f"com.clickhouse:clickhouse-jdbc:{_JDBC}:jar:all",
        f"org.slf4j:slf4j-api:{_SLF4J}",
        f"org.slf4j:slf4j-nop:{_SLF4J}",
    ):
        _fetch(folder, "mvn", "-q", _COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={folder / 'lib'}")
    return ["java", "-cp", f"{folder / 'lib'}/*", str(PROGRAMS / "ClickHouseJdbc.java")]


def _java_works(said: list[str]) -> None:
    version, *rest = said
    assert version.startswith("2")
    assert rest == [SUMS, "true", "4", "true"]


def test_clickhouse_jdbc(locked: EngineProcess, java_program: list[str], tmp_path: Path) -> None:
    url = f"jdbc:clickhouse://127.0.0.1:{_port(locked)}/default"
    _java_works(_said(tmp_path, *java_program, url, "default", PASSWORD))


def test_clickhouse_jdbc_without_a_password(engine: EngineProcess, java_program: list[str], tmp_path: Path) -> None:
    _java_works(_said(tmp_path, *java_program, f"jdbc:clickhouse://127.0.0.1:{_port(engine)}/default"))


def test_a_user_without_a_password_may_send_any(engine: EngineProcess) -> None:
    assert ask(engine, "SELECT 1", user="default", password="null").text == "1\n"
    assert ask(engine, "SELECT 1", user="someone", password="null").status == 403


def test_clickhouse_js(locked: EngineProcess, tmp_path: Path) -> None:
    shutil.copy(PROGRAMS / "clickhouse_client.mjs", tmp_path)
    _fetch(tmp_path, "npm", "install", "--no-audit", "--no-fund", f"@clickhouse/client@{_JS}")
    url = f"http://127.0.0.1:{_port(locked)}"
    assert _said(tmp_path, "node", "clickhouse_client.mjs", url, "default", PASSWORD) == [SUMS, "47", "true"]


@pytest.mark.parametrize("compress", [True, False, "lz4", "zstd"])
def test_clickhouse_connect(locked: EngineProcess, compress: Any) -> None:
    client: Client = clickhouse_connect.get_client(
        host="127.0.0.1", port=_port(locked), password=PASSWORD, compress=compress
    )
    client.command("CREATE OR REPLACE TABLE default.from_python (n Int64, s String, j JSON) ENGINE = Memory")
    client.insert("default.from_python", [[n, f"s{n % 7}", {"n": n}] for n in range(1000)])
    found = client.query("SELECT n, s, j FROM default.from_python ORDER BY n").result_rows
    assert f"{len(found)} {sum(row[0] for row in found)}" == SUMS
    assert found[-1] == (999, "s5", {"n": 999})
    client.close()


def test_sqlalchemy(locked: EngineProcess) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed, so its dialect is not tested")
    url = f"clickhousedb://default:{quote(PASSWORD, safe='')}@127.0.0.1:{_port(locked)}/default"
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT count(), sum(number) FROM numbers(1000)")).fetchall()
        assert [tuple(row) for row in rows] == [(1000, 499_500)]
        assert "system" in sqlalchemy.inspect(connection).get_schema_names()
    engine.dispose()


def test_dbt(locked: EngineProcess, tmp_path: Path) -> None:
    """The adapter as a program of its own, in whatever environment has it."""
    dbt = shutil.which("dbt")
    listed = subprocess.run([dbt, "--version"], capture_output=True, text=True, check=False).stdout if dbt else ""
    if dbt is None or "clickhouse" not in listed:
        pytest.skip("dbt with its ClickHouse adapter is not on this machine")
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text(
        "name: p\nversion: '1.0.0'\nprofile: p\nmodels: {p: {+materialized: table}}\n"
    )
    (project / "models" / "numbers.sql").write_text("SELECT number AS n FROM numbers(1000)")
    (project / "models" / "later.sql").write_text(
        "{{ config(materialized='incremental', unique_key='n') }} SELECT n FROM {{ ref('numbers') }}"
    )
    (project / "models" / "seen.sql").write_text("{{ config(materialized='view') }} SELECT n FROM {{ ref('later') }}")
    (project / "profiles.yml").write_text(
        "p: {target: t, outputs: {t: {type: clickhouse, driver: http, host: 127.0.0.1, "
        f"port: {_port(locked)}, user: default, password: '{PASSWORD}', schema: dbt}}}}}}\n"
    )
    for _ in range(2):
        _said(project, dbt, "run", "--profiles-dir", ".", "--no-use-colors")
    rows = ask(locked, "SELECT count(), sum(n) FROM dbt.seen", user="default", password=PASSWORD)
    assert rows.text == "1000\t499500\n"
