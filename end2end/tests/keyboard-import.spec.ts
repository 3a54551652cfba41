// A custom field, an import profile, an import and a held line by the keyboard alone.
import { collectProblems, Keyboard } from "./keyboard";
import { expect, hydrated, open, scripted, test, type Library } from "./lethe";

const kind = () => (scripted() ? "wasm" : "plain");
const file = () => ({
  name: "students.csv",
  mimeType: "text/csv",
  buffer: Buffer.from(
    `Matrikelnummer;Nachname;Austrittsdatum;Semester\nT${kind()}1;Tastahorn;30.09.2027;4\nT${kind()}2;Tastbirke;31.03.2027;2\n`,
  ),
});

// Waits for the text of the next state of an import. Without WebAssembly a link shows the current state.
async function reached(keys: Keyboard, text: string): Promise<void> {
  const { page } = keys;
  await expect(async () => {
    if (!scripted() && (await page.getByRole("link", { name: "Show current state" }).isVisible())) {
      await keys.follow("Show current state");
    }
    await expect(page.getByText(text)).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await hydrated(page);
}

async function upload(keys: Keyboard): Promise<void> {
  await keys.attach("File", file());
  await keys.press("Upload file");
}

const count = (library: Library) =>
  library.sql("SELECT COUNT(*) FROM users WHERE last_name IN ('Tastahorn', 'Tastbirke')");

test("a file is imported by the keyboard alone", async ({ page, library }) => {
  test.setTimeout(480_000);
  const problems = await collectProblems(page);
  const keys = new Keyboard(page);
  await test.step("a custom field", async () => {
    await open(page, "/custom-fields");
    await keys.type("textbox", "Key", `semester_${kind()}`);
    await keys.type("textbox", "Name", `Semester ${kind()}`);
    await keys.pick("Class", /^Quasi-identifier:/);
    await keys.press("Add field");
    await expect(page.getByText("Custom field added.")).toBeVisible();
  });

  await test.step("an import profile", async () => {
    await open(page, "/users");
    await keys.follow("Import file");
    await keys.follow("create an import profile");
    await upload(keys);
    await keys.select("Field for Semester", `Semester ${kind()}`);
    await keys.type("textbox", "Name of the profile", `Keyboard ${kind()}`);
    await keys.press("Save profile");
    await expect(page.getByText("Import profile created.")).toBeVisible();
  });

  await test.step("a check and an import", async () => {
    await keys.press("Check file");
    await reached(keys, "Nothing has been changed yet");
    await keys.press("Import file");
    await reached(keys, "The import is complete");
    expect(count(library)).toBe("2");
  });

  await test.step("a held line", async () => {
    const number = library.sql(`SELECT number FROM users WHERE external_id = 'T${kind()}1'`);
    library.command("users", "anonymise", number, "--confirm", number, "--reason", "left");
    await open(page, "/users/import");
    await keys.select("Import profile", `Users: Keyboard ${kind()}`);
    await upload(keys);
    await keys.press("Check file");
    await reached(keys, "Nothing has been changed yet");
    await keys.press("Import file");
    await reached(keys, "The import is complete");
    expect(count(library)).toBe("1");
    await keys.follow("review held lines");
    await keys.tick(/^Choose held line/);
    await keys.pick("Decision about the chosen lines", "Always ignore");
    await keys.press("Save decision");
    await expect(page.getByText("Imports skip these lines.")).toBeVisible();
  });
  expect(problems).toEqual([]);
});
