// Actions of one click have an undo. Irreversible actions ask for a confirmation and keep the entries.
import { hydrated, expect, ageSignIn, open, scripted, test, type Library } from "./lethe";

test.use({ expectedStatus: [409, 422] });

// Returns a user with exactly one open row in this table.
function userWith(library: Library, table: string, open: string): string {
  return library.sql(
    `SELECT user_number FROM ${table} WHERE ${open} AND user_number IN (SELECT number FROM users` +
      ` WHERE anonymised_on IS NULL AND NOT fictitious AND number > 20) GROUP BY user_number HAVING COUNT(*) = 1` +
      ` ORDER BY user_number LIMIT 1`,
  );
}

for (const [tab, button, table, condition, done, undone] of [
  ["loans", /^Return/, "loans", "returned_on IS NULL", "Loan returned.", "Return undone."],
  ["requests", /^Cancel/, "requests", "closed_on IS NULL", "Request cancelled.", "Cancellation undone."],
  ["charges", /^Settle/, "charges", "settled_on IS NULL", "Charge settled.", "Settlement undone."],
] as const) {
  test(`an action on the tab ${tab} can be undone`, async ({ page, library }) => {
    const user = userWith(library, table, condition);
    const row = () =>
      library.sql(`SELECT * FROM ${table} WHERE user_number = ${user} ORDER BY id`) +
      library.sql(`SELECT last_activity_on FROM users WHERE number = ${user}`);
    const before = row();
    await open(page, `/users/${user}?tab=${tab}`);
    const action = page.getByRole("main").getByRole("button", { name: button });
    await action.click();
    await expect(page.getByText(done)).toBeVisible();
    await expect(action).toHaveCount(0);
    expect(row()).not.toBe(before);
    await hydrated(page);
    await page.getByRole("button", { name: /^Undo/ }).click();
    await expect(page.getByText(undone)).toBeVisible();
    await expect(action).toHaveCount(1);
    expect(row()).toBe(before);
    // The undo works only once, although the earlier page still offers it.
    await page.goBack();
    await hydrated(page);
    await page.getByRole("button", { name: /^Undo/ }).click();
    await expect(page.getByRole("alert")).toContainText("changed again since the change that you want to undo");
    expect(row()).toBe(before);
  });
}

test("removing a role and disabling a sign-in can be undone", async ({ page, context, library }) => {
  await context.addCookies([await library.signIn(library.everything)]);
  const user = library.sql(
    "SELECT MAX(user_number) FROM user_roles WHERE role = 'statistics' AND user_number IN" +
      " (SELECT user_number FROM credentials WHERE kind = 'password')",
  );
  const account = () =>
    library.sql(`SELECT * FROM user_roles WHERE user_number = ${user} ORDER BY role`) +
    library.sql(`SELECT * FROM credentials WHERE user_number = ${user} ORDER BY id`);
  const before = account();
  await open(page, "/staff");
  const row = page.getByRole("row").filter({ has: page.locator(`a[href="/users/${user}"]`) });
  for (const [button, message] of [
    [/^Disable sign-in/, "The member of staff can sign in as before."],
    [/^Remove role Statistics/, "The member of staff has the role again"],
  ] as const) {
    await row.getByRole("button", { name: button }).click();
    await expect(page.getByRole("button", { name: /^Undo/ })).toBeVisible();
    expect(account()).not.toBe(before);
    await hydrated(page);
    await page.getByRole("button", { name: /^Undo/ }).click();
    await expect(page.getByText(message)).toBeVisible();
    await hydrated(page);
    expect(account()).toBe(before);
  }
});

test("after a wrong confirmation Back never asks to send the form again", async ({ page, context, library }) => {
  await context.addCookies([await library.signIn(library.everything)]);
  const user = library.sql(
    "SELECT MAX(number) FROM users WHERE anonymised_on IS NULL AND NOT fictitious" +
      " AND number NOT IN (SELECT user_number FROM user_roles)" +
      " AND number NOT IN (SELECT user_number FROM loans WHERE returned_on IS NULL)" +
      " AND number NOT IN (SELECT user_number FROM requests WHERE status = 'open' AND user_number IS NOT NULL)" +
      " AND number NOT IN (SELECT user_number FROM charges WHERE settled_on IS NULL AND user_number IS NOT NULL)" +
      " AND number NOT IN (SELECT guarantor_number FROM users WHERE guarantor_number IS NOT NULL)" +
      " AND number NOT IN (SELECT user_number FROM legal_holds WHERE user_number IS NOT NULL)",
  );
  const here = `/users/${user}/anonymise`;
  await open(page, here);
  const field = page.getByLabel("User number", { exact: true });
  const button = page.getByRole("button", { name: `Anonymise user ${user}` });
  for (const typed of ["1", "2"]) {
    await field.fill(typed);
    await button.click();
    await expect(page.locator("#confirm-problem")).toHaveText(`Enter ${user} to confirm`);
    await expect(field).toHaveValue(typed);
    await hydrated(page);
  }
  for (let back = 0; back < 2; back += 1) {
    await page.goBack();
    await expect(page.getByRole("heading", { name: "This cannot be undone" })).toBeVisible();
    await hydrated(page);
  }
  await expect(page).toHaveURL(here);

  // Confirming an old sign-in keeps the entries.
  await ageSignIn(context, library, library.everything);
  await open(page, here);
  await field.fill(user);
  await button.click();
  await expect(page.getByRole("heading", { name: "Confirm it's you" })).toBeVisible();
  await page.getByLabel("Password").fill("forget me in the library");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "This cannot be undone" })).toBeVisible();
  await expect(field).toHaveValue(user);
  await expect(page.getByRole("alert")).toContainText("Your entries are still here");
});

test("after a rejected form Back loads the page again", async ({ page }) => {
  test.skip(!scripted(), "without JavaScript the browser asks to send a long form again");
  await open(page, "/users/new");
  for (const first of ["One", "Two"]) {
    await page.getByLabel("First name").fill(first);
    await page.getByLabel("E-mail").fill("nobody");
    await page.getByRole("button", { name: "Create user" }).click();
    await expect(page.locator("#email-problem")).toContainText("Enter an e-mail address");
    await hydrated(page);
    await expect(page).toHaveURL("/users/new");
  }
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create user");
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create user");
});

test.describe("a form in an old tab", () => {
  test.use({ expectedStatus: [401] });

  test("is rejected because it was opened in another session", async ({ page, context, library }) => {
    const staff: { roles: string[]; user_id: string }[] = JSON.parse(library.command("staff", "list", "--json"));
    const other = staff.find((one) => one.roles.includes("librarian") && one.user_id !== library.everything)!;
    await open(page, "/users/new");
    await page.getByLabel("Last name").fill("Typed before");
    await context.addCookies([await library.signIn(other.user_id)]);
    await page.getByRole("button", { name: "Create user" }).click();
    await expect(page.getByRole("alert")).toContainText("opened in another session");
    await expect(page.getByLabel("Last name")).toHaveValue("Typed before");
  });
});
