// The page of a preview: warning, exclusion with a reason, search in place, file; and previews of listed users.
import { expect, expectAccessible, open, scripted, test, type Library } from "./lethe";
import type { Page } from "@playwright/test";

// A separate library: these tests change many users.
test.use({ expectedStatus: [422], settings: { LETHE_SUPPRESSION_MONTHS: "24" } });

const TASK = "Leavers, monthly";

function taskId(library: Library): number {
  const tasks: { id: number; description: string }[] = JSON.parse(library.command("tasks", "list", "--json"));
  return tasks.find((task) => task.description === TASK)!.id;
}

async function createPreview(page: Page, library: Library): Promise<number> {
  await open(page, `/tasks/${taskId(library)}`);
  await page.getByRole("main").or(page.getByRole("navigation", { name: "Actions" })).getByRole("button", { name: "Create preview" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Preview \d+$/);
  return eligible(page);
}

// The number of the headline.
async function eligible(page: Page): Promise<number> {
  const text = await page.locator(".headline b").first().innerText();
  return Number(text.replaceAll(",", ""));
}

const rows = (page: Page) => page.locator("[data-live=people] tbody tr");

async function accessible(page: Page): Promise<void> {
  if (scripted()) await expectAccessible(page);
}

test("a preview of users who are still active warns in words, above its actions", async ({ page, library }) => {
  library.sql("UPDATE users SET last_activity_on = '2026-11-20' WHERE leaving_on < '2026-11-01' AND anonymised_on IS NULL");
  const count = await createPreview(page, library);
  expect(count).toBeGreaterThan(5);
  const level = page.getByRole("region", { name: "Warning level" });
  await expect(level).toContainText("Serious: check every point before you run");
  await expect(level).toContainText("active within the last 30 days");
  const top = async (selector: string) => (await page.locator(selector).first().boundingBox())!.y;
  const places = [".headline", ".level", "svg.verdicts", "#run-now", "#people"];
  const tops = [];
  for (const place of places) tops.push(await top(place));
  expect([...tops].sort((a, b) => a - b)).toEqual(tops);
  await expect(rows(page).first()).toContainText("Eligible");
  await accessible(page);
});

test("excluded users are left out of the run, and can be included again", async ({ page, library }) => {
  const count = await createPreview(page, library);
  const first = rows(page).first();
  const [name, number] = [await first.locator("th").innerText(), await first.locator("td.number").innerText()];
  const exclude = page.getByRole("button", { name: "Exclude ticked users" });
  await first.getByRole("checkbox").check();
  await exclude.click();
  await expect(page.locator("#reason-to-exclude-problem")).toContainText("Choose a reason");
  await expect(rows(page).first().getByRole("checkbox")).toBeChecked();
  await accessible(page);
  await rows(page).nth(1).getByRole("checkbox").check();
  await page.getByLabel("Reason to exclude the ticked users").selectOption("comes_back");
  await exclude.click();
  await expect(page.getByText("Users excluded.")).toBeVisible();
  expect(await eligible(page)).toBe(count - 2);
  await page.getByRole("link", { name: "2 eligible users" }).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).first()).toContainText(/excluded by .+: comes back or has asked to stay/);
  await accessible(page);
  await rows(page).nth(1).getByRole("button", { name: /^Include again/ }).click();
  await expect(page.getByText("User included again.")).toBeVisible();
  expect(await eligible(page)).toBe(count - 1);

  // The list is searched and sorted in place.
  await page.getByLabel("Find a user in this list").fill(number);
  await page.getByRole("button", { name: "Show users" }).click();
  await expect(page).toHaveURL(/#people$/);
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page).first()).toContainText(name);
  if (scripted()) await expect(page.locator("#people")).toBeInViewport();
  await page.getByRole("link", { name: "Show all users" }).click();
  await page.getByRole("link", { name: "Name", exact: true }).click();
  await expect(page.locator("th[aria-sort=ascending]")).toContainText("Name");

  const file = await page.request.get((await page.getByRole("link", { name: "Export these users as CSV" }).getAttribute("href"))!);
  expect(await file.text()).toContain("comes back or has asked to stay");

  await page.getByLabel(/To confirm, type/).fill(String(count - 1));
  await page.getByRole("button", { name: /^Anonymise/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Manual run \d+$/);
  const run = new URL(page.url()).pathname.split("/").pop()!;
  await expect
    .poll(() => library.sql(`SELECT state FROM runs WHERE id = ${run}`), { timeout: 120_000 })
    .toBe("succeeded");
  expect(library.sql(`SELECT COUNT(*) FROM run_members WHERE run_id = ${run} AND user_number = ${number}`)).toBe("0");
  expect(library.sql(`SELECT anonymised_on IS NULL FROM users WHERE number = ${number}`)).toBe("1");
});

test("listed users are previewed from a list, from a file and from ticked rows", async ({ page, library }) => {
  const task = taskId(library);
  const some = library.sql("SELECT number FROM users WHERE anonymised_on IS NULL AND number > 30 ORDER BY number LIMIT 3").split("\n");
  await open(page, `/tasks/${task}`);
  await page.getByRole("link", { name: "Preview listed users" }).click();
  await page.getByLabel("User numbers", { exact: true }).fill(`${some[0]}\nNg`);
  await page.getByRole("button", { name: "Create preview of these users" }).click();
  await expect(page.locator("#users-problem")).toContainText("Correct line 2");
  await accessible(page);
  await page.getByLabel("User numbers", { exact: true }).fill(some.join("\n"));
  await page.getByRole("button", { name: "Create preview of these users" }).click();
  await expect(page.locator(".headline")).toContainText("of 3 listed users");
  await expect(rows(page)).toHaveCount(3);
  await accessible(page);

  await open(page, `/tasks/${task}/listed`);
  const list = { name: "users.csv", mimeType: "text/csv", buffer: Buffer.from(`user_number\r\n${some[0]}\r\n${some[1]}\r\n`) };
  await page.getByLabel("File with user numbers").setInputFiles(list);
  await page.getByRole("button", { name: "Create preview of this file" }).click();
  await expect(page.locator(".headline")).toContainText("of 2 listed users");

  await open(page, "/users?marked=no");
  const boxes = page.getByRole("main").locator("tbody").getByRole("checkbox");
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.locator("summary", { hasText: "Preview a task for these users" }).click();
  await accessible(page);
  await page.getByRole("button", { name: "Create preview of these users" }).click();
  await expect(page.locator("#task-problem")).toContainText("Choose a task");
  await expect(page.getByRole("main").locator("tbody").getByRole("checkbox").nth(1)).toBeChecked();
  await page.getByLabel("Task", { exact: true }).selectOption({ label: TASK });
  await page.getByRole("button", { name: "Create preview of these users" }).click();
  await expect(page.locator(".headline")).toContainText("of 2 listed users");

  // The command line does the same.
  const { id } = JSON.parse(library.command("tasks", "preview", String(task), "--json"));
  const csv = library.command("runs", "users", String(id), "--verdict", "eligible");
  expect(csv.split("\r\n")[0]).toContain("user_number,name,verdict");
});
