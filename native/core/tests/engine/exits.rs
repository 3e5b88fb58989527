//! Leaving (reliability note, B.3 to B.6): the target is turned into a limit through the market while the stop rests, is
//! priced anew, and ends at the market; without a target an order of its own does the same. Never two that could both close.

use crate::support::*;
use scalper_core::effect::{Effect, OrderAction};
use scalper_core::event::{Command, Event};
use scalper_core::settings::EngineSettings;
use scalper_core::status::{ExitReason, OrderKind, Posture};

const COLLAR_TICKS: i32 = 40;

fn limit(limit_ticks: i32) -> OrderKind {
    OrderKind::Limit { limit_ticks }
}

/// A desk that is long one at 19 900, its orders resting from now on whatever the price.
fn long_one() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk.broker.hold(true);
    desk.broker.modified.clear();
    desk
}

fn three() -> EngineSettings {
    let mut settings = settings();
    settings.strategy.quantity = 3;
    settings.risk.max_position = 3;
    settings.risk.max_notional_cents = Some(60_000_000);
    settings.risk.daily_loss_cents = 1_000_000;
    settings
}

/// The limits that changes asked for, one by one.
fn limits(desk: &Desk) -> Vec<OrderKind> {
    let exits = desk
        .broker
        .modified
        .iter()
        .filter(|request| !request.order_ref.ends_with('S'));
    exits.map(|request| request.kind).collect()
}

fn own_exits(desk: &Desk) -> Vec<OrderKind> {
    let exits = desk
        .broker
        .placed
        .iter()
        .filter(|request| request.order_ref.ends_with('X'));
    exits.map(|request| request.kind).collect()
}

fn cancels(desk: &Desk) -> usize {
    let cancels = desk.effects.iter().filter(|effect| {
        matches!(
            effect,
            Effect::Intent {
                action: OrderAction::Cancel { .. },
                ..
            }
        )
    });
    cancels.count()
}

/// Quotes at the last price, every second: the market stands, its data is fresh.
fn stand(desk: &mut Desk, ms: i64) {
    let ticks = desk.broker.last_ticks;
    let mut left_ms = ms;
    while left_ms > 0 {
        let step_ms = left_ms.min(1_000);
        desk.pass(step_ms);
        desk.price(ticks);
        left_ms -= step_ms;
    }
}

#[test]
fn an_exit_turns_the_target_through_the_market_and_the_stop_rests_until_it_fills() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.broker.modified.clear();
    let target = desk.broker.newest('T');

    desk.prices(&[19_990]);

    assert_eq!(limits(&desk), [limit(19_990 - COLLAR_TICKS)]);
    assert_eq!(desk.broker.modified[0].order_ref, target);
    assert_eq!(
        (cancels(&desk), own_exits(&desk)),
        (0, vec![]),
        "the broker cancels the stop"
    );
    let trips = desk.trips();
    assert_eq!(
        (trips.len(), trips[0].reason, trips[0].exit_price_ticks),
        (1, ExitReason::Zexit, 19_990.0)
    );
    assert_eq!((desk.broker.position, desk.status().orders.len()), (0, 0));
}

#[test]
fn the_limit_stands_as_far_from_the_middle_as_the_collar_allows() {
    // Bid and ask, the limit of a long position's exit and of a short one's.
    for (bid, ask, sells, buys) in [
        (19_990, 19_991, 19_950, 20_031),
        (19_990, 19_992, 19_951, 20_031),
        (19_989, 19_990, 19_949, 20_030),
    ] {
        for (is_long, expected) in [(true, sells), (false, buys)] {
            let mut desk = Desk::ready(settings());
            if is_long {
                desk.sink();
            } else {
                desk.prices(&[20_100]);
                desk.pass(300);
            }
            assert_eq!(desk.broker.position, if is_long { 1 } else { -1 });
            desk.broker.hold(true);
            desk.broker.modified.clear();
            desk.tell(Event::Quote {
                exchange_at_ms: desk.at_ms,
                bid_ticks: Some(bid),
                ask_ticks: Some(ask),
                bid_size: 5,
                ask_size: 5,
            });

            desk.command(Command::Flatten {});

            assert_eq!(limits(&desk), [limit(expected)], "{bid}/{ask}");
        }
    }
}

#[test]
fn what_does_not_fill_is_priced_anew_twice_and_then_goes_to_the_market() {
    let mut desk = long_one();
    desk.price(19_990);
    desk.command(Command::Flatten {});
    assert_eq!(limits(&desk), [limit(19_950)]);

    desk.price(19_980);
    stand(&mut desk, 4_999);
    assert_eq!(limits(&desk).len(), 1, "not before five seconds");
    stand(&mut desk, 1);
    assert_eq!(limits(&desk)[1..], [limit(19_940)]);
    desk.price(19_970);
    stand(&mut desk, 5_000);
    assert_eq!(limits(&desk)[2..], [limit(19_930)]);
    assert_eq!(desk.broker.working('S'), [1], "protected all the while");
    stand(&mut desk, 4_999);
    assert_eq!((cancels(&desk), own_exits(&desk)), (0, vec![]));

    desk.broker.hold(false);
    stand(&mut desk, 1);
    stand(&mut desk, 3_000);

    assert_eq!(own_exits(&desk), [OrderKind::Market {}]);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
    assert_eq!(
        (desk.broker.worst_position, desk.broker.opened_by_legs),
        (1, 0)
    );
}

#[test]
fn a_market_that_has_not_moved_is_no_reason_for_the_same_limit_again() {
    let mut desk = long_one();
    desk.price(19_990);
    desk.command(Command::Flatten {});

    stand(&mut desk, 12_000);

    assert_eq!(limits(&desk), [limit(19_950)]);
    assert_eq!(desk.broker.working('S'), [1]);
    stand(&mut desk, 4_000);
    assert_eq!(own_exits(&desk), [OrderKind::Market {}]);
}

#[test]
fn without_a_fresh_quote_the_exit_is_a_market_order_and_says_so() {
    let mut desk = long_one();
    desk.pass(2_001);

    desk.command(Command::Flatten {});

    assert_eq!(limits(&desk), []);
    assert_eq!(own_exits(&desk), [OrderKind::Market {}]);
    let says_so = desk.effects.iter().any(|effect| {
        matches!(effect, Effect::Intent { why, .. } if why.contains("at the market: there is no fresh quote"))
    });
    assert!(says_so);
}

#[test]
fn without_a_target_an_order_of_its_own_does_the_same() {
    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.risk.target_cents = None;
        settings
    });
    desk.sink();
    desk.broker.hold(true);
    desk.broker.modified.clear();
    desk.price(19_990);

    desk.command(Command::Flatten {});
    assert_eq!(own_exits(&desk), [limit(19_950)]);
    assert_eq!(desk.broker.working('S'), Vec::<u32>::new());
    desk.price(19_985);
    stand(&mut desk, 10_000);
    assert_eq!(limits(&desk), [limit(19_945)]);
    stand(&mut desk, 5_000);
    assert_eq!(own_exits(&desk)[1..], [OrderKind::Market {}]);
    desk.broker.hold(false);
    stand(&mut desk, 1_000);

    assert_eq!(desk.broker.position, 0);
    assert_eq!(desk.trips()[0].reason, ExitReason::Flatten);
}

#[test]
fn a_change_that_the_broker_refuses_leads_to_an_order_of_its_own() {
    let mut desk = long_one();
    desk.broker.faults.refuse_modifies = true;
    desk.price(19_990);

    desk.command(Command::Flatten {});
    desk.pass(1_000);

    assert_eq!(limits(&desk), [limit(19_950)], "asked for once");
    assert_eq!(own_exits(&desk), [limit(19_950)]);
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![], vec![])
    );
}

#[test]
fn a_change_without_an_answer_is_looked_for_before_anything_else_is_sent() {
    let mut desk = long_one();
    desk.broker.faults.swallow_modifies = true;
    desk.price(19_990);

    desk.command(Command::Flatten {});
    stand(&mut desk, 2_999);
    assert_eq!((cancels(&desk), own_exits(&desk)), (0, vec![]));
    stand(&mut desk, 1_000);

    assert_eq!(own_exits(&desk), [limit(19_950)]);
    desk.broker.hold(false);
    stand(&mut desk, 2_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
    assert_eq!(desk.broker.opened_by_legs, 0);
}

#[test]
fn a_stop_that_fills_while_the_target_is_turned_closes_once() {
    let mut desk = long_one();
    desk.broker.faults.slow = true;
    desk.command(Command::Flatten {});
    let stop = desk.broker.newest('S');
    desk.broker.faults.slow = false;
    let filled = desk.broker.fill(&stop, desk.at_ms);
    desk.deliver(100);
    desk.tell_all(filled);
    desk.broker.hold(false);

    desk.pass(5_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
    assert_eq!(
        (desk.broker.opened_by_legs, desk.trips()[0].reason),
        (0, ExitReason::Stop)
    );
    assert_eq!(own_exits(&desk), []);
}

#[test]
fn what_an_entry_may_still_fill_is_waited_for_with_the_stop_in_place() {
    let mut desk = Desk::ready(three());
    desk.broker.hold(true);
    desk.sink();
    let entry = desk.broker.newest('E');
    let told = desk.broker.fill_part(&entry, 2, 19_900, desk.at_ms);
    desk.tell_all(told);
    desk.broker.faults.swallow_cancels = true;
    desk.price(19_990);

    desk.command(Command::Flatten {});
    assert_eq!((limits(&desk), own_exits(&desk)), (vec![], vec![]));
    assert_eq!(desk.broker.working('S'), [3]);
    desk.broker.faults.swallow_cancels = false;
    let told = desk.broker.cancel(&entry);
    desk.tell_all(told);
    stand(&mut desk, 1_000);

    let sizes: Vec<_> = desk
        .broker
        .modified
        .iter()
        .map(|request| (request.kind, request.quantity))
        .collect();
    assert!(
        sizes.contains(&(limit(19_950), 2)),
        "exactly what is held: {sizes:?}"
    );
}

#[test]
fn the_stop_follows_what_an_exit_in_parts_has_left() {
    let mut desk = Desk::ready(three());
    desk.sink();
    desk.broker.hold(true);
    desk.command(Command::Flatten {});
    let exit = desk.broker.newest_exit();
    let told = desk.broker.fill_part(&exit, 2, 19_900, desk.at_ms);
    desk.tell_all(told);

    stand(&mut desk, 1_500);

    assert_eq!(desk.broker.working('S'), [1]);
}

#[test]
fn a_persons_flatten_looks_first_and_the_bracket_rests_meanwhile() {
    let mut desk = long_one();
    desk.broker.faults.hide_state = true;
    desk.price(19_900);
    desk.command(Command::Flatten {});
    stand(&mut desk, 1_000);
    assert_eq!((limits(&desk), own_exits(&desk)), (vec![], vec![]));
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![1], vec![1])
    );

    desk.broker.faults.hide_state = false;
    desk.broker.hold(false);
    stand(&mut desk, 5_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
}

#[test]
fn a_persons_flatten_without_a_quote_looks_first_as_well() {
    let mut desk = long_one();
    desk.broker.faults.hide_state = true;
    desk.pass(2_001);

    desk.command(Command::Flatten {});
    desk.pass(3_000);

    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![1], vec![1])
    );
    desk.broker.faults.hide_state = false;
    desk.broker.hold(false);
    desk.pass(10_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
}

#[test]
fn a_bracket_of_a_position_that_a_correction_has_turned_round_is_taken_back() {
    let mut desk = Desk::ready(three());
    desk.sink();
    let entry = desk.broker.newest('E');
    let mut told = desk.broker.correct_last(&entry, 2, 3, 19_900);
    if let Event::Fill { fill } = &mut told {
        fill.side = fill.side.opposite();
    }
    desk.broker.position = -3;
    desk.broker.modified.clear();

    desk.tell(told);
    desk.pass(3_000);

    assert_eq!(desk.broker.position, -3, "no leg may add to it");
    let sides: Vec<_> = desk
        .broker
        .orders
        .values()
        .filter(|held| held.state == scalper_core::event::BrokerOrderState::Working)
        .map(|held| held.request.side)
        .collect();
    assert_eq!(
        sides,
        [scalper_core::status::Side::Buy; 2],
        "a stop and a target of its own"
    );
}
