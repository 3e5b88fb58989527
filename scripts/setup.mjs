#!/usr/bin/env node
// Makes a fresh clone ready and then does what was asked: dependencies by the lock file, the native engine, the
// TypeScript build. Each step is skipped when nothing that it depends on has changed. Needs nothing but Node itself.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, homedir, loadavg, platform } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const STAMPS = join(ROOT, ".setup");
const NODE_MIN = [20, 18];
/** The oldest Rust that builds the engine; the same number stands in native/Cargo.toml as rust-version. */
const RUST_MIN = [1, 88];
const BAD_INPUT = 2;

const RUSTUP_DOWNLOAD = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs";
const RUSTUP_BIN = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
const HELP = `usage: node scripts/setup.mjs [--native] [--then PROGRAM ARGUMENTS… | --then-test | --then-check | --then-bench | --then-conformance | --then-faults]

Installs the dependencies by the lock file, builds the native engine (installing a Rust toolchain where there is none)
and compiles the TypeScript; each step is skipped when it is up to date. Then starts PROGRAM (see: npm start -- --help),
or runs the tests, all checks, the benchmarks, the clients of other people against the simulators, or the bot under faults.`;

await main(process.argv.slice(2));

async function main(argv) {
  checkNode();
  process.chdir(ROOT);
  const [mode, ...rest] = argv;
  if (mode === "--help" || mode === "-h") return void console.log(HELP);

  // A question about the program itself wants its answer on standard output, not the set-up's.
  await withLock(async () => {
    await installDependencies();
    await buildNative({ force: mode === "--native" });
    await compile();
  });

  switch (mode) {
    case undefined:
    case "--native":
      return say("Ready. Start it with: npm start");
    case "--then":
      process.argv = [process.argv[0], join(ROOT, "dist/main.js"), ...rest];
      await import(pathToFileURL(join(ROOT, "dist/main.js")).href);
      return;
    case "--then-test":
      return runAll([["the TypeScript tests", bin("vitest"), ["run", ...rest]], ...rustTests()]);
    case "--then-check": {
      // CI has run the tests already, by the command of the README.
      const withTests = rest[0] !== "--without-tests";
      return runAll([
        ["formatting and lint", bin("biome"), ["check", "--error-on-warnings", "."]],
        ["types", bin("tsc"), ["-p", "tsconfig.json"]],
        ["unused code", bin("knip"), []],
        ["Rust formatting", cargo(), ["fmt", "--manifest-path", "native/Cargo.toml", "--all", "--check"]],
        ["Rust lints of the core", cargo(), [...clippy("scalper-core"), "--all-targets", "--", "-D", "warnings"]],
        // Built as a test the binding exports nothing, and everything in it looks unused.
        ["Rust lints of the binding", cargo(), [...clippy("scalper-binding"), "--", "-D", "warnings"]],
        ...(withTests ? [["the TypeScript tests", bin("vitest"), ["run", ...rest]], ...rustTests()] : []),
      ]);
    }
    case "--then-bench":
      say(
        `machine: ${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} processors, ${platform()} ${process.arch}`,
      );
      say(
        `load: ${loadavg()
          .map((load) => load.toFixed(2))
          .join(" ")}`,
      );
      return runAll([
        [
          "the core",
          cargo(),
          ["bench", "--quiet", "--manifest-path", "native/Cargo.toml", "-p", "scalper-core", "--bench", "speed"],
        ],
        ...filesIn("tests/bench", /\.bench\.ts$/).map((file) => [
          file,
          process.execPath,
          ["--import", "tsx", file, ...rest],
        ]),
      ]);
    case "--then-conformance":
      return runAll([["other people's clients", process.execPath, ["scripts/conformance.mjs", ...rest]]]);
    case "--then-faults":
      return runAll([
        ["the bot under faults", process.execPath, ["--import", "tsx", "tests/faults/sweep.ts", ...rest]],
      ]);
    default:
      console.error(`setup: unknown argument "${mode}".\n\n${HELP}`);
      process.exit(BAD_INPUT);
  }
}

function clippy(crate) {
  return ["clippy", "--quiet", "--manifest-path", "native/Cargo.toml", "-p", crate];
}

function rustTests() {
  return [["the Rust tests", cargo(), ["test", "--quiet", "--manifest-path", "native/Cargo.toml", "--workspace"]]];
}

function checkNode() {
  const have = process.versions.node.split(".").map(Number);
  if (have[0] > NODE_MIN[0] || (have[0] === NODE_MIN[0] && have[1] >= NODE_MIN[1])) return;
  console.error(
    `Quant Scalper needs Node ${NODE_MIN.join(".")} or newer; this is ${process.version}. Get it from nodejs.org and start again.`,
  );
  process.exit(BAD_INPUT);
}

async function installDependencies() {
  const stamp = hashOf([...["package.json", "package-lock.json", ".npmrc"], ...filesIn("vendor", /./)]);
  if (isDone("dependencies", stamp) && existsSync("node_modules")) return;

  const arguments_ = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const first = await step("Installing dependencies", npm(), ["ci", ...arguments_], { mayFail: true });
  if (first.code !== 0) {
    // npm 11 refuses a lock file that lacks the binaries of other platforms; `install` takes the same versions from it.
    if (!/Missing:.*from lock file|can only install packages when your package.json/s.test(first.output))
      fail("npm ci", first);
    await step("Installing dependencies (this platform's binaries)", npm(), ["install", "--no-save", ...arguments_]);
  }
  markDone("dependencies", stamp);
}

async function buildNative({ force }) {
  const stamp = hashOf([...filesIn("native", /\.(rs|toml|lock)$/, /^(target|dist)$/), "package.json"]);
  if (!force && isDone("native", stamp) && existsSync("native/dist/index.cjs")) return;

  await needRust();
  await step("Building the native engine", bin("napi"), [
    "build",
    "--platform",
    "--release",
    ...["--manifest-path", "native/binding/Cargo.toml"],
    ...["--output-dir", "native/dist"],
    ...["--js", "index.cjs"],
    ...["--dts", "index.d.ts"],
  ]);
  markDone("native", stamp);
}

async function compile() {
  const stamp = hashOf([
    ...filesIn("src", /\.ts$/),
    ...filesIn("native", /\.d\.ts$/, /^(target|dist)$/),
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
  ]);
  if (isDone("typescript", stamp) && existsSync("dist/main.js")) return;

  rmSync("dist", { recursive: true, force: true });
  await step("Compiling the TypeScript", bin("tsc"), ["-p", "tsconfig.build.json"]);
  markDone("typescript", stamp);
}

// Rust: what is there → the distribution's package → rustup → one command to type.

async function needRust() {
  addToPath(RUSTUP_BIN);
  const have = rustVersion();
  if (have !== null && isNewEnough(have)) return;
  say(
    have === null
      ? "There is no Rust toolchain."
      : `The Rust toolchain ${have.join(".")} is older than ${RUST_MIN.join(".")}.`,
  );

  if (await installDebianRust()) return;
  if (await installRustup()) return;
  console.error(
    `The engine needs Rust ${RUST_MIN.join(".")} or newer, and it could not be installed from here.\n` +
      `Install it with this command, or as https://rustup.rs says for your system:\n\n    ${RUSTUP_DOWNLOAD} | sh\n\n` +
      "Then open a new terminal and start again.",
  );
  process.exit(BAD_INPUT);
}

async function installDebianRust() {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !onPath("apt-get")) return false;
  const quiet = { mayFail: true };
  await step("Reading the package lists", "apt-get", ["update", "-qq"], quiet);
  for (const packages of [
    ["cargo-web", "rustc-web"],
    ["cargo", "rustc"],
  ]) {
    const done = await step(
      `Installing Rust (${packages[0]})`,
      "apt-get",
      ["install", "-y", "-qq", ...packages, "gcc", "libc6-dev"],
      quiet,
    );
    const version = rustVersion();
    if (done.code === 0 && version !== null && isNewEnough(version)) return true;
  }
  return false;
}

async function installRustup() {
  if (process.platform === "win32" || !onPath("curl")) return false;
  // First all of it, then run: a pipe would call a download that failed a success.
  const script = `installer="$(${RUSTUP_DOWNLOAD})" && sh -c "$installer" rustup-init -y --profile minimal --no-modify-path`;
  await step("Installing Rust (rustup)", "sh", ["-c", script], { mayFail: true });
  addToPath(RUSTUP_BIN);
  const version = rustVersion();
  return version !== null && isNewEnough(version);
}

function rustVersion() {
  const answer = spawnSync("cargo", ["--version"], { encoding: "utf8" });
  const found = /cargo (\d+)\.(\d+)/.exec(answer.stdout ?? "");
  return answer.status === 0 && found !== null ? [Number(found[1]), Number(found[2])] : null;
}

function isNewEnough([major, minor]) {
  return major > RUST_MIN[0] || (major === RUST_MIN[0] && minor >= RUST_MIN[1]);
}

function addToPath(folder) {
  if (existsSync(folder)) process.env.PATH = `${process.env.PATH}${delimiter}${folder}`;
}

function onPath(name) {
  return spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
}

// Running things

function npm() {
  return process.platform === "win32" ? "npm.cmd" : "npm";
}

function cargo() {
  addToPath(RUSTUP_BIN);
  return "cargo";
}

function bin(name) {
  return join(ROOT, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);
}

/** Runs a command behind one line of progress; its output is shown only when it fails. */
function step(title, command, arguments_, { mayFail = false } = {}) {
  return new Promise((resolve) => {
    const startMs = Date.now();
    const seconds = () => Math.round((Date.now() - startMs) / 1000);
    const isTerminal = process.stderr.isTTY === true;
    process.stderr.write(isTerminal ? `… ${title}` : `${title} …\n`);
    const ticker = setInterval(
      () => process.stderr.write(isTerminal ? `\r… ${title} (${seconds()} s)` : `  still at it (${seconds()} s)\n`),
      isTerminal ? 1_000 : 15_000,
    );
    let output = "";
    const child = spawn(command, arguments_, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    const keep = (chunk) => {
      output = (output + chunk).slice(-200_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const end = (code) => {
      clearInterval(ticker);
      const mark = code === 0 ? "✓" : mayFail ? "·" : "✗";
      process.stderr.write(`${isTerminal ? "\r" : ""}${mark} ${title} (${seconds()} s)\n`);
      const result = { code, output };
      if (code !== 0 && !mayFail) fail(`${command} ${arguments_.join(" ")}`, result);
      resolve(result);
    };
    child.on("error", (error) => {
      output += error.message;
      end(127);
    });
    child.on("exit", (code) => end(code ?? 1));
  });
}

function fail(command, { code, output }) {
  console.error(`${output.trim()}\n\nThis step failed (exit code ${code}): ${command.replace(`${ROOT}/`, "")}`);
  process.exit(1);
}

/** Runs each command with its output shown; goes on after a failure, and ends with what failed. */
async function runAll(commands) {
  const failed = [];
  let worst = 0;
  for (const [title, command, arguments_] of commands) {
    say(`\n── ${title}`);
    const code = await new Promise((resolve) => {
      const child = spawn(command, arguments_, { cwd: ROOT, stdio: "inherit", shell: process.platform === "win32" });
      child.on("error", (error) => {
        console.error(error.message);
        resolve(127);
      });
      child.on("exit", (status) => resolve(status ?? 1));
    });
    if (code !== 0) failed.push(title);
    // One program alone speaks for itself: 2 is bad input.
    if (code !== 0) worst = commands.length === 1 ? code : 1;
  }
  say(failed.length === 0 ? "\n✓ all of it passed" : `\n✗ failed: ${failed.join(", ")}`);
  process.exitCode = worst;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

// What is done already

function isDone(name, stamp) {
  const file = join(STAMPS, name);
  return existsSync(file) && readFileSync(file, "utf8") === stamp;
}

function markDone(name, stamp) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), stamp);
}

function hashOf(files) {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  for (const file of files.toSorted()) {
    if (existsSync(file)) hash.update(`${relative(ROOT, file)}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

function filesIn(folder, name, skip = /^$/) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skip.test(entry.name) ? [] : filesIn(path, name, skip);
    return name.test(entry.name) ? [path] : [];
  });
}

/** Lets one set-up work at a time in this folder; a lock of a dead process is taken over. */
async function withLock(work) {
  mkdirSync(STAMPS, { recursive: true });
  const file = join(STAMPS, "lock");
  let said = false;
  for (;;) {
    try {
      const handle = openSync(file, "wx");
      writeSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (isStale(file)) rmSync(file, { force: true });
      else {
        if (!said) say("Another set-up is at work in this folder; waiting for it …");
        said = true;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

function isStale(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (!Number.isInteger(pid) || pid <= 0) return Date.now() - statSync(file).mtimeMs > 5_000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH" || error.code === "ENOENT";
  }
}
