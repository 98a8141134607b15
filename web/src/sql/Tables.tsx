import { useState } from "react";
import type { Schemas } from "../api/client";
import { Icon } from "../widgets/icons";

/** The tables there are, with their columns, types and comments. A click on a column writes it into the query. */
export function Tables({ tables, onQuery, onInsert }: { tables: Schemas["Table"][]; onQuery: (name: string) => void; onInsert: (text: string) => void }) {
  const [find, setFind] = useState("");
  const words = find.trim().toLowerCase();
  const shown = tables.flatMap((table) => {
    const whole = !words || table.name.toLowerCase().includes(words);
    const columns = whole ? table.columns : table.columns.filter((column) => `${column.name} ${column.comment}`.toLowerCase().includes(words));
    return columns.length || whole ? [{ ...table, columns }] : [];
  });
  return (
    <div className="grid gap-1 p-2">
      <input aria-label="Find a table or column" placeholder="Find a table or column…" className="field" value={find} onChange={(event) => setFind(event.target.value)} />
      <div tabIndex={0} role="group" aria-label="Tables" className="thin-scroll max-h-[46dvh] overflow-auto">
        {shown.map((table) => (
          <div key={table.name} className="relative">
          <details open={words.length > 1 || undefined}>
            <summary className="flex items-center gap-1.5 rounded-md py-1 pr-14 pl-1.5 hover:bg-sunken">
              <Icon name="sql" size={14} className="text-ink-faint" />
              <span className="min-w-0 flex-1 truncate" title={table.name}>
                {table.name}
              </span>
            </summary>
            <ul className="ml-3 border-l border-line pl-1 text-[13px]">
              {table.columns.map((column) => (
                <li key={column.name}>
                  <button type="button" title={[column.comment, column.type, "Click to write it into the query."].filter(Boolean).join("\n")} onClick={() => onInsert(column.name)} className="grid w-full gap-x-2 rounded-md px-1.5 py-0.5 text-left hover:bg-sunken">
                    <span className="flex min-w-0 gap-2">
                      <span className="min-w-0 flex-1 truncate">{column.name}</span>
                      <span className="max-w-28 truncate text-xs leading-5 text-ink-faint">{column.type}</span>
                    </span>
                    {column.comment && <span className="truncate text-xs text-ink-soft">{column.comment}</span>}
                  </button>
                </li>
              ))}
            </ul>
          </details>
            <button type="button" className="absolute top-1.5 right-1 rounded px-1 text-xs text-accent-ink hover:bg-accent-soft" onClick={() => onQuery(table.name)} aria-label={`Query ${table.name}`}>
              Query
            </button>
          </div>
        ))}
        {tables.length > 0 && shown.length === 0 && <p className="px-2 py-4 text-center text-[13px] text-ink-soft">No table or column is called that.</p>}
      </div>
    </div>
  );
}
