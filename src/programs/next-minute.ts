// When a minute of the local day comes next, on any clock. For the demo's summary; a real market's is node-cron's.
import { DateTime } from "luxon";

const DAY_MINUTES = 1_440;

/** Returns the first time after `afterMs` at which the local clock of `zone` shows `minuteOfDay`; a minute that a clock change leaves out moves on with it. */
export function nextLocalMinute(afterMs: number, minuteOfDay: number, zone: string): number {
  const day = DateTime.fromMillis(afterMs, { zone }).startOf("day");
  for (const days of [0, 1, 2]) {
    const hour = Math.floor((minuteOfDay % DAY_MINUTES) / 60);
    const atMs = day
      .plus({ days })
      .set({ hour, minute: minuteOfDay % 60 })
      .toMillis();
    if (atMs > afterMs) return atMs;
  }
  throw new RangeError(`no minute ${minuteOfDay} after ${afterMs} in ${zone}`);
}
