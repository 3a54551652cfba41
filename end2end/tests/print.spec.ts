// A certificate on paper: a header and page numbers on each sheet, and every user that it counts.
import { expect, open, test } from "./lethe";

test.use({ settings: { LETHE_LIBRARY_NAME: "Town “Central” Library" } });

test("a printed certificate has a header, page numbers and every user", async ({ page, library: { sql, command } }) => {
  sql("UPDATE tasks SET policy = json_set(policy, '$.scope', 'all') WHERE id = 1");
  const { previewed } = JSON.parse(command("tasks", "preview", "1", "--json"));
  const run = JSON.parse(command("tasks", "run", "1", "--confirm", String(previewed), "--json"));
  await open(page, `/runs/${run.id}/certificate`);
  await page.emulateMedia({ media: "print" });
  // A style sheet for print loads after the others. Its text is read: the browser leaves the margins out of its rules.
  const link = page.locator('link[rel="stylesheet"][media="print"]');
  await expect(link).toHaveAttribute("href", `/print.css?run=${run.id}`);
  const sheet = await (await page.request.get(`/print.css?run=${run.id}`)).text();
  for (const margin of ["@top-left", "@top-center", "@top-right", "@bottom-right"]) expect(sheet).toContain(margin);
  expect(sheet).toMatch(/Town \\00201cCentral\\00201d Library/);
  expect(sheet).toContain(`Run ${run.id}`);
  expect(sheet).toContain("24 Nov 2026");
  expect(sheet).toMatch(/counter\(page\).*counter\(pages\)/);

  const numbers = sql(`SELECT user_number FROM run_members WHERE run_id = ${run.id} ORDER BY 1`).split("\n");
  const printed = await page.locator(".numbers").allTextContents();
  expect(printed.join(", ").split(", ").sort()).toEqual([...numbers].sort());
  const isWhole = (list: HTMLElement) => list.scrollHeight <= list.clientHeight;
  for (const list of await page.locator(".numbers").all()) expect(await list.evaluate(isWhole)).toBe(true);
  await expect(page.getByRole("navigation", { name: "Actions" })).toBeHidden();
});
