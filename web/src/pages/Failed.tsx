/** Failed events by cause: what goes wrong, since when, and what repairs it; rules, runs, and dead letters of sinks. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask, type Schemas } from "../api/client";
import { ago, briefTime, compact, number, schemaParts } from "../view/format";
import { describeRange, isRange } from "../view/ranges";
import { many, one } from "../view/search";
import { useView } from "../view/useView";
import { Spark } from "../widgets/Bars";
import { FilterBar } from "../widgets/FilterBar";
import { Loaded } from "../widgets/Loaded";
import { PageFrame } from "../widgets/Page";
import { RangePicker } from "../widgets/RangePicker";
import { Badge, Button, Card, Empty, Loading, Segmented } from "../widgets/ui";
import { CausePanel } from "./failed/CausePanel";
import { DeadLetters } from "./failed/DeadLetters";
import { Rules } from "./failed/Rules";
import { RunList } from "./failed/RunList";

type Cause = Schemas["Cause"];

const SHOWN = ["active", "muted", "resolved", "all"] as const;
type Shown = (typeof SHOWN)[number];

export function Page() {
  const [search, change] = useView();
  const tab = one(search.tab, "causes");
  const given = one(search.range, "7d");
  const range = isRange(given) ? given : "7d";
  return (
    <PageFrame
      title="Failed events"
      lead="Nothing is lost: every failure is kept whole and can be repaired."
      controls={
        <>
          <Segmented
            label="What"
            value={tab}
            onChange={(next) => change({ tab: next === "causes" ? undefined : next, cause: undefined })}
            options={[
              { id: "causes", label: "Causes" },
              { id: "rules", label: "Rules" },
              { id: "runs", label: "Runs" },
              { id: "dead-letters", label: "Dead letters" },
            ]}
          />
          {tab === "causes" && <RangePicker value={range} onChange={(next) => change({ range: next === "7d" ? undefined : next })} />}
        </>
      }
    >
      {tab === "causes" && <Causes range={range} />}
      {tab === "rules" && <Rules />}
      {tab === "runs" && <RunList />}
      {tab === "dead-letters" && <DeadLetters />}
    </PageFrame>
  );
}

function Causes({ range }: { range: string }) {
  const [search, change] = useView();
  const status = one(search.status, "open");
  const where = many(search.where);
  const open = one(search.cause);
  const shown: Shown = SHOWN.find((each) => each === one(search.shown)) ?? "active";
  const causes = useQuery({
    queryKey: ["causes", range, status, where, shown],
    queryFn: () => ask(api.GET("/api/v1/failed/causes", { params: { query: { range, status, where, shown } } })),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });
  const data = causes.data;
  const chosen = data?.causes.find((cause) => cause.id === open);
  const aside = (data?.muted ?? 0) + (data?.resolved ?? 0) > 0 || shown !== "active";
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <Segmented
          label="Status"
          value={status}
          onChange={(next) => change({ status: next === "open" ? undefined : next })}
          options={[
            { id: "open", label: "Open" },
            { id: "recovered", label: "Recovered" },
            { id: "all", label: "All" },
          ]}
        />
        {aside && (
          <Segmented
            label="State of causes"
            value={shown}
            onChange={(next) => change({ shown: next === "active" ? undefined : next })}
            options={[
              { id: "active", label: "Active" },
              { id: "muted", label: `Muted (${data?.muted ?? 0})` },
              { id: "resolved", label: `Resolved (${data?.resolved ?? 0})` },
              { id: "all", label: "Any state" },
            ]}
          />
        )}
        <FilterBar filters={where} status="failed" range={range} onChange={(next) => change({ where: next })} />
        <span className="flex-1" />
        {data && (
          <Link to="/live" search={{ status: "failed", range, where }} className="rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
            {number(data.total)} failed events
          </Link>
        )}
      </div>
      <Card pad={false} label="Causes">
        <Loading on={causes.isFetching && !causes.isPending} />
        <Loaded query={causes} what="the causes" isEmpty={(found) => found.causes.length === 0} empty={<Nothing status={status} range={range} shown={shown} aside={data} all={() => change({ shown: "all" })} />}>
          {(found) => (
            <ul>
              {found.causes.map((cause) => (
                <CauseRow key={cause.id} cause={cause} open={cause.id === open} onOpen={() => change({ cause: cause.id === open ? undefined : cause.id })} />
              ))}
            </ul>
          )}
        </Loaded>
      </Card>
      {open && <CausePanel key={open} id={open} cause={chosen} onClose={() => change({ cause: undefined })} />}
    </>
  );
}

function Nothing({ status, range, shown, aside, all }: { status: string; range: string; shown: Shown; aside: Schemas["Causes"] | undefined; all: () => void }) {
  const hidden = shown === "active" ? (aside?.muted ?? 0) + (aside?.resolved ?? 0) : 0;
  const period = describeRange(range).toLowerCase();
  if (hidden > 0) {
    return (
      <Empty icon="check" title="No active cause" action={<Button onClick={all}>Show all causes</Button>}>
        Every cause of this period is muted or resolved: {period}.
      </Empty>
    );
  }
  return (
    <Empty icon="check" title={shown === "active" || shown === "all" ? "Nothing has failed" : `No cause is ${shown}`}>
      No {status === "all" ? "" : status} failures, {period}.
    </Empty>
  );
}

function CauseRow({ cause, open, onOpen }: { cause: Cause; open: boolean; onOpen: () => void }) {
  const schema = cause.schema ? schemaParts(cause.schema) : null;
  return (
    <li className={`border-b border-line last:border-b-0 ${open ? "bg-accent-soft" : ""}`}>
      <button type="button" aria-expanded={open} onClick={onOpen} className="grid w-full grid-cols-[2.25rem_minmax(0,1fr)] items-baseline gap-x-3 gap-y-1 px-4 py-3 text-left hover:bg-sunken sm:items-center sm:gap-x-4 sm:grid-cols-[3.5rem_minmax(0,1fr)_7rem_8.5rem]">
        <span className="tabular text-lg font-semibold text-bad-ink">{compact(cause.count)}</span>
        <span className="min-w-0">
          <span className="block break-words font-medium">{cause.headline}</span>
          {cause.message && <code className="block truncate text-xs text-ink-soft">{cause.message}</code>}
          <span className="mt-1 flex flex-wrap items-center gap-1.5 text-[13px] text-ink-soft">
            {cause.returned && <Badge tone="warn">came back</Badge>}
            {cause.state !== "active" && <Badge>{cause.state}</Badge>}
            {schema && (
              <Badge tone="plain" title={cause.schema ?? ""}>
                {schema.name} {schema.version}
              </Badge>
            )}
            {cause.app_id && <span>{cause.app_id}</span>}
            {cause.trackers.length > 0 && <span>{cause.trackers.length > 2 ? `${cause.trackers.slice(0, 2).join(", ")} and more` : cause.trackers.join(", ")}</span>}
            {cause.note && <span className="min-w-0 max-w-full truncate italic">{cause.note}</span>}
          </span>
        </span>
        <span className="max-sm:hidden">
          <Spark values={cause.trend} tone="bad" label={`Trend: ${cause.count} failures`} />
        </span>
        <span className="text-[13px] text-ink-soft max-sm:col-start-2 sm:text-right">
          {cause.last && <span className="sm:block">{ago(cause.last)}</span>}
          {cause.first && <span className="text-ink-faint max-sm:ml-1.5 sm:block">since {briefTime(cause.first)}</span>}
        </span>
      </button>
    </li>
  );
}
