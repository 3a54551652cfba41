// The test of an installed package, which .ci/dist-test starts.
import { defineConfig } from "@playwright/test";
import base from "../playwright.config";

export default defineConfig({
  ...base,
  testDir: ".",
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: { ...base.use, actionTimeout: 20_000 },
  workers: 1,
  retries: 0,
  projects: [{ name: "installed" }],
});
