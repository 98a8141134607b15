/** Numbers, times and long texts as people read them. */

const plain = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export function number(value: number): string {
  return plain.format(value);
}
export function compact(value: number): string {
  return value < 10_000 ? plain.format(value) : short.format(value);
}
/** `1 event`, `2,345 events`; `many` where an s does not make the plural. */
export function counted(value: number, one: string, many = `${one}s`, written = number): string {
  return `${written(value)} ${value === 1 ? one : many}`;
}
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${left >= 100 || at === 0 ? Math.round(left) : left.toFixed(1)} ${units[at]}`;
}
export function percent(part: number, whole: number): string {
  if (!whole) return "0 %";
  const share = (100 * part) / whole;
  return `${share > 0 && share < 0.1 ? "< 0.1" : share.toFixed(share < 10 ? 1 : 0)} %`;
}

const sameYear = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const otherYear = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const clockOnly = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function time(at: number): string {
  const day = new Date(at);
  const now = new Date();
  if (day.toDateString() === now.toDateString()) return clockOnly.format(day);
  return (day.getFullYear() === now.getFullYear() ? sameYear : otherYear).format(day);
}
const briefly = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const brieflyOther = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
export function briefTime(at: number): string {
  const day = new Date(at);
  return (day.toDateString() === new Date().toDateString() ? briefly : brieflyOther).format(day);
}
export function exactTime(at: number): string {
  return new Date(at).toISOString();
}

export function ago(at: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 90) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  if (value < 129_600) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86_400)} d`;
}

/** Cut in the middle: the ends of an id or URL tell more than its middle. */
export function middle(text: string, most = 40): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

/** `iglu:com.acme/cart/jsonschema/1-0-0` -> vendor, name, version. */
export function schemaParts(uri: string): { vendor: string; name: string; version: string } | null {
  const found = /^iglu:([^/]+)\/([^/]+)\/[^/]+\/([^/]+)$/.exec(uri);
  return found ? { vendor: found[1] ?? "", name: found[2] ?? "", version: found[3] ?? "" } : null;
}
