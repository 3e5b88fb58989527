// Owns the long poll: asks for updates, gives them to the handlers (stops first), and survives everything the network and
// the chat server do: no answer, 5xx, 401, 409. Tells the desk when commands can't arrive, and when they can again; what follows from it is the desk's.
import { type Api, GrammyError } from "grammy";
import type { Update, UserFromGetMe } from "grammy/types";
import type { Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import { printDurationShort } from "../units.ts";
import { within } from "./channel.ts";

/** Is what the poll is doing. */
type PollState = "starting" | "polling" | "backing off" | "conflict" | "unauthorized" | "stopped";

/** The server holds a poll open so long. */
const POLL_SECONDS = 30;
/** A poll without an answer is given up after this; twice in a row is the 90 seconds after which the loop has begun anew. */
const POLL_MS_MAX = 45_000;
const BACKOFF_MS_MAX = 60_000;
const CONFLICT_MS_MIN = 5_000;
const UNAUTHORIZED_MS = 60_000;
/** The next poll confirms the updates before it: handlers get so long to finish first. */
const HANDLERS_MS_MAX = 1_000;
const CALL_MS_MAX = 15_000;

/** Is the running poll. */
export type Polling = {
  /** Resolves once the first attempt has been made: polling runs or is being retried. */
  start(): Promise<void>;
  /** Ends the poll, waits for handlers at most `waitMs`, and confirms what was handled. */
  stop(waitMs: number): Promise<void>;
  state(): PollState;
};

/** Returns a poll over this API. */
export function createPolling(options: {
  api: Api;
  wall: Clock;
  log: Log;
  /** From 0 to 1, for the jitter of retries. */
  random: () => number;
  onMe: (me: UserFromGetMe) => Promise<void>;
  /** Handles one update; never rejects. */
  handle: (update: Update) => Promise<void>;
  /** Is served before its neighbours in a batch. */
  isUrgent: (update: Update) => boolean;
  /** Told at the first failure, and at the first good poll after it. */
  onControl: (isReachable: boolean, detail: string) => void;
  /** Another program polls this token: called once each time it begins. */
  onConflict: () => void;
}): Polling {
  const { api, wall, log } = options;
  let state: PollState = "starting";
  let me: UserFromGetMe | null = null;
  let offset = 0;
  let failures = 0;
  let isStopped = false;
  let isReachable: boolean | null = null;
  let lastGoodMs = wall.nowMs();
  let current: AbortController | null = null;
  let wakeUp: () => void = () => {};
  let firstTry: () => void = () => {};
  let running: Promise<void> = Promise.resolve();
  const handling = new Set<Promise<void>>();

  const call = async <T>(waitMs: number, made: (signal: Signal) => Promise<T>): Promise<T> => {
    const controller = new AbortController();
    current = controller;
    const tooLong = within(wall, waitMs, controller);
    try {
      return await Promise.race([made(controller.signal as unknown as Signal), tooLong.promise]);
    } finally {
      tooLong.cancel();
      current = null;
    }
  };

  const begin = async (): Promise<void> => {
    me = await call(CALL_MS_MAX, (signal) => api.getMe(signal));
    await options.onMe(me);
    const hook = await call(CALL_MS_MAX, (signal) => api.getWebhookInfo(signal));
    if (hook.url === undefined || hook.url === "") return;
    log.warn({}, "a webhook was set for this bot: it is removed, waiting messages are kept");
    await call(CALL_MS_MAX, (signal) => api.deleteWebhook({ drop_pending_updates: false }, signal));
  };

  const poll = async (): Promise<void> => {
    if (me === null) await begin();
    // The poll itself may hang for its whole thirty seconds: that it is about to be sent is enough for `start`.
    firstTry();
    const updates = await call(POLL_MS_MAX, (signal) =>
      api.getUpdates(
        { offset, limit: 100, timeout: POLL_SECONDS, allowed_updates: ["message", "callback_query"] },
        signal,
      ),
    );
    const awayMs = wall.nowMs() - lastGoodMs;
    lastGoodMs = wall.nowMs();
    failures = 0;
    state = "polling";
    tell(true, isReachable === false ? `back after ${printDurationShort(awayMs)}` : "polling");
    await dispatch(updates);
  };

  const dispatch = async (updates: readonly Update[]): Promise<void> => {
    for (const update of updates) offset = Math.max(offset, update.update_id + 1);
    // A backlog is looked at as a whole: what stops goes first.
    const ordered = [...updates.filter(options.isUrgent), ...updates.filter((update) => !options.isUrgent(update))];
    for (const update of ordered) {
      const work = options.handle(update).finally(() => handling.delete(work));
      handling.add(work);
    }
    if (handling.size > 0) await settled(HANDLERS_MS_MAX);
  };

  const settled = (waitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = wall.after(waitMs, resolve);
      void Promise.allSettled([...handling]).then(() => {
        cancel();
        resolve();
      });
    });

  /** Returns how long to wait after a failure. */
  const judge = (thrown: unknown): number => {
    failures += 1;
    if (thrown instanceof GrammyError && thrown.error_code === 409) {
      if (state !== "conflict") options.onConflict();
      if (state !== "conflict") failures = 1;
      state = "conflict";
      return Math.min(BACKOFF_MS_MAX, CONFLICT_MS_MIN * 2 ** (failures - 1));
    }
    if (thrown instanceof GrammyError && (thrown.error_code === 401 || thrown.error_code === 404)) {
      state = "unauthorized";
      // The next attempt begins with getMe: the token may have been renewed.
      me = null;
      return UNAUTHORIZED_MS;
    }
    state = "backing off";
    if (thrown instanceof GrammyError && thrown.error_code === 429) return (thrown.parameters.retry_after ?? 1) * 1_000;
    return Math.min(BACKOFF_MS_MAX, 1_000 * 2 ** (failures - 1)) * (0.75 + options.random() / 4);
  };

  const tell = (isNow: boolean, detail: string): void => {
    if (isReachable === isNow) return;
    isReachable = isNow;
    options.onControl(isNow, detail);
  };

  const loop = async (): Promise<void> => {
    while (!isStopped) {
      try {
        await poll();
      } catch (thrown) {
        if (isStopped) break;
        const waitMs = judge(thrown);
        const { errorName, errorMessage } = errorFields(thrown);
        log.warn(
          { errorName, errorMessage, state, waitMs: Math.round(waitMs) },
          "the poll for messages failed; it is tried again",
        );
        tell(false, `${state}: ${errorMessage}`);
        firstTry();
        await pause(waitMs);
      }
    }
    firstTry();
    state = "stopped";
  };

  const pause = (waitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = wall.after(waitMs, resolve);
      wakeUp = () => {
        cancel();
        resolve();
      };
    });

  return {
    start: async () => {
      lastGoodMs = wall.nowMs();
      const tried = new Promise<void>((resolve) => {
        firstTry = resolve;
      });
      running = loop();
      await tried;
    },
    stop: async (waitMs) => {
      isStopped = true;
      current?.abort();
      wakeUp();
      await Promise.race([running, settled(waitMs)]);
      await settled(waitMs);
      if (offset === 0 || me === null) return;
      try {
        await call(2_000, (signal) => api.getUpdates({ offset, limit: 1, timeout: 0 }, signal));
      } catch (thrown) {
        // They come again at the next start and are recognised there.
        log.info(errorFields(thrown), "handled messages could not be confirmed at the stop");
      }
    },
    state: () => state,
  };
}

type Signal = NonNullable<Parameters<Api["getMe"]>[0]>;
