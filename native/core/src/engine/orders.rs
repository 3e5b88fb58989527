//! What the broker tells of our orders, brought into the order book; what follows from it for the round trip.

use super::core::Core;
use crate::effect::{Effect, Notice, NoticeClass, OrderAction, OrderRequest};
use crate::event::{BrokerOrder, BrokerOrderState};
use crate::orders::{Order, OrderState, OrderStep, Outcome, Owner, owner_of};
use crate::status::{Leg, OrderKind, Side};

/// No answer for so long puts an order in doubt (B).
pub(super) const ANSWER_MS_MAX: i64 = 3_000;
/// The broker said filled: its execution must come within this time, or it is asked for (B).
pub(super) const EXECUTION_MS_MAX: i64 = 2_000;

impl Core {
    /// Orders' bytes have left.
    pub fn on_sent(&mut self, order_ref: &str, order_id: i64, epoch: u32) {
        self.highest_order_id = self.highest_order_id.max(order_id);
        self.step(order_ref, OrderStep::Sent { order_id, epoch });
    }

    /// Orders' bytes have provably not left.
    pub fn on_not_sent(&mut self, order_ref: &str, reason: &str) {
        let outcome = self.step(order_ref, OrderStep::NotSent);
        if outcome == Outcome::Changed
            && self
                .entry
                .as_ref()
                .is_some_and(|entry| entry.entry_ref == order_ref)
        {
            self.entry = None;
            self.emit(Effect::Control {
                control: "msg_rate".to_owned(),
                tripped: true,
                detail: reason.to_owned(),
            });
        }
    }

    /// The broker told an order's state.
    pub fn on_order_reported(&mut self, told: &BrokerOrder) {
        match owner_of(&told.order_ref, &self.settings.instance) {
            Owner::Own { .. } => {}
            Owner::Sibling | Owner::Foreign => {
                self.on_foreign_order(told);
                return;
            }
        }
        self.highest_order_id = self.highest_order_id.max(told.order_id);
        if self.orders.get(&told.order_ref).is_none() {
            self.link.note_order_news();
            self.want_state(self.at_ms);
            return;
        }
        if self.take_back_double(told, false) {
            return;
        }
        let step = OrderStep::Reported {
            state: told.state,
            quantity: told.quantity,
            kind: told.kind,
        };
        match self.step(&told.order_ref, step) {
            Outcome::TermsDiffer => self.on_terms_differ(told),
            Outcome::LateAppearance => self.cancel_late(&told.order_ref),
            Outcome::Changed if told.state == BrokerOrderState::Cancelled => {
                self.on_order_ended(&told.order_ref)
            }
            Outcome::Changed if told.state == BrokerOrderState::Inactive => {
                self.on_order_ended(&told.order_ref)
            }
            Outcome::Changed
            | Outcome::Unchanged
            | Outcome::BecameInDoubt
            | Outcome::AwaitsExecutions
            | Outcome::LateFill
            | Outcome::Overfill
            | Outcome::Anomaly => {}
        }
    }

    fn on_foreign_order(&mut self, told: &BrokerOrder) {
        let is_ours = self
            .link
            .contract
            .as_ref()
            .is_some_and(|contract| contract.con_id == told.con_id);
        let is_open = is_open(told.state);
        if is_ours && (is_open || self.risk.foreign_orders > 0) {
            // Counted by the next picture of all orders, which knows them all.
            self.want_state(self.at_ms);
        }
        if is_ours && is_open && self.risk.foreign_orders == 0 {
            self.risk.foreign_orders = 1;
            self.risk.foreign_contracts = (told.quantity - told.filled).max(0);
        }
    }

    /// Learns an order's lasting id. Where one reference has several orders at the broker, all but the one that was meant
    /// are taken back, those that a picture shows again `again` (R19). Returns whether this is news of one of those.
    pub fn take_back_double(&mut self, told: &BrokerOrder, again: bool) -> bool {
        let Some(order) = self.orders.get_mut(&told.order_ref) else {
            return false;
        };
        if order.perm_ids.is_empty() && told.perm_id != 0 {
            order.perm_ids.push(told.perm_id);
        }
        if order.is_meant(told.perm_id) {
            return false;
        }
        let is_new = !order.perm_ids.contains(&told.perm_id);
        let is_open = is_open(told.state);
        // A change that the broker took for a second order: the new terms are the ones that are meant.
        let is_meant = is_new
            && is_open
            && order.next_terms.as_ref().is_some_and(|next| {
                i64::from(next.quantity) == told.quantity && Some(next.kind) == told.kind
            });
        let unwanted_id = if is_meant {
            order.perm_ids.insert(0, told.perm_id);
            std::mem::replace(&mut order.order_id, told.order_id)
        } else {
            if is_new {
                order.perm_ids.push(told.perm_id);
            }
            told.order_id
        };
        if is_new {
            self.tell_double(&told.order_ref);
        }
        let is_asked = told.state == BrokerOrderState::CancelPending && !is_meant;
        if is_open && !is_asked && (is_new || again) && self.is_link_up() {
            self.emit(Effect::Intent {
                order_ref: told.order_ref.clone(),
                action: OrderAction::Cancel {
                    order_id: Some(unwanted_id),
                },
                why: "its reference has another order at the broker".to_owned(),
            });
        }
        if is_new {
            self.want_state(self.at_ms + 1_000);
        }
        !is_meant
    }

    fn tell_double(&mut self, order_ref: &str) {
        let detail = format!("order {order_ref} exists more than once at the broker");
        self.questions
            .insert(format!("double:{order_ref}"), detail.clone());
        self.halt(
            "double_order",
            &detail,
            "risk",
            vec![
                "all but the one that was meant are taken back".to_owned(),
                "check the orders in the broker's own app".to_owned(),
            ],
        );
    }

    /// Somebody changed our order in the broker's own app (R6): a smaller risk is taken over, a larger one is put back.
    pub fn on_terms_differ(&mut self, told: &BrokerOrder) {
        let Some(kind) = told.kind else { return };
        let Some(order) = self.orders.get_mut(&told.order_ref) else {
            return;
        };
        let before = order.terms.clone();
        let nearer = match (before.kind, kind) {
            (OrderKind::Stop { stop_ticks: old }, OrderKind::Stop { stop_ticks: new }) => {
                match before.side {
                    Side::Sell => new >= old,
                    Side::Buy => new <= old,
                }
            }
            (OrderKind::Limit { .. }, OrderKind::Limit { .. }) => true,
            (OrderKind::Market {}, OrderKind::Market {}) => true,
            (OrderKind::Market {} | OrderKind::Limit { .. } | OrderKind::Stop { .. }, _) => false,
        };
        let Ok(quantity) = u32::try_from(told.quantity) else {
            return;
        };
        let smaller = quantity <= before.quantity;
        order.terms.kind = kind;
        order.terms.quantity = quantity;
        let changed = self
            .orders
            .get(&told.order_ref)
            .map(|order| (order.leg, order.state));
        if nearer && smaller {
            if let (Some((leg, _)), Some(trip)) = (changed, self.trip.as_mut()) {
                match (leg, kind) {
                    (Leg::Stop, OrderKind::Stop { stop_ticks }) => {
                        trip.stop_ticks = Some(stop_ticks)
                    }
                    (Leg::Target, OrderKind::Limit { limit_ticks }) => {
                        trip.target_ticks = Some(limit_ticks)
                    }
                    _ => {}
                }
            }
            self.anomaly(format!(
                "order {} was changed outside of the bot; taken over",
                told.order_ref
            ));
            return;
        }
        self.anomaly(format!(
            "order {} was changed outside of the bot to more risk; put back",
            told.order_ref
        ));
        if matches!(
            changed,
            Some((
                Leg::Stop | Leg::Target,
                OrderState::Acked | OrderState::Partial
            ))
        ) {
            self.modify_order(before, "put back what was changed outside of the bot");
        }
    }

    /// The broker refused an order.
    pub fn on_order_refused(&mut self, order_ref: &str, code: i32, text: String) {
        let Some(leg) = self.orders.get(order_ref).map(|order| order.leg) else {
            self.anomaly(format!(
                "the broker refused {order_ref}, which is not known here: {code} {text}"
            ));
            return;
        };
        let outcome = self.step(order_ref, OrderStep::Refused);
        if outcome != Outcome::Changed {
            return;
        }
        if self.is_child_of_nothing(order_ref) {
            return;
        }
        let on_exit = leg != Leg::Entry;
        // An entry's refusal a moment ago must not fold an exit's away.
        let (class, key) = if on_exit {
            (NoticeClass::Critical, "exit_rejected")
        } else {
            (NoticeClass::Trade, "order_rejected")
        };
        let notice = Notice::OrderRejected {
            order_ref: order_ref.to_owned(),
            code,
            text,
            on_exit,
        };
        self.notice(class, Some(key), notice);
        self.count_reject(order_ref);
        self.on_order_ended(order_ref);
    }

    /// Is this a stop or target whose entry has ended without a fill? That it is refused as well is no news.
    fn is_child_of_nothing(&self, order_ref: &str) -> bool {
        let order = self.orders.get(order_ref);
        let parent = order
            .and_then(|order| order.terms.parent_ref.as_deref())
            .and_then(|parent| self.orders.get(parent));
        parent.is_some_and(|parent| !parent.is_live() && parent.filled == 0)
    }

    /// The broker could not change or cancel an order: asked about before any conclusion.
    pub fn on_change_refused(&mut self, order_ref: &str, code: i32, text: &str) {
        if self.orders.get(order_ref).is_none() {
            self.anomaly(format!(
                "the broker could not change {order_ref}, which is not known here: {code} {text}"
            ));
            return;
        }
        self.step(order_ref, OrderStep::ChangeRefused);
        self.want_state(self.at_ms);
    }

    /// The broker warned: the order may well be working; its status tells.
    pub fn on_order_warned(&mut self, order_ref: &str, code: i32, text: &str) {
        self.anomaly(format!(
            "the broker warned about {order_ref}: {code} {text}"
        ));
    }

    /// An entry that ended without a fill takes its children with it.
    fn on_order_ended(&mut self, order_ref: &str) {
        let Some(order) = self.orders.get(order_ref) else {
            return;
        };
        if order.leg != Leg::Entry {
            return;
        }
        let unfilled = order.filled == 0;
        if self
            .entry
            .as_ref()
            .is_some_and(|entry| entry.entry_ref == order_ref)
        {
            self.entry = None;
        }
        if !unfilled {
            return;
        }
        let at_ms = self.at_ms;
        let children = self
            .orders
            .live_refs(|child| child.terms.parent_ref.as_deref() == Some(order_ref));
        for child in children {
            if let Some(order) = self.orders.get_mut(&child) {
                order.apply(OrderStep::FoundGone { expired: false }, at_ms);
            }
        }
        // That the children are gone as well is the broker's to say.
        self.want_state(at_ms + 1_000);
    }

    /// Applies a step to an order of ours and tells what is loud about it.
    pub fn step(&mut self, order_ref: &str, step: OrderStep) -> Outcome {
        let at_ms = self.at_ms;
        let Some(order) = self.orders.get_mut(order_ref) else {
            self.anomaly(format!(
                "news of an order that is not known here: {order_ref}"
            ));
            return Outcome::Anomaly;
        };
        let outcome = order.apply(step.clone(), at_ms);
        let state = order.state;
        if state != OrderState::InDoubt && !self.questions.is_empty() {
            self.questions.remove(&format!("in_doubt:{order_ref}"));
        }
        self.link.note_order_news();
        match outcome {
            Outcome::BecameInDoubt => self.tell_doubt(order_ref, &step),
            Outcome::LateFill => {
                self.control(
                    "late_fill",
                    true,
                    format!("{order_ref} filled after it was {}", state.word()),
                );
            }
            Outcome::Overfill => {
                let detail = format!("{order_ref} filled more than it asked for");
                self.control("overfill", true, detail.clone());
                self.halt(
                    "overfill",
                    &detail,
                    "risk",
                    vec!["check the position in the broker's own app".to_owned()],
                );
            }
            Outcome::Anomaly => {
                self.anomaly(format!("{order_ref} is {} and met {step:?}", state.word()))
            }
            Outcome::Unchanged
            | Outcome::Changed
            | Outcome::AwaitsExecutions
            | Outcome::TermsDiffer
            | Outcome::LateAppearance => {}
        }
        outcome
    }

    fn tell_doubt(&mut self, order_ref: &str, step: &OrderStep) {
        let reason = match step {
            OrderStep::LinkLost => "the link broke while it was on its way",
            OrderStep::ChangeRefused => "the broker could not change it",
            OrderStep::Refused => "the broker refused something about it",
            _ => "no answer within 3 s",
        };
        self.emit(Effect::InDoubt {
            order_ref: order_ref.to_owned(),
            reason: reason.to_owned(),
        });
        let detail = format!("{reason}; it is not sent again, the broker is asked, entries wait");
        let notice = Notice::OrderInDoubt {
            order_ref: order_ref.to_owned(),
            detail,
        };
        self.notice(NoticeClass::Link, Some("order_in_doubt"), notice);
        self.want_state(self.at_ms);
    }

    /// Asks for an order's end; nothing where that is asked for already, or cannot be.
    pub fn cancel_order(&mut self, order_ref: &str, why: &str) {
        let Some(order) = self.orders.get(order_ref) else {
            return;
        };
        let may_ask = match order.state {
            OrderState::Sent
            | OrderState::Acked
            | OrderState::Partial
            | OrderState::ModifyPending
            | OrderState::Orphan => true,
            OrderState::Intent | OrderState::CancelPending | OrderState::InDoubt => false,
            OrderState::Filled
            | OrderState::Cancelled
            | OrderState::Rejected
            | OrderState::Inactive
            | OrderState::Expired
            | OrderState::Tombstone
            | OrderState::NotSent => false,
        };
        if !may_ask || !self.is_link_up() {
            return;
        }
        self.ask_cancel(order_ref, why);
    }

    /// Takes back an order that showed up after its end (R15).
    pub fn cancel_late(&mut self, order_ref: &str) {
        self.control(
            "orphan_order",
            true,
            format!("{order_ref} showed up after its end and is taken back"),
        );
        if self.is_link_up() {
            self.ask_cancel(order_ref, "it showed up after its end");
        }
    }

    fn ask_cancel(&mut self, order_ref: &str, why: &str) {
        self.step(order_ref, OrderStep::CancelAsked);
        let why = why.to_owned();
        self.emit(Effect::Intent {
            order_ref: order_ref.to_owned(),
            action: OrderAction::Cancel { order_id: None },
            why,
        });
    }

    /// Asks for new terms of a working order.
    pub fn modify_order(&mut self, terms: OrderRequest, why: &str) {
        let order_ref = terms.order_ref.clone();
        let outcome = self.step(&order_ref, OrderStep::ModifyAsked(Box::new(terms.clone())));
        if outcome == Outcome::Changed {
            self.risk.count_order(self.at_ms);
            let action = OrderAction::Modify { order: terms };
            self.emit(Effect::Intent {
                order_ref,
                action,
                why: why.to_owned(),
            });
        }
    }

    /// Puts orders that wait too long for an answer in doubt; asks for executions that the broker owes.
    pub fn check_silence(&mut self) {
        let at_ms = self.at_ms;
        let silent = self.orders.live_refs(|order| is_silent(order, at_ms));
        for order_ref in silent {
            self.step(&order_ref, OrderStep::Silent);
        }
        let owes = self.orders.live().any(|order| {
            order.awaits_executions_since_ms > 0
                && at_ms - order.awaits_executions_since_ms >= EXECUTION_MS_MAX
        });
        if owes {
            self.want_state(at_ms);
        }
    }

    /// Puts what is on its way in doubt: the connection is gone.
    pub fn doubt_in_flight(&mut self) {
        for order_ref in self.orders.live_refs(|_| true) {
            self.step(&order_ref, OrderStep::LinkLost);
        }
    }
}

/// Is an order in this state working at the broker, or about to?
pub(super) fn is_open(state: BrokerOrderState) -> bool {
    match state {
        BrokerOrderState::Pending
        | BrokerOrderState::Held
        | BrokerOrderState::Working
        | BrokerOrderState::CancelPending => true,
        BrokerOrderState::Cancelled | BrokerOrderState::Filled | BrokerOrderState::Inactive => {
            false
        }
    }
}

fn is_silent(order: &Order, at_ms: i64) -> bool {
    order.state.is_in_flight() && at_ms - order.since_ms >= ANSWER_MS_MAX
}
