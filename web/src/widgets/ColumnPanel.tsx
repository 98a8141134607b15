import { useMemo, useState } from "react";
import { useColumns } from "./FilterBar";
import { SidePanel } from "./SidePanel";
import { Button, Segmented } from "./ui";

/** Which columns a table shows, found by typing, by group. */
export function ColumnPanel({ chosen, onChange, onReset, onClose }: { chosen: string[]; onChange: (columns: string[]) => void; onReset: () => void; onClose: () => void }) {
  const columns = useColumns();
  const [tab, setTab] = useState<"selected" | "all">("all");
  const [text, setText] = useState("");
  // what was just unticked stays in sight until the panel closes
  const [atFirst] = useState(chosen);
  const groups = useMemo(() => {
    const shown = (columns.data ?? []).filter((one) => one.name.includes(text.toLowerCase().trim()) && (tab === "all" || chosen.includes(one.name) || atFirst.includes(one.name)));
    const found = new Map<string, typeof shown>();
    for (const one of shown) found.set(one.group, [...(found.get(one.group) ?? []), one]);
    return [...found];
  }, [columns.data, text, tab, chosen, atFirst]);
  return (
    <SidePanel
      title="Columns"
      onClose={onClose}
      actions={
        <Button small kind="quiet" onClick={onReset}>
          Reset
        </Button>
      }
    >
      <div className="sticky -top-4 z-10 -mx-4 -mt-4 grid gap-2 bg-surface px-4 pb-3 pt-4">
        <Segmented
          label="Which columns"
          value={tab}
          onChange={setTab}
          options={[
            { id: "all", label: "All" },
            { id: "selected", label: `Selected (${chosen.length})` },
          ]}
        />
        <input autoFocus aria-label="Find a column" placeholder="Find a column…" className="field w-full" value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      {groups.map(([group, list]) => (
        <fieldset key={group} className="mb-4">
          <legend className="mb-1 text-xs font-medium uppercase tracking-wide text-ink-faint">{group}</legend>
          {list.map((column) => (
            <label key={column.name} className="flex cursor-pointer items-center gap-2.5 rounded-md px-1.5 py-1 hover:bg-sunken">
              <input type="checkbox" className="size-4 accent-accent" checked={chosen.includes(column.name)} onChange={() => onChange(chosen.includes(column.name) ? chosen.filter((one) => one !== column.name) : [...chosen, column.name])} />
              <span className="min-w-0 flex-1 truncate">{column.name}</span>
              <span className="text-xs text-ink-faint">{column.type}</span>
            </label>
          ))}
        </fieldset>
      ))}
    </SidePanel>
  );
}
