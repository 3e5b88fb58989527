//! The controls of the reliability note that bars can tell, by the engine's own rules: order rate (D12), runaway (D14), loss
//! budget (D16), the fall from the day's peak (D17), early closes [S2], the broker's resets (D22) and the roll (D23). On bars a
//! day is seen at its closes, and what a person would have to arm is lifted by the next session.

use super::BacktestError;
use crate::calendar::Date;
use crate::engine::gates::{RESET_LEAD_MS, stop_out_cents};
use crate::engine::hours::Hours;
use crate::engine::risk::{ROUND_TRIPS_MAX, Rate, cents, count_round_trip, fall_too_far};
use crate::engine::timers::RESET_FLAT_MS;
use crate::event::{Contract, Span};
use crate::settings::{EngineSettings, RiskSettings};
use crate::status::ExitReason;
use std::collections::VecDeque;

/// What the controls remember, and what they are told of the contract.
pub(super) struct Controls {
    risk: RiskSettings,
    hours: Hours,
    flatten_before_close_ms: i64,
    has_flat_window: bool,
    /// Of the contract, oldest first; empty where they are not known.
    spans: Vec<Span>,
    /// The span that was asked for last.
    span: usize,
    last_trade_date: Option<Date>,
    roll_days_before: Option<i64>,
    flat_days_before: Option<i64>,
    /// Is a reset near, and up to when that is known: one for the flat stretch before it, one for the stretch without entries.
    near_reset: [(bool, i64); 2],
    /// Is the last trade date as near as that, and up to when that is known: for leaving, and for not entering.
    near_expiry: [(bool, i64); 2],
    daily_loss_cents: i64,
    stop_out_cents: i64,
    orders_an_entry: u32,
    entries: Rate,
    orders: Rate,
    round_trips: VecDeque<i64>,
    peak_cents: i64,
    /// Which of them has stopped entries to the end of the session.
    stopped_by: Option<&'static str>,
}

/// A control that tripped now.
pub(super) struct Tripped {
    pub control: &'static str,
    pub detail: String,
}

const FLAT: usize = 0;
const LEAD: usize = 1;

impl Controls {
    pub fn new(settings: &EngineSettings) -> Result<Self, BacktestError> {
        let risk = &settings.risk;
        let legs = [risk.stop_cents, risk.target_cents];
        Ok(Self {
            hours: Hours::new(&settings.session).map_err(BacktestError::Fault)?,
            flatten_before_close_ms: settings.session.flatten_before_close_ms,
            has_flat_window: settings.session.flatten_at_minute.is_some(),
            spans: Vec::new(),
            span: 0,
            last_trade_date: None,
            roll_days_before: settings.roll_days_before.map(i64::from),
            flat_days_before: settings.flat_days_before.map(i64::from),
            near_reset: [(false, i64::MIN); 2],
            near_expiry: [(false, i64::MIN); 2],
            daily_loss_cents: risk.daily_loss_cents,
            stop_out_cents: stop_out_cents(settings),
            orders_an_entry: 1 + legs.iter().flatten().fold(0, |legs, _| legs + 1),
            entries: Rate::default(),
            orders: Rate::default(),
            round_trips: VecDeque::new(),
            peak_cents: 0,
            stopped_by: None,
            risk: risk.clone(),
        })
    }

    pub fn know(&mut self, contract: &Contract) {
        self.spans.clone_from(&contract.hours);
        self.last_trade_date = contract.last_trade_date.parse().ok();
        self.near_expiry = [(false, i64::MIN); 2];
    }

    pub fn begin_session(&mut self) {
        self.entries.begin_day();
        self.orders.begin_day();
        self.peak_cents = 0;
        self.stopped_by = None;
    }

    /// Returns why a position is left at this moment, beside the daily flat window.
    pub fn flat_reason(&mut self, at_ms: i64) -> Option<ExitReason> {
        if self.closes_soon(at_ms) || self.is_near_reset(at_ms, FLAT) {
            return Some(ExitReason::SessionClose);
        }
        self.is_near_expiry(at_ms, FLAT)
            .then_some(ExitReason::Flatten)
    }

    /// Is the market about to close early, or at all, by the contract's hours [S2].
    pub fn closes_soon(&mut self, at_ms: i64) -> bool {
        if !self.has_flat_window || self.spans.is_empty() {
            return false;
        }
        while self.spans[self.span].to_ms <= at_ms && self.span + 1 < self.spans.len() {
            self.span += 1;
        }
        while self.spans[self.span].from_ms > at_ms && self.span > 0 {
            self.span -= 1;
        }
        let Span { from_ms, to_ms } = self.spans[self.span];
        (from_ms..to_ms).contains(&at_ms) && to_ms - at_ms <= self.flatten_before_close_ms
    }

    /// Returns which control stops an entry at this close. `day_cents` is the day's result as the daily loss limit counts it.
    pub fn stops(&mut self, at_ms: i64, day_cents: i64) -> Option<&'static str> {
        if let Some(control) = self.stopped_by {
            return Some(control);
        }
        if self.is_near_reset(at_ms, LEAD) {
            return Some("reset_window");
        }
        if self.is_near_expiry(at_ms, LEAD) {
            return Some("roll");
        }
        let left_cents = self.daily_loss_cents + day_cents;
        if self.risk.loss_budget_check && left_cents < self.stop_out_cents {
            return Some("loss_budget");
        }
        let over = |limit, rate: &Rate, more| {
            let limit: Option<crate::settings::RateLimit> = limit;
            limit.is_some_and(|limit| rate.over(at_ms, more, 1, &limit).is_some())
        };
        (over(self.risk.entries_max, &self.entries, 1)
            || over(self.risk.orders_max, &self.orders, 3))
        .then_some("order_rate")
    }

    pub fn count_entry(&mut self, at_ms: i64) {
        self.entries.count(at_ms);
        self.orders.count_some(at_ms, self.orders_an_entry);
    }

    /// Counts a finished round trip, and the order that ended it unless it had rested at the exchange from the entry on.
    pub fn count_exit(&mut self, at_ms: i64, reason: ExitReason) -> Option<Tripped> {
        let rested = matches!(
            reason,
            ExitReason::Stop | ExitReason::StopGap | ExitReason::Target | ExitReason::TargetGap
        );
        if !rested {
            self.orders.count(at_ms);
        }
        let trips = count_round_trip(&mut self.round_trips, at_ms);
        if trips >= ROUND_TRIPS_MAX {
            return self.trip(
                "runaway",
                format!("{trips} round trips within five minutes"),
            );
        }
        let limit = self.risk.orders_max?;
        let detail = self.orders.over(at_ms, 0, 2, &limit)?;
        self.trip("order_rate", detail)
    }

    /// Follows the day's net at a close, open result included; returns what trips where it has fallen too far.
    pub fn mark(&mut self, day_net_cents: i64) -> Option<Tripped> {
        self.risk.trailing_drawdown_cents?;
        self.peak_cents = self.peak_cents.max(day_net_cents);
        let fall = fall_too_far(&self.risk, self.peak_cents, day_net_cents)?;
        let peak = cents(self.peak_cents);
        self.trip(
            "trail_dd",
            format!("{} below the day's peak of {peak}", cents(fall)),
        )
    }

    /// Stops entries to the end of the session; none where they are stopped already.
    fn trip(&mut self, control: &'static str, detail: String) -> Option<Tripped> {
        if self.stopped_by.is_some() {
            return None;
        }
        self.stopped_by = Some(control);
        Some(Tripped { control, detail })
    }

    fn is_near_reset(&mut self, at_ms: i64, which: usize) -> bool {
        let (_, known_to_ms) = self.near_reset[which];
        if at_ms >= known_to_ms {
            let lead_ms = [RESET_FLAT_MS, RESET_LEAD_MS][which];
            self.near_reset[which] = self.hours.near_reset_to_ms(at_ms, lead_ms);
        }
        self.near_reset[which].0
    }

    fn is_near_expiry(&mut self, at_ms: i64, which: usize) -> bool {
        let (_, known_to_ms) = self.near_expiry[which];
        if at_ms >= known_to_ms {
            let limit = [self.flat_days_before, self.roll_days_before][which];
            self.near_expiry[which] = match (self.last_trade_date, limit) {
                (Some(last), Some(limit)) => self.hours.near_date_to_ms(at_ms, last, limit),
                (None, _) | (_, None) => (false, i64::MAX),
            };
        }
        self.near_expiry[which].0
    }
}
