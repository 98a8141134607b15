"""A page that knows nothing but our host: the script of `scripts download`, the kit's neutral names, a real browser."""

from __future__ import annotations

import functools
import http.server
import io
import tarfile
import threading
from pathlib import Path

import pytest

from snowgauge.actions.scripts.neutral import neutral_names
from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

SEED = "words for the browser test"


@pytest.fixture(scope="module")
def own(tmp_path_factory, js):
    """A deployment with neutral names, whose script comes out of the installed npm modules."""
    base = tmp_path_factory.mktemp("own")
    settings = {"iglu.iglu_central": "false", "scripts.neutral.enabled": "true", "scripts.neutral.seed": SEED}
    running = Deployment(base / "data", settings)
    running.command("scripts", "download", "--from", str(packed(js, base / "tracker.tgz")))
    with running:
        yield running


def packed(js: Path, file: Path) -> Path:
    script = (js / "node_modules/@snowplow/browser-tracker/dist/index.umd.min.js").read_bytes()
    with tarfile.open(file, "w:gz") as archive:
        entry = tarfile.TarInfo("package/dist/index.umd.min.js")
        entry.size = len(script)
        archive.addfile(entry, io.BytesIO(script))
    return file


@pytest.fixture
def app(request):
    """An app ID for each test: they share a deployment, and every visit of the page sends events."""
    return "".join(letter for letter in request.node.name if letter.isalnum())


@pytest.fixture
def site(own, app, tmp_path):
    """A page with the printed snippet, on an origin of its own."""
    snippet = own.command("scripts", "neutral", "--collector", own.url, "--app-id", app).decode()
    function = neutral_names(SEED).function
    more = f"""<script>
      {function}('setUserId:sp', 'somebody');
      {function}('trackStructEvent', {{ category: 'c', action: 'a' }});
      {function}('nonsense', 1);
      {function}(function () {{ window.trackers = Object.keys(this); }});
      {function}('trackSelfDescribingEvent', {{ event: {{
        schema: 'iglu:com.snowplowanalytics.snowplow/timing/jsonschema/1-0-0',
        data: {{ category: 'c', variable: 'v', timing: 1 }} }} }});
    </script>"""
    (tmp_path / "index.html").write_text(
        f"<!doctype html><html><head><title>Own</title>{snippet}</head><body>{more}</body>"
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_with_the_kits_snippet(own, app, site, chromium):
    names = neutral_names(SEED)
    page = chromium.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site)
    page.wait_for_function("window.trackers !== undefined")
    assert page.evaluate("window.trackers") == ["sp"]
    rows = own.events(app, 3)
    page.evaluate(f"window.{names.function}('trackPageView', {{ title: 'later' }})")
    wait_until(lambda: own.stored(f"app_id = '{app}'")[0] == 4, "the later page view is stored")
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    page.close()
    assert sorted(row["event_name"] for row in rows) == ["event", "page_view", "timing"]
    assert {row["user_id"] for row in rows if row["event_name"] != "page_view"} == {"somebody"}
    assert all(row["v_tracker"].startswith("js-") for row in rows)
    to_us = {url.removeprefix(own.url).partition("?")[0] for url in asked if url.startswith(own.url)}
    assert to_us == {names.script, names.post}
    assert any(name.startswith(names.client) for name in cookies)
    assert not any("snowplow" in name or name.startswith("_sp_") for name in cookies)


@pytest.mark.parametrize("before", ["", "//", "http://"])
def test_a_collector_without_a_scheme_is_asked_as_the_page_was(own, site, chromium, before):
    function = neutral_names(SEED).function
    collector = before + own.url.removeprefix("http://")
    bare = f"bare{len(before)}"
    page = chromium.new_page()
    page.goto(site)
    page.wait_for_function("window.trackers !== undefined")
    page.evaluate(f"window.{function}('newTracker', '{bare}', '{collector}', {{ appId: '{bare}' }})")
    page.evaluate(f"window.{function}('trackPageView:{bare}')")
    own.events(bare, 1)
    page.close()
