// What buttons mean. A deed's button carries a nonce of 128 bits, bound to chat, message, person and time, and works once;
// nothing of it survives a restart. Harmless buttons carry their meaning themselves.
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Button, Deed } from "./views/view.ts";

/** So many deeds may wait for a press at once; beyond it the oldest are void. */
export const DEEDS_MAX = 1_000;

/** callback_data has at most this many bytes. */
export const CALLBACK_BYTES_MAX = 64;

/** Is a button on its way to the Bot API. */
type WireButton = { readonly text: string; readonly callback_data: string };

/** Is a keyboard with the nonces that are in it. */
type Keyboard = { readonly rows: readonly (readonly WireButton[])[]; readonly nonces: readonly string[] };

/** Is what a press turned out to be. */
export type Pressed =
  | { readonly type: "run"; readonly command: string }
  | { readonly type: "refresh"; readonly command: string }
  | { readonly type: "acknowledge"; readonly noticeId: number }
  | { readonly type: "deed"; readonly deed: Deed }
  | { readonly type: "wrong_person"; readonly ownerId: number }
  | { readonly type: "expired" }
  | { readonly type: "unknown" };

type Waiting = {
  readonly deed: Deed;
  readonly chatId: number;
  readonly personId: number;
  readonly expiresAtMs: number;
  messageId: number | null;
};

/** Keeps the meanings. */
export type Presses = {
  /** Returns the buttons as the Bot API wants them; deeds may be pressed by this person only. */
  keyboard(rows: readonly (readonly Button[])[], chatId: number, personId: number): Keyboard;
  /** Ties nonces to the message that carries them. */
  bind(nonces: readonly string[], messageId: number): void;
  /** Returns what a press means without using it up: for deciding its lane. */
  peek(data: string): Pressed;
  /** Returns what a press means and uses it up; a wrong person uses nothing. */
  take(data: string, press: { chatId: number; messageId: number; personId: number }): Pressed;
  /** Makes a person's open deeds of one verb void in a chat. */
  void(chatId: number, personId: number, verb: Deed["verb"]): void;
};

/** Returns an empty keeper. */
export function createPresses(wall: Clock): Presses {
  const waiting = new Map<string, Waiting>();

  const purge = (): void => {
    for (const [nonce, entry] of waiting) if (entry.expiresAtMs <= wall.nowMs()) waiting.delete(nonce);
    for (const nonce of waiting.keys()) {
      if (waiting.size <= DEEDS_MAX) break;
      waiting.delete(nonce);
    }
  };

  const stateless = (data: string): Pressed | null => {
    const command = data.slice(3);
    if (data.startsWith("c1:")) return { type: "run", command };
    if (data.startsWith("r1:")) return { type: "refresh", command };
    if (/^k1:\d{1,15}$/.test(data)) return { type: "acknowledge", noticeId: Number(command) };
    return data.startsWith("a1:") ? null : { type: "unknown" };
  };

  return {
    keyboard: (rows, chatId, personId) => {
      purge();
      const nonces: string[] = [];
      const dataOf = ({ press }: Button): string => {
        if (press.type === "run") return `c1:${press.command}`;
        if (press.type === "refresh") return `r1:${press.command}`;
        if (press.type === "acknowledge") return `k1:${press.noticeId}`;
        const nonce = createNonce();
        nonces.push(nonce);
        waiting.set(nonce, {
          deed: press.deed,
          chatId,
          personId,
          expiresAtMs: wall.nowMs() + press.aliveMs,
          messageId: null,
        });
        return `a1:${nonce}`;
      };
      const wired = rows.map((row) => row.map((button) => ({ text: button.label, callback_data: dataOf(button) })));
      return { rows: wired, nonces };
    },
    bind: (nonces, messageId) => {
      for (const nonce of nonces) {
        const entry = waiting.get(nonce);
        if (entry !== undefined) entry.messageId = messageId;
      }
    },
    peek: (data) => {
      const plain = stateless(data);
      if (plain !== null) return plain;
      const entry = waiting.get(data.slice(3));
      return entry === undefined ? { type: "expired" } : { type: "deed", deed: entry.deed };
    },
    take: (data, press) => {
      const plain = stateless(data);
      if (plain !== null) return plain;
      const nonce = data.slice(3);
      const entry = waiting.get(nonce);
      if (entry === undefined || entry.expiresAtMs <= wall.nowMs()) return { type: "expired" };
      // A press may arrive before the answer that tells the message's id: then the chat alone must fit.
      const isHere = entry.chatId === press.chatId && (entry.messageId === null || entry.messageId === press.messageId);
      if (!isHere) return { type: "expired" };
      if (entry.personId !== press.personId) return { type: "wrong_person", ownerId: entry.personId };
      waiting.delete(nonce);
      // The other buttons of the same message are void with it.
      for (const [other, { messageId, chatId }] of waiting) {
        if (messageId === press.messageId && chatId === press.chatId) waiting.delete(other);
      }
      return { type: "deed", deed: entry.deed };
    },
    void: (chatId, personId, verb) => {
      for (const [nonce, entry] of waiting) {
        if (entry.chatId === chatId && entry.personId === personId && entry.deed.verb === verb) waiting.delete(nonce);
      }
    },
  };
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Returns 128 random bits as 22 letters and digits. */
function createNonce(): string {
  let value = BigInt(`0x${randomBytes(16).toString("hex")}`);
  let text = "";
  for (let place = 0; place < 22; place += 1) {
    text += LETTERS.charAt(Number(value % 62n));
    value /= 62n;
  }
  return text;
}
