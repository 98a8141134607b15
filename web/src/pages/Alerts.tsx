/** Alerts: what is watched and how it is, channels, and the log of what was said. */
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../api/client";
import { SEVERITY } from "../shell/Bell";
import { useMe } from "../shell/session";
import { ago, counted } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, Failure, Segmented, Skeleton, type Tone } from "../widgets/ui";
import { AlertPanel } from "./alerts/AlertPanel";
import { Channels } from "./alerts/Channels";
import type { Alert } from "./alerts/kinds";
import { KINDS } from "./alerts/kinds";
import { Log } from "./alerts/Log";

export function Page() {
  const [search, change] = useView();
  const tab = one(search.tab, "alerts");
  const chosen = one(search.alert, "");
  const may = useMe().data?.scopes?.includes("write:alerts") ?? false;
  const alerts = useQuery({ queryKey: ["alerts", "all"], queryFn: () => ask(api.GET("/api/v1/alerts")), refetchInterval: 30_000 });
  const alert = alerts.data?.find((each) => each.rule.id === chosen);
  return (
    <PageFrame
      title="Alerts"
      controls={
        <>
          <Segmented
            label="What"
            value={tab}
            onChange={(next) => change({ tab: next === "alerts" ? undefined : next })}
            options={[
              { id: "alerts", label: "Alerts" },
              { id: "channels", label: "Channels" },
              { id: "log", label: "Log" },
            ]}
          />
          {may && tab === "alerts" && (
            <Button kind="primary" icon="plus" onClick={() => change({ alert: "new" })}>
              New alert
            </Button>
          )}
        </>
      }
    >
      {tab === "channels" && <Channels />}
      {tab === "log" && <Log />}
      {tab === "alerts" && (
        <>
          {alerts.isError && <Failure error={alerts.error} retry={() => void alerts.refetch()} />}
          {alerts.isPending && <Skeleton className="h-64" />}
          {alerts.data && <List alerts={alerts.data} open={(id) => change({ alert: id })} />}
        </>
      )}
      {tab === "alerts" && (chosen === "new" || alert) && <AlertPanel key={chosen} alert={alert} may={may} onClose={() => change({ alert: undefined })} onMade={(id) => change({ alert: id })} />}
    </PageFrame>
  );
}

const STATUS: Record<string, { tone: Tone; text: string }> = {
  firing: { tone: "bad", text: "✗ firing" },
  unknown: { tone: "warn", text: "? unknown" },
  pending: { tone: "warn", text: "… pending" },
  ok: { tone: "good", text: "✓ ok" },
  off: { tone: "plain", text: "– off" },
};

function List({ alerts, open }: { alerts: Alert[]; open: (id: string) => void }) {
  const order = Object.keys(STATUS);
  const sorted = [...alerts].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return (
    <Card label="Alerts" pad={false}>
      <ul>
        {sorted.map((alert) => (
          <li key={alert.rule.id} className="border-b border-line last:border-b-0">
            <button type="button" onClick={() => open(alert.rule.id)} className="grid w-full gap-x-3 gap-y-1 px-4 py-3 text-left hover:bg-sunken sm:grid-cols-[6rem_1fr_auto]">
              <span>
                <Badge tone={STATUS[alert.status]?.tone}>{STATUS[alert.status]?.text ?? alert.status}</Badge>
              </span>
              <span className="min-w-0">
                <span className="font-medium">{alert.rule.name}</span>{" "}
                <Badge tone={SEVERITY[alert.rule.severity]}>{alert.rule.severity}</Badge>
                {alert.rule.muted_until && alert.rule.muted_until > Date.now() ? <Badge>muted</Badge> : null}
                {KINDS[alert.rule.condition.kind]?.title !== alert.rule.name && <span className="block text-[13px] text-ink-soft">{KINDS[alert.rule.condition.kind]?.title ?? alert.rule.condition.kind}</span>}
                {alert.states.slice(0, 3).map((state) => (
                  <span key={state.key} className="block break-words text-[13px]">
                    {state.summary}
                  </span>
                ))}
                {alert.states.length > 3 && <span className="block text-[13px] text-ink-soft">and {alert.states.length - 3} more</span>}
              </span>
              <span className="text-xs text-ink-soft sm:text-right">
                {alert.rule.channels.length ? counted(alert.rule.channels.length, "channel") : "console only"}
                <span className="block">{alert.evaluated_until ? `checked ${ago(alert.evaluated_until)}` : "not checked yet"}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
