// What is new needs a second person: one asks, another one approves, and nobody approves what they asked for.
import { ended, expect, open, test } from "./lethe";

test.use({ fourEyes: "on", expectedStatus: [403, 422] });

test("a first run is asked for by one person and approved by another", async ({ browser, library }) => {
  const staff: { roles: string[]; user_id: string }[] = JSON.parse(library.command("staff", "list", "--json"));
  const second = staff.find((one) => one.roles.includes("systems_librarian") && one.user_id !== library.everything)!;
  const desk = async (userId: string) => {
    const context = await browser.newContext({
      baseURL: library.address,
      javaScriptEnabled: test.info().project.name === "wasm",
    });
    await context.addCookies([await library.signIn(userId)]);
    return context.newPage();
  };
  const asks = await desk(library.everything);
  const approves = await desk(second.user_id);

  await asks.goto("/tasks/1");
  await asks.getByRole("button", { name: "Preview" }).first().click();
  await expect(asks.getByRole("heading", { name: /Preview/ })).toBeVisible();
  await expect(asks.getByLabel("To confirm, type")).toHaveCount(0);
  await asks.getByRole("button", { name: "Request approval" }).click();
  const preview = new URL(asks.url()).pathname;

  // Not by oneself, not from another session either.
  const again = await desk(library.everything);
  await again.goto("/approvals");
  await expect(again.getByRole("button", { name: /^Withdraw request/ })).toBeVisible();
  await expect(again.getByRole("link", { name: /^Review request/ })).toHaveCount(0);

  // Approving cannot be undone: it has a page of its own, and the number is typed.
  await approves.goto("/approvals");
  await approves.getByRole("link", { name: /^Review request/ }).first().click();
  await expect(approves.getByRole("heading", { name: "Approve request" })).toBeVisible();
  const field = approves.getByLabel(/^To confirm, type/);
  const users = /\d[\d,]*/.exec(await approves.locator("label[for=confirm]").innerText())![0];
  const approve = approves.getByRole("button", { name: `Approve run for ${users} users` });
  for (const wrong of ["1", "all"]) {
    await field.fill(wrong);
    await approve.click();
    await expect(approves.locator("#confirm-problem")).toContainText(`Enter ${users} to confirm`);
    await expect(field).toHaveValue(wrong);
  }
  // Back asks for the page and not whether to send the form again.
  await approves.goBack();
  await expect(approves.getByRole("heading", { name: "Approve request" })).toBeVisible();
  await field.fill(users);
  await approve.click();
  await expect(approves.getByText("Request approved.")).toBeVisible();
  // Who has approved does not start it.
  await approves.goto(preview);
  await expect(approves.getByLabel("To confirm, type")).toHaveCount(0);

  await asks.goto(preview);
  const label = await asks.getByText("To confirm, type").innerText();
  await asks.getByLabel("To confirm, type").fill(/\d[\d,]*/.exec(label)![0]);
  await asks.getByRole("button", { name: /^Anonymise/ }).click();
  await expect(asks).toHaveURL(/\/runs\/\d+/);
  await ended(asks);

  for (const [code, action] of [["approval_asked", "Approval requested"], ["approval_given", "Approval request approved"], ["run_started", "Run started"]]) {
    await asks.goto(`/audit?action=${code}`);
    await expect(asks.getByRole("rowheader", { name: action }).first()).toBeVisible();
  }
  for (const page of [asks, approves, again]) await page.context().close();
});

test("a legal hold is placed by the data protection officer and keeps a person", async ({ browser, library }) => {
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
  await expect(page.getByText(/legal hold/i).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Anonymise/ })).toHaveCount(0);
  await context.close();
});
