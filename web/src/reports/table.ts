/** An answer as rows: what its table shows and what its file holds. */
import type { Answered } from "./kinds";

export type TableCell = string | number | null;
export interface Table {
  columns: string[];
  rows: TableCell[][];
}

const OTHER = "(other)";
const NOT_SET = "(not set)";

export function groupName(group: { value: TableCell; other: boolean }): string {
  return group.other ? OTHER : group.value === null || group.value === "" ? NOT_SET : String(group.value);
}

export function tableOf(report: Answered): Table {
  switch (report.kind) {
    case "trends": {
      const { labels, results } = report.answer;
      return { columns: ["Interval", ...results.map((line) => line.label)], rows: [...labels.map((label, at) => [label, ...results.map((line) => line.values[at] ?? null)]), ["Whole period", ...results.map((line) => line.total)]] };
    }
    case "funnel":
      return {
        columns: ["Value", "Step", "Event", "Count", "% of first", "% of step before", "Dropped off", "Median seconds", "90th percentile seconds"],
        rows: report.answer.results.flatMap((group, at) => group.steps.map((step, number) => [at === 0 ? "All" : groupName(group), number + 1, step.label, step.count, step.of_first, step.of_before, step.dropped, step.median_s, step.p90_s])),
      };
    case "retention":
      return {
        columns: ["Value", "Began", "People", ...Array.from({ length: Math.max(0, ...report.answer.results.map((group) => group.cohorts.length)) }, (_, at) => String(at))],
        rows: report.answer.results.flatMap((group, at) => group.cohorts.map((cohort) => [at === 0 ? "All" : groupName(group), cohort.label, cohort.size, ...cohort.counts])),
      };
    case "lifecycle":
      return { columns: ["Interval", "New", "Returning", "Resurrecting", "Dormant", "Active"], rows: report.answer.results.map((point) => [point.label, point.new, point.returning, point.resurrecting, point.dormant, point.active]) };
    case "stickiness":
      return { columns: ["Intervals", "People", "In as many or more"], rows: report.answer.results.map((row) => [row.intervals, row.people, row.at_least]) };
    case "journeys": {
      const names = new Map(report.answer.nodes.map((node) => [node.id, node]));
      return {
        columns: ["Step", "From", "To", "People"],
        rows: report.answer.links.map((link) => [(names.get(link.source)?.step ?? 0) + 1, nodeName(names.get(link.source)), nodeName(names.get(link.target)), link.people]),
      };
    }
    case "attribution": {
      const models = Object.keys(report.answer.results[0]?.models ?? {});
      return {
        columns: ["Value", "Spend", ...models.flatMap((model) => [`${model} conversions`, `${model} revenue`])],
        rows: report.answer.results.map((row) => [row.none ? "(no touch)" : groupName(row), row.spend, ...models.flatMap((model) => [row.models[model]?.conversions ?? null, row.models[model]?.revenue ?? null])]),
      };
    }
    case "query":
      return { columns: [...(report.question.dimensions ?? []), ...report.question.metrics], rows: report.answer.results.map((row) => [...row.dimensions, ...row.metrics]) };
    case "sql":
      return { columns: report.answer.columns, rows: report.answer.rows.map((row) => row.map(plain)) };
  }
}

export function nodeName(node: { what: string; name: string } | undefined): string {
  if (!node) return "";
  return node.what === "other" ? OTHER : node.what === "end" ? "(end of the visit)" : node.name || NOT_SET;
}

function plain(value: unknown): TableCell {
  return value === null || value === undefined ? null : typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value);
}

/** CSV as spreadsheets read it. No text begins like a formula. */
export function csvOf({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function csvCell(value: TableCell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
