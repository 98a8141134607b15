/** What the kinds of saved reports are called, and which answer belongs to which. */
import type { Schemas } from "../api/client";

export type Kind = Schemas["SavedReport"]["kind"];
type Given = Schemas["ReportAnswer"];

export const TITLES: Record<Kind, string> = {
  query: "Figures",
  trends: "Trends",
  funnel: "Funnel",
  retention: "Retention",
  lifecycle: "Lifecycle",
  stickiness: "Stickiness",
  journeys: "Journeys",
  attribution: "Attribution",
  sql: "SQL",
};

interface Answers {
  query: Schemas["AnalyticsAnswer"];
  trends: Schemas["TrendsAnswer"];
  funnel: Schemas["FunnelAnswer"];
  retention: Schemas["RetentionAnswer"];
  lifecycle: Schemas["LifecycleAnswer"];
  stickiness: Schemas["StickinessAnswer"];
  journeys: Schemas["JourneysAnswer"];
  attribution: Schemas["AttributionAnswer"];
  sql: Schemas["Answer"];
}

export function isOf<K extends Kind>(given: Given, kind: K): given is Given & { answer: Answers[K] } {
  return given.kind === kind;
}
