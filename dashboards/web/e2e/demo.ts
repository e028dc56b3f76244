// A whole centre living in the real program, for the tests that look at it: one a worker, on a
// folder of its own that was empty. Signing in goes by the keyboard alone.
import type { Page } from "@playwright/test";
import { expect, test as base } from "./harness";
import { Server } from "./server";

export interface Demo {
  server: Server;
  /** A supervisor's token: what the page and the board beside it are opened with. */
  token: string;
}

export const test = base.extend<object, { demo: Demo }>({
  demo: [
    async ({}, use) => {
      const server = await Server.open(["demo"]);
      try {
        await use({ server, token: await server.tokenOf("supervisor") });
      } finally {
        await server.close();
      }
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

/** Opens the page and signs in with the keyboard alone. */
export async function enter(page: Page, { server, token }: Demo, query = ""): Promise<void> {
  await page.goto(`${server.url}/wallboard${query}`);
  await page.keyboard.press("Tab");
  const field = page.locator("#token");
  for (let i = 0; i < 10 && !(await field.evaluate((e) => e === document.activeElement)); i += 1) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.insertText(token);
  await page.keyboard.press("Enter");
  await expect(page.locator("main[data-seq]")).toBeVisible();
}
