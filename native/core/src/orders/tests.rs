//! The life-cycle table, state by state and step by step, and the laws that hold over any sequence.

use super::*;
use crate::status::Tif;
use OrderState::*;
use Outcome::{
    Anomaly, AwaitsExecutions, BecameInDoubt, Changed, LateAppearance, LateFill, TermsDiffer,
    Unchanged,
};
use proptest::prelude::*;

const STOP: OrderKind = OrderKind::Stop { stop_ticks: 100 };

fn terms(quantity: u32, stop_ticks: i32) -> OrderRequest {
    OrderRequest {
        order_ref: "QS1-abcd-261125-1-S".to_owned(),
        side: Side::Sell,
        quantity,
        kind: OrderKind::Stop { stop_ticks },
        tif: Tif::Gtc,
        parent_ref: None,
        oca_group: None,
        outside_rth: true,
    }
}

fn order_in(state: OrderState) -> Order {
    let mut order = Order::new(terms(2, 100), Leg::Stop, 1);
    order.state = state;
    if state == Filled {
        order.filled = 2;
    }
    if state == Partial {
        order.filled = 1;
    }
    if state == ModifyPending {
        order.next_terms = Some(terms(2, 101));
    }
    order
}

fn reported(state: BrokerOrderState) -> OrderStep {
    OrderStep::Reported {
        state,
        quantity: 2,
        kind: Some(STOP),
    }
}

fn found_open() -> OrderStep {
    OrderStep::FoundOpen {
        quantity: 2,
        kind: Some(STOP),
        cancelling: false,
    }
}

const ALL: [OrderState; 15] = [
    Intent,
    Sent,
    Acked,
    Partial,
    ModifyPending,
    CancelPending,
    Filled,
    Cancelled,
    Rejected,
    Inactive,
    Expired,
    InDoubt,
    Tombstone,
    NotSent,
    Orphan,
];

/// What one step makes of each state, in the order of `ALL`.
fn check(name: &str, step: &OrderStep, expected: [(OrderState, Outcome); 15]) {
    for (from, (to, outcome)) in ALL.into_iter().zip(expected) {
        let mut order = order_in(from);

        let got = order.apply(step.clone(), 9);

        assert_eq!((order.state, got), (to, outcome), "{name} in {from:?}");
    }
}

#[test]
fn bytes_that_left_make_an_intent_sent_and_change_nothing_else() {
    check(
        "sent",
        &OrderStep::Sent {
            order_id: 7,
            epoch: 1,
        },
        [
            (Sent, Changed),
            (Sent, Unchanged),
            (Acked, Unchanged),
            (Partial, Unchanged),
            (ModifyPending, Unchanged),
            (CancelPending, Unchanged),
            (Filled, Anomaly),
            (Cancelled, Anomaly),
            (Rejected, Anomaly),
            (Inactive, Anomaly),
            (Expired, Anomaly),
            (InDoubt, Unchanged),
            (Tombstone, Anomaly),
            (NotSent, Anomaly),
            (Orphan, Unchanged),
        ],
    );
}

#[test]
fn bytes_that_never_left_end_only_what_nobody_has_seen() {
    check(
        "not sent",
        &OrderStep::NotSent,
        [
            (NotSent, Changed),
            (Sent, Anomaly),
            (Acked, Anomaly),
            (Partial, Anomaly),
            (ModifyPending, Anomaly),
            (CancelPending, Anomaly),
            (Filled, Anomaly),
            (Cancelled, Anomaly),
            (Rejected, Anomaly),
            (Inactive, Anomaly),
            (Expired, Anomaly),
            (NotSent, Changed),
            (Tombstone, Anomaly),
            (NotSent, Unchanged),
            (Orphan, Anomaly),
        ],
    );
}

#[test]
fn a_working_report_acknowledges_and_brings_nothing_back_from_its_end() {
    check(
        "working",
        &reported(BrokerOrderState::Working),
        [
            (Acked, Changed),
            (Acked, Changed),
            (Acked, Unchanged),
            (Partial, Unchanged),
            (ModifyPending, Unchanged),
            (CancelPending, Unchanged),
            (Filled, Unchanged),
            (Cancelled, Unchanged),
            (Rejected, Unchanged),
            (Inactive, Unchanged),
            (Expired, Unchanged),
            (Acked, Changed),
            (Tombstone, LateAppearance),
            (NotSent, LateAppearance),
            (Orphan, Unchanged),
        ],
    );
}

#[test]
fn a_cancelled_report_ends_what_lives() {
    check(
        "cancelled",
        &reported(BrokerOrderState::Cancelled),
        [
            (Cancelled, Changed),
            (Cancelled, Changed),
            (Cancelled, Changed),
            (Cancelled, Changed),
            (Cancelled, Changed),
            (Cancelled, Changed),
            (Filled, Unchanged),
            (Cancelled, Unchanged),
            (Rejected, Unchanged),
            (Inactive, Unchanged),
            (Expired, Unchanged),
            (Cancelled, Changed),
            (Tombstone, Unchanged),
            (NotSent, Unchanged),
            (Cancelled, Changed),
        ],
    );
}

#[test]
fn a_filled_report_is_no_fill_it_only_asks_for_executions() {
    check(
        "filled report",
        &reported(BrokerOrderState::Filled),
        [
            (Intent, AwaitsExecutions),
            (Sent, AwaitsExecutions),
            (Acked, AwaitsExecutions),
            (Partial, AwaitsExecutions),
            (ModifyPending, AwaitsExecutions),
            (CancelPending, AwaitsExecutions),
            (Filled, Unchanged),
            (Cancelled, Unchanged),
            (Rejected, Unchanged),
            (Inactive, Unchanged),
            (Expired, Unchanged),
            (InDoubt, AwaitsExecutions),
            (Tombstone, Unchanged),
            (NotSent, Unchanged),
            (Orphan, AwaitsExecutions),
        ],
    );
}

#[test]
fn a_refusal_rejects_what_was_asked_and_doubts_what_works() {
    check(
        "refused",
        &OrderStep::Refused,
        [
            (Rejected, Changed),
            (Rejected, Changed),
            (Rejected, Changed),
            (InDoubt, BecameInDoubt),
            (InDoubt, BecameInDoubt),
            (InDoubt, BecameInDoubt),
            (Filled, Anomaly),
            (Rejected, Changed),
            (Rejected, Unchanged),
            (Rejected, Changed),
            (Expired, Anomaly),
            (Rejected, Changed),
            (Tombstone, Anomaly),
            (NotSent, Anomaly),
            (Orphan, Anomaly),
        ],
    );
}

#[test]
fn a_refused_change_is_asked_about_before_any_conclusion() {
    check(
        "change refused",
        &OrderStep::ChangeRefused,
        [
            (Intent, Anomaly),
            (InDoubt, BecameInDoubt),
            (InDoubt, BecameInDoubt),
            (InDoubt, BecameInDoubt),
            (InDoubt, BecameInDoubt),
            (InDoubt, BecameInDoubt),
            (Filled, Unchanged),
            (Cancelled, Unchanged),
            (Rejected, Unchanged),
            (Inactive, Unchanged),
            (Expired, Unchanged),
            (InDoubt, Unchanged),
            (Tombstone, Anomaly),
            (NotSent, Anomaly),
            (Orphan, Anomaly),
        ],
    );
}

#[test]
fn a_whole_fill_is_believed_in_every_state_and_alarmed_after_the_end() {
    for from in ALL {
        let mut order = order_in(from);
        let rest = 2 - order.filled;
        if rest == 0 {
            continue;
        }

        let outcome = order.apply(OrderStep::Filled { quantity: rest }, 9);

        let expected = if from.is_final() { LateFill } else { Changed };
        assert_eq!(
            (order.state, order.filled, outcome),
            (Filled, 2, expected),
            "{from:?}"
        );
    }
}

#[test]
fn a_part_of_a_fill_leaves_pending_changes_pending() {
    check(
        "part",
        &OrderStep::Filled { quantity: 1 },
        [
            (Partial, Changed),
            (Partial, Changed),
            (Partial, Changed),
            (Filled, Changed),
            (ModifyPending, Changed),
            (CancelPending, Changed),
            (Filled, Outcome::Overfill),
            (Cancelled, LateFill),
            (Rejected, LateFill),
            (Inactive, LateFill),
            (Expired, LateFill),
            (Partial, Changed),
            (Tombstone, LateFill),
            (NotSent, LateFill),
            (Orphan, Changed),
        ],
    );
}

#[test]
fn silence_and_a_lost_link_doubt_exactly_what_is_in_flight() {
    for step in [OrderStep::Silent, OrderStep::LinkLost] {
        check(
            "silence",
            &step,
            [
                (InDoubt, BecameInDoubt),
                (InDoubt, BecameInDoubt),
                (Acked, Unchanged),
                (Partial, Unchanged),
                (InDoubt, BecameInDoubt),
                (InDoubt, BecameInDoubt),
                (Filled, Unchanged),
                (Cancelled, Unchanged),
                (Rejected, Unchanged),
                (Inactive, Unchanged),
                (Expired, Unchanged),
                (InDoubt, Unchanged),
                (Tombstone, Unchanged),
                (NotSent, Unchanged),
                (Orphan, Unchanged),
            ],
        );
    }
}

#[test]
fn a_probe_that_finds_it_open_adopts_it_and_ended_ones_are_to_be_cancelled() {
    check(
        "found open",
        &found_open(),
        [
            (Acked, Changed),
            (Acked, Changed),
            (Acked, Unchanged),
            (Partial, Unchanged),
            (Acked, Changed),
            (CancelPending, Unchanged),
            (Filled, Anomaly),
            (Cancelled, LateAppearance),
            (Rejected, LateAppearance),
            (Inactive, LateAppearance),
            (Expired, LateAppearance),
            (Acked, Changed),
            (Tombstone, LateAppearance),
            (NotSent, LateAppearance),
            (Orphan, Unchanged),
        ],
    );
}

#[test]
fn only_what_was_in_doubt_can_be_proven_absent() {
    check(
        "absent",
        &OrderStep::ProvenAbsent,
        [
            (Tombstone, Changed),
            (Tombstone, Changed),
            (Acked, Anomaly),
            (Partial, Anomaly),
            (ModifyPending, Anomaly),
            (CancelPending, Anomaly),
            (Filled, Unchanged),
            (Cancelled, Unchanged),
            (Rejected, Unchanged),
            (Inactive, Unchanged),
            (Expired, Unchanged),
            (Tombstone, Changed),
            (Tombstone, Unchanged),
            (NotSent, Unchanged),
            (Orphan, Anomaly),
        ],
    );
}

/// The same outcome in every state that lives, and the state that it leads to; in those that ended nothing changes.
fn ends_all_that_lives(name: &str, step: &OrderStep, end: OrderState) {
    for from in ALL {
        let mut order = order_in(from);

        let got = order.apply(step.clone(), 9);

        let expected = if from.is_final() {
            (from, Unchanged)
        } else {
            (end, Changed)
        };
        assert_eq!((order.state, got), expected, "{name} in {from:?}");
        if !from.is_final() {
            assert_eq!(order.next_terms, None, "{name} in {from:?}");
        }
    }
}

#[test]
fn what_is_found_gone_or_parked_has_ended_unless_it_had_before() {
    let gone = |expired| OrderStep::FoundGone { expired };
    ends_all_that_lives("gone", &gone(false), Cancelled);
    ends_all_that_lives("gone with its day", &gone(true), Expired);
    ends_all_that_lives("inactive", &reported(BrokerOrderState::Inactive), Inactive);
}

#[test]
fn a_report_that_it_is_pending_says_nothing() {
    check(
        "pending",
        &reported(BrokerOrderState::Pending),
        ALL.map(|state| (state, Unchanged)),
    );
}

#[test]
fn a_held_order_works_as_far_as_we_are_concerned() {
    for from in ALL {
        let (mut held, mut working) = (order_in(from), order_in(from));

        let as_held = held.apply(reported(BrokerOrderState::Held), 9);
        let as_working = working.apply(reported(BrokerOrderState::Working), 9);

        assert_eq!((held, as_held), (working, as_working), "{from:?}");
    }
}

#[test]
fn a_cancel_that_the_broker_tells_of_may_still_fill_first() {
    for (name, step) in [
        ("reported", reported(BrokerOrderState::CancelPending)),
        (
            "found",
            OrderStep::FoundOpen {
                quantity: 2,
                kind: Some(STOP),
                cancelling: true,
            },
        ),
    ] {
        let is_found = name == "found";
        // A picture that is older than our order's state changes nothing of what works.
        let works = |state| {
            if is_found {
                (state, Unchanged)
            } else {
                (CancelPending, Changed)
            }
        };
        let ended = |state| {
            if is_found {
                (state, LateAppearance)
            } else {
                (state, Unchanged)
            }
        };
        check(
            name,
            &step,
            [
                (CancelPending, Changed),
                (CancelPending, Changed),
                works(Acked),
                works(Partial),
                (CancelPending, Changed),
                (CancelPending, Unchanged),
                (Filled, if is_found { Anomaly } else { Unchanged }),
                ended(Cancelled),
                ended(Rejected),
                ended(Inactive),
                ended(Expired),
                (CancelPending, Changed),
                (Tombstone, LateAppearance),
                (NotSent, LateAppearance),
                (Orphan, Unchanged),
            ],
        );
    }
}

#[test]
fn new_terms_are_asked_for_only_of_what_works() {
    check(
        "modify",
        &OrderStep::ModifyAsked(Box::new(terms(1, 101))),
        ALL.map(|state| match state {
            Acked | Partial => (ModifyPending, Changed),
            other => (other, Anomaly),
        }),
    );
}

#[test]
fn an_end_can_be_asked_for_of_all_but_what_has_filled() {
    check(
        "cancel",
        &OrderStep::CancelAsked,
        ALL.map(|state| match state {
            Filled => (Filled, Anomaly),
            _ => (CancelPending, Changed),
        }),
    );
}

#[test]
fn contracts_that_a_correction_takes_back_leave_an_end_what_it_is() {
    for (from, filled, to) in [
        (Filled, 2, Cancelled),
        (Partial, 1, Acked),
        (Partial, 2, Partial),
        (Cancelled, 1, Cancelled),
        (CancelPending, 1, CancelPending),
        (InDoubt, 1, InDoubt),
    ] {
        let mut order = order_in(from);
        order.filled = filled;

        let outcome = order.apply(OrderStep::Filled { quantity: -1 }, 9);

        assert_eq!(
            (order.state, order.filled, outcome),
            (to, filled - 1, Changed),
            "{from:?} with {filled}"
        );
    }
}

#[test]
fn what_has_filled_or_was_seen_is_neither_unsent_nor_unborn_nor_refused() {
    let (mut filled, mut seen) = (order_in(InDoubt), order_in(InDoubt));
    filled.filled = 1;
    seen.perm_ids = vec![900];
    assert_eq!(filled.apply(OrderStep::NotSent, 9), Anomaly);
    assert_eq!(seen.apply(OrderStep::NotSent, 9), Anomaly);

    filled.apply(OrderStep::ProvenAbsent, 9);
    assert_eq!(filled.state, Cancelled, "its rest has ended");

    assert_eq!(filled.apply(OrderStep::Refused, 9), Anomaly);
    assert_eq!(filled.state, Cancelled);
}

#[test]
fn an_overfill_that_is_corrected_to_its_size_stays_filled() {
    let mut order = order_in(Filled);
    order.filled = 3;

    order.apply(OrderStep::Filled { quantity: -1 }, 9);

    assert_eq!((order.state, order.filled), (Filled, 2));
}

#[test]
fn what_may_still_fill_is_the_larger_of_old_and_new_terms() {
    let mut order = order_in(Acked);
    order.filled = 1;
    assert_eq!(order.leaves(), 1);

    order.apply(OrderStep::ModifyAsked(Box::new(terms(5, 100))), 2);
    assert_eq!(order.leaves(), 4);
    order.apply(reported(BrokerOrderState::Cancelled), 3);
    assert_eq!(order.leaves(), 0);

    let mut smaller = order_in(Acked);
    smaller.apply(OrderStep::ModifyAsked(Box::new(terms(1, 100))), 2);
    assert_eq!(smaller.leaves(), 2);
}

#[test]
fn a_presumed_fill_is_settled_by_its_executions_once() {
    let mut order = order_in(Filled);
    let presumed = Presumed {
        quantity: 2,
        price_ticks: 100,
        trip_id: 7,
    };
    order.presumed = Some(presumed);

    let first = order.settle_presumed(1);
    let second = order.settle_presumed(3);

    assert_eq!(first.map(|settled| settled.quantity), Some(1));
    assert_eq!(
        second.map(|settled| (settled.quantity, settled.trip_id)),
        Some((1, 7))
    );
    assert_eq!((order.settle_presumed(1), order.presumed), (None, None));
}

#[test]
fn the_first_lasting_id_is_the_one_that_is_meant() {
    let mut order = order_in(Acked);
    assert!(order.is_meant(900) && order.is_meant(0));

    order.perm_ids = vec![900, 901];

    assert!(order.is_meant(900) && order.is_meant(0));
    assert!(!order.is_meant(901) && !order.is_meant(902));
}

#[test]
fn ended_orders_beyond_the_limit_are_forgotten_the_oldest_first_and_living_ones_never() {
    let mut book = OrderBook::default();
    let made = |number: i64| {
        let mut request = terms(1, 100);
        request.order_ref = format!("QS1-abcd-261125-{number}-S");
        Order::new(request, Leg::Stop, number)
    };
    book.add(made(0));
    for number in 1..=i64::try_from(FINAL_ORDERS_MAX).unwrap() + 1 {
        let mut order = made(number);
        order.state = Cancelled;
        book.add(order);
    }

    assert!(book.get("QS1-abcd-261125-0-S").is_some(), "it lives");
    assert!(book.get("QS1-abcd-261125-1-S").is_none(), "the oldest");
    assert!(book.get("QS1-abcd-261125-2-S").is_some());
    assert_eq!(book.iter().count(), FINAL_ORDERS_MAX + 1);
}

#[test]
fn new_terms_are_in_force_once_the_broker_shows_them() {
    let mut order = order_in(Acked);
    order.apply(OrderStep::ModifyAsked(Box::new(terms(2, 103))), 2);

    let echo = order.apply(reported(BrokerOrderState::Working), 3);
    let taken = order.apply(
        OrderStep::Reported {
            state: BrokerOrderState::Working,
            quantity: 2,
            kind: Some(OrderKind::Stop { stop_ticks: 103 }),
        },
        4,
    );

    assert_eq!((echo, taken, order.state), (Unchanged, Changed, Acked));
    assert_eq!(
        (order.terms.kind, order.next_terms),
        (OrderKind::Stop { stop_ticks: 103 }, None)
    );
}

#[test]
fn terms_changed_by_somebody_else_are_told() {
    let moved = OrderStep::Reported {
        state: BrokerOrderState::Working,
        quantity: 2,
        kind: Some(OrderKind::Stop { stop_ticks: 90 }),
    };

    assert_eq!(order_in(Acked).apply(moved, 2), TermsDiffer);
}

#[test]
fn a_reference_says_whose_it_is() {
    let own = order_ref("ab12", "2026-11-25", 46_655, Leg::Target);
    assert_eq!(own, "QS1-ab12-261125-zzz-T");
    assert_eq!(
        owner_of(&own, "ab12"),
        Owner::Own {
            seq: 46_655,
            leg: Leg::Target
        }
    );
    assert_eq!(owner_of(&own, "ab13"), Owner::Sibling);
    assert_eq!(owner_of("", "ab12"), Owner::Foreign);
    assert_eq!(group_of(&own), "QS1-ab12-261125-zzz");
    assert_eq!(order_ref("ab12", "", 0, Leg::Exit), "QS1-ab12-000000-0-X");
}

#[test]
fn the_worst_case_counts_one_leg_of_a_bracket_and_children_not_before_their_entry() {
    let leg = |letter: &str, side, parent: Option<&str>, group: Option<&str>| {
        let mut request = terms(1, 100);
        request.order_ref = format!("QS1-abcd-261125-1-{letter}");
        request.side = side;
        request.parent_ref = parent.map(str::to_owned);
        request.oca_group = group.map(str::to_owned);
        Order::new(request, Leg::Stop, 1)
    };
    let mut book = OrderBook::default();
    book.add(leg("E", Side::Buy, None, None));
    book.add(leg("S", Side::Sell, Some("QS1-abcd-261125-1-E"), Some("g")));
    book.add(leg("T", Side::Sell, Some("QS1-abcd-261125-1-E"), Some("g")));
    assert_eq!(book.worst_case(0), 1);

    book.get_mut("QS1-abcd-261125-1-E")
        .unwrap()
        .apply(OrderStep::Filled { quantity: 1 }, 2);
    assert_eq!(book.worst_case(1), 1);
    assert_eq!(
        book.worst_case(0),
        1,
        "legs without a position could open one"
    );
}

fn any_step() -> impl Strategy<Value = OrderStep> {
    let report = prop_oneof![
        Just(BrokerOrderState::Pending),
        Just(BrokerOrderState::Held),
        Just(BrokerOrderState::Working),
        Just(BrokerOrderState::CancelPending),
        Just(BrokerOrderState::Cancelled),
        Just(BrokerOrderState::Filled),
        Just(BrokerOrderState::Inactive),
    ];
    prop_oneof![
        Just(OrderStep::Sent {
            order_id: 1,
            epoch: 1
        }),
        Just(OrderStep::NotSent),
        report.prop_map(reported),
        Just(found_open()),
        any::<bool>().prop_map(|expired| OrderStep::FoundGone { expired }),
        Just(OrderStep::ProvenAbsent),
        Just(OrderStep::Refused),
        Just(OrderStep::ChangeRefused),
        (1i64..3).prop_map(|quantity| OrderStep::Filled { quantity }),
        Just(OrderStep::Silent),
        Just(OrderStep::LinkLost),
        (1i32..200).prop_map(|ticks| OrderStep::ModifyAsked(Box::new(terms(2, ticks)))),
        Just(OrderStep::CancelAsked),
    ]
}

proptest! {
    #[test]
    fn more_than_asked_is_never_filled_without_an_alarm(steps in proptest::collection::vec(any_step(), 1..40)) {
        let mut order = Order::new(terms(2, 100), Leg::Stop, 1);
        let mut alarmed = false;
        for step in steps {
            let was_final = order.state.is_final();
            let leaves_final = matches!(step, OrderStep::Filled { .. } | OrderStep::CancelAsked | OrderStep::Refused);
            let outcome = order.apply(step, 2);
            alarmed |= outcome == Outcome::Overfill;
            prop_assert!(order.filled <= 2 || alarmed);
            prop_assert!(order.leaves() >= 0);
            if was_final && !leaves_final {
                prop_assert!(order.state.is_final());
            }
        }
    }
}

#[test]
fn an_order_in_doubt_that_is_found_open_stands_where_its_fills_put_it() {
    for (filled, expected) in [(0, OrderState::Acked), (1, OrderState::Partial)] {
        let mut order = Order::new(terms(3, 100), Leg::Stop, 0);
        order.apply(
            OrderStep::Sent {
                order_id: 1,
                epoch: 1,
            },
            1,
        );
        if filled > 0 {
            order.apply(OrderStep::Filled { quantity: filled }, 2);
        }
        order.apply(OrderStep::ChangeRefused, 3);
        assert_eq!(order.state, OrderState::InDoubt);

        order.apply(
            OrderStep::FoundOpen {
                quantity: 3,
                kind: Some(order.terms.kind),
                cancelling: false,
            },
            4,
        );

        assert_eq!(order.state, expected);
    }
}

#[test]
fn the_worst_case_counts_each_side_once_and_of_a_group_the_largest() {
    let with = |key: &str, side, quantity, group: Option<&str>, parent: Option<&str>| {
        let mut request = terms(quantity, 100);
        request.order_ref = key.to_owned();
        request.side = side;
        request.oca_group = group.map(str::to_owned);
        request.parent_ref = parent.map(str::to_owned);
        Order::new(request, Leg::Exit, 0)
    };
    let cases = [
        (vec![], 2, 2),
        (
            vec![
                with("a", Side::Buy, 1, None, None),
                with("b", Side::Buy, 2, None, None),
            ],
            1,
            4,
        ),
        (
            vec![
                with("a", Side::Sell, 1, None, None),
                with("b", Side::Sell, 3, None, None),
            ],
            1,
            3,
        ),
        (
            vec![
                with("a", Side::Sell, 2, Some("g"), None),
                with("b", Side::Sell, 3, Some("g"), None),
            ],
            1,
            2,
        ),
        (
            vec![
                with("a", Side::Buy, 2, Some("g"), None),
                with("b", Side::Buy, 3, Some("h"), None),
                with("c", Side::Sell, 1, Some("g"), None),
            ],
            1,
            6,
        ),
        (
            vec![
                with("a", Side::Buy, 1, None, None),
                with("b", Side::Sell, 9, None, Some("a")),
            ],
            0,
            1,
        ),
    ];
    for (place, (orders, position, expected)) in cases.into_iter().enumerate() {
        let mut book = OrderBook::default();
        for order in orders {
            book.add(order);
        }

        assert_eq!(book.worst_case(position), expected, "case {place}");
    }
}
