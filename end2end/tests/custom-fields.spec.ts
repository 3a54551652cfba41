// An administrator adds a field to user records; forms, files, the register and tasks then know it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, expectAccessible, open, openTab, scripted, test } from "./lethe";

test.use({ expectedStatus: [422] });
test.describe.configure({ mode: "serial" });

const kind = () => (scripted() ? "wasm" : "plain");

test("a field without a class is refused, and what was typed stays", async ({ page }) => {
  await open(page, "/custom-fields");
  await page.getByLabel("Key", { exact: true }).fill("Not a key");
  await page.getByLabel("Name", { exact: true }).fill("Matriculation number");
  await page.getByRole("button", { name: "Add field" }).click();
  await expect(page.getByRole("alert")).toContainText("There are 2 problems");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Matriculation number");
  if (scripted()) await expectAccessible(page);
});

test("a field is added, filled by a file, shown, and removed with its user", async ({ page, library }) => {
  for (const [key, name, group] of [
    ["matriculation", "Matriculation number", /^Identifier:/],
    ["course", "Course of studies", /^Quasi-identifier:/],
  ] as const) {
    await open(page, "/custom-fields");
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("radio", { name: group }).check();
    await page.getByRole("button", { name: "Add field" }).click();
    await expect(page.getByText("Custom field added.")).toBeVisible();
  }
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/custom-fields-${kind()}.png`, fullPage: true });

  const file = join(library.folder, "fields.csv");
  writeFileSync(file, "user_id,last_name,custom.matriculation,custom.course\nfld-1,Fieldalder,M-4711,Botany\n");
  library.command("import", "users", file);
  const number = library.sql("SELECT number FROM users WHERE user_id = 'fld-1'");
  await open(page, `/users/${number}`);
  await expect(page.getByRole("main")).toContainText("M-4711");
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Course of studies").fill("Zoology");
  await page.getByRole("button", { name: "Save user" }).click();
  await expect(page.getByRole("main")).toContainText("Zoology");

  await open(page, "/personal-data");
  const register = page.getByRole("table", { name: "Custom fields and their classes" });
  await expect(register.getByRole("row", { name: /Matriculation number matriculation identifier removed/ })).toBeVisible();
  await expect(register.getByRole("row", { name: /Course of studies course quasi-identifier as set in the task/ })).toBeVisible();
  if (scripted()) await expectAccessible(page);
  await open(page, "/tasks/new");
  await openTab(page, "Task specific settings");
  await expect(page.getByRole("main")).toContainText("Course of studies");

  library.command("users", "anonymise", number, "--confirm", number, "--reason", "left");
  await open(page, `/users/${number}`);
  await expect(page.getByRole("main")).not.toContainText("M-4711");
  await open(page, "/custom-fields");
  const row = page.getByRole("row", { name: /Matriculation number/ });
  await row.getByText("Remove field").first().click();
  await row.getByRole("button", { name: "Remove field" }).click();
  await expect(page.getByText("Custom field removed.")).toBeVisible();
  await expect(page.getByRole("row", { name: /Matriculation number/ })).toHaveCount(0);
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});
