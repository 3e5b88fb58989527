// What people do: write, press, edit, send a picture, delete, block, found and upgrade groups. Each act changes the chat and
// gives the bot the update the real server would give, or none where privacy mode hides it.
import { err, ok, type Result } from "../../result.ts";
import type { Chat, Entity, InlineButton, MemberStatus, Message, Update, User } from "./api.ts";
import { compact } from "./api.ts";
import { typedText } from "./entities.ts";
import { readImageHeader } from "./image-size.ts";
import { chatMember } from "./methods/chats.ts";
import { photoOf } from "./methods/media.ts";
import {
  type Account,
  asReplied,
  findMessage,
  type KeptMessage,
  memberStatus,
  type Room,
  setMember,
  type World,
} from "./world.ts";

/** Is what an act brings about: the update (undefined when the bot doesn't get one) and the message it is about. */
export type Deed = { update: Update | undefined; message: Message };

/** Is why an act can't be done, in words for who drives the simulation. */
export type Hindrance = { type: "impossible"; reason: string };

/** Is who does it, to which bot, in which chat. */
export type Actor = { world: World; account: Account; user: User; room: Room };

/** UTF-16 units a person can send at once. */
export const TYPED_UNITS_MAX = 4_096;

/** Writes a text. */
export function write(
  actor: Actor,
  text: string,
  options: { dateSeconds?: number | undefined; replyTo?: number | undefined; topicId?: number | undefined } = {},
): Result<Deed, Hindrance> {
  const { text: trimmed, entities } = typedText(text);
  if (trimmed === "") return impossible("an empty text can't be sent");
  if (trimmed.length > TYPED_UNITS_MAX) return impossible(`a text has at most ${TYPED_UNITS_MAX} characters`);
  return speak(actor, { text: trimmed, entities: entities.length === 0 ? undefined : entities }, options);
}

/** Sends a picture with a caption. */
export function sendPicture(actor: Actor, bytes: Buffer, caption: string): Result<Deed, Hindrance> {
  if (readImageHeader(bytes) === undefined) return impossible("the bytes are no PNG, JPEG, GIF or WebP picture");
  const { text, entities } = typedText(caption);
  const file = { name: "photo", contentType: "application/octet-stream", bytes };
  const { photo } = photoOf(actor.world.files, { type: "upload", file });
  return speak(
    actor,
    {
      photo,
      caption: text === "" ? undefined : text,
      caption_entities: entities.length === 0 ? undefined : entities,
    },
    {},
  );
}

/** Presses an inline button, found by its data or its label; without a message id on the newest message that has it. */
export function press(
  { world, account, user, room }: Actor,
  wanted: { messageId: number | undefined; data: string | undefined; label: string | undefined },
): Result<Deed, Hindrance> {
  const candidates = room.messages
    .toReversed()
    .filter(({ message }) => wanted.messageId === undefined || message.message_id === wanted.messageId);
  if (candidates.length === 0) return impossible(`there is no message ${wanted.messageId ?? ""} in this chat`);
  for (const { message } of candidates) {
    const button = message.reply_markup?.inline_keyboard.flat().find((one) => isWanted(one, wanted));
    if (button === undefined) continue;
    if (button.callback_data === undefined)
      return impossible(`the button "${button.text}" opens a link, it sends nothing`);
    const query = world.press(account, user, room, message, button.callback_data);
    return ok({ update: account.updates.push({ callback_query: query }), message });
  }
  return impossible(`no button "${wanted.label ?? wanted.data ?? ""}" there`);
}

function isWanted(button: InlineButton, wanted: { data: string | undefined; label: string | undefined }): boolean {
  if (wanted.data !== undefined) return button.callback_data === wanted.data;
  return button.text === wanted.label;
}

/** Changes the text of an own message. */
export function rewrite(actor: Actor, messageId: number, text: string): Result<Deed, Hindrance> {
  const kept = ownMessage(actor, messageId);
  if (!kept.ok) return kept;
  const { text: trimmed, entities } = typedText(text);
  if (trimmed === "" || kept.value.message.text === undefined)
    return impossible("only a text can be edited, to a text");
  kept.value.message.text = trimmed;
  if (entities.length === 0) delete kept.value.message.entities;
  else kept.value.message.entities = entities;
  actor.world.edited(kept.value, true);
  const message = structuredClone(kept.value.message);
  return ok({ update: actor.account.updates.push({ edited_message: message }), message });
}

/** Deletes a message of the chat; a bot isn't told. */
export function erase({ world, room }: Actor, messageId: number): Result<Deed, Hindrance> {
  const kept = findMessage(room, messageId);
  if (kept === undefined) return impossible(`there is no message ${messageId} in this chat`);
  world.remove(room, messageId);
  return ok({ update: undefined, message: kept.message });
}

/** Blocks or unblocks the bot (private chat), or removes it from or returns it to a group. */
export function setBotStatus(actor: Actor, status: MemberStatus): Update | undefined {
  const { world, account, user, room } = actor;
  const before = memberStatus(room, account.me.id);
  if (before === status) return undefined;
  setMember(room, account.me.id, status);
  world.touch();
  return account.updates.push({
    my_chat_member: {
      chat: room.chat,
      from: user,
      date: Math.floor(world.dateMs() / 1_000),
      old_chat_member: chatMember(account.me, before),
      new_chat_member: chatMember(account.me, status),
    },
  });
}

/** Turns a group into a supergroup with a new id, as Telegram does when a group outgrows its kind. */
export function upgrade(actor: Actor): Result<{ room: Room; updates: Update[] }, Hindrance> {
  const { world, account, user, room } = actor;
  if (room.chat.type !== "group") return impossible('only a group of type "group" becomes a supergroup');
  if (room.migratedTo !== null) return impossible(`this group has become ${room.migratedTo} already`);
  const chat: Chat = { ...room.chat, id: -1_000_000_000_000 + room.chat.id, type: "supergroup" };
  const next = world.group(account, chat);
  for (const { userId, status } of room.members) setMember(next, userId, status);
  const left = world.post(room, user, { migrate_to_chat_id: chat.id });
  const entered = world.post(next, user, { migrate_from_chat_id: room.chat.id });
  room.migratedTo = chat.id;
  const updates = [left, entered].map((message) => account.updates.push({ message: structuredClone(message) }));
  return ok({ room: next, updates: updates.filter((update) => update !== undefined) });
}

function speak(
  actor: Actor,
  content: { [K in keyof Message]?: Message[K] | undefined },
  options: { dateSeconds?: number | undefined; replyTo?: number | undefined; topicId?: number | undefined },
): Result<Deed, Hindrance> {
  const { world, account, user, room } = actor;
  if (room.migratedTo !== null) return impossible(`this group has become ${room.migratedTo}`);
  const replyTo = options.replyTo ?? (room.input.type === "force_reply" ? room.input.messageId : undefined);
  const replied = replyTo === undefined ? undefined : findMessage(room, replyTo);
  if (options.replyTo !== undefined && replied === undefined)
    return impossible(`there is no message ${options.replyTo}`);
  if (room.chat.type === "private") {
    room.isOpen = true;
    // Who writes to a blocked bot has unblocked it.
    setBotStatus(actor, "member");
  } else if (memberStatus(room, user.id) === "left") setMember(room, user.id, "member");
  if (options.topicId !== undefined && !room.topicIds.includes(options.topicId)) room.topicIds.push(options.topicId);
  const message = world.post(
    room,
    user,
    compact({
      ...content,
      message_thread_id: options.topicId,
      is_topic_message: options.topicId === undefined ? undefined : (true as const),
      reply_to_message: replied === undefined ? undefined : asReplied(replied.message),
    }),
    { isSilent: false, dateSeconds: options.dateSeconds },
  );
  const isUsedUp =
    room.input.type === "force_reply" ||
    (room.input.type === "keyboard" && room.input.keyboard.one_time_keyboard === true);
  if (isUsedUp) room.input = { type: "plain" };
  world.touch();
  const isHeard = room.chat.type === "private" || reachesBot(account, room, message);
  const update = isHeard ? account.updates.push({ message: structuredClone(message) }) : undefined;
  return ok({ update, message });
}

/** Privacy mode: in a group a bot hears commands meant for it, mentions of it and replies to it, or all as administrator. */
function reachesBot({ me }: Account, room: Room, message: Message): boolean {
  const status = memberStatus(room, me.id);
  if (status === "kicked" || status === "left") return false;
  if (status === "administrator") return true;
  if (message.reply_to_message?.from?.id === me.id) return true;
  const text = message.text ?? message.caption ?? "";
  const name = `@${me.username ?? ""}`.toLowerCase();
  return (message.entities ?? message.caption_entities ?? []).some((entity: Entity) => {
    const part = text.slice(entity.offset, entity.offset + entity.length).toLowerCase();
    if (entity.type === "mention") return part === name;
    return entity.type === "bot_command" && entity.offset === 0 && (!part.includes("@") || part.endsWith(name));
  });
}

function ownMessage({ user, room }: Actor, messageId: number): Result<KeptMessage, Hindrance> {
  const kept = findMessage(room, messageId);
  if (kept === undefined) return impossible(`there is no message ${messageId} in this chat`);
  return kept.message.from?.id === user.id ? ok(kept) : impossible(`message ${messageId} was written by somebody else`);
}

function impossible(reason: string): Result<never, Hindrance> {
  return err({ type: "impossible", reason });
}
