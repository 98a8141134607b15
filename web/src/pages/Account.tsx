/** Your own account: what you may do, your password, and where you are logged in. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../api/client";
import SecondFactor from "./account/SecondFactor";
import { useMe } from "../shell/session";
import { ago, time } from "../view/format";
import { Loaded } from "../widgets/Loaded";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, Failure } from "../widgets/ui";

export function Page() {
  const me = useMe().data;
  return (
    <PageFrame title="Your account" lead={me?.name}>
      <Permissions />
      {me?.kind === "person" && (
        <>
          <Password />
          <SecondFactor />
          <Sessions />
        </>
      )}
    </PageFrame>
  );
}

function Permissions() {
  const me = useMe().data;
  const rules = useQuery({ queryKey: ["rules"], queryFn: () => ask(api.GET("/api/v1/access/rules")), staleTime: Infinity });
  return (
    <Card title="Permissions">
      {me?.role && (
        <p className="mb-2">
          <Badge tone="accent">{me.role}</Badge> {me.kind === "local" && "No login is needed: only this machine can reach this port."}
        </p>
      )}
      {me?.apps && <p className="mb-2">Figures and events of these applications only: {me.apps.join(", ")}.</p>}
      <Loaded query={rules} what="your permissions" from="the console">
        {(known) => (
          <ul className="grid gap-1 sm:grid-cols-2">
            {(me?.scopes ?? []).map((scope) => (
              <li key={scope}>
                <span className="block">{known.scopes[scope]}</span>
                <code className="text-[13px] text-ink-soft">{scope}</code>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/access/password", { body: { current, new: next } })),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      void queries.invalidateQueries({ queryKey: ["sessions"] });
    },
  });
  return (
    <Card title="Password">
      <form
        className="grid items-end gap-3 sm:grid-cols-[1fr_1fr_auto]"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <label className="grid gap-1">
          Current password
          <input required type="password" autoComplete="current-password" className="field" value={current} onChange={(event) => setCurrent(event.target.value)} />
        </label>
        <label className="grid gap-1">
          New password
          <input required minLength={10} type="password" autoComplete="new-password" className="field" value={next} onChange={(event) => setNext(event.target.value)} />
        </label>
        <Button kind="primary" type="submit" disabled={change.isPending}>
          Change password
        </Button>
      </form>
      <p className="mt-2 text-[13px] text-ink-soft">At least ten characters. Your other sessions end.</p>
      {change.isSuccess && (
        <p role="status" className="mt-2 text-good-ink">
          Password changed.
        </p>
      )}
      {change.isError && (
        <div className="mt-3">
          <Failure error={change.error} />
        </div>
      )}
    </Card>
  );
}

function Sessions() {
  const queries = useQueryClient();
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: () => ask(api.GET("/api/v1/access/sessions")) });
  const end = useMutation({
    mutationFn: (id: string) => ask(api.DELETE("/api/v1/access/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["sessions"] }),
  });
  return (
    <Card title="Sessions" pad={false}>
      {end.isError && <Failure error={end.error} />}
      <Loaded query={sessions} what="your sessions" from="the console">
        {(found) => (
          <ul>
            {found.map((session) => (
              <li key={session.id} className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
                <span className="min-w-40 flex-1">
                  Logged in {ago(session.created_at)} {session.here && <Badge tone="good">this one</Badge>}
                  <span className="block text-[13px] text-ink-soft">ends {time(session.expires_at)}</span>
                </span>
                {!session.here && (
                  <Button small kind="danger" disabled={end.isPending} onClick={() => end.mutate(session.id)}>
                    End session
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}
