// Precedence, and what a person is told about a file that is not right.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BRACKETS_DEEP_MAX,
  FILE_CHARACTERS_MAX,
  LINE_CHARACTERS_MAX,
  PROBLEMS_MAX,
} from "../../src/config/document.ts";
import { hashOf, loadSettings, printProblem, readDotEnv, readSecrets } from "../../src/config/load.ts";
import type { Settings } from "../../src/config/schema.ts";
import { exampleYaml } from "../../src/config/schema.ts";

const NOV_2026_MS = 1_795_460_531_960;

function problemsOf(text: string, nowMs: number | null = null): readonly string[] {
  const file = { path: "config/config.yaml", text };
  const loaded = loadSettings({ file, environment: {}, overrides: [], nowMs });
  return loaded.ok ? [] : loaded.error.map(printProblem);
}

function settingsOfText(text: string, environment = {}, overrides: readonly string[] = []): Settings {
  const loaded = loadSettings({ file: { path: "c.yaml", text }, environment, overrides });
  if (!loaded.ok) throw new Error(loaded.error.map(printProblem).join("\n"));
  return loaded.value.settings;
}

describe("precedence", () => {
  const text = "ibkr:\n  port: 7497\nlogging:\n  level: warn\n";

  test("without a file and an environment everything has its default", () => {
    const loaded = loadSettings({ file: null, environment: {}, overrides: [] });

    expect(loaded.ok && loaded.value.settings.strategy).toEqual({
      samplingMs: 5_000,
      price: "last",
      window: 60,
      ddof: 1,
      entryZ: 2,
      exitZ: 0.5,
      resetWindow: "session",
      quantity: 1,
    });
  });

  test("the file stands over the default, the environment over the file, the flag over all", () => {
    const environment = { IB_PORT: "4002", LOG_LEVEL: "error" };

    expect(settingsOfText(text).ibkr.port).toBe(7497);
    expect(settingsOfText(text, environment).ibkr.port).toBe(4002);
    expect(settingsOfText(text, environment, ["ibkr.port=5000"]).ibkr.port).toBe(5000);
    expect(settingsOfText(text, environment, ["ibkr.port=5000"]).logging.level).toBe("error");
  });

  test("an empty variable is an absent one", () => {
    expect(settingsOfText(text, { IB_PORT: "", LOG_LEVEL: "  " }).ibkr.port).toBe(7497);
  });

  test("a flag may use short names, units, lists and maps, and the last one of a key wins", () => {
    const settings = settingsOfText("", {}, [
      "window=90 bars",
      "daily loss=$450",
      "strategy.window=120",
      'session.entryWindows=["08:35-14:45"]',
      "risk.entriesMax=null",
      "risk.ordersMax={minute: 1, hour: 2, day: 3}",
      "telegram.users=[{id: 5, name: anna, role: owner}]",
      'ibkr.resetWindows=["Fri 23:00-Sat 03:00"]',
      "simulator.speed=max",
      "simulator.start=2018-05-07T08:30:00-05:00",
    ]);

    expect(settings.strategy.window).toBe(120);
    expect(settings.risk).toMatchObject({
      dailyLossCents: 45_000,
      entriesMax: null,
      ordersMax: { minute: 1, hour: 2, day: 3 },
    });
    expect(settings.session.entryWindows).toEqual([{ fromMinute: 515, toMinute: 885 }]);
    expect(settings.telegram.users).toEqual([{ id: 5, name: "anna", role: "owner" }]);
    expect(settings.ibkr.resetWindows).toEqual([{ fromDay: 5, fromMinute: 1_380, toDay: 6, toMinute: 180 }]);
    expect(settings.simulator).toMatchObject({ speed: null, startAtMs: 1_525_699_800_000 });
  });

  test("the hash is of the settings, not of how they were written", () => {
    const plain = settingsOfText("risk: {entriesMax: {minute: 1, hour: 2, day: 3}}\n");
    const other = settingsOfText("# note\nrisk:\n  entriesMax:\n    day: 3\n    hour: 2\n    minute: 1\n");

    expect(hashOf(other)).toBe(hashOf(plain));
    expect(hashOf(settingsOfText("strategy: {window: 61}"))).not.toBe(hashOf(settingsOfText("")));
    expect(hashOf(plain)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("what is refused, with its line", () => {
  test.each([
    ["strategy:\n  window: 3\n", "config/config.yaml:2: strategy.window: 3 — must be a whole number from 5 to 10000"],
    [
      "strategy:\n  windw: 60\n",
      "config/config.yaml:2: strategy.windw: is not a key of this program; did you mean window?",
    ],
    ["stratgy:\n  window: 60\n", "config/config.yaml:1: stratgy: is not a key of this program; did you mean strategy?"],
    [
      "risk:\n  stopUsd: 100\n  stopUsd: 200\n",
      "config/config.yaml:3: risk.stopUsd: this key stands here for the second time: take one of the two out",
    ],
    [
      "risk:\n  stopUsd: 100\nrisk:\n  lossStreak: 2\n",
      "config/config.yaml:3: risk: this key stands here for the second time: take one of the two out",
    ],
    [
      "risk:\n  maxHold: 30\n",
      'config/config.yaml:2: risk.maxHold: 30 — must be a duration with its unit from 1m to 23h ("30" has no unit: write 30s, 30m or 30h)',
    ],
    [
      "risk:\n  maxHold: 24h\n",
      "config/config.yaml:2: risk.maxHold: 24h — must be a duration with its unit from 1m to 23h",
    ],
    [
      'risk:\n  stopUsd: "200"\n',
      'config/config.yaml:2: risk.stopUsd: "200" — must be an amount of dollars from 5 to 5000, without a sign',
    ],
    [
      "risk:\n  stopUsd: $200\n",
      "config/config.yaml:2: risk.stopUsd: $200 — must be an amount of dollars from 5 to 5000, without a sign",
    ],
    [
      "risk:\n  stopUsd: 0200\n",
      "config/config.yaml:2: risk.stopUsd: 0200 — must be an amount of dollars from 5 to 5000, without a sign",
    ],
    [
      "risk:\n  stopUsd: 2e2\n",
      "config/config.yaml:2: risk.stopUsd: 2e2 — must be an amount of dollars from 5 to 5000, without a sign",
    ],
    [
      "risk:\n  stopUsd:\n",
      "config/config.yaml:2: risk.stopUsd: has no value: write one, or take the line out for the default",
    ],
    [
      "strategy:\n  entryZ: 2.00001\n",
      'config/config.yaml:2: strategy.entryZ: 2.00001 — must be a number from 0.5 to 6 with at most 4 decimals ("2.00001" is too fine: at most 4 decimals)',
    ],
    [
      "strategy:\n  sampling: 7s\n",
      "config/config.yaml:2: strategy.sampling: 7s — must be one of trade, 1s, 5s, 10s, 15s, 30s, 1m, 5m",
    ],
    ["ibkr:\n  live: yes\n", "config/config.yaml:2: ibkr.live: yes — must be true or false"],
    ["notices:\n  critical: off\n", "config/config.yaml:2: notices.critical: off — must be one of on, silent"],
    [
      'session:\n  flattenAt: "25:00"\n',
      'config/config.yaml:2: session.flattenAt: "25:00" — must be a time of day such as "15:55", or none',
    ],
    [
      "session:\n  timeZone: Mars/Olympus\n",
      "config/config.yaml:2: session.timeZone: Mars/Olympus — must be a time zone such as America/Chicago",
    ],
    ["strategy: 5\n", "config/config.yaml:1: strategy: is a section: its keys stand below it, indented"],
    ["- strategy\n", "config/config.yaml:1: the file must consist of sections such as strategy:"],
    ["a: &x 1\n", "config/config.yaml:1: a: is not a key of this program"],
    [
      "strategy:\n  window: &x 60\nrisk:\n  lossStreak: *x\n",
      "config/config.yaml:4: anchors and aliases (& and *) are not used here: write it out",
    ],
    ["strategy:\n  window: !!js 60\n", "config/config.yaml:2: is not YAML: Unresolved tag: tag:yaml.org,2002:js"],
    ["__proto__:\n  polluted: true\n", 'config/config.yaml:1: "__proto__" cannot be a key'],
    ["notices:\n  overrides: {constructor: on}\n", 'config/config.yaml:2: "constructor" cannot be a key'],
    [
      "---\nstrategy: {}\n---\nrisk: {}\n",
      "config/config.yaml:3: the file has a second document after ---: take it out",
    ],
    ["strategy:\n\twindow: 60\n", "config/config.yaml:2: is not YAML: Tabs are not allowed as indentation"],
  ])("%j", (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  test("all problems of a file are told at once, up to a limit", () => {
    const many = Array.from({ length: PROBLEMS_MAX + 10 }, (_, index) => `  key${index}: 1`).join("\n");

    expect(problemsOf("strategy:\n  window: 3\n  ddof: 2\nrisk:\n  stopUsd: 1\n")).toHaveLength(3);
    expect(problemsOf(`strategy:\n${many}\n`)).toHaveLength(PROBLEMS_MAX);
  });

  test("a file that is too long is refused unread, one character less is read", () => {
    const note = "# "
      .padEnd(1_024, "x")
      .concat("\n")
      .repeat(FILE_CHARACTERS_MAX / 1_024)
      .slice(0, FILE_CHARACTERS_MAX);

    expect(problemsOf(note)).toEqual([]);
    expect(problemsOf(`${note}x`)[0]).toContain(`${FILE_CHARACTERS_MAX} is the most`);
  });

  test("brackets nested deeper than anything of ours are refused before the YAML parser sees them", () => {
    expect(problemsOf("[".repeat(BRACKETS_DEEP_MAX + 1))[0]).toContain("nested more than 64 deep");
    expect(problemsOf("[".repeat(BRACKETS_DEEP_MAX))[0]).not.toContain("nested more than");
    expect(problemsOf("[".repeat(60_000))[0]).toContain("nested more than 64 deep");
  });

  test("a line that is too long is refused before the YAML parser sees it, one character less is read", () => {
    expect(problemsOf(`\n#${"x".repeat(LINE_CHARACTERS_MAX)}`)).toEqual([
      `config/config.yaml:2: the line is longer than ${LINE_CHARACTERS_MAX} characters`,
    ]);
    expect(problemsOf(`\n#${"x".repeat(LINE_CHARACTERS_MAX - 1)}`)).toEqual([]);
  });

  test.each(["- ", "? ", "- ? ", "a: ", "&a ", "!", "\\x", ": "])(
    "a file of nothing but %j is an answer, not a crash",
    (piece) => {
      const line = piece.repeat(Math.floor(LINE_CHARACTERS_MAX / piece.length));

      for (const text of [line, `strategy:\n  window: ${line.slice(0, 3_900)}`, `${line}\n`.repeat(30)])
        expect(problemsOf(text).length).toBeGreaterThan(0);
      expect(problemsOf(piece.repeat(60_000))).toHaveLength(1);
    },
  );

  test("a secret address is not repeated in the problem", () => {
    const problems = problemsOf("notices:\n  deadManUrl: ftp://user:hunter2@example.org\n");

    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain("hunter2");
  });

  test("the environment and the flags are named as such", () => {
    const loaded = loadSettings({
      file: null,
      environment: { IB_PORT: "abc" },
      overrides: ["windw=60", "strategy.exitZ", "__proto__.x=1", "port=1"],
    });

    expect(loaded.ok ? [] : loaded.error.map(printProblem)).toEqual([
      "environment: IB_PORT: abc — must be a whole number from 1 to 65535",
      "--set: windw: is not a key of this program; did you mean window?",
      "--set: strategy.exitZ: has no value: write --set strategy.exitZ=…, 0.0–6.0, at most 4 decimals",
      "--set: __proto__.x: is not a key of this program",
      "--set: port: is not a key of this program; did you mean ibkr.port or dashboard.port?",
    ]);
  });

  test("a contract month is checked against the injected date only", () => {
    const text = "contract:\n  expiry: 202609\n";

    expect(problemsOf(text)).toEqual([]);
    expect(problemsOf(text, NOV_2026_MS)).toEqual([
      "config/config.yaml:2: contract.expiry: 202609 — is past: its last trading day was 2026-09-18; use a later month or auto",
    ]);
  });
});

describe("what is accepted", () => {
  test.each([
    ["an empty file", ""],
    ["comments only", "# nothing\n"],
    ["a section with everything commented out", "strategy:\n  # window: 60\n"],
    ["CRLF lines", "strategy:\r\n  window: 90\r\n"],
    ["a byte order mark", "\uFEFFstrategy:\n  window: 90\n"],
    ["the whole example", exampleYaml()],
    ["an unquoted time", "session:\n  open: 17:00\n"],
  ])("%s", (_name, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test("no text makes the loader throw", () => {
    const pieces = fc.constantFrom(
      "strategy",
      "window",
      ":",
      " ",
      "\n",
      "  ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a",
      "*a",
      "!",
      "|",
      ">",
      '"',
      "'",
      "#",
      "5",
      "?",
      "%",
      "\t",
      "__proto__",
      "<<",
    );
    const soup = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ maxLength: 200 })), (text) => {
        for (const line of problemsOf(text)) expect(line).toMatch(/^config\/config\.yaml/);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("the environment's secrets", () => {
  test("are read with their form checked, an empty one is absent", () => {
    const secrets = readSecrets({
      TELEGRAM_BOT_TOKEN: "123456:ABCDEFGHIJ-klmnop_qrstuvwxyz0123456",
      TELEGRAM_CHAT_ID: "-1001234567890",
      TELEGRAM_API_ROOT: "http://127.0.0.1:8081/",
      LIVE_TOTP_SECRET: "",
    });

    expect(secrets).toEqual({
      ok: true,
      value: {
        telegramBotToken: "123456:ABCDEFGHIJ-klmnop_qrstuvwxyz0123456",
        telegramChatId: -1_001_234_567_890,
        telegramApiRoot: "http://127.0.0.1:8081",
        liveTotpSecret: null,
        dashboardSecret: null,
      },
    });
  });

  test("a malformed one is named, never shown", () => {
    const secrets = readSecrets({ TELEGRAM_BOT_TOKEN: "hunter2 hunter2", TELEGRAM_CHAT_ID: "@anna" });

    expect(secrets.ok ? [] : secrets.error.map(printProblem)).toEqual([
      "environment: TELEGRAM_CHAT_ID: @anna — must be a chat id such as 123456789",
      "environment: TELEGRAM_BOT_TOKEN: must be a token as BotFather gives it: digits, a colon, letters and digits",
    ]);
  });

  test("a .env text has comments, quotes and empty values", () => {
    const read = readDotEnv("# note\nIB_PORT=4002\nTELEGRAM_BOT_TOKEN='1:a b'\nexport DATA_DIR=\"x\"\nEMPTY=\n");

    expect(read.ok && read.value).toEqual({ IB_PORT: "4002", TELEGRAM_BOT_TOKEN: "1:a b", DATA_DIR: "x", EMPTY: "" });
    expect(readDotEnv("A=".padEnd(70_000, "x")).ok).toBe(false);
  });
});
