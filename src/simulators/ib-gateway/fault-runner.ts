// Makes the faults of a script happen when their moment has come.
import type { Clock } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { Connection } from "./connection.ts";
import type { Fault, FaultMoment, ScriptedFault } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Ledger } from "./ledger.ts";
import { CODE } from "./wire/ids.ts";

/** Is the part of the server that faults reach for, besides the gateway. */
export type FaultTargets = {
  readonly gateway: Gateway;
  readonly ledger: Ledger;
  readonly wall: Clock;
  readonly log: Log;
  nowMs(): number;
  /** Returns every accepted socket, those in the handshake too. */
  connections(): readonly Connection[];
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
  look(atMs: number, messages: number): void;
  /** Returns the faults that wait. */
  waiting(): readonly ScriptedFault[];
};

/** Is how many faults may wait. */
const WAITING_MAX = 20_000;

/** Returns a runner whose market time counts from `startMs`. */
export function createFaultRunner(targets: FaultTargets, startMs: number): FaultRunner {
  const { gateway, wall } = targets;
  const waiting: ScriptedFault[] = [];
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

  const act = (fault: Fault): void => {
    const atMs = targets.nowMs();
    const wallMs = wall.nowMs();
    targets.log.info({ ...fault }, "A scripted fault acts");
    targets.ledger.write(atMs, 0, null, { type: "fault", fault: fault.fault });
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
        for (const connection of targets.connections()) connection.silence(fault.direction, wallMs + fault.forMs);
        return;
      case "delay":
        for (const connection of targets.connections()) connection.delay(fault.delayMs, wallMs + fault.forMs);
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
        if (!gateway.orders.correctLatest(fault.ticks)) targets.log.warn({}, "There is no execution to correct yet");
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
        feed.sendBadTick(atMs, fault.price);
        return;
      case "bad_quote":
        feed.sendBadQuote(atMs, fault.bid, fault.ask);
        return;
      case "position_shift":
        gateway.account.shift(fault.contracts);
        return;
      case "order_by_hand":
        gateway.placeByHand(fault.action, fault.quantity, fault.limitPrice);
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

  const isDue = (when: FaultMoment, atMs: number, messages: number): boolean => {
    switch (when.type) {
      case "at_once":
        return true;
      case "after":
        return atMs >= startMs + when.afterMs;
      case "message":
        return messages >= when.count;
      default:
        return when satisfies never;
    }
  };

  return {
    add: (scripted) => {
      if (scripted.when.type === "at_once") act(scripted.fault);
      else if (waiting.length < WAITING_MAX) waiting.push(scripted);
      else targets.log.warn({ waitingMax: WAITING_MAX }, "Too many faults wait; one was left out");
    },
    look: (atMs, messages) => {
      if (waiting.length === 0 && ends.length === 0) return;
      for (const ended of ends.filter((one) => one.atMs <= atMs)) {
        ends.splice(ends.indexOf(ended), 1);
        ended.end();
      }
      for (const scripted of waiting.filter((one) => isDue(one.when, atMs, messages))) {
        waiting.splice(waiting.indexOf(scripted), 1);
        act(scripted.fault);
      }
    },
    waiting: () => waiting,
  };
}
