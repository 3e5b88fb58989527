// The rules of buttons by themselves: how they fit the wire, when they are void, whose they are.
import { expect, test } from "vitest";
import { CALLBACK_BYTES_MAX, createPresses, DEEDS_MAX } from "../../src/bot/presses.ts";
import { deed, run } from "../../src/bot/views/view.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const CHAT = 5;
const ANNA = 11;
const BEN = 12;

function stage(aliveMs = 60_000) {
  const clock = createFakeClock();
  const presses = createPresses(clock);
  const { rows, nonces } = presses.keyboard(
    [[deed("Flatten now", { verb: "flatten" }, aliveMs)], [deed("Cancel", { verb: "dismiss" }, aliveMs)]],
    CHAT,
    ANNA,
  );
  presses.bind(nonces, 77);
  const [flatten = "", cancel = ""] = rows.flat().map((button) => button.callback_data);
  const take = (data: string, press: Partial<{ chatId: number; messageId: number; personId: number }> = {}) =>
    presses.take(data, { chatId: CHAT, messageId: 77, personId: ANNA, ...press });
  return { clock, presses, flatten, cancel, take };
}

test("a deed's button carries a nonce of 22 letters and digits and nothing else", () => {
  const { flatten } = stage();

  expect(flatten).toMatch(/^a1:[0-9A-Za-z]{22}$/);
  expect(Buffer.byteLength(flatten)).toBeLessThanOrEqual(CALLBACK_BYTES_MAX);
});

test("it works once, and its neighbours are void with it", () => {
  const { flatten, cancel, take } = stage();

  expect(take(flatten)).toEqual({ type: "deed", deed: { verb: "flatten" } });
  expect(take(flatten)).toEqual({ type: "expired" });
  expect(take(cancel)).toEqual({ type: "expired" });
});

test.each([
  [59_999, "deed"],
  [60_000, "expired"],
  [60_001, "expired"],
])("after %d ms it is %s", (waitMs, type) => {
  const { clock, flatten, take } = stage();

  clock.advance(waitMs);

  expect(take(flatten).type).toBe(type);
});

test("another person uses nothing up", () => {
  const { flatten, take } = stage();

  expect(take(flatten, { personId: BEN })).toEqual({ type: "wrong_person", ownerId: ANNA });
  expect(take(flatten).type).toBe("deed");
});

test.each([{ chatId: 6 }, { messageId: 78 }])("it is worth nothing on %o", (elsewhere) => {
  const { flatten, take } = stage();

  expect(take(flatten, elsewhere)).toEqual({ type: "expired" });
  expect(take(flatten).type).toBe("deed");
});

test.each(["", "a1:", "a1:0000000000000000000000", "x9:/halt", "k1:abc", "k1:-1", "a1:__proto__"])(
  "%j is no button of ours",
  (data) => {
    const { take } = stage();

    expect(["expired", "unknown"]).toContain(take(data).type);
  },
);

test("beyond the limit the oldest are void", () => {
  const { presses, flatten, take } = stage();

  for (let count = 0; count < DEEDS_MAX; count += 1) presses.keyboard([[deed("x", { verb: "arm" })]], CHAT, ANNA);
  presses.keyboard([], CHAT, ANNA);

  expect(take(flatten)).toEqual({ type: "expired" });
});

test("a harmless button says what it does and never expires", () => {
  const { presses, clock, take } = stage();
  const [button] = presses.keyboard([[run("Status", "/status")]], CHAT, ANNA).rows.flat();

  clock.advance(86_400_000);

  expect(take(button?.callback_data ?? "")).toEqual({ type: "run", command: "/status" });
});
