"""Dashboard and alert rules fit the figures that there are; the alerts fire when they should, and not else."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from snowgauge.telemetry.metrics import METRICS, Metric

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "snowgauge"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "snowgauge.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]

_ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SERIES: dict[str, Metric] = {
    f"snowgauge_{metric.name}{ending}": metric for metric in METRICS for ending in _ENDINGS[metric.kind]
}
"""Every series by the name that Prometheus stores it under."""
_TARGET = {"instance", "job"}
"""Labels that Prometheus adds."""


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions():
    """Every query of dashboard and rules, with where it stands."""
    for panel in panels():
        for target in panel["targets"]:
            yield f"panel {panel['title']!r}", target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']!r}", variable["definition"]
    for rule in RULES:
        yield f"alert {rule['alert']!r}", rule["expr"]


EXPRESSIONS = list(expressions())


def used(expression: str) -> set[str]:
    return set(re.findall(r"\bsnowgauge_\w+", expression))


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS, ids=[place for place, _ in EXPRESSIONS])
def test_every_series_and_label_exists(place, expression):
    assert used(expression) <= set(SERIES), place
    for name, matchers in re.findall(r"\b(snowgauge_\w+)\s*\{([^}]*)\}", expression):
        for label, value in re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"', matchers):
            assert label in {*SERIES[name].labels, *_TARGET}, f"{place}: {name} has no label {label}"
            if label not in _TARGET:
                for word in value.split("|"):
                    assert f'"{word}"' in code(), f"{place}: nothing sets {label} to {word!r}"
    known = {"le", *_TARGET}.union(*(SERIES[name].labels for name in used(expression)))
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        assert {label.strip() for label in group.split(",")} <= known, f"{place}: {group}"


@cache
def code() -> str:
    return "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))


def test_legends_and_texts_name_labels_that_the_query_gives():
    for panel in panels():
        for target in panel["targets"]:
            grouped = re.findall(r"\bby\s*\(([^)]*)\)", target["expr"])
            given = {label.strip() for group in grouped for label in group.split(",")}
            assert set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"])) <= given, panel["title"]
    for rule in RULES:
        kept = {label for name in used(rule["expr"]) for label in SERIES[name].labels} | _TARGET
        grouped = re.findall(r"\bby\s*\(([^)]*)\)", rule["expr"])
        if grouped:
            kept = {label.strip() for label in grouped[0].split(",")}
        told = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", told)) <= kept, rule["alert"]


def test_everything_that_is_counted_is_on_the_dashboard():
    shown = {SERIES[name].name for panel in panels() for target in panel["targets"] for name in used(target["expr"])}
    assert shown == {metric.name for metric in METRICS}


def test_the_dashboard_has_the_shape_that_grafana_wants():
    assert DASHBOARD["uid"] == "snowgauge"
    assert DASHBOARD["schemaVersion"] >= 36
    assert DASHBOARD.get("id") is None
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies upon another panel"
        taken |= cells
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        for target in panel["targets"]:
            assert 'instance=~"$instance"' in target["expr"], panel["title"]
    variables = {variable["name"]: variable["type"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "instance": "query"}
    asked = json.dumps(DASHBOARD)
    assert set(re.findall(r"\$\{?(\w+)", asked)) - {"__rate_interval", "__all"} <= set(variables)


def test_every_alert_says_what_is_wrong_and_what_to_do():
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "remedy"}, rule["alert"]
        assert all(len(text) > 15 for text in rule["annotations"].values()), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_commands_and_settings_that_alerts_name_exist(program_exists):
    from snowgauge.settings.model import Settings

    for rule in RULES:
        told = " ".join(rule["annotations"].values())
        for words in re.findall(r"`snowgauge ([^`]+)`", told):
            if words != "retention":  # a group of commands
                program_exists(words.split())
        for section, rest in re.findall(r"\b(pipeline|eventlog|clickhouse|console)((?:\.\w+)+)", told):
            part = Settings.model_fields[section].annotation
            for name in rest.strip(".").split("."):
                assert name in part.model_fields, f"{rule['alert']}: {section}{rest}"
                part = part.model_fields[name].annotation


# ---- Prometheus' own tool ------------------------------------------------------------------------------------------


def test_prometheus_can_read_rules_and_configuration(tool):
    for done in (
        tool("promtool", "check", "rules", "deploy/prometheus/alerts.yaml"),
        tool("promtool", "check", "config", "deploy/prometheus/prometheus.yaml"),
    ):
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_can_read_the_dashboards_queries(tool, tmp_path):
    rules = [
        {
            "record": f"panel{panel['id']}:{target['refId'].lower()}",
            "expr": target["expr"].replace("$__rate_interval", "1m"),
        }
        for panel in panels()
        for target in panel["targets"]
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = tool("promtool", "check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


GB = 1024**3
WELL = {
    'up{job="snowgauge",instance="a"}': "1+0x300",
    'snowgauge_part_ready{instance="a",part="store"}': "1+0x300",
    'snowgauge_process_up{instance="a",process="collector-0"}': "1+0x300",
    'snowgauge_process_restarts{instance="a",process="collector-0"}': "1+0x300",
    'snowgauge_collector_refused_total{instance="a",reason="log_unavailable"}': "7+0x300",
    'snowgauge_collector_refused_total{instance="a",reason="malformed"}': "0+9x300",
    'snowgauge_collector_request_seconds_bucket{instance="a",le="0.01"}': "0+600x300",
    'snowgauge_collector_request_seconds_bucket{instance="a",le="2.5"}': "0+600x300",
    'snowgauge_collector_request_seconds_bucket{instance="a",le="+Inf"}': "0+600x300",
    'snowgauge_eventlog_write_seconds_bucket{instance="a",le="0.01"}': "0+600x300",
    'snowgauge_eventlog_write_seconds_bucket{instance="a",le="2.5"}': "0+600x300",
    'snowgauge_eventlog_write_seconds_bucket{instance="a",le="+Inf"}': "0+600x300",
    'snowgauge_eventlog_oldest_seconds{instance="a"}': "1+0x300",
    'snowgauge_eventlog_entries{instance="a"}': "3+0x300",
    'snowgauge_eventlog_room_bytes{instance="a"}': f"{8 * GB}+0x300",
    'snowgauge_eventlog_unreadable_total{instance="a"}': "2+0x300",
    'snowgauge_pipeline_last_stored_timestamp{instance="a"}': "0+60x300",
    'snowgauge_disk_free_bytes{instance="a"}': f"{50 * GB}+0x300",
    'snowgauge_disk_total_bytes{instance="a"}': f"{100 * GB}+0x300",
    'snowgauge_pipeline_outcomes_total{instance="a",outcome="enriched"}': "0+600x300",
    'snowgauge_pipeline_outcomes_total{instance="a",outcome="failed"}': "0+6x300",
    'snowgauge_pipeline_poison_total{instance="a"}': "2+0x300",
    'snowgauge_pipeline_retries_total{instance="a",reason="store"}': "20+0x300",
    'snowgauge_store_refused_total{instance="a"}': "4+0x300",
    'snowgauge_iglu_lookups_total{instance="a",result="outage"}': "4+0x300",
    'snowgauge_enrichment_errors_total{instance="a",enrichment="weather"}': "0+1x300",
    'snowgauge_asset_refresh_failures_total{instance="a",asset="x"}': "2+0x300",
    'snowgauge_engine_queries_total{instance="a",result="done"}': "0+100x300",
    'snowgauge_engine_queries_total{instance="a",result="refused"}': "0+1x300",
    'snowgauge_tls_certificate_expires_timestamp{instance="a",domain="x.example"}': f"{60 * 86400}+0x300",
    'snowgauge_tls_certificate_failures_total{instance="a",domain="x.example"}': "1+0x300",
}
"""A deployment that works, minute by minute for five hours, with an old trouble here and there."""

WRONG = {
    "SnowgaugeUnreachable": {'up{job="snowgauge",instance="a"}': "1+0x280 0+0x20"},
    "SnowgaugeNotReady": {'snowgauge_part_ready{instance="a",part="store"}': "1+0x280 0+0x20"},
    "SnowgaugeProcessDown": {'snowgauge_process_up{instance="a",process="collector-0"}': "1+0x280 0+0x20"},
    "SnowgaugeProcessRestarts": {
        'snowgauge_process_restarts{instance="a",process="collector-0"}': "1+0x280 1+1x20",
    },
    "SnowgaugeRequestsNotKept": {
        'snowgauge_collector_refused_total{instance="a",reason="log_unavailable"}': "7+0x280 7+5x20",
    },
    "SnowgaugeCollectorSlow": {'snowgauge_collector_request_seconds_bucket{instance="a",le="0.01"}': "0+300x300"},
    "SnowgaugeDiskSlow": {'snowgauge_eventlog_write_seconds_bucket{instance="a",le="0.01"}': "0+300x300"},
    "SnowgaugeBehind": {'snowgauge_eventlog_oldest_seconds{instance="a"}': "1+0x280 301+60x20"},
    "SnowgaugeNothingStored": {'snowgauge_pipeline_last_stored_timestamp{instance="a"}': "0+60x270 16200+0x30"},
    "SnowgaugeEntriesLost": {'snowgauge_eventlog_unreadable_total{instance="a"}': "_x290 1+0x10"},
    "SnowgaugeEventLogFillsUp": {
        'snowgauge_eventlog_room_bytes{instance="a"}': f"{8 * GB}+0x250 {8 * GB}-{100 * 1024**2}x50",
    },
    "SnowgaugeDiskFillsUp": {'snowgauge_disk_free_bytes{instance="a"}': f"{5 * GB}+0x300"},
    "SnowgaugeManyEventsFail": {
        'snowgauge_pipeline_outcomes_total{instance="a",outcome="failed"}': "0+60x300",
    },
    # the series begins with the trouble itself: nobody counted before
    "SnowgaugePoison": {'snowgauge_pipeline_poison_total{instance="a"}': "_x290 1+0x10"},
    "SnowgaugeStoreTriesRepeated": {
        'snowgauge_pipeline_retries_total{instance="a",reason="store"}': "0+0x280 0+3x20",
    },
    "SnowgaugeRowsRefused": {'snowgauge_store_refused_total{instance="a"}': "4+0x290 5+0x10"},
    "SnowgaugeRegistryAway": {'snowgauge_iglu_lookups_total{instance="a",result="outage"}': "0+0x250 0+1x50"},
    "SnowgaugeEnrichmentFails": {
        'snowgauge_enrichment_errors_total{instance="a",enrichment="weather"}': "0+9x300",
    },
    "SnowgaugeAssetOld": {'snowgauge_asset_refresh_failures_total{instance="a",asset="x"}': "0+1x300"},
    "SnowgaugeEngineRefuses": {'snowgauge_engine_queries_total{instance="a",result="refused"}': "0+60x300"},
    "SnowgaugeCertificateEnds": {
        'snowgauge_tls_certificate_expires_timestamp{instance="a",domain="x.example"}': f"{5 * 86400}+0x300",
    },
    "SnowgaugeCertificateNotIssued": {
        'snowgauge_tls_certificate_failures_total{instance="a",domain="x.example"}': "_x290 1+0x10",
    },
}
"""What makes each alert fire, beside what works."""


def case(name, series, firing):
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "300m",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in firing],
            }
        ],
    }


def test_each_alert_fires_for_its_trouble_and_for_no_other(tool, tmp_path):
    assert set(WRONG) == {rule["alert"] for rule in RULES}
    cases = [case("well", WELL, [])]
    cases += [case(alert, {**WELL, **series}, [alert]) for alert, series in WRONG.items()]
    file = tmp_path / "alerts.test.yaml"
    rules = str(ROOT / "deploy" / "prometheus" / "alerts.yaml")
    file.write_text(yaml.safe_dump({"rule_files": [rules], "evaluation_interval": "5m", "tests": cases}))
    done = tool("promtool", "test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the figures themselves ----------------------------------------------------------------------------------------


def set_in_the_code():
    """Calls that set a figure: kind, name, labels in order, and where."""
    kinds = {"count": "counter", "gauge": "gauge", "observe": "histogram", "observe_all": "histogram"}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if "snowgauge.telemetry.metrics import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in kinds:
                continue
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                labels = tuple(keyword.arg for keyword in node.keywords if keyword.arg != "amount")
                yield kinds[node.func.id], first.value, labels, f"{path.relative_to(SOURCE)}:{node.lineno}"


def test_every_figure_of_the_table_is_set_somewhere_with_its_labels():
    table = {metric.name: metric for metric in METRICS}
    calls = list(set_in_the_code())
    for kind, name, labels, place in calls:
        assert name in table, f"{place}: {name} is not in the table"
        assert (table[name].kind, table[name].labels) == (kind, labels), place
    assert {name for _, name, _, _ in calls} == set(table)


def test_every_stage_has_figures():
    stages = ("collector", "eventlog", "pipeline", "sink", "enrichment", "failed", "store", "engine", "iglu",
              "registry", "proxy", "tls", "process", "disk", "part", "asset", "enrich", "model", "alert")  # fmt: skip
    assert {metric.name.partition("_")[0] for metric in METRICS} == set(stages)


# ---- containers ----------------------------------------------------------------------------------------------------


def test_the_compose_file_fits_its_schema_and_mounts_what_is_there(tool):
    name = "deploy/compose/observability.yaml"
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", name)
    assert done.returncode == 0, done.stdout + done.stderr
    compose = yaml.safe_load((ROOT / name).read_text())
    main = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert not set(compose["services"]) & set(main["services"])
    assert set(compose["services"]["grafana"]["networks"]) <= set(main["networks"])
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in compose["volumes"], volume
    default = re.search(r"SNOWGAUGE_SERVICE:-(\w+)", compose["services"]["prometheus"]["network_mode"])
    assert default is not None
    assert default[1] in main["services"]
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/snowgauge.yaml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    assert any(
        volume.partition(":")[2].startswith(f"{folder}/snowgauge.json")
        for volume in compose["services"]["grafana"]["volumes"]
    )
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/snowgauge.yaml").read_text())
    assert source["datasources"][0]["url"].removeprefix("$") in compose["services"]["grafana"]["environment"]
