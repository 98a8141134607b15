/** A recovery run: how far it is, what it did, and taking it back. It goes on when this page is closed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import { ago, counted, number } from "../../view/format";
import { Badge, Button, Failure, type Tone } from "../../widgets/ui";
import { words } from "./edits";

type RunState = Schemas["RunState"];

const moving = (run: RunState | undefined) => run?.state === "running" || run?.state === "undoing";

/** A run, asked for again while it moves; when it has ended, what depends on it is asked for again. */
export function useRun(id: string | undefined, cause: string | undefined, known?: RunState) {
  const queries = useQueryClient();
  const run = useQuery({
    queryKey: ["run", id],
    enabled: id !== undefined,
    initialData: known,
    queryFn: () => ask(api.GET("/api/v1/failed/runs/{run}", { params: { path: { run: id ?? "" } } })),
    refetchInterval: (query) => (moving(query.state.data) ? 700 : false),
  });
  const was = useRef(moving(run.data));
  const now = moving(run.data);
  const dry = run.data?.dry_run;
  useEffect(() => {
    if (was.current && !now && !dry) {
      for (const key of [["causes"], ["examples", cause], ["repair", cause], ["runs"], ["preview", cause]]) void queries.invalidateQueries({ queryKey: key });
    }
    was.current = now;
  }, [now, dry, cause, queries]);
  return run;
}

const STATES: Record<RunState["state"], { tone: Tone; text: string }> = {
  running: { tone: "accent", text: "Repairing" },
  done: { tone: "good", text: "✓ Repaired" },
  stopped: { tone: "warn", text: "Stopped" },
  interrupted: { tone: "warn", text: "Interrupted" },
  undoing: { tone: "accent", text: "Undoing" },
  undone: { tone: "plain", text: "Undone" },
};

export function RunCard({ id, cause, known, full }: { id: string; cause?: string; known: RunState; full?: boolean }) {
  const run = useRun(id, cause, known).data ?? known;
  const may = useMay("recover");
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const act = useMutation({
    mutationFn: async (what: "stop" | "resume" | "undo") => {
      const params = { params: { path: { run: id } } };
      if (what === "stop") await ask(api.POST("/api/v1/failed/runs/{run}/stop", params));
      else if (what === "resume") await ask(api.POST("/api/v1/failed/runs/{run}/resume", params));
      else await ask(api.POST("/api/v1/failed/runs/{run}/undo", params));
    },
    onSettled: () => {
      setAsking(false);
      void queries.invalidateQueries({ queryKey: ["run", id] });
    },
  });
  const state = run.state === "done" && !run.totals.recovered ? { tone: "warn" as const, text: "Nothing repaired" } : STATES[run.state];
  const changed = words(run.edits);
  return (
    <section aria-label={`Run ${run.run}`} className="grid gap-2 text-[13px]">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={state.tone}>{state.text}</Badge>
        <span className="text-ink-soft">
          {ago(run.at)}
          {run.by ? ` by ${run.by}` : ""}
        </span>
        {full && <code className="text-xs text-ink-soft">{run.run}</code>}
      </p>
      {run.state === "running" && <Progress done={run.totals.rows ?? 0} of={run.expected} />}
      <p role="status">{told(run)}</p>
      {(full || run.state !== "done") && changed.length > 0 && <p className="break-words text-ink-soft">{changed.join("; ")}</p>}
      {Object.entries(run.reasons ?? {}).map(([reason, times]) => (
        <p key={reason} className="break-words text-ink-soft">
          {number(times)} not: {reason}.
        </p>
      ))}
      {run.trouble && run.trouble !== "stopped" && <Failure error={run.trouble} />}
      {act.isError && <Failure error={act.error} />}
      {may && (
        <div className="flex flex-wrap gap-2">
          {run.state === "running" && (
            <Button small disabled={act.isPending} onClick={() => act.mutate("stop")}>
              Stop
            </Button>
          )}
          {(run.state === "stopped" || run.state === "interrupted") && !run.undone && (
            <Button small icon="play" disabled={act.isPending} onClick={() => act.mutate("resume")}>
              Go on
            </Button>
          )}
          {undoable(run) && !asking && (
            <Button small kind="quiet" onClick={() => setAsking(true)}>
              Undo…
            </Button>
          )}
        </div>
      )}
      {asking && (
        <div className="grid gap-2 rounded-lg border border-line bg-surface p-2.5">
          <p>
            Undo takes the events of this run out of the store, with the modelled tables made of them, and opens their failures again. It does not take back
            {run.totals.new_failures ? ` ${counted(run.totals.new_failures, "failed event")} made of the rest of requests, nor` : ""} what others have read or exported since.
          </p>
          <div className="flex gap-2">
            <Button small kind="danger" disabled={act.isPending} onClick={() => act.mutate("undo")}>
              Undo run
            </Button>
            <Button small kind="quiet" onClick={() => setAsking(false)}>
              Cancel
            </Button>
          </div>
        </div>
      )}
    </section>
  );
}

function undoable(run: RunState): boolean {
  if (run.state === "interrupted" && run.undone) return true;
  return (run.state === "done" || run.state === "stopped") && (run.totals.recovered ?? 0) + (run.totals.dropped ?? 0) > 0;
}

function told(run: RunState): string {
  const { totals, undone } = run;
  if (run.state === "undone" && undone) {
    const kept = undone.kept ? `; ${counted(undone.kept, "failed event")} stay recovered, since something else had stored their events` : "";
    const more = undone.new_failures ? `; ${counted(undone.new_failures, "failed event")} of the rest of requests stay` : "";
    return `${counted(undone.events ?? 0, "event")} taken out of the store, ${counted(undone.reopened ?? 0, "failed event")} open again${kept}${more}.`;
  }
  if (run.state === "undoing") return "Taking events out of the store…";
  if (run.state === "running") return `${number(totals.rows ?? 0)} of ${number(run.expected)} tried, ${number(totals.recovered ?? 0)} repaired.`;
  const already = totals.already ? `, ${number(totals.already)} were stored already` : "";
  return `${number(totals.recovered ?? 0)} of ${number(run.state === "done" ? (totals.rows ?? 0) : run.expected)} repaired${already}.`;
}

function Progress({ done, of }: { done: number; of: number }) {
  const share = of ? Math.min(100, (100 * done) / of) : 0;
  return (
    <div role="progressbar" aria-label="Repair" aria-valuemin={0} aria-valuemax={of} aria-valuenow={done} className="h-1.5 overflow-hidden rounded bg-line">
      <div className="h-full rounded bg-accent transition-[width]" style={{ width: `${share}%` }} />
    </div>
  );
}
