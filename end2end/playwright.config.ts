// Browser tests in Chromium, with WebAssembly and without JavaScript.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  fullyParallel: false,
  workers: 2,
  // Long time-outs for a busy machine: tests wait for states.
  timeout: 240_000,
  expect: { timeout: 45_000 },
  forbidOnly: Boolean(process.env.CI),
  // A test that passes the second time is reported as flaky. Repeated runs (REPEAT) count every failure.
  retries: Number(process.env.REPEAT ?? 1) > 1 ? 0 : 1,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1366, height: 768 },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
  projects: [
    { name: "wasm" },
    { name: "plain", use: { javaScriptEnabled: false }, testIgnore: /webassembly|axe|in-place/ },
  ],
});
