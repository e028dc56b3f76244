// Browser tests on the system's Chromium. Each test starts its own mock server; with ATALAYA_URL
// and ATALAYA_TOKEN the tests that need no mock run against a real server instead.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "e2e",
  workers: 1,
  reporter: "list",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    browserName: "chromium",
    locale: "es-ES",
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env.ATALAYA_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
      ],
    },
  },
});
