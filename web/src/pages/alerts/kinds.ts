/** Kinds of alert in words, and the fields that each has. */
import type { Schemas } from "../../api/client";

/** An alert, with its condition by the names of its fields. */
export type Rule = Omit<Schemas["Rule"], "condition"> & { condition: { kind: string } & Record<string, unknown> };
export type Alert = Omit<Schemas["AlertShown"], "rule"> & { rule: Rule };

export interface Param {
  name: string;
  label: string;
  type: "number" | "choice" | "flag" | "words" | "json";
  options?: (string | number)[];
  min?: number;
}

export const KINDS: Record<string, { title: string; start: Record<string, unknown>; fields: Param[]; history: boolean; apps: boolean }> = {
  no_events: {
    title: "An application sends nothing",
    start: { least_per_hour: 50, minutes: 15 },
    fields: [
      { name: "least_per_hour", label: "Usual events an hour, at least", type: "number", min: 1 },
      { name: "minutes", label: "Minutes of silence", type: "choice", options: [15, 30, 60, 120, 240] },
    ],
    history: true,
    apps: true,
  },
  traffic: {
    title: "Views of an hour are not as usual",
    start: { direction: "both", sensitivity: 4, least_apart: 20 },
    fields: [
      { name: "direction", label: "Direction", type: "choice", options: ["both", "drop", "spike"] },
      { name: "sensitivity", label: "Deviations", type: "number", min: 1 },
      { name: "least_apart", label: "Views apart, at least", type: "number", min: 1 },
    ],
    history: true,
    apps: true,
  },
  event: {
    title: "An event is missing, or there is too much of it",
    start: { direction: "drop", sensitivity: 4, least_apart: 20, events: [], releases: true },
    fields: [
      { name: "events", label: "Events, with commas between (none: all)", type: "words" },
      { name: "direction", label: "Direction", type: "choice", options: ["drop", "spike", "both"] },
      { name: "sensitivity", label: "Deviations", type: "number", min: 1 },
      { name: "least_apart", label: "Events apart, at least", type: "number", min: 1 },
      { name: "releases", label: "Also releases that lose an event", type: "flag" },
    ],
    history: true,
    apps: true,
  },
  measure: {
    title: "A figure crosses a value",
    start: { question: { metrics: ["visits"] }, minutes: 60, comparison: "below", value: 10 },
    fields: [
      { name: "question", label: "Question, as JSON with one metric", type: "json" },
      { name: "minutes", label: "Period in minutes", type: "choice", options: [5, 15, 60, 1440] },
      { name: "comparison", label: "Fires when it", type: "choice", options: ["below", "above", "changes_by"] },
      { name: "value", label: "Value", type: "number" },
    ],
    history: true,
    apps: true,
  },
  failed: {
    title: "Many events fail",
    start: { share: 1, least: 20 },
    fields: [
      { name: "share", label: "Percent of events", type: "number", min: 0 },
      { name: "least", label: "Failed events, at least", type: "number", min: 1 },
    ],
    history: true,
    apps: true,
  },
  new_failure: { title: "Events fail for a new cause", start: { days: 7 }, fields: [{ name: "days", label: "Days without the cause", type: "number", min: 1 }], history: true, apps: true },
  drift: { title: "What is sent has changed", start: { least: "warn" }, fields: [{ name: "least", label: "From severity", type: "choice", options: ["info", "warn", "critical"] }], history: false, apps: true },
  pipeline: { title: "A part of the pipeline is not well", start: {}, fields: [], history: false, apps: false },
  modelling: { title: "Modelled tables are behind", start: { minutes: 15 }, fields: [{ name: "minutes", label: "Minutes behind", type: "number", min: 2 }], history: false, apps: false },
};

export const NEW: Omit<Rule, "id"> = {
  name: "",
  enabled: true,
  severity: "warn",
  apps: [],
  for_checks: 2,
  resolve_checks: 2,
  remind_hours: 24,
  muted_until: null,
  channels: [],
  owner: "",
  note: "",
  condition: { kind: "traffic", ...KINDS.traffic?.start },
};
