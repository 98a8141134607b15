"""Every variable of Simple Snowplow's settings: it is accepted under its name, and it does what it says."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from typer.testing import CliRunner

from snowgauge.cli.main import app as command_line
from snowgauge.collector.app import create_app
from snowgauge.delivery.memory import MemoryLog
from snowgauge.errors import SettingsError, StoreUnavailable
from snowgauge.events.payload_record import decode
from snowgauge.pipeline import build, public_door, public_paths
from snowgauge.settings.load import load
from snowgauge.settings.model import Settings
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import Layout, features
from snowgauge.store.clickhouse.simple_snowplow.views import Views
from snowgauge.telemetry import logs
from snowgauge.testing.asgi import Client
from snowgauge.testing.engine import EngineProcess


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def settings(tmp_path: Path, **variables: str) -> Settings:
    """`settings(tmp_path, COMMON__DEBUG="true")`."""
    environment = {f"SNOWPLOW_{name}": text for name, text in variables.items()}
    environment.setdefault("SNOWPLOW_COMMON__DATA_DIR", str(tmp_path / "data"))
    return load(environment=environment, folder=tmp_path).settings


class Door:
    """The collector as a deployment with these settings would serve it."""

    def __init__(self, client: Client, log: MemoryLog) -> None:
        self._client, self._log = client, log

    def __call__(self, method: str, target: str, *headers: tuple[str, str], **more: Any) -> Any:
        return self._client.request(method, target, headers, **more)

    @property
    def paths(self) -> list[str | None]:
        return [decode(entry.body).path for entry in self._log.peek()]


@contextmanager
def door(tmp_path: Path, **variables: str) -> Iterator[Door]:
    chosen = settings(tmp_path, STORE__URL="memory://", **variables)
    log = MemoryLog()
    writer = log.writer()
    served = create_app(
        public_door.collector_settings(chosen), writer, more=public_door.pages(chosen, writer), security=chosen.security
    )
    with Client(served) as client:
        yield Door(client, log)


def statuses(*requests: Any, **variables: str) -> Callable[[Path], list[int]]:
    """The statuses of some requests to the collector's port."""

    def ask(tmp_path: Path) -> list[int]:
        with door(tmp_path, **variables) as ask:
            return [ask(*request[:2], *request[2:]).status for request in requests]

    return ask


def kept(method: str, path: str, **variables: str) -> Callable[[Path], list[str | None]]:
    """The paths under which one request is kept."""

    def ask(tmp_path: Path) -> list[str | None]:
        with door(tmp_path, **variables) as ask:
            ask(method, path, body=b"{}")
            return ask.paths

    return ask


def of(read: Callable[[Settings], Any], **variables: str) -> Callable[[Path], Any]:
    return lambda tmp_path: read(settings(tmp_path, **variables))


def ddl(chosen: Settings) -> str:
    """All statements that make the tables and views."""
    layout = Layout(chosen.clickhouse.configuration)
    views = Views(chosen.common.snowplow.schemas, features("26.9"))
    return "\n".join([*layout.create_table("events"), *layout.create_ledgers(), *views.statements(layout)])


def has(text: str) -> Callable[[Settings], bool]:
    return lambda chosen: text in ddl(chosen)


def url(chosen: Settings) -> str:
    store = build.open_store(chosen)
    store.close()
    address: str = store.connection.url  # type: ignore[attr-defined]
    return address


PIXEL = ("GET", "/i?e=pv")
TP2, HOST = "/com.snowplowanalytics.snowplow/tp2", ("Host", "shop.example")
LIMIT = {"SECURITY__RATE_LIMITING__ENABLED": "true", "SECURITY__RATE_LIMITING__MAX_REQUESTS": "1"}
FROM_LB = ("X-Forwarded-For", "198.51.100.1")
CLICKHOUSE = {"CLICKHOUSE__CONNECTION__HOST": "ch.example"}
TABLES = "CLICKHOUSE__CONFIGURATION__TABLES__SNOWPLOW__"

TABLE: dict[str, list[tuple[Callable[[Path], Any], Any]]] = {
    "COMMON__SERVICE_NAME": [(of(lambda s: s.common.service_name, COMMON__SERVICE_NAME="shop"), "shop")],
    "COMMON__HOSTNAME": [
        (of(lambda s: str(s.common.hostname), COMMON__HOSTNAME="https://c.example"), "https://c.example/"),
        (of(public_paths.public_url, COMMON__HOSTNAME="https://c.example"), "https://c.example/"),
    ],
    **{
        f"COMMON__SNOWPLOW__SCHEMAS__{name.upper()}": [
            (of(has(f"iglu:a.b/{name}/"), **{f"COMMON__SNOWPLOW__SCHEMAS__{name.upper()}": f"a.b/{name}"}), True),
            (of(has(f"iglu:dev.snowplow.simple/{name}/")), True),
        ]
        for name in ("user_data", "page_data", "screen_data", "ad_data", "u2s_data")
    },
    "COMMON__SNOWPLOW__ENDPOINTS__POST_ENDPOINT": [
        (kept("POST", "/collect", COMMON__SNOWPLOW__ENDPOINTS__POST_ENDPOINT="/collect"), [TP2]),
        (kept("POST", "/tracker"), [TP2]),
    ],
    "COMMON__SNOWPLOW__ENDPOINTS__GET_ENDPOINT": [
        (kept("GET", "/px?e=pv", COMMON__SNOWPLOW__ENDPOINTS__GET_ENDPOINT="/px"), ["/i"]),
        (kept("GET", "/i?e=pv"), ["/i"]),
    ],
    "COMMON__SNOWPLOW__ENDPOINTS__PROXY_ENDPOINT": [
        (of(lambda s: "/p" in public_paths.public_apps(s), COMMON__SNOWPLOW__ENDPOINTS__PROXY_ENDPOINT="/p",
            PROXY__ENABLED="true"), True),
    ],
    "COMMON__SNOWPLOW__ENDPOINTS__SENDGRID_ENDPOINT": [
        (kept("POST", "/sg", COMMON__SNOWPLOW__ENDPOINTS__SENDGRID_ENDPOINT="/sg"), ["/com.sendgrid/v3"]),
        (kept("POST", "/sendgrid"), ["/com.sendgrid/v3"]),
    ],
    "SECURITY__DISABLE_DOCS": [
        (statuses(("GET", "/docs"), ("GET", "/redoc"), ("GET", "/openapi.json")), [200, 200, 200]),
        (statuses(("GET", "/docs"), ("GET", "/openapi.json"), SECURITY__DISABLE_DOCS="yes"), [404, 404]),
    ],
    "SECURITY__TRUSTED_HOSTS": [
        (statuses((*PIXEL, HOST), SECURITY__TRUSTED_HOSTS='["a.example", "*.b.example"]'), [400]),
        (statuses((*PIXEL, HOST), SECURITY__TRUSTED_HOSTS="a.example, shop.example"), [200]),
        (statuses((*PIXEL, HOST)), [200]),
    ],
    "SECURITY__ENABLE_HTTPS_REDIRECT": [
        (statuses((*PIXEL, HOST), SECURITY__ENABLE_HTTPS_REDIRECT="1"), [307]),
        (statuses((*PIXEL, HOST)), [200]),
    ],
    "SECURITY__TRUST_PROXY_HEADERS": [
        (statuses((*PIXEL, HOST, ("X-Forwarded-Proto", "https")), SECURITY__ENABLE_HTTPS_REDIRECT="true",
                  SECURITY__TRUST_PROXY_HEADERS="false"), [307]),
        (statuses((*PIXEL, HOST, ("X-Forwarded-Proto", "https")), SECURITY__ENABLE_HTTPS_REDIRECT="true"), [200]),
    ],
    "SECURITY__RATE_LIMITING__ENABLED": [
        (statuses(PIXEL, PIXEL, **LIMIT), [200, 429]),
        (statuses(PIXEL, PIXEL), [200, 200]),
    ],
    "SECURITY__RATE_LIMITING__MAX_REQUESTS": [
        (statuses(*[PIXEL] * 3, **{**LIMIT, "SECURITY__RATE_LIMITING__MAX_REQUESTS": "2"}), [200, 200, 429]),
        (of(lambda s: s.security.rate_limiting.max_requests), 100),
    ],
    "SECURITY__RATE_LIMITING__WINDOW_SECONDS": [
        (of(lambda s: s.security.rate_limiting.window_seconds, SECURITY__RATE_LIMITING__WINDOW_SECONDS="7"), 7),
        (of(lambda s: s.security.rate_limiting.window_seconds), 60),
    ],
    "SECURITY__RATE_LIMITING__IP_WHITELIST": [
        (statuses(PIXEL, PIXEL, **LIMIT, SECURITY__RATE_LIMITING__IP_WHITELIST='["203.0.113.0/24"]'), [200, 200]),
        (statuses(PIXEL, PIXEL, **LIMIT, SECURITY__RATE_LIMITING__IP_WHITELIST="192.0.2.1,203.0.113.7"), [200, 200]),
    ],
    "SECURITY__RATE_LIMITING__PATH_WHITELIST": [
        (statuses(PIXEL, PIXEL, **LIMIT, SECURITY__RATE_LIMITING__PATH_WHITELIST='["/i"]'), [200, 200]),
        (statuses(PIXEL, PIXEL, **LIMIT, SECURITY__RATE_LIMITING__PATH_WHITELIST="/x,/i"), [200, 200]),
    ],
    "PROXY__DOMAINS": [
        (of(lambda s: list(s.proxy.domains), PROXY__DOMAINS='["a.example"]'), ["a.example"]),
        (of(lambda s: list(s.proxy.domains), PROXY__DOMAINS="a.example,b.example"), ["a.example", "b.example"]),
    ],
    "PROXY__PATHS": [(of(lambda s: list(s.proxy.paths), PROXY__PATHS='["gtm.js"]'), ["gtm.js"])],
    "PERFORMANCE__MAX_CONCURRENT_CONNECTIONS": [
        (of(lambda s: public_door.collector_settings(s).networking.max_connections,
            PERFORMANCE__MAX_CONCURRENT_CONNECTIONS="33"), 33),
        (of(lambda s: public_door.collector_settings(s).networking.max_connections), 1024),
    ],
    "CLICKHOUSE__CONNECTION__INTERFACE": [
        (of(url, **CLICKHOUSE, CLICKHOUSE__CONNECTION__INTERFACE="https"), "https://ch.example:8443"),
    ],
    "CLICKHOUSE__CONNECTION__HOST": [
        (of(url, **CLICKHOUSE), "http://ch.example:8123"),
        (of(build.embedded, **CLICKHOUSE), False),
        (of(build.embedded), True),
    ],
    "CLICKHOUSE__CONNECTION__PORT": [
        (of(url, **CLICKHOUSE, CLICKHOUSE__CONNECTION__PORT="9123"), "http://ch.example:9123"),
    ],
    "CLICKHOUSE__CONNECTION__CONNECT_TIMEOUT": [
        (of(lambda s: s.clickhouse.connection.connect_timeout.total_seconds(),
            CLICKHOUSE__CONNECTION__CONNECT_TIMEOUT="3"), 3.0),
        (of(lambda s: s.clickhouse.connection.connect_timeout.total_seconds()), 10.0),
    ],
    "CLICKHOUSE__CONFIGURATION__DATABASE": [
        (of(has("`hits`.`events`"), CLICKHOUSE__CONFIGURATION__DATABASE="hits"), True),
        (of(has("VIEW `hits`.`local`"), CLICKHOUSE__CONFIGURATION__DATABASE="hits"), True),
        (of(has("VIEW `snowplow`.`local`")), True),
    ],
    "CLICKHOUSE__CONFIGURATION__CLUSTER_NAME": [
        (of(has("ON CLUSTER `main`"), CLICKHOUSE__CONFIGURATION__CLUSTER_NAME="main"), True),
        (of(has("ENGINE = Distributed('main'"), CLICKHOUSE__CONFIGURATION__CLUSTER_NAME="main"), True),
    ],
    f"{TABLES}ENABLED": [(of(has("VIEW"), **{f"{TABLES}ENABLED": "false"}), False), (of(has("VIEW")), True)],
    f"{TABLES}LOCAL__NAME": [
        (of(has("VIEW `snowplow`.`hits`"), **{f"{TABLES}LOCAL__NAME": "hits"}), True),
        (of(has("VIEW `other`.`hits`"), **{f"{TABLES}LOCAL__NAME": "other.hits"}), True),
    ],
    f"{TABLES}DISTRIBUTED__NAME": [
        (of(has("VIEW `snowplow`.`everything`"), **{f"{TABLES}DISTRIBUTED__NAME": "everything"}), True),
    ],
    "ELASTIC_APM__ENABLED": [(of(lambda s: s.elastic_apm.enabled, ELASTIC_APM__ENABLED="true"), True)],
    "ELASTIC_APM__SERVICE_NAME": [(of(lambda s: s.elastic_apm.service_name, ELASTIC_APM__SERVICE_NAME="x"), "x")],
    "ELASTIC_APM__SERVER_URL": [
        (of(lambda s: s.elastic_apm.server_url, ELASTIC_APM__SERVER_URL="http://apm:8200"), "http://apm:8200"),
    ],
    "PROMETHEUS__ENABLED": [
        (statuses(("GET", "/metrics"), ("GET", "/metrics/"), PROMETHEUS__ENABLED="true"), [200, 307]),
        (statuses(("GET", "/metrics")), [404]),
    ],
    "PROMETHEUS__METRICS_PATH": [
        (statuses(("GET", "/figures"), ("GET", "/metrics"), PROMETHEUS__ENABLED="true",
                  PROMETHEUS__METRICS_PATH="/figures"), [200, 404]),
    ],
    "SENTRY__ENABLED": [
        (of(lambda s: s.sentry.enabled, SENTRY__ENABLED="true", SENTRY__DSN="https://k@sentry.example/1"), True),
    ],
    "SENTRY__DSN": [(of(lambda s: s.sentry.dsn.get_secret_value(), SENTRY__DSN="https://k@s.example/1"), "https://k@s.example/1")],
    "SENTRY__TRACES_SAMPLE_RATE": [(of(lambda s: s.sentry.traces_sample_rate, SENTRY__TRACES_SAMPLE_RATE="0.5"), 0.5)],
    "SENTRY__ENVIRONMENT": [
        (of(lambda s: s.sentry.environment), "dev"),
        (of(lambda s: s.sentry.environment, ENV="production"), "prod"),
        (of(lambda s: s.sentry.environment, ENV="Production"), "dev"),
        (of(lambda s: s.sentry.environment, ENV="production", SENTRY__ENVIRONMENT="stage"), "stage"),
    ],
}  # fmt: skip
"""Variable without its prefix -> what it does, and what comes of it. Sentry's and Elastic's further effects are proved
with their SDKs in tests/telemetry."""


@pytest.mark.parametrize(("act", "expected"), [case for cases in TABLE.values() for case in cases],
                         ids=[f"{name}-{at}" for name, cases in TABLE.items() for at in range(len(cases))])  # fmt: skip
def test_a_variable_does_what_it_says(tmp_path: Path, act: Callable[[Path], Any], expected: Any) -> None:
    assert act(tmp_path) == expected


OF_A_TABLE = ("ENGINE", "PARTITION_BY", "ORDER_BY", "SAMPLE_BY", "SETTINGS")


@pytest.mark.parametrize(
    "name", [*(f"{TABLES}LOCAL__{leaf}" for leaf in OF_A_TABLE), f"{TABLES}DISTRIBUTED__SAMPLE_BY"]
)
def test_what_a_view_has_not_is_accepted_and_said(tmp_path: Path, name: str) -> None:
    out = io.StringIO()
    logs.configure("INFO", stream=out)
    with_it = ddl(settings(tmp_path, **{name: "something"}))
    assert with_it == ddl(settings(tmp_path))
    assert "reference_setting_ignored" in out.getvalue()
    assert name.rpartition("SNOWPLOW__")[2].replace("__", ".").lower() in out.getvalue()
    out.truncate(0)
    settings(tmp_path, CLICKHOUSE__TABLES="{}")
    assert "clickhouse.tables" in out.getvalue()


def test_one_leaf_of_the_tables_leaves_the_others_alone(tmp_path: Path) -> None:
    changed = ddl(settings(tmp_path, **{f"{TABLES}LOCAL__NAME": "hits", f"{TABLES}LOCAL__ENGINE": "MergeTree()"}))
    assert changed == ddl(settings(tmp_path)).replace("`snowplow`.`local`", "`snowplow`.`hits`")


@pytest.mark.parametrize(
    ("variables", "level", "as_json"),
    [
        ({}, 20, False),
        ({"LOGGING__LEVEL": "error"}, 40, False),
        ({"LOGGING__JSON_FORMAT": "true"}, 20, True),
        ({"COMMON__DEBUG": "true", "LOGGING__LEVEL": "ERROR"}, 10, False),
    ],
)
def test_log_lines(tmp_path: Path, variables: dict[str, str], level: int, as_json: bool) -> None:
    environment = {f"SNOWPLOW_{name}": text for name, text in variables.items()}
    done = CliRunner().invoke(command_line, ["settings", "hostname"], env=environment)
    assert done.exit_code == 0
    assert done.stdout == "http://localhost:8000/\n"
    chosen = structlog.get_config()
    assert chosen["wrapper_class"](None, [], {}).is_enabled_for(level)
    assert level == 10 or not chosen["wrapper_class"](None, [], {}).is_enabled_for(level - 1)
    assert isinstance(chosen["processors"][-1], structlog.processors.JSONRenderer) == as_json
    logs.configure()


def test_who_may_come_in_at_clickhouse_and_where(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "locked", sync=False, password="right").start()
    there = urlsplit(engine.url)
    at = {
        "CLICKHOUSE__CONNECTION__HOST": str(there.hostname),
        "CLICKHOUSE__CONNECTION__PORT": str(there.port),
        "CLICKHOUSE__CONNECTION__PASSWORD": "right",
    }
    try:
        store = build.open_store(settings(tmp_path, **at, CLICKHOUSE__CONNECTION__DATABASE="system"))
        assert store.query("SELECT currentDatabase()").rows == [["system"]]
        store.close()
        for wrong in ({"CLICKHOUSE__CONNECTION__USERNAME": "nobody"}, {"CLICKHOUSE__CONNECTION__PASSWORD": "wrong"}):
            store = build.open_store(settings(tmp_path, **(at | wrong)))
            with pytest.raises(StoreUnavailable):
                store.query("SELECT 1")
            store.close()
    finally:
        engine.stop()


def test_the_pool_bounds_what_runs_at_once(engine: EngineProcess, tmp_path: Path) -> None:
    there = urlsplit(engine.url)
    chosen = settings(
        tmp_path,
        CLICKHOUSE__CONNECTION__HOST=str(there.hostname),
        CLICKHOUSE__CONNECTION__PORT=str(there.port),
        PERFORMANCE__DB_POOL_SIZE="1",
        PERFORMANCE__DB_POOL_OVERFLOW="1",
        CLICKHOUSE__INSERT_TIMEOUT="1 s",
    )
    store = build.open_store(chosen)
    connection: Connection = store.connection  # type: ignore[attr-defined]
    assert connection.rows("SELECT 1") == [[1]]
    held = [connection.stream("SELECT number FROM numbers(1000000)", "TSV", {}) for _ in range(2)]
    assert [next(stream)[:2] for stream in held] == [b"0\n", b"0\n"]
    with pytest.raises(StoreUnavailable, match=r"performance\.db_pool_size"):
        connection.rows("SELECT 1")
    held.pop().close()
    assert connection.rows("SELECT 1") == [[1]]
    held.pop().close()
    store.close()


def test_a_section_as_json_and_leaves_over_it(tmp_path: Path) -> None:
    chosen = settings(
        tmp_path,
        CLICKHOUSE='{"connection": {"host": "h1", "port": 1}, "configuration": {"cluster_name": "c"}}',
        CLICKHOUSE__CONNECTION__PORT="2",
        SECURITY='{"trusted_hosts": ["a.example"]}',
    )
    assert (chosen.clickhouse.connection.host, chosen.clickhouse.connection.port) == ("h1", 2)
    assert chosen.clickhouse.configuration.cluster_name == "c"
    assert chosen.security.trusted_hosts == ["a.example"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"COMMON__HOSTNAME": "collector"}, "common.hostname"),
        ({"LOGGING__LEVEL": "LOUD"}, "logging.level"),
        ({"SENTRY__ENABLED": "true"}, "sentry.dsn"),
        ({"SENTRY__TRACES_SAMPLE_RATE": "2"}, "sentry.traces_sample_rate"),
        ({"SENTRY__DSN": "not-shown-s3cret", "SENTRY__TRACES_SAMPLE_RATE": "x"}, "traces_sample_rate"),
        ({"COMMON__SNOWPLOW__SCHEMAS__USER_DATA": "user_data"}, "vendor/name"),
        ({"PROMETHEUS__METRICS_PATH": "metrics"}, "prometheus.metrics_path"),
        ({"SECURITY__RATE_LIMITING__WINDOW": "6"}, "window_seconds"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, **variables)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)


SECRETS = {
    "SNOWPLOW_CLICKHOUSE__CONNECTION__PASSWORD": "ch-s3cret",
    "SNOWPLOW_SENTRY__DSN": "https://s3cret@s.example/1",
    "SNOWPLOW_STORE__URL": "clickhouse://u:s3cret@h/d",
    "SNOWPLOW_ELASTIC_APM__SECRET_TOKEN": "s3cret",
}


@pytest.mark.parametrize("arguments", [(), ("--raw",), ("to_dict",), ("--json",), ("--table",), ("--changed",)])
def test_settings_verbs_show_everything_but_secrets(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(command_line, ["settings", *arguments], env=SECRETS)
    assert done.exit_code == 0, done.output
    assert "s3cret" not in done.output
    if arguments != ("--changed",):
        assert "dev.snowplow.simple/user_data" in done.output


def test_settings_are_json_for_programs() -> None:
    runner = CliRunner()
    whole = json.loads(runner.invoke(command_line, ["settings"]).stdout)
    assert list(whole) == sorted(whole)
    assert whole["common"]["snowplow"]["endpoints"]["post_endpoint"] == "/tracker"
    sections = [json.loads(line) for line in runner.invoke(command_line, ["settings", "to_dict"]).stdout.splitlines()]
    assert {name: value for section in sections for name, value in section.items()} == whole
