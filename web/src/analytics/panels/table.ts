/** The panels of the analytics page, in their order: a new panel, or a new tab of one, is one entry here. */
import { type ComponentType, lazy } from "react";
import type { AnyFilter } from "../view/filters";
import type { Metric } from "../view/question";
import type { Traffic } from "../view/state";

export interface BodyProps {
  panel: PanelEntry;
}

export interface Tab {
  id: string;
  title: string;
  dimension: string;
  /** Further dimensions of a row: the first is what it is called instead, others stand before it. */
  beside?: string[];
  /** The first draws the bars. */
  metrics: Metric[];
  /** Further columns where all rows are shown. */
  more?: Metric[];
  /** Filters that it always has. */
  within?: AnyFilter[];
  traffic?: Traffic;
  /** The tab that a click on a row leads to. */
  next?: string;
  /** What would be here, and how it gets there. */
  empty: string;
}

export interface PanelEntry {
  id: string;
  title: string;
  tabs: Tab[];
  /** Drawn above the rows of the tab, or alone where there are no tabs. */
  Body?: ComponentType<BodyProps>;
  /** Over the whole width. */
  wide?: boolean;
  /** The panel below which it stands where there are two columns. */
  below?: string;
  /** Not shown through share links. */
  inside?: boolean;
  /** The right that it takes, beside the page's own. */
  scope?: string;
}

const SHARE: Metric[] = ["visitors", "percentage"];
const VISITS: Metric[] = ["visits", "bounce_rate", "visit_duration"];
const VIEWS: Metric[] = ["visitors", "pageviews"];
const OF_PAGES: Metric[] = ["visits", "bounce_rate", "time_on_page", "scroll_depth"];
const visits = "Visits of this period appear here a minute after they are stored.";
const campaigns = "Add utm parameters to your links, such as ?utm_source=newsletter&utm_campaign=spring, and they appear here.";

function campaign(id: string, title: string, next?: string): Tab {
  return { id, title, dimension: `visit:${id}`, metrics: SHARE, more: VISITS, within: [["is_set", `visit:${id}`]], empty: campaigns, next };
}

export const PANELS: PanelEntry[] = [
  {
    id: "sources",
    title: "Sources",
    tabs: [
      { id: "channel", title: "Channels", dimension: "visit:channel", metrics: SHARE, more: VISITS, next: "source", empty: visits },
      { id: "source", title: "Sources", dimension: "visit:source", metrics: SHARE, more: VISITS, next: "referrer", empty: visits },
      { id: "referrer", title: "Referrers", dimension: "visit:referrer", metrics: SHARE, more: VISITS, empty: visits },
      campaign("utm_campaign", "Campaigns", "utm_content"),
      campaign("utm_source", "UTM sources"),
      campaign("utm_medium", "UTM media"),
      campaign("utm_content", "UTM contents"),
      campaign("utm_term", "UTM terms"),
    ],
  },
  {
    id: "pages",
    title: "Pages",
    tabs: [
      { id: "page", title: "Top pages", dimension: "event:page", metrics: VIEWS, more: [...OF_PAGES, "exit_rate"], empty: "Pages appear here a minute after their first view is stored." },
      { id: "entry", title: "Entry pages", dimension: "visit:entry_page", metrics: SHARE, more: VISITS, empty: visits },
      { id: "exit", title: "Exit pages", dimension: "visit:exit_page", metrics: SHARE, more: ["visits"], empty: visits },
      { id: "title", title: "Titles", dimension: "event:page_title", metrics: VIEWS, more: OF_PAGES, empty: "Titles come with page views." },
      { id: "group", title: "Content groups", dimension: "event:content_group", metrics: VIEWS, more: OF_PAGES, within: [["is_set", "event:content_group"]], next: "page", empty: "Name groups of pages, such as /blog/**, in the application's settings." },
      { id: "hostname", title: "Hosts", dimension: "event:hostname", metrics: VIEWS, more: OF_PAGES, next: "page", empty: "Hosts come with page views." },
      { id: "query", title: "Query strings", dimension: "event:query", metrics: VIEWS, within: [["is_set", "event:query"]], empty: "No page of this period was opened with a query string." },
    ],
  },
  {
    id: "places",
    title: "Locations",
    Body: lazy(() => import("./WorldMap")),
    tabs: [
      { id: "country", title: "Countries", dimension: "visit:country", metrics: SHARE, more: VISITS, within: [["is_set", "visit:country"]], next: "region", empty: "Locations need the IP lookups enrichment and its database." },
      { id: "region", title: "Regions", dimension: "visit:region", beside: ["visit:region_name", "visit:country"], metrics: SHARE, more: VISITS, within: [["is_set", "visit:region"]], next: "city", empty: "Regions need the IP lookups enrichment with a database of cities." },
      { id: "city", title: "Cities", dimension: "visit:city", beside: ["visit:city", "visit:country"], metrics: SHARE, more: VISITS, within: [["is_set", "visit:city"]], empty: "Cities need the IP lookups enrichment with a database of cities." },
    ],
  },
  {
    id: "devices",
    title: "Devices",
    tabs: [
      { id: "browser", title: "Browsers", dimension: "visit:browser", metrics: SHARE, more: VISITS, next: "browser_version", empty: visits },
      { id: "browser_version", title: "Browser versions", dimension: "visit:browser_version", metrics: SHARE, more: VISITS, empty: visits },
      { id: "os", title: "Systems", dimension: "visit:os", metrics: SHARE, more: VISITS, next: "os_version", empty: visits },
      { id: "os_version", title: "System versions", dimension: "visit:os_version", metrics: SHARE, more: VISITS, empty: visits },
      { id: "device", title: "Device types", dimension: "visit:device", metrics: SHARE, more: VISITS, empty: visits },
      { id: "screen", title: "Screens", dimension: "visit:screen", metrics: SHARE, more: VISITS, empty: visits },
      { id: "language", title: "Languages", dimension: "visit:language", metrics: SHARE, more: VISITS, empty: visits },
      { id: "timezone", title: "Time zones", dimension: "visit:timezone", metrics: SHARE, more: VISITS, empty: visits },
    ],
  },
  { id: "hours", title: "Hours of the week", below: "devices", Body: lazy(() => import("./HeatMap")), tabs: [] },
  {
    id: "goals",
    title: "Goals",
    wide: true,
    Body: lazy(() => import("./GoalSettingsLink")),
    tabs: [{ id: "goal", title: "Goals", dimension: "event:goal", metrics: ["converters", "conversions", "conversion_rate", "total_revenue"], more: ["average_revenue"], empty: "Goals say what is worth counting: a page that is seen, an event, a form that is sent. Add the first one." }],
  },
  {
    id: "shop",
    title: "Shop",
    Body: lazy(() => import("./Shop")),
    tabs: [
      { id: "product", title: "Products", dimension: "shop:product", metrics: ["product_revenue", "product_quantity"], more: ["product_views", "cart_additions"], within: [["is_set", "shop:product"]], empty: "Products appear here with Snowplow's ecommerce events." },
      { id: "category", title: "Categories", dimension: "shop:category_1", metrics: ["product_revenue", "product_quantity"], more: ["product_views", "cart_additions"], within: [["is_set", "shop:category_1"]], empty: "Categories come with the products of Snowplow's ecommerce events." },
      { id: "brand", title: "Brands", dimension: "shop:brand", metrics: ["product_revenue", "product_quantity"], more: ["product_views", "cart_additions"], within: [["is_set", "shop:brand"]], empty: "Brands come with the products of Snowplow's ecommerce events." },
    ],
  },
  { id: "properties", title: "Properties", inside: true, Body: lazy(() => import("./Properties")), tabs: [] },
  {
    id: "bots",
    title: "Bots and crawlers",
    below: "properties",
    tabs: [
      { id: "bot", title: "By name", dimension: "visit:browser", metrics: ["visits", "pageviews"], traffic: "bots", empty: "No bot visited in this period. Bots are kept apart from people and shown here." },
      { id: "botpage", title: "By page", dimension: "event:page", metrics: ["pageviews", "visits"], traffic: "bots", empty: "No bot visited in this period. Bots are kept apart from people and shown here." },
    ],
  },
  { id: "vitals", title: "Web vitals", wide: true, Body: lazy(() => import("./Vitals")), tabs: [] },
  { id: "visits", title: "Visits", wide: true, scope: "read:persons", Body: lazy(() => import("./Visits")), tabs: [] },
];
