import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "../../api/client";
import { compact } from "../../view/format";
import { Failure } from "../../widgets/ui";
import { useDashboard } from "../parts/context";
import { Waiting } from "../parts/Waiting";
import { PROPERTY } from "../view/definitions";
import { useAnswer } from "../view/question";
import { BreakdownRows } from "./BreakdownRows";
import { rowsQuestion } from "./rows";
import { PanelMenu } from "./PanelMenu";
import type { BodyProps, Tab } from "./table";

const METRICS = ["events", "visitors"] as const;
/** What every page view carries tells a site's owner nothing. */
const USUAL_VENDORS = ["org.w3", "com.snowplowanalytics.snowplow/web_page", "com.snowplowanalytics.snowplow/client_session", "com.snowplowanalytics.snowplow/ua_parser", "com.snowplowanalytics.snowplow/bot_detection", "nl.basjes", "com.iab"];

/** Values of one property of an event or an entity, chosen by its schema. */
export default function Properties({ panel }: BodyProps) {
  const { view, scope, known, change } = useDashboard();
  const carriers = useQuery({ queryKey: ["columns", "nested", "30d"], queryFn: () => ask(api.GET("/api/v1/columns/nested", { params: { query: { range: "30d" } } })), staleTime: 5 * 60_000 });
  const listed = useMemo(
    () =>
      (carriers.data ?? [])
        .map((carrier) => ({ ...carrier, columns: carrier.columns.filter((column) => column.filterable && column.type !== "version") }))
        .filter((carrier) => carrier.columns.length),
    [carriers.data],
  );
  const first = listed.find((carrier) => carrier.kind === "event") ?? listed.find((carrier) => !USUAL_VENDORS.some((vendor) => `${carrier.vendor}/${carrier.schema}`.startsWith(vendor))) ?? listed[0];
  const chosen = view.property || first?.columns[0]?.name || "";
  const tab = useMemo((): Tab => ({ id: "property", title: "Values", dimension: `${PROPERTY}${chosen}`, metrics: [...METRICS], within: [["is_set", `${PROPERTY}${chosen}`]], empty: "No event of this period has this property." }), [chosen]);
  const answer = useAnswer(rowsQuestion(scope, tab, tab.metrics, { pagination: { limit: 10 }, include: { total_rows: true } }), { enabled: chosen !== "", keep: false });
  if (carriers.isError) return <Failure error={carriers.error} retry={() => void carriers.refetch()} />;
  if (carriers.isPending) return <Waiting what="properties" />;
  if (!chosen) return <p className="grid min-h-40 place-content-center text-center text-[13px] text-ink-soft">Properties of self-describing events and entities appear here once events carry them.</p>;
  return (
    <>
      <div className="flex items-center gap-2">
        <select aria-label="Property" className="field min-w-0 flex-1" value={chosen} onChange={(event) => change({ property: event.target.value })}>
          {!listed.some((carrier) => carrier.columns.some((column) => column.name === chosen)) && <option value={chosen}>{chosen}</option>}
          {listed.map((carrier) => (
            <optgroup key={`${carrier.kind}/${carrier.vendor}/${carrier.schema}/${carrier.model}`} label={`${carrier.schema} (${carrier.kind}, ${compact(carrier.count)}) · ${carrier.vendor}`}>
              {carrier.columns.map((column) => (
                <option key={column.name} value={column.name}>
                  {column.label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        <PanelMenu panel={panel} tab={tab} />
      </div>
      {answer.isError ? (
        <Failure error={answer.error} retry={() => void answer.refetch()} />
      ) : !answer.data || !known ? (
        <Waiting what="values" />
      ) : answer.data.results.length ? (
        <BreakdownRows panel={panel} tab={tab} answer={answer.data} metrics={tab.metrics} dim={answer.isPlaceholderData} />
      ) : (
        <p className="grid min-h-40 place-content-center text-center text-[13px] text-ink-soft">{tab.empty}</p>
      )}
    </>
  );
}
