// The engine's exchange behind the port of exchange.ts: values to JSON and back, one contract, one account.
import { createExchange } from "../../engine.ts";
import type { ExchangeAccount, ExchangeLimits, ExchangePort, ExchangePosition, ExchangeReport } from "./exchange.ts";
import type { Listing } from "./listings.ts";

/** How many contracts stand at each price behind the best one. */
export const LEVEL_SIZE = 50;

/** Is the exchange's own name of the one account; the wire's name may change by a fault. */
const ACCOUNT = "simulated";

const NOTHING: readonly ExchangeReport[] = [];

/** Returns the exchange of one listing, new or as it was when `snapshot` was taken. */
export function openExchange(
  listing: Listing,
  options: { latencyMs: number; extraSlippageTicks: number; startCashCents: number },
  snapshot: string | null,
): ExchangePort {
  const { product } = listing;
  const native = createExchange(
    {
      accounts: [ACCOUNT],
      latencyMs: options.latencyMs,
      extraSlippageTicks: options.extraSlippageTicks,
      levelSize: LEVEL_SIZE,
      startCashCents: options.startCashCents,
      instruments: [
        {
          instrumentId: listing.conId,
          symbol: listing.localSymbol,
          tickSizeE4: Math.round(product.tickSize * 10_000),
          tickValueCents: product.tickCents,
          feeCents: product.feeCents,
          initMarginCents: product.initialMarginCents,
          maintMarginCents: product.maintenanceMarginCents,
          // All that is listed here are US equity indices.
          priceLimits: "equity_index",
        },
      ],
    },
    snapshot,
  );
  const reports = (json: string | null): readonly ExchangeReport[] =>
    json === null ? NOTHING : (JSON.parse(json) as ExchangeReport[]);
  return {
    limited: (records) => native.limited(records),
    limits: (atMs) => (JSON.parse(native.limits(atMs)) as ExchangeLimits[])[0] ?? null,
    setReference: (atMs, referenceTicks) => native.setReference(atMs, listing.conId, referenceTicks),
    market: (records) => reports(native.market(records)),
    advance: (atMs) => reports(native.advance(atMs)),
    submit: (atMs, orders) => reports(native.submit(atMs, JSON.stringify(orders))),
    modify: (atMs, orderKey, changes) => reports(native.modify(atMs, orderKey, JSON.stringify(changes))),
    cancel: (atMs, orderKey) => reports(native.cancel(atMs, orderKey)),
    cancelAll: (atMs) => reports(native.cancelAll(atMs)),
    setOpen: (atMs, isOpen) => reports(native.setOpen(atMs, isOpen)),
    sessionEnds: (atMs) => reports(native.sessionEnds(atMs)),
    account: () => readAccount(native.account()),
    position: () => readPosition(native.positions()),
    snapshot: () => native.snapshot(),
  };
}

/** Returns the one account's money; its realised profit and loss is told less fees, as the broker does. */
function readAccount(json: string): ExchangeAccount {
  const [account] = JSON.parse(json) as (ExchangeAccount & { readonly feesCents: number })[];
  if (account === undefined) throw new Error("the exchange has no account");
  return {
    cashCents: account.cashCents,
    realisedCents: account.realisedCents - account.feesCents,
    unrealisedCents: account.unrealisedCents,
    initialMarginCents: account.initialMarginCents,
    maintenanceMarginCents: account.maintenanceMarginCents,
  };
}

function readPosition(json: string): ExchangePosition {
  const [held] = JSON.parse(json) as { readonly position: number; readonly averageTicksE2: number | null }[];
  return held === undefined
    ? { position: 0, averageTicks: 0 }
    : { position: held.position, averageTicks: (held.averageTicksE2 ?? 0) / 100 };
}
