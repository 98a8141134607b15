"""Dockerfile and compose.yaml, as far as they can be tried without a container engine."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from snowgauge.settings.load import load
from snowgauge.testing.deployment import free_port, wait_until

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
IMAGES = [name for name, service in COMPOSE["services"].items() if service["image"].startswith("snowgauge")]
SPREAD = [name for name in IMAGES if "spread" in COMPOSE["services"][name]["profiles"]]
OURS = [name for name in IMAGES if name not in SPREAD]


def instructions(kind):
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    return [line.partition(" ")[2].strip() for line in joined.splitlines() if line.strip().startswith(f"{kind} ")]


def image_environment():
    return dict(word.split("=", 1) for line in instructions("ENV") for word in shlex.split(line))


def test_the_linter_has_nothing_to_say(tool):
    done = tool("hadolint", "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_compose_fits_its_schema(tool):
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_copied_is_there_and_reaches_the_builder():
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in instructions("COPY"):
        words = line.split()
        if words[0].startswith("--from="):
            assert words[0].removeprefix("--from=") in re.findall(r" AS (\w+)", DOCKERFILE)
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch.fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in kept), source


def test_the_image_runs_as_nobody_special_and_asks_its_own_health():
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", instructions("USER")[-1])
    assert json.loads(instructions("VOLUME")[-1]) == ["/data"]
    assert json.loads(instructions("ENTRYPOINT")[-1]) == ["snowgauge"]
    settings = load(environment=image_environment(), folder=Path("/nonexistent")).settings
    assert settings.common.data_dir == Path("/data")
    assert {str(settings.collector.port), str(settings.console.port)} <= set(instructions("EXPOSE")[-1].split())


def test_commands_in_the_image_exist(program_exists):
    program_exists(json.loads(instructions("CMD")[-1]))
    for words in re.findall(r"-m snowgauge ([^\\;&\n]+)", DOCKERFILE):
        program_exists(shlex.split(words))


@pytest.mark.parametrize("profile", ["embedded", "clickhouse", "postgres"])
def test_a_profile_runs_one_snowgauge_with_what_it_needs(profile):
    chosen = {name: one for name, one in COMPOSE["services"].items() if profile in one["profiles"]}
    ours = [name for name in chosen if name in OURS]
    assert len(ours) == 1
    service = chosen[ours[0]]
    assert set(service.get("depends_on", {})) == set(chosen) - set(ours)
    for name in service.get("depends_on", {}):
        assert "healthcheck" in chosen[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", SPREAD)
def test_each_part_of_the_spread_form_is_a_command_with_settings(name, program_exists, tmp_path):
    service = COMPOSE["services"][name]
    program_exists(service["command"])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    subprocess.run(
        [ROOT / "deploy" / "compose" / "make-secrets.sh", tmp_path / "secrets"], check=True, capture_output=True
    )
    environment = {
        key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)).replace("/run/secrets", str(tmp_path / "secrets"))
        for key, value in service["environment"].items()
    }
    settings = load(environment=environment, folder=tmp_path).settings
    host, _, port = settings.eventlog.url.removeprefix("kafka://").partition(":")
    assert f"PLAINTEXT://{host}:{port}" == COMPOSE["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.store.url.get_secret_value().startswith("clickhouse://")
    assert settings.shared_state.key.get_secret_value()
    for needed, about in service["depends_on"].items():
        there = COMPOSE["services"][needed]
        assert "spread" in there["profiles"]
        assert about["condition"] in ("service_healthy", "service_completed_successfully")
        assert ("healthcheck" in there and about["condition"] == "service_healthy") or there["restart"] == "no"


def test_only_collectors_and_the_console_of_the_spread_form_are_reached_from_outside():
    reached = {name for name in SPREAD if COMPOSE["services"][name]["ports"]}
    assert reached == {"collector"}
    assert {name for name in SPREAD if "front" in COMPOSE["services"][name]["networks"]} == {"collector", "private"}
    commands = {COMPOSE["services"][name]["command"][0] for name in SPREAD}
    assert {"collector", "pipeline", "modeller", "console"} <= commands


def test_the_default_profile_needs_no_secret():
    given = dict(
        line.split("=", 1) for line in (ROOT / ".env").read_text().splitlines() if "=" in line and line[0] != "#"
    )
    assert given["COMPOSE_PROFILES"] == "embedded"
    assert "secrets" not in COMPOSE["services"]["embedded"]
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    assert set(given) - {"COMPOSE_PROFILES"} <= used, "a variable of .env that nothing uses"


def test_every_secret_volume_and_network_is_defined():
    for service in COMPOSE["services"].values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith("/") or source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_the_services_settings_are_settings(name, tmp_path):
    """With the secret files that make-secrets.sh makes, at the paths where the container has them."""
    script = ROOT / "deploy" / "compose" / "make-secrets.sh"
    subprocess.run([script, tmp_path / "secrets"], check=True, capture_output=True)
    environment = {
        key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)).replace("/run/secrets", str(tmp_path / "secrets"))
        for key, value in COMPOSE["services"][name]["environment"].items()
    }
    loaded = load(environment=environment, folder=tmp_path)
    url = loaded.settings.store.url
    text = url.get_secret_value() if hasattr(url, "get_secret_value") else str(url or "")
    assert (
        text.partition(":")[0] == {"embedded": "", "with-clickhouse": "clickhouse", "with-postgres": "postgresql"}[name]
    )
    if text:
        database = COMPOSE["services"][name.removeprefix("with-")]["environment"]
        user = database.get("POSTGRES_USER") or database["CLICKHOUSE_USER"]
        password = (tmp_path / "secrets" / f"{name.removeprefix('with-')}_password").read_text()
        assert f"//{user}:{password}@{name.removeprefix('with-')}:" in text


def test_secrets_are_made_once_in_a_closed_folder(tmp_path):
    script, folder = ROOT / "deploy" / "compose" / "make-secrets.sh", tmp_path / "secrets"
    subprocess.run([script, folder], check=True, capture_output=True)
    first = {file.name: file.read_text() for file in folder.iterdir()}
    beside = yaml.safe_load((ROOT / "deploy" / "compose" / "observability.yaml").read_text())
    secrets = [*COMPOSE["secrets"].values(), *beside["secrets"].values()]
    assert {f"{name}" for name in first} == {Path(one["file"]).name for one in secrets}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    subprocess.run([script, folder], check=True, capture_output=True)
    assert {file.name: file.read_text() for file in folder.iterdir()} == first


def test_traefiks_options_are_options_of_traefik(tool):
    done = tool("traefik", "--help")
    known = set(re.findall(r"--([a-z0-9.<>]+)", done.stdout.lower()))
    for word in COMPOSE["services"]["traefik"]["command"]:
        name = word.removeprefix("--").partition("=")[0].lower()
        general = re.sub(r"^(entrypoints|certificatesresolvers)\.[^.]+", r"\1.<name>", name)
        assert general in known, word


def test_the_routes_of_the_labels_lead_to_ports_of_the_image():
    for name in OURS:
        labels = COMPOSE["services"][name]["labels"]
        assert labels["traefik.docker.network"] == f"{COMPOSE['name']}_front"
        services = {value for key, value in labels.items() if re.search(r"routers\.\w+\.service$", key)}
        for service in services:
            port = labels[f"traefik.http.services.{service}.loadbalancer.server.port"]
            assert port in instructions("EXPOSE")[-1].split()


def health_command(port):
    command = json.loads(instructions("HEALTHCHECK")[-1].partition("CMD")[2])
    assert command[0] == "python"
    return [sys.executable, *[word.replace(":8000", f":{port}") for word in command[1:]]]


def can_drop_to(user):
    """May that user run this Python? Not where it lies in another user's home."""
    again = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import snowgauge'], check=True)"
    command = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", sys.executable, "-c", again]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.e2e
def test_it_runs_without_rights_on_a_read_only_root(tmp_path):
    """The container's conditions without a container: no capabilities, everything read-only but the data folder and
    a new /tmp, and the image's user where it may run this Python."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("needs root, unshare and setpriv to make a read-only root file system")
    if any(Path(place).is_relative_to("/tmp") for place in (sys.executable, __file__)):
        pytest.skip("this checkout lies in /tmp, which is replaced inside")
    if subprocess.run(["unshare", "-m", "mount", "-o", "remount,bind,ro", "/"], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    port, console, engine = free_port(), free_port(), free_port()
    user = instructions("USER")[-1].partition(":")[0]
    user = user if can_drop_to(user) else "0"
    data = Path("/var/tmp") / f"snowgauge-read-only-{port}"
    data.mkdir(mode=0o700)
    os.chown(data, int(user), int(user))
    inside = image_environment() | {
        "PATH": os.environ["PATH"],
        "HOME": str(data),
        "SNOWPLOW_COMMON__DATA_DIR": str(data),
        "SNOWPLOW_COLLECTOR__PORT": str(port),
        "SNOWPLOW_CONSOLE__PORT": str(console),
        "SNOWPLOW_CLICKHOUSE__ENGINE__PORT": str(engine),
        "SNOWPLOW_CLICKHOUSE__ENGINE__PASSWORD": "of this test alone",
        "SNOWPLOW_EVENTLOG__SPOOL__MIN_FREE_BYTES": "128 MB",
        "SNOWPLOW_IGLU__IGLU_CENTRAL": "false",
        "SNOWPLOW_COLLECTOR__PRE_TERMINATION_PERIOD": "0",
    }
    if "PYTHONPATH" in os.environ:
        inside["PYTHONPATH"] = os.environ["PYTHONPATH"]
    drop = f"setpriv --reuid {user} --regid {user} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs"
    # the private mount namespace ends with the process: nothing of it is seen outside
    script = (
        f"mount --bind {data} {data} && mount -t tmpfs tmpfs /tmp && mount -o remount,bind,ro / && cd {data} && "
        f"! touch /etc/x 2>/dev/null && "
        f"exec {drop} {sys.executable} -m snowgauge serve"
    )
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(["unshare", "-m", "sh", "-c", script], env=inside, stdout=out, stderr=out)
    try:

        def healthy():
            assert process.poll() is None, log.read_text()
            return subprocess.run(health_command(port), capture_output=True, check=False).returncode == 0

        wait_until(healthy, "the health check of the image passes", within=180)
        urllib.request.urlopen(f"http://127.0.0.1:{port}/i?e=pv&p=web&tv=t&aid=ro", timeout=10).close()
        count = urllib.request.Request(
            f"http://127.0.0.1:{engine}/?query=SELECT%20count()%20FROM%20atomic.events",
            headers={"X-ClickHouse-User": "default", "X-ClickHouse-Key": "of this test alone"},
        )

        def stored():
            try:
                return urllib.request.urlopen(count, timeout=10).read() == b"1\n"
            except OSError:
                return False

        wait_until(stored, "the event is stored", within=180)
        assert {file.stat().st_uid for file in data.rglob("*")} == {int(user)}
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(data)
    assert "Read-only" not in log.read_text()
    assert subprocess.run(health_command(port), capture_output=True, check=False).returncode != 0
