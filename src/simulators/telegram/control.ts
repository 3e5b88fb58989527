// The control side under /simulate/: how tests and the chat page play the people, look at a chat, set faults and clocks.
// It is no part of the Bot API; server.ts lets only loopback names reach it.
import type { Result } from "../../result.ts";
import type { Chat, MemberStatus, User } from "./api.ts";
import type { CallBook } from "./call-record.ts";
import { chatView } from "./chat-view.ts";
import { type FaultPlan, parseFault } from "./faults.ts";
import { isRecord, type Parameters, scalarText } from "./parameters.ts";
import * as people from "./people.ts";
import { badRequest } from "./refusal.ts";
import { type Account, memberStatus, type Room, setMember, type World } from "./world.ts";

/** How long /simulate/chat?since= waits for a change. */
export const CHAT_WAIT_MS_MAX = 25_000;

/** Is what the control paths work on. */
export type ControlDesk = {
  world: World;
  faults: FaultPlan;
  calls: CallBook;
  banner: () => string;
  /** Returns the bot of an id, or the one that called last. */
  account(botId: number): Account | undefined;
};

/** Is one request to a control path. */
export type ControlRequest = { verb: string; path: string; parameters: Parameters; signal: AbortSignal };

/** Is the answer, as JSON. */
export type ControlAnswer = { status: number; body: object };

/** Runs a control request; `path` is what follows /simulate/. */
export async function control(desk: ControlDesk, request: ControlRequest): Promise<ControlAnswer> {
  const { parameters } = request;
  const account = desk.account(parameters.integer("bot", 0));
  if (account === undefined) return refuse("there is no such bot here");
  const actor = (): people.Actor => actorOf(desk.world, account, parameters);
  switch (`${request.verb} ${request.path}`) {
    case "GET chat":
      return { status: 200, body: await look(desk, actor(), request) };
    case "POST chat":
      return foundGroup(desk.world, account, parameters);
    case "POST message":
      return done(
        people.write(actor(), parameters.text("text"), {
          dateSeconds: optionalInteger(parameters, "date"),
          replyTo: optionalInteger(parameters, "reply_to"),
          topicId: optionalInteger(parameters, "message_thread_id"),
        }),
      );
    case "POST press":
      if (!parameters.has("data") && !parameters.has("label")) return refuse("say which button: data or label");
      return done(
        people.press(actor(), {
          messageId: optionalInteger(parameters, "message_id"),
          data: parameters.has("data") ? parameters.text("data") : undefined,
          label: parameters.has("label") ? parameters.text("label") : undefined,
        }),
      );
    case "POST edit":
      return done(people.rewrite(actor(), parameters.integer("message_id", 0), parameters.text("text")));
    case "POST delete":
      return done(people.erase(actor(), parameters.integer("message_id", 0)));
    case "POST photo":
      return done(people.sendPicture(actor(), pictureOf(parameters), parameters.text("caption")));
    case "POST block":
      return block(desk.world, account, parameters);
    case "POST user":
      return { status: 200, body: { ok: true, user: describePerson(desk.world, parameters) } };
    case "POST migrate": {
      const upgraded = people.upgrade(actor());
      if (!upgraded.ok) return refuse(upgraded.error.reason);
      return { status: 200, body: { ok: true, chat: upgraded.value.room.chat, updates: upgraded.value.updates } };
    }
    case "POST fault":
      return setFault(desk.faults, parameters);
    case "DELETE fault":
      desk.faults.clear();
      return { status: 200, body: { ok: true, waiting: [] } };
    case "GET fault":
      return { status: 200, body: { ok: true, waiting: desk.faults.waiting() } };
    case "POST clock":
      // In seconds, as all times of the Bot API.
      desk.world.dateOffsetMs = parameters.integer("offset", 0) * 1_000;
      return { status: 200, body: { ok: true, date: Math.floor(desk.world.dateMs() / 1_000) } };
    case "GET calls": {
      const calls = desk.calls.after(parameters.integer("since", 0), parameters.text("method"));
      return { status: 200, body: { ok: true, calls } };
    }
    default:
      return { status: 404, body: { ok: false, description: `there is no ${request.verb} /simulate/${request.path}` } };
  }
}

/** Answers at once without `since` or when something has changed since, else after the next change or 25 s. */
async function look(desk: ControlDesk, actor: people.Actor, { parameters, signal }: ControlRequest): Promise<object> {
  const { world } = desk;
  const since = optionalInteger(parameters, "since");
  if (since === world.seq) {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        stopTimer();
        stopWatching();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const stopTimer = world.clock.after(CHAT_WAIT_MS_MAX, end);
      const stopWatching = world.watch(end);
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    });
  }
  return chatView(world, actor.account, actor.room, actor.user.id, desk.banner());
}

/** Reads `from` (the owner without it) and `chat` (their private chat without it); both may be an id or an object. */
function actorOf(world: World, account: Account, parameters: Parameters): people.Actor {
  const from = objectOrId(parameters, parameters.has("from") ? "from" : "user");
  const chat = objectOrId(parameters, "chat");
  const chatId = chat?.id ?? 0;
  // A positive chat id alone names the person whose private chat it is.
  const { user } = world.person(from?.id ?? (chatId > 0 ? chatId : world.ownerId), from?.fields);
  const room = chatId < 0 ? groupOf(world, account, chatId, chat?.fields) : world.privateRoom(account, user.id);
  return { world, account, user, room };
}

function objectOrId(
  parameters: Parameters,
  name: string,
): { id: number; fields: Record<string, unknown> | undefined } | undefined {
  const parsed = parameters.json(name);
  if (parsed.ok && parsed.value === undefined) return undefined;
  const fields = parsed.ok && isRecord(parsed.value) ? parsed.value : undefined;
  const id = Number(parsed.ok ? scalarText(fields?.["id"] ?? parsed.value) : Number.NaN);
  // A mistyped id must not act as the owner.
  if (!Number.isSafeInteger(id) || id === 0) throw badRequest(`${name} is an id or an object with an id`);
  return { id, fields };
}

/** Returns the group of an id, made on first mention; `fields` change what is known of it. */
function groupOf(world: World, account: Account, id: number, fields: Record<string, unknown> = {}): Room {
  const known = account.rooms.get(id)?.chat;
  const chat: Chat = known ?? { id, type: "supergroup", title: `Group ${-id}` };
  const { type, title, is_forum: isForum } = fields;
  if (type === "group" || type === "supergroup") chat.type = type;
  if (title !== undefined && title !== "") chat.title = scalarText(title);
  if (isForum === true) chat.is_forum = true;
  return world.group(account, chat);
}

function foundGroup(world: World, account: Account, parameters: Parameters): ControlAnswer {
  const id = parameters.integer("id", 0);
  if (id >= 0) return refuse("a group's id is a negative number");
  const room = groupOf(world, account, id, {
    type: parameters.text("type"),
    title: parameters.text("title"),
    is_forum: parameters.flag("is_forum"),
  });
  const members = parameters.json("members");
  for (const member of members.ok && Array.isArray(members.value) ? members.value : []) {
    const userId = Number(isRecord(member) ? member["user"] : member);
    world.person(userId);
    setMember(room, userId, isRecord(member) ? readStatus(scalarText(member["status"])) : "member");
  }
  if (parameters.has("bot_status")) setMember(room, account.me.id, readStatus(parameters.text("bot_status")));
  world.touch();
  return { status: 200, body: { ok: true, chat: room.chat } };
}

function readStatus(text: string): MemberStatus {
  const known = (["creator", "administrator", "member", "left", "kicked"] as const).find((status) => status === text);
  return known ?? "member";
}

function block(world: World, account: Account, parameters: Parameters): ControlAnswer {
  const actor = actorOf(world, account, parameters);
  const isBlocked = !parameters.has("blocked") || parameters.flag("blocked");
  const update = people.setBotStatus(actor, isBlocked ? "kicked" : "member");
  const status = memberStatus(actor.room, account.me.id);
  return { status: 200, body: { ok: true, status, update: update ?? null } };
}

function describePerson(world: World, parameters: Parameters): User & { is_deactivated: boolean } {
  const fields: Partial<User> = {};
  for (const name of ["first_name", "last_name", "username", "language_code"] as const) {
    if (parameters.has(name)) fields[name] = parameters.text(name);
  }
  const person = world.person(parameters.integer("id", world.ownerId), fields);
  if (parameters.has("deactivated")) person.isDeactivated = parameters.flag("deactivated");
  world.touch();
  return { ...person.user, is_deactivated: person.isDeactivated };
}

/** Takes an uploaded `photo`, or base64 in the parameter of that name. */
function pictureOf(parameters: Parameters): Buffer {
  return parameters.file("photo")?.bytes ?? Buffer.from(parameters.text("photo"), "base64");
}

function setFault(plan: FaultPlan, parameters: Parameters): ControlAnswer {
  const read = parseFault(parameters.recorded());
  if (!read.ok) return refuse(read.error);
  if (!plan.add(read.value)) return refuse("too many faults wait already");
  return { status: 200, body: { ok: true, waiting: plan.waiting() } };
}

function optionalInteger(parameters: Parameters, name: string): number | undefined {
  return parameters.has(name) ? parameters.integer(name, 0) : undefined;
}

function done(deed: Result<people.Deed, people.Hindrance>): ControlAnswer {
  if (!deed.ok) return refuse(deed.error.reason);
  const { update, message } = deed.value;
  return { status: 200, body: update === undefined ? { ok: true, update_id: null, message } : { ok: true, ...update } };
}

function refuse(description: string): ControlAnswer {
  return { status: 400, body: { ok: false, description } };
}
