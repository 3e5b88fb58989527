// What the simulated gateway holds: 50 clients in another process, each asking for every trade and every quote, 20,000
// messages a second in total; then as fast as they read. A script that prints; it asserts nothing.
//   node --import tsx tests/bench/gateway-load.bench.ts [SECONDS]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { createMarketClock, wallClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { startGatewayServer } from "../../src/simulators/ib-gateway/index.ts";
import { MEASURED } from "../../src/simulators/ib-gateway/market/character.ts";
import { createSyntheticMarket, DEFAULT_SEED } from "../../src/simulators/ib-gateway/market/synthetic.ts";
import { message } from "../../src/simulators/ib-gateway/wire/frames.ts";

const CLIENTS = 50;
const MESSAGES_PER_SECOND = 20_000;
/** Trades and quotes of the synthetic market in a second at its own speed; each goes to every client once. */
const RECORDS_PER_SECOND = 18;
const START_MS = 1_795_617_000_000; // 25 Nov 2026 08:30 Chicago
const WARM_UP_MS = 2_000;
const CONTRACT = ["", "MES", "FUT", "202612", "0", "", "", "CME", "", "USD", "", ""] as const;

const [first = "", second = ""] = process.argv.slice(2);
if (first === "--clients") await readAsClients(Number(second));
else await serveAndPrint(Number(first || "15") * 1_000);

async function serveAndPrint(measureMs: number): Promise<void> {
  const server = await startGatewayServer({
    port: 0,
    httpPort: 0,
    clock: createMarketClock(START_MS, 0),
    wall: wallClock,
    source: createSyntheticMarket({
      seed: DEFAULT_SEED,
      startMs: START_MS,
      startPriceTicks: 27_200,
      volatility: 1,
      character: MEASURED,
      hours: "always",
      calendar: createCalendar("always"),
      state: null,
    }),
    hours: "always",
    symbol: "MES",
    account: "DU1234567",
    latencyMs: 5,
    extraSlippageTicks: 0,
    startCashUsd: 10_000,
    speed: 0,
    seed: DEFAULT_SEED,
    ledgerFile: null,
    stateFile: null,
    scriptFile: null,
    log: silentLog,
  });
  const readers = spawn(process.execPath, ["--import", "tsx", import.meta.filename, "--clients", String(server.port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: readers.stdout });
  let received = 0;
  lines.on("line", (line) => {
    received = Number(line);
  });
  while (clients(server).length < CLIENTS) await wait(50);
  await wait(500);

  const speed = MESSAGES_PER_SECOND / (RECORDS_PER_SECOND * CLIENTS);
  for (const [what, next] of [
    [`× ${speed.toFixed(1)}`, speed],
    ["as fast as they read", "max"],
  ] as const) {
    server.setSpeed(next);
    await wait(WARM_UP_MS);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const before = { received, cpu: process.cpuUsage(), atMs: performance.now(), rss: process.memoryUsage.rss() };
    await wait(measureMs);
    const tookMs = performance.now() - before.atMs;
    const count = received - before.received;
    const cpu = process.cpuUsage(before.cpu);
    const cpuMs = (cpu.user + cpu.system) / 1_000;
    delay.disable();
    console.log(`${CLIENTS} clients, ${what}: ${whole((count * 1_000) / tookMs)} messages/s received`);
    console.log(
      `  gateway: ${((100 * cpuMs) / tookMs).toFixed(0)} % of a core, ${((cpuMs * 1_000) / count).toFixed(1)} µs CPU a message, loop delay p50 ${ms(delay.percentile(50))} p99 ${ms(delay.percentile(99))} max ${ms(delay.max)}`,
    );
    const missed = clients(server).reduce((sum, client) => sum + client.ticksMissed, 0);
    console.log(
      `  ${clients(server).length} still connected, ${missed} ticks missed, RSS ${mib(before.rss)} → ${mib(process.memoryUsage.rss())} MiB`,
    );
  }
  server.pause();
  readers.kill();
  await once(readers, "exit");
  await server.stop();
}

function clients(server: { state(): object }): readonly { ticksMissed: number }[] {
  return (server.state() as { clients: { ticksMissed: number }[] }).clients;
}

/** Connects so many clients, asks for ticks and prints twice a second how many messages have come in all. */
async function readAsClients(port: number): Promise<void> {
  let count = 0;
  for (let clientId = 1; clientId <= CLIENTS; clientId += 1) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    socket.on(
      "data",
      countFrames(() => (count += 1)),
    );
    socket.write(Buffer.concat([Buffer.from("API\0"), frame("v100..178")]));
    send(socket, 71, 2, clientId, "");
    send(socket, 97, 1, ...CONTRACT, "AllLast", 0, 0);
    send(socket, 97, 2, ...CONTRACT, "BidAsk", 0, 0);
  }
  for (;;) {
    await wait(500);
    process.stdout.write(`${count}\n`);
  }
}

function countFrames(found: () => void): (piece: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (piece) => {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    let at = 0;
    while (held.length - at >= 4) {
      const next = at + 4 + held.readUInt32BE(at);
      if (next > held.length) break;
      found();
      at = next;
    }
    held = held.subarray(at);
  };
}

function send(socket: Socket, ...fields: readonly (string | number)[]): void {
  socket.write(frame(message(...fields)));
}

function frame(text: string): Buffer {
  const body = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function wait(waitMs: number): Promise<void> {
  return new Promise((resolve) => wallClock.after(waitMs, resolve));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function ms(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(1)} ms`;
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}
