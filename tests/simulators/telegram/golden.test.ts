// Recorded conversations over HTTP, byte for byte: what a bot sends and what the server answers. The clock is moved by hand
// and ids come from a counter, so the same commands give the same bytes. Bytes outside printable ASCII stand as \xNN;
// a bare line end is a line end, a carriage return before it stands as \r.
import { connect } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../../../src/log.ts";
import { DEMO_TOKEN, startBotApiServer } from "../../../src/simulators/telegram/index.ts";
import { expectGolden } from "../../support/golden.ts";
import { createFakeClock } from "./fake-clock.ts";
import { formOf, OWNER, pngOf } from "./support.ts";

/** Is one conversation on its way. */
type Talk = {
  /** Calls a method with a JSON body; writes both sides down. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
  call(method: string, parameters?: object, token?: string): Promise<any>;
  /** Sends a whole request as it is and returns the answer's JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
  send(head: string, body: Buffer): Promise<any>;
  /** Downloads a file. */
  fetchFile(path: string): Promise<void>;
  /** Lets a person act, which is no part of the recording. */
  person(path: string, body: object): Promise<void>;
  advance(ms: number): void;
  part(title: string): void;
  text(): string;
};

test("texts, keyboards, presses and edits are answered as recorded", async () => {
  const talk = await converse();
  await talk.call("getMe");
  talk.part("a person writes, the bot hears of it once it asks, and again until it confirms");
  await talk.person("message", { text: "/start now" });
  await talk.call("getUpdates", { timeout: 0 });
  await talk.call("getUpdates", { timeout: 0, offset: 795_600_001 });
  talk.part("formats, and what is wrong with one");
  await talk.call("sendMessage", {
    chat_id: OWNER.id,
    text: "<b>bold</b> \u{1F680} <code>x</code>",
    parse_mode: "HTML",
  });
  await talk.call("sendMessage", { chat_id: OWNER.id, text: "*a _b_*", parse_mode: "MarkdownV2" });
  await talk.call("sendMessage", { chat_id: OWNER.id, text: "1.5", parse_mode: "MarkdownV2" });
  talk.part("a keyboard, a press, its answer, an edit, the same edit again");
  const keyboard = { inline_keyboard: [[{ text: "Yes", callback_data: "y" }]] };
  await talk.call("sendMessage", { chat_id: OWNER.id, text: "Sure?", reply_markup: keyboard });
  await talk.person("press", { label: "Yes" });
  const pressed = await talk.call("getUpdates", { timeout: 0 });
  const [{ callback_query: query }] = pressed.result;
  await talk.call("answerCallbackQuery", { callback_query_id: query.id, text: "Done" });
  await talk.call("answerCallbackQuery", { callback_query_id: "1" });
  await talk.call("editMessageText", { chat_id: OWNER.id, message_id: 4, text: "Yes." });
  await talk.call("editMessageText", { chat_id: OWNER.id, message_id: 4, text: "Yes." });

  expectGolden(file("texts"), talk.text());
});

test("files go up and come down as recorded", async () => {
  const talk = await converse();
  talk.part("a photo and its file");
  const fields = { chat_id: String(OWNER.id), caption: "chart" };
  const sent = await multipart(talk, "sendPhoto", fields, "photo", pngOf(320, 200), "c.png");
  const found = await talk.call("getFile", { file_id: sent.result.photo[0].file_id });
  await talk.fetchFile(found.result.file_path);
  await talk.call("getFile", { file_id: "nosuchfile" });
  talk.part("a document");
  const csv = Buffer.from("time;price\n1;5000.25\n");
  await multipart(talk, "sendDocument", { chat_id: String(OWNER.id) }, "document", csv, "trades.csv");
  talk.part("what is no picture");
  await multipart(talk, "sendPhoto", { chat_id: String(OWNER.id) }, "photo", csv, "c.png");

  expectGolden(file("files"), talk.text());
});

test("refusals are worded as recorded", async () => {
  const talk = await converse(true);
  await talk.call("sendMessage", { chat_id: 123, text: "a" });
  await talk.call("sendMessage", { chat_id: OWNER.id, text: " " });
  await talk.call("sendMessage", {
    chat_id: OWNER.id,
    text: "a",
    reply_markup: { inline_keyboard: [[{ text: "Go" }]] },
  });
  await talk.call("noSuchMethod");
  await talk.call("getMe", {}, "7000000001:wrong-secret");
  await talk.call("getMe", {}, "no-token");
  talk.part("the fourth message of a second, and one when its time has come");
  for (let message = 1; message <= 4; message += 1) await talk.call("sendMessage", { chat_id: OWNER.id, text: "a" });
  talk.advance(1_000);
  await talk.call("sendMessage", { chat_id: OWNER.id, text: "b" });
  talk.part("blocked");
  await talk.person("block", {});
  await talk.call("sendMessage", { chat_id: OWNER.id, text: "a" });

  expectGolden(file("refusals"), talk.text());
});

test("a second run gives the same bytes", async () => {
  const texts: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    const talk = await converse();
    await talk.person("message", { text: "hello" });
    await talk.call("getUpdates", { timeout: 0 });
    await multipart(talk, "sendPhoto", { chat_id: String(OWNER.id) }, "photo", pngOf(9, 9), "c.png");
    texts.push(talk.text());
  }

  expect(texts[1]).toBe(texts[0]);
});

async function multipart(
  talk: Talk,
  method: string,
  fields: Record<string, string>,
  name: string,
  bytes: Buffer,
  fileName: string,
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into JSON of any shape.
): Promise<any> {
  const request = new Request("http://localhost", {
    method: "POST",
    body: formOf(fields, { [name]: { bytes, name: fileName } }),
  });
  const type = request.headers.get("content-type") ?? "";
  const mark = /boundary=(.+)/.exec(type)?.[1] ?? "";
  const body = Buffer.from(await request.arrayBuffer())
    .toString("latin1")
    .replaceAll(mark, "golden-boundary");
  const buffer = Buffer.from(body, "latin1");
  const head = `POST /bot${DEMO_TOKEN}/${method} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=golden-boundary\r\nContent-Length: ${buffer.length}\r\n\r\n`;
  return talk.send(head, buffer);
}

async function converse(flood = false): Promise<Talk> {
  const clock = createFakeClock();
  let counter = 0;
  const server = await startBotApiServer({
    port: 0,
    clock,
    owner: OWNER,
    banner: "GOLDEN",
    flood,
    random: (count) => Buffer.from(Array.from({ length: count }, () => counter++ % 256)),
    log: silentLog,
  });
  onTestFinished(() => server.close());
  const lines: string[] = [];
  const send: Talk["send"] = async (head, body) => {
    const answer = await exchange(server.port, Buffer.concat([Buffer.from(head), body]));
    lines.push(...quoted(">", Buffer.concat([Buffer.from(head), body])), ...quoted("<", answer), "");
    return JSON.parse(answer.subarray(answer.indexOf("\r\n\r\n") + 4).toString("utf8"));
  };
  return {
    send,
    call: async (method, parameters = {}, token = DEMO_TOKEN) => {
      const body = Buffer.from(JSON.stringify(parameters));
      return send(
        `POST /bot${token}/${method} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
        body,
      );
    },
    fetchFile: async (path) => {
      const request = Buffer.from(`GET /file/bot${DEMO_TOKEN}/${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      lines.push(...quoted(">", request), ...quoted("<", await exchange(server.port, request)), "");
    },
    person: async (path, body) => {
      const answer = await fetch(`${server.url}/simulate/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(200);
      lines.push(`= a person acts: ${path} ${JSON.stringify(body)}`, "");
    },
    advance: (ms) => {
      clock.advance(ms);
      lines.push(`= ${ms} ms pass`, "");
    },
    part: (title) => lines.push(`# ${title}`, ""),
    text: () => `${lines.join("\n").trimEnd()}\n`,
  };
}

/** Sends a request on a connection of its own and returns all bytes of the answer. */
function exchange(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.on("error", reject);
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      const all = Buffer.concat(pieces);
      const end = all.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(all.subarray(0, end).toString("latin1"))?.[1] ?? Number.NaN);
      if (end < 0 || all.length < end + 4 + length) return;
      socket.destroy();
      resolve(all);
    });
  });
}

function quoted(way: ">" | "<", bytes: Buffer): string[] {
  return bytes
    .toString("latin1")
    .replaceAll("\\", "\\\\")
    .replaceAll("\r", "\\r")
    .replace(/[^\n\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .split("\n")
    .map((line) => `${way} ${line}`);
}

function file(name: string): string {
  return join(import.meta.dirname, "golden", `${name}.txt`);
}
