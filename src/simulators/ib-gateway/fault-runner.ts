// Makes the faults of a script happen when their moment has come.
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Connection } from "./connection.ts";
import { type Fault, type FaultMoment, type FaultPrice, messageActOf, type ScriptedFault } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Ledger } from "./ledger.ts";
import type { MessageTap } from "./message-tap.ts";
import { CODE } from "./wire/ids.ts";
import { wayOf } from "./wire/kinds.ts";

/** Is the part of the server that faults reach for, besides the gateway. */
export type FaultTargets = {
  readonly gateway: Gateway;
  readonly ledger: Ledger;
  readonly tap: MessageTap;
  readonly wall: Clock;
  readonly log: Log;
  nowMs(): number;
  /** Returns every accepted socket, those in the handshake too. */
  connections(): readonly Connection[];
  /** Does `apply` to every connection, and to each that is accepted until then. */
  afflict(untilWallMs: number, apply: (connection: Connection) => void): void;
  /** Closes the port, so that connecting is refused, and opens it again later. */
  refuseConnections(forMs: number): void;
  /** Lets new sockets wait for an answer that never comes. */
  ignoreHandshakes(untilWallMs: number): void;
  setAccount(account: string): void;
};

/** Waits for the moments of faults. */
export type FaultRunner = {
  /** Adds a fault; one for "at once" happens now. */
  add(scripted: ScriptedFault): void;
  /** Makes what is due at `atMs` happen; called after each step of the market and each message. */
  look(atMs: number): void;
  /** Returns the faults that wait. */
  waiting(): readonly ScriptedFault[];
};

/** Is how many faults may wait. */
const WAITING_MAX = 20_000;

/** Returns a runner whose market time counts from `startMs`. */
export function createFaultRunner(targets: FaultTargets, startMs: number): FaultRunner {
  const { gateway, wall } = targets;
  const waiting: { readonly scripted: ScriptedFault; isDue(atMs: number): boolean; act(): void }[] = [];
  /** Ends of faults that last for market time. */
  const ends: { atMs: number; end: () => void }[] = [];
  let mutes = 0;

  const lastFor = (forMs: number, end: () => void): void => {
    ends.push({ atMs: targets.nowMs() + forMs, end });
  };
  const mute = (forMs: number, end: () => void): void => {
    mutes += 1;
    gateway.feed.mute(true);
    lastFor(forMs, () => {
      mutes -= 1;
      if (mutes === 0 && gateway.isLinkUp()) gateway.feed.mute(false);
      end();
    });
  };

  const restart = (forMs: number, idsBack: number): void => {
    for (const connection of targets.connections()) connection.close("the gateway restarts", "after_sending");
    gateway.orders.rollBackIds(idsBack);
    targets.refuseConnections(forMs);
  };

  const broken = (length: number, body: number): Buffer => {
    const bytes = Buffer.alloc(4 + body, 0x39);
    bytes.writeInt32BE(length, 0);
    return bytes;
  };

  /** Returns a price as the wire is to carry it. */
  const priceText = (price: FaultPrice): string =>
    price.type === "text" ? price.text : gateway.feed.price(lastTicks() + price.ticks);
  const lastTicks = (): number => {
    const { lastTicks: last, closeTicks } = gateway.feed.view();
    return last ?? closeTicks ?? 0;
  };
  const limitTicks = (price: FaultPrice): number =>
    price.type === "from_last"
      ? lastTicks() + price.ticks
      : Math.round(Number(price.text) / gateway.feed.listing.product.tickSize);
  const shift = (contracts: number): void => {
    gateway.account.shift(contracts);
    const [held] = gateway.state().positions;
    targets.ledger.write(targets.nowMs(), 0, null, {
      type: "position",
      conId: gateway.feed.listing.conId,
      position: held?.position ?? 0,
    });
  };

  const correct = (byTicks: number, byContracts: number): void => {
    const moved = gateway.orders.correctLatest(byTicks, byContracts);
    if (moved === undefined) targets.log.warn({}, "There is no execution to correct yet");
    else if (moved !== 0) shift(moved);
  };

  const note = (fault: Fault): void => {
    targets.log.info({ ...fault }, "A scripted fault acts");
    targets.ledger.write(targets.nowMs(), 0, null, { type: "fault", fault: fault.fault });
  };

  const act = (fault: Fault): void => {
    const atMs = targets.nowMs();
    const wallMs = wall.nowMs();
    note(fault);
    const { orderFaults, feed } = gateway;
    switch (fault.fault) {
      case "drop_connection":
        for (const connection of targets.connections()) {
          if (fault.clientId === null || gateway.connectionOf(fault.clientId) === connection)
            connection.close("dropped by a fault script", "at_once");
        }
        return;
      case "refuse_connections":
        targets.refuseConnections(fault.forMs);
        return;
      case "no_handshake":
        targets.ignoreHandshakes(wallMs + fault.forMs);
        return;
      case "silence":
        targets.afflict(fault.reach === "everybody" ? wallMs + fault.forMs : wallMs, (connection) =>
          connection.silence(fault.direction, wallMs + fault.forMs),
        );
        return;
      case "delay":
        targets.afflict(wallMs + fault.forMs, (connection) => connection.delay(fault.delayMs, wallMs + fault.forMs));
        return;
      case "split_stream":
        targets.afflict(wallMs + fault.forMs, (connection) => connection.split(fault.bytes, wallMs + fault.forMs));
        return;
      case "glue_stream":
        targets.afflict(wallMs + fault.forMs, (connection) => connection.glue(fault.everyMs, wallMs + fault.forMs));
        return;
      case "drop_message":
      case "repeat_message":
      case "hold_message":
      case "swap_message":
      case "cut_message":
        arm(fault, 0);
        return;
      case "link_lost":
        gateway.loseLink();
        if (fault.restored !== "never") {
          lastFor(fault.forMs, () => {
            gateway.restoreLink(fault.restored === "data_lost");
            if (mutes > 0) feed.mute(true);
          });
        }
        return;
      case "farm_broken":
        gateway.notice(CODE.farmBroken, "Market data farm connection is broken:usfuture");
        mute(fault.forMs, () => gateway.notice(CODE.farmOk, "Market data farm connection is OK:usfuture"));
        return;
      case "restart":
        restart(fault.forMs, fault.idsBack);
        return;
      case "client_id_in_use":
        gateway.claimIds(fault.count);
        return;
      case "swallow_order":
        orderFaults.swallow += fault.count;
        return;
      case "reject_next_order":
        orderFaults.reject.push({ leg: fault.leg, code: fault.code, text: fault.text, left: fault.count });
        return;
      case "warn_next_order":
        orderFaults.warn += fault.count;
        return;
      case "drop_execution":
        orderFaults.dropExecution += fault.count;
        return;
      case "repeat_execution":
        orderFaults.repeatExecution += fault.count;
        return;
      case "fill_before_ack":
        orderFaults.fillBeforeAck += fault.count;
        return;
      case "correct_execution":
        correct(fault.ticks, fault.contracts);
        return;
      case "part_fill":
        orderFaults.partFill.push({ contracts: fault.contracts, forMs: fault.forMs });
        return;
      case "clock_skew":
        gateway.skewClock(fault.skewMs);
        return;
      case "truncated_frame":
        for (const connection of gateway.connections()) connection.sendBroken(broken(200, 20), true);
        return;
      case "bad_length":
        for (const connection of gateway.connections()) connection.sendBroken(broken(fault.length, 16), false);
        return;
      case "price_jump":
        gateway.jumps.push({ atMs, ticks: fault.ticks });
        return;
      case "stale_data":
        mute(fault.forMs, () => {});
        return;
      case "bad_tick":
        feed.sendBadTick(atMs, priceText(fault.price), fault.size);
        return;
      case "bad_quote":
        feed.sendBadQuote(atMs, priceText(fault.bid), priceText(fault.ask), fault.bidSize, fault.askSize);
        return;
      case "position_shift":
        shift(fault.contracts);
        return;
      case "order_by_hand":
        gateway.placeByHand(fault.action, fault.quantity, fault.limit === null ? null : limitTicks(fault.limit));
        return;
      case "wrong_account":
        targets.setAccount(fault.account);
        return;
      case "broker_error":
        gateway.errorAll(fault.id, fault.code, fault.text);
        return;
      default:
        fault satisfies never;
    }
  };

  /** Arms a fault of single messages, of which `skip` go well first. */
  const arm = (fault: Fault, skip: number): void => {
    const does = messageActOf(fault);
    if (does === undefined || !("message" in fault)) throw new Error(`${fault.fault} is no fault of single messages`);
    targets.tap.arm({ act: does, kind: fault.message, skip, count: fault.count, forMs: fault.forMs });
  };

  /** Calls `then` when a moment of the market has come. */
  const begin = (scripted: ScriptedFault, when: Exclude<FaultMoment, { type: "message" }>, then: () => void): void => {
    switch (when.type) {
      case "at_once":
        then();
        return;
      case "after":
        waiting.push({ scripted, isDue: (atMs) => atMs >= startMs + when.afterMs, act: then });
        return;
      case "at":
        waiting.push({ scripted, isDue: (atMs) => atMs >= when.atMs, act: then });
        return;
      default:
        when satisfies never;
    }
  };

  const watch = (scripted: ScriptedFault, when: Extract<FaultMoment, { type: "message" }>): void => {
    const { fault } = scripted;
    // The n-th message itself is meant, so it must be caught when it comes, not looked back at.
    if (messageActOf(fault) !== undefined) {
      note(fault);
      arm(fault, when.count - 1);
      return;
    }
    const counted = targets.tap.watch(when.kind, when.count);
    const isAnswer = wayOf(when.kind) === "out";
    waiting.push({
      scripted,
      isDue: () => counted.left() <= 0,
      act: () => {
        counted.stop();
        // It has passed: what is lost with the line is what comes after it.
        if (isAnswer) for (const connection of targets.connections()) connection.flush();
        act(fault);
      },
    });
  };

  const wait = (scripted: ScriptedFault): void => {
    const { when } = scripted;
    if (when.type === "message") begin(scripted, when.from, () => watch(scripted, when));
    else begin(scripted, when, () => act(scripted.fault));
  };

  return {
    add: (scripted) => {
      if (waiting.length < WAITING_MAX) wait(scripted);
      else targets.log.warn({ waitingMax: WAITING_MAX }, "Too many faults wait; one was left out");
    },
    look: (atMs) => {
      gateway.orders.tellHeld(atMs);
      if (waiting.length === 0 && ends.length === 0) return;
      for (const ended of ends.filter((one) => one.atMs <= atMs)) {
        ends.splice(ends.indexOf(ended), 1);
        ended.end();
      }
      for (const due of waiting.filter((one) => one.isDue(atMs))) {
        waiting.splice(waiting.indexOf(due), 1);
        due.act();
      }
    },
    waiting: () => waiting.map(({ scripted }) => scripted),
  };
}
