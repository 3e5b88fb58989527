//! A working order: what was asked, what has come of it and where it stands.

use super::account::divide_rounded;
use super::words::{
    ExchangeOrderKind, ExchangeOrderStatus, ExchangeTif, NewOrder, OrderChanges, OrderStage,
};
use crate::status::Side;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WorkingOrder {
    pub(super) key: i64,
    pub(super) account: String,
    pub(super) instrument_id: i64,
    pub(super) side: Side,
    pub(super) quantity: i64,
    pub(super) leaves: i64,
    /// Σ price × quantity of its fills.
    pub(super) paid_ticks: i64,
    pub(super) kind: ExchangeOrderKind,
    pub(super) tif: ExchangeTif,
    pub(super) parent_key: Option<i64>,
    /// How far the parent has filled; none once the parent is gone and this order stands alone.
    pub(super) parent_filled: Option<i64>,
    /// What this order and its siblings have exited of the parent's fill.
    pub(super) exited: i64,
    pub(super) group: Option<String>,
    pub(super) oca_type: u8,
    pub(super) stage: OrderStage,
    pub(super) acts_at_ms: i64,
    /// Place in line: lower acts first.
    pub(super) turn: i64,
    /// True until it has met the market once; then a limit rests.
    pub(super) is_new: bool,
    pub(super) trail_stop_ticks: Option<i32>,
    /// Contracts before it in the line at its price; none = not known yet.
    #[serde(default)]
    pub(super) ahead: Option<i64>,
}

impl WorkingOrder {
    pub(super) fn new(
        order: &NewOrder,
        account: String,
        parent_filled: Option<i64>,
        turn: i64,
        acts_at_ms: i64,
    ) -> Self {
        let group = match (&order.oca_group, order.parent_key) {
            (Some(name), _) => Some(group_name(&account, name)),
            (None, Some(parent)) => Some(format!("parent:{parent}")),
            (None, None) => None,
        };
        let waits = parent_filled == Some(0);
        WorkingOrder {
            key: order.order_key,
            account,
            instrument_id: order.instrument_id,
            side: order.side,
            quantity: order.quantity,
            leaves: order.quantity,
            paid_ticks: 0,
            kind: order.kind,
            tif: order.tif,
            parent_key: order.parent_key,
            parent_filled,
            exited: 0,
            group,
            oca_type: if order.oca_group.is_some() {
                order.oca_type
            } else {
                3
            },
            stage: if waits {
                OrderStage::Child
            } else {
                OrderStage::Arriving
            },
            acts_at_ms,
            turn,
            is_new: true,
            trail_stop_ticks: first_stop_ticks(order.kind),
            ahead: None,
        }
    }

    /// Notes what the book shows at its price: no more can stand before it.
    pub(super) fn see_line(&mut self, shown: i64) {
        self.ahead = Some(self.ahead.map_or(shown, |ahead| ahead.min(shown)));
    }

    /// Lets a trade of this size at its price use up the line before it, of `unseen` contracts where it was never shown; returns
    /// what is left for the order.
    pub(super) fn be_reached(&mut self, size: i64, unseen: i64) -> i64 {
        let ahead = self.ahead.unwrap_or(unseen);
        self.ahead = Some((ahead - size).max(0));
        (size - ahead).max(0)
    }

    pub(super) fn filled(&self) -> i64 {
        self.quantity - self.leaves
    }

    /// Returns what may fill now: an exit never exceeds what its parent has entered so far.
    pub(super) fn may_fill(&self) -> i64 {
        match self.parent_filled {
            Some(entered) => self.leaves.min((entered - self.exited).max(0)),
            None => self.leaves,
        }
    }

    pub(super) fn is_at_market(&self) -> bool {
        matches!(self.stage, OrderStage::Working | OrderStage::Triggered)
    }

    pub(super) fn average_ticks_e2(&self) -> i64 {
        divide_rounded(self.paid_ticks * 100, self.filled().max(1))
    }

    /// Returns the price that triggers it; none for an order that needs no trigger or has not seen a price.
    pub(super) fn trigger_ticks(&self) -> Option<i32> {
        match self.kind {
            ExchangeOrderKind::Stop { stop_ticks }
            | ExchangeOrderKind::StopLimit { stop_ticks, .. } => Some(stop_ticks),
            ExchangeOrderKind::Trail { .. } | ExchangeOrderKind::TrailPercent { .. } => {
                self.trail_stop_ticks
            }
            ExchangeOrderKind::Market {} | ExchangeOrderKind::Limit { .. } => None,
        }
    }

    pub(super) fn needs_trigger(&self) -> bool {
        let is_stop = match self.kind {
            ExchangeOrderKind::Stop { .. }
            | ExchangeOrderKind::StopLimit { .. }
            | ExchangeOrderKind::Trail { .. }
            | ExchangeOrderKind::TrailPercent { .. } => true,
            ExchangeOrderKind::Market {} | ExchangeOrderKind::Limit { .. } => false,
        };
        is_stop && self.stage != OrderStage::Triggered
    }

    pub(super) fn limit_ticks(&self) -> Option<i32> {
        limit_ticks_of(self.kind)
    }

    /// Moves a trailing stop after the price; it never moves away from it.
    pub(super) fn follow(&mut self, price_ticks: i32) {
        let trail_ticks = match self.kind {
            ExchangeOrderKind::Trail { trail_ticks, .. } => trail_ticks,
            ExchangeOrderKind::TrailPercent { percent_e4, .. } => share_of(price_ticks, percent_e4),
            ExchangeOrderKind::Market {}
            | ExchangeOrderKind::Limit { .. }
            | ExchangeOrderKind::Stop { .. }
            | ExchangeOrderKind::StopLimit { .. } => return,
        };
        self.trail_stop_ticks = Some(match (self.side, self.trail_stop_ticks) {
            (Side::Sell, None) => price_ticks.saturating_sub(trail_ticks),
            (Side::Buy, None) => price_ticks.saturating_add(trail_ticks),
            (Side::Sell, Some(stop)) => stop.max(price_ticks.saturating_sub(trail_ticks)),
            (Side::Buy, Some(stop)) => stop.min(price_ticks.saturating_add(trail_ticks)),
        });
    }

    /// Returns the terms after the changes, or the reason why they can't be had.
    pub(super) fn changed_kind(&self, changes: &OrderChanges) -> Result<ExchangeOrderKind, String> {
        let mut kind = self.kind;
        for (name, value) in [
            ("limitTicks", changes.limit_ticks),
            ("stopTicks", changes.stop_ticks),
            ("trailTicks", changes.trail_ticks),
            ("percentE4", changes.percent_e4),
        ] {
            let Some(value) = value else { continue };
            if value < 1 {
                return Err(format!("{name} {value} is below 1"));
            }
            if let (
                ExchangeOrderKind::Trail { stop_ticks, .. }
                | ExchangeOrderKind::TrailPercent { stop_ticks, .. },
                "stopTicks",
            ) = (&mut kind, name)
            {
                *stop_ticks = Some(value);
                continue;
            }
            let place = match (&mut kind, name) {
                (ExchangeOrderKind::Limit { limit_ticks }, "limitTicks") => limit_ticks,
                (ExchangeOrderKind::StopLimit { limit_ticks, .. }, "limitTicks") => limit_ticks,
                (ExchangeOrderKind::Stop { stop_ticks }, "stopTicks") => stop_ticks,
                (ExchangeOrderKind::StopLimit { stop_ticks, .. }, "stopTicks") => stop_ticks,
                (ExchangeOrderKind::Trail { trail_ticks, .. }, "trailTicks") => trail_ticks,
                (ExchangeOrderKind::TrailPercent { percent_e4, .. }, "percentE4") => percent_e4,
                (
                    ExchangeOrderKind::Market {}
                    | ExchangeOrderKind::Limit { .. }
                    | ExchangeOrderKind::Stop { .. }
                    | ExchangeOrderKind::StopLimit { .. }
                    | ExchangeOrderKind::Trail { .. }
                    | ExchangeOrderKind::TrailPercent { .. },
                    _,
                ) => return Err(format!("an order of this kind has no {name}")),
            };
            *place = value;
        }
        Ok(kind)
    }

    pub(super) fn status(&self) -> ExchangeOrderStatus {
        ExchangeOrderStatus {
            order_key: self.key,
            account: self.account.clone(),
            instrument_id: self.instrument_id,
            side: self.side,
            quantity: self.quantity,
            leaves_quantity: self.leaves,
            kind: self.kind,
            tif: self.tif,
            parent_key: self.parent_key,
            stage: self.stage,
            trail_stop_ticks: self.trail_stop_ticks,
        }
    }
}

/// Returns the worst price that the terms allow; none where they name none.
pub(super) fn limit_ticks_of(kind: ExchangeOrderKind) -> Option<i32> {
    match kind {
        ExchangeOrderKind::Limit { limit_ticks }
        | ExchangeOrderKind::StopLimit { limit_ticks, .. } => Some(limit_ticks),
        ExchangeOrderKind::Market {}
        | ExchangeOrderKind::Stop { .. }
        | ExchangeOrderKind::Trail { .. }
        | ExchangeOrderKind::TrailPercent { .. } => None,
    }
}

/// Returns where a trailing stop is told to stand at first.
pub(super) fn first_stop_ticks(kind: ExchangeOrderKind) -> Option<i32> {
    match kind {
        ExchangeOrderKind::Trail { stop_ticks, .. }
        | ExchangeOrderKind::TrailPercent { stop_ticks, .. } => stop_ticks,
        ExchangeOrderKind::Market {}
        | ExchangeOrderKind::Limit { .. }
        | ExchangeOrderKind::Stop { .. }
        | ExchangeOrderKind::StopLimit { .. } => None,
    }
}

/// Returns a share of a price in whole ticks, rounded up, at least 1.
fn share_of(price_ticks: i32, percent_e4: i32) -> i32 {
    let parts = i64::from(price_ticks) * i64::from(percent_e4);
    let ticks = (parts + PERCENT_E4_WHOLE - 1).div_euclid(PERCENT_E4_WHOLE);
    i32::try_from(ticks).unwrap_or(i32::MAX).max(1)
}

/// 100 %.
const PERCENT_E4_WHOLE: i64 = 1_000_000;

/// Returns the name under which an explicit group is kept; it can't be mistaken for a parent's.
pub(super) fn group_name(account: &str, name: &str) -> String {
    format!("oca:{account}:{name}")
}
