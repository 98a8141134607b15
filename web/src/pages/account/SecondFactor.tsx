/** The second factor of your login: set up with an authenticator app, or removed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { Loaded } from "../../widgets/Loaded";
import { Badge, Button, Card, CopyButton, Failure } from "../../widgets/ui";

/** `onDone`: it was set up, and its recovery codes were kept. */
export default function SecondFactor({ onDone }: { onDone?: () => void }) {
  const queries = useQueryClient();
  const state = useQuery({ queryKey: ["second-factor"], queryFn: () => ask(api.GET("/api/v1/access/second-factor")) });
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const changed = () => {
    setPassword("");
    setCode("");
    void queries.invalidateQueries({ queryKey: ["second-factor"] });
    void queries.invalidateQueries({ queryKey: ["sessions"] });
  };
  const begin = useMutation({ mutationFn: () => ask(api.POST("/api/v1/access/second-factor", { body: { password } })), onSuccess: () => setPassword("") });
  const confirmed = useMutation({ mutationFn: () => ask(api.POST("/api/v1/access/second-factor/confirm", { body: { code } })), onSuccess: changed });
  const remove = useMutation({ mutationFn: () => ask(api.POST("/api/v1/access/second-factor/remove", { body: { password } })), onSuccess: changed });
  if (confirmed.data) {
    const keep = () => {
      onDone?.();
      confirmed.reset();
      begin.reset();
      void queries.invalidateQueries({ queryKey: ["me"] });
    };
    return <Codes codes={confirmed.data.codes} onKept={keep} />;
  }
  return (
    <Card title="Second factor">
      <Loaded query={state} what="your second factor" from="the console" rows={1}>
        {(known) =>
          known.on ? (
            <>
              <p className="mb-3">
                <Badge tone="good">on</Badge> You log in with a code of your authenticator app. {known.recovery_codes} recovery codes are left.
              </p>
              {known.required ? (
                <p className="text-[13px] text-ink-soft">It is required for your role. To change the app, ask an admin to reset it.</p>
              ) : (
                <PasswordForm label="Remove second factor" danger password={password} onPassword={setPassword} pending={remove.isPending} onSubmit={() => remove.mutate()} />
              )}
            </>
          ) : begin.data ? (
            <div className="grid gap-4 sm:grid-cols-[auto_1fr]">
              <img alt="QR code for your authenticator app" width={196} height={196} className="rounded-lg bg-white" src={`data:image/svg+xml,${encodeURIComponent(begin.data.qr)}`} />
              <div className="grid content-start gap-3">
                <p>Scan this with an authenticator app, or type its secret there. Then enter the code that the app shows.</p>
                <div className="flex flex-wrap items-center gap-2">
                  <code className="min-w-0 break-all rounded-lg bg-sunken px-3 py-1.5">{begin.data.secret}</code>
                  <CopyButton small text={begin.data.secret} />
                </div>
                <form
                  className="flex flex-wrap items-end gap-3"
                  onSubmit={(event) => {
                    event.preventDefault();
                    confirmed.mutate();
                  }}
                >
                  <label className="grid gap-1">
                    Code
                    <input required inputMode="numeric" autoComplete="one-time-code" maxLength={20} className="field w-32" value={code} onChange={(event) => setCode(event.target.value)} />
                  </label>
                  <Button kind="primary" type="submit" disabled={confirmed.isPending}>
                    Confirm code
                  </Button>
                </form>
              </div>
            </div>
          ) : (
            <>
              <p className="mb-3">Log in with a code of an authenticator app, beside the password.</p>
              <PasswordForm label="Set up second factor" password={password} onPassword={setPassword} pending={begin.isPending} onSubmit={() => begin.mutate()} />
            </>
          )
        }
      </Loaded>
      {[begin, confirmed, remove].map(
        (asked, at) =>
          asked.isError && (
            <div key={at} className="mt-3">
              <Failure error={asked.error} />
            </div>
          ),
      )}
    </Card>
  );
}

interface FormProps {
  label: string;
  danger?: boolean;
  password: string;
  onPassword: (password: string) => void;
  pending: boolean;
  onSubmit: () => void;
}

function PasswordForm({ label, danger, password, onPassword, pending, onSubmit }: FormProps) {
  return (
    <form
      className="flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <label className="grid gap-1">
        Your password
        <input required type="password" autoComplete="current-password" className="field" value={password} onChange={(event) => onPassword(event.target.value)} />
      </label>
      <Button kind={danger ? "danger" : "primary"} type="submit" disabled={pending}>
        {label}
      </Button>
    </form>
  );
}

function Codes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  return (
    <Card title="Recovery codes">
      <p className="mb-3">Keep these where you keep passwords. Each works once in place of a code, and they are not shown again.</p>
      <ul className="mb-3 grid gap-x-6 gap-y-1 font-mono sm:grid-cols-2">
        {codes.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-3">
        <CopyButton text={codes.join("\n")} label="Copy codes" />
        <Button kind="primary" onClick={onKept}>
          I have kept them
        </Button>
      </div>
    </Card>
  );
}
