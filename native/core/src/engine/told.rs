//! Round trips that were told and may turn out to be others: a commission that comes late, an execution that the broker
//! corrects. The record, the day and its limits are restated; what was decided on the way stands, a loss streak among it.

use super::core::Core;
use crate::effect::{Effect, RoundTrip};
use crate::position::Trip;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Trips that can be restated; more than the rates allow in a trading day. Of older ones only the ledger's fees change.
const TOLD_MAX: usize = 512;

/// A round trip and what was last told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    trip: Trip,
    record: RoundTrip,
}

/// The newest round trips, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ToldTrips {
    trips: VecDeque<Told>,
}

impl ToldTrips {
    /// Keeps a trip that is being told.
    pub fn keep(&mut self, trip: Trip, record: RoundTrip) {
        if self.trips.len() >= TOLD_MAX {
            self.trips.pop_front();
        }
        self.trips.push_back(Told { trip, record });
    }
}

impl Core {
    /// Changes a told round trip by `change`, and restates it, the day and its limits; returns whether it is known.
    pub fn restate(&mut self, trade_id: i64, why: &str, change: impl FnOnce(&mut Trip)) -> bool {
        let value = self.tick_value_cents();
        let Some(told) = self
            .told_trips
            .trips
            .iter_mut()
            .find(|told| told.record.trade_id == trade_id)
        else {
            return false;
        };
        change(&mut told.trip);
        let before = told.record.clone();
        let record = &mut told.record;
        record.gross_cents = told.trip.gross_cents(0, value);
        record.fees_cents = told.trip.fees_cents;
        record.net_cents = record.gross_cents - record.fees_cents;
        record.entry_price_ticks = told.trip.average_entry_ticks();
        record.exit_price_ticks = told.trip.average_exit_ticks();
        record.mae_cents = told.trip.mae_cents.min(record.gross_cents);
        record.mfe_cents = told.trip.mfe_cents.max(record.gross_cents);
        if *record == before {
            return true;
        }
        let now = record.clone();
        self.restate_day(&before, &now);
        self.emit(Effect::RoundTripRestated {
            trade: now,
            why: why.to_owned(),
        });
        true
    }

    /// A trip of an earlier trading day changes nothing of this one.
    fn restate_day(&mut self, before: &RoundTrip, now: &RoundTrip) {
        if now.trade_date != self.day.trade_date {
            return;
        }
        let nets: Vec<i64> = self
            .told_trips
            .trips
            .iter()
            .map(|told| &told.record)
            .filter(|record| record.trade_date == now.trade_date)
            .map(|record| record.net_cents)
            .collect();
        self.day.restate(before, now, &nets);
        self.strategy
            .book_realised(now.net_cents - before.net_cents);
        let open_cents = self.open_cents();
        self.day.mark(open_cents);
        if self.strategy.mark_day(open_cents) {
            self.on_daily_loss(open_cents);
        }
    }
}
