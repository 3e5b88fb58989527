//! The words of the exchange: its settings, orders, changes, reports and figures. Declared here, generated into
//! `native/exchange.d.ts`. An `orderKey` is the caller's own number for an order.

use crate::status::Side;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What an exchange is made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeSettings {
    /// Account names; at least one. An order with an empty account belongs to the first.
    pub accounts: Vec<String>,
    /// An order, change or cancel acts this many milliseconds of market time after it came; 0 to 60 000.
    pub latency_ms: i64,
    /// Market orders and triggered stops fill this many ticks worse than the book; 0 to 100.
    pub extra_slippage_ticks: i32,
    /// Contracts to be had at each price behind the best one, whose own size is shown; at least 1.
    pub level_size: i64,
    /// When a limit order that rests is filled; `through` where it is left out.
    #[serde(default)]
    #[ts(optional = nullable, as = "Option<Resting>")]
    pub resting: Resting,
    /// Cash of each account at the start.
    pub start_cash_cents: i64,
    /// What is traded.
    pub instruments: Vec<ExchangeInstrument>,
}

/// When a limit order that rests is filled by a trade. Whatever is chosen, it fills once the other side of the book comes to
/// its price: then everything before it is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Resting {
    /// At its price, as the first in the line there.
    Touch,
    /// At its price, once the contracts that stood there before it have traded: those shown when it came, or `level_size`
    /// where its price was not the best and showed nothing.
    Queue,
    /// Only beyond its price, which takes the whole line. The default.
    #[default]
    Through,
}

/// One contract that the exchange trades.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeInstrument {
    /// The broker's id (conId).
    pub instrument_id: i64,
    /// For a person: "MESZ6".
    pub symbol: String,
    /// Tick size in ten-thousandths of a point; 2 500 = 0.25.
    pub tick_size_e4: i64,
    /// What one tick is worth for one contract.
    pub tick_value_cents: i64,
    /// Fee for one contract and side.
    pub fee_cents: i64,
    /// Equity wanted for one contract before a position grows.
    pub init_margin_cents: i64,
    /// Equity wanted for one contract held.
    pub maint_margin_cents: i64,
    /// Which daily price limits it has; none where it is left out.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub price_limits: Option<PriceLimits>,
}

/// Daily price limits by the rules of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PriceLimits {
    /// Of CME's and CBOT's US equity-index futures: 7, 13 and 20 % down in regular hours, 7 % both ways outside of them.
    EquityIndex,
}

/// An order as it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// The caller's number; unique among working orders and today's fills.
    pub order_key: i64,
    /// Whose; empty = the first account's.
    pub account: String,
    /// Which contract.
    pub instrument_id: i64,
    /// Which way.
    pub side: Side,
    /// Contracts; 1 to 10 000.
    pub quantity: i64,
    /// At which terms.
    pub kind: ExchangeOrderKind,
    /// How long it lives.
    pub tif: ExchangeTif,
    /// The order whose fill it waits for; it exits what that one entered.
    pub parent_key: Option<i64>,
    /// Orders of one account and group end each other.
    pub oca_group: Option<String>,
    /// 1 = any fill cancels the others; 2 and 3 = a fill takes its quantity off the others, a complete one cancels them.
    pub oca_type: u8,
}

/// Terms of an order. Prices are at least 1 tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum ExchangeOrderKind {
    /// At what the market gives.
    Market {},
    /// At this price or better.
    Limit {
        /// The worst price.
        limit_ticks: i32,
    },
    /// At the market once the price is reached.
    Stop {
        /// The trigger.
        stop_ticks: i32,
    },
    /// A limit once the price is reached.
    StopLimit {
        /// The trigger.
        stop_ticks: i32,
        /// The worst price.
        limit_ticks: i32,
    },
    /// A stop that follows the best trade at a distance.
    Trail {
        /// The distance; at least 1.
        trail_ticks: i32,
        /// Where it stands at first; none = the distance from the first price it sees.
        #[serde(default)]
        #[ts(optional = nullable)]
        stop_ticks: Option<i32>,
    },
    /// A stop that follows the best trade at a share of its price.
    TrailPercent {
        /// The share; 10 000 = 1 %, from 1 to 990 000. The distance is a whole number of ticks, rounded up.
        percent_e4: i32,
        /// Where it stands at first; none = the distance from the first price it sees.
        #[serde(default)]
        #[ts(optional = nullable)]
        stop_ticks: Option<i32>,
    },
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeTif {
    /// To the end of the session.
    Day,
    /// Until cancelled.
    Gtc,
    /// What does not fill at first sight is cancelled.
    Ioc,
}

/// What to change of a working order; none = as it was. A price that the order's kind does not have is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OrderChanges {
    /// The whole quantity, what has filled included.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub quantity: Option<i64>,
    /// New limit.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub limit_ticks: Option<i32>,
    /// New trigger; of a trailing stop, where it stands from now on.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub stop_ticks: Option<i32>,
    /// New distance.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub trail_ticks: Option<i32>,
    /// New distance as a share of the price.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub percent_e4: Option<i32>,
    /// New life.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub tif: Option<ExchangeTif>,
}

/// What the exchange says, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum ExchangeReport {
    /// The order is in.
    Accepted {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
    },
    /// The order waits and can not fill yet.
    Held {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
        /// For what.
        reason: HeldReason,
    },
    /// The order acts on the market from now on.
    Activated {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
    },
    /// A stop's price was reached.
    Triggered {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
    },
    /// Contracts changed hands.
    Fill {
        /// The execution.
        #[serde(flatten)]
        fill: ExchangeFill,
    },
    /// Another order of its group filled in part: this one is smaller now.
    Reduced {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
        /// Its whole quantity now, what has filled included.
        quantity: i64,
        /// Contracts still open.
        leaves_quantity: i64,
    },
    /// The order is gone.
    Cancelled {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
        /// Why.
        reason: CancelReason,
        /// Contracts that had filled before.
        cum_quantity: i64,
    },
    /// The order never was in.
    Rejected {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
        /// Why.
        reason: RejectReason,
        /// The same with its figures, for a person.
        text: String,
    },
    /// The order has its new terms.
    Modified {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
        /// Its whole quantity now, what has filled included.
        quantity: i64,
        /// Contracts still open.
        leaves_quantity: i64,
        /// Its terms now.
        kind: ExchangeOrderKind,
    },
    /// The change was refused; the order, if there is one, stands as it was.
    ModifyRejected {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
        /// Why, for a person.
        text: String,
    },
    /// There is no such working order (any more).
    CancelRejected {
        /// Which.
        order_key: i64,
        /// When.
        at_ms: i64,
    },
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeFill {
    /// Counts the exchange's executions from 1.
    pub fill_no: i64,
    /// Which order.
    pub order_key: i64,
    /// When.
    pub at_ms: i64,
    /// Whose.
    pub account: String,
    /// Which contract.
    pub instrument_id: i64,
    /// Which way.
    pub side: Side,
    /// Contracts.
    pub quantity: i64,
    /// Price.
    pub price_ticks: i32,
    /// Fee for all of them.
    pub fee_cents: i64,
    /// The order's contracts still open.
    pub leaves_quantity: i64,
    /// The order's contracts filled so far.
    pub cum_quantity: i64,
    /// The order's average price in hundredths of a tick, rounded.
    pub average_ticks_e2: i64,
    /// Signed position of the account in the contract afterwards.
    pub position_after: i64,
    /// What closing earned by average cost, fees not taken off; none where nothing was closed.
    pub realised_cents: Option<i64>,
    /// Which side of the trade it was.
    pub liquidity: Liquidity,
}

/// Whether an order rested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Liquidity {
    /// It rested and was hit.
    Added,
    /// It crossed the book.
    Removed,
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HeldReason {
    /// Its parent's fill.
    Child,
    /// The opening.
    Closed,
}

/// Why an order went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The caller said so.
    User,
    /// Another order of its group filled.
    Oca,
    /// Its parent went without a fill that it could exit.
    Parent,
    /// The session ended.
    Expired,
    /// Immediate-or-cancel: the rest.
    Ioc,
}

/// Why an order was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The key is in use.
    Duplicate,
    /// No such contract here.
    Instrument,
    /// No such account here.
    Account,
    /// Out of 1 to 10 000.
    Quantity,
    /// Below 1 tick.
    Price,
    /// No such working parent, or the parent itself was rejected.
    Parent,
    /// The type is not 1, 2 or 3, or the group has had a fill today.
    Oca,
    /// More equity is needed than there is.
    Margin,
    /// Too many working orders.
    TooMany,
    /// A limit price beyond the daily price limits.
    PriceLimit,
}

/// A working order as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeOrderStatus {
    /// The caller's number.
    pub order_key: i64,
    /// Whose.
    pub account: String,
    /// Which contract.
    pub instrument_id: i64,
    /// Which way.
    pub side: Side,
    /// Contracts in all.
    pub quantity: i64,
    /// Contracts still open.
    pub leaves_quantity: i64,
    /// Terms.
    pub kind: ExchangeOrderKind,
    /// Life.
    pub tif: ExchangeTif,
    /// The order it waits or waited for.
    pub parent_key: Option<i64>,
    /// Where it stands.
    pub stage: OrderStage,
    /// Where a trailing stop stands; none before it has seen a price.
    pub trail_stop_ticks: Option<i32>,
}

/// Where a working order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OrderStage {
    /// Waits for its parent.
    Child,
    /// On its way, or waits for the opening.
    Arriving,
    /// Acts on the market; a stop waits for its price.
    Working,
    /// A stop whose price was reached.
    Triggered,
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangePosition {
    /// Whose.
    pub account: String,
    /// Which contract.
    pub instrument_id: i64,
    /// Signed contracts; 0 for one that was closed today.
    pub position: i64,
    /// Average entry price in hundredths of a tick, rounded; none where flat.
    pub average_ticks_e2: Option<i64>,
    /// What closing at the last trade would earn, fees not taken off.
    pub unrealised_cents: i64,
}

/// Figures of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeAccount {
    /// Its name.
    pub account: String,
    /// Start cash, all closed profit and loss, less all fees.
    pub cash_cents: i64,
    /// Closed today, fees not taken off.
    pub realised_cents: i64,
    /// Fees today.
    pub fees_cents: i64,
    /// Open profit and loss.
    pub unrealised_cents: i64,
    /// Cash and open profit and loss.
    pub equity_cents: i64,
    /// Initial margin of what is held.
    pub initial_margin_cents: i64,
    /// Maintenance margin of what is held.
    pub maintenance_margin_cents: i64,
}

/// Where one contract's daily price limits stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeLimits {
    /// Which contract.
    pub instrument_id: i64,
    /// The close of the cash market by which the reference is made: 15:00 in Chicago of the weekday before.
    pub fixing_at_ms: i64,
    /// What the limits are measured from; none = not known, and no limit is in force.
    pub reference_ticks: Option<i32>,
    /// Nothing trades below; none = no limit downwards.
    pub down: Option<LimitPrice>,
    /// Nothing trades above; none = no limit upwards.
    pub up: Option<LimitPrice>,
    /// Where the market stands.
    pub standing: LimitStanding,
}

/// One price limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LimitPrice {
    /// The last price that can trade.
    pub price_ticks: i32,
    /// Its distance from the price that it was measured from.
    pub percent: u8,
}

/// Where the market stands between its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LimitStanding {
    /// At neither limit.
    Within,
    /// Offered at the lower limit, without a bid.
    Down,
    /// Bid at the upper limit, without an offer.
    Up,
}
