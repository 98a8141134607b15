"""The YAUAA entity, derived by rules of our own from uap-core's and from client hints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from snowgauge.enrich.enrichments import client_hints, user_agents
from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.client_hints import ClientHints
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.enrich.enrichments.user_agents import UserAgent
from snowgauge.enrich.enrichments.yauaa_robots import Robot
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.tsv_text import tsv_safe

ENTITY = SchemaKey("nl.basjes", "yauaa_context", "jsonschema", 1, 0, 5)
_UNKNOWN = {"deviceClass": "Unknown"}
_CACHED = 10_000
_LENGTH = 128  # the entity's shortest limit; names may have twice as much

_AGENT_NAMES = {
    # uap-core's family -> Yauaa's name
    "Chrome Mobile": "Chrome", "Chrome Mobile iOS": "Chrome", "Chrome Mobile WebView": "Chrome Webview",
    "Mobile Safari": "Safari", "Mobile Safari UI/WKWebView": "Safari", "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox", "Firefox Alpha": "Firefox", "Firefox Beta": "Firefox", "Edge Mobile": "Edge",
    "IE": "Internet Explorer", "IE Mobile": "Internet Explorer", "Opera Mobile": "Opera",
    "Android": "Stock Android Browser", "Samsung Internet": "SamsungBrowser", "HeadlessChrome": "HeadlessChrome",
    "Chromium": "Chromium",
}  # fmt: skip
_HINTED_NAMES = {
    "Google Chrome": "Chrome", "Microsoft Edge": "Edge", "Opera": "Opera", "Brave": "Brave", "Vivaldi": "Vivaldi",
    "Samsung Internet": "SamsungBrowser", "Android WebView": "Chrome Webview", "YaBrowser": "YaBrowser",
    "DuckDuckGo": "DuckDuckGo", "HeadlessChrome": "HeadlessChrome",
}  # fmt: skip
_WEBVIEW_FAMILIES = frozenset({"Chrome Mobile WebView", "Mobile Safari UI/WKWebView"})
_APP_FAMILIES = frozenset({"Facebook", "Instagram", "Snapchat", "Pinterest", "LinkedIn", "TikTok", "Twitter", "LINE"})
_MAIL_FAMILIES = frozenset({"Outlook", "Thunderbird", "Apple Mail", "Lotus Notes", "Windows Live Mail", "Airmail"})
_OS_NAMES = {"Mac OS X": "Mac OS", "Windows": "Windows NT", "iPadOS": "iOS", "Chrome OS": "Chrome OS"}
_OS_CLASSES = {
    "Windows NT": "Desktop", "Mac OS": "Desktop", "Linux": "Desktop", "Ubuntu": "Desktop", "Chrome OS": "Desktop",
    "Fedora": "Desktop", "Debian": "Desktop", "FreeBSD": "Desktop", "OpenBSD": "Desktop", "Arch Linux": "Desktop",
    "iOS": "Mobile", "Android": "Mobile", "Windows Phone": "Mobile", "BlackBerry OS": "Mobile", "KaiOS": "Mobile",
    "HarmonyOS": "Mobile", "watchOS": "Mobile", "Symbian OS": "Mobile", "Tizen": "Embedded", "WebOS": "Embedded",
    "tvOS": "Embedded", "ATV OS X": "Embedded",
}  # fmt: skip
_WINDOWS = {"5.1": "XP", "5.2": "XP", "6.0": "Vista", "6.1": "7", "6.2": "8", "6.3": "8.1"}
_BLINK = re.compile(r"(?:Chrome|Chromium|HeadlessChrome)/(\d+)([\d.]*)")
_WEBKIT = re.compile(r"AppleWebKit/([\d.]+)")
_GECKO = re.compile(r"rv:(\d[\w.]*)\) Gecko/(\d+)")
_TRIDENT = re.compile(r"Trident/([\d.]+)")
_EDGE_HTML = re.compile(r"Edge/([\d.]+)")
_PRESTO = re.compile(r"Presto/([\d.]+)")
_NT = re.compile(r"Windows NT (\d+\.\d+)")
_TV = re.compile(r"SmartTV|SMART-TV|HbbTV|NetCast|Web0S|AppleTV|GoogleTV|Android TV|BRAVIA|Roku|CrKey|AFT[A-Z]", re.I)
_CONSOLE = re.compile(r"PlayStation (?:\d|Vita)|PLAYSTATION|Xbox|Nintendo (?:WiiU|Wii|Switch)", re.IGNORECASE)
_HANDHELD = re.compile(r"Nintendo 3DS|PlayStation Portable|Nintendo DS", re.IGNORECASE)
_READER = re.compile(r"Kindle/|Kobo|Nook|PocketBook|Silk-Accelerated=false", re.IGNORECASE)
_WATCH = re.compile(r"Apple ?Watch|watchOS|SM-R\d{3}", re.IGNORECASE)
_VR = re.compile(r"OculusBrowser|Quest \d|Pacific Build|VRBrowser", re.IGNORECASE)
_TABLET = re.compile(r"\biPad\b|Tablet|\bGT-P\d{4}|\bKF[A-Z]{3,4}\b|PlayBook|Nexus (?:7|9|10)\b", re.IGNORECASE)
_PHONE = re.compile(
    r"iPhone|iPod|Windows Phone|BlackBerry|BB10|Opera Mini|IEMobile|Symbian|KAIOS|Android.*\bMobile\b|Mobile.*Firefox",
    re.IGNORECASE | re.DOTALL,
)
_DESKTOP = re.compile(r"Windows NT|Macintosh|X11|CrOS|Linux (?:x86_64|i\d86)", re.IGNORECASE)
_IMITATOR = re.compile(r"compatible; *(?:Googlebot|bingbot)", re.IGNORECASE)
_SYSTEMS_OF_CONSOLES = (
    # where a console says its system's version, what Yauaa calls the system
    (re.compile(r"PlayStation 4[ /]([\d.]+)"), "Orbis OS"),
    (re.compile(r"PlayStation 5[ /]([\d.]+)"), "PS5 OS"),
    (re.compile(r"PlayStation Vita ([\d.]+)"), "PlayStation Vita"),
    (re.compile(r"PLAYSTATION 3()"), "CellOS"),
)
_BUILD = re.compile(r" Build/([^;)\s]+)")
_STOCK_VERSION = re.compile(r"Version/([\d.]+)")
_LANGUAGE = re.compile(r"[;\[(] ?([a-z]{2})[-_]([A-Za-z]{2})[;\])]")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,63}){1,4}")
_URL = re.compile(r"https?://[^\s;,)\]}\"']{1,200}")


class Yauaa(Enrichment):
    """Describes device, operating system, engine and agent in the fields and words of Yauaa.

    Yauaa itself has no Python port. This is a derivation of our own: uap-core's rules read the user agent, client
    hints (``Sec-CH-UA*`` headers) correct them, and the result is named as Yauaa names things. Classes, names and
    versions of common browsers, crawlers and HTTP libraries agree; rare devices may not. A field that is not known is
    left out, where Yauaa writes ``Unknown`` or ``??``; both mean missing to a reader. deviceClass is always there.
    Crawlers, HTTP libraries and browsers driven by programs (``bots.json``) have class Robot.

    Filled: deviceClass, deviceName, deviceBrand, deviceVersion, deviceCpu, deviceCpuBits, operatingSystem (Class, Name,
    Version, VersionMajor, NameVersion, NameVersionMajor, and VersionBuild for Android), layoutEngine (the first six,
    and Build for Gecko), agent (Class, Name, Version, VersionMajor, NameVersion, NameVersionMajor, Language,
    LanguageCode, InformationEmail, InformationUrl), webviewApp (Name, Version, VersionMajor, NameVersion,
    NameVersionMajor).

    Sets no column. Attaches nl.basjes/yauaa_context 1-0-5 to every event. Never fails. Source: enrich 6.10 and the
    fields of Yauaa 7.30.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/yauaa_enrichment_config/jsonschema/1-0-*"
    identifier = "yauaa"
    runs_at = PLACES["yauaa_enrichment_config"]
    default: ClassVar[dict[str, Any] | None] = {}
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/yauaa_enrichment_config/jsonschema/1-0-0",
        "data": {
            "name": "yauaa_enrichment_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {"cacheSize": 10000},
        },
    }

    def __init__(self, cache_size: int) -> None:
        self._described = lru_cache(maxsize=cache_size)(describe)
        self._headers: Sequence[str] = ()
        self._lines: tuple[str, ...] = ()

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> Yauaa:  # noqa: ARG003
        return cls(Parameters(parameters).integer("cacheSize", 0, default=_CACHED))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        if not event.useragent:
            return (SelfDescribing(ENTITY, _UNKNOWN.copy()),)
        if source.headers is not self._headers:  # those of a request are the same list for all events of it
            self._headers, self._lines = source.headers, client_hints.hint_lines(source.headers)
        described = self._described(event.useragent[: user_agents.LONGEST], self._lines)
        return (SelfDescribing(ENTITY, described.copy()),)


def describe(text: str, hint_lines: tuple[str, ...]) -> dict[str, str]:
    """The entity's data for one user agent and its client hints."""
    hints = client_hints.read(hint_lines)
    # browsers that hide the model write "K"; with the hint in its place the rules know the brand
    whole = text.replace("; K)", f"; {hints.model})") if hints.model else text
    agent = user_agents.built_in().parse(whole)
    words, lowered = user_agents.bot_words(), text.lower()
    robot = agent.brand == "Spider" or any(
        some.found_in(lowered) for some in (words.robot, words.library, words.headless)
    )
    found: dict[str, str | None] = {"deviceClass": _device_class(text, agent, hints, robot=robot)}
    if robot and not words.headless.found_in(lowered):
        found |= _robot(text, agent)
    else:
        found |= _device(text, agent, hints, found["deviceClass"] or "")
        found |= _system(text, agent, hints)
        found |= _engine(text, agent)
        found |= _agent(text, agent, hints, robot=robot)
    clean: dict[str, str] = {}
    for name, value in found.items():
        safe = tsv_safe(value)
        if safe:
            clean[name] = safe[:_LENGTH]
    return clean


def _robot(text: str, agent: UserAgent) -> dict[str, str | None]:
    email, url = _EMAIL.search(text), _URL.search(text)
    found: dict[str, str | None] = {
        "agentInformationEmail": email[0].lstrip("+") if email else None,
        "agentInformationUrl": url[0] if url else None,
        "agentClass": _agent_class(text, agent, robot=True, known=True),
    }
    robot = Robot(text, agent, found["agentInformationUrl"], found["agentInformationEmail"])
    if not robot.name:
        return found
    # of Google's own crawlers Yauaa tells no version of the engine
    engine = "" if robot.cloud == "Google Cloud" else robot.version
    return {
        **found,
        "deviceName": robot.device,
        "deviceBrand": robot.brand or None,
        "operatingSystemClass": "Cloud",
        "operatingSystemName": robot.cloud,
        "layoutEngineClass": "Robot",
        **_named("layoutEngine", robot.engine, engine),
        **_named("agent", robot.name, robot.version),
    }


def _robot_class(text: str, agent: UserAgent) -> str:
    phone = agent.model in ("Smartphone", "Feature Phone") or (_PHONE.search(text) and _IMITATOR.search(text))
    return "Robot Mobile" if phone and text.startswith("Mozilla/") else "Robot"


def _device_class(text: str, agent: UserAgent, hints: ClientHints, *, robot: bool) -> str:
    if robot:
        return _robot_class(text, agent)
    for name, pattern in (
        ("Virtual Reality", _VR),
        ("Handheld Game Console", _HANDHELD),
        ("Game Console", _CONSOLE),
        ("TV", _TV),
        ("eReader", _READER),
        ("Watch", _WATCH),
        ("Tablet", _TABLET),
    ):
        if pattern.search(text):
            return name
    if _PHONE.search(text) or (hints.mobile and hints.platform in ("Android", "iOS", "Windows Phone")):
        return "Phone"
    if hints.mobile is False and hints.platform == "Android":
        return "Tablet"
    if "Android" in text or agent.os_family == "Android":
        return "Mobile" if "Mobile" in text else "Tablet" if "Mozilla" in text else "Mobile"
    if agent.os_family == "iOS":
        return "Mobile"
    if _DESKTOP.search(text) or hints.platform in ("Windows", "macOS", "Linux", "Chrome OS", "Chromium OS"):
        return "Desktop"
    return "Unknown"


def _device(text: str, agent: UserAgent, hints: ClientHints, device_class: str) -> dict[str, str | None]:
    brand, model = agent.brand, hints.model or agent.model
    if model and model.startswith("Nexus "):  # Google's, although others made some of them
        brand = "Google"
        model = " ".join(word.upper() if len(word) <= 3 else word for word in model.split())
    cpu, bits = _cpu(text, hints)
    found: dict[str, str | None] = {"deviceCpu": cpu, "deviceCpuBits": bits}
    if device_class in ("Robot", "Robot Mobile"):  # a browser driven by a program
        name = agent.family if agent.family != "Other" else None
        return found | {"deviceName": name}
    if device_class == "Desktop":
        if "Macintosh" in text or hints.platform == "macOS":
            return found | {"deviceName": "Apple Macintosh", "deviceBrand": "Apple"}
        linux = "Linux" in text and "CrOS" not in text
        return found | {"deviceName": "Linux Desktop" if linux else "Desktop"}
    if brand in (None, "Generic", "Generic_Android", "Generic_Android_Tablet") and not hints.model:
        return found
    if brand in ("Generic", "Generic_Android", "Generic_Android_Tablet"):
        brand = None
    if model and model not in ("K", "Smartphone", "Tablet"):
        has_brand = brand is None or model.lower().startswith(brand.lower())
        found["deviceName"] = model if has_brand else f"{brand} {model}"
    elif brand:
        found["deviceName"] = brand
    version = re.search(r"(?:iPhone|iPad|iPod)(\d+,\d+)", text)
    return found | {"deviceBrand": brand, "deviceVersion": version[1] if version else None}


def _cpu(text: str, hints: ClientHints) -> tuple[str | None, str | None]:
    if hints.architecture:
        bits = hints.bitness
        x86 = hints.architecture == "x86"
        return ("Intel x86_64" if x86 and bits == "64" else hints.architecture), bits
    if re.search(r"Win64|WOW64|x86_64|x64\b", text):
        return "Intel x86_64", "64"
    if re.search(r"aarch64|arm64", text, re.IGNORECASE):
        return "ARM", "64"
    if "Intel Mac OS X" in text:
        return "Intel", None
    return None, None


def _system(text: str, agent: UserAgent, hints: ClientHints) -> dict[str, str | None]:
    name: str | None = _OS_NAMES.get(agent.os_family, agent.os_family)
    version = ".".join(part for part in (agent.os_major, agent.os_minor, agent.os_patch, agent.os_patch_minor) if part)
    if name == "Other":
        name = {"Windows": "Windows NT", "macOS": "Mac OS", "Chromium OS": "Chrome OS"}.get(
            hints.platform or "", hints.platform
        )
        version = ""
    shown = name
    for pattern, called in _SYSTEMS_OF_CONSOLES:
        if console := pattern.search(text):
            return {"operatingSystemClass": "Game Console", **_named("operatingSystem", called, console[1])}
    if name == "Windows NT":
        shown = "Windows"
        version = _windows_version(text, version, hints)
    elif name == "Mac OS":
        if hints.platform == "macOS" and hints.platform_version:
            version = hints.platform_version
        elif version == "10.15.7":
            # browsers stopped counting there: it says "this or newer", as Yauaa writes it
            version = ">=10.15.7"
    elif name == "Android":
        if hints.platform == "Android" and hints.platform_version:
            version = hints.platform_version.removesuffix(".0").removesuffix(".0")
        elif "Android 10; K)" in text:
            version = ">=10"
    elif name in ("Linux", "Chrome OS") and hints.platform_version:
        version = hints.platform_version
    return {
        "operatingSystemClass": _OS_CLASSES.get(name, "Unknown") if name else None,
        **_named("operatingSystem", name, version, shown),
        "operatingSystemVersionBuild": build[1] if name == "Android" and (build := _BUILD.search(text)) else None,
    }


def _windows_version(text: str, version: str, hints: ClientHints) -> str:
    if hints.platform == "Windows" and hints.platform_version:
        # Windows 11 reports platform versions from 13 on
        major = hints.platform_version.partition(".")[0]
        if major.isdecimal() and len(major) < 6:
            return "11" if int(major) >= 13 else "10" if int(major) >= 1 else version
    found = _NT.search(text)
    if found and found[1] == "10.0":
        return ">=10"
    return _WINDOWS.get(found[1], found[1]) if found else version


def _engine(text: str, agent: UserAgent) -> dict[str, str | None]:
    build = None
    apple = agent.os_family in ("iOS", "iPadOS", "Mac OS X") and not _BLINK.search(text)
    if found := _EDGE_HTML.search(text):
        name, version = "EdgeHTML", found[1]
    elif found := _TRIDENT.search(text):
        name, version = "Trident", found[1]
    elif (found := _BLINK.search(text)) and not apple and len(found[1]) < 6 and int(found[1]) >= 28:
        rest = found[2].split(".")
        name, version = "Blink", found[1] if found[2] in ("", ".0.0.0") else f"{found[1]}.{rest[1] or '0'}"
    elif found := _PRESTO.search(text):
        name, version = "Presto", found[1]
    elif found := _WEBKIT.search(text):
        name, version = "AppleWebKit", found[1]
    elif found := _GECKO.search(text):
        name, version, build = "Gecko", found[1], found[2]
    else:
        return {}
    return {"layoutEngineClass": "Browser", **_named("layoutEngine", name, version), "layoutEngineBuild": build}


def _agent(text: str, agent: UserAgent, hints: ClientHints, *, robot: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    name: str | None = _AGENT_NAMES.get(agent.family, agent.family)
    version = user_agents.whole_version(text, agent)
    if name == "Stock Android Browser":
        # uap-core gives it the system's version
        version = own[1] if (own := _STOCK_VERSION.search(text)) else ""
    blink = _BLINK.search(text)
    if blink and name in ("Chrome", "Chrome Webview", "HeadlessChrome", "Chromium"):
        version = blink[1] + blink[2]
    if name == "Other":
        name, version = None, ""
    hinted = next(((_HINTED_NAMES[n], v) for n, v in hints.brands if n in _HINTED_NAMES), None)
    if hinted and not robot and agent.family not in _APP_FAMILIES:
        name, version = hinted
        if name == "Chrome" and hints.full_version and "." not in version:
            version = hints.full_version
    version = re.sub(r"^(\d+)\.0\.0(?:\.0)?$", r"\1", version) if blink else version
    if name is None and (engine := _WEBKIT.search(text)):
        name, version = "AppleWebKit", engine[1]
    if name is None and robot:
        name = re.split(r"[\s/;(]", text.strip(), maxsplit=1)[0] or None
    found["agentClass"] = _agent_class(text, agent, robot=robot, known=name is not None)
    found |= _named("agent", name, version)
    if found["agentClass"] == "Browser Webview" and agent.family in _APP_FAMILIES:
        found |= _named("webviewApp", agent.family, version)
    language = _LANGUAGE.search(text)
    if language:
        found["agentLanguageCode"] = f"{language[1]}-{language[2].lower()}"
    if robot:
        email, url = _EMAIL.search(text), _URL.search(text)
        found["agentInformationEmail"] = email[0] if email else None
        found["agentInformationUrl"] = url[0] if url else None
    return found


def _agent_class(text: str, agent: UserAgent, *, robot: bool, known: bool) -> str:
    if robot:
        return _robot_class(text, agent)
    if agent.family in _MAIL_FAMILIES:
        return "Email Client"
    if agent.family in _WEBVIEW_FAMILIES or agent.family in _APP_FAMILIES or "; wv)" in text:
        return "Browser Webview"
    if text.startswith(("Mozilla/", "Opera/")):
        return "Browser" if known else "Unknown"
    if re.search(r"okhttp/|CFNetwork/|Dalvik/|Alamofire/|snowplow", text, re.IGNORECASE):
        return "Mobile App"
    return "Special" if known else "Unknown"


def _named(prefix: str, name: str | None, version: str, shown: str | None = None) -> dict[str, str | None]:
    """Name and version in the five fields that Yauaa makes of them; ``shown`` is the name in NameVersion."""
    if not name:
        return {}
    shown = shown or name
    if not version:
        return {f"{prefix}Name": name}
    major = version.partition(".")[0]
    return {
        f"{prefix}Name": name,
        f"{prefix}Version": version,
        f"{prefix}VersionMajor": major,
        f"{prefix}NameVersion": f"{shown} {version}",
        f"{prefix}NameVersionMajor": f"{shown} {major}",
    }
