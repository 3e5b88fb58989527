// Turns what the exchange reports into what the gateway keeps and clients are told.
import type { Calendar } from "./calendar.ts";
import type { ExchangeReport } from "./exchange.ts";
import type { Ledger } from "./ledger.ts";
import type { Listing } from "./listings.ts";
import type { OrderBook } from "./order-book.ts";
import type { OrderFaults } from "./order-faults.ts";
import type { GatewayExecution, GatewayOrder } from "./order-messages.ts";
import type { OrderVoice } from "./order-voice.ts";
import { CODE, SERVER_VERSION_MAX } from "./wire/ids.ts";
import { wireTime } from "./wire/time.ts";

/** Is what reports need of the rest. */
export type ReportContext = {
  readonly book: OrderBook;
  readonly voice: OrderVoice;
  readonly listing: Listing;
  readonly calendar: Calendar;
  readonly ledger: Ledger;
  readonly faults: OrderFaults;
  nowMs(): number;
  /** Is called after a fill, when positions and money have changed. */
  filled(positionAfter: number): void;
};

/** What error 202 and a completed order say of the cause. */
const CANCEL_TEXT: Readonly<Record<Extract<ExchangeReport, { type: "cancelled" }>["reason"], string>> = {
  user: "",
  oca: "another order of its group was filled",
  parent: "its parent order has gone",
  expired: "the session has ended",
  ioc: "it could not be filled at once",
};

const GOOD_TILL_TEXT = "its good-till date has come";

/** Ends an order. */
export function endOrder(
  order: GatewayOrder,
  status: "Filled" | "Cancelled" | "Inactive",
  text: string,
  atMs: number,
): void {
  order.status = status;
  order.whyHeld = "";
  order.wantedTerms = null;
  order.completedAtMs = atMs;
  order.completedText = text;
}

/** Takes the exchange's reports. */
export type ReportReader = {
  /** Throws for an order that the gateway does not know. */
  take(reports: readonly ExchangeReport[]): void;
  /** Tells what a fault has held back until `atMs`. */
  tellHeld(atMs: number): void;
};

type FillReport = Extract<ExchangeReport, { type: "fill" }>;

/** Returns what takes the exchange's reports. */
export function createReportReader(context: ReportContext): ReportReader {
  const { book, voice, listing, ledger, faults } = context;
  /** The rest of fills that are told in two. */
  const held: { readonly atMs: number; readonly report: FillReport }[] = [];

  const work = (order: GatewayOrder): void => {
    const { kind } = order.terms;
    const waitsForPrice = kind !== "market" && kind !== "limit";
    if (order.status === "PreSubmitted" && !waitsForPrice) order.status = "Submitted";
    order.whyHeld = waitsForPrice ? "trigger" : "";
    voice.both(order);
  };

  const hold = (order: GatewayOrder, reason: "child" | "closed"): void => {
    order.whyHeld = reason === "child" ? "child" : "";
    if (reason === "child") return;
    const opens = wireTime(SERVER_VERSION_MAX, context.calendar.nextSession(context.nowMs()).openMs);
    const { action, quantity } = order.terms;
    const what = `${action} ${quantity} ${listing.localSymbol} ${listing.product.exchange}`;
    const warning = `Order Message: ${what} Warning: your order will not be placed at the exchange until ${opens}`;
    voice.error(order, CODE.orderMessage, warning);
    // Told once more behind the warning: a client that takes it for a problem of the order sees that it stands.
    voice.both(order);
  };

  const execute = (order: GatewayOrder, report: FillReport): GatewayExecution => {
    order.filled += report.quantity;
    order.filledTicks += report.priceTicks * report.quantity;
    order.lastFillTicks = report.priceTicks;
    order.fills += 1;
    if (order.filled >= order.terms.quantity) {
      endOrder(order, "Filled", `Filled Size: ${order.filled}`, context.nowMs());
    }
    return {
      execId: `0000e215.${order.permId.toString(16).padStart(8, "0")}.${String(order.fills).padStart(2, "0")}.01`,
      permId: order.permId,
      clientId: order.clientId,
      orderId: order.orderId,
      conId: order.conId,
      atMs: report.atMs,
      action: order.terms.action,
      quantity: report.quantity,
      priceTicks: report.priceTicks,
      cumulative: order.filled,
      averageTicks: order.filledTicks / order.filled,
      orderRef: order.terms.orderRef,
      addsLiquidity: report.liquidity === "added",
      feeCents: report.feeCents,
      realisedCents: report.realisedCents === null ? null : report.realisedCents - report.feeCents,
    };
  };

  /** Returns what is told of a fill now; the rest is told when a fault has had its time. */
  const firstPart = (report: FillReport): FillReport => {
    const [part] = faults.partFill;
    if (part === undefined || report.quantity <= part.contracts) return report;
    faults.partFill.shift();
    const quantity = report.quantity - part.contracts;
    held.push({
      atMs: context.nowMs() + part.forMs,
      report: { ...report, quantity, feeCents: share(report, quantity) },
    });
    return { ...report, quantity: part.contracts, feeCents: share(report, part.contracts) };
  };

  const fill = (order: GatewayOrder, report: FillReport): void => {
    if (order.status === "PreSubmitted") {
      order.status = "Submitted";
      order.whyHeld = "";
      voice.both(order);
    }
    const execution = execute(order, report);
    book.addExecution(execution);
    ledger.write(context.nowMs(), 0, order.clientId, {
      type: "fill",
      execId: execution.execId,
      orderId: order.orderId,
      permId: order.permId,
      orderRef: order.terms.orderRef,
      action: execution.action,
      quantity: execution.quantity,
      price: report.priceTicks * listing.product.tickSize,
      leavesQuantity: Math.max(0, order.terms.quantity - order.filled),
      feeCents: report.feeCents,
    });

    // A real gateway gives no order between execution and status; only the commission always comes after its execution.
    const isTold = faults.dropExecution === 0;
    const times = faults.repeatExecution > 0 ? 2 : 1;
    if (!isTold) faults.dropExecution -= 1;
    if (times === 2) faults.repeatExecution -= 1;
    for (let time = 0; isTold && time < times; time += 1) voice.execution(execution);
    voice.release(order.permId);
    voice.both(order);
    for (let time = 0; isTold && time < times; time += 1) voice.commission(execution);
    context.filled(report.positionAfter);
  };

  const take = (order: GatewayOrder, report: ExchangeReport): void => {
    const nowMs = context.nowMs();
    switch (report.type) {
      case "accepted":
        // The client was told when the gateway took the order; the next word is that it acts on the market.
        break;
      case "activated":
        work(order);
        break;
      case "triggered":
        if (order.status === "PreSubmitted") order.status = "Submitted";
        order.whyHeld = "";
        voice.both(order);
        break;
      case "held":
        hold(order, report.reason);
        break;
      case "fill":
        fill(order, firstPart(report));
        break;
      case "reduced":
        order.terms = { ...order.terms, quantity: report.quantity };
        voice.both(order);
        break;
      case "modified":
        if (order.wantedTerms !== null) order.terms = order.wantedTerms;
        order.wantedTerms = null;
        voice.both(order);
        break;
      case "modify_rejected":
        order.wantedTerms = null;
        voice.error(order, CODE.orderRejected, `Order rejected - reason:${report.text}`);
        voice.both(order);
        break;
      case "cancelled": {
        const isOver = report.reason === "user" && (order.terms.goodTillMs ?? Number.POSITIVE_INFINITY) <= nowMs;
        const cause = isOver ? GOOD_TILL_TEXT : CANCEL_TEXT[report.reason];
        endOrder(order, "Cancelled", `Cancelled ${cause || "by Trader"}`, nowMs);
        voice.error(order, CODE.orderCancelled, `Order Canceled - reason:${cause}`);
        voice.both(order);
        break;
      }
      case "cancel_rejected":
        voice.error(
          order,
          CODE.cancelWrongState,
          `OrderId ${order.orderId} that needs to be cancelled cannot be cancelled, state: ${order.status}.`,
        );
        break;
      case "rejected":
        endOrder(order, report.reason === "margin" ? "Inactive" : "Cancelled", report.text, nowMs);
        voice.error(order, CODE.orderRejected, `Order rejected - reason:${report.text}`);
        voice.both(order);
        break;
      default:
        report satisfies never;
    }
  };

  const orderOf = (report: ExchangeReport): GatewayOrder => {
    const order = book.byPermId(report.orderKey);
    if (order !== undefined) return order;
    throw new Error(`the exchange reports ${report.type} of order ${report.orderKey}, which the gateway does not know`);
  };

  return {
    take: (reports) => {
      for (const report of reports) {
        take(orderOf(report), report);
        book.touch();
      }
    },
    tellHeld: (atMs) => {
      for (const one of held.filter((each) => each.atMs <= atMs)) {
        held.splice(held.indexOf(one), 1);
        fill(orderOf(one.report), one.report);
        book.touch();
      }
    },
  };
}

/** Returns a part's fees; those of both parts are the whole's. */
function share(report: FillReport, quantity: number): number {
  return Math.round((report.feeCents * quantity) / report.quantity);
}
