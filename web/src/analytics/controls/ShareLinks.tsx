import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { ago, time } from "../../view/format";
import { Badge, Button, CopyButton, Failure, IconButton, Skeleton } from "../../widgets/ui";
import { DialogFrame } from "../parts/DialogFrame";
import type { AnalyticsView } from "../view/state";

/** Links that show the page of figures, or one dashboard, to people without an account. */
export default function ShareLinks({ view, dashboard, onClose }: { view: Pick<AnalyticsView, "app" | "filters">; dashboard?: { id: string; name: string }; onClose: () => void }) {
  const queries = useQueryClient();
  const links = useQuery({ queryKey: ["shares"], queryFn: () => ask(api.GET("/api/v1/analytics/shares")) });
  const [name, setName] = useState(dashboard?.name ?? "");
  const [password, setPassword] = useState("");
  const [ends, setEnds] = useState("");
  const [origins, setOrigins] = useState("");
  const [withFilters, setWithFilters] = useState(true);
  const settle = () => void queries.invalidateQueries({ queryKey: ["shares"] });
  const add = useMutation({
    mutationFn: () =>
      ask(
        api.POST("/api/v1/analytics/shares", {
          body: {
            name,
            password,
            apps: view.app ? [view.app] : [],
            filters: withFilters && !dashboard ? view.filters : [],
            dashboard: dashboard?.id ?? null,
            frame_ancestors: origins.split(/\s+/).filter(Boolean),
            expires_at: ends ? new Date(`${ends}T23:59:59`).getTime() : null,
          },
        }),
      ),
    onSuccess: () => {
      setName("");
      setPassword("");
      settle();
    },
  });
  const revoke = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/analytics/shares/{share_id}", { params: { path: { share_id: id } } })), onSettled: settle });
  const address = add.data ? `${location.origin}${add.data.path}` : "";
  return (
    <DialogFrame title="Share links" onClose={onClose}>
      <div className="grid gap-5">
        {add.data && (
          <section aria-label="New link" className="grid gap-2 rounded-xl border border-good bg-good-soft p-4">
            <p>Copy this link now: it is not shown again.</p>
            <div className="flex flex-wrap items-center gap-2">
              <code className="min-w-0 break-all rounded-lg bg-surface px-3 py-1.5">{address}</code>
              <CopyButton text={address} label="Copy link" />
            </div>
          </section>
        )}
        <form
          className="grid gap-3 sm:grid-cols-2"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate();
          }}
        >
          <p className="text-[13px] text-ink-soft sm:col-span-2">
            A link shows this {dashboard ? "dashboard" : "page"} for {view.app ? <strong>{view.app}</strong> : "all applications"} to anyone who has it: figures only, no single visit and no visitor.
            {dashboard && " Nothing else can be asked with it, and results of SQL are not shown."}
          </p>
          <label className="grid gap-1">
            Name
            <input autoFocus required maxLength={100} className="field" value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <label className="grid gap-1">
            Password (optional)
            <input type="password" minLength={8} autoComplete="new-password" className="field" value={password} onChange={(event) => setPassword(event.target.value)} />
          </label>
          <label className="grid gap-1">
            Last day (optional)
            <input type="date" className="field" value={ends} onChange={(event) => setEnds(event.target.value)} />
          </label>
          <label className="grid gap-1">
            Sites that may embed it (optional)
            <input placeholder="https://example.com" className="field" value={origins} onChange={(event) => setOrigins(event.target.value)} />
          </label>
          {view.filters.length > 0 && !dashboard && (
            <label className="flex items-center gap-2 text-[13px] sm:col-span-2">
              <input type="checkbox" className="accent-accent" checked={withFilters} onChange={(event) => setWithFilters(event.target.checked)} />
              Limit the link to the filters that are set now
            </label>
          )}
          {add.isError && (
            <div className="sm:col-span-2">
              <Failure error={add.error} />
            </div>
          )}
          <Button kind="primary" type="submit" disabled={add.isPending} className="justify-self-start">
            Create link
          </Button>
        </form>
        {links.isError && <Failure error={links.error} />}
        {links.isPending && <Skeleton className="h-16" />}
        <ul aria-label="Links" className="grid">
          {links.data?.filter((link) => link.dashboard === (dashboard?.id ?? null)).map((link) => (
            <li key={link.id} className="flex items-center gap-3 border-t border-line py-2">
              <span className="min-w-0 flex-1">
                <bdi className="block truncate font-medium">{link.name}</bdi>
                <span className="block text-[13px] text-ink-soft">
                  {link.apps.length ? link.apps.join(", ") : "all applications"} · {link.last_used ? `last opened ${ago(link.last_used)}` : "never opened"}
                  {link.expires_at && ` · until ${time(link.expires_at)}`}
                </span>
              </span>
              {link.has_password && <Badge>password</Badge>}
              {link.filters.length > 0 && <Badge>filtered</Badge>}
              <IconButton name="trash" label={`Revoke link ${link.name}`} onClick={() => confirm(`Revoke the link “${link.name}”? It ends at once.`) && revoke.mutate(link.id)} />
            </li>
          ))}
        </ul>
      </div>
    </DialogFrame>
  );
}
