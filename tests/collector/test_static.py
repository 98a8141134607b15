"""Scripts of the collector's own host: fresh, small, readable from every site, and nothing else."""

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.collector.static import StaticFiles
from snowgauge.delivery.memory import MemoryLog
from snowgauge.testing.asgi import Client

SCRIPT = b"window.snowplow = 1;\n" * 100


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.js").write_text("secret")
    made = tmp_path / "static"
    (made / "plugins" / "a" / "dist").mkdir(parents=True)
    (made / "sp.js").write_bytes(SCRIPT)
    (made / "sp-4.6.8.js").write_bytes(SCRIPT)
    (made / "small.js").write_text("1")
    (made / "pixel.bin").write_bytes(bytes(1000))
    (made / ".hidden.js").write_text("hidden")
    (made / "plugins" / "a" / "dist" / "index.umd.min.js").write_bytes(SCRIPT)
    (made / "outside.js").symlink_to(tmp_path / "secret.js")
    return made


def collector(folder, names=None):
    """A collector that serves the folder, as it is wired."""
    files = StaticFiles(folder, names=names)
    paths = {"/static": files, **dict.fromkeys(names or (), files)}
    return Client(create_app(CollectorSettings(), MemoryLog().writer(), more=paths))


@pytest.fixture
def client(folder):
    with collector(folder, {"/k3/quiet.js": "sp.js"}) as made:
        yield made


def test_a_script_with_everything_a_browser_needs(client):
    answer = client.request("GET", "/static/sp.js")
    assert (answer.status, answer.body) == (200, SCRIPT)
    assert answer["content-type"] == "text/javascript; charset=utf-8"
    assert answer["content-length"] == str(len(SCRIPT))
    assert answer["cache-control"] == "public, max-age=3600"
    assert answer["access-control-allow-origin"] == "*"
    assert answer["cross-origin-resource-policy"] == "cross-origin"
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["vary"] == "accept-encoding"


def test_names_with_a_version_are_kept_for_ever(client):
    assert client.request("GET", "/static/sp-4.6.8.js")["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/static/plugins/a/dist/index.umd.min.js", "/k3/quiet.js"])
def test_other_names_of_scripts(client, path):
    assert client.request("GET", path).body == SCRIPT


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_compression(client, accepted, packed):
    answer = client.request("GET", "/static/sp.js", [("Accept-Encoding", accepted)])
    assert (answer["content-encoding"] == "gzip") is packed
    assert (gzip.decompress(answer.body) if packed else answer.body) == SCRIPT
    assert answer["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("name", ["small.js", "pixel.bin"])
def test_what_is_not_worth_compressing(client, name):
    answer = client.request("GET", f"/static/{name}", [("Accept-Encoding", "gzip")])
    assert (answer.status, answer["content-encoding"], answer["vary"]) == (200, None, None)


def test_a_known_version_is_not_sent_again(client, folder):
    first = client.request("GET", "/static/sp.js")
    packed = client.request("GET", "/static/sp.js", [("Accept-Encoding", "gzip")])
    assert first["etag"] != packed["etag"]
    for tag in (first["etag"], f"W/{first['etag']}", f'"x", {first["etag"]}', "*"):
        again = client.request("GET", "/static/sp.js", [("If-None-Match", tag)])
        assert (again.status, again.body, again["etag"]) == (304, b"", first["etag"])
        assert again["cache-control"] == "public, max-age=3600"
    assert client.request("GET", "/static/sp.js", [("If-None-Match", '"other"')]).status == 200
    (folder / "sp.js").write_bytes(b"new")
    changed = client.request("GET", "/static/sp.js", [("If-None-Match", first["etag"])])
    assert (changed.status, changed.body) == (200, b"new")


def test_head_has_the_headers_only(client):
    answer = client.request("HEAD", "/static/sp.js")
    assert (answer.status, answer.body, answer["content-length"]) == (200, b"", str(len(SCRIPT)))


def test_other_methods(client):
    assert (client.request("POST", "/static/sp.js").status, client.request("POST", "/static/sp.js")["allow"]) == (
        405,
        "GET, HEAD",
    )


@pytest.mark.parametrize(
    "path",
    ["/static", "/static/", "/static/nothing.js", "/static/plugins", "/static/../secret.js", "/static/%2e%2e/secret.js",
     "/static/..%2fsecret.js", "/static//etc/passwd", "/static/%2Fetc%2Fpasswd", "/static/.hidden.js",
     "/static/a%00.js", "/static/..\\secret.js", "/static/outside.js", "/static/plugins/../../secret.js",
     "/static/%ff", "/elsewhere"],
)  # fmt: skip
def test_nothing_else_is_served(client, path):
    answer = client.request("GET", path)
    assert (answer.status, answer.body) == (404, b"Not found")


@given(st.text(max_size=30), st.sampled_from(["../secret.js", "secret.js", ".hidden.js"]))
def test_no_path_leads_outside(tmp_path_factory, prefix, name):
    base = tmp_path_factory.getbasetemp() / "outside"
    (base / "static").mkdir(parents=True, exist_ok=True)
    (base / "secret.js").write_text("secret")
    with collector(base / "static") as client:
        assert client.request("GET", f"/static/{prefix}{name}".encode()).body != b"secret"


def test_a_folder_that_comes_later(tmp_path):
    with collector(tmp_path / "later") as client:
        assert client.request("GET", "/static/sp.js").status == 404
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "sp.js").write_bytes(SCRIPT)
        assert client.request("GET", "/static/sp.js").body == SCRIPT
        os.unlink(tmp_path / "later" / "sp.js")
        assert client.request("GET", "/static/sp.js").status == 404
