//! Fills and what they cost: each counted once, the position and the round trip by them alone.

use super::core::Core;
use super::decide::{TripPlan, e4_to_z};
use super::posture::PostureState;
use crate::effect::{Effect, Notice, NoticeClass, RoundTrip};
use crate::event::BrokerFill;
use crate::orders::{Order, OrderState, OrderStep, Owner, owner_of};
use crate::position::{FillEffect, Recorded, Trip};
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
        if fill.quantity <= 0 {
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
        let trip_id = self
            .trip
            .as_ref()
            .map_or(self.trip_seq + 1, |trip| trip.trip_id);
        let (recorded, fee_cents) = self.ledger.record(fill, fee_cents, trip_id);
        match recorded {
            Recorded::Repeated => {}
            Recorded::New => {
                self.step(
                    &fill.order_ref,
                    OrderStep::Filled {
                        quantity: fill.quantity,
                    },
                );
                self.book(
                    &fill.order_ref,
                    fill.side,
                    fill.quantity,
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
                self.control("fill_corrected", true, detail);
                self.correct(&old, fill);
            }
        }
    }

    fn correct(&mut self, old: &crate::position::Execution, new: &BrokerFill) {
        let value = self.tick_value_cents();
        let is_open = self
            .trip
            .as_ref()
            .is_some_and(|trip| trip.trip_id == old.trip_id);
        let kept = old.quantity.min(new.quantity);
        if is_open {
            self.position
                .reprice(old.side, kept, old.price_ticks, new.price_ticks);
        } else {
            let better = i64::from(old.price_ticks) - i64::from(new.price_ticks);
            let cents = better * old.side.sign() * kept * value;
            self.day.gross_cents += cents;
            self.strategy.book_realised(cents);
        }
        let more = new.quantity - old.quantity;
        if more != 0 {
            self.step(&new.order_ref, OrderStep::Filled { quantity: more });
            let side = if more > 0 {
                new.side
            } else {
                new.side.opposite()
            };
            self.book(
                &new.order_ref,
                side,
                more.abs(),
                new.price_ticks,
                0,
                new.filled_at_ms,
            );
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
                bare_since_ms: 0,
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

    #[expect(clippy::float_arithmetic, reason = "average prices, for show")]
    fn record(
        &self,
        trip: &Trip,
        plan: Option<TripPlan>,
        reason: ExitReason,
        gross_cents: i64,
        net_cents: i64,
    ) -> RoundTrip {
        let average = |sum: i64, quantity: i64| to_f64(sum) / to_f64(quantity.max(1));
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
            entry_price_ticks: average(trip.entry_sum_ticks, trip.entry_quantity),
            exit_price_ticks: average(trip.exit_sum_ticks, trip.exit_quantity),
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

    /// The broker told what an execution cost: it takes the place of what was assumed, and the day is restated.
    pub fn on_commission(&mut self, exec_id: &str, fee_cents: i64) {
        let Some((trip_id, more_cents)) = self.ledger.charge(exec_id, fee_cents) else {
            return;
        };
        if more_cents == 0 {
            return;
        }
        self.day.fees_cents += more_cents;
        self.strategy.book_realised(-more_cents);
        if self
            .trip
            .as_ref()
            .is_some_and(|trip| trip.trip_id == trip_id)
            && let Some(trip) = self.position.trip_mut()
        {
            trip.fees_cents += more_cents;
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

/// Returns a whole number as a float, for show; exact below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "prices and quantities stay far below 2^53"
)]
pub(super) fn to_f64(value: i64) -> f64 {
    value as f64
}
