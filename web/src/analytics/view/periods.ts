/** Periods of the analytics page: a name that the API knows, or two dates or times with `~` between. */

export interface PeriodChoice {
  id: string;
  label: string;
  /** Pressed alone on the page. */
  key?: string;
  /** "Last n days" end yesterday; today may be included. */
  ends?: "yesterday" | "month";
}

export const PERIODS: PeriodChoice[] = [
  { id: "day", label: "Today", key: "d" },
  { id: "yesterday", label: "Yesterday", key: "e" },
  { id: "24h", label: "Last 24 hours", key: "h" },
  { id: "7d", label: "Last 7 days", key: "w", ends: "yesterday" },
  { id: "28d", label: "Last 28 days", key: "f", ends: "yesterday" },
  { id: "30d", label: "Last 30 days", key: "T", ends: "yesterday" },
  { id: "91d", label: "Last 91 days", key: "n", ends: "yesterday" },
  { id: "month", label: "Month to date", key: "m" },
  { id: "last_month", label: "Last month", key: "P" },
  { id: "year", label: "Year to date", key: "y" },
  { id: "12mo", label: "Last 12 months", key: "l", ends: "month" },
  { id: "all", label: "All time", key: "a" },
];

export const USUAL_PERIOD = "28d";
export const LIVE = "realtime";

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** The two ends of a period that has no name. */
export function ends(period: string): [string, string] | null {
  const [from = "", until = "", more] = period.split("~");
  if (more !== undefined) return null;
  if (DATE.test(from) && DATE.test(until)) return from <= until ? [from, until] : null;
  return TIME.test(from) && TIME.test(until) && Date.parse(from) < Date.parse(until) ? [from, until] : null;
}

export function isPeriod(period: string): boolean {
  return period === LIVE || PERIODS.some((one) => one.id === period) || ends(period) !== null;
}

export function isDates(period: string): boolean {
  return DATE.test(ends(period)?.[0] ?? "");
}

/** A date moved by whole days, on the calendar and without a time zone. */
export function moved(date: string, days: number): string {
  const [year = 1970, month = 1, day = 1] = date.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day + days)).toISOString().slice(0, 10);
}

export function daysBetween(from: string, until: string): number {
  return Math.round((Date.parse(`${until}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

/** Does it begin a day? A date without a time does. */
function isMidnight(text: string): boolean {
  return (text.slice(11, 19) || "00:00:00") === "00:00:00";
}

/** The dates of an answered period, whose end is not in it: local ones, the last one included. */
export function datesOf(start: string, end: string): [string, string] {
  return [start.slice(0, 10), moved(end.slice(0, 10), isMidnight(end) ? -1 : 0)];
}

/** The same stretch one step back or on: whole months and years where the period is one, else as many days. */
export function stepped(start: string, end: string, by: -1 | 1): string {
  const [first, last] = datesOf(start, end);
  const next = moved(last, 1);
  if (first.endsWith("-01") && next.endsWith("-01")) {
    const months = (Number(next.slice(0, 4)) - Number(first.slice(0, 4))) * 12 + Number(next.slice(5, 7)) - Number(first.slice(5, 7));
    return `${addMonths(first, by * months)}~${moved(addMonths(next, by * months), -1)}`;
  }
  const length = daysBetween(first, last) + 1;
  return `${moved(first, by * length)}~${moved(last, by * length)}`;
}

function addMonths(first: string, months: number): string {
  const [year = 1970, month = 1] = first.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
const dayAndYear = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
const monthOnly = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", timeZone: "UTC" });
const withWeekday = new Intl.DateTimeFormat(undefined, { weekday: "short", month: "short", day: "numeric", year: "numeric", timeZone: "UTC" });

/** Local dates and times are written with the digits they came with: the browser's own zone has no part in it. */
function wall(text: string): Date {
  return new Date(`${text.slice(0, 10)}T${text.slice(11, 19) || "00:00:00"}Z`);
}

export function dateText(text: string, year = false): string {
  return (year ? dayAndYear : day).format(wall(text));
}

/** The name of one interval of a chart. */
export function bucketText(label: string, interval: string, whole = false): string {
  if (interval === "month") return monthOnly.format(wall(label));
  if (interval === "year") return label.slice(0, 4);
  if (interval === "hour" || interval === "minute") return whole ? `${day.format(wall(label))}, ${label.slice(11, 16)}` : label.slice(11, 16);
  return whole ? `${interval === "week" ? "Week of " : ""}${withWeekday.format(wall(label))}` : day.format(wall(label));
}

export function periodText(start: string, end: string): string {
  const [first, last] = datesOf(start, end);
  if (!isMidnight(end) || !isMidnight(start)) {
    return `${day.format(wall(start))}, ${start.slice(11, 16)} – ${first === end.slice(0, 10) ? "" : `${day.format(wall(end))}, `}${end.slice(11, 16)}`;
  }
  if (first === last) return dayAndYear.format(wall(first));
  return `${first.slice(0, 4) === last.slice(0, 4) ? day.format(wall(first)) : dayAndYear.format(wall(first))} – ${dayAndYear.format(wall(last))}`;
}
