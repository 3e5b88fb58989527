// The judge itself: a sound trade passes, and each way to break an invariant is found.
import { expect, test } from "vitest";
import type { Evidence, Line } from "./bot-run.ts";
import { breaks } from "./judge.ts";

const E = "QS1-abcd-260105-1-E";
const S = "QS1-abcd-260105-1-S";
const X = "QS1-abcd-260105-2-X";
const at = (atMs: number, line: Line): Line => ({ atMs, ...line });
const order = (orderRef: string, orderId: number, action: string, more: Line = {}): Line => ({
  type: "order",
  orderRef,
  orderId,
  action,
  quantity: 1,
  parentId: 0,
  whatIf: false,
  ...more,
});
const fill = (orderRef: string, orderId: number, action: string, price: number): Line => ({
  type: "fill",
  orderRef,
  orderId,
  action,
  quantity: 1,
  price,
  execId: `0000.${orderId}.01.01`,
});
const told = (orderId: number, side: string): Line => ({
  type: "fill",
  fill: { execId: `0000.${orderId}.01.01`, side, quantity: 1, priceTicks: 20_000 },
});
const place = (...refs: string[]): Line => ({
  type: "intent",
  orderRef: refs[0],
  action: { do: "place", orders: refs.map((orderRef) => ({ orderRef })) },
});

/** Sold at 5000, bought back at 4999 by a flatten, told to the chat. */
const SOUND: Evidence = {
  startMs: 0,
  ledger: [
    at(10, order(E, 1, "SELL")),
    at(10, order(S, 2, "BUY", { parentId: 1 })),
    at(20, fill(E, 1, "SELL", 5_000)),
    at(20, { type: "position", position: -1 }),
    at(30, { type: "cancel", orderRef: S }),
    at(40, order(X, 3, "BUY")),
    at(50, fill(X, 3, "BUY", 4_999)),
    at(50, { type: "position", position: 0 }),
  ],
  journal: [
    { seq: 1, atMs: 0, type: "link_changed", link: "up" },
    { seq: 2, atMs: 1, type: "reconciled", fills: [] },
    { seq: 3, atMs: 1, type: "posture_changed", to: "trading" },
    { seq: 4, atMs: 9, ...place(E, S) },
    { seq: 5, atMs: 21, ...told(1, "sell") },
    { seq: 6, atMs: 29, type: "posture_changed", to: "flattening" },
    { seq: 7, atMs: 29, type: "intent", orderRef: S, action: { do: "cancel" } },
    { seq: 8, atMs: 39, ...place(X) },
    { seq: 9, atMs: 51, ...told(3, "buy") },
    { seq: 10, atMs: 51, type: "round_trip", trade: { quantity: 1, grossCents: 500, reason: "flatten" } },
    { seq: 11, atMs: 52, type: "notice_queued", class: "critical", dedupeKey: null, notice: { event: "halted" } },
    { seq: 12, atMs: 60, type: "notice_sent", noticeId: 11, messageId: 7 },
  ],
  calls: [
    { method: "sendMessage", parameters: { text: "HALTED #11" }, answer: { ok: true, result: { message_id: 7 } } },
  ],
  messages: [],
  status: "PAPER · PAUSED\nFLAT · last 4,999.00",
  gateway: { positions: [{ position: 0 }], orders: [] },
  posture: "paused",
  fault: null,
  dataDir: null,
};
const TERMS = { positionMax: 1, isChatUp: true };
const without = (seq: number): readonly Line[] => SOUND.journal.filter((line) => line["seq"] !== seq);
const changed = (seq: number, change: Line): readonly Line[] =>
  SOUND.journal.map((line) => (line["seq"] === seq ? { ...line, ...change } : line));

test("a sound trade breaks nothing", () => {
  expect(breaks(SOUND, TERMS)).toEqual([]);
});

test.each<[string, Partial<Evidence>]>([
  ["I1", { gateway: { positions: [{ position: 1 }], orders: [] } }],
  ["I1", { status: "PAPER\nSHORT 1 @ 5,000.00" }],
  [
    "protection",
    {
      gateway: {
        positions: [{ position: 0 }],
        orders: [{ orderRef: S, kind: "stop", isTransmitted: true, action: "BUY", quantity: 1 }],
      },
    },
  ],
  ["protection", { ledger: SOUND.ledger.slice(0, 4), gateway: { positions: [{ position: -1 }], orders: [] } }],
  [
    "protection",
    {
      ledger: [...SOUND.ledger.slice(0, 4), at(10_000, { type: "position", position: 0 })],
      journal: SOUND.journal.filter((line) => ![6, 7, 8].includes(line["seq"])),
    },
  ],
  ["I2", { ledger: [at(5, order("QS1-abcd-260105-0-E", 9, "SELL")), ...SOUND.ledger] }],
  ["I3", { journal: without(8) }],
  ["I3", { journal: changed(8, { atMs: 45 }) }],
  ["I3", { ledger: [...SOUND.ledger.slice(0, 6), at(41, order(X, 4, "BUY")), ...SOUND.ledger.slice(6)] }],
  ["I4", { journal: changed(3, { to: "halted" }) }],
  ["I4", { journal: without(2) }],
  ["I4", { ledger: [...SOUND.ledger, at(70, order(X, 4, "BUY"))] }],
  ["I5", { journal: without(9) }],
  ["I5", { journal: changed(10, { trade: { quantity: 1, grossCents: 1_000, reason: "flatten" } }) }],
  ["I5", { journal: [...SOUND.journal, { ...SOUND.journal[9], seq: 13 }] }],
  ["I6", { journal: without(12) }],
  ["I6", { journal: changed(12, { atMs: 5_053 }) }],
  ["I6", { calls: [] }],
  ["I6", { calls: [...SOUND.calls, ...SOUND.calls] }],
  ["I8", { ledger: [...SOUND.ledger.slice(0, 6), at(25_000, { type: "position", position: 0 })] }],
  ["I8", { ledger: [...SOUND.ledger, at(60, { type: "position", position: 1 })] }],
  ["the loop", { fault: new Error("broken") }],
])("%s: %j is found", (invariant, change) => {
  const found = breaks({ ...SOUND, ...change }, TERMS);

  expect(found.filter((what) => what.startsWith(invariant))).not.toEqual([]);
});
