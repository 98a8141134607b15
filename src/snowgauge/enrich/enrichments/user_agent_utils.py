"""User agent utils: the br_, os_ and dvce_ columns of old Snowplow models, as far as they can still be filled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from snowgauge.enrich.enrichments import user_agents
from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.user_agents import UserAgent
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tsv_text import tsv_safe

_BROWSERS = {
    # uap-core's family: (name without version, family)
    "Chrome": ("Chrome", "Chrome"),
    "Chrome Mobile": ("Chrome Mobile", "Chrome"),
    "Chrome Mobile iOS": ("Chrome Mobile", "Chrome"),
    "Chrome Mobile WebView": ("Chrome Mobile", "Chrome"),
    "Firefox": ("Firefox", "Firefox"),
    "Firefox Mobile": ("Firefox Mobile", "Firefox"),
    "Firefox iOS": ("Firefox Mobile (iOS)", "Firefox"),
    "IE": ("Internet Explorer", "Internet Explorer"),
    "IE Mobile": ("IE Mobile", "Internet Explorer"),
    "Edge": ("Microsoft Edge", "Microsoft Edge"),
    "Edge Mobile": ("Microsoft Edge Mobile", "Microsoft Edge"),
    "Safari": ("Safari", "Safari"),
    "Mobile Safari": ("Mobile Safari", "Safari"),
    "Mobile Safari UI/WKWebView": ("Apple WebKit", "Apple WebKit"),
    "Opera": ("Opera", "Opera"),
    "Opera Mini": ("Opera Mini", "Opera"),
    "Opera Mobile": ("Opera Mobile", "Opera"),
    "Android": ("Android Web Kit", "Android Web Kit"),
    "Samsung Internet": ("Samsung Internet", "Samsung Internet"),
    "Thunderbird": ("Thunderbird", "Thunderbird"),
    "Outlook": ("Outlook", "Outlook"),
    "Apple Mail": ("Apple Mail", "Apple Mail"),
    "curl": ("Downloading Tool", "Downloading Tool"),
    "Wget": ("Downloading Tool", "Downloading Tool"),
    "Lynx": ("Lynx", "Lynx"),
}
_MOBILE = re.compile(r"Mobile|Android|iPhone|iPod|iPad|Opera Mini|IEMobile|BlackBerry|BB10", re.IGNORECASE)
_TABLET = re.compile(r"\biPad\b|Tablet|\bKF[A-Z]{3,4}\b|PlayBook|Android(?!.*Mobile)", re.IGNORECASE | re.DOTALL)
_CONSOLE = re.compile(r"PlayStation|Xbox|Nintendo", re.IGNORECASE)
_RECEIVER = re.compile(r"SmartTV|SMART-TV|HbbTV|NetCast|Web0S|AppleTV|GoogleTV|Android TV|Roku|CrKey", re.IGNORECASE)
_WATCH = re.compile(r"Apple ?Watch|watchOS", re.IGNORECASE)
_TEXT_ONLY = frozenset({"Lynx", "Links", "ELinks", "w3m"})
_MAIL = frozenset({"Thunderbird", "Outlook", "Apple Mail", "Lotus Notes", "Windows Live Mail"})
_ENGINES = (
    ("EDGE_HTML", re.compile(r"Edge/\d")),
    ("TRIDENT", re.compile(r"Trident/|MSIE ")),
    ("BLINK", re.compile(r"(?:Chrome|Chromium)/(?:2[89]|[3-9]\d|\d{3,})")),
    ("PRESTO", re.compile(r"Presto/")),
    ("WEBKIT", re.compile(r"AppleWebKit/")),
    ("KHTML", re.compile(r"KHTML/")),
    ("GECKO", re.compile(r"Gecko/")),
    ("WORD", re.compile(r"MSOffice|Microsoft Outlook")),
)
_MAKERS = {
    "Windows": "Microsoft Corporation", "Windows Phone": "Microsoft Corporation", "Mac OS X": "Apple Inc.",
    "iOS": "Apple Inc.", "Android": "Google Inc.", "Chrome OS": "Google Inc.",
    "BlackBerry OS": "Research In Motion Ltd.",
    "Symbian OS": "Symbian Ltd.", "Tizen": "Linux Foundation", "Bada": "Samsung Electronics",
}  # fmt: skip
_LINUX = frozenset({"Ubuntu", "Fedora", "Debian", "Arch Linux", "Gentoo", "Red Hat", "SUSE", "Linux Mint"})

_COLUMNS = (
    "br_name", "br_family", "br_version", "br_type", "br_renderengine", "os_name", "os_family", "os_manufacturer",
    "dvce_type", "dvce_ismobile",
)  # fmt: skip


class UserAgentUtils(Enrichment):
    """Fills the columns of the deprecated user_agent_utils enrichment, as far as that is possible.

    Snowplow's uses UserAgentUtils 1.21, a Java library that ended in 2018 and has no Python port; its results cannot
    be had exactly. The columns are filled from uap-core's rules in that library's words (``Chrome 120``, ``Windows
    10``, ``Computer``): families, types and mobile yes or no agree for common browsers, names and versions of rarer
    ones differ, and browsers younger than the library get names where it said ``Unknown``. Models that are maintained
    read the ua_parser or YAUAA entity instead.

    Sets br_name, br_family, br_version, br_type, br_renderengine, os_name, os_family, os_manufacturer, dvce_type,
    dvce_ismobile. Attaches nothing and never fails. Source: enrich 6.10, the words of UserAgentUtils. Off by default.
    """

    config = "iglu:com.snowplowanalytics.snowplow/user_agent_utils_config/jsonschema/1-0-*"
    identifier = "ua-parser"  # Snowplow uses one identifier for both user agent enrichments
    runs_at = PLACES["user_agent_utils_config"]
    fields = _COLUMNS
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/user_agent_utils_config/jsonschema/1-0-0",
        "data": {
            "name": "user_agent_utils_config",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {},
        },
    }

    def __init__(self) -> None:
        self._columns = lru_cache(maxsize=user_agents.CACHED)(columns)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> UserAgentUtils:  # noqa: ARG003
        return cls()

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        text = user_agents.text_of(event, source)
        if text is not None:
            for name, value in zip(_COLUMNS, self._columns(text), strict=True):
                setattr(event, name, value)
        return ()


def columns(text: str) -> tuple[str | bool | None, ...]:
    """The values of the ten columns, in their order."""
    agent = user_agents.built_in().parse(text)
    words = user_agents.bot_words()
    robot = agent.brand == "Spider" or words.robot.found_in(text.lower())
    device = _device(text, robot=robot)
    name, family, version = _browser(text, agent, robot=robot)
    system, system_family = _system(agent)
    engine = next((engine for engine, pattern in _ENGINES if pattern.search(text)), "OTHER")
    kind = _browser_type(agent, device, robot=robot, library=words.library.found_in(text.lower()))
    texts = (
        name, family, version, kind, engine, system, system_family, _MAKERS.get(system_family, "Other"), device,
    )  # fmt: skip
    return (*(tsv_safe(value) for value in texts), device in ("Mobile", "Tablet", "Wearable computer"))


def _browser(text: str, agent: UserAgent, *, robot: bool) -> tuple[str, str, str | None]:
    version = user_agents.whole_version(text, agent) or None
    if robot:
        return "Robot/Spider", "Robot/Spider", None
    if agent.family == "Other":
        return "Unknown", "Unknown", None
    name, family = _BROWSERS.get(agent.family, (agent.family, agent.family))
    if agent.major and family not in ("Downloading Tool", "Apple WebKit", "Android Web Kit"):
        name = f"{name} {agent.major}" if name != "Mobile Safari" else name
    return name, family, version


def _browser_type(agent: UserAgent, device: str, *, robot: bool, library: bool) -> str:
    if robot:
        return "Robot"
    if library:
        return "Downloading tool"
    if agent.family in _MAIL:
        return "Email Client"
    if agent.family in _TEXT_ONLY:
        return "Browser (text only)"
    if agent.family == "Other":
        return "unknown"
    return "Browser (mobile)" if device in ("Mobile", "Tablet") else "Browser"


def _system(agent: UserAgent) -> tuple[str, str]:
    family = "iOS" if agent.os_family == "iPadOS" else agent.os_family
    if family == "Other":
        return "Unknown", "Unknown"
    if family == "Windows":
        return f"Windows {agent.os_major}" if agent.os_major else "Windows", "Windows"
    if family in _LINUX:
        return family, "Linux"
    if family == "Android" and agent.os_major:
        return f"Android {agent.os_major}.x", "Android"
    if family == "iOS" and agent.os_major:
        device = agent.device if agent.device in ("iPhone", "iPad") else None
        return f"iOS {agent.os_major}" + (f" ({device})" if device else ""), "iOS"
    return family, family


def _device(text: str, *, robot: bool) -> str:
    if robot:
        return "Unknown"
    for name, pattern in (
        ("Game console", _CONSOLE),
        ("Digital media receiver", _RECEIVER),
        ("Wearable computer", _WATCH),
        ("Tablet", _TABLET),
        ("Mobile", _MOBILE),
    ):
        if pattern.search(text):
            return name
    return "Computer" if re.search(r"Windows|Macintosh|X11|Linux|CrOS", text) else "Unknown"
