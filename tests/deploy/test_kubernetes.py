"""The Kubernetes manifests: built by kustomize, checked against Kubernetes' own schemas, and their promises."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from snowgauge.settings.load import load

ROOT = Path(__file__).parents[2]
OVERLAYS = sorted(path.name for path in (ROOT / "deploy" / "kubernetes" / "overlays").iterdir())


@pytest.fixture(params=OVERLAYS)
def overlay(request):
    return request.param


@pytest.fixture
def built(overlay, tmp_path):
    """The overlay's manifests, as one file and as values."""
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
