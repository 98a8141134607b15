"""The Kubernetes manifests: built by kustomize, checked against Kubernetes' own schemas, and their promises."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from snowgauge.settings.load import load

ROOT = Path(__file__).parents[2]
OVERLAYS = sorted(path.name for path in (ROOT / "deploy" / "kubernetes" / "overlays").iterdir())
SPREAD = [name for name in OVERLAYS if name.startswith("spread")]


@pytest.fixture(params=[name for name in OVERLAYS if name not in SPREAD])
def overlay(request):
    return request.param


@pytest.fixture
def built(overlay, tmp_path):
    """The overlay's manifests, as one file and as values."""
    return build(overlay, tmp_path)


@pytest.fixture(params=SPREAD)
def spread(request, tmp_path):
    """The same of an overlay whose roles are apart."""
    return build(request.param, tmp_path)


def build(overlay, tmp_path):
    program = shutil.which("kubectl") or shutil.which("kustomize")
    if program is None:
        pytest.skip("no kubectl and no kustomize on this machine")
    verb = "kustomize" if program.endswith("kubectl") else "build"
    done = subprocess.run(
        [program, verb, ROOT / "deploy" / "kubernetes" / "overlays" / overlay],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file = tmp_path / "manifests.yaml"
    file.write_text(done.stdout)
    return file, list(yaml.safe_load_all(done.stdout))


def of_kind(built, kind):
    return [one for one in built[1] if one["kind"] == kind]


def test_kubernetes_schemas_take_them(built, tool):
    done = tool("kubernetes-validate", "--strict", str(built[0]))
    assert done.returncode == 0, done.stdout + done.stderr


def test_pods_run_without_rights_on_a_read_only_root(built):
    (stateful,) = of_kind(built, "StatefulSet")
    pod = stateful["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    user = (ROOT / "Dockerfile").read_text().partition("USER ")[2].partition(":")[0]
    assert str(pod["securityContext"]["runAsUser"]) == user
    written = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert written == {"/data", "/tmp"}


def test_what_is_mounted_and_named_exists(built, program_exists):
    (stateful,) = of_kind(built, "StatefulSet")
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in stateful["spec"]["volumeClaimTemplates"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    program_exists(container["args"])
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    services = {service["metadata"]["name"]: service for service in of_kind(built, "Service")}
    assert stateful["spec"]["serviceName"] in services
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    for service in services.values():
        assert service["spec"]["selector"].items() <= labels.items()
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for ingress in of_kind(built, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"]["name"] in services


def test_its_settings_are_settings(built, tmp_path):
    (stateful,) = of_kind(built, "StatefulSet")
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    (tmp_path / "url").write_text("postgresql://u:p@h/d")
    given = {one["name"]: one["value"].replace("/run/secrets/store", str(tmp_path)) for one in container["env"]}
    loaded = load(environment=given, folder=tmp_path)
    stop = loaded.settings.collector.pre_termination_period + loaded.settings.pipeline.drain_timeout
    assert stateful["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > stop.total_seconds() + 30


def test_several_pods_only_where_they_share_a_database(built, overlay):
    (stateful,) = of_kind(built, "StatefulSet")
    assert (stateful["spec"]["replicas"] == 1) == (overlay == "embedded")


# ---- every role on its own


def pods(spread):
    """The pod of each Deployment, StatefulSet and Job, by name."""
    for kind in ("Deployment", "StatefulSet", "Job"):
        for one in of_kind(spread, kind):
            yield one, one["spec"]["template"]["spec"]


def test_kubernetes_schemas_take_the_spread_form(spread, tool, tmp_path):
    known = [one for one in spread[1] if one["kind"] != "ScaledObject"]  # KEDA's own
    file = tmp_path / "known.yaml"
    file.write_text(yaml.safe_dump_all(known))
    done = tool("kubernetes-validate", "--strict", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_role_runs_without_rights_on_a_read_only_root(spread, program_exists):
    ran = []
    for one, pod in pods(spread):
        name = one["metadata"]["name"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert not pod["automountServiceAccountToken"], name
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes, name
        program_exists(container["args"])
        ran.append(container["args"][0])
    assert sorted(ran) == ["collector", "console", "db", "eventlog", "modeller", "pipeline"]


def test_the_spread_forms_settings_are_settings(spread, tmp_path):
    (settings,) = of_kind(spread, "ConfigMap")
    (tmp_path / "url").write_text("clickhouse://u:p@h:8123")
    (tmp_path / "properties").write_text('{"security.protocol": "SASL_SSL"}')
    (tmp_path / "key").write_text("the key of all machines")
    given = {key: re.sub("/run/secrets/[a-z]+", str(tmp_path), value) for key, value in settings["data"].items()}
    loaded = load(environment=given, folder=tmp_path).settings
    assert loaded.eventlog.kind == "kafka"
    assert loaded.shared_state.key.get_secret_value()
    assert loaded.eventlog.kafka.properties["security.protocol"].get_secret_value() == "SASL_SSL"
    for one, pod in pods(spread):
        if one["metadata"]["name"] in ("collector", "worker"):
            stop = loaded.collector.pre_termination_period + loaded.pipeline.drain_timeout
            assert pod["terminationGracePeriodSeconds"] > stop.total_seconds() + 30
    for scaled in of_kind(spread, "ScaledObject"):
        (trigger,) = scaled["spec"]["triggers"]
        assert trigger["metadata"]["topic"] == loaded.collector.streams.good.name
        assert trigger["metadata"]["consumerGroup"] == loaded.eventlog.kafka.group
        assert f"kafka://{trigger['metadata']['bootstrapServers']}" == loaded.eventlog.url


def test_what_scales_is_there_and_no_worker_is_without_a_partition(spread):
    there = {(one["kind"], one["metadata"]["name"]): one for one, _ in pods(spread)}
    scaled = {}
    for one in of_kind(spread, "HorizontalPodAutoscaler") + of_kind(spread, "ScaledObject"):
        target, spec = one["spec"]["scaleTargetRef"], one["spec"]
        scaled[target["name"]] = spec.get("maxReplicas") or spec.get("maxReplicaCount")
        assert "replicas" not in there[target["kind"], target["name"]]["spec"], "it would undo the scaling"
    assert set(scaled) == {"collector", "worker"}
    setup = there["Job", "setup-topics"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert scaled["worker"] <= int(setup[setup.index("--partitions") + 1])
    assert there["StatefulSet", "console"]["spec"]["replicas"] == 1


def test_services_of_the_spread_form_lead_to_pods(spread):
    labels = [one["spec"]["template"]["metadata"]["labels"] for one, _ in pods(spread)]
    names = {service["metadata"]["name"] for service in of_kind(spread, "Service")}
    for service in of_kind(spread, "Service"):
        assert any(service["spec"]["selector"].items() <= one.items() for one in labels), service["metadata"]["name"]
    for one, _ in pods(spread):
        assert one["spec"].get("serviceName", "worker") in names
