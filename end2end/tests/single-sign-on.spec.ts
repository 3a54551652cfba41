// Signing in by the identity provider of the library: connecting one's account, coming back by it, being asked again.
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

async function signInThere(page: Page, account: string) {
  await expect(page.getByRole("heading", { name: "Example University" })).toBeVisible();
  await page.getByLabel("Account").fill(account);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Changing how one signs in needs the password once more, even after a sign-in of this moment. */
async function confirmSignIn(page: Page) {
  await expect(page.getByRole("heading", { name: "Confirm it's you" })).toBeVisible();
  await page.getByLabel("Password").fill("forget me in the library");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page).toHaveURL(/\/account(\?kept=|$)/);
}

test("somebody connects their account, and signs in by it", async ({ page, library }) => {
  const account = `s-${test.info().project.name}`;
  await open(page, "/account");
  await page.getByRole("link", { name: "Connect single sign-on" }).click();
  await confirmSignIn(page);
  await page.getByRole("link", { name: "Connect single sign-on" }).click();
  await signInThere(page, account);
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
  await signInThere(page, "somebody else");
  await expect(page.getByText("is not connected to a user here")).toBeVisible();
  await page.getByRole("link", { name: "Sign in with Example University" }).click();
  await signInThere(page, account);
  await expect(page.getByRole("heading", { name: "Catalogue" })).toBeVisible();

  // Before what cannot be undone one is asked again, and is back on the page afterwards.
  await page.goto("/sign-in/again?page=/tasks");
  await page.getByRole("link", { name: "Sign in with Example University" }).click();
  await signInThere(page, account);
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
