/** Which applications someone may see: a field of app ids, and its button in the list of people. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { Button, Failure } from "../../widgets/ui";

/** The app ids of a text, separated by commas. */
export function appsOf(text: string): string[] {
  return text
    .split(",")
    .map((app) => app.trim())
    .filter(Boolean);
}

export function ApplicationsField({ value, onChange, disabled }: { value: string; onChange: (text: string) => void; disabled?: boolean }) {
  const list = useId();
  // suggestions only: an app id may be given before its first event
  const seen = useQuery({
    queryKey: ["applications seen"],
    queryFn: () => ask(api.GET("/api/v1/analytics/values", { params: { query: { dimension: "app", question: JSON.stringify({ date_range: "91d", traffic: "all" }) } } })),
    retry: false,
    staleTime: 300_000,
  });
  return (
    <label className="grid gap-1">
      Applications
      <input className="field" list={list} autoComplete="off" placeholder="all" maxLength={2000} value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)} />
      <datalist id={list}>{seen.data?.map((one) => one.value !== null && <option key={String(one.value)} value={String(one.value)} />)}</datalist>
    </label>
  );
}

/** Shows what a person is limited to, and changes it. */
export function PersonApplications({ person, onChanged }: { person: Schemas["Person"]; onChanged: () => void }) {
  const apps = person.apps ?? [];
  const [text, setText] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: (wanted: string[]) => ask(api.PATCH("/api/v1/access/people/{person_id}", { params: { path: { person_id: person.id } }, body: { apps: wanted } })),
    onSuccess: () => {
      setText(null);
      onChanged();
    },
  });
  if (person.role === "admin" && !apps.length) return null;
  if (text === null) {
    return (
      <Button small aria-label={`Applications of ${person.name}`} onClick={() => setText(apps.join(", "))}>
        {apps.length ? `only ${apps.join(", ")}` : "all applications"}
      </Button>
    );
  }
  return (
    <form
      className="flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(appsOf(text));
      }}
    >
      <ApplicationsField value={text} onChange={setText} />
      <Button kind="primary" type="submit" disabled={save.isPending}>
        Save
      </Button>
      <Button onClick={() => setText(null)}>Cancel</Button>
      {save.isError && <Failure error={save.error} />}
    </form>
  );
}
