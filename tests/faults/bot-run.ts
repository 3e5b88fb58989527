// The bot in its real composition (journal on disk, engine, session, @stoqey/ib over TCP, grammY over HTTP) between the
// simulated gateway and the local Bot API server, on one clock that stands still but for the run's steps. Leaves the
// evidence that the invariants are judged by: the gateway's ledger, the bot's journal, the record of Bot API calls.
import "../support/library-pace.ts";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bot, createBot } from "../../src/bot/index.ts";
import { loadSettings } from "../../src/config/load.ts";
import { dumpLine, readJournal } from "../../src/journal/journal.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { type Assembly, assemble } from "../../src/programs/assemble.ts";
import { createRefusals } from "../../src/programs/refusals.ts";
import { parseFault } from "../../src/simulators/ib-gateway/faults.ts";
import { startGatewayServer } from "../../src/simulators/ib-gateway/index.ts";
import type { HistoryBar } from "../../src/simulators/ib-gateway/market-source.ts";
import { startBotApiServer } from "../../src/simulators/telegram/index.ts";
import { createIbGateway } from "../../src/trading/ib/index.ts";
import { START_MS } from "../simulators/ib-gateway/rig.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createScriptedMarket, type MarketRow } from "../support/scripted-market.ts";
import { type Rest, watchRest } from "../support/sockets.ts";
import { readChatScript } from "./chat-script.ts";
import { SCRIPTS } from "./raw-visit.ts";

/** The price leaves its mean so long after the start: the bar that closes then is an entry, short. */
export const SIGNAL_MS = 15_000;
const OWNER = { id: 424_242, name: "anna", role: "owner" } as const;
/** Long runs may go in longer steps: nothing but the ages of data depends on them. */
const STEP_MS = 500;
const TICK_MS = 500;
const BASE_TICKS = 20_000;
const SIGNAL_TICKS = 12;

/** Is one line of the ledger, the journal or the record, as JSON has it. */
// biome-ignore lint/suspicious/noExplicitAny: evidence is read as an outside judge reads it, from JSON.
export type Line = Readonly<Record<string, any>>;

/** Is what a person does at a time of the run, in milliseconds since the start. */
export type Deed = { readonly atMs: number; readonly path: "message" | "press"; readonly body: object };

/** Is what is run. */
export type RunOptions = {
  /** Scripts without their ending: of the gateway's side and of the chat's. */
  readonly script: string | null;
  readonly chatScript?: string;
  /** Lines of a script of the gateway's side, beside it or in its place. */
  readonly lines?: readonly object[];
  readonly forMs: number;
  /** The clock moves so far at once; 500 where it is left out. */
  readonly stepMs?: number;
  /** False leaves the price at its mean: nothing is entered. */
  readonly hasSignal?: boolean;
  /** Settings over the defaults. */
  readonly set?: readonly string[];
  readonly deeds?: readonly Deed[];
  readonly log?: Log;
};

/** Is what a run leaves. Times of lines are in milliseconds since 1970, `startMs` is the run's first. */
export type Evidence = {
  readonly startMs: number;
  readonly ledger: readonly Line[];
  readonly journal: readonly Line[];
  readonly calls: readonly Line[];
  /** Is what the chat shows at the end, oldest first. */
  readonly messages: readonly Line[];
  /** Is the text of the last /status. */
  readonly status: string;
  readonly gateway: { readonly positions: readonly { readonly position: number }[]; readonly orders: readonly Line[] };
  readonly posture: string;
  /** Is the fault that ended the loop; null while sound. */
  readonly fault: Error | null;
  /** Holds the journal until the judging is over; null where there is none to replay. */
  readonly dataDir: string | null;
};

/** Runs the bot and hands its evidence to `judge` before the run's folder is gone. */
export async function runBot(options: RunOptions, judge: (evidence: Evidence) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "faults-"));
  const rest = watchRest();
  try {
    judge(await play(options, folder, rest));
  } finally {
    rest.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(options: RunOptions, folder: string, rest: Rest): Promise<Evidence> {
  const { forMs } = options;
  const log = options.log ?? silentLog;
  const dataDir = join(folder, "data");
  const ledgerFile = join(folder, "ledger.jsonl");
  const recordFile = join(folder, "calls.jsonl");
  const clock = createFakeClock(START_MS);
  const server = await startGatewayServer({
    port: 0,
    httpPort: null,
    clock: createFakeClock(START_MS),
    wall: clock,
    source: market(forMs, options.hasSignal ?? true),
    hours: "exchange",
    symbol: "MES",
    account: "DU1234567",
    latencyMs: 5,
    extraSlippageTicks: 0,
    startCashUsd: 100_000,
    speed: 0,
    seed: 1,
    ledgerFile,
    stateFile: null,
    scriptFile: options.script === null ? null : join(SCRIPTS, `${options.script}.faults`),
    log: log.child({ room: "gateway" }),
  });
  const chat = await startBotApiServer({
    port: 0,
    clock,
    owner: OWNER,
    banner: "SIMULATION",
    recordFile,
    faults: options.chatScript === undefined ? [] : readChatScript(options.chatScript),
    log: log.child({ room: "chat" }),
  });
  for (const line of options.lines ?? []) {
    const read = parseFault(line);
    if (!read.ok) throw new Error(read.error);
    server.addFault(read.value);
  }
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${chat.url}/simulate/${path}`, { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE });

  let assembly: Assembly | undefined;
  let bot: Bot | undefined;
  let fault: Error | null = null;
  const goOn = async (): Promise<void> => {
    clock.advance(options.stepMs ?? STEP_MS);
    await server.stepTo(clock.nowMs());
    await rest.quiet();
  };
  /** Goes on until `work` is done: it may wait for the clock. */
  const whileGoingOn = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false;
    const noted = work.finally(() => {
      isDone = true;
    });
    for (let steps = 0; steps < 400; steps++) {
      await rest.quiet();
      if (isDone) break;
      await goOn();
    }
    return noted;
  };

  try {
    const started = await start({ clock, server, chat, dataDir, log, set: options.set ?? [] }, (thrown) => {
      fault = thrown;
    });
    assembly = started.assembly;
    bot = started.bot;
    await whileGoingOn(assembly.begin());
    assembly.connect();
    await whileGoingOn(bot.start());
    const due = (options.deeds ?? []).toSorted((a, b) => a.atMs - b.atMs);
    while (clock.nowMs() < START_MS + forMs) {
      for (let deed = due[0]; deed !== undefined && START_MS + deed.atMs <= clock.nowMs(); deed = due[0]) {
        await post(deed.path, deed.body);
        due.shift();
      }
      await goOn();
    }
    await fetch(`${chat.url}/simulate/fault`, { method: "DELETE" });
    await post("message", { text: "/status" });
    for (let steps = 0; steps < 6; steps++) await goOn();
    const { messages } = (await (await fetch(`${chat.url}/simulate/chat`)).json()) as { messages: readonly Line[] };
    const gateway = server.state() as Evidence["gateway"];
    const posture = assembly.desk.snapshot().status.posture;
    await whileGoingOn(assembly.announceStop("end of the run"));
    await whileGoingOn(bot.stop());
    bot = undefined;
    await whileGoingOn(assembly.close());
    const journal = [...readJournal(dataDir)].map((record) => JSON.parse(dumpLine(record)) as Line);
    assembly = undefined;
    await chat.close();
    return {
      startMs: START_MS,
      ledger: lines(ledgerFile),
      journal,
      calls: lines(recordFile),
      messages,
      status: messages.findLast((message) => /as of \d\d:\d\d/.test(message["text"] ?? ""))?.["text"] ?? "",
      gateway,
      posture,
      fault,
      dataDir,
    };
  } finally {
    if (bot !== undefined) await whileGoingOn(bot.stop());
    if (assembly !== undefined) await whileGoingOn(assembly.close());
    await chat.close();
    await server.stop();
  }
}

const JSON_TYPE = { "Content-Type": "application/json" } as const;

type World = {
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly server: Awaited<ReturnType<typeof startGatewayServer>>;
  readonly chat: Awaited<ReturnType<typeof startBotApiServer>>;
  readonly dataDir: string;
  readonly log: Log;
  readonly set: readonly string[];
};

/** Puts the bot together as src/programs/bring-up.ts does, on the run's clock. */
async function start(world: World, onFault: (fault: Error) => void): Promise<{ assembly: Assembly; bot: Bot }> {
  const { clock, server, chat, dataDir, log } = world;
  const loaded = loadSettings({ file: null, environment: {}, overrides: [...world.set] });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { settings } = loaded.value;
  let refuse: (control: string, detail: string) => void = () => {};
  const gateway = createIbGateway({
    host: "127.0.0.1",
    port: server.port,
    clientId: settings.ibkr.clientId,
    account: settings.ibkr.account,
    live: false,
    wall: clock,
    clock,
    random: () => 0.5,
    timesRealTime: 1,
    log: log.child({ room: "ib" }),
    onRefused: (control, detail) => refuse(control, detail),
  });
  const assembled = await assemble({
    dataDir,
    settings,
    config: { text: "", save: async (text) => writeFileSync(join(dataDir, "config.yaml"), text) },
    badge: "PAPER",
    marketLabel: () => null,
    startsTrading: true,
    gateway,
    clock,
    wall: clock,
    version: "0.0.0",
    log: log.child({ room: "trading" }),
    onFault,
  });
  if (!assembled.ok) throw new Error(JSON.stringify(assembled.error));
  const assembly = assembled.value;
  refuse = createRefusals({ session: assembly.session, wall: clock, log });
  const bot = createBot({
    token: chat.token,
    apiRoot: chat.url,
    desk: assembly.desk,
    wall: clock,
    users: [OWNER],
    alertChats: [OWNER.id],
    groups: [],
    theme: "dark",
    stateFile: join(dataDir, "bot.json"),
    log: log.child({ room: "bot" }),
    isDemo: false,
    random: () => 1,
    // Drawing takes real time, which this clock knows nothing of.
    painter: { paint: async () => new Uint8Array([0, 80, 78, 71]), close: async () => {} },
  });
  return { assembly, bot };
}

/** A quiet market whose price leaves its mean once and stays there: z of the default strategy needs four minutes to fall. */
function market(forMs: number, hasSignal: boolean): ReturnType<typeof createScriptedMarket> {
  const rows: MarketRow[] = [];
  for (let atMs = TICK_MS / 2; atMs <= forMs + 120_000; atMs += TICK_MS) {
    const price =
      BASE_TICKS + (hasSignal && atMs > SIGNAL_MS - TICK_MS ? SIGNAL_TICKS : 0) + (Math.floor(atMs / 5_000) % 2);
    rows.push({ atMs: START_MS + atMs, bid: price, ask: price + 1 }, { atMs: START_MS + atMs, trade: price, size: 2 });
  }
  const bars: HistoryBar[] = [];
  for (let openAtMs = START_MS - 200 * 5_000; openAtMs < START_MS; openAtMs += 5_000) {
    const close = BASE_TICKS + ((openAtMs / 5_000) % 2);
    bars.push({ openAtMs, openTicks: close, highTicks: close, lowTicks: close, closeTicks: close, volume: 5 });
  }
  return createScriptedMarket(START_MS, rows, bars);
}

function lines(file: string): readonly Line[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}
