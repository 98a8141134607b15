/** Colours of series, in the order in which they are given out; the last one is of all others. */
export const SERIES = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6", "--series-7", "--series-8", "--series-9", "--series-10"] as const;

export function seriesColor(at: number): string {
  return `var(${SERIES[at % SERIES.length] ?? SERIES[0]})`;
}

/** A share of the accent on the ground, dark enough to be seen and light enough to be written on. */
export function heat(share: number): string {
  return `color-mix(in srgb, var(--accent) ${Math.round(6 + 56 * Math.min(1, Math.max(0, share)))}%, var(--surface))`;
}
