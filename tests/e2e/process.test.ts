// The bot as a process: how it ends, what a restart finds, what a damaged journal does, and who gets an answer.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type ChatClient, createChatClient } from "../support/chat-client.ts";
import { FREE_PORTS, type Program, startProgram } from "../support/program.ts";

const OWNER_ID = 424_242;
const STRANGER_ID = 990_000_001;
const TEST_MS_MAX = 60_000;
const RUN = ["run", ...FREE_PORTS, "--speed", "2", "--start", "2026-11-24T14:30:00Z"];

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), "scalper-process-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

const start = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Program => {
  const program = startProgram(argv, { LOG_LEVEL: "error", ...environment });
  onTestFinished(async () => {
    program.signal("SIGKILL");
    await program.ended;
  });
  return program;
};

const chatOf = async (program: Program): Promise<ChatClient> => {
  const [, url = ""] = await program.until(/Chat page +(http\S+)\/\n/);
  await program.until(/Ctrl-C stops/);
  return createChatClient(url, OWNER_ID);
};

/** Writes and returns the first answer that comes behind everything that was there before. */
const ask = async (chat: ChatClient, text: string, wanted: RegExp): Promise<string> => {
  const last = (await chat.messages()).at(-1)?.message_id ?? 0;
  await chat.write(text);
  const answer = await chat.until((message) => message.message_id > last && wanted.test(message.text ?? ""), text);
  return answer.text ?? "";
};

const press = async (chat: ChatClient, label: string, wanted: RegExp): Promise<void> => {
  await chat.press(label);
  await chat.until((message) => wanted.test(message.text ?? ""), `the answer to ${label}`);
};

test(
  "a halt by signal, changed settings and comments outlive a restart; a second start finds the directory taken",
  async () => {
    const dataDir = folder();
    const environment = { DATA_DIR: dataDir };
    const first = start(RUN, environment);
    const chat = await chatOf(first);
    await ask(chat, "/set stop 150", /r1 → r2/);
    await press(chat, "Apply", /Applied r2/);
    await ask(chat, "/undo", /r2 → r3/);
    await press(chat, "Apply", /Applied r3/);
    await ask(chat, "/set windows 08:35-14:45", /r3 → r4/);
    await press(chat, "Apply", /Applied r4/);

    const second = start(RUN, environment);
    expect([await second.ended, second.output()]).toEqual([75, expect.stringContaining(`process ${first.pid}`)]);

    first.signal("SIGUSR1");
    await chat.until((message) => /HALTED/.test(message.text ?? ""), "the notice of the halt");
    expect(existsSync(join(dataDir, "halt.latch"))).toBe(true);
    // As a terminal and npm do: several of one Ctrl-C.
    first.signal("SIGINT");
    first.signal("SIGINT");
    expect(await first.ended).toBe(0);
    expect(first.output()).toMatch(/working orders|Flat/);
    expect(first.output()).toContain("The journal is closed. A restart goes on from here.");

    const third = start(RUN, environment);
    const again = await chatOf(third);
    expect(await ask(again, "/status", /as of .* r4/)).toMatch(/HALTED.*SIGUSR1/s);
    const history = await ask(again, "/history", /Page 1/);
    expect(history).toMatch(/r4 .*r3 .*\$150\.00 \(120 t\) → \$200\.00 \(160 t\).*r2 /s);
    const undo = await ask(again, "/undo", /r4 → r5/);
    expect(undo).toContain("08:35-14:45 → whenever the market is open");
    const config = readFileSync(join(dataDir, "config.yaml"), "utf8");
    expect(config).toMatch(/^ {2}stopUsd: 200 +#.*per contract/m);
    expect(config).toMatch(/^ {2}entryWindows: \["?08:35-14:45"?\] +#/m);
    await ask(again, "/arm", /Clear the halt\?/);
    await press(again, "Arm", /Armed/);
    expect(existsSync(join(dataDir, "halt.latch"))).toBe(false);
    third.signal("SIGTERM");
    expect(await third.ended).toBe(0);
  },
  TEST_MS_MAX,
);

test(
  "a journal damaged in its middle is only read: halted, reporting, and never armed until it is rebuilt",
  async () => {
    const dataDir = folder();
    const environment = { DATA_DIR: dataDir };
    const first = start(RUN, environment);
    const chat = await chatOf(first);
    await ask(chat, "/status", /as of /);
    first.signal("SIGINT");
    expect(await first.ended).toBe(0);
    const path = join(dataDir, "journal", "00000001.qsj");
    const bytes = readFileSync(path);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);

    const second = start(RUN, environment);
    const again = await chatOf(second);
    await second.until(/The journal is damaged: in journal\/00000001\.qsj at byte \d+.*journal -- rebuild/);
    expect(await ask(again, "/status", /as of /)).toContain("HALTED");
    await ask(again, "/arm", /Clear the halt\?/);
    await press(again, "Arm", /Not done.*journal/s);
    await ask(again, "/flatten", /FLATTEN\?/);
    second.signal("SIGINT");
    expect(await second.ended).toBe(0);
    expect(readFileSync(path).equals(bytes)).toBe(true);

    const rebuild = start(["journal", "rebuild", dataDir]);
    expect([await rebuild.ended, rebuild.output()]).toEqual([
      0,
      expect.stringMatching(/^Records up to \d+ are kept; /),
    ]);
    expect(rebuild.output()).not.toContain("null");
    expect(existsSync(join(dataDir, "halt.latch"))).toBe(true);
    const replay = start(["replay", dataDir]);
    expect([await replay.ended, replay.output()]).toEqual([0, expect.stringContaining("was rebuilt at record")]);
  },
  TEST_MS_MAX,
);

test(
  "only the listed user is answered, and the token is in nothing that is printed, kept or served",
  async () => {
    const token = "1234567:AAcanaryCANARYcanaryCANARYcanaryCANARY1";
    const dataDir = folder();
    const recordFile = join(dataDir, "calls.jsonl");
    const server = start(["bot-api", "--port", "0", "--token", token, "--record", recordFile], { LOG_LEVEL: "debug" });
    const [, apiRoot = ""] = await server.until(/API root +(http\S+)/);
    const bot = start(["run", "--http-port", "0"], {
      LOG_LEVEL: "debug",
      DATA_DIR: join(dataDir, "bot"),
      IB_HOST: "127.0.0.1",
      // Nobody listens there: the link's errors are part of what may leak.
      IB_PORT: "9",
      TELEGRAM_API_ROOT: apiRoot,
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_CHAT_ID: String(OWNER_ID),
    });
    const [, health = ""] = await bot.until(/Health +(http\S+)/);
    const stranger = createChatClient(apiRoot, STRANGER_ID);
    await stranger.write("/flatten");
    await stranger.write("/status");
    const owner = createChatClient(apiRoot, OWNER_ID);
    const status = await ask(owner, "/status", /LINK DOWN|link down/i);
    expect(status).toContain("PAPER");
    await owner.write("/pair");
    expect((await stranger.messages()).filter((message) => message.from_bot)).toEqual([]);

    const bodies = await Promise.all(
      [health, health.replace("healthz", "metrics"), `${apiRoot}/`, `${apiRoot}/botwrong/getMe`].map(async (url) =>
        (await fetch(url)).text(),
      ),
    );
    bot.signal("SIGINT");
    server.signal("SIGINT");
    expect([await bot.ended, await server.ended]).toEqual([0, 0]);
    const dump = start(["journal", "dump", join(dataDir, "bot")]);
    expect(await dump.ended).toBe(0);

    const texts = [bot.output(), server.output(), dump.output(), ...bodies, ...filesBelow(dataDir)];
    expect(texts.length).toBeGreaterThan(10);
    const secret = token.split(":")[1] ?? "";
    const base64 = Buffer.from(token).toString("base64");
    for (const form of [token, secret, encodeURIComponent(token), base64.slice(4, -4)]) {
      expect(texts.filter((text) => text.includes(form))).toEqual([]);
    }
  },
  TEST_MS_MAX,
);

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}
