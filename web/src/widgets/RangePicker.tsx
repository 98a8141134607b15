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

/** Choose a time range: presets, one of the last seven days, or from and until. */
export function RangePicker({ value, onChange }: { value: string; onChange: (range: string) => void }) {
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
  const today = new Date();
  today.setHours(0, 0, 0, 0);
  const days = Array.from({ length: 7 }, (_, i) => new Date(today.getFullYear(), today.getMonth(), today.getDate() - 6 + i));
  const chosen = { from: instant(from), until: instant(until) };
  const wrong = chosen.from !== null && chosen.until !== null && chosen.from >= chosen.until;
  return (
    <Popover.Root open={open} onOpenChange={show}>
      <Popover.Trigger className="inline-flex h-8.5 shrink-0 items-center gap-1.5 whitespace-nowrap rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken" aria-label={`Time range: ${describeRange(value)}`}>
        <Icon name="calendar" size={16} />
        {describeRange(value)}
        <Icon name="down" size={14} className="text-ink-faint" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} className="fade-in z-40 grid w-80 gap-3 rounded-xl border border-line bg-raised p-3 shadow-float">
          <div className="grid grid-cols-2 gap-1">
            {PRESETS.map((preset) => (
              <button key={preset.id} type="button" aria-pressed={preset.id === value} onClick={() => pick(preset.id)} className={`rounded-md px-2 py-1.5 text-left ${preset.id === value ? "bg-accent-soft font-medium text-accent-ink" : "hover:bg-sunken"}`}>
                {preset.label}
              </button>
            ))}
          </div>
          <div className="flex justify-between border-t border-line pt-3" role="group" aria-label="One day">
            {days.map((day) => {
              const end = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
              const text = absoluteText(day.getTime(), end);
              return (
                <button key={text} type="button" aria-pressed={text === value} onClick={() => pick(text)} className={`grid justify-items-center rounded-md px-2 py-1 ${text === value ? "bg-accent-soft text-accent-ink" : "hover:bg-sunken"}`}>
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
