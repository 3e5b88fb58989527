//! The life of an order (reliability note, section B): which state follows from which event, and what may still exist.
//! Decides nothing about trading; a fill is believed in every state, a final state is left by a fill only.

use crate::effect::OrderRequest;
use crate::event::BrokerOrderState;
use crate::status::{Leg, OrderKind, Side};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Final orders that are kept for late fills and repeats; the oldest beyond it are forgotten.
pub const FINAL_ORDERS_MAX: usize = 256;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Decided and on the disk; its bytes may not have left.
    Intent,
    /// Its bytes have been handed to the socket.
    Sent,
    /// The broker has told of it.
    Acked,
    /// Partly filled.
    Partial,
    /// New terms are asked for; old and new ones are possible.
    ModifyPending,
    /// Its end is asked for; it may still fill.
    CancelPending,
    /// Done.
    Filled,
    /// Taken back.
    Cancelled,
    /// Refused by the broker.
    Rejected,
    /// Parked by the broker for good.
    Inactive,
    /// Ended with its day.
    Expired,
    /// May exist or not; never sent again.
    InDoubt,
    /// Was in doubt and is proven absent.
    Tombstone,
    /// Its bytes have provably not left.
    NotSent,
    /// Found at the broker without a record of ours.
    Orphan,
}

impl OrderState {
    /// Is true where nothing but a believed fill leads on.
    pub fn is_final(self) -> bool {
        use OrderState::*;
        match self {
            Filled | Cancelled | Rejected | Inactive | Expired | Tombstone | NotSent => true,
            Intent | Sent | Acked | Partial | ModifyPending | CancelPending | InDoubt | Orphan => {
                false
            }
        }
    }

    /// Is true where an answer of the broker is outstanding.
    pub fn is_in_flight(self) -> bool {
        use OrderState::*;
        matches!(self, Intent | Sent | ModifyPending | CancelPending)
    }

    /// Returns the state's word for people and records.
    pub fn word(self) -> &'static str {
        use OrderState::*;
        match self {
            Intent => "intent",
            Sent => "sent",
            Acked => "acked",
            Partial => "partial",
            ModifyPending => "modify_pending",
            CancelPending => "cancel_pending",
            Filled => "filled",
            Cancelled => "cancelled",
            Rejected => "rejected",
            Inactive => "inactive",
            Expired => "expired",
            InDoubt => "in_doubt",
            Tombstone => "tombstone",
            NotSent => "not_sent",
            Orphan => "orphan",
        }
    }
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderStep {
    /// Its bytes have left.
    Sent {
        /// The wire handle.
        order_id: i64,
        /// The connection.
        epoch: u32,
    },
    /// Its bytes have provably not left.
    NotSent,
    /// The broker pushed its state and, where told, its terms.
    Reported {
        /// The broker's word.
        state: BrokerOrderState,
        /// Contracts asked, as the broker has it.
        quantity: i64,
        /// Kind and price, as the broker has it.
        kind: Option<OrderKind>,
    },
    /// A reconciliation found it open.
    FoundOpen {
        /// Contracts asked, as the broker has it.
        quantity: i64,
        /// Kind and price, as the broker has it.
        kind: Option<OrderKind>,
        /// True where the broker is cancelling it.
        cancelling: bool,
    },
    /// A reconciliation proved that it is no longer open, and that it did not fill further.
    FoundGone {
        /// True where its day is over.
        expired: bool,
    },
    /// A second clean probe: it has never existed.
    ProvenAbsent,
    /// The broker refused it.
    Refused,
    /// The broker could not change or cancel it: executions and open orders tell the rest.
    ChangeRefused,
    /// It traded; negative where a correction took back.
    Filled {
        /// Contracts.
        quantity: i64,
    },
    /// No answer in time.
    Silent,
    /// The connection is gone.
    LinkLost,
    /// We ask for new terms.
    ModifyAsked(Box<OrderRequest>),
    /// We ask for its end.
    CancelAsked,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: a repeat, or news without consequence.
    Unchanged,
    /// The state changed.
    Changed,
    /// It is in doubt from now on.
    BecameInDoubt,
    /// The broker says filled or gone with more filled than its executions told.
    AwaitsExecutions,
    /// Its terms at the broker are not the ones that we asked for.
    TermsDiffer,
    /// It showed up after it was proven absent or final: to be cancelled at once.
    LateAppearance,
    /// It traded after its end: believed, and alarmed.
    LateFill,
    /// It traded more than it asked for: believed, and alarmed.
    Overfill,
    /// Should not happen; nothing was changed.
    Anomaly,
}

/// Contracts that the broker's position says have filled, booked before their execution is told (R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presumed {
    /// Contracts whose execution is still owed.
    pub quantity: i64,
    /// What they were booked at.
    pub price_ticks: i32,
    /// The round trip that they were booked in.
    pub trip_id: i64,
}

/// One order of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The terms in force.
    pub terms: OrderRequest,
    /// The terms asked for by a modify that is not answered yet.
    pub next_terms: Option<OrderRequest>,
    /// What it does in a round trip.
    pub leg: Leg,
    /// Where it stands.
    pub state: OrderState,
    /// Contracts filled, by executions only.
    pub filled: i64,
    /// The wire handle of its epoch; 0 = none yet.
    pub order_id: i64,
    /// The connection that it was sent on.
    pub epoch: u32,
    /// The broker's lasting ids, the one that is meant first; more than one is an alarm (R19).
    pub perm_ids: Vec<i64>,
    /// When it was decided.
    pub made_at_ms: i64,
    /// Since when it stands where it stands.
    pub since_ms: i64,
    /// Clean probes so far on this connection.
    pub clean_probes: u32,
    /// When the last clean probe was.
    pub probed_at_ms: i64,
    /// When the broker said filled without an execution; 0 = never.
    pub awaits_executions_since_ms: i64,
    /// Contracts booked before their execution was told.
    pub presumed: Option<Presumed>,
}

impl Order {
    /// Returns a freshly decided order.
    pub fn new(terms: OrderRequest, leg: Leg, at_ms: i64) -> Order {
        Order {
            terms,
            next_terms: None,
            leg,
            state: OrderState::Intent,
            filled: 0,
            order_id: 0,
            epoch: 0,
            perm_ids: Vec::new(),
            made_at_ms: at_ms,
            since_ms: at_ms,
            clean_probes: 0,
            probed_at_ms: 0,
            awaits_executions_since_ms: 0,
            presumed: None,
        }
    }

    /// Returns the contracts that may still fill, the worse of old and new terms.
    pub fn leaves(&self) -> i64 {
        if self.state.is_final() {
            return 0;
        }
        let asked = i64::from(self.terms.quantity);
        let next = self
            .next_terms
            .as_ref()
            .map_or(asked, |terms| i64::from(terms.quantity));
        (asked.max(next) - self.filled).max(0)
    }

    /// Is this lasting id the one of the order that was meant? Others under the same reference are taken back (R19).
    pub fn is_meant(&self, perm_id: i64) -> bool {
        perm_id == 0 || self.perm_ids.first().is_none_or(|meant| *meant == perm_id)
    }

    /// Takes an execution of `quantity` contracts against what was booked before it; returns what of it was.
    pub fn settle_presumed(&mut self, quantity: i64) -> Option<Presumed> {
        let presumed = self.presumed.as_mut()?;
        let settled = Presumed {
            quantity: quantity.min(presumed.quantity),
            ..*presumed
        };
        presumed.quantity -= settled.quantity;
        if presumed.quantity == 0 {
            self.presumed = None;
        }
        Some(settled)
    }

    /// Is true where it may still fill.
    pub fn is_live(&self) -> bool {
        !self.state.is_final()
    }

    /// Applies one step; every pair of state and step has an answer, none panics.
    pub fn apply(&mut self, step: OrderStep, at_ms: i64) -> Outcome {
        use OrderState::*;
        match step {
            OrderStep::Sent { order_id, epoch } => {
                if self.state != Intent
                    && self.state != InDoubt
                    && self.state != Acked
                    && self.state != Partial
                {
                    return if self.state.is_final() {
                        Outcome::Anomaly
                    } else {
                        Outcome::Unchanged
                    };
                }
                self.order_id = order_id;
                self.epoch = epoch;
                match self.state {
                    Intent => self.go(Sent, at_ms),
                    _ => Outcome::Unchanged,
                }
            }
            OrderStep::NotSent => match self.state {
                Intent | InDoubt if self.filled == 0 && self.perm_ids.is_empty() => {
                    self.go(NotSent, at_ms)
                }
                NotSent => Outcome::Unchanged,
                Intent | Sent | Acked | Partial | ModifyPending | CancelPending | Filled
                | Cancelled | Rejected | Inactive | Expired | InDoubt | Tombstone | Orphan => {
                    Outcome::Anomaly
                }
            },
            OrderStep::Reported {
                state,
                quantity,
                kind,
            } => self.reported(state, quantity, kind, at_ms),
            OrderStep::FoundOpen {
                quantity,
                kind,
                cancelling,
            } => self.found_open(quantity, kind, cancelling, at_ms),
            OrderStep::FoundGone { expired } => {
                if self.state.is_final() {
                    return Outcome::Unchanged;
                }
                self.next_terms = None;
                self.go(if expired { Expired } else { Cancelled }, at_ms)
            }
            OrderStep::ProvenAbsent => match self.state {
                Intent | Sent | InDoubt => self.go(
                    if self.filled > 0 {
                        Cancelled
                    } else {
                        Tombstone
                    },
                    at_ms,
                ),
                Acked | Partial | ModifyPending | CancelPending | Orphan => Outcome::Anomaly,
                Filled | Cancelled | Rejected | Inactive | Expired | Tombstone | NotSent => {
                    Outcome::Unchanged
                }
            },
            OrderStep::Refused => match self.state {
                Intent | Sent | InDoubt | Acked => self.go(Rejected, at_ms),
                Cancelled | Inactive if self.filled == 0 => self.go(Rejected, at_ms),
                ModifyPending | CancelPending | Partial => self.doubt(at_ms),
                Rejected => Outcome::Unchanged,
                Filled | Cancelled | Inactive | Expired | Tombstone | NotSent | Orphan => {
                    Outcome::Anomaly
                }
            },
            OrderStep::ChangeRefused => match self.state {
                ModifyPending | CancelPending | Acked | Partial | Sent => self.doubt(at_ms),
                InDoubt | Filled | Cancelled | Rejected | Inactive | Expired => Outcome::Unchanged,
                Intent | Tombstone | NotSent | Orphan => Outcome::Anomaly,
            },
            OrderStep::Filled { quantity } => self.filled_by(quantity, at_ms),
            OrderStep::Silent => {
                if self.state.is_in_flight() {
                    self.doubt(at_ms)
                } else {
                    Outcome::Unchanged
                }
            }
            OrderStep::LinkLost => {
                self.clean_probes = 0;
                if self.state.is_in_flight() {
                    self.doubt(at_ms)
                } else {
                    Outcome::Unchanged
                }
            }
            OrderStep::ModifyAsked(terms) => match self.state {
                Acked | Partial => {
                    self.next_terms = Some(*terms);
                    self.go(ModifyPending, at_ms)
                }
                Intent | Sent | ModifyPending | CancelPending | Filled | Cancelled | Rejected
                | Inactive | Expired | InDoubt | Tombstone | NotSent | Orphan => Outcome::Anomaly,
            },
            OrderStep::CancelAsked => match self.state {
                Sent | Acked | Partial | ModifyPending | InDoubt | Orphan | Tombstone
                | Cancelled | Inactive | Expired | Intent | Rejected | NotSent | CancelPending => {
                    self.go(CancelPending, at_ms)
                }
                Filled => Outcome::Anomaly,
            },
        }
    }

    fn reported(
        &mut self,
        state: BrokerOrderState,
        quantity: i64,
        kind: Option<OrderKind>,
        at_ms: i64,
    ) -> Outcome {
        use OrderState::*;
        match state {
            BrokerOrderState::Pending => Outcome::Unchanged,
            BrokerOrderState::Held | BrokerOrderState::Working => match self.state {
                Intent | Sent => {
                    self.acknowledge(at_ms);
                    self.compare(quantity, kind, Outcome::Changed)
                }
                InDoubt => {
                    self.settle_terms(quantity, kind);
                    self.acknowledge(at_ms);
                    self.compare(quantity, kind, Outcome::Changed)
                }
                Acked | Partial => self.compare(quantity, kind, Outcome::Unchanged),
                ModifyPending => {
                    if !self.settle_terms(quantity, kind) {
                        return Outcome::Unchanged;
                    }
                    self.acknowledge(at_ms)
                }
                Tombstone | NotSent => Outcome::LateAppearance,
                // A status may be repeated, and late: it brings no ended order back (IB API guide, orderStatus).
                CancelPending | Orphan | Filled | Cancelled | Rejected | Inactive | Expired => {
                    Outcome::Unchanged
                }
            },
            BrokerOrderState::CancelPending => match self.state {
                Acked | Partial | ModifyPending | InDoubt | Sent | Intent => {
                    self.go(CancelPending, at_ms)
                }
                Tombstone | NotSent => Outcome::LateAppearance,
                CancelPending | Orphan | Filled | Cancelled | Rejected | Inactive | Expired => {
                    Outcome::Unchanged
                }
            },
            BrokerOrderState::Cancelled => self.ended(Cancelled, at_ms),
            BrokerOrderState::Inactive => self.ended(Inactive, at_ms),
            BrokerOrderState::Filled => {
                if self.state == Filled || self.state.is_final() {
                    return Outcome::Unchanged;
                }
                if self.awaits_executions_since_ms == 0 {
                    self.awaits_executions_since_ms = at_ms;
                }
                Outcome::AwaitsExecutions
            }
        }
    }

    fn ended(&mut self, end: OrderState, at_ms: i64) -> Outcome {
        if self.state.is_final() {
            return Outcome::Unchanged;
        }
        self.next_terms = None;
        self.go(end, at_ms)
    }

    fn found_open(
        &mut self,
        quantity: i64,
        kind: Option<OrderKind>,
        cancelling: bool,
        at_ms: i64,
    ) -> Outcome {
        use OrderState::*;
        self.clean_probes = 0;
        match self.state {
            Intent | Sent | InDoubt | ModifyPending => {
                self.settle_terms(quantity, kind);
                self.next_terms = None;
                if cancelling {
                    return self.go(CancelPending, at_ms);
                }
                self.acknowledge(at_ms);
                self.compare(quantity, kind, Outcome::Changed)
            }
            Acked | Partial => self.compare(quantity, kind, Outcome::Unchanged),
            CancelPending | Orphan => Outcome::Unchanged,
            Filled => Outcome::Anomaly,
            Cancelled | Rejected | Inactive | Expired | Tombstone | NotSent => {
                Outcome::LateAppearance
            }
        }
    }

    fn filled_by(&mut self, quantity: i64, at_ms: i64) -> Outcome {
        use OrderState::*;
        self.filled += quantity;
        self.awaits_executions_since_ms = 0;
        if quantity < 0 {
            return self.unfilled(at_ms);
        }
        let asked = i64::from(self.terms.quantity);
        let next = self
            .next_terms
            .as_ref()
            .map_or(asked, |terms| i64::from(terms.quantity));
        let late = self.state.is_final() && self.state != Filled;
        if self.filled >= asked.max(next) {
            let over = self.filled > asked.max(next);
            self.next_terms = None;
            if self.state != Filled {
                self.go(Filled, at_ms);
            }
            return match (over, late) {
                (true, _) => Outcome::Overfill,
                (false, true) => Outcome::LateFill,
                (false, false) => Outcome::Changed,
            };
        }
        if late {
            return Outcome::LateFill;
        }
        match self.state {
            Intent | Sent | Acked | Partial | InDoubt => {
                self.state = Partial;
                self.since_ms = at_ms;
            }
            ModifyPending | CancelPending | Orphan | Filled | Cancelled | Rejected | Inactive
            | Expired | Tombstone | NotSent => {}
        }
        Outcome::Changed
    }

    /// A correction took contracts back: the order's end stands, what it filled is less.
    fn unfilled(&mut self, at_ms: i64) -> Outcome {
        use OrderState::*;
        match self.state {
            Filled if self.filled < i64::from(self.terms.quantity) => self.go(Cancelled, at_ms),
            Partial if self.filled == 0 => self.go(Acked, at_ms),
            Filled | Partial | Intent | Sent | Acked | ModifyPending | CancelPending
            | Cancelled | Rejected | Inactive | Expired | InDoubt | Tombstone | NotSent
            | Orphan => Outcome::Changed,
        }
    }

    /// Takes the pending terms where the broker has them; returns whether it has.
    fn settle_terms(&mut self, quantity: i64, kind: Option<OrderKind>) -> bool {
        let Some(next) = &self.next_terms else {
            return true;
        };
        if i64::from(next.quantity) == quantity && Some(next.kind) == kind {
            self.terms = next.clone();
            self.next_terms = None;
            return true;
        }
        false
    }

    fn compare(&self, quantity: i64, kind: Option<OrderKind>, same: Outcome) -> Outcome {
        let agrees = i64::from(self.terms.quantity) == quantity && Some(self.terms.kind) == kind;
        if agrees { same } else { Outcome::TermsDiffer }
    }

    fn acknowledge(&mut self, at_ms: i64) -> Outcome {
        self.go(
            if self.filled > 0 {
                OrderState::Partial
            } else {
                OrderState::Acked
            },
            at_ms,
        )
    }

    fn doubt(&mut self, at_ms: i64) -> Outcome {
        self.clean_probes = 0;
        self.go(OrderState::InDoubt, at_ms);
        Outcome::BecameInDoubt
    }

    fn go(&mut self, state: OrderState, at_ms: i64) -> Outcome {
        self.state = state;
        self.since_ms = at_ms;
        Outcome::Changed
    }
}

/// All orders of ours, by reference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBook {
    orders: BTreeMap<String, Order>,
}

impl OrderBook {
    /// Returns an order.
    pub fn get(&self, order_ref: &str) -> Option<&Order> {
        self.orders.get(order_ref)
    }

    /// Returns an order to change.
    pub fn get_mut(&mut self, order_ref: &str) -> Option<&mut Order> {
        self.orders.get_mut(order_ref)
    }

    /// Adds an order.
    pub fn add(&mut self, order: Order) {
        self.orders.insert(order.terms.order_ref.clone(), order);
        let finals = self
            .orders
            .values()
            .filter(|order| !order.is_live())
            .count();
        if finals > FINAL_ORDERS_MAX {
            let oldest = self
                .orders
                .values()
                .filter(|order| !order.is_live())
                .min_by_key(|order| order.made_at_ms);
            if let Some(order_ref) = oldest.map(|order| order.terms.order_ref.clone()) {
                self.orders.remove(&order_ref);
            }
        }
    }

    /// Returns all orders, in the order of their references.
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// Returns all orders to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Order> {
        self.orders.values_mut()
    }

    /// Returns the orders that may still fill.
    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| order.is_live())
    }

    /// Returns the references of the orders that may still fill and satisfy `wanted`.
    pub fn live_refs(&self, wanted: impl Fn(&Order) -> bool) -> Vec<String> {
        self.live()
            .filter(|order| wanted(order))
            .map(|order| order.terms.order_ref.clone())
            .collect()
    }

    /// Returns the largest |position| that fills of what may exist can make of `position` (D1): every entry and exit
    /// counts, of the legs of one group only the largest, and legs of an entry that may still fill not before it.
    pub fn worst_case(&self, position: i64) -> i64 {
        let (mut buys, mut sells) = (0, 0);
        let mut groups: BTreeMap<(&str, Side), i64> = BTreeMap::new();
        for order in self.live() {
            let waits = order
                .terms
                .parent_ref
                .as_deref()
                .and_then(|parent| self.get(parent))
                .is_some_and(Order::is_live);
            if waits {
                continue;
            }
            if let Some(group) = order.terms.oca_group.as_deref() {
                let largest = groups.entry((group, order.terms.side)).or_default();
                *largest = order.leaves().max(*largest);
                continue;
            }
            match order.terms.side {
                Side::Buy => buys += order.leaves(),
                Side::Sell => sells += order.leaves(),
            }
        }
        for ((_, side), leaves) in groups {
            match side {
                Side::Buy => buys += leaves,
                Side::Sell => sells += leaves,
            }
        }
        (position + buys).abs().max((position - sells).abs())
    }
}

/// Returns an order reference: `QS1-<instance>-<yymmdd>-<seq base36>-<leg>`. `trade_date` is "YYYY-MM-DD" or empty.
pub fn order_ref(instance: &str, trade_date: &str, seq: i64, leg: Leg) -> String {
    let day: String = trade_date
        .chars()
        .filter(char::is_ascii_digit)
        .skip(2)
        .collect();
    let day = if day.is_empty() { "000000" } else { &day };
    format!("QS1-{instance}-{day}-{}-{}", base36(seq), leg_letter(leg))
}

/// Returns the one-cancels-other group of the orders that were made at `seq`.
pub fn group_of(order_ref: &str) -> String {
    match order_ref.rsplit_once('-') {
        Some((stem, _)) => stem.to_owned(),
        None => order_ref.to_owned(),
    }
}

/// Whose an order is, by its reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Ours.
    Own {
        /// Its sequence number.
        seq: i64,
        /// Its leg.
        leg: Leg,
    },
    /// Another instance of this program.
    Sibling,
    /// Somebody else.
    Foreign,
}

/// Returns whose an order is.
pub fn owner_of(order_ref: &str, instance: &str) -> Owner {
    let Some(rest) = order_ref.strip_prefix("QS1-") else {
        return Owner::Foreign;
    };
    let parts: Vec<&str> = rest.split('-').collect();
    let [of, _, seq, letter] = parts[..] else {
        return Owner::Sibling;
    };
    let leg = match letter {
        "E" => Leg::Entry,
        "S" => Leg::Stop,
        "T" => Leg::Target,
        "X" => Leg::Exit,
        _ => return Owner::Sibling,
    };
    match i64::from_str_radix(seq, 36) {
        Ok(seq) if of == instance => Owner::Own { seq, leg },
        _ => Owner::Sibling,
    }
}

fn leg_letter(leg: Leg) -> char {
    match leg {
        Leg::Entry => 'E',
        Leg::Stop => 'S',
        Leg::Target => 'T',
        Leg::Exit => 'X',
    }
}

fn base36(value: i64) -> String {
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        rest /= 36;
        if rest == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests;
