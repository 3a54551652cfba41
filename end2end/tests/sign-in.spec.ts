// Signing in: invitation, password, authenticator app, recovery code, signing out.
import { expect, hydrated, open, scripted, test } from "./lethe";
import { code } from "./totp";

test.use({ storageState: { cookies: [], origins: [] }, expectedStatus: [401, 404, 422] });

test("an invitation sets a password, and the next sign-in asks for password and app", async ({ page, library }) => {
  const name = `new.${test.info().project.name}`;
  const { invitation } = JSON.parse(library.command("staff", "add", name, "--role", "cataloguer", "--json"));
  const link = new URL(invitation).pathname;

  await page.goto(link);
  await expect(page.getByRole("heading", { name: "Set your password" })).toBeVisible();
  await page.getByLabel("New password", { exact: true }).fill("password1234");
  await page.getByLabel("Repeat new password").fill("password1234");
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText("is in lists of leaked passwords").first()).toBeVisible();
  await page.getByLabel("New password", { exact: true }).fill("plum tractor seventeen");
  await page.getByLabel("Repeat new password").fill("plum tractor seventeen");
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByRole("heading", { name: "Modules" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Users", exact: true })).toHaveCount(0);

  await page.goto(link);
  await expect(page.getByText("There is no such invitation")).toBeVisible();

  await page.getByRole("link", { name: "Account" }).click();
  await page.getByRole("link", { name: "Set up an authenticator app" }).click();
  await expect(page.getByText("Before you change how you sign in, sign in again")).toBeVisible();
  await page.getByLabel("Password").fill("plum tractor seventeen");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("link", { name: "Set up an authenticator app" }).click();
  const secret = await page.locator("code.secret").innerText();
  await expect(page.getByRole("img", { name: "QR code for the authenticator app" })).toBeVisible();
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Set up app" }).click();
  await expect(page.getByText("The code is incorrect").first()).toBeVisible();
  await page.getByLabel("Code", { exact: true }).fill(code(secret));
  await page.getByRole("button", { name: "Set up app" }).click();
  await expect(page.getByRole("heading", { name: "Your recovery codes" })).toBeVisible();
  const recovery = await page.locator("ul.codes code").allInnerTexts();
  expect(recovery).toHaveLength(10);
  if (scripted()) {
    await hydrated(page);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy codes" }).click();
    await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(recovery.join("\n"));
    await page.evaluate(() => Object.assign(window, { print: () => Object.assign(window, { printed: true }) }));
    await page.getByRole("button", { name: "Print codes" }).click();
    expect(await page.evaluate(() => "printed" in window)).toBe(true);
  }
  await page.getByRole("link", { name: "I have saved them" }).click();
  await expect(page.getByRole("heading", { name: "Your account" })).toBeVisible();

  await page.getByRole("button", { name: "Sign out" }).first().click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.goto("/catalogue");
  await page.getByLabel("UserID").fill(name);
  await page.getByLabel("Password").fill("plum tractor seventeen");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Second step" })).toBeVisible();
  // The code that set up the app cannot be used again.
  await page.getByLabel("Code from your authenticator app").fill(code(secret, 1));
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Catalogue" })).toBeVisible();

  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.getByLabel("UserID").fill(name);
  await page.getByLabel("Password").fill("plum tractor seventeen");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code from your authenticator app").fill(recovery[3].toUpperCase());
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Modules" })).toBeVisible();
});

test("without a session the sign-in replaces the page and leads back to it", async ({ page, library }) => {
  await page.goto("/users?marked=yes");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByLabel("UserID").fill(library.everything);
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("UserID or password is incorrect")).toBeVisible();
  await page.getByLabel("Password").fill("forget me in the library");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/users\?marked=yes$/);
  await expect(page.getByRole("heading", { name: "User search" })).toBeVisible();
});

test("an administrator adds a member of staff, adds a role and removes it", async ({ page, context, library }) => {
  await context.addCookies([await library.signIn(library.everything)]);
  await open(page, "/staff");
  const name = `made.${test.info().project.name}`;
  await page.getByLabel("UserID").fill(name);
  await page.getByLabel("Role", { exact: true }).selectOption("librarian");
  await page.getByRole("button", { name: "Add member of staff" }).click();
  await expect(page.locator("code.secret")).toHaveText(/^\/invitation\/[0-9a-f]{64}$/);
  const row = page.getByRole("row").filter({ hasText: name });
  await row.getByLabel("New role").selectOption("statistics");
  await row.getByRole("button", { name: "Add role" }).click();
  await expect(page.getByText("Role added.")).toBeVisible();
  await row.getByRole("button", { name: "Remove role Statistics" }).click();
  await expect(page.getByText(/^Role removed from .*\. They must sign in again\.$/)).toBeVisible();
  await expect(row).not.toContainText("Statistics (read only) Remove");
});
