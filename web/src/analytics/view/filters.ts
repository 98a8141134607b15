/**
 * Filters of the analytics page, in the shape of the API and as they stand in the address: `is,visit:source,Google~Bing`.
 * What that notation cannot say (numbers, options, groups) is written as JSON.
 */

export type Value = string | number | null;
export type Condition = [operator: string, dimension: string, values?: Value[], options?: { case_sensitive?: boolean }];
export type Group = [operator: string, parts: AnyFilter | AnyFilter[]];
export type AnyFilter = Condition | Group;

export function isCondition(filter: AnyFilter): filter is Condition {
  return typeof filter[1] === "string";
}

/** Every condition of a filter, inside of its groups too. */
export function conditionsOf(filter: AnyFilter): Condition[] {
  if (isCondition(filter)) return [filter];
  const [first] = filter[1];
  return (Array.isArray(first) ? (filter[1] as AnyFilter[]) : [filter[1] as AnyFilter]).flatMap(conditionsOf);
}

/** `~` parts values; an empty one is a value that is not set. */
export function filterText(filter: AnyFilter): string {
  if (!isCondition(filter)) return JSON.stringify(filter);
  const [operator, dimension, values, options] = filter;
  if (options || values?.some((value) => typeof value === "number")) return JSON.stringify(filter);
  return [operator, dimension, ...(values ? [values.map((value) => encode(String(value ?? ""))).join("~")] : [])].join(",");
}

export function parseFilter(text: string): AnyFilter | null {
  if (text.startsWith("[")) return parseJson(text);
  const first = text.indexOf(",");
  if (first < 1) return null;
  const second = text.indexOf(",", first + 1);
  const dimension = second === -1 ? text.slice(first + 1) : text.slice(first + 1, second);
  if (!dimension) return null;
  if (second === -1) return [text.slice(0, first), dimension];
  return [text.slice(0, first), dimension, text.slice(second + 1).split("~").map((value) => (value === "" ? null : decode(value)))];
}

export function parseFilters(texts: string[]): AnyFilter[] {
  return texts.map(parseFilter).filter((found): found is AnyFilter => found !== null);
}

function parseJson(text: string): AnyFilter | null {
  try {
    const found: unknown = JSON.parse(text);
    return isFilter(found, 0) ? found : null;
  } catch {
    return null;
  }
}

function isFilter(value: unknown, depth: number): value is AnyFilter {
  if (!Array.isArray(value) || typeof value[0] !== "string" || value.length < 2 || depth > 8) return false;
  if (typeof value[1] === "string") return value[2] === undefined || Array.isArray(value[2]);
  if (!Array.isArray(value[1]) || !value[1].length) return false;
  return typeof value[1][0] === "string" ? isFilter(value[1], depth + 1) : value[1].every((part) => isFilter(part, depth + 1));
}

function encode(value: string): string {
  return value.replace(/%/g, "%25").replace(/~/g, "%7E");
}
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** With one value of a dimension as a filter; without it where that is what the filters say already. */
export function toggled(filters: AnyFilter[], dimension: string, value: Value): AnyFilter[] {
  const wanted = filterText(["is", dimension, [value]]);
  const rest = filters.filter((filter) => filterText(filter) !== wanted);
  return rest.length < filters.length ? rest : [...filters.filter((filter) => !(isCondition(filter) && filter[0] === "is" && filter[1] === dimension)), ["is", dimension, [value]]];
}

export function says(filters: AnyFilter[], dimension: string, value: Value): boolean {
  const wanted = filterText(["is", dimension, [value]]);
  return filters.some((filter) => filterText(filter) === wanted);
}
