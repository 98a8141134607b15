/** Where an invitation's link leads: the invited choose a password and are logged in. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask, setCsrf } from "../api/client";
import { Logo } from "../widgets/icons";
import { Button, Failure, Loading } from "../widgets/ui";

export function Page() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  // the secret stands behind the #, which browsers send to no server
  const [secret] = useState(() => location.hash.slice(1));
  const [password, setPassword] = useState("");
  const invited = useQuery({ queryKey: ["invitation"], queryFn: () => ask(api.POST("/api/v1/access/invitations/open", { body: { secret } })), retry: false, refetchOnWindowFocus: false });
  const accept = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/access/invitations/accept", { body: { secret, password } })),
    onSuccess: (me) => {
      setCsrf(me.csrf);
      queries.clear();
      queries.setQueryData(["me"], me);
      void navigate({ to: "/", replace: true });
    },
  });
  if (invited.isPending) return <Loading on />;
  return (
    <div className="grid min-h-dvh place-items-center p-4">
      <div className="card grid w-full max-w-sm gap-4 p-7">
        <div className="flex items-center gap-3">
          <Logo size={34} />
          <h1>{invited.isError ? "Invitation" : `Welcome, ${invited.data.name}`}</h1>
        </div>
        {invited.isError ? (
          <Failure error={invited.error} />
        ) : (
          <>
            <p>You are invited to Snowgauge with the role {invited.data.role}. Choose a password.</p>
            {accept.isError && <Failure error={accept.error} />}
            <form
              className="grid gap-4"
              onSubmit={(event) => {
                event.preventDefault();
                accept.mutate();
              }}
            >
              <input hidden readOnly autoComplete="username" value={invited.data.name} />
              <label className="grid gap-1">
                Password
                <input autoFocus required minLength={10} type="password" autoComplete="new-password" className="field" value={password} onChange={(event) => setPassword(event.target.value)} />
              </label>
              <Button kind="primary" type="submit" disabled={accept.isPending}>
                Accept invitation
              </Button>
            </form>
            <p className="text-[13px] text-ink-soft">At least ten characters.</p>
          </>
        )}
      </div>
    </div>
  );
}
