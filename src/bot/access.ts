// Who is served: the allow-list with its roles, pairing by the console's code, and how often a person may ask. Everybody
// else gets silence.
import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Role, User } from "../config/schema.ts";
import { HOUR_MS, MINUTE_MS } from "../units.ts";

const RANKS: Readonly<Record<Role, number>> = { viewer: 0, trader: 1, owner: 2 };

/** Returns whether a role includes another: an owner may all that a trader may. */
export function mayDo(role: Role, needed: Role): boolean {
  return RANKS[role] >= RANKS[needed];
}

/** The code on the console is good for so long and so many tries. */
const PAIRING_MS_MAX = 10 * MINUTE_MS;
/** Is how many wrong codes end the pairing. */
const PAIRING_TRIES_MAX = 5;

/** A person may send so many commands a minute; stops are never counted. */
const COMMANDS_PER_MINUTE = 20;
/** A person may press so many confirmations a minute. */
const CONFIRMS_PER_MINUTE = 5;

/** Answers who may. */
export type Access = {
  /** Returns the listed person who may speak here; null = silence. Groups must be listed too. */
  admit(personId: number | undefined, chatId: number | undefined): User | null;
  users(): readonly User[];
  nameOf(personId: number): string;
  /** Adds an owner where the text is the console's code, in a private chat; null otherwise. */
  pair(text: string, person: { id: number; name: string }, chatId: number): User | null;
  /** Counts a command or a confirmation; false where it is one too many. */
  allow(personId: number, what: "command" | "confirm"): boolean;
  /** Counts a refused update; true where it is time to tell the owners (at most once an hour), with the count. */
  denied(): { readonly tellCount: number } | null;
};

/** Returns the access of this list. */
export function createAccess(options: {
  users: readonly User[];
  groups: readonly number[];
  wall: Clock;
  pairing: { readonly code: string } | null;
}): Access {
  const { wall, pairing } = options;
  const users = new Map(options.users.map((user) => [user.id, user]));
  const groups = new Set(options.groups);
  const pairUntilMs = wall.nowMs() + PAIRING_MS_MAX;
  let triesLeft = PAIRING_TRIES_MAX;
  let deniedCount = 0;
  let deniedToldAtMs: number | null = null;
  const asked = new Map<string, number[]>();

  return {
    admit: (personId, chatId) => {
      if (personId === undefined || chatId === undefined) return null;
      const user = users.get(personId);
      // The id of a private chat is its user's id.
      const isHere = chatId === personId || groups.has(chatId);
      return user !== undefined && isHere ? user : null;
    },
    users: () => [...users.values()],
    nameOf: (personId) => users.get(personId)?.name ?? String(personId),
    pair: (text, person, chatId) => {
      if (pairing === null || users.size > 0 || triesLeft <= 0 || wall.nowMs() > pairUntilMs) return null;
      if (chatId !== person.id || !/^\d{6,12}$/.test(text.trim())) return null;
      if (!isSame(text.trim(), pairing.code)) {
        triesLeft -= 1;
        return null;
      }
      const owner: User = { id: person.id, name: person.name, role: "owner" };
      users.set(owner.id, owner);
      return owner;
    },
    allow: (personId, what) => {
      const key = `${what}:${personId}`;
      const since = wall.nowMs() - MINUTE_MS;
      const recent = (asked.get(key) ?? []).filter((atMs) => atMs > since);
      const isAllowed = recent.length < (what === "command" ? COMMANDS_PER_MINUTE : CONFIRMS_PER_MINUTE);
      if (isAllowed) recent.push(wall.nowMs());
      asked.set(key, recent);
      return isAllowed;
    },
    denied: () => {
      deniedCount += 1;
      if (deniedToldAtMs !== null && wall.nowMs() - deniedToldAtMs < HOUR_MS) return null;
      deniedToldAtMs = wall.nowMs();
      const tellCount = deniedCount;
      deniedCount = 0;
      return { tellCount };
    },
  };
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
