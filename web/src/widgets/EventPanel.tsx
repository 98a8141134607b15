import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../api/client";
import { middle } from "../view/format";
import { Icon } from "./icons";
import { JsonTree } from "./JsonTree";
import { SidePanel } from "./SidePanel";
import { CopyButton, Failure, Segmented, Skeleton } from "./ui";

/** One event at the side: its columns to click on, or its JSON. */
export function EventPanel({ kind, id, onClose, onFilter }: { kind: string; id: string; onClose: () => void; onFilter?: (column: string, value: string) => void }) {
  const [tab, setTab] = useState<"columns" | "json">("columns");
  const event = useQuery({
    queryKey: ["event", kind, id],
    queryFn: () => ask(api.GET("/api/v1/events/{kind}/{event_id}", { params: { path: { kind, event_id: id } } })),
    staleTime: 60_000,
  });
  const data = event.data as Record<string, unknown> | undefined;
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
        <Link to={"/xray" as never} search={{ id } as never} className="inline-flex items-center gap-1 rounded-lg px-2 py-1 text-accent-ink hover:bg-accent-soft">
          <Icon name="xray" size={15} /> X-ray
        </Link>
      </div>
      {event.isError && <Failure error={event.error} />}
      {event.isPending && <Skeleton className="h-64" />}
      {data && (tab === "json" ? <JsonTree value={data} open={1} /> : <Columns data={data} onFilter={onFilter} />)}
    </SidePanel>
  );
}

const NESTED = ["unstruct_event", "contexts", "derived_contexts", "bad_row"];

function Columns({ data, onFilter }: { data: Record<string, unknown>; onFilter?: (column: string, value: string) => void }) {
  const set = Object.entries(data).filter(([name, value]) => value !== null && value !== "" && name !== "data" && !NESTED.includes(name));
  const nested = NESTED.filter((name) => data[name]);
  return (
    <div className="grid gap-4">
      {nested.map((name) => (
        <section key={name} aria-label={name}>
          <h3 className="mb-1 text-xs font-medium text-ink-faint">{name}</h3>
          <JsonTree value={(data[name] as { data?: unknown })?.data ?? data[name]} open={3} />
        </section>
      ))}
      <dl className="grid text-[13px]">
        {set.map(([name, value]) => (
          <div key={name} className="grid grid-cols-[11rem_1fr] gap-2 border-b border-line py-1">
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
    </div>
  );
}
