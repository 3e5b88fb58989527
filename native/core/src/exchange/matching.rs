//! How orders meet the market, one record at a time, and what a fill or a cancel means for the orders tied to it.

use super::account::signed;
use super::book::{Book, is_worse};
use super::record::MarketContent;
use super::words::{
    CancelReason, ExchangeFill, ExchangeReport, ExchangeTif, Liquidity, OrderStage, Resting,
};
use super::{Exchange, FILLS_MAX};
use crate::status::Side;

impl Exchange {
    /// Lets every order at the market of this contract see the record, in their turn. An order that a fill brings to
    /// life here sees the next record first.
    pub(super) fn meet(
        &mut self,
        instrument_id: i64,
        content: MarketContent,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let mut line: Vec<(i64, i64)> = self
            .state
            .orders
            .values()
            .filter(|order| order.instrument_id == instrument_id && order.is_at_market())
            .map(|order| (order.turn, order.key))
            .collect();
        line.sort_unstable();
        for (_, key) in line {
            self.meet_one(key, content, at_ms, out);
        }
    }

    fn meet_one(
        &mut self,
        key: i64,
        content: MarketContent,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let Some(order) = self.state.orders.get_mut(&key) else {
            return;
        };
        let Some(book) = self.state.books.get(&order.instrument_id) else {
            return;
        };
        if order.needs_trigger() {
            if !is_reached(order.side, order.trigger_ticks(), book) {
                if let Some(price) = book.last_ticks.or(book.opposite_ticks(order.side)) {
                    order.follow(price);
                }
                return;
            }
            order.stage = OrderStage::Triggered;
            order.is_new = true;
            out.push(ExchangeReport::Triggered {
                order_key: key,
                at_ms,
            });
        }
        let (limit, is_new) = (order.limit_ticks(), order.is_new);
        order.is_new = false;
        match limit {
            None => self.cross(key, None, at_ms, out),
            Some(limit) if is_new => self.cross(key, Some(limit), at_ms, out),
            Some(limit) => self.rest(key, limit, at_ms, out),
        }
        match (limit, content) {
            (Some(limit), MarketContent::Trade { price_ticks, size }) => {
                if price_ticks == limit && !is_new {
                    self.be_touched(key, limit, i64::from(size.max(1)), at_ms, out);
                } else {
                    self.be_traded_through(key, limit, price_ticks, at_ms, out);
                }
            }
            (Some(limit), MarketContent::Quote { .. }) => self.see_line(key, limit),
            (None, _) => {}
        }
        let is_rest_unwanted = self
            .state
            .orders
            .get(&key)
            .is_some_and(|order| order.tif == ExchangeTif::Ioc);
        if is_rest_unwanted {
            self.remove(key, CancelReason::Ioc, at_ms, out);
        }
    }

    /// Takes what the other side shows, at its prices.
    fn cross(&mut self, key: i64, limit: Option<i32>, at_ms: i64, out: &mut Vec<ExchangeReport>) {
        let slip = if limit.is_none() {
            self.settings.extra_slippage_ticks
        } else {
            0
        };
        for (price, quantity) in self.take(key, limit, at_ms) {
            let price = match self.state.orders.get(&key).map(|order| order.side) {
                Some(Side::Buy) => price.saturating_add(slip),
                Some(Side::Sell) => price.saturating_sub(slip),
                None => return,
            };
            self.fill(key, price, quantity, Liquidity::Removed, at_ms, out);
        }
    }

    /// Is hit by what the other side has brought to the limit or beyond: at the limit, since the order was there first.
    fn rest(&mut self, key: i64, limit: i32, at_ms: i64, out: &mut Vec<ExchangeReport>) {
        let quantity = self
            .take(key, Some(limit), at_ms)
            .iter()
            .map(|(_, quantity)| quantity)
            .sum::<i64>();
        if quantity > 0 {
            self.fill(key, limit, quantity, Liquidity::Added, at_ms, out);
        }
    }

    /// A trade at the limit fills as far as the line before the order lets it.
    fn be_touched(
        &mut self,
        key: i64,
        limit: i32,
        size: i64,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let Some(order) = self.state.orders.get_mut(&key) else {
            return;
        };
        let reached = match self.settings.resting {
            Resting::Touch => size,
            Resting::Queue => order.be_reached(size, self.settings.level_size),
            Resting::Through => return,
        };
        let quantity = order.may_fill().min(reached);
        if quantity > 0 {
            self.fill(key, limit, quantity, Liquidity::Added, at_ms, out);
        }
    }

    /// The line at the best price is shown; one at a price behind it is not.
    fn see_line(&mut self, key: i64, limit: i32) {
        let Some(order) = self.state.orders.get_mut(&key) else {
            return;
        };
        let Some(book) = self.state.books.get(&order.instrument_id) else {
            return;
        };
        if book.own_ticks(order.side) == Some(limit) {
            order.see_line(book.own_size(order.side));
        }
    }

    /// A trade beyond the limit has used up everything at the limit, this order's place in line included.
    fn be_traded_through(
        &mut self,
        key: i64,
        limit: i32,
        price_ticks: i32,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let Some(order) = self.state.orders.get(&key) else {
            return;
        };
        let quantity = order.may_fill();
        if quantity > 0 && is_worse(order.side.opposite(), price_ticks, limit) {
            self.fill(key, limit, quantity, Liquidity::Added, at_ms, out);
        }
    }

    fn take(&mut self, key: i64, limit: Option<i32>, at_ms: i64) -> Vec<(i32, i64)> {
        let Some(order) = self.state.orders.get(&key) else {
            return Vec::new();
        };
        // What a price limit leaves of a market order waits for better prices.
        let worst = self
            .band(order.instrument_id, at_ms)
            .worst_ticks(order.side);
        let limit = match (limit, worst) {
            (Some(limit), Some(worst)) if is_worse(order.side, limit, worst) => Some(worst),
            (Some(limit), _) => Some(limit),
            (None, worst) => worst,
        };
        let Some(book) = self.state.books.get_mut(&order.instrument_id) else {
            return Vec::new();
        };
        book.take(
            order.side,
            limit,
            order.may_fill(),
            self.settings.level_size,
        )
    }

    fn fill(
        &mut self,
        key: i64,
        price_ticks: i32,
        quantity: i64,
        liquidity: Liquidity,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let Some(order) = self.state.orders.get(&key) else {
            return;
        };
        // Slippage ends at a price limit, and so does a price that was good before the limit moved.
        let price_ticks = self.band(order.instrument_id, at_ms).within(price_ticks);
        let Some(order) = self.state.orders.get_mut(&key) else {
            return;
        };
        order.leaves -= quantity;
        order.exited += quantity;
        order.paid_ticks += i64::from(price_ticks) * quantity;
        let instrument_id = order.instrument_id;
        let Some(spec) = self.instrument(instrument_id) else {
            return;
        };
        let tick_value_cents = spec.tick_value_cents;
        let fee_cents = spec.fee_cents * quantity;
        let Some(order) = self.state.orders.get(&key) else {
            return;
        };
        let Some(account) = self.state.accounts.get_mut(&order.account) else {
            return;
        };
        let realised_cents = account.book(
            instrument_id,
            signed(order.side, quantity),
            i64::from(price_ticks) * tick_value_cents,
            fee_cents,
        );
        self.state.fills_made += 1;
        let fill = ExchangeFill {
            fill_no: self.state.fills_made,
            order_key: key,
            at_ms,
            account: order.account.clone(),
            instrument_id,
            side: order.side,
            quantity,
            price_ticks,
            fee_cents,
            leaves_quantity: order.leaves,
            cum_quantity: order.filled(),
            average_ticks_e2: order.average_ticks_e2(),
            position_after: account
                .positions
                .get(&instrument_id)
                .map_or(0, |held| held.position),
            realised_cents,
            liquidity,
        };
        let (is_done, group, oca_type) = (order.leaves == 0, order.group.clone(), order.oca_type);
        out.push(ExchangeReport::Fill { fill: fill.clone() });
        if self.state.fills.len() == FILLS_MAX {
            self.state.fills.pop_front();
        }
        self.state.fills.push_back(fill);
        if is_done {
            self.state.orders.remove(&key);
        }
        self.wake_children(key, quantity, is_done, at_ms, out);
        if let Some(group) = group {
            self.settle_group(key, &group, oca_type, quantity, is_done, at_ms, out);
        }
    }

    fn wake_children(
        &mut self,
        parent: i64,
        quantity: i64,
        is_parent_done: bool,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let is_open = self.state.is_open;
        for child in self
            .state
            .orders
            .values_mut()
            .filter(|order| order.parent_key == Some(parent))
        {
            child.parent_filled = match is_parent_done {
                true => None,
                false => child.parent_filled.map(|filled| filled + quantity),
            };
            if child.stage != OrderStage::Child {
                continue;
            }
            if child.acts_at_ms <= at_ms && is_open {
                child.stage = OrderStage::Working;
                out.push(ExchangeReport::Activated {
                    order_key: child.key,
                    at_ms,
                });
            } else {
                child.stage = OrderStage::Arriving;
                self.next_due_ms = self.next_due_ms.min(child.acts_at_ms);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn settle_group(
        &mut self,
        filled: i64,
        group: &str,
        oca_type: u8,
        quantity: i64,
        is_done: bool,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        if !group.starts_with("parent:") {
            self.state.spent_groups.insert(group.to_string());
        }
        let others: Vec<i64> = self
            .state
            .orders
            .values()
            .filter(|order| order.key != filled && order.group.as_deref() == Some(group))
            .map(|order| order.key)
            .collect();
        for key in others {
            if is_done || oca_type == 1 {
                self.remove(key, CancelReason::Oca, at_ms, out);
            } else {
                self.reduce(key, quantity, CancelReason::Oca, at_ms, out);
            }
        }
    }

    fn reduce(
        &mut self,
        key: i64,
        quantity: i64,
        reason: CancelReason,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let Some(order) = self.state.orders.get_mut(&key) else {
            return;
        };
        if quantity >= order.leaves {
            self.remove(key, reason, at_ms, out);
            return;
        }
        order.leaves -= quantity;
        order.quantity -= quantity;
        order.exited += quantity;
        out.push(ExchangeReport::Reduced {
            order_key: key,
            at_ms,
            quantity: order.quantity,
            leaves_quantity: order.leaves,
        });
    }

    /// Takes an order out. Its children go with it, but for what they have to exit of its fills.
    pub(super) fn remove(
        &mut self,
        key: i64,
        reason: CancelReason,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let Some(order) = self.state.orders.remove(&key) else {
            return;
        };
        out.push(ExchangeReport::Cancelled {
            order_key: key,
            at_ms,
            reason,
            cum_quantity: order.filled(),
        });
        let children: Vec<i64> = self
            .state
            .orders
            .values()
            .filter(|child| child.parent_key == Some(key))
            .map(|child| child.key)
            .collect();
        for child_key in children {
            let Some(child) = self.state.orders.get_mut(&child_key) else {
                continue;
            };
            let left_to_exit = child.may_fill();
            let surplus = child.leaves - left_to_exit;
            child.parent_filled = None;
            if left_to_exit == 0 {
                self.remove(child_key, CancelReason::Parent, at_ms, out);
            } else if surplus > 0 {
                self.reduce(child_key, surplus, CancelReason::Parent, at_ms, out);
            }
        }
    }
}

/// A stop is reached by the last trade, or where the market stands beyond it altogether. A wide quote alone is not enough.
fn is_reached(side: Side, trigger: Option<i32>, book: &Book) -> bool {
    let Some(trigger) = trigger else { return false };
    let prices = [book.last_ticks, book.own_ticks(side)];
    prices.into_iter().flatten().any(|price| match side {
        Side::Buy => price >= trigger,
        Side::Sell => price <= trigger,
    })
}
