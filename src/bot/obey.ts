// Whether and how a command is obeyed: by role, by how often, by how late it comes, and by what came after it. Stops are
// obeyed however late, a late flatten pauses and asks again, what raises risk is not run when it waited.
import { printDurationShort } from "../units.ts";
import { mayDo } from "./access.ts";
import type { Answers } from "./answers.ts";
import { commandNamed, unknownText } from "./commands/about.ts";
import { type Command, readTyped, wordsOf } from "./commands/command.ts";
import type { BotContext, Call, Caller, Room } from "./context.ts";
import { deedRole, perform } from "./deeds.ts";
import type { Pressed } from "./presses.ts";
import type { ServerTime } from "./transport.ts";
import { rich } from "./views/rich.ts";
import { plain, run } from "./views/view.ts";
import { positionText } from "./views/words.ts";

/** An acting command older than this is not simply obeyed. */
const STALE_MS = 60_000;
/** A report older than this is not answered, only counted. */
export const REPORT_MS_MAX = 300_000;
/** "n older messages skipped" waits so long for the rest of the backlog. */
const SKIPPED_MS = 1_000;

/** Obeys. */
export type Obeyer = {
  /** Runs a command by its name; an unknown one is answered with the nearest. */
  runNamed(ctx: BotContext, name: string, rest: string, isRefresh?: boolean): Promise<void>;
  /** Does what a press means. */
  runPress(ctx: BotContext, pressed: Pressed): Promise<void>;
};

/** Returns an obeyer; `seenNotice` is told which critical notice a person has seen. */
export function createObeyer(options: {
  room: Room;
  serverTime: ServerTime;
  answers: Answers;
  seenNotice: (noticeId: number) => void;
}): Obeyer {
  const { room, serverTime } = options;
  const { access, desk, dialogues, wall } = room;
  const { answer, edit, deliver } = options.answers;
  const skipped = new Map<number, number>();
  /** The newest stop that was obeyed: what raises risk and is older than it does nothing. */
  let stopUpdateId = -1;
  /** The newest /arm or /resume that was obeyed, by the time it was sent: an older stop does nothing. */
  let riskSentAtMs = Number.NEGATIVE_INFINITY;

  const runNamed = async (ctx: BotContext, name: string, rest: string, isRefresh = false): Promise<void> => {
    const command = commandNamed(name);
    if (command === undefined) return answer(ctx.caller, plain(rich(unknownText(name))));
    await runCommand(ctx, command, rest, isRefresh);
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

  return { runNamed, runPress };
}

/** Returns how long ago a message was sent by the chat server's clock; a press has no date, its button has an expiry. */
export function ageOf(ctx: BotContext, serverTime: ServerTime): number {
  const date = ctx.callbackQuery === undefined ? ctx.message?.date : undefined;
  return date === undefined ? 0 : Math.max(0, serverTime.nowMs() - date * 1_000);
}
