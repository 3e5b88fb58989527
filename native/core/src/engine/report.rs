//! The report of everything that a person may want to see.

use super::core::Core;
use super::decide::e4_to_z;
use crate::event::Span;
use crate::status::{Leg, OrderKind, OrderStatus, PositionStatus, Side, Status};

impl Core {
    /// Returns the report, as of the last event.
    pub fn status(&self) -> Status {
        let reading = self.strategy.last();
        Status {
            at_ms: self.at_ms,
            seq: self.seq,
            badge: self.badge.clone(),
            posture: self.posture.now,
            paused_until_ms: self.posture.until_ms,
            posture_reason: self.posture.reason.clone(),
            link: self.link.state,
            link_since_ms: self.link.since_ms,
            account: self.link.account.clone(),
            reconciled: self.link.reconciled,
            contract: self.link.contract.clone(),
            market_open: self.market_open(),
            hours: self.present_span(),
            last_ticks: self.market.last_ticks,
            bid_ticks: self.market.bid_ticks,
            ask_ticks: self.market.ask_ticks,
            quote_age_ms: (self.market.data_at_ms() > 0)
                .then(|| self.at_ms - self.market.data_at_ms()),
            z: reading.z,
            mean_ticks: reading.mean_ticks,
            sd_ticks: reading.sd_ticks,
            window_filled: reading.filled,
            window_size: self.strategy.window_size(),
            bars: self.bars_closed,
            position: self.position_status(),
            orders: self.order_statuses(),
            gates: self.gates(None),
            last_blocked: self.last_blocked.clone(),
            today: self.today(),
            revision: self.revision,
            highest_order_id: self.highest_order_id,
            questions: self.questions.values().cloned().collect(),
        }
    }

    fn present_span(&self) -> Option<Span> {
        self.spans()
            .iter()
            .find(|span| span.to_ms > self.at_ms)
            .copied()
    }

    fn position_status(&self) -> Option<PositionStatus> {
        let trip = self.position.trip()?;
        let exit_z_e4 = self.settings.strategy.exit_z_e4;
        Some(PositionStatus {
            position: self.position.signed(),
            average_ticks: trip.average_entry_ticks(),
            mark_ticks: self.market.mark_ticks(trip.side).map(f64::from),
            open_cents: self.open_cents(),
            entry_at_ms: trip.entry_at_ms,
            latest_exit_at_ms: trip.entry_at_ms + self.settings.risk.max_hold_ms,
            stop_ticks: self.working_price(Leg::Stop),
            target_ticks: self.working_price(Leg::Target),
            exit_z: e4_to_z(if trip.side == Side::Buy {
                -exit_z_e4
            } else {
                exit_z_e4
            }),
            z_entry: self
                .trip
                .as_ref()
                .and_then(|trip| trip.signal.as_ref())
                .map(|signal| signal.z.into()),
        })
    }

    fn working_price(&self, leg: Leg) -> Option<i32> {
        let order = self.orders.live().find(|order| order.leg == leg)?;
        match order.terms.kind {
            OrderKind::Stop { stop_ticks } => Some(stop_ticks),
            OrderKind::Limit { limit_ticks } => Some(limit_ticks),
            OrderKind::Market {} => None,
        }
    }

    fn order_statuses(&self) -> Vec<OrderStatus> {
        self.orders
            .live()
            .map(|order| OrderStatus {
                order_ref: order.terms.order_ref.clone(),
                leg: Some(order.leg),
                side: order.terms.side,
                quantity: i64::from(order.terms.quantity),
                filled: order.filled,
                kind: Some(order.terms.kind),
                state: order.state.word().to_owned(),
                since_ms: order.since_ms,
            })
            .collect()
    }
}
