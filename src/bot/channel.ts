// Everything that goes out to chats passes here: per chat in order and by priority, within the Bot API's rates, each
// tried again until it is delivered, refused for good, or too old to matter. Callers never wait for a send.
import { type Api, InputFile } from "grammy";
import type { Cancel, Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import { type Bucket, createBucket } from "./pace.ts";
import type { Presses } from "./presses.ts";
import { verdictOf } from "./verdict.ts";
import { CAPTION_UNITS_MAX, clip, type Rich, rich, TEXT_UNITS_MAX } from "./views/rich.ts";
import type { Button, View } from "./views/view.ts";

/** Is where a message goes: a chat, and in a forum the topic. */
export type Place = { readonly chatId: number; readonly topicId: number | null };

/** What goes first, when several wait in a chat. */
const PRIORITIES = ["emergency", "critical", "answer", "fill", "card", "chart"] as const;

/** Is how urgent a message is. */
export type Priority = (typeof PRIORITIES)[number];

/** Is what is sent. */
export type Content =
  | {
      readonly type: "text";
      readonly view: View;
      readonly isSilent: boolean;
      readonly replyKeyboard?: readonly (readonly string[])[];
    }
  /** `messageId` is asked when its turn comes; null sends a new message instead. */
  | { readonly type: "edit"; readonly view: View; readonly messageId: () => number | null }
  /** Takes the buttons off a message. */
  | { readonly type: "bare"; readonly messageId: () => number | null }
  | {
      readonly type: "photo" | "document";
      readonly bytes: Uint8Array;
      readonly name: string;
      readonly caption: Rich;
      readonly buttons: readonly (readonly Button[])[];
      /** Puts a photo in the place of that message's; null or none sends a new one. */
      readonly messageId?: () => number | null;
    };

/** Is what became of it. */
export type Delivery =
  | { readonly type: "delivered"; readonly messageId: number }
  /** The chat can't be written to: blocked, kicked, deactivated. */
  | { readonly type: "blocked"; readonly description: string }
  | { readonly type: "refused"; readonly code: number; readonly description: string }
  | { readonly type: "gave_up"; readonly why: string };

/** Is one thing to send. */
type Job = {
  readonly place: Place;
  readonly content: Content;
  readonly priority: Priority;
  /** Who may press its deeds. */
  readonly personId: number;
  /** Tried so long; null = for ever. */
  readonly giveUpAfterMs: number | null;
  /** A newer job of the same key takes the place of one that still waits. */
  readonly replaces?: string;
};

/** Sends. */
export type Channel = {
  /** Queues a job; the promise tells what became of it and never rejects. */
  post(job: Job): Promise<Delivery>;
  /** Returns how many wait. */
  waiting(): number;
  /** Waits at most so long for what is queued, then gives the rest up. */
  flush(waitMs: number): Promise<void>;
};

/** A picture lets others go first, but not for longer: somebody asked for it, and notices may come without an end. */
const CHART_LETS_PASS_MS = 2_000;
/** Answers that nobody could get for two minutes are of no use any more. */
export const ANSWER_MS_MAX = 120_000;
/** A chat's queue is bounded; beyond it the least urgent gives way. */
const JOBS_MAX = 200;
/** One call may take so long. */
const CALL_MS_MAX = 20_000;
const UPLOAD_MS_MAX = 60_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

const STOPPING = "the program is stopping";

type Waiting = Job & {
  readonly queuedAtMs: number;
  readonly settle: (delivery: Delivery) => void;
  keyboard: ReturnType<Presses["keyboard"]> | null;
  isPlain: boolean;
  isAnew: boolean;
  /** No answer came: it may stand in the chat already. */
  mayBeThere: boolean;
};

type Chat = {
  id: number;
  jobs: Waiting[];
  isBusy: boolean;
  retryMs: number;
  /** The chat server asked to wait until then. */
  floodUntilMs: number;
  /** After a failed call the next one waits until then; an emergency answer does not. */
  retryAtMs: number;
  buckets: Bucket[];
  wake: Cancel | null;
};

/** Returns a channel over this API. */
export function createChannel(options: {
  api: Api;
  presses: Presses;
  wall: Clock;
  log: Log;
  /** Stands in the first line of every message where a view has not put it: "DEMO"; null = not needed. */
  badge: string | null;
}): Channel {
  const { api, presses, wall, log } = options;
  const chats = new Map<number, Chat>();
  const overall = createBucket(25, 25, wall);
  const idle: (() => void)[] = [];
  let isClosed = false;

  const waiting = (): number =>
    [...chats.values()].reduce((sum, chat) => sum + chat.jobs.length + (chat.isBusy ? 1 : 0), 0);

  const chatOf = (chatId: number): Chat => {
    const known = chats.get(chatId);
    if (known !== undefined) return known;
    // One message a second with a burst of three; groups take twenty a minute.
    const buckets = [createBucket(3, 0.95, wall), ...(chatId < 0 ? [createBucket(18, 18 / 60, wall)] : [])];
    const chat: Chat = {
      id: chatId,
      jobs: [],
      isBusy: false,
      retryMs: RETRY_MS_MIN,
      floodUntilMs: 0,
      retryAtMs: 0,
      buckets,
      wake: null,
    };
    chats.set(chatId, chat);
    return chat;
  };

  const post = (job: Job): Promise<Delivery> =>
    new Promise((resolve) => {
      if (isClosed) {
        resolve({ type: "gave_up", why: STOPPING });
        return;
      }
      const chat = chatOf(job.place.chatId);
      const replaced =
        job.replaces === undefined ? -1 : chat.jobs.findIndex((other) => other.replaces === job.replaces);
      if (replaced >= 0)
        chat.jobs.splice(replaced, 1)[0]?.settle({ type: "gave_up", why: "a newer one took its place" });
      chat.jobs.push({
        ...job,
        queuedAtMs: wall.nowMs(),
        settle: resolve,
        keyboard: null,
        isPlain: false,
        isAnew: false,
        mayBeThere: false,
      });
      if (job.priority === "emergency") chat.retryAtMs = 0;
      if (chat.jobs.length > JOBS_MAX) dropLeast(chat, wall.nowMs(), log);
      pump(chat);
    });

  const pump = (chat: Chat): void => {
    if (chat.isBusy) return;
    chat.wake?.();
    chat.wake = null;
    for (const job of chat.jobs.filter((one) => isTooOld(one, wall.nowMs()))) {
      chat.jobs.splice(chat.jobs.indexOf(job), 1);
      job.settle({ type: "gave_up", why: "it could not be sent in time" });
    }
    const next = mostUrgent(chat.jobs, wall.nowMs());
    if (next === undefined) {
      if (waiting() === 0) for (const tell of idle.splice(0)) tell();
      return;
    }
    const waitMs = Math.max(
      chat.floodUntilMs - wall.nowMs(),
      chat.retryAtMs - wall.nowMs(),
      ...[...chat.buckets, overall].map((bucket) => bucket.waitMs()),
      0,
    );
    if (waitMs > 0) {
      chat.wake = wall.after(waitMs, () => pump(chat));
      return;
    }
    for (const bucket of [...chat.buckets, overall]) bucket.take();
    chat.jobs.splice(chat.jobs.indexOf(next), 1);
    chat.isBusy = true;
    void attempt(chat, next).finally(() => {
      chat.isBusy = false;
      pump(chat);
    });
  };

  const attempt = async (chat: Chat, job: Waiting): Promise<void> => {
    try {
      const messageId = await sendOnce(chat, job);
      chat.retryMs = RETRY_MS_MIN;
      if (job.keyboard !== null) presses.bind(job.keyboard.nonces, messageId);
      job.settle({ type: "delivered", messageId });
    } catch (thrown) {
      judge(chat, job, thrown);
    }
  };

  const sendOnce = async (chat: Chat, job: Waiting): Promise<number> => {
    const { content } = job;
    const controller = new AbortController();
    const tooLong = within(wall, isFile(content) ? UPLOAD_MS_MAX : CALL_MS_MAX, controller);
    try {
      return await Promise.race([callOnce(chat, job, controller.signal), tooLong.promise]);
    } finally {
      tooLong.cancel();
    }
  };

  const callOnce = async (chat: Chat, job: Waiting, signal: AbortSignal): Promise<number> => {
    const { content, place } = job;
    const aborting = signal as unknown as NonNullable<Parameters<Api["getMe"]>[0]>;
    const topic = place.topicId === null ? {} : { message_thread_id: place.topicId };
    if (content.type === "bare") {
      const messageId = content.messageId();
      if (messageId !== null) await api.editMessageReplyMarkup(chat.id, messageId, {}, aborting);
      return messageId ?? 0;
    }
    const buttons = content.type === "text" || content.type === "edit" ? content.view.buttons : content.buttons;
    job.keyboard ??= presses.keyboard(buttons, place.chatId, job.personId);
    const inline =
      job.keyboard.rows.length === 0
        ? {}
        : { reply_markup: { inline_keyboard: job.keyboard.rows.map((row) => [...row]) } };
    if (isFile(content)) {
      const old = content.type === "photo" && !job.isAnew ? (content.messageId?.() ?? null) : null;
      const words = badged(content.caption, options.badge);
      const caption = clip(job.mayBeThere && old === null ? repeated(words) : words, CAPTION_UNITS_MAX);
      const file = new InputFile(content.bytes, content.name);
      if (old !== null) {
        const entities = wireEntities(job.isPlain ? [] : caption.entities);
        const media = { type: "photo", media: file, caption: caption.text, caption_entities: entities } as const;
        await api.editMessageMedia(chat.id, old, media, inline, aborting);
        return old;
      }
      const rest = {
        caption: caption.text,
        caption_entities: wireEntities(job.isPlain ? [] : caption.entities),
        ...inline,
        ...topic,
      };
      const message =
        content.type === "photo"
          ? await api.sendPhoto(chat.id, file, rest, aborting)
          : await api.sendDocument(chat.id, file, rest, aborting);
      return message.message_id;
    }
    const edited = content.type === "edit" && !job.isAnew ? content.messageId() : null;
    const words = badged(content.view.text, options.badge);
    const text = clip(job.mayBeThere && edited === null ? repeated(words) : words, TEXT_UNITS_MAX);
    const shown = {
      entities: wireEntities(job.isPlain ? [] : text.entities),
      link_preview_options: { is_disabled: true },
    };
    if (edited !== null) {
      await api.editMessageText(chat.id, edited, text.text, { ...shown, ...inline }, aborting);
      return edited;
    }
    const keys =
      content.type === "text" && content.replyKeyboard !== undefined
        ? { reply_markup: replyKeyboard(content.replyKeyboard) }
        : inline;
    const isSilent = content.type === "text" && content.isSilent;
    const message = await api.sendMessage(
      chat.id,
      text.text,
      { ...shown, ...keys, ...topic, disable_notification: isSilent },
      aborting,
    );
    return message.message_id;
  };

  const judge = (chat: Chat, job: Waiting, thrown: unknown): undefined => {
    const verdict = verdictOf(thrown);
    log.debug({ ...errorFields(thrown), verdict: verdict.type, chat: chat.id }, "a call for a message failed");
    switch (verdict.type) {
      case "retry":
        chat.retryAtMs = wall.nowMs() + chat.retryMs;
        chat.retryMs = Math.min(RETRY_MS_MAX, chat.retryMs * 2);
        job.mayBeThere ||= verdict.mayBeDone;
        break;
      case "flood":
        chat.floodUntilMs = wall.nowMs() + verdict.waitMs;
        break;
      case "moved":
        chat.id = verdict.chatId;
        break;
      case "plain":
        if (job.isPlain) return refuse(chat, job, 400, "refused even as plain text");
        job.isPlain = true;
        break;
      case "gone":
        // The card looks after itself; any other message is sent anew.
        if ((job.content.type !== "edit" && job.content.type !== "photo") || job.priority === "card")
          return refuse(chat, job, 400, verdict.description);
        job.isAnew = true;
        break;
      case "same":
        job.settle({ type: "delivered", messageId: editedId(job) });
        return undefined;
      case "blocked":
        job.settle(verdict);
        return undefined;
      case "refused":
        return refuse(chat, job, verdict.code, verdict.description);
      default:
        verdict satisfies never;
    }
    // In front of its equals again: a chat's order is kept through every failure.
    if (isClosed) job.settle({ type: "gave_up", why: STOPPING });
    else chat.jobs.unshift(job);
    return undefined;
  };

  const refuse = (chat: Chat, job: Waiting, code: number, description: string): undefined => {
    log.warn({ code, description, chat: chat.id }, "the chat server refused a message");
    job.settle({ type: "refused", code, description });
    return undefined;
  };

  return {
    post,
    waiting,
    flush: (waitMs) =>
      new Promise((resolve) => {
        if (waiting() === 0) {
          resolve();
          return;
        }
        const stop = wall.after(waitMs, () => {
          isClosed = true;
          for (const chat of chats.values()) {
            chat.wake?.();
            for (const job of chat.jobs.splice(0)) job.settle({ type: "gave_up", why: STOPPING });
          }
          resolve();
        });
        idle.push(() => {
          stop();
          resolve();
        });
      }),
  };
}

/** Nobody may take a simulated market's message for a real one. */
function badged(text: Rich, badge: string | null): Rich {
  if (badge === null || (text.text.split("\n", 1)[0] ?? "").includes(badge)) return text;
  return rich(`${badge} · `, text);
}

/** Says that the same may have been said before: in front of a notice's number, else on a line of its own. */
function repeated(text: Rich): Rich {
  const mark = "(repeat)";
  if (text.text.includes(mark)) return text;
  const at = / #\d+$/.exec(text.text)?.index;
  if (at === undefined) return rich(text, `\n${mark}`);
  const shift = mark.length + 1;
  return {
    text: `${text.text.slice(0, at)} ${mark}${text.text.slice(at)}`,
    entities: text.entities.map((entity) =>
      entity.offset >= at ? { ...entity, offset: entity.offset + shift } : entity,
    ),
  };
}

function isFile(content: Content): content is Extract<Content, { bytes: Uint8Array }> {
  return content.type === "photo" || content.type === "document";
}

function isTooOld(job: Waiting, nowMs: number): boolean {
  return job.giveUpAfterMs !== null && nowMs - job.queuedAtMs > job.giveUpAfterMs;
}

function rank(job: Waiting, nowMs: number): number {
  const hasWaited = job.priority === "chart" && nowMs - job.queuedAtMs >= CHART_LETS_PASS_MS;
  return PRIORITIES.indexOf(hasWaited ? "answer" : job.priority);
}

function mostUrgent(jobs: readonly Waiting[], nowMs: number): Waiting | undefined {
  let best: Waiting | undefined;
  for (const job of jobs) if (best === undefined || rank(job, nowMs) < rank(best, nowMs)) best = job;
  return best;
}

function dropLeast(chat: Chat, nowMs: number, log: Log): void {
  let least: Waiting | undefined;
  for (const job of chat.jobs)
    if (job.giveUpAfterMs !== null && (least === undefined || rank(job, nowMs) > rank(least, nowMs))) least = job;
  if (least === undefined) return;
  chat.jobs.splice(chat.jobs.indexOf(least), 1);
  log.warn(
    { chat: chat.id, waiting: chat.jobs.length },
    "a chat's queue is full: its least urgent message was dropped",
  );
  least.settle({ type: "gave_up", why: "the chat's queue is full" });
}

function editedId(job: Job): number {
  const { content } = job;
  return content.type === "edit" || content.type === "bare" ? (content.messageId() ?? 0) : 0;
}

function wireEntities(entities: Rich["entities"]): { type: "bold" | "code"; offset: number; length: number }[] {
  return entities.map(({ type, offset, length }) => ({ type: type === "pre" ? "code" : type, offset, length }));
}

function replyKeyboard(rows: readonly (readonly string[])[]): {
  keyboard: { text: string }[][];
  is_persistent: boolean;
  resize_keyboard: boolean;
} {
  return { keyboard: rows.map((row) => row.map((text) => ({ text }))), is_persistent: true, resize_keyboard: true };
}

/** Rejects and aborts after a time, even where the call does not listen to its signal. */
export function within(
  wall: Clock,
  waitMs: number,
  controller: AbortController,
): { promise: Promise<never>; cancel: Cancel } {
  let cancel: Cancel = () => {};
  const promise = new Promise<never>((_, reject) => {
    cancel = wall.after(waitMs, () => {
      controller.abort();
      reject(new Error(`no answer within ${waitMs} ms`));
    });
  });
  return { promise, cancel };
}
