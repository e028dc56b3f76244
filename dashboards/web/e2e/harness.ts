// What browser tests share: a server (mock, or the one that ATALAYA_URL names), a watch over the
// page's faults and requests, signing in, and the accessibility check.
import AxeBuilder from "@axe-core/playwright";
import { expect, test as base, type Page } from "@playwright/test";
import { Mock, TOKEN } from "./mock";

export const REAL_URL = process.env.ATALAYA_URL;
const token = REAL_URL === undefined ? TOKEN : (process.env.ATALAYA_TOKEN ?? "");

/** What a page did wrong, and what it asked for, since it was opened. */
export interface Watch {
  faults: string[];
  requests: string[];
  sockets: number;
}

interface Fixtures {
  mock: Mock;
  url: string;
  watch: Watch;
}

export const test = base.extend<Fixtures>({
  mock: async ({}, use) => {
    const mock = await Mock.open();
    await use(mock);
    await mock.close();
  },
  url: async ({ mock }, use) => {
    await use(REAL_URL ?? mock.url);
  },
  watch: async ({ page }, use) => {
    const watch: Watch = { faults: [], requests: [], sockets: 0 };
    page.on("pageerror", (e) => watch.faults.push(`error: ${e.message}`));
    page.on("console", (m) => {
      if (m.type() !== "error" && m.type() !== "warning") return;
      watch.faults.push(`console: ${m.text()} ${m.location().url}`);
    });
    page.on("request", (r) => watch.requests.push(`${r.method()} ${new URL(r.url()).pathname}`));
    page.on("websocket", () => (watch.sockets += 1));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (e) => {
        console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`);
      });
    });
    await use(watch);
  },
});

export { expect };

/** Opens the page and signs in; ends when the first data are shown. */
export async function enter(
  page: Page,
  url: string,
  query = "",
  code: string = token,
): Promise<void> {
  await page.goto(`${url}/wallboard${query}`);
  await page.locator("#token").fill(code);
  await page.locator("form button[type=submit]").click();
  await expect(page.locator("main[data-seq]")).toBeVisible();
}

/** The dialog that is open, and the figure of that name. */
export const dialog = (page: Page) => page.getByRole("dialog");
export const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"]`);

/** Nothing may be wider than the window. */
export async function expectNoSideways(page: Page, width: number): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(width);
}

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Of the whole page, or of one part of it where the rest was looked at already. */
export async function expectAccessible(page: Page, part?: string): Promise<void> {
  const builder = new AxeBuilder({ page }).withTags(TAGS);
  if (part !== undefined) builder.include(part);
  const { violations } = await builder.analyze();
  const told = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
  expect(told).toEqual([]);
}

export const tile = (page: Page, name: string) => page.locator(".q", { hasText: name });
