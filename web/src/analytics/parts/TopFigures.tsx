import { useEffect, useMemo, useState } from "react";
import { Skeleton } from "../../widgets/ui";
import { columnTitle, figure, type Known } from "../view/definitions";
import { conditionsOf } from "../view/filters";
import { type Answer, asked, isUnreachable, type Metric, refusedMetric, type Scope, useAnswer } from "../view/question";
import type { AnalyticsView } from "../view/state";
import { Delta } from "./Delta";
import { Imported } from "./Imported";

const USUAL: Metric[] = ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration", "engaged_time"];
const OF_PAGES: Metric[] = ["visitors", "visits", "pageviews", "bounce_rate", "time_on_page", "scroll_depth"];
const OF_GOALS: Metric[] = ["converters", "conversions", "conversion_rate", "orders", "total_revenue", "average_revenue"];
const OF_EVENTS: Metric[] = ["visitors", "visits", "events"];

/** Which figures mean something with these filters. */
export function figuresFor(view: AnalyticsView): Metric[] {
  const dimensions = view.filters.flatMap(conditionsOf).map((one) => one[1]);
  if (dimensions.some((name) => name === "event:goal" || name === "event:currency")) return OF_GOALS;
  if (dimensions.some((name) => name.startsWith("event:props:") || ["event:name", "event:vendor", "event:version", "event:category", "event:action", "event:label", "event:property"].includes(name))) return OF_EVENTS;
  if (dimensions.some((name) => name.startsWith("event:"))) return OF_PAGES;
  return [...USUAL, "conversions", "conversion_rate", "total_revenue"];
}

/** The figures on top. One that makes no sense with the filters is left out, with the reason in its place. */
export function useFigures(view: AnalyticsView, scope: Scope) {
  const wanted = useMemo(() => figuresFor(view), [view]);
  const [refused, setRefused] = useState<Record<string, string>>({});
  const key = JSON.stringify(view.filters);
  useEffect(() => setRefused({}), [key]);
  const metrics = wanted.filter((name) => !(name in refused));
  const answer = useAnswer(asked(scope, { metrics }));
  const about = refusedMetric(answer.error);
  const name = about ? metrics[about.at] : undefined;
  useEffect(() => {
    if (name && about) setRefused((now) => ({ ...now, [name]: about.reason }));
  }, [name, about]);
  return { answer, metrics, refused, settling: name !== undefined, unreachable: isUnreachable(answer.error) };
}

interface Props {
  known: Known | undefined;
  answer: Answer | undefined;
  metrics: Metric[];
  dim: boolean;
  chosen: string;
  onChoose: (metric: string) => void;
}

/** A click draws a figure as the chart below. */
export function TopFigures({ known, answer, metrics, dim, chosen, onChoose }: Props) {
  const row = answer?.results[0];
  // the answer that is still shown may be of other figures
  const names = answer ? (answer.query.metrics as Metric[]) : metrics;
  const at = new Map(names.map((name, index) => [name, index]));
  const value = (name: Metric) => row?.metrics[at.get(name) ?? -1] ?? null;
  const converted = (value("conversions") ?? 0) > 0 || names.includes("converters");
  const shown = names.filter((name) => {
    if (name === "conversions") return names.includes("converters");
    if (name === "conversion_rate") return converted;
    if (name === "total_revenue" || name === "average_revenue" || name === "orders") return (value("total_revenue") ?? 0) !== 0;
    return true;
  });
  const currency = answer?.meta.currencies?.length === 1 ? answer.meta.currencies[0] : undefined;
  return (
    <div role="group" aria-label="Figures of the period" className={`flex snap-x gap-1 overflow-x-auto p-2 transition-opacity [scrollbar-width:none] ${dim ? "opacity-60" : ""}`}>
      {!row && metrics.slice(0, 7).map((name) => <Skeleton key={name} className="h-[4.6rem] min-w-32 flex-1" />)}
      {row &&
        shown.map((name) => {
          const measure = known?.measure(name);
          const index = at.get(name) ?? 0;
          const before = row.comparison;
          return (
            <button key={name} type="button" aria-pressed={name === chosen} title={measure?.definition} onClick={() => onChoose(name)} className={`grid min-w-28 flex-1 snap-start content-start gap-0.5 rounded-lg px-3 py-2 text-left transition-colors hover:bg-sunken ${name === chosen ? "bg-accent-soft" : ""}`}>
              <span className={`whitespace-nowrap text-[13px] ${name === chosen ? "font-medium text-accent-ink" : "text-ink-soft"}`}>{name === "engaged_time" ? columnTitle(known, name) : (measure?.label ?? name)}</span>
              <span className="flex items-baseline gap-2">
                <span className="tabular whitespace-nowrap text-xl font-semibold tracking-tight" title={figure(measure, row.metrics[index], currency, false)}>
                  {figure(measure, row.metrics[index], currency)}
                </span>
                {before && <Delta measure={measure} change={before.change[index]} now={row.metrics[index] ?? null} before={before.metrics[index] ?? null} />}
              </span>
              <Imported measure={measure} value={row.imported?.[index]} />
              {before && <span className="tabular text-xs text-ink-soft">{figure(measure, before.metrics[index], currency)} before</span>}
              {before && <Imported measure={measure} value={before.imported?.[index]} before />}
            </button>
          );
        })}
    </div>
  );
}
