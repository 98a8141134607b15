/** How trends are drawn; the first is usual. */
export const SHOWS = [
  { id: "line", label: "Lines" },
  { id: "area", label: "Areas" },
  { id: "bar", label: "Bars" },
  { id: "table", label: "Table" },
  { id: "number", label: "Numbers" },
] as const;
