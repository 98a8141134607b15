/** Dead letters: events that a sink's destination refused. They are in the store all the same. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import { bytes, counted, number, seconds, time } from "../../view/format";
import { Loaded } from "../../widgets/Loaded";
import { Badge, Button, Card, Empty, Failure } from "../../widgets/ui";

type Sink = Schemas["SinkState"];

export function DeadLetters() {
  const sinks = useQuery({ queryKey: ["sinks"], queryFn: () => ask(api.GET("/api/v1/sinks")), refetchInterval: 15_000 });
  return (
    <Loaded
      query={sinks}
      what="the sinks"
      from="Snowgauge"
      isEmpty={(data) => data.length === 0}
      empty={
        <Card label="Dead letters">
          <Empty icon="right" title="No sinks are configured">
            Sinks send events to other places beside the store. What a place refuses would be listed here. See{" "}
            <a href="/docs/guide/send-events-elsewhere/" className="text-accent-ink underline underline-offset-2">
              Send events elsewhere
            </a>
            .
          </Empty>
        </Card>
      }
    >
      {(data) => (
        <>
          {data.map((sink) => (
            <SinkCard key={sink.name} sink={sink} />
          ))}
        </>
      )}
    </Loaded>
  );
}

function SinkCard({ sink }: { sink: Sink }) {
  const may = useMay("recover");
  const mayRead = useMay("read:events");
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const letters = useQuery({
    queryKey: ["dead-letters", sink.name],
    enabled: mayRead && sink.dead_letters > 0,
    queryFn: () => ask(api.GET("/api/v1/sinks/{name}/dead-letters", { params: { path: { name: sink.name } } })),
  });
  const settled = () => {
    setAsking(false);
    void queries.invalidateQueries({ queryKey: ["sinks"] });
    void queries.invalidateQueries({ queryKey: ["dead-letters", sink.name] });
  };
  const params = { params: { path: { name: sink.name } } };
  const replay = useMutation({ mutationFn: (ids: string[] | null) => ask(api.POST("/api/v1/sinks/{name}/dead-letters/replay", { ...params, body: { ids } })), onSettled: settled });
  const discard = useMutation({ mutationFn: (ids: string[] | null) => ask(api.POST("/api/v1/sinks/{name}/dead-letters/discard", { ...params, body: { ids } })), onSettled: settled });
  const busy = replay.isPending || discard.isPending;
  return (
    <Card
      label={sink.name}
      pad={false}
      title={
        <span className="flex flex-wrap items-center gap-2">
          {sink.name}
          <Badge tone={!sink.configured ? "plain" : sink.ok ? "good" : "bad"}>{!sink.configured ? "not in the settings any more" : sink.ok ? "✓ takes events" : "✗ takes none"}</Badge>
        </span>
      }
      actions={
        may &&
        sink.dead_letters > 0 && (
          <>
            <Button small icon="recover" disabled={busy || !sink.configured} onClick={() => replay.mutate(null)}>
              {replay.isPending ? "Sending…" : "Send all again"}
            </Button>
            <Button small kind="quiet" icon="trash" disabled={busy} onClick={() => setAsking(true)}>
              Discard all…
            </Button>
          </>
        )
      }
    >
      <p className="px-4 py-2.5 text-[13px] text-ink-soft">
        {counted(sink.dead_letters, "dead letter")}. {sink.waiting ? `${counted(sink.waiting, "batch", "batches")} (${bytes(sink.waiting_bytes)}) wait, the oldest for ${seconds(sink.waits_seconds)}.` : "No batch waits."}
        {sink.passed_by ? ` ${counted(sink.passed_by, "batch", "batches")} passed it by.` : ""}
      </p>
      {sink.note && <p className="border-t border-line bg-bad-soft px-4 py-2 text-bad-ink">{sink.note}</p>}
      {asking && (
        <div className="flex flex-wrap items-center gap-2 border-t border-line px-4 py-2.5">
          <span className="min-w-0 flex-1">Discard {counted(sink.dead_letters, "dead letter")}? Their events stay in the store; {sink.name} never gets them.</span>
          <Button small kind="danger" disabled={busy} onClick={() => discard.mutate(null)}>
            Discard
          </Button>
          <Button small kind="quiet" onClick={() => setAsking(false)}>
            Cancel
          </Button>
        </div>
      )}
      {(replay.isError || discard.isError) && (
        <div className="border-t border-line p-3">
          <Failure error={replay.error ?? discard.error} />
        </div>
      )}
      {replay.data && (
        <p role="status" className="border-t border-line px-4 py-2.5">
          {number(replay.data.delivered)} delivered, {number(replay.data.refused)} refused again, {number(replay.data.left)} left{replay.data.trouble ? `: ${replay.data.trouble}` : ""}.
        </p>
      )}
      {sink.dead_letters > 0 && (
        <div className="border-t border-line">
          <Loaded query={letters} what="dead letters" from="Snowgauge" rows={2}>
            {(data) => (
              <ul>
                {data.map((letter) => (
                  <li key={letter.id} className="grid items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2 last:border-b-0 sm:grid-cols-[minmax(0,1fr)_auto]">
                    <span className="min-w-0">
                      <span className="block break-words">{letter.reason}</span>
                      <span className="text-[13px] text-ink-soft">
                        {counted(letter.events, "event")}, first refused {time(letter.at)}, tried {counted(letter.attempts, "time")}
                      </span>
                    </span>
                    {may && sink.configured && (
                      <Button small disabled={busy} onClick={() => replay.mutate([letter.id])}>
                        Send again
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
            )}
          </Loaded>
        </div>
      )}
    </Card>
  );
}
