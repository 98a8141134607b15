"""The routing as files: each proxy's own checker takes them, and what they route is what the settings say."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml

from snowgauge.errors import SettingsError
from snowgauge.pipeline.proxy.files import for_people
from snowgauge.pipeline.proxy.routing import routing
from snowgauge.settings.load import load
from snowgauge.testing.certificates import self_signed
from snowgauge.testing.deployment import free_port, wait_until

GOOD, OTHER, CONSOLE = "good.snowgauge.example", "other.snowgauge.example", "console.snowgauge.example"

EVERYTHING = {
    "domains": f"{GOOD},{OTHER}",
    "console_domain": CONSOLE,
    "agent": "on",
    "trusted_proxies": "10.0.0.0/8,2001:db8::/32",
    "hsts_subdomains": "on",
    "min_version": "1.3",
    "acme.email": "ops@snowgauge.example",
    "acme.challenge": "tls-alpn-01",
    "acme.staging": "on",
    "acme.eab_key_id": 'k"1',
    "acme.eab_hmac_key": "c2VjcmV0",
}
VARIANTS = {
    "one name": {"domains": GOOD},
    "everything": EVERYTHING,
    "plain http too": {"domains": GOOD, "redirect_http": "off", "console_domain": CONSOLE},
    "other ports": {"domains": GOOD, "http_port": "8080", "https_port": "8443", "interface": "127.0.0.1", "hsts": "0"},
    "ports sent on": {"domains": GOOD, "http_port": "8080", "https_port": "8443", "public_port": "443"},
}


def settings(tmp_path, tls, **more):
    flags = [*(f"tls.{key}={value}" for key, value in tls.items()), *(f"{k}={v}" for k, v in more.items())]
    return load(flags=flags, folder=tmp_path).settings


def own(tmp_path, names):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    self_signed(names, chain, key)
    return {"certificate": chain, "private_key": key}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_caddy_takes_its_file(tmp_path, variant):
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("no caddy on this machine, so its file is not checked by it")
    (file, text), *rest = for_people(settings(tmp_path, variant), "caddy").items()
    assert not rest
    (tmp_path / file).write_text(text)
    command = [program, "adapt", "--config", tmp_path / file, "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "not formatted" not in done.stderr, text


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_nginx_takes_its_file(tmp_path, variant):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("no nginx on this machine, so its file is not checked by it")
    files = for_people(settings(tmp_path, {**variant, **own(tmp_path, [GOOD, OTHER, CONSOLE])}), "nginx")
    conf = nginx_main(tmp_path, files["snowgauge.conf"])
    done = subprocess.run([program, "-t", "-p", tmp_path, "-c", conf], capture_output=True, text=True, check=False)
    # without root nginx cannot bind port 80 for its test, which comes after the file was understood
    assert "syntax is ok" in done.stderr, done.stderr


def nginx_main(tmp_path, text):
    (tmp_path / "snowgauge.conf").write_text(text)
    temporary = "".join(f"{kind}_temp_path {tmp_path};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    main = f"pid {tmp_path}/nginx.pid; daemon off; error_log stderr; events {{}}\nhttp {{ access_log off; "
    main += f"client_body_temp_path {tmp_path}; {temporary} include {tmp_path}/snowgauge.conf; }}\n"
    (tmp_path / "nginx.conf").write_text(main)
    return tmp_path / "nginx.conf"


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_traefiks_files_route_everything_and_hide_the_account(tmp_path, variant):
    given = settings(tmp_path, variant)
    files = for_people(given, "traefik")
    static, dynamic = yaml.safe_load(files["traefik.yaml"]), yaml.safe_load(files["routes.yaml"])
    assert static["providers"]["file"]["filename"] == "/etc/traefik/routes.yaml"
    assert static["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}
    assert "api" not in static
    routers = dynamic["http"]["routers"].values()
    for route in routing(given).routes:
        assert any(f"Host(`{route.host}`)" in router["rule"] for router in routers)
    for router in routers:
        assert router["service"] in dynamic["http"]["services"]
        assert set(router["entryPoints"]) <= set(static["entryPoints"])
        assert set(router.get("middlewares", [])) <= set(dynamic["http"].get("middlewares", {}))
        if "tls" in router:
            assert router["tls"]["certResolver"] in static["certificatesResolvers"]
            assert router["tls"]["options"] in dynamic["tls"]["options"]


def test_nginx_really_routes_and_believes_nobody(front, tmp_path):
    """The generated file in a running nginx, asked as the other proxies are."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("no nginx on this machine")
    import ssl

    pair = own(tmp_path, [GOOD, CONSOLE])
    given = front.settings(domains=GOOD, console_domain=CONSOLE, agent="on", **pair)
    conf = nginx_main(tmp_path, for_people(given, "nginx")["snowgauge.conf"])
    trusting = ssl.create_default_context(cafile=str(pair["certificate"]))
    with subprocess.Popen([program, "-p", tmp_path, "-c", conf, "-g", "user root;" if is_root() else ""]) as process:
        try:
            wait_until(lambda: front.served(GOOD) is not None, "nginx serves")
            target = "/i?u=https%3A%2F%2Fa%2F&x=%zz;b"
            sent = front.get(trusting, GOOD, target, "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: http")
            assert f"collector\nGET {target} HTTP/1.1" in sent
            assert "x-forwarded-for: 127.0.0.1\n" in sent.lower().replace("\r", "")
            assert "x-forwarded-proto: https" in sent.lower()
            assert "strict-transport-security: max-age=31536000\r\n" in sent.lower()
            assert "console\nGET /agent/x" in front.get(trusting, GOOD, "/agent/x")
            assert "collector\nGET /agents" in front.get(trusting, GOOD, "/agents")
            assert "console\nGET /" in front.get(trusting, CONSOLE)
            assert f"location: https://{GOOD}:{front.https_port}/i?a=1" in front.get_plain(GOOD, "/i?a=1").lower()
        finally:
            process.terminate()


def is_root():
    import os

    return os.geteuid() == 0


def test_own_certificates_are_named_not_copied(tmp_path):
    pair = own(tmp_path, [GOOD])
    key = pair["private_key"].read_text()
    for program in ("traefik", "caddy", "nginx"):
        text = "".join(for_people(settings(tmp_path, {"domains": GOOD, **pair}), program).values())
        assert str(pair["private_key"]) in text
        assert key.splitlines()[1] not in text


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ({"domains": "https://a.example.com"}, "without https://"),
        ({"domains": "a.example.com:443"}, "without https:// or port"),
        ({"domains": "127.0.0.1"}, "found the address"),
        ({"domains": "*.example.com"}, "wildcards"),
        ({"domains": "localhost"}, "full name"),
        ({"domains": "a..example.com"}, "full name"),
        ({"domains": "a b.example.com"}, "full name"),
        ({"domains": "`a.example.com"}, "full name"),
        ({"domains": f"{GOOD},{GOOD}"}, "stands twice"),
        ({"domains": GOOD, "console_domain": GOOD}, "stands twice"),
        ({"console_domain": CONSOLE}, "console_domain needs domains"),
        ({"domains": GOOD, "certificate": "x.pem"}, "come together"),
        ({"domains": GOOD, "acme.eab_key_id": "x"}, "come together"),
        ({"domains": GOOD, "http_port": "443"}, "two ports"),
        ({"domains": GOOD, "acme.staging": "on", "acme.directory": "https://ca.example/dir"}, "staging"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_reason(tmp_path, tls, says):
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, tls)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("tls", "more", "says"),
    [
        ({}, {}, "--domain"),
        ({"domains": GOOD, "agent": "on"}, {"console.enabled": "off"}, "tls.agent"),
        ({"domains": GOOD, "console_domain": CONSOLE}, {"console.enabled": "off"}, "tls.console_domain"),
        (
            {"domains": GOOD},
            {"collector.ssl.enable": "on", "collector.ssl.certificate": "a", "collector.ssl.private_key": "b"},
            "collector.ssl.enable",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, tls, more, says):
    with pytest.raises(SettingsError, match=says):
        routing(settings(tmp_path, tls, **more))


def test_names_are_written_in_one_way(tmp_path):
    assert settings(tmp_path, {"domains": "Collector.Example.COM."}).tls.domains == ["collector.example.com"]


def test_the_private_port_behind_the_proxy_needs_an_admin(tmp_path):
    from snowgauge.pipeline.private_port import open_access, open_doors

    for tls in ({"domains": GOOD, "console_domain": CONSOLE}, {"domains": GOOD, "agent": "on"}):
        given = settings(tmp_path, tls, **{"common.data_dir": tmp_path / "data"})
        with pytest.raises(SettingsError, match="there is no admin yet"):
            open_doors(given)
    given = settings(tmp_path, {"domains": GOOD}, **{"common.data_dir": tmp_path / "data"})
    doors = open_doors(given)
    assert doors.open()
    doors.access.close()
    access = open_access(given)
    access.add_person("ada", "correct horse battery", "admin")
    access.close()
    given = settings(tmp_path, EVERYTHING, **{"common.data_dir": tmp_path / "data"})
    doors = open_doors(given)
    assert not doors.open()
    assert doors.secure_cookies
    doors.access.close()


def test_snippets_show_the_public_address(tmp_path):
    from snowgauge.pipeline.build import collector_url

    assert collector_url(settings(tmp_path, {"domains": GOOD})) == f"https://{GOOD}"
    assert collector_url(settings(tmp_path, VARIANTS["other ports"])) == f"https://{GOOD}:8443"
    assert collector_url(settings(tmp_path, VARIANTS["ports sent on"])) == f"https://{GOOD}"


def test_ports_are_looked_at_before_anything_starts(tmp_path):
    import socket

    from snowgauge.pipeline.proxy.programs import find_program, refuse_ports

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = settings(
            tmp_path, {"domains": GOOD, "interface": "127.0.0.1", "https_port": port, "http_port": str(free_port())}
        )
        with pytest.raises(SettingsError, match=f"tls.https_port: something else listens on port {port}"):
            refuse_ports(given.tls)
    given = settings(tmp_path, {"domains": GOOD, "program": tmp_path / "none"})
    with pytest.raises(SettingsError, match="is not a program"):
        find_program(given.tls, {})
    given = settings(tmp_path, {"domains": GOOD, "proxy": "caddy"})
    with pytest.raises(SettingsError, match="caddy is not on this machine"):
        find_program(given.tls, {"PATH": str(tmp_path)})
