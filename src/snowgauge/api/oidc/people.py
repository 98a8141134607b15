"""Whom the claims of a provider's token speak of, whether they may come in, and as what."""

from __future__ import annotations

from typing import Any, NamedTuple

from snowgauge.actions.access.roles import ROLES, Role
from snowgauge.api.oidc.settings import OidcSettings

_RISING: tuple[Role, ...] = tuple(ROLES)


class NotAllowed(Exception):
    """The provider knows this person, and they may not log in here. ``name`` is how the audit log calls them."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


class Admitted(NamedTuple):
    """``names``: what to call the person here, best first."""

    subject: str
    names: tuple[str, ...]
    role: Role


def admitted(settings: OidcSettings, claims: dict[str, Any]) -> Admitted:
    """Raises :class:`NotAllowed`."""
    subject = str(claims["sub"])
    email = _verified_email(claims)
    username = claims.get("preferred_username")
    best = [name for name in (email, username, subject) if isinstance(name, str) and 1 <= len(name.strip()) <= 80]
    names = tuple(name.strip() for name in (*best, subject[:80]))
    if not _may_come_in(settings, subject, email):
        raise NotAllowed(names[0], "not among the people that console.oidc allows")
    role = _role(settings, claims)
    if role is None:
        raise NotAllowed(names[0], f"no role in {settings.role_claim}")
    return Admitted(subject, names, role)


def lacks(settings: OidcSettings, claims: dict[str, Any]) -> bool:
    """Whether a decision needs claims that the token does not have."""
    by_email = bool(settings.allowed_emails or settings.allowed_domains)
    return (by_email and "email" not in claims) or bool(
        settings.role_claim and _claim(claims, settings.role_claim) is None
    )


def _verified_email(claims: dict[str, Any]) -> str | None:
    """A person who may set an unverified address could take someone else's."""
    email = claims.get("email")
    if not isinstance(email, str) or email.count("@") != 1 or claims.get("email_verified") not in (True, "true"):
        return None
    return email.lower()


def _may_come_in(settings: OidcSettings, subject: str, email: str | None) -> bool:
    if not (settings.allowed_emails or settings.allowed_domains or settings.allowed_subjects):
        return True  # then the role decides; the settings see to that
    if "*" in settings.allowed_subjects or subject in settings.allowed_subjects:
        return True
    return email is not None and (
        email in settings.allowed_emails or email.partition("@")[2] in settings.allowed_domains
    )


def _role(settings: OidcSettings, claims: dict[str, Any]) -> Role | None:
    found = _claim(claims, settings.role_claim) if settings.role_claim else None
    values = found if isinstance(found, list) else [found]
    given = {settings.roles[value] for value in values if isinstance(value, str) and value in settings.roles}
    for role in reversed(_RISING):
        if role in given:
            return role
    return None if settings.default_role == "none" else settings.default_role


def _claim(claims: dict[str, Any], name: str) -> Any:
    """A claim by its name, which may hold dots, or by a path such as ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found
