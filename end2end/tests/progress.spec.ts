// A run that is under way: what the page shows while another process carries it out, and how it is cancelled.
import { accessible, awake, expect, open, scripted, test } from "./lethe";
import { step, underWay } from "./runs";
import type { Page } from "@playwright/test";

// Without JavaScript a link shows how far the run is; nothing is loaded under the feet of whoever types.
async function look(page: Page): Promise<void> {
  if (scripted()) return;
  await expect(page.locator("meta[http-equiv=refresh]")).toHaveCount(0);
  await page.getByRole("link", { name: "Show current progress" }).click();
}

test("progress is shown as it happens, and then the result", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  step(sql, run, "done = 10");
  await open(page, `/runs/${run}`);
  const bar = page.getByRole("progressbar", { name: "Progress of the run" });
  await expect(bar).toHaveJSProperty("value", 10);
  await expect(page.getByText("Anonymising", { exact: true })).toBeVisible();
  await expect(page.getByText(/users per second/)).toBeVisible();
  if (scripted()) await accessible(page);

  await page.screenshot({ path: `test-results/progress-${test.info().project.name}.png` });
  step(sql, run, "done = 20, skipped = 3, failed = 1");
  await look(page);
  await expect(page.locator(".progress .figures")).toContainText("remaining16");
  await expect(bar).toHaveJSProperty("value", 24);
  if (scripted()) await expect(page.locator(".progress").getByRole("status")).toHaveText(/24 of 40 users processed, 16 remaining/);
  const cancel = page.locator("summary", { hasText: /^Cancel run/ });
  await expect(cancel).toBeVisible();
  step(sql, run, "phase = 'scanning', done = 36");
  await look(page);
  await expect(page.getByText("Searching for residue", { exact: true })).toBeVisible();
  await expect(cancel, "no user is left").toBeHidden();

  step(sql, run, "state = 'completed_with_failures', phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
  await look(page);
  await expect(page.getByText("36 users anonymised, 3 skipped, 1 failed, of 40 in the preview.")).toBeVisible();
  await expect(bar).toHaveCount(0);
  await expect(page).toHaveURL(`/runs/${run}`);
});

test("a run that is under way is cancelled by a button", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  await page.locator("summary", { hasText: /^Cancel run/ }).click();
  await expect(page.getByText("Users already anonymised stay anonymised")).toBeVisible();
  await page.screenshot({ path: `test-results/cancel-${test.info().project.name}.png` });
  await page.getByRole("button", { name: /^Cancel run/ }).click();
  await expect(page.getByText("Cancelling", { exact: true }).first()).toBeVisible();
  await awake(page);
  await expect(page.getByRole("button", { name: /^Cancel run/ })).toHaveCount(0);
  expect(sql(`SELECT state FROM runs WHERE id = ${run}`)).toBe("cancelling");
  step(sql, run, "state = 'cancelled', done = 15, phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
  await look(page);
  await expect(page.getByText("15 users anonymised, 0 skipped, 0 failed, 25 not reached")).toBeVisible();
});

test("where events do not come through the page asks", async ({ page, library: { sql } }) => {
  test.skip(!scripted(), "there is nothing to ask with");
  await page.route("**/events/**", (route) => route.abort());
  page.removeAllListeners("console");
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  step(sql, run, "done = 30");
  await expect(page.locator(".progress .figures")).toContainText("remaining10");
  step(sql, run, "state = 'succeeded', done = 40, phase = NULL");
  await expect(page.getByText("40 users anonymised")).toBeVisible();
});

test("a run whose process is silent is shown as interrupted", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  // The server takes up such a run within seconds, so the page may come too late. Then the process falls silent again.
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
