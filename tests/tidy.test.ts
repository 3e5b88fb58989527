// The borders of the house (ARCHITECTURE.md) as a test of the tree: who may import whom, and which room meets which
// library. A file in no row fails.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const LEAVES = ["clock", "units", "result", "log"];

/** room → what it may import: files and folders of src (without ending), and packages. `node:` is free to all but pure rooms. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  clock: [],
  result: [],
  units: ["result", "luxon"],
  log: ["pino", "pino-pretty"],
  watchdog: [],
  supervisor: ["clock"],
  cli: ["commander", "units", "version"],
  version: ["package.json"],
  "dead-man": ["clock", "log"],
  "second-channel": ["clock", "log"],
  main: ["cli", "log", "programs"],
  engine: ["native", "package.json"],
  journal: [...LEAVES, "journal", "lowdb"],
  config: [...LEAVES, "config", "yaml", "zod", "dotenv", "luxon"],
  "bar-data": ["result", "units", "bar-data", "luxon", "hyparquet", "fzstd"],
  sweep: ["result", "units", "engine", "config", "sweep"],
  "backtest-report": ["units", "engine", "config", "bar-data", "sweep", "backtest-report", "luxon"],
  charts: [
    ...LEAVES,
    "charts",
    "chartjs-node-canvas",
    "chart.js",
    "chartjs-adapter-luxon",
    "@napi-rs/canvas",
    "canvas",
    "luxon",
  ],
  "trading/gateway": ["engine", "result"],
  "trading/reconcile": ["engine", "result", "trading/gateway"],
  "trading/records": ["engine", "trading/desk"],
  "trading/resume": ["engine", "journal", "trading/records"],
  "trading/session": [...LEAVES, "engine", "journal", "trading/gateway", "trading/reconcile", "trading/records"],
  "trading/schedule": ["clock", "log", "trading/session", "node-cron"],
  "trading/engine-settings": ["engine", "config"],
  "trading/desk": [...LEAVES, "engine", "config", "journal/history", "trading/session", "trading/records"],
  "trading/ib": [...LEAVES, "engine", "trading/gateway", "trading/ib", "@stoqey/ib", "luxon"],
  bot: [...LEAVES, "bot", "trading/desk", "config", "charts", "grammy", "@grammyjs", "luxon"],
  dashboard: [...LEAVES, "dashboard", "trading/desk", "hono", "@hono"],
  "simulators/ib-gateway": ["clock", "result", "log", "engine", "simulators/ib-gateway", "hono", "@hono", "luxon"],
  "simulators/telegram": ["clock", "result", "log", "simulators/telegram", "hono", "@hono", "luxon"],
  programs: ["*"],
};

type SourceFile = { readonly path: string; readonly room: string; readonly imports: readonly string[] };

const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map(read);

test("every file belongs to a room", () => {
  const homeless = files.filter((file) => file.room === "").map((file) => file.path);

  expect(homeless).toEqual([]);
});

test("each room imports only what its row allows", () => {
  const broken = files.flatMap((file) =>
    file.imports.filter((name) => !isAllowed(file.room, name)).map((name) => `${file.path} imports ${name}`),
  );

  expect(broken).toEqual([]);
});

test("the table has no row without a file", () => {
  const empty = Object.keys(MAY_IMPORT).filter((room) => !files.some((file) => file.room === room));

  expect(empty).toEqual([]);
});

test("only the engine's door loads the native library", () => {
  const others = files.filter((file) => file.room !== "engine" && file.imports.some((name) => name === "native"));

  expect(others.map((file) => file.path)).toEqual([]);
});

function read(name: string): SourceFile {
  const path = join("src", name);
  const text = readFileSync(join(ROOT, path), "utf8");
  const { importedFiles } = ts.preProcessFile(text, true, true);
  const imports = importedFiles
    .map((each) => each.fileName)
    .filter((each) => !each.startsWith("node:"))
    .map((each) => named(path, each));
  return { path, room: roomOf(name), imports };
}

/** A file of ours by its path below src; a package by its name. */
function named(from: string, imported: string): string {
  if (!imported.startsWith(".")) {
    const [first = "", second = ""] = imported.split("/");
    return first.startsWith("@") ? `${first}/${second}` : first;
  }
  const target = relative(ROOT, resolve(ROOT, dirname(from), imported));
  if (target.startsWith("native/")) return "native";
  return target.replace(/^src\//, "").replace(/\.(ts|js)$/, "");
}

function roomOf(name: string): string {
  const path = name.replace(/\.ts$/, "");
  const rooms = Object.keys(MAY_IMPORT).filter((room) => path === room || path.startsWith(`${room}/`));
  return rooms.toSorted((a, b) => b.length - a.length)[0] ?? "";
}

function isAllowed(room: string, imported: string): boolean {
  const allowed = MAY_IMPORT[room] ?? [];
  return allowed.some((row) => row === "*" || imported === row || imported.startsWith(`${row}/`));
}
