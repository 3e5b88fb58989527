// Is the bot alive, is it ready, and its figures: pure views of the desk for machines.
import type { DeskSnapshot } from "../trading/desk.ts";

/** A journal that takes longer for one sync is not healthy. */
const SYNC_MS_MAX = 1_000;

/** Returns why the process should be restarted; empty = alive. */
export function livenessProblems(snapshot: DeskSnapshot): readonly string[] {
  const { health } = snapshot;
  const problems: string[] = [];
  if (health.journalProblem === "the journal can't be written") problems.push("journal");
  if (health.journalSyncMs > SYNC_MS_MAX) problems.push("journal_slow");
  return problems;
}

/** Returns why no entry could be made whatever the market does; empty = ready. Names only: no amounts, no ids. */
export function readinessProblems(snapshot: DeskSnapshot): readonly string[] {
  const { status } = snapshot;
  const problems: string[] = [];
  if (status.link !== "up") problems.push(`link_${status.link}`);
  if (!status.reconciled) problems.push("not_reconciled");
  if (status.posture !== "trading") problems.push(status.posture);
  for (const gate of status.gates) {
    if (!gate.open && ["data_age", "warm_up", "journal", "disk"].includes(gate.name)) problems.push(gate.name);
  }
  return problems;
}

/** Returns the figures in the Prometheus text format (version 0.0.4); without authentication no ids and no amounts. */
export function metrics(snapshot: DeskSnapshot): string {
  const { status, health } = snapshot;
  const lines: string[] = [];
  const gauge = (name: string, help: string, value: number): void => {
    lines.push(`# HELP scalper_${name} ${help}`, `# TYPE scalper_${name} gauge`, `scalper_${name} ${value}`);
  };
  gauge("up", "1 while connected to the broker", status.link === "up" ? 1 : 0);
  gauge("reconciled", "1 once reconciled on this connection", status.reconciled ? 1 : 0);
  gauge("halted", "1 while halted", status.posture === "halted" ? 1 : 0);
  gauge("in_position", "1 while a position is held", status.position === null ? 0 : 1);
  gauge("working_orders", "orders that may exist at the broker", status.orders.length);
  gauge("quote_age_seconds", "age of the last quote, -1 without one", (status.quoteAgeMs ?? -1_000) / 1_000);
  gauge(
    "window_filled_ratio",
    "bars in the rolling window by those it needs",
    status.windowFilled / Math.max(1, status.windowSize),
  );
  gauge("journal_seq", "last record of the journal", health.journalSeq);
  gauge("journal_sync_seconds", "last sync of the journal", health.journalSyncMs / 1_000);
  gauge("journal_sync_seconds_max", "slowest sync of the journal", health.journalSyncMsMax / 1_000);
  gauge("loop_lag_seconds", "how late the event loop was", health.loopLagMs / 1_000);
  gauge("notices_waiting", "notices not told yet", health.noticesWaiting);
  gauge("memory_bytes", "resident memory", health.memoryMiB * 2 ** 20);
  return `${lines.join("\n")}\n`;
}
