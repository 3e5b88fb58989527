//! Trades and quotes: what is believed of them, what the position is worth by them, when a bar closes. The hot path: a
//! trade or quote with nothing to decide allocates nothing.

use super::core::{Core, NEVER_MS};
use crate::frames::{Quote, Trade};
use crate::status::{ExitReason, Side};
use crate::strategy::{middle_half_ticks, signal_close};
use serde::{Deserialize, Serialize};

/// Outliers in a row that are taken for a new level (D8).
const OUTLIERS_ACCEPTED: u8 = 3;
/// Entries are blocked so long after a jump was taken for a new level (D8).
pub(super) const JUMP_BLOCK_MS: i64 = 30_000;
/// Prices older than this judge no new one.
const MEDIAN_AGE_MS_MAX: i64 = 60_000;
/// The spread must have been good for so long (D7).
pub(super) const SPREAD_GOOD_MS: i64 = 5_000;
/// Fresh data in a row that end a gap (D6).
pub(super) const FRESH_DATA_MIN: u32 = 3;
/// Beyond the stop by so many ticks for so long, the stop order has failed (D19).
const BREACH_TICKS: i32 = 4;
const BREACH_MS: i64 = 1_000;
/// No price of a listed future is beyond it; also what the window's exact sums allow.
const PRICE_TICKS_MAX: i32 = 100_000_000;
/// The year 2500: what is stamped later is no time.
const TIME_MS_MAX: i64 = 16_725_225_600_000;

/// What is known of the market.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Market {
    pub last_ticks: Option<i32>,
    pub last_at_ms: i64,
    pub bid_ticks: Option<i32>,
    pub ask_ticks: Option<i32>,
    /// When the last believable two-sided quote came; 0 = none yet.
    pub quote_at_ms: i64,
    pub fresh_in_a_row: u32,
    /// When the spread was last too wide, or the book crossed; 0 = never.
    pub spread_bad_at_ms: i64,
    pub jump_at_ms: i64,
    pub ignored: u64,
    /// True while the alarm about old data stands.
    pub stale_told: bool,
    pub stale_since_ms: i64,
    /// Last five trades that were believed, the newest last.
    recent: [i32; 5],
    recent_count: u8,
    trade_outliers: u8,
    quote_outliers: u8,
    breach_since_ms: i64,
}

impl Market {
    /// Returns when data last came: a quote, or a trade where there are no quotes.
    pub fn data_at_ms(&self) -> i64 {
        if self.quote_at_ms > 0 {
            self.quote_at_ms
        } else {
            self.last_at_ms
        }
    }

    /// Returns the middle of bid and ask in half ticks.
    pub fn middle_half_ticks(&self) -> Option<i64> {
        middle_half_ticks(self.bid_ticks, self.ask_ticks)
    }

    /// Returns what a position is worth now: the bid for a long one, the ask for a short one, else the last trade.
    pub fn mark_ticks(&self, held: Side) -> Option<i32> {
        match held {
            Side::Buy => self.bid_ticks.or(self.last_ticks),
            Side::Sell => self.ask_ticks.or(self.last_ticks),
        }
    }

    /// Forgets prices after a loss of data: nothing old may judge or value what comes.
    pub fn forget(&mut self) {
        self.bid_ticks = None;
        self.ask_ticks = None;
        self.recent_count = 0;
        self.fresh_in_a_row = 0;
        self.trade_outliers = 0;
        self.quote_outliers = 0;
    }

    fn count_fresh(&mut self, at_ms: i64, before_ms: i64, stale_ms: i64) {
        self.fresh_in_a_row = if at_ms - before_ms > stale_ms {
            1
        } else {
            self.fresh_in_a_row.saturating_add(1)
        };
    }

    fn median_ticks(&self, at_ms: i64) -> Option<i32> {
        if usize::from(self.recent_count) < self.recent.len()
            || at_ms - self.last_at_ms > MEDIAN_AGE_MS_MAX
        {
            return None;
        }
        let mut sorted = self.recent;
        sorted.sort_unstable();
        Some(sorted[2])
    }

    fn remember(&mut self, price_ticks: i32) {
        self.recent.rotate_left(1);
        self.recent[4] = price_ticks;
        self.recent_count = (self.recent_count + 1).min(5);
    }
}

impl Core {
    /// Takes a trade in; returns whether anything beyond the market itself may have changed.
    pub fn on_trade(&mut self, trade: Trade) -> bool {
        let is_sane = (1..PRICE_TICKS_MAX).contains(&trade.price_ticks)
            && trade.size >= 0
            && (0..TIME_MS_MAX).contains(&trade.exchange_at_ms);
        if !is_sane {
            self.market.ignored += 1;
            return false;
        }
        if !self.believe_trade(trade.price_ticks) {
            return false;
        }
        let at_ms = self.at_ms;
        let rolled = self.roll_day(trade.exchange_at_ms);
        if self.market.quote_at_ms == 0 {
            self.market.count_fresh(
                at_ms,
                self.market.last_at_ms,
                self.settings.risk.stale_entry_ms,
            );
        }
        self.market.last_ticks = Some(trade.price_ticks);
        self.fix_notional(trade.price_ticks);
        self.market.last_at_ms = at_ms;
        self.market.remember(trade.price_ticks);
        let valued = self.value_position();
        let closed = self.bars.trade(
            trade.exchange_at_ms,
            trade.price_ticks,
            i64::from(trade.size),
        );
        if let Some(bar) = closed {
            self.on_close(bar);
        }
        if let Some(due_ms) = self.bars.due_at_ms()
            && due_ms < self.wake_at_ms
        {
            self.ask_wake(due_ms);
        }
        rolled || valued || closed.is_some() || self.market.stale_told
    }

    /// Takes a quote in; returns whether anything beyond the market itself may have changed.
    pub fn on_quote(&mut self, quote: Quote) -> bool {
        let at_ms = self.at_ms;
        let (Some(bid), Some(ask)) = (quote.bid_ticks, quote.ask_ticks) else {
            self.market.bid_ticks = quote
                .bid_ticks
                .filter(|ticks| (1..PRICE_TICKS_MAX).contains(ticks));
            self.market.ask_ticks = quote
                .ask_ticks
                .filter(|ticks| (1..PRICE_TICKS_MAX).contains(ticks));
            self.market.spread_bad_at_ms = at_ms;
            return false;
        };
        if bid <= 0
            || ask <= 0
            || bid > PRICE_TICKS_MAX
            || ask > PRICE_TICKS_MAX
            || quote.bid_size < 0
            || quote.ask_size < 0
        {
            self.market.ignored += 1;
            return false;
        }
        if bid >= ask {
            self.market.ignored += 1;
            self.market.spread_bad_at_ms = at_ms;
            return false;
        }
        if !self.believe_quote(bid, ask) {
            return false;
        }
        self.market.count_fresh(
            at_ms,
            self.market.quote_at_ms,
            self.settings.risk.stale_entry_ms,
        );
        self.market.bid_ticks = Some(bid);
        self.market.ask_ticks = Some(ask);
        self.market.quote_at_ms = at_ms;
        if i64::from(ask) - i64::from(bid) > self.settings.risk.max_spread_ticks {
            self.market.spread_bad_at_ms = at_ms;
        }
        self.value_position() || self.market.stale_told
    }

    /// Judges a trade against the median of the last five (D8); only where there are quotes at all.
    fn believe_trade(&mut self, price_ticks: i32) -> bool {
        let judges = self.market.quote_at_ms > 0;
        let outlier = judges && self.is_outlier(price_ticks);
        if !outlier {
            self.market.trade_outliers = 0;
            return true;
        }
        self.market.trade_outliers += 1;
        if self.market.trade_outliers < OUTLIERS_ACCEPTED {
            self.market.ignored += 1;
            return false;
        }
        self.accept_jump(price_ticks);
        true
    }

    fn believe_quote(&mut self, bid: i32, ask: i32) -> bool {
        if !self.is_outlier(bid.midpoint(ask)) {
            self.market.quote_outliers = 0;
            return true;
        }
        self.market.quote_outliers += 1;
        if self.market.quote_outliers < OUTLIERS_ACCEPTED {
            self.market.ignored += 1;
            return false;
        }
        // The market has moved without a trade; trades go on judging by the new level.
        self.accept_jump(bid.midpoint(ask));
        true
    }

    fn is_outlier(&self, price_ticks: i32) -> bool {
        self.market.median_ticks(self.at_ms).is_some_and(|median| {
            i64::from(price_ticks.abs_diff(median)) > self.settings.risk.bad_tick_ticks
        })
    }

    fn accept_jump(&mut self, price_ticks: i32) {
        self.market.trade_outliers = 0;
        self.market.quote_outliers = 0;
        self.market.recent = [price_ticks; 5];
        self.market.jump_at_ms = self.at_ms;
        let detail = format!(
            "a jump to {price_ticks} t was told three times in a row and is taken for the market"
        );
        self.control("bad_tick", true, detail);
    }

    /// Values the position; returns whether a control acted (D15, D17, D19).
    fn value_position(&mut self) -> bool {
        let Some(side) = self.position.trip().map(|trip| trip.side) else {
            return false;
        };
        let Some(mark_ticks) = self.market.mark_ticks(side) else {
            return false;
        };
        let open_cents = self
            .position
            .mark(mark_ticks, self.settings.instrument.tick_value_cents);
        self.day.mark(open_cents);
        let lost = self.strategy.mark_day(open_cents);
        if lost {
            self.on_daily_loss(open_cents);
        }
        let fell = self.check_drawdown(open_cents);
        let breached = self.check_breach(side, mark_ticks);
        lost || fell || breached
    }

    /// Is the price through the stop for a second although the stop rests at the broker (D19).
    fn check_breach(&mut self, side: Side, mark_ticks: i32) -> bool {
        let Some(stop_ticks) = self.trip.as_ref().and_then(|trip| trip.stop_ticks) else {
            return false;
        };
        let beyond = match side {
            Side::Buy => mark_ticks <= stop_ticks - BREACH_TICKS,
            Side::Sell => mark_ticks >= stop_ticks + BREACH_TICKS,
        };
        if !beyond {
            self.market.breach_since_ms = 0;
            return false;
        }
        if self.market.breach_since_ms == 0 {
            self.market.breach_since_ms = self.at_ms;
            return false;
        }
        if self.at_ms - self.market.breach_since_ms < BREACH_MS || self.exit.is_some() {
            return false;
        }
        let detail = format!(
            "price {mark_ticks} t is beyond the stop {stop_ticks} t for a second and the stop has not filled"
        );
        self.control("stop_breach", true, detail.clone());
        self.begin_exit(ExitReason::Stop, "risk", &detail);
        true
    }

    /// Returns the close that the strategy sees: the bar's in ticks, or the middle in half ticks.
    pub fn signal_close(&self, close_ticks: i32) -> i64 {
        let price = self.settings.strategy.price;
        signal_close(price, close_ticks, self.market.middle_half_ticks())
    }

    /// Returns when the data will be old enough for the alarm (D6); only in open hours with data asked for.
    pub fn stale_due_ms(&self) -> i64 {
        if self.market.stale_told || !self.link.is_watching || !self.is_link_up() {
            return NEVER_MS;
        }
        self.market.data_at_ms().max(self.link.watching_since_ms)
            + self.settings.risk.stale_alarm_ms
    }
}
