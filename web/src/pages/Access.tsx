/** People and access: who may log in, API keys, and what was done. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { AddUser } from "./access/AddUser";
import { ApplicationsField, appsOf, PersonApplications } from "./access/Applications";
import { Invitations } from "./access/Invitations";
import { type Role, roleOf, ROLES } from "./access/roles";
import { useMe } from "../shell/session";
import { ago, exactTime, time } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, CopyButton, Empty, Failure, IconButton, Segmented, Skeleton } from "../widgets/ui";

export function Page() {
  const [search, change] = useView();
  const tab = one(search.tab, "people");
  const me = useMe().data;
  return (
    <PageFrame
      title="Access"
      controls={
        <Segmented
          label="What"
          value={tab}
          onChange={(next) => change({ tab: next === "people" ? undefined : next })}
          options={[
            { id: "people", label: "People" },
            { id: "keys", label: "API keys" },
            { id: "audit", label: "Audit log" },
          ]}
        />
      }
    >
      {me?.kind === "local" && <p className="rounded-lg bg-accent-soft px-3 py-2">No login is needed: only this machine can reach this port. Once you add an admin, everyone has to log in.</p>}
      {tab === "keys" ? <Keys /> : tab === "audit" ? <Audit /> : <People />}
    </PageFrame>
  );
}

function People() {
  const queries = useQueryClient();
  const me = useMe().data;
  const people = useQuery({ queryKey: ["people"], queryFn: () => ask(api.GET("/api/v1/access/people")) });
  const done = () => void queries.invalidateQueries({ queryKey: ["people"] });
  const move = useMutation({ mutationFn: (to: { id: string; role: Role }) => ask(api.PATCH("/api/v1/access/people/{person_id}", { params: { path: { person_id: to.id } }, body: { role: to.role } })), onSettled: done });
  const remove = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/access/people/{person_id}", { params: { path: { person_id: id } } })), onSettled: done });
  const reset = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/access/people/{person_id}/second-factor", { params: { path: { person_id: id } } })), onSettled: done });
  return (
    <>
      {[people, move, remove, reset].map((asked, i) => asked.isError && <Failure key={i} error={asked.error} />)}
      <Card title="People" pad={false}>
        {people.isPending && <Skeleton className="m-4 h-24" />}
        {people.data?.length === 0 && <Empty icon="people" title="Nobody is registered yet" />}
        <ul>
          {people.data?.map((person) => (
            <li key={person.id} className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
              <span className="grid size-8 place-items-center rounded-full bg-accent-soft font-semibold text-accent-ink" aria-hidden="true">
                {person.name.slice(0, 1).toUpperCase()}
              </span>
              <span className="min-w-32 flex-1">
                <span className="block font-medium">
                  {person.name} {person.id && me?.name === person.name && <Badge>you</Badge>} {person.second_factor && <Badge tone="good">second factor</Badge>}
                </span>
                <span className="block text-[13px] text-ink-soft">{person.last_login ? `last login ${ago(person.last_login)}` : "never logged in"}{person.issuer && <> · through {host(person.issuer)}</>}</span>
              </span>
              {person.second_factor && me?.name !== person.name && (
                <Button small onClick={() => confirm(`Remove the second factor of ${person.name}? They log in with the password alone, and their sessions end.`) && reset.mutate(person.id)}>
                  Reset second factor
                </Button>
              )}
              <PersonApplications person={person} onChanged={done} />
              <select aria-label={`Role of ${person.name}`} className="field" value={person.role} onChange={(event) => {
                  const to = roleOf(event.target.value);
                  if (to) move.mutate({ id: person.id, role: to });
                }}>
                {ROLES.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
              <IconButton name="trash" label={`Remove ${person.name}`} onClick={() => confirm(question(person)) && remove.mutate(person.id)} />
            </li>
          ))}
        </ul>
      </Card>
      <Invitations />
      {people.data && <AddUser first={people.data.length === 0} />}
    </>
  );
}

function host(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).hostname : issuer;
}

function question(person: Schemas["Person"]): string {
  const again = person.issuer ? " They can log in again as long as the identity provider and the settings of console.oidc let them." : "";
  return `Remove ${person.name}? Their sessions end.${again}`;
}

function Keys() {
  const queries = useQueryClient();
  const keys = useQuery({ queryKey: ["keys"], queryFn: () => ask(api.GET("/api/v1/access/keys")) });
  const rules = useQuery({ queryKey: ["rules"], queryFn: () => ask(api.GET("/api/v1/access/rules")), staleTime: Infinity });
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read:aggregates"]);
  const [days, setDays] = useState(90);
  const [apps, setApps] = useState("");
  const add = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/access/keys", { body: { name, scopes: scopes as Schemas["NewKey"]["scopes"], expires_at: days ? Date.now() + days * 86_400_000 : null, apps: appsOf(apps) } })),
    onSuccess: () => {
      setName("");
      void queries.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  const remove = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/access/keys/{key_id}", { params: { path: { key_id: id } } })), onSettled: () => void queries.invalidateQueries({ queryKey: ["keys"] }) });
  return (
    <>
      {(keys.isError || remove.isError) && <Failure error={keys.error ?? remove.error} />}
      <Card title="API keys" pad={false}>
        {keys.data?.length === 0 && (
          <Empty icon="key" title="No keys yet">
            A program can do whatever this console does, with a key of the right scopes: send it as <code>Authorization: Bearer</code>.
          </Empty>
        )}
        <ul>
          {keys.data?.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
              <span className="min-w-40 flex-1">
                <span className="block font-medium">
                  {key.name} <code className="text-ink-faint">{key.hint}…</code>
                </span>
                <span className="block text-[13px] text-ink-soft">{key.last_used ? `last used ${ago(key.last_used)}` : "never used"} · {key.expires_at ? (key.expires_at > Date.now() ? `expires ${time(key.expires_at)}` : "expired") : "does not expire"}</span>
              </span>
              <span className="flex flex-wrap gap-1">
                {key.apps?.map((app) => (
                  <Badge key={app} tone="accent">
                    only {app}
                  </Badge>
                ))}
                {key.scopes.map((scope) => (
                  <Badge key={scope}>{scope}</Badge>
                ))}
              </span>
              <IconButton name="trash" label={`Revoke key ${key.name}`} onClick={() => confirm(`Revoke the key ${key.name}?`) && remove.mutate(key.id)} />
            </li>
          ))}
        </ul>
      </Card>
      {add.data && (
        <section aria-label="New key" className="grid gap-2 rounded-xl border border-good bg-good-soft p-4">
          <p>
            Keep this secret now: it is not shown again.
          </p>
          <div className="flex flex-wrap items-center gap-2">
            <code className="min-w-0 break-all rounded-lg bg-surface px-3 py-1.5">{add.data.secret}</code>
            <CopyButton text={add.data.secret} />
          </div>
        </section>
      )}
      <Card title="Add key">
        <form
          className="grid gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate();
          }}
        >
          <label className="grid max-w-sm gap-1">
            What it is for
            <input required maxLength={100} className="field" value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <label className="grid max-w-sm gap-1">
            Expires
            <select className="field" value={days} onChange={(event) => setDays(Number(event.target.value))}>
              <option value={30}>in 30 days</option>
              <option value={90}>in 90 days</option>
              <option value={365}>in a year</option>
              <option value={0}>never</option>
            </select>
          </label>
          <div className="max-w-sm">
            <ApplicationsField value={apps} onChange={setApps} />
            <p className="mt-1 text-[13px] text-ink-soft">App ids, separated by commas. A key for some applications reads aggregates, persons and events only.</p>
          </div>
          <fieldset className="grid gap-1 sm:grid-cols-2">
            <legend className="mb-1">Permissions</legend>
            {Object.entries(rules.data?.scopes ?? {}).map(([scope, meaning]) => (
              <label key={scope} className="flex items-start gap-2 rounded-md px-1 py-0.5 hover:bg-sunken">
                <input type="checkbox" className="mt-1 accent-accent" checked={scopes.includes(scope)} onChange={() => setScopes((now) => (now.includes(scope) ? now.filter((one) => one !== scope) : [...now, scope]))} />
                <span>
                  <code>{scope}</code>
                  <span className="block text-[13px] text-ink-soft">{meaning}</span>
                </span>
              </label>
            ))}
          </fieldset>
          {add.isError && <Failure error={add.error} />}
          <div>
            <Button kind="primary" type="submit" disabled={add.isPending || !scopes.length}>
              Add key
            </Button>
          </div>
        </form>
      </Card>
    </>
  );
}

function Audit() {
  const [pages, setPages] = useState(1);
  const audit = useQuery({ queryKey: ["audit", pages], queryFn: () => ask(api.GET("/api/v1/access/audit", { params: { query: { limit: Math.min(500, pages * 100) } } })), placeholderData: (before) => before });
  return (
    <Card title="Audit log" pad={false}>
      {audit.isError && <Failure error={audit.error} />}
      {audit.data?.length === 0 && <Empty icon="book" title="Nothing yet" />}
      <ul>
        {audit.data?.map((entry) => (
          <li key={entry.number} className="grid gap-x-3 border-b border-line px-4 py-2 last:border-b-0 sm:grid-cols-[10rem_9rem_1fr]">
            <time className="tabular text-[13px] text-ink-soft" dateTime={exactTime(entry.at)} title={exactTime(entry.at)}>
              {time(entry.at)}
            </time>
            <span className="truncate">{entry.who}</span>
            <span className="min-w-0 break-words">
              <strong className="font-medium">{entry.action}</strong> {entry.subject} <span className="text-ink-soft">{entry.detail}</span>
            </span>
          </li>
        ))}
      </ul>
      {audit.data?.length === pages * 100 && pages < 5 && (
        <div className="p-3">
          <Button onClick={() => setPages(pages + 1)}>Show older</Button>
        </div>
      )}
    </Card>
  );
}
