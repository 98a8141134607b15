/**
 * Columns inside of self-describing data: `contexts/com.acme/cart/1/total`, `unstruct_event/com.acme/buy/1/sku`. Without
 * a property, `contexts/com.acme/cart/1`, it is the schema's version: set where the event has such an entity.
 */

export interface Nested {
  entity: boolean;
  vendor: string;
  schema: string;
  model: string;
  path: string[];
}

export function parseNested(name: string): Nested | null {
  const [kind, vendor, schema, model, ...path] = name.split("/");
  if ((kind !== "contexts" && kind !== "unstruct_event") || !vendor || !schema || !model) return null;
  return { entity: kind === "contexts", vendor, schema, model, path: path.map(decode) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The column of a property that stands at `path` in data of the schema `uri`; `null` where there can be none. */
export function nestedName(entity: boolean, uri: string, path: string[]): string | null {
  const found = /^iglu:([^/]+)\/([^/]+)\/jsonschema\/([1-9]\d*)-/.exec(uri);
  if (!found || !path.length || path.length > 8 || path.includes("")) return null;
  return [entity ? "contexts" : "unstruct_event", found[1], found[2], found[3], ...path.map(encodeURIComponent)].join("/");
}

/** What a column is called where there is little room: `cart.total`; the full name is for a tooltip. */
export function columnLabel(name: string): string {
  const nested = parseNested(name);
  return nested ? [nested.schema, ...nested.path].join(".") : name;
}

/** Keys of an event as people look for them: what it is about first, then its entities, then by name. */
export function inReadingOrder(event: Record<string, unknown>): Record<string, unknown> {
  const rank = (name: string) => (name.startsWith("unstruct_event") ? 0 : name.startsWith("contexts") || name.startsWith("derived_contexts") ? 1 : 2);
  return Object.fromEntries(Object.entries(event).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)));
}
