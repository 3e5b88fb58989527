//! At each close: take the price in, let the strategy say what it wants, ask the gates, and make it an order.

use super::core::{Core, Real};
use crate::effect::{Effect, EntryReason, Notice, NoticeClass, OrderAction, OrderRequest, Wish};
use crate::event::Bar;
use crate::orders::{Order, group_of, order_ref};
use crate::status::{Blocked, ExitReason, Gate, Leg, OrderKind, Posture, Side, Tif};
use crate::strategy::{EntryWish, Strategy, ZReading, stop_distance_ticks, target_distance_ticks};
use serde::{Deserialize, Serialize};

/// What the strategy saw when it wanted an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signal {
    /// The close that made it.
    pub at_ms: i64,
    pub close_ticks: i32,
    pub z: Real,
    pub threshold_z: Real,
    pub mean_ticks: Real,
    pub sd_ticks: Real,
    pub window: u32,
    pub sampling_ms: i64,
}

impl Signal {
    pub fn reason(&self) -> EntryReason {
        EntryReason {
            z: self.z.into(),
            threshold_z: self.threshold_z.into(),
            close_ticks: f64::from(self.close_ticks),
            mean_ticks: self.mean_ticks.into(),
            sd_ticks: self.sd_ticks.into(),
            window: self.window,
            sampling_ms: self.sampling_ms,
        }
    }
}

/// An entry that is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryPlan {
    pub entry_ref: String,
    pub side: Side,
    pub quantity: u32,
    pub signal: Signal,
}

/// What belongs to the open round trip beside its fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TripPlan {
    pub trip_id: i64,
    /// None where the position was adopted.
    pub signal: Option<Signal>,
    /// Where the stop belongs: exact from the entry's fills [S5]; none where there is no stop.
    pub stop_ticks: Option<i32>,
    /// Where the target belongs.
    pub target_ticks: Option<i32>,
    /// The group of its stop and target.
    pub group: String,
    /// Why it ends, as far as that is decided.
    pub exit_reason: Option<ExitReason>,
    /// Stops and targets placed anew for it.
    pub repairs: u32,
}

impl Core {
    /// Takes a closed bar in and decides.
    pub fn on_close(&mut self, bar: Bar) {
        self.bars_closed += 1;
        let was_full = self.strategy.last().filled >= self.strategy.window_size();
        let close = self.signal_close(bar.close_ticks);
        let reading = self.strategy.push_close(close);
        self.note_bar(bar);
        self.tell_warm(was_full);
        self.strategy.rearm(&reading);
        let (wants, blocked_by) = self.decide(&bar, &reading);
        self.emit(Effect::Decision {
            bar,
            z: reading.z,
            mean_ticks: reading.mean_ticks,
            sd_ticks: reading.sd_ticks,
            filled: reading.filled,
            wants,
            blocked_by,
        });
    }

    fn decide(&mut self, bar: &Bar, reading: &ZReading) -> (Wish, Option<String>) {
        let close_at_ms = self.bars.close_at_ms(bar.open_at_ms);
        if let Some((side, entry_at_ms)) = self
            .position
            .trip()
            .map(|trip| (trip.side, trip.entry_at_ms))
        {
            return self.decide_exit(side, entry_at_ms, close_at_ms, reading);
        }
        match self.strategy.entry_decision(close_at_ms, reading) {
            EntryWish::Nothing => {
                self.risk.blocked_signal = None;
                (Wish::Nothing, None)
            }
            EntryWish::Stopped { side, by } => {
                let gate = match by {
                    Strategy::BY_DAILY_LOSS => "daily_limit",
                    Strategy::BY_LOSS_STREAK => "streak",
                    other => other,
                };
                self.count_blocked(side, gate);
                (wish(side), Some(gate.to_owned()))
            }
            EntryWish::Enter(side) => match self.first_closed_gate(side) {
                None => {
                    self.risk.blocked_signal = None;
                    self.enter(side, close_at_ms, bar.close_ticks, reading);
                    (wish(side), None)
                }
                Some(gate) => {
                    let is_new = self.count_blocked(side, &gate.name);
                    let name = gate.name.clone();
                    // The settings were checked for this: that it comes up here is a fault of ours (D2, D5).
                    if let Some(control) = fault_of(&name) {
                        self.halt(
                            control,
                            &gate.detail,
                            "risk",
                            vec![
                                "the entry was not sent".to_owned(),
                                "entries are off".to_owned(),
                            ],
                        );
                    }
                    if is_new && tells_denial(&name) {
                        let key = format!("entry_denied:{name}");
                        self.notice(
                            NoticeClass::Control,
                            Some(&key),
                            Notice::EntryDenied { side, gate },
                        );
                    }
                    (wish(side), Some(name))
                }
            },
        }
    }

    fn decide_exit(
        &mut self,
        side: Side,
        entry_at_ms: i64,
        close_at_ms: i64,
        reading: &ZReading,
    ) -> (Wish, Option<String>) {
        let Some(reason) = self
            .strategy
            .exit_decision(side, entry_at_ms, close_at_ms, reading)
        else {
            return (Wish::Nothing, None);
        };
        if self.mismatch.is_some() {
            return (Wish::Exit, Some("position".to_owned()));
        }
        if self.exit.is_none() {
            let why = match (reason, reading.z) {
                (ExitReason::Zexit, Some(z)) => format!("z {z:.2} is back inside the exit band"),
                (ExitReason::Time, _) => "held for the longest time allowed".to_owned(),
                _ => "the day is halted".to_owned(),
            };
            self.begin_exit(reason, "strategy", &why);
        }
        (Wish::Exit, None)
    }

    /// Counts a signal that was stopped, once for each stretch of closes; returns whether it was new.
    fn count_blocked(&mut self, side: Side, gate: &str) -> bool {
        let known = self
            .risk
            .blocked_signal
            .as_ref()
            .is_some_and(|(of, name)| *of == side && name == gate);
        if known {
            return false;
        }
        self.risk.blocked_signal = Some((side, gate.to_owned()));
        *self.day.blocked.entry(gate.to_owned()).or_default() += 1;
        self.last_blocked = Some(Blocked {
            at_ms: self.at_ms,
            side,
            gate: gate.to_owned(),
        });
        true
    }

    /// Makes a signal an entry with its stop and target. All gates have been asked.
    fn enter(&mut self, side: Side, close_at_ms: i64, close_ticks: i32, reading: &ZReading) {
        let (Some(z), Some(mean), Some(sd)) = (reading.z, reading.mean_ticks, reading.sd_ticks)
        else {
            return;
        };
        let entry_z_e4 = self.settings.strategy.entry_z_e4;
        let threshold_z = e4_to_z(if side == Side::Sell {
            entry_z_e4
        } else {
            -entry_z_e4
        });
        let signal = Signal {
            at_ms: close_at_ms,
            close_ticks,
            z: z.into(),
            threshold_z: threshold_z.into(),
            mean_ticks: mean.into(),
            sd_ticks: sd.into(),
            window: reading.filled,
            sampling_ms: self.settings.strategy.sampling_ms,
        };
        let quantity = self.settings.strategy.quantity;
        let reference = self.entry_reference(side, close_ticks);
        let seq = self.next_order_seq();
        let orders = self.bracket(side, quantity, reference, seq);
        let entry_ref = orders[0].order_ref.clone();
        let relation = if side == Side::Sell { "≥" } else { "≤" };
        let why = format!("z {z:.2} {relation} {threshold_z:.2}, close {close_ticks} t");
        self.entry = Some(EntryPlan {
            entry_ref: entry_ref.clone(),
            side,
            quantity,
            signal: signal.clone(),
        });
        self.risk.count_entry(self.at_ms, side, quantity);
        self.place(orders, &why);
        let notice = Notice::EntrySent {
            side,
            quantity,
            reason: signal.reason(),
        };
        self.notice(NoticeClass::Trade, None, notice);
    }

    /// Returns the price that an entry at the market may expect: the other side of the book while it is fresh.
    pub fn entry_reference(&self, side: Side, close_ticks: i32) -> i32 {
        let fresh = self.at_ms - self.market.quote_at_ms <= self.settings.risk.stale_entry_ms;
        let quoted = match side {
            Side::Buy => self.market.ask_ticks,
            Side::Sell => self.market.bid_ticks,
        };
        quoted.filter(|_| fresh).unwrap_or(close_ticks)
    }

    fn bracket(
        &self,
        side: Side,
        quantity: u32,
        reference_ticks: i32,
        seq: i64,
    ) -> Vec<OrderRequest> {
        let name = |leg| order_ref(&self.settings.instance, &self.day.trade_date, seq, leg);
        let entry_ref = name(Leg::Entry);
        let group = group_of(&entry_ref);
        let mut orders = vec![OrderRequest {
            order_ref: entry_ref.clone(),
            side,
            quantity,
            kind: OrderKind::Market {},
            tif: Tif::Day,
            parent_ref: None,
            oca_group: None,
            outside_rth: true,
        }];
        let (stop_ticks, target_ticks) = self.protection(side, reference_ticks);
        for (leg, kind) in [
            (
                Leg::Stop,
                stop_ticks.map(|stop_ticks| OrderKind::Stop { stop_ticks }),
            ),
            (
                Leg::Target,
                target_ticks.map(|limit_ticks| OrderKind::Limit { limit_ticks }),
            ),
        ] {
            if let Some(kind) = kind {
                orders.push(OrderRequest {
                    order_ref: name(leg),
                    side: side.opposite(),
                    quantity,
                    kind,
                    tif: Tif::Gtc,
                    parent_ref: Some(entry_ref.clone()),
                    oca_group: Some(group.clone()),
                    outside_rth: true,
                });
            }
        }
        orders
    }

    /// Returns where stop and target belong for an entry at `entry_ticks` [S5].
    pub fn protection(&self, side: Side, entry_ticks: i32) -> (Option<i32>, Option<i32>) {
        let value = self.tick_value_cents();
        let at = |distance: i64, sign: i64| {
            i32::try_from(i64::from(entry_ticks) + sign * side.sign() * distance)
                .ok()
                .filter(|ticks| *ticks > 0)
        };
        let stop = self
            .settings
            .risk
            .stop_cents
            .and_then(|cents| at(stop_distance_ticks(cents, value), -1));
        let target = self
            .settings
            .risk
            .target_cents
            .and_then(|cents| at(target_distance_ticks(cents, value), 1));
        (stop, target)
    }

    /// Records orders, counts them and asks for them to be sent.
    pub fn place(&mut self, orders: Vec<OrderRequest>, why: &str) {
        let Some(first) = orders.first() else { return };
        let order_ref = first.order_ref.clone();
        for request in &orders {
            let leg = leg_of(request);
            self.orders
                .add(Order::new(request.clone(), leg, self.at_ms));
            self.risk.count_order(self.at_ms);
        }
        self.link.note_order_news();
        self.emit(Effect::Intent {
            order_ref,
            action: OrderAction::Place { orders },
            why: why.to_owned(),
        });
    }

    /// Is true where entries are allowed by the posture.
    pub fn may_enter(&self) -> bool {
        self.posture.now == Posture::Trading
    }
}

/// Returns what an order does in a round trip, by the last letter of its reference.
pub(super) fn leg_of(request: &OrderRequest) -> Leg {
    match request.order_ref.as_bytes().last() {
        Some(b'E') => Leg::Entry,
        Some(b'S') => Leg::Stop,
        Some(b'T') => Leg::Target,
        _ => Leg::Exit,
    }
}

/// Returns the control that halts where this gate stops an entry: no market brings it about.
fn fault_of(gate: &str) -> Option<&'static str> {
    match gate {
        "fat_finger" => Some("fat_finger"),
        "price" => Some("bad_price"),
        _ => None,
    }
}

fn wish(side: Side) -> Wish {
    match side {
        Side::Buy => Wish::EnterLong,
        Side::Sell => Wish::EnterShort,
    }
}

/// Denials that a person expects are not told: they said so themselves, or /status shows it.
fn tells_denial(gate: &str) -> bool {
    !matches!(
        gate,
        "posture" | "position" | "open_order" | "streak" | "rearm" | "market_open" | "flat_window"
    )
}

/// Returns a threshold as a plain number for people.
#[expect(clippy::float_arithmetic, reason = "dimensionless, for show")]
pub(super) fn e4_to_z(z_e4: i64) -> f64 {
    i32::try_from(z_e4).map_or(f64::NAN, f64::from) / 10_000.0
}

/// Returns the closed gate's name and figures, for the record.
pub(super) fn closed(gates: Vec<Gate>) -> Option<Gate> {
    gates.into_iter().find(|gate| !gate.open)
}
