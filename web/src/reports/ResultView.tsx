/** The answer to a question of any kind, drawn. `compact`: on a tile, with little room and nothing to click. */
import { lazy, Suspense } from "react";
import { SqlResult } from "../sql/SqlResult";
import { Empty, Skeleton } from "../widgets/ui";
import type { Answered } from "./kinds";
import { AttributionView } from "./drawings/AttributionView";
import { FunnelView } from "./drawings/FunnelView";
import { JourneysView } from "./drawings/JourneysView";
import { RetentionView } from "./drawings/RetentionView";
import { tableOf } from "./table";
import { TableView } from "./drawings/TableView";

const LifecycleView = lazy(() => import("./drawings/LifecycleView"));
const QueryView = lazy(() => import("./drawings/QueryView"));
const StickinessView = lazy(() => import("./drawings/StickinessView"));
const TrendsView = lazy(() => import("./drawings/TrendsView"));

export interface Looks {
  compact?: boolean;
  /** How it is drawn, such as `bar` or `table`; empty or unknown: as usual. */
  show?: string;
  /** Opens who dropped off before, or reached, a step (from 1) of a funnel. */
  onPeople?: (step: number, reached: boolean) => void;
}

export function ResultView(props: Answered & Looks) {
  return (
    <Suspense fallback={<Skeleton className={props.compact ? "h-40" : "h-72"} />}>
      <Drawing {...props} />
    </Suspense>
  );
}

function Drawing(props: Answered & Looks) {
  const { compact = false, show = "", onPeople } = props;
  if (show === "table" && props.kind !== "trends" && props.kind !== "sql") return <TableView {...tableOf(props)} compact={compact} label="Rows" />;
  switch (props.kind) {
    case "trends":
      return <TrendsView question={props.question} answer={props.answer} compact={compact} show={show} />;
    case "funnel":
      return props.answer.results[0]?.steps[0]?.count ? <FunnelView question={props.question} answer={props.answer} compact={compact} onPeople={onPeople} /> : <Nobody compact={compact}>No one did the first step in this period. Check its name and the filters, or choose a longer period.</Nobody>;
    case "retention":
      return props.answer.results[0]?.cohorts.some((cohort) => cohort.size) ? <RetentionView question={props.question} answer={props.answer} compact={compact} /> : <Nobody compact={compact}>No one did the start event in this period. People who are known for one day at a time are left out.</Nobody>;
    case "lifecycle":
      return props.answer.results.some((point) => point.active || point.dormant) ? <LifecycleView question={props.question} answer={props.answer} compact={compact} /> : <Nobody compact={compact}>No one did the event in this period.</Nobody>;
    case "stickiness":
      return props.answer.results[0]?.at_least ? <StickinessView question={props.question} answer={props.answer} compact={compact} /> : <Nobody compact={compact}>No one did the event in this period.</Nobody>;
    case "journeys":
      return props.answer.nodes.length ? <JourneysView question={props.question} answer={props.answer} compact={compact} /> : <Nobody compact={compact}>No visit of this period went that way.</Nobody>;
    case "attribution":
      return props.answer.results.length ? <AttributionView question={props.question} answer={props.answer} compact={compact} /> : <Nobody compact={compact}>No one reached the goal in this period.</Nobody>;
    case "query":
      return props.answer.results.length ? <QueryView answer={props.answer} /> : <Nobody compact={compact}>Nothing in this period meets the filters.</Nobody>;
    case "sql":
      return props.answer.rows.length ? <SqlResult answer={props.answer} show={show} compact={compact} /> : <Nobody compact={compact}>The query has no rows.</Nobody>;
  }
}

function Nobody({ compact, children }: { compact: boolean; children: string }) {
  return compact ? <p className="grid min-h-32 place-content-center text-center text-[13px] text-ink-soft">{children}</p> : <Empty icon="chart" title="Nothing to show">{children}</Empty>;
}
