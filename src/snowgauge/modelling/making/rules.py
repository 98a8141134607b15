"""An application's settings at work. What was answered once is remembered: pages and landings repeat."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import parse_qsl

from snowgauge.modelling.applications import Application
from snowgauge.modelling.channels.attribution import Landing, Origin, origin
from snowgauge.modelling.entities import text_of
from snowgauge.modelling.events import Event
from snowgauge.modelling.paths import first_match, matches


class Rules:
    """One application's."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._path = lru_cache(maxsize=10_000)(self._make_path)
        self._origin = lru_cache(maxsize=10_000)(self._make_origin)
        self._own_address = lru_cache(maxsize=10_000)(self._is_own_address)
        self.content_group = lru_cache(maxsize=10_000)(self._find_group)
        self._networks = [ipaddress.ip_network(text, strict=False) for text in application.own_traffic.networks]
        self._non_interactive = frozenset(application.non_interactive)

    def page_path(self, event: Event) -> str:
        """The path after the path rules; of screens ``/`` and their name."""
        if event.name == "screen_view":
            return self._path("/" + text_of(event.data, "name"), "")
        return self._path(event.get("page_urlpath"), event.get("page_urlfragment"))

    def path(self, path: str) -> str:
        """A path, without an event, after the path rules."""
        return self._path(path, "")

    def landing(self, landing: Landing) -> Origin:
        """The source and channel of a visit that begins like this."""
        return self._origin(landing)

    def origin(self, event: Event) -> Origin:
        """The source and channel of a visit that begins with this event."""
        return self._origin(
            Landing(
                event.get("mkt_medium"),
                event.get("mkt_source"),
                event.get("mkt_campaign"),
                event.get("mkt_network"),
                event.get("refr_medium"),
                event.get("refr_source"),
                event.get("refr_urlhost"),
                event.get("page_urlquery"),
                event.get("page_urlpath"),
            )
        )

    def is_internal(self, event: Event) -> bool:
        """Own traffic?"""
        own = self.application.own_traffic
        if self._networks and self._own_address(event.get("user_ipaddress")):
            return True
        if own.parameter and own.parameter in event.get("page_urlquery"):
            value = dict(parse_qsl(event.get("page_urlquery"), keep_blank_values=True)).get(own.parameter)
            if value is not None and value not in ("0", "false"):
                return True
        domain = event.user_id.rpartition("@")[2].lower()
        return "@" in event.user_id and domain in own.user_domains

    def is_interactive(self, name: str) -> bool:
        return name not in self._non_interactive

    def _make_path(self, path: str, fragment: str) -> str:
        rules = self.application.paths
        if rules.hash_routes and fragment.startswith(("/", "!")):
            path = f"{path}#{fragment}"
        if rules.lower_case:
            path = path.lower()
        if rules.trailing_slash == "strip" and len(path) > 1:
            path = path.rstrip("/") or "/"
        return first_match(rules.patterns, path) or path

    def _make_origin(self, landing: Landing) -> Origin:
        return origin(landing, self.application)

    def _find_group(self, path: str) -> str:
        return next((group.name for group in self.application.content_groups if matches(group.pattern, path)), "")

    def _is_own_address(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._networks)
