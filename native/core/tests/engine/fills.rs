//! What executions make of the position, the day and what is told: each believed once, to the cent and the contract,
//! however late it comes and however often the broker changes it.

use crate::support::*;
use scalper_core::effect::Notice;
use scalper_core::event::{BrokerFill, Command, Event};
use scalper_core::status::{Posture, Side};

/// A desk that is long one at 19 900.
fn long_one() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk
}

/// A desk that has made a round trip: in at 19 900, out at 19 910.
fn after_a_trip() -> Desk {
    let mut desk = long_one();
    close(&mut desk, 19_910);
    assert_eq!(desk.trips()[0].gross_cents, 10 * 125);
    desk
}

fn close(desk: &mut Desk, ticks: i32) {
    desk.command(Command::Pause { until_ms: None });
    desk.price(ticks);
    desk.command(Command::Flatten {});
    desk.pass(3_000);
    assert_eq!(desk.broker.position, 0);
}

fn enter_again(desk: &mut Desk) {
    desk.command(Command::Resume {});
    desk.warm_up();
    desk.sink();
}

fn correct(desk: &mut Desk, order_ref: &str, revision: u32, quantity: i64, price_ticks: i32) {
    let told = desk
        .broker
        .correct_last(order_ref, revision, quantity, price_ticks);
    desk.tell(told);
}

fn held(desk: &Desk) -> Option<(i64, f64)> {
    let position = desk.status().position?;
    Some((position.position, position.average_ticks))
}

/// Contracts of each fill that was told as an entry.
fn entries_told(desk: &Desk) -> Vec<u32> {
    let told = desk
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::EntryFilled { quantity, .. } => Some(*quantity),
            _ => None,
        });
    told.collect()
}

fn orphan(exec_id: &str, side: Side, quantity: i64, price_ticks: i32) -> BrokerFill {
    BrokerFill {
        exec_id: exec_id.into(),
        order_ref: "QS1-t3st-261124-zz-E".into(),
        order_id: 9,
        perm_id: 9,
        con_id: CON_ID,
        side,
        quantity,
        price_ticks,
        filled_at_ms: START_MS,
    }
}

#[test]
fn an_entry_is_told_with_its_prices_its_exits_and_what_it_cost_by_its_side() {
    // The window before the close: 20 002, 20 000, 20 002, 20 000.
    let expected = [
        (
            19_900,
            19_903,
            19_743,
            20_143,
            19_980.8 - 0.5 * 2_041.2_f64.sqrt(),
            -0.5,
        ),
        (
            20_100,
            20_097,
            20_257,
            19_857,
            20_020.8 + 0.5 * 1_961.2_f64.sqrt(),
            0.5,
        ),
    ];
    for (close, fill, stop, target, near, z) in expected {
        let mut desk = Desk::ready(settings());
        desk.broker.hold(true);
        desk.prices(&[close]);
        desk.pass(300);
        let entry = desk.broker.newest('E');
        let told = desk.broker.fill_part(&entry, 1, fill, desk.at_ms);
        let filled_at_ms = desk.at_ms;
        desk.tell_all(told);

        let notice = desk
            .notices()
            .into_iter()
            .find(|notice| matches!(notice, Notice::EntryFilled { .. }));
        let Some(Notice::EntryFilled {
            side,
            quantity,
            price_ticks,
            reason,
            stop_ticks,
            target_ticks,
            exit_near_ticks,
            exit_z,
            latest_exit_at_ms,
            slippage_ticks,
            fee_cents,
        }) = notice
        else {
            panic!("an entry")
        };
        let is_long = close < 20_000;
        assert_eq!(*side, if is_long { Side::Buy } else { Side::Sell });
        assert_eq!((*quantity, *price_ticks, *fee_cents), (1, fill, 57));
        assert_eq!((*stop_ticks, *target_ticks), (Some(stop), Some(target)));
        assert_eq!(reason.as_ref().unwrap().close_ticks, f64::from(close));
        assert_eq!(*slippage_ticks, Some(3), "worse than the close");
        assert_eq!(*latest_exit_at_ms, filled_at_ms + 2 * 3_600_000);
        assert_eq!(*exit_z, z);
        assert!((exit_near_ticks.unwrap() - near).abs() < 1e-9);
        let position = desk.status().position.unwrap();
        assert_eq!(position.exit_z, z);
    }
}

#[test]
fn each_part_of_an_entry_is_told_with_its_reason_and_an_adopted_one_has_none() {
    let mut desk = Desk::ready(three());
    desk.broker.hold(true);
    desk.sink();
    let entry = desk.broker.newest('E');
    for (quantity, price_ticks) in [(1, 19_900), (2, 19_902)] {
        let told = desk
            .broker
            .fill_part(&entry, quantity, price_ticks, desk.at_ms);
        desk.tell_all(told);
    }
    let mut adopted = Desk::new(settings());
    adopted.broker.position = 1;
    adopted
        .broker
        .fills
        .push(orphan("x1.01", Side::Buy, 1, 20_000));
    adopted.link_up();

    let told = |desk: &Desk| {
        let entries = desk
            .notices()
            .into_iter()
            .filter_map(|notice| match notice {
                Notice::EntryFilled {
                    reason,
                    slippage_ticks,
                    fee_cents,
                    ..
                } => Some((reason.is_some(), *slippage_ticks, *fee_cents)),
                _ => None,
            });
        entries.collect::<Vec<_>>()
    };
    assert_eq!(told(&desk), [(true, Some(0), 57), (true, Some(2), 114)]);
    assert_eq!(told(&adopted), [(false, None, 57)]);
}

#[test]
fn an_execution_of_no_contracts_is_no_fill_unless_it_corrects_one() {
    for (exec_id, quantity, is_believed) in [
        ("new.01", 0, false),
        ("new.01", -1, false),
        ("e1.02", -1, false),
        ("e1.02", 0, true),
        ("e1.01", 0, false),
    ] {
        let mut desk = long_one();
        let mut fill = desk.broker.fills[0].clone();
        fill.exec_id = exec_id.into();
        fill.quantity = quantity;
        let before = anomalies(&desk).len();

        desk.tell(Event::Fill { fill });

        let expected = if is_believed {
            None
        } else {
            Some((1, 19_900.0))
        };
        assert_eq!(held(&desk), expected, "{exec_id} of {quantity}");
        assert_eq!(
            anomalies(&desk).len() - before,
            usize::from(!is_believed),
            "{exec_id} of {quantity}"
        );
    }
}

#[test]
fn r12_an_execution_of_ours_without_a_record_waits_for_the_picture_that_explains_it() {
    let mut desk = Desk::ready(settings());
    let fill = orphan("x1.01", Side::Buy, 1, 20_000);
    desk.broker.position = 1;
    desk.broker.fills.push(fill.clone());

    desk.tell(Event::Fill { fill });
    desk.pass(1_000);

    assert!(desk.controls().contains(&("adopted".to_owned(), true)));
    assert_eq!(held(&desk), Some((1, 20_000.0)));
    assert_eq!(
        (desk.broker.working('S'), desk.posture()),
        (vec![1], Posture::Trading)
    );
}

#[test]
fn f20_a_correction_finds_the_round_trip_that_it_belongs_to() {
    let mut desk = after_a_trip();
    let first_entry = desk.broker.newest('E');
    enter_again(&mut desk);
    assert_eq!(held(&desk), Some((1, 19_900.0)));
    let second_entry = desk.broker.newest('E');

    correct(&mut desk, &second_entry, 2, 1, 19_890);
    assert_eq!(held(&desk), Some((1, 19_890.0)));
    assert_eq!(desk.restated(), []);

    correct(&mut desk, &first_entry, 2, 1, 19_895);
    assert_eq!(held(&desk), Some((1, 19_890.0)));
    let restated = desk.restated();
    assert_eq!(
        (
            restated.len(),
            restated[0].trade_id,
            restated[0].gross_cents
        ),
        (1, desk.trips()[0].trade_id, 15 * 125)
    );
}

#[test]
fn f20_a_price_that_is_corrected_again_and_again_restates_the_same_round_trip_and_opens_none() {
    let mut desk = after_a_trip();
    let exit = desk.broker.newest_exit();
    let before = anomalies(&desk).len();

    correct(&mut desk, &exit, 2, 1, 19_906);
    correct(&mut desk, &exit, 3, 1, 19_907);

    let restated: Vec<_> = desk
        .restated()
        .iter()
        .map(|trip| (trip.trade_id, trip.gross_cents))
        .collect();
    let trade_id = desk.trips()[0].trade_id;
    assert_eq!(restated, [(trade_id, 6 * 125), (trade_id, 7 * 125)]);
    assert_eq!((held(&desk), entries_told(&desk)), (None, vec![1]));
    assert_eq!(anomalies(&desk).len(), before);
}

#[test]
fn f20_an_entry_that_never_was_leaves_room_for_the_next() {
    let mut desk = long_one();
    let entry = desk.broker.newest('E');
    correct(&mut desk, &entry, 2, 0, 19_900);
    desk.pass(3_000);
    assert_eq!((held(&desk), desk.status().orders.len()), (None, 0));

    desk.warm_up();
    desk.sink();

    assert_eq!((desk.entries(), held(&desk)), (2, Some((1, 19_900.0))));
}

#[test]
fn f20_an_execution_that_comes_back_belongs_to_what_it_is_counted_in_now() {
    let mut desk = long_one();
    let first = desk.broker.newest('E');
    correct(&mut desk, &first, 2, 0, 19_900);
    desk.pass(3_000);
    desk.warm_up();
    desk.sink();
    desk.broker.hold(true);
    let before = anomalies(&desk).len();

    correct(&mut desk, &first, 3, 1, 19_880);
    assert_eq!(held(&desk), Some((2, 19_890.0)));
    correct(&mut desk, &first, 4, 1, 19_870);

    assert_eq!(held(&desk), Some((2, 19_885.0)));
    assert_eq!(anomalies(&desk).len(), before, "nothing is too old");
}

#[test]
fn f20_a_correction_to_the_other_side_turns_the_position_and_nothing_filled_late_or_too_much() {
    let mut desk = long_one();
    let entry = desk.broker.newest('E');
    let mut told = desk.broker.correct_last(&entry, 2, 1, 19_900);
    if let Event::Fill { fill } = &mut told {
        fill.side = Side::Sell;
        desk.broker.fills[0].side = Side::Sell;
    }
    desk.broker.position = -1;

    desk.tell(told);

    assert_eq!(held(&desk), Some((-1, 19_900.0)));
    let controls = desk.controls();
    for name in ["overfill", "late_fill"] {
        assert!(!controls.contains(&(name.to_owned(), true)), "{name}");
    }
}

#[test]
fn f20_a_correction_to_nothing_holds_nothing_whatever_side_it_names() {
    let mut desk = long_one();
    let entry = desk.broker.newest('E');
    let mut told = desk.broker.correct_last(&entry, 2, 0, 19_900);
    if let Event::Fill { fill } = &mut told {
        fill.side = Side::Sell;
    }

    desk.tell(told);

    assert_eq!((held(&desk), entries_told(&desk)), (None, vec![1]));
    desk.pass(3_000);
    assert_eq!(desk.status().orders.len(), 0);

    // It comes back as what it was, or the other way: one contract, and nothing of none.
    let mut told = desk.broker.correct_last(&entry, 3, 1, 19_890);
    if let Event::Fill { fill } = &mut told {
        fill.side = Side::Buy;
    }
    desk.tell(told);
    assert_eq!(
        (held(&desk), entries_told(&desk)),
        (Some((1, 19_890.0)), vec![1, 1])
    );
}

#[test]
fn a_fee_of_no_round_trip_that_is_known_counts_in_the_day() {
    let mut desk = Desk::new(settings());
    desk.broker.fills = vec![
        orphan("x1.01", Side::Buy, 1, 20_000),
        orphan("x2.01", Side::Sell, 1, 20_000),
    ];
    desk.link_up();
    desk.price(20_000);
    assert_eq!((desk.trips().len(), desk.status().today.fees_cents), (0, 0));

    desk.tell(Event::Commission {
        exec_id: "x1.01".into(),
        fee_cents: 80,
    });

    let today = desk.status().today;
    assert_eq!(
        (today.fees_cents, today.net_cents, today.loss_left_cents),
        (80, -80, 50_000 - 80)
    );
}

#[test]
fn r4_a_fee_that_came_before_the_execution_of_a_presumed_fill_takes_the_place_of_what_was_assumed()
{
    let mut desk = Desk::ready(three());
    desk.broker.hold(true);
    desk.sink();
    let entry = desk.broker.newest('E');
    let told = desk.broker.fill_part(&entry, 1, 19_900, desk.at_ms);
    desk.tell_all(told);
    let late = desk.broker.fill_part(&entry, 2, 19_900, desk.at_ms);
    let untold = desk.broker.fills.pop().unwrap();
    desk.pass(8_000);
    assert_eq!(held(&desk), Some((3, 19_900.0)));
    assert_eq!(desk.status().today.fees_cents, 3 * 57);

    desk.tell(Event::Commission {
        exec_id: untold.exec_id.clone(),
        fee_cents: 150,
    });
    desk.broker.fills.push(untold);
    desk.tell_all(late);

    let today = desk.status().today;
    assert_eq!(today.fees_cents, 57 + 150);
    assert_eq!(today.loss_left_cents - today.open_cents, 1_000_000 - 207);
}
