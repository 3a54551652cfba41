// The settings of the library and the page of notifications, as an administrator uses them.
import { expect, expectAccessible, open, scripted, test } from "./lethe";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

test.use({
  settings: { LETHE_WEBHOOK_PRIVATE_ADDRESSES: "1", LETHE_SMTP_HOST: "127.0.0.1", LETHE_SMTP_PORT: "1", LETHE_SMTP_TLS: "none", LETHE_MAIL_FROM: "lethe@example.org" },
  expectedStatus: [422],
});

// A picture of one pixel.
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNQSFgAAAFBAMF+aF8EAAAAAElFTkSuQmCC", "base64");

test("an administrator sets name, logo and currency", async ({ page, library }) => {
  await open(page, "/library");
  await page.getByLabel("Name", { exact: true }).fill("Riverside Library");
  await page.getByLabel("Currency").selectOption("EUR");
  await page.getByLabel("Postal address").fill("1 Quay Street\nRiverside");
  await page.getByRole("button", { name: "Save library settings" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Library settings saved" })).toBeVisible();
  await expect(page.getByRole("banner")).toContainText("Riverside Library");
  await page.getByLabel("Picture").setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: PNG });
  await page.getByRole("button", { name: "Upload logo" }).click();
  await expect(page.getByText("Logo saved.")).toBeVisible();
  const logo = page.getByRole("banner").locator("img.logo");
  await expect(logo).toHaveJSProperty("naturalWidth", 1);
  await page.getByLabel("Picture").setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.from("<svg/>") });
  await page.getByRole("button", { name: "Upload logo" }).click();
  await expect(page.getByRole("alert")).toContainText("Choose a PNG, JPEG or WebP picture");
  const user = library.sql("SELECT user_number FROM charges WHERE cents IS NOT NULL LIMIT 1");
  await open(page, `/users/${user}?tab=charges`);
  await expect(page.getByRole("table")).toContainText("EUR\u00a0");
});

test("a webhook is created, tested and disabled", async ({ page }) => {
  const received: string[] = [];
  const receiver = createServer((request, answer) => {
    received.push(String(request.headers["webhook-signature"]));
    answer.writeHead(204).end();
  });
  await new Promise<void>((ready) => receiver.listen(0, "127.0.0.1", ready));
  const { port } = receiver.address() as AddressInfo;
  await open(page, "/notifications");
  await page.getByRole("button", { name: "Create webhook" }).click();
  await expect(page.getByRole("alert")).toContainText("3 problems");
  if (scripted()) await expectAccessible(page);
  await page.getByLabel("Name", { exact: true }).fill("Monitoring");
  await page.getByLabel("Address", { exact: true }).fill(`http://127.0.0.1:${port}/lethe`);
  await page.getByLabel("A run failed, or failed for some users or lines").check();
  await page.getByRole("button", { name: "Create webhook" }).click();
  await expect(page.locator("code.secret")).toHaveText(/^whsec_/);
  if (scripted()) await expectAccessible(page);
  await open(page, "/notifications");
  await expect(page.locator("code.secret")).toHaveCount(0);
  await page.getByRole("button", { name: "Send test message to “Monitoring”" }).or(page.getByRole("button", { name: /Send test message/ })).first().click();
  await expect(page.getByText("Test message sent.")).toBeVisible();
  await expect(async () => {
    await open(page, "/notifications?state=delivered");
    await expect(page.getByRole("region", { name: "Deliveries" })).toContainText("Webhook “Monitoring”", { timeout: 500 });
  }).toPass({ timeout: 60_000 });
  expect(received[0]).toMatch(/^v1,/);
  if (scripted()) await expectAccessible(page);
  await page.locator("summary", { hasText: "Disable webhook" }).click();
  await page.getByRole("button", { name: /Disable webhook/ }).click();
  await expect(page.getByText("Webhook disabled.")).toBeVisible();
  receiver.close();
});

test("a member of staff chooses notifications", async ({ page, library }) => {
  library.sql(`UPDATE users SET email = NULL WHERE user_id = '${library.everything}'`);
  await open(page, "/account");
  await expect(page.getByText("Your user record has no e-mail address")).toBeVisible();
  await page.getByLabel("A task did not run at its time").check();
  await page.getByRole("button", { name: "Save notifications" }).click();
  await expect(page.getByText("Notifications saved.")).toBeVisible();
  await expect(page.getByLabel("A task did not run at its time")).toBeChecked();
  if (scripted()) await expectAccessible(page);
  await page.getByLabel("A task did not run at its time").uncheck();
  await page.getByRole("button", { name: "Save notifications" }).click();
  await expect(page.getByLabel("A task did not run at its time")).not.toBeChecked();
});

test("letters and a receipt are printed", async ({ page, library }) => {
  const { id } = JSON.parse(library.command("tasks", "preview", "1", "--json"));
  await open(page, `/runs/${id}/letters`);
  const letters = page.getByRole("article");
  expect(await letters.count()).toBeGreaterThan(0);
  if (scripted()) await expectAccessible(page);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("banner")).toBeHidden();
  await expect(page.getByText("Print this page")).toBeHidden();
  await expect(letters.first()).toContainText("Dear ");
});
