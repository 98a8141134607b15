"""A running deployment, Snowplow's JavaScript trackers, and a browser, for tests with real processes."""

from __future__ import annotations

import fcntl
import functools
import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from snowgauge.errors import SettingsError
from snowgauge.pipeline.proxy.programs import find_program
from snowgauge.settings.tls import TlsSettings
from snowgauge.testing import pebble
from snowgauge.testing.deployment import Deployment, free_port

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "js"
PROGRAMS = HERE.parent.parent / ".cache" / "bin"


@pytest.fixture(scope="session")
def deployment(tmp_path_factory):
    """One deployment for all tests that only send and look; each uses app ids of its own."""
    with Deployment(tmp_path_factory.mktemp("deployment") / "data", {"iglu.iglu_central": "false"}) as running:
        yield running


@pytest.fixture(scope="session")
def js():
    """The folder with the trackers installed as the lock file says, once for all runs."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on this machine, so Snowplow's JavaScript trackers cannot be tested")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # test processes that run side by side share the folder
        install()
    return CACHE


def install():
    lock, installed = HERE / "js" / "package-lock.json", CACHE / "installed-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "js" / name, CACHE / name)
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=CACHE, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"npm cannot install Snowplow's JavaScript trackers: {done.stderr[-300:]}")
        shutil.copy(lock, installed)
    for source in (HERE / "js").glob("*.*js"):
        shutil.copy(source, CACHE)


@pytest.fixture(scope="session")
def page(js, tmp_path_factory):
    """The address of the test page, bundled and served."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(HERE / "js" / "page.html", folder / "index.html")
    subprocess.run(
        [js / "node_modules" / ".bin" / "esbuild", "page.js", "--bundle", f"--outfile={folder / 'page.js'}"],
        cwd=js,
        check=True,
        capture_output=True,
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
    server.shutdown()
    thread.join()
    server.server_close()


CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which others could not share
def launch_chromium():
    """Starts a headless Chromium that talks to nobody but the tests, with more arguments."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine, so the browser tracker cannot be tested")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:

        def launch(*more):
            return playwright.chromium.launch(executable_path=program, args=[*CHROMIUM_ARGUMENTS, *more])

        yield launch


@pytest.fixture(scope="module")
def chromium(launch_chromium):
    """A headless Chromium that talks to nobody but the tests."""
    browser = launch_chromium()
    yield browser
    browser.close()


@pytest.fixture
def authority(tmp_path):
    """Pebble, which asks ``ports``, where a deployment with its ``settings`` listens."""
    missing = pebble.missing(PROGRAMS)
    if missing:
        pytest.skip(missing)
    try:
        find_program(TlsSettings(), os.environ)
    except SettingsError as error:
        pytest.skip(str(error))
    ports = {"http_port": free_port(), "https_port": free_port()}
    with pebble.Pebble(tmp_path / "pebble", **ports, cache=PROGRAMS) as made:
        made.ports = ports
        made.settings = {
            "tls.http_port": str(ports["http_port"]),
            "tls.https_port": str(ports["https_port"]),
            "tls.interface": "127.0.0.1",
            "tls.acme.directory": made.directory,
            "tls.acme.ca_certificates": str(made.ca_file),
        }
        yield made
