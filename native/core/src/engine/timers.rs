//! What happens because time has passed; and when that is next. The shell only knocks: any event does as well.

use super::core::{Core, NEVER_MS};
use super::orders::{ANSWER_MS_MAX, EXECUTION_MS_MAX};
use crate::effect::{Notice, NoticeClass};
use crate::status::{ExitReason, Posture};

const MINUTE_MS: i64 = 60_000;
/// Flat so long before the broker resets (D22).
pub(crate) const RESET_FLAT_MS: i64 = 15 * MINUTE_MS;
/// A knock is asked for no sooner than this, so that nothing can spin.
const KNOCK_MS_MIN: i64 = 10;
/// A longer gap in the data is filled from history (D28).
const GAP_BARS_MAX: i64 = 2;
/// No bar closed for so long past the hold limit: the limit acts by itself (D20).
const HOLD_GRACE_MS: i64 = 5_000;

impl Core {
    /// Does everything that is due by now.
    pub fn run_timers(&mut self) {
        // A pause that is over holds back nothing of what closes now.
        self.end_pause();
        if let Some(bar) = self.bars.elapse(self.at_ms) {
            self.on_close(bar);
        }
        self.check_silence();
        self.check_state_age();
        self.check_hours();
        self.check_data_age();
        self.check_down();
        self.check_exit_time();
    }

    /// Leaves the position where the clock says so: flat window, reset window, roll, hold limit without bars.
    fn check_hours(&mut self) {
        let Some(entry_at_ms) = self.position.trip().map(|trip| trip.entry_at_ms) else {
            return;
        };
        if self.exit.is_some() || self.mismatch.is_some() {
            return;
        }
        let at_ms = self.at_ms;
        if self.hours.in_flat_window(at_ms, self.spans()) {
            self.begin_exit(
                ExitReason::SessionClose,
                "session",
                "the flat window has begun",
            );
            return;
        }
        if self.hours.near_reset(at_ms, RESET_FLAT_MS) {
            self.control(
                "reset_window",
                true,
                "the broker resets in 15 min".to_owned(),
            );
            self.begin_exit(
                ExitReason::SessionClose,
                "session",
                "the broker resets soon",
            );
            return;
        }
        let days_left = self
            .link
            .contract
            .as_ref()
            .and_then(|contract| self.hours.days_until(&contract.last_trade_date, at_ms));
        let limit = self.settings.flat_days_before.map(i64::from);
        if let (Some(days_left), Some(limit)) = (days_left, limit)
            && days_left <= limit
        {
            self.control(
                "roll",
                true,
                format!("{days_left} days to the last trade date"),
            );
            self.begin_exit(
                ExitReason::Flatten,
                "risk",
                "the contract is about to expire",
            );
            return;
        }
        let held_ms = at_ms - entry_at_ms;
        if held_ms >= self.settings.risk.max_hold_ms + self.bars.sampling_ms() + HOLD_GRACE_MS {
            self.begin_exit(
                ExitReason::Time,
                "risk",
                "held for the longest time allowed",
            );
        }
    }

    /// Alarms about old data in open hours, and tells when they are back (D6).
    pub fn check_data_age(&mut self) {
        let at_ms = self.at_ms;
        let data_ms = self.market.data_at_ms().max(self.link.watching_since_ms);
        let age_ms = at_ms - data_ms;
        if self.market.stale_told {
            if age_ms < self.settings.risk.stale_alarm_ms {
                self.market.stale_told = false;
                let gone_ms = at_ms - self.market.stale_since_ms;
                if gone_ms > GAP_BARS_MAX * self.bars.sampling_ms() {
                    self.refill_window();
                }
                self.control(
                    "stale_quote",
                    false,
                    format!("data are back after {gone_ms} ms"),
                );
                self.notice(
                    NoticeClass::Link,
                    Some("data_fresh"),
                    Notice::DataFresh { gone_ms },
                );
            }
            return;
        }
        if at_ms >= self.stale_due_ms() && self.market_open() != Some(false) {
            self.market.stale_told = true;
            self.market.stale_since_ms = data_ms;
            self.control("stale_quote", true, format!("no data for {age_ms} ms"));
            self.notice(
                NoticeClass::Link,
                Some("data_stale"),
                Notice::DataStale { age_ms },
            );
        }
    }

    /// Returns when something is due next.
    pub fn next_due_ms(&self) -> i64 {
        let at_ms = self.at_ms;
        let mut due_ms = self.bars.due_at_ms().unwrap_or(NEVER_MS);
        if self.posture.now == Posture::Paused {
            due_ms = due_ms.min(self.posture.until_ms.unwrap_or(NEVER_MS));
        }
        for order in self.orders.live() {
            if order.state.is_in_flight() {
                due_ms = due_ms.min(order.since_ms + ANSWER_MS_MAX);
            }
            if order.awaits_executions_since_ms > 0 {
                let owed_ms = order.awaits_executions_since_ms + EXECUTION_MS_MAX;
                due_ms = due_ms.min(if owed_ms > at_ms {
                    owed_ms
                } else {
                    at_ms + EXECUTION_MS_MAX
                });
            }
        }
        if self.position.signed() != 0 {
            due_ms = due_ms.min(at_ms - at_ms.rem_euclid(MINUTE_MS) + MINUTE_MS);
        }
        let stale_ms = self.stale_due_ms();
        let stale_ms = if self.market_open() == Some(false) {
            stale_ms.max(at_ms + MINUTE_MS)
        } else {
            stale_ms
        };
        due_ms
            .min(stale_ms)
            .min(self.exit_due_ms())
            .min(self.protect_due_ms())
            .min(self.asks_due_ms())
            .min(self.down_due_ms())
            .max(at_ms + KNOCK_MS_MIN)
    }
}
