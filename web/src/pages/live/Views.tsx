import { Popover } from "radix-ui";
import { useState } from "react";
import { type Search, stringifySearch } from "../../view/search";
import { Icon } from "../../widgets/icons";
import { Button, IconButton } from "../../widgets/ui";
import type { Change, LiveView } from "./view";

const KEPT = "live-views";
const MOST = 50;
const OWN = ["status", "range", "where", "search", "cols", "pins", "order"] as const;

interface Kept {
  name: string;
  search: Search;
}

/** Filters, time range and columns under a name, kept by this browser. */
export function Views({ view, search, onOpen }: { view: LiveView; search: Search; onOpen: Change }) {
  const [open, setOpen] = useState(false);
  const [kept, setKept] = useState(read);
  const [name, setName] = useState("");
  const now: Search = Object.fromEntries(OWN.map((key) => [key, key === "range" ? (view.range === "all" ? undefined : view.range) : search[key]]));
  const keep = (next: Kept[]) => {
    setKept(next);
    try {
      localStorage.setItem(KEPT, JSON.stringify(next));
    } catch {
      // kept for this page only then
    }
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="inline-flex h-9 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken">
        Views
        <Icon name="down" size={14} className="text-ink-faint" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} aria-label="Saved views" className="fade-in z-40 grid w-80 gap-3 rounded-xl border border-line bg-raised p-3 shadow-float">
          {kept.length === 0 && <p className="text-[13px] text-ink-soft">A view keeps the filters, the time range and the columns of this page, in this browser.</p>}
          <ul aria-label="Saved views" className="thin-scroll grid max-h-72 overflow-auto">
            {kept.map((each) => (
              <li key={each.name} className="flex items-center gap-1">
                <button
                  type="button"
                  title={stringifySearch(each.search)}
                  onClick={() => {
                    onOpen({ ...Object.fromEntries(OWN.map((key) => [key, undefined])), ...each.search });
                    setOpen(false);
                  }}
                  className="min-w-0 flex-1 truncate rounded-md px-2 py-1.5 text-left hover:bg-sunken"
                >
                  <bdi>{each.name}</bdi>
                </button>
                <IconButton name="trash" size={15} label={`Remove view ${each.name}`} onClick={() => keep(kept.filter((other) => other.name !== each.name))} />
              </li>
            ))}
          </ul>
          <form
            className="grid gap-2 border-t border-line pt-3"
            onSubmit={(event) => {
              event.preventDefault();
              keep([...kept.filter((other) => other.name !== name.trim()), { name: name.trim(), search: now }].slice(-MOST));
              setName("");
            }}
          >
            <label className="grid gap-1 text-[13px]">
              Save this view as
              <input required maxLength={100} className="field" value={name} onChange={(event) => setName(event.target.value)} />
            </label>
            <Button kind="primary" type="submit" disabled={!name.trim()}>
              Save view
            </Button>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function read(): Kept[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    if (!Array.isArray(found)) return [];
    return found.flatMap((each: unknown): Kept[] => {
      if (typeof each !== "object" || each === null || !("name" in each) || !("search" in each)) return [];
      if (typeof each.name !== "string" || typeof each.search !== "object" || each.search === null) return [];
      return [{ name: each.name, search: tidy(Object.entries(each.search)) }];
    });
  } catch {
    return [];
  }
}

function tidy(entries: [string, unknown][]): Search {
  const found: Search = {};
  for (const key of OWN) {
    const value = entries.find(([name]) => name === key)?.[1];
    if (typeof value === "string") found[key] = value;
    else if (Array.isArray(value)) found[key] = value.filter((text): text is string => typeof text === "string");
  }
  return found;
}
