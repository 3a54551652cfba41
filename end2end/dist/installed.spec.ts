// The first administrator of a new installation: invitation, authenticator app, sign-in, WebAssembly.
import { expect, test } from "@playwright/test";
import { code } from "../tests/totp";

const PASSWORD = "plum tractor seventeen";

test("the first administrator sets a password and an app, and signs in", async ({ page }) => {
  const invitation = process.env.INVITATION;
  if (!invitation) throw new Error("INVITATION is the link that lethe staff add prints");
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  const assets = new Map<string, string>();
  page.on("response", (answer) => {
    const path = new URL(answer.url()).pathname;
    if (path.startsWith("/pkg/")) assets.set(path.split(".").pop() ?? "", answer.headers()["content-encoding"]);
  });

  await page.goto(invitation);
  await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Repeat new password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set password" }).click();
  const secret = await page.locator("code.secret").innerText();
  await page.getByLabel("Code", { exact: true }).fill(code(secret));
  await page.getByRole("button", { name: "Set up app" }).click();
  await expect(page.getByRole("heading", { name: "Your recovery codes" })).toBeVisible();
  await page.getByRole("link", { name: "I have saved them" }).click();
  await page.getByRole("button", { name: "Sign out" }).first().click();

  await page.getByLabel("UserID").fill("first.admin");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code from your authenticator app").fill(code(secret, 1));
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Modules" })).toBeVisible();
  await page.goto(new URL("/staff", invitation).href);
  await expect(page.getByRole("heading", { name: "Staff", exact: true })).toBeVisible();

  // The program has them compressed.
  const compressed = expect.stringMatching(/^(br|gzip)$/);
  await expect.poll(() => Object.fromEntries(assets)).toEqual({ css: compressed, js: compressed, wasm: compressed });
  expect(problems).toEqual([]);
});
