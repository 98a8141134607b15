/** What a share link shows: the page of figures or a dashboard, without an account and without any person. */
import { useMutation } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Dashboard } from "../analytics/Dashboard";
import { sharedSource, SourceProvider } from "../analytics/view/source";
import { api, ApiError, ask } from "../api/client";
import { Logo } from "../widgets/icons";
import { Button, Failure, Loading } from "../widgets/ui";

const SharedBoard = lazy(() => import("../boards/SharedBoard"));

export function Page() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  // the secret stands behind the #, which browsers send to no server
  const [secret] = useState(() => location.hash.slice(1));
  const [password, setPassword] = useState("");
  const open = useMutation({ mutationFn: (typed: string) => ask(api.POST("/api/v1/shared/{share_id}/open", { params: { path: { share_id: id } }, body: { secret, password: typed } })) });
  const { mutate } = open;
  useEffect(() => mutate(""), [mutate]);
  const source = useMemo(() => (open.data ? sharedSource(id, open.data) : null), [id, open.data]);
  useEffect(() => {
    document.title = open.data ? `${open.data.view.name} · Snowgauge` : "Snowgauge";
  }, [open.data]);
  if (source && open.data) {
    if (open.data.view.dashboard) {
      return (
        <SourceProvider value={source}>
          <Suspense fallback={<Loading on />}>
            <SharedBoard id={id} ticket={open.data.ticket} />
          </Suspense>
        </SourceProvider>
      );
    }
    return (
      <SourceProvider value={source}>
        <Dashboard title={open.data.view.name} />
      </SourceProvider>
    );
  }
  const locked = open.error instanceof ApiError && open.error.status === 403;
  if (!open.isError) return <Loading on />;
  return (
    <div className="grid min-h-dvh place-items-center p-4">
      <div className="card grid w-full max-w-sm gap-4 p-7">
        <h1 className="flex items-center gap-3">
          <Logo size={30} />
          Shared figures
        </h1>
        {(!locked || open.variables !== "") && <Failure error={open.error} />}
        {locked && (
          <form
            className="grid gap-4"
            onSubmit={(event) => {
              event.preventDefault();
              mutate(password);
            }}
          >
            <label className="grid gap-1">
              Password of this link
              <input autoFocus required type="password" autoComplete="off" className="field" value={password} onChange={(event) => setPassword(event.target.value)} />
            </label>
            <Button kind="primary" type="submit" disabled={open.isPending}>
              Open link
            </Button>
          </form>
        )}
      </div>
    </div>
  );
}
