import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { DialogFrame } from "../analytics/parts/DialogFrame";
import { api, ask, type Schemas } from "../api/client";
import { ago } from "../view/format";
import { Button, Failure, IconButton, Skeleton } from "../widgets/ui";

type Every = Schemas["EmailReport"]["every"];

/** Who gets a dashboard by e-mail, and how often. */
export default function Mailing({ board, app, onClose }: { board: Schemas["Dashboard"]; app: string; onClose: () => void }) {
  const queries = useQueryClient();
  const list = useQuery({ queryKey: ["email-reports"], queryFn: () => ask(api.GET("/api/v1/analytics/email-reports")) });
  const [every, setEvery] = useState<Every>("week");
  const [recipients, setRecipients] = useState("");
  const settle = () => void queries.invalidateQueries({ queryKey: ["email-reports"] });
  const add = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/analytics/email-reports", { body: { app, every, dashboard: board.id, recipients: recipients.split(/[\s,;]+/).filter(Boolean) } })),
    onSuccess: () => {
      setRecipients("");
      settle();
    },
  });
  const trial = useMutation({ mutationFn: ({ id, to }: { id: string; to: string }) => ask(api.POST("/api/v1/analytics/email-reports/{report_id}/try", { params: { path: { report_id: id } }, body: { to } })) });
  const remove = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/analytics/email-reports/{report_id}", { params: { path: { report_id: id } } })), onSettled: settle });
  const own = list.data?.reports.filter((one) => one.dashboard === board.id) ?? [];
  return (
    <DialogFrame title="Send by e-mail" onClose={onClose}>
      <div className="grid gap-4">
        {list.data && !list.data.mail && <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn-ink">No mail server is set, so nothing is sent yet. Set mail.host and mail.sender in the settings.</p>}
        <form
          className="grid gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate();
          }}
        >
          <p className="text-[13px] text-ink-soft">The first rows of every report, of the week or month before{app ? `, of ${app}` : ""}, to people with or without an account. Results of SQL are left out.</p>
          <label className="grid gap-1">
            Recipients
            <input autoFocus required className="field" placeholder="ann@example.com, bob@example.com" value={recipients} onChange={(event) => setRecipients(event.target.value)} />
          </label>
          <label className="grid gap-1">
            How often
            <select className="field" value={every} onChange={(event) => setEvery(event.target.value === "month" ? "month" : "week")}>
              <option value="week">Every week</option>
              <option value="month">Every month</option>
            </select>
          </label>
          {(add.isError || remove.isError || trial.isError) && <Failure error={add.error ?? remove.error ?? trial.error} />}
          {trial.data && <p role="status" className="rounded-lg bg-good-soft px-3 py-2 text-good-ink">Sent to try: {trial.data.answer}</p>}
          <Button kind="primary" type="submit" disabled={add.isPending} className="justify-self-start">
            Add e-mail
          </Button>
        </form>
        {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.isPending && <Skeleton className="h-12" />}
        <ul aria-label="E-mails" className="grid">
          {own.map((one) => (
            <li key={one.id} className="flex flex-wrap items-center gap-2 border-t border-line py-2">
              <span className="min-w-0 flex-1">
                <bdi className="block truncate">{one.recipients.join(", ")}</bdi>
                <span className="block text-[13px] text-ink-soft">
                  every {one.every} · {one.last_sent_at ? `last sent ${ago(one.last_sent_at)}: ${one.last_result}` : "not sent yet"}
                </span>
              </span>
              <Button small disabled={trial.isPending || !list.data?.mail} onClick={() => trial.mutate({ id: one.id, to: one.recipients[0] ?? "" })}>
                Send now to {one.recipients[0]}
              </Button>
              <IconButton name="trash" label={`Stop the e-mail to ${one.recipients.join(", ")}`} onClick={() => remove.mutate(one.id)} />
            </li>
          ))}
        </ul>
      </div>
    </DialogFrame>
  );
}
