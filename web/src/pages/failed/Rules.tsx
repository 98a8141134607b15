/** Rules: edits that are made automatically to failures of a cause. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import { ago, counted } from "../../view/format";
import { Loaded } from "../../widgets/Loaded";
import { Badge, Button, Card, Empty, Failure } from "../../widgets/ui";
import { words } from "./edits";

type Rule = Schemas["RepairRule"];

export function Rules() {
  const rules = useQuery({ queryKey: ["rules"], queryFn: () => ask(api.GET("/api/v1/failed/rules")), refetchInterval: 15_000 });
  return (
    <Card label="Rules" pad={false}>
      <Loaded
        query={rules}
        what="the rules"
        from="Snowgauge"
        isEmpty={(data) => data.length === 0}
        empty={
          <Empty icon="recover" title="No rules yet">
            Open a cause, choose a repair, and tick “Keep as a rule”. The same failure is then repaired automatically, within a minute.
          </Empty>
        }
      >
        {(data) => (
          <ul>
            {data.map((rule) => (
              <RuleRow key={rule.id} rule={rule} />
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const may = useMay("recover");
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const settled = () => void queries.invalidateQueries({ queryKey: ["rules"] });
  const params = { params: { path: { rule: rule.id } } };
  const toggle = useMutation({ mutationFn: () => ask(api.PATCH("/api/v1/failed/rules/{rule}", { ...params, body: { enabled: !rule.enabled } })), onSettled: settled });
  const remove = useMutation({ mutationFn: () => ask(api.DELETE("/api/v1/failed/rules/{rule}", params)), onSettled: settled });
  const undo = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/failed/rules/{rule}/undo", params)),
    onSettled: () => {
      setAsking(false);
      settled();
      void queries.invalidateQueries({ queryKey: ["causes"] });
    },
  });
  const busy = toggle.isPending || remove.isPending || undo.isPending;
  return (
    <li aria-label={rule.headline} className="grid gap-1.5 border-b border-line px-4 py-3 last:border-b-0">
      <div className="flex flex-wrap items-center gap-2">
        <Badge tone={rule.enabled ? "good" : "plain"}>{rule.enabled ? "✓ on" : "– off"}</Badge>
        <Link to="/failed" search={{ cause: rule.cause, status: "all", shown: "all" }} className="min-w-0 flex-1 break-words font-medium hover:underline">
          {rule.headline}
        </Link>
      </div>
      <ul className="text-[13px]">
        {words(rule.edits).map((text) => (
          <li key={text} className="break-words">
            <code>{text}</code>
          </li>
        ))}
      </ul>
      <p className="text-[13px] text-ink-soft">
        {counted(rule.recovered ?? 0, "event")} repaired{rule.failed ? `, ${counted(rule.failed, "failed event")} left open since it did not help` : ""}
        {rule.last ? `, last ${ago(rule.last)}` : ""}. Kept {ago(rule.at)} by {rule.by}.
      </p>
      {rule.trouble && <Failure error={rule.trouble} />}
      {(toggle.isError || remove.isError || undo.isError) && <Failure error={toggle.error ?? remove.error ?? undo.error} />}
      {undo.data && (
        <p role="status" className="text-[13px]">
          {counted(undo.data.events ?? 0, "event")} taken out of the store, {counted(undo.data.reopened ?? 0, "failed event")} open again.
        </p>
      )}
      {may && !asking && (
        <div className="flex flex-wrap gap-2">
          <Button small disabled={busy} onClick={() => toggle.mutate()}>
            {rule.enabled ? "Switch off" : "Switch on"}
          </Button>
          {(rule.recovered ?? 0) > 0 && (
            <Button small kind="quiet" disabled={busy} onClick={() => setAsking(true)}>
              Undo…
            </Button>
          )}
          <Button small kind="quiet" icon="trash" disabled={busy} onClick={() => remove.mutate()}>
            Remove
          </Button>
        </div>
      )}
      {asking && (
        <div className="grid gap-2 rounded-lg border border-line bg-sunken p-2.5 text-[13px]">
          <p>Undo switches the rule off, takes the events it stored out of the store and opens their failures again. What others have read or exported since stays with them.</p>
          <div className="flex gap-2">
            <Button small kind="danger" disabled={busy} onClick={() => undo.mutate()}>
              {undo.isPending ? "Undoing…" : "Undo rule"}
            </Button>
            <Button small kind="quiet" onClick={() => setAsking(false)}>
              Cancel
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
