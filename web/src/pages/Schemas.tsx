/** Schemas: what there is and what uses it, a readable view, differences between versions, drafting and publishing. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, useEffect, useMemo, useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { useMay } from "../shell/session";
import { ago, compact, counted, schemaParts } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { Icon } from "../widgets/icons";
import { JsonTree } from "../widgets/JsonTree";
import { Loaded } from "../widgets/Loaded";
import { PageFrame } from "../widgets/Page";
import { SidePanel } from "../widgets/SidePanel";
import { Badge, Button, Card, CopyButton, Empty, Failure, Segmented, Skeleton } from "../widgets/ui";

type Entry = Schemas["CatalogueEntry"];

const uriOf = (entry: Entry) => `iglu:${entry.vendor}/${entry.name}/jsonschema/${entry.versions.at(-1)}`;

export function Page() {
  const [search, change] = useView();
  const find = one(search.find);
  const which = one(search.which, "used");
  const may = useMay("write:schemas");
  const list = useQuery({ queryKey: ["schemas"], queryFn: () => ask(api.GET("/api/v1/schemas")), staleTime: 30_000 });
  const used = (entry: Entry) => entry.use.events + entry.use.failed > 0 || entry.local;
  const shown = useMemo(() => {
    const words = find.toLowerCase().split(/\s+/).filter(Boolean);
    return (list.data ?? []).filter((entry) => (which === "all" || words.length > 0 || used(entry)) && words.every((word) => `${entry.vendor}/${entry.name}`.toLowerCase().includes(word)));
  }, [list.data, find, which]);
  const open = (entry: Entry) => one(search.uri).startsWith(`iglu:${entry.vendor}/${entry.name}/`);
  const creating = one(search.create) === "1" || one(search.from) !== "" || one(search.draft) === "event";
  const nothing = { create: undefined, from: undefined, base: undefined, draft: undefined, app: undefined, event: undefined };
  return (
    <PageFrame
      title="Schemas"
      lead="Everything in the registries, and what uses it (24 hours)."
      controls={
        may && (
          <Button kind="primary" icon="plus" onClick={() => change({ create: "1" })}>
            New schema
          </Button>
        )
      }
    >
      <div className="flex flex-wrap gap-2">
        <Segmented
          label="Which schemas"
          value={which}
          onChange={(next) => change({ which: next === "used" ? undefined : next })}
          options={[
            { id: "used", label: "In use or own" },
            { id: "all", label: `All${list.data ? ` (${list.data.length})` : ""}` },
          ]}
        />
        <input type="search" aria-label="Find a schema" placeholder="Find by vendor or name…" className="field min-w-40 flex-1" value={find} onChange={(event) => change({ find: event.target.value })} />
      </div>
      <Card pad={false} label="Catalogue">
        <Loaded
          query={list}
          what="the schemas"
          from="the registries"
          isEmpty={() => shown.length === 0}
          empty={
            <Empty icon="schema" title={find ? "No such schema" : "No schema is in use yet"} action={which === "used" ? <Button onClick={() => change({ which: "all" })}>Show all schemas</Button> : undefined}>
              {find ? "No vendor or name has these words." : "Schemas that events of the last 24 hours name, and your own, are listed here."}
            </Empty>
          }
        >
          {() => (
          <ul>
            {shown.slice(0, 300).map((entry) => (
              <li key={`${entry.vendor}/${entry.name}`} className={`border-b border-line last:border-b-0 ${open(entry) ? "bg-accent-soft" : ""}`}>
                <button type="button" aria-expanded={open(entry)} onClick={() => change({ uri: open(entry) ? undefined : uriOf(entry) })} className="grid w-full items-center gap-x-4 gap-y-0.5 px-4 py-2.5 text-left hover:bg-sunken sm:grid-cols-[1fr_7rem_8rem_6rem]">
                  <span className="min-w-0">
                    <span className="flex flex-wrap items-center gap-1.5">
                      <span className="font-medium">{entry.name}</span>
                      <Badge>{entry.versions.at(-1)}</Badge>
                      {entry.versions.length > 1 && <span className="text-xs text-ink-faint">{entry.versions.length} versions</span>}
                      {entry.local && <Badge tone="accent">own</Badge>}
                      {entry.kind && <Badge>{entry.kind}</Badge>}
                    </span>
                    <span className="block truncate text-[13px] text-ink-soft">{entry.vendor}</span>
                  </span>
                  <span className="tabular text-[13px] sm:text-right">{entry.use.events > 0 && counted(entry.use.events, "event", "events", compact)}</span>
                  <span className="tabular text-[13px] text-bad-ink sm:text-right">{entry.use.failed > 0 && `${compact(entry.use.failed)} failed`}</span>
                  <span className="text-[13px] text-ink-soft sm:text-right">{entry.use.last && ago(entry.use.last)}</span>
                </button>
              </li>
            ))}
          </ul>
          )}
        </Loaded>
        {shown.length > 300 && <p className="px-4 py-2 text-ink-soft">{shown.length - 300} more: type to find them.</p>}
      </Card>
      {creating ? <Editor from={one(search.from)} base={one(search.base)} event={one(search.draft) === "event" ? { app: one(search.app), name: one(search.event) } : null} onClose={() => change(nothing)} onDone={(uri) => change({ ...nothing, uri, which: undefined })} /> : one(search.uri) && <View key={one(search.uri)} uri={one(search.uri)} entry={list.data?.find(open)} />}
    </PageFrame>
  );
}

function useSchema(uri: string) {
  const parts = schemaParts(uri);
  return useQuery({
    queryKey: ["schema", uri],
    enabled: parts !== null,
    queryFn: () => ask(api.GET("/api/v1/schemas/{vendor}/{name}/{version}", { params: { path: parts ?? { vendor: "", name: "", version: "" } } })),
  });
}

const LINK = "rounded text-accent-ink hover:underline";

function ToLive({ where, children }: { where: string; children: string }) {
  return (
    <Link to="/live" search={{ status: "good", range: "24h", where: [where] }} className={LINK}>
      {children}
    </Link>
  );
}

/** How many events used a schema, and the way to them: of several models each its own. */
function Events({ entry }: { entry: Entry }) {
  const count = counted(entry.use.events, "event", "events", compact);
  if (entry.use.events === 0 || !entry.kind) return count;
  if (entry.kind === "event") return <ToLive where={`event_name:${entry.name}`}>{count}</ToLive>;
  const having = (model: string) => `contexts/${entry.vendor}/${entry.name}/${model}:+`;
  const [model = "", ...more] = new Set(entry.versions.map((version) => version.replace(/-.*/, "")));
  if (!more.length) return <ToLive where={having(model)}>{count}</ToLive>;
  return (
    <>
      {count} (
      {[model, ...more].map((one, at) => (
        <Fragment key={one}>
          {at > 0 && ", "}
          <ToLive where={having(one)}>{`model ${one}`}</ToLive>
        </Fragment>
      ))}
      )
    </>
  );
}

/** What used a schema within a day; the numbers lead to those events. */
function Uses({ entry }: { entry: Entry }) {
  const { failed } = entry.use;
  return (
    <p className="tabular text-[13px] text-ink-soft">
      <Events entry={entry} />
      {", "}
      {failed > 0 ? (
        <Link to="/failed" search={{ range: "24h", where: entry.versions.length ? [`schema:${entry.versions.map((version) => `iglu:${entry.vendor}/${entry.name}/jsonschema/${version}`).join("~")}`] : [] }} className={LINK}>
          {compact(failed)} failed
        </Link>
      ) : (
        "none failed"
      )}
      {" in 24 hours"}
    </p>
  );
}

function View({ uri, entry }: { uri: string; entry: Entry | undefined }) {
  const [search, change] = useView();
  const tab = one(search.tab, "fields");
  const schema = useSchema(uri);
  const parts = schemaParts(uri);
  const may = useMay("write:schemas");
  const data = schema.data;
  return (
    <SidePanel title={parts ? `${parts.name} ${parts.version}` : uri} onClose={() => change({ uri: undefined, tab: undefined, against: undefined })} actions={data && <CopyButton small text={() => JSON.stringify(data.document, null, 2)} label="Copy JSON" />}>
      {schema.isError && <Failure error={schema.error} />}
      {schema.isPending && <Skeleton className="h-64" />}
      {data && parts && (
        <div className="grid gap-4">
          <p className="break-all font-mono text-[13px] text-ink-soft">{data.uri}</p>
          {data.description && <p>{data.description}</p>}
          {entry && <Uses entry={entry} />}
          <div className="flex flex-wrap items-center gap-2">
            <Segmented
              label="How to show it"
              value={tab}
              onChange={(next) => change({ tab: next === "fields" ? undefined : next })}
              options={[
                { id: "fields", label: "Fields" },
                { id: "json", label: "JSON" },
                ...(data.versions.length > 1 ? [{ id: "diff", label: "Differences" }] : []),
              ]}
            />
            <select aria-label="Version" className="field" value={parts.version} onChange={(event) => change({ uri: `iglu:${parts.vendor}/${parts.name}/jsonschema/${event.target.value}` })}>
              {data.versions.map((version) => (
                <option key={version}>{version}</option>
              ))}
            </select>
            {may && (
              <Button small icon="plus" onClick={() => change({ create: "1", base: data.uri })}>
                New version
              </Button>
            )}
          </div>
          {tab === "json" ? <JsonTree value={data.document} open={4} /> : tab === "diff" ? <Differences data={data} vendor={parts.vendor} name={parts.name} version={parts.version} /> : <Fields fields={data.fields} />}
          {data.remarks.length > 0 && (
            <details>
              <summary className="text-[13px] text-ink-soft">{counted(data.remarks.length, "remark")} of lint</summary>
              <Remarks remarks={data.remarks} />
            </details>
          )}
        </div>
      )}
    </SidePanel>
  );
}

function Fields({ fields }: { fields: Schemas["Field"][] }) {
  if (!fields.length) return <p className="text-ink-soft">It names no properties.</p>;
  return (
    <ul className="grid">
      {fields.map((field) => (
        <li key={field.path} className="border-b border-line py-1.5 last:border-b-0">
          <span className="flex flex-wrap items-center gap-1.5">
            <code className="font-medium">{field.path}</code>
            <Badge>{field.type}</Badge>
            {field.required && <Badge tone="warn">required</Badge>}
          </span>
          {field.rules && <span className="block break-words text-[13px] text-ink-soft">{field.rules}</span>}
          {field.description && <span className="block text-[13px] text-ink-soft">{field.description}</span>}
        </li>
      ))}
    </ul>
  );
}

function Differences({ data, vendor, name, version }: { data: Schemas["SchemaView"]; vendor: string; name: string; version: string }) {
  const [search, change] = useView();
  const others = data.versions.filter((one) => one !== version);
  const earlier = data.versions[data.versions.indexOf(version) - 1];
  const against = one(search.against, earlier ?? others[0]);
  const other = useSchema(`iglu:${vendor}/${name}/jsonschema/${against}`);
  const compared = useQuery({
    queryKey: ["compare", data.uri, against],
    enabled: other.data !== undefined,
    queryFn: () => ask(api.POST("/api/v1/schemas/compare", { body: { before: other.data?.document ?? {}, after: data.document } })),
  });
  return (
    <div className="grid gap-2">
      <label className="flex items-center gap-2 text-[13px] text-ink-soft">
        Compared with
        <select className="field text-ink" value={against} onChange={(event) => change({ against: event.target.value })}>
          {others.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      {(other.isError || compared.isError) && <Failure error={other.error ?? compared.error} />}
      {compared.data && <Changes changes={compared.data.changes} />}
    </div>
  );
}

function Changes({ changes }: { changes: Schemas["Change"][] }) {
  if (!changes.length) return <p className="text-ink-soft">No difference.</p>;
  return (
    <ul className="grid gap-1">
      {changes.map((item) => (
        <li key={`${item.pointer}${item.message}`} className="flex flex-wrap items-baseline gap-2 text-[13px]">
          <Badge tone={item.effect === "breaking" ? "bad" : item.effect === "compatible" ? "good" : "plain"}>{item.effect}</Badge>
          <code>{item.pointer || "/"}</code> <span>{item.message}</span>
        </li>
      ))}
    </ul>
  );
}

function Remarks({ remarks }: { remarks: Schemas["Remark"][] }) {
  return (
    <ul className="mt-1 grid gap-1 text-[13px]">
      {remarks.map((remark) => (
        <li key={remark.pointer + remark.message} className="flex flex-wrap items-baseline gap-2">
          <Badge tone={remark.level === "error" ? "bad" : "warn"}>{remark.level}</Badge>
          <code>{remark.pointer || "/"}</code> {remark.message}
        </li>
      ))}
    </ul>
  );
}

const BLANK = {
  $schema: "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
  description: "What this says",
  self: { vendor: "com.example", name: "my_event", format: "jsonschema", version: "1-0-0" },
  type: "object",
  properties: { name: { type: "string", maxLength: 255, description: "What it is" } },
  required: ["name"],
  additionalProperties: false,
};

/** Data as JSON, pasted; or JSON lines. */
function examplesOf(text: string): unknown[] | null {
  try {
    const whole: unknown = JSON.parse(text);
    return Array.isArray(whole) ? whole : [whole];
  } catch {
    try {
      const lines = text.split("\n").filter((line) => line.trim());
      return lines.length ? lines.map((line): unknown => JSON.parse(line)) : null;
    } catch {
      return null;
    }
  }
}

/** A draft that some pasted data fit. */
function FromExample({ onDraft }: { onDraft: (document: Record<string, unknown>) => void }) {
  const [vendor, setVendor] = useState("com.example");
  const [name, setName] = useState("my_event");
  const [text, setText] = useState("");
  const examples = examplesOf(text);
  const infer = useMutation({ mutationFn: () => ask(api.POST("/api/v1/schemas/infer", { body: { uri: `iglu:${vendor.trim()}/${name.trim()}/jsonschema/1-0-0`, examples: examples ?? [] } })), onSuccess: onDraft });
  return (
    <details className="rounded-xl border border-line p-3 text-[13px]">
      <summary className="cursor-pointer">Draft it from an example</summary>
      <div className="mt-3 grid gap-2">
        <div className="flex gap-2">
          <label className="grid min-w-0 flex-1 gap-1">
            Vendor
            <input className="field min-w-0" maxLength={120} value={vendor} onChange={(event) => setVendor(event.target.value)} />
          </label>
          <label className="grid min-w-0 flex-1 gap-1">
            Name
            <input className="field min-w-0" maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
        </div>
        <label className="grid gap-1">
          Data as JSON: one, a list, or one a line
          <textarea spellCheck={false} className="field min-h-28 font-mono" maxLength={500_000} value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        {text.trim() !== "" && !examples && <p className="text-bad-ink">This is not JSON.</p>}
        {infer.isError && <Failure error={infer.error} />}
        <Button className="justify-self-start" disabled={!examples?.length || infer.isPending} onClick={() => infer.mutate()}>
          Draft schema
        </Button>
      </div>
    </details>
  );
}

function Editor({ from, base, event: sampled, onClose, onDone }: { from: string; base: string; event: { app: string; name: string } | null; onClose: () => void; onDone: (uri: string) => void }) {
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const draft = useQuery({ queryKey: ["infer", from], enabled: from !== "", retry: false, queryFn: () => ask(api.GET("/api/v1/schemas/infer", { params: { query: { cause: from } } })) });
  const sample = useQuery({ queryKey: ["plan", "draft", sampled], enabled: sampled !== null, retry: false, queryFn: () => ask(api.GET("/api/v1/plan/draft", { params: { query: { app: sampled?.app ?? "", event: sampled?.name ?? "" } } })) });
  const old = useSchema(base);
  const start = sampled ? sample.data : from ? draft.data : base ? old.data && raised(old.data.document, old.data.versions) : BLANK;
  useEffect(() => {
    if (start) setText((now) => now || JSON.stringify(start, null, 2));
  }, [start]);
  const parsed = useMemo(() => {
    try {
      const value: unknown = JSON.parse(text);
      return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : null;
    } catch {
      return null;
    }
  }, [text]);
  const [settled, setSettled] = useState(parsed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(parsed), 400);
    return () => clearTimeout(timer);
  }, [parsed]);
  const remarks = useQuery({ queryKey: ["check", settled], enabled: settled !== null, placeholderData: (before) => before, queryFn: () => ask(api.POST("/api/v1/schemas/check", { body: { document: settled ?? {} } })) });
  const changes = useQuery({
    queryKey: ["compare-draft", base, settled],
    enabled: settled !== null && old.data !== undefined,
    queryFn: () => ask(api.POST("/api/v1/schemas/compare", { body: { before: old.data?.document ?? {}, after: settled ?? {} } })),
  });
  const publish = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/schemas/publish", { body: { document: parsed ?? {} } })),
    onSuccess: (done) => {
      void queries.invalidateQueries({ queryKey: ["schemas"] });
      if (!done.breaking.length) onDone(done.uri);
    },
  });
  const wrong = remarks.data?.some((remark) => remark.level === "error") ?? false;
  return (
    <SidePanel title={from ? "Schema from failed events" : sampled ? "Schema from events" : base ? "New version" : "New schema"} onClose={onClose}>
      <div className="grid gap-3">
        {from && <p className="text-ink-soft">Drafted so that the data of these failures fits. Review it before publishing: published versions can't be changed.</p>}
        {sampled && <p className="text-ink-soft">Drafted so that the last events fit. Review it before publishing: published versions can't be changed.</p>}
        {!from && !sampled && !base && <FromExample onDraft={(document) => setText(JSON.stringify(document, null, 2))} />}
        {(draft.isError || old.isError || sample.isError) && <Failure error={draft.error ?? old.error ?? sample.error} />}
        <textarea aria-label="Schema as JSON" spellCheck={false} className="thin-scroll min-h-[46dvh] w-full rounded-lg border border-line-strong bg-sunken p-3 font-mono text-[12.5px] leading-6" value={text} onChange={(event) => setText(event.target.value)} />
        {text && !parsed && <p className="text-bad-ink">This is not a JSON object.</p>}
        {remarks.data && <Remarks remarks={remarks.data} />}
        {changes.data && (
          <section aria-label="Against the version before">
            {changes.data.breaking && (
              <p className="mb-1 flex items-center gap-2 rounded-lg bg-warn-soft px-3 py-2 text-warn-ink">
                <Icon name="alert" size={16} /> This breaks data that is valid now: raise the first number of the version.
              </p>
            )}
            <Changes changes={changes.data.changes} />
          </section>
        )}
        {publish.isError && <Failure error={publish.error} />}
        {publish.data && publish.data.breaking.length > 0 && (
          <p className="text-warn-ink">
            Published, although it breaks data within one model. <Link to="/schemas" search={{ uri: publish.data.uri }} className="underline">Open it</Link>
          </p>
        )}
        <Button kind="primary" disabled={!parsed || wrong || publish.isPending} onClick={() => publish.mutate()}>
          {publish.isPending ? "Publishing…" : "Publish"}
        </Button>
        <p className="text-[13px] text-ink-soft">The pipeline uses it within seconds. A published version never changes.</p>
      </div>
    </SidePanel>
  );
}

/** The document with the next free addition as its version. */
function raised(document: Record<string, unknown>, versions: string[]): Record<string, unknown> {
  const self = document.self as { version?: string } | undefined;
  const [model, revision] = (self?.version ?? "1-0-0").split("-").map(Number);
  const taken = versions.map((version) => version.split("-").map(Number)).filter((parts) => parts[0] === model && parts[1] === revision);
  const next = Math.max(...taken.map((parts) => parts[2] ?? 0), -1) + 1;
  return { ...document, self: { ...self, version: `${model}-${revision}-${next}` } };
}
