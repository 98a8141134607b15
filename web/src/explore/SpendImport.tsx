/** Marketing spend from a CSV file, for the return that attribution tells. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { api, ask } from "../api/client";
import { useMay } from "../shell/session";
import { counted, number } from "../view/format";
import { Button, Failure } from "../widgets/ui";

export function SpendImport() {
  const may = useMay("write:analytics");
  const queries = useQueryClient();
  const box = useRef<HTMLInputElement>(null);
  const take = useMutation({
    mutationFn: async (file: File) => ask(api.POST("/api/v1/analytics/spend", { body: { csv: await file.text() } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["analytics"] }),
  });
  if (!may) return null;
  return (
    <div className="grid gap-2 text-[13px]">
      <input
        ref={box}
        type="file"
        hidden
        aria-label="File of spend"
        accept=".csv,text/csv"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) take.mutate(file);
          event.target.value = "";
        }}
      />
      <Button small icon="plus" className="justify-self-start" disabled={take.isPending} onClick={() => box.current?.click()}>
        {take.isPending ? "Importing…" : "Import spend"}
      </Button>
      <p className="text-ink-soft">CSV with date, amount and currency, and any of app, channel, source, medium and campaign.</p>
      {take.isError && <Failure error={take.error} />}
      {take.data && (
        <p role="status">
          Imported {counted(take.data.lines, "line")}
          {take.data.replaced > 0 && `, ${number(take.data.replaced)} of which replaced an earlier amount`}.
        </p>
      )}
    </div>
  );
}
