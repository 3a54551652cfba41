// Takes the pictures of the README from the demo library: the task centre and a preview. Only `make screenshots` runs this.
import { expect, open, scripted, test } from "./lethe";
import type { Page } from "@playwright/test";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../docs/images");

test.skip(!process.env.SCREENSHOTS, "only with SCREENSHOTS=1");
test.use({
  colorScheme: "light",
  deviceScaleFactor: 2,
  viewport: { width: 1200, height: 760 },
});

// Saves the visible part of a page, without the banner: its warnings are about the settings of the tests.
async function take(page: Page, name: string): Promise<void> {
  await page.evaluate(() => {
    document.querySelectorAll(".banner").forEach((banner) => banner.remove());
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  mkdirSync(FOLDER, { recursive: true });
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: "disabled", caret: "hide" });
}

test("the task centre and a preview", async ({ page, library }) => {
  test.skip(!scripted(), "one set of pictures is enough");
  library.command("library", "set", "--name", "Riverside University Library");
  const { id, previewed } = JSON.parse(library.command("tasks", "preview", "1", "--json"));
  expect(previewed, "the preview has users").toBeGreaterThan(0);
  await open(page, "/tasks");
  await take(page, "task-centre");
  await open(page, `/runs/${id}`);
  await take(page, "preview");
});
