// A printed certificate: header and page numbers on each page, and all its users.
import { expect, open, test } from "./lethe";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

// Of poppler-utils.
const PDF_TO_TEXT = "/usr/bin/pdftotext";

test("a printed certificate has a header, page numbers and every user", async ({ page, library: { sql, command } }) => {
  command("library", "set", "--name", "Town “Central” Library");
  sql("UPDATE tasks SET settings = json_set(settings, '$.anonymise_user_data.scope', 'all') WHERE id = 1");
  const { previewed } = JSON.parse(command("tasks", "preview", "1", "--json"));
  const run = JSON.parse(command("tasks", "run", "1", "--confirm", String(previewed), "--json"));
  await open(page, `/runs/${run.id}/certificate`);
  await page.emulateMedia({ media: "print" });
  // The style sheet for print loads after the others. Check its text, because the browser drops margin boxes from its rules.
  const link = page.locator('link[rel="stylesheet"][media="print"]');
  await expect(link).toHaveAttribute("href", `/print.css?run=${run.id}`);
  const sheet = await (await page.request.get(`/print.css?run=${run.id}`)).text();
  for (const margin of ["@top-left", "@top-center", "@top-right", "@bottom-right"]) expect(sheet).toContain(margin);
  expect(sheet).toMatch(/Town \\00201c Central\\00201d  Library/);
  expect(sheet).toContain(`Run ${run.id}`);
  expect(sheet).toContain("24 Nov 2026");
  expect(sheet).toMatch(/counter\(page\).*counter\(pages\)/);

  const numbers = sql(`SELECT user_number FROM run_members WHERE run_id = ${run.id} ORDER BY 1`).split("\n");
  const printed = await page.locator(".numbers").allTextContents();
  expect(printed.join(", ").split(", ").sort()).toEqual([...numbers].sort());
  const isWhole = (list: HTMLElement) => list.scrollHeight <= list.clientHeight;
  for (const list of await page.locator(".numbers").all()) expect(await list.evaluate(isWhole)).toBe(true);
  await expect(page.getByRole("navigation", { name: "Actions" })).toBeHidden();

  // A browser without margin boxes prints this header instead.
  const header = page.locator(".printed");
  await expect(header).toBeVisible();
  for (const words of ["Town “Central” Library", `Run ${run.id}`, "24 Nov 2026"]) await expect(header).toContainText(words);
  await page.emulateMedia({ media: "screen" });
  await expect(header).toBeHidden();

  // Stop emulating: the PDF would use the emulated medium.
  await page.emulateMedia({ media: null });
  const path = test.info().outputPath("certificate.pdf");
  const pdf = await page.pdf({ path, format: "A4" });
  const sheets = pdf.toString("latin1").match(/\/Type\s*\/Page\b(?!s)/g)!.length;
  expect(sheets).toBeGreaterThan(1);
  if (!existsSync(PDF_TO_TEXT)) return;
  const texts = execFileSync(PDF_TO_TEXT, ["-layout", path, "-"], { encoding: "utf8" }).split("\f").slice(0, sheets);
  texts.forEach((text, index) => {
    for (const words of ["Town “Central” Library", `Run ${run.id}`, "24 Nov 2026", `Page ${index + 1} of ${sheets}`])
      expect(text, `page ${index + 1}`).toContain(words);
  });
  const all = new Set(texts.join(" ").match(/\d+/g));
  expect(numbers.filter((number) => !all.has(number))).toEqual([]);
});
