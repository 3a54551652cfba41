// When a run ends, its page is updated in place: entries, focus and selection are kept.
import { expectAccessible, expect, isMarked, mark, open, test } from "./lethe";
import { end, insertRunningRun } from "./runs";
import type { Page } from "@playwright/test";

const RESULT = "40 users anonymised, 0 skipped, 0 failed, of 40 in the preview.";
const progress = (page: Page) => page.getByRole("progressbar", { name: "Progress of the run" });

test("the end of a run keeps the entries and the focus", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  await mark(page);
  const field = page.getByLabel("Find a user in this list");
  await field.pressSequentially("Nguy");
  end(sql, run);
  await expect(page.getByText(RESULT)).toBeVisible();
  await expect(progress(page)).toHaveCount(0);
  await expect(field).toBeFocused();
  await page.keyboard.type("en");
  await expect(field).toHaveValue("Nguyen");
  expect(await isMarked(page), "the page was not reloaded").toBe(true);
  // The new actions are shown, and the result is announced.
  await expect(page.locator("[data-live=lead]")).toHaveAttribute("aria-live", "polite");
  await expect(page.getByRole("navigation", { name: "Actions" })).toContainText("Clean database files");
  await expectAccessible(page);
});

test("a table without changes is not replaced", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  sql(`INSERT INTO run_members (run_id, user_number, reason, blockers, outcome) VALUES (${run}, 20, 0, 0, 'done')`);
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, `/runs/${run}`);
  const row = page.locator("[data-live=people] tbody tr").first();
  await expect(row.locator("[data-label]").first()).toBeVisible();
  await row.evaluate((one) => Object.assign(one, { isSame: true }));
  end(sql, run);
  await expect(page.getByText(RESULT)).toBeVisible();
  expect(await row.evaluate((one) => "isSame" in one)).toBe(true);
  // A table of a region that was replaced has labels, too.
  await expect(page.locator("main .scroll tbody tr:not(:has([data-label]))")).toHaveCount(0);
});

test("the end of a run does not cancel a navigation", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  let release = () => {};
  const gate = new Promise<void>((open) => (release = open));
  await page.route("**/tasks", async (route) => {
    await gate;
    await route.continue();
  });
  const asked = page.waitForRequest("**/tasks");
  await page.getByRole("link", { name: "Task centre" }).first().click({ noWaitAfter: true });
  await asked;
  // The page is updated while the browser waits for the other page.
  const updated = page.waitForResponse((answer) => answer.url().includes("by=itself"));
  end(sql, run);
  await updated;
  release();
  await expect(page).toHaveURL(/\/tasks$/);
  await expect(page.getByRole("heading", { level: 1, name: "Task centre" })).toBeVisible();
});

test("the end of a run does not cancel a form", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  let release = () => {};
  const gate = new Promise<void>((open) => (release = open));
  await page.route("**/do/find_run_users*", async (route) => {
    await gate;
    await route.continue();
  });
  await page.getByLabel("Outcome", { exact: true }).selectOption("failed");
  const sent = page.waitForRequest("**/do/find_run_users*");
  await page.getByRole("button", { name: "Show users" }).click({ noWaitAfter: true });
  await sent;
  const updated = page.waitForResponse((answer) => answer.url().includes("by=itself"));
  end(sql, run);
  await updated;
  release();
  await expect(page).toHaveURL(new RegExp(`/runs/${run}\\?outcome=failed`));
});

test("the cancel button disappears when the run ends, and the focus elsewhere is kept", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  await page.getByLabel("Find a user in this list").focus();
  end(sql, run);
  await expect(page.getByText(RESULT)).toBeVisible();
  await expect(page.locator("summary", { hasText: /^Cancel run/ })).toBeHidden();
  await expectAccessible(page);
  await expect(progress(page)).toHaveCount(0);
  await expect(page.getByLabel("Find a user in this list")).toBeFocused();
});

test("selected text stays selected, and the page is updated afterwards", async ({ page, library: { sql } }) => {
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  const fact = page.locator("[data-live=run] dl.facts dd").first();
  await fact.evaluate((element) => getSelection()?.selectAllChildren(element));
  end(sql, run);
  await expect(page.getByText(RESULT)).toBeVisible();
  expect(await page.evaluate(() => getSelection()?.toString()), "the selection").not.toBe("");
  await expect(progress(page)).toBeVisible();
  await page.evaluate(() => getSelection()?.removeAllRanges());
  await expect(progress(page)).toHaveCount(0);
});

test("a page that could not be updated when the run ended is updated later", async ({ page, library: { sql } }) => {
  page.removeAllListeners("console");
  const run = insertRunningRun(sql);
  await open(page, `/runs/${run}`);
  await page.route("**/runs/*by=itself", (route) => route.abort());
  const failed = page.waitForEvent("requestfailed", (request) => request.url().includes("by=itself"));
  end(sql, run);
  await failed;
  await expect(page.getByRole("link", { name: "Show result" })).toBeVisible();
  await page.unroute("**/runs/*by=itself");
  await expect(page.getByText(RESULT)).toBeVisible();
});

test("the result of the residue search is shown when the search ends", async ({ page, library }) => {
  const { sql } = library;
  const user = sql(
    "SELECT MIN(number) FROM users WHERE number > 40 AND anonymised_on IS NULL AND NOT fictitious" +
      " AND number NOT IN (SELECT user_number FROM user_roles)" +
      " AND number NOT IN (SELECT user_number FROM loans WHERE returned_on IS NULL)" +
      " AND number NOT IN (SELECT user_number FROM requests WHERE status = 'open' AND user_number IS NOT NULL)" +
      " AND number NOT IN (SELECT user_number FROM charges WHERE settled_on IS NULL AND user_number IS NOT NULL)" +
      " AND number NOT IN (SELECT guarantor_number FROM users WHERE guarantor_number IS NOT NULL)" +
      " AND number NOT IN (SELECT user_number FROM legal_holds WHERE user_number IS NOT NULL)",
  );
  library.command("users", "anonymise", user, "--confirm", user, "--reason", "left");
  sql(`UPDATE run_members SET residue = NULL WHERE user_number = ${user}`);
  await open(page, `/users/${user}`);
  const residue = page.locator("[data-live=residue]");
  await expect(residue).toContainText("in progress");
  await mark(page);
  await page.getByRole("searchbox", { name: "Find a user", exact: true }).fill("typed meanwhile");
  sql(`UPDATE run_members SET residue = 'clean' WHERE user_number = ${user}`);
  await expect(residue).toContainText("no old values were found");
  await expect(page.getByRole("searchbox", { name: "Find a user", exact: true })).toHaveValue("typed meanwhile");
  expect(await isMarked(page), "the page was not reloaded").toBe(true);
});
