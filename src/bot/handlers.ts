// What happens to an update, in a fixed order: recorder, auth, de-dup and age, emergency lane, one at a time per chat,
// conversations, everything else, hint. Handlers validate, command the desk and queue answers; they never wait for a send.
import { createHash } from "node:crypto";
import { conversations, createConversation } from "@grammyjs/conversations";
import { Composer, type Context, type MiddlewareFn } from "grammy";
import type { Update } from "grammy/types";
import { errorFields } from "../log.ts";
import { createAnswers } from "./answers.ts";
import { commandNamed } from "./commands/about.ts";
import { readTyped } from "./commands/command.ts";
import type { BotContext, Room } from "./context.ts";
import { createEditConfig, EDIT_CONFIG } from "./conversations/edit-config.ts";
import { DIALOGUE_VERSION, seatKey } from "./dialogues.ts";
import { ageOf, createObeyer, REPORT_MS_MAX } from "./obey.ts";
import type { Pressed } from "./presses.ts";
import type { ServerTime } from "./transport.ts";
import { bold, lines, rich } from "./views/rich.ts";
import { plain, run } from "./views/view.ts";

/** So many update ids are remembered, for what the chat server tells twice. */
const SEEN_MAX = 1_000;
/** A message's figures are renewed at most this often. */
const REFRESH_MS_MIN = 2_000;
/** The order of the middleware; a test holds it. */
export const MIDDLEWARE_ORDER = [
  "recorder",
  "auth",
  "dedupe and age",
  "emergency",
  "one at a time",
  "conversations",
  "commands",
  "hint",
] as const;

type Named = { readonly name: (typeof MIDDLEWARE_ORDER)[number]; readonly run: MiddlewareFn<BotContext> };

/** Is what the handlers need beside the room. */
export type HandlerOptions = {
  readonly room: Room;
  readonly serverTime: ServerTime;
  /** Answers a callback query; never waited for. */
  readonly answerPress: (id: string, text: string | null) => void;
  readonly deleteMessage: (chatId: number, messageId: number) => void;
  /** A person has paired. */
  readonly onPaired: (user: { id: number; name: string }) => void;
  /** Tells the owners something by the way. */
  readonly tellOwners: (text: string) => void;
  readonly seenNotice: (noticeId: number) => void;
  readonly dialogueVersion?: number;
};

/** Returns the middleware in its order. */
export function createHandlers(options: HandlerOptions): readonly Named[] {
  const { room, serverTime } = options;
  const { access, presses, desk, dialogues, log, wall } = room;
  const seen = new Set<number>();
  const chains = new Map<number, Promise<void>>();
  const refreshed = new Map<string, number>();
  const answers = createAnswers(room);
  const { post, answer } = answers;
  const { runNamed, runPress } = createObeyer({ room, serverTime, answers, seenNotice: options.seenNotice });

  /** Answers the press at once, before any work, and returns what it means; undefined where nothing is to be done. */
  const takePress = (ctx: BotContext): Pressed | undefined => {
    const query = ctx.callbackQuery;
    if (query?.data === undefined) return undefined;
    const messageId = query.message?.message_id ?? 0;
    const { user, place } = ctx.caller;
    const peeked = presses.peek(query.data);
    const isConfirm = peeked.type === "deed" && peeked.deed.verb !== "pick" && peeked.deed.verb !== "dismiss";
    if (isConfirm && peeked.deed.verb !== "flatten" && !access.allow(user.id, "confirm")) {
      options.answerPress(query.id, "Too many confirmations in a minute; nothing done.");
      return undefined;
    }
    if (peeked.type === "refresh" && isJustUpdated(refreshed, `${place.chatId}:${messageId}`, wall.nowMs())) {
      options.answerPress(query.id, "Just updated");
      return undefined;
    }
    const pressed = presses.take(query.data, { chatId: place.chatId, messageId, personId: user.id });
    if (pressed.type === "wrong_person") {
      options.answerPress(query.id, `Only @${access.nameOf(pressed.ownerId)} can confirm this`);
      return undefined;
    }
    if (pressed.type === "expired" || pressed.type === "unknown") {
      options.answerPress(query.id, "Expired, nothing done");
      post(ctx.caller, { type: "bare", messageId: () => messageId }, "card");
      return undefined;
    }
    if (pressed.type === "deed" && pressed.deed.verb !== "pick") {
      desk.note("confirmed", { verb: pressed.deed.verb, userId: user.id, updateId: ctx.update.update_id });
    }
    options.answerPress(query.id, null);
    return pressed;
  };

  const recorder: MiddlewareFn<BotContext> = async (ctx, next) => {
    const text = ctx.message?.text ?? ctx.callbackQuery?.data ?? "";
    desk.note("update_received", {
      updateId: ctx.update.update_id,
      kind: ctx.callbackQuery === undefined ? "message" : "callback_query",
      userId: ctx.from?.id ?? null,
      textHash: createHash("sha256").update(text).digest("hex").slice(0, 16),
    });
    await next();
  };

  const auth: MiddlewareFn<BotContext> = async (ctx, next) => {
    const chatId = ctx.chat?.id;
    const user = access.admit(ctx.from?.id, chatId);
    if (user === null || chatId === undefined) {
      const { from, message } = ctx;
      const paired =
        from === undefined || chatId === undefined || message?.text === undefined || from.is_bot
          ? null
          : access.pair(message.text, { id: from.id, name: from.username ?? from.first_name }, chatId);
      if (paired !== null) return options.onPaired(paired);
      desk.note("denied", { userId: from?.id ?? null, chatId: chatId ?? null, updateId: ctx.update.update_id });
      const told = access.denied();
      if (told !== null)
        options.tellOwners(
          `Ignored ${told.tellCount} ${told.tellCount === 1 ? "message" : "messages"} from unknown users; the last one came from id ${from?.id ?? "n/a (none)"}.`,
        );
      return;
    }
    const topicId = ctx.msg?.is_topic_message === true ? (ctx.msg.message_thread_id ?? null) : null;
    ctx.caller = {
      user,
      place: { chatId, topicId },
      origin: { person: { id: user.id, name: user.name }, updateId: ctx.update.update_id },
      pressedMessageId: ctx.callbackQuery?.message?.message_id ?? null,
    };
    if (ctx.message?.text !== undefined && /\d{6,}:[\w-]{30,}/.test(ctx.message.text)) {
      options.deleteMessage(chatId, ctx.message.message_id);
      return answer(
        ctx.caller,
        plain(
          rich("That looked like a bot token. It was deleted here; if it was a real one, renew it at @BotFather now."),
        ),
      );
    }
    await next();
  };

  const dedupe: MiddlewareFn<BotContext> = async (ctx, next) => {
    const id = ctx.update.update_id;
    if (seen.has(id)) return;
    seen.add(id);
    for (const old of seen) {
      if (seen.size <= SEEN_MAX) break;
      seen.delete(old);
    }
    await next();
  };

  const emergency: MiddlewareFn<BotContext> = async (ctx, next) => {
    if (!isUrgentUpdate(ctx.update, ctx.me.username, presses)) return next();
    if (ctx.callbackQuery !== undefined) {
      const pressed = takePress(ctx);
      return pressed === undefined ? undefined : runPress(ctx, pressed);
    }
    const typed = readTyped(ctx.message?.text ?? "", ctx.me.username);
    if (typed === null || typed === "other") return next();
    await runNamed(ctx, typed.name, typed.rest);
  };

  const oneAtATime: MiddlewareFn<BotContext> = async (ctx, next) => {
    const { chatId } = ctx.caller.place;
    const before = chains.get(chatId) ?? Promise.resolve();
    const mine = before.then(() => next());
    // The next one in this chat goes on whatever became of this one; its own error is reported at its own boundary.
    const link = mine.then(
      () => {},
      () => {},
    );
    chains.set(chatId, link);
    try {
      await mine;
    } finally {
      if (chains.get(chatId) === link) chains.delete(chatId);
    }
  };

  const dialogue = new Composer<BotContext>();
  dialogue.use(async (ctx, next) => {
    if (ctx.callbackQuery === undefined) return next();
    const pressed = takePress(ctx);
    if (pressed === undefined) return;
    const seat = { place: ctx.caller.place, personId: ctx.caller.user.id };
    if (pressed.type === "deed" && pressed.deed.verb === "pick" && dialogues.isOpen(seat)) {
      ctx.picked = pressed.deed.what;
      return next();
    }
    Object.assign(ctx, { pressed });
    await next();
  });
  dialogue.use(
    conversations<BotContext, Context>({
      storage: {
        type: "key",
        version: options.dialogueVersion ?? DIALOGUE_VERSION,
        getStorageKey: (ctx) => seatKey(ctx.caller.place.chatId, ctx.caller.user.id),
        adapter: dialogues.storage,
      },
    }) as MiddlewareFn<BotContext>,
  );
  dialogue.use(createConversation<BotContext, Context>(createEditConfig(room), EDIT_CONFIG));

  const commands: MiddlewareFn<BotContext> = async (ctx, next) => {
    const pressed = (ctx as BotContext & { pressed?: Pressed }).pressed;
    if (pressed !== undefined) return runPress(ctx, pressed);
    if (ctx.picked !== undefined) return;
    const typed = readTyped(ctx.message?.text ?? "", ctx.me.username);
    if (typed === "other") return;
    if (typed === null) return next();
    await runNamed(ctx, typed.name, typed.rest);
  };

  const hint: MiddlewareFn<BotContext> = async (ctx) => {
    const { message } = ctx;
    if (message === undefined || ctx.chat?.type !== "private" || ageOf(ctx, serverTime) > REPORT_MS_MAX) return;
    if (!access.allow(ctx.caller.user.id, "command")) return;
    answer(ctx.caller, {
      text: rich("Plain text does nothing here. /help lists what there is."),
      buttons: [[run("Status", "/status")]],
    });
  };

  const named: readonly Named[] = [
    { name: "recorder", run: recorder },
    { name: "auth", run: auth },
    { name: "dedupe and age", run: dedupe },
    { name: "emergency", run: emergency },
    { name: "one at a time", run: oneAtATime },
    { name: "conversations", run: dialogue.middleware() },
    { name: "commands", run: commands },
    { name: "hint", run: hint },
  ];
  return named.map(({ name, run: inner }) => ({
    name,
    // The boundary: an error ends here, is told to the person, and never ends the poll.
    run: async (ctx, next) => {
      let isBelow = false;
      try {
        await inner(ctx, async () => {
          isBelow = true;
          await next();
          isBelow = false;
        });
      } catch (thrown) {
        if (isBelow) throw thrown;
        log.error({ ...errorFields(thrown), step: name, updateId: ctx.update.update_id }, "a handler failed");
        if (ctx.caller !== undefined) {
          answer(
            ctx.caller,
            plain(
              lines(
                bold("Not known whether that was done."),
                "The program failed while handling it; its log says why. /status shows what is true.",
              ),
            ),
            "emergency",
          );
        }
      }
    },
  }));
}

/** Returns whether an update is served before everything else: a stop, a look, or their buttons. */
export function isUrgentUpdate(update: Update, botName: string, presses: Room["presses"]): boolean {
  const isUrgentText = (text: string): boolean => {
    const typed = readTyped(text, botName);
    return typed !== null && typed !== "other" && commandNamed(typed.name)?.isEmergency === true;
  };
  const data = update.callback_query?.data;
  if (data === undefined) return isUrgentText(update.message?.text ?? "");
  const pressed = presses.peek(data);
  if (pressed.type === "run" || pressed.type === "refresh") return isUrgentText(pressed.command);
  return pressed.type === "acknowledge" || (pressed.type === "deed" && pressed.deed.verb === "flatten");
}

/** Remembers when a message was last renewed; bounded by forgetting all that may be renewed again. */
function isJustUpdated(refreshed: Map<string, number>, key: string, nowMs: number): boolean {
  for (const [other, atMs] of refreshed) if (nowMs - atMs >= REFRESH_MS_MIN) refreshed.delete(other);
  if (refreshed.has(key)) return true;
  refreshed.set(key, nowMs);
  return false;
}
