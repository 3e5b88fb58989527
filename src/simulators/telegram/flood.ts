// Telegram's flood limits: one message a second in a chat with a burst of three, 20 a minute in a group, 30 a second
// overall. A call beyond them is refused with the true time to wait (Bot API FAQ, "My bot is hitting limits").
import type { Clock } from "../../clock.ts";

export const CHAT_BURST = 3;
const CHAT_PER_SECOND = 1;
export const GROUP_PER_MINUTE = 20;
export const ALL_PER_SECOND = 30;
/** A client that counts by its own clock may be early by the jitter of a loopback call; it isn't punished for that. */
const EARLY_MS_ALLOWED = 150;

type Bucket = { tokens: number; atMs: number };

/** Counts the sends of one bot. */
export class FloodGate {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes `count` sends to a chat: returns 0 when they may go, else the whole seconds to wait (nothing is taken). */
  take(chatId: number, isGroup: boolean, count: number): number {
    const limits = [
      { key: "all", capacity: ALL_PER_SECOND, perMs: ALL_PER_SECOND / 1_000 },
      { key: `chat ${chatId}`, capacity: CHAT_BURST, perMs: CHAT_PER_SECOND / 1_000 },
      ...(isGroup ? [{ key: `group ${chatId}`, capacity: GROUP_PER_MINUTE, perMs: GROUP_PER_MINUTE / 60_000 }] : []),
    ];
    const nowMs = this.#clock.nowMs();
    let waitMs = 0;
    for (const { key, capacity, perMs } of limits) {
      const bucket = this.#buckets.get(key) ?? { tokens: capacity, atMs: nowMs };
      bucket.tokens = Math.min(capacity, bucket.tokens + (nowMs - bucket.atMs) * perMs);
      bucket.atMs = nowMs;
      this.#buckets.set(key, bucket);
      // An album larger than the burst goes when the bucket is full, as one piece.
      waitMs = Math.max(waitMs, (Math.min(count, capacity) - bucket.tokens) / perMs);
    }
    if (waitMs > EARLY_MS_ALLOWED) return Math.ceil(waitMs / 1_000);
    for (const { key } of limits) {
      const bucket = this.#buckets.get(key);
      if (bucket !== undefined) bucket.tokens -= count;
    }
    return 0;
  }
}
