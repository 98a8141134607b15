/** Time ranges: `30m`, `24h`, `7d`, `all`, or two ISO times with `~` between (either may be missing). */

export const PRESETS = [
  { id: "5m", label: "Last 5 minutes" },
  { id: "15m", label: "Last 15 minutes" },
  { id: "30m", label: "Last 30 minutes" },
  { id: "1h", label: "Last hour" },
  { id: "24h", label: "Last 24 hours" },
  { id: "7d", label: "Last 7 days" },
  { id: "30d", label: "Last 30 days" },
  { id: "all", label: "All time" },
] as const;

export interface Absolute {
  from: number | null;
  until: number | null;
}

export function parseAbsolute(range: string): Absolute | null {
  const [from, until, more] = range.split("~");
  if (until === undefined || more !== undefined) return null;
  const read = (text: string | undefined) => (text ? Date.parse(text) : null);
  const [a, b] = [read(from), read(until)];
  if ((a !== null && Number.isNaN(a)) || (b !== null && Number.isNaN(b)) || (a === null && b === null)) return null;
  return { from: a, until: b };
}

export function absoluteText(from: number | null, until: number | null): string {
  const iso = (at: number | null) => (at === null ? "" : new Date(at).toISOString().replace(".000Z", "Z"));
  return `${iso(from)}~${iso(until)}`;
}

export function isRange(range: string): boolean {
  return range === "all" || /^[1-9]\d{0,4}[mhd]$/.test(range) || parseAbsolute(range) !== null;
}

const UNIT: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How long a relative range is, in milliseconds. */
export function lengthOf(range: string): number | null {
  const found = /^(\d{1,5})([mhd])$/.exec(range);
  return found ? Number(found[1]) * (UNIT[found[2] ?? "m"] ?? 0) : null;
}

export function describeRange(range: string): string {
  const preset = PRESETS.find((one) => one.id === range);
  if (preset) return preset.label;
  const found = /^(\d+)([mhd])$/.exec(range);
  if (found) return `Last ${found[1]} ${{ m: "minutes", h: "hours", d: "days" }[found[2] ?? "m"]}`;
  const absolute = parseAbsolute(range);
  if (!absolute) return "Any time";
  const { from, until } = absolute;
  if (from === null) return `Before ${when(until)}`;
  if (until === null) return `After ${when(from)}`;
  const sameDay = new Date(from).toDateString() === new Date(until).toDateString();
  return `${when(from)} – ${sameDay ? clock(until) : when(until)}`;
}

function when(at: number | null): string {
  return new Date(at ?? 0).toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}
function clock(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** Intervals for a timeline over a range: about 60 of a length that people count in. */
export function intervals(range: string, now: number): { seconds: number; buckets: number; until: number } {
  const absolute = parseAbsolute(range);
  const until = absolute?.until ?? now;
  const span = absolute ? until - (absolute.from ?? until - 7 * 86_400_000) : (lengthOf(range) ?? 30 * 86_400_000);
  const steps = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400];
  const seconds = steps.find((step) => span / 1000 / step <= 62) ?? 30 * 86_400;
  return { seconds, buckets: Math.max(1, Math.min(400, Math.ceil(span / 1000 / seconds))), until };
}
