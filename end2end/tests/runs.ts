// Runs of another process, inserted directly into the database.
import type { Library } from "./lethe";

// Inserts a run of 40 users that another process executes. Returns its id.
export function insertRunningRun(sql: Library["sql"]): string {
  const id = sql(
    "INSERT INTO runs (task_id, kind, state, today, settings, rules_version, channel, created_at, users, previewed," +
      " holder, phase, started_at, progress_at, heartbeat_at)" +
      " SELECT id, 'manual', 'running', '2026-11-24', settings, 1, 'web', '2026-11-24 12:00:00+00:00', 300, 40," +
      " 'another process', 'anonymising', strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-10 seconds')," +
      " strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')" +
      " FROM tasks WHERE id = 1 RETURNING id",
  );
  return id;
}

// Changes a run, with a new heartbeat.
export function step(sql: Library["sql"], run: string, change: string): void {
  sql(
    `UPDATE runs SET ${change}, heartbeat_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'),` +
      ` progress_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = ${run}`,
  );
}

// Lets a run succeed.
export function end(sql: Library["sql"], run: string): void {
  step(sql, run, "state = 'succeeded', done = 40, phase = NULL, finished_at = '2026-11-24 12:00:00+00:00'");
}
