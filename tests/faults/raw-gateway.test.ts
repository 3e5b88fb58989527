// Every script of this folder that is about the broker's side, arriving at a client that knows no library.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseScript } from "../../src/simulators/ib-gateway/faults.ts";
import { BRACKET_AT_MS, SCRIPTS, type Visit, visit } from "./raw-visit.ts";

const STATUS = 3;
const ERROR = 4;
const OPEN_ORDER = 5;
const NEXT_ID = 9;
const EXECUTION = 11;
const ACCOUNTS = 15;
const TIME = 49;
const COMMISSION = 59;
const POSITION = 61;
const TICK = 99;

const ENTRY = "101";
const TARGET = "102";
const STOP = "103";
const FAR_MS = 3_600_000;

const codes = (v: Visit): readonly number[] => v.frames(ERROR).map(([, , code]) => Number(code));
/** Returns an order's statuses without repeats. */
const statuses = (v: Visit, orderId: string): readonly string[] => {
  const told = v.frames(STATUS).flatMap(([id, status]) => (id === orderId && status !== undefined ? [status] : []));
  return told.filter((one, at) => one !== told[at - 1]);
};
/** Returns the executions that came unasked. */
const executions = (v: Visit) =>
  v
    .frames(EXECUTION)
    .filter(([reqId]) => reqId === "-1")
    .map((fields) => ({
      orderId: fields[1],
      execId: fields[13] ?? "",
      quantity: Number(fields[18]),
      price: Number(fields[19]),
    }));
const asked = (v: Visit): number => v.frames(EXECUTION).filter(([reqId]) => reqId !== "-1").length;
const timesOf = (v: Visit, id: number): readonly number[] =>
  v.seen.flatMap((one) => (one.what === "frame" && one.id === id ? [one.atMs] : []));
/** Returns how many messages of a number came from then until then. */
const within = (v: Visit, id: number, fromMs: number, toMs: number): number =>
  timesOf(v, id).filter((atMs) => atMs > fromMs && atMs <= toMs).length;
const quotes = (v: Visit): readonly string[] =>
  v.frames(TICK).flatMap(([, kind, , ...rest]) => (kind === "3" ? [rest.slice(0, 4).join(" ")] : []));
const trades = (v: Visit): readonly string[] =>
  v.frames(TICK).flatMap(([, kind, , ...rest]) => (kind === "1" ? [rest.slice(0, 2).join(" ")] : []));
const lengthOf = (v: Visit): readonly number[] =>
  v.seen.flatMap((one) => (one.what === "rest" ? [one.bytes.readInt32BE(0)] : []));

type Case = {
  readonly script: string;
  readonly forMs: number;
  readonly quantity?: number;
  readonly shows: string;
  readonly check: (v: Visit) => void;
};

const CASES: readonly Case[] = [
  {
    script: "F01-reset-while-idle",
    forMs: 40_000,
    shows: "a reset, and an open port",
    check: (v) => {
      expect(v.times("reset")).toEqual([30_000]);
      expect(v.times("connected")).toHaveLength(2);
      expect(statuses(v, ENTRY)).toContain("Filled");
    },
  },
  {
    script: "F02-reset-after-order",
    forMs: 40_000,
    shows: "a reset before the bracket's fate is told, and on asking that it works",
    check: (v) => {
      expect(v.times("reset")).toEqual([BRACKET_AT_MS]);
      // That the first two were taken may have been told, or be lost with the line: the bytes come in one piece or in three.
      expect([statuses(v, ENTRY).filter((status) => status !== "PreSubmitted"), executions(v)]).toEqual([[], []]);
      expect(asked(v)).toBe(1);
      expect(v.state.orders).toHaveLength(2);
      expect(v.state.positions[0]?.position).toBe(1);
    },
  },
  {
    script: "F03-cut-before-order",
    forMs: 40_000,
    shows: "a reset, and on asking that none of the orders is there",
    check: (v) => {
      expect(v.times("reset")).toEqual([BRACKET_AT_MS]);
      expect([v.frames(STATUS), asked(v), v.state.orders]).toEqual([[], 0, []]);
      expect(v.state.positions[0]?.position).toBe(0);
    },
  },
  {
    script: "F04-blackhole-both-ways",
    forMs: 100_000,
    shows: "a minute without a byte on a socket that stays open",
    check: (v) => {
      expect([...v.times("ended"), ...v.times("reset")]).toEqual([]);
      expect(v.pieces.filter(({ atMs }) => atMs > 30_000 && atMs < 90_000)).toEqual([]);
      expect(within(v, TICK, 90_000, 100_000)).toBeGreaterThan(10);
      // What was asked meanwhile never came.
      expect(v.frames(TIME).length).toBeLessThan(12);
    },
  },
  {
    script: "F05-blackhole-to-client",
    forMs: 90_000,
    shows: "no answer to the order, which is filled all the same",
    check: (v) => {
      expect(v.pieces.filter(({ atMs }) => atMs > BRACKET_AT_MS && atMs < BRACKET_AT_MS + 60_000)).toEqual([]);
      expect(v.times("connected")).toHaveLength(1);
      expect(v.state.positions[0]?.position).toBe(1);
    },
  },
  {
    script: "F06-blackhole-to-gateway",
    forMs: 100_000,
    shows: "ticks, but no answer to a question",
    check: (v) => {
      expect(within(v, TICK, 30_000, 90_000)).toBeGreaterThan(100);
      expect(within(v, TIME, 30_500, 89_500)).toBe(0);
      expect(within(v, TIME, 90_000, 100_000)).toBeGreaterThan(0);
    },
  },
  {
    script: "F07-no-handshake",
    forMs: 100_000,
    shows: "accepted connections without an answer, closed after the handshake's time",
    check: (v) => {
      expect(within(v, NEXT_ID, 30_000, 90_000)).toBe(0);
      expect(v.times("connected").filter((atMs) => atMs > 30_000 && atMs < 90_000).length).toBeGreaterThan(2);
      expect(within(v, NEXT_ID, 90_000, 100_000)).toBe(1);
    },
  },
  {
    script: "F08-two-seconds-late",
    forMs: 110_000,
    shows: "each answer four seconds after its question, in order, and nothing lost",
    check: (v) => {
      const late = timesOf(v, TIME).filter((atMs) => atMs > 32_000 && atMs < 90_000);
      expect(new Set(late.map((atMs) => atMs % 5_000))).toEqual(new Set([4_000]));
      expect(v.times("reset")).toEqual([]);
      expect(v.frames(TIME)).toHaveLength(Math.floor(110_000 / 5_000) + 1);
    },
  },
  {
    script: "F09-pieces-and-lumps",
    forMs: 60_000,
    shows: "single bytes, then lumps of two seconds, and the same messages",
    check: (v) => {
      const during = (fromMs: number, toMs: number) => v.pieces.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
      expect(Math.max(...during(0, 10_000).map(({ bytes }) => bytes))).toBe(1);
      expect(during(12_000, 40_000).length).toBeLessThanOrEqual(15);
      expect(statuses(v, ENTRY)).toEqual(["PreSubmitted", "Submitted", "Filled"]);
      expect(v.frames(TIME)).toHaveLength(13);
    },
  },
  {
    script: "F10-truncated-frame",
    forMs: 40_000,
    shows: "half a frame and the end of the line",
    check: (v) => {
      const [half] = v.seen.flatMap((one) => (one.what === "rest" ? [one.bytes] : []));
      expect(half?.readInt32BE(0)).toBeGreaterThan((half?.length ?? 0) - 4);
      expect(half?.toString("latin1", 4, 9)).toBe(`${STATUS}\0${ENTRY}`.slice(0, 5));
      expect(v.times("ended")).toEqual([BRACKET_AT_MS]);
    },
  },
  {
    script: "F11-bad-lengths",
    forMs: 100_000,
    shows: "frames of length -4, 0 and 2147483647",
    check: (v) => expect(lengthOf(v)).toEqual([-4, 0, 2_147_483_647]),
  },
  {
    script: "F12-link-lost-stop-fills",
    forMs: 80_000,
    shows: "1100, silence while an order fills, 1102, and on asking the fill",
    check: (v) => {
      expect(codes(v).filter((code) => code === 1_100 || code === 1_102)).toEqual([1_100, 1_102]);
      expect(within(v, TICK, BRACKET_AT_MS + 1_000, BRACKET_AT_MS + 40_000)).toBe(0);
      // The client is long: here the jump fills its target.
      expect(executions(v).map(({ orderId }) => orderId)).toEqual([ENTRY]);
      expect(v.state.positions[0]?.position).toBe(0);
    },
  },
  {
    script: "F13-link-lost-data-lost",
    forMs: 80_000,
    shows: "1100, then 1101 and no ticks until they are asked for again",
    check: (v) => {
      expect(codes(v).filter((code) => code === 1_100 || code === 1_101)).toEqual([1_100, 1_101]);
      expect(within(v, TICK, 30_500, 80_000)).toBe(0);
      expect(within(v, TIME, 50_000, 80_000)).toBe(6);
    },
  },
  {
    script: "F14-link-never-restored",
    forMs: 120_000,
    shows: "1100 and nothing after it but answers about the time",
    check: (v) => {
      expect(codes(v).filter((code) => code >= 1_100 && code <= 1_102)).toEqual([1_100]);
      expect(within(v, TICK, 30_500, 120_000)).toBe(0);
      expect(within(v, TIME, 30_500, 120_000)).toBeGreaterThan(10);
    },
  },
  {
    script: "F15-daily-restart",
    forMs: 270_000,
    shows: "the end, three minutes of refusals, the same orders and lower ids",
    check: (v) => {
      expect(v.times("ended")[0]).toBe(60_000);
      const refused = v.times("refused");
      expect([refused[0], (refused.at(-1) ?? 0) >= 238_000]).toEqual([61_000, true]);
      // 103 was the highest; four lower and one on.
      expect(v.frames(NEXT_ID).map(([, id]) => id)).toEqual(["1", "100"]);
      expect(v.frames(OPEN_ORDER).filter(([id]) => id === STOP).length).toBeGreaterThan(2);
    },
  },
  {
    script: "F16-client-id-in-use",
    forMs: 60_000,
    shows: "326 and the end, three times",
    check: (v) => {
      expect(codes(v).filter((code) => code === 326)).toHaveLength(3);
      expect(v.frames(NEXT_ID)).toHaveLength(2);
    },
  },
  {
    script: "F17-filled-without-execution",
    forMs: 30_000,
    shows: "the status Filled and no execution",
    check: (v) => {
      expect(statuses(v, ENTRY).at(-1)).toBe("Filled");
      expect([executions(v), v.frames(COMMISSION)]).toEqual([[], []]);
    },
  },
  {
    script: "F18-execution-first",
    forMs: 30_000,
    shows: "the execution before any other word of the order",
    check: (v) => {
      const about = v.seen.flatMap((one) =>
        one.what === "frame" && (one.id === EXECUTION ? one.fields[1] : one.fields[0]) === ENTRY ? [one.id] : [],
      );
      expect(about[0]).toBe(EXECUTION);
      expect(about).toContain(OPEN_ORDER);
    },
  },
  {
    script: "F19-execution-twice",
    forMs: 30_000,
    shows: "one execId twice",
    check: (v) => {
      const ids = executions(v).map(({ execId }) => execId);
      expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    },
  },
  {
    script: "F20-execution-corrected",
    forMs: 30_000,
    shows: "the same execution under the next number at another price",
    check: (v) => {
      const told = executions(v).map(({ execId, price }) => [execId.slice(-3), price]);
      expect(told).toEqual([
        [".01", expect.any(Number)],
        [".02", Number(told[0]?.[1]) + 0.5],
      ]);
    },
  },
  {
    script: "F21-fill-crosses-cancel",
    forMs: 40_000,
    quantity: 3,
    shows: "one contract at once and two later",
    check: (v) => {
      expect(executions(v).map(({ quantity }) => quantity)).toEqual([1, 2]);
      const times = timesOf(v, EXECUTION);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(5_000);
      expect(statuses(v, ENTRY)).toEqual(["PreSubmitted", "Submitted", "Filled"]);
    },
  },
  {
    script: "F22-entries-rejected",
    forMs: 30_000,
    shows: "201 with the broker's words, and no fill",
    check: (v) => {
      const refused = v.frames(ERROR).filter(([, id]) => id === ENTRY);
      expect(refused.map(([, , code, text]) => [code, text])).toEqual([
        ["201", "Order rejected - reason:insufficient margin"],
      ]);
      expect([statuses(v, ENTRY), executions(v)]).toEqual([["Inactive"], []]);
    },
  },
  {
    script: "F23-warned-order",
    forMs: 30_000,
    shows: "399 on three orders that work",
    check: (v) => {
      expect(codes(v).filter((code) => code === 399)).toHaveLength(3);
      expect(statuses(v, ENTRY).at(-1)).toBe("Filled");
    },
  },
  {
    script: "F24-stop-rejected",
    forMs: 30_000,
    shows: "a filled entry with a target and without its stop",
    check: (v) => {
      expect([statuses(v, ENTRY).at(-1), statuses(v, TARGET).at(-1), statuses(v, STOP)]).toEqual([
        "Filled",
        "Submitted",
        ["Inactive"],
      ]);
    },
  },
  {
    script: "F25-order-swallowed",
    forMs: 30_000,
    shows: "not a word about three orders",
    check: (v) => {
      expect([v.frames(STATUS), v.frames(OPEN_ORDER), executions(v), v.state.orders]).toEqual([[], [], [], []]);
      expect(codes(v)).toEqual([2_104, 2_106, 2_158]);
    },
  },
  {
    script: "F26-unknown-position",
    forMs: 10_000,
    shows: "a position without an execution",
    check: (v) => {
      expect(v.frames(POSITION).map((fields) => fields[13])).toEqual(["1"]);
      expect(asked(v)).toBe(0);
    },
  },
  {
    script: "F27-order-by-hand",
    forMs: 40_000,
    shows: "a position of two and an order of client 0",
    check: (v) => {
      expect(v.frames(POSITION).at(-1)?.[13]).toBe("2");
      expect(v.state.orders).toEqual(
        expect.arrayContaining([expect.objectContaining({ clientId: 0, orderRef: "", action: "BUY", quantity: 1 })]),
      );
    },
  },
  {
    script: "F28-wrong-account",
    forMs: 5_000,
    shows: "another account at the handshake",
    check: (v) => expect(v.frames(ACCOUNTS)).toEqual([["1", "U1234567"]]),
  },
  {
    script: "F29-no-ticks",
    forMs: 70_000,
    shows: "half a minute without ticks while everything else goes on",
    check: (v) => {
      const [filledMs = 0] = timesOf(v, EXECUTION);
      expect(within(v, TICK, filledMs + 500, filledMs + 29_500)).toBe(0);
      expect(within(v, TIME, filledMs, filledMs + 30_000)).toBe(6);
      expect(within(v, TICK, filledMs + 30_500, filledMs + 40_000)).toBeGreaterThan(10);
    },
  },
  {
    script: "F30-bad-tick",
    forMs: 40_000,
    shows: "one trade 200 points off",
    check: (v) => {
      const far = trades(v).filter((trade) => Math.abs(Number(trade.split(" ")[0]) - 5_000) > 100);
      expect(far).toHaveLength(1);
      expect(Math.abs(Number(far[0]?.split(" ")[0]) - 5_200)).toBeLessThan(1);
    },
  },
  {
    script: "F31-impossible-quotes",
    forMs: 40_000,
    shows: "each of them as it was written",
    check: (v) => {
      expect(quotes(v)).toEqual(expect.arrayContaining(["0 0 1 1", "-1 -1 0 0", "NaN NaN NaN -1"]));
      expect(quotes(v).filter((quote) => Number(quote.split(" ")[0]) > Number(quote.split(" ")[1]))).toHaveLength(1);
      expect(trades(v)).toEqual(expect.arrayContaining(["0 1", "-1 -1", "NaN NaN"]));
    },
  },
  {
    script: "F32-gap-through-limits",
    forMs: 40_000,
    shows: "no price between the two sides of a gap of 600 ticks",
    check: (v) => {
      const prices = trades(v).map((trade) => Number(trade.split(" ")[0]));
      expect(prices.every((price) => price < 5_001 || price > 5_149)).toBe(true);
      expect(prices.at(-1)).toBeGreaterThan(5_149);
    },
  },
  {
    script: "clock-skew",
    forMs: 40_000,
    shows: "the gateway's time an hour ahead",
    check: (v) => {
      const times = v.frames(TIME).map(([, time]) => Number(time) * 1_000);
      const leaps = times.map((time, at) => time - (times[at - 1] ?? time)).filter((leapMs) => leapMs > 6_000);
      expect(leaps).toEqual([FAR_MS + 5_000]);
    },
  },
  {
    script: "closed-by-hand-before-flatten",
    forMs: 40_000,
    shows: "an execution that no client asked for, and the position after it",
    check: (v) => {
      // The client is long one: what was bought by hand comes on top.
      expect(v.frames(POSITION).at(-1)?.[13]).toBe("2");
      expect(v.state.positions[0]?.position).toBe(2);
      expect(executions(v).map(({ orderId }) => orderId)).toEqual([ENTRY]);
    },
  },
  {
    script: "exit-corrected",
    forMs: 50_000,
    shows: "the latest execution again, four ticks higher",
    check: (v) => {
      const told = executions(v).map(({ execId, price }) => [execId.slice(-3), price]);
      expect(told.at(-1)).toEqual([".02", Number(told[0]?.[1]) + 1]);
    },
  },
  {
    script: "messages-lost-and-moved",
    forMs: 40_000,
    shows: "a lost openOrder, doubled statuses, a late commission, an execution that was overtaken",
    check: (v) => {
      expect(v.frames(OPEN_ORDER).filter(([id]) => id === TARGET).length).toBeLessThan(
        v.frames(OPEN_ORDER).filter(([id]) => id === STOP).length,
      );
      const told = v.frames(STATUS).map((fields) => fields.join(" "));
      expect(told.slice(0, 4)).toEqual([told[0], told[0], told[2], told[2]]);
      const filledAt = v.seen.findIndex(
        (one) => one.what === "frame" && one.id === STATUS && one.fields[1] === "Filled",
      );
      const executedAt = v.seen.findIndex((one) => one.what === "frame" && one.id === EXECUTION);
      expect(executedAt).toBeGreaterThan(0);
      const before = v.seen[executedAt - 1];
      expect(before?.what === "frame" && before.fields[0] === ENTRY && filledAt > executedAt).toBe(true);
      expect((timesOf(v, COMMISSION)[0] ?? 0) - (timesOf(v, EXECUTION)[0] ?? 0)).toBe(3_000);
    },
  },
  {
    script: "target-without-execution",
    forMs: 30_000,
    shows: "one order filled without its execution, and the next with it",
    check: (v) => {
      // The client's entry is the next to fill, and the fall fills its stop.
      expect([statuses(v, ENTRY).at(-1), statuses(v, STOP).at(-1)]).toEqual(["Filled", "Filled"]);
      expect(executions(v).map(({ orderId }) => orderId)).toEqual([STOP]);
    },
  },
];

describe("a raw client sees", () => {
  test.each(CASES)("$script: $shows", async ({ script, forMs, quantity, check }) => {
    const brought = await visit(`${script}.faults`, forMs, quantity);

    check(brought);
    expect(brought.state.faultsWaiting).toEqual([]);
  });
});

test("every script of the folder is read, begins with a sentence, and has its row above", () => {
  const files = readdirSync(SCRIPTS).filter((name) => name.endsWith(".faults"));

  for (const name of files) {
    const text = readFileSync(join(SCRIPTS, name), "utf8");
    expect([name, parseScript(text).ok, /^# \S.*\.$/m.test(text)]).toEqual([name, true, true]);
  }
  expect(files.map((name) => name.replace(".faults", ""))).toEqual(CASES.map(({ script }) => script));
});
