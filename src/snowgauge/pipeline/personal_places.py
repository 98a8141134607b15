"""Where data about a person may be beside the event log and the store's tables of events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.actions.analytics.saved.cohorts import take_out
from snowgauge.actions.lifetime.marks import Finder
from snowgauge.actions.lifetime.places import Found, Progress, Taken, mark_of
from snowgauge.actions.lifetime.pruning import pruned_failed
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.delivery import journal
from snowgauge.delivery.contract import Processed
from snowgauge.modelling.forgetting import forget, units_of_people
from snowgauge.modelling.store import ModelStore
from snowgauge.modelling.tables import OF_UNITS
from snowgauge.modelling.tables.cohorts import MEMBERS
from snowgauge.state.documents import Documents
from snowgauge.store.base import StoreBatch
from snowgauge.store.cut import without
from snowgauge.store.lifetime import Row, row_key


class RecoveriesPlace:
    """Recovery runs, rules and notes, whose selections, edits and texts can name a person. Such a file goes whole."""

    name = "recoveries"
    moving = False

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def find(self, finder: Finder) -> Iterator[Found]:
        contents = self._documents.contents("")
        for name in sorted(name for name in contents if name.endswith(".json")):
            plan = msgspec.json.decode(contents[name])
            values = {value.lower() for value in finder.person.values}
            named = any(value in values for value in _texts(plan))
            mark = finder.by(plan)
            if mark is not None or named:
                yield Found(
                    self.name,
                    name,
                    int(plan.get("at", 0)),
                    mark[0] if mark else "value",
                    plan,
                )

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        found = [one.id for one in self.find(finder)]
        for number, name in enumerate(found):
            self._documents.remove(name)
            progress(self.name, number + 1)
        return Taken(self.name, len(found))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value; a selection names a column here and its value there."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        text = str(value).lower()
        yield text
        yield text.partition("=")[2].strip(" '\"")


class ModelledPlace:
    """Modelled rows of a person whose events are gone already; with its events what was made of them goes, too."""

    name = "modelled"
    moving = False

    def __init__(self, model: ModelStore) -> None:
        self._model = model

    def find(self, finder: Finder) -> Iterator[Found]:
        for unit in units_of_people(self._model, self._values(finder)):
            rows = {table.name: self._model.rows(table, "unit", [unit.name]) for table in OF_UNITS}
            shown = msgspec.to_builtins({name: of for name, of in rows.items() if of})
            yield Found(self.name, unit.name, unit.since, "modelled", shown)

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        units = units_of_people(self._model, self._values(finder))
        forget(self._model, units)
        progress(self.name, len(units))
        return Taken(self.name, len(units))

    def _values(self, finder: Finder) -> list[str]:
        return sorted({value for _, value in finder.person.marks} - {""})


class CohortsPlace:
    """IDs on the lists of cohorts."""

    name = "cohorts"
    moving = False

    def __init__(self, model: ModelStore) -> None:
        self._model = model

    def find(self, finder: Finder) -> Iterator[Found]:
        for row in self._model.rows(MEMBERS, "folded", self._values(finder)):
            yield Found(self.name, f"{row['cohort_id']} {row['id']}", row["at"], "cohort", row)

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        count = take_out(self._model, "folded", self._values(finder))
        progress(self.name, count)
        return Taken(self.name, count)

    def _values(self, finder: Finder) -> list[str]:
        return sorted({value.lower() for _, value in finder.person.marks} - {""})


class JournalPlace:
    """What workers have written down before storing it, or before handing it to sinks."""

    moving = True

    def __init__(self, folder: Path, name: str = "journal") -> None:
        self._folder = folder
        self.name = name

    def find(self, finder: Finder) -> Iterator[Found]:
        for _, processed in journal.files(self._folder):
            batch = processed.batch
            items: tuple[Row, ...] = (*batch.events, *batch.failed, *batch.incomplete)
            for item in items:
                mark = mark_of(item, finder)
                if mark is not None:
                    key, at = row_key(item)
                    yield Found(self.name, key, at, mark[0], item)

    def take_out(self, finder: Finder, progress: Progress) -> Taken:
        removed = changed = 0
        for file, processed in journal.files(self._folder):
            before = processed.batch
            after = without(
                before,
                lambda event: finder.by(event) is not None,
                lambda failed: pruned_failed(failed, finder.marks, finder.by_any),
            )
            if after is not before:
                _dropped(processed, after)
                journal.keep(file, processed)
                gone = len(before.incomplete) - len(after.incomplete)
                gone += len(before.events) - len(after.events) + len(before.failed) - len(after.failed)
                ids = {failed.id: failed for failed in before.failed}
                changed += sum(failed is not ids[failed.id] for failed in after.failed)
                removed += gone
                progress(self.name, removed)
        return Taken(self.name, removed, changed)

    def forget(self, tombstones: Tombstones) -> int:
        """Take out what tombstones cover; answers of how many batches."""
        changed = 0
        for file, processed in journal.files(self._folder):
            kept = tombstones.without(processed.batch)
            if kept is not processed.batch:
                _dropped(processed, kept)
                journal.keep(file, processed)
                changed += 1
        return changed


def _dropped(processed: Processed, after: StoreBatch) -> None:
    """What went out of a batch counts as dropped on purpose."""
    before, tally = processed.batch, processed.tally
    good, bad = len(before.events) - len(after.events), len(before.failed) - len(after.failed)
    tally.enriched -= good
    tally.failed -= bad
    tally.dropped += good + bad
    processed.batch = after
