//! What the engine is told once: the settings in its own units. Written by the shell from `config/config.yaml`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything that the engine decides by. Money in cents, prices in ticks, durations in milliseconds, clock times in
/// minutes after local midnight, thresholds in ten-thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EngineSettings {
    /// The instrument in the abstract.
    pub instrument: Instrument,
    /// Signals.
    pub strategy: StrategySettings,
    /// Limits.
    pub risk: RiskSettings,
    /// Trading hours of our own.
    pub session: SessionSettings,
    /// What a fill costs.
    pub costs: CostSettings,
    /// Four characters that make our order references our own.
    pub instance: String,
    /// True where foreign orders in the contract do not block entries (R17).
    pub allow_foreign: bool,
    /// Calendar days before the last trade date from which on no entry is made; none switches the guard off (D23).
    pub roll_days_before: Option<u32>,
    /// Calendar days before the last trade date by which the position is flat (D23).
    pub flat_days_before: Option<u32>,
}

/// What is traded in the abstract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instrument {
    /// "MES".
    pub symbol: String,
    /// Tick size in ten-thousandths of a point: 2500 for 0.25.
    pub tick_size_e4: i64,
    /// What one tick is worth for one contract: 125 for MES.
    pub tick_value_cents: i64,
}

/// How the price series is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    /// The last trade.
    Last,
    /// The middle of bid and ask, exact in half ticks.
    Mid,
}

/// When the rolling window is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ResetWindow {
    /// At the first bar of each session [S2].
    Session,
    /// Never.
    Never,
}

/// Signals [S3, S6, S7].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StrategySettings {
    /// Bar length; 0 = one bar for every trade.
    pub sampling_ms: i64,
    /// Which price closes a bar.
    pub price: PriceKind,
    /// Bars in the window, the current one included.
    pub window: u32,
    /// Delta degrees of freedom, 0 or 1.
    pub ddof: u8,
    /// Entry threshold in ten-thousandths: 20000 for 2.0.
    pub entry_z_e4: i64,
    /// Exit threshold in ten-thousandths: 5000 for 0.5.
    pub exit_z_e4: i64,
    /// When the window is emptied.
    pub reset_window: ResetWindow,
    /// Contracts an entry.
    pub quantity: u32,
}

/// What the daily loss counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DailyLossBasis {
    /// Realised net and open gross.
    Total,
    /// Realised net only.
    Realised,
}

/// What ends a halt by the daily loss limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DailyLossReset {
    /// A person's /arm, from the next trade date on.
    Arm,
    /// The next session by itself [S2].
    NextSession,
}

/// How many orders a span of time may hold (D12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// At most so many in 60 seconds.
    pub minute: u32,
    /// At most so many in 60 minutes.
    pub hour: u32,
    /// At most so many in a trading day.
    pub day: u32,
}

/// Limits (reliability note, section D). `None` switches a limit off where that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RiskSettings {
    /// Stop per contract, turned into ticks rounded down [S5].
    pub stop_cents: Option<i64>,
    /// Target per contract, turned into ticks rounded up [S5].
    pub target_cents: Option<i64>,
    /// Daily loss limit [S8].
    pub daily_loss_cents: i64,
    /// What it counts.
    pub daily_loss_basis: DailyLossBasis,
    /// What ends its halt.
    pub daily_loss_reset: DailyLossReset,
    /// Losses in a row that pause entries.
    pub loss_streak: u32,
    /// For how long.
    pub loss_streak_pause_ms: i64,
    /// Longest time in a position.
    pub max_hold_ms: i64,
    /// Contracts, worst case (D1).
    pub max_position: u32,
    /// Worth of the position, worst case (D3); none = 1.7 × the run's first price for `max_position` contracts.
    pub max_notional_cents: Option<i64>,
    /// No entry that could pass the daily limit if stopped (D16).
    pub loss_budget_check: bool,
    /// Drawdown from the session's peak that flattens (D17).
    pub trailing_drawdown_cents: Option<i64>,
    /// Session gain from which on D17 watches.
    pub trailing_armed_at_cents: i64,
    /// An entry's price may be so far from the middle (D4).
    pub entry_collar_ticks: i64,
    /// An exit's price may be so far from the middle (D4).
    pub exit_collar_ticks: i64,
    /// Quote age that blocks entries (D6).
    pub stale_entry_ms: i64,
    /// Quote age that raises an alarm (D6).
    pub stale_alarm_ms: i64,
    /// Widest spread for an entry (D7).
    pub max_spread_ticks: i64,
    /// Jump against the median of five that is taken for a bad tick (D8).
    pub bad_tick_ticks: i64,
    /// Own orders that may exist at once (D11).
    pub max_open_orders: u32,
    /// Entries (D12).
    pub entries_max: Option<RateLimit>,
    /// Orders (D12).
    pub orders_max: Option<RateLimit>,
    /// Share of the account in percent that must be left after the margin of an entry (D24); none switches it off.
    pub excess_liquidity_pct: Option<u32>,
}

/// A span of the local day in which entries are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryWindow {
    /// First minute after local midnight.
    pub from_minute: u32,
    /// First minute that is outside again.
    pub to_minute: u32,
}

/// Trading hours of our own [S2].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionSettings {
    /// IANA name.
    pub time_zone: String,
    /// A trading day starts here; none = one endless session.
    pub open_minute: Option<u32>,
    /// Empty = whenever the market is open.
    pub entry_windows: Vec<EntryWindow>,
    /// No entry this long before the flat window (D21).
    pub no_entry_before_flatten_ms: i64,
    /// The flat window starts here; none = no flat window.
    pub flatten_at_minute: Option<u32>,
    /// On an early close: this long before it.
    pub flatten_before_close_ms: i64,
    /// Reset windows of the broker in `reset_zone`, flat 15 minutes before and no orders inside (D22).
    pub reset_windows: Vec<ResetSpan>,
    /// IANA name.
    pub reset_zone: String,
}

/// A weekly span in which the broker resets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetSpan {
    /// Minute of the week, Monday 00:00 = 0.
    pub from_week_minute: u32,
    /// Exclusive; smaller than `from` where it passes the end of the week.
    pub to_week_minute: u32,
}

/// What a fill costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CostSettings {
    /// Per contract and side, until the broker's commission report replaces it.
    pub fee_cents: i64,
    /// Assumed in backtests and previews.
    pub slippage_ticks: i64,
}
