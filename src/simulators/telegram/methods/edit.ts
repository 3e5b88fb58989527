// editMessageText, …Caption, …ReplyMarkup, …Media, deleteMessage(s), pins and answerCallbackQuery: what changes what is there.
import { isDeepStrictEqual } from "node:util";
import type { Message } from "../api.ts";
import { readInlineMarkup } from "../markup.ts";
import { isRecord } from "../parameters.ts";
import { badRequest } from "../refusal.ts";
import {
  asReplied,
  CALLBACK_ANSWER_MS_MAX,
  findMessage,
  type KeptMessage,
  memberStatus,
  type Room,
  setKeyboard,
} from "../world.ts";
import { type Call, chatOf, type Method, messageOf, type Reply, requireWritable, takeFromFlood } from "./call.ts";
import { readMediaItem } from "./media.ts";
import { captionLooks, readCaption, readText } from "./text.ts";

const NOT_MODIFIED =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

/** Bots may delete messages younger than this (Bot API, deleteMessage). */
export const DELETABLE_SECONDS = 48 * 60 * 60;
export const DELETED_AT_ONCE_MAX = 100;
/** Characters of a callback's answer. */
const CALLBACK_TEXT_UNITS_MAX = 200;

export const editMessageText: Method = (call) => {
  const { text, entities } = readText(call.parameters, "MESSAGE_TOO_LONG");
  return edit(call, (message) => {
    if (message.text === undefined) throw badRequest("there is no text in the message to edit");
    message.text = text;
    setOrDelete(message, "entities", entities);
    const preview = call.parameters.json("link_preview_options");
    if (preview.ok && isRecord(preview.value)) message.link_preview_options = preview.value;
  });
};

export const editMessageCaption: Method = (call) => {
  const { caption, caption_entities } = readCaption(call.parameters, "MEDIA_CAPTION_TOO_LONG");
  const looks = captionLooks(call.parameters);
  return edit(call, (message) => {
    if (message.photo === undefined && message.document === undefined) {
      throw badRequest("there is no caption in the message to edit");
    }
    setOrDelete(message, "caption", caption);
    setOrDelete(message, "caption_entities", caption_entities);
    setOrDelete(message, "show_caption_above_media", looks.show_caption_above_media);
  });
};

export const editMessageReplyMarkup: Method = (call) => edit(call, () => {});

export const editMessageMedia: Method = (call) => {
  const parsed = call.parameters.json("media");
  if (!parsed.ok) throw badRequest("can't parse media JSON object");
  if (parsed.value === undefined) throw badRequest("media is not specified");
  const item = readMediaItem(call, parsed.value, "MEDIA_CAPTION_TOO_LONG");
  return edit(call, (message) => {
    const content = item.store();
    delete message.text;
    delete message.entities;
    delete message.link_preview_options;
    setOrDelete(message, "photo", content.photo);
    setOrDelete(message, "document", content.document);
    setOrDelete(message, "caption", item.caption.caption);
    setOrDelete(message, "caption_entities", item.caption.caption_entities);
    setOrDelete(message, "show_caption_above_media", item.caption.show_caption_above_media);
    setOrDelete(message, "has_media_spoiler", item.caption.has_media_spoiler);
  });
};

/** Tries the change on a copy, so that a refusal or "not modified" leaves the message as it was. */
function edit(call: Call, change: (message: Message) => void): Reply {
  const keyboard = readInlineMarkup(call.parameters);
  const { room, kept } = editable(call);
  const draft = structuredClone(kept.message);
  change(draft);
  // An edit without reply_markup takes the keyboard away.
  setKeyboard(draft, keyboard);
  if (isDeepStrictEqual(draft, kept.message)) throw badRequest(NOT_MODIFIED);
  takeFromFlood(call, room);
  const { reply_markup: _before, ...contentBefore } = kept.message;
  const { reply_markup: _after, ...contentAfter } = draft;
  kept.message = draft;
  call.world.edited(kept, !isDeepStrictEqual(contentBefore, contentAfter));
  return { result: kept.message };
}

function editable(call: Call): { room: Room; kept: KeptMessage } {
  const { parameters } = call;
  if (!parameters.has("message_id") && parameters.has("inline_message_id")) throw badRequest("MESSAGE_ID_INVALID");
  if (parameters.integer("message_id", 0) === 0) throw badRequest("message identifier is not specified");
  const room = chatOf(call);
  requireWritable(call, room);
  const kept = messageOf(call, room, "message to edit not found");
  if (kept.message.from?.id !== call.account.me.id || kept.message.pinned_message !== undefined) {
    throw badRequest("message can't be edited");
  }
  return { room, kept };
}

export const deleteMessage: Method = (call) => {
  if (call.parameters.integer("message_id", 0) === 0) throw badRequest("message identifier is not specified");
  const room = chatOf(call);
  const kept = messageOf(call, room, "message to delete not found");
  if (!mayDelete(call, room, kept)) throw badRequest("message can't be deleted");
  call.world.remove(room, kept.message.message_id);
  return { result: true };
};

export const deleteMessages: Method = (call) => {
  const ids = call.parameters.json("message_ids");
  if (!ids.ok || !Array.isArray(ids.value) || !ids.value.every(Number.isInteger)) {
    throw badRequest("can't parse message identifiers JSON object");
  }
  if (ids.value.length === 0) throw badRequest("message identifiers are not specified");
  if (ids.value.length > DELETED_AT_ONCE_MAX) throw badRequest("too many message identifiers specified");
  const room = chatOf(call);
  for (const id of ids.value) {
    // What isn't there, or may not be deleted, is skipped.
    const kept = findMessage(room, Number(id));
    if (kept !== undefined && mayDelete(call, room, kept)) call.world.remove(room, kept.message.message_id);
  }
  return { result: true };
};

function mayDelete({ world, account }: Call, room: Room, { message }: KeptMessage): boolean {
  if (world.dateMs() / 1_000 - message.date > DELETABLE_SECONDS) return false;
  if (message.from?.id === account.me.id || room.chat.type === "private") return true;
  return memberStatus(room, account.me.id) === "administrator";
}

export const pinChatMessage: Method = (call) => {
  if (call.parameters.integer("message_id", 0) === 0) throw badRequest("message identifier is not specified");
  const room = chatOf(call);
  requireWritable(call, room);
  const { message } = messageOf(call, room, "message to pin not found");
  requirePinRight(call, room);
  room.pinnedIds = [...room.pinnedIds.filter((id) => id !== message.message_id), message.message_id];
  if (!call.parameters.flag("disable_notification")) {
    call.world.post(room, call.account.me, { pinned_message: asReplied(message) });
  }
  call.world.touch();
  return { result: true };
};

export const unpinChatMessage: Method = (call) => {
  const room = chatOf(call);
  requirePinRight(call, room);
  const wanted = call.parameters.integer("message_id", 0);
  // Without an id it is the newest pin.
  const id = wanted === 0 ? room.pinnedIds.at(-1) : wanted;
  if (id === undefined || !room.pinnedIds.includes(id)) throw badRequest("message to unpin not found");
  room.pinnedIds = room.pinnedIds.filter((one) => one !== id);
  call.world.touch();
  return { result: true };
};

export const unpinAllChatMessages: Method = (call) => {
  const room = chatOf(call);
  requirePinRight(call, room);
  room.pinnedIds = [];
  call.world.touch();
  return { result: true };
};

function requirePinRight({ account }: Call, room: Room): void {
  if (room.chat.type === "private" || memberStatus(room, account.me.id) === "administrator") return;
  throw badRequest("not enough rights to manage pinned messages in the chat");
}

export const answerCallbackQuery: Method = ({ world, account, parameters }) => {
  const press = account.presses.get(parameters.text("callback_query_id").trim());
  const isLate = press !== undefined && world.clock.nowMs() - press.madeAtMs > CALLBACK_ANSWER_MS_MAX;
  if (press === undefined || press.answer !== undefined || isLate) {
    throw badRequest("query is too old and response timeout expired or query ID is invalid");
  }
  const text = parameters.text("text");
  if (text.length > CALLBACK_TEXT_UNITS_MAX) throw badRequest("MESSAGE_TOO_LONG");
  const url = parameters.text("url");
  if (url !== "") throw badRequest("URL_INVALID");
  press.answer = { text, isAlert: parameters.flag("show_alert"), seq: world.touch() };
  return { result: true };
};

function setOrDelete<K extends keyof Message>(message: Message, key: K, value: Message[K] | undefined): void {
  if (value === undefined) delete message[key];
  else message[key] = value;
}
