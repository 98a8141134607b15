import { useQuery } from "@tanstack/react-query";
import { Dialog } from "radix-ui";
import { useEffect, useMemo, useState } from "react";
import { compact, middle } from "../../view/format";
import { Icon } from "../../widgets/icons";
import { Button, Failure, IconButton, Skeleton } from "../../widgets/ui";
import { describe, type DimensionDefinition, filterable, type Known, valueText } from "../view/definitions";
import { type AnyFilter, type Condition, filterText, isCondition, type Value } from "../view/filters";
import { alone, type Scope } from "../view/question";
import { useSource } from "../view/source";

interface BarProps {
  filters: AnyFilter[];
  known: Known | undefined;
  onChange: (filters: AnyFilter[]) => void;
  onEdit: (at: number) => void;
}

/** The filters as sentences; a click changes one. */
export function FilterChips({ filters, known, onChange, onEdit }: BarProps) {
  if (!filters.length) return null;
  return (
    <div role="group" aria-label="Filters" className="flex flex-wrap items-center gap-1.5">
      {filters.map((filter, at) => {
        const words = describe(known, filter, (text) => middle(text, 36));
        return (
          <span key={filterText(filter)} className="inline-flex h-8 max-w-full items-center rounded-lg bg-accent-soft text-[13px] text-accent-ink">
            <button type="button" title="Change this filter" onClick={() => onEdit(at)} className="min-w-0 truncate rounded-l-lg px-2.5 leading-8 hover:bg-accent/15">
              <bdi>{words}</bdi>
            </button>
            <button type="button" aria-label={`Remove filter: ${words}`} onClick={() => onChange(filters.filter((_, other) => other !== at))} className="grid h-8 w-7 place-items-center rounded-r-lg hover:bg-accent/15">
              <Icon name="close" size={13} />
            </button>
          </span>
        );
      })}
      {filters.length > 1 && (
        <Button small kind="quiet" onClick={() => onChange([])}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

const SCOPES = [
  { id: "", label: "Only what meets it" },
  { id: "has_done", label: "Visits that have such an event" },
  { id: "has_not_done", label: "Visits that have no such event" },
] as const;
type Around = (typeof SCOPES)[number]["id"];

/** What the dialog can edit: conditions of which all, or one, must hold, of the rows themselves or of their visit. */
interface Draft {
  around: Around;
  any: boolean;
  conditions: Condition[];
}

function draftOf(filter: AnyFilter | undefined): Draft | null {
  if (!filter) return { around: "", any: false, conditions: [["is", "", []]] };
  if (isCondition(filter)) return { around: "", any: false, conditions: [filter] };
  const [name, parts] = filter;
  if (name === "or" && parts.every((part) => Array.isArray(part) && isCondition(part as AnyFilter))) return { around: "", any: true, conditions: parts as Condition[] };
  if ((name === "has_done" || name === "has_not_done") && isCondition(parts as AnyFilter)) return { around: name, any: false, conditions: [parts as Condition] };
  return null;
}

function filterOf({ around, any, conditions }: Draft): AnyFilter[] {
  const wrapped = conditions.map((condition): AnyFilter => (around && condition[1].startsWith("visit:") === false ? [around, condition] : condition));
  return any && wrapped.length > 1 ? [["or", wrapped]] : wrapped;
}

interface DialogProps {
  /** The one that is changed; else a new one is added. */
  at: number | null;
  filters: AnyFilter[];
  known: Known | undefined;
  scope: Scope;
  /** They are asked of one event: nothing else of its visit can be asked for. */
  ofEvent?: boolean;
  onChange: (filters: AnyFilter[]) => void;
  onClose: () => void;
}

export function FilterDialog({ at, filters, known, scope, ofEvent = false, onChange, onClose }: DialogProps) {
  const edited = at === null ? undefined : filters[at];
  const [draft, setDraft] = useState<Draft | null>(() => draftOf(edited));
  const others = useMemo(() => filters.filter((_, index) => index !== at), [filters, at]);
  const complete = draft?.conditions.every((condition) => condition[1] && isComplete(known, condition)) ?? false;
  const ofEvents = draft?.conditions.some((condition) => known?.dimension(condition[1])?.of === "event") ?? false;
  const put = (index: number, condition: Condition) => setDraft((now) => now && { ...now, conditions: now.conditions.map((one, other) => (other === index ? condition : one)) });
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade-in fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content aria-describedby={undefined} className="fade-in thin-scroll fixed inset-x-0 bottom-0 z-50 max-h-[92dvh] overflow-auto rounded-t-2xl border border-line bg-raised p-5 shadow-float md:inset-x-auto md:bottom-auto md:left-1/2 md:top-[10dvh] md:max-h-[80dvh] md:w-[40rem] md:-translate-x-1/2 md:rounded-2xl">
          <div className="mb-4 flex items-center">
            <Dialog.Title className="flex-1">{edited ? "Change filter" : "Add filter"}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton name="close" label="Close" />
            </Dialog.Close>
          </div>
          {!draft || !known ? (
            <p className="text-ink-soft">
              This filter was written by hand: <code className="break-all">{edited ? filterText(edited) : ""}</code>. Change it in the address, or remove it.
            </p>
          ) : (
            <form
              className="grid gap-4"
              onSubmit={(event) => {
                event.preventDefault();
                if (!complete) return;
                const made = filterOf(draft);
                onChange(at === null ? [...filters, ...made] : filters.flatMap((filter, index) => (index === at ? made : [filter])));
                onClose();
              }}
            >
              {draft.conditions.map((condition, index) => (
                <ConditionEditor key={index} first={index === 0} any={draft.any} condition={condition} known={known} scope={{ ...scope, filters: others }} onChange={(next) => put(index, next)} onRemove={draft.conditions.length > 1 ? () => setDraft({ ...draft, conditions: draft.conditions.filter((_, other) => other !== index) }) : null} />
              ))}
              <div className="flex flex-wrap items-center gap-2">
                <Button small icon="plus" onClick={() => setDraft({ ...draft, conditions: [...draft.conditions, ["is", "", []]] })}>
                  Add condition
                </Button>
                {draft.conditions.length > 1 && (
                  <select aria-label="Which conditions must hold" className="field text-[13px]" value={draft.any ? "any" : "all"} onChange={(event) => setDraft({ ...draft, any: event.target.value === "any" })}>
                    <option value="all">All of them must hold</option>
                    <option value="any">Any of them must hold</option>
                  </select>
                )}
                {ofEvents && !ofEvent && (
                  <select aria-label="What is filtered" className="field text-[13px]" value={draft.around} onChange={(event) => setDraft({ ...draft, around: event.target.value as Around })}>
                    {SCOPES.map((one) => (
                      <option key={one.id} value={one.id}>
                        {one.label}
                      </option>
                    ))}
                  </select>
                )}
              </div>
              <div className="flex justify-end gap-2 border-t border-line pt-4">
                {at !== null && (
                  <Button
                    kind="danger"
                    onClick={() => {
                      onChange(others);
                      onClose();
                    }}
                  >
                    Remove filter
                  </Button>
                )}
                <Button kind="primary" type="submit" disabled={!complete}>
                  Apply filter
                </Button>
              </div>
            </form>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function isComplete(known: Known | undefined, [operator, , values]: Condition): boolean {
  return known?.operator(operator)?.values === "none" || (values?.length ?? 0) > 0;
}

interface EditorProps {
  first: boolean;
  any: boolean;
  condition: Condition;
  known: Known;
  scope: Scope;
  onChange: (condition: Condition) => void;
  onRemove: (() => void) | null;
}

function ConditionEditor({ first, any, condition, known, scope, onChange, onRemove }: EditorProps) {
  const [operator, name, values = [], options] = condition;
  const dimension = known.dimension(name);
  const operators = known.all.operators.filter((one) => !dimension || dimension.operators.includes(one.name));
  const source = useSource();
  const takes = known.operator(operator)?.values ?? "some";
  const groups = useMemo(() => {
    const found = new Map<string, DimensionDefinition[]>();
    for (const one of filterable(known).filter((each) => source.shows(each.name))) found.set(one.group, [...(found.get(one.group) ?? []), one]);
    return [...found];
  }, [known, source]);
  const choose = (next: string) => {
    const fits = known.dimension(next)?.operators ?? [];
    onChange([fits.includes(operator) ? operator : (fits[0] ?? "is"), next, []]);
  };
  const compare = (next: string) => {
    const none = known.operator(next)?.values === "none";
    const single = known.operator(next)?.values === "one";
    const kept = single ? values.slice(0, 1) : values;
    onChange(none ? [next, name] : options && known.operator(next)?.ignores_case ? [next, name, kept, options] : [next, name, kept]);
  };
  return (
    <fieldset className="grid gap-2 rounded-xl border border-line p-3">
      <legend className="px-1 text-xs text-ink-faint">{first ? "Where" : any ? "or" : "and"}</legend>
      <div className="flex gap-2 max-sm:flex-wrap">
        <select autoFocus={!name} aria-label="Dimension" className="field min-w-0 flex-1" value={name} onChange={(event) => choose(event.target.value)}>
          <option value="" disabled>
            Choose what to filter by…
          </option>
          {dimension && name.startsWith("event:props:") && <option value={name}>{dimension.label}</option>}
          {groups.map(([group, list]) => (
            <optgroup key={group} label={group}>
              {list.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        <select aria-label="Condition" className="field min-w-0 flex-1" value={operator} onChange={(event) => compare(event.target.value)}>
          {operators.map((one) => (
            <option key={one.name} value={one.name}>
              {one.label}
            </option>
          ))}
        </select>
        {onRemove && <IconButton name="trash" label="Remove condition" onClick={onRemove} />}
      </div>
      {dimension && <p className="text-[13px] text-ink-soft">{dimension.help}</p>}
      {dimension && takes !== "none" && (dimension.kind === "number" ? <NumberValue value={values[0]} onChange={(value) => onChange([operator, name, value === null ? [] : [value]])} /> : name === "cohort" ? <CohortValues known={known} values={values} onChange={(next) => onChange([operator, name, next])} /> : <Values known={known} dimension={dimension} operator={operator} values={values} scope={scope} onChange={(next) => onChange(options ? [operator, name, next, options] : [operator, name, next])} />)}
      {dimension && dimension.kind === "text" && name !== "cohort" && known.operator(operator)?.ignores_case && (
        <label className="flex items-center gap-2 text-[13px]">
          <input type="checkbox" className="accent-accent" checked={options?.case_sensitive === false} onChange={(event) => onChange(event.target.checked ? [operator, name, values, { case_sensitive: false }] : [operator, name, values])} />
          Upper and lower case are the same
        </label>
      )}
    </fieldset>
  );
}

function NumberValue({ value, onChange }: { value: Value | undefined; onChange: (value: number | null) => void }) {
  return <input type="number" aria-label="Value" className="field w-40" value={value === null || value === undefined ? "" : String(value)} onChange={(event) => onChange(event.target.value === "" ? null : Number(event.target.value))} />;
}

/** At most five at a time, as the API has it. */
function CohortValues({ known, values, onChange }: { known: Known; values: Value[]; onChange: (values: Value[]) => void }) {
  return (
    <div role="group" aria-label="Cohorts" className="thin-scroll grid max-h-48 overflow-auto">
      {known.cohorts.map((one) => (
        <label key={one.id} className="flex cursor-pointer items-center gap-2 rounded-md px-1.5 py-1 hover:bg-sunken">
          <input type="checkbox" className="accent-accent" checked={values.includes(one.id)} disabled={values.length >= 5 && !values.includes(one.id)} onChange={() => onChange(values.includes(one.id) ? values.filter((other) => other !== one.id) : [...values, one.id])} />
          <bdi className="min-w-0 flex-1 truncate">{one.name}</bdi>
          <span className="tabular text-xs text-ink-soft">{one.people === null ? "" : compact(one.people)}</span>
        </label>
      ))}
    </div>
  );
}

/** Values that occur, most frequent first; and any other that is typed. */
function Values({ known, dimension, operator, values, scope, onChange }: { known: Known; dimension: DimensionDefinition; operator: string; values: Value[]; scope: Scope; onChange: (values: Value[]) => void }) {
  const [text, setText] = useState("");
  const [search, setSearch] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSearch(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  const source = useSource();
  const exact = operator === "is" || operator === "is_not";
  const { include: _, ...rest } = alone(scope);
  const found = useQuery({
    queryKey: ["analytics", "values", source.key, dimension.name, search, rest],
    queryFn: ({ signal }) => source.values(dimension.name, search, JSON.stringify(rest), signal),
    enabled: exact,
    placeholderData: (before) => before,
  });
  const add = () => {
    const typed = text.trim();
    if (typed && !values.includes(typed)) onChange([...values, typed]);
    setText("");
  };
  const toggle = (value: Value) => onChange(values.includes(value) ? values.filter((one) => one !== value) : [...values, value]);
  return (
    <div className="grid gap-2">
      {values.length > 0 && (
        <div className="flex flex-wrap gap-1">
          {values.map((value) => (
            <button key={String(value)} type="button" onClick={() => toggle(value)} aria-label={`Remove ${middle(valueText(known, dimension.name, value), 60)}`} className="inline-flex max-w-full items-center gap-1 rounded-md bg-accent-soft px-1.5 py-1 text-xs text-accent-ink">
              <bdi className="truncate">{middle(valueText(known, dimension.name, value), 60)}</bdi> <Icon name="close" size={11} />
            </button>
          ))}
        </div>
      )}
      <div className="flex gap-2">
        <input
          aria-label="Value"
          placeholder={exact ? "Search or type a value…" : "Type a value…"}
          className="field min-w-0 flex-1"
          value={text}
          maxLength={2000}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !text.trim()) return;
            event.preventDefault();
            add();
          }}
        />
        <Button onClick={add} disabled={!text.trim()}>
          Add value
        </Button>
      </div>
      {exact && found.isError && <Failure error={found.error} />}
      {exact && found.isPending && <Skeleton className="h-24" />}
      {exact && found.data && (
        <div role="group" aria-label="Values that occur" tabIndex={0} className="thin-scroll max-h-48 overflow-auto">
          {found.data.map((one) => (
            <label key={String(one.value)} className="flex cursor-pointer items-center gap-2 rounded-md px-1.5 py-1 hover:bg-sunken">
              <input type="checkbox" className="accent-accent" checked={values.includes(one.value)} onChange={() => toggle(one.value)} />
              <bdi className="min-w-0 flex-1 truncate">{middle(valueText(known, dimension.name, one.value), 200)}</bdi>
              <span className="tabular text-xs text-ink-soft">{compact(one.count ?? 0)}</span>
            </label>
          ))}
          {!found.data.length && <p className="px-1.5 py-1 text-[13px] text-ink-soft">No such value in this period.</p>}
        </div>
      )}
    </div>
  );
}
