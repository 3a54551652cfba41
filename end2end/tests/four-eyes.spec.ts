// A new task needs a second person: another member of staff must approve the request.
import { ended, expect, open, test } from "./lethe";

test.use({ fourEyes: "on", expectedStatus: [403, 422] });

test("a first run is requested by one person and approved by another", async ({ browser, library }) => {
  const staff: { roles: string[]; user_id: string }[] = JSON.parse(library.command("staff", "list", "--json"));
  const second = staff.find((one) => one.roles.includes("systems_librarian") && one.user_id !== library.everything)!;
  const signedInPage = async (userId: string) => {
    const context = await browser.newContext({
      baseURL: library.address,
      javaScriptEnabled: test.info().project.name === "wasm",
    });
    await context.addCookies([await library.signIn(userId)]);
    return context.newPage();
  };
  const requester = await signedInPage(library.everything);
  const approver = await signedInPage(second.user_id);

  await requester.goto("/tasks/1");
  await requester.getByRole("button", { name: "Preview" }).first().click();
  await expect(requester.getByRole("heading", { name: /Preview/ })).toBeVisible();
  await expect(requester.getByLabel("To confirm, type")).toHaveCount(0);
  await requester.getByRole("button", { name: "Request approval" }).click();
  const preview = new URL(requester.url()).pathname;

  // The requester cannot approve, in any session.
  const again = await signedInPage(library.everything);
  await again.goto("/approvals");
  await expect(again.getByRole("button", { name: /^Withdraw request/ })).toBeVisible();
  await expect(again.getByRole("link", { name: /^Review request/ })).toHaveCount(0);

  // Approving is irreversible: it has a separate page, and the number must be typed.
  await approver.goto("/approvals");
  await approver.getByRole("link", { name: /^Review request/ }).first().click();
  await expect(approver.getByRole("heading", { name: "Approve request" })).toBeVisible();
  const field = approver.getByLabel(/^To confirm, type/);
  const users = /\d[\d,]*/.exec(await approver.locator("label[for=confirm]").innerText())![0];
  const approve = approver.getByRole("button", { name: `Approve run for ${users} users` });
  for (const wrong of ["1", "all"]) {
    await field.fill(wrong);
    await approve.click();
    await expect(approver.locator("#confirm-problem")).toContainText(`Enter ${users} to confirm`);
    await expect(field).toHaveValue(wrong);
  }
  // Back loads the page; the browser does not ask to send the form again.
  await approver.goBack();
  await expect(approver.getByRole("heading", { name: "Approve request" })).toBeVisible();
  await field.fill(users);
  await approve.click();
  await expect(approver.getByText("Approval request approved.")).toBeVisible();
  // The approver cannot start the run.
  await approver.goto(preview);
  await expect(approver.getByLabel("To confirm, type")).toHaveCount(0);

  await requester.goto(preview);
  const label = await requester.getByText("To confirm, type").innerText();
  await requester.getByLabel("To confirm, type").fill(/\d[\d,]*/.exec(label)![0]);
  await requester.getByRole("button", { name: /^Anonymise/ }).click();
  await expect(requester).toHaveURL(/\/runs\/\d+/);
  await ended(requester);

  for (const [code, action] of [["approval_requested", "Approval requested"], ["approval_given", "Approval request approved"], ["run_started", "Run started"]]) {
    await requester.goto(`/audit?action=${code}`);
    await expect(requester.getByRole("rowheader", { name: action }).first()).toBeVisible();
  }
  for (const page of [requester, approver, again]) await page.context().close();
});

test("a user under legal hold cannot be anonymised", async ({ browser, library }) => {
  const context = await browser.newContext({
    baseURL: library.address,
    javaScriptEnabled: test.info().project.name === "wasm",
  });
  await context.addCookies([await library.signIn(library.everything)]);
  const page = await context.newPage();
  const user = library.sql(
    "SELECT MIN(number) FROM users WHERE number > 20 AND anonymised_on IS NULL AND number NOT IN (SELECT user_number FROM legal_holds WHERE user_number IS NOT NULL)",
  );
  await open(page, `/users/${user}`);
  await page.locator("summary").filter({ hasText: /hold/i }).click();
  await page.getByLabel("Reason").selectOption({ index: 1 });
  await page.getByLabel("Review date").fill("2027-05-01");
  await page.getByRole("button", { name: "Place legal hold" }).click();
  await expect(page.getByText("Legal hold placed.")).toBeVisible();
  await page.goto(`/users/${user}/anonymise`);
  await expect(page.getByRole("main").getByText(/legal hold/i).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Anonymise/ })).toHaveCount(0);
  await context.close();
});
