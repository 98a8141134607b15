/** Health: each part in figures, what this machine can do, and the doctor's checks with their cures. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask, type Schemas } from "../api/client";
import { useKeys } from "../shell/keys";
import { ago, bytes, compact, counted, number, seconds } from "../view/format";
import { Icon, type IconName } from "../widgets/icons";
import { Loaded } from "../widgets/Loaded";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, Figure } from "../widgets/ui";

const TITLES: Record<string, { title: string; icon: IconName }> = {
  collector: { title: "Collector", icon: "live" },
  eventlog: { title: "Event log", icon: "book" },
  pipeline: { title: "Pipeline", icon: "wand" },
  store: { title: "Store", icon: "sql" },
  proxy: { title: "HTTPS", icon: "key" },
  registries: { title: "Registries", icon: "schema" },
  sinks: { title: "Sinks", icon: "right" },
};

export function Page() {
  const state = useQuery({ queryKey: ["health"], queryFn: () => ask(api.GET("/api/v1/health")), refetchInterval: 5_000 });
  const checks = useQuery({ queryKey: ["checks"], queryFn: () => ask(api.GET("/api/v1/health/checks")), staleTime: 60_000 });
  useKeys({ r: () => void Promise.all([state.refetch(), checks.refetch()]) });
  const data = state.data;
  return (
    <PageFrame title="Health" lead={data && `Snowgauge ${data.version}`} controls={data && <Verdict ready={data.ready} checks={checks.data ?? []} />}>
      <Loaded query={state} what="the state of the parts" from="Snowgauge">
        {(found) => (
          <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
            {found.parts.map((part) => (
              <PartCard key={part.name} part={part} />
            ))}
          </div>
        )}
      </Loaded>
      {data?.capacity && <CapacityRow capacity={data.capacity} />}
      <Card
        id="checks"
        title="Checks"
        pad={false}
        actions={
          <Button small icon="refresh" disabled={checks.isFetching} onClick={() => void checks.refetch()}>
            {checks.isFetching ? "Checking…" : "Check again"}
          </Button>
        }
      >
        <Loaded query={checks} what="the checks" from="the doctor" isEmpty={(found) => found.length === 0} empty={<p className="px-4 py-3 text-ink-soft">There is nothing to check here.</p>}>
          {(found) => (
            <ul>
              {[...found].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status)).map((check) => (
                <CheckRow key={check.id + check.title} check={check} />
              ))}
            </ul>
          )}
        </Loaded>
        <p className="border-t border-line px-4 py-2.5 text-[13px] text-ink-soft">
          On the command line: <code>snowgauge doctor</code>
        </p>
      </Card>
      {data && data.processes.length > 0 && (
        <Card title="Processes" pad={false}>
          <ul className="sm:columns-2">
            {data.processes.map((process) => (
              <li key={process.name} className="flex items-center gap-2 px-4 py-1.5">
                <span className="flex-1">{process.name}</span>
                {process.restarts > 0 && <Badge tone="warn">{`restarted ${number(process.restarts)} times`}</Badge>}
                <span className="text-[13px] text-ink-faint">{process.pid}</span>
                <span className="tabular w-24 text-right">{bytes(process.memory)}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </PageFrame>
  );
}

/** In one line: whether the parts work, and how many checks ask for attention. */
function Verdict({ ready, checks }: { ready: boolean; checks: Schemas["Check"][] }) {
  const open = checks.filter((check) => check.status === "fail" || check.status === "warn").length;
  if (!ready) return <Badge tone="bad">✗ Something is wrong</Badge>;
  if (!open) return <Badge tone="good">✓ Everything works</Badge>;
  return (
    <a href="#checks" className="rounded-md">
      <Badge tone="warn">
        ✓ All parts work, {counted(open, "check")} to look at
      </Badge>
    </a>
  );
}

/** Where a figure leads to: the events that it counts. */
function target(label: string): { to: string; search: Record<string, string> } | null {
  const range = label.includes("24 hours") ? "24h" : "5m";
  if (label.startsWith("good events")) return { to: "/live", search: { status: "good", range } };
  if (label.startsWith("failed events")) return { to: "/failed", search: { range } };
  return null;
}

function FactValue({ fact }: { fact: Schemas["Fact"] }) {
  const there = target(fact.label);
  if (!there) return shown(fact);
  return (
    <Link to={there.to} search={there.search} className="rounded text-accent-ink hover:underline">
      {shown(fact)}
    </Link>
  );
}

function PartCard({ part }: { part: Schemas["PartState"] }) {
  const known = TITLES[part.name] ?? { title: part.name, icon: "health" as const };
  return (
    <section className="card p-4" aria-label={known.title}>
      <h2 className="mb-2 flex items-center gap-2">
        <Icon name={known.icon} className="text-ink-faint" />
        <span className="flex-1">{known.title}</span>
        <span className={`size-2.5 rounded-full ${part.ok ? "bg-good" : "bg-bad"}`} />
        <span className="sr-only">{part.ok ? "works" : "does not work"}</span>
      </h2>
      {part.note && <p className="mb-2 rounded-lg bg-bad-soft px-2 py-1 text-[13px] text-bad-ink">{part.note}</p>}
      <dl className="grid gap-1 text-[13px]">
        {part.facts.map((fact) => (
          <div key={fact.label} className="flex justify-between gap-3">
            <dt className="text-ink-soft">{fact.label}</dt>
            <dd className="tabular whitespace-nowrap">
              <FactValue fact={fact} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function shown(fact: Schemas["Fact"]): string {
  switch (fact.kind) {
    case "seconds":
      return seconds(fact.value);
    case "bytes":
      return bytes(fact.value);
    case "time":
      return fact.value > Date.now() ? `in ${seconds((fact.value - Date.now()) / 1000)}` : ago(fact.value);
    case "rate":
      return `${rate(fact.value)}/s`;
    default:
      return compact(fact.value);
  }
}

function rate(value: number): string {
  return value === 0 || value >= 10 ? number(Math.round(value)) : value.toFixed(value < 1 ? 2 : 1);
}

function CapacityRow({ capacity }: { capacity: Schemas["Capacity"] }) {
  const days = capacity.days_left;
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure label="Now" to="/live" search={{ status: "good", range: "5m" }} value={`${rate(capacity.now)}/s`} note="good events, last 5 minutes" />
      <Figure label="Busiest minute" to="/live" search={{ status: "good", range: "24h" }} value={`${rate(capacity.busiest)}/s`} note="sustained within 24 hours" />
      <Figure label="Max throughput" value={capacity.able === null || capacity.able === undefined ? "not enough data" : `${rate(capacity.able)}/s`} note="from the time spent on events so far" />
      <Figure
        label="Disk"
        tone={days !== null && days !== undefined && days < 30 ? "warn" : undefined}
        value={days === null || days === undefined ? bytes(capacity.disk_free) : days > 3650 ? "> 10 years" : counted(Math.floor(days), "day")}
        note={days === null || days === undefined ? `free of ${bytes(capacity.disk_total)}` : `until full; ${bytes(capacity.disk_free)} free, ${bytes(capacity.used)} used`}
      />
    </div>
  );
}

const ORDER = ["fail", "warn", "ok", "skip"];
const MARK: Record<string, { tone: "good" | "warn" | "bad" | "plain"; text: string }> = {
  ok: { tone: "good", text: "✓ OK" },
  warn: { tone: "warn", text: "! Warning" },
  fail: { tone: "bad", text: "✗ Problem" },
  skip: { tone: "plain", text: "– Skipped" },
};

function CheckRow({ check }: { check: Schemas["Check"] }) {
  const mark = MARK[check.status] ?? { tone: "plain" as const, text: check.status };
  return (
    <li className="grid items-baseline gap-x-3 gap-y-0.5 border-b border-line px-4 py-2.5 last:border-b-0 sm:grid-cols-[6.5rem_1fr]">
      <span>
        <Badge tone={mark.tone}>{mark.text}</Badge>
      </span>
      <span className="min-w-0">
        <span className="block font-medium">{check.title}</span>
        <span className="block break-words text-[13px] text-ink-soft">{check.found}</span>
        {check.cure && <span className="mt-1 block break-words text-[13px]">{check.cure}</span>}
      </span>
    </li>
  );
}
