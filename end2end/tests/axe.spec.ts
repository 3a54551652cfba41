// axe finds no violation on any page, in any state, light and dark, wide and narrow.
import { expectAccessible, ended, expect, open, test } from "./lethe";

test.use({ expectedStatus: [404, 422] });

const PAGES = [
  "/",
  "/tasks",
  "/tasks?q=nothing",
  "/tasks/new",
  "/tasks/1",
  "/tasks/1/edit",
  "/tasks/1/listed",
  "/tasks/1/delete",
  "/tasks/1/letter",
  "/tasks/3",
  "/runs",
  "/residue",
  "/account",
  "/staff",
  "/api-keys",
  "/custom-fields",
  "/library",
  "/notifications",
  "/notifications?state=failed",
  "/library?failed=not-a-picture",
  "/legal-holds",
  "/access-requests",
  "/access-requests?show=closed",
  "/users/20/data",
  "/users/20/merge",
  "/users/20/merge?with=21",
  "/users/held-lines",
  "/users/import",
  "/users/import/profiles",
  "/suppression",
  "/approvals",
  "/audit",
  "/sign-in",
  "/sign-in/again",
  "/sign-in/app",
  "/keep/unknown",
  "/runs?state=failed",
  "/runs/1/certificate",
  "/users",
  "/users?q=nobody-has-this-name",
  "/users?marked=yes&sort=name",
  "/users?q=zzyzx+ana",
  "/users/searches",
  "/users/new",
  "/users/1",
  "/users/1/edit",
  "/users/1/edit?by=hand",
  "/users/1/anonymise",
  "/users/10",
  "/users/20",
  "/users/20?tab=loans",
  "/users/20?tab=history",
  "/users/20?tab=requests",
  "/users/20?tab=charges",
  "/users/20?tab=messages",
  "/users/1?tab=catalogue",
  "/users/20/anonymise",
  "/users/20/letter",
  "/catalogue",
  "/catalogue/1",
  "/reports",
  "/reports/loans-per-month",
  "/reports/loans-by-category",
  "/reports/requests-by-branch",
  "/reports/active-borrowers",
  "/reports/active-borrowers?from=x",
  "/personal-data",
  "/help",
  "/help/tasks",
  "/help/cli",
  "/help/operations",
  "/nowhere",
];

for (const [scheme, width] of [
  ["light", 1366],
  ["dark", 390],
] as const) {
  test(`every page is accessible, ${scheme}, ${width} pixels wide`, async ({ page }) => {
    test.setTimeout(900_000);
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 768 });
    for (const address of PAGES) {
      await open(page, address);
      await expectAccessible(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wide, `${address} scrolls sideways`).toBeLessThanOrEqual(0);
    }
  });
}

test("the task form, a preview and a run are accessible in every state", async ({ page }) => {
  await open(page, "/tasks/new");
  for (const tab of ["Task specific settings", "Schedule", "General"]) {
    await page.getByRole("tab", { name: tab }).click();
    await expectAccessible(page);
  }
  await page.getByRole("button", { name: "Create task" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectAccessible(page);
  await open(page, "/tasks/1");
  await page.getByRole("main").getByRole("button", { name: "Create preview" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: /^Anonymise/ }).click();
  await expectAccessible(page);
  const count = (await page.locator(".headline b").first().innerText()).trim();
  await page.getByLabel(/To confirm, type/).fill(count);
  await page.getByRole("button", { name: /^Anonymise/ }).click();
  await ended(page);
  await expectAccessible(page);
  await page.locator("[data-live=people] tbody a").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("has been anonymised");
  await expectAccessible(page);
});
