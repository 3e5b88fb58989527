// Recorded conversations, byte for byte: what a client sends and what the gateway answers. The market is the synthetic one
// of seed 7, moved by hand, so the same commands give the same bytes. A line is a frame: which way, what it is by its
// number, its length in bytes, and its fields, each ended by "|" where the wire has a NUL.
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createMarketClock, wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { createCalendar } from "../../../src/simulators/ib-gateway/calendar.ts";
import { startGatewayServer } from "../../../src/simulators/ib-gateway/index.ts";
import { MEASURED } from "../../../src/simulators/ib-gateway/market/character.ts";
import { createSyntheticMarket } from "../../../src/simulators/ib-gateway/market/synthetic.ts";
import { ANSWER, REQUEST } from "../../../src/simulators/ib-gateway/wire/ids.ts";
import { expectGolden } from "../../support/golden.ts";
import { rawClient } from "./raw-client.ts";
import { START_MS } from "./rig.ts";

type Field = string | number;

/** Is one conversation on its way. */
type Talk = {
  /** Sends a message and waits until all that it brings about at once is there. */
  say(...fields: readonly Field[]): Promise<void>;
  /** Moves the market and waits for what it brings about. */
  step(byMs: number): Promise<void>;
  /** Writes a heading. */
  part(title: string): void;
  text(): string;
};

const NAMES = { ">": namesOf(REQUEST), "<": namesOf(ANSWER) } as const;

test.each([
  ["v157..178", "session-178"],
  ["v100..157", "session-157"],
])("a client that offers %s is answered as recorded", async (versions, name) => {
  const talk = await converse(versions);
  await synchronise(talk);
  await askAbout(talk);

  expectGolden(file(name), talk.text());
});

test("market data, bars and ticks come as recorded", async () => {
  const talk = await converse("v157..178");
  talk.part("market data with RTVolume");
  await talk.say(1, 11, 1, ...MES, 0, "233", 0, 0, "");
  await talk.step(500);
  await talk.say(2, 2, 1);
  for (const [reqId, kind] of ["Last", "BidAsk", "MidPoint"].entries()) {
    talk.part(`tick-by-tick ${kind}`);
    await talk.say(97, 10 + reqId, ...MES, kind, 0, 0);
    await talk.step(1_000);
    await talk.say(98, 10 + reqId);
  }
  talk.part("five-second bars");
  await talk.say(50, 3, 20, ...MES, 5, "TRADES", 0, "");
  await talk.step(12_000);
  await talk.say(51, 1, 20);
  for (const [at, shown] of ["TRADES", "BID", "ASK", "MIDPOINT"].entries()) {
    talk.part(`bars of ${shown}, kept up to date`);
    await talk.say(20, 30 + at, ...MES, 0, "", "1 min", "180 S", 0, shown, 1, 1, "");
    await talk.step(1_000);
    await talk.say(25, 1, 30 + at);
  }
  talk.part("historical ticks");
  await talk.say(96, 40, ...MES, 0, "", "20260105 09:10:00 US/Central", 3, "TRADES", 0, 0, "");
  await talk.say(96, 41, ...MES, 0, "", "20260105 09:10:00 US/Central", 3, "BID_ASK", 0, 0, "");

  expectGolden(file("market"), talk.text());
});

test("orders from what-if to fill, refusal and cancel are answered as recorded", async () => {
  const talk = await converse("v157..178");
  await talk.say(61, 1);
  talk.part("what would it cost?");
  await talk.say(...order(1, "BUY", 1, "MKT", "", "", { whatIf: 1 }));
  talk.part("a market order");
  await talk.say(...order(2, "BUY", 1, "MKT", "", ""));
  await talk.step(250);
  talk.part("a limit order, modified, cancelled");
  await talk.say(...order(3, "BUY", 1, "LMT", 6_700, ""));
  await talk.step(250);
  await talk.say(...order(3, "BUY", 2, "LMT", 6_699.75, ""));
  await talk.step(250);
  await talk.say(4, 1, 3, "");
  await talk.step(250);
  talk.part("a bracket: nothing works before its last leg");
  await talk.say(...order(4, "SELL", 1, "LMT", 6_700, "", { transmit: 0 }));
  await talk.say(...order(5, "BUY", 1, "LMT", 6_600, "", { transmit: 0, parentId: 4 }));
  await talk.step(250);
  await talk.say(...order(6, "BUY", 1, "STP", "", 6_900, { parentId: 4 }));
  await talk.step(250);
  talk.part("refusals: off the grid, unknown type, too large, the same number again");
  await talk.say(...order(7, "BUY", 1, "LMT", 6_700.1, ""));
  await talk.say(...order(8, "BUY", 1, "MIT", "", 6_700));
  await talk.say(...order(9, "BUY", 500, "MKT", "", ""));
  await talk.step(250);
  await talk.say(...order(2, "BUY", 1, "MKT", "", ""));
  talk.part("everything is cancelled, and what was is asked for");
  await talk.say(58, 1);
  await talk.step(250);
  await talk.say(16, 1);
  await talk.say(7, 3, 50, 0, "", "", "", "", "", "");
  await talk.say(99, 0);

  expectGolden(file("orders"), talk.text());
});

test("a second run gives the same bytes", async () => {
  const texts: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    const talk = await converse("v157..178");
    await talk.say(97, 1, ...MES, "AllLast", 0, 0);
    await talk.step(5_000);
    texts.push(talk.text());
  }

  expect(texts[1]).toBe(texts[0]);
});

/** The twelve fields of a request's contract: MES of March 2026. */
const MES: readonly Field[] = [0, "MES", "FUT", "202603", 0, "", "", "CME", "", "USD", "", ""];

async function synchronise(talk: Talk): Promise<void> {
  talk.part("positions, open and completed orders, account, executions");
  await talk.say(61, 1);
  await talk.say(5, 1);
  await talk.say(99, 0);
  await talk.say(6, 2, 1, "DU1234567");
  await talk.say(76, 1, 4, "DU1234567", "", 0);
  await talk.say(7, 3, 5, 0, "", "", "", "", "", "");
}

async function askAbout(talk: Talk): Promise<void> {
  talk.part("contracts: one month, an unknown one, a rule, the first moment");
  await talk.say(9, 8, 6, ...MES, 0, "", "", "");
  await talk.say(9, 8, 7, 0, "NOSUCH", "FUT", "", 0, "", "", "CME", "", "USD", "", "", 0, "", "", "");
  await talk.say(91, 67);
  await talk.say(87, 8, ...MES, 0, 0, "TRADES", 2);
  talk.part("account summary, profit and loss, what is not offered, what is no number");
  await talk.say(62, 1, 9, "All", "NetLiquidation,BuyingPower");
  await talk.say(92, 10, "DU1234567", "");
  await talk.say(10, 5, 11, ...MES, 5, 0, "");
  await talk.say(9, 8, 12, "none");
}

/** Returns a placeOrder message of version 178; the fields that nothing here uses are empty. */
function order(
  orderId: number,
  action: string,
  quantity: number,
  type: string,
  limit: Field,
  aux: Field,
  more: { transmit?: number; parentId?: number; whatIf?: number } = {},
): Field[] {
  const { transmit = 1, parentId = 0, whatIf = 0 } = more;
  const blanks = (count: number): ""[] => new Array<"">(count).fill("");
  return [
    3,
    orderId,
    ...MES,
    ...blanks(2),
    ...[action, quantity, type, limit, aux, "GTC", "", "", "", 0, "", transmit, parentId],
    ...[0, 0, 0, 0, 1, 0],
    ...blanks(8),
    ...[0, "", -1, 0, "", "", 0, ""],
    ...blanks(13 + 1 + 16),
    ...[0, "", "", whatIf, "", 0, 0, 0, 0],
    ...blanks(22),
  ];
}

async function converse(versions: string): Promise<Talk> {
  const clock = createMarketClock(START_MS, 0);
  const server = await startGatewayServer({
    port: 0,
    httpPort: null,
    clock,
    wall: wallClock,
    source: createSyntheticMarket({
      seed: 7,
      startMs: START_MS,
      startPriceTicks: 27_200,
      volatility: 1,
      character: MEASURED,
      hours: "exchange",
      calendar: createCalendar("exchange"),
      state: null,
    }),
    hours: "exchange",
    symbol: "MES",
    account: "DU1234567",
    latencyMs: 5,
    extraSlippageTicks: 0,
    startCashUsd: 10_000,
    speed: 0,
    seed: 7,
    ledgerFile: null,
    stateFile: null,
    scriptFile: null,
    log: silentLog,
  });
  onTestFinished(() => server.stop());
  const client = await rawClient(server.port);
  const lines: string[] = [];
  const write = (way: ">" | "<", fields: readonly Field[], name?: string): void => {
    const texts = fields.map(String);
    const bytes = Buffer.byteLength(texts.join("\0")) + 1;
    const called = name ?? NAMES[way].get(Number(texts[0])) ?? "?";
    lines.push(`${way} ${called.padEnd(22)} ${String(bytes).padStart(4)}  ${texts.map(escaped).join("")}`);
  };
  /** The time is asked for; when it is told, all that was asked before has been answered. */
  const settle = async (): Promise<void> => {
    client.send(REQUEST.currentTime, 1);
    for (;;) {
      const fields = await client.next();
      if (fields[0] === String(ANSWER.currentTime)) return;
      write("<", fields);
    }
  };
  const say = async (...fields: readonly Field[]): Promise<void> => {
    write(">", fields);
    client.send(...fields);
    await settle();
  };

  lines.push(`> API\\0 and ${versions}`);
  client.open(versions);
  write("<", await client.next(), "version and time");
  await say(REQUEST.startApi, 2, 7, "");
  return {
    say,
    step: async (byMs) => {
      lines.push(`= the market moves ${byMs} ms`);
      await server.stepTo(clock.nowMs() + byMs);
      await settle();
    },
    part: (title) => lines.push("", `# ${title}`),
    text: () => `${lines.join("\n")}\n`,
  };
}

function escaped(field: string): string {
  return `${field.replace(/[\\|]/g, "\\$&")}|`;
}

function namesOf(ids: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(ids).map(([name, id]) => [id, name]));
}

function file(name: string): string {
  return join(import.meta.dirname, "golden", `${name}.txt`);
}
