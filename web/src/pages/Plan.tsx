/** The tracking plan: what each application sends, what was meant to be sent, and where the two part. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { ago, compact, counted, number } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { PageFrame } from "../widgets/Page";
import { Badge, Card, Empty, Failure, Segmented, Skeleton, type Tone } from "../widgets/ui";
import { DriftList } from "./plan/DriftList";
import { EventDetail } from "./plan/EventDetail";

type Planned = Schemas["PlannedEvent"];

export const STATUS: Record<string, { tone: Tone; text: string }> = {
  planned: { tone: "good", text: "planned" },
  deprecated: { tone: "warn", text: "deprecated" },
  ignored: { tone: "plain", text: "ignored" },
  unplanned: { tone: "warn", text: "not in the plan" },
};

export function statusOf(event: Planned): string {
  return event.note.status || (event.planned ? "planned" : "unplanned");
}

export function Page() {
  const [search, change] = useView();
  const tab = one(search.tab, "events");
  const app = one(search.app, "");
  const chosen = one(search.event, "");
  const [text, setText] = useState("");
  const plan = useQuery({ queryKey: ["plan"], queryFn: () => ask(api.GET("/api/v1/plan")) });
  const apps = [...new Set(plan.data?.events.map((each) => each.app))].sort();
  const shown = (plan.data?.events ?? []).filter((each) => (!app || each.app === app) && each.event.toLowerCase().includes(text.trim().toLowerCase()));
  const open = plan.data?.drifts.filter((each) => each.status === "open").length ?? 0;
  const [whose, ...name] = chosen.split("/");
  const event = plan.data?.events.find((each) => each.app === whose && each.event === name.join("/"));
  const query = app ? `?app=${encodeURIComponent(app)}` : "";
  return (
    <PageFrame
      title="Tracking plan"
      controls={
        <>
          <Segmented
            label="What"
            value={tab === "drift" ? "drift" : "events"}
            onChange={(next) => change({ tab: next === "events" ? undefined : next })}
            options={[
              { id: "events", label: "Events" },
              { id: "drift", label: open ? `Drift (${open})` : "Drift" },
            ]}
          />
          {apps.length > 1 && (
            <select aria-label="Application" className="field" value={app} onChange={(each) => change({ app: each.target.value || undefined })}>
              <option value="">All applications</option>
              {apps.map((each) => (
                <option key={each} value={each}>
                  {each || "(no application)"}
                </option>
              ))}
            </select>
          )}
          {["markdown", "csv"].map((format) => (
            <a key={format} className="inline-flex h-9 items-center rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken" href={`/api/v1/plan/${format}${query}`} download>
              {format === "csv" ? "CSV" : "Markdown"}
            </a>
          ))}
        </>
      }
    >
      {plan.isError && <Failure error={plan.error} retry={() => void plan.refetch()} />}
      {plan.isPending && <Skeleton className="h-64" />}
      {plan.data && tab !== "drift" && (
        <>
          <input type="search" aria-label="Find an event" placeholder="Find an event…" className="field w-full max-w-80" value={text} onChange={(each) => setText(each.target.value)} />
          {!shown.length ? (
            <Empty title="No events">{plan.data.events.length ? "None has this in its name." : "Events stand here once they are modelled, some minutes after they came in."}</Empty>
          ) : (
            <Events events={shown} open={(each) => change({ event: `${each.app}/${each.event}` })} />
          )}
        </>
      )}
      {plan.data && tab === "drift" && <DriftList drifts={plan.data.drifts.filter((each) => !app || each.app === app)} app={app} />}
      {event && <EventDetail key={chosen} event={event} onClose={() => change({ event: undefined })} />}
    </PageFrame>
  );
}

function Events({ events, open }: { events: Planned[]; open: (event: Planned) => void }) {
  return (
    <Card label="Events" pad={false}>
      <ul>
        {events.map((event) => (
          <li key={`${event.app}/${event.event}`} className="border-b border-line last:border-b-0">
            <button type="button" onClick={() => open(event)} className="grid w-full gap-x-3 gap-y-1 px-4 py-3 text-left hover:bg-sunken sm:grid-cols-[1fr_auto]">
              <span className="min-w-0">
                <bdi className="break-words font-medium">{event.event}</bdi> <Badge tone={STATUS[statusOf(event)]?.tone}>{STATUS[statusOf(event)]?.text ?? statusOf(event)}</Badge>
                <span className="block break-words text-[13px] text-ink-soft">
                  {[event.app || "no application", event.note.owner && `owner ${event.note.owner}`, event.schemas.length > 1 && counted(event.schemas.length, "schema version")].filter(Boolean).join(" · ")}
                </span>
                {event.note.description && <span className="block break-words text-[13px]">{event.note.description}</span>}
              </span>
              <span className="tabular text-[13px] text-ink-soft sm:text-right">
                <span className="text-ink" title={`${number(event.events)} events in all`}>
                  {compact(event.day)} a day
                </span>
                <span className="block text-xs">last {ago(event.last_seen)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
