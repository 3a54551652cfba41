// Keyboard shortcuts, the guard of unsaved changes, and tables as cards. All need WebAssembly.
import { expect, expectAccessible, open, scripted, test } from "./lethe";

test.use({ expectedStatus: [422] });
test.beforeEach(() => test.skip(!scripted(), "needs WebAssembly"));

test("keys open pages, focus the search and list themselves", async ({ page }) => {
  await open(page, "/");
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await expect(page).toHaveURL(/\/users$/);
  await open(page, "/tasks");
  await page.keyboard.press("/");
  await expect(page.locator("#quick")).toBeFocused();
  // A field takes the keys itself.
  await page.keyboard.type("gun?/s");
  await expect(page.locator("#quick")).toHaveValue("gun?/s");
  await page.locator("#quick").fill("");
  await page.locator("#quick").blur();
  await page.keyboard.press("n");
  await expect(page).toHaveURL(/\/tasks\/new$/);
  await open(page, "/reports");
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(list).toBeVisible();
  await expect(list).toContainText("Go to Task centre");
  await expectAccessible(page);
  await list.getByLabel("Use keyboard shortcuts in this browser").uncheck();
  await list.getByRole("button", { name: "Close list" }).click();
  await expect(list).toBeHidden();
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await page.keyboard.press("?");
  await expect(list).toBeHidden();
  expect(page.url()).toMatch(/\/reports$/);
  // The choice stays, and the list can be opened without its key.
  await open(page, "/reports");
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await expect(list.getByLabel("Use keyboard shortcuts in this browser")).not.toBeChecked();
  await list.getByLabel("Use keyboard shortcuts in this browser").check();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await expect(page).toHaveURL(/\/tasks$/);
});

test("s saves the form", async ({ page }) => {
  await open(page, "/library");
  await page.getByLabel("Name").fill("Saved by key");
  await page.getByLabel("Name").blur();
  await page.keyboard.press("s");
  await expect(page.getByText("Library settings saved")).toBeVisible();
  await page.getByLabel("Name").fill("");
  await page.getByRole("button", { name: "Save library settings" }).click();
  await expect(page.getByText("Library settings saved")).toBeVisible();
});

test("the browser asks before a form with unsaved changes is left", async ({ page }) => {
  const asked: string[] = [];
  let stay = true;
  page.on("dialog", async (dialog) => {
    asked.push(dialog.type());
    await (stay ? dialog.dismiss() : dialog.accept());
  });
  await open(page, "/users/new");
  await page.getByRole("link", { name: "Reports" }).click();
  await expect(page).toHaveURL(/\/reports$/);
  expect(asked, "an untouched form is left at once").toEqual([]);
  await open(page, "/users/new");
  await page.getByLabel("Last name").fill("Unsaved");
  await page.getByRole("link", { name: "Reports" }).click();
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await expect(page.getByLabel("Last name")).toHaveValue("Unsaved");
  // A rejected form still has changes.
  await page.getByLabel("Birth date").fill("1 Jan 2090");
  await page.getByRole("button", { name: "Create user" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  expect(asked).toHaveLength(1);
  await page.getByLabel("Birth date").focus();
  await page.keyboard.type("1");
  await page.getByRole("link", { name: "Reports" }).click();
  await expect.poll(() => asked.length).toBe(2);
  stay = false;
  await page.getByRole("link", { name: "Reports" }).click();
  await expect(page).toHaveURL(/\/reports$/);
});

test("tables are cards on a phone", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const address of ["/users?marked=yes", "/tasks", "/runs", "/reports/loans-by-category", "/audit", "/personal-data"]) {
    await open(page, address);
    const region = page.locator("main .scroll:has(> table)").first();
    // The longest tag, which few runs have.
    await region.locator(".tag").evaluateAll((tags) => tags.forEach((tag) => (tag.textContent = "Succeeded, 1,200 findings to decide")));
    const [inside, seen] = await region.evaluate((one) => [one.scrollWidth, one.clientWidth]);
    expect(inside, `${address}: nothing is cut off`).toBeLessThanOrEqual(seen);
    await expectAccessible(page);
  }
  await open(page, "/users?marked=yes");
  const cell = page.locator("main .scroll tbody tr").first().locator("[data-label]").nth(1);
  const label = await cell.evaluate((one) => getComputedStyle(one, "::before").content);
  expect(label).toBe(`"${await cell.getAttribute("data-label")}"`);
  await expect(page.locator("main .scroll thead th.sortable a").first()).toBeVisible();
});
