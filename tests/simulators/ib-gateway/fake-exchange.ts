// A small exchange for tests of the gateway around it: immediate acceptance, fills at the touch, brackets and OCA.
import type { ExchangeOrder, ExchangePort, ExchangeReport } from "../../../src/simulators/ib-gateway/exchange.ts";
import type { Listing } from "../../../src/simulators/ib-gateway/listings.ts";
import {
  KIND_TRADE,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordB,
  recordKind,
  viewOf,
} from "../../../src/simulators/ib-gateway/records.ts";

type Resting = ExchangeOrder & { left: number; isActive: boolean; isTriggered: boolean };

/** Returns a fake exchange; `snapshot` is what it gave before. */
export function fakeExchange(
  listing: Listing,
  options: { startCashCents: number },
  snapshot: string | null,
): ExchangePort {
  const kept =
    snapshot === null
      ? {
          orders: [] as Resting[],
          position: 0,
          cost: 0,
          cash: options.startCashCents,
          realised: 0,
          bid: 0,
          ask: 0,
          last: 0,
          isOpen: true,
        }
      : JSON.parse(snapshot);
  const orders: Resting[] = kept.orders;
  let reports: ExchangeReport[] = [];
  const flush = (): ExchangeReport[] => {
    const told = reports;
    reports = [];
    return told;
  };
  const remove = (order: Resting): void => {
    const at = orders.indexOf(order);
    if (at >= 0) orders.splice(at, 1);
  };
  const siblings = (order: Resting): Resting[] =>
    orders.filter(
      (other) =>
        other !== order &&
        ((order.ocaGroup !== null && other.ocaGroup === order.ocaGroup) ||
          (order.parentKey !== null && other.parentKey === order.parentKey)),
    );
  const cancelOne = (atMs: number, order: Resting, reason: "user" | "oca" | "parent" | "expired"): void => {
    if (!orders.includes(order)) return;
    remove(order);
    reports.push({ type: "cancelled", orderKey: order.orderKey, atMs, reason });
    for (const child of orders.filter((one) => one.parentKey === order.orderKey && !one.isActive))
      cancelOne(atMs, child, "parent");
  };
  const fill = (atMs: number, order: Resting, priceTicks: number): void => {
    const signed = order.side === "buy" ? order.left : -order.left;
    const closing =
      Math.sign(kept.position) === -Math.sign(signed) ? Math.min(Math.abs(signed), Math.abs(kept.position)) : 0;
    let realisedCents: number | null = null;
    if (closing > 0) {
      const average = kept.cost / Math.abs(kept.position);
      realisedCents = Math.round(
        Math.sign(kept.position) * (priceTicks - average) * closing * listing.product.tickCents,
      );
      kept.cost -= average * closing;
    }
    kept.cost += (Math.abs(signed) - closing) * priceTicks;
    kept.position += signed;
    const feeCents = order.left * listing.product.feeCents;
    kept.cash += (realisedCents ?? 0) - feeCents;
    kept.realised += (realisedCents ?? 0) - feeCents;
    const quantity = order.left;
    order.left = 0;
    reports.push({
      type: "fill",
      orderKey: order.orderKey,
      atMs,
      quantity,
      priceTicks,
      feeCents,
      positionAfter: kept.position,
      realisedCents,
      liquidity: "removed",
    });
    remove(order);
    for (const other of siblings(order)) cancelOne(atMs, other, "oca");
    for (const child of orders.filter((one) => one.parentKey === order.orderKey)) {
      child.isActive = true;
      reports.push({ type: "activated", orderKey: child.orderKey, atMs });
    }
  };
  const match = (atMs: number): void => {
    if (!kept.isOpen || kept.bid === 0) return;
    for (const order of [...orders]) {
      if (!order.isActive || !orders.includes(order)) continue;
      const { kind } = order;
      const buys = order.side === "buy";
      const touch = buys ? kept.ask : kept.bid;
      if ((kind.kind === "stop" || kind.kind === "stop_limit") && !order.isTriggered) {
        if (kept.last === 0 || (buys ? kept.last < kind.stopTicks : kept.last > kind.stopTicks)) continue;
        order.isTriggered = true;
        reports.push({ type: "triggered", orderKey: order.orderKey, atMs });
      }
      if (kind.kind === "trail") continue;
      const limit = kind.kind === "limit" || kind.kind === "stop_limit" ? kind.limitTicks : null;
      if (limit === null || (buys ? touch <= limit : touch >= limit)) fill(atMs, order, touch);
    }
  };
  return {
    market: (records) => {
      const view = viewOf(records);
      for (let offset = 0; offset < records.length; offset += RECORD_BYTES) {
        if (recordKind(view, offset) === KIND_TRADE) kept.last = recordA(view, offset);
        else {
          kept.bid = Math.max(0, recordA(view, offset));
          kept.ask = Math.max(0, recordB(view, offset));
        }
        match(recordAtMs(view, offset));
      }
      return flush();
    },
    advance: (atMs) => {
      match(atMs);
      return flush();
    },
    submit: (atMs, incoming) => {
      for (const order of incoming) {
        if (order.quantity > 100) {
          reports.push({
            type: "rejected",
            orderKey: order.orderKey,
            atMs,
            reason: "margin",
            text: "not enough equity",
          });
          continue;
        }
        const waits = order.parentKey !== null && orders.some((one) => one.orderKey === order.parentKey);
        orders.push({ ...order, left: order.quantity, isActive: !waits, isTriggered: false });
        if (waits) reports.push({ type: "held", orderKey: order.orderKey, atMs, reason: "child" });
        else if (!kept.isOpen) reports.push({ type: "held", orderKey: order.orderKey, atMs, reason: "closed" });
        else reports.push({ type: "accepted", orderKey: order.orderKey, atMs });
      }
      return flush();
    },
    modify: (atMs, orderKey, changes) => {
      const at = orders.findIndex((one) => one.orderKey === orderKey);
      const order = orders[at];
      if (order === undefined) return [{ type: "modify_rejected", orderKey, atMs, text: "no such order" }];
      const kind = {
        ...order.kind,
        ...(changes.limitTicks === null ? {} : { limitTicks: changes.limitTicks }),
        ...(changes.stopTicks === null ? {} : { stopTicks: changes.stopTicks }),
      };
      orders[at] = {
        ...order,
        kind: kind as ExchangeOrder["kind"],
        quantity: changes.quantity,
        left: changes.quantity - (order.quantity - order.left),
      };
      reports.push({ type: "modified", orderKey, atMs });
      return flush();
    },
    cancel: (atMs, orderKey) => {
      const order = orders.find((one) => one.orderKey === orderKey);
      if (order === undefined) return [{ type: "cancel_rejected", orderKey, atMs }];
      cancelOne(atMs, order, "user");
      return flush();
    },
    cancelAll: (atMs) => {
      for (const order of [...orders]) cancelOne(atMs, order, "user");
      return flush();
    },
    setOpen: (_atMs, isOpen) => {
      kept.isOpen = isOpen;
      return [];
    },
    sessionEnds: (atMs) => {
      for (const order of [...orders]) if (order.tif === "day") cancelOne(atMs, order, "expired");
      kept.realised = 0;
      return flush();
    },
    account: () => ({
      cashCents: kept.cash,
      realisedCents: kept.realised,
      unrealisedCents:
        kept.position === 0
          ? 0
          : Math.round((kept.last - kept.cost / Math.abs(kept.position)) * kept.position * listing.product.tickCents),
      initialMarginCents: Math.abs(kept.position) * listing.product.initialMarginCents,
      maintenanceMarginCents: Math.abs(kept.position) * listing.product.maintenanceMarginCents,
    }),
    position: () => ({
      position: kept.position,
      averageTicks: kept.position === 0 ? 0 : kept.cost / Math.abs(kept.position),
    }),
    snapshot: () => JSON.stringify({ ...kept, orders }),
  };
}
