// The error table: what the server refuses, with which code and in exactly which words.
import { describe, expect, test } from "vitest";
import { formOf, OWNER, pngOf, type Stage, startStage } from "./support.ts";

const NOT_MODIFIED =
  "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
const LATE = "Bad Request: query is too old and response timeout expired or query ID is invalid";
const chat_id = OWNER.id;

const keyboard = (...buttons: object[]) => ({ inline_keyboard: [buttons] });

type Row = [when: string, method: string, parameters: object | FormData, description: string, code?: number];

/** Message 1 is the owner's text, 2 the bot's text "same", 3 the bot's photo with caption "cap". */
async function startChat(): Promise<Stage> {
  const stage = await startStage();
  await stage.person("message", { text: "hello" });
  await stage.bot("sendMessage", {
    chat_id,
    text: "same",
    reply_markup: keyboard({ text: "Go", callback_data: "go" }),
  });
  const form = formOf(
    { chat_id: String(chat_id), caption: "cap" },
    { photo: { bytes: pngOf(100, 100), name: "a.png" } },
  );
  await stage.bot("sendPhoto", form);
  return stage;
}

const photo = (bytes: Buffer): FormData => formOf({ chat_id: String(chat_id) }, { photo: { bytes, name: "p.png" } });

const ROWS: Row[] = [
  ["the text is missing", "sendMessage", { chat_id }, "Bad Request: message text is empty"],
  ["the text is blank", "sendMessage", { chat_id, text: " \n " }, "Bad Request: text must be non-empty"],
  [
    "the text is longer than 4,096",
    "sendMessage",
    { chat_id, text: "x".repeat(4_097) },
    "Bad Request: message is too long",
  ],
  [
    "the edit is longer than 4,096",
    "editMessageText",
    { chat_id, message_id: 2, text: "x".repeat(4_097) },
    "Bad Request: MESSAGE_TOO_LONG",
  ],
  [
    "the raw text is longer than 32,768 bytes",
    "sendMessage",
    { chat_id, text: "x".repeat(32_769) },
    "Bad Request: text is too long",
  ],
  ["the chat is missing", "sendMessage", { text: "x" }, "Bad Request: chat_id is empty"],
  ["the chat is unknown", "sendMessage", { chat_id: 4_242, text: "x" }, "Bad Request: chat not found"],
  ["the chat's name is unknown", "sendMessage", { chat_id: "@nobody", text: "x" }, "Bad Request: chat not found"],
  ["the chat's id is no number", "sendMessage", { chat_id: "abc", text: "x" }, "Bad Request: chat not found"],
  [
    "the person never wrote",
    "sendMessage",
    { chat_id: 990_000_001, text: "x" },
    "Forbidden: bot can't initiate conversation with a user",
    403,
  ],
  [
    "the parse mode is unknown",
    "sendMessage",
    { chat_id, text: "x", parse_mode: "BB" },
    "Bad Request: unsupported parse_mode",
  ],
  [
    "a tag is unknown",
    "sendMessage",
    { chat_id, text: "<x>", parse_mode: "HTML" },
    `Bad Request: can't parse entities: Unsupported start tag "x" at byte offset 0`,
  ],
  [
    "the reply's target is missing",
    "sendMessage",
    { chat_id, text: "x", reply_parameters: { message_id: 99 } },
    "Bad Request: message to be replied not found",
  ],
  [
    "the reply's target is missing (old parameter)",
    "sendMessage",
    { chat_id, text: "x", reply_to_message_id: 99 },
    "Bad Request: message to be replied not found",
  ],
  [
    "the topic is unknown",
    "sendMessage",
    { chat_id, text: "x", message_thread_id: 5 },
    "Bad Request: message thread not found",
  ],
  [
    "callback data is longer than 64 bytes",
    "sendMessage",
    { chat_id, text: "x", reply_markup: keyboard({ text: "b", callback_data: "−".repeat(22) }) },
    "Bad Request: BUTTON_DATA_INVALID",
  ],
  [
    "callback data is empty",
    "sendMessage",
    { chat_id, text: "x", reply_markup: keyboard({ text: "b", callback_data: "" }) },
    "Bad Request: BUTTON_DATA_INVALID",
  ],
  [
    "a button's link is no link",
    "sendMessage",
    { chat_id, text: "x", reply_markup: keyboard({ text: "b", url: "http://localhost:8080" }) },
    "Bad Request: BUTTON_URL_INVALID",
  ],
  [
    "a button has no action",
    "sendMessage",
    { chat_id, text: "x", reply_markup: keyboard({ text: "b" }) },
    "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
  ],
  [
    "a keyboard has 101 buttons",
    "sendMessage",
    {
      chat_id,
      text: "x",
      reply_markup: { inline_keyboard: Array.from({ length: 101 }, () => [{ text: "b", callback_data: "d" }]) },
    },
    "Bad Request: reply markup is too long",
  ],
  [
    "the keyboard is no JSON",
    "sendMessage",
    { chat_id, text: "x", reply_markup: "{" },
    "Bad Request: can't parse reply keyboard markup JSON object",
  ],
  [
    "the same text is edited in",
    "editMessageText",
    { chat_id, message_id: 2, text: "same", reply_markup: keyboard({ text: "Go", callback_data: "go" }) },
    NOT_MODIFIED,
  ],
  [
    "the same keyboard is edited in",
    "editMessageReplyMarkup",
    { chat_id, message_id: 2, reply_markup: keyboard({ text: "Go", callback_data: "go" }) },
    NOT_MODIFIED,
  ],
  [
    "the message to edit is missing",
    "editMessageText",
    { chat_id, message_id: 99, text: "x" },
    "Bad Request: message to edit not found",
  ],
  [
    "no message is named for an edit",
    "editMessageText",
    { chat_id, text: "x" },
    "Bad Request: message identifier is not specified",
  ],
  [
    "somebody else's message is edited",
    "editMessageText",
    { chat_id, message_id: 1, text: "x" },
    "Bad Request: message can't be edited",
  ],
  [
    "a photo's text is edited",
    "editMessageText",
    { chat_id, message_id: 3, text: "x" },
    "Bad Request: there is no text in the message to edit",
  ],
  [
    "a text's caption is edited",
    "editMessageCaption",
    { chat_id, message_id: 2, caption: "x" },
    "Bad Request: there is no caption in the message to edit",
  ],
  [
    "the caption is longer than 1,024",
    "editMessageCaption",
    { chat_id, message_id: 3, caption: "x".repeat(1_025) },
    "Bad Request: MEDIA_CAPTION_TOO_LONG",
  ],
  [
    "the message to delete is missing",
    "deleteMessage",
    { chat_id, message_id: 99 },
    "Bad Request: message to delete not found",
  ],
  [
    "the message to pin is missing",
    "pinChatMessage",
    { chat_id, message_id: 99 },
    "Bad Request: message to pin not found",
  ],
  ["the callback id is wrong", "answerCallbackQuery", { callback_query_id: "1" }, LATE],
  ["the photo is missing", "sendPhoto", { chat_id }, "Bad Request: there is no photo in the request"],
  [
    "the photo is no picture",
    "sendPhoto",
    photo(Buffer.from("no picture at all")),
    "Bad Request: IMAGE_PROCESS_FAILED",
  ],
  [
    "the photo's sides are more than 10,000 together",
    "sendPhoto",
    photo(pngOf(5_001, 5_000)),
    "Bad Request: PHOTO_INVALID_DIMENSIONS",
  ],
  [
    "one side of the photo is more than 20 times the other",
    "sendPhoto",
    photo(pngOf(2_101, 100)),
    "Bad Request: PHOTO_INVALID_DIMENSIONS",
  ],
  [
    "the photo's caption is longer than 1,024",
    "sendPhoto",
    { chat_id, caption: "x".repeat(1_025) },
    "Bad Request: message caption is too long",
  ],
  [
    "the file id is made up",
    "sendPhoto",
    { chat_id, photo: "AgACAgIAAxkDAAIxxxxxxxxxxxx" },
    "Bad Request: wrong file identifier/HTTP URL specified",
  ],
  [
    "the photo is a link",
    "sendPhoto",
    { chat_id, photo: "https://example.com/a.png" },
    "Bad Request: failed to get HTTP URL content",
  ],
  ["the document is missing", "sendDocument", { chat_id }, "Bad Request: there is no document in the request"],
  ["no file is named", "getFile", {}, "Bad Request: file_id not specified"],
  ["the file id has a wrong shape", "getFile", { file_id: "!" }, "Bad Request: invalid file_id"],
  [
    "the file is gone",
    "getFile",
    { file_id: "AgACAgIAAxkDAAIxxxxxxxxxxxx" },
    "Bad Request: wrong file_id or the file is temporarily unavailable",
  ],
  ["commands are no JSON", "setMyCommands", { commands: "[" }, "Bad Request: can't parse commands JSON object"],
  [
    "a command has a capital",
    "setMyCommands",
    { commands: [{ command: "Start", description: "x" }] },
    "Bad Request: BOT_COMMAND_INVALID",
  ],
  [
    "a command has no description",
    "setMyCommands",
    { commands: [{ command: "start", description: "" }] },
    "Bad Request: BOT_COMMAND_INVALID",
  ],
  [
    "a webhook is set",
    "setWebhook",
    { url: "https://example.com" },
    "Bad Request: bad webhook: this local server delivers updates by getUpdates only",
  ],
  [
    "the action is unknown",
    "sendChatAction",
    { chat_id, action: "dancing" },
    "Bad Request: wrong parameter action in request",
  ],
  ["the method is unknown", "sendPigeon", { chat_id }, "Not Found: method not found", 404],
];

test.each(ROWS)("when %s, %s is refused", async (_when, method, parameters, description, code = 400) => {
  const { bot } = await startChat();

  const answer = await bot(method, parameters);

  expect(answer).toMatchObject({ ok: false, status: code, error_code: code, description });
});

describe("limits stand exactly where Telegram has them", () => {
  test.each<[what: string, method: string, parameters: object | FormData]>([
    ["a text of 4,096", "sendMessage", { chat_id, text: "x".repeat(4_096) }],
    ["4,096 units after parsing", "sendMessage", { chat_id, text: `<b>${"x".repeat(4_096)}</b>`, parse_mode: "HTML" }],
    [
      "64 bytes of callback data",
      "sendMessage",
      { chat_id, text: "x", reply_markup: keyboard({ text: "b", callback_data: "x".repeat(64) }) },
    ],
    [
      "100 buttons",
      "sendMessage",
      {
        chat_id,
        text: "x",
        reply_markup: { inline_keyboard: Array.from({ length: 100 }, () => [{ text: "b", callback_data: "d" }]) },
      },
    ],
    ["a caption of 1,024", "editMessageCaption", { chat_id, message_id: 3, caption: "x".repeat(1_024) }],
    ["sides of 10,000 together", "sendPhoto", photo(pngOf(5_000, 5_000))],
    ["a side 20 times the other", "sendPhoto", photo(pngOf(2_000, 100))],
    [
      "a reply to nothing that is allowed",
      "sendMessage",
      { chat_id, text: "x", reply_parameters: { message_id: 99, allow_sending_without_reply: true } },
    ],
  ])("%s is taken", async (_what, method, parameters) => {
    const { bot } = await startChat();

    expect(await bot(method, parameters)).toMatchObject({ ok: true });
  });
});

test.each([
  ["123", 401, "Unauthorized: invalid token specified"],
  ["7000000001:wrong-secret-wrong-secret", 401, "Unauthorized"],
])("the token %s is refused", async (token, code, description) => {
  const { bot } = await startStage();

  expect(await bot("getMe", {}, token)).toMatchObject({ status: code, error_code: code, description });
});

test("with a token given, no other bot is let in", async () => {
  const { bot } = await startStage({ token: "42:the-only-one-that-is-let-in" });

  expect(await bot("getMe", {}, "42:the-only-one-that-is-let-in")).toMatchObject({ ok: true, result: { id: 42 } });
  expect(await bot("getMe", {}, "43:some-other-token-of-its-own")).toMatchObject({ status: 401 });
});

test("a path that is neither a bot's nor the page's is not found", async () => {
  const { server } = await startStage();

  const answers = await Promise.all(
    ["/bot7000000001:x", "/file/x", "/no-such-page", "/../package.json"].map((path) => fetch(server.url + path)),
  );

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
});

test("a closed bot answers nothing more", async () => {
  const { bot } = await startStage();
  expect(await bot("close")).toMatchObject({ ok: true, result: true });

  expect(await bot("getMe")).toMatchObject({
    status: 400,
    description: "Bad Request: the bot has already been closed",
  });
});

test("a press is answered once, within its time, in at most 200 characters", async () => {
  const { bot, person } = await startChat();
  const { callback_query } = await person("press", { message_id: 2, label: "Go" });
  const answer = (text: string) => bot("answerCallbackQuery", { callback_query_id: callback_query.id, text });

  expect(await answer("x".repeat(201))).toMatchObject({ description: "Bad Request: MESSAGE_TOO_LONG" });
  expect(await answer("x".repeat(200))).toMatchObject({ ok: true });
  expect(await answer("again")).toMatchObject({ description: LATE });
});

test("a person who blocked the bot, or is no more, gets nothing", async () => {
  const { bot, person } = await startChat();
  const send = () => bot("sendMessage", { chat_id, text: "x" });

  await person("block", { user: chat_id });
  expect(await send()).toMatchObject({ status: 403, description: "Forbidden: bot was blocked by the user" });
  await person("block", { user: chat_id, blocked: false });
  expect(await send()).toMatchObject({ ok: true });
  await person("user", { id: chat_id, deactivated: true });
  expect(await send()).toMatchObject({ status: 403, description: "Forbidden: user is deactivated" });
});

test("a body that says JSON and is none is refused, and the server goes on", async () => {
  const { server, bot } = await startStage();

  const response = await fetch(`${server.url}/bot${server.token}/getMe`, {
    method: "POST",
    body: "{",
    headers: { "Content-Type": "application/json" },
  });

  expect(response.status).toBe(400);
  expect(await bot("getMe")).toMatchObject({ ok: true });
});

test("an upload beyond 50 MB is refused with 413", async () => {
  const { bot } = await startStage();
  const form = formOf(
    { chat_id: String(chat_id) },
    { document: { bytes: Buffer.alloc(53 * 1024 * 1024), name: "big" } },
  );

  expect(await bot("sendDocument", form)).toMatchObject({ status: 413, description: "Request Entity Too Large" });
});
