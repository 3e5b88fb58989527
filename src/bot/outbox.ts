// Unsent notices → chats. Each step is journaled by the desk's queue before it happens; per chat in order, critical first;
// quick fills and old news are folded, nothing is dropped; critical ones are repeated until a person says "seen".
import { DateTime } from "luxon";
import type { Cancel, Clock } from "../clock.ts";
import type { Settings, User } from "../config/schema.ts";
import { errorFields, type Log } from "../log.ts";
import type { Desk, DeskSnapshot, QueuedNotice } from "../trading/desk.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";
import type { Access } from "./access.ts";
import type { Channel, Delivery, Place } from "./channel.ts";
import type { StateFile, Unseen } from "./state-file.ts";
import { DELAY_MS_MIN, digestView, foldedFillsView, noticeSubject, noticeView } from "./views/notices.ts";
import { bold, lines } from "./views/rich.ts";
import type { View } from "./views/view.ts";

/** More fills than this within `FOLD_MS` become one message. */
const FILLS_MAX = 5;
/** Is the span in which fills count as quick. */
const FOLD_MS = 10 * SECOND_MS;
/** The same key is told at most once in this time; later ones are counted. */
const DEDUPE_MS = MINUTE_MS;
/** Which notice ends what the keys that begin so are about: what still waits for its minute then is told before it, not after. */
const ENDS: Readonly<Partial<Record<QueuedNotice["notice"]["event"], string>>> = {
  gateway_up: "gateway_down",
  data_fresh: "data_stale",
};
/** A notice older than this is told in one digest, unless it is critical. */
const OLD_MS = HOUR_MS;
/** An unseen critical notice is repeated so long after it was sent. */
const REPEAT_AFTER_MS: readonly number[] = [2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
/** NOT FLAT is repeated this often until it is flat or seen. */
const NOT_FLAT_EVERY_MS = MINUTE_MS;
/** A critical notice that no chat has taken by then goes the other way as well. */
const UNTOLD_MS = MINUTE_MS;
/** So many unseen ones are kept; the oldest give way. */
const UNSEEN_MAX = 50;

/** Is the running outbox. */
export type Outbox = {
  start(): void;
  stop(): void;
  /** Sends a notice no more: somebody has seen it. */
  seen(noticeId: number): void;
  /** Adds a chat that wants alerts (after pairing). */
  addChat(chatId: number): void;
};

type Item = { readonly queued: QueuedNotice; readonly takenAtMs: number; readonly ageAtStartMs: number };
type Pump = {
  readonly chatId: number;
  waiting: Item[];
  isBusy: boolean;
  isDead: boolean;
  wake: Cancel | null;
  readonly toldAtMs: Map<string, number>;
};

/** Returns an outbox that tells `chats`. */
export function createOutbox(options: {
  desk: Desk;
  channel: Channel;
  access: Access;
  file: StateFile;
  wall: Clock;
  log: Log;
  chats: readonly number[];
  /** Gets the words of a critical notice that the chat server has not taken for a minute, or never will. */
  onUntold: (text: string) => void;
}): Outbox {
  const { desk, channel, access, file, wall, log } = options;
  const pumps = new Map<number, Pump>();
  /** Notice → chats that still have to get it, and the first message that it became. */
  const open = new Map<number, { left: Set<number>; messageId: number | null; isTried: boolean }>();
  const repeats = new Map<number, Cancel>();
  const untold = new Map<number, Cancel>();
  let stopListening: Cancel = () => {};
  let isStopped = false;

  const addChat = (chatId: number): void => {
    if (!pumps.has(chatId))
      pumps.set(chatId, { chatId, waiting: [], isBusy: false, isDead: false, wake: null, toldAtMs: new Map() });
  };
  for (const chatId of options.chats) addChat(chatId);

  const take = (queued: QueuedNotice, ageAtStartMs: number): void => {
    if (queued.notice.event === "flat_confirmed") settleNotFlat();
    if (modeOf(desk.snapshot().settings, queued) === "off") {
      finish(queued.noticeId, desk.notices.dead(queued.noticeId, "switched off in the settings"));
      return;
    }
    if (queued.class === "critical")
      untold.set(
        queued.noticeId,
        wall.after(UNTOLD_MS, () => tellOtherwise(queued)),
      );
    const alive = [...pumps.values()].filter((pump) => !pump.isDead);
    if (alive.length === 0 && pumps.size === 0) return;
    const item: Item = { queued, takenAtMs: wall.nowMs(), ageAtStartMs };
    const targets = alive.length > 0 ? alive : fallbackPumps(queued);
    if (targets.length === 0) {
      tellOtherwise(queued);
      finish(queued.noticeId, desk.notices.dead(queued.noticeId, "no chat can be written to"));
      return;
    }
    open.set(queued.noticeId, { left: new Set(targets.map((pump) => pump.chatId)), messageId: null, isTried: false });
    for (const pump of targets) pump.waiting.push(item);
  };

  const tellOtherwise = (queued: QueuedNotice): void => {
    if (!untold.delete(queued.noticeId)) return;
    const { text } = noticeView(desk.snapshot(), queued, { isRepeat: false, delayMs: 0, count: 1 });
    options.onUntold(`${text.text}\n(the chat has not taken this)`);
  };

  /** Takes notices in before any of them is told: old ones and quick fills are folded only where they are seen together. */
  const takeAll = (all: readonly QueuedNotice[], isStart: boolean): void => {
    const { nowMs } = desk.snapshot();
    for (const queued of all) {
      if (!open.has(queued.noticeId)) take(queued, isStart ? Math.max(0, nowMs - queued.atMs) : 0);
    }
    for (const pump of pumps.values()) void turn(pump);
  };

  /** Critical news that no alert chat takes goes to the next owner or trader who can be written to. */
  const fallbackPumps = (queued: QueuedNotice): readonly Pump[] => {
    if (queued.class !== "critical") return [];
    const next = access.users().find((user) => user.role !== "viewer" && pumps.get(user.id)?.isDead !== true);
    if (next === undefined) return [];
    addChat(next.id);
    const pump = pumps.get(next.id);
    return pump === undefined ? [] : [pump];
  };

  const turn = async (pump: Pump): Promise<void> => {
    if (pump.isBusy) return;
    pump.wake?.();
    pump.wake = null;
    const batch = nextBatch(pump);
    if (batch === null) return;
    pump.isBusy = true;
    try {
      await tell(pump, batch.items, batch.view);
    } catch (thrown) {
      // The journal could not take the step: the notices stay and are tried again.
      if (isStopped) log.info({}, "a notice was under way at the end; it is told again at the next start");
      else log.error(errorFields(thrown), "a notice's step could not be recorded; it will be told again");
      pump.waiting.unshift(...batch.items);
      pump.wake = wall.after(SECOND_MS * 5, () => void turn(pump));
      return;
    } finally {
      pump.isBusy = false;
    }
    void turn(pump);
  };

  /** Returns what is told next in this chat, taken out of its queue; null where nothing is due. */
  const nextBatch = (pump: Pump): { items: readonly Item[]; view: View } | null => {
    const snap = desk.snapshot();
    const now = wall.nowMs();
    const over = pump.waiting.flatMap(({ queued }) => ENDS[queued.notice.event] ?? []);
    const isHeld = (item: Item): boolean => {
      const key = item.queued.dedupeKey;
      const toldAtMs = key === null ? undefined : pump.toldAtMs.get(key);
      return (
        toldAtMs !== undefined && now - toldAtMs < DEDUPE_MS && !over.some((stem) => key?.startsWith(stem) === true)
      );
    };
    const due = pump.waiting.filter((item) => !isHeld(item));
    const first = due.find((item) => item.queued.class === "critical") ?? due[0];
    if (first === undefined) {
      const times = pump.waiting.map((item) => pump.toldAtMs.get(item.queued.dedupeKey ?? "") ?? now);
      if (times.length > 0)
        pump.wake = wall.after(Math.max(1, Math.min(...times) + DEDUPE_MS - now), () => void turn(pump));
      return null;
    }
    const old = due.filter((item) => item.queued.class !== "critical" && delayOf(item, now) > OLD_MS);
    if (first.queued.class !== "critical" && old.length > 1)
      return taken(
        pump,
        old,
        digestView(
          snap,
          old.map((item) => item.queued),
        ),
      );
    const quick = quickFills(due, first);
    if (quick.length > FILLS_MAX)
      return taken(
        pump,
        quick,
        foldedFillsView(
          snap,
          quick.map((item) => item.queued),
        ),
      );
    const key = first.queued.dedupeKey;
    const same = key === null ? [first] : due.filter((item) => item.queued.dedupeKey === key);
    const shown = same.at(-1) ?? first;
    const telling = { isRepeat: shown.queued.tried, delayMs: delayOf(shown, now), count: same.length };
    return taken(
      pump,
      same,
      noticeView(snap, shown.queued, telling.delayMs < DELAY_MS_MIN ? { ...telling, delayMs: 0 } : telling),
    );
  };

  const tell = async (pump: Pump, items: readonly Item[], view: View): Promise<void> => {
    const settings = desk.snapshot().settings;
    for (const { queued } of items) {
      const state = open.get(queued.noticeId);
      if (state === undefined || state.isTried) continue;
      state.isTried = true;
      await desk.notices.trying(queued.noticeId);
    }
    const isCritical = items.some((item) => item.queued.class === "critical");
    const isSilent = items.every(
      (item) => modeOf(settings, item.queued) === "silent" || (!isCritical && isQuiet(desk.snapshot())),
    );
    const delivery = await channel.post({
      place: { chatId: pump.chatId, topicId: null },
      content: { type: "text", view, isSilent },
      priority: isCritical ? "critical" : "fill",
      personId: pump.chatId,
      giveUpAfterMs: null,
    });
    for (const { queued } of items) if (queued.dedupeKey !== null) pump.toldAtMs.set(queued.dedupeKey, wall.nowMs());
    await settle(pump, items, delivery);
  };

  const settle = async (pump: Pump, items: readonly Item[], delivery: Delivery): Promise<void> => {
    if (delivery.type === "gave_up") return;
    if (delivery.type === "blocked") {
      pump.isDead = true;
      log.warn({ chat: pump.chatId, description: delivery.description }, "an alert chat cannot be written to any more");
    }
    for (const { queued } of [...items, ...(pump.isDead ? pump.waiting.splice(0) : [])]) {
      const state = open.get(queued.noticeId);
      if (state === undefined) continue;
      state.left.delete(pump.chatId);
      if (delivery.type === "delivered") state.messageId ??= delivery.messageId;
      if (state.left.size > 0) continue;
      open.delete(queued.noticeId);
      if (state.messageId !== null) {
        untold.get(queued.noticeId)?.();
        untold.delete(queued.noticeId);
        await desk.notices.sent(queued.noticeId, state.messageId);
        if (queued.class === "critical") remember(queued);
        continue;
      }
      const others = delivery.type === "blocked" ? fallbackPumps(queued) : [];
      const [next] = others;
      if (next === undefined || next.chatId === pump.chatId) {
        untold.get(queued.noticeId)?.();
        tellOtherwise(queued);
        await desk.notices.dead(queued.noticeId, delivery.type === "delivered" ? "" : delivery.description);
        continue;
      }
      open.set(queued.noticeId, { left: new Set([next.chatId]), messageId: null, isTried: true });
      next.waiting.push({ queued, takenAtMs: wall.nowMs(), ageAtStartMs: 0 });
      void turn(next);
    }
  };

  const finish = (noticeId: number, step: Promise<void>): void => {
    step.catch((thrown: unknown) =>
      log.error({ ...errorFields(thrown), noticeId }, "a notice's step could not be recorded"),
    );
  };

  const remember = (queued: QueuedNotice): void => {
    const text = noticeSubject(desk.snapshot(), queued.notice);
    const unseen: Unseen = {
      noticeId: queued.noticeId,
      event: queued.notice.event,
      text,
      sentAtMs: wall.nowMs(),
      repeats: 0,
    };
    void file.change((state) => ({ ...state, unseen: [...state.unseen, unseen].slice(-UNSEEN_MAX) }));
    plan(unseen);
  };

  const plan = (unseen: Unseen): void => {
    const isNotFlat = unseen.event === "not_flat";
    const afterMs = isNotFlat ? (unseen.repeats + 1) * NOT_FLAT_EVERY_MS : REPEAT_AFTER_MS[unseen.repeats];
    if (afterMs === undefined) return;
    repeats.get(unseen.noticeId)?.();
    repeats.set(
      unseen.noticeId,
      wall.at(unseen.sentAtMs + afterMs, () =>
        repeat(unseen, isNotFlat || unseen.repeats + 1 < REPEAT_AFTER_MS.length),
      ),
    );
  };

  const repeat = (unseen: Unseen, toAlertChatsOnly: boolean): void => {
    const alerts = [...pumps.values()].filter((pump) => !pump.isDead).map((pump) => pump.chatId);
    // The last repeat goes to everybody who is listed.
    const everyone = [...new Set([...alerts, ...access.users().map((user: User) => user.id)])];
    const view: View = {
      text: lines(bold(`⚠️ ${unseen.text}`), `Nobody has acknowledged this yet. (repeat) #${unseen.noticeId}`),
      buttons: [[{ label: "Acknowledge", press: { type: "acknowledge", noticeId: unseen.noticeId } }]],
    };
    for (const chatId of toAlertChatsOnly ? alerts : everyone) {
      const place: Place = { chatId, topicId: null };
      void channel.post({
        place,
        content: { type: "text", view, isSilent: false },
        priority: "critical",
        personId: chatId,
        giveUpAfterMs: NOT_FLAT_EVERY_MS,
      });
    }
    const next: Unseen = { ...unseen, repeats: unseen.repeats + 1 };
    void file.change((state) => ({
      ...state,
      unseen: state.unseen.map((one) => (one.noticeId === unseen.noticeId ? next : one)),
    }));
    plan(next);
  };

  const seen = (noticeId: number): void => {
    repeats.get(noticeId)?.();
    repeats.delete(noticeId);
    if (!file.state().unseen.some((one) => one.noticeId === noticeId)) return;
    void file.change((state) => ({ ...state, unseen: state.unseen.filter((one) => one.noticeId !== noticeId) }));
  };

  const settleNotFlat = (): void => {
    for (const one of file.state().unseen) if (one.event === "not_flat") seen(one.noticeId);
  };

  return {
    start: () => {
      for (const unseen of file.state().unseen) plan(unseen);
      stopListening = desk.notices.onQueued((queued) => takeAll([queued], false));
      takeAll(desk.notices.pending(), true);
    },
    stop: () => {
      isStopped = true;
      stopListening();
      for (const cancel of [...repeats.values(), ...untold.values()]) cancel();
      for (const pump of pumps.values()) pump.wake?.();
    },
    seen,
    addChat: (chatId) => {
      addChat(chatId);
      takeAll(desk.notices.pending(), true);
    },
  };
}

/** Returns how a notice arrives: by its own override, else by its class; critical ones are never off. */
function modeOf(settings: Settings, queued: Pick<QueuedNotice, "class" | "notice">): "on" | "silent" | "off" {
  const { notice } = queued;
  const name = notice.event === "told" ? notice.name : notice.event;
  const mode = settings.notices.overrides[name] ?? settings.notices[queued.class];
  return queued.class === "critical" && mode === "off" ? "silent" : mode;
}

function delayOf(item: Item, nowMs: number): number {
  return item.ageAtStartMs + nowMs - item.takenAtMs;
}

function quickFills(due: readonly Item[], first: Item): readonly Item[] {
  const isFill = (item: Item): boolean =>
    item.queued.notice.event === "entry_filled" || item.queued.notice.event === "exit_filled";
  if (!isFill(first)) return [];
  return due.filter(
    (item) => isFill(item) && item.queued.class !== "critical" && item.queued.atMs - first.queued.atMs <= FOLD_MS,
  );
}

function taken(pump: Pump, items: readonly Item[], view: View): { items: readonly Item[]; view: View } {
  pump.waiting = pump.waiting.filter((item) => !items.includes(item));
  return { items, view };
}

function isQuiet(snap: DeskSnapshot): boolean {
  const quiet = snap.settings.telegram.quietHours;
  if (quiet === null) return false;
  const { hour, minute: past } = DateTime.fromMillis(snap.nowMs, { zone: snap.settings.session.timeZone });
  const minute = hour * 60 + past;
  const { fromMinute, toMinute } = quiet;
  return fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute;
}
