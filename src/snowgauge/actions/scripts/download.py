"""Fetches the trackers' JavaScript into the folder that the collector serves.

From a release (``sp.js``, its source map, ``plugins.umd.zip``), a file or address the user gives, or npm, where only
the modules are: there ``sp.js`` is put together of the tracker, some plug-ins, and a loader of our own. Files appear
whole or not at all; ``integrity.json`` says where each came from and what its SHA-256 is.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.scripts.settings import ScriptsSettings
    from snowgauge.outgoing import HttpClient

Source = Literal["release", "npm"]

_LARGEST = 32 * 1024**2
_MAY_MISS = frozenset({"sp.js.map", "plugins.umd.zip"})


class Downloaded(msgspec.Struct, frozen=True):
    """``files`` maps names to SHA-256 in hex. ``already``: the version was there, nothing was done."""

    version: str
    folder: Path
    files: Mapping[str, str]
    already: bool = False


def download(
    settings: ScriptsSettings,
    folder: Path,
    *,
    version: str | None = None,
    force: bool = False,
    source: Source = "release",
    given: str | None = None,
    loader_copy: bool = True,
) -> Downloaded:
    """``given``: an address or path of ``sp.js``, of a folder that has it, or of an npm tarball. Raises
    ``SnowgaugeError`` that says what could not be had and what else can be done."""
    wanted = version or settings.version
    marker = folder / f"VERSION_{wanted}"
    if marker.exists() and not force:
        return Downloaded(wanted, folder, {}, already=True)
    from snowgauge.outgoing import HttpClient

    http = HttpClient(
        timeout=settings.download_timeout.total_seconds(),
        max_bytes=_LARGEST,
        allow_private_hosts=True,  # the operator names the address, at the command line
    )
    try:
        fetch = _Fetch(http, settings.download_timeout.total_seconds())
        if given is not None:
            found = _given(given, fetch)
        elif source == "npm":
            found = _npm(settings, wanted, fetch)
        else:
            found = _release(settings, wanted, fetch)
    finally:
        http.close()
    if loader_copy:
        _copy_for_loader(found)
    return _install(folder, found, wanted, marker)


class Found(msgspec.Struct):
    """Files by name, and where each came from."""

    files: dict[str, bytes] = {}
    origins: dict[str, str] = {}

    def put(self, name: str, body: bytes, origin: str) -> None:
        self.files[name], self.origins[name] = body, origin


class _Fetch:
    def __init__(self, http: HttpClient, timeout: float) -> None:
        self._http = http
        self._timeout = timeout

    def __call__(self, url: str) -> bytes | None:
        """``None`` for 404."""
        name = url.rpartition("/")[2]
        try:
            answer = self._http.ask("GET", url, timeout=self._timeout, redirects=5)
        except OSError as error:
            raise SnowgaugeError(
                f"Failed to download {name}: {error}. Without a way to the internet, fetch the file elsewhere and give "
                "it with --from, or have --source npm ask a registry that can be reached (scripts.npm_registry)"
            ) from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise SnowgaugeError(f"Failed to download {name}: HTTP {answer.status} from {url}")
        return answer.body


def _release(settings: ScriptsSettings, version: str, fetch: _Fetch) -> Found:
    found = Found()
    for name in ("sp.js", "sp.js.map", "plugins.umd.zip"):
        url = settings.release_url.replace("{version}", version).replace("{file}", name)
        body = fetch(url)
        if body is None and name in _MAY_MISS and found.files:
            continue  # a CDN may have the script only
        if body is None:
            raise SnowgaugeError(f"Failed to download {name}: HTTP 404 from {url}; is there a version {version}?")
        if name.endswith(".zip"):
            _unzip(body, url, found)
        else:
            found.put(name, body, url)
    return found


def _given(place: str, fetch: _Fetch) -> Found:
    """What the user has: ``sp.js``, a folder or zip with it, or an npm tarball of the browser tracker."""
    found = Found()
    path = Path(place).expanduser()
    if place.startswith(("http://", "https://")):
        body = fetch(place)
        if body is None:
            raise SnowgaugeError(f"Failed to download {place}: HTTP 404")
    elif path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and inner.suffix in (".js", ".map"):
                found.put(inner.relative_to(path).as_posix(), inner.read_bytes(), str(path))
        if "sp.js" not in found.files:
            raise SnowgaugeError(f"{place}: the folder has no sp.js")
        return found
    else:
        try:
            body = path.read_bytes()
        except OSError as error:
            raise SnowgaugeError(f"{place}: cannot be read: {error.strerror}") from None
    if body[:2] == b"\x1f\x8b":
        _put_bundle(found, {"@snowplow/browser-tracker": _module(body, "@snowplow/browser-tracker")}, place)
    elif body[:2] == b"PK":
        _unzip(body, place, found)
        if "sp.js" not in found.files:
            raise SnowgaugeError(f"{place}: the archive has no sp.js")
    else:
        if b"<html" in body[:500].lower():
            raise SnowgaugeError(f"{place} is a web page, not a script")
        found.put("sp.js", body, place)
    return found


def _unzip(body: bytes, origin: str, found: Found) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                if entry.file_size > _LARGEST:
                    raise SnowgaugeError(f"{origin}: {entry.filename} is larger than {_LARGEST} bytes")
                found.put(_inside(entry.filename, origin), archive.read(entry), origin)
    except zipfile.BadZipFile as error:
        raise SnowgaugeError(f"{origin} is not a zip archive: {error}") from error


def _inside(name: str, origin: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or any(part in ("..", ".") or ":" in part for part in parts):
        raise SnowgaugeError(f"{origin} holds {name!r}, which would lie outside the folder; it was not unpacked")
    return "/".join(parts)


# ---- npm ----------------------------------------------------------------------------------------------------------


def _npm(settings: ScriptsSettings, version: str, fetch: _Fetch) -> Found:
    if not shutil.which("npm") and not settings.npm_registry:
        raise SnowgaugeError(
            "--source npm needs the npm program, which is not here: install Node.js, "
            "or name a registry to ask with scripts.npm_registry"
        )
    names = ["@snowplow/browser-tracker", *(f"@snowplow/browser-plugin-{name}" for name in settings.npm_plugins)]
    pack = _with_npm_program if shutil.which("npm") else _with_registry(settings.npm_registry, fetch)
    found = Found()
    modules = {name: _module(pack(name, version), name) for name in names}
    _put_bundle(found, modules, f"npm @snowplow/browser-tracker@{version}")
    for name, module in modules.items():
        if name != "@snowplow/browser-tracker":
            place = f"plugins/{name.partition('/')[2]}/dist/index.umd.min.js"
            found.put(place, module.script, f"npm {name}@{version}")
            if module.source_map is not None:
                found.put(f"{place}.map", module.source_map, f"npm {name}@{version}")
    return found


def _with_npm_program(name: str, version: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - names are of the settings, given as arguments
            ["npm", "pack", "--loglevel=error", "--pack-destination", folder, f"{name}@{version}"],  # noqa: S607 - the user's npm
            capture_output=True,
            text=True,
            cwd=folder,
            timeout=300,
            check=False,
        )
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or not packed:
            reason = next((line for line in done.stderr.splitlines() if "404" in line or "ENOTFOUND" in line), "")
            raise SnowgaugeError(
                f"Failed to download {name}@{version} with npm: {(reason or done.stderr)[-400:].strip()}. "
                "Is the version right and the registry within reach? Plug-ins are those of scripts.npm_plugins; a file "
                "can be given with --from"
            )
        return packed[0].read_bytes()


def _with_registry(registry: str, fetch: _Fetch) -> Callable[[str, str], bytes]:
    def pack(name: str, version: str) -> bytes:
        described = fetch(f"{registry.rstrip('/')}/{name.replace('/', '%2f')}/{version}")
        if described is None:
            raise SnowgaugeError(f"Failed to download {name}@{version}: the registry {registry} does not have it")
        try:
            dist: dict[str, Any] = json.loads(described)["dist"]
            url, expected = str(dist["tarball"]), str(dist.get("integrity") or "")
        except (ValueError, KeyError, TypeError) as error:
            raise SnowgaugeError(f"{registry} does not answer as an npm registry: {error!r}") from error
        body = fetch(url)
        if body is None:
            raise SnowgaugeError(f"Failed to download {url}: HTTP 404")
        if expected.startswith("sha512-"):
            digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
            if digest != expected.removeprefix("sha512-"):
                raise SnowgaugeError(f"{url} does not have the checksum that the registry gives ({expected})")
        return body

    return pack


class _Module(NamedTuple):
    """A UMD build and its source map, where the package has one."""

    script: bytes
    source_map: bytes | None


def _put_bundle(found: Found, modules: Mapping[str, _Module], origin: str) -> None:
    """``sp.js``: the tracker, its plug-ins, and the loader that understands the page's queue. ``sp.js.map``: the source
    maps of the modules, each from the line on at which the module begins (an index map)."""
    if b"snowplowBrowserTracking" not in modules["@snowplow/browser-tracker"].script:
        raise SnowgaugeError(f"{origin} holds no UMD build of @snowplow/browser-tracker")
    loader = _Module(files("snowgauge.actions.scripts").joinpath("loader.js").read_bytes(), None)
    script = b""
    sections: list[dict[str, Any]] = []
    for name, module in [*modules.items(), ("loader.js", loader)]:
        if module.source_map is not None:
            offset = {"line": script.count(b"\n"), "column": 0}
            sections.append({"offset": offset, "map": _source_map(module.source_map, name)})
        script += _without_map(module.script) + b"\n;\n"
    if sections:
        script += b"//# sourceMappingURL=sp.js.map\n"
        document = {"version": 3, "file": "sp.js", "sections": sections}
        found.put("sp.js.map", json.dumps(document, separators=(",", ":")).encode(), origin)
    found.put("sp.js", script, origin)


def _source_map(body: bytes, origin: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
        return {**document}
    except (ValueError, TypeError) as error:
        raise SnowgaugeError(f"{origin} is not a source map: {error}") from error


def _without_map(script: bytes) -> bytes:
    return b"\n".join(line for line in script.split(b"\n") if not line.startswith(b"//# sourceMappingURL="))


def _module(tarball: bytes, name: str) -> _Module:
    try:
        with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
            for wanted in ("package/dist/index.umd.min.js", "package/dist/index.umd.js"):
                script = _member(archive, wanted)
                if script is not None:
                    return _Module(script, _member(archive, f"{wanted}.map"))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SnowgaugeError(f"{name}: not an npm tarball: {error}") from error
    raise SnowgaugeError(f"{name}: the tarball has no dist/index.umd.js")


def _member(archive: tarfile.TarFile, name: str) -> bytes | None:
    try:
        opened = archive.extractfile(name)
    except KeyError:
        return None
    return None if opened is None else opened.read(_LARGEST)


# ---- the folder -----------------------------------------------------------------------------------------------------


def _copy_for_loader(found: Found) -> None:
    """``loader.js``: the same script under a name that says less."""
    script = found.files["sp.js"].replace(b"sourceMappingURL=sp.js.map", b"sourceMappingURL=loader.js.map")
    found.put("loader.js", script, found.origins["sp.js"])
    source_map = found.files.get("sp.js.map")
    if source_map is not None:
        document = {**_source_map(source_map, found.origins["sp.js.map"]), "file": "loader.js"}
        body = json.dumps(document, separators=(",", ":")).encode()
        found.put("loader.js.map", body, found.origins["sp.js.map"])


def _install(folder: Path, found: Found, version: str, marker: Path) -> Downloaded:
    # the very same script under a name that never changes its content, which browsers may keep for a year
    found.put(f"sp-{version}.js", found.files["sp.js"], found.origins["sp.js"])
    sums = {name: hashlib.sha256(body).hexdigest() for name, body in sorted(found.files.items())}
    record = {
        name: {"sha256": digest, "integrity": _sri(found.files[name]), "from": found.origins[name]}
        for name, digest in sums.items()
    }
    try:
        for name, body in found.files.items():
            _write(folder / name, body)
        _write(folder / "integrity.json", json.dumps({"version": version, "files": record}, indent=2).encode() + b"\n")
        for old in folder.glob("VERSION_*"):
            old.unlink()
        marker.write_bytes(b"")
    except OSError as error:
        raise SnowgaugeError(f"{folder} cannot be written: {error}") from error
    return Downloaded(version, folder, sums)


def _sri(body: bytes) -> str:
    """The value of a script tag's ``integrity`` attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(body)
    draft.replace(path)
