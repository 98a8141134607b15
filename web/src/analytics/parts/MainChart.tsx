/** One measure over the period: loaded when it is first shown. */
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useDark } from "../../shell/theme";

register([AriaComponent, BarChart, LineChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

export interface ChartPoint {
  label: string;
  /** In full, for the tooltip. */
  title: string;
  before: string;
  now: number | null;
  earlier: number | null;
  /** What imported days have of it. */
  imported: number | null;
  /** What people wrote about this time. */
  notes: string[];
  state: "whole" | "partial" | "running" | "future";
}

interface Props {
  points: ChartPoint[];
  compared: boolean;
  label: string;
  write: (value: number | null) => string;
  whole: boolean;
  onPick: (at: number) => void;
}

export default function MainChart({ points, compared, label, write, whole, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const dark = useDark();
  const latest = useRef({ write, onPick });
  latest.current = { write, onPick };
  useEffect(() => {
    if (!box.current) return;
    const chart = init(box.current, null, { renderer: "svg" });
    const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const running = points.findIndex((point) => point.state === "running");
    const known = points.map((point) => (point.state === "future" ? null : point.now));
    const noted = points.flatMap((point, at) => (point.notes.length ? [{ xAxis: at }] : []));
    const accent = color("--accent");
    const line = { type: "line" as const, showSymbol: points.length === 1, symbolSize: 6, emphasis: { disabled: true } };
    const imported = points.some((point) => point.imported !== null);
    chart.setOption({
      animation: false,
      // patterns of bars belong to echarts' accessibility, whose words the element around says better
      ...(imported ? { aria: { enabled: true, label: { enabled: false } } } : {}),
      grid: { left: 4, right: 12, top: 14, bottom: 4, containLabel: true },
      // text, not HTML: the page's policy forbids style attributes
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        axisPointer: { type: "line", lineStyle: { color: color("--line-strong") } },
        backgroundColor: color("--raised"),
        borderColor: color("--line"),
        textStyle: { color: color("--ink") },
        formatter: (items: unknown) => {
          const at = (items as { dataIndex: number }[])[0]?.dataIndex ?? 0;
          const point = points[at];
          if (!point) return "";
          const state = point.state === "running" ? " (so far)" : point.state === "partial" ? " (cut by the period)" : "";
          const lines = [`${point.title}${state}: ${latest.current.write(point.now)}`];
          if (point.imported !== null) lines.push(`Imported: ${latest.current.write(point.imported)}`);
          if (compared && point.before) lines.push(`${point.before}: ${latest.current.write(point.earlier)}`);
          lines.push(...point.notes.map((note) => `✎ ${note.length > 80 ? `${note.slice(0, 79)}…` : note}`));
          return lines.join("\n");
        },
      },
      xAxis: { type: "category", boundaryGap: false, data: points.map((point) => point.label), axisTick: { show: false }, axisLine: { lineStyle: { color: color("--line") } }, axisLabel: { color: color("--ink-soft"), hideOverlap: true, margin: 12 } },
      yAxis: { type: "value", min: 0, minInterval: whole ? 1 : 0, splitNumber: 4, splitLine: { lineStyle: { color: color("--line") } }, axisLabel: { color: color("--ink-soft"), formatter: (value: number) => latest.current.write(value) } },
      series: [
        ...(imported
          ? [{ type: "bar" as const, data: points.map((point) => point.imported), barCategoryGap: "20%", barMaxWidth: 42, emphasis: { disabled: true }, itemStyle: { color: color("--accent-soft"), borderColor: accent, borderWidth: 1, decal: { symbol: "rect", color: accent, dashArrayX: [1, 0], dashArrayY: [1.5, 4.5], rotation: -Math.PI / 4 } } }]
          : []),
        ...(compared ? [{ ...line, data: points.map((point) => point.earlier), lineStyle: { width: 2, color: color("--ink-faint"), opacity: 0.55 }, itemStyle: { color: color("--ink-faint") } }] : []),
        { ...line, data: known.map((value, at) => (running !== -1 && at >= running ? null : value)), lineStyle: { width: 2.5, color: accent }, itemStyle: { color: accent }, areaStyle: { color: accent, opacity: dark ? 0.16 : 0.09 }, markLine: { silent: true, symbol: ["none", "circle"], symbolSize: 7, label: { show: false }, lineStyle: { color: color("--ink-faint"), type: "dotted", width: 1.5 }, data: noted } },
        ...(running === -1 ? [] : [{ ...line, data: known.map((value, at) => (at === running - 1 || at === running ? value : null)), showSymbol: running === 0, lineStyle: { width: 2.5, color: accent, type: [5, 5] }, itemStyle: { color: accent }, areaStyle: { color: accent, opacity: dark ? 0.1 : 0.05 } }]),
      ],
    });
    const pick = (event: { offsetX: number; offsetY: number }) => {
      if (!chart.containPixel("grid", [event.offsetX, event.offsetY])) return;
      const at = chart.convertFromPixel({ seriesIndex: 0 }, [event.offsetX, event.offsetY])[0];
      if (at !== undefined) latest.current.onPick(Math.round(at));
    };
    chart.getZr().on("click", pick);
    const resize = new ResizeObserver(() => chart.resize());
    resize.observe(box.current);
    return () => {
      resize.disconnect();
      chart.dispose();
    };
  }, [points, compared, dark, whole]);
  return <div ref={box} role="img" aria-label={label} className="h-64 w-full cursor-pointer md:h-72" />;
}
