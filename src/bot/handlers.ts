// What happens to an update, in a fixed order: recorder, auth, de-dup and age, emergency lane, one at a time per chat,
// conversations, everything else, hint. Handlers validate, command the desk and queue answers; they never wait for a send.
import { createHash } from "node:crypto";
import { conversations, createConversation } from "@grammyjs/conversations";
import { Composer, type Context, type MiddlewareFn } from "grammy";
import type { Update } from "grammy/types";
import { errorFields } from "../log.ts";
import { printDurationShort } from "../units.ts";
import { mayDo } from "./access.ts";
import { ANSWER_MS_MAX, type Content, type Priority } from "./channel.ts";
import { commandNamed, unknownText } from "./commands/about.ts";
import { type Command, KEYS, readTyped, wordsOf } from "./commands/command.ts";
import type { BotContext, Call, Caller, Reply, Room } from "./context.ts";
import { createEditConfig, EDIT_CONFIG } from "./conversations/edit-config.ts";
import { deedRole, perform } from "./deeds.ts";
import { DIALOGUE_VERSION, seatKey } from "./dialogues.ts";
import type { Pressed } from "./presses.ts";
import type { ServerTime } from "./transport.ts";
import { bold, lines, rich } from "./views/rich.ts";
import { plain, run, type View } from "./views/view.ts";
import { positionText } from "./views/words.ts";

/** An acting command older than this is not simply obeyed. */
export const STALE_MS = 60_000;
/** A report older than this is not answered, only counted. */
export const REPORT_MS_MAX = 300_000;
/** So many update ids are remembered, for what the chat server tells twice. */
export const SEEN_MAX = 1_000;
/** A message's figures are renewed at most this often. */
export const REFRESH_MS_MIN = 2_000;
/** "n older messages skipped" waits so long for the rest of the backlog. */
const SKIPPED_MS = 1_000;

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
  const { access, channel, presses, desk, dialogues, log, wall } = room;
  const seen = new Set<number>();
  const chains = new Map<number, Promise<void>>();
  const refreshed = new Map<string, number>();
  const skipped = new Map<number, number>();
  /** The newest stop that was obeyed: what raises risk and is older than it does nothing. */
  let stopUpdateId = -1;
  /** The newest /arm or /resume that was obeyed, by the time it was sent: an older stop does nothing. */
  let riskSentAtMs = Number.NEGATIVE_INFINITY;

  const post = (caller: Caller, content: Content, priority: Priority): void => {
    void channel.post({
      place: caller.place,
      content,
      priority,
      personId: caller.user.id,
      giveUpAfterMs: ANSWER_MS_MAX,
    });
  };
  const answer = (caller: Caller, view: View, priority: Priority = "answer"): void =>
    post(caller, { type: "text", view, isSilent: false }, priority);
  const edit = (caller: Caller, view: View, priority: Priority = "answer"): void =>
    post(caller, { type: "edit", view, messageId: () => caller.pressedMessageId }, priority);

  const deliver = async (ctx: BotContext, reply: Reply, command: Command, isRefresh: boolean): Promise<void> => {
    const { caller } = ctx;
    const priority: Priority = command.isEmergency ? "emergency" : "answer";
    switch (reply.type) {
      case "view":
        if (reply.replyKeyboard === true) {
          const hint = plain(rich("The main buttons are below the text box."));
          post(
            caller,
            { type: "text", view: hint, isSilent: true, replyKeyboard: KEYS.map((row) => row.map(([label]) => label)) },
            priority,
          );
        }
        return isRefresh ? edit(caller, reply.view, priority) : answer(caller, reply.view, priority);
      case "chart": {
        const { kind, theme, asFile } = reply;
        const isTaken = room.charts.order({ kind, theme, asFile, place: caller.place, personId: caller.user.id });
        if (!isTaken) answer(caller, plain(rich("Too many pictures are being drawn already; try again in a moment.")));
        return;
      }
      case "file": {
        const bytes = new TextEncoder().encode(reply.text);
        return post(
          caller,
          { type: "document", bytes, name: reply.name, caption: bold(reply.caption), buttons: [] },
          "answer",
        );
      }
      case "dialogue": {
        await ctx.conversation.exitAll();
        dialogues.end({ place: caller.place, personId: caller.user.id });
        return ctx.conversation.enter(EDIT_CONFIG, reply.start);
      }
      case "nothing":
        return;
      default:
        return reply satisfies never;
    }
  };

  const runCommand = async (ctx: BotContext, command: Command, rest: string, isRefresh: boolean): Promise<void> => {
    const { caller } = ctx;
    const words = wordsOf(rest);
    if (!mayDo(caller.user.role, command.role)) {
      return answer(
        caller,
        plain(
          rich(
            `/${command.name} is for ${command.role === "owner" ? "owners" : "traders and owners"}; you are ${caller.user.role} here. Nothing was done.`,
          ),
        ),
      );
    }
    const isStop = command.kind === "stop" || command.kind === "flatten";
    if (!access.allow(caller.user.id, "command") && !isStop) return;
    if (words[0]?.toLowerCase() === "help" && command.name !== "help") return runNamed(ctx, "help", command.name);
    const ageMs = ageOf(ctx, serverTime);
    const call: Call = { room, caller, rest, words, late: null };
    if (command.kind === "report") {
      if (ageMs <= REPORT_MS_MAX) return deliver(ctx, await command.run(call), command, isRefresh);
      return countSkipped(caller);
    }
    const old = ageMs > STALE_MS;
    const sent = `sent ${printDurationShort(ageMs)} ago`;
    if (!isStop) {
      if (caller.origin.updateId !== null && caller.origin.updateId < stopUpdateId)
        return answer(
          caller,
          plain(rich(`/${command.name} was not run: a stop came after it. Send it again if you still want it.`)),
        );
      if (!old) return deliver(ctx, await command.run(call), command, isRefresh);
      const again = `/${command.name}${rest === "" ? "" : ` ${rest}`}`;
      const offer = again.length <= 60 ? [[run("Do it now", again)]] : [];
      return answer(caller, { text: rich(`/${command.name} was ${sent} and was not run. Do it now?`), buttons: offer });
    }
    stopUpdateId = Math.max(stopUpdateId, caller.origin.updateId ?? -1);
    if (old && serverTime.nowMs() - ageMs < riskSentAtMs)
      return answer(
        caller,
        plain(
          rich(
            `/${command.name}, ${sent}, was not run: a later /resume or /arm was obeyed. Send it again if you still want it.`,
          ),
        ),
        "emergency",
      );
    const ended = command.isEmergency ? dialogues.end({ place: caller.place, personId: caller.user.id }) : null;
    if (command.kind === "flatten" && old) {
      await desk.pause(caller.origin, null);
      const position = positionText(desk.snapshot().status.position?.position ?? 0);
      const late = `/flatten was ${sent}; entries are paused now. Position ${position}. Flatten now?`;
      await deliver(ctx, await command.run({ ...call, late }), command, false);
    } else {
      await deliver(ctx, await command.run({ ...call, late: old ? `(late: ${sent})` : null }), command, isRefresh);
    }
    if (ended !== null) answer(caller, plain(rich(`The edit of ${ended} was left; nothing changed there.`)));
  };

  const runNamed = async (ctx: BotContext, name: string, rest: string, isRefresh = false): Promise<void> => {
    const command = commandNamed(name);
    if (command === undefined) return answer(ctx.caller, plain(rich(unknownText(name))));
    await runCommand(ctx, command, rest, isRefresh);
  };

  const countSkipped = (caller: Caller): void => {
    const { chatId } = caller.place;
    const count = (skipped.get(chatId) ?? 0) + 1;
    skipped.set(chatId, count);
    if (count > 1) return;
    wall.after(SKIPPED_MS, () => {
      const total = skipped.get(chatId) ?? 0;
      skipped.delete(chatId);
      answer(caller, {
        text: rich(`${total} older ${total === 1 ? "message" : "messages"} skipped: they waited more than 5 min.`),
        buttons: [[run("Status", "/status")]],
      });
    });
  };

  const runPress = async (ctx: BotContext, pressed: Pressed): Promise<void> => {
    const { caller } = ctx;
    switch (pressed.type) {
      case "run":
      case "refresh": {
        const typed = readTyped(pressed.command, ctx.me.username);
        if (typed === null || typed === "other") return;
        return runNamed(ctx, typed.name, typed.rest, pressed.type === "refresh");
      }
      case "acknowledge": {
        options.seenNotice(pressed.noticeId);
        await desk.acknowledge(caller.origin, pressed.noticeId);
        return answer(caller, plain(rich(`#${pressed.noticeId} acknowledged by @${caller.user.name}.`)));
      }
      case "deed": {
        if (!mayDo(caller.user.role, deedRole(pressed.deed)))
          return answer(caller, plain(rich("You may not do this; nothing was done.")));
        const isStop = pressed.deed.verb === "flatten";
        if (!isStop && (caller.origin.updateId ?? 0) < stopUpdateId && pressed.deed.verb !== "dismiss")
          return edit(caller, plain(rich("Not done: a stop came after this press.")));
        if (isStop) {
          stopUpdateId = Math.max(stopUpdateId, caller.origin.updateId ?? -1);
          const ended = dialogues.end({ place: caller.place, personId: caller.user.id });
          if (ended !== null) answer(caller, plain(rich(`The edit of ${ended} was left; nothing changed there.`)));
        }
        if (pressed.deed.verb === "resume" || pressed.deed.verb === "arm") riskSentAtMs = serverTime.nowMs();
        const shown = await perform({ room, caller, rest: "", words: [], late: null }, pressed.deed);
        return shown === null ? undefined : edit(caller, shown, isStop ? "emergency" : "answer");
      }
      case "wrong_person":
      case "expired":
      case "unknown":
        return;
      default:
        return pressed satisfies never;
    }
  };

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

function ageOf(ctx: BotContext, serverTime: ServerTime): number {
  // A press has no date of its own; its button has an expiry.
  const date = ctx.callbackQuery === undefined ? ctx.message?.date : undefined;
  return date === undefined ? 0 : Math.max(0, serverTime.nowMs() - date * 1_000);
}

/** Remembers when a message was last renewed; bounded by forgetting all that may be renewed again. */
function isJustUpdated(refreshed: Map<string, number>, key: string, nowMs: number): boolean {
  for (const [other, atMs] of refreshed) if (nowMs - atMs >= REFRESH_MS_MIN) refreshed.delete(other);
  if (refreshed.has(key)) return true;
  refreshed.set(key, nowMs);
  return false;
}
