"""Passwords: what one has to be like, and its argon2id hash."""

from __future__ import annotations

import secrets

from snowgauge.errors import AccessRefused

_LEAST = 10
_MOST = 1000


class Passwords:
    """Safe for threads."""

    def __init__(self) -> None:
        from argon2 import PasswordHasher

        self._hasher = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    def hashed(self, password: str, name: str) -> str:
        """Raises ``AccessRefused`` for one that is too short, too long or made of the person's name."""
        if len(password) < _LEAST:
            raise AccessRefused(f"the password must have at least {_LEAST} characters")
        if len(password) > _MOST:
            raise AccessRefused(f"the password must have at most {_MOST} characters")
        if name.lower() in password.lower() and len(password) < len(name) + 8:
            raise AccessRefused("the password must not be made of the name")
        return self._hasher.hash(password)

    def right(self, hashed: str | None, password: str) -> bool:
        """``hashed``: ``None``: of nobody, which costs as much time as a known person's."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            self._hasher.verify(self._nobody if hashed is None else hashed, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def renewed(self, hashed: str, password: str) -> str | None:
        """Another hash of a password that was right, where the parameters have changed since."""
        return self._hasher.hash(password) if self._hasher.check_needs_rehash(hashed) else None
