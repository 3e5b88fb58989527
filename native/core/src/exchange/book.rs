//! The best prices of one contract and how deep it may be dug into them.

use super::record::NO_PRICE;
use crate::status::Side;
use serde::{Deserialize, Serialize};

/// Levels that one order may take at one moment; the rest waits for the next record.
pub(super) const LEVELS_MAX: i32 = 20;

/// What is known of one contract's market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Book {
    bid_ticks: Option<i32>,
    ask_ticks: Option<i32>,
    bid_size: i64,
    ask_size: i64,
    /// What our orders took from this quote; it does not grow back before the next.
    bid_taken: i64,
    ask_taken: i64,
    pub(super) last_ticks: Option<i32>,
}

impl Book {
    pub(super) const EMPTY: Book = Book {
        bid_ticks: None,
        ask_ticks: None,
        bid_size: 0,
        ask_size: 0,
        bid_taken: 0,
        ask_taken: 0,
        last_ticks: None,
    };

    #[inline]
    pub(super) fn quote(&mut self, bid_ticks: i32, ask_ticks: i32, bid_size: i32, ask_size: i32) {
        *self = Book {
            bid_ticks: (bid_ticks != NO_PRICE).then_some(bid_ticks),
            ask_ticks: (ask_ticks != NO_PRICE).then_some(ask_ticks),
            bid_size: i64::from(bid_size.max(1)),
            ask_size: i64::from(ask_size.max(1)),
            bid_taken: 0,
            ask_taken: 0,
            last_ticks: self.last_ticks,
        };
    }

    /// A trade outside of the quote tells that the quote is old: what lay between is gone.
    #[inline]
    pub(super) fn trade(&mut self, price_ticks: i32, size: i32) {
        self.last_ticks = Some(price_ticks);
        if self.ask_ticks.is_some_and(|ask| price_ticks > ask) {
            self.ask_ticks = Some(price_ticks);
            self.ask_size = i64::from(size.max(1));
            self.ask_taken = 0;
        }
        if self.bid_ticks.is_some_and(|bid| price_ticks < bid) {
            self.bid_ticks = Some(price_ticks);
            self.bid_size = i64::from(size.max(1));
            self.bid_taken = 0;
        }
    }

    /// Returns the price at which an order of this side would rest first in line.
    pub(super) fn own_ticks(&self, side: Side) -> Option<i32> {
        match side {
            Side::Buy => self.bid_ticks,
            Side::Sell => self.ask_ticks,
        }
    }

    /// Returns the contracts shown at that price.
    pub(super) fn own_size(&self, side: Side) -> i64 {
        match side {
            Side::Buy => self.bid_size,
            Side::Sell => self.ask_size,
        }
    }

    /// Returns the price that an order of this side meets.
    pub(super) fn opposite_ticks(&self, side: Side) -> Option<i32> {
        self.own_ticks(side.opposite())
    }

    /// Returns the price by which an open position is valued: the last trade, else the bid, else the ask.
    pub(super) fn mark_ticks(&self) -> Option<i32> {
        self.last_ticks.or(self.bid_ticks).or(self.ask_ticks)
    }

    /// Takes up to `wanted` contracts from the other side, no worse than `limit`, and returns (price, quantity) by level.
    pub(super) fn take(
        &mut self,
        side: Side,
        limit: Option<i32>,
        wanted: i64,
        level_size: i64,
    ) -> Vec<(i32, i64)> {
        let (Some(best), shown, taken) = (match side {
            Side::Buy => (self.ask_ticks, self.ask_size, &mut self.ask_taken),
            Side::Sell => (self.bid_ticks, self.bid_size, &mut self.bid_taken),
        }) else {
            return Vec::new();
        };
        let worse = if side == Side::Buy { 1 } else { -1 };
        let mut gone = *taken;
        let mut left = wanted;
        let mut levels = Vec::new();
        for level in 0..LEVELS_MAX {
            let price = best.saturating_add(worse * level);
            if left == 0 || limit.is_some_and(|limit| is_worse(side, price, limit)) {
                break;
            }
            let size = if level == 0 { shown } else { level_size };
            let free = (size - gone).max(0);
            gone = (gone - size).max(0);
            let quantity = free.min(left);
            if quantity > 0 {
                levels.push((price, quantity));
                left -= quantity;
            }
        }
        *taken += wanted - left;
        levels
    }
}

/// Returns true where `price` is worse than `limit` for an order of this side.
pub(super) fn is_worse(side: Side, price: i32, limit: i32) -> bool {
    match side {
        Side::Buy => price > limit,
        Side::Sell => price < limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_behind_the_best_is_one_tick_worse() {
        let mut book = Book::EMPTY;
        book.quote(100, 101, 3, 2);

        assert_eq!(
            book.take(Side::Buy, None, 9, 5),
            [(101, 2), (102, 5), (103, 2)]
        );
        assert_eq!(
            book.take(Side::Buy, None, 4, 5),
            [(103, 3), (104, 1)],
            "what was taken is gone"
        );
        assert_eq!(
            book.take(Side::Sell, Some(99), 20, 5),
            [(100, 3), (99, 5)],
            "no worse than the limit"
        );
    }

    #[test]
    fn a_trade_outside_of_the_quote_moves_the_quote() {
        let mut book = Book::EMPTY;
        book.quote(100, 101, 3, 2);

        book.trade(103, 1);

        assert_eq!(book.opposite_ticks(Side::Buy), Some(103));
        assert_eq!(book.opposite_ticks(Side::Sell), Some(100));
    }
}
