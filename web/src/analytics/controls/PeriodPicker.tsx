import { Popover } from "radix-ui";
import { useEffect, useState } from "react";
import { Icon } from "../../widgets/icons";
import { Button, IconButton, Kbd } from "../../widgets/ui";
import { dateText, datesOf, ends, isDates, LIVE, moved, PERIODS, periodText, stepped } from "../view/periods";
import type { Answer } from "../view/question";
import type { AnalyticsView, Change } from "../view/state";

const COMPARISONS = [
  { id: "", label: "No comparison" },
  { id: "previous_period", label: "Previous period" },
  { id: "year_over_year", label: "Year over year" },
  { id: "custom", label: "Custom dates" },
];

/** What of an answer is needed to step on from its period. */
type Spanned = { period: Pick<Answer["meta"]["period"], "start" | "end"> };

interface Props {
  view: AnalyticsView;
  meta: Spanned | undefined;
  change: Change;
  open: boolean;
  onOpen: (open: boolean) => void;
  /** Whether the last minutes are offered. */
  live?: boolean;
}

export function periodLabel(view: AnalyticsView): string {
  if (view.period === LIVE) return "Live";
  const named = PERIODS.find((one) => one.id === view.period);
  if (named) return named.label;
  const [from, until] = ends(view.period) ?? ["", ""];
  return isDates(view.period) ? periodText(from, moved(until, 1)) : periodText(from, until);
}

/** The stretch of time, one step back or on, and what it is compared with. */
export function PeriodPicker({ view, meta, change, open, onOpen, live = true }: Props) {
  const step = (by: -1 | 1) => meta && change({ period: stepped(meta.period.start, meta.period.end, by), today: undefined }, { push: true });
  const last = meta ? Date.parse(meta.period.end) >= Date.now() : true;
  return (
    <span className="flex items-center">
      <span className="max-sm:hidden">
        <IconButton name="left" label="Period before" disabled={!meta || view.period === "all"} onClick={() => step(-1)} />
        <IconButton name="right" label="Period after" disabled={!meta || last} onClick={() => step(1)} />
      </span>
      <Popover.Root open={open} onOpenChange={onOpen}>
        <Popover.Trigger className="inline-flex h-9 min-w-0 items-center gap-1.5 whitespace-nowrap rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken" aria-label={`Period: ${periodLabel(view)}`}>
          <Icon name="calendar" size={16} />
          {periodLabel(view)}
          <Icon name="down" size={14} className="text-ink-faint" />
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content align="end" sideOffset={6} collisionPadding={8} className="fade-in thin-scroll z-40 max-h-[80dvh] w-80 overflow-auto rounded-xl border border-line bg-raised p-3 shadow-float">
            <Choices view={view} meta={meta} change={change} live={live} onDone={() => onOpen(false)} />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    </span>
  );
}

function Choices({ view, meta, change, live, onDone }: { view: AnalyticsView; meta: Spanned | undefined; change: Change; live: boolean; onDone: () => void }) {
  const known = meta ? datesOf(meta.period.start, meta.period.end) : ["", ""];
  const [from, setFrom] = useState(known[0] ?? "");
  const [until, setUntil] = useState(known[1] ?? "");
  const wrong = from !== "" && until !== "" && from > until;
  const chosen = PERIODS.find((one) => one.id === view.period);
  const choose = (period: string) => {
    change({ period, interval: undefined }, { push: true });
    onDone();
  };
  return (
    <div className="grid gap-3">
      <div role="group" aria-label="Period" className="grid">
        {live && (
          <Choice on={view.period === LIVE} keyName="v" onClick={() => choose(LIVE)}>
            Live, last 30 minutes
          </Choice>
        )}
        {PERIODS.map((one) => (
          <Choice key={one.id} on={one.id === view.period} keyName={one.key} onClick={() => choose(one.id)}>
            {one.label}
          </Choice>
        ))}
      </div>
      {chosen?.ends && (
        <label className="flex items-center gap-2 border-t border-line px-2 pt-3 text-[13px]">
          <input type="checkbox" className="accent-accent" checked={view.today} onChange={(event) => change({ today: event.target.checked ? "1" : undefined })} />
          {chosen.ends === "month" ? "Include this month" : "Include today"}
        </label>
      )}
      <form
        className="grid gap-2 border-t border-line pt-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong && from && until) choose(`${from}~${until}`);
        }}
      >
        <Dates from={from} until={until} onFrom={setFrom} onUntil={setUntil} />
        {wrong && <p className="text-[13px] text-bad-ink">The last day must not be before the first.</p>}
        <Button kind="primary" type="submit" disabled={wrong || !from || !until}>
          Show these days
        </Button>
      </form>
    </div>
  );
}

function Dates({ from, until, onFrom, onUntil }: { from: string; until: string; onFrom: (date: string) => void; onUntil: (date: string) => void }) {
  return (
    <div className="grid grid-cols-2 gap-2 text-[13px]">
      <label className="grid gap-1">
        First day
        <input type="date" required className="field min-w-0" value={from} max="2199-12-31" onChange={(event) => onFrom(event.target.value)} />
      </label>
      <label className="grid gap-1">
        Last day
        <input type="date" required className="field min-w-0" value={until} max="2199-12-31" onChange={(event) => onUntil(event.target.value)} />
      </label>
    </div>
  );
}

function Choice({ on, keyName, onClick, children }: { on: boolean; keyName?: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <button type="button" aria-pressed={on} onClick={onClick} className={`flex items-center rounded-md px-2 py-1.5 text-left ${on ? "bg-accent-soft font-medium text-accent-ink" : "hover:bg-sunken"}`}>
      <span className="flex-1">{children}</span>
      {keyName && <Kbd>{keyName === keyName.toLowerCase() ? keyName.toUpperCase() : `⇧ ${keyName}`}</Kbd>}
    </button>
  );
}

/** With which period the shown one is compared. */
export function ComparisonPicker({ view, meta, change }: { view: AnalyticsView; meta: Spanned | undefined; change: Change }) {
  const custom = ends(view.compare);
  const [open, setOpen] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const [from, setFrom] = useState(custom?.[0] ?? "");
  const [until, setUntil] = useState(custom?.[1] ?? "");
  useEffect(() => {
    if (!open || !choosing || from || !meta) return;
    const [first, last] = datesOf(meta.period.start, meta.period.end);
    setFrom(moved(first, -364));
    setUntil(moved(last, -364));
  }, [open, choosing, from, meta]);
  const id = custom ? "custom" : view.compare;
  const none = view.period === "all" || view.period === LIVE;
  const label = custom ? `vs. ${dateText(custom[0], true)} – ${dateText(custom[1], true)}` : id === "" ? "Compare" : `vs. ${(COMPARISONS.find((one) => one.id === id)?.label ?? "").toLowerCase()}`;
  const pick = (choice: string) => {
    if (choice === "custom") {
      setChoosing(true);
      return;
    }
    setChoosing(false);
    change({ compare: choice || undefined }, { push: true });
    if (choice !== "year_over_year") setOpen(false);
  };
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setChoosing(custom !== null);
      }}
    >
      <Popover.Trigger disabled={none} title={none ? "There is nothing before this period to compare with." : undefined} className={`inline-flex h-9 items-center gap-1.5 whitespace-nowrap rounded-lg border px-3 ${id ? "border-accent/40 bg-accent-soft text-accent-ink" : "border-line-strong bg-surface hover:bg-sunken"}`}>
        {label}
        <Icon name="down" size={14} />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} aria-label="Comparison" className="fade-in z-40 grid w-72 gap-3 rounded-xl border border-line bg-raised p-3 shadow-float">
          <div role="group" aria-label="Compare with" className="grid">
            {COMPARISONS.map((one) => (
              <Choice key={one.id} on={one.id === (choosing ? "custom" : id)} onClick={() => pick(one.id)}>
                {one.label}
              </Choice>
            ))}
          </div>
          {id === "year_over_year" && !choosing && (
            <label className="flex items-center gap-2 border-t border-line px-2 pt-3 text-[13px]">
              <input type="checkbox" className="accent-accent" checked={view.weekdays} onChange={(event) => change({ weekdays: event.target.checked ? undefined : "0" })} />
              Match day of the week
            </label>
          )}
          {choosing && (
            <form
              className="grid gap-2 border-t border-line pt-3"
              onSubmit={(event) => {
                event.preventDefault();
                if (from && until && from <= until) {
                  change({ compare: `${from}~${until}` }, { push: true });
                  setOpen(false);
                }
              }}
            >
              <Dates from={from} until={until} onFrom={setFrom} onUntil={setUntil} />
              <Button kind="primary" type="submit" disabled={!from || !until || from > until}>
                Compare with these days
              </Button>
            </form>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
