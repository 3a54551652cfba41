// Lines that would bring back anonymised users are held, until a member of staff decides about them.
import type { Page } from "@playwright/test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, expectAccessible, open, scripted, test, type Library } from "./lethe";

test.use({ expectedStatus: [422] });
test.describe.configure({ mode: "serial" });

const kind = () => (scripted() ? "wasm" : "plain");
const externalId = (n: number) => `held-${kind()}-${n}`;
const LINES = [1, 2, 3, 4, 5];

// Imports a file of these users. Each project of the tests has a separate library.
function importUsers(library: Library): void {
  const file = join(library.folder, "held.csv");
  const lines = LINES.map((n) => `${externalId(n)},Heldalder,Ada${n}`);
  writeFileSync(file, ["external_id,last_name,first_name", ...lines, ""].join("\n"));
  library.command("import", "users", file);
}

const numbers = (library: Library): string[] =>
  library.sql("SELECT number FROM users WHERE last_name = 'Heldalder' ORDER BY number").split("\n").filter(Boolean);

const ticks = (page: Page) => page.getByRole("checkbox", { name: /^Choose held line/ });

async function decide(page: Page, decision: string): Promise<void> {
  await page.getByRole("radio", { name: decision, exact: true }).check();
  await page.getByRole("button", { name: "Save decision" }).click();
}

test("the file of yesterday brings back no anonymised user", async ({ page, library }) => {
  importUsers(library);
  for (const number of numbers(library)) {
    library.command("users", "anonymise", number, "--confirm", number, "--reason", "left");
  }
  importUsers(library);
  expect(numbers(library)).toEqual([]);
  await open(page, "/users/held-lines");
  await expect(ticks(page)).toHaveCount(LINES.length);
  await expect(page.getByRole("main")).not.toContainText("Heldalder");
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/held-lines-${kind()}.png`, fullPage: true });
});

test("a decision without a line, or a line without a decision, is refused at its field", async ({ page }) => {
  await open(page, "/users/held-lines");
  await page.getByRole("button", { name: "Save decision" }).click();
  await expect(page.getByRole("alert")).toContainText("There are 2 problems");
  await decide(page, "Ignore");
  await expect(page.getByRole("alert")).toContainText("at least one line");
  await expect(page.getByRole("radio", { name: "Ignore", exact: true })).toBeChecked();
  await ticks(page).first().check();
  await page.getByRole("radio", { name: "Ignore", exact: true }).evaluate((one: HTMLInputElement) => (one.checked = false));
  await page.getByRole("button", { name: "Save decision" }).click();
  await expect(page.getByRole("alert")).toContainText("a decision");
  await expect(ticks(page).first()).toBeChecked();
  if (scripted()) await expectAccessible(page);
});

test("each decision has its consequence in the next import", async ({ page, library }) => {
  const decisions = ["Ignore", "Always ignore", "New membership"];
  for (const [place, decision] of decisions.entries()) {
    await open(page, "/users/held-lines");
    await expect(ticks(page)).toHaveCount(LINES.length - place);
    await ticks(page).first().check();
    await decide(page, decision);
    const creates = decision === "New membership";
    await expect(page.getByText(creates ? "creates the users of these lines" : "Imports skip these lines.")).toBeVisible();
  }
  // The rest at once, also on other pages.
  await page.getByRole("checkbox", { name: /^All 2 lines to decide/ }).check();
  await decide(page, "Different person");
  await expect(page.getByText("No held lines.")).toBeVisible();
  importUsers(library);
  expect(numbers(library)).toHaveLength(3);
  await open(page, "/users/held-lines");
  await expect(ticks(page)).toHaveCount(0);

  await page.getByLabel("Show").selectOption({ index: 1 });
  await page.getByRole("button", { name: "Filter held lines" }).click();
  // The lines that created users are no longer held.
  await expect(ticks(page)).toHaveCount(2);
  for (const decision of ["Ignore", "Always ignore"]) {
    await expect(page.getByRole("table", { name: "Held lines" })).toContainText(decision);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/held-lines-decided-${kind()}.png`, fullPage: true });
});

test("the suppression list explains what it holds and for how long", async ({ page }) => {
  await open(page, "/suppression");
  const main = page.getByRole("main");
  await expect(main).toContainText("On the list");
  await expect(main).toContainText("First key leaves the list");
  await expect(main).not.toContainText(externalId(1));
  await page.getByRole("link", { name: "Show held lines" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Held lines");
});
