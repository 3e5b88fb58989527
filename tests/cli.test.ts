import { expect, test } from "vitest";
import { parseArguments } from "../src/cli.ts";

test.each([
  [["start"], { type: "start", chatPort: null, demo: false, set: [] }],
  [
    ["start", "--gateway-port", "0", "--chat-port", "0", "--http-port", "0"],
    { gatewayPort: 0, chatPort: 0, httpPort: 0 },
  ],
  [["start", "--data", "es.csv.gz", "--speed", "20"], { data: "es.csv.gz", speed: 20 }],
  [["start", "--speed", "max"], { speed: "max" }],
  [["start", "--set", "a=1", "--set", "b=2"], { set: ["a=1", "b=2"] }],
  [["run", "--demo"], { type: "run", demo: true }],
  [
    ["simulate", "--jumps", "6", "--half-life", "30"],
    { type: "simulate", jumpsPerHour: 6, jumpTicks: 40, gapTicks: 8, halfLifeMinutes: 30, volatility: 1 },
  ],
  [["simulate"], { type: "simulate", port: 4002, hours: "always", speed: 1, seed: 7, httpPort: null }],
  [
    ["simulate", "--port", "0", "--ledger", "l.jsonl", "--hours", "exchange"],
    { port: 0, ledger: "l.jsonl", hours: "exchange" },
  ],
  [["bot-api", "--record", "calls.jsonl"], { type: "bot-api", port: 8081, record: "calls.jsonl" }],
  [
    ["backtest", "--data", "es.csv.gz", "--set", "a=1", "--json", "--contract", "ESZ3"],
    { type: "backtest", data: "es.csv.gz", set: ["a=1"], json: true, html: null, contract: "ESZ3", config: null },
  ],
  [["zscore", "p.txt"], { type: "zscore", file: "p.txt", window: 20, ddof: 1 }],
  [["zscore", "--window", "5", "--ddof", "0", "-"], { type: "zscore", file: "-", window: 5, ddof: 0 }],
  [["replay"], { type: "replay", dataDir: "data" }],
  [["journal", "dump", "--json", "data/demo"], { type: "journal", verb: "dump", dataDir: "data/demo" }],
  [["journal", "verify"], { type: "journal", verb: "verify", dataDir: "data" }],
  [["flatten", "--dry-run", "--client-id", "9"], { type: "flatten", dryRun: true, direct: false, clientId: 9 }],
])("%j is understood", (argv, wanted) => {
  expect(parseArguments(argv)).toMatchObject(wanted);
});

test.each([
  [["start", "--speed", "0"], /0\.1 to 1000/],
  [["start", "--chat-port", "65536"], /0 to 65535/],
  [["start", "--chat-port", "x"], /whole number/],
  [["start", "--sped", "2"], /--speed/],
  [["start", "--start", "yesterday"], /--start .*"yesterday" is not a moment with its offset, such as 2018/],
  [["strat"], /start/],
  [["start", "extra"], /argument/],
  [["journal", "burn"], /burn/],
  [["simulate", "--hours", "never"], /always/],
  [["backtest"], /--data/],
  [
    ["backtest", "--data", "x", "--csv", "t.csv", "--seed", "7"],
    /--seed, --csv: only a sweep has use for these.*--sweep/,
  ],
  [["zscore"], /FILE/],
  [["zscore", "--ddof", "2", "p.txt"], /0, 1/],
])("%j is refused with what is allowed", (argv, message) => {
  const invocation = parseArguments(argv);

  expect(invocation.type).toBe("bad_arguments");
  expect((invocation as { text: string }).text).toMatch(message);
});

test.each([[["--help"]], [["start", "--help"]], [["simulate", "--help"]], [["journal", "--help"]]])(
  "%j explains itself",
  (argv) => {
    const invocation = parseArguments(argv);

    expect(invocation.type).toBe("help");
    expect((invocation as { text: string }).text).toMatch(/Usage/);
  },
);

test.each([[["--version"]], [["start", "--version"]], [["backtest", "--version"]]])("%j says the version", (argv) => {
  expect(parseArguments(argv)).toEqual({ type: "help", text: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
});
