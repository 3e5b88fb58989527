// Generated from native/core by its test `exchange_types`; never edited by hand.
import type { Side } from "./types.d.ts";

/**
 * What an exchange is made with.
 */
export type ExchangeSettings = { 
/**
 * Account names; at least one. An order with an empty account belongs to the first.
 */
accounts: Array<string>, 
/**
 * An order, change or cancel acts this many milliseconds of market time after it came; 0 to 60 000.
 */
latencyMs: number, 
/**
 * Market orders and triggered stops fill this many ticks worse than the book; 0 to 100.
 */
extraSlippageTicks: number, 
/**
 * Contracts to be had at each price behind the best one, whose own size is shown; at least 1.
 */
levelSize: number, 
/**
 * When a limit order that rests is filled; `through` where it is left out.
 */
resting?: Resting | null, 
/**
 * Cash of each account at the start.
 */
startCashCents: number, 
/**
 * What is traded.
 */
instruments: Array<ExchangeInstrument>, };

/**
 * One contract that the exchange trades.
 */
export type ExchangeInstrument = { 
/**
 * The broker's id (conId).
 */
instrumentId: number, 
/**
 * For a person: "MESZ6".
 */
symbol: string, 
/**
 * Tick size in ten-thousandths of a point; 2 500 = 0.25.
 */
tickSizeE4: number, 
/**
 * What one tick is worth for one contract.
 */
tickValueCents: number, 
/**
 * Fee for one contract and side.
 */
feeCents: number, 
/**
 * Equity wanted for one contract before a position grows.
 */
initMarginCents: number, 
/**
 * Equity wanted for one contract held.
 */
maintMarginCents: number, 
/**
 * Which daily price limits it has; none where it is left out.
 */
priceLimits?: PriceLimits | null, };

/**
 * Daily price limits by the rules of an exchange.
 */
export type PriceLimits = "equity_index";

/**
 * When a limit order that rests is filled by a trade. Whatever is chosen, it fills once the other side of the book comes to
 * its price: then everything before it is gone.
 */
export type Resting = "touch" | "queue" | "through";

/**
 * An order as it comes in.
 */
export type NewOrder = { 
/**
 * The caller's number; unique among working orders and today's fills.
 */
orderKey: number, 
/**
 * Whose; empty = the first account's.
 */
account: string, 
/**
 * Which contract.
 */
instrumentId: number, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts; 1 to 10 000.
 */
quantity: number, 
/**
 * At which terms.
 */
kind: ExchangeOrderKind, 
/**
 * How long it lives.
 */
tif: ExchangeTif, 
/**
 * The order whose fill it waits for; it exits what that one entered.
 */
parentKey: number | null, 
/**
 * Orders of one account and group end each other.
 */
ocaGroup: string | null, 
/**
 * 1 = any fill cancels the others; 2 and 3 = a fill takes its quantity off the others, a complete one cancels them.
 */
ocaType: number, };

/**
 * Terms of an order. Prices are at least 1 tick.
 */
export type ExchangeOrderKind = { "kind": "market", } | { "kind": "limit", 
/**
 * The worst price.
 */
limitTicks: number, } | { "kind": "stop", 
/**
 * The trigger.
 */
stopTicks: number, } | { "kind": "stop_limit", 
/**
 * The trigger.
 */
stopTicks: number, 
/**
 * The worst price.
 */
limitTicks: number, } | { "kind": "trail", 
/**
 * The distance; at least 1.
 */
trailTicks: number, 
/**
 * Where it stands at first; none = the distance from the first price it sees.
 */
stopTicks?: number | null, } | { "kind": "trail_percent", 
/**
 * The share; 10 000 = 1 %, from 1 to 990 000. The distance is a whole number of ticks, rounded up.
 */
percentE4: number, 
/**
 * Where it stands at first; none = the distance from the first price it sees.
 */
stopTicks?: number | null, };

/**
 * How long an order lives.
 */
export type ExchangeTif = "day" | "gtc" | "ioc";

/**
 * What to change of a working order; none = as it was. A price that the order's kind does not have is refused.
 */
export type OrderChanges = { 
/**
 * The whole quantity, what has filled included.
 */
quantity?: number | null, 
/**
 * New limit.
 */
limitTicks?: number | null, 
/**
 * New trigger; of a trailing stop, where it stands from now on.
 */
stopTicks?: number | null, 
/**
 * New distance.
 */
trailTicks?: number | null, 
/**
 * New distance as a share of the price.
 */
percentE4?: number | null, 
/**
 * New life.
 */
tif?: ExchangeTif | null, };

/**
 * What the exchange says, in the order in which it happened.
 */
export type ExchangeReport = { "type": "accepted", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, } | { "type": "held", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * For what.
 */
reason: HeldReason, } | { "type": "activated", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, } | { "type": "triggered", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, } | { "type": "fill", 
/**
 * Counts the exchange's executions from 1.
 */
fillNo: number, 
/**
 * Which order.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Whose.
 */
account: string, 
/**
 * Which contract.
 */
instrumentId: number, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts.
 */
quantity: number, 
/**
 * Price.
 */
priceTicks: number, 
/**
 * Fee for all of them.
 */
feeCents: number, 
/**
 * The order's contracts still open.
 */
leavesQuantity: number, 
/**
 * The order's contracts filled so far.
 */
cumQuantity: number, 
/**
 * The order's average price in hundredths of a tick, rounded.
 */
averageTicksE2: number, 
/**
 * Signed position of the account in the contract afterwards.
 */
positionAfter: number, 
/**
 * What closing earned by average cost, fees not taken off; none where nothing was closed.
 */
realisedCents: number | null, 
/**
 * Which side of the trade it was.
 */
liquidity: Liquidity, } | { "type": "reduced", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Its whole quantity now, what has filled included.
 */
quantity: number, 
/**
 * Contracts still open.
 */
leavesQuantity: number, } | { "type": "cancelled", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Why.
 */
reason: CancelReason, 
/**
 * Contracts that had filled before.
 */
cumQuantity: number, } | { "type": "rejected", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Why.
 */
reason: RejectReason, 
/**
 * The same with its figures, for a person.
 */
text: string, } | { "type": "modified", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Its whole quantity now, what has filled included.
 */
quantity: number, 
/**
 * Contracts still open.
 */
leavesQuantity: number, 
/**
 * Its terms now.
 */
kind: ExchangeOrderKind, } | { "type": "modify_rejected", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Why, for a person.
 */
text: string, } | { "type": "cancel_rejected", 
/**
 * Which.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, };

/**
 * One execution.
 */
export type ExchangeFill = { 
/**
 * Counts the exchange's executions from 1.
 */
fillNo: number, 
/**
 * Which order.
 */
orderKey: number, 
/**
 * When.
 */
atMs: number, 
/**
 * Whose.
 */
account: string, 
/**
 * Which contract.
 */
instrumentId: number, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts.
 */
quantity: number, 
/**
 * Price.
 */
priceTicks: number, 
/**
 * Fee for all of them.
 */
feeCents: number, 
/**
 * The order's contracts still open.
 */
leavesQuantity: number, 
/**
 * The order's contracts filled so far.
 */
cumQuantity: number, 
/**
 * The order's average price in hundredths of a tick, rounded.
 */
averageTicksE2: number, 
/**
 * Signed position of the account in the contract afterwards.
 */
positionAfter: number, 
/**
 * What closing earned by average cost, fees not taken off; none where nothing was closed.
 */
realisedCents: number | null, 
/**
 * Which side of the trade it was.
 */
liquidity: Liquidity, };

/**
 * Whether an order rested.
 */
export type Liquidity = "added" | "removed";

/**
 * What an order waits for.
 */
export type HeldReason = "child" | "closed";

/**
 * Why an order went.
 */
export type CancelReason = "user" | "oca" | "parent" | "expired" | "ioc";

/**
 * Why an order was not taken.
 */
export type RejectReason = "duplicate" | "instrument" | "account" | "quantity" | "price" | "parent" | "oca" | "margin" | "too_many" | "price_limit";

/**
 * A working order as it stands.
 */
export type ExchangeOrderStatus = { 
/**
 * The caller's number.
 */
orderKey: number, 
/**
 * Whose.
 */
account: string, 
/**
 * Which contract.
 */
instrumentId: number, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts in all.
 */
quantity: number, 
/**
 * Contracts still open.
 */
leavesQuantity: number, 
/**
 * Terms.
 */
kind: ExchangeOrderKind, 
/**
 * Life.
 */
tif: ExchangeTif, 
/**
 * The order it waits or waited for.
 */
parentKey: number | null, 
/**
 * Where it stands.
 */
stage: OrderStage, 
/**
 * Where a trailing stop stands; none before it has seen a price.
 */
trailStopTicks: number | null, };

/**
 * Where a working order stands.
 */
export type OrderStage = "child" | "arriving" | "working" | "triggered";

/**
 * One position.
 */
export type ExchangePosition = { 
/**
 * Whose.
 */
account: string, 
/**
 * Which contract.
 */
instrumentId: number, 
/**
 * Signed contracts; 0 for one that was closed today.
 */
position: number, 
/**
 * Average entry price in hundredths of a tick, rounded; none where flat.
 */
averageTicksE2: number | null, 
/**
 * What closing at the last trade would earn, fees not taken off.
 */
unrealisedCents: number, };

/**
 * Figures of one account.
 */
export type ExchangeAccount = { 
/**
 * Its name.
 */
account: string, 
/**
 * Start cash, all closed profit and loss, less all fees.
 */
cashCents: number, 
/**
 * Closed today, fees not taken off.
 */
realisedCents: number, 
/**
 * Fees today.
 */
feesCents: number, 
/**
 * Open profit and loss.
 */
unrealisedCents: number, 
/**
 * Cash and open profit and loss.
 */
equityCents: number, 
/**
 * Initial margin of what is held.
 */
initialMarginCents: number, 
/**
 * Maintenance margin of what is held.
 */
maintenanceMarginCents: number, };

/**
 * Where one contract's daily price limits stand.
 */
export type ExchangeLimits = { 
/**
 * Which contract.
 */
instrumentId: number, 
/**
 * The close of the cash market by which the reference is made: 15:00 in Chicago of the weekday before.
 */
fixingAtMs: number, 
/**
 * What the limits are measured from; none = not known, and no limit is in force.
 */
referenceTicks: number | null, 
/**
 * Nothing trades below; none = no limit downwards.
 */
down: LimitPrice | null, 
/**
 * Nothing trades above; none = no limit upwards.
 */
up: LimitPrice | null, 
/**
 * Where the market stands.
 */
standing: LimitStanding, };

/**
 * One price limit.
 */
export type LimitPrice = { 
/**
 * The last price that can trade.
 */
priceTicks: number, 
/**
 * Its distance from the price that it was measured from.
 */
percent: number, };

/**
 * Where the market stands between its limits.
 */
export type LimitStanding = "within" | "down" | "up";
