/** Read-only SQL: an editor with parameters, the tables there are, what was saved and asked before, and the result. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { SaveReport } from "../reports/SaveReport";
import { useKeys } from "../shell/keys";
import { Parameters } from "../sql/Parameters";
import { type Placeholder, placeholdersOf } from "../sql/placeholders";
import { samplesOf } from "../sql/samples";
import { History, SavedQueries } from "../sql/Saved";
import { type Show, showOf, SHOWS, SqlResult } from "../sql/SqlResult";
import { Tables } from "../sql/Tables";
import { counted, number } from "../view/format";
import { many, one } from "../view/search";
import { useView } from "../view/useView";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, CopyButton, Empty, Failure, Loading, Segmented, Skeleton } from "../widgets/ui";

const SqlEditor = lazy(() => import("../widgets/SqlEditor"));

interface Run {
  sql: string;
  parameters: Record<string, string>;
}

export function Page() {
  const [search, change] = useView();
  const queries = useQueryClient();
  const id = one(search.report);
  const report = useQuery({ queryKey: ["saved-report", id], queryFn: () => ask(api.GET("/api/v1/analytics/saved-reports/{report_id}", { params: { path: { report_id: id } } })), enabled: id !== "", retry: false, refetchOnWindowFocus: false });
  const kept = keptQuery(report.data);
  const tables = useQuery({ queryKey: ["tables"], queryFn: () => ask(api.GET("/api/v1/sql/tables")), staleTime: 300_000 });
  const samples = useMemo(() => samplesOf(tables.data ?? []), [tables.data]);
  const text = one(search.q, kept?.sql ?? (id ? "" : samples[0]?.sql));
  const wanted = useMemo(() => placeholdersOf(text), [text]);
  const values = useMemo(() => ({ ...kept?.parameters, ...readValues(many(search.p)) }), [kept, search.p]);
  const parameters = useMemo(() => Object.fromEntries(wanted.map(({ name }) => [name, values[name] ?? ""])), [wanted, values]);
  const show = showOf(one(search.show, report.data?.show));
  const history = useQuery({ queryKey: ["sql-history"], queryFn: () => ask(api.GET("/api/v1/sql/history")), refetchOnWindowFocus: false });
  const clear = useMutation({ mutationFn: () => ask(api.DELETE("/api/v1/sql/history")), onSettled: () => void queries.invalidateQueries({ queryKey: ["sql-history"] }) });
  const running = useRef<AbortController | null>(null);
  const [cancelled, setCancelled] = useState(false);
  const run = useMutation({
    mutationFn: (body: Run) => {
      const abort = new AbortController();
      running.current = abort;
      setCancelled(false);
      return ask(api.POST("/api/v1/sql", { body, signal: abort.signal }));
    },
    onSettled: () => {
      running.current = null;
      void queries.invalidateQueries({ queryKey: ["sql-history"] });
    },
  });
  const { mutate } = run;
  const start = () => text.trim() && !run.isPending && mutate({ sql: text, parameters });
  const cancel = () => {
    if (!running.current) return;
    setCancelled(true);
    running.current.abort(); // the server ends the query in the store when the connection closes
  };
  useKeys({ r: start });
  // a link to a saved query runs it, once it is there
  const ran = useRef("");
  useEffect(() => {
    if (!kept || ran.current === id || search.q !== undefined) return;
    ran.current = id;
    if (placeholdersOf(kept.sql).every(({ name }) => (values[name] ?? "") !== "")) mutate({ sql: kept.sql, parameters: values });
  }, [kept, id, search.q, values, mutate]);
  const known = useMemo(() => Object.fromEntries((tables.data ?? []).map((table) => [table.name, table.columns.map((column) => column.name)])), [tables.data]);
  const [insert, setInsert] = useState<{ text: string; at: number } | undefined>();
  const write = (q: string) => change({ q, report: undefined, p: undefined });
  return (
    <PageFrame
      wide
      title="SQL"
      lead="Read-only, in the store's own dialect, within the limits of the settings."
      controls={
        <>
          {report.data && (
            <Badge tone="accent">
              <bdi>{report.data.name}</bdi>
            </Badge>
          )}
          <CopyButton text={() => location.href} label="Copy link" />
        </>
      }
    >
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid min-w-0 gap-4">
          {report.isError && <Failure error={report.error} />}
          <Card pad={false} label="Query">
            <Suspense fallback={<Skeleton className="m-3 h-36" />}>
              <SqlEditor value={text} tables={known} insert={insert} onChange={(q) => q !== text && change({ q })} onRun={start} />
            </Suspense>
            <Parameters wanted={wanted} values={parameters} onRun={start} onChange={(name, value) => change({ p: Object.entries({ ...parameters, [name]: value }).map(([key, text]) => `${key}=${text}`) })} />
            <div className="flex flex-wrap items-center gap-2 border-t border-line p-2.5">
              {run.isPending ? (
                <Button kind="danger" icon="close" onClick={cancel}>
                  Cancel query
                </Button>
              ) : (
                <Button kind="primary" icon="play" disabled={!text.trim()} onClick={start}>
                  Run
                </Button>
              )}
              <span className="text-[13px] text-ink-faint max-sm:hidden">Ctrl or ⌘ and Enter</span>
              <span className="flex-1" />
              <label className="flex items-center gap-2 text-[13px] text-ink-soft">
                Samples
                <select className="field max-w-52 text-ink" value="" onChange={(event) => write(samples[Number(event.target.value)]?.sql ?? "")}>
                  <option value="">Choose…</option>
                  {[...new Set(samples.map((sample) => sample.group))].map((group) => (
                    <optgroup key={group} label={group}>
                      {samples.map((sample, at) =>
                        sample.group === group ? (
                          <option key={`${group} ${sample.title}`} value={at}>
                            {sample.title}
                          </option>
                        ) : null,
                      )}
                    </optgroup>
                  ))}
                </select>
              </label>
            </div>
          </Card>
          {run.isError && (cancelled ? <p role="status" className="rounded-lg bg-sunken px-3 py-2 text-ink-soft">The query was cancelled.</p> : <Failure error={run.error} />)}
          <Loading on={run.isPending} />
          {run.data && <Result answer={run.data} asked={run.variables} wanted={placeholdersOf(run.variables.sql)} show={show} onShow={(next) => change({ show: next })} />}
          {!run.data && !run.isError && !run.isPending && (
            <Empty icon="sql" title="Run a query to see its result">
              Write a value that changes as {"{name:Type}"}, such as {"{first_day:Date}"}, and it gets a field of its own. The link of this page holds the query.
            </Empty>
          )}
        </div>
        <aside className="grid gap-4" aria-label="Tables and history">
          <SavedQueries onOpen={(chosen) => change({ report: chosen.id, q: undefined, p: undefined, show: undefined }, { push: true })} />
          <Card title="Tables" pad={false}>
            {tables.isError && (
              <div className="p-3">
                <Failure error={tables.error} retry={() => void tables.refetch()} />
              </div>
            )}
            {tables.isPending && <Skeleton className="m-3 h-24" />}
            {tables.data && <Tables tables={tables.data} onQuery={(name) => write(`SELECT *\nFROM ${name}\nLIMIT 100`)} onInsert={(column) => setInsert({ text: column, at: Date.now() })} />}
          </Card>
          <History queries={history.data ?? []} onPick={write} onClear={() => clear.mutate()} />
        </aside>
      </div>
    </PageFrame>
  );
}

function Result({ answer, asked, wanted, show, onShow }: { answer: Schemas["Answer"]; asked: Run; wanted: Placeholder[]; show: Show; onShow: (show: Show) => void }) {
  const file = (format: string) => `/api/v1/sql/export?format=${format}&query=${encodeURIComponent(asked.sql)}&parameters=${encodeURIComponent(JSON.stringify(asked.parameters))}`;
  const link = "rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft";
  return (
    <Card
      pad={false}
      label="Result"
      title={
        <span className="tabular text-[13px] font-normal text-ink-soft" role="status">
          {counted(answer.rows.length, "row")}
          {answer.truncated ? " (there are more)" : ""} in {number(answer.milliseconds)} ms
        </span>
      }
      actions={
        <>
          <a href={file("csv")} download="result.csv" className={link}>
            CSV
          </a>
          <a href={file("parquet")} download="result.parquet" className={`${link} max-sm:hidden`}>
            Parquet
          </a>
          <SaveReport small label="Save query" kind="sql" show={show === "table" ? "" : show} question={{ sql: asked.sql, ...(wanted.length ? { parameters: asked.parameters } : {}) }} />
          <Segmented label="Show as" value={show} onChange={onShow} options={SHOWS.map(({ id, label }) => ({ id, label }))} />
        </>
      }
    >
      <SqlResult answer={answer} show={show} />
    </Card>
  );
}

function keptQuery(report: Schemas["SavedReport"] | undefined): { sql: string; parameters: Record<string, string> } | null {
  if (report?.kind !== "sql") return null;
  const { sql, parameters } = report.question;
  const values = typeof parameters === "object" && parameters !== null ? Object.entries(parameters).map(([name, value]) => [name, String(value)] as const) : [];
  return typeof sql === "string" ? { sql, parameters: Object.fromEntries(values) } : null;
}

/** `name=value`, once for each. */
function readValues(texts: string[]): Record<string, string> {
  return Object.fromEntries(texts.filter((text) => text.includes("=")).map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]));
}
