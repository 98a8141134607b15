/** The settings of an application (`""`: of all without their own), and what changes them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schemas } from "../../api/client";

export type Application = Schemas["ApplicationSettings"]["complete"];

export function useApplication(app: string, onSaved: () => void) {
  const queries = useQueryClient();
  const settings = useQuery({
    queryKey: ["application", app],
    queryFn: () => (app ? ask(api.GET("/api/v1/analytics/applications/{app_id}", { params: { path: { app_id: app } } })) : ask(api.GET("/api/v1/analytics/defaults"))),
  });
  const history = useQuery({
    queryKey: ["application", app, "history"],
    queryFn: () => (app ? ask(api.GET("/api/v1/analytics/applications/{app_id}/history", { params: { path: { app_id: app } } })) : ask(api.GET("/api/v1/analytics/defaults/history"))),
  });
  const save = useMutation({
    mutationFn: (changes: Partial<Application>) => {
      // what was never set keeps following its default
      const body = { settings: { ...settings.data?.settings, ...changes }, version: settings.data?.version };
      return app ? ask(api.PUT("/api/v1/analytics/applications/{app_id}", { params: { path: { app_id: app } }, body })) : ask(api.PUT("/api/v1/analytics/defaults", { body }));
    },
    onSuccess: () => {
      onSaved();
      void queries.invalidateQueries({ queryKey: ["application", app] });
    },
  });
  return { settings, history, save };
}
