// A systems librarian creates a task, previews it and runs it. The reports are the same before and after.
import { hydrated, ended, expect, open, openTab, scripted, test, type Library } from "./lethe";
import type { APIRequestContext, Page } from "@playwright/test";

test.use({ expectedStatus: [409, 422] });
test.describe.configure({ mode: "serial" });

const REPORTS = ["loans-per-month", "loans-by-category", "requests-by-branch", "active-borrowers"];

async function reports(request: APIRequestContext, library: Library): Promise<string[]> {
  const texts: string[] = [];
  for (const report of REPORTS) {
    const answer = await request.get(`${library.address}/reports/${report}/csv`);
    expect(answer.status()).toBe(200);
    texts.push(await answer.text());
  }
  return texts;
}

async function save(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Create task" }).click();
}

test("a rejected form names the problem at each field and keeps its entries", async ({ page }) => {
  await open(page, "/tasks/new");
  await page.getByLabel("Description").fill("Left five days ago");
  await openTab(page, "Task specific settings");
  await page.getByLabel("days after the leaving date", { exact: true }).check();
  await page.getByLabel("Number of days after the leaving date").fill("36501");
  if (scripted()) {
    await expect(page.locator("#leaving_days-problem")).toHaveText("Enter a number of days from 0 to 36,500");
    await expect(page.getByRole("tab", { name: "Task specific settings 1 error" })).toBeVisible();
  }
  await openTab(page, "Schedule");
  await page.getByLabel("Weekly").check();
  await save(page);
  await expect(page.getByRole("alert")).toContainText("There are 2 problems");
  await expect(page.locator("#weekdays-problem")).toHaveText("Tick at least one day of the week");
  await expect(page.locator("#leaving_days-problem")).toHaveText("Enter a number of days from 0 to 36,500");
  await expect(page.getByLabel("Number of days after the leaving date")).toHaveValue("36501");
  await expect(page.getByLabel("Description")).toHaveValue("Left five days ago");
  await page.getByRole("link", { name: "Enter a number of days from 0 to 36,500" }).click();
  await page.getByLabel("Number of days after the leaving date").fill("5");
  if (scripted()) {
    await expect(page.locator(".sentence")).toContainText("Users who left more than 5 days ago; imported users only.");
    await expect(page.locator(".sentence")).toContainText("left on 15 January is anonymised from 21 January.");
  }
  await openTab(page, "Schedule");
  await page.getByLabel("Monday").check();
  if (scripted()) await expect(page.getByText("Mon 30 Nov 2026 02:30 GMT (+00:00)")).toBeVisible();
  await expect(page.getByText("if it occurs twice, it runs once, the first time")).toBeVisible();
  await expect(page.getByLabel("Run once as soon as Lethe is running again")).toBeChecked();
  await page.getByLabel("Skip it and wait for the next scheduled time").check();
  await save(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Left five days ago");
  await expect(page.getByText("Users who left more than 5 days ago; imported users only.")).toBeVisible();
  await expect(page.getByText("Weekly on Monday at 02:30")).toBeVisible();
  await expect(page.getByText("Mon 30 Nov 2026 02:30 GMT (+00:00)")).toBeVisible();
  await expect(page.getByText("Skip it and wait for the next scheduled time")).toBeVisible();
  await expect(page.getByText("its first scheduled run will stop after the preview and wait for confirmation")).toBeVisible();
  await page.getByRole("link", { name: "Edit task" }).click();
  await hydrated(page);
  await openTab(page, "Schedule");
  await expect(page.getByLabel("Skip it and wait for the next scheduled time")).toBeChecked();
});

test("typing a number ticks its condition", async ({ page }) => {
  await open(page, "/tasks/new");
  await page.getByLabel("Description").fill("Gone quiet");
  await openTab(page, "Task specific settings");
  const tick = page.locator("#by_activity");
  const days = page.locator("#activity_days");
  await expect(tick).not.toBeChecked();
  await days.pressSequentially("730");
  if (scripted()) {
    await expect(tick).toBeChecked();
    await expect(page.locator(".sentence")).toContainText("730 days");
    return;
  }
  await expect(tick).not.toBeChecked();
  await save(page);
  await expect(page.locator("#activity_days-problem")).toHaveText("Tick the condition, or clear the number");
  await expect(days).toHaveValue("730");
  await expect(page.locator(".sentence")).toContainText("The rule is incomplete");
});

test("the picker resolves an ambiguous date", async ({ page }) => {
  await open(page, "/tasks/new");
  await page.getByLabel("Description").fill("On one day");
  await openTab(page, "Schedule");
  await page.getByLabel("Once", { exact: true }).check();
  const text = page.getByLabel("Date of the run");
  await text.fill("03/04/2030");
  await save(page);
  await expect(page.locator("#once_date-problem")).toContainText("Write the month as a word: 3 Apr 2030 or 4 Mar 2030");
  await hydrated(page);
  await page.locator(".dated", { has: text }).getByLabel("Calendar").fill("2030-04-03");
  await save(page);
  if (!scripted()) await expect(page.getByRole("alert")).toContainText("Tick at least one condition");
  await expect(text).toHaveValue("3 Apr 2030");
  await expect(page.locator("#once_date-problem")).toHaveText("");
});

test("a pasted text that is too long is shown again in full with the problem", async ({ page }) => {
  const pasted = "x".repeat(4_001);
  await open(page, "/users/new");
  await page.getByLabel("Last name").fill("Ng");
  await page.getByLabel("Leaving date").fill("03/04/2018");
  const notes = page.getByLabel("Notes about the user");
  await notes.focus();
  // Same as a paste, which a browser would truncate at a maxlength.
  await page.keyboard.insertText(pasted);
  await expect(notes).toHaveValue(pasted);
  await page.getByRole("button", { name: "Create user" }).click();
  await expect(page.locator("#notes-problem")).toHaveText("Enter at most 4,000 characters");
  await expect(page.locator("#leaving_on-problem")).toContainText("Write the month as a word: 3 Apr 2018 or 4 Mar 2018");
  await expect(notes).toHaveValue(pasted);
  await hydrated(page);
  await notes.fill("short");
  await page.locator(".dated", { has: page.getByLabel("Leaving date") }).getByLabel("Calendar").fill("2018-04-03");
  await page.getByRole("button", { name: "Create user" }).click();
  await expect(page.getByText("3 Apr 2018").first()).toBeVisible();
});

test("the setting for missed runs is shown only for repeated schedules", async ({ page }) => {
  test.skip(!scripted(), "without JavaScript all of the form is shown");
  await open(page, "/tasks/new");
  await openTab(page, "Schedule");
  const rule = page.getByRole("group", { name: "If a run is missed" });
  await expect(rule).toBeHidden();
  await page.getByLabel("Daily").check();
  await expect(rule).toBeVisible();
  await page.getByLabel("Once", { exact: true }).check();
  await expect(rule).toBeHidden();
  await expect(page.getByText("a past date never starts automatically")).toBeVisible();
});

test("a date in the past is saved as manual only, with a message before", async ({ page }) => {
  await open(page, "/tasks/new");
  await page.getByLabel("Description").fill("For single users");
  await openTab(page, "Schedule");
  await page.getByLabel("Once", { exact: true }).check();
  await page.getByLabel("Date of the run").fill("15 Jan 2018");
  if (!scripted()) await page.getByRole("button", { name: "Check without saving" }).click();
  await expect(page.getByText("The task will be saved as Manual only and will never start automatically.")).toBeVisible();
  await expect(page.getByLabel("Date of the run")).toHaveValue("15 Jan 2018");
  await save(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("For single users");
  await expect(page.getByText("Manual only")).toBeVisible();
  await expect(page.getByText("No users: no condition is set.")).toBeVisible();
});

test("a task is copied, activated, deactivated and deleted", async ({ page }) => {
  await open(page, "/tasks");
  await page.getByRole("link", { name: "For single users" }).click();
  await page.getByRole("button", { name: "Copy task" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("For single users (copy)");
  await page.getByRole("button", { name: "Activate task" }).click();
  await expect(page.getByText("Task activated")).toBeVisible();
  await page.getByRole("link", { name: "Edit task" }).click();
  await hydrated(page);
  await openTab(page, "General");
  const owner = page.getByLabel("Owner", { exact: true });
  const offered = (await owner.locator("option").nth(1).textContent()) ?? "";
  await owner.selectOption({ label: offered });
  await page.getByRole("button", { name: "Save task" }).click();
  const name = offered.replace(/ \(\d+\)$/, "");
  await expect(page.getByRole("definition").filter({ hasText: name })).toBeVisible();
  await page.getByRole("button", { name: "Deactivate task" }).click();
  await expect(page.getByText("Task deactivated")).toBeVisible();
  await page.getByRole("link", { name: "Delete task" }).click();
  await page.getByRole("button", { name: "Delete task" }).click();
  await expect(page.getByText("Task deleted.")).toBeVisible();
  await page.getByLabel("Description").fill("(copy)");
  await page.getByRole("button", { name: "Filter tasks" }).click();
  await expect(page.getByText("No tasks match these filters.")).toBeVisible();
});

test("an edit of an outdated task is rejected and keeps its entries", async ({ page, context }) => {
  await open(page, "/tasks");
  await page.getByRole("link", { name: "For single users" }).click();
  await page.getByRole("link", { name: "Edit task" }).click();
  await hydrated(page);
  const other = await context.newPage();
  await other.goto(page.url());
  if (scripted()) await other.waitForSelector("html[data-hydrated]");
  await other.getByLabel("Description").fill("For single users, first");
  await other.getByRole("button", { name: "Save task" }).click();
  await expect(other.getByText("Task saved.")).toBeVisible();
  await page.getByLabel("Description").fill("For single users, second");
  const answer = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button", { name: "Save task" }).click();
  expect((await answer).status()).toBe(409);
  await expect(page.getByText("was changed after you opened it.").first()).toBeVisible();
  await expect(page.getByLabel("Description")).toHaveValue("For single users, second");
});

test("a run leaves the reports unchanged", async ({ page, request, library }) => {
  const before = await reports(request, library);
  await open(page, "/tasks");
  await page.getByRole("link", { name: "Left five days ago" }).click();
  await page.getByRole("main").getByRole("button", { name: "Create preview" }).click();
  const headline = await page.locator(".headline").innerText();
  const [eligible, all] = headline.match(/\d[\d,]*/g)!.map((number) => Number(number.replaceAll(",", "")));
  expect(eligible).toBeGreaterThan(5);
  const counts = await page.locator("table:has(tfoot) tbody td.number").allInnerTexts();
  expect(counts.map((count) => Number(count.replaceAll(",", ""))).reduce((a, b) => a + b)).toBe(all);

  // The list finds every user, here a member of staff.
  await page.getByLabel("Find a user in this list").fill("1");
  await page.getByRole("button", { name: "Show users" }).click();
  await expect(page.getByRole("row", { name: /^1 .*has a role \(staff\)/ })).toBeVisible();
  await page.getByRole("link", { name: "Show all users" }).click();
  await page.getByRole("link", { name: /^Blocked \d/ }).first().click();
  await expect(page.locator("[data-live=people] tbody tr").first()).toContainText("Blocked");
  await page.getByLabel("Verdict", { exact: true }).selectOption("eligible");
  await page.getByRole("button", { name: "Show users" }).click();
  await expect(page.locator("[data-live=people] tbody tr").first()).not.toContainText("Blocked");
  const selected = page.locator("[data-live=people] tbody tr").first();
  const name = await selected.locator("th").innerText();
  const number = (await selected.innerText()).match(/\d+/)![0];

  await page.getByLabel(/To confirm, type/).fill("1");
  await page.getByRole("button", { name: /^Anonymise/ }).click();
  await expect(page.locator("#confirm-problem")).toContainText("to confirm");
  await page.getByLabel(/To confirm, type/).fill(String(eligible));
  await page.getByRole("button", { name: /^Anonymise/ }).click();
  await ended(page);
  await expect(page.locator("dl.figures > div").first()).toContainText(String(eligible));
  await expect(page.getByRole("table", { name: "Rows changed or deleted, by table" })).toContainText("Users");

  expect(await reports(request, library)).toEqual(before);
  await open(page, `/users/${number}`);
  await expect(page.getByRole("main")).toContainText("Anonymised");
  await expect(page.getByRole("main")).not.toContainText(name);
  // Another user may have the same name.
  await page.getByRole("searchbox", { name: "Find a user", exact: true }).fill(name);
  await page.getByRole("button", { name: "Find user" }).click();
  await expect(page.getByRole("heading", { name: "User search", level: 1 })).toBeVisible();
  await expect(page.getByRole("main").getByRole("cell", { name: number, exact: true })).toHaveCount(0);

  // The command line shows the same numbers.
  const runs = JSON.parse(library.command("runs", "list", "--json")) as { id: number; done: number; kind: string }[];
  const run = runs.find((one) => one.kind === "manual" && one.done === eligible)!;
  const shown = JSON.parse(library.command("runs", "show", String(run.id), "--json"));
  expect([shown.previewed, shown.done, shown.skipped, shown.failed]).toEqual([eligible, eligible, 0, 0]);
});
