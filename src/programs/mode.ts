// Decides what `npm start` brings up: which broker, which chat, which settings, which data directory. Reads the
// environment, .env and the configuration; starts nothing.
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { StartOptions } from "../cli.ts";
import { writeConfigFile } from "../config/edit.ts";
import {
  type ConfigProblem,
  loadSettings,
  printProblem,
  readDotEnv,
  readSecrets,
  type Secrets,
} from "../config/load.ts";
import { exampleYaml, type Settings } from "../config/schema.ts";
import { errorCode } from "../journal/files.ts";
import { keepSecret } from "../log.ts";
import { readyDataDir } from "./data-dir.ts";
import { badInput } from "./exit.ts";

const CONFIG_FILE = "config/config.yaml";
const DEMO_DIR = "data/demo";
/** Lies in the directory of a recording that was played to its end. */
export const ENDED_MARK = "ended";
const CONFIG_BYTES_MAX = 1024 * 1024;

/** Everything that was decided before anything is started. */
export type Mode = {
  readonly broker: "simulated" | "real";
  readonly chat: "local" | "telegram";
  readonly settings: Settings;
  /** The configuration's text and file; changes from the chat are written there. */
  readonly config: { readonly text: string; readonly path: string };
  readonly dataDir: string;
  readonly secrets: Secrets;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the mode, or throws an ExitError with every problem in plain words. `nowMs` is the machine's time. */
export async function decideMode(options: StartOptions, environment: Environment, nowMs: number): Promise<Mode> {
  const full = withDotEnv(environment);
  const secrets = orExit(readSecrets(full));
  for (const secret of [secrets.telegramBotToken, secrets.liveTotpSecret, secrets.dashboardSecret]) {
    if (secret !== null) keepSecret(secret);
  }
  const personsFile = options.config ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : null);
  const names = (name: string): boolean => (full[name] ?? "").trim() !== "";
  const isReal = !options.demo && (personsFile !== null || names("IB_HOST") || names("IB_PORT"));
  const hasToken = secrets.telegramBotToken !== null && !options.demo;
  if (isReal) refuseMarketFlags(options);
  if (isReal && !hasToken) {
    throw badInput(
      "A real broker needs a chat to be run from: set TELEGRAM_BOT_TOKEN (from @BotFather) and TELEGRAM_CHAT_ID in the environment or in .env. " +
        "To look around without any of it: npm start -- --demo",
    );
  }

  const storedDir = names("DATA_DIR") ? resolve((full["DATA_DIR"] as string).trim()) : null;
  const demoDir = storedDir ?? freshDemoDir(options);
  const config =
    isReal && personsFile !== null
      ? readConfig(personsFile)
      : await ownCopy(isReal ? (storedDir ?? resolve("data")) : demoDir);
  const isDemoCopy = !(isReal && personsFile !== null);
  const { settings } = orExit(
    loadSettings({
      file: { path: isDemoCopy ? shown(config.path) : config.path, text: config.text },
      environment: isReal ? full : without(full, ["IB_HOST", "IB_PORT", "IB_CLIENT_ID", "IB_ACCOUNT"]),
      overrides: [...overrides(options, isReal), ...options.set],
      nowMs,
    }),
  );
  return {
    broker: isReal ? "real" : "simulated",
    chat: hasToken ? "telegram" : "local",
    settings,
    config,
    dataDir: isReal ? resolve(settings.storage.dir) : demoDir,
    secrets,
  };
}

/** Another market has a directory of its own beside the demo's; a recording that has ended is begun anew in the next one. */
function freshDemoDir(options: StartOptions): string {
  const parts = [
    ...(options.data === null ? [] : [basename(options.data).replace(/\..*$/, "")]),
    ...(options.seed === null ? [] : [`seed-${options.seed}`]),
    ...(options.start === null ? [] : [options.start]),
  ].map((part) => part.replace(/[^A-Za-z0-9-]+/g, "-"));
  const base = resolve([DEMO_DIR, ...parts].join("-"));
  for (let number = 1; ; number++) {
    const directory = number === 1 ? base : `${base}-${number}`;
    if (!existsSync(join(directory, ENDED_MARK))) return directory;
  }
}

/** The process's own environment goes before the file's. */
function withDotEnv(environment: Environment): Environment {
  if (!existsSync(".env")) return environment;
  const read = readDotEnv(readText(".env"));
  if (!read.ok) throw badInput(printProblem(read.error));
  return { ...read.value, ...environment };
}

function readConfig(path: string): { text: string; path: string } {
  if (!existsSync(path))
    throw badInput(`${path}: there is no such file. Make one from config/config.yaml.example, or leave --config out.`);
  return { text: readText(path), path };
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (thrown) {
    throw badInput(
      errorCode(thrown) === "EISDIR"
        ? `${path} is a folder, not a file. Name the file itself.`
        : `${path} can't be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
  if (bytes.length > CONFIG_BYTES_MAX)
    throw badInput(`${path} has ${bytes.length} bytes; a configuration has at most ${CONFIG_BYTES_MAX}.`);
  return bytes.toString("utf8");
}

/** The demo, and a broker named by the environment alone, keep their own copy of the example: `config/config.yaml` is only ever made by a person. */
async function ownCopy(dataDir: string): Promise<{ text: string; path: string }> {
  readyDataDir(dataDir);
  const path = join(dataDir, "config.yaml");
  if (existsSync(path)) return readConfig(path);
  const text = exampleYaml();
  await writeConfigFile(path, text);
  return { text, path };
}

/** Flags that are settings, in the words of the settings; the simulated day lifts its own halts. */
function overrides(options: StartOptions, isReal: boolean): readonly string[] {
  const { speed, seed, start, data, gatewayPort, chatPort, httpPort } = options;
  const port = httpPort === null ? [] : [`dashboard.port=${httpPort}`];
  if (isReal) return port;
  return [
    "risk.dailyLossReset=nextSession",
    ...port,
    ...(speed === null ? [] : [`simulator.speed=${speed}`]),
    ...(seed === null ? [] : [`simulator.seed=${seed}`]),
    ...(start === null ? [] : [`simulator.start=${start}`]),
    ...(data === null ? [] : [`simulator.market=${data}`]),
    ...(gatewayPort === null ? [] : [`simulator.gatewayPort=${gatewayPort}`]),
    ...(chatPort === null ? [] : [`simulator.chatPort=${chatPort}`]),
  ];
}

function refuseMarketFlags(options: StartOptions): void {
  const given = (["data", "speed", "seed", "start", "gatewayPort", "chatPort"] as const).filter(
    (flag) => options[flag] !== null,
  );
  if (given.length === 0) return;
  const flags = given.map((flag) => `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`).join(", ");
  throw badInput(
    `${flags}: only for the simulated market, but the broker is real (config/config.yaml, IB_HOST or IB_PORT). Add --demo, or leave them out.`,
  );
}

function without(environment: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

function shown(path: string): string {
  return path.startsWith(`${process.cwd()}/`) ? path.slice(process.cwd().length + 1) : path;
}

function orExit<T>(result: { ok: true; value: T } | { ok: false; error: readonly ConfigProblem[] }): T {
  if (result.ok) return result.value;
  const problems = result.error.map(printProblem).join("\n");
  throw badInput(`${problems}\nNothing was started.`);
}
