// A run that is under way: what the page shows while another process carries it out, and how it is cancelled.
import { accessible, awake, expect, open, scripted, test, type Library } from "./lethe";

// A run of 40 people that another process has taken up, as its rows stand in the database.
function underWay(sql: Library["sql"]): string {
  const id = sql(
    "INSERT INTO runs (task_id, kind, state, today, policy, rules_version, channel, created_at, users, previewed," +
      " holder, phase, started_at, progress_at, heartbeat_at)" +
      " SELECT id, 'manual', 'running', '2026-11-24', policy, 1, 'desk', '2026-11-24 12:00:00+00:00', 300, 40," +
      " 'another process', 'anonymising', strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-10 seconds')," +
      " strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')" +
      " FROM tasks WHERE id = 1 RETURNING id",
  );
  return id;
}

function step(sql: Library["sql"], run: string, change: string): void {
  sql(
    `UPDATE runs SET ${change}, heartbeat_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'),` +
      ` progress_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = ${run}`,
  );
}

test("progress is shown as it happens, and then the result", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  step(sql, run, "done = 10");
  await open(page, `/runs/${run}`);
  const bar = page.getByRole("progressbar", { name: "Progress of the run" });
  await expect(bar).toHaveJSProperty("value", 10);
  await expect(page.getByText("Anonymising", { exact: true })).toBeVisible();
  await expect(page.getByText(/users a second/)).toBeVisible();
  // Without JavaScript the page loads itself again, under the feet of the check.
  if (scripted()) await accessible(page);

  await page.screenshot({ path: `test-results/progress-${test.info().project.name}.png` });
  step(sql, run, "done = 20, skipped = 3, failed = 1");
  await expect(page.locator(".progress .figures")).toContainText("remaining16", { timeout: 10_000 });
  await expect(bar).toHaveJSProperty("value", 24);
  if (scripted()) await expect(page.getByRole("status")).toHaveText(/24 of 40 users done with, 16 remaining/);
  const cancel = page.getByRole("button", { name: "Cancel the run" });
  await expect(cancel).toBeVisible();
  step(sql, run, "phase = 'scanning', done = 36");
  await expect(page.getByText("Searching for residue", { exact: true })).toBeVisible({ timeout: 10_000 });
  await expect(cancel, "no user is left").toBeHidden();

  step(sql, run, "state = 'completed_with_failures', phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
  await expect(page.getByText("36 users anonymised, 3 skipped, 1 failed, of 40 in the preview.")).toBeVisible({
    timeout: 10_000,
  });
  await expect(bar).toHaveCount(0);
  // A page that loads itself again does so at an address that does not count as somebody being there.
  if (!scripted()) await expect(page).toHaveURL(`/runs/${run}?by=itself`);
});

test("a run that is under way is cancelled by a button", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await expect(page.getByText("Cancelling", { exact: true }).first()).toBeVisible();
  await awake(page);
  await expect(page.getByRole("button", { name: "Cancel the run" })).toHaveCount(0);
  expect(sql(`SELECT state FROM runs WHERE id = ${run}`)).toBe("cancelling");
  step(sql, run, "state = 'cancelled', done = 15, phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
  await expect(page.getByText("15 users anonymised, 0 skipped, 0 failed, 25 not reached")).toBeVisible({
    timeout: 10_000,
  });
});

test("where events do not come through the page asks", async ({ page, library: { sql } }) => {
  test.skip(!scripted(), "there is nothing to ask with");
  await page.route("**/events/**", (route) => route.abort());
  page.removeAllListeners("console");
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  step(sql, run, "done = 30");
  await expect(page.locator(".progress .figures")).toContainText("remaining10", { timeout: 10_000 });
  step(sql, run, "state = 'succeeded', done = 40, phase = NULL");
  await expect(page.getByText("40 users anonymised")).toBeVisible({ timeout: 10_000 });
});

test("a run whose process is silent is shown as interrupted", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  sql(`UPDATE runs SET heartbeat_at = '2026-11-24 00:00:00+00:00' WHERE id = ${run}`);
  await open(page, `/runs/${run}`);
  await expect(page.getByText("Interrupted", { exact: true }).first()).toBeVisible();
  sql(`UPDATE runs SET state = 'cancelled', holder = NULL WHERE id = ${run}`);
});
