"""Failed events of a running deployment: diagnosed, given a schema, recovered; and recovered by themselves."""

from __future__ import annotations

import json
import urllib.request

import pytest

from snowgauge.testing.deployment import Deployment, wait_until
from snowgauge.testing.failing import cart_schema, tracked, ue

pytestmark = pytest.mark.e2e


def send(deployment, *events):
    payload = tracked(*events)
    request = urllib.request.Request(
        deployment.url + payload.path, payload.body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def lines(deployment, *arguments):
    return [json.loads(line) for line in deployment.command(*arguments).splitlines()]


def test_by_hand_and_by_itself(tmp_path):
    settings = {
        "iglu.iglu_central": "false",
        "pipeline.auto_recover_interval": "1h",
        "collector.streams.good.max_bytes": "6000",
    }
    with Deployment(tmp_path / "data", settings) as running:
        send(running, *({"ue_pr": ue({"quantity": str(n)})} for n in range(3)), {"ue_pr": ue({"quantity": 4})})
        wait_until(lambda: running.stored() == (0, 4), "four failed events")
        (group,) = lines(running, "failed", "groups", "--json")
        assert group["count"] == 4
        assert b"schema infer" in running.command("failed", "show", group["examples"][0])
        draft = tmp_path / "cart.json"
        running.command("schema", "infer", "--from-failed", group["id"], "--output", str(draft))
        assert json.loads(draft.read_text())["properties"]["quantity"]["type"] == ["string", "integer"]
        draft.write_text(json.dumps(cart_schema()))
        running.command("schema", "lint", str(draft))
        running.command("schema", "add", str(draft))
        edit = ("failed", "recover", "--group", group["id"], "--cast", "event.data.quantity=integer", "--json")
        dry = lines(running, *edit, "--dry-run")
        assert dry[-1]["totals"]["recovered"] == 4
        assert dry[0]["after"]["event"]["data"] == {"quantity": int(dry[0]["before"]["event"]["data"]["quantity"])}
        assert running.stored() == (0, 4)
        assert lines(running, *edit)[-1]["totals"]["events"] == 4
        assert lines(running, *edit)[-1]["totals"]["rows"] == 0
        assert running.stored() == (4, 4)
        (run,) = [r for r in lines(running, "failed", "runs", "--json") if r["totals"]["rows"]]
        assert lines(running, "failed", "list", "--json") == []
        done = lines(
            running, "failed", "list", "--status", "recovered", "--where", f"recovery_run={run['run']}", "--json"
        )
        assert len(done) == 4

        with urllib.request.urlopen(f"{running.url}/i?e=pv&page={'x' * 7000}") as answer:
            assert answer.status == 200
        wait_until(lambda: running.stored() == (4, 5), "a size_violation of the collector")
        told = running.command("failed", "recover", "--type", "size_violation").decode()
        assert "1 not replayable, size_violation: only the beginning of an oversized request is kept" in told

        other = "iglu:com.acme/other/jsonschema/1-0-0"
        send(running, {"ue_pr": ue({"quantity": 1}, other)})
        wait_until(lambda: running.stored() == (4, 6), "a sixth failed event")
    again = Deployment(tmp_path / "data", {**settings, "pipeline.auto_recover_interval": "1s"})
    draft.write_text(json.dumps({**cart_schema(), "self": {**cart_schema()["self"], "name": "other"}}))
    again.command("schema", "add", str(draft))
    with again:
        wait_until(lambda: again.stored("event_name = 'other'")[0] == 1, "the failed event recovers by itself")
