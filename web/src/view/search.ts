/** A view's state as its URL: flat texts, repeated where there are several, so that links stay readable. */

export type Search = Record<string, string | string[] | undefined>;

export function parseSearch(text: string): Search {
  const found: Search = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = found[name];
    found[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return found;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined || one === null || one === "") continue;
      parts.push(`${encodeURIComponent(name)}=${readable(encodeURIComponent(String(one)))}`);
    }
  }
  return parts.length ? `?${parts.join("&")}` : "";
}

/** Characters that may stand in a query as they are. */
function readable(text: string): string {
  return text.replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%7E/g, "~").replace(/%40/g, "@");
}

export function one(value: string | string[] | undefined, fallback = ""): string {
  return (Array.isArray(value) ? value[0] : value) ?? fallback;
}

export function many(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
