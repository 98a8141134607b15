/** One alert: its state, its form, a trial on history, its messages. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { time } from "../../view/format";
import { SidePanel } from "../../widgets/SidePanel";
import { Badge, Button, Failure } from "../../widgets/ui";
import { Fields } from "./Fields";
import { type Alert, KINDS, NEW, type Rule } from "./kinds";
import { Messages } from "./Log";
import { Trial } from "./Trial";

const HOURS: [string, number][] = [
  ["1 hour", 1],
  ["8 hours", 8],
  ["1 day", 24],
  ["1 week", 168],
];

export function AlertPanel({ alert, may, onClose, onMade }: { alert?: Alert; may: boolean; onClose: () => void; onMade: (id: string) => void }) {
  const queries = useQueryClient();
  const [rule, setRule] = useState<Omit<Rule, "id">>(alert?.rule ?? NEW);
  const [wrong, setWrong] = useState("");
  const channels = useQuery({ queryKey: ["alerts", "channels"], queryFn: () => ask(api.GET("/api/v1/alerts/channels")) });
  const again = () => void queries.invalidateQueries({ queryKey: ["alerts"] });
  const id = alert?.rule.id;
  const save = useMutation({
    mutationFn: () => (id ? ask(api.PUT("/api/v1/alerts/rules/{alert_id}", { params: { path: { alert_id: id } }, body: { ...rule } })) : ask(api.POST("/api/v1/alerts", { body: { ...rule } }))),
    onSuccess: (made) => {
      again();
      if (!id) onMade(String(made.rule.id));
    },
  });
  const mute = useMutation({ mutationFn: (until: number | null) => ask(api.POST("/api/v1/alerts/rules/{alert_id}/mute", { params: { path: { alert_id: id ?? "" } }, body: { until } })), onSuccess: (made) => setRule((now) => ({ ...now, muted_until: made.rule.muted_until as number | null })), onSettled: again });
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE("/api/v1/alerts/rules/{alert_id}", { params: { path: { alert_id: id ?? "" } } })),
    onSuccess: () => {
      again();
      onClose();
    },
  });
  const kind = KINDS[rule.condition.kind];
  const muted = rule.muted_until && rule.muted_until > Date.now() ? rule.muted_until : null;
  return (
    <SidePanel title={alert?.rule.name ?? "New alert"} onClose={onClose}>
      <div className="grid gap-5">
        {alert && alert.states.length > 0 && (
          <section aria-label="Now" className="grid gap-2">
            {alert.states.map((state) => (
              <div key={state.key} className="rounded-lg border border-line px-3 py-2">
                <Badge tone={state.status === "firing" ? "bad" : "warn"}>{state.status}</Badge> <span className="text-xs text-ink-soft">since {time(state.since)}</span>
                <p className="break-words">{state.summary}</p>
              </div>
            ))}
          </section>
        )}
        <form
          className="grid gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <fieldset disabled={!may} className="grid gap-3">
            <Fields rule={rule} channels={channels.data ?? []} known={Boolean(id)} onChange={setRule} onWrong={setWrong} />
          </fieldset>
          {wrong && <p className="text-bad-ink">{wrong}</p>}
          {[save, remove, mute].map((asked, i) => asked.isError && <Failure key={i} error={asked.error} />)}
          {may && (
            <div className="flex flex-wrap gap-2">
              <Button kind="primary" type="submit" disabled={save.isPending || Boolean(wrong)}>
                {save.isSuccess && !save.isPending ? "Saved" : "Save"}
              </Button>
              {id && (
                <Button kind="danger" onClick={() => confirm(alert?.built_in ? "Make this alert again what it was from the start?" : `Remove the alert ${rule.name}?`) && remove.mutate()}>
                  {alert?.built_in ? "Reset" : "Remove"}
                </Button>
              )}
            </div>
          )}
        </form>
        {id && may && (
          <section aria-label="Mute" className="flex flex-wrap items-center gap-2">
            {muted ? (
              <>
                <span>Muted until {time(muted)}.</span>
                <Button small onClick={() => mute.mutate(null)}>
                  Send again
                </Button>
              </>
            ) : (
              <>
                <span>Mute for</span>
                {HOURS.map(([text, hours]) => (
                  <Button key={hours} small onClick={() => mute.mutate(Date.now() + hours * 3_600_000)}>
                    {text}
                  </Button>
                ))}
              </>
            )}
          </section>
        )}
        {kind?.history && <Trial rule={rule} disabled={Boolean(wrong)} />}
        {id && <Messages alert={id} />}
      </div>
    </SidePanel>
  );
}
