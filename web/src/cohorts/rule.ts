/** The rule of a cohort as it is edited, and in words. */
import { type AnyFilter } from "../analytics/view/filters";
import { EMPTY, kindOf, type Step } from "../explore/state";

export type Often = "at_least" | "at_most" | "exactly";
export const OFTEN: { id: Often; label: string }[] = [
  { id: "at_least", label: "at least" },
  { id: "at_most", label: "at most" },
  { id: "exactly", label: "exactly" },
];
export const PERIODS: { id: string; label: string }[] = [
  { id: "day", label: "today" },
  { id: "7d", label: "in the last 7 days" },
  { id: "28d", label: "in the last 28 days" },
  { id: "91d", label: "in the last 91 days" },
  { id: "12mo", label: "in the last 12 months" },
  { id: "all", label: "at any time" },
];

export interface RulePart {
  step: Step;
  often: Often;
  times: number;
  /** The name of a period, or its first and last day. */
  period: string | [string, string];
}
export interface RuleDraft {
  match: "all" | "any";
  parts: RulePart[];
}
export const PART: RulePart = { step: EMPTY, often: "at_least", times: 1, period: "28d" };

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown) => (typeof value === "string" ? value : "");

/** From the API's form; what cannot be edited here is left out. */
export function readRule(rule: Json): RuleDraft {
  const given = Array.isArray(rule.rules) ? rule.rules.filter(isObject) : [];
  const parts = given.map((one): RulePart => {
    const event = isObject(one.event) ? one.event : {};
    const times: [string, unknown][] = isObject(one.times) ? Object.entries(one.times) : [];
    const often = OFTEN.find((each) => each.id === times[0]?.[0])?.id ?? "at_least";
    const days = Array.isArray(one.date_range) ? one.date_range.map(text) : null;
    const filters = Array.isArray(event.filters) ? (event.filters as AnyFilter[]) : [];
    return { step: { ...EMPTY, kind: kindOf(text(event.kind)), name: text(event.name), filters }, often, times: typeof times[0]?.[1] === "number" ? times[0][1] : 1, period: days?.length === 2 ? [days[0] ?? "", days[1] ?? ""] : text(one.date_range) || "28d" };
  });
  return { match: rule.match === "any" ? "any" : "all", parts };
}

export function writeRule({ match, parts }: RuleDraft): Json {
  return {
    match,
    rules: parts.map(({ step, often, times, period }) => ({ event: { kind: step.kind, name: step.name, ...(step.filters.length ? { filters: step.filters } : {}) }, times: { [often]: times }, date_range: period })),
  };
}

const DID: Record<Step["kind"], string> = { page: "saw", event: "sent", goal: "reached" };

function partWords({ step, often, times, period }: RulePart): string {
  const what = step.name || `any ${step.kind}`;
  const within = typeof period === "string" ? (PERIODS.find((one) => one.id === period)?.label ?? period) : `from ${period[0]} to ${period[1]}`;
  const none = times === 0 && often !== "at_least";
  const count = none ? "never" : often === "at_least" && times === 1 ? "" : `${OFTEN.find((one) => one.id === often)?.label} ${times}×`;
  return [none ? `never ${DID[step.kind]}` : DID[step.kind], what, none ? "" : count, step.filters.length ? "(filtered)" : "", within].filter(Boolean).join(" ");
}

/** Such as `saw /pricing at least 2× in the last 28 days and never reached purchase at any time`. */
export function ruleWords(rule: Json): string {
  const { match, parts } = readRule(rule);
  const words = parts.map(partWords).join(match === "all" ? " and " : " or ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
