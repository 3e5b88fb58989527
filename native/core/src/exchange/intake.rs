//! What is checked before an order is in: its words, its parent, its group and the money behind it.

use super::Exchange;
use super::words::{ExchangeOrderKind, NewOrder, RejectReason};
use super::working::{WorkingOrder, group_name, limit_ticks_of};
use crate::status::Side;
use std::collections::BTreeMap;

/// Contracts in one order.
pub const QUANTITY_MAX: i64 = 10_000;
/// A trail by share of the price; 10 000 = 1 %.
pub const PERCENT_E4_MAX: i32 = 990_000;
/// Working orders of all accounts; one more is rejected.
pub const ORDERS_MAX: usize = 1_000;

pub(super) type Refusal = (RejectReason, String);

impl Exchange {
    /// Returns the account an order belongs to, or why it can't be taken.
    pub(super) fn check(&self, order: &NewOrder, at_ms: i64) -> Result<String, Refusal> {
        let account = self.account_of(&order.account)?;
        if self.state.orders.contains_key(&order.order_key)
            || self
                .state
                .fills
                .iter()
                .any(|fill| fill.order_key == order.order_key)
        {
            return Err((
                RejectReason::Duplicate,
                format!("Order key {} is in use.", order.order_key),
            ));
        }
        if self.state.orders.len() >= ORDERS_MAX {
            return Err((
                RejectReason::TooMany,
                format!("There are {ORDERS_MAX} working orders, no more are taken."),
            ));
        }
        if self.instrument(order.instrument_id).is_none() {
            return Err((
                RejectReason::Instrument,
                format!("Contract {} is not traded here.", order.instrument_id),
            ));
        }
        if !(1..=QUANTITY_MAX).contains(&order.quantity) {
            let text = format!(
                "Quantity {} is not within 1 to {QUANTITY_MAX}.",
                order.quantity
            );
            return Err((RejectReason::Quantity, text));
        }
        if let Some(price) = prices(order.kind)
            .into_iter()
            .flatten()
            .find(|price| *price < 1)
        {
            return Err((
                RejectReason::Price,
                format!("A price or distance of {price} ticks is below 1."),
            ));
        }
        if let Some(price) = limit_ticks_of(order.kind) {
            self.check_price_limit(order.instrument_id, price, at_ms)?;
        }
        if let ExchangeOrderKind::TrailPercent { percent_e4, .. } = order.kind
            && percent_e4 > PERCENT_E4_MAX
        {
            let text = format!(
                "A trail of {} % is above {} %.",
                percent_e4 / 10_000,
                PERCENT_E4_MAX / 10_000
            );
            return Err((RejectReason::Price, text));
        }
        if let Some(parent) = order.parent_key {
            let fits = self.state.orders.get(&parent).is_some_and(|parent| {
                parent.account == account
                    && parent.instrument_id == order.instrument_id
                    && parent.side == order.side.opposite()
            });
            if !fits {
                let text = format!(
                    "Parent {parent} is not a working order of the other side in this account and contract."
                );
                return Err((RejectReason::Parent, text));
            }
        }
        if let Some(group) = &order.oca_group {
            if !(1..=3).contains(&order.oca_type) {
                return Err((
                    RejectReason::Oca,
                    format!("OCA type {} is not 1, 2 or 3.", order.oca_type),
                ));
            }
            if self
                .state
                .spent_groups
                .contains(&group_name(&account, group))
            {
                return Err((
                    RejectReason::Oca,
                    format!("OCA group {group} has had a fill; take another name."),
                ));
            }
        }
        if order.parent_key.is_none() {
            self.check_margin(&WorkingOrder::new(order, account.clone(), None, 0, 0))?;
        }
        Ok(account)
    }

    /// A price beyond the daily limits can't be entered, on either side. A stop's trigger may be: the broker keeps it.
    pub(super) fn check_price_limit(
        &self,
        instrument_id: i64,
        price_ticks: i32,
        at_ms: i64,
    ) -> Result<(), Refusal> {
        let band = self.band(instrument_id, at_ms);
        let Some(limit) = band.broken_by(price_ticks) else {
            return Ok(());
        };
        let tick_size_e4 = self
            .instrument(instrument_id)
            .map_or(1, |spec| spec.tick_size_e4);
        let text = format!(
            "The limit price {} is beyond the daily price limit of {} ({} %).",
            points(price_ticks, tick_size_e4),
            points(limit.price_ticks, tick_size_e4),
            limit.percent
        );
        Err((RejectReason::PriceLimit, text))
    }

    fn account_of(&self, name: &str) -> Result<String, Refusal> {
        let wanted = if name.is_empty() {
            self.first_account()
        } else {
            name
        };
        match self.state.accounts.contains_key(wanted) {
            true => Ok(wanted.to_string()),
            false => Err((
                RejectReason::Account,
                format!("Account {name} is not known here."),
            )),
        }
    }

    /// An order that can not make the position larger than it is needs no money; any other needs equity for the largest
    /// position that it and the working orders can lead to, in all contracts. Exits of a parent never count.
    pub(super) fn check_margin(&self, new: &WorkingOrder) -> Result<(), Refusal> {
        let largest = self.largest_position(&new.account, new.instrument_id, Some(new));
        if largest <= self.position(&new.account, new.instrument_id).abs() {
            return Ok(());
        }
        let needed: i64 = self
            .settings
            .instruments
            .iter()
            .map(|spec| {
                let extra = (spec.instrument_id == new.instrument_id).then_some(new);
                self.largest_position(&new.account, spec.instrument_id, extra)
                    * spec.init_margin_cents
            })
            .sum();
        let equity = self.equity_cents(&new.account);
        if needed <= equity {
            return Ok(());
        }
        let text = format!(
            "Initial margin of {} is needed, equity is {}.",
            dollars(needed),
            dollars(equity)
        );
        Err((RejectReason::Margin, text))
    }

    fn largest_position(
        &self,
        account: &str,
        instrument_id: i64,
        extra: Option<&WorkingOrder>,
    ) -> i64 {
        let held = self.position(account, instrument_id);
        let mut sides = [(Side::Buy, 0_i64), (Side::Sell, 0_i64)];
        // Of a group only one can fill whole: its largest order stands for it.
        let mut groups: BTreeMap<(Side, &str), i64> = BTreeMap::new();
        let working = self.state.orders.values().filter(|order| {
            order.account == account
                && order.instrument_id == instrument_id
                && order.parent_key.is_none()
        });
        for order in working.chain(extra) {
            match &order.group {
                Some(group) => {
                    let most = groups.entry((order.side, group)).or_default();
                    *most = (*most).max(order.leaves);
                }
                None => add(&mut sides, order.side, order.leaves),
            }
        }
        for ((side, _), quantity) in groups {
            add(&mut sides, side, quantity);
        }
        (held + sides[0].1).abs().max((held - sides[1].1).abs())
    }
}

fn add(sides: &mut [(Side, i64); 2], side: Side, quantity: i64) {
    for (of, sum) in sides {
        if *of == side {
            *sum += quantity;
        }
    }
}

fn prices(kind: ExchangeOrderKind) -> [Option<i32>; 2] {
    match kind {
        ExchangeOrderKind::Market {} => [None, None],
        ExchangeOrderKind::Limit { limit_ticks } => [Some(limit_ticks), None],
        ExchangeOrderKind::Stop { stop_ticks } => [Some(stop_ticks), None],
        ExchangeOrderKind::StopLimit {
            stop_ticks,
            limit_ticks,
        } => [Some(stop_ticks), Some(limit_ticks)],
        ExchangeOrderKind::Trail {
            trail_ticks,
            stop_ticks,
        } => [Some(trail_ticks), stop_ticks],
        ExchangeOrderKind::TrailPercent {
            percent_e4,
            stop_ticks,
        } => [Some(percent_e4), stop_ticks],
    }
}

/// Returns a price in points, without zeros at the end.
fn points(price_ticks: i32, tick_size_e4: i64) -> String {
    let e4 = i64::from(price_ticks) * tick_size_e4;
    let (whole, part) = (e4 / 10_000, e4 % 10_000);
    let text = format!("{whole}.{part:04}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}${}.{:02}", cents.abs() / 100, cents.abs() % 100)
}
