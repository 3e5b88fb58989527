//! Fills and what they cost: each counted once, the position and the round trip by them alone.

use super::core::Core;
use super::decide::{TripPlan, e4_to_z};
use super::posture::PostureState;
use crate::effect::{Effect, Notice, NoticeClass, RoundTrip};
use crate::event::BrokerFill;
use crate::orders::{Order, OrderState, OrderStep, Owner, Presumed, owner_of};
use crate::position::{Execution, FillEffect, Recorded, TakenBack, Trip};
use crate::status::{ExitReason, Leg, Posture, Side};

impl Core {
    /// The broker told an execution.
    pub fn on_fill(&mut self, fill: &BrokerFill) {
        if self
            .link
            .contract
            .as_ref()
            .is_some_and(|contract| contract.con_id != fill.con_id)
        {
            return;
        }
        // An execution that is corrected to nothing was taken back as a whole.
        let is_sane =
            fill.quantity > 0 || (fill.quantity == 0 && self.ledger.corrects(&fill.exec_id));
        if !is_sane {
            self.anomaly(format!(
                "execution {} of {} contracts",
                fill.exec_id, fill.quantity
            ));
            return;
        }
        match owner_of(&fill.order_ref, &self.settings.instance) {
            Owner::Own { .. } if self.orders.get(&fill.order_ref).is_some() => {
                self.count_fill(fill)
            }
            // Not ours, or ours without a record: the next picture of everything explains the position.
            Owner::Own { .. } | Owner::Sibling | Owner::Foreign => {
                self.link.note_order_news();
                self.want_state(self.at_ms);
            }
        }
    }

    /// Counts an execution of an order that is known.
    pub fn count_fill(&mut self, fill: &BrokerFill) {
        let fee_cents = self.settings.costs.fee_cents * fill.quantity;
        let trip_id = self.next_trip_id();
        let (recorded, fee_cents) = self.ledger.record(fill, fee_cents, trip_id);
        match recorded {
            Recorded::Repeated => {}
            Recorded::New => {
                let settled = self.settle_presumed(fill);
                let quantity = fill.quantity - settled.map_or(0, |presumed| presumed.quantity);
                // What was presumed was charged as well, by what was assumed.
                let fee_cents = settled.map_or(fee_cents, |presumed| {
                    fee_cents - self.settings.costs.fee_cents * presumed.quantity
                });
                if let Some(presumed) = settled.filter(|_| quantity == 0) {
                    self.charge(presumed.trip_id, fee_cents, &fill.exec_id);
                    return;
                }
                self.step(&fill.order_ref, OrderStep::Filled { quantity });
                self.book(
                    &fill.order_ref,
                    fill.side,
                    quantity,
                    fill.price_ticks,
                    fee_cents,
                    fill.filled_at_ms,
                );
            }
            Recorded::Corrected(old) => {
                let detail = format!(
                    "execution {} was corrected: {} at {} t is now {} at {} t",
                    fill.exec_id, old.quantity, old.price_ticks, fill.quantity, fill.price_ticks
                );
                self.control("fill_corrected", true, detail.clone());
                let lines = vec![
                    format!("The broker corrected a fill: {detail}."),
                    "Position, result, stop and target follow it.".to_owned(),
                ];
                let told = Notice::Told {
                    name: "fill_corrected".to_owned(),
                    lines,
                };
                self.notice(NoticeClass::Critical, None, told);
                self.correct(&old, fill);
            }
        }
    }

    /// Returns the number of the round trip that the next fill belongs to.
    pub fn next_trip_id(&self) -> i64 {
        self.trip
            .as_ref()
            .map_or(self.trip_seq + 1, |trip| trip.trip_id)
    }

    /// The execution of a fill that was presumed (R4) comes after all: its price counts, its contracts are booked already.
    /// Returns which they are.
    fn settle_presumed(&mut self, fill: &BrokerFill) -> Option<Presumed> {
        let order = self.orders.get_mut(&fill.order_ref)?;
        let presumed = order.settle_presumed(fill.quantity)?;
        self.ledger.belongs_to(&fill.exec_id, presumed.trip_id);
        let why = format!("execution {} of a presumed fill was told", fill.exec_id);
        self.reprice(
            presumed.trip_id,
            fill.side,
            presumed.quantity,
            (presumed.price_ticks, fill.price_ticks),
            &why,
        );
        self.refit_protection();
        Some(presumed)
    }

    /// Puts another price in place of a counted one, in the open round trip or in one that was told.
    fn reprice(
        &mut self,
        trip_id: i64,
        side: Side,
        quantity: i64,
        (old_ticks, new_ticks): (i32, i32),
        why: &str,
    ) {
        if quantity == 0 || old_ticks == new_ticks {
            return;
        }
        if let Some(trip) = self.open_trip(trip_id) {
            trip.reprice(side, quantity, old_ticks, new_ticks);
            return;
        }
        let known = self.restate(trip_id, why, |trip| {
            trip.reprice(side, quantity, old_ticks, new_ticks);
        });
        if !known {
            self.anomaly(format!("{why}, of a round trip that is too old to restate"));
        }
    }

    /// Puts a corrected execution in place of what was counted: first its price, then its contracts.
    fn correct(&mut self, old: &Execution, new: &BrokerFill) {
        let more = new.quantity - old.quantity;
        if more != 0 {
            self.step(&new.order_ref, OrderStep::Filled { quantity: more });
        }
        // Of nothing, no side is another one.
        if old.side != new.side && old.quantity > 0 && new.quantity > 0 {
            self.take_back(old, old.quantity, new.filled_at_ms);
            self.ledger.belongs_to(&new.exec_id, self.next_trip_id());
            self.book(
                &new.order_ref,
                new.side,
                new.quantity,
                new.price_ticks,
                0,
                new.filled_at_ms,
            );
            return;
        }
        let kept = old.quantity.min(new.quantity);
        let (old_ticks, new_ticks) = (old.price_ticks, new.price_ticks);
        let why = format!("execution {} was corrected", new.exec_id);
        self.reprice(old.trip_id, old.side, kept, (old_ticks, new_ticks), &why);
        if old.quantity == 0 {
            // Nothing of it was counted where it once belonged: it belongs to what it is counted in now.
            self.ledger.belongs_to(&new.exec_id, self.next_trip_id());
        }
        if more > 0 {
            self.book(
                &new.order_ref,
                new.side,
                more,
                new_ticks,
                0,
                new.filled_at_ms,
            );
        } else if more < 0 {
            self.take_back(old, -more, new.filled_at_ms);
        }
        self.refit_protection();
    }

    /// Returns the round trip that is open, where it is this one.
    fn open_trip(&mut self, trip_id: i64) -> Option<&mut Trip> {
        let is_open = self
            .trip
            .as_ref()
            .is_some_and(|trip| trip.trip_id == trip_id);
        if is_open {
            self.position.trip_mut()
        } else {
            None
        }
    }

    /// Contracts that were counted never traded.
    fn take_back(&mut self, old: &Execution, quantity: i64, at_ms: i64) {
        let is_open = self.open_trip(old.trip_id).is_some();
        let taken = if is_open {
            self.position.take_back(old.side, quantity, old.price_ticks)
        } else {
            None
        };
        match taken {
            Some(TakenBack::Open) => {}
            Some(TakenBack::Closed(trip)) => {
                let leg = self.orders.get(&old.order_ref).map(|order| order.leg);
                self.on_trip_closed(&trip, leg);
            }
            // What it cost stays booked until the broker says otherwise.
            Some(TakenBack::Never(_)) => {
                self.trip = None;
                self.flat_since_ms = self.at_ms;
            }
            // Its round trip is told, or the other side has used the contracts: they are back as a fill the other way.
            None => self.book(
                &old.order_ref,
                old.side.opposite(),
                quantity,
                old.price_ticks,
                0,
                at_ms,
            ),
        }
    }

    /// Stop and target stand where the entry's fills put them; these may have been corrected.
    fn refit_protection(&mut self) {
        let Some((side, reference)) = self
            .position
            .trip()
            .map(|trip| (trip.side, trip.entry_reference_ticks()))
        else {
            return;
        };
        let (stop_ticks, target_ticks) = self.protection(side, reference);
        if let Some(trip) = &mut self.trip {
            trip.stop_ticks = stop_ticks;
            trip.target_ticks = target_ticks;
        }
    }

    /// Brings a fill into the position and tells what it did.
    pub fn book(
        &mut self,
        order_ref: &str,
        side: Side,
        quantity: i64,
        price_ticks: i32,
        fee_cents: i64,
        at_ms: i64,
    ) {
        let leg = self.orders.get(order_ref).map(|order| order.leg);
        self.account.booked_at_ms = self.at_ms;
        self.link.told_position = None;
        self.day.fees_cents += fee_cents;
        self.strategy.book_realised(-fee_cents);
        let effect = self
            .position
            .fill(side, quantity, price_ticks, fee_cents, at_ms);
        match effect {
            FillEffect::Entered => {
                self.on_entered(order_ref, side, quantity, price_ticks, fee_cents)
            }
            FillEffect::Reduced => {}
            FillEffect::Closed(trip) => self.on_trip_closed(&trip, leg),
            FillEffect::Reversed(trip) => {
                self.on_trip_closed(&trip, leg);
                self.on_entered(
                    order_ref,
                    side,
                    self.position.signed().abs(),
                    price_ticks,
                    0,
                );
                let detail = format!(
                    "{order_ref} closed more than was held: {} now",
                    self.position.signed()
                );
                self.halt(
                    "overfill",
                    &detail,
                    "risk",
                    vec!["check the position in the broker's own app".to_owned()],
                );
            }
        }
        self.entry_done(order_ref);
        self.reconsider_mismatch();
    }

    fn entry_done(&mut self, order_ref: &str) {
        let ended = self
            .orders
            .get(order_ref)
            .is_some_and(|order| !order.is_live());
        if ended
            && self
                .entry
                .as_ref()
                .is_some_and(|entry| entry.entry_ref == order_ref)
        {
            self.entry = None;
        }
    }

    fn on_entered(
        &mut self,
        order_ref: &str,
        side: Side,
        quantity: i64,
        price_ticks: i32,
        fee_cents: i64,
    ) {
        let signal = self
            .entry
            .as_ref()
            .filter(|entry| entry.entry_ref == order_ref)
            .map(|entry| entry.signal.clone());
        let reference = self
            .position
            .trip()
            .map_or(price_ticks, Trip::entry_reference_ticks);
        let (stop_ticks, target_ticks) = self.protection(side, reference);
        if let Some(trip) = &mut self.trip {
            trip.stop_ticks = stop_ticks;
            trip.target_ticks = target_ticks;
        } else {
            self.trip_seq += 1;
            self.trip = Some(TripPlan {
                trip_id: self.trip_seq,
                signal: signal.clone(),
                stop_ticks,
                target_ticks,
                group: crate::orders::group_of(order_ref),
                exit_reason: None,
                repairs: 0,
            });
        }
        let exit_z_e4 = self.settings.strategy.exit_z_e4;
        let entry_at_ms = self
            .position
            .trip()
            .map_or(self.at_ms, |trip| trip.entry_at_ms);
        let slippage_ticks = signal
            .as_ref()
            .map(|signal| (i64::from(price_ticks) - i64::from(signal.close_ticks)) * side.sign());
        let notice = Notice::EntryFilled {
            side,
            quantity: u32::try_from(quantity).unwrap_or(u32::MAX),
            price_ticks,
            reason: signal.map(|signal| signal.reason()),
            stop_ticks,
            target_ticks,
            exit_near_ticks: self.exit_near_ticks(side),
            exit_z: e4_to_z(if side == Side::Buy {
                -exit_z_e4
            } else {
                exit_z_e4
            }),
            latest_exit_at_ms: entry_at_ms + self.settings.risk.max_hold_ms,
            slippage_ticks,
            fee_cents,
        };
        self.notice(NoticeClass::Trade, None, notice);
    }

    /// Returns the price at which z would stand at the exit threshold, by the present window.
    #[expect(clippy::float_arithmetic, reason = "a price for show")]
    pub fn exit_near_ticks(&self, side: Side) -> Option<f64> {
        let reading = self.strategy.last();
        let away = e4_to_z(self.settings.strategy.exit_z_e4) * reading.sd_ticks?;
        let mean = reading.mean_ticks?;
        Some(match side {
            Side::Buy => mean - away,
            Side::Sell => mean + away,
        })
    }

    fn on_trip_closed(&mut self, trip: &Trip, leg: Option<Leg>) {
        let plan = self.trip.take();
        let reason = match leg {
            Some(Leg::Stop) => ExitReason::Stop,
            Some(Leg::Target) => ExitReason::Target,
            Some(Leg::Exit | Leg::Entry) => self
                .exit
                .as_ref()
                .map(|exit| exit.reason)
                .or(plan.as_ref().and_then(|plan| plan.exit_reason))
                .unwrap_or(ExitReason::Flatten),
            None => ExitReason::External,
        };
        let value = self.tick_value_cents();
        let gross_cents = trip.gross_cents(0, value);
        let net_cents = gross_cents - trip.fees_cents;
        self.strategy.book_realised(gross_cents);
        let paused_until_ms =
            self.strategy
                .trade_closed(trip.side, reason, net_cents, trip.exit_at_ms);
        self.day.count(gross_cents, net_cents, reason_word(reason));
        self.flat_since_ms = self.at_ms;
        let record = self.record(trip, plan, reason, gross_cents, net_cents);
        self.told_trips.keep(trip.clone(), record.clone());
        self.emit(Effect::RoundTrip {
            trade: record.clone(),
        });
        let today = self.today();
        self.notice(
            NoticeClass::Trade,
            None,
            Notice::ExitFilled {
                trade: record,
                today,
            },
        );
        self.count_round_trip();
        if self.strategy.mark_day(0) {
            self.on_daily_loss(0);
        }
        if let Some(until_ms) = paused_until_ms {
            let losses = self.settings.risk.loss_streak;
            self.control("loss_streak", true, format!("{losses} losses in a row"));
            self.pause(Some(until_ms), &format!("{losses} losses in a row"), "risk");
        }
    }

    fn record(
        &self,
        trip: &Trip,
        plan: Option<TripPlan>,
        reason: ExitReason,
        gross_cents: i64,
        net_cents: i64,
    ) -> RoundTrip {
        let signal = plan.as_ref().and_then(|plan| plan.signal.as_ref());
        RoundTrip {
            trade_id: plan.as_ref().map_or(self.trip_seq, |plan| plan.trip_id),
            trade_date: self.hours.trade_date(trip.exit_at_ms),
            contract: self
                .link
                .contract
                .as_ref()
                .map_or_else(String::new, |contract| contract.local_symbol.clone()),
            side: trip.side,
            quantity: u32::try_from(trip.quantity_max).unwrap_or(u32::MAX),
            signal_at_ms: signal.map_or(trip.entry_at_ms, |signal| signal.at_ms),
            entry_at_ms: trip.entry_at_ms,
            exit_at_ms: trip.exit_at_ms,
            entry_price_ticks: trip.average_entry_ticks(),
            exit_price_ticks: trip.average_exit_ticks(),
            reason,
            gross_cents,
            fees_cents: trip.fees_cents,
            net_cents,
            z_entry: signal.map(|signal| signal.z.into()),
            z_exit: self.strategy.last().z,
            mae_cents: trip.mae_cents.min(gross_cents),
            mfe_cents: trip.mfe_cents.max(gross_cents),
        }
    }

    /// The broker told what an execution cost: it takes the place of what was assumed, and what was told is restated.
    pub fn on_commission(&mut self, exec_id: &str, fee_cents: i64) {
        if let Some((trip_id, more_cents)) = self.ledger.charge(exec_id, fee_cents) {
            self.charge(trip_id, more_cents, exec_id);
        }
    }

    /// Charges a round trip more than was assumed for an execution of it, or less.
    fn charge(&mut self, trip_id: i64, more_cents: i64, exec_id: &str) {
        if more_cents == 0 {
            return;
        }
        if let Some(trip) = self.open_trip(trip_id) {
            trip.fees_cents += more_cents;
            self.day.fees_cents += more_cents;
            self.strategy.book_realised(-more_cents);
            return;
        }
        let why = format!("the broker charged for execution {exec_id}");
        let known = self.restate(trip_id, &why, |trip| trip.fees_cents += more_cents);
        if !known {
            // Of no round trip that is known: it still costs, and the day's limit counts it.
            self.day.fees_cents += more_cents;
            self.strategy.book_realised(-more_cents);
        }
    }

    /// Records an order of ours that the journal does not know, so that its fills can be counted (R12, R15).
    pub fn add_orphan(&mut self, terms: crate::effect::OrderRequest) {
        let leg = super::decide::leg_of(&terms);
        let mut order = Order::new(terms, leg, self.at_ms);
        order.state = OrderState::Orphan;
        self.orders.add(order);
    }

    /// Ends a flatten: the broker has confirmed.
    pub fn confirm_flat(&mut self, net_cents: i64) {
        self.emit(Effect::FlatConfirmed { net_cents });
        let PostureState {
            after_flatten,
            reason,
            by,
            until_session,
            ..
        } = self.posture.clone();
        let to = if after_flatten == Posture::Halted {
            Posture::Halted
        } else {
            Posture::Paused
        };
        let reason = if to == Posture::Halted {
            reason
        } else {
            "flattened; /resume when ready".to_owned()
        };
        self.set_posture(to, None, &reason, &by);
        self.posture.until_session = until_session;
        self.notice(
            NoticeClass::Control,
            None,
            Notice::FlatConfirmed {
                net_cents,
                posture: to,
            },
        );
    }
}

/// Returns the strategy note's word for a reason.
pub(super) fn reason_word(reason: ExitReason) -> &'static str {
    match reason {
        ExitReason::Zexit => "zexit",
        ExitReason::Time => "time",
        ExitReason::Stop => "stop",
        ExitReason::StopGap => "stop_gap",
        ExitReason::Target => "target",
        ExitReason::TargetGap => "target_gap",
        ExitReason::DailyLoss => "daily_loss",
        ExitReason::SessionClose => "session_close",
        ExitReason::SessionEnd => "session_end",
        ExitReason::Flatten => "flatten",
        ExitReason::External => "external",
    }
}
