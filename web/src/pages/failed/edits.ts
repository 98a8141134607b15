/** Edits as the API takes them, put together from the offers that a person chose. */
import type { Schemas } from "../../api/client";

export type Offer = Schemas["Offer"];
export type Problem = Schemas["Problem"];
export const OPTIONS = ["schema", "rename", "unset", "replace", "cast", "default", "set"] as const;
export type Edits = Record<(typeof OPTIONS)[number], string[]>;

/** What was typed or chosen for an offer: one text, or one for each value that was sent. */
export interface Choice {
  offer: number;
  value: string;
  mapped: Record<string, string>;
}

export function noEdits(): Edits {
  return { schema: [], rename: [], unset: [], replace: [], cast: [], default: [], set: [] };
}

/** The edits of all choices, each once. A choice whose value is missing adds nothing. */
export function combined(problems: Problem[], choices: Record<number, Choice>): Edits {
  const made = noEdits();
  for (const [at, choice] of Object.entries(choices)) {
    const problem = problems[Number(at)];
    const offer = problem?.offers[choice.offer];
    if (problem && offer) addTo(made, problem, offer, choice);
  }
  return made;
}

function addTo(made: Edits, problem: Problem, offer: Offer, choice: Choice): void {
  for (const option of OPTIONS) for (const line of offer.edits?.[option] ?? []) once(made[option], line);
  const asked = offer.asked;
  if (!asked) return;
  if (asked.option === "replace") {
    for (const [at, text] of Object.entries(choice.mapped)) {
      const sent = problem.values[Number(at)];
      if (sent && text !== "") once(made.replace, `${asked.path}=${JSON.stringify(sent.value)}=>${literal(text, asked)}`);
    }
  } else if (choice.value !== "") once(made[asked.option], `${asked.path}=${literal(choice.value, asked)}`);
}

function once(lines: string[], line: string): void {
  if (!lines.includes(line)) lines.push(line);
}

/** A typed text as JSON: one of the choices, text where only text is allowed, else what it reads as. */
function literal(text: string, asked: NonNullable<Offer["asked"]>): string {
  const choices = asked.choices ?? [];
  if (choices.length) return JSON.stringify(choices[Number(text)] ?? null);
  const types = asked.types ?? [];
  if (types.length && types.every((type) => type === "string")) return JSON.stringify(text);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}

export function isEmpty(edits: Edits): boolean {
  return OPTIONS.every((option) => edits[option].length === 0);
}

/** The choice that loses nothing, where there is one that helps: a cast, another name, another version. */
export function suggested(problems: Problem[]): Record<number, Choice> {
  const chosen: Record<number, Choice> = {};
  problems.forEach((problem, at) => {
    const before = combined(problems, chosen);
    const offer = problem.offers.findIndex((one) => one.action === "edit" && !one.asked && !one.edits?.unset?.length && (one.helps ?? 0) > 0);
    const found = problem.offers[offer];
    if (!found || OPTIONS.some((option) => found.edits?.[option]?.some((line) => before[option].includes(line)))) return;
    chosen[at] = { offer, value: "", mapped: {} };
  });
  return chosen;
}

/** The edits as options of `snowgauge failed`. */
export function asOptions(edits: Edits): string {
  return OPTIONS.flatMap((option) => edits[option].map((line) => `--${option} ${quoted(line)}`)).join(" ");
}

function quoted(text: string): string {
  return /^[\w./:=*[\]-]+$/.test(text) && !/[[\]*]/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

/** One edit in words. */
export function inWords(option: keyof Edits, line: string): string {
  const [path, rest = ""] = split(line);
  switch (option) {
    case "cast":
      return `${path} as ${rest}`;
    case "rename":
      return `${path} renamed to ${rest}`;
    case "unset":
      return `${path} removed`;
    case "default":
      return `${path} = ${rest} where missing`;
    case "replace":
      return `${path}: ${rest.replace("=>", " → ")}`;
    case "schema":
      return `${short(path)} → ${short(rest)}`;
    default:
      return `${path} = ${rest}`;
  }
}

export function words(edits: Partial<Record<keyof Edits, string[]>>): string[] {
  return OPTIONS.flatMap((option) => (edits[option] ?? []).map((line) => inWords(option, line)));
}

function split(line: string): [string, string?] {
  const at = line.indexOf("=");
  return at < 0 ? [line] : [line.slice(0, at), line.slice(at + 1)];
}

function short(uri: string): string {
  const parts = uri.replace(/^iglu:/, "").split("/");
  return parts.length === 4 ? `${parts[1]} ${parts[3]}` : uri;
}
