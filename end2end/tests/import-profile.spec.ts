// A profile is made from a file with German headings and dates; then the file is checked and imported with it.
import type { Page } from "@playwright/test";
import { act } from "./imports";
import { expect, expectAccessible, open, scripted, test } from "./lethe";

test.use({ expectedStatus: [409, 422] });

// The two projects share a library: their profiles have different names.
const name = () => (scripted() ? "Studierende" : "Studierende ohne Skript");
const file = () =>
  "Matrikelnummer;Nachname;Vorname;Austrittsdatum;Kontakt;Fach\n" +
  `M1;Profilahorn;Anna;30.09.2027;anna@example.org;Jura\nM2;Profilbirke;Ben;31.03.2027;ben@example.org;\n`;

async function upload(page: Page) {
  await open(page, "/users/import");
  await page.getByRole("link", { name: "create an import profile" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Import profiles");
  await page.getByLabel("File", { exact: true }).setInputFiles({
    name: "hr.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(file()),
  });
  await page.getByRole("button", { name: "Upload file" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create import profile");
}

async function expectNarrow(page: Page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wide, `${page.url()} scrolls sideways`).toBeLessThanOrEqual(0);
}

test("a profile is made from a file, which is then imported", async ({ page, library }) => {
  await upload(page);
  await expect(page.getByRole("cell", { name: "Profilahorn" })).toBeVisible();
  await expect(page.getByLabel("Field for Nachname")).toHaveValue("last_name");
  await expect(page.getByLabel("Field for Kontakt")).toHaveValue("email");
  await expect(page.getByText("Suggested from the content: E-mail")).toBeVisible();
  await expect(page.getByLabel("Date format")).toHaveValue("day_month_year_dots");
  await expect(page.getByLabel("Field for Fach")).toHaveValue("");
  await page.getByLabel("Field for Fach").selectOption("department");
  if (scripted()) {
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 768 });
    await expectNarrow(page);
    await expectAccessible(page);
    await page.screenshot({ path: "test-results/import-profile-narrow.png", fullPage: true });
    await page.setViewportSize({ width: 1366, height: 768 });
  }
  await page.screenshot({ path: `test-results/import-profile-${scripted() ? "wasm" : "plain"}.png`, fullPage: true });

  // A problem is shown at its field: at once, or after the form was sent.
  await page.getByLabel("Field for Vorname").selectOption("last_name");
  if (!scripted()) await page.getByRole("button", { name: "Save profile" }).click();
  const row = page.getByRole("row", { name: /^Vorname/ });
  await expect(row.getByText("a column already fills this one")).toBeVisible();
  await expect(page.getByLabel("Field for Fach")).toHaveValue("department");
  if (scripted()) await expect(page.getByText("Enter a name")).toBeHidden();
  await page.getByLabel("Field for Vorname").selectOption("first_name");
  if (scripted()) await expect(row.getByText("a column already fills this one")).toBeHidden();
  await page.getByLabel("Name of the profile").fill(name());
  await page.getByRole("button", { name: "Save profile" }).click();

  await expect(page.getByText("Import profile created.")).toBeVisible();
  await expect(page.getByText(`Users: ${name()}`)).toBeVisible();
  await act(page, "Check file", "Nothing has been changed yet");
  await act(page, "Import file", "The import is complete");
  const found = library.sql(
    "SELECT first_name, leaving_on, email, department FROM users WHERE external_id = 'M1' AND last_name = 'Profilahorn'",
  );
  expect(found).toBe("Anna|2027-09-30|anna@example.org|Jura");
});

test("a profile is listed, changed and deleted", async ({ page, library }) => {
  await upload(page);
  await page.getByLabel("Name of the profile").fill(`${name()} 2`);
  await page.getByRole("button", { name: "Save profile" }).click();
  await expect(page.getByText("Import profile created.")).toBeVisible();
  await page.getByRole("button", { name: "Cancel import" }).click();

  await open(page, "/users/import/profiles");
  if (scripted()) await expectAccessible(page);
  const row = page.getByRole("row", { name: new RegExp(`^${name()} 2`) });
  await row.getByRole("link", { name: /^Change profile/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(name());
  if (scripted()) await expectAccessible(page);
  await page.getByLabel("Name of the profile").fill(`${name()} 3`);
  await page.getByRole("button", { name: "Save profile" }).click();
  await expect(page.getByText("Import profile saved.")).toBeVisible();

  const changed = page.getByRole("row", { name: new RegExp(`^${name()} 3`) });
  await changed.getByText("Delete profile").first().click();
  await changed.getByRole("button", { name: /^Delete profile/ }).click();
  await expect(page.getByText("Import profile deleted.")).toBeVisible();
  expect(library.sql(`SELECT COUNT(*) FROM import_profiles WHERE name = '${name()} 3'`)).toBe("0");
});
