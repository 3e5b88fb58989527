#!/usr/bin/env node
// Other people's clients against both simulators: makes a Python environment with their libraries (pinned, by hash, kept
// in .setup/), starts a fresh server for each library and runs its script of tests/conformance. One line a check.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const SCRIPTS = join(ROOT, "tests/conformance");
const HOME = join(ROOT, ".setup/conformance");
const PYTHON_MIN = [3, 10];
/** A script that has not ended by then has failed. */
const SCRIPT_MS_MAX = 120_000;
const SERVER_START_MS_MAX = 30_000;
const SCRIPTS_AT_ONCE = 3;
const BAD_INPUT = 2;

/** The client that the gateways let hear of everybody's orders. */
const MASTER_CLIENT_ID = 99;
/** What a gateway with a control says first: its port and where the control is. */
const SAID_WITH_CONTROL = /TWS port\s+\S+:(\d+)[\s\S]*Control\s+(\S+)\/simulate/;
/** A Saturday: the second gateway's market is closed for all of a run. */
const CLOSED_AT = "2026-01-10T18:00:00Z";

/** Each library with its script, its server and, where two versions of one module are tried, where that module lies. */
const LIBRARIES = {
  ib_async: { script: "gateway_ib_async.py", server: gatewayAndDelayed },
  ibapi: { script: "gateway_ibapi.py", server: gateway },
  "ibapi-latest": { script: "gateway_ibapi.py", server: gateway, modules: "ibapi-latest" },
  "python-telegram-bot": { script: "telegram_ptb.py", server: botApi },
  aiogram: { script: "telegram_aiogram.py", server: botApi },
  pyTelegramBotAPI: { script: "telegram_telebot.py", server: botApi },
};

const HELP = `usage: npm run conformance [-- LIBRARY…]

Drives the simulated gateway and the local Bot API server with the client libraries of other people:
${Object.keys(LIBRARIES).join(", ")}. Without names all of them.
Needs Python ${PYTHON_MIN.join(".")} or newer and, the first time, the Python package index; without them it says "skipped".`;

process.exitCode = await main(process.argv.slice(2));

async function main(names) {
  if (names.includes("--help") || names.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const unknown = names.filter((name) => LIBRARIES[name] === undefined);
  if (unknown.length > 0) {
    console.error(`conformance: there is no library "${unknown[0]}" here.\n\n${HELP}`);
    return BAD_INPUT;
  }
  const python = findPython();
  if (python === null) return skip(`there is no Python ${PYTHON_MIN.join(".")} or newer`);
  const environment = await makeEnvironment(python);
  if (environment.skipped !== undefined) return skip(environment.skipped);
  if (environment.failed !== undefined) {
    console.error(environment.failed);
    return 1;
  }

  const startMs = Date.now();
  const waiting = names.length > 0 ? [...new Set(names)] : Object.keys(LIBRARIES);
  const results = [];
  const runNext = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      results.push(await runLibrary(name, environment.python));
    }
  };
  await Promise.all(Array.from({ length: SCRIPTS_AT_ONCE }, runNext));

  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const seconds = Math.round((Date.now() - startMs) / 1000);
  const isGood = results.every((result) => result.code === 0);
  console.log(`conformance: ${sum("passed")} checks passed, ${sum("failed")} failed, ${seconds} s`);
  return isGood ? 0 : 1;
}

function skip(reason) {
  console.log(`conformance: skipped, ${reason}.`);
  return 0;
}

// The Python environment

function findPython() {
  for (const name of ["python3", "python"]) {
    const asked = spawnSync(name, ["-c", "import sys; print(*sys.version_info[:2])"], { encoding: "utf8" });
    if (asked.status !== 0) continue;
    const [major, minor] = asked.stdout.trim().split(" ").map(Number);
    if (major > PYTHON_MIN[0] || (major === PYTHON_MIN[0] && minor >= PYTHON_MIN[1])) return name;
  }
  return null;
}

/** Returns the environment's Python, or why there is none: what is missing on this machine, or what is wrong with us. */
async function makeEnvironment(python) {
  const files = ["requirements.txt", "requirements-ibapi.txt"].map((name) => join(SCRIPTS, name));
  const version = spawnSync(python, ["-VV"], { encoding: "utf8" }).stdout;
  const hash = createHash("sha256").update(version);
  for (const file of files) hash.update(readFileSync(file));
  const stamp = hash.digest("hex");
  const stampFile = join(HOME, "stamp");
  const inside = join(HOME, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return { python: inside };

  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(HOME, { recursive: true });
  console.error("conformance: making a Python environment …");
  const made = await run(python, ["-m", "venv", HOME]);
  if (made.code !== 0) return { skipped: `this Python can't make environments (its module venv is missing)` };
  console.error("conformance: installing the client libraries …");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"];
  const installs = [
    [...pip, "-r", files[0]],
    [...pip, "--target", join(HOME, "ibapi-latest"), "-r", files[1]],
  ];
  for (const install of installs) {
    const installed = await run(inside, install);
    if (installed.code === 0) continue;
    if (isUnreachable(installed.output)) return { skipped: "the Python package index can't be reached" };
    return { failed: `${installed.output.trim()}\nconformance: the client libraries could not be installed.` };
  }
  writeFileSync(stampFile, stamp);
  return { python: inside };
}

/** pip says so in words only: no name, no route, or nothing of a package. A version that is gone, or a wrong hash, is none of these. */
function isUnreachable(output) {
  return /from versions: none|NewConnectionError|Name or service not known|ConnectTimeout|Network is unreachable|ProxyError|SSLError/.test(
    output,
  );
}

function run(command, arguments_) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, arguments_, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve({ code: 127, output: output + error.message }));
    child.on("exit", (code) => resolve({ code: code ?? 1, output }));
  });
}

// One library

async function runLibrary(name, python) {
  const { script, server, modules } = LIBRARIES[name];
  const servers = [];
  try {
    const arguments_ = await server(servers);
    return await runScript(name, python, [join(SCRIPTS, script), ...arguments_], modules);
  } catch (error) {
    console.log(`FAILED  ${name} · its server starts: ${error.message}`);
    return { code: 1, passed: 0, failed: 1 };
  } finally {
    await Promise.all(servers.map(stop));
  }
}

function runScript(name, python, arguments_, modules) {
  return new Promise((resolve) => {
    let passed = 0;
    let failed = 0;
    const child = spawn(python, arguments_, {
      cwd: SCRIPTS,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: "1",
        ...(modules === undefined ? {} : { PYTHONPATH: join(HOME, modules) }),
      },
    });
    const note = (line) => {
      if (line.startsWith("ok ")) passed += 1;
      else if (line.startsWith("FAILED ")) failed += 1;
      console.log(line);
    };
    eachLine(child.stdout, note);
    eachLine(child.stderr, (line) => console.error(`        ${line}`));
    const giveUp = setTimeout(() => {
      note(`FAILED  ${name} · its script ends within ${SCRIPT_MS_MAX / 1000} s`);
      child.kill("SIGKILL");
    }, SCRIPT_MS_MAX);
    child.on("close", (code) => {
      clearTimeout(giveUp);
      if (code !== 0 && failed === 0) note(`FAILED  ${name} · its script ended with exit code ${code}`);
      resolve({ code: code ?? 1, passed, failed });
    });
  });
}

// The servers

/** Starts a gateway whose market is open and one whose market is closed; returns what the scripts are told. */
async function gateway(servers) {
  const open = ["simulate", "--port", "0", "--http-port", "0", "--speed", "20"];
  const closed = ["simulate", "--port", "0", "--hours", "exchange", "--start", CLOSED_AT];
  const [first, second] = await Promise.all([
    start(servers, [...open, "--master-client", String(MASTER_CLIENT_ID)], SAID_WITH_CONTROL),
    start(servers, closed, /TWS port\s+\S+:(\d+)/),
  ]);
  return [first[1], first[2], String(MASTER_CLIENT_ID), second[1]];
}

/** Starts one more gateway, whose account sees delayed data only. */
async function gatewayAndDelayed(servers) {
  const delayed = ["simulate", "--port", "0", "--http-port", "0", "--market-data", "delayed"];
  const [told, third] = await Promise.all([gateway(servers), start(servers, delayed, SAID_WITH_CONTROL)]);
  return [...told, third[1], third[2]];
}

/** Starts a Bot API server; returns its address. */
async function botApi(servers) {
  const found = await start(servers, ["bot-api", "--port", "0"], /API root\s+(\S+)/);
  return [found[1]];
}

/** Starts a program of ours and returns what `said` finds in its first words. */
function start(servers, arguments_, said) {
  return new Promise((resolve, reject) => {
    let output = "";
    const child = spawn(process.execPath, [join(ROOT, "dist/main.js"), ...arguments_], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    servers.push(child);
    const giveUp = setTimeout(
      () => reject(new Error(`it said nothing within ${SERVER_START_MS_MAX / 1000} s\n${output}`)),
      SERVER_START_MS_MAX,
    );
    const look = (chunk) => {
      output = (output + chunk).slice(-20_000);
      const found = said.exec(output);
      if (found === null) return;
      clearTimeout(giveUp);
      resolve(found);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("exit", (code) => {
      clearTimeout(giveUp);
      reject(new Error(`it ended with exit code ${code}\n${output}`));
    });
  });
}

function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    const giveUp = setTimeout(() => child.kill("SIGKILL"), 5_000);
    child.on("exit", () => {
      clearTimeout(giveUp);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

function eachLine(stream, act) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) act(line);
  });
  stream.on("end", () => {
    if (rest !== "") act(rest);
  });
}
