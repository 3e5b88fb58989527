//! Keeps a position protected and nothing else working: stop and target stand where the entry's fills put them, in the
//! size that is held; a missing stop is placed anew (R9); legs without a position are taken back.

use super::core::{Core, NEVER_MS};
use crate::effect::{Notice, NoticeClass, OrderRequest};
use crate::orders::{Order, OrderState, group_of, order_ref};
use crate::status::{ExitReason, Leg, OrderKind, Side, Tif};

/// A leg that ended is missed only after this time: the fill that ended it may be on its way.
pub(super) const MISSING_MS: i64 = 1_000;
/// Legs that outlive their position by so long are taken back; the broker's own cancel comes first.
pub(super) const LEFTOVER_MS: i64 = 500;
/// The rest of an entry at the market has filled by then, or is taken back: protection comes within two seconds (R9).
const REST_MS: i64 = 1_000;
/// Stops placed anew for one round trip; then it is left.
const REPAIRS_MAX: u32 = 3;

impl Core {
    /// Takes the next step towards a protected position, if one can be taken now.
    pub fn protect(&mut self) {
        if self.exit.is_some()
            || !self.is_link_up()
            || !self.link.reconciled
            || self.mismatch.is_some()
        {
            return;
        }
        let entry_live = self.orders.live().any(|order| order.leg == Leg::Entry);
        let doubtful = self
            .orders
            .live()
            .any(|order| order.state == OrderState::InDoubt);
        if entry_live {
            self.end_entry_rest();
            self.end_bare_entries();
        }
        if entry_live || doubtful {
            return;
        }
        let Some(side) = self.position.trip().map(|trip| trip.side) else {
            self.take_back_leftovers();
            return;
        };
        let Some((stop, target)) = self
            .trip
            .as_ref()
            .map(|trip| (trip.stop_ticks, trip.target_ticks))
        else {
            return;
        };
        let stop_kind = stop.map(|stop_ticks| OrderKind::Stop { stop_ticks });
        let target_kind = target.map(|limit_ticks| OrderKind::Limit { limit_ticks });
        if let Some(kind) = stop_kind {
            self.keep_leg(Leg::Stop, side, kind);
        }
        if self.exit.is_none()
            && let Some(kind) = target_kind
        {
            self.keep_leg(Leg::Target, side, kind);
        }
        if self.exit.is_some() {
            self.advance_exit();
        }
    }

    /// What an entry has filled so far must not wait for the rest: the legs follow only once it has ended.
    fn end_entry_rest(&mut self) {
        let at_ms = self.at_ms;
        let rests = self
            .orders
            .live_refs(|order| is_rest(order) && at_ms >= rest_due_ms(order));
        for order_ref in rests {
            self.cancel_order(&order_ref, "the rest of the entry did not fill");
        }
    }

    /// An entry whose stop is gone for certain must not fill: nobody would protect it (R1, F10).
    fn end_bare_entries(&mut self) {
        let bare = self.orders.live_refs(|order| {
            order.leg == Leg::Entry && self.orders.iter().any(|stop| is_lost_stop(stop, order))
        });
        for order_ref in bare {
            let before = self.orders.get(&order_ref).map(|order| order.state);
            self.cancel_order(&order_ref, "its stop is gone");
            if self.orders.get(&order_ref).map(|order| order.state) != before {
                let detail =
                    format!("{order_ref} lost its stop before it filled and is taken back");
                self.control("bare_entry", true, detail.clone());
                let told = Notice::Told {
                    name: "bare_entry".to_owned(),
                    lines: vec![format!("Entry {detail}.")],
                };
                self.notice(NoticeClass::Critical, Some("bare_entry"), told);
            }
        }
    }

    fn keep_leg(&mut self, leg: Leg, held: Side, kind: OrderKind) {
        let (mut live, wrong): (Vec<Order>, Vec<Order>) = self
            .orders
            .live()
            .filter(|order| order.leg == leg)
            .cloned()
            .partition(|order| order.terms.side == held.opposite());
        // A leg of a position that a correction has turned round would add to it: it ends before another comes.
        if !wrong.is_empty() {
            for order in wrong {
                self.cancel_order(&order.terms.order_ref, "it is of the other side");
            }
            return;
        }
        // A second leg of a kind is one too many: two stops could both fill.
        for extra in live.split_off(live.len().min(1)) {
            self.cancel_order(&extra.terms.order_ref, "one is enough");
        }
        match live.pop() {
            Some(order) => self.fit_leg(&order, kind),
            None => self.replace_leg(leg, held, kind),
        }
    }

    /// While an exit is under way the stop follows the position's size: what is left must not be closed twice.
    pub fn fit_stops(&mut self) {
        let stops: Vec<Order> = self
            .orders
            .live()
            .filter(|order| leg_is_stop(order))
            .cloned()
            .collect();
        for stop in stops {
            self.fit_leg(&stop, stop.terms.kind);
        }
    }

    fn fit_leg(&mut self, order: &Order, kind: OrderKind) {
        if !matches!(order.state, OrderState::Acked | OrderState::Partial)
            || order.awaits_executions_since_ms > 0
        {
            return;
        }
        let wanted = order.filled + self.position.signed().abs();
        let Ok(quantity) = u32::try_from(wanted) else {
            return;
        };
        let moved = order.terms.kind != kind;
        let resized = order.terms.quantity != quantity;
        // The broker shrinks the other leg by itself when one fills in part; ours comes only where it does not.
        if !moved && (!resized || self.at_ms - order.since_ms < MISSING_MS) {
            return;
        }
        let why = if moved {
            "exact from the entry's fill"
        } else {
            "the size follows the position"
        };
        self.modify_order(
            OrderRequest {
                kind,
                quantity,
                ..order.terms.clone()
            },
            why,
        );
    }

    fn replace_leg(&mut self, leg: Leg, held: Side, kind: OrderKind) {
        // The other leg may have filled, its execution owed; or the position was closed elsewhere: looked at first.
        let is_owed = self
            .orders
            .live()
            .any(|order| order.awaits_executions_since_ms > 0);
        if is_owed || self.is_told_otherwise() {
            return;
        }
        if self
            .missing_due_ms(leg)
            .is_some_and(|due_ms| self.at_ms < due_ms)
        {
            return;
        }
        let Some(trip) = &mut self.trip else { return };
        if trip.repairs >= REPAIRS_MAX {
            if leg == Leg::Stop {
                self.tell_bare("the stop was refused three times; the position is being closed");
                self.begin_exit(ExitReason::Flatten, "risk", "no stop can be placed");
            }
            return;
        }
        trip.repairs += 1;
        if self.is_beyond(held, kind) {
            self.tell_bare("the price is beyond the stop already; the position is being closed");
            self.begin_exit(
                ExitReason::Stop,
                "risk",
                "the price is beyond the missing stop",
            );
            return;
        }
        if leg == Leg::Stop {
            self.tell_bare("the stop was missing and is placed anew");
        }
        self.place_leg(leg, held, kind);
    }

    /// Returns from when on a leg is missed whose last order has ended; none where there was none, or where it was refused:
    /// then there is nothing to wait for.
    fn missing_due_ms(&self, leg: Leg) -> Option<i64> {
        let last = self
            .orders
            .iter()
            .filter(|order| order.leg == leg)
            .max_by_key(|order| order.since_ms)?;
        (last.state != OrderState::Rejected).then_some(last.since_ms + MISSING_MS)
    }

    fn place_leg(&mut self, leg: Leg, held: Side, kind: OrderKind) {
        let Ok(quantity) = u32::try_from(self.position.signed().abs()) else {
            return;
        };
        let sibling = self
            .orders
            .live()
            .find(|order| matches!(order.leg, Leg::Stop | Leg::Target));
        // A group that has had a fill takes no new member, and two groups could both fill: the other leg goes first.
        if let Some(order_ref) = sibling
            .filter(|order| order.filled > 0)
            .map(|order| order.terms.order_ref.clone())
        {
            self.cancel_order(&order_ref, "its group has had a fill");
            return;
        }
        let sibling = sibling.and_then(|order| order.terms.oca_group.clone());
        let seq = self.next_order_seq();
        let name = order_ref(&self.settings.instance, &self.day.trade_date, seq, leg);
        // A group's name is not usable again once a member has filled, so a new pair gets a new one.
        let group = sibling.unwrap_or_else(|| group_of(&name));
        if let Some(trip) = &mut self.trip {
            trip.group.clone_from(&group);
        }
        let order = OrderRequest {
            order_ref: name,
            side: held.opposite(),
            quantity,
            kind,
            tif: Tif::Gtc,
            parent_ref: None,
            oca_group: Some(group),
            outside_rth: true,
        };
        self.place(vec![order], "protection of the open position");
    }

    /// Would this stop trigger at once?
    fn is_beyond(&self, held: Side, kind: OrderKind) -> bool {
        let OrderKind::Stop { stop_ticks } = kind else {
            return false;
        };
        let Some(mark_ticks) = self.market.mark_ticks(held) else {
            return false;
        };
        match held {
            Side::Buy => mark_ticks <= stop_ticks,
            Side::Sell => mark_ticks >= stop_ticks,
        }
    }

    fn tell_bare(&mut self, detail: &str) {
        let position = self.position.signed();
        let notice = Notice::PositionMismatch {
            ours: position,
            brokers: position,
            detail: detail.to_owned(),
        };
        self.control("unprotected", true, detail.to_owned());
        self.notice(NoticeClass::Critical, Some("unprotected"), notice);
    }

    fn take_back_leftovers(&mut self) {
        if self.at_ms - self.flat_since_ms < LEFTOVER_MS {
            return;
        }
        let leftovers = self.orders.live_refs(|order| {
            matches!(order.leg, Leg::Stop | Leg::Target) && order.awaits_executions_since_ms == 0
        });
        for order_ref in leftovers {
            self.cancel_order(&order_ref, "there is no position for it");
        }
    }

    /// Returns when protection must be looked at again.
    pub fn protect_due_ms(&self) -> i64 {
        if self.exit.is_some() || !self.is_link_up() || !self.link.reconciled {
            return NEVER_MS;
        }
        if self.position.signed() == 0 {
            let leftover = self.orders.live().any(|order| {
                matches!(order.leg, Leg::Stop | Leg::Target)
                    && matches!(
                        order.state,
                        OrderState::Acked | OrderState::Partial | OrderState::Sent
                    )
            });
            let due_ms = self.flat_since_ms + LEFTOVER_MS;
            return if leftover && self.entry.is_none() && due_ms > self.at_ms {
                due_ms
            } else {
                NEVER_MS
            };
        }
        let missing = [Leg::Stop, Leg::Target]
            .into_iter()
            .filter(|leg| !self.orders.live().any(|order| order.leg == *leg))
            .filter_map(|leg| self.missing_due_ms(leg));
        let held = self.position.signed().abs();
        let orders = self.orders.live().filter_map(|order| {
            let is_leg = matches!(order.leg, Leg::Stop | Leg::Target);
            if is_rest(order) {
                Some(rest_due_ms(order))
            } else if is_leg {
                resize_due_ms(order, held)
            } else {
                None
            }
        });
        // What was due before has been done, or waits for something else than time.
        orders
            .chain(missing)
            .filter(|due_ms| *due_ms > self.at_ms)
            .min()
            .unwrap_or(NEVER_MS)
    }
}

/// Is this an entry that has filled in part and waits for the rest?
fn is_rest(order: &Order) -> bool {
    order.leg == Leg::Entry && order.state == OrderState::Partial
}

/// Is this the stop of that entry, and ended without a fill?
fn is_lost_stop(stop: &Order, entry: &Order) -> bool {
    stop.leg == Leg::Stop
        && !stop.is_live()
        && stop.filled == 0
        && stop.terms.parent_ref.as_deref() == Some(entry.terms.order_ref.as_str())
}

/// Returns when a leg that does not have the size of what is held is given it; none where it has.
pub(super) fn resize_due_ms(leg: &Order, held: i64) -> Option<i64> {
    (i64::from(leg.terms.quantity) != leg.filled + held).then_some(leg.since_ms + MISSING_MS)
}

fn rest_due_ms(order: &Order) -> i64 {
    order.since_ms + REST_MS
}

fn leg_is_stop(order: &Order) -> bool {
    order.leg == Leg::Stop
}
