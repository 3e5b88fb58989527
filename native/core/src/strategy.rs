//! The rules that need no orders [S2, S3, S6, S7, S8]: window, signal, exit decision, re-arming, loss streak, daily loss.
//! The live engine and the backtest call the same functions; what an order does is theirs.

use crate::settings::{
    DailyLossBasis, DailyLossReset, PriceKind, ResetWindow, RiskSettings, StrategySettings,
};
use crate::status::{ExitReason, Side};
pub use crate::zscore::ZReading;
use crate::zscore::{RollingZ, WindowError};
use serde::{Deserialize, Serialize};

/// What the strategy wants at a close where nothing is held and nothing pends [S7].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryWish {
    /// z is undefined or inside the entry band.
    Nothing,
    /// Enter at once.
    Enter(Side),
    /// z is outside the band, but a rule of the strategy itself says no.
    Stopped {
        /// Which way it would go.
        side: Side,
        /// [`Strategy::BY_DAILY_LOSS`], [`Strategy::BY_LOSS_STREAK`] or [`Strategy::BY_REARM`], asked in that order.
        by: &'static str,
    },
}

/// State and rules of the strategy. A part of the engine's snapshot: the same state always gives the same JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strategy {
    rules: Rules,
    window: RollingZ,
    long_armed: bool,
    short_armed: bool,
    streak: u32,
    paused_until_ms: Option<i64>,
    day_realised_cents: i64,
    /// What the broker's result of the day is worse than ours, ≤ 0 (R24).
    drift_cents: i64,
    day_halted: bool,
}

/// The settings that decide here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rules {
    price: PriceKind,
    entry_z_e4: i64,
    exit_z_e4: i64,
    reset_window: ResetWindow,
    daily_loss_cents: i64,
    daily_loss_basis: DailyLossBasis,
    daily_loss_reset: DailyLossReset,
    loss_streak: u32,
    loss_streak_pause_ms: i64,
    max_hold_ms: i64,
}

impl Rules {
    fn new(settings: &StrategySettings, risk: &RiskSettings) -> Self {
        Self {
            price: settings.price,
            entry_z_e4: settings.entry_z_e4,
            exit_z_e4: settings.exit_z_e4,
            reset_window: settings.reset_window,
            daily_loss_cents: risk.daily_loss_cents,
            daily_loss_basis: risk.daily_loss_basis,
            daily_loss_reset: risk.daily_loss_reset,
            loss_streak: risk.loss_streak,
            loss_streak_pause_ms: risk.loss_streak_pause_ms,
            max_hold_ms: risk.max_hold_ms,
        }
    }
}

impl Strategy {
    /// The daily loss limit halted entries [S8].
    pub const BY_DAILY_LOSS: &'static str = "daily_loss";
    /// Losses in a row paused entries [S8].
    pub const BY_LOSS_STREAK: &'static str = "loss_streak";
    /// The direction waits for z to come back inside the entry band [S7].
    pub const BY_REARM: &'static str = "rearm";

    /// Returns a strategy at the beginning of a session: empty window, both directions armed.
    ///
    /// # Panics
    /// Where window or ddof are outside of [`RollingZ::new`]'s ranges; whoever reads settings in uses [`Strategy::try_new`].
    pub fn new(settings: &StrategySettings, risk: &RiskSettings) -> Self {
        Self::try_new(settings, risk).expect("settings hold a window and a ddof in range")
    }

    /// Returns the same as [`Strategy::new`], or what is wrong with the window.
    pub fn try_new(settings: &StrategySettings, risk: &RiskSettings) -> Result<Self, WindowError> {
        Ok(Self {
            rules: Rules::new(settings, risk),
            window: RollingZ::new(settings.window, settings.ddof)?,
            long_armed: true,
            short_armed: true,
            streak: 0,
            paused_until_ms: None,
            day_realised_cents: 0,
            drift_cents: 0,
            day_halted: false,
        })
    }

    /// Takes new settings over. The window keeps the newest prices that fit; a longer one has to fill up first. Another kind
    /// of price empties it, since last prices are in ticks and middles in half ticks. Another bar length leaves it alone:
    /// whether its bars may be mixed is for the caller, who can [`Strategy::clear_window`].
    ///
    /// # Panics
    /// As [`Strategy::new`].
    pub fn reconfigure(&mut self, settings: &StrategySettings, risk: &RiskSettings) {
        let rules = Rules::new(settings, risk);
        if rules.price != self.rules.price {
            self.window.clear();
        }
        self.window = self
            .window
            .resized(settings.window, settings.ddof)
            .expect("settings hold a window and a ddof in range");
        self.rules = rules;
    }

    /// Begins a session [S2]: the window is emptied where `reset_window` is `session`; both directions armed, streak 0, pause
    /// lifted, the day's result 0, and its halt lifted where `daily_loss_reset` is `next_session`.
    pub fn begin_session(&mut self) {
        match self.rules.reset_window {
            ResetWindow::Session => self.window.clear(),
            ResetWindow::Never => {}
        }
        self.long_armed = true;
        self.short_armed = true;
        self.streak = 0;
        self.paused_until_ms = None;
        self.day_realised_cents = 0;
        self.drift_cents = 0;
        match self.rules.daily_loss_reset {
            DailyLossReset::NextSession => self.day_halted = false,
            DailyLossReset::Arm => {}
        }
    }

    /// Empties the window, after a gap in the data or another bar length.
    pub fn clear_window(&mut self) {
        self.window.clear();
    }

    /// Takes a bar's close in and returns z with it [S3]. Whole ticks where `price` is `last`, half ticks where it is
    /// `mid`, as [`signal_close`] gives them; the reading's mean and deviation are in ticks in both cases.
    pub fn push_close(&mut self, close_ticks: i64) -> ZReading {
        let reading = self.window.push(close_ticks);
        self.in_ticks(reading)
    }

    /// Returns z at the newest close of the window; undefined after the window was emptied.
    pub fn last(&self) -> ZReading {
        self.in_ticks(self.window.reading())
    }

    /// Returns how many closes the window needs.
    pub fn window_size(&self) -> u32 {
        self.window.window()
    }

    /// Arms each direction whose side of the entry band z is strictly inside of [S7]. At every close, the exit bar's own
    /// included, before the entry decision.
    pub fn rearm(&mut self, z: &ZReading) {
        self.short_armed = self.short_armed
            || z.compare(self.rules.entry_z_e4)
                .is_some_and(|order| order.is_lt());
        self.long_armed = self.long_armed
            || z.compare(-self.rules.entry_z_e4)
                .is_some_and(|order| order.is_gt());
    }

    /// Returns why a position should be left at this close, the first reason of [S6] that holds; none = keep it.
    pub fn exit_decision(
        &self,
        held: Side,
        entry_at_ms: i64,
        close_at_ms: i64,
        z: &ZReading,
    ) -> Option<ExitReason> {
        let is_back = match held {
            Side::Buy => z.is_at_least(-self.rules.exit_z_e4),
            Side::Sell => z.is_at_most(self.rules.exit_z_e4),
        };
        if self.day_halted {
            Some(ExitReason::DailyLoss)
        } else if is_back {
            Some(ExitReason::Zexit)
        } else if close_at_ms - entry_at_ms >= self.rules.max_hold_ms {
            Some(ExitReason::Time)
        } else {
            None
        }
    }

    /// Returns what the strategy wants at this close [S7]. That nothing is held, nothing pends and the bar is neither in the
    /// flat window nor the session's last is the caller's to know.
    pub fn entry_decision(&self, close_at_ms: i64, z: &ZReading) -> EntryWish {
        let (side, is_armed) = if z.is_at_least(self.rules.entry_z_e4) {
            (Side::Sell, self.short_armed)
        } else if z.is_at_most(-self.rules.entry_z_e4) {
            (Side::Buy, self.long_armed)
        } else {
            return EntryWish::Nothing;
        };
        let by = if self.day_halted {
            Self::BY_DAILY_LOSS
        } else if self.is_paused(close_at_ms) {
            Self::BY_LOSS_STREAK
        } else if !is_armed {
            Self::BY_REARM
        } else {
            return EntryWish::Enter(side);
        };
        EntryWish::Stopped { side, by }
    }

    /// Counts a finished round trip: any exit but by z disarms its direction [S7], and a loss that completes the streak
    /// pauses entries [S8]. Returns the end of a pause that began now.
    pub fn trade_closed(
        &mut self,
        side: Side,
        reason: ExitReason,
        net_cents: i64,
        exit_at_ms: i64,
    ) -> Option<i64> {
        if reason != ExitReason::Zexit {
            match side {
                Side::Buy => self.long_armed = false,
                Side::Sell => self.short_armed = false,
            }
        }
        match net_cents.signum() {
            -1 => self.streak += 1,
            1 => self.streak = 0,
            // A scratch neither lengthens nor breaks a streak.
            _ => return None,
        }
        if self.streak < self.rules.loss_streak || self.streak == 0 {
            return None;
        }
        self.streak = 0;
        self.paused_until_ms = Some(exit_at_ms + self.rules.loss_streak_pause_ms);
        self.paused_until_ms
    }

    /// Adds to the day's realised result: minus the fee at each fill, the gross at an exit [S8].
    pub fn book_realised(&mut self, cents: i64) {
        self.day_realised_cents += cents;
    }

    /// Counts a broker's result of the day that is worse than ours by as much; `cents` ≤ 0, 0 = none (R24).
    pub fn set_drift(&mut self, cents: i64) {
        self.drift_cents = cents;
    }

    /// Marks the day to the market at a close [S8] and returns true where this reaches the daily loss limit for the first
    /// time; from then on the day is halted. `open_gross_cents` is 0 when flat.
    pub fn mark_day(&mut self, open_gross_cents: i64) -> bool {
        let is_hit = !self.day_halted
            && self.day_result_cents(open_gross_cents) <= -self.rules.daily_loss_cents;
        self.day_halted |= is_hit;
        is_hit
    }

    /// Returns the day's result as the daily loss limit counts it, with or without the open part by `daily_loss_basis`.
    pub fn day_result_cents(&self, open_gross_cents: i64) -> i64 {
        match self.rules.daily_loss_basis {
            DailyLossBasis::Total => self.day_realised_cents + self.drift_cents + open_gross_cents,
            DailyLossBasis::Realised => self.day_realised_cents + self.drift_cents,
        }
    }

    /// Returns the end of the last pause by a loss streak; it may have passed.
    pub fn paused_until_ms(&self) -> Option<i64> {
        self.paused_until_ms
    }

    /// Is an entry at this time still held back by a loss streak; the pause's end itself is free.
    pub fn is_paused(&self, at_ms: i64) -> bool {
        self.paused_until_ms
            .is_some_and(|until_ms| at_ms < until_ms)
    }

    /// May this direction signal, or does it wait for z to come back inside the entry band [S7].
    pub fn is_armed(&self, side: Side) -> bool {
        match side {
            Side::Buy => self.long_armed,
            Side::Sell => self.short_armed,
        }
    }

    /// Has the daily loss limit been hit and not been lifted since.
    pub fn is_day_halted(&self) -> bool {
        self.day_halted
    }

    /// Returns the losses in a row so far.
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// Returns the day's realised net result so far, fees of every fill included.
    pub fn day_realised_cents(&self) -> i64 {
        self.day_realised_cents
    }

    /// Lifts the halt by the daily loss limit: a person has armed. Where the day's result is still beyond the limit, the next
    /// [`Strategy::mark_day`] halts again.
    pub fn lift_day_halt(&mut self) {
        self.day_halted = false;
    }

    /// Lifts the pause by a loss streak: a person has resumed.
    pub fn resume(&mut self) {
        self.paused_until_ms = None;
    }

    fn in_ticks(&self, reading: ZReading) -> ZReading {
        match self.rules.price {
            PriceKind::Last => reading,
            PriceKind::Mid => reading.in_units_of(2),
        }
    }
}

/// Returns the middle of bid and ask in half ticks; none where a side is missing or the bid is not below the ask.
pub fn middle_half_ticks(bid_ticks: Option<i32>, ask_ticks: Option<i32>) -> Option<i64> {
    let (bid, ask) = (bid_ticks?, ask_ticks?);
    (bid < ask).then(|| i64::from(bid) + i64::from(ask))
}

/// Returns what [`Strategy::push_close`] takes of a bar: its close in ticks, or where `price` is `mid` the middle in half
/// ticks, and without a middle the close in half ticks.
pub fn signal_close(price: PriceKind, close_ticks: i32, middle_half_ticks: Option<i64>) -> i64 {
    match price {
        PriceKind::Last => i64::from(close_ticks),
        PriceKind::Mid => middle_half_ticks.unwrap_or(i64::from(close_ticks) * 2),
    }
}

/// Returns how far the stop stands from the entry fill [S5]: what the money buys per contract, rounded down to whole ticks.
/// Both amounts above 0.
pub fn stop_distance_ticks(stop_cents: i64, tick_value_cents: i64) -> i64 {
    stop_cents.div_euclid(tick_value_cents)
}

/// Returns how far the target stands from the entry fill [S5]: what the money asks per contract, rounded up to whole ticks
/// and at least 1. Both amounts above 0.
pub fn target_distance_ticks(target_cents: i64, tick_value_cents: i64) -> i64 {
    -(-target_cents).div_euclid(tick_value_cents).min(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn settings() -> StrategySettings {
        StrategySettings {
            sampling_ms: MINUTE_MS,
            price: PriceKind::Last,
            window: 5,
            ddof: 0,
            entry_z_e4: 20_000,
            exit_z_e4: 5_000,
            reset_window: ResetWindow::Session,
            quantity: 1,
        }
    }

    fn risk() -> RiskSettings {
        RiskSettings {
            stop_cents: Some(20_000),
            target_cents: Some(30_000),
            daily_loss_cents: 50_000,
            daily_loss_basis: DailyLossBasis::Total,
            daily_loss_reset: DailyLossReset::Arm,
            loss_streak: 3,
            loss_streak_pause_ms: 30 * MINUTE_MS,
            max_hold_ms: 120 * MINUTE_MS,
            max_position: 1,
            max_notional_cents: None,
            loss_budget_check: false,
            trailing_drawdown_cents: None,
            trailing_armed_at_cents: 30_000,
            entry_collar_ticks: 8,
            exit_collar_ticks: 40,
            stale_entry_ms: 2_000,
            stale_alarm_ms: 10_000,
            max_spread_ticks: 2,
            bad_tick_ticks: 25,
            max_open_orders: 6,
            entries_max: None,
            orders_max: None,
            excess_liquidity_pct: None,
        }
    }

    fn strategy() -> Strategy {
        Strategy::new(&settings(), &risk())
    }

    /// A reading of a window with ddof 0 that ends with these five prices.
    fn z_of(prices: [i64; 5]) -> ZReading {
        let mut strategy = strategy();
        prices.map(|price| strategy.push_close(price))[4]
    }

    /// z = +2 exactly.
    fn at_entry() -> ZReading {
        z_of([0, 0, 0, 0, 1])
    }

    /// z = -2 exactly.
    fn at_minus_entry() -> ZReading {
        z_of([1, 1, 1, 1, 0])
    }

    /// z = 0 exactly.
    fn at_mean() -> ZReading {
        z_of([1, 3, 1, 3, 2])
    }

    fn stopped(side: Side, by: &'static str) -> EntryWish {
        EntryWish::Stopped { side, by }
    }

    #[test]
    fn a_tie_with_the_entry_threshold_enters_against_it() {
        assert_eq!(
            strategy().entry_decision(0, &at_entry()),
            EntryWish::Enter(Side::Sell)
        );
        assert_eq!(
            strategy().entry_decision(0, &at_minus_entry()),
            EntryWish::Enter(Side::Buy)
        );
        assert_eq!(strategy().entry_decision(0, &at_mean()), EntryWish::Nothing);
        assert_eq!(
            strategy().entry_decision(0, &ZReading::default()),
            EntryWish::Nothing
        );
    }

    #[test]
    fn z_back_inside_or_across_the_exit_band_leaves() {
        for (held, z, reason) in [
            (Side::Buy, at_minus_entry(), None),
            (Side::Buy, at_mean(), Some(ExitReason::Zexit)),
            (Side::Buy, at_entry(), Some(ExitReason::Zexit)),
            (Side::Sell, at_entry(), None),
            (Side::Sell, at_mean(), Some(ExitReason::Zexit)),
            (Side::Sell, at_minus_entry(), Some(ExitReason::Zexit)),
            (Side::Sell, ZReading::default(), None),
        ] {
            assert_eq!(
                strategy().exit_decision(held, 0, MINUTE_MS, &z),
                reason,
                "{held:?} {z:?}"
            );
        }
    }

    #[test]
    fn a_tie_with_the_exit_threshold_leaves() {
        let mut tight = settings();
        tight.exit_z_e4 = 20_000;
        let tight = Strategy::new(&tight, &risk());
        tight
            .exit_decision(Side::Sell, 0, 0, &at_entry())
            .expect("z = +2 is at the band of +2");
        tight
            .exit_decision(Side::Buy, 0, 0, &at_minus_entry())
            .expect("z = -2 is at the band of -2");
        let mut tighter = settings();
        tighter.exit_z_e4 = 19_999;
        let tighter = Strategy::new(&tighter, &risk());

        assert_eq!(tighter.exit_decision(Side::Sell, 0, 0, &at_entry()), None);
        assert_eq!(
            tighter.exit_decision(Side::Buy, 0, 0, &at_minus_entry()),
            None
        );
    }

    #[test]
    fn the_hold_limit_counts_from_the_entry_and_holds_at_its_end() {
        let decide = |at_ms| strategy().exit_decision(Side::Sell, 5, at_ms, &at_entry());

        assert_eq!(decide(5 + 120 * MINUTE_MS - 1), None);
        assert_eq!(decide(5 + 120 * MINUTE_MS), Some(ExitReason::Time));
    }

    #[test]
    fn of_several_reasons_the_daily_loss_comes_first_and_time_last() {
        let mut strategy = strategy();
        let late_ms = 500 * MINUTE_MS;
        assert_eq!(
            strategy.exit_decision(Side::Buy, 0, late_ms, &at_mean()),
            Some(ExitReason::Zexit)
        );

        assert!(strategy.mark_day(-50_000));

        assert_eq!(
            strategy.exit_decision(Side::Buy, 0, late_ms, &at_mean()),
            Some(ExitReason::DailyLoss)
        );
    }

    #[test]
    fn every_exit_but_by_z_disarms_its_own_direction() {
        for (reason, armed) in [
            (ExitReason::Zexit, true),
            (ExitReason::Time, false),
            (ExitReason::Stop, false),
            (ExitReason::StopGap, false),
            (ExitReason::Target, false),
            (ExitReason::TargetGap, false),
            (ExitReason::DailyLoss, false),
            (ExitReason::SessionClose, false),
            (ExitReason::SessionEnd, false),
            (ExitReason::Flatten, false),
            (ExitReason::External, false),
        ] {
            let mut strategy = strategy();
            strategy.trade_closed(Side::Buy, reason, 1, 0);

            assert_eq!(
                (strategy.is_armed(Side::Buy), strategy.is_armed(Side::Sell)),
                (armed, true),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn a_disarmed_direction_waits_for_z_strictly_inside_its_side_of_the_band() {
        let mut strategy = strategy();
        strategy.trade_closed(Side::Sell, ExitReason::Stop, 0, 0);
        strategy.trade_closed(Side::Buy, ExitReason::Stop, 0, 0);

        strategy.rearm(&ZReading::default());
        strategy.rearm(&at_entry());
        assert_eq!(
            (strategy.is_armed(Side::Buy), strategy.is_armed(Side::Sell)),
            (true, false)
        );
        assert_eq!(
            strategy.entry_decision(0, &at_entry()),
            stopped(Side::Sell, Strategy::BY_REARM)
        );

        strategy.trade_closed(Side::Buy, ExitReason::Stop, 0, 0);
        strategy.rearm(&at_minus_entry());
        assert_eq!(
            (strategy.is_armed(Side::Buy), strategy.is_armed(Side::Sell)),
            (false, true)
        );

        strategy.rearm(&at_mean());
        assert_eq!(
            strategy.entry_decision(0, &at_minus_entry()),
            EntryWish::Enter(Side::Buy)
        );
    }

    #[test]
    fn a_third_loss_in_a_row_pauses_entries_for_30_minutes() {
        let mut strategy = strategy();
        assert_eq!(
            strategy.trade_closed(Side::Buy, ExitReason::Zexit, -1, 1_000),
            None
        );
        assert_eq!(
            strategy.trade_closed(Side::Sell, ExitReason::Zexit, -1, 2_000),
            None
        );
        assert_eq!(strategy.streak(), 2);

        let until_ms = 3_000 + 30 * MINUTE_MS;
        assert_eq!(
            strategy.trade_closed(Side::Buy, ExitReason::Zexit, -1, 3_000),
            Some(until_ms)
        );

        assert_eq!(
            (strategy.streak(), strategy.paused_until_ms()),
            (0, Some(until_ms))
        );
        assert_eq!(
            strategy.entry_decision(until_ms - 1, &at_entry()),
            stopped(Side::Sell, Strategy::BY_LOSS_STREAK)
        );
        assert_eq!(
            strategy.entry_decision(until_ms, &at_entry()),
            EntryWish::Enter(Side::Sell)
        );
        strategy.resume();
        assert_eq!(
            strategy.entry_decision(until_ms - 1, &at_entry()),
            EntryWish::Enter(Side::Sell)
        );
    }

    #[test]
    fn a_win_breaks_a_streak_and_a_scratch_does_not() {
        for (between_cents, pauses) in [(0, true), (1, false)] {
            let mut strategy = strategy();
            strategy.trade_closed(Side::Buy, ExitReason::Zexit, -1, 0);
            strategy.trade_closed(Side::Buy, ExitReason::Zexit, -1, 0);
            assert_eq!(
                strategy.trade_closed(Side::Buy, ExitReason::Zexit, between_cents, 0),
                None
            );

            let third = strategy.trade_closed(Side::Buy, ExitReason::Zexit, -1, 0);

            assert_eq!(third.is_some(), pauses, "{between_cents}");
        }
    }

    #[test]
    fn the_daily_loss_halts_at_its_limit_once() {
        let mut strategy = strategy();
        strategy.book_realised(-20_000);

        assert!(!strategy.mark_day(-29_999));
        assert!(strategy.mark_day(-30_000));
        assert!(!strategy.mark_day(-30_000));
        assert!(!strategy.mark_day(90_000));

        assert!(strategy.is_day_halted());
        assert_eq!(
            strategy.entry_decision(0, &at_entry()),
            stopped(Side::Sell, Strategy::BY_DAILY_LOSS)
        );
        strategy.lift_day_halt();
        assert_eq!(
            strategy.entry_decision(0, &at_entry()),
            EntryWish::Enter(Side::Sell)
        );
    }

    #[test]
    fn the_realised_basis_leaves_the_open_part_out() {
        let mut realised = risk();
        realised.daily_loss_basis = DailyLossBasis::Realised;
        let mut strategy = Strategy::new(&settings(), &realised);
        strategy.book_realised(-49_999);

        assert!(!strategy.mark_day(-90_000));
        strategy.book_realised(-1);
        assert!(strategy.mark_day(90_000));
    }

    #[test]
    fn a_worse_result_of_the_broker_counts_on_either_basis() {
        for basis in [DailyLossBasis::Total, DailyLossBasis::Realised] {
            let mut risk = risk();
            risk.daily_loss_basis = basis;
            let mut strategy = Strategy::new(&settings(), &risk);
            strategy.book_realised(-30_000);
            strategy.set_drift(-19_999);

            assert_eq!(strategy.day_realised_cents(), -30_000);
            assert_eq!(strategy.day_result_cents(0), -49_999);
            assert!(!strategy.mark_day(0));
            strategy.set_drift(-20_000);
            assert!(strategy.mark_day(0));
        }
    }

    #[test]
    fn a_session_begins_with_nothing_but_what_a_person_must_lift() {
        for (reset, halted) in [
            (DailyLossReset::Arm, true),
            (DailyLossReset::NextSession, false),
        ] {
            let mut risk = risk();
            risk.daily_loss_reset = reset;
            let mut strategy = Strategy::new(&settings(), &risk);
            strategy.push_close(1);
            strategy.book_realised(-60_000);
            strategy.mark_day(0);
            for _ in 0..4 {
                strategy.trade_closed(Side::Sell, ExitReason::Stop, -1, 0);
            }
            assert_eq!((strategy.streak(), strategy.last().filled), (1, 1));

            strategy.begin_session();

            assert_eq!((strategy.streak(), strategy.paused_until_ms()), (0, None));
            assert_eq!(
                (strategy.day_realised_cents(), strategy.is_day_halted()),
                (0, halted)
            );
            assert!(strategy.is_armed(Side::Sell));
            assert_eq!(strategy.last().filled, 0);
        }
    }

    #[test]
    fn a_window_that_is_never_reset_goes_on_over_sessions() {
        let mut never = settings();
        never.reset_window = ResetWindow::Never;
        let mut strategy = Strategy::new(&never, &risk());
        strategy.push_close(1);

        strategy.begin_session();

        assert_eq!(strategy.last().filled, 1);
    }

    #[test]
    fn new_settings_keep_the_newest_prices_and_the_state() {
        let mut strategy = strategy();
        for price in [0, 0, 0, 0, 0, 1] {
            strategy.push_close(price);
        }
        strategy.trade_closed(Side::Buy, ExitReason::Stop, -1, 0);
        let mut wider = settings();
        wider.window = 6;
        wider.entry_z_e4 = 30_000;

        strategy.reconfigure(&wider, &risk());

        assert_eq!(
            (
                strategy.last().filled,
                strategy.window_size(),
                strategy.last().z
            ),
            (5, 6, None)
        );
        assert_eq!(
            (strategy.streak(), strategy.is_armed(Side::Buy)),
            (1, false)
        );
        let z = strategy.push_close(2);
        assert!(z.z.is_some());
        assert_eq!(strategy.entry_decision(0, &z), EntryWish::Nothing);
    }

    #[test]
    fn middles_are_pushed_doubled_and_read_in_ticks() {
        let mut mid = settings();
        mid.price = PriceKind::Mid;
        let mut strategy = strategy();
        strategy.push_close(1);
        strategy.reconfigure(&mid, &risk());
        assert_eq!(strategy.last().filled, 0);

        let reading = [2, 6, 2, 6, 4].map(|price| strategy.push_close(price))[4];

        assert_eq!((reading.mean_ticks, reading.z), (Some(2.0), Some(0.0)));
        assert_eq!(reading.sd_ticks, Some(0.8_f64.sqrt()));
    }

    #[test]
    fn a_snapshot_brings_the_same_strategy_back() {
        let mut strategy = strategy();
        for price in [5, 4, 9, 1, 2, 7] {
            strategy.push_close(price);
        }
        strategy.book_realised(-57);
        strategy.trade_closed(Side::Buy, ExitReason::Stop, -57, 9);

        let text = serde_json::to_string(&strategy).unwrap();
        let back: Strategy = serde_json::from_str(&text).unwrap();

        assert_eq!(back, strategy);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }

    #[test]
    fn distances_round_the_stop_down_and_the_target_up() {
        for (cents, tick_value_cents, stop, target) in [
            (20_000, 125, 160, 160),
            (30_000, 1_250, 24, 24),
            (1_000, 125, 8, 8),
            (1_001, 125, 8, 9),
            (999, 125, 7, 8),
            (1, 125, 0, 1),
            (0, 125, 0, 1),
        ] {
            assert_eq!(
                stop_distance_ticks(cents, tick_value_cents),
                stop,
                "stop {cents}"
            );
            assert_eq!(
                target_distance_ticks(cents, tick_value_cents),
                target,
                "target {cents}"
            );
        }
    }
}
