"""What to do about a failure: a table of cures by what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from snowgauge.actions.failed.diagnosis import Fault, vendor_of
from snowgauge.iglu.public_vendors import is_public

_INFER = "snowgauge schema infer --from-failed {group} --output schema.json"
_ADD = "snowgauge schema add schema.json"
_RECOVER = "snowgauge failed recover --group {group}"


class Cure(NamedTuple):
    """``text`` in words; ``commands`` to run, with ``{group}``, ``{path}``, ``{type}``, ``{schema}`` filled in."""

    text: str
    commands: tuple[str, ...] = ()

    def filled(self, fault: Fault, group: str) -> Cure:
        path = fault.place or "PATH"
        return Cure(
            self.text,
            tuple(
                line.format(group=group, path=path, schema=fault.schema, type=_type(fault)) for line in self.commands
            ),
        )


def _type(fault: Fault) -> str:
    """What to cast to: the first type of the schema's rule that is not null; ``TYPE`` where there is none."""
    rule = fault.rule.get("type") if isinstance(fault.rule, Mapping) else None
    types = rule if isinstance(rule, list) else [rule]
    wanted = next((one for one in types if isinstance(one, str) and one != "null"), "TYPE")
    return "json" if wanted == "object" else wanted


_BY_KEYWORD = {
    "type": Cure(
        "The value has another type than the schema says. Cast it where it can be read as that type, or publish a "
        "version that allows this type.",
        (_RECOVER + " --cast {path}={type} --dry-run",),
    ),
    "required": Cure(
        "A property that the schema requires is missing. Give it a value, or publish a version that does not "
        "require it.",
        (_RECOVER + " --default {path}=VALUE --dry-run",),
    ),
    "additionalProperties": Cure(
        "The schema does not know this property. Remove or rename it, or publish a version that has it.",
        (_RECOVER + " --unset {path} --dry-run", _INFER, _ADD, _RECOVER + " --schema {schema}=NEWER"),
    ),
    "enum": Cure(
        "The value is none of those that the schema lists. Set one of them, or publish a version that lists it.",
        (_RECOVER + " --set {path}=VALUE --dry-run",),
    ),
    "atomic_field_parse_error": Cure(
        "A tracker parameter does not have the form of its column. Remove or correct it.",
        (_RECOVER + " --unset {path} --dry-run",),
    ),
    "atomic_field_length_exceeded": Cure(
        "A column is longer than allowed. Raise its limit in the setting enrich.atomic_fields_limits (or accept long "
        "values with enrich.accept_invalid) and replay.",
        (_RECOVER,),
    ),
}
_BOUNDS = Cure(
    "The value is outside of what the schema allows. Change it, or publish a version with wider bounds.",
    (_RECOVER + " --set {path}=VALUE --dry-run",),
)
_BY_KIND = {
    "resolution": Cure(
        "No registry has this schema. Publish it (a draft can be inferred from the data), then replay. If a registry "
        "was unreachable, do nothing: such events are replayed automatically once the schema is available.",
        (_INFER, _ADD, _RECOVER),
    ),
    "broken schema": Cure(
        "The schema itself is wrong. Publish a corrected version; `snowgauge schema lint` says what is wrong.",
        ("snowgauge schema show {schema}", _RECOVER + " --schema {schema}=NEWER"),
    ),
    "criterion": Cure(
        "Self-describing data of another schema than this place takes. Name the right one.",
        (_RECOVER + " --schema {schema}=RIGHT --dry-run",),
    ),
    "not json": Cure(
        "The text is not JSON. Where the sender cannot be corrected, replace or remove it.",
        (_RECOVER + " --unset {path} --dry-run",),
    ),
    "not self-describing": Cure(
        "The JSON has no usable schema beside its data. Set one, or remove it.",
        (_RECOVER + " --set {path}.schema=iglu:VENDOR/NAME/jsonschema/1-0-0 --dry-run",),
    ),
    "enrichment": Cure(
        "An enrichment could not do its work: correct its configuration, or wait until what it asks answers again; "
        "then replay unchanged.",
        ("snowgauge enrichments list", _RECOVER),
    ),
    "adapter": Cure(
        "The request has no form that its adapter knows. Correct the request and replay it.",
        (_RECOVER + " --dry-run",),
    ),
    "unsupported": Cure(
        "Nothing here answers for this path. Add an adapter and replay, or leave it: scanners send such requests too.",
        (_RECOVER,),
    ),
    "path": Cure("The path is no tracking path: nearly always a scanner. Nothing is lost by leaving it."),
    "querystring": Cure(
        "The query string has characters that are not allowed in one. A replay reads it leniently and rewrites it.",
        (_RECOVER + " --dry-run",),
    ),
    "size": Cure(
        "The request was larger than allowed, and only its beginning is kept. Raise the collector's limits for the "
        "next ones, or send smaller batches."
    ),
    "size kept": Cure(
        "What became of the request is larger than enrich.max_record_size; the request itself is kept whole. Raise the "
        "limit, or make the event smaller, and replay.",
        (_RECOVER, _RECOVER + " --unset parameters.NAME --dry-run"),
    ),
    "loader": Cure("The database refused the finished event. The reason names the column; see the guide."),
    "other": Cure("Replay it to see whether it still fails.", (_RECOVER + " --dry-run",)),
}
_PUBLIC = Cure(
    "No registry has this schema. Its vendor publishes in Iglu Central: check that name and version are right, and "
    "that Iglu Central is among the registries and reachable.",
    (_RECOVER + " --schema {schema}=RIGHT --dry-run",),
)


def cure_of(fault: Fault, group: str) -> Cure:
    """Never without an answer."""
    if fault.keyword is not None:
        cure = _BY_KEYWORD.get(fault.keyword, _BOUNDS)
        if is_public(vendor_of(fault.schema) or ""):  # nobody here publishes a version of it
            cure = Cure(cure.text.partition(", or publish a version")[0].rstrip(".") + ".", cure.commands[:1])
        return cure.filled(fault, group)
    if fault.kind == "resolution" and is_public(vendor_of(fault.schema) or ""):
        return _PUBLIC.filled(fault, group)
    return _BY_KIND.get(fault.kind, _BY_KIND["other"]).filled(fault, group)
