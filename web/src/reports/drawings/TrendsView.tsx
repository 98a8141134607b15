/** Series over time, as `show` says: lines, areas, bars, a table, or one number each. */
import { useMemo } from "react";
import { bucketText } from "../../analytics/view/periods";
import { compact as short, number } from "../../view/format";
import type { Reports } from "../kinds";
import { SHOWS } from "../shows";
import { tableOf } from "../table";
import { Legend } from "./Legend";
import SeriesChart, { type Drawn } from "./SeriesChart";
import { TableView } from "./TableView";

export default function TrendsView({ question, answer, compact, show: wanted }: Reports["trends"] & { compact: boolean; show: string }) {
  const interval = question.interval ?? guessed(answer.labels);
  const show = SHOWS.find((one) => one.id === wanted)?.id ?? "line";
  const series = useMemo((): Drawn[] => {
    const before = answer.results.flatMap((line, at): Drawn[] => (line.before ? [{ name: `${line.label}, before`, values: line.before.slice(0, answer.labels.length), color: at, faint: true }] : []));
    return [...before, ...answer.results.map((line, at) => ({ name: line.label, values: line.values, color: at }))];
  }, [answer]);
  const [labels, titles] = useMemo(() => [answer.labels.map((label) => bucketText(label, interval)), answer.labels.map((label) => bucketText(label, interval, true))], [answer.labels, interval]);
  if (show === "table") return <TableView {...tableOf({ kind: "trends", question, answer })} interval={interval} compact={compact} label="Values of each interval" />;
  if (show === "number")
    return (
      <dl className={`grid gap-4 ${compact ? "grid-cols-2" : "grid-cols-[repeat(auto-fill,minmax(11rem,1fr))]"}`}>
        {answer.results.map((line, at) => (
          <div key={at} className="grid min-w-0 content-start gap-0.5">
            <dt className="truncate text-[13px] text-ink-soft" title={line.label}>
              <bdi>{line.label}</bdi>
            </dt>
            <dd className={`tabular font-semibold tracking-tight ${compact ? "text-2xl" : "text-3xl"}`}>{said(line.total)}</dd>
            {line.total_before !== null && line.total_before !== undefined && <dd className="text-[13px] text-ink-soft">{said(line.total_before)} before</dd>}
          </div>
        ))}
      </dl>
    );
  return (
    <figure className="grid min-w-0 gap-3">
      <SeriesChart labels={labels} titles={titles} series={series} kind={show} stacked={show !== "line" && answer.results.length > 1} running={answer.running} height={compact ? "h-40" : "h-72"} label={`${answer.results.map((line) => `${line.label}: ${said(line.total)}`).join("; ")}. By ${interval}.`} />
      <figcaption>
        <Legend label="Series and their totals" items={answer.results.slice(0, compact ? 4 : undefined).map((line, at) => ({ name: line.label, color: at, value: compact ? undefined : <Total now={line.total} before={line.total_before ?? null} /> }))} />
      </figcaption>
    </figure>
  );
}

function Total({ now, before }: { now: number | null; before: number | null }) {
  const change = now !== null && before ? (100 * (now - before)) / before : null;
  return (
    <>
      {said(now)}
      {before !== null && (
        <span className="ml-1.5 font-normal text-ink-soft">
          {said(before)} before{change === null ? "" : ` (${change > 0 ? "+" : change < 0 ? "−" : ""}${number(Math.round(Math.abs(change) * 10) / 10)}%)`}
        </span>
      )}
    </>
  );
}

function said(value: number | null): string {
  if (value === null) return "–";
  return Number.isInteger(value) ? short(value) : number(Math.round(value * 100) / 100);
}

/** By the distance of the first two labels. */
export function guessed(labels: string[]): string {
  const [first, second] = labels.map((label) => Date.parse(label.length > 10 ? label : `${label}T00:00:00Z`));
  if (first === undefined || second === undefined) return "day";
  const hours = (second - first) / 3_600_000;
  return hours < 1 ? "minute" : hours < 20 ? "hour" : hours < 100 ? "day" : hours < 400 ? "week" : "month";
}
