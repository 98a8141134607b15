import { describe, expect, it } from "vitest";
import { datesOf, moved, periodText } from "./periods";

describe("a period of one's own", () => {
  it("is named by its days, whether they came alone or with their midnights", () => {
    const alone = periodText("2026-08-19", moved("2026-08-27", 1));
    expect(alone).toBe(periodText("2026-08-19T00:00:00+02:00", "2026-08-28T00:00:00+02:00"));
    expect(alone).toMatch(/19/);
    expect(alone).toMatch(/27/);
    expect(alone).not.toMatch(/28|, –/);
    expect(datesOf("2026-08-19", "2026-08-28")).toEqual(["2026-08-19", "2026-08-27"]);
  });

  it("has its hours where it does not begin with a day", () => {
    expect(periodText("2026-08-19T10:00:00Z", "2026-08-19T12:30:00Z")).toMatch(/10:00 – 12:30$/);
  });
});
