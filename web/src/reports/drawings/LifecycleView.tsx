/** New, returning and resurrecting people above the line, dormant ones below. */
import { useMemo } from "react";
import { bucketText } from "../../analytics/view/periods";
import { counted } from "../../view/format";
import type { Reports } from "../kinds";
import { tableOf } from "../table";
import { Legend } from "./Legend";
import SeriesChart, { type Drawn } from "./SeriesChart";
import { TableView } from "./TableView";

const STATES = [
  { name: "New", of: "new" },
  { name: "Returning", of: "returning" },
  { name: "Resurrecting", of: "resurrecting" },
] as const;

export default function LifecycleView({ question, answer, compact }: Reports["lifecycle"] & { compact: boolean }) {
  const interval = question.interval ?? "week";
  const points = answer.results;
  const series = useMemo((): Drawn[] => [...STATES.map((state, at) => ({ name: state.name, values: points.map((point) => point[state.of]), color: at })), { name: "Dormant", values: points.map((point) => (point.dormant === null ? null : -point.dormant)), color: 3, below: true }], [points]);
  const [labels, titles] = useMemo(() => [points.map((point) => bucketText(point.label, interval)), points.map((point) => bucketText(point.label, interval, true))], [points, interval]);
  const running = points.findIndex((point) => point.running);
  const latest = points.findLast((point) => !point.running) ?? points.at(-1);
  return (
    <figure className="grid min-w-0 gap-3">
      <SeriesChart labels={labels} titles={titles} series={series} kind="bar" stacked running={running === -1 ? null : running} height={compact ? "h-40" : "h-72"} label={`People by ${interval}. Last whole ${interval}: ${counted(latest?.active ?? 0, "person", "people")} active, ${latest?.new ?? 0} of them new.`} />
      <figcaption className="grid gap-4">
        <Legend label="States" items={[...STATES.map((state, at) => ({ name: state.name, color: at })), { name: "Dormant", color: 3 }]} />
        {!compact && <TableView {...tableOf({ kind: "lifecycle", question, answer })} interval={interval} label="People of each interval" />}
      </figcaption>
    </figure>
  );
}
