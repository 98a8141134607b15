"""A dashboard as a summary for people: the first rows of each of its tiles, in the order of the page."""

from __future__ import annotations

from typing import Any

from snowgauge.actions.analytics.answering import Asker, SqlLimits, answered, dashboards
from snowgauge.actions.analytics.asking import ask
from snowgauge.actions.analytics.email_reports.book import Every
from snowgauge.actions.analytics.email_reports.summary import Line, Section, Summary, complete, dates, short, shown
from snowgauge.actions.analytics.saved.tiles import Tile
from snowgauge.actions.analytics.tables import Table, table
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.dimensions import DIMENSIONS
from snowgauge.analytics.measures import MEASURES
from snowgauge.analytics.periods import Period
from snowgauge.errors import ActionRefused, QueryRefused

_ROWS = 10
_NOBODY = Asker(None, SqlLimits(1, 1.0))


def dashboard_summary(deployment: Deployment, dashboard_id: str, app: str, period: Period, every: Every) -> Summary:
    """``app``: instead of the dashboard's; empty: as that has it. Raises what questions raise."""
    board = dashboards(deployment).whole(dashboard_id)
    days = [str(period.first), str(period.last)]
    scope: dict[str, Any] = {**board.scope, "date_range": days, "timezone": period.zone, "include": {}}
    if app:
        scope["app"] = app
    sections = [_section(deployment, tile, scope) for tile in board.tiles if tile.report is not None]
    asked: dict[str, Any] = {name: scope[name] for name in ("app", "date_range", "timezone") if name in scope}
    whole = ask(deployment, {**asked, "metrics": ["visits"], "include": {"coverage": False}})
    return Summary(
        board.name, dates(period, every), f"{period.first}/{period.last}", [], sections, complete(whole, period),
        f"/dashboards?id={dashboard_id}&period={period.first}~{period.last}", "This dashboard has no reports.",
    )  # fmt: skip


def _section(deployment: Deployment, tile: Tile, scope: dict[str, Any]) -> Section:
    report = tile.report
    assert report is not None
    title = tile.title or report.name
    if report.kind == "sql":
        return Section(title, [Line("Results of SQL are not sent by e-mail.", "")])
    try:
        made = table(answered(deployment, report.kind, report.question, scope, _NOBODY).answer)
    except (ActionRefused, QueryRefused) as error:
        return Section(title, [Line(f"Not available: {error}", "")])
    return Section(title, _lines(made) or [Line("Nothing in this period.", "")])


def _lines(made: Table) -> list[Line]:
    """One for each row: what it is, and its figures with their names where there are several."""
    labels = [at for at, name in enumerate(made.columns) if name in DIMENSIONS or name.startswith("time") or at == 0]
    if made.columns and made.columns[0] in MEASURES:  # figures of the whole period
        return [
            Line(MEASURES[name].label, _cell(name, value))
            for name, value in zip(made.columns, made.rows[0], strict=True)
        ]
    figures = [at for at in range(len(made.columns)) if at not in labels]
    lines = []
    for row in made.rows[:_ROWS]:
        label = ", ".join(short(row[at], _unset(made.columns[at])) for at in labels)
        if len(figures) == 1:
            value = _cell(made.columns[figures[0]], row[figures[0]])
        else:
            value = " · ".join(
                f"{_named(made.columns[at])} {_cell(made.columns[at], row[at])}"
                for at in figures
                if row[at] is not None
            )
        lines.append(Line(label, value))
    if len(made.rows) > _ROWS:
        lines.append(Line(f"and {len(made.rows) - _ROWS:,} more", ""))
    return lines


def _unset(name: str) -> str:
    return DIMENSIONS[name].unset if name in DIMENSIONS else "(not set)"


def _named(name: str) -> str:
    return MEASURES[name].label.lower() if name in MEASURES else name.replace("_", " ")


def _cell(name: str, value: Any) -> str:
    if name in MEASURES:
        return shown(MEASURES[name], value)
    return f"{value:,.10g}" if isinstance(value, int | float) else "–" if value is None else str(value)
