// Which token opens which bot. With one token given only that is known; without, the demo's, and any other well-formed one
// becomes a bot of its own, so that any client can be tried against this server.
import { createHash, timingSafeEqual } from "node:crypto";
import type { User } from "./api.ts";
import { unauthorized } from "./refusal.ts";
import type { Account, AccountState, World } from "./world.ts";

/** Is the demo bot's token: shaped like a real one, worth nothing outside this server. */
export const DEMO_TOKEN = "7000000001:AAEtRGVtby1ib3QtdG9rZW4tbm90LWEtc2VjcmU";

/** Bots at once; a guard against a client that makes up tokens. */
export const BOTS_MAX = 50;

const TOKEN_SHAPE = /^([1-9]\d{0,15}):[\w-]{3,64}$/;

/** Knows the bots by token. */
export class Bots {
  readonly #world: World;
  readonly #isOpen: boolean;
  readonly #saved: readonly AccountState[];
  readonly #tokenHashes = new Map<number, Buffer>();
  #latestId: number;

  /** `token` undefined opens the server to any bot; `saved` are the accounts of the last run. */
  constructor(world: World, token: string | undefined, saved: readonly AccountState[]) {
    this.#world = world;
    this.#isOpen = token === undefined;
    this.#saved = saved;
    const own = token ?? DEMO_TOKEN;
    this.#latestId = idOf(own) ?? 0;
    this.#add(this.#latestId, own);
    if (this.#isOpen)
      for (const account of saved) if (!world.accounts.has(account.me.id)) world.addAccount(account.me, account);
  }

  /** Returns the bot of a token, the latest from now on; throws the 401 for a wrong one. */
  enter(token: string): Account {
    const id = idOf(token);
    if (id === undefined) throw unauthorized("invalid token specified");
    const known = this.#tokenHashes.get(id);
    if (known !== undefined && !timingSafeEqual(known, hashOf(token))) throw unauthorized();
    if (known === undefined) {
      if (!this.#isOpen || this.#tokenHashes.size >= BOTS_MAX) throw unauthorized();
      this.#add(id, token);
    }
    this.#latestId = id;
    const account = this.#world.accounts.get(id);
    if (account === undefined) throw new Error(`bot ${id} has a token but no account`);
    return account;
  }

  /** Returns the bot of an id, or the one that called last for 0. */
  byId(id: number): Account | undefined {
    return this.#world.accounts.get(id === 0 ? this.#latestId : id);
  }

  #add(id: number, token: string): void {
    this.#tokenHashes.set(id, hashOf(token));
    if (this.#world.accounts.has(id)) return;
    const saved = this.#saved.find((account) => account.me.id === id);
    this.#world.addAccount(saved?.me ?? newBot(id), saved);
  }
}

function newBot(id: number): User {
  if (id === idOf(DEMO_TOKEN)) {
    return { id, is_bot: true, first_name: "Quant Scalper", username: "quant_scalper_demo_bot" };
  }
  return { id, is_bot: true, first_name: `Bot ${id}`, username: `local_${id}_bot` };
}

function idOf(token: string): number | undefined {
  const [, id] = TOKEN_SHAPE.exec(token) ?? [];
  return id === undefined ? undefined : Number(id);
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
