// How figures are written, in both languages.
import { expect, it } from "vitest";
import { count, ratio, secondsSince, share, timeOfDay, timer } from "../src/lib/formats";

it.each([
  [null, "—"],
  [0, "00:00"],
  [59, "00:59"],
  [252, "04:12"],
  [3599, "59:59"],
  [3600, "1:00:00"],
  [45_296, "12:34:56"],
])("timer of %s is %s", (seconds, text) => {
  expect(timer(seconds)).toBe(text);
});

it("writes shares in whole per cent, and nothing measured as a dash", () => {
  expect(share("es", 0.782)).toBe("78\u00a0%");
  expect(share("en", 0.782)).toBe("78%");
  expect(share("es", 0)).toBe("0\u00a0%");
  for (const nothing of [null, undefined, Number.NaN]) expect(share("es", nothing)).toBe("—");
});

it("groups thousands as each language does", () => {
  expect([count("es", 1649), count("es", 16_490), count("en", 1649)]).toEqual([
    "1649",
    "16.490",
    "1,649",
  ]);
  expect(count("es", null)).toBe("—");
  expect(count("es", 0)).toBe("0");
});

it("gives the centre's time of day, whatever the machine's zone, over 24 hours", () => {
  expect(timeOfDay("es", Date.parse("2026-03-02T09:42:18Z"))).toBe("10:42:18");
  expect(timeOfDay("en", Date.parse("2026-07-01T22:00:00Z"))).toBe("00:00:00");
});

it("counts whole seconds since an instant, never below nought", () => {
  const now = Date.parse("2026-03-02T09:42:18.900Z");
  expect(secondsSince("2026-03-02T09:42:17Z", now)).toBe(1);
  expect(secondsSince("2026-03-02T09:43:00Z", now)).toBe(0);
  expect(secondsSince(null, now)).toBeNull();
  expect(secondsSince("soon", now)).toBeNull();
});

it("has no share of nothing", () => {
  expect(ratio(0, 0)).toBeNull();
  expect(ratio(1, 4)).toBe(0.25);
});
