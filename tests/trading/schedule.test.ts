// The daily knock: once a day, on either clock, and none after the end.
import { DateTime } from "luxon";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Event } from "../../src/engine.ts";
import { silentLog } from "../../src/log.ts";
import { startSchedule, startScheduleOn } from "../../src/trading/schedule.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const DAY_MS = 86_400_000;

function door(): { session: { receive(event: Event): void }; received: Event[] } {
  const received: Event[] = [];
  return { session: { receive: (event) => received.push(event) }, received };
}

test("on a market clock the knock comes each day at its time, also over a jump of days", () => {
  const { session, received } = door();
  const clock = createFakeClock(0);
  const schedule = startScheduleOn({
    session,
    clock,
    nextAtMs: (afterMs) => (Math.floor(afterMs / DAY_MS) + 1) * DAY_MS,
  });

  clock.advance(DAY_MS - 1);
  const before = received.length;
  clock.advance(1);
  const first = received.length;
  clock.jumpTo(4 * DAY_MS);
  schedule.stop();
  clock.jumpTo(9 * DAY_MS);

  expect([before, first, received.length]).toEqual([0, 1, 4]);
  expect(received[0]).toEqual({ type: "summary_due" });
  expect(clock.waiting()).toBe(0);
});

test("on the machine's clock the knock comes at its minute in the exchange's zone, and not after the end", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const due = DateTime.fromISO("2026-11-25T16:05:00", { zone: "America/Chicago" });
  vi.setSystemTime(due.minus({ seconds: 30 }).toMillis());
  const { session, received } = door();
  const schedule = startSchedule({
    session,
    timeZone: "America/Chicago",
    summaryAtMinute: 16 * 60 + 5,
    log: silentLog,
  });

  await vi.advanceTimersByTimeAsync(29_000);
  const before = received.length;
  await vi.advanceTimersByTimeAsync(2_000);
  const first = received.length;
  schedule.stop();
  await vi.advanceTimersByTimeAsync(2 * DAY_MS);

  expect([before, first, received.length]).toEqual([0, 1, 1]);
});
