import { inputOf, type Placeholder } from "./placeholders";

/** A field for each placeholder of the query. */
export function Parameters({ wanted, values, onChange, onRun }: { wanted: Placeholder[]; values: Record<string, string>; onChange: (name: string, value: string) => void; onRun: () => void }) {
  if (!wanted.length) return null;
  return (
    <fieldset className="flex flex-wrap gap-3 border-t border-line px-3 pt-2 pb-3">
      <legend className="sr-only">Parameters of the query</legend>
      {wanted.map(({ name, type }) => (
        <label key={name} className="grid gap-1 text-[13px]">
          <span>
            {name} <span className="text-ink-faint">{type}</span>
          </span>
          <input type={inputOf(type)} step="any" className="field w-44" value={values[name] ?? ""} onChange={(event) => onChange(name, event.target.value)} onKeyDown={(event) => event.key === "Enter" && onRun()} />
        </label>
      ))}
    </fieldset>
  );
}
