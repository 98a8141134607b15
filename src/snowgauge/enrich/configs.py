"""From a folder of configuration files to enrichments that are ready to run, or one error that names every fault.

Snowplow's folder works unchanged (enrich 6.10): every file is self-describing, checked against its Iglu schema, and
taken by the enrichment that its schema's name belongs to. Beyond that, ``.hocon``, bare ``.js`` scripts and ``.py``
files are read, all faults of all files are reported together, and a misspelt name gets a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.enrich.adapters.base import Adapter
from snowgauge.enrich.assets import RecordingAssets
from snowgauge.enrich.configuration_files import ConfigurationFile, FileError, listed, read
from snowgauge.enrich.enrichments import registry as registries
from snowgauge.enrich.enrichments.base import Enrichment, Means
from snowgauge.enrich.enrichments.python import PythonEnrichment, guarded
from snowgauge.enrich.enrichments.registry import Registry, UserFile, criteria
from snowgauge.errors import AssetError, SelfDescribingError, SettingsError
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.contract import Invalid, Validator
from snowgauge.telemetry.logs import logger

NONE = "none"
_FRAME = frozenset({"name", "vendor", "enabled", "parameters"})
log = logger("enrichments")


class LoadedEnrichment(msgspec.Struct):
    """One line of ``enrichments list``. ``enrichment`` is ``None`` when off, and ``why_off`` says why.

    ``source`` is a file's name, ``default``, or ``package``; ``assets`` are the URIs of the files it reads.
    """

    name: str
    runs_at: int
    source: str
    schema: str
    enrichment: Enrichment | None
    why_off: str = ""
    assets: list[str] = []

    @property
    def on(self) -> bool:
        return self.enrichment is not None


class LoadedEnrichments(msgspec.Struct):
    """What a deployment runs. ``entries`` are in the order of running, those that are off included."""

    entries: list[LoadedEnrichment]
    adapters: list[type[Adapter]] = []
    warnings: list[str] = []

    @property
    def enrichments(self) -> list[Enrichment]:
        """Those that run, in their order."""
        return [entry.enrichment for entry in self.entries if entry.enrichment is not None]

    def close(self) -> None:
        for enrichment in self.enrichments:
            enrichment.close()


def load(
    folder: str | Path | None,
    validator: Validator,
    means: Means,
    environment: Mapping[str, str],
    *,
    add_defaults: bool = False,
    registry: Registry | None = None,
) -> LoadedEnrichments:
    """Read ``folder`` (``None``: the default set; ``"none"``: nothing) and make what it configures.

    Raises one ``SettingsError`` with every fault found; ``RegistryOutage`` while a registry that may have a schema is
    away. Warnings are logged and returned.
    """
    loading = _Loading(validator, means, environment, registry or registries.find())
    if folder is not None and str(folder) != NONE:
        loading.take_folder(Path(folder))
    if folder is None or (add_defaults and str(folder) != NONE):
        loading.take_defaults()
    if str(folder) != NONE:
        loading.take_functions()
    return loading.finish()


class _Candidate(msgspec.Struct):
    """A configuration found valid, before its enrichment is made."""

    found: type[Enrichment]
    key: SchemaKey
    enabled: bool
    parameters: dict[str, Any]
    source: str


class _Loading:
    """The state of one load: faults and warnings gathered over all files."""

    def __init__(self, validator: Validator, means: Means, environment: Mapping[str, str], registry: Registry) -> None:
        self.validator = validator
        self.means = means
        self.environment = environment
        self.registry = registry
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.adapters: list[type[Adapter]] = []
        self.candidates: list[_Candidate] = []
        self.entries: list[LoadedEnrichment] = []

    def take_folder(self, folder: Path) -> None:
        try:
            paths = listed(folder)
        except OSError as error:
            raise SettingsError(
                f"enrichments folder {str(folder)!r} cannot be read: {error.strerror or error}; give an existing "
                "folder, 'none' to run no enrichment, or leave the setting out for the default set"
            ) from error
        self.means = msgspec.structs.replace(self.means, folder=str(folder))
        # Python files first: the classes they define take the configurations beside them
        for place, path in enumerate(path for path in paths if path.suffix == ".py"):
            self._take_python(path, place)
        for path in paths:
            if path.suffix != ".py":
                try:
                    self._take_configuration(read(path, self.environment))
                except FileError as error:
                    self.errors.append(f"{path.name}: {error}")

    def take_defaults(self) -> None:
        configured = {candidate.found for candidate in self.candidates}
        for found in self.registry.classes:
            if found.default is None or found in configured or not criteria(found):
                continue
            key = _newest(found)
            self._create(_Candidate(found, key, True, dict(found.default), "default"))

    def take_functions(self) -> None:
        for function in self.registry.functions:
            self._add_python(function, "package")
        for found in self.registry.classes:
            if not criteria(found):
                self._add_unconfigured(found, found.__name__, "package", 0)

    def finish(self) -> LoadedEnrichments:
        for candidate in self._last_of_each():
            self._create(candidate)
        self.entries.sort(key=lambda entry: entry.runs_at)
        self._refuse_ties()
        if self.errors:
            for entry in self.entries:
                if entry.enrichment is not None:
                    entry.enrichment.close()
            faults = "\n".join(f"  - {error}" for error in self.errors)
            raise SettingsError(f"enrichments are not configured correctly ({len(self.errors)} faults):\n{faults}")
        for warning in self.warnings:
            log.warning("enrichment_configuration", text=warning)
        return LoadedEnrichments(self.entries, self.adapters, self.warnings)

    def _take_python(self, path: Path, place: int) -> None:
        try:
            file = registries.read_user_file(path, place)
        except SettingsError as error:
            self.errors.append(str(error))
            return
        self.adapters += file.adapters
        if file.function is not None:
            self._add_python(file.function, path.name)
        self._take_classes(file)

    def _take_classes(self, file: UserFile) -> None:
        configured = [found for found in file.classes if criteria(found)]
        if configured:
            try:
                self.registry = self.registry.adding(configured)
            except SettingsError as error:
                self.errors.append(f"{file.path.name}: {error}")
        for place, found in enumerate(file.classes):
            if found not in configured:
                self._add_unconfigured(found, f"{file.path.stem}.{found.__name__}", file.path.name, place)

    def _add_python(self, function: PythonEnrichment, source: str) -> None:
        self.entries.append(
            LoadedEnrichment(function.identifier, function.runs_at, source, function.schema_key.uri, function)
        )

    def _add_unconfigured(self, found: type[Enrichment], name: str, source: str, place: int) -> None:
        """A class that needs no configuration: it is there, so it runs."""
        assets = RecordingAssets(self.means.assets)
        means = msgspec.structs.replace(self.means, assets=assets)
        try:
            made = found.create(dict(found.default or {}), means) if _has_create(found) else found()
        except (AssetError, ValueError, TypeError) as error:
            self.errors.append(f"{source}: {found.__name__}: {error}")
            return
        if made is not None:
            wrapped = guarded(made, name, place)
            self.entries.append(
                LoadedEnrichment(
                    wrapped.identifier, wrapped.runs_at, source, wrapped.schema_key.uri, wrapped, "", assets.uris
                )
            )

    def _take_configuration(self, file: ConfigurationFile) -> None:
        name = file.path.name
        try:
            item = SelfDescribing.parse(file.json)
        except SelfDescribingError as error:
            self.errors.append(
                f"{name}: not a self-describing configuration ({error.code}); expected an object with 'schema' "
                f"(such as {_example(self.registry)}) and 'data', found {_short(file.json)}"
            )
            return
        found = self.registry.of(item.schema.name)
        if found is None:
            near = get_close_matches(item.schema.name, self.registry.names, 1)
            self.warnings.append(
                f"{name}: ignored, because no enrichment takes {item.schema.uri}"
                + (f"; did you mean {near[0]!r}?" if near else "")
            )
            return
        if not any(criterion.matches(item.schema) for criterion in criteria(found)):
            self.errors.append(f"{name}: $.schema = {item.schema.uri!r}: {_unsupported(item.schema, found)}")
            return
        result = self.validator.check(item)
        if isinstance(result, Invalid):
            self.errors += _faults(name, item, result.error)
            return
        data: dict[str, Any] = item.data
        parameters = dict(data.get("parameters") or {})
        # whatever stands beside the parameters is the enrichment's as well (PII: emitEvent, anonymousOnly)
        parameters |= {key: value for key, value in data.items() if key not in _FRAME}
        self.candidates.append(_Candidate(found, item.schema, data.get("enabled", True) is True, parameters, name))

    def _last_of_each(self) -> list[_Candidate]:
        """Enrich 6.10: of two files of a kind the last one counts, except where several may run."""
        kept: dict[Any, _Candidate] = {}
        for number, candidate in enumerate(self.candidates):
            where = number if candidate.found.repeats else candidate.found
            before = kept.pop(where, None)
            if before is not None:
                self.warnings.append(
                    f"{before.source}: ignored, because {candidate.source} configures {candidate.key.name} as well; "
                    "the last file by name counts"
                )
            kept[where] = candidate
        return list(kept.values())

    def _create(self, candidate: _Candidate) -> None:
        found, key = candidate.found, candidate.key
        entry = LoadedEnrichment(key.name, found.runs_at, candidate.source, key.uri, None)
        if not candidate.enabled:
            entry.why_off = "enabled is false"
            self.entries.append(entry)
            return
        assets = RecordingAssets(self.means.assets)
        try:
            made = found.create(candidate.parameters, msgspec.structs.replace(self.means, assets=assets))
        except (AssetError, ValueError, OSError) as error:
            self.errors.append(f"{candidate.source}: {key.name}: {error}")
            return
        entry.assets = assets.uris
        if made is None:
            entry.why_off = (
                f"there is no {found.default_needs}" if found.default_needs else "its parameters ask for nothing"
            )
        else:
            made.schema_key = key
            if not found.__module__.startswith("snowgauge.enrich.enrichments."):
                made = guarded(made, key.name)
                made.identifier = found.identifier  # type: ignore[misc]
            entry.enrichment = made
        self.entries.append(entry)

    def _refuse_ties(self) -> None:
        places: dict[int, LoadedEnrichment] = {}
        for entry in self.entries:
            if entry.enrichment is None:
                continue
            before = places.setdefault(entry.runs_at, entry)
            if before is entry or before.enrichment is None:
                continue
            if not (before.enrichment.repeats and entry.enrichment.repeats):
                self.errors.append(
                    f"{entry.source}: {entry.name} runs at {entry.runs_at}, which is the place of {before.name} "
                    f"({before.source}); choose another runs_at"
                )


def _has_create(found: type[Enrichment]) -> bool:
    return found.create.__func__ is not Enrichment.create.__func__  # type: ignore[attr-defined]


def _newest(found: type[Enrichment]) -> SchemaKey:
    sample: dict[str, Any] | None = getattr(found, "sample", None)
    if sample is not None:
        return SchemaKey.parse(sample["schema"])
    first = criteria(found)[0]
    return SchemaKey(first.vendor, first.name, first.format, first.model or 1, first.revision or 0, first.addition or 0)


def _unsupported(key: SchemaKey, found: type[Enrichment]) -> str:
    """The wording is enrich 6.10's."""
    allowed = " or ".join(str(criterion) for criterion in criteria(found))
    return f"Schema key {key.uri} is not supported. A '{key.name}' enrichment must have schema {allowed}."


def _faults(name: str, item: SelfDescribing, error: dict[str, Any]) -> list[str]:
    reports = error.get("dataReports")
    if not reports:
        return [f"{name}: $.schema = {item.schema.uri!r}: {_issue(error)}"]
    faults = []
    for report in reports:
        path = str(report.get("path") or "$")
        where = "$.data" + path.removeprefix("$")
        faults.append(f"{name}: {where} = {_short(_at(item.data, path))}: {report.get('message')}")
    return faults


def _issue(error: dict[str, Any]) -> str:
    if error.get("error") == "ResolutionError":
        asked = ", ".join(str(step.get("repository")) for step in error.get("lookupHistory", []))
        return f"its schema was not found in {asked or 'any registry'}; add a registry that has it"
    return f"its schema cannot be used: {msgspec.json.encode(error.get('schemaIssues', error)).decode()}"


def _at(data: Any, path: str) -> Any:
    """The value at a path such as ``$.a.b[1]``; the nearest thing there is, when the path leads nowhere."""
    current = data
    for step in path.removeprefix("$").replace("[", ".[").split("."):
        if not step:
            continue
        try:
            current = current[int(step[1:-1])] if step.startswith("[") else current[step]
        except (KeyError, IndexError, TypeError, ValueError):
            break
    return current


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else text[:117] + "..."


def _example(registry: Registry) -> str:
    for found in registry.classes:
        if criteria(found):
            return _newest(found).uri
    return "iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-1"


def check(folder: str | Path, validator: Validator, means: Means, environment: Mapping[str, str]) -> LoadedEnrichments:
    """``enrichments check DIR``: everything ``load`` does, files fetched too, and nothing left open."""
    loaded = load(folder, validator, means, environment)
    loaded.close()
    return loaded
