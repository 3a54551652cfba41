// The user search: pasted texts, the record of an exact match, proposals, pages, columns and saved searches.
import { expect, open, test } from "./lethe";
import type { Page } from "@playwright/test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

// Searches from the page of the user search.
async function find(page: Page, text: string): Promise<void> {
  await open(page, "/users");
  const main = page.getByRole("main");
  await main.getByRole("searchbox", { name: "Name, number, e-mail, barcode or phone" }).fill(text);
  await main.getByRole("button", { name: "Find users" }).click();
}

test.beforeAll(({ library }) => {
  const csv = [
    "user_id,last_name,first_name,email,barcode,phone",
    "srch-1,O’Brien,Niamh,niamh@search.example,29001234567,+353 86 555 01 23",
    "srch-2,Müller,Søren,soren@search.example,29001234568,",
    "",
  ].join("\n");
  const file = join(library.folder, "search.csv");
  writeFileSync(file, csv);
  library.command("import", "users", file);
});

test("a pasted name leads to the list, a key to the record with a way back", async ({ page }) => {
  for (const text of ["O'Brien, Niamh", "“Niamh O’Brien”", "Ms O Brien", "086 555 01 23"]) {
    await find(page, text);
    await expect(page.getByRole("link", { name: "Niamh O’Brien" })).toBeVisible();
  }
  for (const text of ["Niamh O'Brien <niamh@search.example>", "*29001234567*", "2900 1234 567", "SRCH-1;"]) {
    await find(page, text);
    await expect(page).toHaveURL(/\/users\/\d+\?find=/);
    await expect(page.locator("h1 .name")).toHaveText("Niamh O’Brien");
  }
  await page.getByRole("link", { name: "Show all results" }).click();
  await expect(page.getByRole("table")).toContainText("Niamh O’Brien");
  for (const text of ["soren mueller", "Muller", "MÜLLER Soeren"]) {
    await find(page, text);
    await expect(page.getByRole("link", { name: "Søren Müller" })).toBeVisible();
  }
});

test("a search without result proposes others", async ({ page }) => {
  await find(page, "Niahm O'Brien");
  await expect(page.getByText("No users found.")).toBeVisible();
  await page.getByRole("link", { name: "Niamh O’Brien", exact: true }).click();
  await expect(page.getByRole("table")).toContainText("Niamh O’Brien");
});

test("the list has pages in both directions, chosen columns and an announced order", async ({ page }) => {
  await open(page, "/users");
  await page.getByText("Columns and page length").click();
  await page.getByLabel("Users on a page").selectOption("25");
  await page.getByRole("checkbox", { name: "Barcode" }).check();
  await page.getByRole("checkbox", { name: "E-mail" }).uncheck();
  await page.getByRole("button", { name: "Save columns" }).click();
  await expect(page.getByRole("columnheader", { name: "Barcode" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "E-mail" })).toHaveCount(0);
  await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
  await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
  await expect(page.getByRole("caption")).toHaveText(/^[\d,]+ users, sorted by name$/);
  const rows = page.locator("tbody tr");
  await expect(rows).toHaveCount(25);
  const first = await rows.first().innerText();
  await page.getByRole("link", { name: "Next page" }).click();
  await expect(rows.first()).not.toHaveText(first);
  await page.getByRole("link", { name: "Previous page" }).click();
  expect(await rows.first().innerText()).toBe(first);
});

test("a search is saved, run, renamed and deleted", async ({ page }, { project }) => {
  const name = `Not imported (${project.name})`;
  await open(page, "/users?imported=no&sort=name");
  await page.getByText("Save this search").click();
  await page.getByLabel("Name of the search").fill(name);
  await page.getByRole("button", { name: "Save search" }).click();
  await expect(page.getByText("Search saved.")).toBeVisible();
  await open(page, "/users");
  await page.getByRole("navigation", { name: "Saved searches" }).getByRole("link", { name }).click();
  await expect(page.getByLabel("Imported")).toHaveValue("no");
  await page.getByRole("link", { name: "All saved searches" }).click();
  const row = page.getByRole("row", { name: new RegExp(`Not imported \\(${project.name}`) });
  await row.getByText("Rename or share").click();
  await row.getByLabel("Name of the search").fill(`${name} again`);
  await row.getByLabel("Share with all staff").check();
  await row.getByRole("button", { name: "Save search" }).click();
  await expect(row).toContainText("again");
  await expect(row.locator(".tag")).toHaveText("Shared");
  await row.locator("summary", { hasText: "Delete search" }).click();
  await row.getByRole("button", { name: "Delete search" }).click();
  await expect(page.getByText("Saved search deleted.")).toBeVisible();
  await expect(row).toHaveCount(0);
});
