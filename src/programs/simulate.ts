// `npm run simulate`: the simulated IB Gateway alone, for any TWS client.
import type { SimulateOptions } from "../cli.ts";
import { createMarketClock, wallClock } from "../clock.ts";
import { loadSettings } from "../config/load.ts";
import { createLog } from "../log.ts";
import { GatewayStartError, readGatewayState, startGatewayServer } from "../simulators/ib-gateway/index.ts";
import { printCharacter } from "../simulators/ib-gateway/market/character.ts";
import { badInput, DONE } from "./exit.ts";
import { marketSpec, openMarket } from "./market.ts";
import { stopSignal } from "./stop-signal.ts";

/** Serves until a signal. Unless told otherwise a synthetic market begins at the machine's own time, a recording at its first moment. */
export async function simulate(options: SimulateOptions): Promise<number> {
  const nowMs = wallClock.nowMs();
  if (options.data === null && (options.loop || options.today))
    throw badInput("--loop and --today are for a recording: give one with --data FILE.");
  const { jumpsPerHour, jumpTicks, gapTicks, halfLifeMinutes } = options;
  const character = {
    jumpsPerHour,
    jumpTicks,
    gapTicks,
    halfLifeMs: halfLifeMinutes === null ? null : halfLifeMinutes * 60_000,
  };
  if (options.data !== null && printCharacter(character).length > 0)
    throw badInput("--jumps, --gap-ticks and --half-life are for the synthetic market: leave --data out.");
  const loaded = loadSettings({
    file: null,
    environment: {},
    overrides: [
      `contract.symbol=${options.symbol}`,
      `simulator.seed=${options.seed}`,
      `simulator.hours=${options.hours}`,
      `simulator.market=${options.data ?? "synthetic"}`,
      `simulator.volatility=${options.volatility}`,
      ...(options.start === null ? [] : [`simulator.start=${options.start}`]),
    ],
  });
  if (!loaded.ok) throw badInput(loaded.error.map((problem) => `${problem.key}: ${problem.message}`).join("\n"));
  const { settings } = loaded.value;
  const log = createLog({ level: "info", format: process.stderr.isTTY === true ? "pretty" : "json" });
  try {
    const saved = options.state === null ? null : readGatewayState(options.state);
    const asked = marketSpec(settings, nowMs);
    const beginMs = settings.simulator.startAtMs ?? nowMs;
    const spec = options.data === null ? { ...asked, startMs: beginMs } : asked;
    // The state of a synthetic market belongs to its start; alone, the server goes on with a new one at the present time.
    const source = openMarket(spec, settings, options.data === null ? null : (saved?.market ?? null), {
      todayMs: options.today ? nowMs : null,
      loop: options.loop,
      character,
    });
    const clock = createMarketClock(options.data === null ? beginMs : (saved?.atMs ?? source.startMs), 0);
    const server = await startGatewayServer({
      port: options.port,
      httpPort: options.httpPort,
      clock,
      wall: wallClock,
      source,
      hours: options.hours,
      symbol: options.symbol,
      account: options.account,
      latencyMs: options.latencyMs,
      extraSlippageTicks: 0,
      startCashUsd: options.cashUsd,
      masterClientId: options.masterClient,
      isDataDelayed: options.marketData === "delayed",
      speed: options.speed,
      seed: options.seed,
      ledgerFile: options.ledger,
      stateFile: options.state,
      scriptFile: options.script,
      log,
    });
    const control =
      server.url === null ? "" : `  Page         ${server.url}/\n  Control      ${server.url}/simulate/state\n`;
    process.stdout.write(
      `Simulated IB Gateway · SIMULATION\n  TWS port     127.0.0.1:${server.port}\n${control}  Market       ${source.label}\n  Account      ${options.account}\nCtrl-C stops it.\n`,
    );
    await stopSignal();
    await server.stop();
    return DONE;
  } catch (thrown) {
    throw thrown instanceof GatewayStartError ? badInput(thrown.message) : thrown;
  }
}
