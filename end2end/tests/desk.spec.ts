// A librarian finds a user, settles open loans and anonymises the user.
import { hydrated, expect, open, test } from "./lethe";
import type { Page } from "@playwright/test";

test.use({ expectedStatus: [422] });

// Returns the address of a leaver with open loans, and without blockers that a librarian cannot settle.
async function userWithOpenLoans(page: Page): Promise<string> {
  await open(page, "/tasks");
  await page.getByRole("link", { name: "Leavers, monthly" }).click();
  await page.getByRole("main").getByRole("button", { name: "Create preview" }).click();
  await page.getByLabel("Reason", { exact: true }).selectOption("open_loan");
  await page.getByRole("button", { name: "Show users" }).click();
  const row = page.locator("[data-live=people] tbody tr").filter({ hasText: "open loans" });
  return (await row.filter({ hasNotText: /guarantor|legal hold/ }).first().getByRole("link").first().getAttribute("href"))!;
}

test("a user is anonymised after the open loans are returned, and Back shows no old value", async ({ page }) => {
  const record = await userWithOpenLoans(page);
  const number = record.split("/").pop()!;
  await open(page, record);
  const name = await page.locator("h1 .name").innerText();
  await page.getByRole("link", { name: "Anonymise" }).click();
  await expect(page.getByRole("heading", { name: "Not possible yet" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Anonymise user/ })).toHaveCount(0);

  await page.getByRole("link", { name: "return loans" }).click();
  for (const [tab, button] of [["loans", /^Return/], ["requests", /^Cancel/], ["charges", /^Settle/]] as const) {
    await page.goto(`${record}?tab=${tab}`);
    const buttons = page.getByRole("main").getByRole("button", { name: button });
    for (let left = await buttons.count(); left > 0; left -= 1) {
      await buttons.first().click();
      await expect(buttons).toHaveCount(left - 1);
    }
  }
  await page.getByRole("link", { name: "Anonymise" }).click();
  await expect(page.getByText("Leavers, monthly")).toBeVisible();
  await expect(page.getByRole("heading", { name: "This cannot be undone" })).toBeVisible();
  await page.getByLabel("Reason", { exact: true }).selectOption({ label: "The person has left" });
  await page.getByLabel(/^Case reference/).fill("2026-118");
  await page.getByLabel("User number", { exact: true }).fill("1");
  await page.getByRole("button", { name: `Anonymise user ${number}` }).click();
  await expect(page.locator("#confirm-problem")).toHaveText(`Enter ${number} to confirm`);
  await expect(page.locator(".headline")).toHaveText(name);
  await expect(page.getByLabel(/^Case reference/)).toHaveValue("2026-118");
  await page.getByLabel("User number", { exact: true }).fill(` ${number} `);
  await page.getByRole("button", { name: `Anonymise user ${number}` }).click();

  await expect(page).toHaveURL(new RegExp(`${record}\\?done=anonymised&proof=`));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`User ${number} has been anonymised`);
  await expect(page.locator(".headline")).toHaveText(/^Anonymised user [2-9A-Z]{6}$/);
  await expect(page.getByRole("link", { name: "Edit" })).toHaveCount(0);
  const replacement = await page.locator(".headline").innerText();
  const words = name.split(" ").filter((word) => word.length > 3);
  for (let back = 0; back < 4; back += 1) {
    await page.goBack().catch(() => undefined);
    await hydrated(page);
    const body = page.locator("body");
    if ((await body.innerText()).includes("Preview")) continue;
    for (const word of words) await expect(body).not.toContainText(word);
  }
  await open(page, record);
  await expect(page.locator(".headline")).toHaveText(replacement);
  await page.getByRole("link", { name: /^Loan history/ }).click();
  await expect(page.getByRole("main").locator("tbody tr").first()).toBeVisible();
});

test("staff have a guided action to anonymise them, fictitious users have none", async ({ page }) => {
  await open(page, "/users/10");
  await expect(page.getByText("A fictitious user is not a person")).toBeVisible();
  await expect(page.getByRole("link", { name: "Anonymise" })).toHaveCount(0);
  await open(page, "/users/10/anonymise");
  await expect(page.getByRole("button", { name: /^Anonymise/ })).toHaveCount(0);
  await open(page, "/users/1");
  await page.getByRole("link", { name: "Anonymise this member of staff" }).click();
  await expect(page).toHaveURL(/users\/1\/anonymise$/);
  await expect(page.getByRole("heading", { name: "Second person required" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Anonymise/ })).toHaveCount(0);
});

test("users are found by the search box and by filters", async ({ page }) => {
  await open(page, "/users/1");
  const name = await page.locator("h1 .name").innerText();
  await page.getByRole("searchbox", { name: "Find a user", exact: true }).fill(name.toLowerCase());
  await page.getByRole("button", { name: "Find user" }).click();
  await expect(page.getByRole("main").getByRole("row", { name: new RegExp(`^Tick user 1 1 ${name}`) })).toBeVisible();
  await open(page, "/users?q=nobody-has-this-name");
  await expect(page.getByRole("main").locator("tbody")).toHaveCount(0);
  await page.goto("/users?marked=yes");
  await expect(page.getByRole("main").locator("tbody tr").first()).toBeVisible();
});

test("a user is marked for deletion and unmarked", async ({ page }) => {
  await open(page, "/users?imported=no&anonymised=no");
  await page.getByRole("main").locator("tbody a").first().click();
  const mark = page.getByRole("button", { name: "Mark for deletion" });
  if ((await mark.count()) === 0) await page.getByRole("button", { name: "Remove deletion mark" }).click();
  await mark.click();
  await expect(page.locator(".tag.due").first()).toHaveText("Marked for deletion");
  await page.getByRole("button", { name: "Remove deletion mark" }).click();
  await expect(mark).toBeVisible();
});

test("a rejected form keeps its entries until the user is created", async ({ page }) => {
  await open(page, "/users/new");
  await page.getByLabel("First name").fill("Ødegård");
  await page.getByLabel("E-mail").fill("nobody");
  await page.getByRole("button", { name: /user/i }).last().click();
  await expect(page.locator("#email-problem")).toContainText("Enter an e-mail address");
  await expect(page.getByLabel("First name")).toHaveValue("Ødegård");
  await page.getByLabel("Last name").fill("Nygaard");
  await page.getByLabel("E-mail").fill("o.nygaard@example.org");
  await page.getByRole("button", { name: /user/i }).last().click();
  await expect(page.locator("h1 .name")).toHaveText("Ødegård Nygaard");
});
