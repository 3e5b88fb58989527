// What the methods do when all is well, seen by the bot and by the person.
import { request } from "node:http";
import { expect, test } from "vitest";
import { formOf, OWNER, pngOf, type Stage, startStage } from "./support.ts";

const chat_id = OWNER.id;

test("getMe takes the bot's id from its token", async () => {
  const { bot } = await startStage();

  expect(await bot("GETME", {}, "99:any-well-formed-token-is-a-bot")).toMatchObject({
    result: { id: 99, is_bot: true, can_read_all_group_messages: false, supports_inline_queries: false },
  });
});

test.each([
  ["query", (base: string) => fetch(`${base}/sendMessage?chat_id=${chat_id}&text=a%2Bb&disable_notification=true`)],
  [
    "urlencoded form",
    (base: string) =>
      fetch(`${base}/sendMessage`, {
        method: "POST",
        body: new URLSearchParams({ chat_id: String(chat_id), text: "a+b", disable_notification: "True" }),
      }),
  ],
  [
    "multipart form",
    (base: string) =>
      fetch(`${base}/sendmessage/`, {
        method: "POST",
        body: formOf({ chat_id: String(chat_id), text: "a+b", disable_notification: "1" }, {}),
      }),
  ],
  [
    "JSON body",
    (base: string) =>
      fetch(`${base}/sendMessage`, {
        method: "POST",
        body: JSON.stringify({ chat_id, text: "a+b", disable_notification: true, unknown: [1], absent: null }),
        headers: { "Content-Type": "application/json; charset=utf-8" },
      }),
  ],
])("parameters come by %s", async (_way, call) => {
  const { server, chat } = await startStage();

  const response = await call(`${server.url}/bot${server.token}`);

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toMatchObject({ ok: true, result: { text: "a+b", chat: { id: chat_id } } });
  expect((await chat()).messages).toMatchObject([{ text: "a+b", silent: true, from_bot: true }]);
});

test("a chunked upload whose photo is attached by name keeps its bytes", async () => {
  const { server, bot } = await startStage();
  const png = pngOf(2_000, 1_200);
  const boundary = "----x";
  const part = (head: string, body: Buffer | string) => [`--${boundary}\r\n${head}\r\n\r\n`, body, "\r\n"];
  const pieces = [
    ...part('content-disposition: form-data; name="chat_id"', String(chat_id)),
    ...part(
      'Content-Type: application/octet-stream\r\nContent-Disposition: form-data; name="f0"; filename="c.png"',
      png,
    ),
    ...part('content-disposition: form-data; name="photo"', "attach://f0"),
    `--${boundary}--\r\n`,
  ];

  const answer = await new Promise<string>((resolve, reject) => {
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}`, "transfer-encoding": "chunked" };
    const upload = request(`${server.url}/bot${server.token}/sendPhoto`, { method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    upload.on("error", reject);
    for (const piece of pieces) upload.write(piece);
    upload.end();
  });

  const { photo } = JSON.parse(answer).result;
  expect(photo.map(({ width, height }: { width: number; height: number }) => [width, height])).toEqual([
    [90, 54],
    [320, 192],
    [800, 480],
    [1_280, 768],
    [2_000, 1_200],
  ]);
  const file = await bot("getFile", { file_id: photo[4].file_id });
  const bytes = await (await fetch(`${server.url}/file/bot${server.token}/${file.result.file_path}`)).arrayBuffer();
  expect(Buffer.from(bytes).equals(png)).toBe(true);
});

test("a file is sent again by its id, and another path of the file is not found", async () => {
  const { server, bot } = await startStage();
  const sent = await bot(
    "sendDocument",
    formOf({ chat_id: String(chat_id) }, { document: { bytes: Buffer.from("a,b"), name: "tråde.csv" } }),
  );
  const { file_id } = sent.result.document;

  expect(sent.result.document).toMatchObject({ file_name: "tråde.csv", mime_type: "text/csv", file_size: 3 });
  expect(await bot("sendDocument", { chat_id, document: file_id })).toMatchObject({
    result: { document: { file_id } },
  });
  expect(await bot("sendPhoto", { chat_id, photo: file_id })).toMatchObject({ ok: false });
  const missing = await fetch(`${server.url}/file/bot${server.token}/documents/none.csv`);
  expect([missing.status, await missing.json()]).toMatchObject([404, { ok: false, description: "Not Found" }]);
});

test("an album is as many messages with one group id", async () => {
  const { bot } = await startStage();
  const media = [1, 2].map((index) => ({
    type: "photo",
    media: `attach://p${index}`,
    ...(index === 1 ? { caption: "two" } : {}),
  }));
  const file = { bytes: pngOf(50, 50), name: "p.png" };

  const { result } = await bot(
    "sendMediaGroup",
    formOf({ chat_id: String(chat_id), media: JSON.stringify(media) }, { p1: file, p2: file }),
  );

  expect(result).toHaveLength(2);
  expect(result[0]).toMatchObject({ caption: "two", media_group_id: result[1].media_group_id });
});

async function startWithKeys(): Promise<Stage & { sentId: number }> {
  const stage = await startStage();
  const reply_markup = {
    inline_keyboard: [
      [
        { text: "Go", callback_data: "a1:go" },
        { text: "Site", url: "example.com" },
      ],
    ],
  };
  const { result } = await stage.bot("sendMessage", {
    chat_id,
    text: "Sure?",
    reply_markup: JSON.stringify(reply_markup),
  });
  return { ...stage, sentId: result.message_id };
}

test("an edit keeps id and place, dates the change, and takes away a keyboard that isn't given again", async () => {
  const { bot, chat, sentId: message_id } = await startWithKeys();

  const edited = await bot("editMessageText", { chat_id, message_id, text: "<b>Done</b>", parse_mode: "html" });

  expect(edited.result).toMatchObject({ message_id, text: "Done", entities: [{ type: "bold", offset: 0, length: 4 }] });
  expect(edited.result.edit_date).toBeGreaterThanOrEqual(edited.result.date);
  expect(edited.result).not.toHaveProperty("reply_markup");
  expect((await chat()).messages).toMatchObject([{ message_id, text: "Done", edited: true }]);
});

test("a change of the keyboard alone is not shown as an edit", async () => {
  const { bot, chat, sentId: message_id } = await startWithKeys();

  await bot("editMessageReplyMarkup", { chat_id, message_id });

  expect((await chat()).messages).toMatchObject([{ text: "Sure?", edited: false }]);
});

test("a photo is replaced in place by editMessageMedia", async () => {
  const { bot, chat } = await startStage();
  const file = { bytes: pngOf(100, 60), name: "a.png" };
  const sent = await bot("sendPhoto", formOf({ chat_id: String(chat_id), caption: "old" }, { photo: file }));
  const media = JSON.stringify({ type: "photo", media: "attach://new", caption: "*new*", parse_mode: "MarkdownV2" });

  const edited = await bot(
    "editMessageMedia",
    formOf(
      { chat_id: String(chat_id), message_id: String(sent.result.message_id), media },
      { new: { bytes: pngOf(200, 100), name: "b.png" } },
    ),
  );

  expect(edited.result).toMatchObject({ caption: "new", caption_entities: [{ type: "bold" }] });
  const [shown] = (await chat()).messages;
  expect(shown).toMatchObject({ caption: "new", photo: { width: 200, height: 100 } });
});

test("a press goes to the bot with its message, and the answer comes to the person", async () => {
  const { bot, person, chat, sentId: message_id } = await startWithKeys();

  const update = await person("press", { message_id, data: "a1:go" });
  const [delivered] = (await bot("getUpdates")).result;
  await bot("answerCallbackQuery", { callback_query_id: update.callback_query.id, text: "Gone", show_alert: true });

  expect(delivered).toMatchObject({
    update_id: update.update_id,
    callback_query: { data: "a1:go", from: { id: chat_id }, message: { message_id, text: "Sure?" } },
  });
  expect((await chat()).alerts).toMatchObject([
    { callback_query_id: update.callback_query.id, text: "Gone", show_alert: true },
  ]);
});

test.each([
  [{ label: "Go" }, { ok: true }],
  [{ label: "Nothing" }, { ok: false, description: 'no button "Nothing" there' }],
  [{ label: "Site" }, { ok: false, description: 'the button "Site" opens a link, it sends nothing' }],
  [
    { message_id: 77, label: "Go" },
    { ok: false, description: "there is no message 77 in this chat" },
  ],
  [{}, { ok: false, description: "say which button: data or label" }],
])("a press of %j is found or refused with the reason", async (body, expected) => {
  const { person } = await startWithKeys();

  expect(await person("press", body)).toMatchObject(expected);
});

test("a deleted message is gone from the chat and its pin", async () => {
  const { bot, chat, sentId: message_id } = await startWithKeys();
  await bot("pinChatMessage", { chat_id, message_id, disable_notification: true });

  await bot("deleteMessage", { chat_id, message_id });

  expect(await chat()).toMatchObject({ messages: [], pinned: null });
});

test("deleteMessages skips what isn't there", async () => {
  const { bot, chat, sentId } = await startWithKeys();

  expect(await bot("deleteMessages", { chat_id, message_ids: [sentId, 99] })).toMatchObject({ ok: true, result: true });
  expect((await chat()).messages).toEqual([]);
});

test("the pinned line and a quote don't tell what is hidden in a message", async () => {
  const { bot, person, chat } = await startStage();
  const text = "Key: <tg-spoiler>secret</tg-spoiler>!";
  const { result } = await bot("sendMessage", { chat_id, text, parse_mode: "HTML" });
  await bot("pinChatMessage", { chat_id, message_id: result.message_id, disable_notification: true });
  await person("message", { text: "seen", reply_to: result.message_id });

  const view = await chat();
  expect([view.pinned.text, view.messages.at(-1).reply_to.text]).toEqual(["Key: ▒▒▒▒▒▒!", "Key: ▒▒▒▒▒▒!"]);
});

test("the pinned bar shows the newest pin; a pin with sound leaves a line in the chat", async () => {
  const { bot, chat, sentId } = await startWithKeys();
  const second = (await bot("sendMessage", { chat_id, text: "Card" })).result.message_id;

  await bot("pinChatMessage", { chat_id, message_id: sentId, disable_notification: true });
  await bot("pinChatMessage", { chat_id, message_id: second });

  const view = await chat();
  expect(view.pinned).toEqual({ message_id: second, text: "Card" });
  expect(view.messages.at(-1)).toMatchObject({ service: "Quant Scalper pinned “Card”" });
  expect((await bot("getChat", { chat_id })).result.pinned_message).toMatchObject({ text: "Card" });
  await bot("unpinChatMessage", { chat_id });
  expect((await chat()).pinned).toMatchObject({ message_id: sentId });
  await bot("unpinAllChatMessages", { chat_id });
  expect((await chat()).pinned).toBeNull();
});

test("commands are kept by scope and language, and the person sees the narrowest", async () => {
  const { bot, chat } = await startStage();
  const set = (command: string, more: object) =>
    bot("setMyCommands", { commands: [{ command, description: "x" }], ...more });
  await set("everyone", {});
  await set("private", { scope: { type: "all_private_chats" } });
  await set("german", { scope: { type: "chat", chat_id }, language_code: "de" });
  expect((await chat()).commands).toMatchObject([{ command: "private" }]);

  await set("mine", { scope: { type: "chat", chat_id } });

  expect((await chat()).commands).toEqual([{ command: "mine", description: "x" }]);
  expect((await bot("getMyCommands", { scope: { type: "chat", chat_id }, language_code: "de" })).result).toMatchObject([
    { command: "german" },
  ]);
  await bot("deleteMyCommands", { scope: { type: "chat", chat_id } });
  expect((await bot("getMyCommands", { scope: { type: "chat", chat_id } })).result).toEqual([]);
  expect((await chat()).commands).toMatchObject([{ command: "private" }]);
});

test.each([
  ["Name", "name", "Scalper"],
  ["Description", "description", "Trades."],
  ["ShortDescription", "short_description", "Short."],
])("setMy%s is given back by language, and by none where there is none", async (name, field, text) => {
  const { bot } = await startStage();

  await bot(`setMy${name}`, { [field]: text });

  expect((await bot(`getMy${name}`, { language_code: "de" })).result).toEqual({ [field]: text });
});

test("a keyboard stands until it is removed; a one-time one until it is used", async () => {
  const { bot, person, chat } = await startStage();
  const keyboard = [["Today", { text: "Week" }]];
  await bot("sendMessage", { chat_id, text: "Period?", reply_markup: { keyboard, one_time_keyboard: true } });
  expect((await chat()).replyKeyboard).toEqual({
    keyboard: [[{ text: "Today" }, { text: "Week" }]],
    one_time_keyboard: true,
  });

  await person("message", { text: "Today" });
  expect((await chat()).replyKeyboard).toBeNull();
  await bot("sendMessage", { chat_id, text: "Period?", reply_markup: { keyboard } });
  await bot("sendMessage", { chat_id, text: "Never mind", reply_markup: { remove_keyboard: true } });

  expect((await chat()).replyKeyboard).toBeNull();
});

test("an answer to a forced reply is a reply to its question", async () => {
  const { bot, person, chat } = await startStage();
  const { result } = await bot("sendMessage", {
    chat_id,
    text: "Window?",
    reply_markup: { force_reply: true, input_field_placeholder: "60" },
  });
  expect((await chat()).forceReply).toEqual({
    message_id: result.message_id,
    placeholder: "60",
    name: "Quant Scalper",
    text: "Window?",
  });

  const update = await person("message", { text: "90" });

  expect(update.message).toMatchObject({ text: "90", reply_to_message: { message_id: result.message_id } });
});

test("a chat action shows until the bot's next message", async () => {
  const { bot, chat } = await startStage();
  await bot("sendChatAction", { chat_id, action: "upload_photo" });
  expect((await chat()).typing).toBe("upload_photo");

  await bot("sendMessage", { chat_id, text: "here" });

  expect((await chat()).typing).toBeNull();
});

test("deleteWebhook says that there is none, and drops what waits when asked", async () => {
  const { bot, person } = await startStage();
  await person("message", { text: "one" });
  expect((await bot("getWebhookInfo")).result).toEqual({
    url: "",
    has_custom_certificate: false,
    pending_update_count: 1,
  });

  const answer = await bot("deleteWebhook", { drop_pending_updates: "true" });

  expect(answer).toMatchObject({ ok: true, result: true, description: "Webhook is already deleted" });
  expect((await bot("getWebhookInfo")).result.pending_update_count).toBe(0);
});
