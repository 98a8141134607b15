/** Events as they come: timeline, filters, a table that grows by itself, and the whole event at the side. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { DropdownMenu } from "radix-ui";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { useKeys } from "../shell/keys";
import { withFilter } from "../view/filters";
import { exactTime, middle, number, schemaParts, time } from "../view/format";
import { absoluteText, describeRange, isRange, parseAbsolute } from "../view/ranges";
import { many, one } from "../view/search";
import { useView } from "../view/useView";
import { Bars } from "../widgets/Bars";
import { ColumnPanel } from "../widgets/ColumnPanel";
import { EventPanel } from "../widgets/EventPanel";
import { FilterBar } from "../widgets/FilterBar";
import { Icon } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { RangePicker } from "../widgets/RangePicker";
import { Badge, Button, Card, CopyButton, Empty, Failure, Loading, Segmented, Skeleton } from "../widgets/ui";

type Row = Schemas["Row"];
const DEFAULT_COLUMNS = ["app_id", "event_name", "page_urlpath", "v_tracker"];
const PAGE = 100;
const WIDTH = 190;

interface LiveView {
  status: string;
  range: string;
  where: string[];
  search: string;
  columns: string[];
  pins: string[];
  open: string;
  paused: boolean;
}

function useLiveView() {
  const [search, change] = useView();
  const cols = one(search.cols);
  const range = one(search.range, "all");
  const view: LiveView = {
    status: one(search.status, "all"),
    range: isRange(range) ? range : "all",
    where: many(search.where),
    search: one(search.search),
    columns: cols ? cols.split(",").filter(Boolean) : DEFAULT_COLUMNS,
    pins: one(search.pins).split(",").filter(Boolean),
    open: one(search.open),
    paused: one(search.paused) === "1",
  };
  const setColumns = (columns: string[]) =>
    change({ cols: columns.join(",") === DEFAULT_COLUMNS.join(",") ? undefined : columns.join(","), pins: view.pins.filter((pin) => columns.includes(pin)).join(",") });
  return { view, change, setColumns };
}

export function Page() {
  const { view, change, setColumns } = useLiveView();
  const [picking, setPicking] = useState(false);
  const queries = useQueryClient();
  const typed = useTyped(view.search, (text) => change({ search: text }));
  const finder = useRef<HTMLInputElement>(null);
  const refresh = useCallback(() => void queries.invalidateQueries({ queryKey: ["events"] }), [queries]);
  const list = useEvents(view);
  const rows = list.rows;
  const step = (by: number) => {
    const at = rows.findIndex((row) => `${row.kind}:${row.id}` === view.open);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) change({ open: `${next.kind}:${next.id}` });
  };
  useKeys({
    "/": () => finder.current?.focus(),
    p: () => change({ paused: view.paused ? undefined : "1" }),
    r: refresh,
    j: () => step(1),
    k: () => step(-1),
  });
  const [kind, id] = [view.open.slice(0, view.open.indexOf(":")), view.open.slice(view.open.indexOf(":") + 1)];
  const filtered = view.where.length > 0 || view.search !== "" || view.status !== "all" || view.range !== "all";
  return (
    <PageFrame
      wide
      title="Live"
      controls={
        <>
          <Button icon={view.paused ? "play" : "pause"} aria-pressed={view.paused} onClick={() => change({ paused: view.paused ? undefined : "1" })}>
            {view.paused ? "Resume" : "Pause"}
          </Button>
          <CopyButton text={() => location.href} label="Copy view" />
        </>
      }
    >
      <Timelines view={view} onPick={(range) => change({ range: range === view.range ? undefined : range })} />
      <Card pad={false} label="Events">
        <div className="grid gap-2.5 border-b border-line p-3">
          <div className="flex flex-wrap items-center gap-2">
            <Segmented
              label="Status"
              value={view.status}
              onChange={(status) => change({ status: status === "all" ? undefined : status })}
              options={[
                { id: "all", label: "All" },
                { id: "good", label: "Good" },
                { id: "failed", label: "Failed" },
                { id: "incomplete", label: "Incomplete" },
              ]}
            />
            <label className="relative min-w-40 flex-1">
              <Icon name="search" size={15} className="absolute left-2.5 top-1/2 -translate-y-1/2 text-ink-faint" />
              <input ref={finder} type="search" aria-label="Search events" placeholder="URL, title, user, message or event id" className="field w-full !pl-8" value={typed.text} onChange={(event) => typed.set(event.target.value)} />
            </label>
            <RangePicker value={view.range} onChange={(range) => change({ range: range === "all" ? undefined : range })} />
            <Button icon="columns" aria-expanded={picking} onClick={() => setPicking(!picking)}>
              Columns
            </Button>
          </div>
          <div className="flex flex-wrap items-center gap-2">
            <FilterBar filters={view.where} status={view.status} range={view.range} onChange={(where) => change({ where })} />
            <span className="flex-1" />
            <Totals view={view} />
          </div>
        </div>
        <Loading on={list.query.isFetching && !list.query.isPending} />
        {list.query.isError ? (
          <div className="p-4">
            <Failure error={list.query.error} retry={refresh} />
          </div>
        ) : list.query.isPending ? (
          <div className="grid gap-2 p-4">
            {[...Array(8).keys()].map((i) => (
              <Skeleton key={i} className="h-7" />
            ))}
          </div>
        ) : rows.length === 0 ? (
          <Empty
            icon="live"
            title={emptyTitle(view)}
            action={
              filtered ? (
                <Button onClick={() => change({ where: [], search: undefined, status: undefined, range: undefined })}>Show all events</Button>
              ) : undefined
            }
          >
            {filtered ? "Widen the time range or take a filter away." : "They appear here the moment they arrive."}
          </Empty>
        ) : (
          <EventTable view={view} rows={rows} fresh={list.fresh} onOpen={(row) => change({ open: `${row.kind}:${row.id}` === view.open ? undefined : `${row.kind}:${row.id}` })} setColumns={setColumns} change={change} more={list.query.hasNextPage ? () => void list.query.fetchNextPage() : null} loading={list.query.isFetchingNextPage} />
        )}
      </Card>
      {picking && <ColumnPanel chosen={view.columns} onChange={setColumns} onReset={() => change({ cols: undefined, pins: undefined })} onClose={() => setPicking(false)} />}
      {view.open && !picking && <EventPanel kind={kind} id={id} onClose={() => change({ open: undefined })} onFilter={(column, value) => change({ where: withFilter(view.where, column, { column, op: "in", values: [value] }) })} />}
    </PageFrame>
  );
}

function emptyTitle(view: LiveView): string {
  const what = view.where.length || view.search || view.status !== "all" ? "No events matching filters" : "No events";
  return view.range === "all" ? what : `${what} in the selected time range`;
}

/** Text that is typed now and asked for a moment later. */
function useTyped(value: string, onSettled: (text: string) => void) {
  const [text, setText] = useState(value);
  const settled = useRef(onSettled);
  settled.current = onSettled;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => settled.current(text), 350);
    return () => clearTimeout(timer);
  }, [text, value]);
  return { text, set: setText };
}

function useEvents(view: LiveView) {
  const asked = { status: view.status, range: view.range, where: view.where, search: view.search, columns: view.columns.join(",") };
  const query = useInfiniteQuery({
    queryKey: ["events", asked],
    queryFn: ({ pageParam }) => ask(api.GET("/api/v1/events", { params: { query: { ...asked, limit: PAGE, ...pageParam } } })),
    initialPageParam: {} as { offset?: number; until?: number },
    getNextPageParam: (last, pages) => (last.more ? { offset: pages.length * PAGE, until: pages[0]?.until } : undefined),
    placeholderData: (before) => before,
    // only the first page moves: who reads further back is not to be pushed away
    refetchInterval: (current) => (view.paused || (current.state.data?.pages.length ?? 1) > 1 ? false : 2_000),
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data]);
  const seen = useRef<{ key: string; ids: Set<string> }>({ key: "", ids: new Set() });
  const key = JSON.stringify(asked);
  const fresh = useMemo(() => {
    if (!query.data) return new Set<string>();
    const known = seen.current.key === key ? seen.current.ids : null;
    const found = known ? new Set(rows.filter((row) => !known.has(row.id)).map((row) => row.id)) : new Set<string>();
    seen.current = { key, ids: new Set(rows.map((row) => row.id)) };
    return (query.data?.pages.length ?? 1) > 1 ? new Set<string>() : found;
  }, [rows, key, query.data?.pages.length]);
  return { query, rows, fresh };
}

function Totals({ view }: { view: LiveView }) {
  const range = view.range === "all" ? "24h" : view.range;
  const totals = useQuery({
    queryKey: ["count", view.status, range, view.where],
    queryFn: () => ask(api.GET("/api/v1/count", { params: { query: { status: view.status, range, where: view.where } } })),
    refetchInterval: view.paused ? false : 10_000,
    placeholderData: (before) => before,
  });
  if (!totals.data) return null;
  const words = Object.entries(totals.data).map(([kind, count]) => `${number(count)} ${kind}`);
  return (
    <span className="tabular text-[13px] text-ink-soft" aria-live="off">
      {words.join(" · ")}, {describeRange(range).toLowerCase()}
    </span>
  );
}

function Timelines({ view, onPick }: { view: LiveView; onPick: (range: string) => void }) {
  return (
    <div className="grid gap-3 md:grid-cols-2">
      <TimelineCard title="Last 7 days" seconds={6 * 3600} buckets={28} every={60_000} {...{ view, onPick }} />
      <TimelineCard title="Last 30 minutes" seconds={60} buckets={30} every={5_000} {...{ view, onPick }} />
    </div>
  );
}

function TimelineCard({ title, seconds, buckets, every, view, onPick }: { title: string; seconds: number; buckets: number; every: number; view: LiveView; onPick: (range: string) => void }) {
  const timeline = useQuery({
    queryKey: ["timeline", seconds, buckets, view.status, view.where],
    queryFn: () => ask(api.GET("/api/v1/timeline", { params: { query: { seconds, buckets, status: view.status, where: view.where } } })),
    refetchInterval: view.paused ? false : every,
    placeholderData: (before) => before,
  });
  return (
    <section className="card p-3.5" aria-label={title}>
      <h2 className="mb-2 text-[13px] font-medium text-ink-soft">{title}</h2>
      {timeline.isError ? (
        <Failure error={timeline.error} />
      ) : timeline.data ? (
        <Bars label={title} points={timeline.data.points} seconds={seconds} selected={parseAbsolute(view.range)} onPick={(from, until) => onPick(absoluteText(from, until))} />
      ) : (
        <Skeleton className="h-24" />
      )}
    </section>
  );
}

interface TableProps {
  view: LiveView;
  rows: Row[];
  fresh: Set<string>;
  onOpen: (row: Row) => void;
  setColumns: (columns: string[]) => void;
  change: (patch: Record<string, string | string[] | undefined>) => void;
  more: (() => void) | null;
  loading: boolean;
}

function EventTable({ view, rows, fresh, onOpen, setColumns, change, more, loading }: TableProps) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 36, overscan: 12 });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - 5) more();
  }, [last, rows.length, more, loading]);
  const columns = [...view.columns.filter((c) => view.pins.includes(c)), ...view.columns.filter((c) => !view.pins.includes(c))];
  const fixed = 96 + 132;
  return (
    <div ref={box} tabIndex={0} role="region" aria-label="Table of events" className="thin-scroll max-h-[70dvh] min-h-60 overflow-auto">
      <table className="w-full border-separate border-spacing-0 text-left" style={{ minWidth: fixed + columns.length * WIDTH, tableLayout: "fixed" }}>
        <thead className="sticky top-0 z-10">
          <tr className="text-[13px] text-ink-soft">
            <th scope="col" className="sticky left-0 z-10 w-24 border-b border-line bg-surface px-3 py-2 font-medium">
              Status
            </th>
            <th scope="col" className="w-33 border-b border-line bg-surface px-3 py-2 font-medium">
              Time
            </th>
            {columns.map((column, i) => (
              <th key={column} scope="col" className={`border-b border-line bg-surface py-1 font-medium ${view.pins.includes(column) ? "md:sticky md:z-10" : ""}`} style={view.pins.includes(column) ? { left: 96 + i * WIDTH, width: WIDTH } : undefined}>
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
                <td className={`sticky left-0 border-b border-line px-3 ${open ? "bg-accent-soft" : "bg-surface group-hover:bg-sunken"}`}>
                  <button type="button" aria-expanded={open} className="rounded-md">
                    <StatusBadge kind={row.kind} />
                    <span className="sr-only">event, {time(row.at)}: show all of it</span>
                  </button>
                </td>
                <td className="tabular truncate border-b border-line px-3 text-ink-soft" title={exactTime(row.at)}>
                  {time(row.at)}
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
        {loading ? "Loading older events…" : more ? "Scroll for older events" : `${number(rows.length)} events, that is all of them`}
      </p>
    </div>
  );
}

export function StatusBadge({ kind }: { kind: string }) {
  if (kind === "good") return <Badge tone="good">✓ Good</Badge>;
  if (kind === "incomplete") return <Badge tone="warn">◐ Incomplete</Badge>;
  return <Badge tone="bad">✗ Failed</Badge>;
}

function Cell({ row, column }: { row: Row; column: string }) {
  const value = row.event[column];
  if (value === null || value === undefined) {
    // a failure has little more than its cause: say it where the event's name would stand
    if (row.kind === "failed" && column === "event_name") {
      const schema = schemaParts(String(row.event.schema ?? ""));
      return (
        <span className="text-bad-ink" title={String(row.event.message ?? "")}>
          {schema ? `${schema.name}: ` : ""}
          {String(row.event.message ?? row.event.failure_type ?? "")}
        </span>
      );
    }
    return <span className="text-ink-faint">–</span>;
  }
  if (typeof value === "object") return <code className="text-ink-soft">{JSON.stringify(value).slice(0, 100)}</code>;
  const text = String(value);
  if (column.endsWith("_tstamp")) return <span title={text}>{time(Date.parse(`${text.replace(" ", "T")}Z`))}</span>;
  return <span title={text}>{middle(text, 40)}</span>;
}

function HeaderMenu({ column, view, setColumns, change }: { column: string } & Pick<TableProps, "view" | "setColumns" | "change">) {
  const at = view.columns.indexOf(column);
  const pinned = view.pins.includes(column);
  const move = (by: number) => {
    const next = view.columns.filter((one) => one !== column);
    next.splice(Math.max(0, at + by), 0, column);
    setColumns(next);
  };
  const item = "flex cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken data-disabled:opacity-50";
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="flex max-w-full items-center gap-1 rounded-md px-3 py-1 hover:bg-sunken hover:text-ink">
        {pinned && <Icon name="pin" size={13} />}
        <span className="truncate">{column}</span>
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
  );
}
