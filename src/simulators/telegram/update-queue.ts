// One bot's updates and the poll that waits for them: numbering, confirming by offset, forgetting after a day, and the
// rule of two pollers. Read in tdlib/telegram-bot-api Client.cpp (process_get_updates_query, abort_long_poll).
import type { Cancel, Clock } from "../../clock.ts";
import type { Update, UpdateContent } from "./api.ts";
import { pollConflict, type Refusal, restarting } from "./refusal.ts";

/** Telegram keeps updates for a day. */
export const UPDATE_KEPT_MS = 24 * 60 * 60 * 1_000;
/** Updates beyond this are dropped oldest first; Telegram's own limit is about 100,000. */
export const UPDATES_MAX = 10_000;
export const POLL_UPDATES_MAX = 100;
export const POLL_TIMEOUT_SECONDS_MAX = 50;
/** A second conflict within this time is answered only after it, so that two bots don't storm each other. */
export const CONFLICT_PAUSE_MS = 3_000;

/** Is what must survive a restart. */
export type QueueState = {
  nextUpdateId: number;
  updates: { atMs: number; update: Update }[];
  allowed: string[] | null;
};

/** Is one getUpdates call. `allowed` undefined keeps the list of the call before. */
export type Poll = { offset: number; limit: number; timeoutSeconds: number; allowed: string[] | undefined };

/** Is asked what is to go wrong with updates. */
export type UpdateTrouble = {
  /** Returns how much later the next update is to come; 0 for at once. */
  nextLateMs(): number;
  /** Returns whether an update that has been given is to be given once more. */
  nextIsRepeated(): boolean;
};

/** Lets every update go its way. */
export const NO_TROUBLE: UpdateTrouble = { nextLateMs: () => 0, nextIsRepeated: () => false };

type Waiting = { poll: Poll; answer(updates: Update[]): void; fail(refusal: Refusal): void; stopTimer: Cancel };

/** These kinds come only to bots that name them; this server makes none of them, but the rule is kept. */
const KINDS_ON_REQUEST = ["chat_member", "message_reaction", "message_reaction_count"];

/** Holds updates until they are confirmed and wakes the waiting poll. */
export class UpdateQueue {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly state: QueueState;
  readonly #trouble: UpdateTrouble;
  /** When each late update may be given; those behind it wait with it, or confirming them would lose it. */
  readonly #lateUntilMs = new Map<number, number>();
  /** Were given and confirmed, and are given once more. */
  #again: Update[] = [];
  #waiting: Waiting | undefined;
  #nextConflictAtMs = 0;

  /** `changed` is called when something that must be saved has changed. */
  constructor(clock: Clock, state: QueueState, changed: () => void, trouble: UpdateTrouble = NO_TROUBLE) {
    this.#clock = clock;
    this.#trouble = trouble;
    this.state = state;
    this.#changed = changed;
  }

  /** Numbers and keeps an update; returns it, or undefined when the bot did not ask for its kind. */
  push(content: UpdateContent): Update | undefined {
    const kind = Object.keys(content)[0] ?? "";
    const { allowed } = this.state;
    if (allowed === null ? KINDS_ON_REQUEST.includes(kind) : !allowed.includes(kind)) return undefined;
    const update: Update = { update_id: this.state.nextUpdateId, ...content };
    this.state.nextUpdateId += 1;
    this.state.updates.push({ atMs: this.#clock.nowMs(), update });
    if (this.state.updates.length > UPDATES_MAX) this.state.updates.shift();
    this.#changed();
    const lateMs = this.#trouble.nextLateMs();
    if (lateMs > 0) {
      this.#lateUntilMs.set(update.update_id, this.#clock.nowMs() + lateMs);
      this.#clock.after(lateMs, () => this.#answerWaiting());
    }
    this.#answerWaiting();
    return update;
  }

  /** Returns how many updates wait to be confirmed. */
  pending(): number {
    this.#forgetOld();
    return this.state.updates.length;
  }

  /** Forgets all updates (drop_pending_updates). */
  dropAll(): void {
    if (this.state.updates.length === 0) return;
    this.state.updates = [];
    this.#changed();
  }

  /** Answers a poll when something is there, its time is over, or a newer one ends it (rejects with the Refusal). */
  poll(poll: Poll, signal: AbortSignal): Promise<Update[]> {
    if (poll.allowed !== undefined) {
      this.state.allowed = poll.allowed.length === 0 ? null : poll.allowed;
      this.#changed();
    }
    this.#confirm(poll.offset);
    const updates = this.#take(poll);
    if (updates.length > 0 || poll.timeoutSeconds === 0) return Promise.resolve(updates);
    // Only a poll that has to wait ends the one that waits already.
    this.#endWaiting();
    return this.#wait(poll, signal);
  }

  /** Ends the waiting poll as a server that goes down does. */
  stop(): void {
    this.#waiting?.fail(restarting());
  }

  #wait(poll: Poll, signal: AbortSignal): Promise<Update[]> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        waiting.stopTimer();
        signal.removeEventListener("abort", abandoned);
        if (this.#waiting === waiting) this.#waiting = undefined;
        act();
      };
      // The client is gone: nobody hears the answer, and what comes later must not be lost on it.
      const abandoned = (): void => end(() => resolve([]));
      const waiting: Waiting = {
        poll,
        answer: (updates) => end(() => resolve(updates)),
        fail: (refusal) => end(() => reject(refusal)),
        stopTimer: this.#clock.after(poll.timeoutSeconds * 1_000, () => waiting.answer([])),
      };
      this.#waiting = waiting;
      signal.addEventListener("abort", abandoned);
      if (signal.aborted) abandoned();
    });
  }

  #endWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#nextConflictAtMs) {
      this.#nextConflictAtMs = nowMs + CONFLICT_PAUSE_MS;
      waiting.fail(pollConflict());
    } else {
      waiting.stopTimer();
      waiting.stopTimer = this.#clock.after(CONFLICT_PAUSE_MS, () => waiting.fail(pollConflict()));
    }
  }

  #answerWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const updates = this.#take(waiting.poll);
    if (updates.length > 0) waiting.answer(updates);
  }

  /** A positive offset confirms what is older; a negative one keeps only the last of them. */
  #confirm(offset: number): void {
    this.#forgetOld();
    const before = this.state.updates.length;
    if (offset > 0) this.state.updates = this.state.updates.filter(({ update }) => update.update_id >= offset);
    else if (offset < 0) this.state.updates = this.state.updates.slice(offset);
    if (this.state.updates.length !== before) this.#changed();
  }

  /** Returns what is there for a poll, and notes what of it is to come once more. */
  #take(poll: Poll): Update[] {
    const nowMs = this.#clock.nowMs();
    const again = this.#again.splice(0, poll.limit);
    const found: Update[] = [];
    for (const { update } of this.state.updates) {
      const lateUntilMs = this.#lateUntilMs.get(update.update_id);
      if (again.length + found.length >= poll.limit || (lateUntilMs !== undefined && nowMs < lateUntilMs)) break;
      this.#lateUntilMs.delete(update.update_id);
      found.push(update);
    }
    // What a poll of no use has not confirmed comes again by itself.
    this.#again.push(...found.filter((update) => !again.includes(update) && this.#trouble.nextIsRepeated()));
    return [...again.filter((update) => !found.includes(update)), ...found];
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.nowMs() - UPDATE_KEPT_MS;
    const first = this.state.updates.findIndex(({ atMs }) => atMs >= oldestMs);
    if (first === 0 || this.state.updates.length === 0) return;
    this.state.updates = first < 0 ? [] : this.state.updates.slice(first);
  }
}
