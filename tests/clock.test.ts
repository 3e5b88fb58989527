// The only clock that runs by itself: speed, jumps and timers. Waits are for timers, never for a fixed time.
import { expect, onTestFinished, test, vi } from "vitest";
import { createMarketClock, type MarketClock, wallClock } from "../src/clock.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_795_618_800_000;

const reaches = (clock: MarketClock, atMs: number): Promise<number> =>
  new Promise((resolve) => clock.at(atMs, () => resolve(clock.nowMs())));

test("a standing clock shows its start and fires nothing", () => {
  const clock = createMarketClock(START_MS, 0);
  let fired = 0;

  clock.after(0, () => fired++);

  expect(clock.nowMs()).toBe(START_MS);
  expect(fired).toBe(0);
});

test("a fast clock reaches a far moment soon, and not before it", async () => {
  const clock = createMarketClock(START_MS, 100_000);

  const seenMs = await reaches(clock, START_MS + 10_000_000);

  expect(seenMs).toBeGreaterThanOrEqual(START_MS + 10_000_000);
});

test("market time runs at the multiple of the machine's", async () => {
  const speed = 1_000;
  const clock = createMarketClock(START_MS, speed);
  const wallStartMs = performance.now();

  const seenMs = await reaches(clock, START_MS + 50_000);
  const wallMs = performance.now() - wallStartMs;

  // The clock was made before the first reading of the machine's time and read before the second.
  expect(seenMs - START_MS).toBeLessThanOrEqual((wallMs + 1) * speed + 1);
  expect(wallMs).toBeGreaterThanOrEqual(49);
});

test("a jump fires what falls due in order of time, and nothing later", () => {
  const clock = createMarketClock(START_MS, 0);
  const fired: string[] = [];
  clock.after(3_000, () => fired.push("third"));
  clock.after(1_000, () => fired.push("first"));
  clock.after(2_000, () => fired.push("second"));
  clock.after(9_000, () => fired.push("later"));

  clock.jumpTo(START_MS + 5_000);

  expect(fired).toEqual(["first", "second", "third"]);
  expect(clock.nowMs()).toBe(START_MS + 5_000);
});

test("a timer that is set for the past during a jump fires in the same jump", () => {
  const clock = createMarketClock(START_MS, 0);
  const fired: string[] = [];
  clock.after(1_000, () => {
    fired.push("first");
    clock.at(START_MS + 1_500, () => fired.push("second"));
  });

  clock.jumpTo(START_MS + 2_000);

  expect(fired).toEqual(["first", "second"]);
});

test.each([START_MS, START_MS - 1, START_MS - DAY_MS])("a jump to %d does not go back", (atMs) => {
  const clock = createMarketClock(START_MS, 0);

  clock.jumpTo(atMs);

  expect(clock.nowMs()).toBe(START_MS);
});

test("a cancelled timer stays silent over a jump", () => {
  const clock = createMarketClock(START_MS, 0);
  let fired = 0;
  const cancel = clock.after(1_000, () => fired++);

  cancel();
  cancel();
  clock.jumpTo(START_MS + DAY_MS);

  expect(fired).toBe(0);
});

test("a change of speed goes on from the moment reached", async () => {
  const clock = createMarketClock(START_MS, 0);
  clock.jumpTo(START_MS + 7_000);

  clock.setSpeed(100_000);
  expect(clock.speed()).toBe(100_000);
  const seenMs = await reaches(clock, START_MS + 100_000);
  clock.setSpeed(0);
  const stoodAtMs = clock.nowMs();

  expect(seenMs).toBeGreaterThanOrEqual(START_MS + 100_000);
  expect(clock.nowMs()).toBe(stoodAtMs);
});

test("a clock on a leash stands at its end, and goes on from there once it is longer", async () => {
  const clock = createMarketClock(START_MS, 0);
  const fired: number[] = [];
  clock.leash(START_MS + 1_000);
  clock.setSpeed(100_000);
  clock.at(START_MS + 2_000, () => fired.push(clock.nowMs()));
  await new Promise<void>((resolve) => wallClock.after(5, resolve));
  const heldAtMs = clock.nowMs();
  const firedWhileHeld = fired.length;

  clock.leash(START_MS + 3_000);
  await reaches(clock, START_MS + 3_000);

  expect(heldAtMs).toBe(START_MS + 1_000);
  expect(firedWhileHeld).toBe(0);
  expect(fired).toHaveLength(1);
  expect(clock.nowMs()).toBe(START_MS + 3_000);
});

test("a jump pulls the leash along", () => {
  const clock = createMarketClock(START_MS, 0);
  clock.leash(START_MS + 1_000);

  clock.jumpTo(START_MS + 5_000);

  expect(clock.nowMs()).toBe(START_MS + 5_000);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("speed %d is refused", (speed) => {
  const clock = createMarketClock(START_MS, 1);

  expect(() => clock.setSpeed(speed)).toThrow(RangeError);
  expect(clock.speed()).toBe(1);
});

test("the machine's clock fires a timer not before its time, and never a cancelled one", async () => {
  let fired = 0;
  const cancel = wallClock.after(1, () => fired++);
  cancel();
  const dueMs = wallClock.nowMs() + 5;

  const seenMs = await new Promise<number>((resolve) => wallClock.at(dueMs, () => resolve(wallClock.nowMs())));

  expect(seenMs).toBeGreaterThanOrEqual(dueMs);
  expect(fired).toBe(0);
});

test("the machine's clock does not fire a wait beyond 2^31 ms at once", async () => {
  let fired = 0;
  const cancel = wallClock.after(2 ** 31 + 1_000, () => fired++);

  await new Promise<void>((resolve) => wallClock.after(5, resolve));
  cancel();

  expect(fired).toBe(0);
});

test("a wait of the machine's clock is not longer because the time was set back meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  vi.setSystemTime(START_MS);
  const waited = new Promise<void>((resolve) => wallClock.after(5, resolve));

  vi.setSystemTime(START_MS - DAY_MS);

  await waited;
});
