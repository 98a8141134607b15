import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, setCsrf } from "../api/client";
import { Icon, Logo } from "../widgets/icons";
import { Button, Failure } from "../widgets/ui";

/** Why an identity provider's login came back without a session. */
const REFUSED: Record<string, string> = {
  unavailable: "The identity provider does not answer at present. Try again in a moment.",
  declined: "The login was not completed at the identity provider.",
  mismatch: "This login began in another window, or too long ago. Try again.",
  invalid: "The identity provider's answer could not be verified. An admin finds the reason in the log.",
  not_allowed: "The identity provider knows you, but you may not use this console. An admin can change that.",
};

/** The reason in the address, which is taken out of it so that a reload does not say it again. */
function takeRefusal(): string {
  const address = new URL(location.href);
  const reason = address.searchParams.get("refused") ?? "";
  if (reason) {
    address.searchParams.delete("refused");
    history.replaceState(history.state, "", address);
  }
  return REFUSED[reason] ?? "";
}

export function Login({ through }: { through: string | null | undefined }) {
  const [refusal] = useState(takeRefusal);
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState(false);
  const login = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/access/login", { body: { name, password, code } })),
    onSuccess: (me) => {
      if (me.code_needed) {
        setAsked(true);
        return;
      }
      setCsrf(me.csrf);
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
      queries.setQueryData(["me"], me);
    },
  });
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="card grid w-full max-w-sm gap-4 p-7">
        <div className="flex items-center gap-3">
          <Logo size={34} />
          <h1>Log in to Snowgauge</h1>
        </div>
        {refusal && !login.isError && <Failure error={refusal} />}
        {login.isError && <Failure error={login.error} />}
        {through && (
          <>
            <a href={`/api/v1/access/oidc/start?to=${encodeURIComponent(location.pathname + location.search)}`} className="inline-flex h-10 items-center justify-center gap-2 rounded-lg bg-accent px-3 font-medium text-on-accent hover:brightness-110">
              <Icon name="key" size={16} />
              Log in with {through}
            </a>
            <div className="flex items-center gap-3 text-[13px] text-ink-faint" aria-hidden="true">
              <span className="h-px flex-1 bg-line" />
              or
              <span className="h-px flex-1 bg-line" />
            </div>
          </>
        )}
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            login.mutate();
          }}
        >
          <label className="grid gap-1">
            Name
            <input autoFocus={!through} required autoComplete="username" className="field" value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <label className="grid gap-1">
            Password
            <input required type="password" autoComplete="current-password" className="field" value={password} onChange={(e) => setPassword(e.target.value)} />
          </label>
          {asked && (
            <label className="grid gap-1">
              Code
              <input key="code" autoFocus required inputMode="numeric" autoComplete="one-time-code" maxLength={100} className="field" value={code} onChange={(e) => setCode(e.target.value)} aria-describedby="code-hint" />
              <span id="code-hint" className="text-[13px] text-ink-soft">
                Six digits of your authenticator app, or a recovery code.
              </span>
            </label>
          )}
          <Button kind={through ? "plain" : "primary"} type="submit" disabled={login.isPending}>
            {login.isPending ? "Logging in…" : "Log in"}
          </Button>
        </form>
        <p className="text-[13px] text-ink-soft">
          No account? An admin sends you an invitation under Access, or with <code>snowgauge access invite</code>.
        </p>
      </div>
    </main>
  );
}
