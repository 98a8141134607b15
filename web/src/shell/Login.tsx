import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, setCsrf } from "../api/client";
import { Logo } from "../widgets/icons";
import { Button, Failure } from "../widgets/ui";

export function Login() {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/access/login", { body: { name, password } })),
    onSuccess: (me) => {
      setCsrf(me.csrf);
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
      queries.setQueryData(["me"], me);
    },
  });
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <form
        className="card grid w-full max-w-sm gap-4 p-7"
        onSubmit={(event) => {
          event.preventDefault();
          login.mutate();
        }}
      >
        <div className="flex items-center gap-3">
          <Logo size={34} />
          <h1>Log in to Snowgauge</h1>
        </div>
        {login.isError && <Failure error={login.error} />}
        <label className="grid gap-1">
          Name
          <input autoFocus required autoComplete="username" className="field" value={name} onChange={(e) => setName(e.target.value)} />
        </label>
        <label className="grid gap-1">
          Password
          <input required type="password" autoComplete="current-password" className="field" value={password} onChange={(e) => setPassword(e.target.value)} />
        </label>
        <Button kind="primary" type="submit" disabled={login.isPending}>
          {login.isPending ? "Logging in…" : "Log in"}
        </Button>
        <p className="text-[13px] text-ink-soft">
          No account? An admin adds people under Access, or with <code>snowgauge access add</code>.
        </p>
      </form>
    </main>
  );
}
