import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { compact } from "../view/format";

export interface Choice {
  value: string;
  note?: ReactNode;
  count?: number | null;
}

interface Props {
  label: string;
  value: string;
  placeholder: string;
  choices: Choice[];
  busy: boolean;
  failed: string;
  /** Whether a text that is no choice may be taken; words that say what it is then. */
  free?: (text: string) => string | null;
  onSearch: (text: string) => void;
  onChange: (value: string) => void;
}

/** A text with choices below it: arrows move, Enter takes, Escape leaves all as it was. */
export function Combobox({ label, value, placeholder, choices, busy, failed, free, onSearch, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState(value);
  const [at, setAt] = useState(-1);
  const list = useId();
  const box = useRef<HTMLDivElement>(null);
  const typed = text.trim();
  const own = open && typed && free && !choices.some((choice) => choice.value === typed) ? free(typed) : null;
  const rows = own ? [...choices, { value: typed, note: own }] : choices;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (open) box.current?.querySelector(`[id="${list}-${at}"]`)?.scrollIntoView({ block: "nearest" });
  }, [open, at, list]);
  const take = (next: string) => {
    setOpen(false);
    setText(next);
    onSearch("");
    if (next !== value) onChange(next);
  };
  const leave = () => {
    setOpen(false);
    setText(value);
    onSearch("");
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return setOpen(true);
      setAt((now) => Math.min(rows.length - 1, Math.max(0, now + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter") {
      if (!open) return;
      event.preventDefault();
      const chosen = rows[at] ?? rows.find((row) => row.value === typed) ?? (typed ? undefined : { value: "" });
      if (chosen) take(chosen.value);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      leave();
    }
  };
  return (
    <div ref={box} className="relative min-w-0 flex-1" onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && open && leave()}>
      <input
        role="combobox"
        aria-label={label}
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={open && at >= 0 ? `${list}-${at}` : undefined}
        autoComplete="off"
        spellCheck={false}
        maxLength={500}
        placeholder={placeholder}
        className="field w-full min-w-0"
        value={text}
        onFocus={(event) => event.currentTarget.select()}
        onClick={() => setOpen(true)}
        onChange={(event) => {
          setText(event.target.value);
          onSearch(event.target.value);
          setAt(event.target.value.trim() ? 0 : -1);
          setOpen(true);
        }}
        onKeyDown={press}
      />
      {open && (
        <div id={list} role="listbox" aria-label={`${label}: values that occur`} className="fade-in thin-scroll absolute inset-x-0 top-full z-30 mt-1 max-h-64 overflow-auto rounded-xl border border-line bg-raised p-1 shadow-float">
          {failed && <p className="px-2 py-1.5 text-[13px] text-bad-ink">{failed}</p>}
          {!failed && !rows.length && <p className="px-2 py-1.5 text-[13px] text-ink-soft">{busy ? "Looking for values…" : "No value holds this text."}</p>}
          {rows.map((row, place) => (
            <div
              key={`${row.value}-${place}`}
              id={`${list}-${place}`}
              role="option"
              aria-selected={row.value === value}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => take(row.value)}
              onPointerEnter={() => setAt(place)}
              className={`flex cursor-pointer items-baseline gap-2 rounded-lg px-2 py-1.5 text-[13px] ${place === at ? "bg-sunken" : ""} ${row.value === value ? "font-medium text-accent-ink" : ""}`}
            >
              <bdi className="min-w-0 flex-1 break-words">{row.value || placeholder}</bdi>
              {row.note && <span className="text-ink-soft">{row.note}</span>}
              {row.count !== null && row.count !== undefined && <span className="tabular text-ink-soft">{compact(row.count)}</span>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
