"""The dialect of schemas, row by row, from the tables beside this file (enrich 6.10)."""

import json
from pathlib import Path

import pytest

from snowgauge.iglu.compiled import SchemaIssues, compile_schema
from snowgauge.iglu.patterns import PatternError, translate
from snowgauge.iglu.validation import check_data

TABLES = Path(__file__).parent / "conformance"


def table(name):
    return json.loads((TABLES / f"{name}.json").read_text(encoding="utf-8"))


def named(name):
    return [pytest.param(row, id=row["name"]) for row in table(name)]


def check(schema, data):
    return check_data(compile_schema(schema, 50), data, 50)


@pytest.mark.parametrize("row", named("acceptance"))
def test_which_schemas_are_usable(row):
    if row["usable"]:
        compile_schema(row["schema"], 50)
        return
    with pytest.raises(SchemaIssues) as refused:
        compile_schema(row["schema"], 50)
    assert all(issue.path.startswith("$") and issue.message for issue in refused.value.issues)
    assert row.get("issue", "") in str(refused.value)


@pytest.mark.parametrize("row", named("instances"))
def test_which_data_is_valid(row):
    wrong = [data for data in row["valid"] if check(row["schema"], data)]
    wrong += [data for data in row["invalid"] if not check(row["schema"], data)]
    assert wrong == []


@pytest.mark.parametrize("row", named("reports"))
def test_what_reports_say(row):
    found = [[r["message"], r["path"], r["keyword"], r["targets"]]
             for r in (report.as_json() for report in check(row["schema"], row["data"]))]  # fmt: skip
    assert sorted(found, key=json.dumps) == sorted(row["reports"], key=json.dumps)


@pytest.mark.parametrize(("name", "row"), table("formats").items())
def test_formats(name, row):
    schema = {"format": name}
    assert [text for text in row["accepts"] if check(schema, text)] == []
    assert [text for text in row["rejects"] if not check(schema, text)] == []
    assert {report.keyword for text in row["rejects"] for report in check(schema, text)} <= {row["keyword"]}


@pytest.mark.parametrize("name", table("formats"))
def test_formats_look_at_texts_only(name):
    assert [data for data in (1, 1.5, None, True, [], {}) if check({"format": name}, data)] == []


@pytest.mark.parametrize("row", [pytest.param(row, id=row["java"] or "empty") for row in table("patterns")])
def test_patterns_mean_what_they_mean_in_java(row):
    if "error" in row:
        with pytest.raises(PatternError, match=row["error"]):
            translate(row["java"])
        return
    schema = {"pattern": row["java"]}
    assert [text for text in row["finds"] if check(schema, text)] == []
    assert [text for text in row["misses"] if not check(schema, text)] == []


@pytest.mark.parametrize("levels", range(1, 8))
def test_depth_counts_the_root_and_scalars(levels):
    """Data of as many levels as allowed passes; one more is refused with the one report that says so."""
    data = 1
    for _ in range(levels - 1):
        data = {"a": [data]} if levels > 50 else [data]
    rules = compile_schema({}, 50)
    assert check_data(rules, data, levels) == []
    (report,) = check_data(rules, data, levels - 1)
    assert report.as_json() == {
        "message": "Maximum allowed JSON depth exceeded",
        "path": "/",
        "keyword": None,
        "targets": [],
    }


def test_a_schema_that_is_too_deep_is_unusable():
    schema = {}
    for _ in range(30):
        schema = {"properties": {"a": schema}}
    compile_schema(schema, 61)
    with pytest.raises(SchemaIssues) as refused:
        compile_schema(schema, 60)
    assert [(i.path, i.message) for i in refused.value.issues] == [("/", "Maximum allowed JSON depth exceeded")]
