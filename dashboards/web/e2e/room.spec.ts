// The widest figures that there are, where the room for them is least: nothing runs out of its card
// or under the sign of its level.
import type { Page } from "@playwright/test";
import { enter, expect, REAL_URL, test } from "./harness";

test.skip(REAL_URL !== undefined, "needs the mock server");

/** Values of the cards `card` that leave their card, or meet its chip. */
const crowded = (page: Page, card: string) =>
  page.locator(card).evaluateAll((cards) =>
    cards.flatMap((one) => {
      const value = one.querySelector("[data-figure]");
      if (value === null) return ["a card without a figure"];
      const [room, at] = [one.getBoundingClientRect(), value.getBoundingClientRect()];
      const chip = one.querySelector(".chip")?.getBoundingClientRect();
      const out = at.right > room.right || at.left < room.left;
      const under =
        chip !== undefined &&
        at.right > chip.left &&
        at.left < chip.right &&
        at.bottom > chip.top &&
        at.top < chip.bottom;
      return out || under ? [value.textContent ?? ""] : [];
    }),
  );

for (const [query, size, card] of [
  ["", [390, 844], ".fig"],
  ["", [320, 640], ".fig"],
  ["", [1440, 900], ".fig"],
  ["?kiosk", [1920, 1080], ".k-fig"],
] as const) {
  test(`an hour's wait and 100 % have room: ${card}, ${size[0]} px`, async ({ page, mock, url }) => {
    const [width, height] = size;
    await page.setViewportSize({ width, height });
    await enter(page, url, query);
    const since = new Date(Date.now() - 5_000_000).toISOString();
    mock.push({ "/totals/ready": 0, "/totals/longest_wait_since": since });
    const shown = (name: string) => page.locator(`[data-figure="totals.${name}"]`);
    await expect(shown("occupancy")).toHaveText(/^100/);
    await expect(shown("longest_wait_since")).toHaveText(/^\d:\d\d:\d\d/);
    expect(await crowded(page, card)).toEqual([]);
  });
}
