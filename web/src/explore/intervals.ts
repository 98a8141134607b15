/** The intervals that a chart of a period can be cut into. */
export function intervalsOf(period: string): string[] {
  if (period === "realtime") return ["minute"];
  if (["day", "yesterday", "24h"].includes(period)) return ["minute", "hour"];
  if (period === "7d") return ["hour", "day"];
  return ["day", "week", "month"];
}
