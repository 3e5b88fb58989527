// Every script of the chat's side, arriving at a client that knows HTTP only. The server's clock is moved by hand.
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import { FaultPlan, parseScript } from "../../src/simulators/telegram/faults.ts";
import { startBotApiServer } from "../../src/simulators/telegram/index.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { watchRest } from "../support/sockets.ts";
import { CHAT_SCRIPTS, readChatScript } from "./chat-script.ts";

const OWNER = { id: 424_242, name: "Anna" };

/** Is what became of a call: a status with its body, or how the line ended. */
type Outcome = { readonly status: number; readonly body: string; readonly retryAfter: string | undefined } | string;

/** Starts a server with a script and a client of it. */
async function open(script: string) {
  const clock = createFakeClock();
  const server = await startBotApiServer({
    port: 0,
    clock,
    faults: readChatScript(script),
    owner: OWNER,
    banner: "",
    flood: false,
    log: silentLog,
  });
  const rest = watchRest();
  onTestFinished(async () => {
    rest.stop();
    await server.close();
  });
  /** Sends a call and returns what is known of it so far, and later. */
  const call = (method: string, body: object = {}): { outcome: Outcome | undefined } => {
    const known: { outcome: Outcome | undefined } = { outcome: undefined };
    const sent = request(
      `${server.url}/bot${server.token}/${method}`,
      { method: "POST", headers: { "Content-Type": "application/json" }, agent: false },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (piece: string) => {
          text += piece;
        });
        answer.on("end", () => {
          known.outcome = { status: answer.statusCode ?? 0, body: text, retryAfter: answer.headers["retry-after"] };
        });
      },
    );
    sent.on("error", (error: NodeJS.ErrnoException) => {
      known.outcome = error.code ?? error.message;
    });
    sent.end(JSON.stringify(body));
    return known;
  };
  const control = async (path: string, body?: object) =>
    (
      await fetch(
        `${server.url}/simulate/${path}`,
        body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE },
      )
    ).json() as Promise<{ messages: { text: string }[]; update_id: number }>;
  return {
    call,
    /** Moves the clock and lets everything settle. */
    pass: async (ms: number): Promise<void> => {
      await rest.quiet();
      clock.advance(ms);
      await rest.quiet();
    },
    /** Calls and waits until nothing is under way. */
    done: async (method: string, body: object = {}): Promise<Outcome | undefined> => {
      const known = call(method, body);
      await rest.quiet();
      return known.outcome;
    },
    write: (text: string) => control("message", { text }),
    texts: async () => (await control("chat")).messages.map((message) => message.text),
  };
}
const JSON_TYPE = { "Content-Type": "application/json" };
const SAY = { chat_id: OWNER.id, text: "hello" };
const statusOf = (outcome: Outcome | undefined): number | string | undefined =>
  typeof outcome === "object" ? outcome.status : outcome;
const idsOf = (outcome: Outcome | undefined): readonly number[] =>
  typeof outcome === "object"
    ? (JSON.parse(outcome.body) as { result: { update_id: number }[] }).result.map((update) => update.update_id)
    : [];

test("F33-conflict: polls are answered 409 for five minutes, messages go out", async () => {
  const { done, pass } = await open("F33-conflict");
  expect(statusOf(await done("getUpdates"))).toBe(200);
  await pass(30_000);
  expect(await done("getUpdates")).toMatchObject({ status: 409, body: expect.stringContaining("Conflict: ") });
  expect(statusOf(await done("sendMessage", SAY))).toBe(200);
  await pass(299_999);
  expect(statusOf(await done("getUpdates"))).toBe(409);
  await pass(1);
  expect(statusOf(await done("getUpdates"))).toBe(200);
});

test("F34-flood: messages are answered 429 with the time to wait in header and body, and are not sent", async () => {
  const { done, pass, texts } = await open("F34-flood");
  await pass(10_000);
  expect(await done("sendMessage", SAY)).toMatchObject({
    status: 429,
    retryAfter: "35",
    body: expect.stringContaining('"parameters":{"retry_after":35}'),
  });
  expect([statusOf(await done("getUpdates")), await texts()]).toEqual([200, []]);
  await pass(180_000);
  expect(statusOf(await done("sendMessage", SAY))).toBe(200);
});

test("F35-silence: calls are taken and not answered, until the client gives up", async () => {
  const { call, done, pass, texts } = await open("F35-silence");
  await pass(30_000);
  const silent = call("sendMessage", SAY);
  await pass(200_000);
  expect(silent.outcome).toBeUndefined();
  await pass(100_000);
  expect([silent.outcome, await texts()]).toEqual([undefined, []]);
  expect(statusOf(await done("sendMessage", SAY))).toBe(200);
});

test("F36-answer-lost: the message is there, the line ends without an answer", async () => {
  const { done, pass, texts } = await open("F36-answer-lost");
  await pass(15_000);
  expect(await done("sendMessage", SAY)).toBe("ECONNRESET");
  expect(await texts()).toEqual(["hello"]);
  expect(statusOf(await done("getMe"))).toBe(200);
});

test("F37-backlog: what is written in one minute comes ten minutes later, in order, with its own dates", async () => {
  const { done, pass, write } = await open("F37-backlog");
  await pass(30_000);
  const first = await write("/halt");
  await pass(60_000);
  const second = await write("/status");
  expect(idsOf(await done("getUpdates"))).toEqual([]);
  await pass(539_999);
  expect(idsOf(await done("getUpdates"))).toEqual([]);
  await pass(1);
  expect(idsOf(await done("getUpdates"))).toEqual([first.update_id, second.update_id]);
});

test("outage: waiting polls are cut and calls reset without effect, then all is as before", async () => {
  const { call, done, pass, texts } = await open("outage");
  const poll = call("getUpdates", { timeout: 50 });
  await pass(30_000);
  expect(poll.outcome).toBe("ECONNRESET");
  expect([await done("sendMessage", SAY), await done("getMe"), await texts()]).toEqual([
    "ECONNRESET",
    "ECONNRESET",
    [],
  ]);
  await pass(120_000);
  expect(statusOf(await done("sendMessage", SAY))).toBe(200);
});

test("server-errors: 500 with Telegram's words, then a page that is no JSON", async () => {
  const { done, pass } = await open("server-errors");
  await pass(15_000);
  expect(await done("getMe")).toMatchObject({ status: 500, body: expect.stringContaining('"error_code":500') });
  await pass(30_000);
  expect(await done("getMe")).toMatchObject({ status: 502, body: expect.stringMatching(/^<html>/) });
  await pass(30_000);
  expect(statusOf(await done("getMe"))).toBe(200);
});

test("slow-answers: each answer comes twelve seconds after its call", async () => {
  const { call, pass } = await open("slow-answers");
  await pass(10_000);
  const slow = call("getMe");
  await pass(11_999);
  expect(slow.outcome).toBeUndefined();
  await pass(1);
  expect(statusOf(slow.outcome)).toBe(200);
});

test("updates-repeated: a confirmed update comes once more, and no third time", async () => {
  const { done, write } = await open("updates-repeated");
  const { update_id } = await write("/status");
  expect(idsOf(await done("getUpdates"))).toEqual([update_id]);
  expect(idsOf(await done("getUpdates", { offset: update_id + 1 }))).toEqual([update_id]);
  expect(idsOf(await done("getUpdates", { offset: update_id + 1 }))).toEqual([]);
});

test("every script of the folder is read, begins with a sentence, and is shown above", () => {
  const here = readFileSync(join(import.meta.dirname, "raw-chat.test.ts"), "utf8");
  for (const name of readdirSync(CHAT_SCRIPTS)) {
    const text = readFileSync(join(CHAT_SCRIPTS, name), "utf8");
    expect([name, parseScript(text).ok, /^# \S.*\.$/m.test(text)]).toEqual([name, true, true]);
    expect(here).toContain(`open("${name.replace(".faults", "")}")`);
  }
});

test.each<[string, unknown, string]>([
  ["no object", 5, "5 is no JSON object"],
  ["an unknown kind", { kind: "gremlin" }, 'kind is "gremlin": it must be one of status, html, hang, delay, drop, '],
  ["no kind", { method: "getMe" }, "kind is missing: it must be one of status, "],
  [
    "a misspelt method",
    { kind: "drop", method: "sendMesage" },
    'method is "sendMesage": it must be * for all, or one of ',
  ],
  ["a figure out of range", { kind: "delay", ms: 600_001 }, "ms is 600001: it must be a whole number from 0 to 600000"],
  [
    "a misspelt field",
    { kind: "drop", fro_ms: 5 },
    "fro_ms is no field of kind drop; it has kind, method, after_ms, for_ms, times, at_call",
  ],
  ["two lengths", { kind: "drop", times: 2, for_ms: 5 }, "times and for_ms are given: it must be one of them, or none"],
  [
    "an outage without a length",
    { kind: "outage" },
    "for_ms is missing: it must be a whole number from 1 to 604800000",
  ],
])("a line with %s is refused with what stands there and what is allowed", (_what, value, reason) => {
  const read = parseScript(`# chat\n\n${JSON.stringify(value)}`);

  expect(read.ok ? "understood" : [read.error.line, read.error.reason.slice(0, reason.length)]).toEqual([3, reason]);
});

test("the n-th call of a method is met, those before it and after it go well", () => {
  const read = parseScript('{"kind":"status","code":400,"method":"sendMessage","at_call":2}');
  const plan = new FaultPlan(createFakeClock());
  for (const fault of read.ok ? read.value : []) plan.add(fault);

  const met = ["getMe", "sendMessage", "sendMessage", "sendMessage"].map((method) => plan.next(method)?.kind);

  expect(met).toEqual([undefined, undefined, "status", undefined]);
});
