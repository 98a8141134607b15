/** A chart of rows: loaded when one is shown. */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useDark } from "../shell/theme";

register([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

export interface Series {
  name: string;
  values: (number | null)[];
}

/** Days without the time of day that all of them share. */
function short(labels: string[]): string[] {
  const midnight = / 00:00:00(\.0+)?$/;
  return labels.every((label) => midnight.test(label)) ? labels.map((label) => label.replace(midnight, "")) : labels;
}

export default function Chart({ labels, series, kind, label, height = "h-80" }: { labels: string[]; series: Series[]; kind: "bar" | "line"; label: string; height?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const dark = useDark();
  useEffect(() => {
    if (!box.current) return;
    const chart = init(box.current, null, { renderer: "svg" });
    const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    chart.setOption({
      animation: false,
      color: [color("--accent"), color("--good"), color("--bad"), color("--warn-ink"), color("--ink-soft")],
      textStyle: { color: color("--ink-soft") },
      grid: { left: 8, right: 16, top: series.length > 1 ? 36 : 16, bottom: 8, containLabel: true },
      legend: series.length > 1 ? { top: 0, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: color("--ink-soft") } } : undefined,
      // text, not HTML: the page's policy forbids style attributes
      tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: color("--raised"), borderColor: color("--line"), textStyle: { color: color("--ink") } },
      xAxis: { type: "category", data: short(labels), axisLine: { lineStyle: { color: color("--line-strong") } }, axisLabel: { color: color("--ink-soft"), hideOverlap: true } },
      yAxis: { type: "value", splitLine: { lineStyle: { color: color("--line") } }, axisLabel: { color: color("--ink-soft") } },
      series: series.map((one) => ({ name: one.name, type: kind, data: one.values, showSymbol: false, barMaxWidth: 42, itemStyle: { borderRadius: kind === "bar" ? [3, 3, 0, 0] : 0 } })),
    });
    const resize = new ResizeObserver(() => chart.resize());
    resize.observe(box.current);
    return () => {
      resize.disconnect();
      chart.dispose();
    };
  }, [labels, series, kind, dark]);
  return <div ref={box} role="img" aria-label={label} className={`${height} w-full`} />;
}
