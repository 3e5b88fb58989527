//! The words that events, effects and reports share, and the report of everything that a person may want to see.

use crate::event::{Contract, Span};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Long.
    Buy,
    /// Short.
    Sell,
}

impl Side {
    /// Returns +1 for buy and −1 for sell.
    pub fn sign(self) -> i64 {
        match self {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }

    /// Returns the other way.
    pub fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }
}

/// What an order does in a round trip; the last letter of its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// E
    Entry,
    /// S
    Stop,
    /// T
    Target,
    /// X
    Exit,
}

/// Kind of an order with its prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum OrderKind {
    /// At the market.
    Market {},
    /// At this price or better.
    Limit {
        /// The limit.
        limit_ticks: i32,
    },
    /// At the market once the price trades.
    Stop {
        /// The trigger.
        stop_ticks: i32,
    },
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Tif {
    /// To the end of the trading day.
    Day,
    /// Until cancelled.
    Gtc,
}

/// The link to the broker (reliability note, section E).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// No connection.
    Down,
    /// Being made, up to the handshake's end.
    Connecting,
    /// Handshake done; what is true is being asked.
    Syncing,
    /// Connected.
    Up,
    /// Connected to the gateway, but the gateway has lost the broker (1100, 2110).
    Degraded,
}

/// Exactly one at a time (telegram note, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Posture {
    /// May enter.
    Trading,
    /// No entries until a time or /resume.
    Paused,
    /// No entries until /arm.
    Halted,
    /// Closing until verified flat.
    Flattening,
}

/// Why a round trip ended. The words of the strategy note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// z came back.
    Zexit,
    /// Held too long.
    Time,
    /// The stop order.
    Stop,
    /// The open had passed the stop (bars only).
    StopGap,
    /// The target order.
    Target,
    /// The open had passed the target (bars only).
    TargetGap,
    /// Daily loss limit.
    DailyLoss,
    /// The flat window.
    SessionClose,
    /// The session's last bar (bars only).
    SessionEnd,
    /// A person, or a control, closed it.
    Flatten,
    /// Closed outside of the bot.
    External,
}

/// A condition on entries with its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// "spread".
    pub name: String,
    /// True where it lets entries pass.
    pub open: bool,
    /// The figures, for a person: "1 t ≤ 2 t".
    pub detail: String,
}

/// The trading day so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Today {
    /// "2026-11-25"; empty before the first event.
    pub trade_date: String,
    /// Round trips.
    pub trades: u32,
    /// Net above zero.
    pub wins: u32,
    /// Net below zero.
    pub losses: u32,
    /// Before fees.
    pub gross_cents: i64,
    /// Of every fill so far.
    pub fees_cents: i64,
    /// Realised, after fees.
    pub net_cents: i64,
    /// Open result before fees; 0 where flat.
    pub open_cents: i64,
    /// Best round trip, net; 0 without trades.
    pub best_cents: i64,
    /// Worst round trip, net; 0 without trades.
    pub worst_cents: i64,
    /// Largest fall of net + open from its peak of the day, ≥ 0.
    pub drawdown_cents: i64,
    /// What is left until the daily limit: limit + net + open.
    pub loss_left_cents: i64,
    /// Losses in a row.
    pub loss_streak: u32,
}

/// Our position and its protection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PositionStatus {
    /// Signed contracts.
    pub position: i64,
    /// Average entry price in ticks.
    pub average_ticks: f64,
    /// Price that it is valued at (bid for long, ask for short, else the last).
    pub mark_ticks: Option<f64>,
    /// Before fees.
    pub open_cents: i64,
    /// First entry fill.
    pub entry_at_ms: i64,
    /// When the hold limit ends it.
    pub latest_exit_at_ms: i64,
    /// Working stop at the broker.
    pub stop_ticks: Option<i32>,
    /// Working target at the broker.
    pub target_ticks: Option<i32>,
    /// z that exits, signed.
    pub exit_z: f64,
    /// z at the signal.
    pub z_entry: Option<f64>,
}

/// A working order of ours or a foreign one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OrderStatus {
    /// Ours, or empty.
    pub order_ref: String,
    /// None = not ours.
    pub leg: Option<Leg>,
    /// Which way.
    pub side: Side,
    /// Contracts.
    pub quantity: i64,
    /// Filled so far.
    pub filled: i64,
    /// Kind and price; none for a foreign kind.
    pub kind: Option<OrderKind>,
    /// State word of the reliability note, lower snake case: "acked".
    pub state: String,
    /// Since when it is known.
    pub since_ms: i64,
}

/// Everything that a person may want to see of the engine, in one piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Stamp of the last event.
    pub at_ms: i64,
    /// Sequence number of the last event.
    pub seq: i64,
    /// "DEMO", "PAPER", "LIVE".
    pub badge: String,
    /// Exactly one.
    pub posture: Posture,
    /// End of a pause.
    pub paused_until_ms: Option<i64>,
    /// Why it is paused or halted; empty where trading.
    pub posture_reason: String,
    /// The link.
    pub link: Link,
    /// Since when.
    pub link_since_ms: i64,
    /// The account.
    pub account: Option<String>,
    /// True once reconciled on this connection.
    pub reconciled: bool,
    /// The listing.
    pub contract: Option<Contract>,
    /// Is the market open; none where its hours are not known.
    pub market_open: Option<bool>,
    /// The present or next span of trading.
    pub hours: Option<Span>,
    /// Last trade.
    pub last_ticks: Option<i32>,
    /// Best bid.
    pub bid_ticks: Option<i32>,
    /// Best ask.
    pub ask_ticks: Option<i32>,
    /// Age of the last quote.
    pub quote_age_ms: Option<i64>,
    /// z at the last close.
    pub z: Option<f64>,
    /// Mean of the window in ticks.
    pub mean_ticks: Option<f64>,
    /// Standard deviation in ticks.
    pub sd_ticks: Option<f64>,
    /// Bars in the window.
    pub window_filled: u32,
    /// Bars that it needs.
    pub window_size: u32,
    /// Bars so far that closed.
    pub bars: i64,
    /// None where flat.
    pub position: Option<PositionStatus>,
    /// Ours and foreign ones in our contract.
    pub orders: Vec<OrderStatus>,
    /// Conditions on entries, in the order in which they are asked.
    pub gates: Vec<Gate>,
    /// The last signal that a gate stopped: "12:41 long: paused" in parts.
    pub last_blocked: Option<Blocked>,
    /// The day so far.
    pub today: Today,
    /// Revision of the configuration.
    pub revision: u32,
    /// Highest wire handle that this account's orders have had here.
    pub highest_order_id: i64,
    /// Foreign or unexplained things that wait for a person; empty = none.
    pub questions: Vec<String>,
}

/// A signal that a gate stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// When.
    pub at_ms: i64,
    /// Which way.
    pub side: Side,
    /// Name of the gate.
    pub gate: String,
}
