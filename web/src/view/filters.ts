/** Filters as they stand in the URL and go to the API: `column:a~b`, `column:!a`, `column:*a`, `column:-`, `column:+`, `column:>=a`, `column:>a`, `column:<=b`, `column:<b`, `column:>=a~b`. */
import { columnLabel } from "./columns";

export type Op = "in" | "not_in" | "contains" | "gte" | "gt" | "lte" | "lt" | "between" | "none" | "some";
export interface Filter {
  column: string;
  op: Op;
  values: string[];
}

const SIGN: Record<Op, string> = { in: "", not_in: "!", contains: "*", gte: ">=", gt: ">", lte: "<=", lt: "<", between: ">=", none: "-", some: "+" };
const WORD: Record<Op, string> = { in: "is", not_in: "is not", contains: "contains", gte: "≥", gt: ">", lte: "≤", lt: "<", between: "is from", none: "is not set", some: "is set" };

/** Of signs that begin alike the longer one first. */
const ORDER: Op[] = ["gte", "lte", "gt", "lt"];

export function parseFilter(text: string): Filter | null {
  const colon = text.indexOf(":");
  if (colon < 1) return null;
  const column = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  if (rest === "-") return { column, op: "none", values: [] };
  if (rest === "+") return { column, op: "some", values: [] };
  const order = ORDER.find((one) => rest.startsWith(SIGN[one]));
  if (order) {
    const bounds = rest.slice(SIGN[order].length).split("~").map(decode);
    if (!bounds.every(Boolean) || bounds.length > (order === "gte" ? 2 : 1)) return null;
    return { column, op: bounds.length === 2 ? "between" : order, values: bounds };
  }
  const op: Op = rest.startsWith("!") ? "not_in" : rest.startsWith("*") ? "contains" : "in";
  const values = (op === "in" ? rest : rest.slice(1)).split("~").map(decode).filter(Boolean);
  return values.length ? { column, op, values } : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Values that hold the marks of this notation are percent-encoded. */
function encode(value: string, first: boolean): string {
  const safe = value.replace(/%/g, "%25").replace(/~/g, "%7E");
  return first ? safe.replace(/^[!*+<>-]/, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`) : safe;
}

export function filterText(filter: Filter): string {
  return `${filter.column}:${SIGN[filter.op]}${filter.values.map((value, i) => encode(value, i === 0 && filter.op === "in")).join("~")}`;
}

export function parseFilters(texts: string[]): Filter[] {
  return texts.map(parseFilter).filter((found): found is Filter => found !== null);
}

export function describeFilter(filter: Filter): string {
  if (filter.op === "between") return `${columnLabel(filter.column)} is from ${filter.values[0]} to below ${filter.values[1]}`;
  const values = filter.values.length > 2 ? `${filter.values[0]} or ${filter.values.length - 1} others` : filter.values.join(" or ");
  return `${columnLabel(filter.column)} ${WORD[filter.op]}${values ? ` ${values}` : ""}`;
}

/** The same filters with one column's condition replaced (`null`: taken away). */
export function withFilter(texts: string[], column: string, filter: Filter | null): string[] {
  const rest = texts.filter((text) => parseFilter(text)?.column !== column);
  return filter && (filter.values.length || filter.op === "none" || filter.op === "some") ? [...rest, filterText(filter)] : rest;
}
