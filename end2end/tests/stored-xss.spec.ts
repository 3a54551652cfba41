// Stored cross-site scripting: a browser executes none of the scripts in stored texts, and the policy blocks nothing.
import { expect, open, scripted, test } from "./lethe";

const SCRIPT =
  `xss1"'><script>xss()</script><img src=x onerror=xss()></title></textarea></select><svg onload=xss()>{{7*7}}<a href="javascript:xss()">xss2`;

// Texts that staff or an import can set, by table.
const COLUMNS = {
  users: ["first_name", "last_name", "preferred_name", "title", "email", "phone", "street", "city", "notes", "barcode"],
  custom_fields: ["label"],
  custom_values: ["value"],
  terms: ["name"],
  loans: ["note", "return_note", "branch"],
  requests: ["note", "cancel_reason"],
  charges: ["note", "kind"],
  messages: ["recipient", "subject", "body"],
  catalogue_records: ["title", "author"],
  items: ["shelf_mark", "branch"],
  tasks: ["description"],
};

test("stored scripts are shown as text", async ({ page, library }) => {
  test.skip(!scripted(), "a browser without JavaScript executes no script");
  for (const [table, columns] of Object.entries(COLUMNS))
    for (const column of columns)
      library.sql(`UPDATE ${table} SET ${column} = '${SCRIPT.replaceAll("'", "''")}' || rowid`);

  const ran: string[] = [];
  page.on("dialog", async (dialog) => {
    ran.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.exposeFunction("xss", () => ran.push("a script"));
  await page.exposeFunction("violated", (what: string) => ran.push(`violated the content security policy: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      (window as unknown as { violated: (what: string) => void }).violated(`${event.violatedDirective} ${event.blockedURI}`),
    );
  });

  const borrower = library.sql("SELECT MIN(user_number) FROM loans WHERE returned_on IS NULL AND note IS NOT NULL AND user_number > 20");
  const record = library.sql("SELECT MIN(id) FROM catalogue_records");
  await open(page, "/tasks/1");
  await page.getByRole("button", { name: "Preview" }).first().click();
  await expect(page).toHaveURL(/\/runs\/\d+/);
  const preview = new URL(page.url()).pathname;

  let shown = 0;
  for (const address of [
    "/users",
    ...["details", "loans", "history", "requests", "charges", "messages"].map((tab) => `/users/${borrower}?tab=${tab}`),
    `/users/${borrower}/edit`,
    `/users/${borrower}/anonymise`,
    "/tasks",
    "/tasks/1",
    "/tasks/1/edit",
    preview,
    "/runs",
    "/catalogue",
    `/catalogue/${record}`,
    "/staff",
    "/account",
    "/legal-holds",
    `/users?q=${encodeURIComponent(SCRIPT)}`,
  ]) {
    await open(page, address);
    shown += Number((await page.content()).includes("xss1"));
    const found = await page.evaluate(() => {
      const elements = [...document.querySelectorAll("*")];
      return {
        handlers: elements.filter((one) => one.getAttributeNames().some((name) => name.startsWith("on"))).length,
        pictures: document.querySelectorAll("img[src=x]").length,
        scripts: [...document.scripts].filter((one) => one.textContent?.includes("xss")).length,
        links: document.querySelectorAll('a[href^="javascript:" i]').length,
      };
    });
    expect(found, address).toEqual({ handlers: 0, pictures: 0, scripts: 0, links: 0 });
  }
  expect(shown, "most pages contain the script").toBeGreaterThan(14);
  await open(page, "/tasks/1");
  expect(await page.title()).toMatch(/^xss1.*<\/title>.*xss2/);
  await open(page, `/users/${borrower}/edit`);
  await expect(page.getByLabel("Notes about the user")).toHaveValue(new RegExp("</textarea>.*xss2"));
  expect(ran).toEqual([]);
});
