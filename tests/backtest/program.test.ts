// The two programs as a person starts them: what is on which stream, and how they end.
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const VECTORS = join(ROOT, "tests/fixtures/vectors");
const MINI = [
  "--data",
  join(VECTORS, "mini_bars.csv"),
  ...[
    "strategy.sampling=1m",
    "strategy.window=5",
    "strategy.entryZ=1.5",
    "risk.stopUsd=10",
    "risk.targetUsd=15",
  ].flatMap((each) => ["--set", each]),
];
const folder = mkdtempSync(join(tmpdir(), "backtest-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("--json prints one object and nothing else", async () => {
  const { code, out, err } = await program(["backtest", ...MINI, "--json"]);

  expect(code).toBe(0);
  expect(err).toBe("");
  expect(JSON.parse(out)).toMatchObject({
    params: { window: 5 },
    stats: { trades: 4, net: -43.31 },
    bounds: { "target-first": { net: -19.45 } },
  });
  expect(out.trimEnd()).not.toContain("\n");
});

test("every figure that is null says why, and every figure has its unit and definition", async () => {
  const { out } = await program(["backtest", ...MINI, "--json", "--trials", "50"]);

  const { stats, study, definitions } = JSON.parse(out) as Record<string, Record<string, unknown>>;
  expect(stats).toMatchObject({
    sharpe_daily: null,
    best_trade: 0.11,
    worst_trade: -18.64,
    loss_streak: 3,
    slippage: 10,
    max_drawdown_peak_ts: "2024-05-07T14:08:00Z",
    max_drawdown_trough_ts: "2024-05-07T14:25:00Z",
    max_drawdown_recovered_ts: null,
    undefined: { sharpe_daily: "fewer than 2 sessions" },
  });
  expect(study).toMatchObject({ trials: 50, win_rate: null, undefined: { win_rate: "fewer than 10 to resample" } });
  for (const figures of [stats, study]) {
    for (const [name, value] of Object.entries(figures ?? {}))
      if (value === null && !name.endsWith("_ts")) expect(figures?.["undefined"]).toHaveProperty(name);
  }
  for (const name of ["net", "win_rate", "sharpe_daily", "deflated_sharpe"])
    expect(definitions?.[name]).toMatchObject({ unit: expect.any(String), definition: expect.any(String) });
});

test("the report says what it assumes first, shows both bounds, and keeps to 80 columns", async () => {
  const { code, out } = await program(["backtest", ...MINI]);

  expect(code).toBe(0);
  expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  const places = ["fills ", "slippage ", "fees ", "intrabar ", "target ", "net ", "stop-first", "target-first"].map(
    (word) => (out.indexOf(`\n${word}`) >= 0 ? out.indexOf(`\n${word}`) : out.indexOf(`  ${word}`)),
  );
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(out).toContain("−$43.31 (−34.6 t)");
});

test("--html writes one page that asks for nothing outside itself", async () => {
  const path = join(folder, "report.html");

  const { code } = await program(["backtest", ...MINI, "--html", path]);

  const page = readFileSync(path, "utf8");
  expect(code).toBe(0);
  expect(page).not.toMatch(/(?:src|href)=|url\(|@import|<script|<link|https?:/);
  expect(page.indexOf("What it assumes")).toBeLessThan(page.indexOf("<svg"));
  for (const title of [
    "Both bounds",
    "Equity and drawdown",
    "Price, trades and z",
    "By hour",
    "By weekday",
    "By month",
  ])
    expect(page).toContain(title);
});

test.each([
  [["backtest", "--data", "none.csv"], /none\.csv can't be read/],
  [["backtest", ...MINI, "--set", "strategy.window=28"], /27 bars, fewer than the window of 28/],
  [["backtest", ...MINI, "--set", "strategy.sampling=5s"], /--set strategy\.sampling=1m/],
  [["backtest", ...MINI, "--set", "strategy.windw=5"], /strategy\.windw/],
  [["backtest", ...MINI, "--set", "strategy.price=mid"], /--set strategy\.price=last/],
  [["backtest", ...MINI, "--set", "backtest.fillOn=ticks"], /holds bars.*--set backtest\.fillOn=auto/],
  [["backtest", ...MINI, "--set", "backtest.targetFill=queue"], /--set backtest\.targetFill=touch/],
  [["backtest"], /--data/],
  [["zscore", "--window", "1", "x"], /2 to 1000000/],
])("%j ends with code 2, a message, and nothing on standard output", async (argv, message) => {
  const html = join(folder, "never.html");

  const { code, out, err } = await program(argv[0] === "backtest" ? [...argv, "--html", html] : argv);

  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(message);
  expect(existsSync(html)).toBe(false);
});

test("Ctrl-C stops a long run at once and leaves nothing behind", async () => {
  const path = join(folder, "long.csv");
  const lines = Array.from(
    { length: 400_000 },
    (_, at) => `${1_715_090_400 + at * 60},4000,4000.5,3999.5,${at % 2 === 0 ? "4000" : "4000.25"}`,
  );
  writeFileSync(path, ["ts,open,high,low,close", ...lines].join("\n"));
  const html = join(folder, "stopped.html");

  const ended = program(["backtest", "--data", path, "--set", "strategy.sampling=1m", "--html", html], (child) => {
    // The first look at the open file: the program is past its own start and at work.
    const timer = process.hrtime.bigint();
    const look = (): void => {
      if (isOpen(child.pid as number, path)) child.kill("SIGINT");
      else if (process.hrtime.bigint() - timer < 30_000_000_000n) setImmediate(look);
    };
    look();
  });

  expect(await ended).toMatchObject({ code: 130, out: "", err: "Stopped. Nothing was written.\n" });
  expect(existsSync(html) || existsSync(`${html}.partial`)).toBe(false);
});

test("trades and quotes run on the exchange unless bars are asked for, and the report says so", async () => {
  const path = join(folder, "ticks.csv");
  const at = (second: number): string => `${1_715_090_400 + second}000000000`;
  const prices = Array.from({ length: 40 }, (_, second) => 4000 + (second % 2) * 0.25 + (second === 20 ? 5 : 0));
  const rows = prices.flatMap((price, second) => [
    `${at(second)},Q,${price - 0.25},9,${price + 0.25},9,,`,
    `${at(second)},T,,,,,${price},1`,
  ]);
  writeFileSync(path, ["ts_ns,type,bid,bid_size,ask,ask_size,price,size", ...rows].join("\n"));
  const sets = ["strategy.sampling=1s", "strategy.window=10", "risk.badTickTicks=100"].flatMap((each) => [
    "--set",
    each,
  ]);

  const [ticks, bars] = await Promise.all([
    program(["backtest", "--data", path, ...sets, "--json"]),
    program(["backtest", "--data", path, ...sets, "--set", "backtest.fillOn=bars", "--json"]),
  ]);

  expect(JSON.parse(ticks.out)).toMatchObject({ data: { fill_on: "ticks", quotes: "recorded" }, anomalies: 0 });
  expect(JSON.parse(bars.out)).toMatchObject({ data: { fill_on: "bars", quotes: null } });
  // The signal is the close of 4005; the short sells at the bid of the next record, a tick worse, the next bar's open a tick worse.
  expect(JSON.parse(ticks.out).trades[0]).toMatchObject({ side: "short", entry_price: 3999.5 });
  expect(JSON.parse(bars.out).trades[0]).toMatchObject({ side: "short", entry_price: 4000 });
});

test("a reader that has seen enough ends it without a word", async () => {
  const path = join(folder, "many.txt");
  writeFileSync(path, Array.from({ length: 200_000 }, (_, at) => `${at % 97}.25`).join("\n"));

  const ended = await program(["zscore", path], (child) => {
    child.stdout?.once("data", () => child.stdout?.destroy());
  });

  expect(ended).toMatchObject({ code: 0, err: "" });
});

test.runIf(existsSync("/dev/full"))("a full disk under the result is told in words", async () => {
  for (const argv of [
    ["backtest", ...MINI, "--json"],
    ["zscore", "--window", "2", join(VECTORS, "mini_bars.csv")],
  ]) {
    const full = openSync("/dev/full", "w");
    const { code, err } = await program(argv, () => {}, full);
    closeSync(full);

    expect({ code, err }).toEqual({ code: 2, err: "The result can't be printed: the disk is full.\n" });
  }
});

test("an instrument of one's own is taken from the settings", async () => {
  const own = [
    "--set",
    "contract.symbol=XYZ",
    "--set",
    "contract.custom={exchange: CME, currency: USD, tick: 0.25, multiplier: 8, feeUsd: 1.5}",
  ];

  const { out } = await program(["backtest", ...MINI, ...own, "--json"]);

  expect(JSON.parse(out)).toMatchObject({ params: { symbol: "XYZ", multiplier: 8, tick: 0.25, fee: 1.5 } });
});

test("zscore prints the vectors' z, one a line, null where it is undefined", async () => {
  const { series } = JSON.parse(readFileSync(join(VECTORS, "zscore_vectors.json"), "utf8")) as {
    series: {
      name: string;
      tol: number;
      prices: (number | string)[];
      cases: { window: number; ddof: number; z: (number | null)[] }[];
    }[];
  };
  for (const { name, prices, tol, cases } of series.filter((each) =>
    ["walk_quarter_ticks", "nan_and_inf", "negative_prices"].includes(each.name),
  )) {
    const path = join(folder, `${name}.txt`);
    writeFileSync(path, `${prices.join("\n")}\n`);
    const { window, ddof, z } = cases[0] as (typeof cases)[number];

    const { out } = await program(["zscore", "--window", String(window), "--ddof", String(ddof), path]);

    const found = out.trimEnd().split("\n");
    expect(found.length).toBe(z.length);
    for (const [at, wanted] of z.entries()) {
      if (wanted === null) expect(found[at], `${name} ${at}`).toBe("null");
      else expect(Math.abs(Number(found[at]) - wanted)).toBeLessThanOrEqual(tol * Math.max(1, Math.abs(wanted)));
    }
  }
});

test("zscore takes the close of a CSV file, and names the line that is no price", async () => {
  const good = join(folder, "good.csv");
  const bad = join(folder, "bad.csv");
  writeFileSync(good, "ts,close\na,1\nb,\nc,2\nd,4\n");
  writeFileSync(bad, "ts,close\na,1\nb,x\n");

  const [first, second] = await Promise.all([program(["zscore", "--window", "2", good]), program(["zscore", bad])]);

  expect(first.out).toBe("null\n0.7071067811865475\n0.7071067811865475\n");
  expect(second).toMatchObject({ code: 2, out: "" });
  expect(second.err).toContain('line 3, column 2 (close): "x" is not a number');
});

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

function program(
  argv: readonly string[],
  watch: (child: ReturnType<typeof spawn>) => void = () => {},
  stdout: "pipe" | number = "pipe",
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", join(ROOT, "src/main.ts"), ...argv], {
      cwd: ROOT,
      stdio: ["ignore", stdout, "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout?.on("data", (part) => (out += part));
    child.stderr?.on("data", (part) => (err += part));
    child.on("close", (code) => resolve({ code, out, err }));
    watch(child);
  });
}

/** Whether a process has a file open; where the system does not say, it is taken for open. */
function isOpen(pid: number, path: string): boolean {
  const folderOfFiles = `/proc/${pid}/fd`;
  if (!existsSync("/proc")) return true;
  try {
    return readdirSync(folderOfFiles).some((name) => readlinkSync(join(folderOfFiles, name)) === path);
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === "ENOENT") return false;
    throw thrown;
  }
}
