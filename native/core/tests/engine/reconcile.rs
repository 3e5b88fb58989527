//! The rows of the reliability note, section C: what the journal says, what the broker says, what is done.

use crate::support::*;
use scalper_core::effect::{Effect, Notice, OrderRequest};
use scalper_core::event::{BrokerFill, BrokerOrderState, Command, Event};
use scalper_core::status::{ExitReason, Leg, OrderKind, Posture, Side, Tif};

/// Returns a desk that is long one with its bracket, the link down.
fn cut_off() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk.link_down();
    desk
}

fn reconnect(desk: &mut Desk) {
    desk.link_up();
    desk.price(desk.broker.last_ticks);
    desk.pass(8_000);
}

fn stop_ref(desk: &Desk) -> String {
    let mut refs = desk
        .broker
        .orders
        .keys()
        .filter(|order_ref| order_ref.ends_with('S'));
    refs.next_back().expect("a stop").clone()
}

fn stops(desk: &Desk) -> Vec<i32> {
    let working = desk
        .broker
        .orders
        .values()
        .filter(|held| held.state == BrokerOrderState::Working);
    working
        .filter_map(|held| match held.request.kind {
            OrderKind::Stop { stop_ticks } => Some(stop_ticks),
            OrderKind::Market {} | OrderKind::Limit { .. } => None,
        })
        .collect()
}

fn foreign(order_ref: &str) -> Held {
    let request = OrderRequest {
        order_ref: order_ref.to_owned(),
        side: Side::Sell,
        quantity: 1,
        kind: OrderKind::Limit {
            limit_ticks: 30_000,
        },
        tif: Tif::Gtc,
        parent_ref: None,
        oca_group: None,
        outside_rth: true,
    };
    Held {
        request,
        order_id: 5_000,
        state: BrokerOrderState::Working,
        filled: 0,
        is_new: false,
    }
}

fn fill(order_ref: &str, side: Side, price_ticks: i32) -> BrokerFill {
    BrokerFill {
        exec_id: "x9.01".into(),
        order_ref: order_ref.into(),
        order_id: 9,
        perm_id: 9,
        con_id: CON_ID,
        side,
        quantity: 1,
        price_ticks,
        filled_at_ms: START_MS,
    }
}

#[test]
fn r1_an_order_on_its_way_that_works_is_adopted() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.broker.faults.hold_market = true;
    desk.sink();
    desk.broker.faults.mute = false;
    desk.link_down();

    reconnect(&mut desk);

    let states: Vec<_> = desk
        .status()
        .orders
        .into_iter()
        .map(|order| order.state)
        .collect();
    assert_eq!((states, desk.entries()), (vec!["acked".to_owned(); 3], 1));
}

#[test]
fn r2_an_order_on_its_way_that_filled_is_counted_once() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.sink();
    desk.broker.faults.mute = false;
    desk.link_down();

    reconnect(&mut desk);

    assert_eq!(desk.status().position.map(|held| held.position), Some(1));
    assert_eq!((stops(&desk), desk.entries()), (vec![19_740], 1));
}

#[test]
fn r4_a_position_that_exactly_one_order_explains_is_taken_for_its_fill() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.sink();
    desk.broker.faults.mute = false;
    desk.broker.forget_fills();
    desk.link_down();

    reconnect(&mut desk);

    assert_eq!(desk.status().position.map(|held| held.position), Some(1));
    assert!(
        desk.controls()
            .contains(&("synthetic_fill".to_owned(), true))
    );
    assert_eq!(stops(&desk).len(), 1);
}

#[test]
fn r5_a_bracket_that_still_stands_goes_on() {
    let mut desk = cut_off();

    reconnect(&mut desk);

    assert_eq!((stops(&desk), desk.broker.placed.len()), (vec![19_740], 3));
    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn r6_a_nearer_stop_is_taken_over_and_a_farther_one_is_put_back() {
    for (edited, expected) in [(19_800, 19_800), (19_700, 19_740)] {
        let mut desk = cut_off();
        let order_ref = stop_ref(&desk);
        desk.broker.orders.get_mut(&order_ref).unwrap().request.kind =
            OrderKind::Stop { stop_ticks: edited };

        reconnect(&mut desk);

        assert_eq!(stops(&desk), vec![expected], "{edited}");
    }
}

#[test]
fn r7_r9_a_stop_that_is_gone_is_placed_anew_at_its_original_price() {
    let mut desk = cut_off();
    let order_ref = stop_ref(&desk);
    desk.broker.orders.get_mut(&order_ref).unwrap().state = BrokerOrderState::Cancelled;

    reconnect(&mut desk);

    assert_eq!((stops(&desk), desk.broker.position), (vec![19_740], 1));
    assert!(desk.controls().contains(&("unprotected".to_owned(), true)));
}

#[test]
fn r9_a_missing_stop_that_the_price_has_passed_closes_the_position() {
    let mut desk = cut_off();
    let order_ref = stop_ref(&desk);
    desk.broker.orders.get_mut(&order_ref).unwrap().state = BrokerOrderState::Cancelled;
    desk.broker.last_ticks = 19_700;

    reconnect(&mut desk);

    assert_eq!(desk.broker.position, 0);
}

#[test]
fn r8_r10_a_stop_that_filled_in_the_gap_is_counted_with_its_result() {
    let mut desk = cut_off();
    let order_ref = stop_ref(&desk);
    desk.broker.last_ticks = 19_740;
    desk.broker.fill(&order_ref, START_MS + 1);

    reconnect(&mut desk);

    let trips = desk.trips();
    assert_eq!(
        (trips.len(), trips[0].reason, trips[0].gross_cents),
        (1, ExitReason::Stop, -20_000)
    );
    assert_eq!(desk.broker.worst_position, 1);
}

#[test]
fn r11_a_position_closed_by_somebody_else_is_booked_as_an_estimate_and_halts() {
    let mut desk = cut_off();
    desk.broker.position = 0;

    reconnect(&mut desk);

    assert_eq!(
        (desk.trips()[0].reason, desk.posture()),
        (ExitReason::External, Posture::Halted)
    );
    assert!(stops(&desk).is_empty(), "its legs are taken back");
    assert_eq!(desk.broker.opened_by_legs, 0);
}

#[test]
fn r12_fills_of_our_own_references_without_a_record_are_adopted_and_protected() {
    let mut desk = Desk::new(settings());
    desk.broker.position = 1;
    desk.broker
        .fills
        .push(fill("QS1-t3st-261124-zz-E", Side::Buy, 20_000));

    reconnect(&mut desk);

    assert_eq!(desk.status().position.map(|held| held.position), Some(1));
    assert_eq!(
        (stops(&desk), desk.posture()),
        (vec![19_840], Posture::Trading)
    );
}

#[test]
fn r13_a_position_that_nothing_explains_halts_and_is_not_touched() {
    let mut desk = Desk::new(settings());
    desk.broker.position = 1;

    reconnect(&mut desk);
    desk.sink();

    assert_eq!(
        (
            desk.posture(),
            desk.broker.placed.len(),
            desk.broker.position
        ),
        (Posture::Halted, 0, 1)
    );
    assert_eq!(desk.status().questions.len(), 1);
    assert!(desk.notices().iter().any(|notice| matches!(
        notice,
        Notice::PositionMismatch {
            ours: 0,
            brokers: 1,
            ..
        }
    )));
}

#[test]
fn r13_a_person_may_adopt_it_and_then_it_has_a_stop() {
    let mut desk = Desk::new(settings());
    desk.broker.position = 1;
    reconnect(&mut desk);

    let (accepted, _) = desk.command(Command::Adopt {});
    desk.pass(2_000);

    assert!(accepted);
    assert_eq!(
        (stops(&desk), desk.posture()),
        (vec![19_840], Posture::Halted)
    );
    assert!(desk.command(Command::Arm {}).0);
}

#[test]
fn r13_a_person_may_flatten_it() {
    let mut desk = Desk::new(settings());
    desk.broker.position = 1;
    reconnect(&mut desk);

    desk.command(Command::Flatten {});
    desk.pass(5_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Halted));
}

#[test]
fn r14_another_size_halts_and_keeps_the_stop() {
    let mut desk = cut_off();
    desk.broker.position = 3;

    reconnect(&mut desk);

    assert_eq!(
        (desk.posture(), stops(&desk).len(), desk.broker.position),
        (Posture::Halted, 1, 3)
    );
}

#[test]
fn r15_an_open_order_of_ours_without_a_record_is_taken_back() {
    let mut desk = Desk::new(settings());
    let order_ref = "QS1-t3st-261124-zz-T";
    desk.broker
        .orders
        .insert(order_ref.into(), foreign(order_ref));

    reconnect(&mut desk);

    assert_eq!(
        desk.broker.orders[order_ref].state,
        BrokerOrderState::Cancelled
    );
    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn r16_an_order_of_another_instance_halts_and_is_not_touched() {
    let mut desk = Desk::new(settings());
    let order_ref = "QS1-othr-261124-zz-T";
    desk.broker
        .orders
        .insert(order_ref.into(), foreign(order_ref));

    reconnect(&mut desk);

    assert_eq!(
        (desk.posture(), desk.broker.orders[order_ref].state),
        (Posture::Halted, BrokerOrderState::Working)
    );
}

#[test]
fn r17_a_foreign_order_blocks_entries_while_it_exists_and_is_not_touched() {
    let mut desk = Desk::ready(settings());
    desk.broker.orders.insert("by hand".into(), foreign(""));
    desk.pass(61_000);
    desk.warm_up();

    desk.sink();
    assert_eq!(
        (desk.entries(), desk.blocked().as_deref()),
        (0, Some("foreign_orders"))
    );

    desk.broker.orders.remove("by hand");
    desk.pass(61_000);
    desk.warm_up();
    desk.sink();
    assert_eq!(desk.entries(), 1);
}

#[test]
fn r25_a_halt_stays_and_still_protects() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.command(Command::Halt {
        reason: "test".into(),
    });
    desk.link_down();
    let order_ref = stop_ref(&desk);
    desk.broker.orders.get_mut(&order_ref).unwrap().state = BrokerOrderState::Cancelled;

    reconnect(&mut desk);

    assert_eq!(
        (desk.posture(), stops(&desk)),
        (Posture::Halted, vec![19_740])
    );
    let legs: Vec<_> = desk
        .status()
        .orders
        .iter()
        .filter_map(|order| order.leg)
        .collect();
    assert!(legs.contains(&Leg::Stop) && legs.contains(&Leg::Target));
}

#[test]
fn r14_legs_larger_than_the_brokers_position_are_made_smaller() {
    let mut three = settings();
    three.strategy.quantity = 3;
    three.risk.max_position = 3;
    three.risk.max_notional_cents = Some(60_000_000);
    let mut desk = Desk::ready(three);
    desk.sink();
    desk.link_down();
    desk.broker.position = 1;

    reconnect(&mut desk);

    assert_eq!(desk.posture(), Posture::Halted);
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![1], vec![1])
    );
    assert_eq!(desk.broker.position, 1, "the position is not touched");
}

#[test]
fn r14_legs_that_could_only_open_a_position_are_taken_back() {
    let mut desk = cut_off();
    desk.broker.position = -1;

    reconnect(&mut desk);

    assert_eq!(desk.posture(), Posture::Halted);
    assert_eq!(
        (desk.broker.working('S'), desk.broker.working('T')),
        (vec![], vec![])
    );
    assert_eq!(desk.broker.position, -1);
}

#[test]
fn r19_a_second_order_of_one_reference_is_taken_back_and_halts() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    let stop = desk.broker.newest('S');
    let Event::OrderReported { order } = desk.broker.report(&stop) else {
        panic!("a report")
    };
    let kept_id = order.order_id;
    let mut second = order;
    second.perm_id += 5_000;
    second.order_id += 5_000;

    desk.tell(Event::OrderReported {
        order: second.clone(),
    });
    assert_eq!(desk.broker.cancelled_ids, [kept_id + 5_000]);
    assert_eq!(desk.posture(), Posture::Halted);
    desk.tell(Event::OrderReported {
        order: second.clone(),
    });
    assert_eq!(desk.broker.cancelled_ids.len(), 1, "asked once");

    second.state = BrokerOrderState::Cancelled;
    desk.tell(Event::OrderReported { order: second });
    desk.pass(3_000);
    let states: Vec<_> = desk
        .status()
        .orders
        .into_iter()
        .map(|order| order.state)
        .collect();
    assert_eq!(states, ["acked", "acked"], "the one that was meant stands");
}

#[test]
fn r19_a_change_that_became_a_second_order_takes_the_place_of_the_first() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    let stop = desk.broker.newest('S');
    let Event::OrderReported { order } = desk.broker.report(&stop) else {
        panic!("a report")
    };
    // A farther stop from outside is put back; the broker makes a second order of it.
    let mut edited = order.clone();
    edited.kind = Some(OrderKind::Stop { stop_ticks: 19_000 });
    desk.broker.faults.mute = true;
    desk.broker.faults.slow = true;
    desk.tell(Event::OrderReported { order: edited });
    let mut second = order.clone();
    second.perm_id += 5_000;
    second.order_id += 5_000;

    desk.tell(Event::OrderReported { order: second });

    assert_eq!(desk.broker.cancelled_ids, [order.order_id]);
    let mut first = order;
    first.state = BrokerOrderState::Cancelled;
    desk.tell(Event::OrderReported { order: first });
    let stops = desk
        .status()
        .orders
        .into_iter()
        .filter(|order| order.leg == Some(Leg::Stop))
        .map(|order| order.state);
    assert_eq!(stops.collect::<Vec<_>>(), ["acked"]);
}

#[test]
fn r19_a_picture_that_still_shows_the_second_order_asks_for_its_end_again() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    let stop = desk.broker.newest('S');
    let Event::OrderReported { order } = desk.broker.report(&stop) else {
        panic!("a report")
    };
    let mut second = order;
    second.perm_id += 5_000;
    second.order_id += 5_000;
    desk.tell(Event::OrderReported {
        order: second.clone(),
    });
    desk.broker.doubles = vec![second];

    desk.pass(2_000);

    assert!(desk.broker.cancelled_ids.len() >= 2);
    assert_eq!(stops(&desk), vec![19_740]);
}

#[test]
fn an_order_in_doubt_that_three_looks_could_not_settle_halts() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.broker.faults.hide_state = true;
    desk.sink();

    desk.pass(5_000);
    assert_eq!(desk.posture(), Posture::Trading, "two looks have failed");
    desk.pass(2_000);

    assert_eq!(desk.posture(), Posture::Halted);
    assert!(desk.controls().contains(&("in_doubt".to_owned(), true)));
    assert!(!desk.command(Command::Arm {}).0, "the doubt persists");
    assert_eq!(desk.entries(), 1, "nothing is sent again");

    desk.broker.faults.mute = false;
    desk.broker.faults.hide_state = false;
    desk.pass(10_000);
    assert_eq!(desk.status().position.map(|held| held.position), Some(1));
    assert!(desk.command(Command::Arm {}).0);
}

#[test]
fn r21_a_broker_that_does_not_say_what_is_true_three_times_loses_its_connection() {
    let mut desk = Desk::new(settings());
    desk.broker.faults.hide_state = true;
    let drops = |desk: &Desk| {
        let dropped = desk
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::DropLink { .. }));
        dropped.count()
    };
    desk.link_up();

    desk.pass(2_999);
    assert_eq!((drops(&desk), desk.status().reconciled), (0, false));
    desk.pass(1);
    assert_eq!(drops(&desk), 1);
    assert!(desk.controls().contains(&("sync_failed".to_owned(), true)));

    // A new connection begins to count anew.
    desk.link_down();
    desk.link_up();
    desk.pass(2_999);
    assert_eq!(drops(&desk), 1);
}

#[test]
fn an_order_whose_absence_the_position_contradicts_stays_in_doubt() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.swallow_places = true;
    desk.sink();
    // Two contracts that one order of one cannot explain.
    desk.broker.position = 2;

    desk.pass(15_000);

    assert_eq!(desk.posture(), Posture::Halted);
    let entry = desk
        .status()
        .orders
        .into_iter()
        .find(|order| order.leg == Some(Leg::Entry));
    assert_eq!(entry.map(|order| order.state), Some("in_doubt".to_owned()));
}

#[test]
fn d25_a_mismatch_is_concluded_by_looks_three_seconds_apart() {
    let mut desk = Desk::ready(settings());
    desk.broker.position = 1;
    let pushed = Event::PositionReported {
        position: scalper_core::event::BrokerPosition {
            con_id: CON_ID,
            local_symbol: "MESZ6".into(),
            position: 1,
            average_ticks_e2: None,
        },
    };

    // What the broker pushes brings the first look a second later, and more of them; they conclude nothing sooner.
    for _ in 0..13 {
        desk.tell(pushed.clone());
        desk.pass(300);
    }
    assert_eq!(desk.posture(), Posture::Trading);
    desk.pass(1_500);

    assert_eq!(desk.posture(), Posture::Halted);
}

#[test]
fn f10_an_entry_that_lost_its_legs_on_the_way_is_taken_back_and_said() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.swallow_places = true;
    desk.broker.faults.hold_market = true;
    desk.sink();
    desk.link_down();
    let entry = desk.broker.newest('E');
    let request = desk.broker.placed[0].clone();
    let alone = Held {
        request,
        order_id: 101,
        state: BrokerOrderState::Working,
        filled: 0,
        is_new: false,
    };
    desk.broker.orders.insert(entry.clone(), alone);
    desk.broker.faults.swallow_places = false;

    reconnect(&mut desk);

    assert_eq!(
        desk.broker.orders[&entry].state,
        BrokerOrderState::Cancelled
    );
    assert!(desk.controls().contains(&("bare_entry".to_owned(), true)));
    desk.pass(5_000);
    assert!(desk.status().orders.is_empty());
}

#[test]
fn d27_a_clock_that_differs_is_told_and_keeps_entries_out_and_far_off_it_halts() {
    for (skew_ms, warns, halts) in [
        (0, false, false),
        (999, false, false),
        (1_000, true, false),
        (2_999, true, false),
        (3_000, true, true),
        (-1_000, false, false),
        (-1_001, true, false),
        (-2_000, true, false),
        (-2_001, true, true),
        (3_600_000, true, true),
    ] {
        let mut desk = Desk::new(settings());
        desk.broker.skew_ms = skew_ms;
        desk.link_up();
        desk.pass(7_000);

        let told = desk.controls().contains(&("clock".to_owned(), true));
        assert_eq!(
            (told, !desk.gate("clock").open),
            (warns, warns),
            "{skew_ms}"
        );
        assert_eq!(desk.posture() == Posture::Halted, halts, "{skew_ms}");
    }
}

#[test]
fn d27_entries_wait_a_minute_after_the_clocks_agree_again() {
    let mut desk = Desk::new(settings());
    desk.broker.skew_ms = 3_600_000;
    desk.link_up();
    desk.pass(7_000);
    assert!(!desk.command(Command::Arm {}).0, "the cause persists");

    desk.broker.skew_ms = 0;
    desk.pass(3_000);
    assert!(desk.controls().contains(&("clock".to_owned(), false)));
    assert!(desk.command(Command::Arm {}).0);
    assert!(!desk.gate("clock").open);
    desk.pass(61_000);

    assert!(desk.gate("clock").open);
}

#[test]
fn f17_a_target_that_filled_without_its_execution_lets_no_new_stop_be_placed() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    let (stop, target) = (desk.broker.newest('S'), desk.broker.newest('T'));
    let placed = desk.broker.placed.len();
    let mut told = desk.broker.fill_part(&target, 1, 20_140, desk.at_ms);
    desk.broker.orders.get_mut(&stop).unwrap().state = BrokerOrderState::Cancelled;
    let execution = told.remove(0);
    let untold = desk.broker.fills.pop().unwrap();
    desk.tell_all(told);
    let cancelled = desk.broker.report(&stop);
    desk.tell(cancelled);

    desk.pass(1_900);
    assert_eq!(desk.broker.placed.len(), placed, "the position is gone");
    desk.broker.fills.push(untold);
    desk.pass(8_000);

    assert_eq!(desk.broker.placed.len(), placed);
    let trips = desk.trips();
    assert_eq!((trips.len(), trips[0].reason), (1, ExitReason::Target));
    desk.tell(execution);
    assert_eq!(desk.trips().len(), 1);
    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn a_flatten_of_what_was_closed_elsewhere_opens_nothing() {
    for is_pushed in [true, false] {
        let mut desk = Desk::ready(settings());
        desk.sink();
        desk.broker.position = 0;
        if is_pushed {
            desk.tell(Event::PositionReported {
                position: scalper_core::event::BrokerPosition {
                    con_id: CON_ID,
                    local_symbol: "MESZ6".into(),
                    position: 0,
                    average_ticks_e2: None,
                },
            });
        }

        desk.command(Command::Flatten {});
        desk.pass(12_000);

        assert_eq!(
            (desk.broker.position, desk.broker.opened_by_legs),
            (0, 0),
            "pushed: {is_pushed}"
        );
        assert_eq!(desk.posture(), Posture::Halted, "closed outside of the bot");
        let confirmed = desk
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::FlatConfirmed { .. }));
        assert!(confirmed);
    }
}

#[test]
fn an_exit_by_rule_waits_for_a_look_where_the_broker_told_another_position() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.broker.position = 0;
    desk.tell(Event::PositionReported {
        position: scalper_core::event::BrokerPosition {
            con_id: CON_ID,
            local_symbol: "MESZ6".into(),
            position: 0,
            average_ticks_e2: None,
        },
    });

    desk.prices(&[19_990, 19_995, 19_995]);
    desk.pass(10_000);

    assert_eq!((desk.broker.position, desk.broker.opened_by_legs), (0, 0));
    assert_eq!(desk.trips()[0].reason, ExitReason::External);
}
