// The loop: stamp → journal → engine → effects. The only caller of Engine.apply; it takes no decision of its own.
import type { Cancel, Clock } from "../clock.ts";
import type { BrokerQuestion, Caused, Effect, Engine, Event, Status } from "../engine.ts";
import { EngineFault, encodeEvent } from "../engine.ts";
import { type Journal, JournalFailure } from "../journal/journal.ts";
import { errorFields, type Log } from "../log.ts";
import type { ContractQuery, Gateway, GatewayEvent } from "./gateway.ts";
import { askFailed, askState } from "./reconcile.ts";
import { encodeCaused, type NoticeNote, type Records } from "./records.ts";

/** Events taken into one step: one stamp, one call of the engine, at most one sync. */
const BATCH_EVENTS_MAX = 512;
/** Events that may wait. More means that the loop can't keep up: market data are then dropped, nothing else. */
export const QUEUE_EVENTS_MAX = 200_000;

/** Is what a command became. */
export type CommandAnswer = Omit<Extract<Effect, { type: "command_answered" }>, "type">;

/** Hears of an event other than market data once it is on the disk, before the effects of its step; `seq` is its own record. */
export type EventListener = (event: Event, seq: number, atMs: number) => void;

/** Hears of an effect once it is on the disk; `seq` is its own record. */
export type EffectListener = (caused: Caused, seq: number, atMs: number) => void;

/** Where the session reaches the outside. */
export type SessionParts = {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly records: Records;
  readonly gateway: Gateway;
  readonly clock: Clock;
  /** Writes and removes the halt file; on the disk when it returns. */
  readonly latch: { set(by: string, reason: string, atMs: number): void; clear(): void };
  /** What to trade. Read anew at each question: a person may have changed it. */
  readonly contractQuery: () => ContractQuery;
  readonly log: Log;
  /** The engine is broken: nothing more is decided. The latch is set already. */
  readonly onFault: (fault: Error) => void;
};

/** The loop. */
export type Session = {
  /** Takes in one event; applied in order, soon. */
  receive(event: Event): void;
  /** Takes in a command and resolves with the engine's answer once it is on the disk. Rejects after a fault. */
  command(event: Extract<Event, { type: "command" }>): Promise<CommandAnswer>;
  /** Resolves once `event` and what it caused are on the disk and begun. */
  receiveSynced(event: Event): Promise<void>;
  /** Writes a fact about a notice; resolves once it is on the disk. */
  note(note: NoticeNote): Promise<void>;
  /** Writes another fact, without a sync of its own. */
  record(type: string, fields: Readonly<Record<string, unknown>>): void;
  observe(listener: EffectListener): Cancel;
  observeEvents(listener: EventListener): Cancel;
  status(): Status;
  /** Resolves when nothing waits: no event, no question to the broker. */
  idle(): Promise<void>;
  /** Events taken in, market data among them. */
  eventsApplied(): number;
  /** The fault that ended it; null while sound. */
  fault(): Error | null;
  /** Stops the timers and waits until nothing is under way. */
  close(): Promise<void>;
};

/** What must be on the disk before anything else happens: all but market data, time and the broker's routine news. */
const UNSYNCED_EVENTS: ReadonlySet<Event["type"]> = new Set([
  "trade",
  "quote",
  "woke",
  "account_reported",
  "position_reported",
  "history",
  "sent",
]);
const UNSYNCED_EFFECTS: ReadonlySet<Effect["type"]> = new Set(["decision", "wake_at", "ask_broker"]);
const ORDER_NEWS: ReadonlySet<Event["type"]> = new Set(["sent", "order_reported", "order_refused", "fill"]);

/** Returns the loop over these parts. It listens to the gateway from now on; the caller connects it. */
export function createSession(parts: SessionParts): Session {
  const { engine, journal, records, gateway, clock, log } = parts;
  const listeners = new Set<EffectListener>();
  const eventListeners = new Set<EventListener>();
  const answers = new Map<number, { resolve(answer: CommandAnswer): void; reject(reason: Error): void }>();
  const synced = new Map<number, { resolve(): void; reject(reason: Error): void }>();
  const waitingAnswers: { event: Event; resolve(answer: CommandAnswer): void; reject(reason: Error): void }[] = [];
  const waitingSynced: { event: Event; resolve(): void; reject(reason: Error): void }[] = [];
  const idleWaiters: (() => void)[] = [];
  let queue: Event[] = [];
  let isRunning = false;
  let asksOpen = 0;
  let orderNews = 0;
  let applied = 0;
  let dropped = 0;
  let fault: Error | null = null;
  let journalFailure: JournalFailure | null = null;
  let closed = false;
  let stopWake: Cancel = () => {};

  gateway.listen((event: GatewayEvent) => receive(event));

  function receive(event: Event): void {
    if (fault !== null || closed) return;
    if (queue.length >= QUEUE_EVENTS_MAX && (event.type === "trade" || event.type === "quote")) {
      if (dropped++ === 0) log.error({ waiting: queue.length }, "the loop can't keep up: market data are dropped");
      return;
    }
    if (ORDER_NEWS.has(event.type)) orderNews++;
    queue.push(event);
    if (!isRunning) {
      isRunning = true;
      queueMicrotask(() => void run());
    }
  }

  async function run(): Promise<void> {
    try {
      while (queue.length > 0 && fault === null) {
        const batch = queue.length <= BATCH_EVENTS_MAX ? queue : queue.slice(0, BATCH_EVENTS_MAX);
        queue = queue.length <= BATCH_EVENTS_MAX ? [] : queue.slice(BATCH_EVENTS_MAX);
        await step(batch);
      }
    } catch (thrown) {
      fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      isRunning = false;
      settleIdle();
    }
  }

  async function step(batch: readonly Event[]): Promise<void> {
    const atMs = clock.nowMs();
    let mustSync = false;
    const news: { readonly event: Event; readonly seq: number }[] = [];
    for (const event of batch) {
      const seq = append(atMs, event);
      if (event.type !== "trade" && event.type !== "quote") news.push({ event, seq });
      if (!UNSYNCED_EVENTS.has(event.type)) mustSync = true;
      claim(waitingAnswers, event, (waiter) => answers.set(seq, waiter));
      claim(waitingSynced, event, (waiter) => synced.set(seq, waiter));
    }
    applied += batch.length;

    const effects = engine.apply(journal.take());
    const seqs: number[] = [];
    for (const caused of effects) {
      const seq = journal.appendJson("output", atMs, encodeCaused(caused));
      records.effect(seq, atMs, caused);
      seqs.push(seq);
      if (!UNSYNCED_EFFECTS.has(caused.type)) mustSync = true;
      // The halt file comes before everything that follows, and before anyone hears of it.
      if (caused.type === "latch") latch(caused.by, caused.reason);
    }
    if (mustSync) await commit();
    else journal.flush();

    // In the order of the journal: events first, since their effects stand behind all of them.
    for (const { event, seq } of news) for (const listener of eventListeners) listener(event, seq, atMs);
    for (const [index, caused] of effects.entries()) perform(caused, seqs[index] as number, atMs);
    for (const [seq, waiter] of synced) {
      synced.delete(seq);
      waiter.resolve();
    }
  }

  /**
   * Makes it last, or takes note that nothing will any more (control D30): the engine is halted, entries are not sent,
   * exits go on from memory. The journal has tried a second file by itself before it says so.
   */
  async function commit(): Promise<void> {
    if (journalFailure !== null) return;
    try {
      await journal.commit();
    } catch (thrown) {
      if (!(thrown instanceof JournalFailure)) throw thrown;
      journalFailure = thrown;
      log.error(errorFields(thrown), "the journal can't be written: entries are off, exits go on from memory");
      latch("journal_fail", thrown.message);
      const detail = "the journal can't be written";
      receive({ type: "gate_changed", gate: "journal", blocks: true, detail });
      receive({ type: "command", by: "journal_fail", updateId: null, command: { verb: "halt", reason: detail } });
      receive({
        type: "told",
        class: "critical",
        event: "journal_fail",
        lines: [thrown.message, ...JOURNAL_LOST_LINES],
      });
    }
  }

  function append(atMs: number, event: Event): number {
    if (event.type === "trade") return journal.appendTrade(atMs, event.exchangeAtMs, event.priceTicks, event.size);
    if (event.type === "quote") {
      const { exchangeAtMs, bidTicks, askTicks, bidSize, askSize } = event;
      return journal.appendQuote(atMs, exchangeAtMs, bidTicks, askTicks, bidSize, askSize);
    }
    return journal.appendJson("input", atMs, encodeEvent(event));
  }

  function perform(caused: Caused, seq: number, atMs: number): void {
    switch (caused.type) {
      case "intent":
        performIntent(caused);
        break;
      case "ask_broker":
        void ask(caused);
        break;
      case "wake_at":
        stopWake();
        stopWake = clock.at(caused.atMs, () => receive({ type: "woke" }));
        break;
      case "unlatch":
        parts.latch.clear();
        break;
      case "command_answered": {
        const { type: _type, cause, ...answer } = caused;
        answers.get(cause)?.resolve(answer);
        answers.delete(cause);
        break;
      }
      case "drop_link":
        log.warn({ reason: caused.reason }, "the connection to the broker is ended");
        gateway.drop(caused.reason);
        break;
      case "anomaly":
        log.warn({ detail: caused.detail }, "anomaly");
        break;
      case "latch":
      case "decision":
      case "notice_queued":
      case "round_trip":
      case "round_trip_restated":
      case "posture_changed":
      case "control":
      case "flat_confirmed":
      case "in_doubt":
        break;
      default:
        caused satisfies never;
    }
    for (const listener of listeners) listener(caused, seq, atMs);
  }

  function performIntent(intent: Extract<Effect, { type: "intent" }>): void {
    const { action } = intent;
    if (journalFailure !== null && action.do === "place" && isEntry(intent.orderRef)) {
      for (const order of action.orders)
        receive({ type: "not_sent", orderRef: order.orderRef, reason: "the journal can't be written" });
      return;
    }
    switch (action.do) {
      case "place":
        gateway.place(action.orders, engine.status().highestOrderId);
        break;
      case "modify":
        gateway.modify(action.order);
        break;
      case "cancel":
        gateway.cancel(intent.orderRef, action.orderId);
        break;
      default:
        action satisfies never;
    }
  }

  async function ask(question: BrokerQuestion): Promise<void> {
    asksOpen++;
    try {
      receive(await answer(question));
    } catch (thrown) {
      // A gateway answers with values; an exception from it is our bug, and the engine must not wait for ever.
      log.error({ ask: question.ask, ...errorFields(thrown) }, "a question to the broker broke");
      receive(askFailed(question.ask, { type: "link_down", detail: "the question broke; see the log" }));
    } finally {
      asksOpen--;
      settleIdle();
    }
  }

  async function answer(question: BrokerQuestion): Promise<Event> {
    switch (question.ask) {
      case "contract": {
        const contract = await gateway.contract(parts.contractQuery());
        return contract.ok
          ? { type: "contract_resolved", contract: contract.value }
          : askFailed(question.ask, contract.error);
      }
      case "state": {
        const state = await askState(gateway, () => orderNews);
        return state.ok ? state.value : askFailed(question.ask, state.error);
      }
      case "history": {
        const { barMs, bars: count } = question;
        if (barMs === 0) return { type: "history", barMs, bars: [] };
        const history = await gateway.history({ barMs, count });
        return history.ok
          ? { type: "history", barMs, bars: [...history.value] }
          : askFailed(question.ask, history.error);
      }
      case "market_data": {
        const watching = await gateway.watch();
        return watching.ok
          ? { type: "feed_changed", ok: true, detail: "market data are asked for" }
          : askFailed(question.ask, watching.error);
      }
      case "margin": {
        const { quantity } = question;
        const margin = await gateway.margin(quantity);
        return margin.ok
          ? { type: "margin_reported", quantity, ...margin.value }
          : askFailed(question.ask, margin.error);
      }
      default:
        return question satisfies never;
    }
  }

  /** Nothing can be decided any more: entries are stopped by the latch, the brackets rest at the broker. */
  function fail(error: Error): void {
    if (fault !== null) return;
    fault = error;
    stopWake();
    const by = error instanceof EngineFault ? "engine_fault" : "loop_fault";
    log.error({ by, ...errorFields(error) }, "the loop has stopped; entries are off until a person arms");
    latch(by, error.message);
    for (const waiter of [...answers.values(), ...synced.values(), ...waitingAnswers, ...waitingSynced])
      waiter.reject(error);
    answers.clear();
    synced.clear();
    waitingAnswers.length = 0;
    waitingSynced.length = 0;
    queue = [];
    parts.onFault(error);
  }

  function latch(by: string, reason: string): void {
    try {
      parts.latch.set(by, reason, clock.nowMs());
    } catch (thrown) {
      log.error(errorFields(thrown), "the halt file could not be written either");
    }
  }

  function settleIdle(): void {
    if (isRunning || asksOpen > 0 || (queue.length > 0 && fault === null)) return;
    for (const resolve of idleWaiters.splice(0)) resolve();
  }

  const refusal = (): Error => fault ?? new Error("the session is closed");

  return {
    receive,
    command: (event) =>
      new Promise((resolve, reject) => {
        if (fault !== null || closed) return reject(refusal());
        waitingAnswers.push({ event, resolve, reject });
        receive(event);
      }),
    receiveSynced: (event) =>
      new Promise((resolve, reject) => {
        if (fault !== null || closed) return reject(refusal());
        waitingSynced.push({ event, resolve, reject });
        receive(event);
      }),
    note: async (note) => {
      if (fault !== null || closed) throw refusal();
      journal.appendJson("note", clock.nowMs(), JSON.stringify(note));
      records.note(note);
      await commit();
    },
    record: (type, fields) => {
      if (fault === null && !closed)
        journal.appendJson("note", clock.nowMs(), JSON.stringify({ type, ...fields }), { optional: true });
    },
    observe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    observeEvents: (listener) => {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
    },
    status: () => engine.status(),
    idle: () =>
      new Promise((resolve) => {
        idleWaiters.push(resolve);
        queueMicrotask(settleIdle);
      }),
    eventsApplied: () => applied,
    fault: () => fault,
    close: async () => {
      stopWake();
      closed = true;
      while (isRunning || asksOpen > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve));
      // The last events may have asked for another wake-up.
      stopWake();
    },
  };
}

const JOURNAL_LOST_LINES: readonly string[] = [
  "Entries are off. Stops and targets rest at the broker; /flatten works.",
  "Make room on the disk or mend it, restart, then /arm.",
];

/** The last letter of a reference names the leg. */
function isEntry(orderRef: string): boolean {
  return orderRef.endsWith("-E");
}

function claim<T extends { event: Event }>(waiters: T[], event: Event, take: (waiter: T) => void): void {
  if (waiters.length === 0) return;
  const index = waiters.findIndex((waiter) => waiter.event === event);
  if (index < 0) return;
  const [waiter] = waiters.splice(index, 1);
  if (waiter !== undefined) take(waiter);
}
