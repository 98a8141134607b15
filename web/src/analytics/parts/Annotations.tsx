import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { time } from "../../view/format";
import { Badge, Button, Failure, IconButton } from "../../widgets/ui";
import { useRight, useSource } from "../view/source";

export type Annotation = Schemas["Annotation"];

const NONE: Annotation[] = [];

/** The notes of a period's chart; none through share links. */
export function useAnnotations(app: string, start: string | undefined, end: string | undefined): Annotation[] {
  const { shared } = useSource();
  const list = useQuery({
    queryKey: ["analytics", "annotations", app, start, end],
    queryFn: () => ask(api.GET("/api/v1/analytics/annotations", { params: { query: { ...(app ? { app } : {}), since: Date.parse(start ?? ""), until: Date.parse(end ?? "") } } })),
    enabled: !shared && Boolean(start && end),
    refetchOnWindowFocus: false,
  });
  return list.data ?? NONE;
}

/** What people wrote at times of the chart, and a form for more. */
export function Annotations({ app, notes, end }: { app: string; notes: Annotation[]; end: string }) {
  const queries = useQueryClient();
  const { shared } = useSource();
  const [mayKeep, mayShare] = [useRight("read:aggregates"), useRight("write:analytics")];
  const [draft, setDraft] = useState<{ at: string; text: string; shared: boolean } | null>(null);
  const done = () => {
    setDraft(null);
    void queries.invalidateQueries({ queryKey: ["analytics", "annotations"] });
  };
  const add = useMutation({
    mutationFn: (note: { at: string; text: string; shared: boolean }) => ask(api.POST("/api/v1/analytics/annotations", { body: { app, at: new Date(note.at).getTime(), text: note.text.trim(), shared: note.shared } })),
    onSuccess: done,
  });
  const remove = useMutation({
    mutationFn: (id: string) => ask(api.DELETE("/api/v1/analytics/annotations/{annotation_id}", { params: { path: { annotation_id: id } } })),
    onSuccess: done,
  });
  if (shared || !mayKeep) return null;
  return (
    <div className="grid gap-2 text-[13px]">
      {notes.length > 0 && (
        <ul aria-label="Notes" className="grid gap-1">
          {notes.map((note) => (
            <li key={note.id} className="flex items-center gap-2">
              <span aria-hidden="true" className="size-2 shrink-0 rounded-full bg-ink-faint" />
              <time dateTime={new Date(note.at).toISOString()} className="tabular shrink-0 text-ink-soft">
                {time(note.at)}
              </time>
              <bdi className="min-w-0 break-words">{note.text}</bdi>
              {!note.shared && <Badge>only for you</Badge>}
              {(note.mine || (note.shared && mayShare)) && <IconButton name="trash" size={14} className="!size-6" label={`Remove note ${note.text.slice(0, 40)}`} disabled={remove.isPending} onClick={() => remove.mutate(note.id)} />}
            </li>
          ))}
        </ul>
      )}
      {remove.isError && <Failure error={remove.error} />}
      {draft ? (
        <form
          aria-label="New note"
          className="flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate(draft);
          }}
        >
          <input type="datetime-local" required aria-label="When" className="field" value={draft.at} onChange={(event) => setDraft({ ...draft, at: event.target.value })} />
          <input autoFocus required maxLength={500} aria-label="Note" placeholder="What happened, such as Release 2.4" className="field min-w-48 flex-1" value={draft.text} onChange={(event) => setDraft({ ...draft, text: event.target.value })} />
          {mayShare && (
            <label className="flex items-center gap-1.5">
              <input type="checkbox" className="accent-accent" checked={draft.shared} onChange={(event) => setDraft({ ...draft, shared: event.target.checked })} />
              For everyone
            </label>
          )}
          <Button small kind="primary" type="submit" disabled={add.isPending}>
            Add note
          </Button>
          <Button small onClick={() => setDraft(null)}>
            Cancel
          </Button>
          {add.isError && <Failure error={add.error} />}
        </form>
      ) : (
        <Button small className="justify-self-start" onClick={() => setDraft({ at: local(Math.min(Date.parse(end) - 60_000, Date.now())), text: "", shared: mayShare })}>
          Note…
        </Button>
      )}
    </div>
  );
}

/** An instant as a field of date and time takes it, on the browser's clock. */
function local(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
