//! Cash and positions. Closing is booked by average cost, in whole cents: what a partial close can not divide evenly stays
//! in the cost of the rest, so that cash, cost and fills always add up exactly.

use crate::status::Side;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) cash_cents: i64,
    /// Today, fees not taken off.
    pub(super) realised_cents: i64,
    /// Today.
    pub(super) fees_cents: i64,
    pub(super) positions: BTreeMap<i64, Position>,
}

/// One position with what it cost: Σ price × tick value, signed like the position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) position: i64,
    pub(super) cost_cents: i64,
}

impl Account {
    pub(super) fn new(cash_cents: i64) -> Account {
        Account {
            cash_cents,
            realised_cents: 0,
            fees_cents: 0,
            positions: BTreeMap::new(),
        }
    }

    /// Books a fill; returns what closing earned, none where nothing was closed.
    pub(super) fn book(
        &mut self,
        instrument_id: i64,
        signed: i64,
        price_cents: i64,
        fee_cents: i64,
    ) -> Option<i64> {
        let realised = self
            .positions
            .entry(instrument_id)
            .or_default()
            .add(signed, price_cents);
        self.cash_cents += realised.unwrap_or(0) - fee_cents;
        self.realised_cents += realised.unwrap_or(0);
        self.fees_cents += fee_cents;
        realised
    }

    /// Begins a trading day.
    pub(super) fn new_day(&mut self) {
        self.realised_cents = 0;
        self.fees_cents = 0;
        self.positions.retain(|_, held| held.position != 0);
    }
}

impl Position {
    fn add(&mut self, signed: i64, price_cents: i64) -> Option<i64> {
        let closing = if self.position.signum() == -signed.signum() {
            signed.abs().min(self.position.abs())
        } else {
            0
        };
        let mut realised = None;
        if closing > 0 {
            let sign = self.position.signum();
            let released = divide_rounded(self.cost_cents * closing, self.position.abs());
            self.cost_cents -= released;
            self.position -= sign * closing;
            realised = Some(sign * closing * price_cents - released);
        }
        let opening = signed.abs() - closing;
        self.position += signed.signum() * opening;
        self.cost_cents += signed.signum() * opening * price_cents;
        realised
    }

    pub(super) fn average_ticks_e2(&self, tick_value_cents: i64) -> Option<i64> {
        (self.position != 0).then(|| {
            divide_rounded(
                self.cost_cents.abs() * 100,
                self.position.abs() * tick_value_cents,
            )
        })
    }

    pub(super) fn unrealised_cents(&self, mark_ticks: Option<i32>, tick_value_cents: i64) -> i64 {
        match mark_ticks {
            Some(mark) => self.position * i64::from(mark) * tick_value_cents - self.cost_cents,
            None => 0,
        }
    }
}

/// Returns the signed quantity of a side.
pub(super) fn signed(side: Side, quantity: i64) -> i64 {
    side.sign() * quantity
}

/// Returns a / b rounded half away from zero; b > 0.
pub(super) fn divide_rounded(a: i64, b: i64) -> i64 {
    (2 * a.abs() + b) / (2 * b) * a.signum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_in_parts_gives_every_cent_once() {
        let mut account = Account::new(0);
        account.book(1, 1, 1_000, 57);
        account.book(1, 1, 1_001, 57);
        account.book(1, 1, 1_001, 57);

        let parts: Vec<Option<i64>> = (0..3).map(|_| account.book(1, -1, 1_010, 57)).collect();

        assert_eq!(parts, [Some(9), Some(9), Some(10)]);
        assert_eq!(account.cash_cents, 28 - 6 * 57);
        assert_eq!(account.positions[&1], Position::default());
    }

    #[test]
    fn a_fill_through_zero_closes_and_opens() {
        let mut account = Account::new(0);
        account.book(1, -2, 1_000, 0);

        let realised = account.book(1, 5, 990, 0);

        assert_eq!(realised, Some(20));
        assert_eq!(
            account.positions[&1],
            Position {
                position: 3,
                cost_cents: 2_970
            }
        );
    }
}
