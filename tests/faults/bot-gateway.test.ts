// The bot under each script of the broker's side, judged by the invariants from what it leaves behind.
import { expect, test } from "vitest";
import { type Deed, type Evidence, type Line, type RunOptions, runBot } from "./bot-run.ts";
import { breaks } from "./judge.ts";

type Case = Omit<RunOptions, "script"> & {
  readonly script: string;
  readonly does: string;
  readonly positionMax?: number;
  readonly ends: { readonly posture: string; readonly position: number; readonly entries: number };
  /** Controls, notices and other records that the journal must have, by name. */
  readonly records?: readonly string[];
  /** The same, which it must not have. */
  readonly without?: readonly string[];
  /** How often some of them must be there. */
  readonly counts?: Readonly<Record<string, number>>;
};

const FLATTEN = (atMs: number): readonly Deed[] => [
  { atMs, path: "message", body: { text: "/flatten" } },
  { atMs: atMs + 2_000, path: "press", body: { label: "Flatten now" } },
];

/** Sold one at the signal and holds it to the end. */
const HELD = { posture: "trading", position: -1, entries: 1 } as const;
const FLAT = { posture: "trading", position: 0, entries: 0 } as const;

const CASES: readonly Case[] = [
  {
    script: "F01-reset-while-idle",
    forMs: 70_000,
    does: "comes back to its position with at most two alerts",
    ends: HELD,
    counts: { gateway_down: 1, gateway_up: 1 },
    without: ["order_in_doubt", "halted"],
  },
  {
    script: "F01-reset-while-idle",
    forMs: 50_000,
    hasSignal: false,
    does: "comes back flat",
    ends: FLAT,
    records: ["gateway_down", "gateway_up"],
  },
  {
    script: "F02-reset-after-order",
    forMs: 60_000,
    does: "finds the order by asking and never sends it again",
    ends: HELD,
    records: ["in_doubt", "entry_filled"],
  },
  {
    script: "F03-cut-before-order",
    forMs: 60_000,
    does: "proves the order absent and decides afresh",
    ends: HELD,
    records: ["in_doubt"],
  },
  {
    script: "F04-blackhole-both-ways",
    forMs: 170_000,
    does: "sees the loss within ten seconds and comes back",
    ends: HELD,
    records: ["gateway_down", "gateway_up"],
  },
  {
    script: "F05-blackhole-to-client",
    forMs: 60_000,
    does: "takes the unanswered order for in doubt, and finds it",
    ends: HELD,
    records: ["in_doubt", "gateway_down"],
  },
  {
    script: "F06-blackhole-to-gateway",
    forMs: 70_000,
    does: "does not take ticks for the gateway's life",
    ends: HELD,
    records: ["gateway_down", "gateway_up"],
  },
  {
    script: "F07-no-handshake",
    forMs: 140_000,
    does: "gives up each handshake and comes back",
    ends: HELD,
    records: ["gateway_down", "gateway_up"],
  },
  {
    script: "F08-two-seconds-late",
    forMs: 110_000,
    does: "takes a late line for no lost one",
    ends: HELD,
    without: ["gateway_down", "halted"],
  },
  {
    script: "F09-pieces-and-lumps",
    forMs: 60_000,
    does: "notices nothing",
    ends: HELD,
    without: ["gateway_down", "anomaly"],
  },
  {
    script: "F10-truncated-frame",
    forMs: 60_000,
    does: "takes back the entry that lost its legs",
    ends: { posture: "trading", position: -1, entries: 2 },
    records: ["in_doubt", "bare_entry"],
  },
  {
    script: "F11-bad-lengths",
    forMs: 160_000,
    does: "drops the line at each, and lives",
    ends: HELD,
    records: ["gateway_down", "gateway_up"],
  },
  {
    script: "F12-link-lost-stop-fills",
    forMs: 90_000,
    does: "finds the stop's fill afterwards",
    ends: { posture: "trading", position: 0, entries: 1 },
    records: ["round_trip", "gateway_up"],
  },
  {
    script: "F12-link-lost-stop-fills",
    forMs: 90_000,
    does: "keeps a flatten for when the link is back, and never reverses",
    deeds: FLATTEN(20_000),
    ends: { posture: "paused", position: 0, entries: 1 },
    records: ["flat_confirmed"],
  },
  {
    script: "F13-link-lost-data-lost",
    forMs: 80_000,
    does: "asks for its subscriptions again",
    ends: HELD,
    records: ["gateway_down", "gateway_up"],
  },
  {
    script: "F14-link-never-restored",
    forMs: 100_000,
    does: "stays out and says so",
    ends: { posture: "trading", position: -1, entries: 1 },
    records: ["gateway_down"],
    without: ["gateway_up"],
  },
  {
    script: "F15-daily-restart",
    forMs: 330_000,
    does: "comes back to the same orders in spite of lower ids, and trades on with ids of its own",
    set: ["risk.maxHold=5m"],
    ends: { posture: "trading", position: 0, entries: 1 },
    records: ["gateway_down", "gateway_up", "round_trip"],
  },
  {
    script: "F16-client-id-in-use",
    forMs: 130_000,
    does: "tries three times, then halts and asks",
    ends: { posture: "halted", position: -1, entries: 1 },
    records: ["latch", "halted"],
  },
  {
    script: "F17-filled-without-execution",
    forMs: 40_000,
    does: "asks for the execution and counts it",
    ends: HELD,
    records: ["entry_filled"],
  },
  { script: "F18-execution-first", forMs: 40_000, does: "counts it", ends: HELD, records: ["entry_filled"] },
  { script: "F19-execution-twice", forMs: 40_000, does: "counts it once", ends: HELD, records: ["entry_filled"] },
  {
    script: "F19-execution-twice",
    forMs: 60_000,
    does: "counts both ways of a trade once",
    deeds: FLATTEN(25_000),
    ends: { posture: "paused", position: 0, entries: 1 },
    records: ["round_trip", "flat_confirmed"],
  },
  {
    script: "F20-execution-corrected",
    forMs: 60_000,
    does: "puts the new price in the old one's place",
    deeds: FLATTEN(25_000),
    ends: { posture: "paused", position: 0, entries: 1 },
    records: ["fill_corrected", "round_trip"],
  },
  {
    script: "F21-fill-crosses-cancel",
    forMs: 70_000,
    does: "lets the legs follow the position",
    set: ["strategy.quantity=3", "risk.maxPosition=3", "risk.maxNotionalUsd=100000"],
    positionMax: 3,
    ends: { posture: "trading", position: -3, entries: 1 },
    records: ["entry_filled"],
  },
  {
    script: "F21-fill-crosses-cancel",
    forMs: 70_000,
    does: "is flat although the rest of the entry fills in the middle of a flatten",
    set: ["strategy.quantity=3", "risk.maxPosition=3", "risk.maxNotionalUsd=100000"],
    positionMax: 3,
    deeds: FLATTEN(15_750),
    ends: { posture: "paused", position: 0, entries: 1 },
    records: ["flat_confirmed"],
  },
  {
    script: "F22-entries-rejected",
    forMs: 60_000,
    does: "halts at the third refused entry and leaves nothing behind",
    ends: { posture: "halted", position: 0, entries: 3 },
    records: ["runaway", "halted", "order_rejected"],
  },
  {
    script: "F23-warned-order",
    forMs: 40_000,
    does: "takes a warning for no refusal",
    ends: HELD,
    records: ["order_warned", "entry_filled"],
    without: ["order_rejected"],
  },
  {
    script: "F24-stop-rejected",
    forMs: 40_000,
    does: "places the stop anew within two seconds",
    ends: HELD,
    records: ["unprotected"],
  },
  {
    script: "F25-order-swallowed",
    forMs: 60_000,
    does: "never sends it again and decides afresh",
    ends: HELD,
    records: ["in_doubt"],
  },
  {
    script: "F26-unknown-position",
    forMs: 40_000,
    does: "halts, asks and touches nothing",
    ends: { posture: "halted", position: 1, entries: 0 },
    records: ["pos_mismatch", "halted"],
  },
  {
    script: "F27-order-by-hand",
    forMs: 60_000,
    does: "takes back its legs once its position was closed by hand, and leaves the stranger's order alone",
    ends: { posture: "halted", position: 0, entries: 1 },
    records: ["foreign_orders", "pos_mismatch"],
  },
  {
    script: "F27-order-by-hand",
    forMs: 60_000,
    hasSignal: false,
    does: "halts at a stranger's position and touches nothing",
    ends: { posture: "halted", position: 1, entries: 0 },
    records: ["foreign_orders", "pos_mismatch"],
  },
  {
    script: "clock-skew",
    forMs: 120_000,
    does: "halts at a clock that is an hour off",
    ends: { posture: "halted", position: -1, entries: 1 },
    records: ["clock", "halted"],
  },
  {
    script: "F28-wrong-account",
    forMs: 150_000,
    does: "refuses it, halts, and says so once",
    ends: { posture: "halted", position: 0, entries: 0 },
    counts: { live_refused: 1, halted: 1 },
  },
  {
    script: "F29-no-ticks",
    forMs: 70_000,
    does: "alarms and leaves the exit to the stop",
    ends: HELD,
    records: ["stale_quote", "data_stale", "data_fresh"],
  },
  { script: "F30-bad-tick", forMs: 50_000, does: "acts on none of it", ends: HELD, without: ["halted"] },
  {
    script: "F30-bad-tick",
    forMs: 50_000,
    hasSignal: false,
    does: "enters nothing on it",
    ends: FLAT,
    without: ["entry_sent"],
  },
  { script: "F31-impossible-quotes", forMs: 60_000, does: "acts on none of them", ends: HELD, without: ["anomaly"] },
  {
    script: "F31-impossible-quotes",
    forMs: 60_000,
    hasSignal: false,
    does: "enters nothing on them",
    ends: FLAT,
    without: ["anomaly", "entry_sent"],
  },
  {
    script: "F32-gap-through-limits",
    forMs: 50_000,
    does: "is flat, halted and locked for the day",
    ends: { posture: "halted", position: 0, entries: 1 },
    records: ["daily_loss", "halted", "round_trip"],
  },
  {
    script: "target-without-execution",
    forMs: 70_000,
    does: "asks for the execution, places no stop for what is gone, and trades on",
    ends: { posture: "trading", position: 1, entries: 2 },
    records: ["round_trip"],
    without: ["unprotected", "halted"],
  },
  {
    script: "closed-by-hand-before-flatten",
    forMs: 80_000,
    does: "asks before it sells, and opens nothing",
    deeds: FLATTEN(30_500),
    ends: { posture: "halted", position: 0, entries: 1 },
    records: ["pos_mismatch", "flat_confirmed"],
  },
  {
    script: "exit-corrected",
    forMs: 70_000,
    does: "restates the trade that it told",
    deeds: FLATTEN(30_000),
    ends: { posture: "paused", position: 0, entries: 1 },
    records: ["fill_corrected", "round_trip_restated"],
  },
  {
    script: "messages-lost-and-moved",
    forMs: 60_000,
    does: "makes the same trade of it",
    deeds: FLATTEN(30_000),
    ends: { posture: "paused", position: 0, entries: 1 },
    records: ["entry_filled", "flat_confirmed"],
  },
];

test.each(CASES)(
  "$script: the bot $does",
  async ({ ends, records = [], without = [], counts = {}, positionMax = 1, ...options }) => {
    await runBot(options, (evidence) => {
      expect(breaks(evidence, { positionMax, isChatUp: true })).toEqual([]);
      expect({
        posture: evidence.posture,
        position: evidence.gateway.positions[0]?.position,
        entries: entriesOf(evidence),
      }).toEqual(ends);
      const names = namesOf(evidence);
      expect(records.filter((name) => !names.includes(name))).toEqual([]);
      expect(without.filter((name) => names.includes(name))).toEqual([]);
      for (const [name, count] of Object.entries(counts))
        expect([name, names.filter((each) => each === name).length]).toEqual([name, count]);
    });
  },
);

/** Returns how many entries reached the gateway and were taken. */
function entriesOf({ ledger }: Evidence): number {
  return ledger.filter((line) => line["type"] === "order" && /^QS1-.*-E$/.test(line["orderRef"])).length;
}

/** Returns what the journal's records are about. */
function namesOf({ journal }: Evidence): readonly string[] {
  const nameOf = (line: Line): string => {
    if (line["type"] === "control") return line["control"];
    if (line["type"] !== "notice_queued") return line["type"];
    return line["notice"].event === "told" ? line["notice"].name : line["notice"].event;
  };
  return journal.map(nameOf);
}
