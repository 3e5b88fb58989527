//! What one picture of everything at the broker is worth: what of it is believed at once, what is looked at twice and when,
//! what is nobody's business (reliability note, sections B and C).

use crate::support::*;
use scalper_core::effect::Notice;
use scalper_core::event::{
    BrokerFill, BrokerOrder, BrokerOrderState, BrokerPosition, Command, Event,
};
use scalper_core::status::{ExitReason, Leg, OrderKind, Posture, Side};

const HOUR_MS: i64 = 3_600_000;

/// A desk that is long one at 19 900, its bracket resting whatever the price.
fn long_one() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk.broker.hold(true);
    desk
}

fn fill(exec_id: &str, order_ref: &str, side: Side, quantity: i64) -> BrokerFill {
    BrokerFill {
        exec_id: exec_id.into(),
        order_ref: order_ref.into(),
        order_id: 9,
        perm_id: 9,
        con_id: CON_ID,
        side,
        quantity,
        price_ticks: 19_900,
        filled_at_ms: START_MS,
    }
}

fn foreign(order_ref: &str, con_id: i64, quantity: i64, filled: i64) -> BrokerOrder {
    BrokerOrder {
        order_ref: order_ref.into(),
        order_id: 7_000,
        client_id: 0,
        perm_id: 7_000,
        con_id,
        side: Side::Buy,
        quantity,
        filled,
        kind: Some(OrderKind::Limit {
            limit_ticks: 19_000,
        }),
        state: BrokerOrderState::Working,
    }
}

/// An execution that nobody knows makes the engine look at once.
fn look(desk: &mut Desk) {
    desk.tell(Event::Fill {
        fill: fill("unknown.01", "QS1-t3st-261124-yy-E", Side::Buy, 1),
    });
}

/// Each trip and end of a control, in order.
fn told(desk: &Desk, name: &str) -> Vec<bool> {
    let controls = desk.controls();
    controls
        .iter()
        .filter(|(control, _)| control == name)
        .map(|(_, tripped)| *tripped)
        .collect()
}

fn held(desk: &Desk) -> i64 {
    desk.status().position.map_or(0, |held| held.position)
}

fn state_of(desk: &Desk, leg: Leg) -> Option<String> {
    let orders = desk.status().orders;
    let order = orders.into_iter().find(|order| order.leg == Some(leg));
    order.map(|order| order.state)
}

fn pass_to(desk: &mut Desk, at_ms: i64) {
    desk.pass(at_ms - desk.at_ms);
}

#[test]
fn a_picture_that_nobody_asked_for_says_nothing() {
    let mut desk = Desk::ready(settings());

    desk.tell(Event::Reconciled {
        open_orders: vec![foreign("", CON_ID, 1, 0)],
        fills: vec![],
        positions: vec![],
        broker_at_ms: None,
    });

    assert!(desk.gate("foreign_orders").open);
    assert_eq!(anomalies(&desk).len(), 1);
}

#[test]
fn a_picture_that_news_have_overtaken_is_asked_for_again_after_half_a_second() {
    let mut desk = long_one();
    desk.broker.faults.slow = true;
    look(&mut desk);
    let before = looks(&desk);
    let stop = desk.broker.newest('S');
    let repeated = desk.broker.report(&stop);
    desk.tell(repeated);

    desk.deliver(1);
    desk.pass(499);
    assert_eq!(looks(&desk), before);
    desk.pass(1);

    assert_eq!(looks(&desk), before + 1);
}

#[test]
fn a_picture_counts_only_executions_of_our_contract_and_of_something() {
    for (con_id, quantity) in [(1, 1), (CON_ID, -1), (CON_ID, 0), (1, -1)] {
        let mut desk = long_one();
        let entry = desk.broker.newest('E');
        let mut strange = fill("x1.01", &entry, Side::Buy, quantity);
        strange.con_id = con_id;
        desk.broker.fills.push(strange);

        look(&mut desk);
        desk.pass(4_000);

        assert_eq!(held(&desk), 1, "{quantity} of {con_id}");
        assert_eq!(desk.posture(), Posture::Trading);
        assert_eq!(
            anomalies(&desk),
            Vec::<String>::new(),
            "what is known is no difference"
        );
    }
}

#[test]
fn f20_a_correction_to_nothing_is_found_in_a_picture() {
    let mut desk = long_one();
    let entry = desk.broker.newest('E');
    desk.broker.correct_last(&entry, 2, 0, 19_900);

    look(&mut desk);

    assert_eq!(held(&desk), 0);
}

#[test]
fn r2_r8_what_a_picture_adds_is_in_the_record_although_a_second_look_is_needed() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.sink();
    desk.broker.faults.mute = false;
    let entry = desk.broker.newest('E');
    look(&mut desk);
    assert_eq!(held(&desk), 1);
    assert!(anomalies(&desk).contains(&format!("bought 1 at 19900 t by {entry}")));

    let stop = desk.broker.newest('S');
    desk.broker.last_ticks = 19_740;
    // The target ends with it, which nothing tells: its absence is looked at twice.
    desk.broker.fill(&stop, desk.at_ms);
    desk.pass(1_000);
    look(&mut desk);
    desk.pass(4_000);

    assert_eq!(desk.trips()[0].reason, ExitReason::Stop);
    assert!(anomalies(&desk).contains(&format!("sold 1 at 19740 t by {stop}")));
    assert!(
        told(&desk, "adopted").is_empty(),
        "their orders have records"
    );
}

#[test]
fn r12_executions_of_one_order_without_a_record_are_adopted_together() {
    let mut desk = Desk::new(three());
    desk.broker.position = 3;
    for (exec_id, quantity) in [("x1.01", 2), ("x2.01", 1)] {
        let order_ref = "QS1-t3st-261124-zz-E";
        desk.broker
            .fills
            .push(fill(exec_id, order_ref, Side::Buy, quantity));
    }

    desk.link_up();
    desk.price(19_900);
    desk.pass(2_000);

    assert_eq!((held(&desk), desk.posture()), (3, Posture::Trading));
    assert_eq!(told(&desk, "adopted"), [true]);
    assert_eq!(desk.broker.working('S'), [3]);
}

#[test]
fn r16_r17_orders_in_other_contracts_are_nobodys_business() {
    for (con_id, is_ours) in [(CON_ID, true), (1, false)] {
        let mut desk = Desk::new(settings());
        desk.broker.doubles = vec![foreign("", con_id, 1, 0)];
        desk.link_up();
        assert_eq!(desk.gate("foreign_orders").open, !is_ours, "{con_id}");

        let mut desk = Desk::new(settings());
        desk.broker.doubles = vec![foreign("QS1-othr-261124-zz-T", con_id, 1, 0)];
        desk.link_up();
        assert_eq!(desk.posture() == Posture::Halted, is_ours, "{con_id}");
    }
}

#[test]
fn r17_what_a_foreign_order_may_still_fill_counts_and_no_more() {
    for (quantity, filled, detail) in [
        (5, 2, "4 > 1 contracts"),
        (5, 5, "1 ≤ 1 contracts"),
        (5, 6, "1 ≤ 1 contracts"),
    ] {
        let mut own = settings();
        own.allow_foreign = true;
        let mut desk = Desk::ready(own);
        desk.broker.doubles = vec![foreign("", CON_ID, quantity, filled)];

        look(&mut desk);

        assert_eq!(desk.gate("max_position").detail, detail, "{filled} filled");
    }
}

#[test]
fn r17_foreign_orders_are_told_when_they_come_and_when_they_are_gone() {
    let mut desk = Desk::ready(settings());
    let mut expected = vec![];
    for works in [false, true, true, false, false, true] {
        desk.broker.doubles = if works {
            vec![foreign("", CON_ID, 1, 0)]
        } else {
            vec![]
        };
        if expected.last().copied().unwrap_or(false) != works {
            expected.push(works);
        }

        look(&mut desk);
        desk.pass(1_000);

        assert_eq!(told(&desk, "foreign_orders"), expected, "{works}");
    }
    let notices = desk
        .notices()
        .into_iter()
        .filter(|notice| matches!(notice, Notice::Told { name, .. } if name == "foreign_orders"));
    assert_eq!(notices.count(), 2);
}

#[test]
fn an_order_that_came_into_doubt_after_the_question_is_found_by_its_answer() {
    let mut desk = long_one();
    desk.broker.faults.slow = true;
    look(&mut desk);
    desk.pass(10);
    let stop = desk.broker.newest('S');
    desk.tell(Event::ChangeRefused {
        order_ref: stop.clone(),
        code: 104,
        text: "no".into(),
    });
    assert_eq!(state_of(&desk, Leg::Stop).as_deref(), Some("in_doubt"));

    desk.deliver(1);

    assert_eq!(state_of(&desk, Leg::Stop).as_deref(), Some("acked"));
    desk.broker.faults.slow = false;
    desk.deliver(10);
    desk.pass(2_000);
    assert_eq!(desk.broker.working('S'), [1]);
}

#[test]
fn a_change_that_was_asked_for_after_the_question_is_not_settled_by_its_answer() {
    let mut desk = long_one();
    desk.broker.faults.slow = true;
    look(&mut desk);
    desk.pass(10);
    // A farther stop from outside is put back.
    let stop = desk.broker.newest('S');
    let mut edited = desk.broker.report(&stop);
    if let Event::OrderReported { order } = &mut edited {
        order.kind = Some(OrderKind::Stop { stop_ticks: 19_000 });
    }
    desk.tell(edited);
    assert_eq!(
        state_of(&desk, Leg::Stop).as_deref(),
        Some("modify_pending")
    );

    desk.deliver(1);
    assert_eq!(
        state_of(&desk, Leg::Stop).as_deref(),
        Some("modify_pending")
    );
    desk.deliver(10);

    assert_eq!(state_of(&desk, Leg::Stop).as_deref(), Some("acked"));
}

#[test]
fn only_an_order_that_was_in_doubt_is_told_to_exist() {
    let mut desk = long_one();
    look(&mut desk);
    desk.pass(1_000);
    desk.broker.faults.swallow_modifies = true;
    let stop = desk.broker.newest('S');
    let mut edited = desk.broker.report(&stop);
    if let Event::OrderReported { order } = &mut edited {
        order.kind = Some(OrderKind::Stop { stop_ticks: 19_000 });
    }
    desk.tell(edited);
    desk.pass(100);
    look(&mut desk);
    assert_eq!(state_of(&desk, Leg::Stop).as_deref(), Some("acked"));
    let exists = format!("order {stop} exists at the broker");
    assert!(!anomalies(&desk).contains(&exists));

    desk.pass(1_000);
    desk.tell(Event::ChangeRefused {
        order_ref: stop.clone(),
        code: 104,
        text: "no".into(),
    });
    desk.pass(1_000);

    assert!(anomalies(&desk).contains(&exists));
}

#[test]
fn r18_a_position_in_another_month_is_told_once_a_day_and_nothing_else_is() {
    for (con_id, symbol, position, is_told) in [
        (9, "MESH7", 1, true),
        (9, "MESH7", -2, true),
        (9, "MESH7", 0, false),
        (9, "ESH7", 1, false),
    ] {
        let mut desk = long_one();
        desk.broker.others = vec![BrokerPosition {
            con_id,
            local_symbol: symbol.into(),
            position,
            average_ticks_e2: None,
        }];

        look(&mut desk);
        desk.pass(1_000);

        assert_eq!(
            months_told(&desk),
            usize::from(is_told),
            "{position} of {symbol}"
        );
        assert_eq!(desk.posture(), Posture::Trading);
    }
    assert_eq!(months_told(&long_one()), 0, "our own is none");
}

#[test]
fn r18_other_notices_do_not_bring_it_again_before_a_day_is_over() {
    let mut desk = Desk::ready(settings());
    desk.broker.others = vec![BrokerPosition {
        con_id: 9,
        local_symbol: "MESH7".into(),
        position: 1,
        average_ticks_e2: None,
    }];
    look(&mut desk);
    let told_at_ms = desk.at_ms;
    // Data come and go: each is told, at most once in a minute.
    for hour in 1..24 {
        pass_to(&mut desk, told_at_ms + hour * HOUR_MS - 1_000);
        desk.price(20_000);
    }
    pass_to(&mut desk, told_at_ms + 24 * HOUR_MS - 1);
    assert_eq!(months_told(&desk), 1);

    desk.pass(61_000);
    assert_eq!(months_told(&desk), 2);
}

fn months_told(desk: &Desk) -> usize {
    let told = desk
        .notices()
        .into_iter()
        .filter(|notice| matches!(notice, Notice::Told { name, .. } if name == "other_month"));
    told.count()
}

/// A desk whose entry has left and never arrived; when it left.
fn swallowed() -> (Desk, i64) {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.swallow_places = true;
    desk.sink();
    let sent_at_ms = desk.status().orders[0].since_ms;
    (desk, sent_at_ms)
}

#[test]
fn r3_an_order_is_buried_by_two_looks_two_seconds_apart_once_its_answer_is_overdue() {
    let (mut desk, sent_at_ms) = swallowed();
    pass_to(&mut desk, sent_at_ms + 1_000);
    look(&mut desk);

    pass_to(&mut desk, sent_at_ms + 4_999);
    assert_eq!(state_of(&desk, Leg::Entry).as_deref(), Some("in_doubt"));
    desk.pass(1);

    assert_eq!(state_of(&desk, Leg::Entry), None);
}

#[test]
fn r3_a_look_in_between_buries_nothing() {
    let (mut desk, sent_at_ms) = swallowed();
    pass_to(&mut desk, sent_at_ms + 3_500);
    look(&mut desk);

    pass_to(&mut desk, sent_at_ms + 4_999);
    assert_eq!(state_of(&desk, Leg::Entry).as_deref(), Some("in_doubt"));
    pass_to(&mut desk, sent_at_ms + 5_500);

    assert_eq!(state_of(&desk, Leg::Entry), None);
}

#[test]
fn an_order_whose_end_was_asked_for_is_gone_after_two_looks_without_it() {
    let (mut desk, sent_at_ms) = swallowed();
    desk.broker.faults.swallow_cancels = true;
    pass_to(&mut desk, sent_at_ms + 500);
    desk.command(Command::Halt {
        reason: "test".into(),
    });
    assert_eq!(
        state_of(&desk, Leg::Entry).as_deref(),
        Some("cancel_pending")
    );
    pass_to(&mut desk, sent_at_ms + 600);
    look(&mut desk);

    pass_to(&mut desk, sent_at_ms + 2_600);
    assert_eq!(state_of(&desk, Leg::Entry), None);
}

#[test]
fn an_order_that_once_worked_is_gone_although_the_position_is_unexplained() {
    let mut desk = long_one();
    desk.broker.position = 3;
    let stop = desk.broker.newest('S');
    desk.broker.orders.get_mut(&stop).unwrap().state = BrokerOrderState::Cancelled;
    desk.tell(Event::ChangeRefused {
        order_ref: stop.clone(),
        code: 104,
        text: "no".into(),
    });

    desk.pass(8_000);

    assert_eq!(desk.posture(), Posture::Halted);
    let orders = desk.status().orders;
    assert!(orders.iter().all(|order| order.order_ref != stop));
    assert!(anomalies(&desk).contains(&format!("order {stop} is gone from the broker")));
}

#[test]
fn a_doubt_that_the_position_contradicts_is_looked_at_every_two_seconds() {
    let (mut desk, _) = swallowed();
    desk.broker.position = 2;
    desk.pass(20_000);
    let before = looks(&desk);

    desk.pass(10_000);

    assert_eq!(looks(&desk) - before, 5);
}

#[test]
fn d25_a_mismatch_is_told_once_while_it_stays_what_it_is() {
    let mut desk = long_one();
    desk.broker.position = 3;
    look(&mut desk);
    desk.pass(2_999);
    assert_eq!(desk.posture(), Posture::Trading);
    desk.pass(1);
    assert_eq!(told(&desk, "pos_mismatch"), [true]);

    desk.pass(300_000);
    assert_eq!(told(&desk, "pos_mismatch"), [true]);

    desk.broker.position = 2;
    desk.pass(64_000);
    assert_eq!(told(&desk, "pos_mismatch"), [true, true]);
    assert!(desk.status().questions[0].contains("the broker says 2, our fills say 1"));
}

#[test]
fn d25_a_flatten_that_found_a_mismatch_goes_on_within_three_seconds_of_its_end() {
    let mut desk = long_one();
    desk.broker.hold(false);
    desk.broker.position = 3;
    desk.command(Command::Flatten {});
    desk.pass(30_000);
    assert_eq!(
        (desk.broker.position, desk.posture()),
        (3, Posture::Flattening)
    );

    // Somebody closes by hand what was not ours.
    desk.broker.position = 1;
    desk.price(19_900);
    desk.pass(3_500);

    assert_eq!(desk.broker.position, 0);
}

#[test]
fn d25_a_late_execution_that_explains_a_mismatch_is_looked_at_at_once() {
    let mut desk = Desk::ready(three());
    desk.broker.hold(true);
    desk.sink();
    let entry = desk.broker.newest('E');
    let told_now = desk.broker.fill_part(&entry, 1, 19_900, desk.at_ms);
    desk.tell_all(told_now);
    let late = desk.broker.fill_part(&entry, 1, 19_900, desk.at_ms);
    let untold = desk.broker.fills.pop().unwrap();
    desk.broker.orders.get_mut(&entry).unwrap().state = BrokerOrderState::Cancelled;
    let cancelled = desk.broker.report(&entry);
    desk.tell(cancelled);
    look(&mut desk);
    desk.pass(10_000);
    assert_eq!(desk.status().questions.len(), 1);

    desk.broker.fills.push(untold);
    desk.tell_all(late);
    desk.pass(250);

    assert_eq!(desk.status().questions.len(), 0);
    assert_eq!(told(&desk, "pos_mismatch"), [true, false]);
}

#[test]
fn r14_a_person_adopts_what_is_more_than_ours_at_the_brokers_price() {
    for (brokers, average, signed) in [(3, 19_940.0, 3), (-1, 19_960.0, -1)] {
        let mut desk = long_one();
        desk.broker.position = brokers;
        desk.broker.last_ticks = 19_960;
        look(&mut desk);
        desk.pass(10_000);
        assert_eq!(desk.posture(), Posture::Halted);

        assert!(desk.command(Command::Adopt {}).0);

        let position = desk.status().position.unwrap();
        assert_eq!(
            (position.position, position.average_ticks),
            (signed, average)
        );
        assert_eq!(desk.status().questions.len(), 0);
    }
}

#[test]
fn r11_what_was_closed_elsewhere_is_booked_at_the_last_price_by_its_side() {
    for (close, side, gross_cents) in [
        (19_900, Side::Buy, 10 * 125),
        (20_100, Side::Sell, -10 * 125),
    ] {
        let mut desk = Desk::ready(settings());
        desk.prices(&[close]);
        desk.pass(300);
        desk.broker.hold(true);
        desk.price(close + 10);
        desk.broker.position = 0;
        look(&mut desk);
        desk.pass(3_250);

        let trips = desk.trips();
        assert_eq!(
            (trips[0].side, trips[0].reason, trips[0].gross_cents),
            (side, ExitReason::External, gross_cents)
        );
        assert_eq!(
            (desk.broker.working('S'), desk.broker.working('T')),
            (vec![], vec![]),
            "its legs are taken back at once"
        );
    }
}
