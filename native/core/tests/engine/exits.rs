//! Leaving (reliability note, B.3 to B.6): the target is turned into a limit through the market while the stop rests, is
//! priced anew, and ends at the market; without a target an order of its own does the same. Never two that could both close.

use crate::support::*;
use scalper_core::effect::{Effect, Notice, OrderAction};
use scalper_core::event::{BrokerOrderState, Command, Event, Span};
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

fn alarms(desk: &Desk) -> Vec<i64> {
    let alarms = desk
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::NotFlat { seconds, .. } => Some(*seconds),
            _ => None,
        });
    alarms.collect()
}

/// What was told of flat, as results since the flatten began.
fn told_flat(desk: &Desk) -> Vec<i64> {
    let flats = desk.effects.iter().filter_map(|effect| match effect {
        Effect::FlatConfirmed { net_cents } => Some(*net_cents),
        _ => None,
    });
    flats.collect()
}

fn whys(desk: &Desk) -> Vec<String> {
    let whys = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Intent {
            order_ref,
            action: OrderAction::Place { .. },
            why,
        } if order_ref.ends_with('X') => Some(why.clone()),
        _ => None,
    });
    whys.collect()
}

/// Brings z back inside the band, and stops at the moment at which the exit begins.
fn come_back(desk: &mut Desk) {
    desk.price(19_990);
    for _ in 0..2_000 {
        if !limits(desk).is_empty() {
            return;
        }
        desk.pass(1);
    }
    panic!("z is back and there is no exit");
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
    assert_eq!(
        whys(&desk),
        ["flatten: flatten, at the market: its limits did not fill"]
    );
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
    assert_eq!(
        whys(&desk),
        ["flatten: flatten, at the market: there is no fresh quote"]
    );

    stand(&mut desk, 30_000);
    assert_eq!(
        (limits(&desk), own_exits(&desk).len()),
        (vec![], 1),
        "it is left alone at the market"
    );
    assert_eq!(desk.broker.working('X'), [1]);
}

#[test]
fn a_quote_is_fresh_up_to_its_age() {
    for (age_ms, is_fresh) in [(1_999, true), (2_000, true), (2_001, false)] {
        let mut desk = long_one();
        desk.price(19_900);
        desk.pass(age_ms);

        desk.command(Command::Flatten {});

        assert_eq!(limits(&desk).len() == 1, is_fresh, "{age_ms} ms");
    }
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

    desk.pass(999);
    assert_eq!(
        desk.broker.working('S'),
        [3],
        "the rest may fill as well, and the broker ends the stop"
    );
    desk.pass(1);

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
fn an_exit_that_the_broker_ended_is_followed_by_another_only_after_a_look() {
    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.risk.target_cents = None;
        settings
    });
    desk.sink();
    desk.broker.hold(true);
    desk.price(19_990);
    desk.command(Command::Flatten {});
    assert_eq!(own_exits(&desk), [limit(19_950)]);
    stand(&mut desk, 1_000);
    let before = looks(&desk);
    let exit = desk.broker.newest('X');
    let told = desk.broker.cancel(&exit);
    desk.tell_all(told);

    stand(&mut desk, 6_000);

    assert_eq!(own_exits(&desk).len(), 2);
    assert!(
        looks(&desk) > before,
        "what it filled before its end may not be told yet"
    );
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

#[test]
fn an_exit_of_a_rule_that_takes_long_is_told_after_twenty_seconds_and_each_minute() {
    let mut desk = long_one();
    come_back(&mut desk);

    stand(&mut desk, 19_999);
    assert_eq!(alarms(&desk), Vec::<i64>::new());
    stand(&mut desk, 1);
    assert_eq!(alarms(&desk), [20]);
    stand(&mut desk, 59_999);
    assert_eq!(alarms(&desk).len(), 1);
    stand(&mut desk, 1);
    assert_eq!(alarms(&desk), [20, 80]);
}

#[test]
fn a_flatten_counts_from_its_first_word_and_takes_over_what_a_rule_began() {
    let mut desk = long_one();
    come_back(&mut desk);
    stand(&mut desk, 10_000);
    desk.command(Command::Flatten {});
    stand(&mut desk, 10_000);
    assert_eq!(alarms(&desk), Vec::<i64>::new(), "of the rule's exit");
    desk.command(Command::Flatten {});

    stand(&mut desk, 10_000);
    assert_eq!(alarms(&desk), [20], "of the first flatten");

    desk.broker.hold(false);
    stand(&mut desk, 3_000);
    assert_eq!(desk.trips()[0].reason, ExitReason::Flatten);
    assert_eq!(told_flat(&desk), [desk.trips()[0].gross_cents - 57]);
}

#[test]
fn a_loss_limit_during_a_flatten_ends_it_halted_and_keeps_its_reason() {
    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.risk.daily_loss_cents = 10_000;
        settings
    });
    desk.sink();
    desk.broker.hold(true);
    desk.command(Command::Flatten {});
    desk.price(19_819);
    desk.broker.hold(false);

    stand(&mut desk, 10_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Halted));
    assert_eq!(desk.trips()[0].reason, ExitReason::Flatten);
}

#[test]
fn a_flatten_while_halted_ends_halted_for_the_same_reason() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.command(Command::Halt {
        reason: "by hand".into(),
    });
    assert_eq!(desk.posture(), Posture::Halted);

    desk.command(Command::Flatten {});
    desk.pass(5_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Halted));
    assert!(
        desk.status().posture_reason.contains("by hand"),
        "{}",
        desk.status().posture_reason
    );
}

#[test]
fn a_flatten_while_trading_says_what_to_do_next() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.command(Command::Flatten {});
    desk.pass(5_000);

    assert_eq!(
        desk.status().posture_reason,
        "flattened; /resume when ready"
    );
}

#[test]
fn nothing_is_sent_before_the_broker_has_said_what_is_true() {
    let mut desk = long_one();
    desk.price(19_900);
    desk.link_down();
    desk.broker.faults.hide_state = true;
    desk.link_up();
    let before = (limits(&desk), own_exits(&desk), cancels(&desk));

    desk.command(Command::Flatten {});
    stand(&mut desk, 1_000);
    assert_eq!((limits(&desk), own_exits(&desk), cancels(&desk)), before);

    desk.broker.faults.hide_state = false;
    desk.broker.hold(false);
    stand(&mut desk, 30_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
}

#[test]
fn in_a_closed_market_the_stop_keeps_its_place_until_it_opens() {
    let mut desk = long_one();
    let mut closed = contract();
    closed.hours = vec![
        Span {
            from_ms: START_MS - 1,
            to_ms: desk.at_ms,
        },
        Span {
            from_ms: desk.at_ms + 300_000,
            to_ms: desk.at_ms + 900_000,
        },
    ];
    desk.tell(Event::ContractResolved { contract: closed });

    desk.command(Command::Flatten {});
    desk.pass(299_999);
    assert_eq!(
        (limits(&desk), own_exits(&desk), cancels(&desk)),
        (vec![], vec![], 0)
    );
    assert_eq!(desk.broker.working('S'), [1]);
    assert_eq!(
        in_the_way(&desk),
        "the market is closed; the exit runs when it opens"
    );

    desk.broker.hold(false);
    desk.pass(1);
    stand(&mut desk, 60_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
}

#[test]
fn while_flat_a_closed_market_keeps_nothing_from_being_confirmed() {
    let mut desk = Desk::ready(settings());
    let mut closed = contract();
    closed.hours = vec![Span {
        from_ms: START_MS - 1,
        to_ms: desk.at_ms,
    }];
    desk.tell(Event::ContractResolved { contract: closed });

    desk.command(Command::Flatten {});
    desk.pass(2_000);

    assert_eq!(told_flat(&desk), [0]);
}

#[test]
fn an_exit_that_is_refused_is_tried_again_after_five_seconds() {
    let mut desk = long_one();
    desk.broker.faults.refuse_exits = true;
    desk.pass(2_001);
    desk.command(Command::Flatten {});
    assert_eq!(own_exits(&desk).len(), 1);

    desk.pass(4_999);
    assert_eq!(own_exits(&desk).len(), 1);
    desk.pass(1);
    assert_eq!(own_exits(&desk).len(), 2);
    desk.broker.faults.refuse_exits = false;
    desk.broker.hold(false);
    desk.pass(10_000);

    assert_eq!(desk.broker.position, 0);
}

#[test]
fn a_limit_that_is_refused_is_followed_by_a_market_order() {
    let mut desk = long_one();
    desk.broker.faults.refuse_modifies = true;
    desk.broker.faults.refuse_exits = true;
    desk.price(19_990);
    desk.command(Command::Flatten {});
    stand(&mut desk, 1_000);
    assert_eq!(own_exits(&desk), [limit(19_950)]);

    desk.broker.faults.refuse_exits = false;
    desk.broker.hold(false);
    stand(&mut desk, 5_000);

    assert_eq!(own_exits(&desk)[1..], [OrderKind::Market {}]);
    assert_eq!(
        whys(&desk)[1],
        "flatten: flatten, at the market: its limit was refused"
    );
    assert_eq!(desk.broker.position, 0);
}

#[test]
fn an_exit_that_the_broker_calls_filled_is_not_touched_until_its_execution_is_told() {
    let mut desk = long_one();
    desk.price(19_990);
    desk.command(Command::Flatten {});
    let exit = desk.broker.newest_exit();
    desk.broker.orders.get_mut(&exit).unwrap().state = BrokerOrderState::Filled;
    let told = desk.broker.report(&exit);
    desk.broker.faults.hide_state = true;
    desk.tell(told);

    desk.price(19_960);
    stand(&mut desk, 7_000);

    assert_eq!(
        (limits(&desk).len(), own_exits(&desk), cancels(&desk)),
        (1, vec![], 0)
    );
}

#[test]
fn a_leg_that_the_broker_calls_filled_is_not_taken_back_although_we_are_flat() {
    let mut desk = long_one();
    desk.price(19_990);
    desk.command(Command::Flatten {});
    let (stop, exit) = (desk.broker.newest('S'), desk.broker.newest_exit());
    desk.broker.orders.get_mut(&exit).unwrap().state = BrokerOrderState::Filled;
    let told = desk.broker.report(&exit);
    desk.broker.faults.hide_state = true;
    desk.tell(told);
    let filled = desk.broker.fill_part(&stop, 1, 19_740, desk.at_ms);
    desk.tell_all(filled);

    stand(&mut desk, 1_500);

    assert_eq!(cancels(&desk), 0);
}

#[test]
fn an_order_of_its_own_is_taken_back_where_a_late_fill_of_the_stop_has_closed() {
    let mut desk = long_one();
    let stop = desk.broker.newest('S');
    desk.pass(2_001);
    desk.command(Command::Flatten {});
    assert_eq!(desk.broker.working('X'), [1]);

    let late = desk.broker.fill_part(&stop, 1, 19_740, desk.at_ms);
    desk.tell_all(late);
    desk.pass(499);
    assert_eq!(desk.broker.working('X'), [1], "the broker may do it itself");
    desk.pass(1);

    assert_eq!(desk.broker.working('X'), Vec::<u32>::new());
    desk.pass(3_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
}

#[test]
fn an_exit_of_a_rule_does_not_wait_for_a_look() {
    let mut desk = long_one();
    desk.broker.faults.hide_state = true;
    come_back(&mut desk);

    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.risk.daily_loss_cents = 10_000;
        settings
    });
    desk.sink();
    desk.broker.faults.hide_state = true;
    desk.price(19_819);
    assert_eq!(desk.broker.position, 0, "nor does the daily limit");
}

#[test]
fn flat_is_not_said_while_the_broker_says_otherwise() {
    for with_order in [true, false] {
        let mut desk = long_one();
        desk.broker.hold(false);
        let entry = desk.broker.newest('E');
        if with_order {
            // An order under our name that the broker goes on showing.
            let order = match desk.broker.report(&entry) {
                Event::OrderReported { order } => order,
                _ => unreachable!(),
            };
            desk.broker.doubles.push(scalper_core::event::BrokerOrder {
                state: BrokerOrderState::Working,
                kind: Some(limit(18_000)),
                ..order
            });
        }
        desk.command(Command::Flatten {});
        if !with_order {
            desk.broker.position = 1;
        }
        let before = looks(&desk);
        desk.pass(4_500);

        assert_eq!(told_flat(&desk), Vec::<i64>::new(), "{with_order}");
        let asked = looks(&desk) - before;
        assert!((2..=8).contains(&asked), "{asked} looks in 4.5 s");
    }
}

#[test]
fn an_exit_of_a_rule_says_nothing_of_flat() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.prices(&[19_990]);
    desk.pass(61_000);

    assert_eq!((desk.broker.position, desk.trips().len()), (0, 1));
    assert_eq!(told_flat(&desk), Vec::<i64>::new());
}

/// What the last alarm says is in the way.
fn in_the_way(desk: &Desk) -> String {
    let details = desk
        .notices()
        .into_iter()
        .rev()
        .find_map(|notice| match notice {
            Notice::NotFlat { detail, .. } => Some(detail.clone()),
            _ => None,
        });
    details.expect("an alarm")
}

#[test]
fn an_alarm_says_what_is_in_the_way() {
    let mut desk = long_one();
    desk.price(19_990);
    desk.command(Command::Flatten {});
    let exit = desk.broker.newest_exit();
    stand(&mut desk, 14_000);
    desk.broker.faults.swallow_cancels = true;
    stand(&mut desk, 6_000);
    assert!(
        in_the_way(&desk).starts_with("order QS1-"),
        "{}",
        in_the_way(&desk)
    );
    assert!(exit.ends_with('T'));

    let mut desk = long_one();
    desk.link_down();
    desk.command(Command::Flatten {});
    desk.pass(20_000);
    assert!(in_the_way(&desk).starts_with("the link to the broker is down"));

    desk.broker.faults.hide_state = true;
    desk.link_up();
    desk.pass(60_000);
    assert_eq!(in_the_way(&desk), "the broker is being asked what is true");
}
