import { lazy, Suspense, useMemo, useState } from "react";
import { Failure, Segmented, Skeleton } from "../../widgets/ui";
import { figure, type Known } from "../view/definitions";
import { bucketText, dateText, moved } from "../view/periods";
import { alone, asked, type Metric, type Scope, useAnswer } from "../view/question";
import { useSlow } from "../../widgets/useSlow";
import { SaveReport } from "../../reports/SaveReport";
import { useSource } from "../view/source";
import type { AnalyticsView, Change } from "../view/state";
import { Annotations, useAnnotations } from "./Annotations";
import type { ChartPoint } from "./MainChart";

const MainChart = lazy(() => import("./MainChart"));
const LABELS: Record<string, string> = { minute: "Minutes", hour: "Hours", day: "Days", week: "Weeks", month: "Months", year: "Years" };

/** The chart of a measure, its interval, and the same as a table for those who do not see it. */
export function ChartCard({ view, scope, known, metric, intervals, change }: { view: AnalyticsView; scope: Scope; known: Known | undefined; metric: Metric; intervals: string[]; change: Change }) {
  const [table, setTable] = useState(false);
  const interval = intervals.includes(view.interval) ? view.interval : (intervals[0] ?? "day");
  const answer = useAnswer(asked(scope, { metrics: [metric], dimensions: [`time:${interval}`], include: { time_labels: true, coverage: false } }));
  const { shared } = useSource();
  const slow = useSlow(answer.isFetching);
  const measure = known?.measure(metric);
  const currency = answer.data?.meta.currencies?.length === 1 ? answer.data.meta.currencies[0] : undefined;
  const shownInterval = String((answer.data?.query.dimensions as string[] | undefined)?.[0] ?? "").replace("time:", "") || interval;
  const period = answer.data?.meta.period;
  const annotations = useAnnotations(view.app, period?.start, period?.end);
  const points = useMemo((): ChartPoint[] => {
    const labels = answer.data?.meta.time_labels ?? [];
    const others = answer.data?.meta.comparison_time_labels ?? [];
    const rows = new Map(answer.data?.results.map((row) => [String(row.dimensions[0]), row]));
    return labels.map((label, at) => {
      const row = rows.get(label.label);
      const other = String(row?.comparison?.dimensions[0] ?? others[at]?.label ?? "");
      return {
        label: bucketText(label.label, shownInterval),
        title: bucketText(label.label, shownInterval, true),
        before: other && bucketText(other, shownInterval, true),
        now: label.state === "future" ? null : (row?.metrics[0] ?? null),
        earlier: row?.comparison?.metrics[0] ?? null,
        imported: row?.imported?.[0] ?? null,
        state: label.state,
        notes: annotations.filter((note) => note.at >= Date.parse(label.start) && note.at < Date.parse(label.end)).map((note) => note.text),
      };
    });
  }, [answer.data, shownInterval, annotations]);
  const pick = (at: number) => {
    const label = answer.data?.meta.time_labels?.[at];
    if (!label || label.state === "future" || shownInterval === "minute") return;
    const whole = shownInterval !== "hour";
    change({ period: whole ? `${label.start.slice(0, 10)}~${moved(label.end.slice(0, 10), label.end.slice(11, 19) === "00:00:00" ? -1 : 0)}` : `${label.start}~${label.end}`, today: undefined, interval: undefined }, { push: true });
  };
  const write = (value: number | null) => figure(measure, value, currency);
  const compared = answer.data?.meta.comparison;
  return (
    <div className="grid grid-cols-1 gap-2 border-t border-line px-3 pb-3 pt-2">
      <div className="flex min-h-8 flex-wrap items-center gap-2">
        <span className="min-w-0 flex-1 truncate text-[13px] text-ink-soft" role="status">
          {slow ? "Waiting for the store to count…" : compared ? `Grey: ${dateText(compared.start, true)} – ${dateText(moved(compared.end.slice(0, 10), compared.end.slice(11, 19) === "00:00:00" ? -1 : 0), true)}` : ""}
        </span>
        {!shared && <SaveReport small label="Save chart" kind="query" name={measure?.label ?? metric} question={{ ...asked(alone(scope), { metrics: [metric], dimensions: [view.interval ? `time:${interval}` : "time"], include: { time_labels: true, coverage: false } }) }} />}
        <button type="button" aria-pressed={table} onClick={() => setTable(!table)} className="h-7 rounded-md px-2 text-[13px] text-ink-soft hover:bg-sunken hover:text-ink">
          {table ? "Show chart" : "Show table"}
        </button>
        {intervals.length > 1 && <Segmented label="Interval" value={interval} options={intervals.map((id) => ({ id, label: LABELS[id] ?? id }))} onChange={(id) => change({ interval: id === intervals[0] ? undefined : id })} />}
      </div>
      {answer.isError ? (
        <Failure error={answer.error} retry={() => void answer.refetch()} />
      ) : !answer.data || !known ? (
        <Skeleton className="h-64 md:h-72" />
      ) : table ? (
        <PointTable points={points} write={write} name={measure?.label ?? metric} compared={Boolean(compared)} onPick={shownInterval === "minute" ? null : pick} />
      ) : (
        <div className={`transition-opacity ${answer.isPlaceholderData ? "opacity-60" : ""}`}>
          <Suspense fallback={<Skeleton className="h-64 md:h-72" />}>
            <MainChart points={points} compared={Boolean(compared)} label={`${measure?.label ?? metric} by ${shownInterval}`} write={write} whole={measure?.unit === "count"} onPick={pick} />
          </Suspense>
        </div>
      )}
      {period && <Annotations app={view.app} notes={annotations} end={period.end} />}
    </div>
  );
}

function PointTable({ points, write, name, compared, onPick }: { points: ChartPoint[]; write: (value: number | null) => string; name: string; compared: boolean; onPick: ((at: number) => void) | null }) {
  const imported = points.some((point) => point.imported !== null);
  return (
    <div tabIndex={0} role="group" aria-label={`${name} as a table`} className="thin-scroll h-64 overflow-auto md:h-72">
      <table className="w-full text-[13px]">
        <thead className="text-left text-ink-soft">
          <tr>
            <th scope="col" className="px-2 py-1 font-medium">Time</th>
            <th scope="col" className="px-2 py-1 text-right font-medium">{name}</th>
            {imported && <th scope="col" className="px-2 py-1 text-right font-medium">Imported</th>}
            {compared && <th scope="col" className="px-2 py-1 text-right font-medium">Before</th>}
          </tr>
        </thead>
        <tbody>
          {points.map((point, at) => (
            <tr key={point.title} className="border-t border-line">
              <td className="px-2 py-1">
                {onPick && point.state !== "future" ? (
                  <button type="button" onClick={() => onPick(at)} className="rounded text-accent-ink hover:underline">
                    {point.title}
                  </button>
                ) : (
                  point.title
                )}
                {point.state === "running" && " (so far)"}
                {point.notes.length > 0 && <bdi className="ml-2 text-ink-soft">{point.notes.join("; ")}</bdi>}
              </td>
              <td className="tabular px-2 py-1 text-right">{write(point.now)}</td>
              {imported && <td className="tabular px-2 py-1 text-right text-ink-soft">{point.imported === null ? "" : write(point.imported)}</td>}
              {compared && <td className="tabular px-2 py-1 text-right text-ink-soft" title={point.before}>{write(point.earlier)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
