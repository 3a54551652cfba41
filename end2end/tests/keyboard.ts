// A user without a mouse: moves by Tab from control to control, checks the focus indicator, and types.
import { UNUSED, hydrated, expect, scripted } from "./lethe";
import type { FileChooser, Locator, Page } from "@playwright/test";

// The largest acceptable number of moves from one control to the next.
const MAX_TABS = 120;

type Role = Parameters<Page["getByRole"]>[0];

export class Keyboard {
  // The number of moves between controls.
  tabs = 0;

  constructor(readonly page: Page) {
    // The browser opens its own dialog, which the test cannot answer, unless a listener came some time before the key.
    page.on("filechooser", () => undefined);
  }

  private named(role: Role, name: string | RegExp): Locator {
    return this.page.getByRole(role, { name, exact: typeof name === "string" });
  }

  // Moves to a control by its accessible name. The control must be visible and show its focus.
  async to(role: Role, name: string | RegExp): Promise<void> {
    await this.until(this.named(role, name), `${role} “${name}”`, "Tab");
  }

  private async until(control: Locator, what: string, key: string): Promise<void> {
    await expect(control.first(), what).toBeAttached();
    for (let tabs = 0; !(await hasFocus(control)); tabs += 1) {
      if (tabs === MAX_TABS) throw new Error(`${what} is not reached by ${key} on ${this.page.url()}`);
      await this.move(key);
      this.tabs += 1;
    }
    const seen = () =>
      this.page.evaluate(() => {
        const control = document.activeElement as HTMLElement;
        const style = getComputedStyle(control);
        const box = control.getBoundingClientRect();
        const at = document.elementFromPoint(box.x + Math.min(box.width / 2, 20), box.y + box.height / 2);
        return {
          ring: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2,
          size: box.width >= 12 && box.height >= 12,
          uncovered: at !== null && (control.contains(at) || at.contains(control)),
        };
      });
    // A busy browser draws the focus ring late.
    await expect
      .poll(seen, { message: `${what} shows that it is focused, on ${this.page.url()}` })
      .toEqual({ ring: true, size: true, uncovered: true });
  }

  // Presses a key and waits until the focus has moved, which may be late.
  private async move(key: string): Promise<void> {
    const before = await this.page.evaluateHandle(() => document.activeElement);
    await this.page.keyboard.press(key);
    const moved = () => this.page.evaluate((before) => document.activeElement !== before, before);
    await expect.poll(moved, { intervals: [10, 20, 50], timeout: 2_000 }).toBe(true).catch(() => undefined);
    await before.dispose();
  }

  // Follows a link.
  async follow(name: string | RegExp): Promise<void> {
    await this.to("link", name);
    await this.leave("Enter");
  }

  // Presses a button that loads a page.
  async press(name: string | RegExp): Promise<void> {
    await this.to("button", name);
    await this.leave("Enter");
  }

  // Presses a key that loads a page, and waits for the page.
  private async leave(key: string): Promise<void> {
    const loaded = this.page.waitForEvent("domcontentloaded");
    await this.page.keyboard.press(key);
    await loaded;
    await hydrated(this.page);
  }

  async type(role: Role, name: string | RegExp, text: string): Promise<void> {
    await this.to(role, name);
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  // Types into a password field, which has no role.
  async password(name: string, text: string): Promise<void> {
    await this.until(this.page.getByLabel(name, { exact: true }), `field “${name}”`, "Tab");
    await this.page.keyboard.type(text);
  }

  // Chooses a file, in the dialog that Enter opens. A file field has no role.
  async attach(name: string, file: Exclude<Parameters<FileChooser["setFiles"]>[0], string>): Promise<void> {
    await this.until(this.page.getByLabel(name, { exact: true }), `file “${name}”`, "Tab");
    await expect(async () => {
      const chooser = this.page.waitForEvent("filechooser", { timeout: 10_000 });
      await this.page.keyboard.press("Enter");
      await (await chooser).setFiles(file);
    }).toPass({ timeout: 60_000 });
  }

  async tick(name: string | RegExp): Promise<void> {
    await this.to("checkbox", name);
    await this.page.keyboard.press("Space");
    await expect(this.page.locator(":focus")).toBeChecked();
  }

  // Chooses a radio button: Tab to the group, arrows within it.
  async pick(group: string, name: string | RegExp): Promise<void> {
    const radios = this.page.getByRole("group", { name: group }).getByRole("radio");
    await this.until(radios, `a choice of “${group}”`, "Tab");
    await this.until(this.named("radio", name), `choice “${name}”`, "ArrowDown");
    await expect(this.named("radio", name)).toBeChecked();
  }

  // Chooses from a list by typing the beginning of an option.
  async select(name: string, option: string): Promise<void> {
    await this.to("combobox", name);
    await this.page.keyboard.type(option);
    const chosen = this.named("combobox", name).locator("option:checked");
    await expect(chosen).toHaveText(new RegExp(`^${option}`));
  }

  // Opens a tab of the task form. Without JavaScript all sections are visible.
  async openTab(name: string): Promise<void> {
    if (!scripted()) return;
    await this.until(this.page.getByRole("tab"), "the tabs", "Tab");
    await this.until(this.named("tab", new RegExp(`^${name}`)), `tab “${name}”`, "ArrowRight");
  }
}

// Whether one of these controls has the focus.
async function hasFocus(control: Locator): Promise<boolean> {
  return control.evaluateAll((all) => all.some((one) => one === document.activeElement));
}

// Collects the errors and warnings in the console of a page, and violations of its content security policy.
export async function collectProblems(page: Page): Promise<string[]> {
  const problems: string[] = [];
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`forbidden by the policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  page.on("console", (message) => {
    const isRemark = message.text().includes(UNUSED);
    if (["error", "warning"].includes(message.type()) && !isRemark) problems.push(`${page.url()} ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${page.url()} ${error.message}`));
  return problems;
}
