import { Popover } from "radix-ui";
import { useState } from "react";
import { absoluteText, describeRange, parseAbsolute, PRESETS } from "../view/ranges";
import { Icon } from "./icons";
import { Button } from "./ui";

const local = (at: number | null) => {
  if (at === null) return "";
  const day = new Date(at);
  return new Date(at - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const instant = (text: string) => (text ? new Date(text).getTime() : null);

function nextDay(start: number): number {
  const day = new Date(start);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
}
function wholeDays(from: number | null, until: number | null): boolean {
  return from !== null && until !== null && [from, until].every((at) => new Date(at).setHours(0, 0, 0, 0) === at);
}

/** Choose a time range: presets, some of the last seven days, or from and until. `fallback` is what a second click on
 * the chosen one leads to. */
export function RangePicker({ value, onChange, fallback = value }: { value: string; onChange: (range: string) => void; fallback?: string }) {
  const [open, setOpen] = useState(false);
  const absolute = parseAbsolute(value);
  const [from, setFrom] = useState("");
  const [until, setUntil] = useState("");
  const show = (next: boolean) => {
    setOpen(next);
    if (next) {
      setFrom(local(absolute?.from ?? null));
      setUntil(local(absolute?.until ?? null));
    }
  };
  const pick = (range: string) => {
    onChange(range);
    setOpen(false);
  };
  const chosenDays = absolute && wholeDays(absolute.from, absolute.until) ? { from: absolute.from ?? 0, until: absolute.until ?? 0 } : null;
  /** One day; a second one makes it a stretch of days; one of a stretch, or the same again, starts again. */
  const pickDay = (start: number, end: number) => {
    const single = chosenDays && nextDay(chosenDays.from) === chosenDays.until;
    if (single && chosenDays.from === start) onChange(fallback);
    else if (single) onChange(absoluteText(Math.min(chosenDays.from, start), Math.max(chosenDays.until, end)));
    else onChange(absoluteText(start, end));
  };
  const today = new Date();
  today.setHours(0, 0, 0, 0);
  const days = Array.from({ length: 7 }, (_, i) => new Date(today.getFullYear(), today.getMonth(), today.getDate() - 6 + i));
  const chosen = { from: instant(from), until: instant(until) };
  const wrong = chosen.from !== null && chosen.until !== null && chosen.from >= chosen.until;
  return (
    <Popover.Root open={open} onOpenChange={show}>
      <Popover.Trigger className="inline-flex h-9 shrink-0 items-center gap-1.5 whitespace-nowrap rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken" aria-label={`Time range: ${describeRange(value)}`}>
        <Icon name="calendar" size={16} />
        {describeRange(value)}
        <Icon name="down" size={14} className="text-ink-faint" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} className="fade-in z-40 grid w-80 gap-3 rounded-xl border border-line bg-raised p-3 shadow-float">
          <div className="grid grid-cols-2 gap-1">
            {PRESETS.map((preset) => (
              <button key={preset.id} type="button" aria-pressed={preset.id === value} onClick={() => pick(preset.id === value ? fallback : preset.id)} className={`rounded-md px-2 py-1.5 text-left ${preset.id === value ? "bg-accent-soft font-medium text-accent-ink" : "hover:bg-sunken"}`}>
                {preset.label}
              </button>
            ))}
          </div>
          <div className="flex justify-between border-t border-line pt-3" role="group" aria-label="One day">
            {days.map((day) => {
              const end = nextDay(day.getTime());
              const on = chosenDays !== null && chosenDays.from <= day.getTime() && end <= chosenDays.until;
              return (
                <button key={end} type="button" aria-pressed={on} onClick={() => pickDay(day.getTime(), end)} className={`grid justify-items-center rounded-md px-2 py-1 ${on ? "bg-accent-soft text-accent-ink" : "hover:bg-sunken"}`}>
                  <span className="text-[11px] text-ink-soft">{day.toLocaleDateString(undefined, { weekday: "short" })}</span>
                  <span className="tabular">{day.getDate()}</span>
                </button>
              );
            })}
          </div>
          <form
            className="grid gap-2 border-t border-line pt-3"
            onSubmit={(event) => {
              event.preventDefault();
              if (!wrong && (chosen.from !== null || chosen.until !== null)) pick(absoluteText(chosen.from, chosen.until));
            }}
          >
            <label className="grid grid-cols-[3rem_1fr] items-center gap-2">
              From
              <input type="datetime-local" className="field min-w-0" value={from} onChange={(e) => setFrom(e.target.value)} />
            </label>
            <label className="grid grid-cols-[3rem_1fr] items-center gap-2">
              Until
              <input type="datetime-local" className="field min-w-0" value={until} onChange={(e) => setUntil(e.target.value)} />
            </label>
            {wrong && <p className="text-bad-ink">The end must come after the start.</p>}
            <Button kind="primary" type="submit" disabled={wrong || (chosen.from === null && chosen.until === null)}>
              Apply
            </Button>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
