"""Scopes, the roles that bundle them, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal[
    "read:aggregates", "read:persons", "read:events", "query:sql", "read:schemas", "write:schemas", "recover",
    "write:analytics", "write:alerts", "read:health", "admin",
]  # fmt: skip
Role = Literal["viewer", "analyst", "editor", "admin"]

SCOPES: dict[Scope, str] = {
    "read:aggregates": "Counts, timelines and groups; never a single person's event.",
    "read:persons": "Single visits, and what one visitor did.",
    "read:events": "Whole events and failed events.",
    "query:sql": "Read-only SQL over everything that is stored.",
    "read:schemas": "The schema catalogue.",
    "write:schemas": "Publish schemas into the local registry.",
    "write:analytics": "Share segments and annotations, and make share links.",
    "write:alerts": "Make, change and mute alerts.",
    "recover": "Send failed events through the pipeline again.",
    "read:health": "State of the parts, capacity and checks.",
    "admin": "People, keys and the audit log.",
}
"""Every scope and what it opens."""

_VIEWER: frozenset[Scope] = frozenset(("read:aggregates", "read:schemas", "read:health"))
_ANALYST: frozenset[Scope] = _VIEWER | {
    "read:persons",
    "read:events",
    "query:sql",
    "write:analytics",
    "write:alerts",
}
_EDITOR: frozenset[Scope] = _ANALYST | {"write:schemas", "recover"}
ROLES: dict[Role, frozenset[Scope]] = {
    "viewer": _VIEWER,
    "analyst": _ANALYST,
    "editor": _EDITOR,
    "admin": _EDITOR | {"admin"},
}
"""What each role may do, the least first. A viewer sees figures, not people."""
ROLE_TEXTS: dict[Role, str] = {
    "viewer": "Figures, schemas and health; never a single person's event.",
    "analyst": "Also events, visits of single people, SQL, shared reports and alerts.",
    "editor": "Also recovers failed events and publishes schemas.",
    "admin": "Also manages users and keys, and reads the audit log.",
}
"""Every role in words, each with what it adds to the one before."""

BY_APPLICATION: frozenset[Scope] = frozenset(("read:aggregates", "read:persons", "read:events"))
"""What can be limited to applications. Someone who sees some applications only has no other scope."""


@dataclass(frozen=True)
class Principal:
    """Who is asking. ``kind``: a person with a session, a program with a key, or anyone on this machine while no
    login is needed. ``csrf`` must come back in a header with every request of a session that changes something.
    ``owes_second_factor``: the person may do nothing until they have set one up. ``apps``: the only applications that
    they may see; ``None``: all, also those that come later."""

    name: str
    kind: Literal["person", "key", "local"]
    scopes: frozenset[Scope]
    role: Role | None = None
    person_id: str | None = None
    session: str | None = None
    csrf: str | None = None
    owes_second_factor: bool = False
    apps: tuple[str, ...] | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def sees(self, app: str) -> bool:
        """May they see this application?"""
        return self.apps is None or app in self.apps


LOCAL = Principal("this machine", "local", ROLES["admin"], "admin")
"""Anyone who can reach a loopback port while no person is registered."""
