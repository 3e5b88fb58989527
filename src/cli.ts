// Arguments → one program with its options, and the help text. Pure: nothing is started, printed or ended here.
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { explainUnit, parseInstant } from "./units.ts";
import { VERSION } from "./version.ts";

/** Is what the person asked for. Ports: 0 = a free one. `null` = not said. */
export type Invocation =
  | { readonly type: "help"; readonly text: string }
  | { readonly type: "bad_arguments"; readonly text: string }
  | ({ readonly type: "start" | "run" } & StartOptions)
  | ({ readonly type: "simulate" } & SimulateOptions)
  | {
      readonly type: "bot-api";
      readonly port: number;
      readonly record: string | null;
      readonly state: string | null;
      readonly token: string | null;
      readonly script: string | null;
    }
  | ({ readonly type: "backtest" } & SweepOptions)
  | ({ readonly type: "zscore" } & ZscoreOptions)
  | { readonly type: "replay"; readonly dataDir: string }
  | { readonly type: "journal"; readonly verb: "verify" | "dump" | "market" | "rebuild"; readonly dataDir: string }
  | {
      readonly type: "flatten";
      readonly dryRun: boolean;
      readonly direct: boolean;
      readonly clientId: number | null;
    };

/** Options of `npm start`. */
export type StartOptions = {
  readonly config: string | null;
  readonly demo: boolean;
  readonly data: string | null;
  readonly speed: number | "max" | null;
  readonly seed: number | null;
  readonly start: string | null;
  readonly gatewayPort: number | null;
  readonly chatPort: number | null;
  readonly httpPort: number | null;
  readonly set: readonly string[];
};

/** Options of `npm run simulate`. */
export type SimulateOptions = {
  readonly port: number;
  readonly httpPort: number | null;
  readonly data: string | null;
  readonly loop: boolean;
  readonly today: boolean;
  readonly speed: number | "max";
  readonly seed: number;
  readonly volatility: number;
  readonly jumpsPerHour: number;
  readonly jumpTicks: number;
  readonly gapTicks: number;
  readonly halfLifeMinutes: number | null;
  readonly hours: "exchange" | "always";
  readonly symbol: string;
  readonly account: string;
  readonly latencyMs: number;
  readonly cashUsd: number;
  /** Is the client that hears of everybody's orders. */
  readonly masterClient: number | null;
  readonly marketData: "live" | "delayed";
  /** Is when a synthetic market begins, or where a recording is entered. */
  readonly start: string | null;
  readonly ledger: string | null;
  readonly state: string | null;
  readonly script: string | null;
};

/** Options of `npm run backtest`. */
export type BacktestOptions = {
  /** A file, or a folder of files. */
  readonly data: string;
  readonly config: string | null;
  readonly set: readonly string[];
  readonly json: boolean;
  readonly html: string | null;
  readonly contract: string | null;
  /** Parameter sets tried before this one was chosen, itself included; deflates the Sharpe ratio. */
  readonly trials: number;
};

/** Options of a sweep, which a backtest is where `sweep` is not empty. */
export type SweepOptions = BacktestOptions & {
  /** "strategy.window=20,60", "strategy.entryZ=1.5:3:0.25". */
  readonly sweep: readonly string[];
  /** So many combinations of the grid at random; null = all. */
  readonly random: number | null;
  readonly seed: number;
  readonly rank: "sharpe" | "net" | "profit-factor";
  /** "60:20". */
  readonly walkForward: string | null;
  readonly threads: number | null;
  readonly state: string | null;
  readonly csv: string | null;
  /** Two keys. */
  readonly heat: string | null;
};

/** Options of `npm run zscore`; the file "-" is standard input. */
export type ZscoreOptions = { readonly file: string; readonly window: number; readonly ddof: 0 | 1 };

/** Is what `--data` of replay and journal is when it is not said. */
const DATA_DIR = "data";

/** Returns what `argv` (without node and script) asks for. */
export function parseArguments(argv: readonly string[]): Invocation {
  let invocation: Invocation | null = null;
  let text = "";
  const program = buildCommands((found) => {
    invocation = found;
  });
  const quiet = (command: Command): void => {
    command.exitOverride();
    command.configureOutput({ writeOut: (part) => (text += part), writeErr: (part) => (text += part) });
    for (const child of command.commands) quiet(child);
  };
  quiet(program);
  try {
    program.parse([...argv], { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return { type: thrown.exitCode === 0 ? "help" : "bad_arguments", text: text.trimEnd() };
  }
  return invocation ?? { type: "help", text: program.helpInformation().trimEnd() };
}

function buildCommands(found: (invocation: Invocation) => void): Command {
  const program = new Command("quant-scalper")
    .description(
      "A futures scalping bot that is run from a Telegram chat.\nEach program has its own help: npm run PROGRAM -- --help",
    )
    .helpCommand(false)
    .showHelpAfterError("Every option: npm start -- --help, or npm run PROGRAM -- --help");

  const start = (name: "start" | "run"): Command =>
    program
      .command(name, { hidden: name === "run" })
      .description(
        "Starts the bot. Without config/config.yaml, IB_HOST or IB_PORT it trades in a simulated market, with a chat page in the browser; nothing else is needed.",
      )
      .option("--config <FILE>", "settings (default: config/config.yaml, if it is there)")
      .option("--demo", "simulate broker and chat whatever else is set")
      .option("--data <FILE>", "simulated market: a recording, or a folder of them")
      .option("--speed <N>", "simulated market: 0.1 to 1000 times real time, or max", speed)
      .option("--seed <N>", "simulated market: another seed gives another market", whole(0, 2 ** 32 - 1))
      .option("--start <TIME>", "simulated market: begin at this time, such as 2026-11-24T14:30:00Z", moment)
      .option("--gateway-port <N>", "port of the simulated gateway; 0 = a free one", port)
      .option("--chat-port <N>", "port of the chat page; 0 = a free one", port)
      .option("--http-port <N>", "port of health and metrics; 0 = a free one", port)
      .option("--set <KEY=VALUE>", "a setting over the file's, such as strategy.window=90; repeatable", collect)
      .action((options: Record<string, unknown>) =>
        found({
          type: name,
          config: text(options["config"]),
          demo: options["demo"] === true,
          data: text(options["data"]),
          speed: (options["speed"] as number | "max" | undefined) ?? null,
          seed: number(options["seed"]),
          start: text(options["start"]),
          gatewayPort: number(options["gatewayPort"]),
          chatPort: number(options["chatPort"]),
          httpPort: number(options["httpPort"]),
          set: (options["set"] as string[] | undefined) ?? [],
        }),
      );
  start("start");
  start("run");

  program
    .command("simulate")
    .description("Starts the simulated IB Gateway alone: any TWS client can connect and trade.")
    .option("--port <N>", "TWS port; 0 = a free one, printed", port, 4002)
    .option("--http-port <N>", "web page and control over HTTP; 0 = a free one, printed (default: none)", port)
    .option("--data <FILE>", "a recording, or a folder of them (default: a synthetic market)")
    .option("--loop", "a recording that has ended begins anew on the next trading day")
    .option("--today", "a recording is moved to today, or the latest trading day, its time of day kept")
    .option("--speed <N>", "0.1 to 1000 times real time, or max", speed, 1)
    .option("--seed <N>", "seed of the synthetic market", whole(0, 2 ** 32 - 1), 7)
    .option("--volatility <N>", "0.1 to 10 times the measured moves of the synthetic market", factor, 1)
    .option("--jumps <N>", "sudden moves an hour of the synthetic market", whole(0, 3_600), 0)
    .option("--jump-ticks <N>", "size of such a move, on average", whole(1, 10_000), 40)
    .option("--gap-ticks <N>", "deviation of the step over a night or weekend", whole(0, 10_000), 8)
    .option(
      "--half-life <MIN>",
      "minutes after which the price has come half-way back (default: never)",
      whole(1, 100_000),
    )
    .addOption(
      new Option("--hours <WHICH>", "when the market is open").choices(["always", "exchange"]).default("always"),
    )
    .option("--symbol <NAME>", "whose market moves", "MES")
    .option("--account <ID>", "the account's id", "DU1234567")
    .option("--latency <MS>", "market time from an order's arrival to its effect", whole(0, 60_000), 5)
    .option("--cash <USD>", "cash of the account", whole(0, 1_000_000_000), 10_000)
    .addOption(
      new Option("--market-data <WHICH>", "what the account subscribes to: delayed = old prices, and only on request")
        .choices(["live", "delayed"])
        .default("live"),
    )
    .option("--master-client <ID>", "the client that hears of everybody's orders", whole(0, 2 ** 31 - 1))
    .option("--start <TIME>", "begin at this time, such as 2026-11-24T14:30:00Z (default: now, or a recording's first)")
    .option("--ledger <FILE>", "write every order, cancel, modify, fill and position as JSON lines")
    .option("--state <FILE>", "keep account, orders and clock here; a restart goes on where it stood")
    .option("--script <FILE>", "a fault script")
    .action((options: Record<string, unknown>) =>
      found({
        type: "simulate",
        port: options["port"] as number,
        httpPort: number(options["httpPort"]),
        data: text(options["data"]),
        loop: options["loop"] === true,
        today: options["today"] === true,
        speed: options["speed"] as number | "max",
        seed: options["seed"] as number,
        volatility: options["volatility"] as number,
        jumpsPerHour: options["jumps"] as number,
        jumpTicks: options["jumpTicks"] as number,
        gapTicks: options["gapTicks"] as number,
        halfLifeMinutes: number(options["halfLife"]),
        hours: options["hours"] as "exchange" | "always",
        symbol: options["symbol"] as string,
        account: options["account"] as string,
        latencyMs: options["latency"] as number,
        cashUsd: options["cash"] as number,
        masterClient: number(options["masterClient"]),
        marketData: options["marketData"] as "live" | "delayed",
        start: text(options["start"]),
        ledger: text(options["ledger"]),
        state: text(options["state"]),
        script: text(options["script"]),
      }),
    );

  program
    .command("bot-api")
    .description("Starts the local Bot API server with its chat page alone: any Telegram bot can connect.")
    .option("--port <N>", "0 = a free one, printed", port, 8081)
    .option("--record <FILE>", "write every call and its answer as JSON lines")
    .option("--state <FILE>", "keep chats here; a restart goes on where it stood")
    .option("--token <TOKEN>", "serve this bot only (default: the demo's, printed)")
    .option("--script <FILE>", "a fault script")
    .action((options: Record<string, unknown>) =>
      found({
        type: "bot-api",
        port: options["port"] as number,
        record: text(options["record"]),
        state: text(options["state"]),
        token: text(options["token"]),
        script: text(options["script"]),
      }),
    );

  program
    .command("backtest")
    .description("Runs the strategy over recorded bars or ticks and reports what it would have made, costs included.")
    .requiredOption(
      "--data <FILE>",
      "a CSV, CSV.gz or Parquet file, or a folder of them: bars, trades, or quotes and trades",
    )
    .option("--config <FILE>", "settings (default: config/config.yaml, if it is there)")
    .option("--set <KEY=VALUE>", "a setting over the file's, such as strategy.window=60; repeatable", collect, [])
    .option("--contract <CODE>", "which contract of the data, such as ESZ3 (default: the one with the most bars)")
    .option("--json", "print one JSON object instead of the report", false)
    .option("--html <FILE>", "write a report with charts, one file that needs nothing else")
    .option("--trials <N>", "how many parameter sets you have tried, this one included", whole(1, 1_000_000), 1)
    .option(
      "--sweep <KEY=VALUES>",
      "run every combination: strategy.window=20,60,200 or strategy.entryZ=1.5:3:0.25 (from, to, step); repeatable",
      collect,
      [],
    )
    .option("--random <N>", "sweep: only so many combinations, drawn at random", whole(1, 100_000))
    .option("--seed <N>", "sweep: another seed draws others", whole(0, 2 ** 32 - 1), 7)
    .addOption(
      new Option("--rank <BY>", "sweep: what combinations are compared by")
        .choices(["sharpe", "net", "profit-factor"])
        .default("sharpe"),
    )
    .option(
      "--walk-forward <IN:OUT>",
      "sweep: choose on IN trading days, judge on the OUT after them, and so on through the data, such as 60:20",
    )
    .option("--heat <KEY,KEY>", "sweep: the two settings of the heat map (default: the first two)")
    .option("--csv <FILE>", "sweep: write a line for each combination")
    .option("--state <FILE>", "sweep: keep what is done here; the same command goes on where it stood")
    .option("--threads <N>", "sweep: threads (default: one for each processor)", whole(1, 256))
    .action((options: Record<string, unknown>, command: Command) => {
      const sweep = options["sweep"] as string[];
      const idle = command.options.filter(
        (option) =>
          option.description.startsWith("sweep: ") && command.getOptionValueSource(option.attributeName()) === "cli",
      );
      if (sweep.length === 0 && idle.length > 0)
        command.error(
          `error: ${idle.map(({ long }) => long).join(", ")}: only a sweep has use for these. Say what to sweep with --sweep, or leave them out.`,
        );
      found({
        type: "backtest",
        sweep,
        random: number(options["random"]),
        seed: options["seed"] as number,
        rank: options["rank"] as SweepOptions["rank"],
        walkForward: text(options["walkForward"]),
        heat: text(options["heat"]),
        csv: text(options["csv"]),
        state: text(options["state"]),
        threads: number(options["threads"]),
        data: options["data"] as string,
        config: text(options["config"]),
        set: options["set"] as string[],
        json: options["json"] === true,
        html: text(options["html"]),
        contract: text(options["contract"]),
        trials: options["trials"] as number,
      });
    });

  program
    .command("zscore")
    .description("Prints z for each price of a file, one a line; null while the window is not full or constant.")
    .argument("<FILE>", "one price a line, or CSV with a column close or price; - = standard input")
    .option("--window <N>", "prices in the window, this one included", whole(2, 1_000_000), 20)
    .addOption(
      new Option("--ddof <N>", "1 = sample deviation, 0 = population deviation").choices(["0", "1"]).default("1"),
    )
    .action((file: string, options: Record<string, unknown>) =>
      found({
        type: "zscore",
        file,
        window: options["window"] as number,
        ddof: options["ddof"] === "0" ? 0 : 1,
      }),
    );

  program
    .command("replay")
    .description("Runs a journal through the engine again and checks that the same effects come out, byte for byte.")
    .argument("[DATA_DIR]", "the data directory", DATA_DIR)
    .action((dataDir: string) => found({ type: "replay", dataDir }));

  const journal = program.command("journal").description("Looks at a journal, or mends it.").helpCommand(false);
  const verbs = {
    verify: "Reads every byte and says what the journal holds, or where it is damaged.",
    dump: "Prints each record as a JSON line.",
    market:
      "Prints the quotes and trades that the bot has seen as a recording, for --data of simulate, start and backtest.",
    rebuild: "Moves damaged files aside; what is missing is taken from the broker at the next start.",
  } as const;
  for (const verb of ["verify", "dump", "market", "rebuild"] as const) {
    const command = journal
      .command(verb)
      .description(verbs[verb])
      .argument("[DATA_DIR]", "the data directory", DATA_DIR);
    if (verb === "dump") command.option("--json", "said or not: it always prints JSON lines");
    command.action((dataDir: string) => found({ type: "journal", verb, dataDir }));
  }

  program
    .command("flatten")
    .description(
      "Emergency: cancels our orders and closes the position, by the living bot or else directly at the broker.",
    )
    .option("--dry-run", "only say what would be done")
    .option("--direct", "don't ask the living bot")
    .option("--client-id <N>", "client id for the direct connection", whole(1, 999_999))
    .action((options: Record<string, unknown>) =>
      found({
        type: "flatten",
        dryRun: options["dryRun"] === true,
        direct: options["direct"] === true,
        clientId: number(options["clientId"]),
      }),
    );

  for (const command of [program, ...program.commands])
    command.version(VERSION, "--version", "says which version this is");
  return program;
}

const port = whole(0, 65_535);

function whole(min: number, max: number): (typed: string) => number {
  return (typed) => {
    const value = Number(typed);
    if (!/^\d+$/.test(typed) || value < min || value > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** Checked here, so that a mistake is told of the flag and not of the setting behind it. */
function moment(typed: string): string {
  const read = parseInstant(typed);
  if (!read.ok) throw new InvalidArgumentError(`${explainUnit(read.error)}.`);
  return typed;
}

function speed(typed: string): number | "max" {
  if (typed === "max") return "max";
  const value = Number(typed.replace(/^[×x]/, ""));
  if (!(value >= 0.1 && value <= 1_000)) throw new InvalidArgumentError("must be a number from 0.1 to 1000, or max.");
  return value;
}

function factor(typed: string): number {
  const value = Number(typed.replace(/^[×x]/, ""));
  if (!(value >= 0.1 && value <= 10)) throw new InvalidArgumentError("must be a number from 0.1 to 10.");
  return value;
}

function collect(typed: string, before: readonly string[] = []): readonly string[] {
  return [...before, typed];
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
