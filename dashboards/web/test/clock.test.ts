// The centre's clock: rates, and being held true by frames.
import { expect, it } from "vitest";
import { CentreClock } from "../src/lib/clock";

const made = (rate: number): CentreClock => {
  const clock = new CentreClock();
  clock.anchor(1_000_000, rate, 500);
  return clock;
};

it.each([
  [1, 1_002_000],
  [60, 1_120_000],
  [0, 1_000_000],
])("at rate %d runs so", (rate, expected) => {
  expect(made(rate).now(2_500)).toBe(expected);
});

it("is set forward at once by an instant ahead of it", () => {
  const clock = made(0);
  clock.observe(1_015_000, 600);
  expect(clock.now(9_000)).toBe(1_015_000);
});

it("is not set back by late frames, only by staying ahead of all", () => {
  const clock = made(1);
  for (let i = 1; i <= 63; i += 1) clock.observe(1_000_000 + i * 2_000 - 3_000, 500 + i * 2_000);
  clock.observe(1_000_000 + 128_000 - 10, 500 + 128_000);
  expect(clock.now(500 + 128_000)).toBe(1_128_000);
  for (let i = 1; i <= 64; i += 1) {
    clock.observe(1_128_000 + i * 2_000 - 3_000, 128_500 + i * 2_000);
  }
  expect(clock.now(128_500 + 128_000)).toBe(1_128_000 + 128_000 - 3_000);
});
