/** Adds a user: by a link with which they choose a password, or with a password that the admin sets. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { useMe } from "../../shell/session";
import { time } from "../../view/format";
import { Button, Card, CopyButton, Failure, Segmented } from "../../widgets/ui";
import { ApplicationsField, appsOf } from "./Applications";
import { type Role, roleOf, ROLES } from "./roles";

type Way = "link" | "password";

/** `first`: nobody is registered; the first user is an admin with a password. */
export function AddUser({ first }: { first: boolean }) {
  const queries = useQueryClient();
  const me = useMe().data;
  const [way, setWay] = useState<Way>("link");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [chosen, setRole] = useState<Role | "">("");
  const [days, setDays] = useState(7);
  const [apps, setApps] = useState("");
  const role = first ? "admin" : chosen;
  const byLink = !first && way === "link";
  const rules = useQuery({ queryKey: ["rules"], queryFn: () => ask(api.GET("/api/v1/access/rules")), staleTime: Infinity });
  const limited = role === "admin" ? [] : appsOf(apps);
  const clear = () => {
    setApps("");
    setName("");
    setPassword("");
    setRole("");
  };
  const add = useMutation({
    mutationFn: (wanted: Role) => ask(api.POST("/api/v1/access/people", { body: { name, password, role: wanted, apps: limited } })),
    onSuccess: () => {
      clear();
      // the first admin ends the open door: the page asks for the login now
      void queries.invalidateQueries({ queryKey: [me?.kind === "local" ? "me" : "people"] });
    },
  });
  const invite = useMutation({
    mutationFn: (wanted: Role) => ask(api.POST("/api/v1/access/invitations", { body: { name, role: wanted, days, apps: limited } })),
    onSuccess: () => {
      clear();
      void queries.invalidateQueries({ queryKey: ["invitations"] });
    },
  });
  const asked = byLink ? invite : add;
  return (
    <Card title="Add user">
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (role) asked.mutate(role);
        }}
      >
        {!first && (
          <div className="justify-self-start">
          <Segmented
            label="How the user gets a password"
            value={way}
            onChange={setWay}
            options={[
              { id: "link", label: "Invitation link" },
              { id: "password", label: "Password you set" },
            ]}
          />
          </div>
        )}
        <div className="grid items-end gap-3 sm:grid-cols-2 lg:grid-cols-[1fr_1fr_9rem_1fr_auto]">
          <label className="grid gap-1">
            Name
            <input required maxLength={100} autoComplete="off" className="field" value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          {byLink ? (
            <label className="grid gap-1">
              Link expires
              <select className="field" value={days} onChange={(event) => setDays(Number(event.target.value))}>
                <option value={1}>in a day</option>
                <option value={7}>in a week</option>
                <option value={30}>in 30 days</option>
              </select>
            </label>
          ) : (
            <label className="grid gap-1">
              Password
              <input required minLength={10} type="password" autoComplete="new-password" className="field" value={password} onChange={(event) => setPassword(event.target.value)} />
            </label>
          )}
          <label className="grid gap-1">
            Role
            <select required className="field" value={role} disabled={first} onChange={(event) => setRole(roleOf(event.target.value) ?? "")}>
              <option value="" disabled>
                Choose…
              </option>
              {ROLES.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          {!first && <ApplicationsField value={role === "admin" ? "" : apps} onChange={setApps} disabled={role === "admin"} />}
          <Button kind="primary" type="submit" disabled={asked.isPending}>
            {byLink ? "Invite user" : "Add user"}
          </Button>
        </div>
      </form>
      <p className="mt-2 text-[13px] text-ink-soft">{byLink ? "The link works once. The user chooses the password." : "Passwords have at least ten characters."}{!first && " Someone limited to applications (app ids, separated by commas) sees figures and events of those only."}</p>
      {byLink && invite.data && (
        <section aria-label="Invitation link" className="mt-3 grid gap-2 rounded-xl border border-good bg-good-soft p-4">
          <p>
            Send this link to {invite.data.invitation.name}. It expires {time(invite.data.invitation.expires_at)} and is not shown again.
          </p>
          <div className="flex flex-wrap items-center gap-2">
            <code className="min-w-0 break-all rounded-lg bg-surface px-3 py-1.5">{location.origin + invite.data.path}</code>
            <CopyButton text={location.origin + invite.data.path} label="Copy link" />
          </div>
        </section>
      )}
      {asked.isError && (
        <div className="mt-3">
          <Failure error={asked.error} />
        </div>
      )}
      <dl className="mt-3 grid gap-x-3 gap-y-1 text-[13px] sm:grid-cols-[6rem_1fr]">
        {ROLES.map((one) => (
          <div key={one} className="contents">
            <dt className={one === role ? "font-medium" : "text-ink-soft"}>{one}</dt>
            <dd className={one === role ? "" : "text-ink-soft"}>{rules.data?.role_texts[one]}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
