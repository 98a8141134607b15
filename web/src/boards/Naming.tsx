import { useState } from "react";
import { DialogFrame } from "../analytics/parts/DialogFrame";
import { Button, Failure } from "../widgets/ui";
import { Markdown } from "./Markdown";

export function NameDialog({ title, label, name: before, onSave, onClose }: { title: string; label: string; name: string; onSave: (name: string) => void | Promise<void>; onClose: () => void }) {
  const [name, setName] = useState(before);
  const [error, setError] = useState<unknown>(null);
  return (
    <DialogFrame title={title} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void Promise.resolve(onSave(name)).catch(setError);
        }}
      >
        <label className="grid gap-1">
          {label}
          <input autoFocus required maxLength={100} className="field" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        {error !== null && <Failure error={error} />}
        <div className="flex justify-end gap-2 border-t border-line pt-4">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!name.trim()}>
            {title}
          </Button>
        </div>
      </form>
    </DialogFrame>
  );
}

export function TextDialog({ text: before, onSave, onClose }: { text: string; onSave: (text: string) => void; onClose: () => void }) {
  const [text, setText] = useState(before);
  return (
    <DialogFrame title={before ? "Edit text" : "Add text"} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onSave(text);
        }}
      >
        <label className="grid gap-1">
          Text
          <textarea autoFocus required rows={7} maxLength={20_000} className="field thin-scroll font-mono text-[13px]" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        <p className="text-[13px] text-ink-soft">
          Markdown: <code># Heading</code>, <code>- list</code>, <code>**bold**</code>, <code>*italic*</code>, <code>`code`</code>, <code>[link](https://…)</code>.
        </p>
        {text.trim() && (
          <section aria-label="Preview" className="thin-scroll max-h-52 overflow-auto rounded-xl border border-line p-4">
            <Markdown text={text} />
          </section>
        )}
        <div className="flex justify-end gap-2 border-t border-line pt-4">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!text.trim()}>
            {before ? "Save text" : "Add text"}
          </Button>
        </div>
      </form>
    </DialogFrame>
  );
}
