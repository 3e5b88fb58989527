// The shapes of the Bot API's objects as they stand on the wire, in Telegram's own words; only what this server makes.
// Source: https://core.telegram.org/bots/api

/** Is a person or a bot. */
export type User = {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
  language_code?: string;
};

/** Is the kind of a chat; channels are not played. */
type ChatType = "private" | "group" | "supergroup";

/** Is a private chat (its id is its user's) or a group (a negative id). */
export type Chat = {
  id: number;
  type: ChatType;
  title?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
  is_forum?: true;
};

/** Is a formatted or meaningful stretch of a text; offset and length are in UTF-16 code units. */
export type Entity = {
  type: string;
  offset: number;
  length: number;
  url?: string;
  user?: User;
  language?: string;
  custom_emoji_id?: string;
  unix_time?: number;
  date_time_format?: string;
};

/** Is a text with its entities, sorted by offset, outer before inner. */
export type FormattedText = { text: string; entities: Entity[] };

/** Is one button under a message; exactly one action is set beside `text`. */
export type InlineButton = { text: string; callback_data?: string; url?: string } & Record<string, unknown>;

/** Is the keyboard that belongs to one message. */
export type InlineKeyboard = { inline_keyboard: InlineButton[][] };

/** Is a keyboard in place of the user's own; a button sends its text. */
export type ReplyKeyboard = {
  keyboard: ({ text: string } & Record<string, unknown>)[][];
  resize_keyboard?: true;
  one_time_keyboard?: true;
  is_persistent?: true;
  selective?: true;
  input_field_placeholder?: string;
};

/** Is one size of a picture. */
export type PhotoSize = {
  file_id: string;
  file_unique_id: string;
  file_size: number;
  width: number;
  height: number;
};

/** Is a file sent as it is. */
export type DocumentFile = {
  file_id: string;
  file_unique_id: string;
  file_name?: string;
  mime_type?: string;
  file_size: number;
};

/** Is a message of a chat; dates are seconds since 1970. */
export type Message = {
  message_id: number;
  message_thread_id?: number;
  is_topic_message?: true;
  from?: User;
  chat: Chat;
  date: number;
  edit_date?: number;
  reply_to_message?: Message;
  media_group_id?: string;
  text?: string;
  entities?: Entity[];
  link_preview_options?: unknown;
  photo?: PhotoSize[];
  document?: DocumentFile;
  caption?: string;
  caption_entities?: Entity[];
  show_caption_above_media?: true;
  has_media_spoiler?: true;
  has_protected_content?: true;
  pinned_message?: Message;
  migrate_to_chat_id?: number;
  migrate_from_chat_id?: number;
  reply_markup?: InlineKeyboard;
};

/** Is a press on an inline button. */
export type CallbackQuery = { id: string; from: User; message: Message; chat_instance: string; data: string };

/** Is where somebody stands in a chat. */
export type MemberStatus = "creator" | "administrator" | "member" | "left" | "kicked";

/** Is a change of the bot's own membership: added, removed, blocked, unblocked. */
type MyChatMember = { chat: Chat; from: User; date: number; old_chat_member: unknown; new_chat_member: unknown };

/** Is one thing that happened, numbered; exactly one field beside `update_id` is set. */
export type Update = {
  update_id: number;
  message?: Message;
  edited_message?: Message;
  callback_query?: CallbackQuery;
  my_chat_member?: MyChatMember;
};

/** Is what an update can hold. */
export type UpdateContent = Omit<Update, "update_id">;

/** Is a row of the "/" menu. */
export type BotCommand = { command: string; description: string };

/** Holds the fields of T without those that are undefined, so that they can be spread into a wire object. */
type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Returns `fields` less those whose value is undefined: an absent field must be absent on the wire. */
export function compact<T extends object>(fields: T): Compact<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Compact<T>;
}
