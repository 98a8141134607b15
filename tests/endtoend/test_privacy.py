"""Erasing, backing up and restoring a deployment that runs, by its commands."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = pytest.mark.e2e


def visit(deployment: Deployment, user: str) -> None:
    urlopen(f"{deployment.url}/i?e=pv&p=web&tv=t&aid=x&uid={user}").read()


def users(deployment: Deployment) -> dict[str, int]:
    rows = deployment.sql("SELECT user_id, toUInt32(count()) AS n FROM atomic.events GROUP BY 1")
    return {row["user_id"]: row["n"] for row in rows}


def test_a_person_is_erased_from_a_running_deployment_and_stays_erased_after_a_restore(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path / "data", {"iglu.iglu_central": "false"})
    with deployment:
        for number in range(12):
            visit(deployment, "ann" if number % 3 == 0 else "bob")
        deployment.events("x", 12)
        deployment.command("backup", str(tmp_path / "backup"))
        plan = json.loads(deployment.command("erase", "--user-id", "ann", "--json"))
        assert {place["place"]: place["items"] for place in plan["places"]}["events"] == 4
        assert users(deployment) == {"ann": 4, "bob": 8}
        report = json.loads(deployment.command("erase", "--user-id", "ann", "--yes", "--by", "desk", "--json"))
        # the event log had them too: stored, and not deleted yet
        assert {one["place"]: one["removed"] for one in report["taken"]}["event_log"] == 4
        assert users(deployment) == {"bob": 8}
        for file in (deployment.data_dir / "spool").iterdir():
            assert b"uid=ann" not in file.read_bytes()
        deployment.command("export", "events", str(tmp_path / "out"), "--format", "tsv")
        (exported,) = (tmp_path / "out").rglob("*.tsv")
        assert exported.read_text().count("\n") == 8
        # whoever comes back is a visitor like any other
        visit(deployment, "ann")
        wait_until(lambda: users(deployment) == {"ann": 1, "bob": 8}, "the returning visitor is stored")
    deployment.command("restore", str(tmp_path / "backup"), "--replace")
    with deployment:
        assert users(deployment) == {"bob": 8}
        visit(deployment, "eve")
        wait_until(lambda: users(deployment) == {"bob": 8, "eve": 1}, "it goes on storing")
