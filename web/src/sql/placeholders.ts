/** Placeholders in SQL, as ClickHouse writes them: `{name:Type}`; none of those within texts, names and comments. */

export interface Placeholder {
  name: string;
  type: string;
}

const TOKEN = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*([A-Za-z_]\w{0,62})\s*:\s*([A-Za-z][\w ]*(?:\([\w,' ()]*\))?(?:\[\])*)\s*\}/g;

export function placeholdersOf(sql: string): Placeholder[] {
  const found = new Map<string, Placeholder>();
  for (const [, name, type] of sql.matchAll(TOKEN)) if (name && type && !found.has(name)) found.set(name, { name, type: type.trim() });
  return [...found.values()];
}

/** What an input asks for a value of a type. */
export function inputOf(type: string): "date" | "number" | "text" {
  if (/^(nullable\()?date(32)?\)?$/i.test(type)) return "date";
  return /^(nullable\()?(u?int\d*|float\d*|decimal|integer|bigint|smallint|numeric|real)\b/i.test(type) ? "number" : "text";
}
