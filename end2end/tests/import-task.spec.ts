// A systems librarian creates a task that imports users, previews the next file and runs it.
import { mkdirSync, existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, expectAccessible, open, openTab, scripted, test, type Library } from "./lethe";

test.use({ expectedStatus: [409, 422] });
test.describe.configure({ mode: "serial" });

// Puts a file of users into the folder, last changed a minute ago.
function deliver(library: Library, name: string, content: string): string {
  const folder = join(library.folder, "import", "hr");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, content);
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(path, minuteAgo, minuteAgo);
  return path;
}

const kind = () => (scripted() ? "wasm" : "plain");

test("a task imports the next file of its folder", async ({ page, library }) => {
  await open(page, "/tasks/new");
  await page.getByLabel("Description").fill(`Users of every night (${kind()})`);
  await openTab(page, "Task specific settings");
  await page.getByLabel("Task type").selectOption("Import users");
  if (scripted()) await expect(page.getByText("Anonymise below user data")).toBeHidden();
  await page.getByLabel("Folder", { exact: true }).fill("../hr");
  if (scripted()) await expect(page.locator("#folder-problem")).toContainText("Enter a folder below the folder of imports");
  await page.locator('[id="limits.new"]').fill("150");
  await page.getByRole("button", { name: "Create task" }).click();
  await expect(page.getByRole("alert")).toContainText("There are 2 problems");
  await openTab(page, "Task specific settings");
  await page.getByLabel("Folder", { exact: true }).fill("hr");
  await page.locator('[id="limits.new"]').fill("20");
  // The file contains a part of the demo library.
  await page.locator('[id="limits.missing"]').fill("");
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-task-form-${kind()}.png`, fullPage: true });
  await page.getByRole("button", { name: "Create task" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Users of every night");
  await expect(page.getByText("Users from files *.csv in the folder hr, oldest first")).toBeVisible();
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-task-${kind()}.png`, fullPage: true });

  const path = deliver(library, "users.csv", `external_id,last_name\nimp-${kind()}-1,Importedalder\nimp-${kind()}-2,Importedbirch\n`);
  const before = Number(library.sql("SELECT COUNT(*) FROM users"));
  await page.getByRole("button", { name: "Create preview" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Preview \d+$/);
  await expect(page.getByText("users.csv")).toBeVisible();
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-task-preview-${kind()}.png`, fullPage: true });
  expect(Number(library.sql("SELECT COUNT(*) FROM users"))).toBe(before);

  await page.getByLabel("To confirm, type 2").fill("2");
  await page.getByRole("button", { name: "Import 2 lines" }).click();
  await expect(async () => {
    const current = page.getByRole("link", { name: "Show current progress" });
    if (!scripted() && (await current.isVisible())) await current.click();
    await expect(page.getByText("2 lines imported, 0 held or skipped, 0 rejected.")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-task-run-${kind()}.png`, fullPage: true });
  expect(Number(library.sql("SELECT COUNT(*) FROM users"))).toBe(before + 2);
  expect(existsSync(path)).toBe(false);
  await page.getByRole("link", { name: "users.csv" }).click();
  await expect(page.getByText("The import is complete.")).toBeVisible();
  if (scripted()) await expectAccessible(page);
});

test("a wrong file is reported and stays", async ({ page, library }) => {
  const path = deliver(library, "wrong.csv", "external_id,last_name,email\nwrong-1,Alder,none\n");
  await open(page, "/tasks");
  await page.getByRole("link", { name: `Users of every night (${kind()})` }).click();
  await page.getByRole("button", { name: "Create preview" }).first().click();
  await expect(page.getByText("The file has 1 problem. Nothing was changed.")).toBeVisible();
  await expect(page.getByRole("row", { name: /^2 Rejected email/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Import now" })).toBeHidden();
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-task-rejected-${kind()}.png`, fullPage: true });
  expect(existsSync(path)).toBe(true);
});
