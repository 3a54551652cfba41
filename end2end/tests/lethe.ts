// Fixtures of all browser tests: a library on a separate server, and a console that must stay empty.
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type BrowserContext, type Page } from "@playwright/test";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const program = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/lethe");
const TODAY = "2026-11-24";

export interface Library {
  address: string;
  // The folder of the library, with its database and the folder of imports.
  folder: string;
  command: (...words: string[]) => string;
  // Changes the database directly, as another process would.
  sql: (statement: string) => string;
  // Signs in a member of staff of the demo library. Returns the cookie.
  signIn: (userId: string) => Promise<Cookie>;
  // The UserID of a member of staff with every role.
  everything: string;
}

interface Cookie {
  name: string;
  value: string;
  url: string;
}

// The age at which a sign-in is renewed. Irreversible actions require one of the last five minutes.
const MAX_SIGN_IN_AGE = 2 * 60_000;

interface Database {
  // The URL to which the server connects.
  url: string;
  // Executes a statement directly.
  sql: (statement: string) => string;
}

// Creates an SQLite file or, with BROWSER_DATABASE=pgbouncer, a PostgreSQL database that the server reaches through
// pgbouncer in session mode (.ci/with-postgres and .ci/with-pgbouncer start both).
async function createDatabase(folder: string): Promise<Database> {
  if (process.env.BROWSER_DATABASE !== "pgbouncer") {
    const file = join(folder, "lethe.db");
    const sql = (statement: string) =>
      execFileSync("/usr/bin/sqlite3", ["-cmd", ".timeout 60000", file, statement], { encoding: "utf8" }).trim();
    return { url: `sqlite://${file}?mode=rwc`, sql };
  }
  const { TEST_POSTGRES_URL: server, TEST_PGBOUNCER_SESSION_URL: pooler } = process.env;
  if (!server || !pooler) throw new Error("BROWSER_DATABASE=pgbouncer runs within .ci/with-postgres .ci/with-pgbouncer");
  const name = `browser_${process.pid}_${Date.now()}`;
  const psql = (url: string, statement: string) =>
    execFileSync("psql", ["-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement, url], { encoding: "utf8" }).trim();
  psql(server, `CREATE DATABASE ${name}`);
  const direct = server.replace(/\/[^/]*$/, `/${name}`);
  return { url: `${pooler}/${name}`, sql: (statement) => psql(direct, statement) };
}

interface Options {
  // Statuses that a test expects; the browser logs them in its console.
  expectedStatus: number[];
}

export const test = base.extend<Options, { library: Library; session: () => Promise<Cookie>; fourEyes: string }>({
  expectedStatus: [[], { option: true }],
  fourEyes: ["off", { option: true, scope: "worker" }],
  // Additional configuration of the server.
  settings: [{}, { option: true, scope: "worker" }],

  library: [
    async ({ fourEyes, settings }, use) => {
      const folder = mkdtempSync(join(tmpdir(), "lethe-end2end-"));
      const database = await createDatabase(folder);
      const env = {
        PATH: process.env.PATH,
        LETHE_DATABASE_URL: database.url,
        LETHE_ADDR: "127.0.0.1:0",
        LETHE_ASSETS_DIR: process.env.LETHE_ASSETS_DIR ?? join(root, "target/site"),
        LETHE_IMPORT_DIR: join(folder, "import"),
        LETHE_DEMO: "1",
        LETHE_TODAY: TODAY,
        LETHE_ALLOW_PASSWORD_ONLY: "1",
        LETHE_FOUR_EYES: fourEyes,
        ...settings,
      };
      const command = (...words: string[]) =>
        execFileSync(program, words, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
      const { accounts, password } = JSON.parse(command("demo", "--users", "300", "--seed", "7", "--json"));
      const of = (role: string) => accounts.find((one: { roles: string[] }) => one.roles.includes(role)).user_id;
      const everything = of("administrator");
      for (const role of ["dpo", "librarian"]) command("staff", "add", everything, "--role", role);
      const log = join(folder, "log");
      const server = spawn(program, ["serve"], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
      const logged = createWriteStream(log);
      server.stderr.pipe(logged, { end: false });
      const written = new Promise((ended) => server.stderr.once("end", ended));
      const address = await new Promise<string>((found, failed) => {
        let head = "";
        server.stderr.on("data", (bytes: Buffer) => {
          head += head.length < 100_000 ? bytes.toString() : "";
          // A line may arrive in pieces.
          const match = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(head);
          if (match) found(match[0]);
        });
        server.on("exit", () => failed(new Error(`the server did not start: ${head}`)));
      });
      const { sql } = database;
      const signIn = async (userId: string) => {
        const post = () =>
          fetch(`${address}/do/sign_in?page=/sign-in`, {
            method: "POST",
            redirect: "manual",
            body: new URLSearchParams({ "form[user_id]": userId, "form[password]": password }),
          });
        let answer = await post();
        // Sign-ins are rate limited.
        for (const until = Date.now() + 120_000; answer.status === 429 && Date.now() < until; answer = await post())
          await new Promise((over) => setTimeout(over, 5_000));
        const [name, value] = (answer.headers.get("set-cookie") ?? "").split(";")[0].split("=");
        expect(name, `${userId} signs in`).toBe("lethe");
        return { name, value, url: address };
      };
      const people = () =>
        sql("SELECT first_name, last_name, email, user_id, barcode, phone, street FROM users WHERE anonymised_on IS NULL")
          .split(/[|\n]/)
          .filter((value) => value.length > 2);
      const values = new Set(people());
      await use({ address, folder, command, sql, signIn, everything });
      server.kill();
      await written;
      await new Promise((closed) => logged.end(closed));
      const logText = readFileSync(log, "utf8");
      for (const value of people()) values.add(value);
      // Whole words: a short name is part of many words.
      const words = new Set(logText.split(/[^\p{L}\p{N}@.'+-]+/u));
      const leaked = [...values].filter((value) => (value.includes(" ") ? logText.includes(value) : words.has(value)));
      expect(leaked, "the log names no user").toEqual([]);
      expect(logText, "the log has routes and no addresses").not.toMatch(/\/users\/\d/);
      expect(logText).toContain("answered");
      expect(logText, "the log contains no personal value").not.toMatch(/@example\.|Anonymised user|panicked/);
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: "worker", timeout: 240_000 },
  ],

  // Renews the sign-in of a worker.
  session: [
    async ({ library }, use) => {
      let [cookie, since] = [await library.signIn(library.everything), Date.now()];
      await use(async () => {
        if (Date.now() - since > MAX_SIGN_IN_AGE) [cookie, since] = [await library.signIn(library.everything), Date.now()];
        return cookie;
      });
    },
    { scope: "worker" },
  ],

  storageState: async ({ session }, use) => {
    const { name, value } = await session();
    const cookie = { name, value, domain: "127.0.0.1", path: "/", expires: -1, httpOnly: true, secure: false };
    await use({ cookies: [{ ...cookie, sameSite: "Lax" as const }], origins: [] });
  },

  baseURL: async ({ library }, use) => use(library.address),

  page: async ({ page, expectedStatus }, use) => {
    const messages: string[] = [];
    page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => messages.push(`error: ${error.message}`));
    await use(page);
    const expected = expectedStatus.map((status) => `status of ${status}`);
    // The browser logs what it deletes at the sign-out.
    expected.push("info: Clear-Site-Data header");
    expected.push(UNUSED);
    // A test may type before the page sets the focus into its first field.
    expected.push("Autofocus processing was blocked");
    expect(messages.filter((line) => !expected.some((one) => line.includes(one)))).toEqual([]);
  },
});

export { expect };

// The browser warns about preloaded scripts that it does not use: always without JavaScript, and on a busy computer that
// uses them seconds later.
export const UNUSED = "preloaded using link preload";

// Opens a page and, with JavaScript, waits until its islands are hydrated.
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await hydrated(page);
}

export async function hydrated(page: Page): Promise<void> {
  if (scripted()) await page.waitForSelector("html[data-hydrated]");
}

// Waits until the run on the page has ended. Without JavaScript a link shows how far it is.
export async function ended(page: Page, state = "Succeeded"): Promise<void> {
  const result = page.locator("dl.facts").last();
  if (scripted()) return expect(result).toContainText(state, { timeout: 120_000 });
  await expect(async () => {
    const link = page.getByRole("link", { name: "Show current progress" });
    if ((await link.count()) > 0) await link.click();
    await expect(result).toContainText(state, { timeout: 1_000 });
  }).toPass({ timeout: 120_000 });
}

// Marks the page. Reloading removes the mark.
export async function mark(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(window, { stillHere: true }));
}

// Whether the page is still the marked one.
export async function isMarked(page: Page): Promise<boolean> {
  return page.evaluate(() => "stillHere" in window);
}

// Makes the sign-in too old for irreversible actions. It signs in first, so that no other test loses its session.
export async function ageSignIn(context: BrowserContext, library: Library, userId: string): Promise<void> {
  await context.clearCookies();
  await context.addCookies([await library.signIn(userId)]);
  library.sql(
    "UPDATE sessions SET signed_in_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-6 minutes')" +
      " WHERE id_hash = (SELECT id_hash FROM sessions ORDER BY created_at DESC LIMIT 1)",
  );
}

// Whether the project of the test has JavaScript.
export function scripted(): boolean {
  return test.info().project.name === "wasm";
}

// Opens a tab of the task form. Without JavaScript all sections are visible.
export async function openTab(page: Page, name: string): Promise<void> {
  if (scripted()) await page.getByRole("tab", { name }).click();
}

// Expects that axe finds no violation on the page.
export async function expectAccessible(page: Page): Promise<void> {
  // During an animation, colours have the contrast of neither state.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => undefined));
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  expect(found, page.url()).toEqual([]);
}
