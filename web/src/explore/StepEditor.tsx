/** One event of a report: its kind, its name, its conditions, and in trends what is measured of it. */
import { useState } from "react";
import { FilterDialog } from "../analytics/controls/Filters";
import { describe, type Known } from "../analytics/view/definitions";
import type { Scope } from "../analytics/view/question";
import { middle } from "../view/format";
import { Icon } from "../widgets/icons";
import { IconButton } from "../widgets/ui";
import { knownOf, type ReportDefinitions, useNames, useProperties } from "./catalogue";
import { Choices } from "./Choices";
import { Combobox } from "./Combobox";
import { needsProperty } from "./question";
import { EMPTY, kindOf, type Step } from "./state";

interface Props {
  step: Step;
  /** A number or a letter before it. */
  mark: string;
  known: Known;
  choices: ReportDefinitions;
  scope: Scope;
  /** Whether something of it is measured, as in trends. */
  measured?: boolean;
  /** Its kind is given by the report. */
  fixed?: boolean;
  onChange: (step: Step) => void;
  onRemove?: () => void;
  onMove?: { up?: () => void; down?: () => void };
}

export function StepEditor({ step, mark, known, choices, scope, measured = false, fixed = false, onChange, onRemove, onMove }: Props) {
  const [search, setSearch] = useState("");
  const [editing, setEditing] = useState<{ at: number | null } | null>(null);
  const kind = choices.kinds.find((one) => one.name === step.kind);
  const names = useNames(kind?.dimension ?? "", search, scope, true);
  const any = `Any ${kind?.label.toLowerCase() ?? step.kind}`;
  const listed = [...(search ? [] : [{ value: "", note: "" }]), ...(names.data ?? []).flatMap((one) => (one.value === null || one.value === "" ? [] : [{ value: String(one.value), count: one.count }]))];
  return (
    <li className="grid gap-2 rounded-xl border border-line bg-surface p-2.5">
      <div className="flex items-center gap-1.5">
        <span className="tabular grid size-6 shrink-0 place-items-center rounded-md bg-accent-soft text-[13px] font-medium text-accent-ink">{mark}</span>
        <select aria-label={`Kind of ${mark}`} disabled={fixed} className="field min-w-0 flex-1" value={step.kind} onChange={(event) => onChange({ ...EMPTY, kind: kindOf(event.target.value), measure: needsProperty(step.measure) ? "" : step.measure })}>
          {choices.kinds.map((one) => (
            <option key={one.name} value={one.name}>
              {one.label}
            </option>
          ))}
        </select>
        <IconButton name="filter" label={`Filter ${mark}`} onClick={() => setEditing({ at: null })} />
        {onMove && <IconButton name="down" className="rotate-180 disabled:opacity-30" label={`Move ${mark} up`} disabled={!onMove.up} onClick={onMove.up} />}
        {onMove && <IconButton name="down" className="disabled:opacity-30" label={`Move ${mark} down`} disabled={!onMove.down} onClick={onMove.down} />}
        {onRemove && <IconButton name="close" label={`Remove ${mark}`} onClick={onRemove} />}
      </div>
      <Combobox
        label={`Name of ${mark}`}
        value={step.name}
        placeholder={any}
        choices={listed}
        busy={names.isFetching}
        failed={names.isError ? names.error.message : ""}
        free={(text) => (step.kind === "page" && text.includes("*") ? "pattern" : "as typed")}
        onSearch={setSearch}
        onChange={(name) => onChange({ ...step, name })}
      />
      {measured && <Measure step={step} mark={mark} known={known} choices={choices} onChange={onChange} />}
      {step.filters.length > 0 && (
        <ul aria-label={`Filters of ${mark}`} className="flex flex-wrap gap-1">
          {step.filters.map((filter, at) => {
            const words = describe(known, filter, (text) => middle(text, 28));
            return (
              <li key={words} className="inline-flex max-w-full items-center rounded-md bg-sunken text-xs">
                <button type="button" className="min-w-0 truncate rounded-l-md px-2 py-1 hover:bg-line" onClick={() => setEditing({ at })} title="Change this filter">
                  <bdi>{words}</bdi>
                </button>
                <button type="button" aria-label={`Remove filter: ${words}`} className="grid size-6 place-items-center rounded-r-md hover:bg-line" onClick={() => onChange({ ...step, filters: step.filters.filter((_, other) => other !== at) })}>
                  <Icon name="close" size={11} />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {editing && <FilterDialog ofEvent at={editing.at} filters={step.filters} known={knownOf(known, kind)} scope={scope} onChange={(filters) => onChange({ ...step, filters })} onClose={() => setEditing(null)} />}
    </li>
  );
}

function Measure({ step, mark, known, choices, onChange }: Pick<Props, "step" | "mark" | "known" | "choices" | "onChange">) {
  const carriers = useProperties();
  const kind = choices.kinds.find((one) => one.name === step.kind);
  const numbers = known.all.dimensions.filter((one) => one.kind === "number" && kind?.breakdowns.includes(one.name));
  const nested = step.kind === "event" ? carriers.map((carrier) => ({ ...carrier, properties: carrier.properties.filter((property) => property.number) })).filter((carrier) => carrier.properties.length) : [];
  const wants = needsProperty(step.measure);
  const some = numbers.length > 0 || nested.length > 0;
  return (
    <div className="grid gap-2">
      <select aria-label={`Measure of ${mark}`} className="field min-w-0" value={step.measure || choices.measures[0]?.name} onChange={(event) => onChange({ ...step, measure: event.target.value === choices.measures[0]?.name ? "" : event.target.value, property: needsProperty(event.target.value) ? step.property : "" })}>
        {choices.measures
          .filter((one) => !one.property || some || one.name === step.measure)
          .map((one) => (
            <option key={one.name} value={one.name}>
              {capital(one.label)}
            </option>
          ))}
      </select>
      {wants && (
        <select aria-label={`Property of ${mark}`} className="field min-w-0" value={step.property} onChange={(event) => onChange({ ...step, property: event.target.value })}>
          <option value="" disabled>
            Choose a number…
          </option>
          {step.property && ![...numbers, ...nested.flatMap((carrier) => carrier.properties)].some((one) => one.name === step.property) && <option value={step.property}>{step.property}</option>}
          <Choices dimensions={numbers} carriers={nested} />
        </select>
      )}
    </div>
  );
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
