/** One cause: what is wrong, what would repair it, what people say about it, and examples. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import { ago, number, schemaParts, time } from "../../view/format";
import { Loaded } from "../../widgets/Loaded";
import { SidePanel } from "../../widgets/SidePanel";
import { Badge, Button, Failure } from "../../widgets/ui";
import { ExampleView } from "./Example";
import { Repair } from "./Repair";

type Cause = Schemas["Cause"];

export function CausePanel({ id, cause, onClose }: { id: string; cause: Cause | undefined; onClose: () => void }) {
  const examples = useQuery({
    queryKey: ["examples", id],
    queryFn: () => ask(api.GET("/api/v1/failed/causes/{cause}/examples", { params: { path: { cause: id } } })),
  });
  const open = cause?.count ?? examples.data?.filter((example) => example.status === "open").length ?? 0;
  const headline = cause?.headline ?? examples.data?.[0]?.faults[0]?.headline;
  return (
    <SidePanel title="Why they fail" onClose={onClose}>
      {headline && <p className="break-words text-lg font-semibold leading-snug">{headline}</p>}
      {cause && <Facts cause={cause} />}
      <Repair cause={id} open={open} />
      {cause && <Said key={`${cause.state}${cause.note}`} cause={cause} />}
      <h3 className="mb-2 font-semibold">Examples</h3>
      <Loaded query={examples} what="examples" isEmpty={(data) => data.length === 0} empty={<p className="text-ink-soft">No failure of this cause is left.</p>}>
        {(data) => (
          <div className="grid gap-3">
            {data.map((example, i) => (
              <ExampleView key={example.id} example={example} first={i === 0} />
            ))}
          </div>
        )}
      </Loaded>
    </SidePanel>
  );
}

function Facts({ cause }: { cause: Cause }) {
  const schema = cause.schema ? schemaParts(cause.schema) : null;
  return (
    <div className="mb-4 mt-1 grid gap-1 text-[13px] text-ink-soft">
      <p>
        <strong className="font-semibold text-ink">{number(cause.count)}</strong> events, {cause.first ? `first ${time(cause.first)}, ` : ""}
        {cause.last ? `last ${ago(cause.last)}` : ""}.
      </p>
      {cause.message && <code className="break-words">{cause.message}</code>}
      <p className="flex flex-wrap gap-1.5">
        {schema && (
          <Badge title={cause.schema ?? ""}>
            {schema.name} {schema.version}
          </Badge>
        )}
        {cause.app_id && <Badge>{cause.app_id}</Badge>}
        {cause.trackers.map((tracker) => (
          <Badge key={tracker}>{tracker}</Badge>
        ))}
      </p>
    </div>
  );
}

const DAY = 86_400_000;

/** Mute, resolve, and a note. */
function Said({ cause }: { cause: Cause }) {
  const may = useMay("recover");
  const queries = useQueryClient();
  const [note, setNote] = useState(cause.note);
  const [writing, setWriting] = useState(false);
  const say = useMutation({
    mutationFn: (body: Schemas["CauseSaid"]) => ask(api.PUT("/api/v1/failed/causes/{cause}", { params: { path: { cause: cause.id } }, body })),
    onSuccess: () => {
      setWriting(false);
      void queries.invalidateQueries({ queryKey: ["causes"] });
    },
  });
  const busy = say.isPending;
  if (!may && !cause.note && cause.state === "active") return null;
  return (
    <section aria-label="State of this cause" className="mb-5 grid gap-2">
      {cause.returned && (
        <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn-ink">
          Resolved {ago(cause.said_at)} by {cause.said_by}, and has come back since.
        </p>
      )}
      {cause.state !== "active" && (
        <p className="text-ink-soft">
          {cause.state === "muted" ? "Muted" : "Resolved"} {ago(cause.said_at)} by {cause.said_by}
          {cause.muted_until ? `, until ${time(cause.muted_until)}` : ""}.
        </p>
      )}
      {cause.note && !writing && <p className="whitespace-pre-wrap break-words rounded-lg border border-line bg-sunken px-3 py-2">{cause.note}</p>}
      {writing && (
        <form
          className="grid gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            say.mutate({ state: cause.state, note, until: cause.muted_until });
          }}
        >
          <textarea aria-label="Note" className="field min-h-20 w-full" maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)} />
          <div className="flex gap-2">
            <Button small kind="primary" type="submit" disabled={busy}>
              Save note
            </Button>
            <Button small kind="quiet" onClick={() => setWriting(false)}>
              Cancel
            </Button>
          </div>
        </form>
      )}
      {say.isError && <Failure error={say.error} />}
      {may && !writing && (
        <div className="flex flex-wrap gap-2">
          {cause.state === "active" ? (
            <>
              <Button small icon="check" disabled={busy} onClick={() => say.mutate({ state: "resolved" })}>
                Resolve
              </Button>
              <Button small icon="bell" disabled={busy} onClick={() => say.mutate({ state: "muted" })}>
                Mute
              </Button>
              <Button small kind="quiet" disabled={busy} onClick={() => say.mutate({ state: "muted", until: Date.now() + 7 * DAY })}>
                Mute for 7 days
              </Button>
            </>
          ) : (
            <Button small disabled={busy} onClick={() => say.mutate({ state: "active" })}>
              Make active again
            </Button>
          )}
          <Button small kind="quiet" onClick={() => setWriting(true)}>
            {cause.note ? "Edit note" : "Add note"}
          </Button>
        </div>
      )}
      {may && cause.state === "active" && <p className="text-xs text-ink-soft">A resolved cause comes back when it recurs; a muted one stays out of this list. Both are kept and can be repaired.</p>}
      <p className="sr-only" role="status">
        {say.isSuccess ? `This cause is ${say.data.state}.` : ""}
      </p>
    </section>
  );
}

