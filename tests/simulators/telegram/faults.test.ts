// Faults, floods and the record of calls: what tests and drills set up on the control side.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { ALL_PER_SECOND, CHAT_BURST, FloodGate, GROUP_PER_MINUTE } from "../../../src/simulators/telegram/flood.ts";
import { startBotApiServer } from "../../../src/simulators/telegram/index.ts";
import { createFakeClock } from "./fake-clock.ts";
import { OWNER, stageOf, startStage } from "./support.ts";

const chat_id = OWNER.id;

describe("a fault", () => {
  test("of kind status answers instead of the method, as often as it was set", async () => {
    const { bot, person, chat } = await startStage();
    await person("fault", { method: "sendMessage", times: 2, kind: "status", code: 500 });
    const send = () => bot("sendMessage", { chat_id, text: "x" });

    const answers = [await send(), await send(), await send()];

    expect(answers.map(({ status }) => status)).toEqual([500, 500, 200]);
    expect(answers[0]?.description).toBe("Internal Server Error: restart");
    expect((await chat()).messages).toHaveLength(1);
  });

  test("with retry_after is a 429 with header and parameter", async () => {
    const { bot, person } = await startStage();
    await person("fault", { method: "*", kind: "status", retry_after: 5 });

    const answer = await bot("getMe");

    expect(answer).toMatchObject({
      status: 429,
      error_code: 429,
      description: "Too Many Requests: retry after 5",
      parameters: { retry_after: 5 },
    });
    expect(answer.headers.get("retry-after")).toBe("5");
  });

  test("of kind html has a body that is no JSON", async () => {
    const { server, person } = await startStage();
    await person("fault", { method: "getMe", kind: "html", code: 504 });

    const response = await fetch(`${server.url}/bot${server.token}/getMe`);

    expect([response.status, response.headers.get("content-type")]).toEqual([504, "text/html"]);
    expect(await response.text()).toContain("504 Gateway Time-out");
  });

  test("of kind drop runs the call and closes the connection", async () => {
    const { bot, person, chat } = await startStage();
    await person("fault", { method: "sendMessage", kind: "drop" });

    await expect(bot("sendMessage", { chat_id, text: "sent?" })).rejects.toThrow("fetch failed");

    expect((await chat()).messages).toMatchObject([{ text: "sent?" }]);
  });

  test("of kind hang gives no answer and does nothing, until the client leaves", async () => {
    const { server, person, chat } = await startStage();
    await person("fault", { method: "sendMessage", kind: "hang" });
    const call = get(`${server.url}/bot${server.token}/sendMessage?chat_id=${chat_id}&text=x`);
    const failed = new Promise<string>((resolve) => {
      call.on("error", (thrown: NodeJS.ErrnoException) => resolve(thrown.code ?? ""));
    });
    // The call has met its fault once none waits any more; then the client gives up.
    const waiting = async () => (await (await fetch(`${server.url}/simulate/fault`)).json()) as { waiting: unknown[] };
    while ((await waiting()).waiting.length > 0);
    call.destroy();

    expect(await failed).toBe("ECONNRESET");
    expect((await chat()).messages).toEqual([]);
  });

  test("of kind delay answers late by the server's clock", async () => {
    const clock = createFakeClock();
    const { bot, person } = await startStage({ clock });
    await person("fault", { method: "getMe", kind: "delay", ms: 60_000 });
    let isAnswered = false;
    const call = bot("getMe").then((answer) => {
      isAnswered = true;
      return answer;
    });
    // Any answer proves that the server has taken the earlier call in; its timer is set by then.
    while (clock.waiting() === 0) await person("fault", { kind: "none" });
    expect(isAnswered).toBe(false);

    clock.advance(60_000);

    expect(await call).toMatchObject({ ok: true });
  });

  test("of an unknown kind is refused, and all can be taken back", async () => {
    const { server, bot, person } = await startStage();
    expect(await person("fault", { method: "getMe", kind: "gremlin" })).toMatchObject({ ok: false });
    await person("fault", { method: "getMe", times: 99, kind: "status", code: 502 });

    await fetch(`${server.url}/simulate/fault`, { method: "DELETE" });

    expect(await bot("getMe")).toMatchObject({ ok: true });
  });
});

describe("flood limits", () => {
  test("a chat takes a burst and then one message a second", () => {
    const clock = createFakeClock();
    const gate = new FloodGate(clock);
    const take = () => gate.take(1, false, 1);

    expect(Array.from({ length: CHAT_BURST + 1 }, take)).toEqual([0, 0, 0, 1]);
    clock.advance(1_000);
    expect([take(), take()]).toEqual([0, 1]);
  });

  test("a client whose clock is a little ahead isn't punished", () => {
    const clock = createFakeClock();
    const gate = new FloodGate(clock);
    for (let count = 0; count < CHAT_BURST; count += 1) gate.take(1, false, 1);

    clock.advance(900);

    expect(gate.take(1, false, 1)).toBe(0);
  });

  test("a group takes 20 a minute", () => {
    const clock = createFakeClock();
    const gate = new FloodGate(clock);
    const take = () => {
      clock.advance(1_000);
      return gate.take(-1, true, 1);
    };

    const waits = Array.from({ length: GROUP_PER_MINUTE + 12 }, take);

    expect(waits.findIndex((wait) => wait > 0)).toBeGreaterThanOrEqual(GROUP_PER_MINUTE);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3);
  });

  test("all chats together take 30 a second", () => {
    const gate = new FloodGate(createFakeClock());

    const waits = Array.from({ length: ALL_PER_SECOND + 5 }, (_, chatId) => gate.take(chatId + 1, false, 1));

    expect(waits.filter((wait) => wait === 0)).toHaveLength(ALL_PER_SECOND + Math.floor(0.15 * ALL_PER_SECOND));
  });

  test("are on by default and tell the true wait", async () => {
    const server = await startBotApiServer({
      port: 0,
      clock: createFakeClock(),
      owner: OWNER,
      banner: "",
      log: silentLog,
    });
    onTestFinished(() => server.close());
    const { bot } = stageOf(server);

    const answers = [];
    for (let count = 0; count <= CHAT_BURST; count += 1) answers.push(await bot("sendMessage", { chat_id, text: "x" }));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.at(-1)).toMatchObject({
      description: "Too Many Requests: retry after 1",
      parameters: { retry_after: 1 },
    });
  });
});

test("calls are recorded with their answers and without the token, in memory and in a file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bot-api-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const recordFile = join(folder, "calls.jsonl");
  const server = await startBotApiServer({
    port: 0,
    clock: wallClock,
    owner: OWNER,
    banner: "",
    log: silentLog,
    recordFile,
  });
  const { bot } = stageOf(server);
  await bot("sendMessage", { chat_id, text: `my token is ${server.token}` });
  await bot("sendMessage", { chat_id: 1, text: "x" });

  const response = await fetch(`${server.url}/simulate/calls?method=sendmessage`);
  const answer = (await response.json()) as { calls: unknown[] };
  await server.close();

  expect(answer.calls).toMatchObject([
    { method: "sendMessage", bot: 7_000_000_001, status: 200, parameters: { chat_id } },
    { method: "sendMessage", status: 400, answer: { description: "Bad Request: chat not found" } },
  ]);
  const lines = readFileSync(recordFile, "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).status)).toEqual([200, 400]);
  expect(lines.join()).not.toContain(server.token);
});

test("the clock offset moves the dates of messages and the Date header alike", async () => {
  const clock = createFakeClock();
  const { bot, person } = await startStage({ clock });
  await person("clock", { offset: -600 });

  const update = await person("message", { text: "x" });

  const nowSeconds = Math.floor(clock.nowMs() / 1_000);
  expect(update.message.date).toBe(nowSeconds - 600);
  const { headers } = await bot("getMe");
  expect(headers.get("date")).toBe(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: "UTC",
      weekday: "short",
      day: "2-digit",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    })
      .format((nowSeconds - 600) * 1_000)
      .replace(/^(\w+), (\d+ \w+ \d+), (.*)$/, "$1, $2 $3 GMT"),
  );
});

test("a client that leaves in the middle of an upload does not end the server", async () => {
  const { server, bot } = await startStage();
  const { port } = server;
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.on("close", resolve));

  socket.write(`POST /bot${server.token}/sendDocument HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n--a`, () =>
    socket.destroy(),
  );

  await closed;
  expect(await bot("getMe")).toMatchObject({ ok: true });
});

test("a path that is no path is not found", async () => {
  const { server } = await startStage();
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET // HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

  const answer = await new Promise<string>((resolve) => socket.on("data", (bytes) => resolve(bytes.toString())));
  socket.destroy();

  expect(answer).toMatch(/^HTTP\/1.1 404 /);
});

test("what is no HTTP is answered with 400", async () => {
  const { server } = await startStage();
  const socket = connect(server.port, "127.0.0.1");
  socket.write("hello\r\n\r\n");

  const answer = await new Promise<string>((resolve) => socket.on("data", (bytes) => resolve(bytes.toString())));

  expect(answer).toMatch(/^HTTP\/1.1 400 /);
});
