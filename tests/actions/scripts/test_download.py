"""Fetching the trackers' JavaScript, from servers on this machine that answer as the real ones do."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile

import pytest

from snowgauge.actions.scripts.download import download
from snowgauge.actions.scripts.settings import ScriptsSettings
from snowgauge.errors import SnowgaugeError
from snowgauge.testing.web import serving

SCRIPT = b"/* tracker */\n//# sourceMappingURL=sp.js.map\n"
MAP = json.dumps({"version": 3, "file": "sp.js", "mappings": ""}).encode()


def zipped(names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, f"// {name}")
    return buffer.getvalue()


def tarball(script, name="package/dist/index.umd.min.js", source_map=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, body in ((name, script), (f"{name}.map", source_map)):
            if body is not None:
                entry = tarfile.TarInfo(member)
                entry.size = len(body)
                archive.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


@pytest.fixture
def web():
    with serving() as made:
        made.answers = {
            "/4.6.8/sp.js": (200, SCRIPT),
            "/4.6.8/sp.js.map": (200, MAP),
            "/4.6.8/plugins.umd.zip": (200, zipped(["plugins/browser-plugin-media/dist/index.umd.min.js"])),
        }
        yield made


@pytest.fixture
def settings(web):
    return ScriptsSettings(version="4.6.8", release_url=web.url + "/{version}/{file}", npm_registry=web.url)


def test_a_release(settings, tmp_path):
    folder = tmp_path / "static"
    done = download(settings, folder)
    assert (done.version, done.already) == ("4.6.8", False)
    assert (folder / "sp.js").read_bytes() == (folder / "sp-4.6.8.js").read_bytes() == SCRIPT
    assert (folder / "sp.js.map").read_bytes() == MAP
    assert (folder / "loader.js").read_bytes() == SCRIPT.replace(b"sp.js.map", b"loader.js.map")
    assert json.loads((folder / "loader.js.map").read_text())["file"] == "loader.js"
    assert (folder / "plugins/browser-plugin-media/dist/index.umd.min.js").exists()
    assert (folder / "VERSION_4.6.8").read_bytes() == b""
    assert not list(folder.glob("*.zip"))
    record = json.loads((folder / "integrity.json").read_text())
    assert record["files"]["sp.js"] == {
        "sha256": hashlib.sha256(SCRIPT).hexdigest(),
        "integrity": "sha384-" + base64.b64encode(hashlib.sha384(SCRIPT).digest()).decode(),
        "from": settings.release_url.replace("{version}/{file}", "4.6.8/sp.js"),
    }


def test_it_is_done_once_unless_forced(settings, web, tmp_path):
    download(settings, tmp_path)
    asked = len(web.asked)
    assert download(settings, tmp_path).already
    assert len(web.asked) == asked
    assert not download(settings, tmp_path, force=True).already
    assert len(web.asked) == 2 * asked


def test_another_version_takes_the_place_of_the_one_before(settings, web, tmp_path):
    download(settings, tmp_path)
    web.answers["/4.7.0/sp.js"] = (200, b"new")
    download(settings, tmp_path, version="4.7.0")
    assert [file.name for file in tmp_path.glob("VERSION_*")] == ["VERSION_4.7.0"]
    assert (tmp_path / "sp.js").read_bytes() == b"new"
    assert (tmp_path / "sp-4.6.8.js").read_bytes() == SCRIPT  # pages that name it go on working


def test_without_the_copy_for_a_neutral_name(settings, tmp_path):
    download(settings, tmp_path, loader_copy=False)
    assert not (tmp_path / "loader.js").exists()


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("9.9.9", r"Failed to download sp.js: HTTP 404 .*is there a version 9.9.9"),
        ("5.0.0", "Failed to download sp.js: HTTP 503"),
    ],
)
def test_a_release_that_cannot_be_had(settings, web, tmp_path, version, reason):
    web.answers["/5.0.0/sp.js"] = (503, b"")
    with pytest.raises(SnowgaugeError, match=reason):
        download(settings, tmp_path, version=version)
    assert not list(tmp_path.iterdir())


def test_without_a_way_to_the_internet(tmp_path):
    offline = ScriptsSettings(release_url="http://127.0.0.1:9/{version}/{file}")
    with pytest.raises(SnowgaugeError, match=r"Failed to download sp.js: .*no connection.*--from"):
        download(offline, tmp_path)


@pytest.mark.parametrize(
    "name", ["../evil.js", "/etc/evil.js", "plugins/../../evil.js", "C:/evil.js", "a\\..\\evil.js"]
)
def test_an_archive_that_reaches_outside(settings, web, tmp_path, name):
    web.answers["/4.6.8/plugins.umd.zip"] = (200, zipped([name]))
    with pytest.raises(SnowgaugeError, match="would lie outside the folder"):
        download(settings, tmp_path / "static")
    assert not list(tmp_path.rglob("evil.js"))


def test_a_file_of_ones_own(settings, web, tmp_path):
    (tmp_path / "mine.js").write_bytes(b"mine")
    download(settings, tmp_path / "static", given=str(tmp_path / "mine.js"))
    assert (tmp_path / "static/sp.js").read_bytes() == b"mine"
    web.answers["/my/sp.js"] = (200, b"from there")
    download(settings, tmp_path / "static", given=f"{web.url}/my/sp.js", force=True)
    assert (tmp_path / "static/loader.js").read_bytes() == b"from there"
    download(settings, tmp_path / "again", given=str(tmp_path / "static"))
    assert (tmp_path / "again/sp.js").read_bytes() == b"from there"
    (tmp_path / "a.zip").write_bytes(zipped(["sp.js", "plugins/x.js"]))
    download(settings, tmp_path / "static", given=str(tmp_path / "a.zip"), force=True)
    assert (tmp_path / "static/plugins/x.js").exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("a.js", b"<!doctype html><html>", "is a web page"), ("a.zip", zipped(["x.js"]), "the archive has no sp.js"),
     ("a.zip", b"PK nonsense", "not a zip"), ("a.tgz", tarball(b"x", "package/x.js"), "no dist/index.umd.js"),
     ("a.tgz", b"\x1f\x8bnonsense", "not an npm tarball"), ("a.tgz", tarball(b"other module"), "holds no UMD build")],
)  # fmt: skip
def test_a_file_that_is_none(settings, tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SnowgaugeError, match=reason):
        download(settings, tmp_path / "static", given=str(tmp_path / name))


def test_a_file_that_is_not_there(settings, tmp_path):
    with pytest.raises(SnowgaugeError, match="cannot be read"):
        download(settings, tmp_path, given=str(tmp_path / "nothing.js"))


def registry(web, name, script, *, integrity=None, source_map=None):
    body = tarball(script, source_map=source_map)
    path = f"/{name}.tgz"
    digest = "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()
    web.answers[f"/{name.replace('/', '%2f')}/4.6.8"] = (
        200,
        {"dist": {"tarball": web.url + path, "integrity": integrity or digest}},
    )
    web.answers[path] = (200, body)


@pytest.fixture
def without_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without_npm")
def test_modules_from_an_npm_registry_become_one_script(web, tmp_path):
    settings = ScriptsSettings(npm_registry=web.url, npm_plugins=["link-click-tracking"])
    registry(
        web,
        "@snowplow/browser-tracker",
        b"window.snowplowBrowserTracking={};\n//# sourceMappingURL=index.umd.min.js.map",
    )
    registry(web, "@snowplow/browser-plugin-link-click-tracking", b"window.snowplowLinkClickTracking={};")
    download(settings, tmp_path / "static", source="npm")
    script = (tmp_path / "static/sp.js").read_text()
    assert (
        script.index("snowplowBrowserTracking")
        < script.index("snowplowLinkClickTracking")
        < script.index("GlobalSnowplow")
    )
    assert "sourceMappingURL" not in script
    assert (tmp_path / "static/plugins/browser-plugin-link-click-tracking/dist/index.umd.min.js").exists()


@pytest.mark.usefixtures("without_npm")
def test_source_maps_of_npm_modules_become_one_that_says_where_each_begins(web, tmp_path):
    settings = ScriptsSettings(npm_registry=web.url, npm_plugins=["a", "b"])
    bodies = {
        "@snowplow/browser-tracker": b"/* 1 */\nwindow.snowplowBrowserTracking={};\n//# sourceMappingURL=i.js.map",
        "@snowplow/browser-plugin-a": b"window.a={};\nwindow.more=1;\n//# sourceMappingURL=index.umd.min.js.map\n",
        "@snowplow/browser-plugin-b": b"window.b={};",
    }
    for name, body in bodies.items():
        source_map = {"version": 3, "sources": [name], "names": [], "mappings": "AAAA"}
        registry(web, name, body, source_map=None if name.endswith("b") else json.dumps(source_map).encode())
    download(settings, tmp_path, source="npm")
    for script in ("sp.js", "loader.js"):
        lines = (tmp_path / script).read_text().split("\n")
        assert [line for line in lines if "sourceMappingURL" in line] == [f"//# sourceMappingURL={script}.map"]
        made = json.loads((tmp_path / f"{script}.map").read_text())
        assert (made["version"], made["file"]) == (3, script)
        begins = {section["map"]["sources"][0]: lines[section["offset"]["line"]] for section in made["sections"]}
        assert begins == {"@snowplow/browser-tracker": "/* 1 */", "@snowplow/browser-plugin-a": "window.a={};"}
    assert (tmp_path / "plugins/browser-plugin-a/dist/index.umd.min.js.map").exists()
    assert not (tmp_path / "plugins/browser-plugin-b/dist/index.umd.min.js.map").exists()


@pytest.mark.usefixtures("without_npm")
def test_a_source_map_that_is_none(web, tmp_path):
    registry(web, "@snowplow/browser-tracker", b"snowplowBrowserTracking", source_map=b"[]")
    with pytest.raises(SnowgaugeError, match="is not a source map"):
        download(ScriptsSettings(npm_registry=web.url, npm_plugins=[]), tmp_path, source="npm")


@pytest.mark.usefixtures("without_npm")
def test_a_tarball_with_another_checksum(web, tmp_path):
    settings = ScriptsSettings(npm_registry=web.url, npm_plugins=[])
    registry(web, "@snowplow/browser-tracker", b"snowplowBrowserTracking", integrity="sha512-AAAA")
    with pytest.raises(SnowgaugeError, match="does not have the checksum"):
        download(settings, tmp_path / "static", source="npm")


@pytest.mark.usefixtures("without_npm")
def test_a_registry_without_the_module(web, tmp_path):
    with pytest.raises(SnowgaugeError, match=r"@snowplow/browser-tracker@4.6.8: the registry .* does not have it"):
        download(ScriptsSettings(npm_registry=web.url), tmp_path, source="npm")


@pytest.mark.usefixtures("without_npm")
def test_without_npm_a_registry_has_to_be_named(tmp_path):
    with pytest.raises(SnowgaugeError, match=r"scripts\.npm_registry"):
        download(ScriptsSettings(), tmp_path, source="npm")
