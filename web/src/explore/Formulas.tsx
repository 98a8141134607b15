import { useEffect, useState } from "react";
import { Button, IconButton } from "../widgets/ui";
import { type BuilderProps, Part } from "./Builder";

const MOST = 5;

/** Figures made of the series: A / B * 100. */
export function Formulas({ view, change }: BuilderProps) {
  const { formulas } = view;
  const [adding, setAdding] = useState(false);
  const put = (next: string[]) => change({ formula: next.filter((text) => text.trim()) });
  if (!formulas.length && !adding)
    return (
      <Button small kind="quiet" icon="plus" className="-mt-2 justify-self-start" onClick={() => setAdding(true)}>
        Add formula
      </Button>
    );
  return (
    <Part title="Formulas" note="Letters are series: A / B * 100">
      {[...formulas, ...(adding ? [""] : [])].map((text, at) => (
        <Line
          key={at}
          text={text}
          number={at + 1}
          onChange={(next) => {
            if (at === formulas.length) setAdding(false);
            put(at === formulas.length ? [...formulas, next] : formulas.map((one, place) => (place === at ? next : one)));
          }}
          onRemove={() => (at === formulas.length ? setAdding(false) : put(formulas.filter((_, place) => place !== at)))}
        />
      ))}
      {!adding && formulas.length < MOST && (
        <Button small icon="plus" className="justify-self-start" onClick={() => setAdding(true)}>
          Add formula
        </Button>
      )}
    </Part>
  );
}

function Line({ text, number, onChange, onRemove }: { text: string; number: number; onChange: (text: string) => void; onRemove: () => void }) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  return (
    <div className="flex gap-1.5">
      <input aria-label={`Formula ${number}`} autoFocus={!text} className="field min-w-0 flex-1 font-mono" maxLength={200} placeholder="A / B * 100" value={draft} onChange={(event) => setDraft(event.target.value)} onBlur={() => draft.trim() && draft !== text && onChange(draft)} onKeyDown={(event) => event.key === "Enter" && draft.trim() && onChange(draft)} />
      <IconButton name="close" label={`Remove formula ${number}`} onClick={onRemove} />
    </div>
  );
}
