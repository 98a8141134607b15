/** Read-only SQL: an editor, the tables there are, what was asked before, the result as table or chart. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { useKeys } from "../shell/keys";
import { counted, number } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { Icon } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { ResultTable } from "../widgets/ResultTable";
import { Button, Card, CopyButton, Empty, Failure, Loading, Segmented, Skeleton } from "../widgets/ui";

const SqlEditor = lazy(() => import("../widgets/SqlEditor"));
const Chart = lazy(() => import("../widgets/Chart"));

const SAMPLES = [
  { title: "Events by name, last 7 days", sql: "SELECT event_name, count() AS events, uniq(domain_userid) AS visitors\nFROM atomic.events\nWHERE collector_tstamp > now() - INTERVAL 7 DAY\nGROUP BY event_name\nORDER BY events DESC" },
  { title: "Events per hour", sql: "SELECT toStartOfHour(collector_tstamp) AS hour, count() AS events\nFROM atomic.events\nWHERE collector_tstamp > now() - INTERVAL 1 DAY\nGROUP BY hour\nORDER BY hour" },
  { title: "Top pages", sql: "SELECT page_urlpath, count() AS views\nFROM atomic.events\nWHERE event_name = 'page_view' AND collector_tstamp > now() - INTERVAL 7 DAY\nGROUP BY page_urlpath\nORDER BY views DESC\nLIMIT 50" },
  { title: "Failed events by reason", sql: "SELECT failure_type, schema, count() AS failures\nFROM atomic.failed_events\nGROUP BY failure_type, schema\nORDER BY failures DESC" },
];

export function Page() {
  const [search, change] = useView();
  const text = one(search.q, SAMPLES[0]?.sql);
  const show = one(search.show, "table") as "table" | "chart";
  const [history, setHistory] = useState(readHistory);
  const tables = useQuery({ queryKey: ["tables"], queryFn: () => ask(api.GET("/api/v1/sql/tables")), staleTime: 300_000 });
  const run = useMutation({
    mutationFn: (sql: string) => ask(api.POST("/api/v1/sql", { body: { sql } })),
    onSuccess: (_, sql) => setHistory(keepHistory(sql)),
  });
  const start = () => text.trim() && run.mutate(text);
  useKeys({ r: start });
  const known = useMemo(() => Object.fromEntries((tables.data ?? []).map((table) => [table.name, table.columns.map((column) => column.name)])), [tables.data]);
  return (
    <PageFrame wide title="SQL" lead="Read-only, in the store's own dialect, within the limits of the settings." controls={<CopyButton text={() => location.href} label="Copy link" />}>
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid min-w-0 gap-4">
          <Card pad={false} label="Query">
            <Suspense fallback={<Skeleton className="m-3 h-36" />}>
              <SqlEditor value={text} tables={known} onChange={(q) => change({ q })} onRun={start} />
            </Suspense>
            <div className="flex flex-wrap items-center gap-2 border-t border-line p-2.5">
              <Button kind="primary" icon="play" disabled={run.isPending || !text.trim()} onClick={start}>
                {run.isPending ? "Running…" : "Run"}
              </Button>
              <span className="text-[13px] text-ink-faint">Ctrl or ⌘ and Enter</span>
              <span className="flex-1" />
              <label className="flex items-center gap-2 text-[13px] text-ink-soft">
                Samples
                <select className="field max-w-52 text-ink" value="" onChange={(event) => change({ q: event.target.value })}>
                  <option value="">Choose…</option>
                  {SAMPLES.map((sample) => (
                    <option key={sample.title} value={sample.sql}>
                      {sample.title}
                    </option>
                  ))}
                </select>
              </label>
            </div>
          </Card>
          {run.isError && <Failure error={run.error} />}
          <Loading on={run.isPending} />
          {run.data && <Result answer={run.data} sql={run.variables} show={show} onShow={(next) => change({ show: next === "table" ? undefined : next })} />}
          {!run.data && !run.isError && !run.isPending && (
            <Empty icon="sql" title="Run a query to see its result">
              The link of this page holds the query: share it, and others see the same.
            </Empty>
          )}
        </div>
        <aside className="grid gap-4" aria-label="Tables and history">
          <Card title="Tables" pad={false}>
            {tables.isError && (
              <div className="p-3">
                <Failure error={tables.error} />
              </div>
            )}
            <Tables tables={tables.data ?? []} onPick={(name) => change({ q: `SELECT *\nFROM ${name}\nLIMIT 100` })} />
          </Card>
          {history.length > 0 && (
            <Card
              title="History"
              pad={false}
              actions={
                <Button small kind="quiet" onClick={() => setHistory(keepHistory(null))}>
                  Clear
                </Button>
              }
            >
              <ul tabIndex={0} aria-label="Queries asked before" className="thin-scroll max-h-60 overflow-auto p-1.5">
                {history.map((sql) => (
                  <li key={sql}>
                    <button type="button" onClick={() => change({ q: sql })} title={sql} className="block w-full truncate rounded-md px-2 py-1 text-left font-mono text-xs hover:bg-sunken">
                      {sql.replace(/\s+/g, " ")}
                    </button>
                  </li>
                ))}
              </ul>
            </Card>
          )}
        </aside>
      </div>
    </PageFrame>
  );
}

function Tables({ tables, onPick }: { tables: Schemas["Table"][]; onPick: (name: string) => void }) {
  const [find, setFind] = useState("");
  const words = find.toLowerCase();
  return (
    <div className="grid gap-1 p-2">
      <input aria-label="Find a table or column" placeholder="Find a table or column…" className="field" value={find} onChange={(event) => setFind(event.target.value)} />
      <div tabIndex={0} role="group" aria-label="Tables" className="thin-scroll max-h-[46dvh] overflow-auto">
        {tables.map((table) => {
          const columns = words && !table.name.includes(words) ? table.columns.filter((column) => column.name.toLowerCase().includes(words)) : table.columns;
          if (words && !columns.length) return null;
          return (
            <details key={table.name} open={words.length > 1 || undefined}>
              <summary className="flex items-center gap-1.5 rounded-md px-1.5 py-1 hover:bg-sunken">
                <Icon name="sql" size={14} className="text-ink-faint" />
                <span className="min-w-0 flex-1 truncate" title={table.name}>
                  {table.name}
                </span>
                <button type="button" className="rounded px-1 text-xs text-accent-ink hover:bg-accent-soft" onClick={() => onPick(table.name)} aria-label={`Query ${table.name}`}>
                  Query
                </button>
              </summary>
              <ul className="ml-3 border-l border-line pl-2 text-[13px]">
                {columns.map((column) => (
                  <li key={column.name} className="flex gap-2 py-0.5">
                    <span className="min-w-0 flex-1 truncate">{column.name}</span>
                    <span className="max-w-24 truncate text-xs text-ink-faint" title={column.type}>
                      {column.type}
                    </span>
                  </li>
                ))}
              </ul>
            </details>
          );
        })}
      </div>
    </div>
  );
}

function Result({ answer, sql, show, onShow }: { answer: Schemas["Answer"]; sql: string; show: "table" | "chart"; onShow: (show: "table" | "chart") => void }) {
  const drawn = useMemo(() => chartOf(answer), [answer]);
  const file = `/api/v1/sql/export?format=csv&query=${encodeURIComponent(sql)}`;
  return (
    <Card
      pad={false}
      label="Result"
      title={
        <span className="tabular text-[13px] font-normal text-ink-soft" role="status">
          {counted(answer.rows.length, "row")}{answer.truncated ? " (there are more)" : ""} in {number(answer.milliseconds)} ms
        </span>
      }
      actions={
        <>
          <a href={file} download="result.csv" className="rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
            CSV
          </a>
          <Segmented
            label="Show as"
            value={show}
            onChange={onShow}
            options={[
              { id: "table", label: "Table" },
              { id: "chart", label: "Chart" },
            ]}
          />
        </>
      }
    >
      {answer.rows.length === 0 ? (
        <Empty title="No rows" />
      ) : show === "table" ? (
        <ResultTable columns={answer.columns} rows={answer.rows} />
      ) : drawn ? (
        <div className="p-3">
          <Suspense fallback={<Skeleton className="h-80" />}>
            <Chart {...drawn} label={`Chart of ${drawn.series.map((one) => one.name).join(", ")}`} />
          </Suspense>
        </div>
      ) : (
        <Empty title="Nothing to draw">A chart needs a column of numbers; the first other column names its points.</Empty>
      )}
    </Card>
  );
}

/** The first column that is no number (else the first) names the points; every other column of numbers is a line. */
export function chartOf(answer: Pick<Schemas["Answer"], "columns" | "rows">) {
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

function readHistory(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem("sql-history") ?? "[]");
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}
function keepHistory(sql: string | null): string[] {
  const next = sql === null ? [] : [sql, ...readHistory().filter((one) => one !== sql)].slice(0, 30);
  try {
    localStorage.setItem("sql-history", JSON.stringify(next));
  } catch {
    // kept for this page only then
  }
  return next;
}
