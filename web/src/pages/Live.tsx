/** Events as they come: timeline, filters, a table that grows as they do, and the whole event at the side. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Fragment, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, ask } from "../api/client";
import { useKeys } from "../shell/keys";
import { withFilter } from "../view/filters";
import { number, time } from "../view/format";
import { absoluteText, describeRange, parseAbsolute } from "../view/ranges";
import { Bars } from "../widgets/Bars";
import { ColumnPanel } from "../widgets/ColumnPanel";
import { EventPanel } from "../widgets/EventPanel";
import { FilterBar } from "../widgets/FilterBar";
import { Icon } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { RangePicker } from "../widgets/RangePicker";
import { Button, Card, CopyButton, Empty, Failure, IconButton, Loading, Segmented, Skeleton } from "../widgets/ui";
import { EventTable } from "./live/EventTable";
import { Export } from "./live/Export";
import { Views } from "./live/Views";
import { DEFAULT_COLUMNS, type LiveView, useLiveView } from "./live/view";

const PAGE = 100;

export function Page() {
  const { view, search, change, setColumns } = useLiveView();
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
    c: () => setPicking((now) => !now),
    p: () => change({ paused: view.paused ? undefined : "1" }),
    r: refresh,
    j: () => step(1),
    k: () => step(-1),
  });
  const [kind, id] = [view.open.slice(0, view.open.indexOf(":")), view.open.slice(view.open.indexOf(":") + 1)];
  const filtered = view.where.length > 0 || view.search !== "" || view.status !== "all" || view.range !== "all";
  const reset = () => change({ where: [], search: undefined, status: undefined, range: undefined });
  const filterBy = (column: string, value: string) => change({ where: withFilter(view.where, column, { column, op: "in", values: [value] }) });
  return (
    <PageFrame
      wide
      title="Live"
      controls={
        <>
          <Refreshed at={list.query.dataUpdatedAt} paused={view.paused || list.query.data?.pages.length !== 1} busy={list.query.isFetching} onRefresh={refresh} />
          <Button icon={view.paused ? "play" : "pause"} aria-pressed={view.paused} onClick={() => change({ paused: view.paused ? undefined : "1" })}>
            {view.paused ? "Resume" : "Pause"}
          </Button>
          <Views view={view} search={search} onOpen={change} />
          <Export view={view} />
          <CopyButton text={() => location.href} label="Copy view" />
        </>
      }
    >
      <Timelines view={view} onPick={(range) => change({ range: range === view.range || range === "all" ? undefined : range })} />
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
            <label className="relative min-w-40 flex-1 max-sm:basis-full">
              <Icon name="search" size={15} className="absolute left-2.5 top-1/2 -translate-y-1/2 text-ink-faint" />
              <input ref={finder} type="search" aria-label="Search events" placeholder="URL, title, user, message or event id" className="field w-full !pl-8" value={typed.text} onChange={(event) => typed.set(event.target.value)} />
            </label>
            <RangePicker value={view.range} fallback="all" onChange={(range) => change({ range: range === "all" ? undefined : range })} />
            <Button icon="columns" aria-expanded={picking} onClick={() => setPicking(!picking)}>
              Columns
            </Button>
          </div>
          <div className="flex flex-wrap items-center gap-2">
            <FilterBar filters={view.where} status={view.status} range={view.range} onChange={(where) => change({ where })} />
            {filtered && (
              <Button small kind="quiet" onClick={reset}>
                Reset filters
              </Button>
            )}
            <span className="flex-1" />
            <Totals view={view} onPick={(status, range) => change({ status, range })} />
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
                <Button onClick={reset}>Show all events</Button>
              ) : undefined
            }
          >
            {filtered ? "Widen the time range or take a filter away." : "They appear here the moment they arrive."}
          </Empty>
        ) : (
          <EventTable view={view} rows={rows} fresh={list.fresh} onOpen={(row) => change({ open: `${row.kind}:${row.id}` === view.open ? undefined : `${row.kind}:${row.id}` })} setColumns={setColumns} change={change} more={list.query.hasNextPage ? () => void list.query.fetchNextPage() : null} loading={list.query.isFetchingNextPage} />
        )}
      </Card>
      {picking && <ColumnPanel chosen={view.columns} range={view.range} onChange={setColumns} onReset={() => setColumns(DEFAULT_COLUMNS)} onClose={() => setPicking(false)} />}
      {view.open && !picking && (
        <EventPanel kind={kind} id={id} onClose={() => change({ open: undefined })} onFilter={filterBy} onColumn={(column) => !view.columns.includes(column) && setColumns([...view.columns, column])} />
      )}
    </PageFrame>
  );
}

/** When the list was last asked for, where it does not refresh automatically; a click asks again. */
function Refreshed({ at, paused, busy, onRefresh }: { at: number; paused: boolean; busy: boolean; onRefresh: () => void }) {
  return (
    <span className="flex items-center gap-1 text-[13px] text-ink-soft">
      {paused && at > 0 && <span className="tabular max-sm:hidden">as of {time(at)}</span>}
      <IconButton name="refresh" label={at ? `Refresh (last at ${time(at)})` : "Refresh"} className={busy && paused ? "animate-spin" : ""} onClick={onRefresh} />
    </span>
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
  const asked = { status: view.status, range: view.range, where: view.where, search: view.search, columns: view.columns.join(","), order: (view.oldest ? "oldest" : "newest") as "oldest" | "newest" };
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
  }, [rows, key, query.data]);
  return { query, rows, fresh };
}

/** How many there are of each kind; a click shows these and no others. */
function Totals({ view, onPick }: { view: LiveView; onPick: (kind: string, range: string) => void }) {
  const { range } = view;
  const totals = useQuery({
    queryKey: ["count", view.status, range, view.where],
    queryFn: () => ask(api.GET("/api/v1/count", { params: { query: { status: view.status, range, where: view.where } } })),
    refetchInterval: view.paused ? false : range === "all" ? 60_000 : 10_000,
    placeholderData: (before) => before,
  });
  if (!totals.data) return null;
  return (
    <span className="tabular flex flex-wrap items-center text-[13px] text-ink-soft" aria-live="off">
      {Object.entries(totals.data).map(([kind, count], i) => (
        <Fragment key={kind}>
          {i > 0 && <span className="mx-1">·</span>}
          <button type="button" aria-pressed={view.status === kind} onClick={() => onPick(kind, range)} className={`rounded hover:underline ${kind === "failed" && count ? "text-bad-ink" : "text-ink"}`}>
            {number(count)} {kind}
          </button>
        </Fragment>
      ))}
      <span>, {describeRange(range)}</span>
    </span>
  );
}

function Timelines({ view, onPick }: { view: LiveView; onPick: (range: string) => void }) {
  return (
    <div className="grid grid-cols-2 gap-2 md:gap-3">
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
    <section className="card min-w-0 p-2.5 md:p-3.5" aria-label={title}>
      <h2 className="mb-2 text-[13px] font-medium text-ink-soft">{title}</h2>
      {timeline.isError ? (
        <Failure error={timeline.error} />
      ) : timeline.data ? (
        <Bars label={title} points={timeline.data.points} seconds={seconds} selected={parseAbsolute(view.range)} onPick={(from, until) => onPick(absoluteText(from, until))} onClear={() => onPick("all")} />
      ) : (
        <Skeleton className="h-24" />
      )}
    </section>
  );
}
