// Every queue and list has an end; these tests reach it.
import { describe, expect, test } from "vitest";
import { wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { BOTS_MAX } from "../../../src/simulators/telegram/bots.ts";
import { CALLS_MAX, CallBook } from "../../../src/simulators/telegram/call-record.ts";
import { SHOWN_MESSAGES_MAX } from "../../../src/simulators/telegram/chat-view.ts";
import { CHAT_WAIT_MS_MAX } from "../../../src/simulators/telegram/control.ts";
import { FAULTS_MAX, FaultPlan } from "../../../src/simulators/telegram/faults.ts";
import { FileShelf, SHELF_FILES_MAX } from "../../../src/simulators/telegram/file-shelf.ts";
import { DELETABLE_SECONDS, DELETED_AT_ONCE_MAX } from "../../../src/simulators/telegram/methods/edit.ts";
import { COMMANDS_MAX } from "../../../src/simulators/telegram/methods/profile.ts";
import { FORM_PARTS_MAX, parseMultipart } from "../../../src/simulators/telegram/multipart.ts";
import { TYPED_UNITS_MAX } from "../../../src/simulators/telegram/people.ts";
import { UPDATES_MAX, UpdateQueue } from "../../../src/simulators/telegram/update-queue.ts";
import {
  CALLBACK_ANSWER_MS_MAX,
  CALLBACKS_MAX,
  CHAT_ACTION_MS,
  CHAT_MESSAGES_MAX,
  World,
} from "../../../src/simulators/telegram/world.ts";
import { createFakeClock } from "./fake-clock.ts";
import { OWNER, startStage } from "./support.ts";

const chat_id = OWNER.id;
const BOT = { id: 9, is_bot: true, first_name: "Bot" };

function newWorld() {
  const owner = { id: chat_id, is_bot: false, first_name: "Anna" };
  const files = new FileShelf(undefined, []);
  const world = new World({ clock: wallClock, messageClock: wallClock, files, owner, seq: 0 });
  const account = world.addAccount(BOT);
  return { world, account, room: world.privateRoom(account, chat_id) };
}

test(`a chat keeps its newest ${CHAT_MESSAGES_MAX} messages and shows ${SHOWN_MESSAGES_MAX}`, async () => {
  const { world, room } = newWorld();
  for (let count = 0; count <= CHAT_MESSAGES_MAX; count += 1) world.post(room, BOT, { text: "x" });

  expect(room.messages).toHaveLength(CHAT_MESSAGES_MAX);
  expect(room.messages[0]?.message.message_id).toBe(2);
  const { bot, chat } = await startStage();
  for (let count = 0; count <= SHOWN_MESSAGES_MAX; count += 1) await bot("sendMessage", { chat_id, text: "x" });
  expect((await chat()).messages).toHaveLength(SHOWN_MESSAGES_MAX);
});

test(`a bot's newest ${CALLBACKS_MAX} presses can be answered`, () => {
  const { world, account, room } = newWorld();
  const message = world.post(room, BOT, { text: "x" });
  const first = world.press(account, BOT, room, message, "d");
  for (let count = 0; count < CALLBACKS_MAX; count += 1) world.press(account, BOT, room, message, "d");

  expect(account.presses.size).toBe(CALLBACKS_MAX);
  expect(account.presses.has(first.id)).toBe(false);
});

test(`a bot that never polls keeps its newest ${UPDATES_MAX} updates`, () => {
  const queue = new UpdateQueue(wallClock, { nextUpdateId: 1, updates: [], allowed: null }, () => {});
  const message = { message_id: 1, date: 1, chat: { id: 1, type: "private" as const } };
  for (let count = 0; count <= UPDATES_MAX; count += 1) queue.push({ message });

  expect(queue.pending()).toBe(UPDATES_MAX);
  expect(queue.state.updates[0]?.update.update_id).toBe(2);
});

test(`the shelf keeps its newest ${SHELF_FILES_MAX} files`, () => {
  const shelf = new FileShelf(undefined, []);
  const add = () =>
    shelf.add({
      kind: "documents",
      name: "a",
      mime: "text/plain",
      bytes: Buffer.from("x"),
      width: 0,
      height: 0,
      idCount: 1,
    });
  const first = add();
  for (let count = 0; count < SHELF_FILES_MAX; count += 1) add();

  expect(shelf.entries()).toHaveLength(SHELF_FILES_MAX);
  expect([shelf.byPath(first.path), shelf.read(first)]).toEqual([undefined, undefined]);
});

test(`the newest ${CALLS_MAX} calls are recorded`, () => {
  const book = new CallBook(undefined, silentLog);
  const call = { atMs: 0, durationMs: 0, bot: 1, method: "getMe", parameters: {}, status: 200, answer: {} };
  for (let count = 0; count <= CALLS_MAX; count += 1) book.add(call);

  expect(book.after(0, "")).toHaveLength(CALLS_MAX);
  expect(book.after(CALLS_MAX, "GETME").map(({ call: number }) => number)).toEqual([CALLS_MAX + 1]);
});

test(`at most ${FAULTS_MAX} faults wait`, () => {
  const plan = new FaultPlan(createFakeClock());
  const add = () =>
    plan.add({
      method: "*",
      times: 1,
      forMs: null,
      afterMs: 0,
      skip: 0,
      isOutage: false,
      fault: { kind: "hang" },
    });

  const added = Array.from({ length: FAULTS_MAX + 1 }, add);

  expect(added.filter(Boolean)).toHaveLength(FAULTS_MAX);
});

test(`a form has at most ${FORM_PARTS_MAX} parts`, () => {
  const part = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
  const parse = (parts: number) =>
    parseMultipart("multipart/form-data; boundary=B", Buffer.from(`${part.repeat(parts)}--B--`));

  expect(parse(FORM_PARTS_MAX - 1).ok).toBe(true);
  expect(parse(FORM_PARTS_MAX + 1)).toEqual({ ok: false, error: "too many parts" });
});

test(`at most ${BOTS_MAX} bots are let in`, async () => {
  const { bot } = await startStage();
  const statuses = [];
  for (let id = 1; id <= BOTS_MAX; id += 1) statuses.push((await bot("getMe", {}, `${id}:some-secret`)).status);

  // The demo's own bot is one of them.
  expect(statuses.filter((status) => status === 200)).toHaveLength(BOTS_MAX - 1);
  expect(statuses.at(-1)).toBe(401);
});

test.each([
  [COMMANDS_MAX, true],
  [COMMANDS_MAX + 1, false],
])("of %d commands being set it is %s that they are taken", async (count, isTaken) => {
  const { bot } = await startStage();
  const commands = Array.from({ length: count }, (_, index) => ({ command: `c${index}`, description: "x" }));

  expect((await bot("setMyCommands", { commands })).ok).toBe(isTaken);
});

test.each([
  [DELETED_AT_ONCE_MAX, true],
  [DELETED_AT_ONCE_MAX + 1, false],
])("of %d messages to delete at once it is %s that they are taken", async (count, isTaken) => {
  const { bot } = await startStage();
  const message_ids = Array.from({ length: count }, (_, index) => index + 1);

  expect((await bot("deleteMessages", { chat_id, message_ids })).ok).toBe(isTaken);
});

test.each([
  [TYPED_UNITS_MAX, true],
  [TYPED_UNITS_MAX + 1, false],
])("of %d characters typed it is %s that they are sent", async (count, isSent) => {
  const { person } = await startStage();

  expect((await person("message", { text: "x".repeat(count) })).ok).toBe(isSent);
});

describe("time runs out", () => {
  test.each([
    [CALLBACK_ANSWER_MS_MAX, true],
    [CALLBACK_ANSWER_MS_MAX + 1, false],
  ])("for a press after %d ms: %s that it can be answered", async (waitMs, isTaken) => {
    const clock = createFakeClock();
    const { bot, person } = await startStage({ clock });
    const reply_markup = { inline_keyboard: [[{ text: "Go", callback_data: "go" }]] };
    await bot("sendMessage", { chat_id, text: "x", reply_markup });
    const { callback_query } = await person("press", { label: "Go" });

    clock.advance(waitMs);

    expect((await bot("answerCallbackQuery", { callback_query_id: callback_query.id })).ok).toBe(isTaken);
  });

  test("for a chat action", async () => {
    const clock = createFakeClock();
    const { bot, chat } = await startStage({ clock });
    await bot("sendChatAction", { chat_id, action: "typing" });

    clock.advance(CHAT_ACTION_MS - 1);
    expect((await chat()).typing).toBe("typing");
    clock.advance(1);

    expect((await chat()).typing).toBeNull();
  });

  test("for deleting a message", async () => {
    const clock = createFakeClock();
    const { bot, person } = await startStage({ clock });
    const ids = [(await bot("sendMessage", { chat_id, text: "a" })).result.message_id];
    await person("clock", { offset: DELETABLE_SECONDS + 1 });
    ids.push((await bot("sendMessage", { chat_id, text: "b" })).result.message_id);

    const answers = await Promise.all(ids.map((message_id) => bot("deleteMessage", { chat_id, message_id })));

    expect(answers.map(({ ok }) => ok)).toEqual([false, true]);
    expect(answers[0]?.description).toBe("Bad Request: message can't be deleted");
  });

  test("for the page's poll, which then shows the chat as it was", async () => {
    const clock = createFakeClock();
    const { chat, bot } = await startStage({ clock });
    await bot("getMe");
    const { seq } = await chat();
    const poll = chat(`since=${seq}`);
    while (clock.waiting() === 0) await bot("getMe");

    clock.advance(CHAT_WAIT_MS_MAX);

    expect((await poll).seq).toBe(seq);
  });
});
