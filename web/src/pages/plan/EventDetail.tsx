/** One event of the plan: what people say about it, what it carries, and what changed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Waiting } from "../../analytics/parts/Waiting";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import { counted, middle, number, time } from "../../view/format";
import { SidePanel } from "../../widgets/SidePanel";
import { Badge, Button, Failure } from "../../widgets/ui";
import { Entries } from "./DriftList";

type Planned = Schemas["PlannedEvent"];
type Use = Schemas["PropertyUse"];

export function EventDetail({ event, onClose }: { event: Planned; onClose: () => void }) {
  const detail = useQuery({ queryKey: ["plan", "event", event.app, event.event], queryFn: ({ signal }) => ask(api.GET("/api/v1/plan/event", { params: { query: { app: event.app, event: event.event } }, signal })), staleTime: 60_000, retry: false });
  const mayDraft = useMay("read:events");
  const carriers = [...new Set(detail.data?.properties.map((one) => one.carrier))];
  return (
    <SidePanel title={event.event} onClose={onClose}>
      <dl className="mb-4 grid grid-cols-[7rem_1fr] gap-x-3 gap-y-1 text-[13px]">
        <Fact name="Application" values={[event.app || "none"]} />
        <Fact name="Since" values={[time(event.first_seen)]} />
        <Fact name="Last" values={[time(event.last_seen)]} />
        <Fact name="Events" values={[`${number(event.events)}, ${number(event.day)} on the last full day`]} />
        <Fact name="Schemas" values={event.schemas} />
        <Fact name="Trackers" values={event.trackers} />
        <Fact name="App versions" values={event.app_versions.slice(0, 20)} />
      </dl>
      <Note event={event} />
      {detail.isPending && <Waiting what="what it carries" />}
      {detail.isError && <Failure error={detail.error} retry={() => void detail.refetch()} />}
      {detail.data && (
        <>
          {detail.data.drifts.length > 0 && (
            <section className="-mx-4 mt-4 border-y border-line">
              <h3 className="px-4 pt-3 font-medium">What changed in 24 hours</h3>
              <Entries drifts={detail.data.drifts} />
            </section>
          )}
          <p className="mt-4 text-[13px] text-ink-soft">{detail.data.sampled ? `From the last ${counted(detail.data.sampled, "event")} of at most 15 days.` : "No event of the last 15 days is stored."}</p>
          {detail.data.entities.length > 0 && (
            <section className="mt-4">
              <h3 className="mb-1 font-medium">Entities</h3>
              <ul className="grid gap-1 text-[13px]">
                {detail.data.entities.map((one) => (
                  <li key={one.schema} className="flex flex-wrap gap-x-2">
                    <bdi className="min-w-0 flex-1 break-all">{one.schema}</bdi>
                    <span className="tabular text-ink-soft">
                      {one.presence} %, {one.least === one.most ? number(one.least) : `${number(one.least)} to ${number(one.most)}`} each
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          )}
          {carriers.map((carrier) => (
            <Properties key={carrier} title={carrier === "event" ? "Properties" : carrier} uses={detail.data.properties.filter((one) => one.carrier === carrier)} />
          ))}
          {mayDraft && detail.data.described && (
            <Link to="/schemas" search={{ draft: "event", app: event.app, event: event.event }} className="mt-4 inline-flex h-9 items-center rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken">
              Make a schema of it
            </Link>
          )}
        </>
      )}
    </SidePanel>
  );
}

function Fact({ name, values }: { name: string; values: string[] }) {
  if (!values.length) return null;
  return (
    <>
      <dt className="text-ink-soft">{name}</dt>
      <dd className="min-w-0 break-words">
        {values.map((one) => (
          <bdi key={one} className="block break-all">
            {middle(one, 120)}
          </bdi>
        ))}
      </dd>
    </>
  );
}

function Note({ event }: { event: Planned }) {
  const queries = useQueryClient();
  const may = useMay("write:alerts");
  const [note, setNote] = useState({ status: event.note.status, owner: event.note.owner, description: event.note.description });
  const save = useMutation({
    mutationFn: () => ask(api.PUT("/api/v1/plan/event", { body: { app: event.app, event: event.event, ...note } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["plan"] }),
  });
  return (
    <form
      className="grid gap-2 rounded-xl border border-line p-3 text-[13px]"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        save.mutate();
      }}
    >
      <label className="grid gap-1">
        Status
        <select className="field" disabled={!may} value={note.status} onChange={(each) => setNote({ ...note, status: each.target.value })}>
          <option value="">{event.planned && !event.note.status ? "Planned: its schema is in a registry" : "As its schema says"}</option>
          <option value="planned">Planned</option>
          <option value="deprecated">Deprecated: should no longer be sent</option>
          <option value="ignored">Ignored: no drift is told</option>
        </select>
      </label>
      <label className="grid gap-1">
        Owner
        <input className="field" disabled={!may} maxLength={200} value={note.owner} onChange={(each) => setNote({ ...note, owner: each.target.value })} />
      </label>
      <label className="grid gap-1">
        Description
        <textarea className="field min-h-16" disabled={!may} maxLength={2000} value={note.description} onChange={(each) => setNote({ ...note, description: each.target.value })} />
      </label>
      {save.isError && <Failure error={save.error} />}
      {may && (
        <Button type="submit" className="justify-self-start" disabled={save.isPending}>
          {save.isPending ? "Saving…" : save.isSuccess ? "Saved" : "Save"}
        </Button>
      )}
      {event.note.changed_by && <span className="text-ink-soft">Changed by {event.note.changed_by}</span>}
    </form>
  );
}

function Properties({ title, uses }: { title: string; uses: Use[] }) {
  return (
    <section className="mt-4">
      <h3 className="mb-1 break-all font-medium">{title}</h3>
      <ul className="grid text-[13px]">
        {uses.map((use) => (
          <li key={use.path} className="border-b border-line py-1.5 last:border-b-0">
            <span className="flex flex-wrap items-baseline gap-x-2">
              <bdi className="min-w-0 flex-1 break-all font-medium">{use.path}</bdi>
              {use.types.map((one) => (
                <Badge key={one.type}>
                  {one.type}
                  {use.types.length > 1 && ` ${one.share} %`}
                </Badge>
              ))}
              <span className="tabular w-16 text-right text-ink-soft">{use.presence} %</span>
            </span>
            <span className="block break-words text-ink-soft">
              {[`${number(use.distinct)} different`, use.least !== null && use.most !== null && range(use), use.values.length > 0 && `such as ${use.values.map((one) => `${one.value} (${one.share} %)`).join(", ")}`].filter(Boolean).join(" · ")}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function range(use: Use): string {
  const text = use.types.every((one) => one.type === "string" || one.type === "null");
  const both = use.least === use.most ? number(use.least ?? 0) : `${number(use.least ?? 0)} to ${number(use.most ?? 0)}`;
  return text ? `${both} characters` : both;
}
