// sendMessage, sendPhoto, sendDocument, sendMediaGroup, sendChatAction: what puts something into a chat.
import { compact, type Message } from "../api.ts";
import { type Markup, readMarkup } from "../markup.ts";
import { isRecord, Parameters } from "../parameters.ts";
import { badRequest } from "../refusal.ts";
import { asReplied, findMessage, type Room } from "../world.ts";
import { type Call, chatOf, type Method, type Reply, requireWritable, roomOf, takeFromFlood } from "./call.ts";
import { type MediaContent, readMediaItem, storeDocument, storePhoto } from "./media.ts";
import { captionLooks, readCaption, readText } from "./text.ts";

export const sendMessage: Method = (call) => {
  const text = readText(call.parameters, "message is too long");
  const linkPreview = call.parameters.json("link_preview_options");
  const content = {
    ...text,
    link_preview_options: linkPreview.ok && isRecord(linkPreview.value) ? linkPreview.value : undefined,
  };
  return send(call, () => content);
};

export const sendPhoto: Method = (call) => {
  const caption = readCaption(call.parameters, "message caption is too long");
  return send(call, () => ({ ...storePhoto(call, "photo"), ...caption, ...captionLooks(call.parameters) }));
};

export const sendDocument: Method = (call) => {
  const caption = readCaption(call.parameters, "message caption is too long");
  return send(call, () => ({ ...storeDocument(call, "document"), ...caption }));
};

export const sendMediaGroup: Method = (call) => {
  const media = call.parameters.json("media");
  if (!media.ok || !Array.isArray(media.value)) throw badRequest("can't parse media JSON object");
  if (media.value.length < 1 || media.value.length > 10) {
    throw badRequest(
      media.value.length === 0 ? "there are no messages to send" : "too many messages to send as an album",
    );
  }
  const room = writableChat(call);
  const context = readContext(call, room);
  const items = media.value.map((item) => readMediaItem(call, item));
  if (new Set(items.map((item) => item.kind)).size > 1) {
    throw badRequest("document can't be mixed with other media types");
  }
  takeFromFlood(call, room, items.length);
  const groupId = items.length > 1 ? String(call.world.random(6).readUIntBE(0, 6)) : undefined;
  const stored = items.map((item) => ({ ...item.store(), ...item.caption }));
  return { result: stored.map((content) => post(call, room, { ...content, ...context, media_group_id: groupId })) };
};

const ACTIONS = [
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_voice",
  "upload_voice",
  "upload_document",
  "choose_sticker",
  "find_location",
  "record_video_note",
  "upload_video_note",
];

export const sendChatAction: Method = (call) => {
  const action = call.parameters.text("action").trim().toLowerCase();
  if (!ACTIONS.includes(action)) throw badRequest("wrong parameter action in request");
  const room = writableChat(call);
  call.world.beginAction(call.account, room.chat.id, action);
  return { result: true };
};

type Context = {
  reply_to_message: Message | undefined;
  message_thread_id: number | undefined;
  is_topic_message: true | undefined;
  has_protected_content: true | undefined;
};

/** Runs the order of checks that all senders share, then posts. Markup is read before the chat, as the server does. */
function send(call: Call, content: () => Partial<MediaContent> & { text?: string | undefined }): Reply {
  const markup = readMarkup(call.parameters);
  const room = writableChat(call);
  const context = readContext(call, room);
  const parts = content();
  takeFromFlood(call, room);
  const keyboard = markup.type === "inline" && markup.keyboard.inline_keyboard.length > 0 ? markup.keyboard : undefined;
  const message = post(call, room, { ...parts, ...context, reply_markup: keyboard });
  applyInput(call, room, message.message_id, markup);
  return { result: message };
}

function writableChat(call: Call): Room {
  const room = chatOf(call);
  requireWritable(call, room);
  return room;
}

function readContext(call: Call, room: Room): Context {
  const { parameters } = call;
  const threadId = parameters.integer("message_thread_id", 0);
  if (threadId !== 0 && !room.topicIds.includes(threadId)) throw badRequest("message thread not found");
  const isTopic = threadId !== 0;
  return {
    reply_to_message: readReply(call, room),
    message_thread_id: isTopic ? threadId : undefined,
    is_topic_message: isTopic ? true : undefined,
    has_protected_content: parameters.flag("protect_content") ? true : undefined,
  };
}

function readReply(call: Call, room: Room): Message | undefined {
  const parsed = call.parameters.json("reply_parameters");
  if (!parsed.ok) throw badRequest("can't parse reply parameters JSON object");
  // Before Bot API 7.0 the same was said by two plain parameters.
  const wanted = isRecord(parsed.value) ? new Parameters(new Map(Object.entries(parsed.value))) : undefined;
  const messageId = wanted?.integer("message_id", 0) ?? call.parameters.integer("reply_to_message_id", 0);
  if (messageId === 0) return undefined;
  const target = wanted?.has("chat_id") === true ? roomOf(call, wanted.text("chat_id")) : room;
  const kept = findMessage(target, messageId);
  if (kept !== undefined) return asReplied(kept.message);
  if ((wanted ?? call.parameters).flag("allow_sending_without_reply")) return undefined;
  throw badRequest("message to be replied not found");
}

function post(call: Call, room: Room, content: { [K in keyof Message]?: Message[K] | undefined }): Message {
  call.world.endAction(call.account, room.chat.id);
  return call.world.post(room, call.account.me, compact(content), {
    isSilent: call.parameters.flag("disable_notification"),
  });
}

function applyInput(call: Call, room: Room, messageId: number, markup: Markup): void {
  switch (markup.type) {
    case "none":
    case "inline":
      return;
    case "reply":
      room.input = { type: "keyboard", messageId, keyboard: markup.keyboard };
      break;
    case "remove":
      room.input = { type: "plain" };
      break;
    case "force_reply":
      room.input = { type: "force_reply", messageId, placeholder: markup.placeholder };
      break;
    default:
      markup satisfies never;
  }
  call.world.touch();
}
