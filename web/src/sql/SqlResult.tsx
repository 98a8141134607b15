/** Rows of a query as a table, a chart or one number. */
import { lazy, Suspense, useMemo } from "react";
import type { Schemas } from "../api/client";
import { number } from "../view/format";
import { ResultTable } from "../widgets/ResultTable";
import { Empty, Skeleton } from "../widgets/ui";

const Chart = lazy(() => import("../widgets/Chart"));

export type Rows = Pick<Schemas["Answer"], "columns" | "rows">;
export const SHOWS = [
  { id: "table", label: "Table" },
  { id: "line", label: "Line" },
  { id: "bar", label: "Bars" },
  { id: "number", label: "Number" },
] as const;
export type Show = (typeof SHOWS)[number]["id"];

export function showOf(text: string): Show {
  return SHOWS.find((one) => one.id === text)?.id ?? "table";
}

export function SqlResult({ answer, show, compact = false }: { answer: Rows; show: string; compact?: boolean }) {
  const chosen = showOf(show);
  const drawn = useMemo(() => (chosen === "line" || chosen === "bar" ? chartOf(answer) : null), [answer, chosen]);
  if (!answer.rows.length) return compact ? <Nothing>The query has no rows.</Nothing> : <Empty icon="sql" title="No rows" />;
  if (chosen === "table") return <ResultTable columns={answer.columns} rows={answer.rows} height={compact ? "max-h-none" : undefined} />;
  if (chosen === "number") return <FirstRow answer={answer} />;
  if (!drawn) return <Nothing>A chart needs a column of numbers. The first other column names its points.</Nothing>;
  return (
    <div className={compact ? "h-full" : "p-3"}>
      <Suspense fallback={<Skeleton className="h-80" />}>
        <Chart labels={drawn.labels} series={drawn.series} kind={chosen === "bar" ? "bar" : "line"} height={compact ? "h-full min-h-32" : undefined} label={`Chart of ${drawn.series.map((one) => one.name).join(", ")}`} />
      </Suspense>
    </div>
  );
}

function Nothing({ children }: { children: string }) {
  return <p className="grid min-h-24 place-content-center px-6 py-8 text-center text-[13px] text-ink-soft">{children}</p>;
}

/** The numbers of the first row, each under its column's name. */
function FirstRow({ answer }: { answer: Rows }) {
  const row = answer.rows[0] ?? [];
  return (
    <dl className="flex flex-wrap gap-x-10 gap-y-3 p-3">
      {answer.columns.map((name, at) => {
        const value = row[at];
        return (
          <div key={`${name}-${at}`} className="grid">
            <dt className="text-[13px] text-ink-soft">{name}</dt>
            <dd className="tabular text-4xl font-semibold tracking-tight">{typeof value === "number" ? number(value) : value === null || value === undefined ? "–" : String(value)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

/** The first column that is no number (else the first) names the points; every other column of numbers is a line. */
export function chartOf(answer: Rows) {
  const rows = answer.rows.slice(0, 500);
  const numeric = answer.columns.map((_, at) => rows.length > 0 && rows.every((row) => row[at] === null || (row[at] !== "" && Number.isFinite(Number(row[at])))));
  const named = numeric.indexOf(false);
  const axis = named === -1 ? 0 : named;
  const series = answer.columns.map((name, at) => ({ name, at })).filter(({ at }) => numeric[at] && at !== axis);
  if (!series.length) return null;
  const labels = rows.map((row) => String(row[axis] ?? "–"));
  const timed = labels.every((label) => /^\d{4}-\d\d-\d\d/.test(label));
  return { labels, kind: timed ? ("line" as const) : ("bar" as const), series: series.slice(0, 5).map(({ name, at }) => ({ name, values: rows.map((row) => (row[at] === null ? null : Number(row[at]))) })) };
}
