"""What a user agent string says, read once for all enrichments that ask.

Rules are uap-core's, through ua-parser's Rust engine; a parse takes some 40 µs, so results are kept by string. The
three tests at the bottom (robot, library, headless) come from ``bots.json`` in this folder, a plain file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from snowgauge.enrich.enrichments.base import EnrichmentSource
from snowgauge.events.enriched import EnrichedEvent

CACHED = 10_000
LONGEST = 2048
"""Characters of a user agent that are looked at. The column holds 1000, so longer ones fail the event anyway;
the bound keeps what one sender can cost, in time and in cached text, small."""
_SPECIAL = re.compile(r"[\\\[\](){}|^$*+?.]")


class UserAgent(msgspec.Struct, frozen=True):
    """One parsed user agent. Families are ``Other`` where no rule matched; versions are ``None`` where unknown."""

    family: str = "Other"
    major: str | None = None
    minor: str | None = None
    patch: str | None = None
    os_family: str = "Other"
    os_major: str | None = None
    os_minor: str | None = None
    os_patch: str | None = None
    os_patch_minor: str | None = None
    device: str = "Other"
    brand: str | None = None
    model: str | None = None


def text_of(event: EnrichedEvent, source: EnrichmentSource) -> str | None:
    """The user agent as enrich sees it: an empty header is an empty text, which the event's column does not tell from
    none."""
    if event.useragent is None and source.tracker.payload.user_agent == "" and source.parameters.get("ua") is None:
        return ""
    return None if event.useragent is None else event.useragent[:LONGEST]


def whole_version(text: str, agent: UserAgent) -> str:
    """The agent's version with all the parts that the text gives it, spelt as there: uap-core reads three of
    ``33.0.1750.152``, and takes ``4.0b7pre`` apart."""
    parts = [part for part in (agent.major, agent.minor, agent.patch) if part]
    if not parts:
        return ""
    found = re.search(rf"[/ ]({r'[.]?'.join(map(re.escape, parts))}(?:[.~a-z][\w.~]*)?)(?![\w.~])", text)
    return found[1].rstrip(".") if found else ".".join(parts)


class Rules:
    """Compiled rules: the built-in ones, or those of a ``regexes.yaml``."""

    def __init__(self, matchers: Any, cached: int = CACHED) -> None:
        from ua_parser.core import Domain
        from ua_parser.regex import Resolver

        resolver = Resolver(matchers)
        everything = Domain.ALL

        def parse(text: str) -> UserAgent:
            try:
                found = resolver(text, everything)
            except UnicodeEncodeError:  # half a surrogate pair, which no engine in Rust takes
                found = resolver(text.encode("utf-8", "replace").decode(), everything)
            agent, system, device = found.user_agent, found.os, found.device
            return UserAgent(
                (agent and agent.family) or "Other",
                _known(agent.major if agent else None),
                _known(agent.minor if agent else None),
                _known(agent.patch if agent else None),
                (system and system.family) or "Other",
                _known(system.major if system else None),
                _known(system.minor if system else None),
                _known(system.patch if system else None),
                _known(system.patch_minor if system else None),
                (device and device.family) or "Other",
                _known(device.brand if device else None),
                _known(device.model if device else None),
            )

        self.parse = lru_cache(maxsize=cached)(parse)


def _known(text: str | None) -> str | None:
    """A group that matched nothing but blanks is as good as none (uap-java)."""
    return text if text and not text.isspace() else None


@cache
def built_in() -> Rules:
    """The rules that ship with ua-parser, compiled once per process."""
    from ua_parser.loaders import load_lazy_builtins

    return Rules(load_lazy_builtins())


def from_yaml(content: bytes) -> Rules:
    """Rules of a file in uap-core's ``regexes.yaml`` format. Raises ``ValueError`` naming what is wrong.

    As uap-java reads them: ``v3_replacement`` has no effect, and a rule with ``v2_replacement`` gives no patch.
    """
    import yaml
    from ua_parser.lazy import DeviceMatcher, OSMatcher, UserAgentMatcher

    try:
        document = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe loaders)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("user_agent_parsers"), list):
        raise ValueError("expected a mapping with user_agent_parsers, os_parsers and device_parsers")
    try:
        agents = [
            UserAgentMatcher(
                rule["regex"],
                rule.get("family_replacement"),
                rule.get("v1_replacement"),
                rule.get("v2_replacement"),
                # a space is no version: the engine takes it for a given replacement, and it is blank for the reader
                " " if rule.get("v2_replacement") else None,
            )
            for rule in document["user_agent_parsers"]
        ]
        systems = [
            OSMatcher(
                rule["regex"],
                rule.get("os_replacement"),
                rule.get("os_v1_replacement"),
                rule.get("os_v2_replacement"),
                rule.get("os_v3_replacement"),
                rule.get("os_v4_replacement"),
            )
            for rule in document.get("os_parsers") or ()
        ]
        devices = [
            DeviceMatcher(
                rule["regex"],
                rule.get("regex_flag"),
                rule.get("device_replacement"),
                rule.get("brand_replacement"),
                rule.get("model_replacement"),
            )
            for rule in document.get("device_parsers") or ()
        ]
        return Rules((agents, systems, devices))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a rule is not as expected: {error!r}") from error


class Words:
    """Regular expressions to be found anywhere in a text, in any case.

    Hundreds of alternatives cost half a millisecond in one expression; nearly all are plain words, or words at the
    beginning, and those are looked for as such.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        words: list[str] = []
        starts: list[str] = []
        others: list[str] = []
        for pattern in patterns:
            start = pattern.startswith("^")
            word = pattern[start:].replace("\\.", ".")
            if "\\" in word or _SPECIAL.search(pattern[start:].replace("\\.", "")):
                others.append(pattern)
            else:
                (starts if start else words).append(word.lower())
        self._words = tuple(words)
        self._starts = tuple(starts)
        self._others = re.compile("|".join(f"(?:{pattern})" for pattern in others) or "(?!)")

    def found_in(self, lowered: str) -> bool:
        """``lowered`` is the text in lower case."""
        return (
            lowered.startswith(self._starts)
            or any(word in lowered for word in self._words)
            or self._others.search(lowered) is not None
        )


class BotWords(msgspec.Struct, frozen=True):
    """What marks user agents that are no person's browser."""

    robot: Words
    library: Words
    headless: Words


@cache
def bot_words() -> BotWords:
    """The patterns of ``bots.json``: words of crawlers, HTTP libraries and browsers driven by programs."""
    lists = json.loads(files(__package__).joinpath("bots.json").read_text("utf-8"))
    return BotWords(Words(lists["robots"]), Words(lists["libraries"]), Words(lists["headless"]))
