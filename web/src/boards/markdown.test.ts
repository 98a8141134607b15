import { describe, expect, it } from "vitest";
import { blocks, safeAddress } from "./Markdown";

describe("text tiles", () => {
  it("know headings, lists, code and paragraphs", () => {
    expect(blocks("# One\ntext\nmore\n\n- a\n- b\n1. c\n```\n# no\n```\n")).toEqual([
      { kind: "heading", level: 1, text: "One" },
      { kind: "text", text: "text\nmore" },
      { kind: "list", ordered: false, items: ["a", "b"] },
      { kind: "list", ordered: true, items: ["c"] },
      { kind: "code", text: "# no" },
    ]);
  });
  it("link to the web, mail and the console only", () => {
    expect(["https://a.example", "mailto:a@b.example", "/sql"].map(safeAddress)).not.toContain(null);
    expect(["javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "file:///etc"].map(safeAddress)).toEqual([null, null, null, null, null]);
  });
});
