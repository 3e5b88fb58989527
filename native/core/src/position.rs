//! The position by our own fills, its round trip in exact cents, and the ledger of executions by which each is counted
//! once. Knows nothing of orders or of the broker's view.

use crate::event::BrokerFill;
use crate::status::Side;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Executions that are remembered; the broker repeats those of its day, which hold fewer.
pub const EXECUTIONS_MAX: usize = 8_192;

/// The open round trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// Side of the entry.
    pub side: Side,
    /// Contracts bought and sold so far, on the entry's side.
    pub entry_quantity: i64,
    /// Σ price × contracts of the entry's side, in ticks.
    pub entry_sum_ticks: i64,
    /// Contracts on the other side.
    pub exit_quantity: i64,
    /// Σ price × contracts of the other side, in ticks.
    pub exit_sum_ticks: i64,
    /// Largest |position|.
    pub quantity_max: i64,
    /// First entry fill.
    pub entry_at_ms: i64,
    /// Last exit fill; 0 = none.
    pub exit_at_ms: i64,
    /// Fees of all its fills.
    pub fees_cents: i64,
    /// Worst open result, ≤ 0.
    pub mae_cents: i64,
    /// Best open result, ≥ 0.
    pub mfe_cents: i64,
}

impl Trip {
    fn open(side: Side, at_ms: i64) -> Trip {
        Trip {
            side,
            entry_quantity: 0,
            entry_sum_ticks: 0,
            exit_quantity: 0,
            exit_sum_ticks: 0,
            quantity_max: 0,
            entry_at_ms: at_ms,
            exit_at_ms: 0,
            fees_cents: 0,
            mae_cents: 0,
            mfe_cents: 0,
        }
    }

    /// Returns contracts held, without sign.
    pub fn held(&self) -> i64 {
        self.entry_quantity - self.exit_quantity
    }

    /// Returns the gross result with what is held valued at `mark_ticks`, in cents.
    pub fn gross_cents(&self, mark_ticks: i64, tick_value_cents: i64) -> i64 {
        let out = self.exit_sum_ticks + self.held() * mark_ticks;
        (out - self.entry_sum_ticks) * self.side.sign() * tick_value_cents
    }

    /// Returns the average price of the entry's side, for show; 0 without one.
    pub fn average_entry_ticks(&self) -> f64 {
        average(self.entry_sum_ticks, self.entry_quantity)
    }

    /// Returns the average price of the exit's side, for show; 0 without one.
    pub fn average_exit_ticks(&self) -> f64 {
        average(self.exit_sum_ticks, self.exit_quantity)
    }

    /// Puts another price in place of a fill's one: a broker's correction.
    pub fn reprice(&mut self, side: Side, quantity: i64, old_ticks: i32, new_ticks: i32) {
        let delta = (i64::from(new_ticks) - i64::from(old_ticks)) * quantity;
        if self.side == side {
            self.entry_sum_ticks += delta;
        } else {
            self.exit_sum_ticks += delta;
        }
    }

    /// Returns the average entry price rounded to the tick that makes a stop measured from it the nearer one.
    pub fn entry_reference_ticks(&self) -> i32 {
        let quantity = self.entry_quantity.max(1);
        let down = self.entry_sum_ticks.div_euclid(quantity);
        let exact = self.entry_sum_ticks.rem_euclid(quantity) == 0;
        let ticks = if exact || self.side == Side::Sell {
            down
        } else {
            down + 1
        };
        i32::try_from(ticks).unwrap_or(i32::MAX)
    }
}

/// What a fill did to the position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FillEffect {
    /// A round trip began or grew.
    Entered,
    /// A round trip shrank.
    Reduced,
    /// A round trip ended.
    Closed(Box<Trip>),
    /// A round trip ended and one the other way began.
    Reversed(Box<Trip>),
}

/// Signed contracts and the round trip that they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    trip: Option<Trip>,
}

impl Position {
    /// Returns signed contracts.
    pub fn signed(&self) -> i64 {
        self.trip
            .as_ref()
            .map_or(0, |trip| trip.held() * trip.side.sign())
    }

    /// Returns the open round trip.
    pub fn trip(&self) -> Option<&Trip> {
        self.trip.as_ref()
    }

    /// Returns the open round trip to change.
    pub fn trip_mut(&mut self) -> Option<&mut Trip> {
        self.trip.as_mut()
    }

    /// Counts a fill of `quantity` > 0 contracts.
    pub fn fill(
        &mut self,
        side: Side,
        quantity: i64,
        price_ticks: i32,
        fee_cents: i64,
        at_ms: i64,
    ) -> FillEffect {
        let price = i64::from(price_ticks);
        let trip = self.trip.get_or_insert_with(|| Trip::open(side, at_ms));
        if trip.side == side {
            trip.entry_quantity += quantity;
            trip.entry_sum_ticks += price * quantity;
            trip.quantity_max = trip.quantity_max.max(trip.held());
            trip.fees_cents += fee_cents;
            return FillEffect::Entered;
        }
        let closing = quantity.min(trip.held());
        let rest = quantity - closing;
        trip.exit_quantity += closing;
        trip.exit_sum_ticks += price * closing;
        trip.exit_at_ms = trip.exit_at_ms.max(at_ms);
        let closing_fee = if rest == 0 {
            fee_cents
        } else {
            fee_cents * closing / quantity
        };
        trip.fees_cents += closing_fee;
        if trip.held() > 0 {
            return FillEffect::Reduced;
        }
        let Some(closed) = self.trip.take() else {
            return FillEffect::Reduced;
        };
        if rest == 0 {
            return FillEffect::Closed(Box::new(closed));
        }
        self.fill(side, rest, price_ticks, fee_cents - closing_fee, at_ms);
        FillEffect::Reversed(Box::new(closed))
    }

    /// Returns the open result at `mark_ticks` in cents and remembers the worst and the best; 0 where flat.
    pub fn mark(&mut self, mark_ticks: i32, tick_value_cents: i64) -> i64 {
        let Some(trip) = &mut self.trip else { return 0 };
        let open_cents = trip.gross_cents(i64::from(mark_ticks), tick_value_cents);
        trip.mae_cents = trip.mae_cents.min(open_cents);
        trip.mfe_cents = trip.mfe_cents.max(open_cents);
        open_cents
    }

    /// Returns the open result at `mark_ticks` in cents; 0 where flat.
    pub fn open_cents(&self, mark_ticks: i32, tick_value_cents: i64) -> i64 {
        self.trip.as_ref().map_or(0, |trip| {
            trip.gross_cents(i64::from(mark_ticks), tick_value_cents)
        })
    }

    /// Takes `quantity` > 0 contracts of a fill of the open round trip back, which the broker corrected away. None where
    /// the trip does not hold as many of that side: then it is a fill the other way.
    pub fn take_back(&mut self, side: Side, quantity: i64, price_ticks: i32) -> Option<TakenBack> {
        let trip = self.trip.as_mut()?;
        let sum_ticks = i64::from(price_ticks) * quantity;
        if trip.side != side {
            if trip.exit_quantity < quantity {
                return None;
            }
            trip.exit_quantity -= quantity;
            trip.exit_sum_ticks -= sum_ticks;
            trip.quantity_max = trip.quantity_max.max(trip.held());
            return Some(TakenBack::Open);
        }
        if trip.held() < quantity {
            return None;
        }
        trip.entry_quantity -= quantity;
        trip.entry_sum_ticks -= sum_ticks;
        trip.quantity_max = trip.quantity_max.min(trip.entry_quantity);
        if trip.held() > 0 {
            return Some(TakenBack::Open);
        }
        let trip = self.trip.take()?;
        Some(if trip.exit_quantity == 0 {
            TakenBack::Never(Box::new(trip))
        } else {
            TakenBack::Closed(Box::new(trip))
        })
    }
}

/// What is left of a round trip when contracts were taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBack {
    /// It goes on.
    Open,
    /// What is left of it is closed.
    Closed(Box<Trip>),
    /// Nothing of it was ever held.
    Never(Box<Trip>),
}

/// Returns a sum of prices divided by contracts, for show.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "an average price for show; prices and quantities stay far below 2^53"
)]
fn average(sum_ticks: i64, quantity: i64) -> f64 {
    sum_ticks as f64 / quantity.max(1) as f64
}

/// One counted execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Corrections so far: the number behind the id's last dot.
    pub revision: u32,
    /// The order.
    pub order_ref: String,
    /// Which way.
    pub side: Side,
    /// Contracts.
    pub quantity: i64,
    /// Price.
    pub price_ticks: i32,
    /// Fee in force.
    pub fee_cents: i64,
    /// Number of the round trip that it was counted in.
    pub trip_id: i64,
    /// The broker's time of it.
    pub at_ms: i64,
}

/// What the ledger made of a fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Not known before: to be counted.
    New,
    /// Known: nothing to do.
    Repeated,
    /// Replaces an earlier one.
    Corrected(Box<Execution>),
}

/// Executions by id, each counted once, and fees that came before their execution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    executions: BTreeMap<String, Execution>,
    early_fees: BTreeMap<String, i64>,
}

impl Ledger {
    /// Records a fill with the fee assumed for it, unless the broker's came first.
    pub fn record(
        &mut self,
        fill: &BrokerFill,
        assumed_fee_cents: i64,
        trip_id: i64,
    ) -> (Recorded, i64) {
        let (base, revision) = split_exec_id(&fill.exec_id);
        let known = self.executions.get(base);
        if known.is_some_and(|execution| execution.revision >= revision) {
            return (Recorded::Repeated, 0);
        }
        let earlier = known.cloned();
        let fee_cents = self.early_fees.remove(base).unwrap_or(match &earlier {
            Some(execution) => execution.fee_cents,
            None => assumed_fee_cents,
        });
        let execution = Execution {
            revision,
            order_ref: fill.order_ref.clone(),
            side: fill.side,
            quantity: fill.quantity,
            price_ticks: fill.price_ticks,
            fee_cents,
            trip_id: earlier
                .as_ref()
                .map_or(trip_id, |execution| execution.trip_id),
            at_ms: fill.filled_at_ms,
        };
        self.executions.insert(base.to_owned(), execution);
        if self.executions.len() > EXECUTIONS_MAX {
            let oldest = self
                .executions
                .iter()
                .min_by_key(|(_, execution)| execution.at_ms)
                .map(|(id, _)| id.clone());
            if let Some(id) = oldest {
                self.executions.remove(&id);
            }
        }
        match earlier {
            Some(execution) => (Recorded::Corrected(Box::new(execution)), fee_cents),
            None => (Recorded::New, fee_cents),
        }
    }

    /// Counts an execution in another round trip: it was booked before it was told.
    pub fn belongs_to(&mut self, exec_id: &str, trip_id: i64) {
        let (base, _) = split_exec_id(exec_id);
        if let Some(execution) = self.executions.get_mut(base) {
            execution.trip_id = trip_id;
        }
    }

    /// Returns whether an execution, or a later revision of it, is counted.
    pub fn knows(&self, exec_id: &str) -> bool {
        let (base, revision) = split_exec_id(exec_id);
        self.executions
            .get(base)
            .is_some_and(|execution| execution.revision >= revision)
    }

    /// Returns whether this is a later revision of an execution that is counted.
    pub fn corrects(&self, exec_id: &str) -> bool {
        let (base, revision) = split_exec_id(exec_id);
        self.executions
            .get(base)
            .is_some_and(|execution| execution.revision < revision)
    }

    /// Puts the broker's fee in place; returns the round trip that it belongs to and what it costs more than assumed.
    /// None where the execution is not known yet: the fee waits for it.
    pub fn charge(&mut self, exec_id: &str, fee_cents: i64) -> Option<(i64, i64)> {
        let (base, _) = split_exec_id(exec_id);
        let Some(execution) = self.executions.get_mut(base) else {
            if self.early_fees.len() < EXECUTIONS_MAX {
                self.early_fees.insert(base.to_owned(), fee_cents);
            }
            return None;
        };
        let more_cents = fee_cents - execution.fee_cents;
        execution.fee_cents = fee_cents;
        Some((execution.trip_id, more_cents))
    }

    /// Forgets what is older than `before_ms`.
    pub fn forget(&mut self, before_ms: i64) {
        self.executions
            .retain(|_, execution| execution.at_ms >= before_ms);
        self.early_fees.clear();
    }
}

/// Splits an execution id at its last dot: "0001.02" is revision 2 of "0001" (reliability note, section B).
fn split_exec_id(exec_id: &str) -> (&str, u32) {
    if let Some((base, suffix)) = exec_id.rsplit_once('.')
        && !suffix.is_empty()
        && let Ok(revision) = suffix.parse::<u32>()
    {
        return (base, revision);
    }
    (exec_id, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MES_CENTS: i64 = 125;

    fn fill(exec_id: &str, side: Side, quantity: i64, price_ticks: i32) -> BrokerFill {
        BrokerFill {
            exec_id: exec_id.to_owned(),
            order_ref: "r".to_owned(),
            order_id: 1,
            perm_id: 1,
            con_id: 1,
            side,
            quantity,
            price_ticks,
            filled_at_ms: 5,
        }
    }

    #[test]
    fn a_round_trip_earns_its_ticks_to_the_cent() {
        let mut position = Position::default();

        position.fill(Side::Buy, 1, 20_049, 57, 10);
        assert_eq!(position.mark(20_038, MES_CENTS), -1_375);
        assert_eq!(position.mark(20_071, MES_CENTS), 2_750);
        let FillEffect::Closed(trip) = position.fill(Side::Sell, 1, 20_068, 57, 20) else {
            panic!("it closed")
        };

        assert_eq!(
            (trip.gross_cents(0, MES_CENTS), trip.fees_cents),
            (2_375, 114)
        );
        assert_eq!(
            (trip.mae_cents, trip.mfe_cents, trip.exit_at_ms),
            (-1_375, 2_750, 20)
        );
        assert_eq!(position.signed(), 0);
    }

    #[test]
    fn a_fill_through_zero_ends_one_trip_and_begins_another() {
        let mut position = Position::default();
        position.fill(Side::Sell, 2, 100, 10, 1);

        let effect = position.fill(Side::Buy, 3, 90, 15, 2);

        let FillEffect::Reversed(trip) = effect else {
            panic!("{effect:?}")
        };
        assert_eq!((trip.gross_cents(0, 1), trip.fees_cents), (20, 20));
        assert_eq!(
            (position.signed(), position.trip().unwrap().fees_cents),
            (1, 5)
        );
    }

    #[test]
    fn an_average_between_ticks_is_rounded_to_the_nearer_stop() {
        for (side, expected) in [(Side::Buy, 102), (Side::Sell, 101)] {
            let mut position = Position::default();
            position.fill(side, 1, 101, 0, 1);
            position.fill(side, 1, 102, 0, 1);

            assert_eq!(position.trip().unwrap().entry_reference_ticks(), expected);
        }
    }

    #[test]
    fn an_execution_counts_once_and_a_correction_replaces_it() {
        let mut ledger = Ledger::default();

        assert_eq!(
            ledger.record(&fill("a.1.01", Side::Buy, 1, 100), 57, 1).0,
            Recorded::New
        );
        assert_eq!(
            ledger.record(&fill("a.1.01", Side::Buy, 1, 100), 57, 1).0,
            Recorded::Repeated
        );
        let Recorded::Corrected(old) = ledger.record(&fill("a.1.02", Side::Buy, 1, 101), 57, 9).0
        else {
            panic!("a correction")
        };
        assert_eq!((old.price_ticks, old.trip_id), (100, 1));
        assert_eq!(
            ledger.record(&fill("a.1.01", Side::Buy, 1, 100), 57, 1).0,
            Recorded::Repeated
        );
    }

    #[test]
    fn what_never_traded_is_taken_back_to_the_cent() {
        // Long 3 at 100, one sold at 110: what is taken back, from which side, and what is left.
        let table = [
            (Side::Sell, 1, Some("open"), 3, 0),
            (Side::Sell, 2, None, 2, 10),
            (Side::Buy, 1, Some("open"), 1, 10),
            (Side::Buy, 2, Some("closed"), 0, 10),
            (Side::Buy, 3, None, 2, 10),
        ];
        for (side, quantity, expected, held, gross_at_100) in table {
            let mut position = Position::default();
            position.fill(Side::Buy, 3, 100, 0, 1);
            position.fill(Side::Sell, 1, 110, 0, 2);
            let price = if side == Side::Buy { 100 } else { 110 };

            let taken = position.take_back(side, quantity, price);

            let word = taken.as_ref().map(|taken| match taken {
                TakenBack::Open => "open",
                TakenBack::Closed(_) => "closed",
                TakenBack::Never(_) => "never",
            });
            assert_eq!(word, expected, "{side:?} {quantity}");
            assert_eq!(position.signed(), held, "{side:?} {quantity}");
            let gross = match taken {
                Some(TakenBack::Closed(trip)) => trip.gross_cents(0, 1),
                Some(TakenBack::Open | TakenBack::Never(_)) | None => position.open_cents(100, 1),
            };
            assert_eq!(gross, gross_at_100, "{side:?} {quantity}");
        }
    }

    #[test]
    fn an_entry_that_never_traded_leaves_no_round_trip() {
        let mut position = Position::default();
        position.fill(Side::Sell, 2, 100, 0, 1);

        let taken = position.take_back(Side::Sell, 2, 100);

        assert!(matches!(taken, Some(TakenBack::Never(_))), "{taken:?}");
        assert_eq!((position.signed(), position.trip()), (0, None));
        assert_eq!(position.take_back(Side::Sell, 1, 100), None);
    }

    #[test]
    fn the_largest_position_is_that_of_the_fills_that_stand() {
        let mut position = Position::default();
        position.fill(Side::Buy, 3, 100, 0, 1);
        position.take_back(Side::Buy, 1, 100);
        assert_eq!(position.trip().unwrap().quantity_max, 2);

        position.fill(Side::Sell, 1, 100, 0, 2);
        position.take_back(Side::Sell, 1, 100);
        assert_eq!(position.trip().unwrap().quantity_max, 2);
    }

    #[test]
    fn a_revision_is_known_from_its_number_on_and_corrects_below_it() {
        let mut ledger = Ledger::default();
        ledger.record(&fill("a.1.02", Side::Buy, 1, 100), 57, 1);

        for (exec_id, knows, corrects) in [
            ("a.1.01", true, false),
            ("a.1.02", true, false),
            ("a.1.03", false, true),
            ("a.2.01", false, false),
        ] {
            assert_eq!(
                (ledger.knows(exec_id), ledger.corrects(exec_id)),
                (knows, corrects),
                "{exec_id}"
            );
        }
    }

    #[test]
    fn an_execution_that_moves_to_another_round_trip_is_charged_there() {
        let mut ledger = Ledger::default();
        ledger.record(&fill("a.1.01", Side::Buy, 1, 100), 57, 1);

        ledger.belongs_to("a.1.02", 7);

        assert_eq!(ledger.charge("a.1.01", 60), Some((7, 3)));
    }

    #[test]
    fn what_is_old_is_forgotten_and_what_is_not_is_kept() {
        let mut ledger = Ledger::default();
        for (exec_id, at_ms) in [("a.01", 99), ("b.01", 100), ("c.01", 101)] {
            let mut fill = fill(exec_id, Side::Buy, 1, 100);
            fill.filled_at_ms = at_ms;
            ledger.record(&fill, 57, 1);
        }
        ledger.charge("early.01", 99);

        ledger.forget(100);

        let knows = ["a.01", "b.01", "c.01"].map(|exec_id| ledger.knows(exec_id));
        assert_eq!(knows, [false, true, true]);
        let early = ledger.record(&fill("early.01", Side::Buy, 1, 100), 57, 1);
        assert_eq!(early, (Recorded::New, 57));
    }

    #[test]
    fn executions_and_early_fees_have_a_limit() {
        let mut ledger = Ledger::default();
        for number in 0..=EXECUTIONS_MAX {
            let mut fill = fill(&format!("e{number}.01"), Side::Buy, 1, 100);
            fill.filled_at_ms = i64::try_from(number).unwrap();
            ledger.record(&fill, 57, 1);
            ledger.charge(&format!("f{number}.01"), 99);
        }

        assert!(!ledger.knows("e0.01"), "the oldest goes");
        assert!(ledger.knows("e1.01"));
        let last = format!("f{EXECUTIONS_MAX}.01");
        assert_eq!(
            ledger.record(&fill(&last, Side::Buy, 1, 100), 57, 1).1,
            57,
            "one more fee than can wait"
        );
    }

    #[test]
    fn a_fee_that_comes_before_its_execution_waits_for_it() {
        let mut ledger = Ledger::default();

        assert_eq!(ledger.charge("x.01", 62), None);
        assert_eq!(
            ledger.record(&fill("x.01", Side::Buy, 1, 100), 57, 3),
            (Recorded::New, 62)
        );
        assert_eq!(ledger.charge("x.01", 60), Some((3, -2)));
    }

    proptest! {
        #[test]
        fn the_sum_of_fills_is_the_position_and_the_cash_is_the_result(
            fills in proptest::collection::vec((any::<bool>(), 1i64..5, 1i32..500), 1..40)
        ) {
            let mut position = Position::default();
            let (mut signed, mut cash, mut realised) = (0i64, 0i64, 0i64);
            for (is_buy, quantity, price) in fills {
                let side = if is_buy { Side::Buy } else { Side::Sell };
                signed += side.sign() * quantity;
                cash -= side.sign() * quantity * i64::from(price);
                match position.fill(side, quantity, price, 0, 1) {
                    FillEffect::Closed(trip) | FillEffect::Reversed(trip) => realised += trip.gross_cents(0, 1),
                    FillEffect::Entered | FillEffect::Reduced => {}
                }
                prop_assert_eq!(position.signed(), signed);
                let open = position.open_cents(250, 1);
                prop_assert_eq!(realised + open, cash + signed * 250);
            }
        }
    }
}
