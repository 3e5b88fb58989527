//! What the broker tells of orders, ours and others, and what follows from it at once.

use crate::support::*;
use scalper_core::effect::{Effect, Notice, NoticeClass};
use scalper_core::event::{BrokerOrder, BrokerOrderState, Command, Event};
use scalper_core::status::{Leg, OrderKind, Posture, Side};

fn long_one() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk.broker.hold(true);
    desk
}

/// A desk whose entry works at the broker, unfilled.
fn resting() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.broker.hold(true);
    desk.sink();
    assert_eq!(desk.entries(), 1);
    desk
}

fn state_of(desk: &Desk, order_ref: &str) -> Option<String> {
    let orders = desk.status().orders;
    orders
        .into_iter()
        .find(|order| order.order_ref == order_ref)
        .map(|order| order.state)
}

fn doubts(desk: &Desk) -> Vec<String> {
    let doubts = desk.effects.iter().filter_map(|effect| match effect {
        Effect::InDoubt { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    doubts.collect()
}

fn told_of(desk: &Desk, order_ref: &str) -> BrokerOrder {
    match desk.broker.report(order_ref) {
        Event::OrderReported { order } => order,
        _ => unreachable!(),
    }
}

/// An order that nobody of ours made.
fn foreign(state: BrokerOrderState, con_id: i64) -> BrokerOrder {
    BrokerOrder {
        order_ref: String::new(),
        order_id: -3,
        client_id: 0,
        perm_id: 77,
        con_id,
        side: Side::Sell,
        quantity: 5,
        filled: 2,
        kind: Some(OrderKind::Limit {
            limit_ticks: 30_000,
        }),
        state,
    }
}

#[test]
fn an_entry_whose_bytes_did_not_leave_is_over_and_said_so() {
    let mut desk = Desk::ready(settings());
    desk.linked = false;
    desk.sink();
    let refs: Vec<String> = desk
        .status()
        .orders
        .into_iter()
        .map(|order| order.order_ref)
        .collect();
    assert_eq!(refs.len(), 3);

    for order_ref in &refs {
        desk.tell(Event::NotSent {
            order_ref: order_ref.clone(),
            reason: "messages wait".into(),
        });
    }

    let controls = desk.controls();
    let count = controls
        .iter()
        .filter(|(control, _)| control == "msg_rate")
        .count();
    assert_eq!(count, 1, "the entry's, not its legs'");
    assert_eq!(desk.status().orders.len(), 0);
    desk.linked = true;
    desk.pass(700);
    desk.prices(&[19_800]);
    desk.pass(300);
    assert_eq!(desk.broker.placed.len(), 3, "the next signal may enter");
}

#[test]
fn a_leg_whose_bytes_did_not_leave_does_not_end_its_entry() {
    let mut desk = Desk::ready(settings());
    desk.linked = false;
    desk.sink();
    let stop = desk
        .status()
        .orders
        .into_iter()
        .find(|order| order.leg == Some(Leg::Stop))
        .unwrap();

    desk.tell(Event::NotSent {
        order_ref: stop.order_ref,
        reason: "messages wait".into(),
    });

    assert!(!desk.gate("open_order").open, "the entry may exist");
    assert!(!desk.controls().contains(&("msg_rate".to_owned(), true)));
}

#[test]
fn an_entry_that_the_broker_parks_for_good_is_over_with_its_legs() {
    let mut desk = resting();
    let entry = desk.broker.newest('E');
    desk.broker.orders.get_mut(&entry).unwrap().state = BrokerOrderState::Inactive;
    for leg in ['S', 'T'] {
        let leg = desk.broker.newest(leg);
        desk.broker.orders.get_mut(&leg).unwrap().state = BrokerOrderState::Cancelled;
    }
    let told = desk.broker.report(&entry);
    let before = looks(&desk);

    desk.tell(told);

    assert_eq!(desk.status().orders.len(), 0);
    desk.pass(999);
    assert_eq!(looks(&desk), before);
    desk.pass(1);
    assert_eq!(
        looks(&desk),
        before + 1,
        "that the legs are gone as well is the broker's to say"
    );
    assert!(desk.gate("open_order").open);
}

#[test]
fn an_order_that_is_called_filled_has_its_executions_asked_for_after_two_seconds() {
    let mut desk = long_one();
    desk.pass(1_000);
    let target = desk.broker.newest('T');
    desk.broker.faults.hide_state = true;
    desk.broker.orders.get_mut(&target).unwrap().state = BrokerOrderState::Filled;
    let told = desk.broker.report(&target);
    let before = looks(&desk);
    desk.tell(told);

    desk.pass(1_999);
    assert_eq!(looks(&desk), before);
    desk.pass(1);

    assert_eq!(looks(&desk), before + 1);
}

#[test]
fn a_foreign_order_in_our_contract_keeps_entries_out_at_once_and_until_it_ends() {
    for (state, con_id, open) in [
        (BrokerOrderState::Working, CON_ID, false),
        (BrokerOrderState::Held, CON_ID, false),
        (BrokerOrderState::Cancelled, CON_ID, true),
        (BrokerOrderState::Working, CON_ID + 1, true),
    ] {
        let mut desk = Desk::ready(settings());
        desk.broker.faults.hide_state = true;
        let before = looks(&desk);

        desk.tell(Event::OrderReported {
            order: foreign(state, con_id),
        });

        assert_eq!(desk.gate("foreign_orders").open, open, "{state:?} {con_id}");
        assert_eq!(looks(&desk) > before, !open, "all of them are asked for");
    }
}

#[test]
fn the_end_of_a_foreign_order_is_looked_at_and_lets_entries_in_again() {
    let mut desk = Desk::ready(settings());
    let working = foreign(BrokerOrderState::Working, CON_ID);
    desk.broker.doubles.push(working.clone());
    desk.tell(Event::OrderReported { order: working });
    desk.pass(1_000);
    assert!(!desk.gate("foreign_orders").open);

    desk.broker.doubles.clear();
    desk.tell(Event::OrderReported {
        order: foreign(BrokerOrderState::Cancelled, CON_ID),
    });
    desk.pass(1_000);

    assert!(desk.gate("foreign_orders").open);
}

#[test]
fn what_a_foreign_order_may_still_fill_is_counted_from_its_first_news() {
    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.allow_foreign = true;
        settings
    });
    desk.broker.faults.hide_state = true;

    desk.tell(Event::OrderReported {
        order: foreign(BrokerOrderState::Working, CON_ID),
    });

    assert_eq!(desk.gate("max_position").detail, "4 > 1 contracts");
}

#[test]
fn a_leg_that_was_changed_by_hand_to_less_risk_keeps_its_new_place() {
    // Long one from 19 900: stop 19 740, target 20 140. What is told, and where the two stand then.
    let stop = |stop_ticks| OrderKind::Stop { stop_ticks };
    let limit = |limit_ticks| OrderKind::Limit { limit_ticks };
    for (leg, kind, stands) in [
        ('S', stop(19_741), stop(19_741)),
        ('S', stop(19_740), stop(19_740)),
        ('S', stop(19_739), stop(19_740)),
        ('T', limit(20_000), limit(20_000)),
        ('T', limit(20_500), limit(20_500)),
    ] {
        let mut desk = long_one();
        let order_ref = desk.broker.newest(leg);
        desk.broker.orders.get_mut(&order_ref).unwrap().request.kind = kind;
        let told = desk.broker.report(&order_ref);

        desk.tell(told);
        desk.pass(3_000);

        assert_eq!(
            desk.broker.orders[&order_ref].request.kind, stands,
            "{leg} {kind:?}"
        );
    }
}

#[test]
fn a_short_positions_stop_is_nearer_below() {
    for (told, stands) in [(20_259, 20_259), (20_260, 20_260), (20_261, 20_260)] {
        let mut desk = Desk::ready(settings());
        desk.prices(&[20_100]);
        desk.pass(300);
        desk.broker.hold(true);
        let order_ref = desk.broker.newest('S');
        desk.broker.orders.get_mut(&order_ref).unwrap().request.kind =
            OrderKind::Stop { stop_ticks: told };
        let told = desk.broker.report(&order_ref);

        desk.tell(told);
        desk.pass(3_000);

        assert_eq!(
            desk.broker.orders[&order_ref].request.kind,
            OrderKind::Stop { stop_ticks: stands }
        );
    }
}

#[test]
fn more_contracts_by_hand_are_more_risk() {
    let mut desk = long_one();
    let stop = desk.broker.newest('S');
    desk.broker.orders.get_mut(&stop).unwrap().request.quantity = 2;
    let told = desk.broker.report(&stop);

    desk.tell(told);

    assert_eq!(desk.broker.orders[&stop].request.quantity, 1);
    assert!(
        anomalies(&desk)
            .last()
            .unwrap()
            .contains("to more risk; put back")
    );
}

#[test]
fn a_refusal_is_loud_where_it_is_an_exit_and_silent_where_its_entry_was_refused() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.refuse_entries = true;
    desk.sink();
    let told: Vec<(NoticeClass, bool)> = rejections(&desk);
    assert_eq!(
        told,
        [(NoticeClass::Trade, false)],
        "the entry alone, though its legs were refused with it"
    );

    let mut desk = long_one();
    desk.broker.faults.refuse_stops = true;
    let stop = desk.broker.newest('S');
    let gone = desk.broker.cancel(&stop);
    desk.tell_all(gone);
    desk.pass(1_000);
    assert_eq!(rejections(&desk)[0], (NoticeClass::Critical, true));
}

fn rejections(desk: &Desk) -> Vec<(NoticeClass, bool)> {
    let rejections = desk.effects.iter().filter_map(|effect| match effect {
        Effect::NoticeQueued {
            class,
            notice: Notice::OrderRejected { on_exit, .. },
            ..
        } => Some((*class, *on_exit)),
        _ => None,
    });
    rejections.collect()
}

#[test]
fn an_exits_refusal_is_told_although_an_entrys_was_a_moment_ago() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.refuse_entries = true;
    desk.sink();
    desk.broker.faults.refuse_entries = false;
    desk.warm_up();
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk.broker.hold(true);
    desk.broker.faults.refuse_exits = true;
    desk.pass(2_001);

    desk.command(Command::Flatten {});

    assert_eq!(
        rejections(&desk),
        [(NoticeClass::Trade, false), (NoticeClass::Critical, true)]
    );
}

/// A second order under the reference of our target, as the broker makes one of a change on a bad link.
fn second(desk: &Desk) -> BrokerOrder {
    let told = told_of(desk, &desk.broker.newest('T'));
    BrokerOrder {
        perm_id: told.perm_id + 5_000,
        order_id: told.order_id + 5_000,
        ..told
    }
}

#[test]
fn a_second_order_that_has_ended_or_is_ending_is_not_asked_to_end() {
    for state in [BrokerOrderState::Cancelled, BrokerOrderState::CancelPending] {
        let mut desk = long_one();
        let order = BrokerOrder {
            state,
            ..second(&desk)
        };
        desk.broker.doubles.push(order.clone());

        desk.tell(Event::OrderReported { order });
        desk.pass(3_000);

        assert_eq!(desk.broker.cancelled_ids, Vec::<i64>::new(), "{state:?}");
        assert_eq!(desk.posture(), Posture::Halted);
    }
}

#[test]
fn only_a_new_order_with_all_the_terms_of_a_change_takes_the_place_of_the_first() {
    // The change asks for one contract at 19 860, through the market.
    let limit = |limit_ticks| Some(OrderKind::Limit { limit_ticks });
    for (kind, quantity, is_known_before, is_meant) in [
        (limit(19_860), 1, false, true),
        (limit(19_861), 1, false, false),
        (limit(19_860), 2, false, false),
        (limit(19_860), 1, true, false),
    ] {
        let mut desk = long_one();
        let order = BrokerOrder {
            kind,
            quantity,
            ..second(&desk)
        };
        let first_id = told_of(&desk, &order.order_ref).order_id;
        if is_known_before {
            desk.tell(Event::OrderReported {
                order: order.clone(),
            });
            desk.broker.cancelled_ids.clear();
        }
        desk.broker.faults.swallow_modifies = true;
        desk.price(19_900);
        desk.command(Command::Flatten {});
        assert_eq!(
            desk.broker.modified.last().unwrap().kind,
            limit(19_860).unwrap()
        );

        desk.tell(Event::OrderReported {
            order: order.clone(),
        });

        let unwanted = match (is_meant, is_known_before) {
            (true, _) => vec![first_id],
            (false, false) => vec![order.order_id],
            (false, true) => vec![],
        };
        assert_eq!(
            desk.broker.cancelled_ids, unwanted,
            "{kind:?} {quantity} {is_known_before}"
        );
    }
}

#[test]
fn a_warning_is_noted_and_changes_nothing() {
    let mut desk = long_one();
    let stop = desk.broker.newest('S');

    desk.tell(Event::OrderWarned {
        order_ref: stop.clone(),
        code: 399,
        text: "held until the open".into(),
    });

    assert_eq!(state_of(&desk, &stop).as_deref(), Some("acked"));
    assert!(
        anomalies(&desk)
            .last()
            .unwrap()
            .ends_with("399 held until the open")
    );
}

#[test]
fn a_doubt_says_where_it_comes_from() {
    let mut desk = long_one();
    desk.broker.faults.hide_state = true;
    let stop = desk.broker.newest('S');
    desk.tell(Event::ChangeRefused {
        order_ref: stop,
        code: 104,
        text: "no".into(),
    });
    assert_eq!(doubts(&desk), ["the broker could not change it"]);

    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.sink();
    desk.link_down();
    assert_eq!(
        doubts(&desk),
        ["the link broke while it was on its way"; 3],
        "at once, not after a silence"
    );

    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.broker.faults.hide_state = true;
    desk.broker.hold(true);
    desk.sink();
    // Sent at the close's grace of 250 ms, 50 ms before.
    desk.pass(2_949);
    assert_eq!(doubts(&desk), Vec::<String>::new());
    desk.pass(1);
    assert_eq!(doubts(&desk), ["no answer within 3 s"; 3]);

    let mut desk = long_one();
    desk.broker.faults.swallow_cancels = true;
    desk.broker.faults.hide_state = true;
    desk.pass(2_001);
    let stop = desk.broker.newest('S');
    desk.tell(Event::OrderReported {
        order: BrokerOrder {
            state: BrokerOrderState::CancelPending,
            ..told_of(&desk, &stop)
        },
    });
    desk.tell(Event::OrderRefused {
        order_ref: stop,
        code: 201,
        text: "no".into(),
    });
    assert_eq!(doubts(&desk), ["the broker refused something about it"]);
}

#[test]
fn a_doubt_keeps_entries_out_until_its_answer() {
    let mut desk = long_one();
    desk.broker.faults.hide_state = true;
    let stop = desk.broker.newest('S');
    desk.tell(Event::ChangeRefused {
        order_ref: stop.clone(),
        code: 104,
        text: "no".into(),
    });
    assert!(!desk.gate("in_doubt").open);

    desk.broker.faults.hide_state = false;
    desk.pass(5_000);

    assert!(desk.gate("in_doubt").open);
    assert_eq!(state_of(&desk, &stop).as_deref(), Some("acked"));
}

#[test]
fn an_order_that_shows_up_after_its_end_is_taken_back() {
    let mut desk = resting();
    // The entry's bytes are lost: two clean looks bury it.
    let entry = desk.broker.newest('E');
    let refs: Vec<String> = desk.broker.orders.keys().cloned().collect();
    let held: Vec<_> = refs
        .iter()
        .map(|key| (key.clone(), desk.broker.orders.remove(key).unwrap()))
        .collect();
    desk.pass(130_000);
    assert_eq!(desk.status().orders.len(), 0);

    desk.broker.orders.extend(held);
    let told = desk.broker.report(&entry);
    desk.tell(told);
    desk.pass(61_000);

    assert_eq!(
        desk.broker.orders[&entry].state,
        BrokerOrderState::Cancelled
    );
    assert!(desk.controls().contains(&("orphan_order".to_owned(), true)));
}

#[test]
fn the_worst_case_adds_what_may_fill_on_each_side() {
    let mut desk = Desk::ready(three());
    desk.broker.hold(true);
    desk.sink();
    // Three bought and their legs waiting behind them.
    assert_eq!(desk.gate("max_position").detail, "3 ≤ 3 contracts");
    let entry = desk.broker.newest('E');
    let told = desk.broker.fill_part(&entry, 1, 19_900, desk.at_ms);
    desk.tell_all(told);
    assert_eq!(
        desk.gate("max_position").detail,
        "3 ≤ 3 contracts",
        "one held and two to come"
    );
    let (accepted, _) = desk.command(Command::Pause { until_ms: None });
    assert_eq!((accepted, desk.posture()), (true, Posture::Paused));
}
