// Steps of the pages about imports.
import type { Page } from "@playwright/test";
import { expect, scripted } from "./lethe";

// Presses a button and waits for the text of the next state. Without WebAssembly a link shows the current state.
export async function act(page: Page, button: string, text: string) {
  await page.getByRole("button", { name: button }).click();
  await expect(async () => {
    const current = page.getByRole("link", { name: "Show current state" });
    if (!scripted() && (await current.isVisible())) await current.click();
    await expect(page.getByText(text)).toBeVisible({ timeout: 1_000 });
  }).toPass();
}
