// Wall-clock dates of the exchange's day, by node-cron: it only knocks on the session's door. What a knock means is the
// engine's to decide, and a knock that was missed (program down, loop blocked) is made up for by the engine itself.
import cron from "node-cron";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Session } from "./session.ts";

/** Stops all knocks. */
export type Schedule = { stop(): void };

/** Knocks `summary_due` each day at `summaryAtMinute` (minutes after midnight) in `timeZone`. */
export function startSchedule(options: {
  readonly session: Pick<Session, "receive">;
  readonly timeZone: string;
  readonly summaryAtMinute: number;
  readonly log: Log;
}): Schedule {
  const { session, timeZone, summaryAtMinute, log } = options;
  const pattern = `${summaryAtMinute % 60} ${Math.floor(summaryAtMinute / 60)} * * *`;
  const task = cron.schedule(pattern, () => session.receive({ type: "summary_due" }), {
    timezone: timeZone,
    name: "daily summary",
  });
  task.on("execution:missed", () => {
    log.warn({ pattern, timeZone }, "the daily summary's time was missed; it is sent now");
    session.receive({ type: "summary_due" });
  });
  return { stop: () => void task.destroy() };
}

/**
 * The same knock on a clock of its own (the demo's market clock, a test's): node-cron knows the machine's time only.
 * `nextAtMs` returns the next time of the knock after a given one.
 */
export function startScheduleOn(options: {
  readonly session: Pick<Session, "receive">;
  readonly clock: Clock;
  readonly nextAtMs: (afterMs: number) => number;
}): Schedule {
  const { session, clock, nextAtMs } = options;
  let stop = (): void => {};
  const plan = (): void => {
    stop = clock.at(nextAtMs(clock.nowMs()), () => {
      session.receive({ type: "summary_due" });
      plan();
    });
  };
  plan();
  return { stop: () => stop() };
}
