// A page that is brought up to date where it stands takes nothing away from whoever is at it.
import { accessible, expect, isMarked, mark, open, test } from "./lethe";
import { end, underWay } from "./runs";
import type { Page } from "@playwright/test";

const RESULT = "40 users anonymised, 0 skipped, 0 failed, of 40 in the preview.";
const progress = (page: Page) => page.getByRole("progressbar", { name: "Progress of the run" });

test("a run ends while somebody types, and what was typed stays with the focus", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
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
  expect(await isMarked(page), "the page was not loaded again").toBe(true);
  // What can be done now is offered, and the result is announced.
  await expect(page.locator("[data-live=lead]")).toHaveAttribute("aria-live", "polite");
  await expect(page.getByRole("navigation", { name: "Actions" })).toContainText("Clean database files");
  await accessible(page);
});

test("a run ends while another page is on its way, and that page comes", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
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
  // The page learns of the end while the browser is on its way.
  const learned = page.waitForResponse((answer) => answer.url().includes("by=itself"));
  end(sql, run);
  await learned;
  release();
  await expect(page).toHaveURL(/\/tasks$/);
  await expect(page.getByRole("heading", { level: 1, name: "Task centre" })).toBeVisible();
});

test("a form that was sent when a run ends is carried out", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  let release = () => {};
  const gate = new Promise<void>((open) => (release = open));
  await page.route("**/do/find_people*", async (route) => {
    await gate;
    await route.continue();
  });
  await page.getByLabel("Outcome", { exact: true }).selectOption("failed");
  const sent = page.waitForRequest("**/do/find_people*");
  await page.getByRole("button", { name: "Show users" }).click({ noWaitAfter: true });
  await sent;
  const learned = page.waitForResponse((answer) => answer.url().includes("by=itself"));
  end(sql, run);
  await learned;
  release();
  await expect(page).toHaveURL(new RegExp(`/runs/${run}\\?outcome=failed`));
});

test("the cancel button goes when the run ends, and the focus elsewhere stays", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  await page.getByLabel("Find a user in this list").focus();
  end(sql, run);
  await expect(page.getByText(RESULT)).toBeVisible();
  await expect(page.locator("summary", { hasText: /^Cancel run/ })).toBeHidden();
  await accessible(page);
  await expect(progress(page)).toHaveCount(0);
  await expect(page.getByLabel("Find a user in this list")).toBeFocused();
});

test("marked text stays marked until it is let go", async ({ page, library: { sql } }) => {
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  const words = page.locator("[data-live=run] dl.facts dd").first();
  await words.evaluate((element) => getSelection()?.selectAllChildren(element));
  end(sql, run);
  await expect(page.getByText(RESULT)).toBeVisible();
  expect(await page.evaluate(() => getSelection()?.toString()), "still marked").not.toBe("");
  await expect(progress(page)).toBeVisible();
  await page.evaluate(() => getSelection()?.removeAllRanges());
  await expect(progress(page)).toHaveCount(0);
});

test("a run that is not reached at its end is shown when it is reached again", async ({ page, library: { sql } }) => {
  page.removeAllListeners("console");
  const run = underWay(sql);
  await open(page, `/runs/${run}`);
  await page.route("**/runs/*by=itself", (route) => route.abort());
  const refused = page.waitForEvent("requestfailed", (request) => request.url().includes("by=itself"));
  end(sql, run);
  await refused;
  await expect(page.getByRole("link", { name: "Show result" })).toBeVisible();
  await page.unroute("**/runs/*by=itself");
  await expect(page.getByText(RESULT)).toBeVisible();
});

test("the search for old values is shown when it has come to its end", async ({ page, library }) => {
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
  library.command("users", "anonymise", user, "--confirm", user);
  sql(`UPDATE run_members SET residue = NULL WHERE user_number = ${user}`);
  await open(page, `/users/${user}`);
  const residue = page.locator("[data-live=residue]");
  await expect(residue).toContainText("in progress");
  await mark(page);
  await page.getByRole("searchbox", { name: "Find a user", exact: true }).fill("typed meanwhile");
  sql(`UPDATE run_members SET residue = 'clean' WHERE user_number = ${user}`);
  await expect(residue).toContainText("no old values were found");
  await expect(page.getByRole("searchbox", { name: "Find a user", exact: true })).toHaveValue("typed meanwhile");
  expect(await isMarked(page), "the page was not loaded again").toBe(true);
});
