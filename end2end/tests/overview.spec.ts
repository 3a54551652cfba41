// The start page: first steps, what waits, runs, evidence, and the menu of all modules.
import { expect, open, scripted, test } from "./lethe";

test("the start page leads to what waits and verifies the audit", async ({ page }) => {
  await open(page, "/");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Overview");
  await expect(page.getByRole("heading", { name: "Waiting for you" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "First steps" })).toBeVisible();
  await expect(page.getByText(/^\d of 6 first steps done/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Next runs" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Last runs" })).toBeVisible();
  await expect(page.getByRole("img", { name: /Users anonymised by month/ })).toBeVisible();
  await page.getByRole("button", { name: "Verify audit" }).click();
  await expect(page.getByText("Verification started. The result appears below.")).toBeVisible();
  // Without WebAssembly the page is loaded again.
  await expect(async () => {
    if (!scripted()) await page.reload();
    await expect(page.getByText("Intact", { exact: true })).toBeVisible({ timeout: 1_000 });
  }).toPass();
});

test("help leads to the document about the page", async ({ page }) => {
  for (const [address, heading] of [
    ["/users", "User search"],
    ["/users/20/merge", "Merging duplicates"],
    ["/tasks/1", "Tasks and runs"],
    ["/reports", "Help"],
  ]) {
    await open(page, address);
    await page.getByRole("link", { name: "Help", exact: true }).first().click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
  }
  await page.getByRole("link", { name: "Tasks and runs" }).click();
  await page.getByRole("main").getByRole("link", { name: "Protection" }).click();
  await expect(page).toHaveURL(/\/help\/protection#previews-and-confirmed-settings$/);
  await expect(page.getByRole("heading", { name: "Previews and confirmed settings" })).toBeInViewport();
});

test("the menu leads to every module that the top bar does not show", async ({ page }) => {
  await open(page, "/");
  const nav = page.getByRole("navigation", { name: "Modules" });
  await nav.getByText("More", { exact: true }).click();
  await nav.getByRole("link", { name: "Audit" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Audit");
  await nav.getByText("More", { exact: true }).click();
  await expect(nav.getByRole("link", { name: "Audit" })).toHaveAttribute("aria-current", "page");
});
