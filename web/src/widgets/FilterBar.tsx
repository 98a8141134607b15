import { useQuery } from "@tanstack/react-query";
import { Popover } from "radix-ui";
import { useEffect, useMemo, useState } from "react";
import { api, ask } from "../api/client";
import { describeFilter, parseFilter, parseFilters, withFilter, type Filter, type Op } from "../view/filters";
import { columnLabel, parseNested } from "../view/columns";
import { compact, middle } from "../view/format";
import { useColumns, useNestedColumns } from "./columns";
import { Icon } from "./icons";
import { Button, Skeleton } from "./ui";

interface Props {
  filters: string[];
  status: string;
  range: string;
  onChange: (filters: string[]) => void;
}

/** The filters of a view as chips, and a way to add one by any column, with the values that occur. */
export function FilterBar({ filters, status, range, onChange }: Props) {
  const parsed = parseFilters(filters);
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {parsed.map((filter) => (
        <span key={filter.column} className="inline-flex h-7 max-w-full items-center rounded-lg bg-accent-soft text-[13px] text-accent-ink">
          <FilterEditor {...{ filters, status, range, onChange }} column={filter.column}>
            <span className="truncate">{describeFilter({ ...filter, values: filter.values.map((v) => middle(v, 32)) })}</span>
          </FilterEditor>
          <button type="button" aria-label={`Remove filter ${columnLabel(filter.column)}`} onClick={() => onChange(withFilter(filters, filter.column, null))} className="grid h-7 w-6 place-items-center rounded-r-lg hover:bg-accent/15">
            <Icon name="close" size={13} />
          </button>
        </span>
      ))}
      <FilterEditor {...{ filters, status, range, onChange }}>
        <Icon name="filter" size={14} />
        Add filter
      </FilterEditor>
      {parsed.length > 1 && (
        <Button small kind="quiet" onClick={() => onChange([])}>
          Clear all
        </Button>
      )}
    </div>
  );
}

export interface ListedColumn {
  name: string;
  label: string;
  group: string;
}

function useListedColumns(on: boolean, status: string, range: string): ListedColumn[] {
  const columns = useColumns();
  const nested = useNestedColumns(range, on && status !== "failed");
  return useMemo(
    () => [
      ...(columns.data ?? []).map((one) => ({ name: one.name, label: one.name, group: one.group })),
      ...(nested.data ?? []).flatMap((carrier) => carrier.columns.filter((one) => one.filterable).map((one) => ({ name: one.name, label: columnLabel(one.name), group: carrier.kind }))),
    ],
    [columns.data, nested.data],
  );
}

/** One filter: first its column, then how and which values. */
export function FilterEditor({ filters, status, range, onChange, column: fixed, label, className, children }: Props & { column?: string; label?: string; className?: string; children: React.ReactNode }) {
  const [open, setOpen] = useState(false);
  const [picked, setPicked] = useState<string | null>(null);
  const [search, setSearch] = useState("");
  const column = fixed ?? picked;
  const columns = useListedColumns(open && column === null, status, range);
  const listed = useMemo(() => {
    const words = search.toLowerCase().trim();
    return columns.filter((one) => one.label.toLowerCase().includes(words));
  }, [columns, search]);
  // Enter takes the first column that is listed, also where the list is still on its way
  const [entered, setEntered] = useState(false);
  const first = listed[0]?.name;
  useEffect(() => {
    if (!entered || first === undefined) return;
    setEntered(false);
    setPicked(first);
  }, [entered, first]);
  const show = (next: boolean) => {
    setEntered(false);
    setOpen(next);
    setPicked(null);
    setSearch("");
  };
  return (
    <Popover.Root open={open} onOpenChange={show}>
      <Popover.Trigger aria-label={label} title={label} className={className ?? `inline-flex h-7 min-w-0 items-center gap-1 rounded-lg px-2 text-[13px] ${fixed ? "hover:bg-accent/15" : "border border-dashed border-line-strong text-ink-soft hover:bg-sunken hover:text-ink"}`}>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="start" sideOffset={6} collisionPadding={8} className="fade-in z-40 w-80 rounded-xl border border-line bg-raised p-2 shadow-float">
          {column === null ? (
            <>
              <input autoFocus aria-label="Find a column" placeholder="Find a column…" className="field mb-2 w-full" value={search} onChange={(e) => setSearch(e.target.value)} onKeyDown={(e) => e.key === "Enter" && setEntered(true)} />
              <div className="thin-scroll max-h-72 overflow-auto">
                {listed.map((one) => (
                  <button key={one.name} type="button" onClick={() => setPicked(one.name)} className="flex w-full items-center gap-2 rounded-md px-2 py-1 text-left hover:bg-sunken">
                    <span className="min-w-0 flex-1 truncate" title={one.name}>
                      {one.label}
                    </span>
                    <span className="text-xs text-ink-faint">{one.group}</span>
                  </button>
                ))}
                {!listed.length && <p className="px-2 py-1 text-ink-faint">No such column.</p>}
              </div>
            </>
          ) : (
            <Values
              column={column}
              {...{ filters, status, range }}
              onDone={(filter) => {
                onChange(withFilter(filters, column, filter));
                show(false);
              }}
            />
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** What a value of a column is typed into. */
function useInputOf(column: string): "number" | "datetime-local" | "text" {
  const nested = parseNested(column) !== null;
  const type = useColumns().data?.find((one) => one.name === column)?.type ?? "";
  return /time/i.test(type) ? "datetime-local" : nested || /int|double|money|number|decimal|float/i.test(type) ? "number" : "text";
}

const OPS: { id: Op; label: string }[] = [
  { id: "in", label: "is any of" },
  { id: "not_in", label: "is none of" },
  { id: "contains", label: "contains" },
  { id: "gte", label: "is at least (≥)" },
  { id: "gt", label: "is above (>)" },
  { id: "lte", label: "is at most (≤)" },
  { id: "lt", label: "is below (<)" },
  { id: "between", label: "is between" },
  { id: "some", label: "is set" },
  { id: "none", label: "is not set" },
];

/** What compares values in their order: of properties those that are numbers. */
const ORDERED: Op[] = ["gte", "gt", "lte", "lt", "between"];

function Values({ column, filters, status, range, onDone }: { column: string; filters: string[]; status: string; range: string; onDone: (filter: Filter | null) => void }) {
  const before = filters.map(parseFilter).find((one) => one?.column === column) ?? null;
  const [op, setOp] = useState<Op>(before?.op ?? "in");
  const [chosen, setChosen] = useState<string[]>(before?.values ?? []);
  const [text, setText] = useState("");
  const others = withFilter(filters, column, null);
  const known = useQuery({
    queryKey: ["values", column, status, range, others],
    queryFn: () => ask(api.GET("/api/v1/columns/{column}/values", { params: { path: { column }, query: { status, range, where: others, limit: 50 } } })),
  });
  const compared = ORDERED.includes(op);
  const isVersion = parseNested(column)?.path.length === 0;
  const [bounds, setBounds] = useState<string[]>(compared ? (before?.values ?? []) : []);
  const input = useInputOf(column);
  const valued = op === "in" || op === "not_in" || op === "contains";
  const shown = (known.data ?? []).filter((one) => one.value !== null && one.value.toLowerCase().includes(text.toLowerCase()));
  const toggle = (value: string) => setChosen((now) => (now.includes(value) ? now.filter((one) => one !== value) : [...now, value]));
  const all = text && !chosen.includes(text) ? [...chosen, text] : chosen;
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (compared) {
          const given = bounds.slice(0, op === "between" ? 2 : 1).map((value) => value.trim());
          onDone(given.every(Boolean) && given.length === (op === "between" ? 2 : 1) ? { column, op, values: given } : null);
          return;
        }
        onDone(valued && !all.length ? null : { column, op, values: valued ? all : [] });
      }}
    >
      <div className="flex items-center gap-2">
        <strong className="min-w-0 flex-1 truncate px-1 font-medium" title={column}>
          {columnLabel(column)}
        </strong>
        <select aria-label="Condition" className="field" value={op} onChange={(e) => setOp(e.target.value as Op)}>
          {OPS.filter((one) => !isVersion || !ORDERED.includes(one.id)).map((one) => (
            <option key={one.id} value={one.id}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
      {compared && (
        <div className="grid grid-cols-2 gap-2 text-[13px]">
          {(op === "between" ? ["From", "To, not included"] : ["Value"]).map((label, at) => (
            <label key={label} className={`grid gap-1 ${op === "between" ? "" : "col-span-2"}`}>
              {label}
              <input autoFocus={at === 0} required type={input} step="any" className="field min-w-0" value={bounds[at] ?? ""} onChange={(event) => setBounds((now) => (at === 0 ? [event.target.value, now[1] ?? ""] : [now[0] ?? "", event.target.value]))} />
            </label>
          ))}
          {input === "datetime-local" && <p className="col-span-2 text-ink-soft">Times are UTC, as they are stored.</p>}
        </div>
      )}
      {valued && (
        <>
          {chosen.length > 0 && (
            <div className="flex flex-wrap gap-1">
              {chosen.map((value) => (
                <button key={value} type="button" onClick={() => toggle(value)} className="inline-flex items-center gap-1 rounded-md bg-accent-soft px-1.5 py-0.5 text-xs text-accent-ink" aria-label={`Remove ${value}`}>
                  {middle(value, 30)} <Icon name="close" size={11} />
                </button>
              ))}
            </div>
          )}
          <input autoFocus aria-label="Value" placeholder={op === "contains" ? "Part of the text…" : "Any value…"} className="field w-full" value={text} onChange={(e) => setText(e.target.value)} />
          {op !== "contains" && (
            <div className="thin-scroll max-h-56 overflow-auto">
              {known.isPending && <Skeleton className="h-16" />}
              {shown.map((one) => (
                <label key={one.value} className="flex cursor-pointer items-center gap-2 rounded-md px-1.5 py-1 hover:bg-sunken">
                  <input type="checkbox" className="accent-accent" checked={chosen.includes(one.value ?? "")} onChange={() => toggle(one.value ?? "")} />
                  <span className="min-w-0 flex-1 truncate" title={one.value ?? ""}>
                    {one.value}
                  </span>
                  <span className="tabular text-xs text-ink-faint">{compact(one.count)}</span>
                </label>
              ))}
              {known.data && !shown.length && <p className="px-1.5 py-1 text-ink-faint">No such value in this time range.</p>}
            </div>
          )}
        </>
      )}
      <div className="flex gap-2">
        <Button kind="primary" type="submit" className="flex-1">
          Apply
        </Button>
        {before && (
          <Button kind="quiet" onClick={() => onDone(null)}>
            Remove
          </Button>
        )}
      </div>
    </form>
  );
}
