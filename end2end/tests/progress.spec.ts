// The page of a run in progress: its figures while another process executes the run, and cancelling.
import { expectAccessible, hydrated, expect, open, scripted, test } from "./lethe";
import { step, insertRunningRun } from "./runs";
import type { Page } from "@playwright/test";

// Without JavaScript a link loads the current progress; the page never reloads itself.
async function refresh(page: Page): Promise<void> {
  if (scripted()) return;
  await expect(page.locator("meta[http-equiv=refresh]")).toHaveCount(0);
  await page.getByRole("link", { name: "Show current progress" }).click();
}

test("the progress of a run is shown, and then its result", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  step(sql, run, "done = 10");
  await open(page, `/runs/${run}`);
  const bar = page.getByRole("progressbar", { name: "Progress of the run" });
  await expect(bar).toHaveJSProperty("value", 10);
  await expect(page.getByText("Anonymising", { exact: true })).toBeVisible();
  await expect(page.getByText(/users per second/)).toBeVisible();
  if (scripted()) await expectAccessible(page);

  await page.screenshot({ path: `test-results/progress-${test.info().project.name}.png` });
  step(sql, run, "done = 20, skipped = 3, failed = 1");
  await refresh(page);
  await expect(page.locator(".progress .figures")).toContainText("remaining16");
  await expect(bar).toHaveJSProperty("value", 24);
  if (scripted()) await expect(page.locator(".progress").getByRole("status")).toHaveText(/24 of 40 users processed, 16 remaining/);
  const cancel = page.locator("summary", { hasText: /^Cancel run/ });
  await expect(cancel).toBeVisible();
  step(sql, run, "phase = 'scanning', done = 36");
  await refresh(page);
  await expect(page.getByText("Searching for residue", { exact: true })).toBeVisible();
  await expect(cancel, "no user is left").toBeHidden();

  step(sql, run, "state = 'completed_with_failures', phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
  await refresh(page);
  await expect(page.getByText("36 users anonymised, 3 skipped, 1 failed, of 40 in the preview.")).toBeVisible();
  await expect(bar).toHaveCount(0);
  await expect(page).toHaveURL(`/runs/${run}`);
});

test("a run in progress is cancelled by a button", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  await page.locator("summary", { hasText: /^Cancel run/ }).click();
  await expect(page.getByText("Users already anonymised stay anonymised")).toBeVisible();
  await page.screenshot({ path: `test-results/cancel-${test.info().project.name}.png` });
  await page.getByRole("button", { name: /^Cancel run/ }).click();
  await expect(page.getByText("Cancelling", { exact: true }).first()).toBeVisible();
  await hydrated(page);
  await expect(page.getByRole("button", { name: /^Cancel run/ })).toHaveCount(0);
  expect(sql(`SELECT state FROM runs WHERE id = ${run}`)).toBe("cancelling");
  step(sql, run, "state = 'cancelled', done = 15, phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
  await refresh(page);
  await expect(page.getByText("15 users anonymised, 0 skipped, 0 failed, 25 not reached")).toBeVisible();
});

test("the page polls if the event stream does not work", async ({ page, library: { sql } }) => {
  test.skip(!scripted(), "polling needs JavaScript");
  await page.route("**/events/**", (route) => route.abort());
  page.removeAllListeners("console");
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  step(sql, run, "done = 30");
  await expect(page.locator(".progress .figures")).toContainText("remaining10");
  step(sql, run, "state = 'succeeded', done = 40, phase = NULL");
  await expect(page.getByText("40 users anonymised")).toBeVisible();
});

test("a run without a heartbeat is shown as interrupted", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  // The server takes over such a run within seconds. If the page was too late, reset the heartbeat and try again.
  await expect(async () => {
    sql(
      `UPDATE runs SET state = 'running', holder = 'another process', heartbeat_at = '2026-11-24 00:00:00+00:00'` +
        ` WHERE id = ${run}`,
    );
    await open(page, `/runs/${run}`);
    await expect(page.getByText("Interrupted", { exact: true }).first()).toBeVisible({ timeout: 2_000 });
  }).toPass();
  sql(`UPDATE runs SET state = 'cancelled', holder = NULL WHERE id = ${run}`);
});
