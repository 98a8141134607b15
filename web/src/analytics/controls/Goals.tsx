import { useState } from "react";
import { Badge, Button, Failure, IconButton, Skeleton } from "../../widgets/ui";
import { DialogFrame } from "../parts/DialogFrame";
import { money } from "../view/definitions";
import { type Application, useApplication } from "./application";
import { History } from "./History";

type Goal = Application["goals"] extends (infer One)[] | undefined ? One : never;
type Kind = Goal["kind"];

const KINDS: { id: Kind; label: string; pattern?: string; least?: string }[] = [
  { id: "page", label: "A page is seen", pattern: "Pages, such as /thanks or /blog/**" },
  { id: "event", label: "An event happens" },
  { id: "link", label: "A link is followed", pattern: "Targets of the link, such as https://shop.example.com/**" },
  { id: "form", label: "A form is sent" },
  { id: "scroll", label: "A page is read to a depth", pattern: "Pages; empty: any", least: "Percent of the page" },
  { id: "time", label: "A page is read for a time", pattern: "Pages; empty: any", least: "Seconds of engagement" },
  { id: "visit", label: "A visit has some page views", least: "Page views" },
  { id: "screen", label: "A screen of an app is seen", pattern: "Names of screens" },
];

const EMPTY = { name: "", kind: "page" as Kind, pattern: "", event: "", least: "", value: "", currency: "" };

/** What is worth counting in an application; its other settings stay as they are. */
export default function Goals({ app, onClose }: { app: string; onClose: () => void }) {
  const [draft, setDraft] = useState(EMPTY);
  const { settings, history, save } = useApplication(app, () => setDraft(EMPTY));
  const goals: Goal[] = settings.data?.complete.goals ?? [];
  const kind = KINDS.find((one) => one.id === draft.kind) ?? KINDS[0];
  const put = (change: Partial<typeof EMPTY>) => setDraft((now) => ({ ...now, ...change }));
  const add = () =>
    save.mutate({
      goals: [
        ...goals,
        {
          name: draft.name.trim(),
          kind: draft.kind,
          ...(kind?.pattern ? { pattern: draft.pattern.trim() } : {}),
          ...(draft.kind === "event" ? { event: draft.event.trim() } : {}),
          ...(kind?.least ? { at_least: Number(draft.least) } : {}),
          ...(draft.value ? { value: Number(draft.value), currency: draft.currency.trim().toUpperCase() } : {}),
        } as Goal,
      ],
    });
  return (
    <DialogFrame title={app ? `Goals of ${app}` : "Goals of all applications"} onClose={onClose}>
      {settings.isError && <Failure error={settings.error} retry={() => void settings.refetch()} />}
      {settings.isPending && <Skeleton className="h-40" />}
      {settings.data && (
        <div className="grid gap-5">
          <p className="text-[13px] text-ink-soft">
            {app ? "" : "These hold for applications without settings of their own. "}Goals count backwards too: figures of the past are made again in the background, which can take some minutes.
          </p>
          <ul aria-label="Goals" className="grid">
            {!goals.length && <li className="text-ink-soft">No goals yet. {settings.data.complete.transactions && "Transactions of the shop are counted anyway."}</li>}
            {goals.map((goal) => (
              <li key={goal.name} className="flex items-center gap-3 border-t border-line py-2 first:border-t-0">
                <span className="min-w-0 flex-1">
                  <bdi className="block truncate font-medium">{goal.name}</bdi>
                  <span className="block truncate text-[13px] text-ink-soft">
                    {KINDS.find((one) => one.id === goal.kind)?.label ?? goal.kind}
                    {goal.pattern && `: ${goal.pattern}`}
                    {goal.event && `: ${goal.event}`}
                    {goal.at_least ? ` (at least ${goal.at_least})` : ""}
                  </span>
                </span>
                {goal.value !== null && goal.value !== undefined && <Badge tone="good">{money(goal.value, goal.currency || undefined, false)}</Badge>}
                <IconButton name="trash" label={`Remove goal ${goal.name}`} disabled={save.isPending} onClick={() => confirm(`Remove the goal “${goal.name}”? Its conversions disappear from all figures.`) && save.mutate({ goals: goals.filter((one) => one !== goal) })} />
              </li>
            ))}
          </ul>
          <form
            aria-label="New goal"
            className="grid gap-3 rounded-xl border border-line p-4 sm:grid-cols-2"
            onSubmit={(event) => {
              event.preventDefault();
              add();
            }}
          >
            <label className="grid gap-1">
              Name
              <input autoFocus required maxLength={100} className="field" value={draft.name} onChange={(event) => put({ name: event.target.value })} />
            </label>
            <label className="grid gap-1">
              Reached when
              <select className="field" value={draft.kind} onChange={(event) => put({ kind: event.target.value as Kind })}>
                {KINDS.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.label}
                  </option>
                ))}
              </select>
            </label>
            {kind?.pattern && (
              <label className="grid gap-1 sm:col-span-2">
                {kind.pattern}
                <input required={draft.kind === "page"} maxLength={1000} className="field" value={draft.pattern} onChange={(event) => put({ pattern: event.target.value })} />
              </label>
            )}
            {draft.kind === "event" && (
              <label className="grid gap-1 sm:col-span-2">
                Name of the event, such as add_to_cart
                <input required maxLength={200} className="field" value={draft.event} onChange={(event) => put({ event: event.target.value })} />
              </label>
            )}
            {kind?.least && (
              <label className="grid gap-1">
                {kind.least}, at least
                <input required type="number" min="1" step="any" className="field" value={draft.least} onChange={(event) => put({ least: event.target.value })} />
              </label>
            )}
            <label className="grid gap-1">
              Worth (optional)
              <input type="number" step="any" className="field" value={draft.value} onChange={(event) => put({ value: event.target.value })} />
            </label>
            {draft.value && (
              <label className="grid gap-1">
                Currency, such as EUR
                <input required pattern="[A-Za-z]{3}" maxLength={3} className="field" value={draft.currency} onChange={(event) => put({ currency: event.target.value })} />
              </label>
            )}
            {save.isError && (
              <div className="sm:col-span-2">
                <Failure error={save.error} />
              </div>
            )}
            <Button kind="primary" type="submit" disabled={save.isPending} className="self-end justify-self-start">
              Add goal
            </Button>
          </form>
          <History versions={history.data} words={goalNames} />
        </div>
      )}
    </DialogFrame>
  );
}

function goalNames(settings: Record<string, unknown>): string {
  const goals = Array.isArray(settings.goals) ? (settings.goals as { name?: unknown }[]) : [];
  return goals.length ? goals.map((goal) => String(goal.name)).join(", ") : "no goals";
}
