//! The trading day: its figures, its beginning and its summary.

use super::core::Core;
use crate::effect::{Count, Effect, Notice, NoticeClass, RoundTrip};
use crate::settings::DailyLossReset;
use crate::status::{Posture, Today};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;

/// Figures of one trading day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    /// "2026-11-25"; empty before the first trade.
    pub trade_date: String,
    pub trades: u32,
    pub wins: u32,
    pub losses: u32,
    pub gross_cents: i64,
    pub fees_cents: i64,
    pub best_cents: i64,
    pub worst_cents: i64,
    pub peak_cents: i64,
    pub drawdown_cents: i64,
    pub blocked: BTreeMap<String, u32>,
    pub exits: BTreeMap<String, u32>,
    pub gateway_down_count: u32,
    pub gateway_down_ms: i64,
    pub summary_told: bool,
    /// The minute for which `trade_date` was last looked up; a lookup costs more than a trade may.
    looked_up_minute: i64,
}

impl Day {
    /// Returns the realised result after fees.
    pub fn net_cents(&self) -> i64 {
        self.gross_cents - self.fees_cents
    }

    /// Follows the day's peak and the fall from it.
    pub fn mark(&mut self, open_cents: i64) {
        let equity_cents = self.net_cents() + open_cents;
        self.peak_cents = self.peak_cents.max(equity_cents);
        self.drawdown_cents = self.drawdown_cents.max(self.peak_cents - equity_cents);
    }

    /// Counts a finished round trip; its fees were counted fill by fill.
    pub fn count(&mut self, gross_cents: i64, net_cents: i64, reason: &str) {
        self.gross_cents += gross_cents;
        self.best_cents = if self.trades == 0 {
            net_cents
        } else {
            self.best_cents.max(net_cents)
        };
        self.worst_cents = if self.trades == 0 {
            net_cents
        } else {
            self.worst_cents.min(net_cents)
        };
        self.trades += 1;
        self.wins += u32::from(net_cents > 0);
        self.losses += u32::from(net_cents < 0);
        *self.exits.entry(reason.to_owned()).or_default() += 1;
        self.mark(0);
    }
}

impl Day {
    /// Puts one round trip of the day in place of what it was told as; `nets` are all of the day that are still known.
    pub fn restate(&mut self, before: &RoundTrip, now: &RoundTrip, nets: &[i64]) {
        self.gross_cents += now.gross_cents - before.gross_cents;
        self.fees_cents += now.fees_cents - before.fees_cents;
        self.wins -= u32::from(before.net_cents > 0);
        self.wins += u32::from(now.net_cents > 0);
        self.losses -= u32::from(before.net_cents < 0);
        self.losses += u32::from(now.net_cents < 0);
        let all_known = usize::try_from(self.trades).is_ok_and(|trades| trades == nets.len());
        if all_known && let (Some(best), Some(worst)) = (nets.iter().max(), nets.iter().min()) {
            self.best_cents = *best;
            self.worst_cents = *worst;
        }
    }
}

impl Core {
    /// Begins a new trading day where a trade's time belongs to one; returns whether it did.
    pub fn roll_day(&mut self, exchange_at_ms: i64) -> bool {
        let minute = exchange_at_ms.div_euclid(MINUTE_MS);
        if minute <= self.day.looked_up_minute && !self.day.trade_date.is_empty() {
            return false;
        }
        self.day.looked_up_minute = minute;
        let trade_date = self.hours.trade_date(exchange_at_ms);
        if trade_date <= self.day.trade_date {
            return false;
        }
        let is_first = self.day.trade_date.is_empty();
        self.bars.drop_open();
        if !is_first {
            self.tell_summary();
            self.release_looser_limits();
            self.strategy.begin_session();
            self.lift_at_session();
        }
        self.day = Day {
            trade_date: trade_date.clone(),
            looked_up_minute: minute,
            ..Day::default()
        };
        let is_flat = self.position.signed() == 0;
        self.account.begin_day(is_flat);
        self.risk.begin_day();
        self.notice(
            NoticeClass::Session,
            None,
            Notice::SessionOpened { trade_date },
        );
        self.tell_roll();
        true
    }

    /// Lifts what ends with a session: pauses of risk, and the daily halt where the settings say so [S2].
    fn lift_at_session(&mut self) {
        if self.posture.now == Posture::Paused && self.posture.by == "risk" {
            self.resume_by("session");
        }
        let by_itself = self.settings.risk.daily_loss_reset == DailyLossReset::NextSession;
        if by_itself
            && self.posture.now == Posture::Halted
            && self.posture.halted_by == "daily_loss"
        {
            self.emit(Effect::Unlatch {
                by: "session".to_owned(),
            });
            self.control("daily_loss", false, "a new session has begun".to_owned());
            self.resume_by("session");
        }
    }

    fn tell_roll(&mut self) {
        let Some(contract) = &self.link.contract else {
            return;
        };
        let Some(days_left) = self.hours.days_until(&contract.last_trade_date, self.at_ms) else {
            return;
        };
        let Some(roll_days) = self.settings.roll_days_before.map(i64::from) else {
            return;
        };
        if matches!(days_left - roll_days, 5 | 2 | 0) {
            let local_symbol = contract.local_symbol.clone();
            self.notice(
                NoticeClass::Session,
                None,
                Notice::RollDue {
                    local_symbol,
                    days_left,
                },
            );
        }
    }

    /// Tells the day's figures now that its trading is over.
    pub fn on_summary_due(&mut self) {
        self.tell_summary();
    }

    fn tell_summary(&mut self) {
        if self.day.summary_told || self.day.trade_date.is_empty() {
            return;
        }
        self.day.summary_told = true;
        let counts = |map: &BTreeMap<String, u32>| {
            map.iter()
                .map(|(name, count)| Count {
                    name: name.clone(),
                    count: *count,
                })
                .collect::<Vec<_>>()
        };
        let notice = Notice::DailySummary {
            trade_date: self.day.trade_date.clone(),
            today: self.today(),
            blocked: counts(&self.day.blocked),
            exits: counts(&self.day.exits),
            gateway_down_count: self.day.gateway_down_count,
            gateway_down_ms: self.day.gateway_down_ms,
        };
        self.notice(NoticeClass::Session, None, notice);
    }

    /// Returns the open result by the present prices; 0 where flat or without a price.
    pub fn open_cents(&self) -> i64 {
        let Some(trip) = self.position.trip() else {
            return 0;
        };
        let mark = self.market.mark_ticks(trip.side);
        mark.map_or(0, |mark_ticks| {
            self.position
                .open_cents(mark_ticks, self.tick_value_cents())
        })
    }

    /// Returns the day so far.
    pub fn today(&self) -> Today {
        let open_cents = self.open_cents();
        let net_cents = self.day.net_cents();
        Today {
            trade_date: self.day.trade_date.clone(),
            trades: self.day.trades,
            wins: self.day.wins,
            losses: self.day.losses,
            gross_cents: self.day.gross_cents,
            fees_cents: self.day.fees_cents,
            net_cents,
            open_cents,
            best_cents: self.day.best_cents,
            worst_cents: self.day.worst_cents,
            drawdown_cents: self.day.drawdown_cents,
            loss_left_cents: self.settings.risk.daily_loss_cents
                + self.strategy.day_result_cents(open_cents),
            loss_streak: self.strategy.streak(),
        }
    }
}
