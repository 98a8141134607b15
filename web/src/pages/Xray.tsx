/** One event from the request to the row: what came in, what each step did and took, where it is now. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { counted, exactTime, number } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { JsonTree } from "../widgets/JsonTree";
import { Loaded } from "../widgets/Loaded";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, CopyButton, Empty } from "../widgets/ui";

const PLACES: Record<string, { tone: "good" | "bad" | "warn" | "accent"; text: string }> = {
  good: { tone: "good", text: "Stored as a good event" },
  failed: { tone: "bad", text: "Kept as a failed event" },
  incomplete: { tone: "warn", text: "Stored as far as it got" },
  waiting: { tone: "accent", text: "Waits in the event log" },
};

export function Page() {
  const [search, change] = useView();
  const id = one(search.id);
  const [text, setText] = useState(id);
  const found = useQuery({
    queryKey: ["xray", id],
    queryFn: () => ask(api.GET("/api/v1/xray/{event_id}", { params: { path: { event_id: id } } })),
    enabled: id !== "",
    refetchInterval: (query) => (query.state.data?.places.includes("waiting") ? 2_000 : false),
  });
  return (
    <PageFrame title="Event X-ray" lead="One event by its id: the request, every step, the row.">
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          change({ id: text.trim() }, { push: true });
        }}
      >
        <input aria-label="Event id" className="field min-w-0 flex-1 font-mono" placeholder="event_id of an event, or id of a failure" value={text} onChange={(event) => setText(event.target.value)} />
        <Button kind="primary" type="submit" icon="xray" disabled={!text.trim()}>
          Look
        </Button>
      </form>
      {!id && (
        <Empty icon="xray" title="Which event?">
          Paste an event_id here, or open X-ray from an event in Live or Failed events.
        </Empty>
      )}
      {id && (
        <Loaded query={found} what="this event">
          {(data) => <Found data={data} />}
        </Loaded>
      )}
    </PageFrame>
  );
}

function Found({ data }: { data: Schemas["XRay"] }) {
  const run = data.runs[0];
  return (
    <>
      <div className="flex flex-wrap items-center gap-2" role="status">
        {data.places.map((place) => (
          <Badge key={place} tone={PLACES[place]?.tone ?? "plain"}>
            {PLACES[place]?.text ?? place}
          </Badge>
        ))}
        {data.others > 0 && <span className="text-[13px] text-ink-soft">{number(data.others)} more events came in the same request</span>}
      </div>
      {data.note && <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn-ink">{data.note}</p>}
      {data.source === "rebuilt" && (
        <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn-ink">The request of a good event is not kept once it is stored. This one is rebuilt from the row, and the steps show what today's configuration makes of it.</p>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        {data.request && <RequestCard request={data.request} rebuilt={data.source === "rebuilt"} />}
        {run && (
          <Card title="Tracker parameters" pad={false}>
            <Pairs pairs={Object.entries(run.parameters)} />
          </Card>
        )}
      </div>
      {run && <Steps run={run} />}
      {data.stored && (
        <Card title="The stored row" actions={<CopyButton small text={() => JSON.stringify(data.stored, null, 2)} label="Copy JSON" />}>
          <JsonTree value={withoutNulls(data.stored)} open={1} />
        </Card>
      )}
      {data.failed && (
        <Card title="The failed event" actions={<CopyButton small text={() => JSON.stringify(data.failed?.bad_row, null, 2)} label="Copy bad row" />}>
          <JsonTree value={(data.failed as { bad_row?: unknown }).bad_row} open={2} />
        </Card>
      )}
    </>
  );
}

function withoutNulls(row: Record<string, unknown>) {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

function RequestCard({ request, rebuilt }: { request: Schemas["Request"]; rebuilt: boolean }) {
  const lines: [string, string | null | undefined][] = [
    ["Received", exactTime(request.received_at)],
    ["From", request.ip_address],
    ["User agent", request.user_agent],
    ["Referer", request.referer],
    ["Host", request.hostname],
    ["Network user", request.network_user_id],
    ["Content type", request.content_type],
  ];
  return (
    <Card title={rebuilt ? "Request, rebuilt" : "Request as received"} pad={false}>
      <p className="border-b border-line px-4 py-2.5 font-mono text-[13px]">
        <Badge tone="accent">{request.method}</Badge> <span className="break-all">{request.path}</span>
      </p>
      <Pairs pairs={lines.filter(([, value]) => value)} />
      {request.body && <Fold title="Body" text={request.body} />}
      {request.querystring && <Fold title="Query string" text={request.querystring} />}
      {request.headers.length > 0 && <Fold title={`${request.headers.length} headers`} text={request.headers.join("\n")} />}
    </Card>
  );
}

function Fold({ title, text }: { title: string; text: string }) {
  return (
    <details className="border-t border-line">
      <summary className="px-4 py-2 text-ink-soft hover:bg-sunken">{title}</summary>
      <pre tabIndex={0} aria-label={title} className="thin-scroll max-h-72 overflow-auto whitespace-pre-wrap break-all px-4 pb-3">
        {text}
      </pre>
    </details>
  );
}

function Pairs({ pairs }: { pairs: [string, string | null | undefined][] }) {
  return (
    <dl tabIndex={0} role="group" aria-label="Values" className="thin-scroll max-h-80 overflow-auto text-[13px]">
      {pairs.map(([name, value]) => (
        <div key={name} className="grid grid-cols-[8rem_1fr] gap-2 border-b border-line px-4 py-1.5 last:border-b-0">
          <dt className="truncate text-ink-soft" title={name}>
            {name}
          </dt>
          <dd className="min-w-0 break-all">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Steps({ run }: { run: Schemas["Run"] }) {
  const total = run.steps.reduce((sum, step) => sum + step.microseconds, 0);
  const longest = Math.max(1, ...run.steps.map((step) => step.microseconds));
  return (
    <Card
      pad={false}
      label="Steps"
      title={
        <span className="flex flex-wrap items-center gap-2">
          What each step did
          <Badge tone={run.outcome === "enriched" ? "good" : run.outcome === "failed" ? "bad" : "warn"}>{run.outcome}</Badge>
          <span className="text-[13px] font-normal text-ink-soft">{(total / 1000).toFixed(1)} ms in all</span>
        </span>
      }
    >
      {run.reason && <p className="border-b border-line bg-bad-soft px-4 py-2 text-bad-ink">{run.reason}</p>}
      <ol>
        {run.steps.map((step, i) => {
          const changed = Object.entries(step.changed);
          const quiet = !changed.length && !step.entities.length && !step.failure.length;
          return (
            <li key={step.name} className="border-b border-line last:border-b-0">
              <details open={step.failure.length > 0}>
                <summary className="grid grid-cols-[1.5rem_1fr_5.5rem] items-center gap-2 px-4 py-2 hover:bg-sunken sm:grid-cols-[1.5rem_1fr_9rem_5rem]">
                  <span className="tabular text-ink-faint">{i + 1}</span>
                  <span className={`min-w-0 truncate ${quiet ? "text-ink-soft" : "font-medium"}`}>
                    {step.name}
                    <span className="ml-2 text-[13px] font-normal text-ink-soft">
                      {[changed.length && counted(changed.length, "column"), step.entities.length && counted(step.entities.length, "entity", "entities")].filter(Boolean).join(", ") || (step.failure.length ? "" : "nothing to do")}
                    </span>
                    {step.failure.length > 0 && (
                      <span className="ml-2">
                        <Badge tone="bad">✗ {step.failure.length}</Badge>
                      </span>
                    )}
                  </span>
                  <span className="h-1.5 overflow-hidden rounded bg-sunken max-sm:hidden" aria-hidden="true">
                    <span className="block h-full rounded bg-accent" style={{ width: `${(100 * step.microseconds) / longest}%` }} />
                  </span>
                  <span className="tabular text-right text-[13px] text-ink-soft">{step.microseconds < 1000 ? `${number(step.microseconds)} µs` : `${(step.microseconds / 1000).toFixed(1)} ms`}</span>
                </summary>
                <div className="grid gap-2 px-4 pb-3 sm:pl-12">
                  {changed.length > 0 && <JsonTree value={step.changed} open={1} />}
                  {step.entities.map((entity, n) => (
                    <JsonTree key={n} value={entity} open={2} />
                  ))}
                  {step.failure.map((failure, n) => (
                    <JsonTree key={n} value={failure} open={4} />
                  ))}
                </div>
              </details>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
