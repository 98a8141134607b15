import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Popover } from "radix-ui";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { Icon } from "../../widgets/icons";
import { Badge, Button, Failure, IconButton } from "../../widgets/ui";
import type { Known } from "../view/definitions";
import { type AnyFilter, says, toggled } from "../view/filters";
import { useRight } from "../view/source";
import type { AnalyticsView } from "../view/state";

/** Filters with a name: one's own, and those that are shared. */
export function Segments({ view, known, onChange }: { view: AnalyticsView; known: Known | undefined; onChange: (filters: AnyFilter[]) => void }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const mayShare = useRight("write:analytics");
  const settle = { onSuccess: () => void queries.invalidateQueries({ queryKey: ["segments"] }) };
  const save = useMutation({ mutationFn: () => ask(api.POST("/api/v1/analytics/segments", { body: { name, app: view.app, filters: view.filters, shared } })), onSuccess: () => (settle.onSuccess(), setName("")) });
  const remove = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/analytics/segments/{segment_id}", { params: { path: { segment_id: id } } })), ...settle });
  const offered = (known?.segments ?? []).filter((one) => !one.app || !view.app || one.app === view.app);
  if (!offered.length && !view.filters.length) return null;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="inline-flex h-9 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken">
        Segments
        <Icon name="down" size={14} className="text-ink-faint" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} aria-label="Segments" className="fade-in z-40 grid w-80 gap-3 rounded-xl border border-line bg-raised p-3 shadow-float">
          {offered.length > 0 && (
            <ul className="thin-scroll grid max-h-72 overflow-auto">
              {offered.map((one) => (
                <li key={one.id} className="flex items-center gap-1">
                  <button
                    type="button"
                    aria-pressed={says(view.filters, "segment", one.id)}
                    onClick={() => {
                      onChange(toggled(view.filters, "segment", one.id));
                      setOpen(false);
                    }}
                    className="flex min-w-0 flex-1 items-center gap-2 rounded-md px-2 py-1.5 text-left hover:bg-sunken aria-pressed:bg-accent-soft aria-pressed:text-accent-ink"
                  >
                    <bdi className="min-w-0 flex-1 truncate">{one.name}</bdi>
                    {one.shared && <Badge title={`Shared by ${one.author}`}>shared</Badge>}
                  </button>
                  {(one.mine || mayShare) && <IconButton name="trash" label={`Remove segment ${one.name}`} size={15} onClick={() => confirm(`Remove the segment “${one.name}”? Links that use it stop working.`) && remove.mutate(one.id)} />}
                </li>
              ))}
            </ul>
          )}
          {view.filters.length > 0 && (
            <form
              className="grid gap-2 border-line pt-1 not-first:border-t not-first:pt-3"
              onSubmit={(event) => {
                event.preventDefault();
                save.mutate();
              }}
            >
              <label className="grid gap-1 text-[13px]">
                Save these filters as
                <input required maxLength={100} className="field" value={name} onChange={(event) => setName(event.target.value)} />
              </label>
              {mayShare && (
                <label className="flex items-center gap-2 text-[13px]">
                  <input type="checkbox" className="accent-accent" checked={shared} onChange={(event) => setShared(event.target.checked)} />
                  Share with everyone who sees figures
                </label>
              )}
              <Button kind="primary" type="submit" disabled={save.isPending}>
                Save segment
              </Button>
            </form>
          )}
          {(save.isError || remove.isError) && <Failure error={save.error ?? remove.error} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
