import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api, ask } from "../api/client";
import { useAllApplications, useMay } from "../shell/session";
import { inReadingOrder, nestedName } from "../view/columns";
import { middle, schemaParts } from "../view/format";
import { GROUPS, type GroupName, groupOf } from "./eventGroups";
import { Icon } from "./icons";
import { JsonTree, type LeafAction } from "./JsonTree";
import { SidePanel } from "./SidePanel";
import { CopyButton, Failure, IconButton, Segmented, Skeleton } from "./ui";

interface Props {
  kind: string;
  id: string;
  onClose: () => void;
  onFilter?: (column: string, value: string) => void;
  onColumn?: (column: string) => void;
}

/** One event at the side: its columns to click on, or its JSON. */
export function EventPanel({ kind, id, onClose, onFilter, onColumn }: Props) {
  const [tab, setTab] = useState<"columns" | "json">("columns");
  const event = useQuery({
    queryKey: ["event", kind, id],
    queryFn: () => ask(api.GET("/api/v1/events/{kind}/{event_id}", { params: { path: { kind, event_id: id } } })),
    staleTime: 60_000,
  });
  const data = event.data as Record<string, unknown> | undefined;
  const whole = useAllApplications();
  const persons = useMay("read:persons") && whole;
  // failed events are of no person: nothing is modelled of them
  const whose = kind === "good" ? [data?.user_id, data?.domain_userid].find((each): each is string => typeof each === "string" && each !== "") : undefined;
  const cause = kind === "failed" && typeof data?.cause === "string" ? data.cause : null;
  return (
    <SidePanel title={kind === "failed" ? "Failed event" : kind === "incomplete" ? "Incomplete event" : "Event"} onClose={onClose} actions={data && <CopyButton small text={() => JSON.stringify(data, null, 2)} label="Copy JSON" />}>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Segmented
          label="How to show it"
          value={tab}
          onChange={setTab}
          options={[
            { id: "columns", label: "Columns" },
            { id: "json", label: "JSON" },
          ]}
        />
        <span className="flex-1" />
        {cause && (
          <Link to="/failed" search={{ cause }} className="inline-flex items-center gap-1 rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
            <Icon name="alert" size={15} /> Why
          </Link>
        )}
        {persons && whose && (
          <Link to="/person" search={{ id: whose }} className="inline-flex items-center gap-1 rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
            <Icon name="people" size={15} /> Person
          </Link>
        )}
        <Link to="/xray" search={{ id }} className="inline-flex items-center gap-1 rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
          <Icon name="xray" size={15} /> X-ray
        </Link>
      </div>
      {event.isError && <Failure error={event.error} />}
      {event.isPending && <Skeleton className="h-64" />}
      {data && (tab === "json" ? <JsonTree value={inReadingOrder(data)} open={1} /> : <Columns data={data} kind={kind} onFilter={onFilter} onColumn={onColumn} />)}
    </SidePanel>
  );
}

/** The two parts of a bad row's data that differ from failure to failure. */
interface BadRowData {
  failure?: unknown;
  payload?: unknown;
}

interface Described {
  schema: string;
  data: unknown;
}

const NESTED = ["unstruct_event", "contexts", "derived_contexts", "bad_row", "data", "message"];

function described(data: Record<string, unknown>): { entity: boolean; item: Described }[] {
  const own = (data.unstruct_event as { data?: Described } | null)?.data;
  const entities = ["contexts", "derived_contexts"].flatMap((name) => (data[name] as { data?: Described[] } | null)?.data ?? []);
  return [...(own ? [{ entity: false, item: own }] : []), ...entities.map((item) => ({ entity: true, item }))];
}

function Columns({ data, kind, onFilter, onColumn }: { data: Record<string, unknown>; kind: string } & Pick<Props, "onFilter" | "onColumn">) {
  const set = Object.entries(data).filter(([name, value]) => value !== null && value !== "" && !NESTED.includes(name));
  const group = (title: GroupName) => {
    const own = set.filter(([name]) => groupOf(name) === title);
    return own.length ? (
      <Section key={title} title={title}>
        <Values values={own} onFilter={onFilter} />
      </Section>
    ) : null;
  };
  return (
    <div className="grid gap-4">
      {typeof data.message === "string" && <p className="rounded-lg bg-bad-soft px-3 py-2 text-bad-ink">{data.message}</p>}
      {FIRST.map(group)}
      {kind === "failed"
        ? [
            { title: "Failure", value: (data.data as BadRowData | undefined)?.failure, open: 5 },
            { title: "What was sent", value: (data.data as BadRowData | undefined)?.payload, open: 1 },
          ]
            .filter((one) => one.value !== undefined)
            .map((one) => (
              <Section key={one.title} title={one.title}>
                <JsonTree value={one.value} open={one.open} />
              </Section>
            ))
        : described(data).map(({ entity, item }, i) => <Inside key={i} entity={entity} item={item} onFilter={onFilter} onColumn={onColumn} />)}
      {GROUPS.filter((name) => !FIRST.includes(name)).map(group)}
    </div>
  );
}

function Values({ values, onFilter }: { values: [string, unknown][] } & Pick<Props, "onFilter">) {
  return (
    <dl className="grid text-[13px]">
      {values.map(([name, value]) => (
        <div key={name} className="grid grid-cols-[minmax(7rem,11rem)_1fr] gap-2 border-b border-line py-1">
          <dt className="truncate text-ink-soft" title={name}>
            {name}
          </dt>
          <dd className="min-w-0 break-words">
            {onFilter && name !== "record" ? (
              <button type="button" title={`Only ${name} = ${String(value)}`} onClick={() => onFilter(name, String(value))} className="break-all rounded text-left hover:bg-accent-soft hover:text-accent-ink">
                {middle(String(value), 160)}
              </button>
            ) : (
              middle(String(value), 160)
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const FIRST: GroupName[] = ["What", "When", "Who", "Where"];
const CLOSED = "event-panel-closed";

/** A part of the event that can be folded; whether it is, this browser remembers. */
function Section({ title, children }: { title: string; children: ReactNode }) {
  const [open, setOpen] = useState(() => !closedSections().includes(title));
  return (
    <details
      open={open}
      onToggle={(event) => {
        const next = event.currentTarget.open;
        setOpen(next);
        rememberSection(title, next);
      }}
      className="group min-w-0"
    >
      <summary className="mb-0.5 flex list-none items-center gap-1 rounded text-xs font-medium text-ink-faint hover:text-ink">
        <Icon name="right" size={13} className="transition-transform group-open:rotate-90" />
        {title}
      </summary>
      {children}
    </details>
  );
}

function closedSections(): string[] {
  try {
    return (localStorage.getItem(CLOSED) ?? "").split(",").filter(Boolean);
  } catch {
    return [];
  }
}
function rememberSection(title: string, open: boolean): void {
  try {
    const others = closedSections().filter((one) => one !== title);
    localStorage.setItem(CLOSED, (open ? others : [...others, title]).join(","));
  } catch {
    // remembered for this page only then
  }
}

/** Data of one schema. Each value can become a filter, and its property a column. */
function Inside({ entity, item, onFilter, onColumn }: { entity: boolean; item: Described } & Pick<Props, "onFilter" | "onColumn">) {
  const parts = schemaParts(item.schema);
  const actions: LeafAction = (keys, value) => {
    const column = nestedName(entity, item.schema, keys);
    if (!column) return null;
    const label = keys.join(".");
    return (
      <>
        {onFilter && <IconButton name="filter" size={13} className="!size-6" label={`Only ${label} = ${middle(String(value), 40)}`} onClick={() => onFilter(column, String(value))} />}
        {onColumn && <IconButton name="columns" size={13} className="!size-6" label={`Show ${label} as a column`} onClick={() => onColumn(column)} />}
      </>
    );
  };
  return (
    <section aria-label={parts?.name ?? item.schema} className="min-w-0">
      <h3 className="mb-0.5 flex min-w-0 items-baseline gap-2">
        <Link to="/schemas" search={{ uri: item.schema }} className="rounded font-medium text-accent-ink hover:underline" title={item.schema}>
          {parts?.name ?? item.schema}
        </Link>
        <span className="min-w-0 flex-1 truncate text-xs text-ink-faint">
          {parts?.vendor} {parts?.version}
        </span>
        <span className="text-xs text-ink-faint">{entity ? "entity" : "event"}</span>
      </h3>
      <JsonTree value={item.data} open={3} actions={onFilter || onColumn ? actions : undefined} />
    </section>
  );
}
