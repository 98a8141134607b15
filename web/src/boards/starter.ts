/** A first dashboard: what people look at first on a site. */
import { api, ask, type Schemas } from "../api/client";

interface Start {
  name: string;
  question: Schemas["AnalyticsQuestion"];
  at: { x: number; y: number; w: number; h: number };
}

const REPORTS: Start[] = [
  { name: "Visitors, visits and views", question: { metrics: ["visitors", "visits", "pageviews", "bounce_rate"] }, at: { x: 0, y: 0, w: 12, h: 2 } },
  { name: "Visitors over time", question: { metrics: ["visitors"], dimensions: ["time"], include: { time_labels: true } }, at: { x: 0, y: 2, w: 8, h: 6 } },
  { name: "Sources", question: { metrics: ["visitors"], dimensions: ["visit:source"], pagination: { limit: 10 } }, at: { x: 8, y: 2, w: 4, h: 6 } },
  { name: "Top pages", question: { metrics: ["visitors", "pageviews"], dimensions: ["event:page"], pagination: { limit: 10 } }, at: { x: 0, y: 8, w: 6, h: 6 } },
  { name: "Countries", question: { metrics: ["visitors"], dimensions: ["visit:country"], pagination: { limit: 10 } }, at: { x: 6, y: 8, w: 3, h: 6 } },
  { name: "Devices", question: { metrics: ["visitors"], dimensions: ["visit:device"], pagination: { limit: 10 } }, at: { x: 9, y: 8, w: 3, h: 6 } },
];

export async function startBoard(): Promise<Schemas["Dashboard"]> {
  const board = await ask(api.POST("/api/v1/analytics/dashboards", { body: { name: "Web overview", shared: false } }));
  const tiles: Schemas["PlacedTile"][] = [];
  for (const { name, question, at } of REPORTS) {
    const report = await ask(api.POST("/api/v1/analytics/saved-reports", { body: { name, kind: "query", question: { ...question }, show: "", shared: false } }));
    tiles.push({ ...at, report: report.id, title: "", text: "", id: "" });
  }
  return ask(api.PATCH("/api/v1/analytics/dashboards/{dashboard_id}", { params: { path: { dashboard_id: board.id } }, body: { tiles } }));
}
