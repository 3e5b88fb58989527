// Generated from native/core by its test `types`; never edited by hand.

/**
 * Everything that the engine decides by. Money in cents, prices in ticks, durations in milliseconds, clock times in
 * minutes after local midnight, thresholds in ten-thousandths.
 */
export type EngineSettings = { 
/**
 * The instrument in the abstract.
 */
instrument: Instrument, 
/**
 * Signals.
 */
strategy: StrategySettings, 
/**
 * Limits.
 */
risk: RiskSettings, 
/**
 * Trading hours of our own.
 */
session: SessionSettings, 
/**
 * What a fill costs.
 */
costs: CostSettings, 
/**
 * Four characters that make our order references our own.
 */
instance: string, 
/**
 * True where foreign orders in the contract do not block entries (R17).
 */
allowForeign: boolean, 
/**
 * Calendar days before the last trade date from which on no entry is made; none switches the guard off (D23).
 */
rollDaysBefore: number | null, 
/**
 * Calendar days before the last trade date by which the position is flat (D23).
 */
flatDaysBefore: number | null, };

/**
 * What is traded in the abstract.
 */
export type Instrument = { 
/**
 * "MES".
 */
symbol: string, 
/**
 * Tick size in ten-thousandths of a point: 2500 for 0.25.
 */
tickSizeE4: number, 
/**
 * What one tick is worth for one contract: 125 for MES.
 */
tickValueCents: number, };

/**
 * Signals [S3, S6, S7].
 */
export type StrategySettings = { 
/**
 * Bar length; 0 = one bar for every trade.
 */
samplingMs: number, 
/**
 * Which price closes a bar.
 */
price: PriceKind, 
/**
 * Bars in the window, the current one included.
 */
window: number, 
/**
 * Delta degrees of freedom, 0 or 1.
 */
ddof: number, 
/**
 * Entry threshold in ten-thousandths: 20000 for 2.0.
 */
entryZE4: number, 
/**
 * Exit threshold in ten-thousandths: 5000 for 0.5.
 */
exitZE4: number, 
/**
 * When the window is emptied.
 */
resetWindow: ResetWindow, 
/**
 * Contracts an entry.
 */
quantity: number, };

/**
 * How the price series is sampled.
 */
export type PriceKind = "last" | "mid";

/**
 * When the rolling window is emptied.
 */
export type ResetWindow = "session" | "never";

/**
 * Limits (reliability note, section D). `None` switches a limit off where that is allowed.
 */
export type RiskSettings = { 
/**
 * Stop per contract, turned into ticks rounded down [S5].
 */
stopCents: number | null, 
/**
 * Target per contract, turned into ticks rounded up [S5].
 */
targetCents: number | null, 
/**
 * Daily loss limit [S8].
 */
dailyLossCents: number, 
/**
 * What it counts.
 */
dailyLossBasis: DailyLossBasis, 
/**
 * What ends its halt.
 */
dailyLossReset: DailyLossReset, 
/**
 * Losses in a row that pause entries.
 */
lossStreak: number, 
/**
 * For how long.
 */
lossStreakPauseMs: number, 
/**
 * Longest time in a position.
 */
maxHoldMs: number, 
/**
 * Contracts, worst case (D1).
 */
maxPosition: number, 
/**
 * Worth of the position, worst case (D3); none = 1.7 × the run's first price for `max_position` contracts.
 */
maxNotionalCents: number | null, 
/**
 * No entry that could pass the daily limit if stopped (D16).
 */
lossBudgetCheck: boolean, 
/**
 * Drawdown from the session's peak that flattens (D17).
 */
trailingDrawdownCents: number | null, 
/**
 * Session gain from which on D17 watches.
 */
trailingArmedAtCents: number, 
/**
 * An entry's price may be so far from the middle (D4).
 */
entryCollarTicks: number, 
/**
 * An exit's price may be so far from the middle (D4).
 */
exitCollarTicks: number, 
/**
 * Quote age that blocks entries (D6).
 */
staleEntryMs: number, 
/**
 * Quote age that raises an alarm (D6).
 */
staleAlarmMs: number, 
/**
 * Widest spread for an entry (D7).
 */
maxSpreadTicks: number, 
/**
 * Jump against the median of five that is taken for a bad tick (D8).
 */
badTickTicks: number, 
/**
 * Own orders that may exist at once (D11).
 */
maxOpenOrders: number, 
/**
 * Entries (D12).
 */
entriesMax: RateLimit | null, 
/**
 * Orders (D12).
 */
ordersMax: RateLimit | null, 
/**
 * Share of the account in percent that must be left after the margin of an entry (D24); none switches it off.
 */
excessLiquidityPct: number | null, };

/**
 * How many orders a span of time may hold (D12).
 */
export type RateLimit = { 
/**
 * At most so many in 60 seconds.
 */
minute: number, 
/**
 * At most so many in 60 minutes.
 */
hour: number, 
/**
 * At most so many in a trading day.
 */
day: number, };

/**
 * What the daily loss counts.
 */
export type DailyLossBasis = "total" | "realised";

/**
 * What ends a halt by the daily loss limit.
 */
export type DailyLossReset = "arm" | "next_session";

/**
 * Trading hours of our own [S2].
 */
export type SessionSettings = { 
/**
 * IANA name.
 */
timeZone: string, 
/**
 * A trading day starts here; none = one endless session.
 */
openMinute: number | null, 
/**
 * Empty = whenever the market is open.
 */
entryWindows: Array<EntryWindow>, 
/**
 * No entry this long before the flat window (D21).
 */
noEntryBeforeFlattenMs: number, 
/**
 * The flat window starts here; none = no flat window.
 */
flattenAtMinute: number | null, 
/**
 * On an early close: this long before it.
 */
flattenBeforeCloseMs: number, 
/**
 * Reset windows of the broker in `reset_zone`, flat 15 minutes before and no orders inside (D22).
 */
resetWindows: Array<ResetSpan>, 
/**
 * IANA name.
 */
resetZone: string, };

/**
 * A span of the local day in which entries are allowed.
 */
export type EntryWindow = { 
/**
 * First minute after local midnight.
 */
fromMinute: number, 
/**
 * First minute that is outside again.
 */
toMinute: number, };

/**
 * A weekly span in which the broker resets.
 */
export type ResetSpan = { 
/**
 * Minute of the week, Monday 00:00 = 0.
 */
fromWeekMinute: number, 
/**
 * Exclusive; smaller than `from` where it passes the end of the week.
 */
toWeekMinute: number, };

/**
 * What a fill costs.
 */
export type CostSettings = { 
/**
 * Per contract and side, until the broker's commission report replaces it.
 */
feeCents: number, 
/**
 * Assumed in backtests and previews.
 */
slippageTicks: number, };

/**
 * One thing that happened. The journal stamps it with its sequence number and the time at which it was taken in.
 */
export type Event = { "type": "trade", 
/**
 * The exchange's time; whole seconds where the broker tells no more.
 */
exchangeAtMs: number, 
/**
 * Price.
 */
priceTicks: number, 
/**
 * Contracts.
 */
size: number, } | { "type": "quote", 
/**
 * The exchange's time.
 */
exchangeAtMs: number, 
/**
 * None = no bid.
 */
bidTicks: number | null, 
/**
 * None = no ask.
 */
askTicks: number | null, 
/**
 * Contracts.
 */
bidSize: number, 
/**
 * Contracts.
 */
askSize: number, } | { "type": "started", 
/**
 * Program version.
 */
version: string, 
/**
 * What the account badge says: "DEMO", "PAPER" or "LIVE".
 */
badge: string, 
/**
 * True where trading starts by itself once reconciled; false = starts HALTED (live).
 */
startsTrading: boolean, 
/**
 * True after a run that did not end with `Stopped`.
 */
afterCrash: boolean, 
/**
 * True where the halt latch lies on the disk.
 */
latched: boolean, 
/**
 * Revision of the configuration.
 */
revision: number, 
/**
 * The settings in force.
 */
settings: EngineSettings, } | { "type": "stopped", 
/**
 * "SIGINT".
 */
reason: string, } | { "type": "woke", } | { "type": "history", 
/**
 * The bars' length, as it was asked for; none in journals of before it was told.
 */
barMs: number | null, 
/**
 * Bars of the sampling asked for.
 */
bars: Array<Bar>, } | { "type": "link_changed", 
/**
 * Its state now.
 */
link: Link, 
/**
 * Counts connections; grows by one with each.
 */
epoch: number, 
/**
 * What is known of the cause, for a person.
 */
detail: string, 
/**
 * The account, once known.
 */
account: string | null, } | { "type": "feed_changed", 
/**
 * True where data may be trusted again.
 */
ok: boolean, 
/**
 * Why, for a person.
 */
detail: string, } | { "type": "contract_resolved", 
/**
 * The listing to trade.
 */
contract: Contract, } | { "type": "ask_failed", 
/**
 * Which one.
 */
ask: Ask, 
/**
 * Why, for a person.
 */
detail: string, } | { "type": "sent", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * The wire handle of this epoch.
 */
orderId: number, 
/**
 * The connection that took them.
 */
epoch: number, } | { "type": "not_sent", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * Why.
 */
reason: string, } | { "type": "order_reported", 
/**
 * The order.
 */
order: BrokerOrder, } | { "type": "order_refused", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * Its code.
 */
code: number, 
/**
 * Its words.
 */
text: string, } | { "type": "change_refused", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * Its code.
 */
code: number, 
/**
 * Its words.
 */
text: string, } | { "type": "order_warned", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * Its code.
 */
code: number, 
/**
 * Its words.
 */
text: string, } | { "type": "fill", 
/**
 * The execution.
 */
fill: BrokerFill, } | { "type": "commission", 
/**
 * Which execution.
 */
execId: string, 
/**
 * Fees.
 */
feeCents: number, } | { "type": "position_reported", 
/**
 * The position.
 */
position: BrokerPosition, } | { "type": "account_reported", 
/**
 * Net liquidation value.
 */
netLiquidationCents: number | null, 
/**
 * What may still be used as margin.
 */
excessLiquidityCents: number | null, 
/**
 * Realised today, the broker's view.
 */
realisedCents: number | null, } | { "type": "margin_reported", 
/**
 * Contracts of the order that was asked about.
 */
quantity: number, 
/**
 * Equity with loan value after it.
 */
equityCents: number, 
/**
 * Initial margin that it adds.
 */
marginCents: number, 
/**
 * Initial margin of everything after it.
 */
marginAfterCents: number, } | { "type": "reconciled", 
/**
 * All working orders, of every client.
 */
openOrders: Array<BrokerOrder>, 
/**
 * Executions of the broker's day.
 */
fills: Array<BrokerFill>, 
/**
 * All positions.
 */
positions: Array<BrokerPosition>, 
/**
 * The broker's clock.
 */
brokerAtMs: number | null, } | { "type": "command", 
/**
 * Who, for the record: "anna (123456789)" or "console".
 */
by: string, 
/**
 * Telegram's update, for de-duplication; none from other doors.
 */
updateId: number | null, 
/**
 * What.
 */
command: Command, } | { "type": "config_changed", 
/**
 * The new revision.
 */
revision: number, 
/**
 * Who.
 */
by: string, 
/**
 * Telegram's update.
 */
updateId: number | null, 
/**
 * For people.
 */
changes: Array<ConfigChange>, 
/**
 * The settings from now on.
 */
settings: EngineSettings, } | { "type": "summary_due", } | { "type": "gate_changed", 
/**
 * Its name: "journal", "disk", "loop_lag", "control".
 */
gate: string, 
/**
 * True where entries are blocked.
 */
blocks: boolean, 
/**
 * The figures, for a person.
 */
detail: string, } | { "type": "told", 
/**
 * "critical", "trade", "session", "link", "control" or "system".
 */
class: string, 
/**
 * The event's name in lower snake case.
 */
event: string, 
/**
 * Sentences, ready for a person.
 */
lines: Array<string>, };

/**
 * A bar of trades.
 */
export type Bar = { 
/**
 * Its first millisecond.
 */
openAtMs: number, 
/**
 * First price.
 */
openTicks: number, 
/**
 * Highest price.
 */
highTicks: number, 
/**
 * Lowest price.
 */
lowTicks: number, 
/**
 * Last price.
 */
closeTicks: number, 
/**
 * Contracts.
 */
volume: number, };

/**
 * The name of what can be asked of the broker.
 */
export type Ask = "contract" | "state" | "history" | "market_data" | "margin";

/**
 * One dated listing.
 */
export type Contract = { 
/**
 * The broker's id.
 */
conId: number, 
/**
 * "MESZ6".
 */
localSymbol: string, 
/**
 * "202612".
 */
month: string, 
/**
 * Last trade date, "2026-12-18".
 */
lastTradeDate: string, 
/**
 * Tick size in ten-thousandths, as the broker says.
 */
tickSizeE4: number, 
/**
 * Multiplier times 100, as the broker says: 500 for MES.
 */
multiplierCents: number, 
/**
 * When it trades, oldest first, in absolute time; adjoining spans are joined.
 */
hours: Array<Span>, };

/**
 * A span of time, the end exclusive.
 */
export type Span = { 
/**
 * First millisecond.
 */
fromMs: number, 
/**
 * First millisecond that is outside again.
 */
toMs: number, };

/**
 * An order as the broker tells it.
 */
export type BrokerOrder = { 
/**
 * Empty where somebody else's.
 */
orderRef: string, 
/**
 * The wire handle.
 */
orderId: number, 
/**
 * The client that placed it.
 */
clientId: number, 
/**
 * The broker's lasting id; 0 = not told yet.
 */
permId: number, 
/**
 * Which listing.
 */
conId: number, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts asked.
 */
quantity: number, 
/**
 * Contracts filled, as the broker says; a hint, never a fill.
 */
filled: number, 
/**
 * What kind and at which price; none for a kind that we never use.
 */
kind: OrderKind | null, 
/**
 * The state word, translated.
 */
state: BrokerOrderState, };

/**
 * The broker's state words.
 */
export type BrokerOrderState = "pending" | "held" | "working" | "cancel_pending" | "cancelled" | "filled" | "inactive";

/**
 * An execution as the broker tells it.
 */
export type BrokerFill = { 
/**
 * The broker's id; the part after the last dot counts corrections.
 */
execId: string, 
/**
 * Empty where somebody else's.
 */
orderRef: string, 
/**
 * The wire handle.
 */
orderId: number, 
/**
 * The order's lasting id.
 */
permId: number, 
/**
 * Which listing.
 */
conId: number, 
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
 * The broker's time of it.
 */
filledAtMs: number, };

/**
 * A position as the broker tells it.
 */
export type BrokerPosition = { 
/**
 * Which listing.
 */
conId: number, 
/**
 * "MESZ6".
 */
localSymbol: string, 
/**
 * Signed contracts.
 */
position: number, 
/**
 * Average price in ticks times 100; none where flat.
 */
averageTicksE2: number | null, };

/**
 * What a person commands.
 */
export type Command = { "verb": "pause", 
/**
 * None = until /resume.
 */
untilMs: number | null, } | { "verb": "resume", } | { "verb": "flatten", } | { "verb": "halt", 
/**
 * Why, for the record.
 */
reason: string, } | { "verb": "arm", } | { "verb": "acknowledge", 
/**
 * The notice.
 */
noticeId: number, } | { "verb": "adopt", };

/**
 * One changed setting, for people.
 */
export type ConfigChange = { 
/**
 * "strategy.window".
 */
path: string, 
/**
 * "60 bars".
 */
old: string, 
/**
 * "90 bars".
 */
new: string, };

/**
 * An effect and the event that caused it.
 */
export type Caused = { 
/**
 * Sequence number of the cause in the journal.
 */
cause: number, } & ({ "type": "intent", 
/**
 * The order, or the first of a bracket.
 */
orderRef: string, 
/**
 * What exactly.
 */
action: OrderAction, 
/**
 * Why, in the words of the decision record.
 */
why: string, } | { "type": "ask_broker" } & BrokerQuestion | { "type": "wake_at", 
/**
 * When.
 */
atMs: number, } | { "type": "decision", 
/**
 * The bar.
 */
bar: Bar, 
/**
 * None where undefined [S3].
 */
z: number | null, 
/**
 * Mean of the window in ticks.
 */
meanTicks: number | null, 
/**
 * Standard deviation in ticks.
 */
sdTicks: number | null, 
/**
 * Bars in the window.
 */
filled: number, 
/**
 * What the strategy wants before risk has looked.
 */
wants: Wish, 
/**
 * The first gate that stopped an entry; none where nothing did.
 */
blockedBy: string | null, } | { "type": "notice_queued", 
/**
 * How it is told and whether it can be off.
 */
class: NoticeClass, 
/**
 * Folding: the same key is told at most once in 60 s, with a count.
 */
dedupeKey: string | null, 
/**
 * What.
 */
notice: Notice, } | { "type": "round_trip", 
/**
 * The trade.
 */
trade: RoundTrip, } | { "type": "round_trip_restated", 
/**
 * The trade as it is known now.
 */
trade: RoundTrip, 
/**
 * What changed, for a person.
 */
why: string, } | { "type": "drop_link", 
/**
 * Why, for a person.
 */
reason: string, } | { "type": "posture_changed", 
/**
 * Before.
 */
from: Posture, 
/**
 * Now.
 */
to: Posture, 
/**
 * Until when it is paused; none = until a person says so.
 */
untilMs: number | null, 
/**
 * Why.
 */
reason: string, } | { "type": "latch", 
/**
 * Who or which control.
 */
by: string, 
/**
 * Why.
 */
reason: string, } | { "type": "unlatch", 
/**
 * Who.
 */
by: string, } | { "type": "control", 
/**
 * Its event name in lower snake case: "daily_loss".
 */
control: string, 
/**
 * True where it tripped.
 */
tripped: boolean, 
/**
 * The figures, for a person.
 */
detail: string, } | { "type": "command_answered", 
/**
 * Who asked.
 */
by: string, 
/**
 * Telegram's update.
 */
updateId: number | null, 
/**
 * "pause", "resume", "flatten", "halt", "arm", "acknowledge", "adopt".
 */
verb: string, 
/**
 * True where it was done or begun.
 */
accepted: boolean, 
/**
 * True where this update had been obeyed before; nothing was done again.
 */
repeated: boolean, 
/**
 * What was done, or why not and what to do instead; sentences for a person.
 */
lines: Array<string>, } | { "type": "flat_confirmed", 
/**
 * Fills' result since the flatten began.
 */
netCents: number, } | { "type": "in_doubt", 
/**
 * The order.
 */
orderRef: string, 
/**
 * Why.
 */
reason: string, } | { "type": "anomaly", 
/**
 * What.
 */
detail: string, });

/**
 * One thing to do or to say.
 */
export type Effect = { "type": "intent", 
/**
 * The order, or the first of a bracket.
 */
orderRef: string, 
/**
 * What exactly.
 */
action: OrderAction, 
/**
 * Why, in the words of the decision record.
 */
why: string, } | { "type": "ask_broker" } & BrokerQuestion | { "type": "wake_at", 
/**
 * When.
 */
atMs: number, } | { "type": "decision", 
/**
 * The bar.
 */
bar: Bar, 
/**
 * None where undefined [S3].
 */
z: number | null, 
/**
 * Mean of the window in ticks.
 */
meanTicks: number | null, 
/**
 * Standard deviation in ticks.
 */
sdTicks: number | null, 
/**
 * Bars in the window.
 */
filled: number, 
/**
 * What the strategy wants before risk has looked.
 */
wants: Wish, 
/**
 * The first gate that stopped an entry; none where nothing did.
 */
blockedBy: string | null, } | { "type": "notice_queued", 
/**
 * How it is told and whether it can be off.
 */
class: NoticeClass, 
/**
 * Folding: the same key is told at most once in 60 s, with a count.
 */
dedupeKey: string | null, 
/**
 * What.
 */
notice: Notice, } | { "type": "round_trip", 
/**
 * The trade.
 */
trade: RoundTrip, } | { "type": "round_trip_restated", 
/**
 * The trade as it is known now.
 */
trade: RoundTrip, 
/**
 * What changed, for a person.
 */
why: string, } | { "type": "drop_link", 
/**
 * Why, for a person.
 */
reason: string, } | { "type": "posture_changed", 
/**
 * Before.
 */
from: Posture, 
/**
 * Now.
 */
to: Posture, 
/**
 * Until when it is paused; none = until a person says so.
 */
untilMs: number | null, 
/**
 * Why.
 */
reason: string, } | { "type": "latch", 
/**
 * Who or which control.
 */
by: string, 
/**
 * Why.
 */
reason: string, } | { "type": "unlatch", 
/**
 * Who.
 */
by: string, } | { "type": "control", 
/**
 * Its event name in lower snake case: "daily_loss".
 */
control: string, 
/**
 * True where it tripped.
 */
tripped: boolean, 
/**
 * The figures, for a person.
 */
detail: string, } | { "type": "command_answered", 
/**
 * Who asked.
 */
by: string, 
/**
 * Telegram's update.
 */
updateId: number | null, 
/**
 * "pause", "resume", "flatten", "halt", "arm", "acknowledge", "adopt".
 */
verb: string, 
/**
 * True where it was done or begun.
 */
accepted: boolean, 
/**
 * True where this update had been obeyed before; nothing was done again.
 */
repeated: boolean, 
/**
 * What was done, or why not and what to do instead; sentences for a person.
 */
lines: Array<string>, } | { "type": "flat_confirmed", 
/**
 * Fills' result since the flatten began.
 */
netCents: number, } | { "type": "in_doubt", 
/**
 * The order.
 */
orderRef: string, 
/**
 * Why.
 */
reason: string, } | { "type": "anomaly", 
/**
 * What.
 */
detail: string, };

/**
 * What is asked of the broker, with the terms that the answer must be about; its name is [`Ask`].
 */
export type BrokerQuestion = { "ask": "contract", } | { "ask": "state", } | { "ask": "history", 
/**
 * Their length; 0 = a bar for every trade, of which no broker has any.
 */
barMs: number, 
/**
 * How many, the newest.
 */
bars: number, } | { "ask": "market_data", } | { "ask": "margin", 
/**
 * Contracts of the entry.
 */
quantity: number, };

/**
 * What the strategy wants at a close.
 */
export type Wish = "nothing" | "enter_long" | "enter_short" | "exit";

/**
 * What to do with orders.
 */
export type OrderAction = { "do": "place", 
/**
 * Entry first, then its children; or one exit.
 */
orders: Array<OrderRequest>, } | { "do": "modify", 
/**
 * The order with its new terms.
 */
order: OrderRequest, } | { "do": "cancel", 
/**
 * The wire handle of the one that is meant where several orders have this reference (R19); none = the only one.
 */
orderId?: number, };

/**
 * An order as we ask for it. Nothing is left to a default.
 */
export type OrderRequest = { 
/**
 * Ours, unique for ever: `QS1-<instance4>-<yymmdd>-<seq base36>-<leg>`.
 */
orderRef: string, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts.
 */
quantity: number, 
/**
 * Kind and price.
 */
kind: OrderKind, 
/**
 * How long it lives.
 */
tif: Tif, 
/**
 * The entry that it waits for.
 */
parentRef: string | null, 
/**
 * One cancels the other within this group.
 */
ocaGroup: string | null, 
/**
 * True where it works at all hours.
 */
outsideRth: boolean, };

/**
 * How a notice is told (telegram note, section 5).
 */
export type NoticeClass = "critical" | "trade" | "session" | "link" | "control" | "system";

/**
 * Why an entry was made, for its notice and for /why.
 */
export type EntryReason = { 
/**
 * z at the signal.
 */
z: number, 
/**
 * The threshold that it reached, signed.
 */
thresholdZ: number, 
/**
 * The close that made it, in ticks.
 */
closeTicks: number, 
/**
 * Mean of the window in ticks.
 */
meanTicks: number, 
/**
 * Standard deviation in ticks.
 */
sdTicks: number, 
/**
 * Bars in the window.
 */
window: number, 
/**
 * Bar length.
 */
samplingMs: number, };

/**
 * What a person is told: figures only, the words are the view's.
 */
export type Notice = { "event": "entry_sent", 
/**
 * Buy or sell.
 */
side: Side, 
/**
 * Contracts.
 */
quantity: number, 
/**
 * Why.
 */
reason: EntryReason, } | { "event": "entry_filled", 
/**
 * Buy or sell.
 */
side: Side, 
/**
 * Contracts of this fill.
 */
quantity: number, 
/**
 * Fill price.
 */
priceTicks: number, 
/**
 * Why; none where adopted.
 */
reason: EntryReason | null, 
/**
 * The stop at the broker.
 */
stopTicks: number | null, 
/**
 * The target at the broker.
 */
targetTicks: number | null, 
/**
 * Where the z-exit stands now, in ticks.
 */
exitNearTicks: number | null, 
/**
 * z that exits, signed.
 */
exitZ: number, 
/**
 * Latest exit by the hold limit.
 */
latestExitAtMs: number, 
/**
 * Against the signal's close, in ticks; positive = worse.
 */
slippageTicks: number | null, 
/**
 * Fees of this fill.
 */
feeCents: number, } | { "event": "exit_filled", 
/**
 * The trade.
 */
trade: RoundTrip, 
/**
 * The day so far.
 */
today: Today, } | { "event": "order_rejected", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * The broker's code.
 */
code: number, 
/**
 * The broker's words.
 */
text: string, 
/**
 * True where it was to reduce risk.
 */
onExit: boolean, } | { "event": "entry_denied", 
/**
 * Which way.
 */
side: Side, 
/**
 * The gate.
 */
gate: Gate, } | { "event": "halted", 
/**
 * Control's event name or "command".
 */
control: string, 
/**
 * The figures.
 */
detail: string, 
/**
 * What is being done.
 */
doing: Array<string>, 
/**
 * The day so far.
 */
today: Today, } | { "event": "paused", 
/**
 * None = until /resume.
 */
untilMs: number | null, 
/**
 * Why.
 */
reason: string, 
/**
 * Who, or "risk".
 */
by: string, } | { "event": "resumed", 
/**
 * Who, or "timer".
 */
by: string, } | { "event": "armed", 
/**
 * Who.
 */
by: string, } | { "event": "flattening", 
/**
 * Who or which control.
 */
by: string, 
/**
 * Signed contracts at the time.
 */
position: number, 
/**
 * Working orders of ours at the time.
 */
orders: number, } | { "event": "flat_confirmed", 
/**
 * Result of the fills since the flatten began.
 */
netCents: number, 
/**
 * Posture now.
 */
posture: Posture, } | { "event": "not_flat", 
/**
 * Seconds since it began.
 */
seconds: number, 
/**
 * Signed contracts by our book.
 */
position: number, 
/**
 * What is in the way and what comes next.
 */
detail: string, } | { "event": "position_mismatch", 
/**
 * By our book.
 */
ours: number, 
/**
 * By the broker's.
 */
brokers: number, 
/**
 * What the bot does now.
 */
detail: string, } | { "event": "order_in_doubt", 
/**
 * Ours.
 */
orderRef: string, 
/**
 * Why, and what is being done.
 */
detail: string, } | { "event": "gateway_down", 
/**
 * Why.
 */
detail: string, 
/**
 * Signed contracts.
 */
position: number, } | { "event": "gateway_up", 
/**
 * How long it was gone.
 */
downMs: number, 
/**
 * What reconciliation found, empty = nothing.
 */
differences: Array<string>, } | { "event": "data_stale", 
/**
 * Age.
 */
ageMs: number, } | { "event": "data_fresh", 
/**
 * How long they were gone.
 */
goneMs: number, } | { "event": "warmed_up", 
/**
 * Bars.
 */
bars: number, } | { "event": "session_opened", 
/**
 * "2026-11-25".
 */
tradeDate: string, } | { "event": "daily_summary", 
/**
 * "2026-11-25".
 */
tradeDate: string, 
/**
 * Figures.
 */
today: Today, 
/**
 * Entries that gates stopped, by gate.
 */
blocked: Array<Count>, 
/**
 * Exits by reason.
 */
exits: Array<Count>, 
/**
 * How often the gateway was gone and for how long.
 */
gatewayDownCount: number, 
/**
 * In all.
 */
gatewayDownMs: number, } | { "event": "roll_due", 
/**
 * "MESZ6".
 */
localSymbol: string, 
/**
 * Calendar days to the last trade date.
 */
daysLeft: number, } | { "event": "config_changed", 
/**
 * New revision.
 */
revision: number, 
/**
 * Who.
 */
by: string, 
/**
 * What.
 */
changes: Array<ConfigChange>, } | { "event": "started", 
/**
 * Version.
 */
version: string, 
/**
 * True after a crash.
 */
afterCrash: boolean, 
/**
 * Posture that it starts with.
 */
posture: Posture, } | { "event": "stopped", 
/**
 * Why.
 */
reason: string, 
/**
 * Signed contracts that stay open.
 */
position: number, 
/**
 * Own orders that keep working at the broker.
 */
orders: number, } | { "event": "told", 
/**
 * The event's name.
 */
name: string, 
/**
 * Sentences.
 */
lines: Array<string>, };

/**
 * A name and how often.
 */
export type Count = { 
/**
 * What.
 */
name: string, 
/**
 * How often.
 */
count: number, };

/**
 * Flat → position → flat.
 */
export type RoundTrip = { 
/**
 * Counts from 1 for ever.
 */
tradeId: number, 
/**
 * Trading day of the exit, "2026-11-25".
 */
tradeDate: string, 
/**
 * "MESZ6".
 */
contract: string, 
/**
 * Side of the entry.
 */
side: Side, 
/**
 * Contracts at the largest.
 */
quantity: number, 
/**
 * The close that made the signal.
 */
signalAtMs: number, 
/**
 * First entry fill.
 */
entryAtMs: number, 
/**
 * Last exit fill.
 */
exitAtMs: number, 
/**
 * Average, in ticks.
 */
entryPriceTicks: number, 
/**
 * Average, in ticks.
 */
exitPriceTicks: number, 
/**
 * Why it ended.
 */
reason: ExitReason, 
/**
 * Before fees.
 */
grossCents: number, 
/**
 * Both sides.
 */
feesCents: number, 
/**
 * After fees.
 */
netCents: number, 
/**
 * z at the signal.
 */
zEntry: number | null, 
/**
 * z at the last close before the exit.
 */
zExit: number | null, 
/**
 * Worst open loss on the way, ≤ 0.
 */
maeCents: number, 
/**
 * Best open gain on the way, ≥ 0.
 */
mfeCents: number, };

/**
 * Which way.
 */
export type Side = "buy" | "sell";

/**
 * What an order does in a round trip; the last letter of its reference.
 */
export type Leg = "entry" | "stop" | "target" | "exit";

/**
 * Kind of an order with its prices.
 */
export type OrderKind = { "kind": "market", } | { "kind": "limit", 
/**
 * The limit.
 */
limitTicks: number, } | { "kind": "stop", 
/**
 * The trigger.
 */
stopTicks: number, };

/**
 * How long an order lives.
 */
export type Tif = "day" | "gtc";

/**
 * The link to the broker (reliability note, section E).
 */
export type Link = "down" | "connecting" | "syncing" | "up" | "degraded";

/**
 * Exactly one at a time (telegram note, section 1).
 */
export type Posture = "trading" | "paused" | "halted" | "flattening";

/**
 * Why a round trip ended. The words of the strategy note.
 */
export type ExitReason = "zexit" | "time" | "stop" | "stop_gap" | "target" | "target_gap" | "daily_loss" | "session_close" | "session_end" | "flatten" | "external";

/**
 * A condition on entries with its figures.
 */
export type Gate = { 
/**
 * "spread".
 */
name: string, 
/**
 * True where it lets entries pass.
 */
open: boolean, 
/**
 * The figures, for a person: "1 t ≤ 2 t".
 */
detail: string, };

/**
 * The trading day so far.
 */
export type Today = { 
/**
 * "2026-11-25"; empty before the first event.
 */
tradeDate: string, 
/**
 * Round trips.
 */
trades: number, 
/**
 * Net above zero.
 */
wins: number, 
/**
 * Net below zero.
 */
losses: number, 
/**
 * Before fees.
 */
grossCents: number, 
/**
 * Of every fill so far.
 */
feesCents: number, 
/**
 * Realised, after fees.
 */
netCents: number, 
/**
 * Open result before fees; 0 where flat.
 */
openCents: number, 
/**
 * Best round trip, net; 0 without trades.
 */
bestCents: number, 
/**
 * Worst round trip, net; 0 without trades.
 */
worstCents: number, 
/**
 * Largest fall of net + open from its peak of the day, ≥ 0.
 */
drawdownCents: number, 
/**
 * What is left until the daily limit: limit + net + open.
 */
lossLeftCents: number, 
/**
 * Losses in a row.
 */
lossStreak: number, };

/**
 * Our position and its protection.
 */
export type PositionStatus = { 
/**
 * Signed contracts.
 */
position: number, 
/**
 * Average entry price in ticks.
 */
averageTicks: number, 
/**
 * Price that it is valued at (bid for long, ask for short, else the last).
 */
markTicks: number | null, 
/**
 * Before fees.
 */
openCents: number, 
/**
 * First entry fill.
 */
entryAtMs: number, 
/**
 * When the hold limit ends it.
 */
latestExitAtMs: number, 
/**
 * Working stop at the broker.
 */
stopTicks: number | null, 
/**
 * Working target at the broker.
 */
targetTicks: number | null, 
/**
 * z that exits, signed.
 */
exitZ: number, 
/**
 * z at the signal.
 */
zEntry: number | null, };

/**
 * A working order of ours or a foreign one.
 */
export type OrderStatus = { 
/**
 * Ours, or empty.
 */
orderRef: string, 
/**
 * None = not ours.
 */
leg: Leg | null, 
/**
 * Which way.
 */
side: Side, 
/**
 * Contracts.
 */
quantity: number, 
/**
 * Filled so far.
 */
filled: number, 
/**
 * Kind and price; none for a foreign kind.
 */
kind: OrderKind | null, 
/**
 * State word of the reliability note, lower snake case: "acked".
 */
state: string, 
/**
 * Since when it is known.
 */
sinceMs: number, };

/**
 * Everything that a person may want to see of the engine, in one piece.
 */
export type Status = { 
/**
 * Stamp of the last event.
 */
atMs: number, 
/**
 * Sequence number of the last event.
 */
seq: number, 
/**
 * "DEMO", "PAPER", "LIVE".
 */
badge: string, 
/**
 * Exactly one.
 */
posture: Posture, 
/**
 * End of a pause.
 */
pausedUntilMs: number | null, 
/**
 * Why it is paused or halted; empty where trading.
 */
postureReason: string, 
/**
 * The link.
 */
link: Link, 
/**
 * Since when.
 */
linkSinceMs: number, 
/**
 * The account.
 */
account: string | null, 
/**
 * True once reconciled on this connection.
 */
reconciled: boolean, 
/**
 * The listing.
 */
contract: Contract | null, 
/**
 * Is the market open; none where its hours are not known.
 */
marketOpen: boolean | null, 
/**
 * The present or next span of trading.
 */
hours: Span | null, 
/**
 * Last trade.
 */
lastTicks: number | null, 
/**
 * Best bid.
 */
bidTicks: number | null, 
/**
 * Best ask.
 */
askTicks: number | null, 
/**
 * Age of the last quote.
 */
quoteAgeMs: number | null, 
/**
 * z at the last close.
 */
z: number | null, 
/**
 * Mean of the window in ticks.
 */
meanTicks: number | null, 
/**
 * Standard deviation in ticks.
 */
sdTicks: number | null, 
/**
 * Bars in the window.
 */
windowFilled: number, 
/**
 * Bars that it needs.
 */
windowSize: number, 
/**
 * Bars so far that closed.
 */
bars: number, 
/**
 * None where flat.
 */
position: PositionStatus | null, 
/**
 * Ours and foreign ones in our contract.
 */
orders: Array<OrderStatus>, 
/**
 * Conditions on entries, in the order in which they are asked.
 */
gates: Array<Gate>, 
/**
 * The last signal that a gate stopped: "12:41 long: paused" in parts.
 */
lastBlocked: Blocked | null, 
/**
 * The day so far.
 */
today: Today, 
/**
 * Revision of the configuration.
 */
revision: number, 
/**
 * Highest wire handle that this account's orders have had here.
 */
highestOrderId: number, 
/**
 * Foreign or unexplained things that wait for a person; empty = none.
 */
questions: Array<string>, };

/**
 * A signal that a gate stopped.
 */
export type Blocked = { 
/**
 * When.
 */
atMs: number, 
/**
 * Which way.
 */
side: Side, 
/**
 * Name of the gate.
 */
gate: string, };

/**
 * How fills are assumed.
 */
export type FillModel = { 
/**
 * Both touched in one bar.
 */
intrabar: Intrabar, 
/**
 * When the target fills.
 */
targetFill: TargetFill, 
/**
 * Equity before the first bar; above 0.
 */
startEquityCents: number, };

/**
 * Which of stop and target filled where a bar touched both [S4 B]. The truth lies between the two.
 */
export type Intrabar = "stop-first" | "target-first";

/**
 * When a target order fills [S4 B].
 */
export type TargetFill = "touch" | "through";

/**
 * What a backtest found.
 */
export type BacktestReport = { 
/**
 * In order of their exits.
 */
trades: Array<BacktestTrade>, 
/**
 * In order of time.
 */
events: Array<BacktestEvent>, 
/**
 * Closes at which an entry was wanted and stopped, by the gate or rule that stopped it.
 */
blocked: { [key in string]: number }, 
/**
 * Bars inside of which both stop and target of a position lay: where above 0, the truth is between the two `Intrabar`.
 */
bothTouched: number, 
/**
 * Entries and z-exits that |z| decided by being the threshold exactly [S3].
 */
ties: number, 
/**
 * In order.
 */
sessions: Array<SessionEquity>, 
/**
 * Signed contracts still held when the data ended; they are in the equity and not among the trades. 0 on bars [S9].
 */
openAtEnd: number, 
/**
 * Things that should not happen, on ticks: orders in doubt, anomalies of the engine's bookkeeping.
 */
anomalies: number, 
/**
 * [S10].
 */
statistics: Statistics, };

/**
 * A round trip of a backtest.
 */
export type BacktestTrade = { 
/**
 * Counts from 1.
 */
tradeId: number, 
/**
 * Side of the entry.
 */
side: Side, 
/**
 * Contracts.
 */
quantity: number, 
/**
 * The close that made the signal.
 */
signalAtMs: number, 
/**
 * Open of the bar that filled it.
 */
entryAtMs: number, 
/**
 * Slippage included.
 */
entryTicks: number, 
/**
 * The bar's open for an exit at the open, its close time for one inside or at the close.
 */
exitAtMs: number, 
/**
 * Slippage included.
 */
exitTicks: number, 
/**
 * Why it ended.
 */
reason: ExitReason, 
/**
 * Bars from the entry bar to the exit bar.
 */
bars: number, 
/**
 * Before fees.
 */
grossCents: number, 
/**
 * Both sides.
 */
feesCents: number, 
/**
 * After fees.
 */
netCents: number, 
/**
 * What the assumed slippage took; a part of gross.
 */
slippageCents: number, 
/**
 * z at the signal.
 */
zSignal: number, };

/**
 * What a limit did in a backtest [S8].
 */
export type BacktestEvent = { "type": "pause", 
/**
 * The exit that completed the streak.
 */
atMs: number, 
/**
 * First time that is free again.
 */
untilMs: number, } | { "type": "daily_loss_halt", 
/**
 * The close that showed it.
 */
atMs: number, 
/**
 * The session.
 */
tradeDate: string, } | { "type": "control", 
/**
 * When.
 */
atMs: number, 
/**
 * Its event name in lower snake case: "trail_dd".
 */
control: string, 
/**
 * The figures, for a person.
 */
detail: string, };

/**
 * Equity at the last close of a session.
 */
export type SessionEquity = { 
/**
 * The session.
 */
tradeDate: string, 
/**
 * Equity.
 */
equityCents: number, };

/**
 * How the market is met, beside what [`FillModel`] says.
 */
export type TickModel = { 
/**
 * An order, change or cancel acts so long after it was decided; 0 to 60 000.
 */
latencyMs: number, 
/**
 * When a resting limit order fills.
 */
resting: Resting, 
/**
 * What is traded, with its hours and its last trade date, which may be empty.
 */
contract: Contract, 
/**
 * Which daily price limits it has; none where it is left out.
 */
priceLimits?: PriceLimits | null, };

/**
 * When a limit order that rests is filled by a trade. Whatever is chosen, it fills once the other side of the book comes to
 * its price: then everything before it is gone.
 */
export type Resting = "touch" | "queue" | "through";

/**
 * Daily price limits by the rules of an exchange.
 */
export type PriceLimits = "equity_index";

/**
 * Figures of a run. One without meaning is none, and `undefined` says why; none is ever NaN or infinite.
 */
export type Statistics = { 
/**
 * Round trips.
 */
trades: number, 
/**
 * Net above zero.
 */
wins: number, 
/**
 * Net below zero.
 */
losses: number, 
/**
 * Net zero.
 */
scratches: number, 
/**
 * wins / trades (backtesting.py "Win Rate").
 */
winRate: number | null, 
/**
 * Sum of wins / |sum of losses| (quantstats `profit_factor` on trades).
 */
profitFactor: number | null, 
/**
 * Mean win / |mean loss| (quantstats `payoff_ratio`).
 */
payoffRatio: number | null, 
/**
 * Mean net of a trade.
 */
expectancyCents: number | null, 
/**
 * Largest net of a trade.
 */
bestTradeCents: number | null, 
/**
 * Smallest net of a trade.
 */
worstTradeCents: number | null, 
/**
 * Most wins in a row; a scratch ends a row (quantstats `consecutive_wins`).
 */
winStreak: number, 
/**
 * Most losses in a row; a scratch ends a row (quantstats `consecutive_losses`), which the loss-streak control [S8] does not
 * let it do.
 */
lossStreak: number, 
/**
 * Before fees.
 */
grossCents: number, 
/**
 * Of all fills.
 */
feesCents: number, 
/**
 * After fees.
 */
netCents: number, 
/**
 * What the assumed slippage took of all fills; a part of gross.
 */
slippageCents: number, 
/**
 * Fees / what the trades that gained before costs (fees and slippage) had gained.
 */
feesShare: number | null, 
/**
 * Slippage / the same.
 */
slippageShare: number | null, 
/**
 * Equity at the last close.
 */
finalEquityCents: number, 
/**
 * Largest fall from a peak, marked to the market at each close, the starting equity included; ≥ 0.
 */
maxDrawdownCents: number, 
/**
 * Largest fall as a share of its peak, ≥ 0 (empyrical `max_drawdown` of the closes' returns with the sign turned).
 */
maxDrawdownShare: number, 
/**
 * When that was; none where equity never fell.
 */
maxDrawdownFall: Fall | null, 
/**
 * Most bars in a row with a close below the highest equity before.
 */
underWaterBars: number, 
/**
 * Growth a year: (last / starting equity)^(252 / sessions) − 1 (empyrical `annual_return` of the sessions' returns).
 */
annualReturn: number | null, 
/**
 * Standard deviation (ddof 1) of the sessions' returns times √252 (empyrical `annual_volatility`).
 */
annualVolatility: number | null, 
/**
 * Mean / standard deviation (ddof 1) of the sessions' returns, times √252, without a risk-free rate (quantstats and
 * empyrical `sharpe`). To be read with `sessions` beside it.
 */
sharpe: number | null, 
/**
 * Mean / root of the mean square of the sessions' returns below 0, all sessions counted, times √252 (quantstats and
 * empyrical `sortino`).
 */
sortino: number | null, 
/**
 * `annual_return` / `max_drawdown_share` (empyrical `calmar_ratio`, but that the drawdown is that of each close and not
 * only of each session's last: it never looks better).
 */
calmar: number | null, 
/**
 * Sessions in the data.
 */
sessions: number, 
/**
 * Share of bars with a position.
 */
exposure: number | null, 
/**
 * Mean of the trades' bars.
 */
holdBarsMean: number | null, 
/**
 * Trades by the reason of their exit.
 */
exitReasons: { [key in ExitReason]?: number }, 
/**
 * Of each figure that is none, by its name: why.
 */
undefined: { [key in string]: Undefined }, };

/**
 * The deepest fall of equity as a share of its peak. Bars by their place, from 0.
 */
export type Fall = { 
/**
 * The close of the peak; none = the starting equity.
 */
peakBar: number | null, 
/**
 * The close at the bottom.
 */
troughBar: number, 
/**
 * The first close at or above the peak after it; none = not in the data.
 */
recoveredBar: number | null, };

/**
 * Why a figure has no value.
 */
export type Undefined = "no_bars" | "no_trades" | "no_wins" | "no_losses" | "nothing_won" | "few_sessions" | "no_deviation" | "no_downside" | "no_drawdown" | "ruined" | "no_variance" | "one_trial" | "too_few" | "unstable";

/**
 * How a study is made.
 */
export type StudySettings = { 
/**
 * The same seed gives the same intervals.
 */
seed: number, 
/**
 * Resampled series; at most 2 000, fewer where the series is very long.
 */
resamples: number, 
/**
 * Parameter sets that were tried before this one was chosen, itself included; at least 1.
 */
trials: number, };

/**
 * What chance may have to do with a run. One without meaning is none, and `undefined` says why.
 */
export type Study = { 
/**
 * Share of the resamples inside of an interval.
 */
level: number, 
/**
 * Of the generator.
 */
seed: number, 
/**
 * Resampled series of round trips, and the mean length of their blocks.
 */
tradeResamples: number, 
/**
 * In round trips.
 */
tradeBlockMean: number, 
/**
 * Of sessions.
 */
sessionResamples: number, 
/**
 * In sessions.
 */
sessionBlockMean: number, 
/**
 * Of the net of all trades.
 */
netCents: Interval | null, 
/**
 * Of the mean net of a trade.
 */
expectancyCents: Interval | null, 
/**
 * Of wins / trades.
 */
winRate: Interval | null, 
/**
 * Of sum of wins / |sum of losses|.
 */
profitFactor: Interval | null, 
/**
 * Of the Sharpe ratio a year.
 */
sharpe: Interval | null, 
/**
 * Of the Sortino ratio a year.
 */
sortino: Interval | null, 
/**
 * Third standardised moment of the sessions' returns.
 */
skewness: number | null, 
/**
 * Fourth standardised moment; 3 for a normal distribution.
 */
kurtosis: number | null, 
/**
 * Probability that the true Sharpe ratio lies above 0 (Bailey and López de Prado 2012).
 */
probabilisticSharpe: number | null, 
/**
 * Parameter sets tried, as was said.
 */
trials: number, 
/**
 * The Sharpe ratio a year that the best of so many tries without skill is expected to show.
 */
sharpeByLuck: number | null, 
/**
 * Probability that the true Sharpe ratio lies above that (Bailey and López de Prado 2014).
 */
deflatedSharpe: number | null, 
/**
 * Of each figure that is none, by its name: why.
 */
undefined: { [key in string]: Undefined }, };

/**
 * Where a figure may lie: nine tenths of the resamples did.
 */
export type Interval = { 
/**
 * The 5 % quantile.
 */
low: number, 
/**
 * The 95 % quantile.
 */
high: number, };

/**
 * What one run is made with.
 */
export type Combination = { 
/**
 * The rules.
 */
settings: EngineSettings, 
/**
 * How fills are assumed.
 */
fills: FillModel, };

/**
 * Sessions of the data by their places, from 0: `from` and those before `to`.
 */
export type SessionSpan = { 
/**
 * The first.
 */
from: number, 
/**
 * The first that is not in it; not before `from`. Sessions beyond the data's last count for nothing.
 */
to: number, };

/**
 * What one combination came to.
 */
export type CombinationResult = { 
/**
 * [S10].
 */
statistics: Statistics, 
/**
 * Bars inside of which both stop and target of a position lay.
 */
bothTouched: number, 
/**
 * Of the spans that were asked for, in their order.
 */
spans: Array<SpanFigures>, };

/**
 * What some sessions of one run came to, as sums, so that sessions can be put together. Net results in cents, not
 * compounded: a Sharpe ratio of them is that of returns on a fixed capital.
 */
export type SessionSums = { 
/**
 * Sessions.
 */
sessions: number, 
/**
 * Round trips that ended in them.
 */
trades: number, 
/**
 * Round trips with a net above 0.
 */
wins: number, 
/**
 * Net result, fees of every fill included.
 */
netCents: number, 
/**
 * Sum of the squares of the sessions' net results, in cents².
 */
squares: number, 
/**
 * Sum of the trades' nets above 0.
 */
wonCents: number, 
/**
 * Sum of the trades' nets below 0, without its sign.
 */
lostCents: number, };

/**
 * Sums of one span with the ratios that follow from them.
 */
export type SpanFigures = { 
/**
 * What the sessions came to.
 */
sums: SessionSums, 
/**
 * See [`SessionSums::sharpe`].
 */
sharpe: number | null, 
/**
 * See [`SessionSums::profit_factor`].
 */
profitFactor: number | null, };

/**
 * What combinations are compared by, the larger the better.
 */
export type Objective = "sharpe" | "net" | "profit-factor";

/**
 * How the choice of the best does out of sample, over all ways to split the blocks in halves.
 */
export type Overfitting = { 
/**
 * Blocks of sessions.
 */
blocks: number, 
/**
 * Ways to split them: blocks choose blocks / 2.
 */
splits: number, 
/**
 * Probability of backtest overfitting: share of the splits in which the best in sample is at the median of all
 * combinations or below it out of sample.
 */
probability: number, 
/**
 * Share of the splits in which the best in sample loses money out of sample.
 */
lossProbability: number, 
/**
 * Median of the logits ln(ω / (1 − ω)) of the relative rank ω out of sample.
 */
medianLogit: number, 
/**
 * Slope and intercept of the straight line through (in sample, out of sample) of the objective of the best; none
 * where it is infinite somewhere or the same in all splits. A negative slope: the better it looked, the worse it did.
 */
degradation: Degradation | null, 
/**
 * How many splits fall on each tenth of the relative rank, worst first: ten equal columns are pure luck.
 */
rankTenths: [number, number, number, number, number, number, number, number, number, number], };

/**
 * A straight line by least squares.
 */
export type Degradation = { 
/**
 * Change out of sample for 1 more in sample.
 */
slope: number, 
/**
 * Out of sample where in sample is 0.
 */
intercept: number, };
