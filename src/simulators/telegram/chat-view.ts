// The chat as a person sees it: messages, pins, keyboards, answers to presses. What /simulate/chat gives to page and tests.
import { compact, type Entity, type InlineKeyboard, type Message } from "./api.ts";
import { commandsFor } from "./methods/profile.ts";
import { type Account, findMessage, type KeptMessage, memberStatus, type Room, type World } from "./world.ts";

/** Messages shown at most, the newest. */
export const SHOWN_MESSAGES_MAX = 300;
/** Answers to presses shown at most, the newest. */
const SHOWN_ALERTS_MAX = 50;

/** Is one message as shown. `seq` changes when it does. */
type ShownMessage = {
  message_id: number;
  seq: number;
  from_bot: boolean;
  from: { id: number; name: string };
  date: number;
  edited: boolean;
  pinned: boolean;
  silent: boolean;
  text?: string;
  entities?: Entity[];
  caption?: string;
  caption_entities?: Entity[];
  caption_above?: true;
  spoiler?: true;
  photo?: { url: string; width: number; height: number };
  document?: { url: string; name: string; bytes: number };
  media_group_id?: string;
  reply_markup?: InlineKeyboard;
  reply_to?: { message_id: number; name: string; text: string };
  topic?: number;
  service?: string;
};

/** Returns everything the page shows of one chat, as `userId` sees it. */
export function chatView(world: World, account: Account, room: Room, userId: number, banner: string): object {
  const { me, texts } = account;
  const { user } = world.person(userId);
  const language = user.language_code ?? "";
  const pinned = findMessage(room, room.pinnedIds.at(-1) ?? 0);
  return {
    seq: world.seq,
    banner,
    bot: {
      id: me.id,
      username: me.username,
      name: texts.name[language] ?? texts.name[""] ?? me.first_name,
      description: texts.description[language] ?? texts.description[""] ?? "",
      short_description: texts.short[language] ?? texts.short[""] ?? "",
    },
    user: { id: user.id, name: nameOf(user) },
    users: [...world.people.values()].map((person) => ({
      id: person.user.id,
      name: nameOf(person.user),
      is_owner: person.user.id === world.ownerId,
    })),
    chat: room.chat,
    groups: [...account.rooms.values()]
      .filter(({ chat, migratedTo }) => chat.type !== "private" && migratedTo === null)
      .map(({ chat }) => ({ id: chat.id, title: chat.title ?? String(chat.id) })),
    messages: room.messages.slice(-SHOWN_MESSAGES_MAX).map((kept) => shown(account, room, kept)),
    pinned: pinned === undefined ? null : { message_id: pinned.message.message_id, text: summary(pinned.message) },
    alerts: alertsOf(account, room, userId),
    typing: account.actions.get(room.chat.id)?.action ?? null,
    commands: commandsFor(account, room, userId, language),
    menu_button: room.menuButton ?? account.menuButton,
    replyKeyboard: room.input.type === "keyboard" ? room.input.keyboard : null,
    forceReply: room.input.type === "force_reply" ? forceReplyOf(room, room.input) : null,
    blocked: memberStatus(room, me.id) === "kicked",
    started: room.messages.some(({ message }) => message.from?.id === userId),
  };
}

function shown(account: Account, room: Room, kept: KeptMessage): ShownMessage {
  const { message } = kept;
  const largest = message.photo?.at(-1);
  const { document, reply_to_message: replied } = message;
  return compact({
    message_id: message.message_id,
    seq: kept.seq,
    from_bot: message.from?.id === account.me.id,
    from: { id: message.from?.id ?? 0, name: nameOf(message.from ?? { first_name: "?" }) },
    date: message.date,
    edited: kept.isEditShown,
    pinned: room.pinnedIds.includes(message.message_id),
    silent: kept.isSilent,
    text: message.text,
    entities: message.entities,
    caption: message.caption,
    caption_entities: message.caption_entities,
    caption_above: message.show_caption_above_media,
    spoiler: message.has_media_spoiler,
    photo:
      largest === undefined
        ? undefined
        : { url: fileUrl(largest.file_unique_id), width: largest.width, height: largest.height },
    document:
      document === undefined
        ? undefined
        : { url: fileUrl(document.file_unique_id), name: document.file_name ?? "file", bytes: document.file_size },
    media_group_id: message.media_group_id,
    reply_markup: message.reply_markup,
    reply_to:
      replied === undefined
        ? undefined
        : {
            message_id: replied.message_id,
            name: nameOf(replied.from ?? { first_name: "?" }),
            text: summary(replied),
          },
    topic: message.message_thread_id,
    service: serviceText(message),
  });
}

function alertsOf(account: Account, room: Room, userId: number): object[] {
  const alerts = [...account.presses.values()].flatMap(({ query, answer }) =>
    answer !== undefined && query.from.id === userId && query.message.chat.id === room.chat.id
      ? [
          {
            callback_query_id: query.id,
            message_id: query.message.message_id,
            data: query.data,
            text: answer.text,
            show_alert: answer.isAlert,
            seq: answer.seq,
          },
        ]
      : [],
  );
  return alerts.slice(-SHOWN_ALERTS_MAX);
}

function serviceText(message: Message): string | undefined {
  const name = nameOf(message.from ?? { first_name: "?" });
  if (message.pinned_message !== undefined) return `${name} pinned “${clip(summary(message.pinned_message))}”`;
  if (message.migrate_to_chat_id !== undefined) return "This group was upgraded to a supergroup";
  if (message.migrate_from_chat_id !== undefined) return "This supergroup was made from a group";
  return undefined;
}

function forceReplyOf(room: Room, input: { messageId: number; placeholder: string }): object {
  const asked = findMessage(room, input.messageId)?.message;
  return {
    message_id: input.messageId,
    placeholder: input.placeholder,
    name: nameOf(asked?.from ?? { first_name: "?" }),
    text: asked === undefined ? "" : summary(asked),
  };
}

function summary(message: Message): string {
  const text = message.text ?? message.caption;
  if (text !== undefined) {
    const covered = withoutSpoilers(text, message.entities ?? message.caption_entities ?? []);
    return covered.split("\n").slice(0, 3).join(" ");
  }
  if (message.photo !== undefined) return "Photo";
  return message.document?.file_name ?? "Message";
}

/** What is hidden in a message is not told by its quote or by the pinned line. */
function withoutSpoilers(text: string, entities: readonly Entity[]): string {
  let covered = text;
  for (const { type, offset, length } of entities) {
    if (type === "spoiler") covered = covered.slice(0, offset) + "▒".repeat(length) + covered.slice(offset + length);
  }
  return covered;
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function fileUrl(uniqueId: string): string {
  return `/simulate/file/${uniqueId}`;
}

function nameOf(user: { first_name: string; last_name?: string }): string {
  return user.last_name === undefined ? user.first_name : `${user.first_name} ${user.last_name}`;
}
