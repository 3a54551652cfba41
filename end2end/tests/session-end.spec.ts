// A session ends after a time without activity, and after ten hours in any case. A page warns before.
import { expectAccessible, hydrated, expect, open, scripted, test, type Library } from "./lethe";
import type { BrowserContext, Page } from "@playwright/test";

test.use({ expectedStatus: [401] });

const MINUTE = 60_000;
// The time left in the warning, on computers of any speed.
const TIME_LEFT = "(1 minute( \\d+ seconds?)?|\\d+ seconds?)";

// Signs in again, so that no other test loses its session. Returns functions that age the session.
async function signedIn(context: BrowserContext, library: Library, userId: string) {
  await context.clearCookies();
  await context.addCookies([await library.signIn(userId)]);
  const id = library.sql("SELECT id_hash FROM sessions ORDER BY created_at DESC LIMIT 1");
  const ago = (seconds: number) => `strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-${seconds} seconds')`;
  return {
    setIdle: (seconds: number) =>
      library.sql(`UPDATE sessions SET last_seen_at = ${ago(seconds)} WHERE id_hash = '${id}'`),
    setAge: (seconds: number) =>
      library.sql(`UPDATE sessions SET created_at = ${ago(seconds)} WHERE id_hash = '${id}'`),
    lastSeen: () => library.sql(`SELECT last_seen_at FROM sessions WHERE id_hash = '${id}'`),
  };
}

// Returns a different member of staff for each test, because of the rate limit of sign-ins.
function member(library: Library, index: number): string {
  const staff: { roles: string[]; user_id: string }[] = JSON.parse(library.command("staff", "list", "--json"));
  const librarians = staff.filter((one) => one.roles.some((role) => role.includes("librarian")));
  return librarians.filter((one) => one.user_id !== library.everything)[index].user_id;
}

const warning = (page: Page) => page.getByRole("alertdialog");

test("before the end a warning offers to stay signed in", async ({ page, context, library }) => {
  test.skip(!scripted(), "the warning needs JavaScript");
  const session = await signedIn(context, library, member(library, 0));
  await page.clock.install();
  await open(page, "/users/new");
  await page.getByLabel("First name").fill("Typed and not saved");
  await page.clock.fastForward(10 * MINUTE);
  await expect(warning(page)).toBeHidden();

  session.setIdle(18.1 * 60);
  const seen = session.lastSeen();
  await page.clock.fastForward(8.5 * MINUTE);
  await expect(warning(page)).toBeVisible();
  await expect(warning(page)).toContainText(new RegExp(`signed out in ${TIME_LEFT} and`));
  await expect(page.locator("[aria-live=assertive]")).toContainText("You will be signed out");
  await expect(page.getByLabel("First name"), "the focus is kept").toBeFocused();
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/session-end.png" });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/session-end-narrow.png" });
  await page.setViewportSize({ width: 1366, height: 768 });
  // The page polls the time left, which does not extend the session.
  await page.waitForResponse(/session_time/);
  expect(session.lastSeen()).toBe(seen);

  await page.getByRole("button", { name: "Stay signed in" }).focus();
  await page.keyboard.press("Enter");
  await expect(warning(page)).toBeHidden();
  expect(session.lastSeen()).not.toBe(seen);
  await expect(page.getByLabel("First name")).toHaveValue("Typed and not saved");
});

test("activity in another tab prevents the warning", async ({ page, context, library }) => {
  test.skip(!scripted(), "the warning needs JavaScript");
  const session = await signedIn(context, library, member(library, 1));
  await page.clock.install();
  await open(page, "/users/new");
  session.setIdle(18.5 * 60);
  const other = await context.newPage();
  await other.goto("/tasks");
  const polled = page.waitForResponse(/session_time/);
  await page.clock.fastForward(18.5 * MINUTE);
  await polled;
  await page.clock.runFor(2_000);
  await expect(warning(page)).toBeHidden();
  // Activity in another tab hides the warning.
  session.setIdle(18.5 * 60);
  await page.clock.fastForward(18.5 * MINUTE);
  await expect(warning(page)).toBeVisible();
  await other.goto("/tasks");
  await expect(warning(page)).toBeHidden();
});

test("after the end the sign-in replaces the page, also after the computer has slept", async ({
  page,
  context,
  library,
}) => {
  test.skip(!scripted(), "replacing the page needs JavaScript");
  const userId = member(library, 2);
  const session = await signedIn(context, library, userId);
  await page.clock.install();
  await open(page, "/users/1?tab=loans");
  const person = await page.locator("h1 .name").innerText();
  session.setIdle(60 * 60);
  await page.clock.fastForward(60 * MINUTE);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect(page.getByText("Your session has ended.")).toBeVisible();
  await page.goBack().catch(() => undefined);
  await expect(page.locator("body")).not.toContainText(person);
  await page.goto("/users/1?tab=loans");
  await page.getByLabel("UserID").fill(userId);
  await page.getByLabel("Password").fill("forget me in the library");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/users\/1\?tab=loans$/);
  await expect(page.locator("h1 .name")).toHaveText(person);
});

test("a form with changes does not stay on the screen after the end", async ({ page, context, library }) => {
  test.skip(!scripted(), "replacing the page needs JavaScript");
  const session = await signedIn(context, library, member(library, 0));
  const asked: string[] = [];
  page.on("dialog", async (dialog) => {
    asked.push(dialog.type());
    await dialog.dismiss();
  });
  await page.clock.install();
  await open(page, "/users/new");
  await page.getByLabel("Last name").fill("Unsaved");
  session.setIdle(60 * 60);
  await page.clock.fastForward(60 * MINUTE);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(asked, "the browser does not ask").toEqual([]);
});

test("before the end of ten hours the warning says to save and to sign in again", async ({ page, context, library }) => {
  test.skip(!scripted(), "the warning needs JavaScript");
  const session = await signedIn(context, library, member(library, 2));
  session.setAge(10 * 3600 - 117);
  await page.clock.install();
  await open(page, "/tasks/new");
  await expect(warning(page)).toContainText(new RegExp(`signed out in ${TIME_LEFT} and have to sign in again`));
  await expect(warning(page)).toContainText("Save your changes now");
  await expect(page.getByRole("button", { name: "Stay signed in" })).toHaveCount(0);
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/session-end-for-good.png" });
  await page.getByRole("button", { name: "Hide this warning" }).click();
  await expect(warning(page)).toBeHidden();
  await page.clock.runFor(3_000);
  await expect(warning(page)).toBeHidden();
});

test("the page is covered while the server does not answer", async ({ page, context, library }) => {
  test.skip(!scripted(), "replacing the page needs JavaScript");
  await signedIn(context, library, member(library, 0));
  // The browser logs the aborted request.
  page.removeAllListeners("console");
  await page.clock.install();
  await open(page, "/users/new");
  await page.getByLabel("First name").fill("Typed and not saved");
  await page.route("**/api/session_time", (route) => route.abort());
  await page.clock.fastForward(21 * MINUTE);
  await expect(warning(page)).toContainText("This page is hidden until Lethe answers");
  await expect(warning(page).getByRole("button")).toHaveCount(0);
  await expect(page.getByRole("main")).toBeHidden();
  await expect(page.getByLabel("First name")).toBeHidden();
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/session-end-covered.png" });
  await page.unroute("**/api/session_time");
  await expect(warning(page)).toBeHidden();
  await expect(page.getByLabel("First name")).toHaveValue("Typed and not saved");
});

test("after the session has ended the sign-in leads back to the page", async ({ page, context, library }) => {
  const userId = member(library, 1);
  const session = await signedIn(context, library, userId);
  await open(page, "/account");
  await expect(page.getByText("A session ends after 20 minutes without activity")).toBeVisible();
  session.setIdle(20 * 60);
  await page.getByRole("link", { name: "Task centre" }).click();
  await expect(page.getByText("Your session has ended.")).toBeVisible();
  await page.screenshot({ path: `test-results/session-ended-${test.info().project.name}.png` });
  await page.getByLabel("UserID").fill(userId);
  await page.getByLabel("Password").fill("forget me in the library");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/tasks$/);
  await hydrated(page);
});
