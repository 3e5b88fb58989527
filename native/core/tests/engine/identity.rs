//! The identity of money: whatever comes, in parts, twice, late or corrected, the sum of the fills is the position, and
//! their cash is the result, to the cent. The book here is kept by nothing but the executions and fees themselves.

use crate::support::*;
use proptest::prelude::*;
use scalper_core::event::{BrokerFill, Command, Event};
use scalper_core::settings::EngineSettings;
use scalper_core::status::Side;
use std::collections::BTreeMap;

const VALUE_CENTS: i64 = 125;
const FEE_CENTS: i64 = 57;

#[derive(Debug, Clone)]
enum Act {
    /// The newest order of a leg fills in part, at a price this far from its own.
    Fill(char, i64, i32),
    /// The execution told so many back is told again.
    Repeat(usize),
    /// It is corrected by so many contracts and ticks.
    Correct(usize, i64, i32),
    /// It costs so much.
    Charge(usize, i64),
    Price(i32),
    Flatten,
    Resume,
    Pass(i64),
}

fn any_act() -> impl Strategy<Value = Act> {
    let leg = prop_oneof![
        Just('E'),
        Just('E'),
        Just('S'),
        Just('T'),
        Just('X'),
        Just('X')
    ];
    prop_oneof![
        6 => (leg, 1i64..3, -5i32..5).prop_map(|(leg, quantity, off)| Act::Fill(leg, quantity, off)),
        2 => (0usize..6).prop_map(Act::Repeat),
        2 => (0usize..6, -2i64..2, -40i32..40).prop_map(|(back, more, off)| Act::Correct(back, more, off)),
        2 => (0usize..6, 0i64..400).prop_map(|(back, cents)| Act::Charge(back, cents)),
        4 => (19_000i32..21_000).prop_map(Act::Price),
        2 => Just(Act::Flatten),
        2 => Just(Act::Resume),
        3 => (1i64..6_000).prop_map(Act::Pass),
    ]
}

/// An execution as it stands after its corrections, and what it costs.
#[derive(Debug, Clone)]
struct Entry {
    fill: BrokerFill,
    revision: u32,
    fee_cents: i64,
}

#[derive(Debug, Default)]
struct Book {
    entries: BTreeMap<String, Entry>,
    order: Vec<String>,
}

impl Book {
    fn add(&mut self, fill: &BrokerFill) {
        let base = fill.exec_id.trim_end_matches(".01").to_owned();
        let entry = Entry {
            fill: fill.clone(),
            revision: 1,
            fee_cents: FEE_CENTS * fill.quantity,
        };
        self.order.push(base.clone());
        self.entries.insert(base, entry);
    }

    fn back(&mut self, back: usize) -> Option<&mut Entry> {
        let at = self.order.len().checked_sub(back + 1)?;
        self.entries.get_mut(&self.order[at])
    }

    fn position(&self) -> i64 {
        let signed = self
            .entries
            .values()
            .map(|entry| entry.fill.side.sign() * entry.fill.quantity);
        signed.sum()
    }

    fn cash_ticks(&self) -> i64 {
        let paid = self.entries.values().map(|entry| {
            -entry.fill.side.sign() * entry.fill.quantity * i64::from(entry.fill.price_ticks)
        });
        paid.sum()
    }

    fn fees_cents(&self) -> i64 {
        self.entries.values().map(|entry| entry.fee_cents).sum()
    }
}

fn three() -> EngineSettings {
    let mut settings = settings();
    settings.strategy.quantity = 3;
    settings.risk.max_position = 3;
    settings.risk.max_notional_cents = Some(60_000_000_000);
    settings.risk.daily_loss_cents = 1_000_000_000;
    settings.risk.loss_streak = 1_000;
    settings
}

fn fill(desk: &mut Desk, book: &mut Book, leg: char, quantity: i64, off: i32) {
    let newest = desk
        .broker
        .placed
        .iter()
        .rev()
        .find(|request| request.order_ref.ends_with(leg))
        .map(|request| request.order_ref.clone());
    let Some(order_ref) = newest.filter(|order_ref| desk.broker.orders.contains_key(order_ref))
    else {
        return;
    };
    let held = &desk.broker.orders[&order_ref];
    let left = i64::from(held.request.quantity) - held.filled;
    let is_working = held.state == scalper_core::event::BrokerOrderState::Working;
    if left <= 0 || !is_working {
        return;
    }
    let price_ticks = desk.broker.last_ticks + off;
    let told = desk
        .broker
        .fill_part(&order_ref, quantity.min(left), price_ticks, desk.at_ms);
    book.add(desk.broker.fills.last().unwrap());
    desk.tell_all(told);
}

fn correct(desk: &mut Desk, book: &mut Book, back: usize, more: i64, off: i32) {
    let Some(entry) = book.back(back) else { return };
    let before = entry.fill.quantity;
    entry.revision += 1;
    entry.fill.quantity = (before + more).max(0);
    entry.fill.price_ticks += off;
    let base = entry.fill.exec_id.rsplit_once('.').unwrap().0.to_owned();
    entry.fill.exec_id = format!("{base}.{:02}", entry.revision);
    desk.broker.position += entry.fill.side.sign() * (entry.fill.quantity - before);
    let fill = entry.fill.clone();
    for known in &mut desk.broker.fills {
        if known.exec_id.starts_with(&format!("{base}.")) {
            *known = fill.clone();
        }
    }
    desk.tell(Event::Fill { fill });
}

fn play(desk: &mut Desk, book: &mut Book, act: &Act) {
    match act {
        Act::Fill(leg, quantity, off) => fill(desk, book, *leg, *quantity, *off),
        Act::Repeat(back) => {
            if let Some(fill) = book.back(*back).map(|entry| entry.fill.clone()) {
                desk.tell(Event::Fill { fill });
            }
        }
        Act::Correct(back, more, off) => correct(desk, book, *back, *more, *off),
        Act::Charge(back, cents) => {
            if let Some(entry) = book.back(*back) {
                entry.fee_cents = *cents;
                let exec_id = entry.fill.exec_id.clone();
                desk.tell(Event::Commission {
                    exec_id,
                    fee_cents: *cents,
                });
            }
        }
        Act::Price(ticks) => {
            desk.price(*ticks);
            desk.pass(1_000);
        }
        Act::Flatten => {
            desk.command(Command::Flatten {});
        }
        Act::Resume => {
            desk.command(Command::Arm {});
            desk.command(Command::Resume {});
        }
        Act::Pass(ms) => desk.pass(*ms),
    }
}

fn check(desk: &Desk, book: &Book) -> Result<(), TestCaseError> {
    let status = desk.status();
    let held = status.position.as_ref();
    let signed = held.map_or(0, |held| held.position);
    prop_assert_eq!(signed, book.position(), "position");
    let side = if signed > 0 { Side::Buy } else { Side::Sell };
    let mark_ticks = match side {
        Side::Buy => status.bid_ticks.unwrap(),
        Side::Sell => status.ask_ticks.unwrap(),
    };
    let today = status.today;
    let cash_cents = (book.cash_ticks() + signed * i64::from(mark_ticks)) * VALUE_CENTS;
    prop_assert_eq!(today.gross_cents + today.open_cents, cash_cents, "cash");
    prop_assert_eq!(today.fees_cents, book.fees_cents(), "fees");
    prop_assert_eq!(
        today.loss_left_cents,
        1_000_000_000 + cash_cents - book.fees_cents(),
        "what is left of the day's limit"
    );
    Ok(())
}

/// The trades as they were told last are the day's realised result.
fn check_trades(desk: &Desk) -> Result<(), TestCaseError> {
    let mut told: BTreeMap<i64, i64> = BTreeMap::new();
    for effect in &desk.effects {
        if let scalper_core::effect::Effect::RoundTrip { trade }
        | scalper_core::effect::Effect::RoundTripRestated { trade, .. } = effect
        {
            told.insert(trade.trade_id, trade.gross_cents);
        }
    }
    prop_assert_eq!(
        told.values().sum::<i64>(),
        desk.status().today.gross_cents,
        "trades"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn the_sum_of_fills_is_the_position_and_their_cash_the_result(
        acts in proptest::collection::vec(any_act(), 1..60)
    ) {
        let mut desk = Desk::ready(three());
        desk.broker.faults.hold_market = true;
        desk.broker.faults.hold_legs = true;
        desk.sink();
        let mut book = Book::default();
        for act in &acts {
            play(&mut desk, &mut book, act);
            check(&desk, &book)?;
            check_trades(&desk)?;
        }
        let (effects, hash) = desk.replay();
        prop_assert_eq!(&effects, &desk.effects);
        prop_assert_eq!(hash, desk.engine.state_hash().unwrap());
    }
}
