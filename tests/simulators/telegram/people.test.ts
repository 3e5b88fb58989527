// Several people and chats: strangers, groups with privacy mode, topics, upgrades; and who may reach page and control side.
import { request } from "node:http";
import { expect, test } from "vitest";
import { STRANGER } from "../../../src/simulators/telegram/index.ts";
import { OWNER, pngOf, startStage } from "./support.ts";

const GROUP = -1_001_234;

test("a stranger has a chat of their own, and the bot may write once they have", async () => {
  const { bot, person, chat } = await startStage();
  await person("message", { text: "hello", from: STRANGER.id });

  expect(await bot("sendMessage", { chat_id: STRANGER.id, text: "hi" })).toMatchObject({ ok: true });

  expect((await chat(`user=${STRANGER.id}`)).messages).toMatchObject([{ text: "hello" }, { text: "hi" }]);
  expect((await chat()).messages).toEqual([]);
});

test("people are made up with the name, language and id a test gives them", async () => {
  const { person } = await startStage();

  const update = await person("message", { text: "hallo", from: { id: 5, first_name: "Ben", language_code: "de" } });

  expect(update.message.from).toEqual({ id: 5, is_bot: false, first_name: "Ben", language_code: "de" });
});

test.each([{ from: "anna" }, { from: 0 }, { from: { name: "Ben" } }, { chat: "desk" }])(
  "a person or chat that can't be read from %j does not act as the owner",
  async (whom) => {
    const { bot, person } = await startStage();

    expect(await person("message", { text: "hello", ...whom })).toMatchObject({ ok: false });

    expect((await bot("getUpdates")).result).toEqual([]);
  },
);

test.each([
  ["plain talk", {}, false],
  ["/status", {}, true],
  ["/status@quant_scalper_demo_bot", {}, true],
  ["/status@other_bot", {}, false],
  ["look @quant_scalper_demo_bot", {}, true],
  ["an answer to it", { reply_to: 1 }, true],
])("in a group the bot hears %j: %j %s", async (text, more, isHeard) => {
  const { bot, person } = await startStage();
  await person("chat", { id: GROUP, title: "Desk", members: [OWNER.id, { user: 7, status: "administrator" }] });
  await bot("sendMessage", { chat_id: GROUP, text: "hello group" });

  const update = await person("message", { text, chat: GROUP, ...more });

  expect(update.update_id !== null).toBe(isHeard);
});

test("as administrator the bot hears everything and may pin", async () => {
  const { bot, person } = await startStage();
  await person("chat", { id: GROUP, title: "Desk", bot_status: "administrator" });
  const update = await person("message", { text: "plain talk", chat: GROUP });
  expect(update.message.chat).toEqual({ id: GROUP, type: "supergroup", title: "Desk" });

  expect(await bot("pinChatMessage", { chat_id: GROUP, message_id: 1 })).toMatchObject({ ok: true });
});

test("members and administrators of a group are told", async () => {
  const { bot, person } = await startStage();
  await person("chat", { id: GROUP, title: "Desk", members: [OWNER.id, { user: 7, status: "creator" }] });
  const status = async (user_id: number) => (await bot("getChatMember", { chat_id: GROUP, user_id })).result?.status;

  expect([await status(OWNER.id), await status(7), await status(STRANGER.id)]).toEqual(["member", "creator", "left"]);
  expect((await bot("getChatAdministrators", { chat_id: GROUP })).result).toMatchObject([{ user: { id: 7 } }]);
  expect((await bot("getChatMemberCount", { chat_id: GROUP })).result).toBe(3);
});

test("an answer stays in its topic", async () => {
  const { bot, person } = await startStage();
  await person("chat", { id: GROUP, title: "Desk", is_forum: true });
  const { message } = await person("message", { text: "/status", chat: GROUP, message_thread_id: 12 });
  expect(message).toMatchObject({ message_thread_id: 12, is_topic_message: true });

  const answer = await bot("sendMessage", { chat_id: GROUP, message_thread_id: 12, text: "here" });

  expect(answer.result).toMatchObject({ message_thread_id: 12, is_topic_message: true });
});

test("a group that was upgraded refuses with its new id, which works", async () => {
  const { bot, person } = await startStage();
  await person("chat", { id: -55, type: "group", title: "Desk", members: [OWNER.id] });

  const { chat } = await person("migrate", { chat: -55 });

  expect(await bot("sendMessage", { chat_id: -55, text: "x" })).toMatchObject({
    status: 400,
    description: "Bad Request: group chat was upgraded to a supergroup chat",
    parameters: { migrate_to_chat_id: chat.id },
  });
  expect(await bot("sendMessage", { chat_id: chat.id, text: "x" })).toMatchObject({ ok: true });
  expect((await bot("getUpdates")).result).toMatchObject([
    { message: { chat: { id: -55 }, migrate_to_chat_id: chat.id } },
    { message: { chat: { id: chat.id }, migrate_from_chat_id: -55 } },
  ]);
});

test("a group that threw the bot out refuses it, and the bot is told", async () => {
  const { bot, person } = await startStage();
  await person("chat", { id: GROUP, title: "Desk" });

  const { update } = await person("block", { chat: GROUP });

  expect(update.my_chat_member).toMatchObject({
    old_chat_member: { status: "member" },
    new_chat_member: { status: "kicked" },
  });
  expect(await bot("sendMessage", { chat_id: GROUP, text: "x" })).toMatchObject({
    status: 403,
    description: "Forbidden: bot was kicked from the supergroup chat",
  });
});

test("writing to a blocked bot unblocks it", async () => {
  const { bot, person } = await startStage();
  await person("block", { user: OWNER.id });

  await person("message", { text: "/start" });

  const kinds = (await bot("getUpdates")).result.map((update: object) => Object.keys(update)[1]);
  expect(kinds).toEqual(["my_chat_member", "my_chat_member", "message"]);
});

test("a person's picture reaches the bot as a photo with its sizes", async () => {
  const { person } = await startStage();

  const update = await person("photo", { photo: pngOf(400, 300).toString("base64"), caption: "look" });

  expect(update.message).toMatchObject({
    caption: "look",
    photo: [{ width: 90 }, { width: 320 }, { width: 400, height: 300 }],
  });
});

test("the page's poll waits for a change and brings it", async () => {
  const { person, chat } = await startStage();
  const { seq } = await chat();
  const next = chat(`since=${seq}`);

  await person("message", { text: "news" });

  expect((await next).messages).toMatchObject([{ text: "news" }]);
  expect((await next).seq).toBeGreaterThan(seq);
});

test("the banner can be changed and is in every view", async () => {
  const { server, chat } = await startStage({ banner: "DEMO · one" });
  expect((await chat()).banner).toBe("DEMO · one");

  server.setBanner("DEMO · two");

  expect((await chat()).banner).toBe("DEMO · two");
});

test.each([
  ["/", { host: "evil.example" }, 403],
  ["/simulate/chat", { host: "evil.example:8081" }, 403],
  ["/simulate/chat", { host: "127.0.0.1", origin: "https://evil.example" }, 403],
  ["/simulate/chat", { host: "127.0.0.1", origin: "null" }, 403],
  ["/bot7000000001:x/getMe", { host: "127.0.0.1", origin: "https://evil.example" }, 403],
  ["/", { host: "localhost:8081" }, 200],
  ["/simulate/chat", { host: "[::1]:8081", origin: "http://localhost:8081" }, 200],
])("%s asked with %j is answered %d", async (path, headers, status) => {
  const { server } = await startStage();

  const answered = await new Promise<number | undefined>((resolve, reject) => {
    const call = request(`${server.url}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", reject);
    call.end();
  });

  expect(answered).toBe(status);
});

test("the page comes with a policy that lets nothing in from elsewhere or inline", async () => {
  const { server } = await startStage();

  const pages = await Promise.all(["/", "/app.js", "/style.css"].map((path) => fetch(server.url + path)));

  for (const page of pages) expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
  expect(await pages[0]?.text()).not.toMatch(/<script(?! type="module" src)|style="|onclick/);
});

test("a document that a bot sends only ever leaves the server as a download", async () => {
  const { server, bot, chat } = await startStage();
  const form = new FormData();
  form.set("chat_id", String(OWNER.id));
  form.set("document", new Blob(["<script>alert(1)</script>"], { type: "text/html" }), "x.html");
  await bot("sendDocument", form);

  const response = await fetch(server.url + (await chat()).messages[0].document.url);

  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(response.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''x.html");
});

test("a command in JSON is taken from `curl -d`, which says that it is a form", async () => {
  const { server, chat } = await startStage();

  const response = await fetch(`${server.url}/simulate/message`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: '{"text": "/status"}',
  });

  expect(response.status).toBe(200);
  expect((await chat()).messages).toMatchObject([{ text: "/status" }]);
});
