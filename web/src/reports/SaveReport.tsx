/** Keeps what is shown as a report with a name, and puts it on a dashboard. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { DialogFrame } from "../analytics/parts/DialogFrame";
import { api, ask, type Schemas } from "../api/client";
import { useMay } from "../shell/session";
import { Icon } from "../widgets/icons";
import { Button, Failure } from "../widgets/ui";

export type ReportKind = Schemas["GivenReport"]["kind"];
export type ReportQuestion = Schemas["GivenReport"]["question"];

export interface SaveReportProps {
  kind: ReportKind;
  question: ReportQuestion;
  /** How it is drawn: a word of `ResultView`; without it, as usual. */
  show?: string;
  /** What the name field begins with. */
  name?: string;
}

/** A button that opens the dialog. */
export function SaveReport({ label = "Save report", small, ...report }: SaveReportProps & { label?: string; small?: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small={small} icon="pin" onClick={() => setOpen(true)}>
        {label}
      </Button>
      {open && <SaveReportDialog {...report} onClose={() => setOpen(false)} />}
    </>
  );
}

const NEW = "new";

export function SaveReportDialog({ kind, question, show = "", name: proposed = "", onClose }: SaveReportProps & { onClose: () => void }) {
  const queries = useQueryClient();
  const mayShare = useMay("write:analytics");
  const boards = useQuery({ queryKey: ["dashboards"], queryFn: () => ask(api.GET("/api/v1/analytics/dashboards")) });
  const [name, setName] = useState(proposed);
  const [shared, setShared] = useState(false);
  const [board, setBoard] = useState("");
  const [boardName, setBoardName] = useState("");
  const changeable = boards.data?.filter((one) => one.mine || (one.shared && mayShare)) ?? [];
  const chosen = changeable.find((one) => one.id === board);
  const save = useMutation({
    mutationFn: async () => {
      const report = await ask(api.POST("/api/v1/analytics/saved-reports", { body: { name, kind, question, show, shared: shared || Boolean(chosen?.shared) } }));
      if (!board) return { report, on: null };
      const on = board === NEW ? await ask(api.POST("/api/v1/analytics/dashboards", { body: { name: boardName, shared: false } })) : null;
      const id = on?.id ?? board;
      return { report, on: await ask(api.POST("/api/v1/analytics/dashboards/{dashboard_id}/tiles", { params: { path: { dashboard_id: id } }, body: { report: report.id } })) };
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["saved-reports"] });
      void queries.invalidateQueries({ queryKey: ["dashboards"] });
      void queries.invalidateQueries({ queryKey: ["dashboard"] });
    },
  });
  if (save.data) {
    const { report, on } = save.data;
    return (
      <DialogFrame title="Report saved" onClose={onClose}>
        <div className="grid gap-4">
          <p role="status" className="flex items-start gap-2 rounded-xl bg-good-soft p-3 text-good-ink">
            <Icon name="check" className="mt-0.5" />
            <span className="min-w-0 break-words">
              <bdi className="font-medium">{report.name}</bdi> {on ? <>is on the dashboard <bdi className="font-medium">{on.name}</bdi>.</> : "is among the saved reports."}
            </span>
          </p>
          <div className="flex flex-wrap justify-end gap-2">
            <Button onClick={onClose}>Close</Button>
            <Link to="/dashboards" search={on ? { id: on.id } : { tab: "reports" }} className="inline-flex h-9 items-center rounded-lg bg-accent px-3 font-medium text-on-accent hover:brightness-110">
              {on ? "Open dashboard" : "Show saved reports"}
            </Link>
          </div>
        </div>
      </DialogFrame>
    );
  }
  return (
    <DialogFrame title="Save report" onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <label className="grid gap-1">
          Name
          <input autoFocus required maxLength={100} className="field" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="grid gap-1">
          Put it on a dashboard
          <select className="field" value={board} disabled={boards.isPending} onChange={(event) => setBoard(event.target.value)}>
            <option value="">None</option>
            {changeable.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
                {one.shared ? " (shared)" : ""}
              </option>
            ))}
            <option value={NEW}>New dashboard…</option>
          </select>
        </label>
        {board === NEW && (
          <label className="grid gap-1">
            Name of the dashboard
            <input required maxLength={100} className="field" value={boardName} onChange={(event) => setBoardName(event.target.value)} />
          </label>
        )}
        {chosen?.shared ? (
          <p className="text-[13px] text-ink-soft">The dashboard is shared, so everyone who sees figures sees this report.</p>
        ) : (
          mayShare && (
            <label className="flex items-center gap-2">
              <input type="checkbox" className="accent-accent" checked={shared} onChange={(event) => setShared(event.target.checked)} />
              Share with everyone who sees figures
            </label>
          )
        )}
        {(save.isError || boards.isError) && <Failure error={save.error ?? boards.error} />}
        <div className="flex justify-end gap-2 border-t border-line pt-4">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={save.isPending}>
            {save.isPending ? "Saving…" : "Save report"}
          </Button>
        </div>
      </form>
    </DialogFrame>
  );
}
