// The bot under each script of the chat's side, judged by the invariants from what it leaves behind.
import { expect, test } from "vitest";
import { type Deed, type Evidence, type Line, type RunOptions, runBot } from "./bot-run.ts";
import { breaks } from "./judge.ts";

type Case = Omit<RunOptions, "script"> & {
  readonly chatScript: string;
  readonly does: string;
  /** A script of the gateway's side beside it. */
  readonly script?: string;
  readonly posture: string;
  readonly check: (evidence: Evidence) => void;
};

const writes = (atMs: number, text: string): Deed => ({ atMs, path: "message", body: { text } });
/** Returns the texts that the chat shows, the bot's only. */
const texts = (evidence: Evidence): readonly string[] =>
  evidence.messages.flatMap((message) => (message["from_bot"] === true ? [String(message["text"] ?? "")] : []));
const count = (evidence: Evidence, wanted: RegExp): number =>
  texts(evidence).filter((text) => wanted.test(text)).length;
/** Returns the commands that were obeyed. */
const obeyed = (evidence: Evidence): readonly string[] =>
  evidence.journal.flatMap((line) => (line["type"] === "command" ? [line["command"].verb] : []));
/** Returns the times in seconds at which calls of a method were answered with a status. */
const answered = (evidence: Evidence, method: string, status: number): readonly number[] =>
  evidence.calls.flatMap((call) =>
    call["method"] === method && call["status"] === status
      ? [(call["atMs"] + call["durationMs"] - evidence.startMs) / 1_000]
      : [],
  );

const CASES: readonly Case[] = [
  {
    chatScript: "F33-conflict",
    forMs: 400_000,
    stepMs: 1_000,
    does: "tells of the other poller, and polls again by itself",
    posture: "trading",
    check: (evidence) => {
      expect(count(evidence, /Another program polls/)).toBe(1);
      expect(answered(evidence, "getUpdates", 200).filter((atS) => atS > 330 && atS < 400).length).toBeGreaterThan(0);
      // A storm of polls would make the other program's life impossible too.
      expect(answered(evidence, "getUpdates", 409).length).toBeLessThan(12);
    },
  },
  {
    chatScript: "F34-flood",
    forMs: 240_000,
    stepMs: 1_000,
    deeds: [writes(60_000, "/pause")],
    does: "obeys although no answer goes out, keeps to the wait, and loses nothing",
    posture: "paused",
    check: (evidence) => {
      expect(obeyed(evidence)).toEqual(["pause"]);
      const refused = answered(evidence, "sendMessage", 429);
      expect(refused.every((atS, at) => at === 0 || atS - (refused[at - 1] ?? 0) >= 35)).toBe(true);
      expect([count(evidence, /SOLD 1 MES/), count(evidence, /PAUSED/)]).toEqual([1, expect.any(Number)]);
    },
  },
  {
    chatScript: "F35-silence",
    forMs: 420_000,
    stepMs: 1_000,
    script: "F01-reset-while-idle",
    does: "begins its poll anew and tells the alert afterwards",
    posture: "trading",
    check: (evidence) => {
      const polls = evidence.calls.filter((call) => call["method"] === "getUpdates");
      const times = polls.map((call) => (call["atMs"] - evidence.startMs) / 1_000).toSorted((a, b) => a - b);
      expect(times.every((atS, at) => at === 0 || atS - (times[at - 1] ?? 0) <= 110)).toBe(true);
      expect(count(evidence, /LINK DOWN\n/)).toBeGreaterThan(0);
    },
  },
  {
    chatScript: "F36-answer-lost",
    forMs: 60_000,
    does: "sends again what may not have arrived, and says that it is a repeat",
    posture: "trading",
    check: (evidence) => {
      expect(evidence.calls.filter((call) => call["answer"]?.fault === "drop")).toHaveLength(3);
      expect(count(evidence, /\(repeat\)/)).toBeGreaterThan(0);
      expect(count(evidence, /SOLD 1 MES/)).toBeGreaterThan(0);
    },
  },
  {
    chatScript: "F37-backlog",
    forMs: 680_000,
    stepMs: 1_000,
    deeds: [
      writes(40_000, "/resume"),
      writes(41_000, "/flatten"),
      writes(42_000, "/halt"),
      writes(43_000, "/set stop 150"),
    ],
    does: "obeys the halt of ten minutes ago, asks for the flatten and refuses the rest",
    posture: "halted",
    check: (evidence) => {
      expect(obeyed(evidence)).toEqual(expect.arrayContaining(["halt"]));
      expect(obeyed(evidence).filter((verb) => verb !== "halt" && verb !== "pause")).toEqual([]);
      expect(evidence.journal.filter((line) => line["type"] === "config_changed")).toEqual([]);
    },
  },
  {
    chatScript: "outage",
    forMs: 220_000,
    script: "F01-reset-while-idle",
    deeds: [writes(180_000, "/pause")],
    does: "tells everything once the server is back, and obeys again",
    posture: "paused",
    check: (evidence) => {
      expect(obeyed(evidence)).toEqual(["pause"]);
      expect(count(evidence, /LINK DOWN\n/)).toBe(1);
      expect(count(evidence, /Link back/)).toBe(1);
    },
  },
  {
    chatScript: "server-errors",
    forMs: 150_000,
    does: "tells each notice once",
    posture: "trading",
    check: (evidence) => expect([count(evidence, /SELLING 1 MES/), count(evidence, /SOLD 1 MES/)]).toEqual([1, 1]),
  },
  {
    chatScript: "slow-answers",
    forMs: 160_000,
    deeds: [writes(40_000, "/halt")],
    does: "waits for its answers instead of saying things twice, and halts in time",
    posture: "halted",
    check: (evidence) => {
      expect([count(evidence, /SOLD 1 MES/), count(evidence, /\(repeat\)/)]).toEqual([1, 0]);
      const halted = evidence.journal.find((line) => line["type"] === "latch");
      expect(halted?.["atMs"] - evidence.startMs).toBeLessThan(55_000);
    },
  },
  {
    chatScript: "updates-repeated",
    forMs: 60_000,
    deeds: [writes(30_000, "/pause"), writes(35_000, "/halt")],
    does: "obeys each command once and answers it once",
    posture: "halted",
    check: (evidence) => {
      expect(obeyed(evidence)).toEqual(["pause", "halt"]);
      const given = evidence.calls.flatMap((call) =>
        call["method"] === "getUpdates"
          ? (call["answer"]?.result ?? []).map((update: Line) => update["update_id"])
          : [],
      );
      // The status that ends a run is asked for when the faults have been taken back.
      expect(given.length - new Set(given).size).toBe(2);
      expect(count(evidence, /Entries are off until \/resume/)).toBe(1);
    },
  },
];

test.each(CASES)("$chatScript: the bot $does", async ({ posture, check, script = null, ...options }) => {
  await runBot({ ...options, script }, (evidence) => {
    expect(breaks(evidence, { positionMax: 1, isChatUp: false })).toEqual([]);
    expect(evidence.posture).toBe(posture);
    check(evidence);
  });
});
