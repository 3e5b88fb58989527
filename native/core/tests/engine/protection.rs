//! What rests beside a position: a stop and a target of its size, a missing stop placed anew, none without a position.
//! Times to the millisecond, since a moment too early doubles what the broker does by itself.

use crate::support::*;
use scalper_core::event::{BrokerOrderState, Command, Event};
use scalper_core::status::{ExitReason, OrderKind, Posture};

/// A desk that is long one at 19 900, its orders resting from now on whatever the price.
fn long_one() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk.broker.hold(true);
    desk
}

/// A desk that is long three, 50 ms after its bracket was acknowledged.
fn long_three() -> Desk {
    let mut desk = Desk::ready(three());
    desk.sink();
    assert_eq!(desk.broker.position, 3);
    desk.broker.hold(true);
    desk
}

/// Somebody takes an order back in the broker's own app.
fn take_away(desk: &mut Desk, leg: char) {
    let order_ref = desk.broker.newest(leg);
    let told = desk.broker.cancel(&order_ref);
    desk.tell_all(told);
}

fn fill_part(desk: &mut Desk, leg: char, quantity: i64, price_ticks: i32) {
    let order_ref = desk.broker.newest(leg);
    let told = desk
        .broker
        .fill_part(&order_ref, quantity, price_ticks, desk.at_ms);
    desk.tell_all(told);
}

fn placed(desk: &Desk, leg: char) -> usize {
    let placed = desk
        .broker
        .placed
        .iter()
        .filter(|request| request.order_ref.ends_with(leg));
    placed.count()
}

#[test]
fn a_stop_that_somebody_took_away_is_back_after_a_second_at_its_price() {
    let mut desk = long_one();
    take_away(&mut desk, 'S');

    desk.pass(999);
    assert_eq!(desk.broker.working('S'), Vec::<u32>::new());
    desk.pass(1);

    assert_eq!(desk.broker.working('S'), [1]);
    let stop = desk.broker.newest('S');
    let request = &desk.broker.orders[&stop].request;
    assert_eq!(request.kind, OrderKind::Stop { stop_ticks: 19_740 });
    let target = desk.broker.newest('T');
    assert_eq!(
        request.oca_group, desk.broker.orders[&target].request.oca_group,
        "it ends the other, and the other it"
    );
}

#[test]
fn a_target_that_somebody_took_away_is_back_and_its_price_is_no_alarm() {
    let mut desk = long_one();
    take_away(&mut desk, 'T');

    desk.pass(999);
    assert_eq!(desk.broker.working('T'), Vec::<u32>::new());
    desk.pass(1);

    assert_eq!(desk.broker.working('T'), [1]);
    assert_eq!(desk.broker.working('S'), [1]);
    assert!(!desk.controls().contains(&("unprotected".to_owned(), true)));
}

#[test]
fn a_price_beyond_a_missing_stop_closes_at_once() {
    for (price, closes) in [(19_741, false), (19_740, true), (19_739, true)] {
        let mut desk = long_one();
        take_away(&mut desk, 'S');
        desk.pass(900);
        desk.price(price);
        desk.pass(100);

        assert_eq!(placed(&desk, 'S'), if closes { 1 } else { 2 }, "{price}");
        desk.broker.hold(false);
        desk.price(price);
        desk.pass(2_000);
        assert_eq!(desk.broker.position == 0, closes, "{price}");
        if closes {
            assert_eq!(desk.trips()[0].reason, ExitReason::Stop);
        }
    }
}

#[test]
fn a_short_position_is_beyond_its_missing_stop_above_it() {
    for (bid, closes) in [(20_258, false), (20_259, true), (20_260, true)] {
        let mut desk = Desk::ready(settings());
        desk.prices(&[20_100]);
        desk.pass(300);
        assert_eq!(desk.broker.position, -1);
        desk.broker.hold(true);
        take_away(&mut desk, 'S');
        desk.pass(900);
        // The ask, one tick above, is what a short position is worth; its stop stands at 20 260.
        desk.price(bid);
        desk.pass(100);

        assert_eq!(placed(&desk, 'S'), if closes { 1 } else { 2 }, "{bid}");
    }
}

#[test]
fn a_stop_that_is_refused_is_tried_at_once_three_times_and_then_it_is_left() {
    let mut desk = long_one();
    desk.broker.faults.refuse_stops = true;
    take_away(&mut desk, 'S');
    desk.pass(999);
    assert_eq!(placed(&desk, 'S'), 1);

    desk.broker.hold(false);
    desk.pass(1);

    assert_eq!(placed(&desk, 'S'), 4, "three tries in one moment");
    desk.pass(2_000);
    assert_eq!(desk.broker.position, 0);
    assert!(desk.controls().contains(&("unprotected".to_owned(), true)));
}

#[test]
fn the_stop_takes_the_size_of_what_is_left_once_the_broker_had_its_second() {
    let mut desk = long_three();
    fill_part(&mut desk, 'T', 1, 20_140);

    desk.pass(949);
    assert_eq!(desk.broker.working('S'), [3], "the broker may do it itself");
    desk.pass(1);

    assert_eq!(desk.broker.working('S'), [2]);
}

#[test]
fn a_stop_that_has_stood_for_long_takes_its_size_at_once() {
    let mut desk = long_three();
    desk.pass(1_000);
    fill_part(&mut desk, 'T', 1, 20_140);

    assert_eq!(desk.broker.working('S'), [2]);
}

#[test]
fn a_stop_that_the_broker_calls_filled_is_not_changed() {
    let mut desk = long_three();
    desk.broker.faults.hide_state = true;
    let stop = desk.broker.newest('S');
    desk.broker.orders.get_mut(&stop).unwrap().state = BrokerOrderState::Filled;
    let told = desk.broker.report(&stop);
    desk.tell(told);
    desk.broker.modified.clear();
    fill_part(&mut desk, 'T', 1, 20_140);

    desk.pass(2_500);

    let changed = desk
        .broker
        .modified
        .iter()
        .filter(|request| request.order_ref == stop);
    assert_eq!(changed.count(), 0);
}

#[test]
fn a_group_that_has_had_a_fill_is_left_before_a_stop_is_placed_anew() {
    let mut desk = long_three();
    desk.pass(1_000);
    fill_part(&mut desk, 'T', 1, 20_140);
    let target = desk.broker.newest('T');
    take_away(&mut desk, 'S');

    desk.pass(4_000);

    assert_eq!(
        desk.broker.orders[&target].state,
        BrokerOrderState::Cancelled
    );
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![2], vec![2])
    );
    let stop = &desk.broker.orders[&desk.broker.newest('S')].request;
    assert_ne!(
        stop.oca_group, desk.broker.orders[&target].request.oca_group,
        "a group's name is used once"
    );
}

#[test]
fn legs_without_a_position_are_taken_back_after_half_a_second() {
    let mut desk = long_one();
    fill_part(&mut desk, 'S', 1, 19_740);
    assert_eq!(desk.broker.working('T'), [1]);

    desk.pass(499);
    assert_eq!(desk.broker.working('T'), [1], "the broker may do it itself");
    desk.pass(1);

    assert_eq!(desk.broker.working('T'), Vec::<u32>::new());
}

#[test]
fn a_leftover_that_the_broker_calls_filled_is_not_taken_back() {
    let mut desk = long_one();
    desk.broker.faults.hide_state = true;
    let target = desk.broker.newest('T');
    desk.broker.orders.get_mut(&target).unwrap().state = BrokerOrderState::Filled;
    let told = desk.broker.report(&target);
    desk.tell(told);
    fill_part(&mut desk, 'S', 1, 19_740);
    desk.effects.clear();

    desk.pass(1_500);

    let asks_its_end = desk.effects.iter().any(|effect| {
        matches!(effect, scalper_core::effect::Effect::Intent { order_ref, .. } if *order_ref == target)
    });
    assert!(!asks_its_end);
}

#[test]
fn nothing_is_placed_while_the_link_is_down_or_the_broker_has_not_answered() {
    let mut desk = long_one();
    take_away(&mut desk, 'S');
    let before = desk.effects.len();
    desk.link_down();
    desk.pass(5_000);
    assert!(!places(&desk, before));

    desk.broker.faults.hide_state = true;
    desk.link_up();
    desk.pass(1_500);
    assert!(!places(&desk, before));

    desk.broker.faults.hide_state = false;
    desk.pass(30_000);
    assert_eq!(desk.broker.working('S'), [1]);
}

fn places(desk: &Desk, from: usize) -> bool {
    desk.effects[from..].iter().any(|effect| {
        matches!(
            effect,
            scalper_core::effect::Effect::Intent {
                action: scalper_core::effect::OrderAction::Place { .. },
                ..
            }
        )
    })
}

#[test]
fn while_the_brokers_position_is_another_nothing_is_protected_by_a_guess() {
    let mut desk = long_one();
    desk.broker.position = 3;
    desk.pass(70_000);
    assert_eq!(desk.posture(), Posture::Halted);
    take_away(&mut desk, 'S');
    let before = desk.effects.len();

    desk.pass(5_000);

    assert!(!places(&desk, before));
}

#[test]
fn an_entry_that_fills_in_part_gives_up_its_rest_after_a_second() {
    let mut desk = Desk::ready(three());
    desk.broker.hold(true);
    desk.sink();
    fill_part(&mut desk, 'E', 1, 19_900);

    desk.pass(999);
    assert_eq!(desk.broker.working('E'), [3]);
    desk.pass(1);

    assert_eq!(desk.broker.working('E'), Vec::<u32>::new());
    desk.pass(1_000);
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![1], vec![1])
    );
}

#[test]
fn while_a_leg_is_in_doubt_nothing_else_is_placed() {
    let mut desk = long_one();
    desk.broker.faults.swallow_cancels = true;
    desk.broker.faults.hide_state = true;
    let target = desk.broker.newest('T');
    desk.tell(Event::ChangeRefused {
        order_ref: target,
        code: 104,
        text: "no".into(),
    });
    take_away_quietly(&mut desk, 'S');
    let before = desk.effects.len();

    desk.pass(2_500);
    assert!(!places(&desk, before));

    desk.broker.faults.hide_state = false;
    desk.pass(5_000);
    assert_eq!(desk.broker.working('S'), [1]);
    let (accepted, _) = desk.command(Command::Pause { until_ms: None });
    assert!(accepted);
}

/// The broker ends an order although it answers no cancels of ours.
fn take_away_quietly(desk: &mut Desk, leg: char) {
    let order_ref = desk.broker.newest(leg);
    desk.broker.orders.get_mut(&order_ref).unwrap().state = BrokerOrderState::Cancelled;
    let told = desk.broker.report(&order_ref);
    desk.tell(told);
}
