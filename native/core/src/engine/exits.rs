//! Leaving: never two orders that could both close. The bracket's target is turned into a limit through the market, in the
//! group of the stop, which rests until it fills (B.3). Without one, entries and legs are taken back and seen ended, then
//! one order closes exactly what our fills say is held (B.4). What does not fill is priced anew and ends at the market
//! (B.5); a flatten asks the broker before it says flat (B.6).

use super::core::{Core, NEVER_MS};
use super::protect::{LEFTOVER_MS, MISSING_MS, resize_due_ms};
use crate::effect::{Notice, NoticeClass, OrderRequest};
use crate::orders::{Order, OrderState, order_ref};
use crate::status::{ExitReason, Leg, OrderKind, Posture, Side, Tif};
use serde::{Deserialize, Serialize};

/// An exit is priced anew, or a further order is tried, so long after the try before (B.5).
const RETRY_MS: i64 = 5_000;
/// Tries with a limit; what has not filled by then goes to the market (B.5).
const LIMIT_TRIES: u32 = 3;
/// Not flat after so long is an alarm, repeated (B.5).
const NOT_FLAT_MS: i64 = 20_000;
const NOT_FLAT_REPEAT_MS: i64 = 60_000;
/// While the market is closed an exit looks again after so long.
const CLOSED_LOOK_MS: i64 = 60_000;
/// An exit looks again no sooner than after so long.
const LOOK_MS_MIN: i64 = 100;
/// The broker is asked again whether we are flat after so long.
const VERIFY_MS: i64 = 1_000;

/// An exit under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExitPlan {
    pub reason: ExitReason,
    pub by: String,
    pub why: String,
    pub started_ms: i64,
    /// True where the posture waits for the broker's word.
    pub is_flatten: bool,
    /// The day's net before, to tell what the flatten cost.
    pub net_before_cents: i64,
    /// Tries so far: the target turned, an order sent, either priced anew.
    pub attempts: u32,
    pub last_attempt_ms: i64,
    /// The limit that was asked for last; none = the market, or nothing yet.
    #[serde(default)]
    pub limit_ticks: Option<i32>,
    pub next_alarm_ms: i64,
    /// When the broker is asked next whether we are flat.
    pub verify_at_ms: i64,
    /// True once a person has seen the alarm.
    pub acknowledged: bool,
    /// Since when nothing of ours works any more; 0 = something does.
    pub quiet_since_ms: i64,
}

impl Core {
    /// Begins to leave the position; one under way goes on.
    pub fn begin_exit(&mut self, reason: ExitReason, by: &str, why: &str) {
        if self.exit.is_some() {
            return;
        }
        if let Some(trip) = &mut self.trip {
            trip.exit_reason = Some(reason);
        }
        self.exit = Some(ExitPlan {
            reason,
            by: by.to_owned(),
            why: why.to_owned(),
            started_ms: self.at_ms,
            is_flatten: false,
            net_before_cents: self.day.net_cents(),
            attempts: 0,
            last_attempt_ms: 0,
            limit_ticks: None,
            next_alarm_ms: self.at_ms + NOT_FLAT_MS,
            verify_at_ms: self.at_ms,
            acknowledged: false,
            quiet_since_ms: 0,
        });
    }

    /// Begins to close everything until the broker confirms; joins one under way.
    pub fn begin_flatten(&mut self, reason: ExitReason, by: &str, after: Posture) {
        let joins = self.posture.now == Posture::Flattening;
        if !joins {
            self.posture.after_flatten = if self.posture.now == Posture::Halted {
                Posture::Halted
            } else {
                after
            };
            let detail = if self.is_halted() || self.posture.now == Posture::Halted {
                self.posture.reason.clone()
            } else {
                "flatten".to_owned()
            };
            self.set_posture(Posture::Flattening, None, &detail, by);
            let orders = u32::try_from(self.orders.live().count()).unwrap_or(u32::MAX);
            let notice = Notice::Flattening {
                by: by.to_owned(),
                position: self.position.signed(),
                orders,
            };
            self.notice(NoticeClass::Control, None, notice);
        } else if after == Posture::Halted {
            self.posture.after_flatten = Posture::Halted;
        }
        self.begin_exit(reason, by, "flatten");
        let at_ms = self.at_ms;
        if let Some(plan) = &mut self.exit {
            if !plan.is_flatten {
                plan.started_ms = at_ms;
                plan.next_alarm_ms = at_ms + NOT_FLAT_MS;
            }
            plan.is_flatten = true;
            if !joins {
                plan.reason = reason;
            }
        }
    }

    /// Takes the next step of an exit, if one can be taken now.
    pub fn advance_exit(&mut self) {
        let Some(plan) = self.exit.clone() else {
            return;
        };
        if !self.is_link_up() || !self.link.reconciled {
            return;
        }
        self.cancel_entries(&plan.why);
        // While the broker's position is not the one that we know, only a person's flatten closes, and it adopts first.
        if self.mismatch.is_some() {
            return;
        }
        let signed = self.position.signed();
        // While the market is closed nothing can be sold: the stop keeps its place until it can.
        if signed != 0 && self.market_open() == Some(false) {
            return;
        }
        let is_quiet = self.orders.live().next().is_none();
        let quiet_since_ms = match (is_quiet, plan.quiet_since_ms) {
            (false, _) => 0,
            (true, 0) => self.at_ms,
            (true, since_ms) => since_ms,
        };
        if let Some(exit) = &mut self.exit {
            exit.quiet_since_ms = quiet_since_ms;
        }
        if signed != 0 {
            if self.close_through_working(signed, &plan) {
                return;
            }
            // The stop keeps its place until the broker has said what there is to close.
            if plan.attempts == 0 && self.must_look_first(&plan, plan.started_ms) {
                self.want_state(self.at_ms);
                return;
            }
            self.take_back_closers(signed, &plan);
        } else if self.at_ms - self.flat_since_ms >= LEFTOVER_MS {
            // Before that the broker takes the other leg of what has closed back by itself.
            self.take_back_closers(signed, &plan);
        }
        if !is_quiet {
            return;
        }
        if signed == 0 {
            self.finish_exit(&plan);
            return;
        }
        if self.must_look_first(&plan, quiet_since_ms) {
            self.want_state(self.at_ms);
            return;
        }
        if self
            .own_exit_ms(&plan)
            .is_some_and(|sent_ms| self.at_ms - sent_ms < RETRY_MS)
        {
            return;
        }
        self.place_exit(signed, &plan);
    }

    /// Closes through an order that works already: turns the bracket's target into a limit through the market (B.3), prices
    /// that, or an exit order, anew where it does not fill (B.5). Returns whether the exit waits for one.
    fn close_through_working(&mut self, signed: i64, plan: &ExitPlan) -> bool {
        // What an entry may still fill belongs to what is closed: its end is waited for, the stop stays (B.2).
        if self.orders.live().any(|order| order.leg == Leg::Entry) {
            return true;
        }
        let side = if signed > 0 { Side::Sell } else { Side::Buy };
        let Some(order) = self.closer(side).cloned() else {
            return false;
        };
        match order.state {
            OrderState::Acked | OrderState::Partial => {}
            // Its answer leads on, or the look that it is in doubt for.
            OrderState::Intent
            | OrderState::Sent
            | OrderState::ModifyPending
            | OrderState::InDoubt => return true,
            OrderState::CancelPending
            | OrderState::Orphan
            | OrderState::Filled
            | OrderState::Cancelled
            | OrderState::Rejected
            | OrderState::Inactive
            | OrderState::Expired
            | OrderState::Tombstone
            | OrderState::NotSent => return false,
        }
        // It has filled: its execution is on its way.
        if order.awaits_executions_since_ms > 0 {
            return true;
        }
        let asked = plan
            .limit_ticks
            .map(|limit_ticks| OrderKind::Limit { limit_ticks });
        if order.leg == Leg::Exit && Some(order.terms.kind) != asked {
            // At the market already, or the broker did not take the change: the way without it.
            return false;
        }
        let since_try_ms = self.at_ms - plan.last_attempt_ms;
        if order.leg == Leg::Exit && since_try_ms < RETRY_MS {
            // What goes through the market fills, and the broker ends the stop: a change of it would only cross that.
            if since_try_ms >= MISSING_MS {
                self.fit_stops();
            }
            return true;
        }
        if plan.attempts >= LIMIT_TRIES {
            return false;
        }
        let Some(limit_ticks) = self.exit_limit_ticks(signed) else {
            return false;
        };
        if order.leg == Leg::Target && self.must_look_first(plan, plan.started_ms) {
            self.want_state(self.at_ms);
            return true;
        }
        let Ok(quantity) = u32::try_from(order.filled + signed.abs()) else {
            return false;
        };
        self.count_try(Some(limit_ticks));
        // From now on it is the order that closes, whatever its reference ends with.
        if let Some(order) = self.orders.get_mut(&order.terms.order_ref) {
            order.leg = Leg::Exit;
        }
        let terms = OrderRequest {
            kind: OrderKind::Limit { limit_ticks },
            quantity,
            ..order.terms
        };
        if terms.kind != order.terms.kind || terms.quantity != order.terms.quantity {
            self.modify_order(terms, &exit_why(plan));
        }
        true
    }

    /// Returns the order that closes, or can: an exit order, else the target.
    fn closer(&self, side: Side) -> Option<&Order> {
        let of = |leg| {
            self.orders
                .live()
                .find(move |order| order.leg == leg && order.terms.side == side)
        };
        of(Leg::Exit).or_else(|| of(Leg::Target))
    }

    /// Takes back what could close besides the one order that is to: legs, and an exit whose limit did not fill.
    fn take_back_closers(&mut self, signed: i64, plan: &ExitPlan) {
        let refs = self.orders.live_refs(|order| {
            let is_owed = signed == 0 && order.awaits_executions_since_ms > 0;
            match order.leg {
                Leg::Entry => false,
                Leg::Stop | Leg::Target => !is_owed,
                Leg::Exit => !is_owed && (signed == 0 || order.terms.kind != OrderKind::Market {}),
            }
        });
        for order_ref in refs {
            self.cancel_order(&order_ref, &plan.why);
        }
    }

    /// Returns the orders that this exit has sent: a target that it turned is older than it.
    fn own_exits(&self, plan: &ExitPlan) -> impl Iterator<Item = &Order> {
        let started_ms = plan.started_ms;
        self.orders
            .iter()
            .filter(move |order| order.leg == Leg::Exit && order.made_at_ms >= started_ms)
    }

    /// Returns when the last of them was sent.
    fn own_exit_ms(&self, plan: &ExitPlan) -> Option<i64> {
        self.own_exits(plan).map(|order| order.made_at_ms).max()
    }

    /// Was one of them refused, as one beyond a daily price limit is? Then another limit would be as well.
    fn is_exit_refused(&self, plan: &ExitPlan) -> bool {
        self.own_exits(plan)
            .any(|order| order.state == OrderState::Rejected)
    }

    /// Returns the limit of an exit: through the market, as far from its middle as the collar allows (D4); none without a
    /// fresh quote.
    fn exit_limit_ticks(&self, signed: i64) -> Option<i32> {
        let market = &self.market;
        let is_fresh = self.at_ms - market.quote_at_ms <= self.settings.risk.stale_entry_ms;
        let half_ticks = market.middle_half_ticks().filter(|_| is_fresh)?;
        let collar_ticks = self.settings.risk.exit_collar_ticks;
        let limit_ticks = if signed > 0 {
            half_ticks.div_euclid(2) - collar_ticks
        } else {
            (half_ticks + 1).div_euclid(2) + collar_ticks
        };
        i32::try_from(limit_ticks.max(1)).ok()
    }

    fn count_try(&mut self, limit_ticks: Option<i32>) {
        if let Some(exit) = &mut self.exit {
            exit.limit_ticks = limit_ticks;
            exit.attempts += 1;
            exit.last_attempt_ms = self.at_ms;
        }
    }

    /// Must the broker be asked before an exit is sent (B)? Always for a person's flatten, where nothing is in a hurry that a
    /// look takes; for the exits of rules only where the broker has told another position than our fills make: an exit of
    /// what was closed elsewhere would open a position.
    fn must_look_first(&self, plan: &ExitPlan, since_ms: i64) -> bool {
        let by_person = plan.is_flatten && !matches!(plan.by.as_str(), "risk" | "daily_loss");
        let has_looked = self.link.agreed_asked_ms >= since_ms;
        self.is_told_otherwise() || (by_person && !has_looked)
    }

    /// Has the broker pushed another position than our fills make, since the last of them?
    pub fn is_told_otherwise(&self) -> bool {
        let signed = self.position.signed();
        self.link.told_position.is_some_and(|told| told != signed)
    }

    fn place_exit(&mut self, signed: i64, plan: &ExitPlan) {
        let Ok(quantity) = u32::try_from(signed.abs()) else {
            return;
        };
        let limit_ticks = self
            .exit_limit_ticks(signed)
            .filter(|_| plan.attempts < LIMIT_TRIES && !self.is_exit_refused(plan));
        let seq = self.next_order_seq();
        let order = OrderRequest {
            order_ref: order_ref(
                &self.settings.instance,
                &self.day.trade_date,
                seq,
                Leg::Exit,
            ),
            side: if signed > 0 { Side::Sell } else { Side::Buy },
            quantity,
            kind: limit_ticks.map_or(OrderKind::Market {}, |limit_ticks| OrderKind::Limit {
                limit_ticks,
            }),
            tif: Tif::Day,
            parent_ref: None,
            oca_group: None,
            outside_rth: true,
        };
        self.count_try(limit_ticks);
        let how = match limit_ticks {
            Some(_) => "",
            None if self.is_exit_refused(plan) => ", at the market: its limit was refused",
            None if plan.attempts < LIMIT_TRIES => ", at the market: there is no fresh quote",
            None => ", at the market: its limits did not fill",
        };
        self.place(vec![order], &format!("{}{how}", exit_why(plan)));
    }

    fn finish_exit(&mut self, plan: &ExitPlan) {
        if !plan.is_flatten {
            self.exit = None;
            return;
        }
        if self.at_ms >= plan.verify_at_ms && !self.link.state_is_out() {
            if let Some(exit) = &mut self.exit {
                exit.verify_at_ms = self.at_ms + VERIFY_MS;
            }
            self.want_state(self.at_ms);
        }
    }

    /// The broker has told everything: ends a flatten where it says flat as well.
    pub fn verify_flat(&mut self, brokers_position: i64, own_orders: usize) {
        let Some(plan) = self.exit.clone() else {
            return;
        };
        let mine_flat = self.position.signed() == 0 && self.orders.live().next().is_none();
        if !plan.is_flatten || !mine_flat || brokers_position != 0 || own_orders > 0 {
            return;
        }
        self.exit = None;
        self.confirm_flat(self.day.net_cents() - plan.net_before_cents);
    }

    /// Alarms where an exit takes too long; repeats for a flatten until flat or seen.
    pub fn check_exit_time(&mut self) {
        let Some(plan) = self.exit.clone() else {
            return;
        };
        if self.at_ms < plan.next_alarm_ms {
            return;
        }
        if let Some(exit) = &mut self.exit {
            exit.next_alarm_ms = self.at_ms + NOT_FLAT_REPEAT_MS;
        }
        if plan.acknowledged {
            return;
        }
        let waits = self.exit_waits_for();
        let seconds = (self.at_ms - plan.started_ms) / 1_000;
        self.control("flatten_failed", true, waits.clone());
        let notice = Notice::NotFlat {
            seconds,
            position: self.position.signed(),
            detail: waits,
        };
        self.notice(NoticeClass::Critical, None, notice);
    }

    /// Returns what an exit waits for, for a person.
    pub fn exit_waits_for(&self) -> String {
        if !self.is_link_up() {
            return "the link to the broker is down; the exit runs first when it is back"
                .to_owned();
        }
        if !self.link.reconciled {
            return "the broker is being asked what is true".to_owned();
        }
        if let Some(mismatch) = &self.mismatch {
            return format!(
                "the broker says {}, our fills say {}; /flatten again closes what the broker says",
                mismatch.brokers.position,
                self.position.signed()
            );
        }
        if self.position.signed() != 0 && self.market_open() == Some(false) {
            return "the market is closed; the exit runs when it opens".to_owned();
        }
        if let Some(order) = self.orders.live().next() {
            return format!("order {} is {}", order.terms.order_ref, order.state.word());
        }
        if self.position.signed() != 0 {
            return "a further exit order is about to be sent".to_owned();
        }
        "the broker is being asked to confirm".to_owned()
    }

    /// Returns when an exit must be looked at again.
    pub fn exit_due_ms(&self) -> i64 {
        let Some(plan) = &self.exit else {
            return NEVER_MS;
        };
        plan.next_alarm_ms.min(self.exit_step_due_ms(plan))
    }

    fn exit_step_due_ms(&self, plan: &ExitPlan) -> i64 {
        if !self.is_link_up() || !self.link.reconciled || self.mismatch.is_some() {
            return NEVER_MS;
        }
        let held = self.position.signed() != 0;
        let due_ms = if held && self.market_open() == Some(false) {
            self.at_ms + CLOSED_LOOK_MS
        } else if held && self.link.state_is_out() {
            // The look's answer leads on.
            return NEVER_MS;
        } else if self.orders.live().next().is_some() {
            return self.working_due_ms(plan, held);
        } else if held {
            self.own_exit_ms(plan)
                .map_or(self.at_ms, |sent_ms| sent_ms + RETRY_MS)
        } else if plan.is_flatten && !self.link.state_is_out() {
            plan.verify_at_ms
        } else {
            return NEVER_MS;
        };
        due_ms.max(self.at_ms + LOOK_MS_MIN)
    }

    /// Returns when an exit that waits for a working order has more to do than to wait for its answer.
    fn working_due_ms(&self, plan: &ExitPlan, held: bool) -> i64 {
        if !held {
            let due_ms = self.flat_since_ms + LEFTOVER_MS;
            return if due_ms > self.at_ms {
                due_ms
            } else {
                NEVER_MS
            };
        }
        let position = self.position.signed().abs();
        let due = self.orders.live().filter_map(|order| {
            let works = matches!(order.state, OrderState::Acked | OrderState::Partial);
            match order.leg {
                Leg::Exit if works && order.terms.kind != OrderKind::Market {} => {
                    Some(plan.last_attempt_ms + RETRY_MS)
                }
                Leg::Stop => resize_due_ms(order, position)
                    .map(|due_ms| due_ms.max(plan.last_attempt_ms + MISSING_MS)),
                Leg::Entry | Leg::Target | Leg::Exit => None,
            }
        });
        due.filter(|due_ms| *due_ms > self.at_ms)
            .min()
            .unwrap_or(NEVER_MS)
    }
}

/// Returns why an exit's order is sent or changed.
fn exit_why(plan: &ExitPlan) -> String {
    format!(
        "{}: {}",
        super::execution::reason_word(plan.reason),
        plan.why
    )
}
