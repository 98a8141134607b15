/** What was said, and what came of it. */
import { useQuery } from "@tanstack/react-query";
import { api, ask, type Schemas } from "../../api/client";
import { counted, exactTime, time } from "../../view/format";
import { Badge, Card, Empty, Failure, Skeleton, type Tone } from "../../widgets/ui";

const SAID: Record<string, Tone> = { firing: "bad", reminder: "bad", resolved: "good", unknown: "warn", flapping: "warn" };
const CAME: Record<string, Tone> = { sent: "good", failed: "bad", waiting: "accent", skipped: "plain", shown: "plain" };

export function Log() {
  const log = useQuery({ queryKey: ["alerts", "log"], queryFn: () => ask(api.GET("/api/v1/alerts/messages", { params: { query: { limit: 200 } } })), refetchInterval: 30_000 });
  const channels = useQuery({ queryKey: ["alerts", "channels"], queryFn: () => ask(api.GET("/api/v1/alerts/channels")) });
  const names = new Map(channels.data?.map((one) => [one.id, one.name]));
  return (
    <>
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.isPending && <Skeleton className="h-64" />}
      {log.data && (
        <Card label="Log" pad={false}>
          {log.data.length === 0 && <Empty icon="bell" title="Nothing was said yet" />}
          <Rows rows={log.data} names={names} />
        </Card>
      )}
    </>
  );
}

export function Messages({ alert }: { alert: string }) {
  const log = useQuery({ queryKey: ["alerts", "log", alert], queryFn: () => ask(api.GET("/api/v1/alerts/messages", { params: { query: { alert, channel: undefined, limit: 30 } } })) });
  if (!log.data?.length) return null;
  return (
    <section aria-label="History" className="-mx-4">
      <h3 className="px-4 font-medium">History</h3>
      <Rows rows={log.data.filter((one) => one.channel_id === "")} names={new Map()} />
    </section>
  );
}

function Rows({ rows, names }: { rows: Schemas["DeliveryShown"][]; names: Map<string, string> }) {
  return (
    <ul>
      {rows.map((one) => (
        <li key={`${one.id} ${one.channel_id}`} className="grid gap-x-3 gap-y-1 border-b border-line px-4 py-2.5 last:border-b-0 sm:grid-cols-[9rem_1fr_auto]">
          <time dateTime={exactTime(one.at)} className="tabular text-[13px] text-ink-soft">
            {time(one.at)}
          </time>
          <span className="min-w-0">
            <Badge tone={SAID[one.said]}>{one.said}</Badge> <span className="font-medium">{one.name}</span>
            <span className="block break-words text-[13px]">{one.summary}</span>
            {one.answer && <span className="block break-all text-xs text-ink-soft">{one.answer}</span>}
          </span>
          <span className="text-[13px] sm:text-right">
            {one.channel_id ? (
              <>
                <Badge tone={CAME[one.status]}>{one.status}</Badge>
                <span className="block text-xs text-ink-soft">
                  {names.get(one.channel_id) ?? one.channel_id}
                  {one.tries > 1 && `, ${counted(one.tries, "try", "tries")}`}
                </span>
              </>
            ) : (
              <span className="text-xs text-ink-soft">console</span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
