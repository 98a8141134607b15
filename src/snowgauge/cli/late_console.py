"""A console of rich's that is made when something is first shown.

Importing rich takes as long as printing a help text, which needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console


class _LateConsole:
    """Passes everything on to the console that ``make`` gives at the first use."""

    def __init__(self, make: Callable[[], Console]) -> None:
        self._make = make
        self._console: Console | None = None

    def _made(self) -> Console:
        if self._console is None:
            self._console = self._make()
        return self._console

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made(), name)

    # rich's live displays enter their console, and such methods are looked up in the class
    def __enter__(self) -> Console:
        return self._made().__enter__()

    def __exit__(self, *raised: Any) -> None:
        self._made().__exit__(*raised)


def late_console(make: Callable[[], Console]) -> Console:
    """To everyone who uses it the console itself; ``isinstance`` alone tells the difference."""
    return cast("Console", _LateConsole(make))
