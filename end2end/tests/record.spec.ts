// The record says who and when; an access request is answered; two records of one person are merged.
import { type Library, expect, expectAccessible, open, scripted, test } from "./lethe";
import { readFileSync } from "node:fs";

test.use({ expectedStatus: [422] });

// Returns the number of a user without roles, legal hold or anonymising, that meets the condition.
function userWith(library: Library, condition: string): string {
  return library.sql(
    "SELECT MIN(number) FROM users WHERE anonymised_on IS NULL AND NOT fictitious" +
      " AND number NOT IN (SELECT user_number FROM user_roles)" +
      " AND number NOT IN (SELECT user_number FROM legal_holds WHERE user_number IS NOT NULL)" +
      ` AND ${condition}`,
  );
}

test("the record says first who it is, what each task will do, and which legal hold covers the user", async ({
  page,
  library,
}) => {
  const user = userWith(
    library,
    "imported AND number IN (SELECT user_number FROM loans WHERE returned_on IS NULL)" +
      " AND number NOT IN (SELECT guarantor_number FROM users WHERE guarantor_number IS NOT NULL)",
  );
  library.sql(`UPDATE users SET leaving_on = '2027-12-04' WHERE number = ${user}`);
  await open(page, `/users/${user}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`User ${user}`);
  await expect(page).toHaveTitle(`User ${user} – Lethe`);
  const outlook = page.getByRole("list", { name: "What the tasks will do" });
  await expect(outlook.getByRole("listitem").first()).toHaveText(
    /^Will be anonymised from 31 Jan 2028 by Leavers, monthly, its first run after the conditions are met on 4 Jan 2028(; a member of staff must confirm the run first)?; blocked by \d+ open loans?/,
  );
  await outlook.getByRole("link", { name: "Leavers, monthly" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Leavers, monthly");

  await open(page, `/users/${user}`);
  await expect(page.getByRole("link", { name: "Anonymise user" })).toBeVisible();
  await page.getByText("Place a legal hold on this user").click();
  const hold = page.locator("#place-hold");
  await hold.getByLabel("Reason").selectOption({ label: "Investigation" });
  await hold.getByRole("textbox", { name: "Review date" }).fill("1 Mar 2027");
  await hold.getByRole("button", { name: "Place legal hold" }).click();
  await open(page, `/users/${user}?tab=loans`);
  const covering = page.getByRole("region", { name: "Under legal hold" });
  await expect(covering).toContainText("Investigation, review on 1 Mar 2027");
  await expect(page.getByRole("link", { name: "Anonymise user" })).toHaveCount(0);
  await expect(page.getByText("This user is under legal hold. It must be released first.")).toBeVisible();
  if (scripted()) await expectAccessible(page);
});

test("an access request is recorded, answered with everything held, and closed", async ({ page, library }) => {
  const user = userWith(library, "number IN (SELECT user_number FROM messages) AND phone IS NOT NULL");
  const phone = library.sql(`SELECT phone FROM users WHERE number = ${user}`);
  await open(page, `/users/${user}`);
  await page.getByText("Record an access request of this user").click();
  const form = page.locator("#record-access-request");
  await form.getByRole("textbox", { name: "Received" }).fill("1 Jan 2030");
  await form.getByRole("button", { name: "Record access request" }).click();
  await expect(page.locator("#received_on-problem")).toHaveText("Enter a date no later than today");
  await form.getByRole("textbox", { name: "Received" }).fill("31 Oct 2026");
  await form.getByRole("button", { name: "Record access request" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Access request \d+$/);
  const request = new URL(page.url()).pathname;
  await expect(page.getByText("Open, due soon")).toBeVisible();
  await expect(page.locator("dl.facts").first()).toContainText("30 Nov 2026");
  if (scripted()) await expectAccessible(page);

  await open(page, `/users/${user}`);
  await expect(page.getByRole("region", { name: "Open access request" })).toContainText("to be answered by 30 Nov 2026");
  await open(page, `/users/${user}/anonymise`);
  await expect(page.getByText("Answer it first")).toBeVisible();
  await open(page, "/access-requests");
  await page.getByRole("link", { name: request.split("/").pop()!.replace(/^/, "Access request "), exact: true }).click();

  await page.getByRole("link", { name: "Show everything held" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`Data held about user ${user}`);
  await expect(page.getByRole("main")).toContainText(phone);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download as JSON" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`user-${user}.json`);
  const data = JSON.parse(readFileSync(await file.path(), "utf8"));
  expect(data.tables.find((table: { table: string }) => table.table === "users").rows[0].phone).toBe(phone);
  const written = JSON.parse(library.command("access-requests", "data", user));
  expect(written.tables.map((table: { table: string }) => table.table)).toContain("messages");

  await open(page, request);
  await page.getByLabel("Declined, for the reason below").check();
  await page.getByRole("button", { name: "Close access request" }).click();
  await expect(page.locator("#decline_reason-problem")).toHaveText("Choose a reason for declining");
  await page.getByLabel("Answered: the person has the data").check();
  await page.getByLabel("Answer (optional)").fill("Handed over at the desk");
  await page.getByRole("button", { name: "Close access request" }).click();
  await expect(page.locator("dl.facts").first()).toContainText("Handed over at the desk");
  await expect(page.getByRole("button", { name: "Close access request" })).toHaveCount(0);
});

test("two records of one person are compared and merged", async ({ page, library }) => {
  const staying = userWith(library, "number > 100 AND barcode IS NOT NULL AND guarantor_number IS NULL");
  const losing = userWith(
    library,
    `number > ${staying} AND guarantor_number IS NULL` +
      " AND number IN (SELECT user_number FROM loans WHERE returned_on IS NULL)" +
      " AND category NOT IN (SELECT category FROM legal_holds WHERE category IS NOT NULL AND released_on IS NULL)",
  );
  const loans = (user: string) => Number(library.sql(`SELECT COUNT(*) FROM loans WHERE user_number = ${user}`));
  const both = loans(staying) + loans(losing);
  await open(page, `/users/${staying}`);
  await page.getByRole("link", { name: "Merge with a duplicate" }).click();
  await page.getByLabel("User number of the duplicate").fill(losing);
  await page.getByRole("button", { name: "Compare records" }).click();
  const compared = page.getByRole("region", { name: "Both records" });
  await expect(compared.getByRole("row", { name: new RegExp(`User number ${staying} ${losing}`) })).toBeVisible();
  await expect(page.getByRole("region", { name: "What moves" }).getByRole("row", { name: /^Loans/ })).toContainText(
    String(loans(losing)),
  );
  if (scripted()) await expectAccessible(page);
  const button = page.getByRole("button", { name: `Merge into user ${staying} and anonymise user ${losing}` });
  await page.getByRole("textbox", { name: "User number of the duplicate" }).fill(staying);
  await button.click();
  await expect(page.locator("#confirm-problem")).toHaveText(`Enter ${losing} to confirm`);
  await page.goBack();
  await page.goForward();
  await page.getByRole("textbox", { name: "User number of the duplicate" }).fill(losing);
  await button.click();
  await expect(page.getByText("Users merged. The duplicate has been anonymised.")).toBeVisible();
  expect([loans(staying), loans(losing)]).toEqual([both, 0]);
  await open(page, `/users/${losing}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`User ${losing} has been anonymised`);
});
