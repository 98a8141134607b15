import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { DialogFrame } from "../analytics/parts/DialogFrame";
import { api, ask, type Schemas } from "../api/client";
import { TITLES } from "../reports/kinds";
import { Icon } from "../widgets/icons";
import { Badge, Empty, Failure, Skeleton } from "../widgets/ui";

/** Chooses one of the saved reports. */
export function AddTile({ onAdd, onClose }: { onAdd: (report: Schemas["SavedReport"]) => void; onClose: () => void }) {
  const reports = useQuery({ queryKey: ["saved-reports"], queryFn: () => ask(api.GET("/api/v1/analytics/saved-reports")) });
  const [find, setFind] = useState("");
  const shown = (reports.data ?? []).filter((one) => one.name.toLowerCase().includes(find.trim().toLowerCase()));
  return (
    <DialogFrame title="Add report" onClose={onClose}>
      <div className="grid gap-3">
        {reports.isError && <Failure error={reports.error} retry={() => void reports.refetch()} />}
        {reports.isPending && <Skeleton className="h-32" />}
        {reports.data && reports.data.length === 0 && (
          <Empty icon="pin" title="No saved reports yet">
            Choose “Save report” on a panel of <Link to="/analytics" className="text-accent-ink underline">Analytics</Link>, in Explore, or under a result of SQL.
          </Empty>
        )}
        {reports.data && reports.data.length > 0 && (
          <>
            <input autoFocus aria-label="Find a report" placeholder="Find a report…" className="field" value={find} onChange={(event) => setFind(event.target.value)} />
            <ul className="thin-scroll grid max-h-[50dvh] overflow-auto">
              {shown.map((one) => (
                <li key={one.id}>
                  <button type="button" onClick={() => onAdd(one)} className="flex w-full items-center gap-3 rounded-lg px-3 py-2 text-left hover:bg-sunken">
                    <Icon name={one.kind === "sql" ? "sql" : "chart"} size={16} className="text-ink-faint" />
                    <bdi className="min-w-0 flex-1 truncate">{one.name}</bdi>
                    <span className="text-[13px] text-ink-soft">{TITLES[one.kind]}</span>
                    {one.shared && <Badge>shared</Badge>}
                  </button>
                </li>
              ))}
              {!shown.length && <li className="px-3 py-6 text-center text-ink-soft">No report is called that.</li>}
            </ul>
          </>
        )}
      </div>
    </DialogFrame>
  );
}
