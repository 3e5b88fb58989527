// What every method gets, and the checks that many of them share: which chat, which message, may it be written to.
import type { User } from "../api.ts";
import type { Parameters } from "../parameters.ts";
import { badRequest, forbidden, tooManyRequests } from "../refusal.ts";
import { type Account, findMessage, type KeptMessage, memberStatus, type Room, type World } from "../world.ts";

/** Is one call of a method. `signal` fires when the client is gone. */
export type Call = {
  world: World;
  account: Account;
  parameters: Parameters;
  isFloodLimited: boolean;
  signal: AbortSignal;
};

/** Is what a method answers: the result, and a description where the real server gives one with ok=true. */
export type Reply = { result: unknown; description?: string };

/** Is a method of the Bot API; refusals are thrown. */
export type Method = (call: Call) => Reply | Promise<Reply>;

/** Returns the chat that `chat_id` (or another parameter) names; throws as the server does for an unknown one. */
export function chatOf(call: Call, name = "chat_id"): Room {
  return roomOf(call, call.parameters.text(name).trim(), name);
}

/** Returns the chat of an id text ("123", "-100123" or "@name"). */
export function roomOf({ world, account }: Pick<Call, "world" | "account">, idText: string, name = "chat_id"): Room {
  if (idText === "") throw badRequest(`${name} is empty`);
  const room = idText.startsWith("@")
    ? [...account.rooms.values()].find(({ chat }) => chat.username?.toLowerCase() === idText.slice(1).toLowerCase())
    : account.rooms.get(Number(idText));
  if (room !== undefined) return room;
  // A person this server knows, who never wrote to this bot, has no chat with it yet.
  if (/^\d+$/.test(idText) && world.people.has(Number(idText))) return world.privateRoom(account, Number(idText));
  throw badRequest("chat not found");
}

/** Throws unless the bot may write to the chat now. */
export function requireWritable({ world, account }: Call, room: Room): void {
  if (room.migratedTo !== null) {
    throw badRequest("group chat was upgraded to a supergroup chat", { migrate_to_chat_id: room.migratedTo });
  }
  const status = memberStatus(room, account.me.id);
  if (room.chat.type === "private") {
    if (world.people.get(room.chat.id)?.isDeactivated === true) throw forbidden("user is deactivated");
    if (status === "kicked") throw forbidden("bot was blocked by the user");
    if (!room.isOpen) throw forbidden("bot can't initiate conversation with a user");
    return;
  }
  if (status === "kicked") throw forbidden(`bot was kicked from the ${room.chat.type} chat`);
  if (status === "left") throw forbidden(`bot is not a member of the ${room.chat.type} chat`);
}

/** Counts `count` messages or edits against the flood limits; throws the 429 with the true time. */
export function takeFromFlood({ account, isFloodLimited }: Call, room: Room, count = 1): void {
  if (!isFloodLimited) return;
  const waitSeconds = account.flood.take(room.chat.id, room.chat.type !== "private", count);
  if (waitSeconds > 0) throw tooManyRequests(waitSeconds);
}

/** Returns the message that `message_id` names; `missing` is the description when there is none. */
export function messageOf(call: Call, room: Room, missing: string): KeptMessage {
  const kept = findMessage(room, call.parameters.integer("message_id", 0));
  if (kept === undefined) throw badRequest(missing);
  return kept;
}

/** Returns a person or bot by id as the chat knows them. */
export function userOf({ world, account }: Pick<Call, "world" | "account">, userId: number): User | undefined {
  return userId === account.me.id ? account.me : world.people.get(userId)?.user;
}
