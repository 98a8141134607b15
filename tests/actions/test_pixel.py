"""What is uploaded to a bucket, and the template that makes the buckets."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from snowgauge.actions.imports.access_log import TrackingPaths
from snowgauge.actions.pixel import export
from snowgauge.collector.tracking import PIXEL
from snowgauge.errors import SnowgaugeError

TEMPLATE = Path(__file__).parents[2] / "deploy" / "aws" / "pixel.yaml"


def test_the_pixel_under_every_name_and_a_manifest(tmp_path):
    exported = export(tmp_path, more=["/quiet", "/i"])
    keys = [one.key for one in exported]
    assert keys == [
        "i", "ice.png", "com.snowplowanalytics.snowplow/tp1", "com.snowplowanalytics.snowplow/tp2",
        "com.snowplowanalytics.iglu/v1", "quiet",
    ]  # fmt: skip
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for entry in manifest:
        body = (tmp_path / entry["file"]).read_bytes()
        assert body == PIXEL
        assert hashlib.sha256(body).hexdigest() == entry["sha256"]
        assert (entry["contentType"], entry["cacheControl"]) == ("image/gif", "no-cache, no-store, must-revalidate")
    assert [entry["key"] for entry in manifest] == keys


def test_each_usual_name_is_a_tracking_path_of_the_import(tmp_path):
    paths = TrackingPaths()
    assert all(paths.find(f"/{one.key}") for one in export(tmp_path))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SnowgaugeError, match="cannot be written"):
        export(tmp_path / "file")


def test_the_template_has_nothing_to_complain_about():
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), str(TEMPLATE), "--include-checks", "I"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
