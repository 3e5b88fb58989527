//! More than one contract: fills in parts, legs that follow the position, executions that the broker corrects, and
//! commissions that come late. Each changes the position, the day and what was told to the cent.

use crate::support::*;
use scalper_core::effect::Notice;
use scalper_core::event::{Command, Event};
use scalper_core::status::{ExitReason, OrderKind, Posture};

/// A desk whose entry of three rests at the broker, unfilled.
fn resting() -> Desk {
    let mut desk = Desk::ready(three());
    desk.broker.faults.hold_market = true;
    desk.sink();
    desk
}

/// A desk that is long three at 19 900.
fn long_three() -> Desk {
    let mut desk = Desk::ready(three());
    desk.sink();
    assert_eq!(desk.broker.position, 3);
    desk
}

fn fill_part(desk: &mut Desk, order_ref: &str, quantity: i64, price_ticks: i32) {
    let told = desk
        .broker
        .fill_part(order_ref, quantity, price_ticks, desk.at_ms);
    desk.tell_all(told);
}

fn correct(desk: &mut Desk, order_ref: &str, revision: u32, quantity: i64, price_ticks: i32) {
    let told = desk
        .broker
        .correct_last(order_ref, revision, quantity, price_ticks);
    desk.tell(told);
}

fn held(desk: &Desk) -> i64 {
    desk.status().position.map_or(0, |held| held.position)
}

fn close(desk: &mut Desk, ticks: i32) {
    desk.broker.faults.hold_market = false;
    desk.command(Command::Pause { until_ms: None });
    desk.price(ticks);
    desk.command(Command::Flatten {});
    desk.pass(3_000);
    assert_eq!(desk.broker.position, 0);
}

#[test]
fn f21_legs_follow_what_an_entry_has_filled_once_its_rest_is_taken_back() {
    let mut desk = resting();
    let entry = desk.broker.newest('E');
    fill_part(&mut desk, &entry, 1, 19_900);
    assert_eq!(held(&desk), 1);

    desk.pass(999);
    assert_eq!(desk.broker.working('E'), [3], "the rest may still fill");
    desk.pass(2_001);

    assert_eq!(
        (
            desk.broker.working('E'),
            desk.broker.working('S'),
            desk.broker.working('T')
        ),
        (vec![], vec![1], vec![1])
    );
    assert_eq!(desk.broker.worst_position, 1);
}

#[test]
fn f21_a_fill_that_crosses_the_cancel_counts_and_the_legs_follow_it() {
    let mut desk = resting();
    desk.broker.faults.swallow_cancels = true;
    let entry = desk.broker.newest('E');
    fill_part(&mut desk, &entry, 1, 19_900);
    desk.pass(1_000);

    fill_part(&mut desk, &entry, 1, 19_904);
    desk.broker.faults.swallow_cancels = false;
    let cancelled = desk.broker.cancel(&entry);
    desk.tell_all(cancelled);
    desk.pass(2_500);

    let status = desk.status();
    let position = status.position.expect("long two");
    assert_eq!((position.position, position.average_ticks), (2, 19_902.0));
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![2], vec![2])
    );
    // 160 and 240 ticks from the average of both fills.
    assert_eq!(
        (position.stop_ticks, position.target_ticks),
        (Some(19_742), Some(20_142))
    );
}

#[test]
fn a_stop_that_fills_in_part_leaves_the_target_the_rest_and_itself_untouched() {
    let mut desk = long_three();
    let stop = desk.broker.newest('S');
    fill_part(&mut desk, &stop, 1, 19_740);

    desk.pass(2_500);

    assert_eq!(held(&desk), 2);
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![3], vec![2])
    );
    assert_eq!(desk.trips().len(), 0, "a round trip ends when it is flat");

    fill_part(&mut desk, &stop, 2, 19_739);
    let trips = desk.trips();
    assert_eq!(
        (trips[0].reason, trips[0].quantity, trips[0].gross_cents),
        (ExitReason::Stop, 3, -(160 + 161 + 161) * 125)
    );
    assert_eq!(trips[0].fees_cents, 6 * 57);
}

#[test]
fn an_exit_in_parts_is_one_round_trip_with_its_average() {
    let mut desk = long_three();
    desk.broker.hold(true);
    desk.command(Command::Flatten {});
    desk.pass(300);
    let exit = desk.broker.newest_exit();
    fill_part(&mut desk, &exit, 1, 19_910);
    fill_part(&mut desk, &exit, 2, 19_904);
    desk.pass(3_000);

    let trips = desk.trips();
    assert_eq!(
        (trips.len(), trips[0].exit_price_ticks, trips[0].gross_cents),
        (1, 19_906.0, 18 * 125)
    );
    assert_eq!(desk.posture(), Posture::Paused);
}

#[test]
fn f20_a_corrected_price_of_an_open_entry_moves_result_stop_and_target() {
    let mut desk = long_three();
    let entry = desk.broker.newest('E');
    let before_cents = desk.status().today.open_cents;

    correct(&mut desk, &entry, 2, 3, 19_890);
    desk.pass(500);

    let position = desk.status().position.unwrap();
    assert_eq!(
        (position.average_ticks, position.open_cents - before_cents),
        (19_890.0, 10 * 3 * 125)
    );
    assert_eq!(
        (position.stop_ticks, position.target_ticks),
        (Some(19_730), Some(20_130))
    );
    let stop = desk.broker.newest('S');
    assert_eq!(
        desk.broker.orders[&stop].request.kind,
        OrderKind::Stop { stop_ticks: 19_730 }
    );
    assert!(
        desk.controls()
            .contains(&("fill_corrected".to_owned(), true))
    );
    let told = desk
        .notices()
        .iter()
        .any(|notice| matches!(notice, Notice::Told { name, .. } if name == "fill_corrected"));
    assert!(told, "a person hears of it");
}

#[test]
fn f21_a_fill_that_was_presumed_counts_once_when_its_execution_comes_after_all() {
    let mut desk = resting();
    let entry = desk.broker.newest('E');
    fill_part(&mut desk, &entry, 1, 19_900);
    // The rest fills at the broker, and is told a while later only: the position says so first (R4).
    let late = desk.broker.fill_part(&entry, 2, 19_906, desk.at_ms);
    let untold = desk.broker.fills.pop().unwrap();
    desk.pass(8_000);
    assert_eq!(held(&desk), 3);

    desk.broker.fills.push(untold);
    desk.tell_all(late);

    let position = desk.status().position.unwrap();
    assert_eq!((position.position, position.average_ticks), (3, 19_904.0));
    assert_eq!(desk.posture(), Posture::Trading);
    close(&mut desk, 19_914);
    assert_eq!(desk.trips()[0].gross_cents, 30 * 125);
    assert_eq!(desk.status().today.gross_cents, 30 * 125);
}

#[test]
fn f21_an_execution_of_a_presumed_fill_restates_a_round_trip_that_was_told() {
    let mut desk = resting();
    let entry = desk.broker.newest('E');
    fill_part(&mut desk, &entry, 1, 19_900);
    let late = desk.broker.fill_part(&entry, 2, 19_906, desk.at_ms);
    let untold = desk.broker.fills.pop().unwrap();
    desk.pass(8_000);
    close(&mut desk, 19_914);
    let before = desk.trips()[0].clone();

    desk.broker.fills.push(untold);
    desk.tell_all(late.clone());
    desk.tell_all(late);

    let restated = desk.restated();
    assert_eq!((restated.len(), restated[0].trade_id), (1, before.trade_id));
    assert_eq!(restated[0].gross_cents, 30 * 125);
    assert_eq!((held(&desk), desk.status().today.gross_cents), (0, 3_750));
}

#[test]
fn f21_a_mismatch_that_a_late_fill_explains_does_not_stop_a_flatten() {
    let mut desk = resting();
    let entry = desk.broker.newest('E');
    fill_part(&mut desk, &entry, 1, 19_900);
    // The rest fills as it is cancelled: the cancel is told at once, the execution five seconds later.
    let late = desk.broker.fill_part(&entry, 2, 19_900, desk.at_ms);
    let untold = desk.broker.fills.pop().unwrap();
    desk.broker.orders.get_mut(&entry).unwrap().state =
        scalper_core::event::BrokerOrderState::Cancelled;
    let cancelled = desk.broker.report(&entry);
    desk.tell(cancelled);
    desk.broker.faults.hold_market = false;
    desk.command(Command::Flatten {});

    desk.pass(5_000);
    assert_eq!(
        desk.broker.position, 3,
        "nothing is sold by a book that the broker contradicts"
    );
    assert_eq!(desk.posture(), Posture::Flattening);
    assert_eq!(desk.status().questions.len(), 1);
    desk.broker.fills.push(untold);
    desk.tell_all(late);
    desk.pass(5_000);

    assert_eq!((desk.broker.position, held(&desk)), (0, 0));
    assert_eq!(desk.posture(), Posture::Halted);
    assert!(desk.status().questions.is_empty());
}

#[test]
fn f20_fewer_contracts_of_an_open_entry_make_the_position_and_its_legs_smaller() {
    let mut desk = long_three();
    let entry = desk.broker.newest('E');

    correct(&mut desk, &entry, 2, 2, 19_900);
    desk.pass(2_500);

    assert_eq!((held(&desk), desk.trips().len()), (2, 0));
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![2], vec![2])
    );
    close(&mut desk, 19_910);
    let trips = desk.trips();
    assert_eq!((trips[0].quantity, trips[0].gross_cents), (2, 20 * 125));
}

#[test]
fn f20_more_contracts_than_were_asked_for_are_believed_and_halt() {
    let mut desk = long_three();
    let entry = desk.broker.newest('E');

    correct(&mut desk, &entry, 2, 4, 19_900);
    desk.pass(2_500);

    assert_eq!((held(&desk), desk.posture()), (4, Posture::Halted));
    assert_eq!(desk.broker.working('S'), [4], "all of it is protected");
}

#[test]
fn f20_an_entry_that_was_taken_back_as_a_whole_was_no_round_trip() {
    let mut desk = long_three();
    let entry = desk.broker.newest('E');

    correct(&mut desk, &entry, 2, 0, 19_900);
    desk.pass(3_000);

    assert_eq!((held(&desk), desk.trips().len()), (0, 0));
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![], vec![]),
        "no leg outlives it"
    );
}

#[test]
fn f20_an_exit_that_was_less_gives_the_rest_back_and_it_is_protected() {
    let mut desk = long_three();
    desk.broker.faults.hold_market = true;
    let stop = desk.broker.newest('S');
    fill_part(&mut desk, &stop, 2, 19_740);

    correct(&mut desk, &stop, 2, 1, 19_740);
    desk.pass(2_500);

    assert_eq!(held(&desk), 2);
    assert_eq!(desk.broker.working('T'), [2]);
}

#[test]
fn f20_a_corrected_price_restates_a_round_trip_that_was_told() {
    let mut desk = long_three();
    close(&mut desk, 19_910);
    let exit = desk.broker.newest_exit();
    let before = desk.status().today;
    assert_eq!(before.net_cents, 30 * 125 - 6 * 57);

    correct(&mut desk, &exit, 2, 3, 19_890);

    let restated = desk.restated();
    assert_eq!(restated.len(), 1);
    assert_eq!(
        (
            restated[0].trade_id,
            restated[0].exit_price_ticks,
            restated[0].gross_cents,
            restated[0].net_cents
        ),
        (desk.trips()[0].trade_id, 19_890.0, -3_750, -3_750 - 342)
    );
    let today = desk.status().today;
    assert_eq!(
        (today.net_cents, today.wins, today.losses),
        (-3_750 - 342, 0, 1)
    );
    assert_eq!(
        (today.best_cents, today.worst_cents, today.loss_left_cents),
        (-4_092, -4_092, 1_000_000 - 4_092)
    );

    correct(&mut desk, &exit, 2, 3, 19_890);
    assert_eq!(desk.restated().len(), 1, "the same news again is none");
}

#[test]
fn f20_a_round_trip_restated_beyond_the_daily_limit_halts() {
    let mut desk = long_three();
    close(&mut desk, 19_910);
    let exit = desk.broker.newest_exit();

    correct(&mut desk, &exit, 2, 3, 17_000);

    assert!(desk.controls().contains(&("daily_loss".to_owned(), true)));
    assert_eq!(desk.posture(), Posture::Halted);
}

#[test]
fn f20_fewer_contracts_of_a_told_exit_leave_a_position_that_is_protected() {
    let mut desk = long_three();
    close(&mut desk, 19_910);
    let exit = desk.broker.newest_exit();

    correct(&mut desk, &exit, 2, 2, 19_910);
    desk.pass(4_000);

    assert_eq!((held(&desk), desk.broker.position), (1, 1));
    assert_eq!(desk.broker.working('S'), [1]);
    let today = desk.status().today;
    // Three out at 19 910 and one back in at it: the same cash.
    assert_eq!(today.gross_cents, 30 * 125);
}

#[test]
fn a_commission_that_comes_late_restates_the_round_trip_and_the_day() {
    let mut desk = long_three();
    close(&mut desk, 19_901);
    let net_cents = 3 * 125 - 342;
    assert_eq!(desk.trips()[0].net_cents, net_cents);
    assert_eq!(desk.status().today.wins, 1);
    let exec_id = desk.broker.fills.last().unwrap().exec_id.clone();

    desk.tell(Event::Commission {
        exec_id: exec_id.clone(),
        fee_cents: 3 * 57 + 40,
    });

    let restated = desk.restated();
    assert_eq!(
        (restated[0].fees_cents, restated[0].net_cents),
        (382, net_cents - 40)
    );
    let today = desk.status().today;
    assert_eq!((today.wins, today.losses), (0, 1));
    assert_eq!(
        (today.fees_cents, today.net_cents, today.loss_left_cents),
        (382, -7, 1_000_000 - 7)
    );

    desk.tell(Event::Commission {
        exec_id,
        fee_cents: 3 * 57 + 40,
    });
    assert_eq!(desk.restated().len(), 1, "the same fee again is no news");
}

#[test]
fn a_commission_of_the_open_position_belongs_to_its_round_trip() {
    let mut desk = long_three();
    let exec_id = desk.broker.fills.last().unwrap().exec_id.clone();

    desk.tell(Event::Commission {
        exec_id,
        fee_cents: 3 * 57 - 21,
    });
    close(&mut desk, 19_910);

    assert_eq!(desk.restated(), []);
    assert_eq!(desk.trips()[0].fees_cents, 342 - 21);
    assert_eq!(desk.status().today.fees_cents, 342 - 21);
}

#[test]
fn news_of_a_round_trip_of_an_earlier_trading_day_changes_nothing_of_this_one() {
    let mut desk = long_three();
    close(&mut desk, 19_910);
    let exit = desk.broker.newest_exit();
    desk.pass(8 * 3_600_000);
    desk.price(20_000);
    assert_eq!(desk.status().today.trades, 0);

    correct(&mut desk, &exit, 2, 3, 19_890);

    assert_eq!(desk.restated()[0].gross_cents, -3_750);
    let today = desk.status().today;
    assert_eq!((today.net_cents, today.losses), (0, 0));
    assert_eq!(today.loss_left_cents, 1_000_000);
}

#[test]
fn a_correction_to_the_other_side_replaces_the_whole_fill() {
    let mut desk = long_three();
    let entry = desk.broker.newest('E');
    let mut told = desk.broker.correct_last(&entry, 2, 3, 19_900);
    if let Event::Fill { fill } = &mut told {
        fill.side = fill.side.opposite();
    }
    desk.broker.position = -3;

    desk.tell(told);

    assert_eq!(held(&desk), -3);
}
