// What a person can get wrong at the command line ends with exit code 2 and one clear message, never a stack trace.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FREE_PORTS, startProgram } from "../support/program.ts";

const folder = mkdtempSync(join(tmpdir(), "scalper-bad-"));
const TOKEN = { TELEGRAM_BOT_TOKEN: "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1" };
let taken: Server;
let takenPort = 0;

beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  takenPort = (taken.address() as { port: number }).port;
});
afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
const file = (text: string, name = "file"): string => {
  const path = join(folder, `${name}-${++count}`);
  writeFileSync(path, text);
  return path;
};
const directory = (mode = 0o700): string => {
  const path = join(folder, `dir-${++count}`);
  mkdirSync(path, { mode: 0o700 });
  // mkdir's mode passes the umask; this one is the test's point.
  if (mode !== 0o700) makeWritable(path);
  return path;
};
const makeWritable = (path: string): void => chmodSync(path, 0o777);

type Case = { argv: readonly string[]; environment?: Record<string, string>; says: RegExp };

const CASES: readonly (readonly [string, () => Case])[] = [
  [
    "a misspelt fault of the chat server names its line, what stands there and what is allowed",
    () => ({
      argv: ["bot-api", "--port", "0", "--script", file('{"kind":"drop"}\n{"kind":"dorp"}\n')],
      says: /Line 2 of the fault script .* kind is "dorp": it must be one of status, .*drop, /,
    }),
  ],
  [
    "a misspelt fault names its line, what stands there and what is allowed",
    () => ({
      argv: ["simulate", "--port", "0", "--script", file('# night\n\n{"fault":"silense","forMs":5}\n')],
      says: /Line 3 of the fault script .* fault is "silense": it must be one of drop_connection, .*silence, /,
    }),
  ],
  [
    "a misspelt key names file, line and the nearest key",
    () => ({
      argv: ["run", "--config", file("strategy:\n  windw: 60\n")],
      environment: TOKEN,
      says: /:2: strategy\.windw: is not a key of this program; did you mean window\?/,
    }),
  ],
  [
    "a real broker without a token",
    () => ({ argv: ["run"], environment: { IB_HOST: "127.0.0.1" }, says: /TELEGRAM_BOT_TOKEN/ }),
  ],
  [
    "a malformed token is not repeated",
    () => ({
      argv: ["run"],
      environment: { IB_HOST: "127.0.0.1", TELEGRAM_BOT_TOKEN: "hunter2" },
      says: /^(?!.*hunter2).*TELEGRAM_BOT_TOKEN/s,
    }),
  ],
  [
    "a live port without live: true",
    () => ({ argv: ["run"], environment: { ...TOKEN, IB_PORT: "4001" }, says: /ibkr\.port: 4001 .*ibkr\.live: true/ }),
  ],
  [
    "a data directory that is a file",
    () => ({ argv: ["run", ...FREE_PORTS], environment: { DATA_DIR: file("x") }, says: /is not a directory/ }),
  ],
  [
    "a data directory below a file",
    () => ({
      argv: ["run", ...FREE_PORTS],
      environment: { DATA_DIR: join(file("x"), "below") },
      says: /can't be made or written/,
    }),
  ],
  [
    "a data directory that everybody may write to",
    () => ({ argv: ["run", ...FREE_PORTS], environment: { DATA_DIR: directory(0o777) }, says: /chmod o-w/ }),
  ],
  [
    "a data directory that is a link",
    () => {
      const link = join(folder, "link");
      symlinkSync(directory(), link);
      return { argv: ["run", ...FREE_PORTS], environment: { DATA_DIR: link }, says: /is a link to elsewhere/ };
    },
  ],
  [
    "a port asked for that is taken",
    () => ({
      argv: ["run", "--gateway-port", "0", "--chat-port", "0", "--http-port", String(takenPort)],
      environment: { DATA_DIR: directory() },
      says: /Port \d+ for health and metrics is taken/,
    }),
  ],
  [
    "a recording with a price of zero names the line",
    () => ({
      argv: ["run", ...FREE_PORTS, "--data", file("ts_ns,price\n1525699801000000000,2670.5\n1525699802000000000,0\n")],
      environment: { DATA_DIR: directory() },
      says: /line 3: the price 0 is not above 0/,
    }),
  ],
  [
    "a recording that is no text stays off the terminal",
    () => ({
      argv: ["run", ...FREE_PORTS, "--data", file("\u001b[2J\u0000\u0007binary\n")],
      environment: { DATA_DIR: directory() },
      says: /line 1: the columns are not text/,
    }),
  ],
  ["an unknown option", () => ({ argv: ["run", "--sped", "3"], says: /unknown option '--sped'/ })],
  [
    "bot-api does not repeat a malformed token",
    () => ({ argv: ["bot-api", "--port", "0", "--token", "hunter2"], says: /^(?!.*hunter2).*--token/s }),
  ],
];

describe.concurrent("exit code 2 and one message for", () => {
  test.each(CASES)("%s", async (_name, make) => {
    const { argv, environment, says } = make();

    // A broker named by the environment alone keeps its settings in the data directory: never in the project's own.
    const program = startProgram(argv, { DATA_DIR: directory(), ...environment });

    expect([await program.ended, program.output()]).toEqual([2, expect.stringMatching(says)]);
    expect(program.output()).not.toMatch(/^ {4}at /m);
    expect(program.output()).not.toMatch(/fault of the program/);
  });
});
