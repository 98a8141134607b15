"""`snowgauge micro` as a process: what it writes, where it posts, what it refuses."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.testing.deployment import free_port, wait_until
from snowgauge.testing.micro import Micro
from snowgauge.testing.web import serving

QUIET = ("--set", "iglu.iglu_central=false", "--set", "logging.level=WARNING")


def track(micro, query="e=pv&aid=shop"):
    with urllib.request.urlopen(f"{micro.url}/i?{query}", timeout=30) as answer:
        assert answer.status == 200


def lines(micro):
    return [line for line in micro.log.splitlines() if "shop" in line and "BAD" not in line]


@pytest.mark.e2e
@pytest.mark.parametrize("flag", ["--output-tsv", "-j"])
def test_events_are_written_as_they_come(flag) -> None:
    with Micro(*QUIET, flag) as micro:
        track(micro)
        track(micro, "e=pv&aid=shop&eid=bad")
    valid, incomplete = lines(micro)
    if flag == "-j":
        assert json.loads(valid)["app_id"] == "shop"
        assert "contexts_com_snowplowanalytics_snowplow_failure_1" in json.loads(incomplete)
    else:
        assert [len(line.split("\t")) for line in (valid, incomplete)] == [len(ATOMIC_FIELDS)] * 2


@pytest.mark.e2e
def test_events_are_posted_and_a_deaf_destination_costs_no_request() -> None:
    with serving() as web:
        answers = iter([(500, b""), (200, b"")])
        web.answers["/in"] = lambda _: next(answers)
        with Micro(*QUIET, "--output-tsv", "--destination", f"{web.url}/in", "--no-storage") as micro:
            for _ in range(2):
                track(micro)
            assert micro.request("GET", "/micro/all") == (404, b"")
            wait_until(lambda: len(web.asked) == 2, "both batches were posted")
        assert web.asked[1].headers["content-type"] == "text/tab-separated-values"
        assert web.asked[1].body.startswith(b"shop\t")
        assert "output_not_delivered" in micro.log


@pytest.mark.e2e
def test_events_are_told_on_standard_error() -> None:
    with Micro("--set", "iglu.iglu_central=false") as micro:
        track(micro)
        track(micro, "e=pv&eid=bad")
    schema = "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"
    assert f"app_id:shop type:page_view ({schema})" in micro.log
    assert "BAD {" in micro.log


@pytest.mark.e2e
def test_https_and_a_configuration_file_as_micro_takes_them(tmp_path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1)).not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    encrypted = BestAvailableEncryption(b"changeit")
    file = tmp_path / "ssl-certificate.p12"
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"micro", key, made, None, encrypted))
    config = tmp_path / "micro.conf"
    config.write_text('collector { cookie { name = "mine" } }')
    port = str(free_port())
    arguments = (*QUIET, "--files", str(tmp_path), "--https-port", port, "--config", str(config))
    trusted = ssl.create_default_context(cadata=made.public_bytes(Encoding.PEM).decode())
    with Micro(*arguments, environment={"MICRO_SSL_CERT_PASSWORD": "changeit"}) as micro:
        with urllib.request.urlopen(f"https://localhost:{port}/i?e=pv", context=trusted, timeout=30) as answer:
            assert answer.headers["set-cookie"].startswith("mine=")
        track(micro)
        assert micro.all() == {"total": 2, "good": 2, "bad": 0}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-t", "-j"], "exclude each other"),
        (["--destination", "http://x"], "--destination needs"),
        (["--collector-config", "none.conf"], "none.conf is not a file"),
    ],
)
def test_options_that_do_not_fit(arguments, text) -> None:
    done = run(*arguments)
    assert (done.returncode, text in done.stderr) == (2, True), done.stderr


@pytest.mark.e2e
def test_micros_version_flag() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "snowgauge")


@pytest.mark.e2e
def test_a_port_that_somebody_listens_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--host", "127.0.0.1", "--port", str(taken.getsockname()[1]), *QUIET)
    assert done.returncode == 2
    assert "something else listens on port" in done.stderr


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "snowgauge", "micro", *arguments],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.e2e
def test_a_test_suite_waits_for_nothing_that_micro_does_not_need() -> None:
    """Start-up is imports: those of the private port and of databases would double it."""
    heavy = ("fastapi", "chdb", "clickhouse_connect", "psycopg", "jwt", "snowgauge.cli.serve_command")
    program = (
        "import sys; sys.argv[:] = ['snowgauge', 'micro']; import snowgauge.cli.main, snowgauge.pipeline.build, "
        f"snowgauge.pipeline.micro_options; print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "[]\n", done.stdout + done.stderr
