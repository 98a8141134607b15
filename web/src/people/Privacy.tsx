/** Export what is held about a person, and erase it, with a look at what would go first. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { counted, number } from "../view/format";
import { Button, Card, Failure } from "../widgets/ui";

type Identifier = Schemas["GivenIdentifier"];

/** The identifiers of a person: a visitor ID is one of the tracker's cookie or of the collector's. */
function identifiersOf(profile: Schemas["Profile"]): { label: string; given: Identifier[] }[] {
  const users = [...new Set(profile.identities.map((one) => one.user_id).filter(Boolean))];
  // those that begin like this are made for one day, and stand in no event
  const visitors = [...new Set(profile.identities.map((one) => one.visitor_id).filter((id) => id && !id.startsWith("c:")))];
  return [
    ...users.map((value) => ({ label: `user ID ${value}`, given: [{ kind: "user_id" as const, value }] })),
    ...visitors.map((value) => ({
      label: `visitor ID ${value}`,
      given: [
        { kind: "domain_userid" as const, value },
        { kind: "network_userid" as const, value },
      ],
    })),
  ];
}

export function Privacy({ profile }: { profile: Schemas["Profile"] }) {
  const offered = identifiersOf(profile);
  const [left, setLeft] = useState<string[]>([]);
  const [reason, setReason] = useState("");
  const identifiers = offered.filter((one) => !left.includes(one.label)).flatMap((one) => one.given);
  const plan = useMutation({ mutationFn: () => ask(api.POST("/api/v1/privacy/plan", { body: { identifiers } })) });
  const file = useMutation({
    mutationFn: () => ask<Blob>(api.POST("/api/v1/privacy/export", { body: { identifiers }, parseAs: "blob" })),
    onSuccess: (zip) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(zip);
      link.download = "person.zip";
      link.click();
      URL.revokeObjectURL(link.href);
    },
  });
  const erase = useMutation({ mutationFn: () => ask(api.POST("/api/v1/privacy/erasures", { body: { identifiers, reason } })) });
  const failed = [plan, file, erase].find((one) => one.isError);
  if (!offered.length) return null;
  if (erase.data) return <Progress id={erase.data.id} />;
  return (
    <Card title="Personal data">
      <fieldset className="grid gap-1 text-[13px]">
        <legend className="mb-1 text-ink-soft">What is found by any of these belongs to this person. Leave out what others use, too, such as a shared browser.</legend>
        {offered.map((one) => (
          <label key={one.label} className="flex min-w-0 items-center gap-2">
            <input
              type="checkbox"
              className="accent-accent"
              checked={!left.includes(one.label)}
              onChange={(event) => {
                setLeft(event.target.checked ? left.filter((other) => other !== one.label) : [...left, one.label]);
                plan.reset();
              }}
            />
            <bdi className="break-all">{one.label}</bdi>
          </label>
        ))}
      </fieldset>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button disabled={!identifiers.length || file.isPending} onClick={() => file.mutate()}>
          {file.isPending ? "Collecting…" : "Export data"}
        </Button>
        <Button disabled={!identifiers.length || plan.isPending} onClick={() => plan.mutate()}>
          {plan.isPending ? "Looking…" : "Plan erasure"}
        </Button>
      </div>
      {failed && <Failure error={failed.error} />}
      {plan.data && (
        <div className="mt-4 grid gap-3 border-t border-line pt-3 text-[13px]">
          <p>
            An erasure takes out <span className="tabular font-medium">{counted(plan.data.items, "item")}</span>
            {plan.data.items > 0 && `: ${plan.data.places.map((one) => `${number(one.items)} in ${one.place.replace(/_/g, " ")}`).join(", ")}`}. It cannot be undone.
          </p>
          <label className="grid gap-1">
            Reason, for the report
            <input className="field" maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
          </label>
          <Button kind="danger" className="justify-self-start" disabled={erase.isPending} onClick={() => confirm("Erase this person everywhere? It cannot be undone.") && erase.mutate()}>
            Erase person
          </Button>
        </div>
      )}
    </Card>
  );
}

function Progress({ id }: { id: string }) {
  const queries = useQueryClient();
  const state = useQuery({
    queryKey: ["erasure", id],
    queryFn: async () => {
      const found = await ask(api.GET("/api/v1/privacy/erasures/{erasure_id}", { params: { path: { erasure_id: id } } }));
      if (found.state === "done") void queries.invalidateQueries({ queryKey: ["analytics"] });
      return found;
    },
    refetchInterval: (query) => (query.state.data?.state === "running" || !query.state.data ? 1000 : false),
  });
  return (
    <Card title="Personal data">
      {state.isError && <Failure error={state.error} />}
      <p role="status" className="text-[13px]">
        {!state.data || state.data.state === "running" ? "Erasing…" : state.data.state === "done" ? `Erased: ${counted(state.data.removed, "item")} taken out.` : "The erasure broke off. It is finished by snowgauge erase --resume."}
      </p>
    </Card>
  );
}
