/** Failed events by cause: what goes wrong, since when, an example with the place at fault, and what to do about it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask, type Schemas } from "../api/client";
import { useMay } from "../shell/session";
import { ago, briefTime, compact, counted, middle, number, schemaParts, time } from "../view/format";
import { describeRange, isRange } from "../view/ranges";
import { many, one } from "../view/search";
import { useView } from "../view/useView";
import { Spark } from "../widgets/Bars";
import { FilterBar } from "../widgets/FilterBar";
import { Icon } from "../widgets/icons";
import { JsonTree } from "../widgets/JsonTree";
import { PageFrame } from "../widgets/Page";
import { RangePicker } from "../widgets/RangePicker";
import { SidePanel } from "../widgets/SidePanel";
import { Badge, Button, Card, CopyButton, Empty, Failure, Loading, Segmented, Skeleton } from "../widgets/ui";

type Cause = Schemas["Cause"];
type Example = Schemas["Example"];

export function Page() {
  const [search, change] = useView();
  const given = one(search.range, "7d");
  const range = isRange(given) ? given : "7d";
  const status = one(search.status, "open");
  const where = many(search.where);
  const open = one(search.cause);
  const causes = useQuery({
    queryKey: ["causes", range, status, where],
    queryFn: () => ask(api.GET("/api/v1/failed/causes", { params: { query: { range, status, where } } })),
    refetchInterval: 10_000,
    placeholderData: (before) => before,
  });
  const chosen = causes.data?.causes.find((cause) => cause.id === open);
  return (
    <PageFrame
      title="Failed events"
      lead="Nothing is lost: every failure is kept whole and can be sent through again."
      controls={<RangePicker value={range} onChange={(next) => change({ range: next === "7d" ? undefined : next })} />}
    >
      <div className="flex flex-wrap items-center gap-2">
        <Segmented
          label="Status"
          value={status}
          onChange={(next) => change({ status: next === "open" ? undefined : next })}
          options={[
            { id: "open", label: "Open" },
            { id: "recovered", label: "Recovered" },
            { id: "all", label: "All" },
          ]}
        />
        <FilterBar filters={where} status="failed" range={range} onChange={(next) => change({ where: next })} />
        <span className="flex-1" />
        {causes.data && (
          <Link to="/live" search={{ status: "failed", range, where }} className="rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
            {number(causes.data.total)} failed events
          </Link>
        )}
      </div>
      {causes.isError && <Failure error={causes.error} retry={() => void causes.refetch()} />}
      <Card pad={false} label="Causes">
        <Loading on={causes.isFetching && !causes.isPending} />
        {causes.isPending ? (
          <div className="grid gap-3 p-4">
            <Skeleton className="h-12" />
            <Skeleton className="h-12" />
            <Skeleton className="h-12" />
          </div>
        ) : causes.data?.causes.length ? (
          <ul>
            {causes.data.causes.map((cause) => (
              <CauseRow key={cause.id} cause={cause} open={cause.id === open} onOpen={() => change({ cause: cause.id === open ? undefined : cause.id })} />
            ))}
          </ul>
        ) : (
          <Empty icon="check" title="Nothing has failed">
            No {status === "all" ? "" : status} failures, {describeRange(range).toLowerCase()}.
          </Empty>
        )}
      </Card>
      {open && <CausePanel id={open} cause={chosen} onClose={() => change({ cause: undefined })} />}
    </PageFrame>
  );
}

function CauseRow({ cause, open, onOpen }: { cause: Cause; open: boolean; onOpen: () => void }) {
  const schema = cause.schema ? schemaParts(cause.schema) : null;
  return (
    <li className={`border-b border-line last:border-b-0 ${open ? "bg-accent-soft" : ""}`}>
      <button type="button" aria-expanded={open} onClick={onOpen} className="grid w-full items-center gap-x-4 gap-y-1 px-4 py-3 text-left hover:bg-sunken sm:grid-cols-[3.5rem_1fr_8rem_max-content]">
        <span className="tabular text-lg font-semibold text-bad-ink">{compact(cause.count)}</span>
        <span className="min-w-0">
          <span className="block break-words font-medium">{cause.message || cause.failure_type.replace(/_/g, " ")}</span>
          <span className="flex flex-wrap items-center gap-1.5 text-[13px] text-ink-soft">
            {cause.failure_type.replace(/_/g, " ")}
            {schema && (
              <Badge tone="plain" title={cause.schema ?? ""}>
                {schema.name} {schema.version}
              </Badge>
            )}
            {cause.app_id && <span>{cause.app_id}</span>}
            {cause.tracker && <span>{cause.tracker}</span>}
          </span>
        </span>
        <span className="max-sm:hidden">
          <Spark values={cause.trend} tone="bad" label={`Trend: ${cause.count} failures`} />
        </span>
        <span className="text-[13px] text-ink-soft sm:min-w-36 sm:whitespace-nowrap sm:text-right">
          {cause.last && <span className="block">{ago(cause.last)}</span>}
          {cause.first && <span className="block text-ink-faint">since {briefTime(cause.first)}</span>}
        </span>
      </button>
    </li>
  );
}

function CausePanel({ id, cause, onClose }: { id: string; cause: Cause | undefined; onClose: () => void }) {
  const examples = useQuery({
    queryKey: ["examples", id],
    queryFn: () => ask(api.GET("/api/v1/failed/causes/{cause}/examples", { params: { path: { cause: id } } })),
  });
  return (
    <SidePanel title="Why they fail" onClose={onClose}>
      {cause && (
        <p className="mb-3 text-ink-soft">
          <strong className="font-semibold text-ink">{number(cause.count)}</strong> events, {cause.first ? `first ${time(cause.first)}, ` : ""}
          {cause.last ? `last ${ago(cause.last)}` : ""}.
        </p>
      )}
      <Deeds id={id} schema={cause?.schema ?? null} />
      {examples.isError && <Failure error={examples.error} />}
      {examples.isPending && <Skeleton className="h-64" />}
      {examples.data?.length === 0 && <p className="text-ink-soft">No failure of this cause is left.</p>}
      <div className="grid gap-5">
        {examples.data?.map((example, i) => <ExampleView key={example.id} example={example} first={i === 0} />)}
      </div>
    </SidePanel>
  );
}

function Deeds({ id, schema }: { id: string; schema: string | null }) {
  const may = useMay("recover");
  const queries = useQueryClient();
  const replay = useMutation({
    mutationFn: (dry: boolean) => ask(api.POST("/api/v1/failed/recover", { body: { cause: id, ids: [], dry_run: dry } })),
    onSuccess: (done) => {
      if (!done.dry_run) {
        void queries.invalidateQueries({ queryKey: ["causes"] });
        void queries.invalidateQueries({ queryKey: ["examples", id] });
      }
    },
  });
  const done = replay.data;
  if (!may) return null;
  return (
    <section aria-label="What can be done" className="mb-5 grid gap-2.5 rounded-xl border border-line bg-sunken p-3">
      <div className="flex flex-wrap gap-2">
        <Button icon="recover" disabled={replay.isPending} onClick={() => replay.mutate(true)}>
          {replay.isPending ? "Working…" : "Try recovery"}
        </Button>
        {schema && (
          <Link to="/schemas" search={{ from: id }} className="inline-flex h-8.5 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-3 hover:bg-raised">
            <Icon name="wand" size={16} /> Infer a schema
          </Link>
        )}
      </div>
      {replay.isError && <Failure error={replay.error} />}
      {done && (
        <p role="status" className="text-[13px]">
          {done.dry_run ? (
            done.recovered ? (
              <>
                <strong>{number(done.recovered)}</strong> of {number(done.rows)} would become good events.{" "}
                <Button small kind="primary" onClick={() => replay.mutate(false)}>
                  Recover {number(done.recovered)}
                </Button>
              </>
            ) : (
              `None of ${number(done.rows)} would become a good event yet: correct the schema first.`
            )
          ) : (
            `${number(done.recovered)} of ${number(done.rows)} recovered, ${counted(done.events, "event")} stored${done.already ? `, ${number(done.already)} were there already` : ""}.`
          )}
        </p>
      )}
    </section>
  );
}

export function ExampleView({ example, first }: { example: Example; first: boolean }) {
  return (
    <details open={first} className="rounded-xl border border-line">
      <summary className="flex items-center gap-2 rounded-xl px-3 py-2 hover:bg-sunken">
        <span className="min-w-0 flex-1 truncate">{example.at}</span>
        {example.status !== "open" && <Badge tone="good">{example.status}</Badge>}
        <Link to="/xray" search={{ id: example.id }} className="inline-flex items-center gap-1 rounded-lg px-2 py-0.5 text-accent-ink hover:bg-accent-soft">
          <Icon name="xray" size={14} /> X-ray
        </Link>
      </summary>
      <div className="grid gap-3 border-t border-line p-3">
        {example.faults.map((fault, i) => (
          <FaultView key={`${fault.path}-${i}`} fault={fault} />
        ))}
        {example.cures.map((cure) => (
          <div key={cure.text} className="grid gap-1.5 rounded-lg bg-accent-soft p-2.5 text-[13px]">
            <p>{cure.text}</p>
            {cure.commands.map((command) => (
              <div key={command} className="flex items-start gap-2">
                <code className="min-w-0 flex-1 break-all">{command}</code>
                <CopyButton small kind="quiet" text={command} />
              </div>
            ))}
          </div>
        ))}
        <details>
          <summary className="text-[13px] text-ink-soft">The bad row as JSON</summary>
          <div className="mt-2">
            <JsonTree value={example.bad_row} open={2} />
          </div>
        </details>
      </div>
    </details>
  );
}

function FaultView({ fault }: { fault: Schemas["Fault"] }) {
  const schema = fault.schema ? schemaParts(fault.schema) : null;
  return (
    <section aria-label="Fault" className="grid gap-2">
      <p className="break-words font-medium text-bad-ink">{fault.message}</p>
      <div className="grid gap-2 sm:grid-cols-2">
        <div className="min-w-0 rounded-lg border border-bad/40 p-2.5">
          <h3 className="mb-1 text-xs text-ink-faint">Sent{fault.place ? `: ${middle(fault.place, 44)}` : fault.path ? `: ${fault.path}` : ""}</h3>
          {fault.absent ? <em className="text-ink-soft">nothing is there</em> : <JsonTree value={fault.value} open={3} />}
        </div>
        <div className="min-w-0 rounded-lg border border-line p-2.5">
          <h3 className="mb-1 text-xs text-ink-faint">
            {schema ? (
              <>
                Expected by{" "}
                <Link to="/schemas" search={{ uri: fault.schema }} className="text-accent-ink underline underline-offset-2">
                  {schema.name} {schema.version}
                </Link>
              </>
            ) : (
              "Expected"
            )}
          </h3>
          {fault.rule === null || fault.rule === undefined ? <em className="text-ink-soft">{fault.kind === "resolution" ? "the schema is in no registry" : "see the message"}</em> : <JsonTree value={fault.rule} open={2} />}
        </div>
      </div>
    </section>
  );
}
