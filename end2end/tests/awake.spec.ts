// What only WebAssembly adds: tabs by the keyboard, colours, the sentence while somebody types.
import { expect, open, test } from "./lethe";

test("the tabs follow the keyboard and the address", async ({ page }) => {
  await open(page, "/tasks/new#schedule");
  await expect(page.getByRole("tab", { name: "Schedule" })).toHaveAttribute("aria-selected", "true");
  await page.getByRole("tab", { name: "Schedule" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "General" })).toBeFocused();
  await page.keyboard.press("End");
  await expect(page.getByRole("tab", { name: "Schedule" })).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByLabel("Category", { exact: true })).toBeVisible();
});

test("the second dropdown depends on the first", async ({ page }) => {
  await open(page, "/tasks/new#settings");
  await page.getByLabel("Category", { exact: true }).selectOption("");
  await expect(page.locator("#category-problem")).toHaveText("Choose a category");
  await expect(page.getByLabel("Task type").locator("option", { hasText: "Anonymise user data" })).toBeDisabled();
  await page.getByLabel("Category", { exact: true }).selectOption("data_maintenance");
  await expect(page.locator("#category-problem")).toHaveText("");
});

test("the colours that were chosen stay", async ({ page }) => {
  await open(page, "/");
  await page.getByLabel("Colours").selectOption("dark");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await open(page, "/tasks");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});
