// What WebAssembly adds: tabs by the keyboard, dependent lists, colours.
import { expect, open, test } from "./lethe";

test("tabs follow the keyboard and the address", async ({ page }) => {
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

test("the task types depend on the category", async ({ page }) => {
  await open(page, "/tasks/new#settings");
  await page.getByLabel("Category", { exact: true }).selectOption("");
  await expect(page.locator("#category-problem")).toHaveText("Choose a category");
  await expect(page.getByLabel("Task type").locator("option", { hasText: "Anonymise user data" })).toBeDisabled();
  await page.getByLabel("Category", { exact: true }).selectOption("data_maintenance");
  await expect(page.locator("#category-problem")).toHaveText("");
});

test("the chosen colours stay on every page", async ({ page }) => {
  await open(page, "/");
  await page.getByLabel("Colours").selectOption("dark");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await open(page, "/tasks");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});
