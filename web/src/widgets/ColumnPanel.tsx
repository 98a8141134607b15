import { type ReactNode, useMemo, useRef, useState } from "react";
import { columnLabel } from "../view/columns";
import { compact, middle } from "../view/format";
import { useColumns, useNestedColumns } from "./columns";
import { SidePanel } from "./SidePanel";
import { Button, Failure, Segmented, Skeleton } from "./ui";

type Tab = "selected" | "atomic" | "event" | "entity";
interface Props {
  chosen: string[];
  range: string;
  onChange: (columns: string[]) => void;
  onReset: () => void;
  onClose: () => void;
}

/** Which columns a table shows, found by typing: those of every event, and those inside of events and entities. */
export function ColumnPanel({ chosen, range, onChange, onReset, onClose }: Props) {
  const [tab, setTab] = useState<Tab>("atomic");
  const [text, setText] = useState("");
  const list = useRef<HTMLDivElement>(null);
  // what was just unticked stays in sight until the panel closes
  const [atFirst] = useState(chosen);
  const toggle = (name: string) => onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  const words = text.toLowerCase().trim();
  const shared = { chosen, toggle, words };
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
            { id: "atomic", label: "Every event" },
            { id: "event", label: "Events" },
            { id: "entity", label: "Entities" },
            { id: "selected", label: `Selected (${chosen.length})` },
          ]}
        />
        <input key={tab} autoFocus type="search" aria-label="Find a column" placeholder="Find a column…" className="field w-full" value={text} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => event.key === "Enter" && list.current?.querySelector("input")?.click()} />
      </div>
      <div ref={list}>
      {tab === "atomic" ? <Atomic {...shared} /> : tab === "selected" ? <Selected {...shared} atFirst={atFirst} /> : <Inside {...shared} kind={tab} range={range} />}
      </div>
    </SidePanel>
  );
}

interface ListProps {
  chosen: string[];
  toggle: (name: string) => void;
  words: string;
}

function Atomic({ chosen, toggle, words }: ListProps) {
  const columns = useColumns();
  const groups = useMemo(() => {
    const shown = (columns.data ?? []).filter((one) => one.name.includes(words));
    const found = new Map<string, typeof shown>();
    for (const one of shown) found.set(one.group, [...(found.get(one.group) ?? []), one]);
    return [...found];
  }, [columns.data, words]);
  if (columns.isError) return <Failure error={columns.error} />;
  if (columns.isPending) return <Skeleton className="h-64" />;
  if (!groups.length) return <Nothing />;
  return groups.map(([group, list]) => (
    <Group key={group} title={group}>
      {list.map((one) => (
        <Tick key={one.name} name={one.name} label={one.name} type={one.type} on={chosen.includes(one.name)} toggle={toggle} />
      ))}
    </Group>
  ));
}

function Inside({ chosen, toggle, words, kind, range }: ListProps & { kind: "event" | "entity"; range: string }) {
  const nested = useNestedColumns(range);
  if (nested.isError) return <Failure error={nested.error} />;
  if (nested.isPending) return <Skeleton className="h-64" />;
  const carriers = nested.data
    .filter((one) => one.kind === kind)
    .map((one) => ({ ...one, columns: `${one.vendor}/${one.schema}`.toLowerCase().includes(words) ? one.columns : one.columns.filter((column) => column.label.toLowerCase().includes(words)) }))
    .filter((one) => one.columns.length);
  if (!carriers.length) return words ? <Nothing /> : <p className="px-1.5 text-ink-soft">No {kind === "event" ? "self-describing events" : "entities"} in this time range.</p>;
  return carriers.map((one) => (
    <Group
      key={`${one.vendor}/${one.schema}/${one.model}`}
      title={
        <span className="flex items-baseline gap-2" title={`${one.vendor}/${one.schema}, model ${one.model}`}>
          <span className="text-[13px] font-medium text-ink">{one.schema}</span>
          <span className="min-w-0 flex-1 truncate">{middle(one.vendor, 35)}</span>
          <span className="tabular">{compact(one.count)}</span>
        </span>
      }
    >
      {one.columns.map((column) => (
        <Tick key={column.name} name={column.name} label={column.label} type={column.type} on={chosen.includes(column.name)} toggle={toggle} inset />
      ))}
    </Group>
  ));
}

function Selected({ chosen, toggle, words, atFirst }: ListProps & { atFirst: string[] }) {
  const shown = [...new Set([...chosen, ...atFirst])].filter((name) => name.toLowerCase().includes(words));
  if (!shown.length) return <Nothing />;
  return shown.map((name) => <Tick key={name} name={name} label={columnLabel(name)} type="" on={chosen.includes(name)} toggle={toggle} />);
}

function Nothing() {
  return <p className="px-1.5 text-ink-soft">No such column.</p>;
}

function Group({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <fieldset className="mb-4 min-w-0">
      <legend className={`mb-1 w-full px-1.5 text-xs text-ink-faint ${typeof title === "string" ? "font-medium uppercase tracking-wide" : ""}`}>{title}</legend>
      {children}
    </fieldset>
  );
}

function Tick({ name, label, type, on, toggle, inset }: { name: string; label: string; type: string; on: boolean; toggle: (name: string) => void; inset?: boolean }) {
  return (
    <label title={name} className={`flex cursor-pointer items-center gap-2.5 rounded-md py-1 pr-1.5 hover:bg-sunken ${inset ? "pl-4" : "pl-1.5"}`}>
      <input type="checkbox" className="size-4 accent-accent" checked={on} onChange={() => toggle(name)} />
      <span className="min-w-0 flex-1 truncate">{label}</span>
      <span className="text-xs text-ink-faint">{type}</span>
    </label>
  );
}
