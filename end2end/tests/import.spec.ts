// A file is uploaded, checked and imported, and an import can be cancelled.
import type { Page } from "@playwright/test";
import { act } from "./imports";
import { expect, expectAccessible, open, scripted, test } from "./lethe";

test.use({ expectedStatus: [409, 422] });

// Uploads a file of users and opens its import.
async function upload(page: Page, content: string) {
  await open(page, "/users");
  await page.getByRole("link", { name: "Import file" }).click();
  const file = { name: "users.csv", mimeType: "text/csv", buffer: Buffer.from(content) };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Upload file" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Import \d+$/);
}

const figure = (page: Page, label: string) =>
  page.locator("dl.figures div", { has: page.locator("dt", { hasText: new RegExp(`^${label}$`) }) }).locator("dd");

test("a file is uploaded, checked and imported", async ({ page, library }) => {
  const before = Number(library.sql("SELECT COUNT(*) FROM users"));
  await upload(page, "user_id,last_name\nnew-1,Importedalder\nnew-2,Importedbirch\n");
  if (scripted()) await expectAccessible(page);
  await act(page, "Check file", "Nothing has been changed yet");
  await expect(figure(page, "lines read")).toHaveText("2");
  await expect(figure(page, "new")).toHaveText("2");
  expect(Number(library.sql("SELECT COUNT(*) FROM users"))).toBe(before);
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-${scripted() ? "wasm" : "plain"}.png`, fullPage: true });

  await act(page, "Import file", "The import is complete");
  expect(Number(library.sql("SELECT COUNT(*) FROM users"))).toBe(before + 2);
  await open(page, "/users/import");
  await expect(page.getByRole("row", { name: /Import \d+ Users: Lethe Page .* Imported 2 2 0 0/ })).toBeVisible();
  await page.screenshot({ path: "test-results/imports.png", fullPage: true });
  await open(page, "/users?q=importedalder");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});

test("the lines of a rejected file are listed, and nothing is imported", async ({ page, library }) => {
  const before = library.sql("SELECT COUNT(*) FROM users");
  await upload(page, "user_id,last_name,email\nnew-3,Alder,none\n,Birch,\n");
  await act(page, "Check file", "Nothing was imported.");
  await expect(page.getByRole("row", { name: /^2 Rejected email/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /^3 Rejected user_id/ })).toBeVisible();
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: "test-results/import-rejected.png", fullPage: true });
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download line report (CSV)" }).click();
  expect((await download).suggestedFilename()).toMatch(/^import-\d+-lines\.csv$/);
  expect(library.sql("SELECT COUNT(*) FROM users")).toBe(before);
});

test("the valid lines of a rejected file are imported after a choice", async ({ page, library }) => {
  await upload(page, "user_id,last_name,email\nnew-6,Importedcedar,\nnew-7,Importedfir,none\n");
  await act(page, "Check file", "Nothing was imported.");
  await page.getByLabel("Wrong lines").selectOption("valid_lines_only");
  await act(page, "Check file", "Nothing has been changed yet");
  await expect(figure(page, "rejected")).toHaveText("1");
  await expect(page.getByRole("region", { name: "First differences" })).toContainText("2New");
  await act(page, "Import file", "The import is complete");
  expect(library.sql("SELECT COUNT(*) FROM users WHERE user_id IN ('new-6', 'new-7')")).toBe("1");

  await upload(page, "user_id,last_name,city\nnew-6,Importedelm,Bern\n");
  await act(page, "Check file", "Nothing has been changed yet");
  await expect(page.getByRole("region", { name: "First differences" })).toContainText("Last name, City");
  await expect(page.getByRole("region", { name: "Changed fields" })).toContainText("City1");
  await page.setViewportSize({ width: 375, height: 800 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/import-differences-${scripted() ? "wasm" : "plain"}.png`, fullPage: true });
});

test("an import is cancelled before it begins", async ({ page, library }) => {
  await upload(page, "user_id,last_name\nnew-5,Alder\n");
  await act(page, "Cancel import", "The uploaded file was deleted.");
  expect(library.sql("SELECT COUNT(*) FROM users WHERE user_id = 'new-5'")).toBe("0");
});
