// The log of messages for people: names and fields, what is kept of how much, and how far a reader has read.
import { expect, test } from "vitest";
import {
  createMessageLog,
  LINES_MAX,
  LOG_START,
  TICKS_MAX,
  WORDS_MAX,
} from "../../../src/simulators/ib-gateway/message-log.ts";
import { message } from "../../../src/simulators/ib-gateway/wire/frames.ts";
import { ANSWER, REQUEST } from "../../../src/simulators/ib-gateway/wire/ids.ts";
import { isOfKind, MESSAGE_KINDS, wayOf } from "../../../src/simulators/ib-gateway/wire/kinds.ts";
import { nameMessage } from "../../../src/simulators/ib-gateway/wire/names.ts";

const ALL = { connection: null, marketData: true } as const;
const WORDS = { connection: null, marketData: false } as const;
const tick = (price: number): string => message(ANSWER.tickByTick, 7, 1, 1_767_623_400, price, 3, 0, "CME", "");

test("a request and an answer are named field by field, what is empty or not set is left out", () => {
  expect(nameMessage("in", message(REQUEST.startApi, 2, 12, ""))).toEqual({
    name: "startApi",
    fields: [["clientId", "12"]],
    more: 0,
  });
  expect(
    nameMessage("out", message(ANSWER.commission, 1, "e.01", "0.57", "USD", "1.7976931348623157E308", "", "")),
  ).toEqual({
    name: "commissionReport",
    fields: [
      ["execId", "e.01"],
      ["commission", "0.57"],
      ["currency", "USD"],
    ],
    more: 1,
  });
  expect(nameMessage("out", tick(6_800.25)).fields).toContainEqual(["price", "6800.25"]);
});

test("what no table knows is shown by its number, and a long field by its beginning", () => {
  expect(nameMessage("in", message(4_711, "a", "b"))).toEqual({ name: "message 4711", fields: [], more: 2 });
  const [, text] = nameMessage("out", message(ANSWER.error, 2, -1, 2_104, "x".repeat(500))).fields.at(-1) ?? [];
  expect(text).toHaveLength(161);
});

test.each([
  ...Object.entries(REQUEST).map(([name, id]) => ["in", name, id] as const),
  ...Object.entries(ANSWER).map(([name, id]) => ["out", name, id] as const),
])("%s: %s has a name", (way, _name, id) => {
  expect(nameMessage(way, message(id)).name).not.toContain("message ");
});

test.each(MESSAGE_KINDS.filter((kind) => !kind.startsWith("any")))(
  "%s is called so in the log and in a script",
  (kind) => {
    const way = wayOf(kind);
    const id = Object.values(way === "in" ? REQUEST : ANSWER).find((each) => isOfKind(kind, way, message(each)));

    expect(nameMessage(way, message(id)).name).toBe(kind);
  },
);

test("a reader gets what came since, in order, and with market data only on request", () => {
  const log = createMessageLog(() => 5);
  log.note(1, "comes from here");
  log.add(1, "in", message(REQUEST.currentTime, 1));
  log.add(1, "out", tick(1));
  log.add(2, "out", message(ANSWER.currentTime, 1, 99));

  const words = log.since(LOG_START, WORDS);
  const all = log.since(LOG_START, ALL);

  expect(words.lines.map((line) => line.name)).toEqual(["comes from here", "reqCurrentTime", "currentTime"]);
  expect(all.lines.map((line) => line.name)).toEqual([
    "comes from here",
    "reqCurrentTime",
    "tickByTick",
    "currentTime",
  ]);
  expect(all.lines.map((line) => line.atMs)).toEqual([5, 5, 5, 5]);
  log.add(1, "in", message(REQUEST.ids, 1, 1));
  expect(log.since(all.place, ALL).lines.map((line) => line.name)).toEqual(["reqIds"]);
  expect(log.since(LOG_START, { connection: 2, marketData: true }).lines.map((line) => line.name)).toEqual([
    "currentTime",
  ]);
});

test("a look brings the newest lines at most, and says how many it left out", () => {
  const log = createMessageLog(() => 0);
  for (let at = 1; at <= LINES_MAX + 1; at += 1) log.add(1, "in", message(REQUEST.ids, 1, at));

  const { lines, leftOut } = log.since(LOG_START, WORDS);

  expect(lines).toHaveLength(LINES_MAX);
  expect(lines.at(-1)?.fields).toEqual([["count", String(LINES_MAX + 1)]]);
  expect(leftOut).toBe(1);
});

test("market data crowds out neither requests nor memory: each ring keeps its newest", () => {
  const log = createMessageLog(() => 0);
  log.add(1, "in", message(REQUEST.ids, 1, 1));
  for (let at = 1; at <= TICKS_MAX * 3; at += 1) log.add(1, "out", tick(at));

  expect(log.since(LOG_START, WORDS).lines).toHaveLength(1);
  expect(log.since(LOG_START, ALL).leftOut).toBe(TICKS_MAX * 3 + 1 - LINES_MAX);
  for (let at = 1; at <= WORDS_MAX + 5; at += 1) log.add(1, "in", message(REQUEST.ids, 1, at));
  expect(log.since(LOG_START, WORDS).leftOut).toBe(WORDS_MAX + 6 - LINES_MAX);
});
