/** Pages by address. Each page's code loads when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Shell } from "./shell/Shell";
import { parseSearch, stringifySearch } from "./view/search";
import { Empty, Failure } from "./widgets/ui";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Empty title="There is no such page">Check the address, or pick a page from the menu.</Empty>,
  errorComponent: ({ error }) => (
    <div className="p-4">
      <Failure error={error} />
    </div>
  ),
});

const page = <T extends string>(path: T, load: () => Promise<Record<string, unknown>>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load as never, "Page" as never) });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/start" as never, replace: true });
  },
});

const routes = root.addChildren([
  home,
  page("/start", () => import("./pages/Start")),
  page("/live", () => import("./pages/Live")),
  page("/failed", () => import("./pages/Failed")),
  page("/xray", () => import("./pages/Xray")),
  page("/sql", () => import("./pages/Sql")),
  page("/schemas", () => import("./pages/Schemas")),
  page("/state", () => import("./pages/Health")),
  page("/access", () => import("./pages/Access")),
]);

export const router = createRouter({
  routeTree: routes,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingMs: 200,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
