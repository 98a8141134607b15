import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { Skeleton } from "../../widgets/ui";
import { Delta } from "../parts/Delta";
import { figure, type Known } from "../view/definitions";
import { alone, asked, type Metric, type Scope, useAnswer } from "../view/question";
import type { AnalyticsView, Change } from "../view/state";

const MOST = 50;

/** The applications that have visits in the period, the busiest first; others are found by their ids. */
export function useApplications(scope: Scope): string[] {
  const { app: _, ...everywhere } = alone(scope);
  const answer = useAnswer(asked({ ...everywhere, filters: [] }, { metrics: ["visits"], dimensions: ["app"], date_range: "91d", pagination: { limit: MOST }, include: { coverage: false, today: true } }));
  return useMemo(() => (answer.data?.results ?? []).map((row) => String(row.dimensions[0] ?? "")).filter(Boolean), [answer.data]);
}

export function ApplicationSwitch({ view, apps, change }: { view: AnalyticsView; apps: string[]; change: Change }) {
  const listed = view.app && !apps.includes(view.app) ? [view.app, ...apps] : apps;
  if (listed.length < 2 && !view.app) return null;
  return (
    <select aria-label="Application" className="field max-w-48 font-medium" value={view.app} onChange={(event) => change({ app: event.target.value || undefined }, { push: true })}>
      <option value="">All applications</option>
      {listed.map((app) => (
        <option key={app} value={app}>
          {app}
        </option>
      ))}
    </select>
  );
}

/** All applications side by side: a line, the visitors, and how they changed. */
export function Overview({ scope, known, apps }: { scope: Scope; known: Known | undefined; apps: string[] }) {
  const metrics: Metric[] = ["visitors", "pageviews"];
  const totals = useAnswer(asked(scope, { metrics, dimensions: ["app"], pagination: { limit: MOST }, include: { coverage: false } }));
  const lines = useAnswer(asked(alone(scope), { metrics: ["visitors"], dimensions: ["app", "time"], include: { coverage: false, time_labels: true } }));
  const measure = known?.measure("visitors");
  const labels = lines.data?.meta.time_labels ?? [];
  const values = useMemo(() => {
    const found = new Map<string, Map<string, number>>();
    for (const row of lines.data?.results ?? []) {
      const [app, time] = row.dimensions.map(String);
      if (app === undefined || time === undefined) continue;
      found.set(app, (found.get(app) ?? new Map<string, number>()).set(time, row.metrics[0] ?? 0));
    }
    return found;
  }, [lines.data]);
  if (totals.isError) return null;
  if (!totals.data) return <Skeleton className="h-24" />;
  return (
    <section aria-label="Applications" className="grid grid-cols-[repeat(auto-fill,minmax(13rem,1fr))] gap-3">
      {totals.data.results.map((row) => {
        const app = String(row.dimensions[0] ?? "");
        if (!apps.includes(app)) return null;
        const line = labels.map((label) => values.get(app)?.get(label.label) ?? 0);
        return (
          <Link key={app} to="." hash={true} search={(now: Record<string, unknown>) => ({ ...now, app })} className="card grid gap-1 px-4 py-3 transition-colors hover:border-line-strong hover:bg-sunken">
            <span className="truncate font-medium">{app}</span>
            <Sparkline values={line} />
            <span className="flex items-baseline gap-2 text-[13px]">
              <span className="tabular font-semibold">{figure(measure, row.metrics[0])}</span>
              <span className="text-ink-soft">visitors</span>
              {row.comparison && <Delta measure={measure} change={row.comparison.change[0]} now={row.metrics[0] ?? null} before={row.comparison.metrics[0] ?? null} />}
            </span>
          </Link>
        );
      })}
    </section>
  );
}

function Sparkline({ values }: { values: number[] }) {
  const most = Math.max(1, ...values);
  const step = values.length > 1 ? 100 / (values.length - 1) : 100;
  const points = values.map((value, at) => `${(at * step).toFixed(2)},${(28 - (26 * value) / most).toFixed(2)}`);
  return (
    <svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true" className="h-9 w-full overflow-visible">
      <polygon points={`0,30 ${points.join(" ")} 100,30`} className="fill-accent/10" />
      <polyline points={points.join(" ")} className="fill-none stroke-accent" strokeWidth="1.75" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
    </svg>
  );
}
