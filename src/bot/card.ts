// The pinned status card of each private alert chat: edited when what it says changes, and often enough that its "as of"
// proves life. It never carries a fact alone, and yields to every other message.
import type { Api } from "grammy";
import type { Cancel, Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import type { Desk } from "../trading/desk.ts";
import { MINUTE_MS, SECOND_MS } from "../units.ts";
import type { Channel } from "./channel.ts";
import type { StateFile } from "./state-file.ts";
import { statusView } from "./views/status.ts";

/** In a session the card is edited at most this often. */
const CARD_MS_MIN = 15 * SECOND_MS;
/** In a quiet market, when only its time changed. */
const CARD_QUIET_MS = MINUTE_MS;
/** Where the market is closed; also the longest time without an edit. */
const CARD_CLOSED_MS = 5 * MINUTE_MS;
/** A card that was deleted is sent anew at most this often. */
const CARD_ANEW_MS = MINUTE_MS;

/** Keeps the cards. */
export type Cards = { start(): void; stop(): void; addChat(chatId: number): void };

type Card = { readonly chatId: number; shownAtMs: number; shownText: string; anewAtMs: number; isBusy: boolean };

/** Returns the cards of these chats; groups (negative ids) have none. */
export function createCards(options: {
  api: Api;
  desk: Desk;
  channel: Channel;
  file: StateFile;
  wall: Clock;
  log: Log;
  chats: readonly number[];
}): Cards {
  const { api, desk, channel, file, wall, log } = options;
  const cards = new Map<number, Card>();
  let timer: Cancel = () => {};

  const addChat = (chatId: number): void => {
    if (chatId > 0 && !cards.has(chatId))
      cards.set(chatId, { chatId, shownAtMs: 0, shownText: "", anewAtMs: 0, isBusy: false });
  };
  for (const chatId of options.chats) addChat(chatId);

  const look = (): void => {
    timer = wall.after(CARD_MS_MIN, look);
    const snap = desk.snapshot();
    for (const card of cards.values()) {
      if (!snap.settings.telegram.statusCard) void takeDown(card);
      else if (!card.isBusy) void update(card);
    }
  };

  const update = async (card: Card): Promise<void> => {
    const snap = desk.snapshot();
    const view = statusView(snap);
    // The last line is the time: it changes always and is no news.
    const news = view.text.text.split("\n").slice(0, -1).join("\n");
    const sinceMs = wall.nowMs() - card.shownAtMs;
    const dueMs = snap.status.marketOpen === false ? CARD_CLOSED_MS : news === card.shownText ? CARD_QUIET_MS : 0;
    if (card.shownAtMs !== 0 && sinceMs < dueMs) return;
    card.isBusy = true;
    const known = file.state().cards[String(card.chatId)] ?? null;
    if (known === null && wall.nowMs() - card.anewAtMs < CARD_ANEW_MS && card.anewAtMs !== 0) {
      card.isBusy = false;
      return;
    }
    const delivery = await channel.post({
      place: { chatId: card.chatId, topicId: null },
      content: known === null ? { type: "text", view, isSilent: true } : { type: "edit", view, messageId: () => known },
      priority: "card",
      personId: card.chatId,
      giveUpAfterMs: CARD_CLOSED_MS,
      replaces: "card",
    });
    card.isBusy = false;
    if (delivery.type === "delivered") {
      card.shownAtMs = wall.nowMs();
      card.shownText = news;
      if (known === null) await pin(card, delivery.messageId);
    } else if (delivery.type === "refused" && known !== null) {
      // Deleted or too old to edit: a new one is sent with the next look.
      await keep(card.chatId, null);
    }
  };

  const pin = async (card: Card, messageId: number): Promise<void> => {
    card.anewAtMs = wall.nowMs();
    await keep(card.chatId, messageId);
    try {
      await api.pinChatMessage(card.chatId, messageId, { disable_notification: true });
    } catch (thrown) {
      log.info(
        { ...errorFields(thrown), chat: card.chatId },
        "the status card could not be pinned; it is edited all the same",
      );
    }
  };

  const takeDown = async (card: Card): Promise<void> => {
    const known = file.state().cards[String(card.chatId)];
    if (known === undefined) return;
    await keep(card.chatId, null);
    card.shownAtMs = 0;
    try {
      await api.unpinChatMessage(card.chatId, known);
    } catch (thrown) {
      log.info({ ...errorFields(thrown), chat: card.chatId }, "the status card could not be unpinned");
    }
  };

  const keep = (chatId: number, messageId: number | null): Promise<void> =>
    file.change((state) => {
      const { [String(chatId)]: _, ...others } = state.cards;
      return { ...state, cards: messageId === null ? others : { ...others, [String(chatId)]: messageId } };
    });

  return { start: look, stop: () => timer(), addChat };
}
