import { expect, test } from "vitest";
import type { Event } from "../../src/engine.ts";
import { silentLog } from "../../src/log.ts";
import { createRefusals, REPEAT_REFUSAL_MS } from "../../src/programs/refusals.ts";
import { createFakeClock } from "../support/fake-clock.ts";

test("a refused account halts at each try and is told once, then hourly; another control is told by itself", () => {
  const wall = createFakeClock();
  const events: Event[] = [];
  const refuse = createRefusals({ session: { receive: (event) => events.push(event) }, wall, log: silentLog });
  const told = (): number => events.filter((event) => event.type === "told").length;

  refuse("live_refused", "U1***567 is not a paper account");
  wall.advance(60_000);
  refuse("live_refused", "U1***567 is not a paper account");
  expect([told(), events.filter((event) => event.type === "command").length]).toEqual([1, 2]);

  refuse("client_id_in_use", "client id 1 is in use");
  expect(told()).toBe(2);

  wall.advance(REPEAT_REFUSAL_MS - 60_001);
  refuse("live_refused", "U1***567 is not a paper account");
  expect(told()).toBe(2);
  wall.advance(1);
  refuse("live_refused", "U1***567 is not a paper account");
  expect(told()).toBe(3);
});
