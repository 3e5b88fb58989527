//! The words of a backtest: how fills are assumed, what was found, and why none can be made.

use crate::calendar::{CalendarError, Date};
use crate::exchange::ExchangeError;
use crate::statistics::{Statistics, Study, StudySettings};
use crate::status::{ExitReason, Side};
use crate::zscore::WindowError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;
use ts_rs::TS;

/// Which of stop and target filled where a bar touched both [S4 B]. The truth lies between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Intrabar {
    /// The worse.
    StopFirst,
    /// The better.
    TargetFirst,
}

/// When a target order fills [S4 B].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TargetFill {
    /// Once its price trades.
    Touch,
    /// Once a better price trades.
    Through,
}

/// How fills are assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FillModel {
    /// Both touched in one bar.
    pub intrabar: Intrabar,
    /// When the target fills.
    pub target_fill: TargetFill,
    /// Equity before the first bar; above 0.
    pub start_equity_cents: i64,
}

/// Why a backtest cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BacktestError {
    /// Window or ddof.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The session's zone.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// Nothing to measure returns by.
    #[error("the starting equity of {cents} cents is not above 0")]
    StartEquity {
        /// What was asked.
        cents: i64,
    },
    /// A tick that is worth nothing.
    #[error("the tick value of {cents} cents is not above 0")]
    TickValue {
        /// What was asked.
        cents: i64,
    },
    /// `strategy.price` is `mid`, but the bars come without bid and ask.
    #[error("z of the middle wants the bid and the ask at each close, and these bars have none")]
    NoQuotes,
    /// Bars must be strictly increasing in time [S1].
    #[error("bar {index} opens at {open_at_ms} ms, not after the bar before it at {before_ms} ms")]
    BarOrder {
        /// Its place, from 0.
        index: usize,
        /// Its opening time.
        open_at_ms: i64,
        /// The opening time before it.
        before_ms: i64,
    },
    /// Open and close must lie between low and high.
    #[error("bar {index} at {open_at_ms} ms has an open or a close outside of its low and high")]
    BarShape {
        /// Its place, from 0.
        index: usize,
        /// Its opening time.
        open_at_ms: i64,
    },
    /// Market records that cannot be read, or are none.
    #[error("market records: {0}")]
    Records(String),
    /// The exchange does not take its settings or the market's records.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// A fault of ours in the engine or of what it is joined to.
    #[error("{0}")]
    Fault(String),
    /// The progress function said stop.
    #[error("stopped after {bars} bars, as asked")]
    Stopped {
        /// Bars done.
        bars: usize,
    },
}

/// A round trip of a backtest.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BacktestTrade {
    /// Counts from 1.
    pub trade_id: u32,
    /// Side of the entry.
    pub side: Side,
    /// Contracts.
    pub quantity: u32,
    /// The close that made the signal.
    pub signal_at_ms: i64,
    /// Open of the bar that filled it.
    pub entry_at_ms: i64,
    /// Slippage included.
    pub entry_ticks: i64,
    /// The bar's open for an exit at the open, its close time for one inside or at the close.
    pub exit_at_ms: i64,
    /// Slippage included.
    pub exit_ticks: i64,
    /// Why it ended.
    pub reason: ExitReason,
    /// Bars from the entry bar to the exit bar.
    pub bars: u32,
    /// Before fees.
    pub gross_cents: i64,
    /// Both sides.
    pub fees_cents: i64,
    /// After fees.
    pub net_cents: i64,
    /// What the assumed slippage took; a part of gross.
    pub slippage_cents: i64,
    /// z at the signal.
    pub z_signal: f64,
}

/// What a limit did in a backtest [S8].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum BacktestEvent {
    /// Losses in a row paused entries.
    Pause {
        /// The exit that completed the streak.
        at_ms: i64,
        /// First time that is free again.
        until_ms: i64,
    },
    /// The daily loss limit halted the session.
    DailyLossHalt {
        /// The close that showed it.
        at_ms: i64,
        /// The session.
        #[ts(as = "String")]
        trade_date: Date,
    },
    /// Another control of the reliability note tripped.
    Control {
        /// When.
        at_ms: i64,
        /// Its event name in lower snake case: "trail_dd".
        control: String,
        /// The figures, for a person.
        detail: String,
    },
}

/// Equity at the last close of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionEquity {
    /// The session.
    #[ts(as = "String")]
    pub trade_date: Date,
    /// Equity.
    pub equity_cents: i64,
}

impl BacktestReport {
    /// Returns what chance may have to do with it; `start_cents` is the equity before the first bar.
    pub fn study(&self, settings: &StudySettings, start_cents: i64) -> Study {
        let nets: Vec<i64> = self.trades.iter().map(|trade| trade.net_cents).collect();
        let ends: Vec<i64> = self
            .sessions
            .iter()
            .map(|session| session.equity_cents)
            .collect();
        Study::new(settings, &nets, start_cents, &ends)
    }
}

/// What a backtest found.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BacktestReport {
    /// In order of their exits.
    pub trades: Vec<BacktestTrade>,
    /// In order of time.
    pub events: Vec<BacktestEvent>,
    /// Closes at which an entry was wanted and stopped, by the gate or rule that stopped it.
    pub blocked: BTreeMap<String, u32>,
    /// At each bar's close. Not a part of the JSON: as long as the data.
    #[serde(skip)]
    pub equity_cents: Vec<i64>,
    /// Bars inside of which both stop and target of a position lay: where above 0, the truth is between the two `Intrabar`.
    pub both_touched: u32,
    /// Entries and z-exits that |z| decided by being the threshold exactly [S3].
    pub ties: u32,
    /// In order.
    pub sessions: Vec<SessionEquity>,
    /// Signed contracts still held when the data ended; they are in the equity and not among the trades. 0 on bars [S9].
    pub open_at_end: i64,
    /// Things that should not happen, on ticks: orders in doubt, anomalies of the engine's bookkeeping.
    pub anomalies: u32,
    /// [S10].
    pub statistics: Statistics,
}
