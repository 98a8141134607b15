/** Pages by address. Each page's code loads when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { PAGES } from "./shell/pages";
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

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/Home"), "Page"),
});

const share = createRoute({
  getParentRoute: () => root,
  path: "/share/$id",
  component: lazyRouteComponent(() => import("./pages/Shared"), "Page"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/Invitation"), "Page"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/Account"), "Page"),
});

const person = createRoute({
  getParentRoute: () => root,
  path: "/person",
  component: lazyRouteComponent(() => import("./pages/Person"), "Page"),
});

const pages = PAGES.map(({ path, load }) => createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, "Page") }));

/** Not registered with the library's types: addresses come from the table of pages, and every search is a `Search`. */
export const router = createRouter({
  routeTree: root.addChildren([home, share, invitation, account, person, ...pages]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingMs: 200,
  scrollRestoration: true,
});
