import { describe, expect, it } from "vitest";
import { changeText } from "../analytics/view/definitions";
import { columnLabel, inReadingOrder, nestedName, parseNested } from "./columns";
import { describeFilter, filterText, parseFilter, parseFilters, withFilter, type Filter } from "./filters";
import { ago, bytes, compact, counted, middle, percent, schemaParts, seconds } from "./format";
import { absoluteText, describeRange, intervals, isRange, lengthOf, parseAbsolute } from "./ranges";
import { many, one, parseSearch, stringifySearch } from "./search";

describe("a view's URL", () => {
  it("keeps texts, repeats and odd characters", () => {
    const search = { range: "7d", where: ["app_id:shop~blog", "page_title:*a&b=ü"], open: "good:1" };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });
  it("stays readable", () => {
    expect(stringifySearch({ where: ["app_id:shop~blog"], cols: "app_id,event_name" })).toBe("?where=app_id:shop~blog&cols=app_id,event_name");
  });
  it("leaves out what is not set", () => expect(stringifySearch({ a: "", b: undefined, c: [], d: "1" })).toBe("?d=1"));
  it("reads one or many", () => {
    expect(one(["a", "b"])).toBe("a");
    expect(one(undefined, "x")).toBe("x");
    expect(many("a")).toEqual(["a"]);
  });
});

describe("filters", () => {
  const cases: Filter[] = [
    { column: "app_id", op: "in", values: ["shop", "blog"] },
    { column: "app_id", op: "not_in", values: ["a~b", "100%"] },
    { column: "page_url", op: "contains", values: ["?x=1:2"] },
    { column: "tr_total", op: "gte", values: ["10.5"] },
    { column: "page_title", op: "lt", values: ["a~b"] },
    { column: "tr_total", op: "gt", values: ["10.5"] },
    { column: "tr_total", op: "lte", values: ["10.5"] },
    { column: "derived_tstamp", op: "between", values: ["2026-01-01T00:00", "2026-02-01"] },
    { column: "se_label", op: "in", values: [">=5", "<"] },
    { column: "user_id", op: "none", values: [] },
    { column: "user_id", op: "some", values: [] },
    { column: "se_label", op: "in", values: ["!loud", "-", "*"] },
  ];
  it.each(cases)("come back as they went: %o", (filter) => expect(parseFilter(filterText(filter))).toEqual(filter));
  it("that say nothing are dropped", () => expect(parseFilters(["", "x", ":a", "app_id:"])).toEqual([]));
  it("are replaced by column", () => {
    expect(withFilter(["a:1", "b:2"], "a", { column: "a", op: "in", values: ["3"] })).toEqual(["b:2", "a:3"]);
    expect(withFilter(["a:1", "b:2"], "a", null)).toEqual(["b:2"]);
  });
  it("read as a sentence", () => {
    expect(describeFilter({ column: "app_id", op: "not_in", values: ["a", "b"] })).toBe("app_id is not a or b");
    expect(describeFilter({ column: "app_id", op: "in", values: ["a", "b", "c"] })).toBe("app_id is a or 2 others");
  });
});

describe("ranges", () => {
  it.each(["5m", "24h", "7d", "all", "2026-01-01T00:00:00Z~", "~2026-01-01", "2026-01-01~2026-01-02"])("%s is one", (r) => expect(isRange(r)).toBe(true));
  it.each(["", "0m", "7y", "~", "x~y", "a~b~c"])("%s is none", (r) => expect(isRange(r)).toBe(false));
  it("keeps both ends", () => expect(parseAbsolute(absoluteText(0, 60_000))).toEqual({ from: 0, until: 60_000 }));
  it("has a length", () => expect(lengthOf("2h")).toBe(7_200_000));
  it("says itself in words", () => {
    expect(describeRange("24h")).toBe("Last 24 hours");
    expect(describeRange("90m")).toBe("Last 90 minutes");
    expect(describeRange("2026-01-01T00:00:00Z~")).toMatch(/^After /);
  });
  it("is drawn in at most 62 intervals people count in", () => {
    expect(intervals("30m", 0)).toMatchObject({ seconds: 30, buckets: 60 });
    expect(intervals("7d", 0)).toMatchObject({ seconds: 3 * 3600, buckets: 56 });
    expect(intervals("2026-01-01T00:00:00Z~2026-01-01T01:00:00Z", 0)).toMatchObject({ seconds: 60, buckets: 60, until: Date.parse("2026-01-01T01:00:00Z") });
  });
});

describe("figures", () => {
  it("are short", () => {
    expect(bytes(1_500_000)).toBe("1.5 MB");
    expect(compact(9_999)).toBe((9_999).toLocaleString());
    expect([counted(1, "event"), counted(0, "event"), counted(2, "entity", "entities")]).toEqual(["1 event", "0 events", "2 entities"]);
    expect(percent(1, 100_000)).toBe("< 0.1 %");
    expect(seconds(0.25)).toBe("250 ms");
    expect(ago(0, 61_000)).toBe("1 min ago");
  });
  it("cut long texts in the middle", () => {
    expect(middle("abcdefghij", 5)).toBe("ab…ij");
    expect(middle("short")).toBe("short");
  });
  it("read schema URIs", () => expect(schemaParts("iglu:com.acme/cart/jsonschema/1-0-0")).toEqual({ vendor: "com.acme", name: "cart", version: "1-0-0" }));
});

describe("columns inside of events", () => {
  const uri = "iglu:com.acme/cart/jsonschema/1-0-2";
  it("are named by schema, model and path", () => {
    expect(nestedName(true, uri, ["total"])).toBe("contexts/com.acme/cart/1/total");
    expect(nestedName(false, uri, ["a/b", "c:d,e"])).toBe("unstruct_event/com.acme/cart/1/a%2Fb/c%3Ad%2Ce");
    expect(nestedName(true, "no uri", ["total"])).toBeNull();
    expect(nestedName(true, uri, [])).toBeNull();
  });
  it("are read back", () => {
    expect(parseNested("contexts/com.acme/cart/1/a%2Fb/c")).toEqual({ entity: true, vendor: "com.acme", schema: "cart", model: "1", path: ["a/b", "c"] });
    expect(parseNested("app_id")).toBeNull();
    expect(parseNested("contexts/com.acme/cart/1")?.path).toEqual([]);
    expect(parseNested("contexts/com.acme/cart")).toBeNull();
  });
  it("are filters whose URL is read back", () => {
    const filter: Filter = { column: "contexts/com.acme/cart/1/a%3Ab", op: "in", values: ["x~y"] };
    expect(parseFilter(filterText(filter))).toEqual(filter);
    expect(describeFilter(filter)).toBe("cart.a:b is x~y");
  });
  it("have short labels", () => expect([columnLabel("contexts/com.acme/cart/1/owner/name"), columnLabel("contexts/com.acme/cart/1"), columnLabel("app_id")]).toEqual(["cart.owner.name", "cart", "app_id"]));
  it("come first in an event", () => expect(Object.keys(inReadingOrder({ b: 1, contexts: 1, a: 1, unstruct_event: 1 }))).toEqual(["unstruct_event", "contexts", "a", "b"]));
});

describe("changes", () => {
  it("are percentages up to tenfold, then factors", () => {
    expect([12.4, -3, 999, 1_954, 250_000].map((change) => changeText(undefined, change, 2, 1))).toEqual(["+12%", "−3%", "+999%", "×21", "×2,501"]);
  });
  it("from nothing are new", () => expect(changeText(undefined, null, 2, 0)).toBe("new"));
});
