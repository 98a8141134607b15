/** Where the console begins: analytics as soon as there are page views, the first run before. */
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { api, ask } from "../api/client";
import { useMe } from "../shell/session";
import { Loading } from "../widgets/ui";

export function Page() {
  const views = useQuery({
    queryKey: ["analytics", "any"],
    queryFn: ({ signal }) => ask(api.POST("/api/v1/analytics/query", { body: { metrics: ["pageviews"], date_range: "all", traffic: "all", include: { coverage: false, today: true } }, signal })),
    retry: false,
  });
  const limited = useMe().data?.apps;
  if (views.isPending) return <Loading on />;
  // a store that does not answer now may well hold page views; one without modelled tables holds none
  const any = limited || views.isError ? isStoreDown(views.error) : (views.data.results[0]?.metrics[0] ?? 0) > 0;
  return <Navigate to={any ? "/analytics" : "/start"} replace />;
}

function isStoreDown(error: unknown): boolean {
  return error instanceof Error && "status" in error && error.status === 503;
}
