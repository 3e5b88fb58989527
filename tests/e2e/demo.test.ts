// The whole program over real sockets: simulated gateway ⇄ @stoqey/ib ⇄ engine ⇄ grammY ⇄ local Bot API, played by a person
// at the chat page. Nothing is replaced.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StartOptions } from "../../src/cli.ts";
import { wallClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { bringUp, noParts, type Parts, tearDown } from "../../src/programs/bring-up.ts";
import { DEMO_OWNER } from "../../src/programs/demo.ts";
import { decideMode, type Mode } from "../../src/programs/mode.ts";
import { type ChatClient, createChatClient } from "../support/chat-client.ts";

const OPTIONS: StartOptions = {
  config: null,
  demo: true,
  data: null,
  speed: 20,
  seed: 7,
  start: "2026-11-24T14:30:00Z",
  gatewayPort: 0,
  chatPort: 0,
  httpPort: 0,
  set: ["logging.level=error"],
};
const TEST_MS_MAX = 90_000;

const dataDir = mkdtempSync(join(tmpdir(), "scalper-e2e-"));
let parts: Parts = noParts();
let mode: Mode;
let chat: ChatClient;

const start = async (): Promise<void> => {
  mode = await decideMode(OPTIONS, { DATA_DIR: dataDir }, wallClock.nowMs());
  parts = noParts();
  await bringUp(mode, OPTIONS, undefined, parts, silentLog, (fault) => {
    throw fault;
  });
  chat = createChatClient(parts.demo?.chat?.url as string, DEMO_OWNER.id);
};

beforeAll(start, TEST_MS_MAX);
afterAll(async () => {
  await tearDown(parts, mode.settings, "test end", silentLog);
  rmSync(dataDir, { recursive: true, force: true });
}, TEST_MS_MAX);

test(
  "a trade happens and is told with its reasons, and the bot answers",
  async () => {
    await chat.write("/start");
    const welcome = await chat.until((message) => /DEMO/.test(message.text ?? ""), "the answer to /start");
    expect(welcome.text).toContain("synthetic market, seed 7");

    const entry = await chat.until(
      (message) => /(BOUGHT|SOLD) 1 MES/.test(message.text ?? "") && /Why/.test(message.text ?? ""),
      "an entry",
    );
    expect(entry.text).toMatch(/z [−+]?\d\.\d\d/);
    expect(entry.text).toMatch(/Stop .*\$200/s);
    expect(entry.text).toMatch(/Target .*\$300/s);

    await chat.write("/status");
    const status = await chat.until((message) => /as of \d\d:\d\d:\d\d C[DS]?T/.test(message.text ?? ""), "the status");
    expect(status.text).toContain("DEMO");
  },
  TEST_MS_MAX,
);

test(
  "/chart answers with a picture of 2000 × 1200",
  async () => {
    await chat.write("/chart today");
    const message = await chat.until((each) => each.photo !== undefined, "the chart");
    const png = Buffer.from(await chat.photo(message));

    expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2_000, 1_200]);
    expect(message.caption).toContain("DEMO");
  },
  TEST_MS_MAX,
);

test(
  "/flatten ends flat, said only after the broker has confirmed it",
  async () => {
    await chat.until((message) => /(BOUGHT|SOLD) 1 MES/.test(message.text ?? ""), "an entry");
    await chat.write("/flatten");
    await chat.until((message) => /FLATTEN\?/.test(message.text ?? ""), "the question");
    await chat.press("Flatten now");
    const end = await chat.until((message) => /FLAT – verified/.test(message.text ?? ""), "the confirmation");

    expect(end.text).toContain("position 0");
    const { status } = parts.assembly?.desk.snapshot() ?? {};
    expect(status?.position).toBeNull();
    expect(status?.orders).toEqual([]);
    expect(status?.posture).toBe("paused");
    const gateway = parts.demo?.gateway.state() as { positions?: unknown };
    expect(JSON.stringify(gateway)).not.toMatch(/"status":"(Submitted|PreSubmitted)"/);
  },
  TEST_MS_MAX,
);

test(
  "a restart goes on in the same posture, with the same day and chat",
  async () => {
    const before = parts.assembly?.desk.snapshot();
    await tearDown(parts, mode.settings, "restart", silentLog);
    await start();
    const after = parts.assembly?.desk.snapshot();

    expect(after?.status.posture).toBe("paused");
    expect(after?.status.today.trades).toBe(before?.status.today.trades);
    expect(after?.status.today.netCents).toBe(before?.status.today.netCents);
    const texts = (await chat.messages()).map((message) => message.text ?? "");
    expect(texts.some((text) => /FLAT – verified/.test(text))).toBe(true);
  },
  TEST_MS_MAX,
);

test(
  "health answers, and strangers' names are refused",
  async () => {
    const port = parts.dashboard?.port as number;
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const control = await fetch(`http://127.0.0.1:${port}/control/flatten`, { method: "POST" });

    expect(health.status).toBe(200);
    expect(metrics).toMatch(/^scalper_up [01]$/m);
    expect(control.status).toBe(401);
  },
  TEST_MS_MAX,
);
