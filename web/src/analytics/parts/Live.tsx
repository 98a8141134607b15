import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { counted, middle, number } from "../../view/format";
import { Card, Failure } from "../../widgets/ui";
import { useDashboard } from "./context";
import { Waiting } from "./Waiting";
import { valueText } from "../view/definitions";
import { toggled } from "../view/filters";
import { useRight, useSource } from "../view/source";
import { filterTexts } from "../view/state";

type LiveNow = Schemas["Live"];

/** Who is there now. The number is the same one wherever it is shown. */
export function useLive(app: string, every: number) {
  const source = useSource();
  return useQuery({ queryKey: ["analytics", "live", source.key, app], queryFn: () => source.live(app), refetchInterval: every, staleTime: every / 2 });
}

export function LiveBadge({ app, onOpen }: { app: string; onOpen: () => void }) {
  const live = useLive(app, 15_000);
  if (!live.data) return null;
  return (
    <button type="button" onClick={onOpen} title="Distinct visitors with an event in the last five minutes" className="inline-flex h-9 items-center gap-2 whitespace-nowrap rounded-lg px-2 text-[13px] text-ink-soft hover:bg-sunken hover:text-ink">
      <span className={`size-2 rounded-full ${live.data.visitors ? "pulse-dot bg-good" : "bg-line-strong"}`} />
      <span>
        <span className="tabular font-semibold text-ink">{number(live.data.visitors)}</span> now
      </span>
    </button>
  );
}

/** The last thirty minutes as they happen. Nothing here waits for the modeller. */
export function LiveBoard() {
  const { view } = useDashboard();
  const live = useLive(view.app, 5_000);
  const mayLive = useRight("read:events");
  if (live.isError) return <Failure error={live.error} retry={() => void live.refetch()} />;
  if (!live.data) return <Waiting what="the last thirty minutes" />;
  return (
    <>
      <Card pad={false} label="Visitors now">
        <div className="grid grid-cols-1 gap-4 p-4 md:grid-cols-[14rem_1fr]">
          <div className="grid content-center gap-1">
            <span className="flex items-center gap-2 text-ink-soft">
              <span className={`size-2 rounded-full ${live.data.visitors ? "pulse-dot bg-good" : "bg-line-strong"}`} />
              Visitors now
            </span>
            <span className="tabular text-5xl font-semibold tracking-tight">{number(live.data.visitors)}</span>
            <span className="text-[13px] text-ink-soft">with an event in the last five minutes</span>
            {mayLive && (
              <Link to="/live" search={{ status: "good", range: "30m", ...(view.app ? { where: `app_id:${view.app}` } : {}) }} className="mt-1 w-fit rounded text-[13px] text-accent-ink hover:underline">
                Show events in Live
              </Link>
            )}
          </div>
          <Minutes live={live.data} />
        </div>
      </Card>
      <div className="grid grid-cols-1 gap-4 md:grid-cols-3">
        <LiveList title="Pages" dimension="event:page" rows={live.data.pages} />
        <LiveList title="Referring hosts" dimension="visit:referrer_host" rows={live.data.referrers} />
        <LiveList title="Countries" dimension="visit:country" rows={live.data.countries} />
      </div>
      {view.filters.length > 0 && <p className="text-[13px] text-ink-soft">Filters do not apply to the last thirty minutes. They do again as soon as you choose another period.</p>}
    </>
  );
}

function Minutes({ live }: { live: LiveNow }) {
  const [over, setOver] = useState<number | null>(null);
  const most = Math.max(1, ...live.minutes.map((minute) => minute.pageviews));
  const total = live.minutes.reduce((sum, minute) => sum + minute.pageviews, 0);
  const shown = over === null ? undefined : live.minutes[over];
  const ago = over === null ? 0 : live.minutes.length - 1 - over;
  return (
    <div className="grid gap-1">
      <svg role="img" aria-label={`Page views by minute: ${counted(total, "page view")} in 30 minutes`} viewBox="0 0 300 100" preserveAspectRatio="none" className="h-36 w-full">
        {live.minutes.map((minute, at) => {
          const height = minute.pageviews ? Math.max(3, (96 * minute.pageviews) / most) : 1;
          return (
            <g key={minute.start} onPointerEnter={() => setOver(at)} onPointerLeave={() => setOver(null)}>
              <rect x={at * 10} width="10" y="0" height="100" fill="transparent" />
              <rect x={at * 10 + 1} width="8" y={100 - height} height={height} rx="1" className={minute.pageviews ? (over === at ? "fill-accent brightness-110" : "fill-accent") : "fill-line-strong"} />
            </g>
          );
        })}
      </svg>
      <p className="flex justify-between text-xs text-ink-soft">
        <span>30 min ago</span>
        <span>{shown ? `${ago ? `${ago} min ago` : "this minute"}: ${counted(shown.pageviews, "page view")}, ${counted(shown.visitors, "visitor")}` : `${counted(total, "page view")} in 30 minutes`}</span>
        <span>now</span>
      </p>
    </div>
  );
}

function LiveList({ title, dimension, rows }: { title: string; dimension: string; rows: LiveNow["pages"] }) {
  const { view, known } = useDashboard();
  const most = Math.max(1, ...rows.map((row) => row.visitors));
  return (
    <Card title={title} label={`${title} now`}>
      {!rows.length && <p className="text-[13px] text-ink-soft">Nobody in the last thirty minutes.</p>}
      <ul className="grid grid-cols-1 gap-0.5">
        {rows.map((row) => (
          <li key={row.value ?? ""}>
            <Link to="." hash={true} search={(now: Record<string, unknown>) => ({ ...now, period: "day", f: filterTexts(toggled(view.filters, dimension, row.value)) })} title={`${middle(row.value ?? "", 300)}: today`} className="group relative flex h-8 items-center gap-3 overflow-hidden rounded-md px-2 hover:bg-sunken">
              <span aria-hidden="true" className="absolute inset-y-0 left-0 rounded-md bg-accent/12 group-hover:bg-accent/20" style={{ width: `${(100 * row.visitors) / most}%` }} />
              <bdi className={`relative min-w-0 flex-1 truncate ${row.value ? "" : "text-ink-soft"}`}>{middle(valueText(known, dimension, row.value), 300)}</bdi>
              <span className="tabular relative">{number(row.visitors)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

