// A systems librarian announces anonymising by e-mail. One user keeps the account by the link, another one does not
// answer and is anonymised by the next run.
import { createServer } from "node:net";
import { ended, expect, expectAccessible, open, openTab, scripted, test as base } from "./lethe";
import { Mailbox } from "./mailbox";

const freePort = () =>
  new Promise<number>((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => found(port));
    });
  });

const test = base.extend<object, { mailbox: Mailbox; settings: Record<string, string> }>({
  mailbox: [
    async ({}, use) => {
      const mailbox = new Mailbox();
      await use(mailbox);
      mailbox.stop();
    },
    { scope: "worker" },
  ],
  settings: [
    async ({ mailbox }, use) => {
      const address = `127.0.0.1:${await freePort()}`;
      await use({
        LETHE_ADDR: address,
        LETHE_PUBLIC_URL: `http://${address}`,
        LETHE_SMTP_HOST: "127.0.0.1",
        LETHE_SMTP_PORT: String(await mailbox.start()),
        LETHE_SMTP_TLS: "none",
        LETHE_MAIL_FROM: "Town Library <lethe@example.org>",
      });
    },
    { scope: "worker" },
  ],
});
test.use({ expectedStatus: [404, 422] });

const kind = () => (scripted() ? "wasm" : "plain");

test("announced: one account is kept, another one is not", async ({ page, library, mailbox, browser }) => {
  // The users that task 1 can anonymise, with an address each.
  await open(page, "/tasks/1");
  await page.getByRole("button", { name: "Create preview" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Preview \d+$/);
  const preview = library.sql("SELECT MAX(id) FROM runs");
  const due = library
    .sql(
      "SELECT m.user_number, u.email FROM run_members m JOIN users u ON u.number = m.user_number" +
        ` WHERE m.run_id = ${preview} AND m.reason = 0 AND u.email IS NOT NULL ORDER BY m.user_number`,
    )
    .split("\n")
    .map((line) => line.split("|"));
  expect(due.length).toBeGreaterThan(3);
  const [[kept, keptAddress], [silent, silentAddress], [gone, goneAddress]] = due;
  mailbox.rejected.add(goneAddress);

  await open(page, "/tasks/new");
  await page.getByLabel("Description").fill("Announce to leavers");
  await openTab(page, "Task specific settings");
  await page.getByLabel("Category", { exact: true }).selectOption("Notifications");
  await page.getByLabel("Task type").selectOption("Announce anonymising");
  if (scripted()) await expect(page.getByText("Anonymise below user data")).toBeHidden();
  await page.getByLabel("Task that anonymises").selectOption("1");
  await page.getByLabel("Days before", { exact: true }).fill("14");
  const text = page.getByLabel("Text of the e-mail");
  const standard = await text.inputValue();
  await text.fill("Dear {name}, goodbye.");
  if (scripted()) await expect(page.locator("#mail_text-problem")).toContainText("Enter {link} in the text");
  await page.getByRole("button", { name: "Create task" }).click();
  await expect(page.getByRole("alert")).toContainText("There is a problem");
  await openTab(page, "Task specific settings");
  await text.fill(standard);
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/announcement-form-${kind()}.png`, fullPage: true });
  await page.getByRole("button", { name: "Create task" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Announce to leavers");
  await expect(page.getByText("Users that task 1 can anonymise within 14 days get an e-mail")).toBeVisible();
  if (scripted()) await expectAccessible(page);

  await page.getByRole("button", { name: "Create preview" }).first().click();
  await expect(page.locator("p.headline")).toContainText("will get an e-mail");
  await expect(page.getByText("/keep/…")).toBeVisible();
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/announcement-preview-${kind()}.png`, fullPage: true });
  expect(mailbox.received).toHaveLength(0);
  const count = (await page.locator("p.headline").innerText()).match(/[\d,]+/)![0];
  await page.getByLabel(/To confirm, type/).fill(count);
  await page.getByRole("button", { name: /^Send e-mail to/ }).click();
  await ended(page, "Completed with failures");
  await expect(page.getByText("1 e-mail bounced.")).toBeVisible();
  await expect(page.getByRole("link", { name: `User ${gone}` })).toHaveAttribute("href", `/users/${gone}`);
  if (scripted()) await expectAccessible(page);
  await page.screenshot({ path: `test-results/announcement-run-${kind()}.png`, fullPage: true });
  expect(mailbox.received).toHaveLength(Number(count) - 1);
  for (const address of [keptAddress, silentAddress])
    expect(mailbox.received.filter((mail) => mail.to === address)).toHaveLength(1);

  // The user has no session. Opening the link changes nothing.
  const user = await browser.newContext({ storageState: { cookies: [], origins: [] }, javaScriptEnabled: scripted() });
  const answer = await user.newPage();
  const opened = await answer.goto(mailbox.linkFor(keptAddress));
  expect(opened?.headers()["x-robots-tag"]).toBe("noindex");
  await expect(answer.getByRole("heading", { level: 1 })).toHaveText("Your account");
  if (scripted()) await expectAccessible(answer);
  await answer.screenshot({ path: `test-results/announcement-link-${kind()}.png`, fullPage: true });
  expect(library.sql(`SELECT COUNT(*) FROM users WHERE number = ${kept} AND kept_on IS NOT NULL`)).toBe("0");
  await answer.getByRole("button", { name: "Keep account" }).click();
  await expect(answer.getByText("Your account is kept.")).toBeVisible();
  if (scripted()) await expectAccessible(answer);
  await answer.screenshot({ path: `test-results/announcement-kept-${kind()}.png`, fullPage: true });
  expect(library.sql(`SELECT kept_on FROM users WHERE number = ${kept}`)).toBe("2026-11-24");
  expect(await user.cookies(), "no session").toHaveLength(0);

  // The next run anonymises the others.
  await open(page, "/tasks/1");
  await page.getByRole("button", { name: "Create preview" }).first().click();
  const eligible = (await page.locator("p.headline").innerText()).match(/[\d,]+/)![0];
  await page.getByLabel(/To confirm, type/).fill(eligible);
  await page.getByRole("button", { name: /^Anonymise/ }).click();
  await ended(page);
  const anonymised = (number: string) => library.sql(`SELECT COUNT(*) FROM users WHERE number = ${number} AND anonymised_on IS NOT NULL`);
  expect(anonymised(silent)).toBe("1");
  expect(anonymised(kept)).toBe("0");
  expect(library.sql(`SELECT COUNT(*) FROM announcements WHERE user_number = ${silent}`)).toBe("0");
  await open(page, `/users/${kept}`);
  await expect(page.getByRole("main")).toContainText("Account kept");
  await answer.goto(mailbox.linkFor(silentAddress));
  await expect(answer.getByText("This link does not work.")).toBeVisible();
  if (scripted()) await expectAccessible(answer);
  await user.close();

  // No address is left in the queue or the audit.
  for (const table of ["announcements", "audit_events", "run_members", "run_counts"])
    expect(library.sql(`SELECT * FROM ${table}`)).not.toContain(keptAddress);
});
