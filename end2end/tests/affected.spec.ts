// The task form shows how many users its rule affects, while it is edited.
import { expect, open, openTab, scripted, test } from "./lethe";
import type { Page } from "@playwright/test";

test.use({ expectedStatus: [422] });

const DAYS = "Number of days after the leaving date";

async function enterRule(page: Page, days: string): Promise<void> {
  await openTab(page, "Task specific settings");
  await page.getByLabel("Apply to").selectOption("all");
  await page.getByLabel("days after the leaving date", { exact: true }).check();
  await page.getByLabel(DAYS).fill(days);
  if (!scripted()) {
    await page.getByLabel("Description").fill("Counted");
    await page.getByLabel("Category", { exact: true }).selectOption("data_maintenance");
    await page.getByLabel("Task type").selectOption("anonymise_user_data");
    await page.getByRole("button", { name: "Count users" }).click();
    await expect(page.getByRole("alert")).toContainText("No problems found");
  }
}

// Returns the number of users affected today.
async function today(page: Page): Promise<number> {
  const text = page.locator(".affected dd").first();
  await expect(text).toHaveText(/^[\d,]+ of [\d,]+ users \(.+\s%\)$/);
  return Number((await text.textContent())?.split(" of ")[0].replaceAll(",", ""));
}

test("the numbers follow the rule, and unusual rules have a warning", async ({ page }) => {
  await open(page, "/tasks/new");
  await enterRule(page, "3650");
  const few = await today(page);
  await expect(page.locator(".affected dt")).toHaveText(["Today", /^By \d+ \w+ \d{4}$/, /^By \d+ \w+ \d{4}$/]);
  await expect(page.locator("#scope option").first()).toHaveText(/^Imported users \([\d,]+ users?\)$/);
  await open(page, "/tasks/new");
  await enterRule(page, "0");
  await expect.poll(() => today(page)).toBeGreaterThan(few);
  await expect(page.locator(".affected .notice.danger")).toContainText("Serious: check every point before you run");
  await expect(page.locator(".affected")).toContainText("A preview decides.");
  if (!scripted()) return;
  await page.getByLabel(DAYS).fill("soon");
  await expect(page.locator(".affected")).toContainText("Complete the rule to see how many users it affects.");
  await expect(page.locator(".affected dd")).toHaveCount(0);
  await page.getByLabel(DAYS).fill("3650");
  await expect.poll(() => today(page)).toBe(few);
});
