/** Figures of visits, pages and goals: over time as lines, alone as numbers, else as a table. */
import { useMemo } from "react";
import { columnTitle, figure, useDefinitions, valueText } from "../../analytics/view/definitions";
import { bucketText } from "../../analytics/view/periods";
import type { Reports } from "../kinds";
import { Legend } from "./Legend";
import SeriesChart, { type Drawn } from "./SeriesChart";
import { TableView } from "./TableView";
import { guessed } from "./TrendsView";

export default function QueryView({ question, answer, compact }: Reports["query"] & { compact: boolean }) {
  const { known } = useDefinitions();
  const [first, ...more] = question.dimensions ?? [];
  const currency = answer.meta.currencies?.[0];
  const timed = first?.startsWith("time") && !more.length && !first.includes("_of_");
  const series = useMemo((): Drawn[] => question.metrics.map((name, at) => ({ name: columnTitle(known, name), values: answer.results.map((row) => row.metrics[at] ?? null), color: at })), [question, answer, known]);
  const [labels, titles] = useMemo(() => {
    const marks = answer.results.map((row) => String(row.dimensions[0] ?? ""));
    const interval = first?.split(":")[1] ?? guessed(marks);
    return [marks.map((mark) => bucketText(mark, interval)), marks.map((mark) => bucketText(mark, interval, true))];
  }, [answer, first]);
  if (!first)
    return (
      <dl className={`grid gap-4 ${compact ? "grid-cols-2" : "grid-cols-[repeat(auto-fill,minmax(11rem,1fr))]"}`}>
        {question.metrics.map((name, at) => (
          <div key={name} className="grid content-start gap-0.5">
            <dt className="text-[13px] text-ink-soft">{columnTitle(known, name)}</dt>
            <dd className="tabular text-2xl font-semibold tracking-tight">{figure(known?.measure(name), answer.results[0]?.metrics[at], currency)}</dd>
            {answer.results[0]?.comparison && <dd className="text-[13px] text-ink-soft">{figure(known?.measure(name), answer.results[0].comparison.metrics[at], currency)} before</dd>}
          </div>
        ))}
      </dl>
    );
  if (timed)
    return (
      <figure className="grid min-w-0 gap-3">
        <SeriesChart labels={labels} titles={titles} series={series} kind="line" height={compact ? "h-40" : "h-72"} label={series.map((one) => one.name).join(", ")} />
        <figcaption>
          <Legend label="Measures" items={series.map((one) => ({ name: one.name, color: one.color }))} />
        </figcaption>
      </figure>
    );
  const columns = [...[first, ...more].map((name) => known?.dimension(name)?.label ?? name), ...question.metrics.map((name) => columnTitle(known, name))];
  const rows = answer.results.map((row) => [...row.dimensions.map((value, at) => valueText(known, [first, ...more][at] ?? "", value)), ...row.metrics.map((value, at) => figure(known?.measure(question.metrics[at] ?? ""), value, currency))]);
  return <TableView columns={columns} rows={rows} compact={compact} label="Figures" />;
}
