/** First run: three ticks, the snippet to paste, and a page that turns live with the first event. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, ask, type Schemas } from "../api/client";
import { ago, number } from "../view/format";
import { one } from "../view/search";
import { absoluteText } from "../view/ranges";
import { useView } from "../view/useView";
import { Bars } from "../widgets/Bars";
import { Icon } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, CopyButton, Failure, Figure, Skeleton } from "../widgets/ui";

export function Page() {
  const ticks = useQuery({
    queryKey: ["ticks"],
    queryFn: () => ask(api.GET("/api/v1/first-run/ticks")),
    refetchInterval: (query) => (query.state.data?.receiving ? 5_000 : 1_500),
  });
  const receiving = ticks.data?.receiving;
  return (
    <PageFrame same={false} title={ticks.isPending ? "First run" : receiving ? "Your events are arriving" : "Send your first event"} lead={ticks.isPending ? "Looking for events…" : receiving ? "Everything below keeps itself up to date." : "Paste a snippet, reload your page, and watch this one turn live."}>
      {ticks.isError && <Failure error={ticks.error} retry={() => void ticks.refetch()} />}
      {ticks.isPending ? <Skeleton className="h-20" /> : <Ticks data={ticks.data} />}
      {receiving && ticks.data && <Arriving data={ticks.data} />}
      <Try receiving={receiving ?? false} />
      <Snippets />
    </PageFrame>
  );
}

function Ticks({ data }: { data: Schemas["Ticks"] | undefined }) {
  const steps = [
    { title: "Installed", note: "Snowgauge runs on this machine.", done: data?.installed },
    { title: "Ready", note: data?.ready === false ? (data.notes[0] ?? "Not yet.") : "Collector and store take events.", done: data?.ready },
    { title: "Receiving events", note: data?.last_event ? `Last one ${ago(data.last_event)}.` : "Waiting for the first one…", done: data?.receiving },
  ];
  return (
    <ol className="card grid gap-0 overflow-hidden sm:grid-cols-3" aria-label="Progress">
      {steps.map((step) => (
        <li key={step.title} className="flex items-start gap-3 border-line p-4 not-last:border-b sm:not-last:border-b-0 sm:not-last:border-r">
          <span className={`mt-0.5 grid size-6 shrink-0 place-items-center rounded-full ${step.done ? "bg-good text-surface" : "border-2 border-dashed border-line-strong text-transparent"}`}>
            <Icon name="check" size={14} />
          </span>
          <span className="min-w-0">
            <span className="block font-medium">
              {step.title}
              <span className="sr-only">{step.done ? ": done" : ": not yet"}</span>
            </span>
            <span className="block break-words text-[13px] text-ink-soft" aria-live="polite">
              {step.note}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function Arriving({ data }: { data: Schemas["Ticks"] }) {
  const navigate = useNavigate();
  const timeline = useQuery({
    queryKey: ["timeline", "minute"],
    queryFn: () => ask(api.GET("/api/v1/timeline", { params: { query: { seconds: 60, buckets: 30 } } })),
    refetchInterval: 5_000,
  });
  return (
    <div className="grid gap-4 lg:grid-cols-[1fr_20rem]">
      <Card
        title={
          <span className="flex items-center gap-2">
            <span className="pulse-dot size-2 rounded-full bg-good" /> Last 30 minutes
          </span>
        }
        label="Last 30 minutes"
        actions={
          <Link to="/live" className="inline-flex items-center gap-1 rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
            Open Live <Icon name="right" size={14} />
          </Link>
        }
      >
        {timeline.data ? <Bars label="Last 30 minutes" points={timeline.data.points} seconds={60} height={146} onPick={(from, until) => void navigate({ to: "/live", search: { range: absoluteText(from, until) } })} /> : <Skeleton className="h-24" />}
      </Card>
      <div className="grid grid-cols-3 gap-3 lg:grid-cols-1">
        <Figure label="Good, 24 hours" value={number(data.events)} to="/live" search={{ status: "good", range: "24h" }} />
        <Figure label="Failed, 24 hours" value={number(data.failed)} tone={data.failed ? "bad" : undefined} to="/failed" search={{ range: "24h" }} />
        <Figure label="Waiting to be stored" value={number(data.waiting)} to="/state" />
      </div>
    </div>
  );
}

/** What one can do without a site: an event from here, demo traffic, the documentation. */
function Try({ receiving }: { receiving: boolean }) {
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/first-run/test-event")),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["ticks"] }),
  });
  return (
    <Card title={receiving ? "Try more" : "No site yet?"}>
      <div className="grid gap-3 text-ink-soft sm:grid-cols-3">
        <div className="grid content-start justify-items-start gap-2">
          <Button kind={receiving ? "plain" : "primary"} onClick={() => test.mutate()} disabled={test.isPending}>
            Send a test event
          </Button>
          <p aria-live="polite" className="text-[13px]">
            {test.isPending ? (
              "Sending…"
            ) : test.isError ? (
              <span className="text-bad-ink">{test.error.message}</span>
            ) : test.data ? (
              <>
                The collector has it.{" "}
                <Link to="/xray" search={{ id: test.data.event_id }} className="text-accent-ink underline underline-offset-2">
                  Follow it through the pipeline
                </Link>
              </>
            ) : (
              "One page view, sent to your collector from this machine."
            )}
          </p>
        </div>
        <div className="grid content-start justify-items-start gap-2">
          <span className="inline-flex items-center gap-2">
            <code className="whitespace-nowrap rounded border border-line bg-sunken px-2 py-1 text-[13px] text-ink">snowgauge demo seed</code>
            <CopyButton text="snowgauge demo seed" label="Copy" />
          </span>
          <p className="text-[13px]">A month of demo data from a fictional shop; “demo clear” removes it.</p>
        </div>
        <div className="grid content-start justify-items-start gap-2">
          <a href="/docs/" className="inline-flex h-8.5 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-3 text-ink hover:bg-raised">
            <Icon name="book" size={15} /> Documentation
          </a>
          <p className="text-[13px]">Guides and reference, on this machine.</p>
        </div>
      </div>
    </Card>
  );
}

function Snippets() {
  const [search, change] = useView();
  const appId = one(search.app, "my-site");
  const chosen = one(search.snippet, "javascript");
  const snippets = useQuery({
    queryKey: ["snippets", appId],
    queryFn: () => ask(api.GET("/api/v1/first-run/snippets", { params: { query: { app_id: appId } } })),
    placeholderData: (before) => before,
  });
  const shown = snippets.data?.find((snippet) => snippet.id === chosen) ?? snippets.data?.[0];
  return (
    <Card
      title="Send events from"
      pad={false}
      actions={
        <label className="flex items-center gap-2 text-[13px] text-ink-soft">
          App id
          <input className="field w-36 text-ink" value={appId} onChange={(event) => change({ app: event.target.value.replace(/[^\w.-]/g, "-") })} />
        </label>
      }
    >
      {snippets.isError && <Failure error={snippets.error} />}
      <div role="tablist" aria-label="Kinds of snippet" className="thin-scroll flex gap-1 overflow-x-auto border-b border-line px-3 py-2">
        {snippets.data?.map((snippet) => (
          <button
            key={snippet.id}
            role="tab"
            type="button"
            id={`tab-${snippet.id}`}
            aria-controls="snippet"
            aria-selected={snippet.id === shown?.id}
            onClick={() => change({ snippet: snippet.id })}
            className={`whitespace-nowrap rounded-lg px-3 py-1.5 ${snippet.id === shown?.id ? "bg-accent-soft font-medium text-accent-ink" : "text-ink-soft hover:bg-sunken hover:text-ink"}`}
          >
            {snippet.title}
          </button>
        ))}
      </div>
      {shown ? (
        <div role="tabpanel" id="snippet" aria-labelledby={`tab-${shown.id}`} className="grid gap-3 p-4">
          <div className="flex flex-wrap items-center gap-2">
            <p className="min-w-0 flex-1 text-ink-soft">{shown.where}</p>
            <Badge>{shown.language}</Badge>
            <CopyButton kind="primary" text={shown.code} label="Copy snippet" />
          </div>
          <pre tabIndex={0} aria-label={`${shown.title} snippet`} className="thin-scroll overflow-x-auto rounded-lg border border-line bg-sunken p-4 leading-relaxed">
            {shown.code}
          </pre>
        </div>
      ) : (
        <Skeleton className="m-4 h-48" />
      )}
    </Card>
  );
}
