/** The table of events: as long as one scrolls, with columns to sort by time, move, pin, filter and take out. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { DropdownMenu } from "radix-ui";
import { useEffect, useRef, useState } from "react";
import type { Schemas } from "../../api/client";
import { columnLabel } from "../../view/columns";
import { describeFilter, parseFilters, withFilter } from "../../view/filters";
import { briefTime, counted, exactTime, middle, schemaParts, time } from "../../view/format";
import { FilterEditor } from "../../widgets/FilterBar";
import { Icon } from "../../widgets/icons";
import { Badge } from "../../widgets/ui";
import type { Change, LiveView } from "./view";

type Row = Schemas["Row"];
const WIDTH = 190;
const NAME = "event_name";
const PHONE = "(max-width: 767px)";
const DRAGGED = "application/x-column";

interface TableProps {
  view: LiveView;
  rows: Row[];
  fresh: Set<string>;
  onOpen: (row: Row) => void;
  setColumns: (columns: string[]) => void;
  change: Change;
  more: (() => void) | null;
  loading: boolean;
}

export function EventTable({ view, rows, fresh, onOpen, setColumns, change, more, loading }: TableProps) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 36, overscan: 12 });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 5) more();
  }, [last, rows.length, more, loading]);
  const narrow = useNarrow();
  const pinned = [...view.columns.filter((c) => view.pins.includes(c)), ...view.columns.filter((c) => !view.pins.includes(c))];
  // on a phone what happened stands beside when it did; everything else is to the right of it
  const columns = narrow && pinned.includes(NAME) ? [NAME, ...pinned.filter((c) => c !== NAME)] : pinned;
  const [statusWidth, timeWidth, width] = narrow ? [44, 92, 150] : [96, 160, WIDTH];
  const fixed = statusWidth + timeWidth;
  const drop = (moved: string, onto: string) => {
    const next = view.columns.filter((one) => one !== moved);
    if (moved === onto || next.length === view.columns.length) return;
    next.splice(view.columns.indexOf(onto), 0, moved);
    setColumns(next);
  };
  return (
    <div ref={box} tabIndex={0} role="region" aria-label="Table of events" className="thin-scroll max-h-[70dvh] min-h-60 overflow-auto">
      <table className="w-full border-separate border-spacing-0 text-left" style={{ minWidth: fixed + columns.length * width, tableLayout: "fixed" }}>
        <thead className="sticky top-0 z-10">
          <tr className="text-[13px] text-ink-soft">
            <th scope="col" style={{ width: statusWidth }} className="sticky left-0 z-10 border-b border-line bg-surface px-3 py-2 font-medium max-md:px-2">
              <span className="max-md:sr-only">Status</span>
            </th>
            <th scope="col" aria-sort={view.oldest ? "ascending" : "descending"} style={{ width: timeWidth }} className="border-b border-line bg-surface px-1.5 py-1 font-medium max-md:px-0">
              <button type="button" title={view.oldest ? "Oldest first; click for newest first" : "Newest first; click for oldest first"} onClick={() => change({ order: view.oldest ? undefined : "oldest" })} className="flex items-center gap-1 rounded-md px-1.5 py-1 hover:bg-sunken hover:text-ink">
                Time
                <Icon name="down" size={12} className={view.oldest ? "rotate-180" : ""} />
              </button>
            </th>
            {columns.map((column, i) => (
              <th
                key={column}
                scope="col"
                onDragOver={(event) => event.dataTransfer.types.includes(DRAGGED) && event.preventDefault()}
                onDrop={(event) => drop(event.dataTransfer.getData(DRAGGED), column)}
                className={`border-b border-line bg-surface py-1 font-medium ${view.pins.includes(column) ? "md:sticky md:z-10" : ""}`} style={view.pins.includes(column) ? { left: 96 + i * WIDTH, width: WIDTH } : undefined}
              >
                <HeaderMenu column={column} view={view} setColumns={setColumns} change={change} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && (
            <tr aria-hidden="true">
              <td style={{ height: before }} colSpan={columns.length + 2} />
            </tr>
          )}
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const key = `${row.kind}:${row.id}`;
            const open = key === view.open;
            return (
              <tr key={key} data-kind={row.kind} onClick={() => onOpen(row)} className={`group h-9 cursor-pointer ${open ? "bg-accent-soft" : "hover:bg-sunken"} ${fresh.has(row.id) ? "arrive" : ""}`}>
                <td className={`sticky left-0 border-b border-line px-3 max-md:px-2 ${open ? "bg-accent-soft" : "bg-surface group-hover:bg-sunken"}`}>
                  <button type="button" aria-expanded={open} className="rounded-md">
                    <StatusBadge kind={row.kind} status={row.kind === "failed" ? String(row.event.status ?? "open") : ""} narrow={narrow} />
                    <span className="sr-only">event, {time(row.at)}: show all of it</span>
                  </button>
                </td>
                <td className="tabular truncate border-b border-line px-3 text-ink-soft max-md:px-1.5" title={exactTime(row.at)}>
                  {narrow ? briefTime(row.at) : time(row.at)}
                </td>
                {columns.map((column, i) => (
                  <td key={column} className={`truncate border-b border-line px-3 ${view.pins.includes(column) ? `md:sticky ${open ? "bg-accent-soft" : "bg-surface group-hover:bg-sunken"}` : ""}`} style={view.pins.includes(column) ? { left: 96 + i * WIDTH } : undefined}>
                    <Cell row={row} column={column} />
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && (
            <tr aria-hidden="true">
              <td style={{ height: after }} colSpan={columns.length + 2} />
            </tr>
          )}
        </tbody>
      </table>
      <p className="sticky left-0 px-4 py-2.5 text-[13px] text-ink-faint" aria-live="off">
        {loading ? "Loading more events…" : more ? view.oldest ? "Scroll for newer events" : "Scroll for older events" : `${counted(rows.length, "event")}, that is all of them`}
      </p>
    </div>
  );
}

const STATES = {
  good: { tone: "good", mark: "✓", label: "Good" },
  incomplete: { tone: "warn", mark: "◐", label: "Incomplete" },
  recovered: { tone: "plain", mark: "↻", label: "Recovered" },
  dropped: { tone: "plain", mark: "–", label: "Dropped" },
  failed: { tone: "bad", mark: "✗", label: "Failed" },
} as const;

/** What was recovered, or dropped on purpose, is no failure any more. */
function StatusBadge({ kind, status, narrow }: { kind: string; status: string; narrow: boolean }) {
  const state = kind === "good" || kind === "incomplete" ? STATES[kind] : status === "recovered" || status === "dropped" ? STATES[status] : STATES.failed;
  return (
    <Badge tone={state.tone} title={state.label}>
      {state.mark} <span className={narrow ? "sr-only" : ""}>{state.label}</span>
    </Badge>
  );
}

/** Whether the window is as narrow as a phone. */
function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(PHONE).matches);
  useEffect(() => {
    const media = matchMedia(PHONE);
    const look = () => setNarrow(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  return narrow;
}

function Cell({ row, column }: { row: Row; column: string }) {
  const value = row.event[column];
  if (value === null || value === undefined) {
    // a failure has little more than its cause: say it where the event's name would stand
    if (row.kind === "failed" && column === "event_name") {
      const schema = schemaParts(String(row.event.schema ?? ""));
      return (
        <span className={row.event.status === "recovered" || row.event.status === "dropped" ? "text-ink-soft" : "text-bad-ink"} title={String(row.event.message ?? "")}>
          {schema ? `${schema.name}: ` : ""}
          {String(row.event.message ?? row.event.failure_type ?? "")}
        </span>
      );
    }
    return <span className="text-ink-faint">–</span>;
  }
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) {
    const text = value.map(String).join(", ");
    return <span title={text}>{text}</span>;
  }
  if (typeof value === "object") return <code title={JSON.stringify(value, null, 2).slice(0, 2000)} className="text-ink-soft">{JSON.stringify(shortened(value)).slice(0, 100)}</code>;
  const text = String(value);
  if (column.endsWith("_tstamp")) return <span title={text}>{time(Date.parse(`${text.replace(" ", "T")}Z`))}</span>;
  return <span title={text}>{middle(text, 40)}</span>;
}

/** Self-describing data without its wrapper, of which the schema's name says enough. */
function shortened(value: object): unknown {
  const data = (value as { data?: unknown }).data;
  return Array.isArray(data) || typeof data === "object" ? data : value;
}

function HeaderMenu({ column, view, setColumns, change }: { column: string } & Pick<TableProps, "view" | "setColumns" | "change">) {
  const at = view.columns.indexOf(column);
  const pinned = view.pins.includes(column);
  const label = columnLabel(column);
  const move = (by: number) => {
    const next = view.columns.filter((one) => one !== column);
    next.splice(Math.max(0, at + by), 0, column);
    setColumns(next);
  };
  const item = "flex cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken data-disabled:opacity-50";
  const filter = parseFilters(view.where).find((one) => one.column === column);
  return (
    <div className="flex items-center pr-1">
      <DropdownMenu.Root>
        <DropdownMenu.Trigger draggable onDragStart={(event) => event.dataTransfer.setData(DRAGGED, column)} title={column} className="flex min-w-0 items-center gap-1 rounded-md px-3 py-1 hover:bg-sunken hover:text-ink">
          {pinned && <Icon name="pin" size={13} />}
          <span className="truncate">{label}</span>
          <Icon name="down" size={12} className="text-ink-faint" />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="start" className="fade-in z-40 min-w-44 rounded-xl border border-line bg-raised p-1.5 shadow-float">
            <DropdownMenu.Item className={item} onSelect={() => change({ pins: (pinned ? view.pins.filter((one) => one !== column) : [...view.pins, column]).join(",") })}>
              <Icon name="pin" size={15} /> {pinned ? "Unpin" : "Pin to the left"}
            </DropdownMenu.Item>
            <DropdownMenu.Item className={item} disabled={at <= 0} onSelect={() => move(-1)}>
              <Icon name="left" size={15} /> Move left
            </DropdownMenu.Item>
            <DropdownMenu.Item className={item} disabled={at >= view.columns.length - 1} onSelect={() => move(1)}>
              <Icon name="right" size={15} /> Move right
            </DropdownMenu.Item>
            <DropdownMenu.Item className={item} onSelect={() => change({ where: withFilter(view.where, column, { column, op: "some", values: [] }) })}>
              <Icon name="filter" size={15} /> Only where it is set
            </DropdownMenu.Item>
            <DropdownMenu.Item className={item} disabled={view.columns.length < 2} onSelect={() => setColumns(view.columns.filter((one) => one !== column))}>
              <Icon name="close" size={15} /> Remove
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <FilterEditor filters={view.where} status={view.status} range={view.range} onChange={(where) => change({ where })} column={column} label={filter ? describeFilter(filter) : `Filter ${label}`} className={`ml-auto grid size-6 shrink-0 place-items-center rounded-md hover:bg-sunken ${filter ? "text-accent-ink" : "text-ink-faint hover:text-ink"}`}>
        <Icon name="filter" size={13} />
      </FilterEditor>
    </div>
  );
}
