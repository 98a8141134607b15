"""The first hour: is it installed, ready, receiving; what to paste where so that events come; and a first event."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from snowgauge.actions import events, health
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.scripts.first_start import has_tracker
from snowgauge.errors import SnowgaugeError
from snowgauge.outgoing import HttpClient
from snowgauge.store.base import Selection

_DAY = 86_400_000
_PATIENCE = 5.0


@dataclass(frozen=True)
class Snippet:
    """``language`` is for colouring only."""

    id: str
    title: str
    where: str
    language: str
    code: str


@dataclass(frozen=True)
class Ticks:
    """The three ticks. ``events`` and ``failed`` are of the last 24 hours; times in ms. ``script``: the collector has
    the tracker's script to serve."""

    installed: bool
    ready: bool
    receiving: bool
    events: int
    failed: int
    waiting: int
    last_event: int | None
    notes: list[str]
    collector_url: str
    script: bool


@dataclass(frozen=True)
class TestEvent:
    """A page view that was sent to the collector and acknowledged."""

    event_id: str


def ticks(deployment: Deployment) -> Ticks:
    """Never raises: what cannot be asked is a note."""
    found = health.check(deployment)
    notes = [f"{part.name}: {part.note}" for part in found.parts if not part.ok]
    good = failed = waiting = 0
    last: int | None = None
    script = _serves_tracker(deployment)
    if notes:  # a part that does not answer would be waited for
        return Ticks(True, False, False, 0, 0, 0, None, notes, deployment.collector_url, script)
    try:
        since = Selection(events.now_ms() - _DAY)
        good, failed = deployment.store.count("good", since), deployment.store.count("failed", since)
        newest = events.page(deployment, filters=[], columns=[], limit=1).rows
        last = newest[0].at if newest else None
        waiting = deployment.eventlog.stats().entries
    except SnowgaugeError as error:
        notes.append(str(error))
    receiving = last is not None
    return Ticks(True, found.ready, receiving, good, failed, waiting, last, notes, deployment.collector_url, script)


def send_test_event(deployment: Deployment, app_id: str = "my-site") -> TestEvent:
    """Send a page view to the collector as a tracker does. Raises ``SnowgaugeError`` where it is not acknowledged."""
    event_id = str(uuid.uuid4())
    query = urlencode(
        {"e": "pv", "p": "web", "tv": "console", "aid": app_id, "eid": event_id, "page": "Test event",
         "url": "https://www.example.com/test-event"}
    )  # fmt: skip
    url = deployment.collector_url.rstrip("/")
    http = HttpClient(timeout=_PATIENCE, retries=0, allow_private_hosts=True)  # the deployment's own collector
    try:
        status, _ = http("GET", f"{url}/i?{query}")
    except OSError as error:
        raise SnowgaugeError(
            f"{url}: the collector could not be reached from this machine ({error}); check console.collector_url"
        ) from error
    finally:
        http.close()
    if status != 200:
        raise SnowgaugeError(f"{url}: the collector answered {status}; the Health page says which part is not ready")
    return TestEvent(event_id)


def _serves_tracker(deployment: Deployment) -> bool:
    folder = deployment.surroundings.scripts
    return folder is not None and has_tracker(folder)


def snippets(deployment: Deployment, app_id: str = "my-site") -> list[Snippet]:
    """Ready to paste, with the real address of the collector."""
    url = deployment.collector_url.rstrip("/")
    host = url.split("://", 1)[-1]
    secure = url.startswith("https")
    script = "Paste it into the <head> of every page."
    if not _serves_tracker(deployment):
        script += " First run “snowgauge scripts download”: your collector does not have sp.js yet."
    return [
        Snippet("javascript", "JavaScript", script, "html", _tag(url, app_id)),
        Snippet(
            "npm", "Browser (npm)", "npm install @snowplow/browser-tracker", "javascript",
            'import { newTracker, trackPageView, enableActivityTracking } from "@snowplow/browser-tracker";\n\n'
            f'newTracker("sp1", "{url}", {{ appId: "{app_id}" }});\n'
            "enableActivityTracking({ minimumVisitLength: 5, heartbeatDelay: 10 });\ntrackPageView();\n",
        ),
        Snippet(
            "node", "Node.js", "npm install @snowplow/node-tracker", "javascript",
            'import { newTracker, buildPageView } from "@snowplow/node-tracker";\n\n'
            f'const tracker = newTracker(\n  {{ namespace: "node1", appId: "{app_id}" }},\n'
            f'  {{ endpoint: "{url}" }},\n);\n'
            'tracker.track(buildPageView({ pageUrl: "https://www.example.com/", pageTitle: "Home" }));\n',
        ),
        Snippet(
            "python", "Python", "pip install snowplow-tracker", "python",
            "from snowplow_tracker import Emitter, PageView, Subject, Tracker\n\n"
            f'emitter = Emitter("{host}", protocol="{"https" if secure else "http"}", batch_size=1)\n'
            f'tracker = Tracker("py1", emitter, subject=Subject(), app_id="{app_id}")\n'
            'tracker.track(PageView("https://www.example.com/", "Home"))\ntracker.flush()\n',
        ),
        Snippet(
            "ios", "iOS (Swift)", "Swift package snowplow-ios-tracker", "swift",
            "import SnowplowTracker\n\n"
            f'let tracker = Snowplow.createTracker(namespace: "app1", endpoint: "{url}")\n'
            '_ = tracker?.track(ScreenView(name: "Home"))\n',
        ),
        Snippet(
            "android", "Android (Kotlin)", 'implementation("com.snowplowanalytics:snowplow-android-tracker:6.+")',
            "kotlin",
            "import com.snowplowanalytics.snowplow.Snowplow\n"
            "import com.snowplowanalytics.snowplow.event.ScreenView\n\n"
            f'val tracker = Snowplow.createTracker(context, "app1", "{url}")\n'
            'tracker.track(ScreenView("Home"))\n',
        ),
        Snippet(
            "gtm", "Google Tag Manager", "A Custom HTML tag, fired on all pages.", "html",
            _tag(url, app_id).replace("async=1", "async=!0"),
        ),
        Snippet(
            "pixel", "Pixel", "Where no script runs: mails, AMP, feeds.", "html",
            f'<img src="{url}/i?e=pv&amp;p=web&amp;tv=no-js-0.1.0&amp;aid={app_id}&amp;page=Home" '
            'width="1" height="1" alt="" />\n',
        ),
        Snippet(
            "curl", "curl", "The quickest way to see whether anything arrives.", "bash",
            f"curl '{url}/i?e=pv&p=web&tv=curl-1&aid={app_id}&url=https%3A%2F%2Fwww.example.com%2F&page=Home'\n",
        ),
    ]  # fmt: skip


def _tag(url: str, app_id: str) -> str:
    return (
        '<script type="text/javascript">\n'
        ";(function(p,l,o,w,i,n,g){if(!p[i]){p.GlobalSnowplowNamespace=p.GlobalSnowplowNamespace||[];\n"
        "p.GlobalSnowplowNamespace.push(i);p[i]=function(){(p[i].q=p[i].q||[]).push(arguments)};\n"
        "p[i].q=p[i].q||[];n=l.createElement(o);g=l.getElementsByTagName(o)[0];n.async=1;n.src=w;\n"
        f'g.parentNode.insertBefore(n,g)}}}}(window,document,"script","{url}/static/sp.js","snowplow"));\n\n'
        f'snowplow("newTracker", "sp1", "{url}", {{\n'
        f'  appId: "{app_id}",\n  contexts: {{ webPage: true, session: true }}\n}});\n'
        'snowplow("enableActivityTracking", { minimumVisitLength: 5, heartbeatDelay: 10 });\n'
        'snowplow("enableLinkClickTracking");\n'
        'snowplow("trackPageView");\n</script>\n'
    )
