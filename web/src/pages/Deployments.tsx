/** Other deployments, as their agent APIs tell: state and figures of each, and nothing of what its events hold. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { useKeys } from "../shell/keys";
import { ago, compact, counted, number, percent, seconds } from "../view/format";
import { Bars } from "../widgets/Bars";
import { Icon } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, CopyButton, Empty, Failure, Skeleton, type Tone } from "../widgets/ui";

type Look = Schemas["Look"];
type Figures = Schemas["Figures"];

const EXAMPLE = `[console.deployments.shop]
url = "https://collector.shop.example"
token = "…"   # its agent.static_token`;

export function Page() {
  const looks = useQuery({ queryKey: ["deployments"], queryFn: () => ask(api.GET("/api/v1/deployments")), refetchInterval: 30_000 });
  useKeys({ r: () => void looks.refetch() });
  const troubled = looks.data?.filter((look) => state(look).tone === "bad").length ?? 0;
  const lead = looks.data?.length ? `${counted(looks.data.length, "deployment")}${troubled ? `, ${number(troubled)} with a problem` : ""}` : undefined;
  return (
    <PageFrame
      title="Deployments"
      lead={lead}
      controls={
        <Button icon="refresh" disabled={looks.isFetching} onClick={() => void looks.refetch()}>
          {looks.isFetching ? "Asking…" : "Refresh"}
        </Button>
      }
    >
      {looks.isError && <Failure error={looks.error} retry={() => void looks.refetch()} />}
      {looks.isPending && (
        <Card>
          <p role="status" className="mb-3 text-ink-soft">
            Asking every deployment. One that does not answer takes up to eight seconds.
          </p>
          <Skeleton className="h-24" />
        </Card>
      )}
      {looks.data?.length === 0 && <None />}
      {looks.data && looks.data.length > 0 && (
        <ul className="grid gap-3">
          {looks.data.map((look) => (
            <Row key={look.name} look={look} />
          ))}
        </ul>
      )}
    </PageFrame>
  );
}

function None() {
  return (
    <Card>
      <Empty icon="health" title="No other deployments yet" action={<CopyButton text={EXAMPLE} label="Copy the settings" />}>
        <p className="mb-3">Watch several deployments from here. Switch on the agent API of each, and name it in the settings of this one. You see health and counts, never the content of an event.</p>
        <pre className="overflow-x-auto rounded-lg bg-sunken p-3 text-left text-[13px]">{EXAMPLE}</pre>
        <p className="mt-3">
          <a href="/docs/guide/agent-api" className="text-accent-ink underline">
            Guide to the agent API
          </a>
        </p>
      </Empty>
    </Card>
  );
}

/** One word for how a deployment is; the worst that is true. */
function state({ figures }: Look): { tone: Tone; text: string } {
  if (!figures) return { tone: "bad", text: "✗ Unreachable" };
  if (!figures.health.healthy) return { tone: "bad", text: "✗ Unhealthy" };
  if (!figures.status.ready) return { tone: "bad", text: "✗ Not ready" };
  if (!figures.status.receiving) return { tone: "warn", text: "! No events yet" };
  return { tone: "good", text: "✓ Receiving" };
}

function Row({ look }: { look: Look }) {
  const [open, setOpen] = useState(false);
  const { tone, text } = state(look);
  const { figures } = look;
  return (
    <li className="card min-w-0">
      <div className="grid items-center gap-x-4 gap-y-2 p-4 md:grid-cols-[minmax(0,14rem)_1fr_auto]">
        <div className="min-w-0">
          <h2 className="truncate">{look.name}</h2>
          <p className="truncate text-[13px] text-ink-soft">{look.url.replace(/^https?:\/\//, "")}</p>
          <p className="mt-1">
            <Badge tone={tone}>{text}</Badge>
          </p>
        </div>
        {figures ? <Counts name={look.name} figures={figures} /> : <p className="break-words text-bad-ink">{look.problem}</p>}
        {figures && (
          <button type="button" aria-expanded={open} aria-label={`Details of ${look.name}`} onClick={() => setOpen(!open)} className="inline-grid size-9 place-items-center justify-self-end rounded-lg text-ink-soft hover:bg-sunken hover:text-ink max-md:w-full">
            <Icon name="down" className={open ? "rotate-180" : ""} />
          </button>
        )}
      </div>
      {open && figures && <Details figures={figures} />}
    </li>
  );
}

function Counts({ name, figures }: { name: string; figures: Figures }) {
  const { counts, capacity, versions } = figures;
  const points = figures.minutes.map((minute) => ({ at: minute.start, good: minute.good, failed: minute.bad }));
  return (
    <div className="grid min-w-0 items-center gap-4 sm:grid-cols-[1fr_auto]">
      <Bars points={points} seconds={60} height={44} label={`Events of ${name} per minute of the last hour`} />
      <dl className="grid grid-cols-3 gap-x-4 text-[13px] [&_dt]:text-ink-soft">
        <Value label="Good, 24 h">{compact(counts.good)}</Value>
        <Value label="Failed, 24 h">
          <span className={counts.bad ? "text-bad-ink" : ""}>{counts.bad ? `${compact(counts.bad)} (${percent(counts.bad, counts.good + counts.bad)})` : "0"}</span>
        </Value>
        <Value label="Version">{versions.snowgauge}</Value>
        {capacity && <Value label="Now">{rate(capacity.now)}</Value>}
        {capacity && <Value label="Max throughput">{capacity.most == null ? "not enough data" : rate(capacity.most)}</Value>}
        {capacity && <Value label="Disk">{capacity.days_left == null || capacity.days_left > 3650 ? "> 10 years" : counted(Math.floor(capacity.days_left), "day")}</Value>}
      </dl>
    </div>
  );
}

function Value({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="tabular whitespace-nowrap">{children}</dd>
    </div>
  );
}

function rate(value: number): string {
  return `${value >= 10 || value === 0 ? number(Math.round(value)) : value.toFixed(value < 1 ? 2 : 1)}/s`;
}

function Details({ figures }: { figures: Figures }) {
  return (
    <div className="grid gap-6 border-t border-line p-4 sm:grid-cols-2 lg:grid-cols-4">
      <List title="Parts">
        {figures.health.components.map((part) => (
          <Line key={part.name} name={part.name} tone={part.up ? undefined : "bad"}>
            {part.up ? (part.lag_seconds ? `behind ${seconds(part.lag_seconds)}` : part.last_success ? ago(part.last_success) : "up") : "down"}
          </Line>
        ))}
      </List>
      <List title="Failures, 24 h" none="None">
        {Object.entries(figures.counts.bad_by_type).map(([type, count]) => (
          <Line key={type} name={type}>
            {compact(count)}
          </Line>
        ))}
        {figures.limits.map((limit) => (
          <Line key={limit.limit + limit.reason} name={`${limit.limit} ${limit.reason}`} tone="bad">
            {compact(limit.count)}
          </Line>
        ))}
      </List>
      <List title="Event types, 24 h" none="No events">
        {figures.event_types.map((type) => (
          <Line key={`${type.vendor}/${type.name}/${type.version}`} name={type.name ?? "without a name"}>
            {compact(type.count)}
          </Line>
        ))}
      </List>
      <List title="Trackers, 24 h" none="No events">
        {figures.trackers.map((tracker) => (
          <Line key={tracker.others ? "others" : (tracker.key ?? "none")} name={tracker.others ? "others" : (tracker.key ?? "without a name")}>
            {compact(tracker.count)}
          </Line>
        ))}
      </List>
    </div>
  );
}

function List({ title, none, children }: { title: string; none?: string; children: ReactNode[] | ReactNode[][] }) {
  return (
    <section className="min-w-0">
      <h3 className="mb-1 text-[13px] text-ink-soft">{title}</h3>
      {children.flat().length > 0 ? <ul className="grid gap-0.5 text-[13px]">{children}</ul> : <p className="text-[13px] text-ink-faint">{none}</p>}
    </section>
  );
}

function Line({ name, tone, children }: { name: string; tone?: "bad"; children: ReactNode }) {
  return (
    <li className="flex gap-3">
      <span className="min-w-0 flex-1 truncate" title={name}>
        {name}
      </span>
      <span className={`tabular whitespace-nowrap ${tone === "bad" ? "text-bad-ink" : "text-ink-soft"}`}>{children}</span>
    </li>
  );
}
