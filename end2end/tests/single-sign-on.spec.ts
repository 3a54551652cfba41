// Single sign-on: connecting an account, signing in by the provider, reauthenticating.
import { type Provider, openProvider } from "./provider";
import { expect, open, test as base } from "./lethe";
import type { Page } from "@playwright/test";

const test = base.extend<object, { provider: Provider }>({
  provider: [
    async ({}, use) => {
      const provider = await openProvider("lethe");
      await use(provider);
      provider.close();
    },
    { scope: "worker" },
  ],
  settings: [
    async ({ provider }, use) =>
      use({ LETHE_OIDC_ISSUER: provider.issuer, LETHE_OIDC_CLIENT_ID: "lethe", LETHE_OIDC_NAME: "Example University" }),
    { scope: "worker" },
  ],
});

async function signInAtProvider(page: Page, account: string) {
  await expect(page.getByRole("heading", { name: "Example University" })).toBeVisible();
  await page.getByLabel("Account").fill(account);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// Confirms the sign-in by the password, which changes of the sign-in require even after a fresh sign-in.
async function confirmSignIn(page: Page) {
  await expect(page.getByRole("heading", { name: "Confirm it's you" })).toBeVisible();
  await page.getByLabel("Password").fill("forget me in the library");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page).toHaveURL(/\/account(\?kept=|$)/);
}

test("a user connects an account and signs in by it", async ({ page, library }) => {
  const account = `s-${test.info().project.name}`;
  await open(page, "/account");
  await page.getByRole("link", { name: "Connect single sign-on" }).click();
  await confirmSignIn(page);
  await page.getByRole("link", { name: "Connect single sign-on" }).click();
  await signInAtProvider(page, account);
  await expect(page.getByText("Single sign-on is connected")).toBeVisible();
  await expect(page.getByText("You are connected")).toBeVisible();

  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.goto("/catalogue");
  const link = page.getByRole("link", { name: "Sign in with Example University" });
  await expect(link).toBeVisible();
  await link.click();
  await page.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByText("You returned from Example University without signing in there")).toBeVisible();
  await page.getByRole("link", { name: "Sign in with Example University" }).click();
  await signInAtProvider(page, "another account");
  await expect(page.getByText("is not connected to a user here")).toBeVisible();
  await page.getByRole("link", { name: "Sign in with Example University" }).click();
  await signInAtProvider(page, account);
  await expect(page.getByRole("heading", { name: "Catalogue" })).toBeVisible();

  // Irreversible actions ask for the sign-in again and then return to the page.
  await page.goto("/sign-in/again?page=/tasks");
  await page.getByRole("link", { name: "Sign in with Example University" }).click();
  await signInAtProvider(page, account);
  await expect(page.getByRole("heading", { name: "Task centre" })).toBeVisible();

  await page.goto("/account");
  await page.getByRole("button", { name: "Disconnect single sign-on" }).click();
  await confirmSignIn(page);
  await page.getByRole("button", { name: "Disconnect single sign-on" }).click();
  await expect(page.getByText("Single sign-on is disconnected")).toBeVisible();
  const details = library.sql("SELECT action, detail FROM audit_events WHERE action LIKE '%provider%' OR detail = 'provider'");
  expect(details.split("\n")).toEqual(
    expect.arrayContaining(["provider_connected|", "sign_in_failed|provider", "signed_in|provider", "provider_disconnected|"]),
  );
});

test.use({ expectedStatus: [401] });
