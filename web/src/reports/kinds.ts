/** The kinds of reports: how each is asked, and what its question and its answer are. */
import { api, ask, type Schemas } from "../api/client";

export interface Reports {
  trends: { question: Schemas["TrendsQuestion"]; answer: Schemas["TrendsAnswer"] };
  funnel: { question: Schemas["FunnelQuestion"]; answer: Schemas["FunnelAnswer"] };
  retention: { question: Schemas["RetentionQuestion"]; answer: Schemas["RetentionAnswer"] };
  lifecycle: { question: Schemas["LifecycleQuestion"]; answer: Schemas["LifecycleAnswer"] };
  stickiness: { question: Schemas["StickinessQuestion"]; answer: Schemas["StickinessAnswer"] };
  journeys: { question: Schemas["JourneysQuestion"]; answer: Schemas["JourneysAnswer"] };
  attribution: { question: Schemas["AttributionQuestion"]; answer: Schemas["AttributionAnswer"] };
  query: { question: Schemas["AnalyticsQuestion"]; answer: Schemas["AnalyticsAnswer"] };
  sql: { question: Schemas["Asked"]; answer: Schemas["Answer"] };
}
export type ReportKind = keyof Reports;
export type Asked = { [K in ReportKind]: { kind: K; question: Reports[K]["question"] } }[ReportKind];
export type Answered = { [K in ReportKind]: { kind: K; question: Reports[K]["question"]; answer: Reports[K]["answer"] } }[ReportKind];

export const TITLES: Record<ReportKind, string> = {
  trends: "Trends",
  funnel: "Funnel",
  retention: "Retention",
  lifecycle: "Lifecycle",
  stickiness: "Stickiness",
  journeys: "Journeys",
  attribution: "Attribution",
  query: "Figures",
  sql: "SQL",
};

/** What a question of each kind has to have; all else the server says. */
const ESSENTIAL: Record<ReportKind, string | null> = { trends: "series", funnel: "steps", retention: "start", lifecycle: "event", stickiness: "event", journeys: null, attribution: null, query: "metrics", sql: "sql" };

function is<K extends ReportKind>(asked: { kind: ReportKind; question: object }, kind: K): asked is { kind: K; question: Reports[K]["question"] } {
  const field = ESSENTIAL[kind];
  return asked.kind === kind && (field === null || field in asked.question);
}

/** A kept question with its kind, or `null` where it is no question of that kind. */
export function readAsked(kind: string, question: object): Asked | null {
  const named = Object.keys(ESSENTIAL).find((name): name is ReportKind => name === kind);
  if (!named) return null;
  const given = { kind: named, question };
  if (is(given, "trends") || is(given, "funnel") || is(given, "retention") || is(given, "lifecycle") || is(given, "stickiness") || is(given, "journeys") || is(given, "attribution") || is(given, "query") || is(given, "sql")) return given;
  return null;
}

type Given = Schemas["ReportAnswer"];

function answers<K extends ReportKind>(given: Given, kind: K): given is Given & { kind: K } & Reports[K] {
  return given.kind === kind;
}

/** The server's answer to a kept question, with the types of its kind. */
export function readAnswered(given: Given): Answered | null {
  if (answers(given, "trends") || answers(given, "funnel") || answers(given, "retention") || answers(given, "lifecycle") || answers(given, "stickiness") || answers(given, "journeys") || answers(given, "attribution") || answers(given, "query") || answers(given, "sql")) return given;
  return null;
}

/** Asks; an aborted signal ends the question in the store, too. */
export async function askReport(asked: Asked, signal?: AbortSignal): Promise<Answered> {
  switch (asked.kind) {
    case "trends":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/trends", { body: asked.question, signal })) };
    case "funnel":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/funnel", { body: asked.question, signal })) };
    case "retention":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/retention", { body: asked.question, signal })) };
    case "lifecycle":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/lifecycle", { body: asked.question, signal })) };
    case "stickiness":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/stickiness", { body: asked.question, signal })) };
    case "journeys":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/journeys", { body: asked.question, signal })) };
    case "attribution":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/attribution", { body: asked.question, signal })) };
    case "query":
      return { ...asked, answer: await ask(api.POST("/api/v1/analytics/query", { body: asked.question, signal })) };
    case "sql":
      return { ...asked, answer: await ask(api.POST("/api/v1/sql", { body: asked.question, signal })) };
  }
}
