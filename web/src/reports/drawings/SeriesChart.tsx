/** Lines, areas or bars over time. Loaded when one is first shown. */
import { BarChart, type BarSeriesOption, LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useDark } from "../../shell/theme";
import { compact as short, number } from "../../view/format";
import { SERIES } from "./colors";

register([BarChart, LineChart, GridComponent, TooltipComponent, SVGRenderer]);

export interface Drawn {
  name: string;
  values: (number | null)[];
  /** Its place among the colours. */
  color: number;
  /** Of the period that is compared with. */
  faint?: boolean;
  /** Drawn below the line. */
  below?: boolean;
}

interface Props {
  /** Short names of the points, and whole ones for what is said of them. */
  labels: string[];
  titles: string[];
  series: Drawn[];
  kind: "line" | "area" | "bar";
  stacked?: boolean;
  label: string;
  height: string;
  /** The place of the interval that is not over. */
  running?: number | null;
}

export default function SeriesChart({ labels, titles, series, kind, stacked = false, label, height, running = null }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const dark = useDark();
  useEffect(() => {
    if (!box.current) return;
    const chart = init(box.current, null, { renderer: "svg" });
    const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const tint = (one: Drawn) => color(SERIES[one.color % SERIES.length] ?? "--accent");
    const bar = kind === "bar";
    const line = { type: "line" as const, showSymbol: labels.length === 1, symbolSize: 6, emphasis: { disabled: true } };
    const whole = (one: Drawn) => (running === null || bar || one.faint ? one.values : one.values.map((value, at) => (at >= running ? null : value)));
    const last = (one: Drawn) => one.values.map((value, at) => (running !== null && (at === running || at === running - 1) ? value : null));
    chart.setOption({
      animation: false,
      grid: { left: 4, right: 12, top: 14, bottom: 4, containLabel: true },
      // text, not HTML: the page's policy forbids style attributes
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        axisPointer: { type: bar ? "shadow" : "line", lineStyle: { color: color("--line-strong") } },
        backgroundColor: color("--raised"),
        borderColor: color("--line"),
        textStyle: { color: color("--ink") },
        formatter: (items: unknown) => {
          const at = (items as { dataIndex: number }[])[0]?.dataIndex ?? 0;
          const said = series.slice(0, 12).map((one) => `${one.name}: ${one.values[at] === null || one.values[at] === undefined ? "–" : number(Math.abs(one.values[at]))}`);
          return [`${titles[at] ?? ""}${at === running ? " (so far)" : ""}`, ...said].join("\n");
        },
      },
      xAxis: { type: "category", boundaryGap: bar, data: labels, axisTick: { show: false }, axisLine: { onZero: true, lineStyle: { color: color("--line") } }, axisLabel: { color: color("--ink-soft"), hideOverlap: true, margin: 12 } },
      yAxis: { type: "value", splitNumber: 4, splitLine: { lineStyle: { color: color("--line") } }, axisLabel: { color: color("--ink-soft"), formatter: (value: number) => short(Math.abs(value)) } },
      series: series.flatMap((one): (BarSeriesOption | LineSeriesOption)[] => {
        const stack = stacked && !one.faint ? (one.below ? "below" : "all") : undefined;
        if (bar) return [{ type: "bar" as const, name: one.name, data: one.values.map((value, at) => ({ value, itemStyle: at === running ? { opacity: 0.55 } : {} })), stack, barMaxWidth: 42, itemStyle: { color: one.faint ? color("--ink-faint") : tint(one), opacity: one.faint ? 0.4 : 1 } }];
        if (one.faint) return [{ ...line, name: one.name, data: one.values, lineStyle: { width: 2, color: tint(one), opacity: 0.45, type: [2, 4] }, itemStyle: { color: tint(one), opacity: 0.45 } }];
        const area = kind === "area" ? { color: tint(one), opacity: stacked ? 0.45 : 0.14 } : undefined;
        const main = { ...line, name: one.name, data: whole(one), stack, lineStyle: { width: 2.5, color: tint(one) }, itemStyle: { color: tint(one) }, areaStyle: area };
        return running === null || stacked ? [{ ...main, data: one.values }] : [main, { ...line, name: one.name, data: last(one), showSymbol: running === 0, lineStyle: { width: 2.5, color: tint(one), type: [5, 5] }, itemStyle: { color: tint(one) } }];
      }),
    });
    const resize = new ResizeObserver(() => chart.resize());
    resize.observe(box.current);
    return () => {
      resize.disconnect();
      chart.dispose();
    };
  }, [labels, titles, series, kind, stacked, dark, running]);
  return <div ref={box} role="img" aria-label={label} className={`${height} w-full`} />;
}
