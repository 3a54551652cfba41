// The main work by the keyboard alone, by two members of staff: sign-in with a second factor, task, preview, approval,
// run, certificate. Then one user with an open loan. No page violates its content security policy.
import { hydrated, ended, expect, scripted, test, type Library } from "./lethe";
import { Keyboard, collectProblems } from "./keyboard";
import { code } from "./totp";
import type { Browser } from "@playwright/test";

test.use({ fourEyes: "on" });

const PASSWORD = "plum tractor seventeen";

interface Member {
  keys: Keyboard;
  problems: string[];
}

// Adds a member of staff in a new browser, who sets a password and an app and signs in with both.
async function newMember(browser: Browser, library: Library, userId: string): Promise<Member> {
  const { invitation } = JSON.parse(
    library.command("staff", "add", userId, "--role", "systems_librarian", "--json"),
  );
  const context = await browser.newContext({ baseURL: library.address, javaScriptEnabled: scripted() });
  const page = await context.newPage();
  const problems = await collectProblems(page);
  const keys = new Keyboard(page);
  await page.goto(new URL(invitation).pathname);
  await keys.password("New password", PASSWORD);
  await keys.password("Repeat new password", PASSWORD);
  await keys.press("Set password");
  await keys.follow("Account");
  await keys.follow("Set up an authenticator app");
  await keys.password("Password", PASSWORD);
  await keys.press("Continue");
  await keys.follow("Set up an authenticator app");
  const secret = await page.locator("code.secret").innerText();
  await keys.type("textbox", "Code", code(secret));
  await keys.press("Set up app");
  await keys.follow(/^I have saved them/);
  await keys.press("Sign out");

  await keys.type("textbox", "UserID", userId);
  await keys.password("Password", PASSWORD);
  await keys.press("Sign in");
  // The code that set up the app cannot be used again.
  await keys.type("textbox", "Code from your authenticator app", code(secret, 1));
  await keys.press("Sign in");
  await expect(page.getByRole("heading", { name: "Modules" })).toBeVisible();
  return { keys, problems };
}

// Returns the number of a user who is blocked only by open loans.
function borrower(library: Library): string {
  return library.sql(
    "SELECT user_number FROM loans WHERE returned_on IS NULL AND user_number IN (SELECT number FROM users" +
      " WHERE anonymised_on IS NULL AND NOT fictitious)" +
      " AND user_number NOT IN (SELECT user_number FROM user_roles)" +
      " AND user_number NOT IN (SELECT user_number FROM requests WHERE status = 'open' AND user_number IS NOT NULL)" +
      " AND user_number NOT IN (SELECT user_number FROM charges WHERE settled_on IS NULL AND user_number IS NOT NULL)" +
      " AND user_number NOT IN (SELECT guarantor_number FROM users WHERE guarantor_number IS NOT NULL)" +
      " AND user_number NOT IN (SELECT user_number FROM legal_holds WHERE user_number IS NOT NULL)" +
      " GROUP BY user_number HAVING COUNT(*) <= 3 ORDER BY user_number LIMIT 1",
  );
}

test("all main work can be done by the keyboard alone", async ({ browser, library }) => {
  test.setTimeout(480_000);
  const name = test.info().project.name;
  const one = await newMember(browser, library, `one.${name}`);
  const other = await newMember(browser, library, `other.${name}`);
  const { keys } = one;
  const { page } = keys;

  await test.step("a task with conditions and a schedule", async () => {
    await keys.follow("Task centre");
    await keys.follow("Create task");
    await keys.type("textbox", "Description", `By the keyboard, ${name}`);
    await keys.openTab("Task specific settings");
    await keys.tick("days after the leaving date");
    await keys.type("textbox", "Number of days after the leaving date", "30");
    await keys.select("Apply to", "All users");
    await keys.openTab("Schedule");
    await keys.pick("When the task runs", "Weekly");
    await keys.tick("Monday");
    await keys.type("textbox", "Time of day", "02:30");
    if (scripted()) await expect(page.locator("ol.runs li").first()).toContainText("02:30");
    await keys.press("Create task");
    await expect(page.getByText("Weekly on Monday at 02:30")).toBeVisible();
  });

  await test.step("a preview with a request for approval", async () => {
    await keys.press("Create preview");
    await keys.type("searchbox", "Find a user in this list", "1");
    await keys.press("Show users");
    await expect(page.getByRole("row", { name: /^1 .*has a role \(staff\)/ })).toBeVisible();
    await keys.press("Request approval");
    await expect(page.getByText("Approval requested. Another member of staff must now decide.")).toBeVisible();
  });

  await test.step("the second person reviews and approves the request", async () => {
    await other.keys.follow(/^Approvals/);
    await other.keys.follow(/^Review request/);
    const label = await other.keys.page.locator("label[for=confirm]").innerText();
    await other.keys.type("textbox", /^To confirm, type/, /\d[\d,]*/.exec(label)![0]);
    await other.keys.press(/^Approve run for/);
    await expect(other.keys.page.getByText("Approval request approved.")).toBeVisible();
  });

  await test.step("the run and its certificate", async () => {
    // Same as F5.
    await page.reload();
    await hydrated(page);
    const label = await page.getByText("To confirm, type").innerText();
    const people = /\d[\d,]*/.exec(label)![0];
    await keys.type("textbox", /^To confirm, type/, people);
    await keys.press(/^Anonymise [\d,]+ users?$/);
    await ended(page);
    await expect(page.locator("dl.figures > div").first()).toContainText(people);
    await keys.follow("Show certificate");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Certificate");
  });

  await test.step("one user: found, loans returned, anonymised", async () => {
    const number = borrower(library);
    await keys.type("searchbox", "Find a user", number);
    await keys.press("Find user");
    await expect(page).toHaveURL(new RegExp(`/users/${number}\\?find=`));
    const person = await page.locator("h1 .name").innerText();
    await keys.follow(/^Open loans/);
    const open = page.getByRole("main").getByRole("button", { name: /^Return/ });
    for (let left = await open.count(); left > 0; left -= 1) {
      await keys.press(/^Return/);
      await expect(open).toHaveCount(left - 1);
    }
    await keys.follow("Anonymise user");
    await keys.select("Reason", "The person has left");
    await keys.type("textbox", "User number", number);
    await keys.press(`Anonymise user ${number}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`User ${number} has been anonymised`);
    await expect(page.locator(".headline")).toHaveText(/^Anonymised user [2-9A-Z]{6}$/);
    await expect(page.getByRole("main")).not.toContainText(person);
  });

  console.log(`${one.keys.tabs + other.keys.tabs} moves from control to control`);
  expect([...one.problems, ...other.problems]).toEqual([]);
  await page.context().close();
  await other.keys.page.context().close();
});
