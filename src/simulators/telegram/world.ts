// Everything the server knows: people, and for each bot its chats, messages, commands and updates. Only data and the
// small acts on it that methods and people share; who may do what is decided by the callers.
import { randomBytes } from "node:crypto";
import type { Cancel, Clock } from "../../clock.ts";
import type {
  BotCommand,
  CallbackQuery,
  Chat,
  InlineKeyboard,
  MemberStatus,
  Message,
  ReplyKeyboard,
  User,
} from "./api.ts";
import type { FileShelf, RandomBytes } from "./file-shelf.ts";
import { FloodGate } from "./flood.ts";
import { NO_TROUBLE, type QueueState, UpdateQueue, type UpdateTrouble } from "./update-queue.ts";

/** Messages kept of one chat; the oldest are forgotten. */
export const CHAT_MESSAGES_MAX = 2_000;
/** Callback queries kept of one bot, answered or not. */
export const CALLBACKS_MAX = 500;
/** How long a press may be answered. The real figure is not documented. */
export const CALLBACK_ANSWER_MS_MAX = 30_000;
/** How long "typing…" is shown (Bot API, sendChatAction). */
export const CHAT_ACTION_MS = 5_000;

/** Is a person who can write to bots. */
export type Person = { user: User; isDeactivated: boolean };

/** Is a message as kept: `seq` is the world's count at its last change, for the page. */
export type KeptMessage = {
  message: Message;
  seq: number;
  isSilent: boolean;
  /** Is true once its content changed; a change of the keyboard alone isn't shown as an edit. */
  isEditShown: boolean;
};

/** Is what the bot last put in place of a user's keyboard. */
type InputMode =
  | { type: "plain" }
  | { type: "keyboard"; messageId: number; keyboard: ReplyKeyboard }
  | { type: "force_reply"; messageId: number; placeholder: string };

/** Is one chat of one bot. */
export type Room = {
  chat: Chat;
  /** Who is in it, the bot itself included under its own id. */
  members: { userId: number; status: MemberStatus }[];
  messages: KeptMessage[];
  nextMessageId: number;
  pinnedIds: number[];
  input: InputMode;
  topicIds: number[];
  /** Is false until the person has written: a bot can't begin a conversation. */
  isOpen: boolean;
  migratedTo: number | null;
  menuButton: unknown;
};

/** Is a set of commands for one scope and language. */
type CommandSet = { scope: string; language: string; commands: BotCommand[] };

/** Is what a bot calls itself, by language ("" for all). */
export type BotTexts = {
  name: Record<string, string>;
  description: Record<string, string>;
  short: Record<string, string>;
};

/** Is a press and how it was answered. */
type Press = {
  query: CallbackQuery;
  madeAtMs: number;
  answer: { text: string; isAlert: boolean; seq: number } | undefined;
};

/** Is a bot with its own chats. */
export type Account = {
  me: User;
  rooms: Map<number, Room>;
  updates: UpdateQueue;
  commands: CommandSet[];
  texts: BotTexts;
  menuButton: unknown;
  presses: Map<string, Press>;
  /** What the bot is shown to be doing, by chat. */
  actions: Map<number, { action: string; stopTimer: Cancel }>;
  flood: FloodGate;
  isClosed: boolean;
};

/** Is an account as it is saved. */
export type AccountState = {
  me: User;
  rooms: Room[];
  queue: QueueState;
  commands: CommandSet[];
  texts: BotTexts;
  menuButton: unknown;
};

/** Holds all accounts and people, counts changes and tells who waits for one. */
export class World {
  readonly clock: Clock;
  readonly #messageClock: Clock;
  readonly files: FileShelf;
  /** Makes the ids of presses and albums. */
  readonly random: RandomBytes;
  readonly accounts = new Map<number, Account>();
  readonly people = new Map<number, Person>();
  readonly ownerId: number;
  seq: number;
  /** Is added to the dates of messages, set by /simulate/clock. */
  dateOffsetMs = 0;
  /** Is called after every change that must be saved. */
  onChange: () => void = () => {};
  readonly #watchers = new Set<() => void>();
  readonly #trouble: UpdateTrouble;

  constructor(options: {
    clock: Clock;
    messageClock: Clock;
    files: FileShelf;
    owner: User;
    seq: number;
    random?: RandomBytes;
    trouble?: UpdateTrouble;
  }) {
    this.clock = options.clock;
    this.#trouble = options.trouble ?? NO_TROUBLE;
    this.#messageClock = options.messageClock;
    this.files = options.files;
    this.random = options.random ?? randomBytes;
    this.seq = options.seq;
    this.ownerId = options.owner.id;
    this.people.set(options.owner.id, { user: options.owner, isDeactivated: false });
  }

  /** Returns what messages are dated by, in milliseconds. */
  dateMs(): number {
    return this.#messageClock.nowMs() + this.dateOffsetMs;
  }

  /** Counts a change that can be seen in a chat and wakes who waits for one; returns the new count. */
  touch(): number {
    this.seq += 1;
    for (const watcher of [...this.#watchers]) watcher();
    this.onChange();
    return this.seq;
  }

  /** Calls `watcher` after every change that can be seen, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Returns a person, made up on first mention. */
  person(id: number, named?: Partial<User>): Person {
    const known = this.people.get(id);
    if (known !== undefined) {
      if (named !== undefined) Object.assign(known.user, named, { id, is_bot: false });
      return known;
    }
    const person: Person = {
      user: { id, is_bot: false, first_name: `User ${id}`, language_code: "en", ...named },
      isDeactivated: false,
    };
    person.user.id = id;
    this.people.set(id, person);
    return person;
  }

  /** Adds a bot, as new or as it was saved. */
  addAccount(me: User, saved?: AccountState): Account {
    const queue: QueueState = saved?.queue ?? {
      nextUpdateId: firstUpdateId(this.clock.nowMs()),
      updates: [],
      allowed: null,
    };
    const account: Account = {
      me,
      rooms: new Map(saved?.rooms.map((room) => [room.chat.id, room])),
      updates: new UpdateQueue(this.clock, queue, () => this.onChange(), this.#trouble),
      commands: saved?.commands ?? [],
      texts: saved?.texts ?? { name: {}, description: {}, short: {} },
      menuButton: saved?.menuButton ?? { type: "commands" },
      presses: new Map(),
      actions: new Map(),
      flood: new FloodGate(this.clock),
      isClosed: false,
    };
    this.accounts.set(me.id, account);
    // The page's own user has the chat open from the start, so that the bot's first words find somebody.
    if (!account.rooms.has(this.ownerId)) this.privateRoom(account, this.ownerId).isOpen = true;
    this.touch();
    return account;
  }

  /** Returns the private chat of a bot with a person, made on first mention. */
  privateRoom(account: Account, userId: number): Room {
    const known = account.rooms.get(userId);
    if (known !== undefined) return known;
    const { user } = this.person(userId);
    const { id, first_name, last_name, username } = user;
    const chat: Chat = { id, type: "private", first_name };
    if (last_name !== undefined) chat.last_name = last_name;
    if (username !== undefined) chat.username = username;
    return this.#addRoom(account, chat, [
      { userId, status: "member" },
      { userId: account.me.id, status: "member" },
    ]);
  }

  /** Returns a group of a bot, made on first mention with the bot in it. */
  group(account: Account, chat: Chat): Room {
    const known = account.rooms.get(chat.id);
    if (known !== undefined) return known;
    const room = this.#addRoom(account, chat, [{ userId: account.me.id, status: "member" }]);
    room.isOpen = true;
    return room;
  }

  #addRoom(account: Account, chat: Chat, members: Room["members"]): Room {
    const room: Room = {
      chat,
      members,
      messages: [],
      nextMessageId: 1,
      pinnedIds: [],
      input: { type: "plain" },
      topicIds: [],
      isOpen: false,
      migratedTo: null,
      menuButton: null,
    };
    account.rooms.set(chat.id, room);
    return room;
  }

  /** Puts a message into a chat: numbers it and dates it (now, or at `dateSeconds`). */
  post(
    room: Room,
    from: User,
    content: Omit<Message, "message_id" | "chat" | "date" | "from">,
    options: { isSilent: boolean; dateSeconds?: number | undefined } = { isSilent: false },
  ): Message {
    const message: Message = {
      message_id: room.nextMessageId,
      from,
      chat: room.chat,
      date: options.dateSeconds ?? Math.floor(this.dateMs() / 1_000),
      ...content,
    };
    room.nextMessageId += 1;
    room.messages.push({ message, seq: this.touch(), isSilent: options.isSilent, isEditShown: false });
    if (room.messages.length > CHAT_MESSAGES_MAX) room.messages.shift();
    return message;
  }

  /** Dates the edit of a message; `isShown` is false when only its keyboard changed. */
  edited(kept: KeptMessage, isShown: boolean): void {
    kept.isEditShown ||= isShown;
    kept.message.edit_date = Math.floor(this.dateMs() / 1_000);
    kept.seq = this.touch();
  }

  /** Shows what the bot is doing in a chat for 5 s or until its next message. */
  beginAction(account: Account, chatId: number, action: string): void {
    this.endAction(account, chatId);
    const stopTimer = this.clock.after(CHAT_ACTION_MS, () => {
      account.actions.delete(chatId);
      this.touch();
    });
    account.actions.set(chatId, { action, stopTimer });
    this.touch();
  }

  /** Ends what the bot is shown to be doing in a chat. */
  endAction(account: Account, chatId: number): void {
    account.actions.get(chatId)?.stopTimer();
    account.actions.delete(chatId);
  }

  /** Ends polls and timers, for the server's close. */
  stop(): void {
    for (const account of this.accounts.values()) {
      account.updates.stop();
      for (const chatId of [...account.actions.keys()]) this.endAction(account, chatId);
    }
  }

  /** Takes a message out of its chat. */
  remove(room: Room, messageId: number): void {
    room.messages = room.messages.filter(({ message }) => message.message_id !== messageId);
    room.pinnedIds = room.pinnedIds.filter((id) => id !== messageId);
    this.touch();
  }

  /** Records a press and returns its query, to be sent to the bot. */
  press(account: Account, from: User, room: Room, message: Message, data: string): CallbackQuery {
    const query: CallbackQuery = {
      id: BigInt(`0x${this.random(7).toString("hex")}`).toString(),
      from,
      message: structuredClone(message),
      chat_instance: String(room.chat.id * 7_919),
      data,
    };
    account.presses.set(query.id, { query, madeAtMs: this.clock.nowMs(), answer: undefined });
    const oldest = account.presses.keys().next();
    if (account.presses.size > CALLBACKS_MAX && oldest.done !== true) account.presses.delete(oldest.value);
    return query;
  }
}

/** Returns the message of a chat, if it is still there. */
export function findMessage(room: Room, messageId: number): KeptMessage | undefined {
  return room.messages.find(({ message }) => message.message_id === messageId);
}

/** Returns where a user stands in a chat. */
export function memberStatus(room: Room, userId: number): MemberStatus {
  return room.members.find((member) => member.userId === userId)?.status ?? "left";
}

/** Sets where a user stands in a chat. */
export function setMember(room: Room, userId: number, status: MemberStatus): void {
  const member = room.members.find((one) => one.userId === userId);
  if (member === undefined) room.members.push({ userId, status });
  else member.status = status;
}

/** Returns the message as another one refers to it: without what it replies to itself. */
export function asReplied(message: Message): Message {
  const { reply_to_message: _inner, ...rest } = message;
  return rest;
}

/** Sets or removes the keyboard under a message. */
export function setKeyboard(message: Message, keyboard: InlineKeyboard | undefined): void {
  if (keyboard === undefined) delete message.reply_markup;
  else message.reply_markup = keyboard;
}

/**
 * Numbering begins at a place that grows with time: a client that remembers the highest number it has seen must not take
 * the updates of a server that lost its state for old ones.
 */
function firstUpdateId(nowMs: number): number {
  return Math.max(1, Math.floor(nowMs / 1_000) - 1_000_000_000);
}
