import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, setCsrf, type Schemas } from "../api/client";

export type Me = Schemas["Me"];

/** Who is looking, as the server sees it. */
export function useMe() {
  return useQuery({
    queryKey: ["me"],
    queryFn: async () => {
      const me = await ask(api.GET("/api/v1/access/me"));
      setCsrf(me.csrf);
      return me;
    },
    staleTime: 60_000,
  });
}

export function useMay(scope: string): boolean {
  return useMe().data?.scopes?.includes(scope) ?? false;
}

/** Whether someone may see every application: what is about people is over all of them. */
export function useAllApplications(): boolean {
  const me = useMe().data;
  return me !== undefined && !me.apps;
}

export function useLogOut() {
  const queries = useQueryClient();
  return async () => {
    await ask(api.POST("/api/v1/access/logout"));
    queries.clear();
    location.assign("/");
  };
}
