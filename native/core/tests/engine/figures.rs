//! Figures of a day, what ends with it, what waits for the clock: counted to the cent and to the millisecond.

use crate::support::*;
use scalper_core::effect::{BrokerQuestion, Effect, Notice};
use scalper_core::event::{BrokerOrderState, Command, Event};
use scalper_core::status::Posture;

const MINUTE_MS: i64 = 60_000;
/// From 10:00 in Chicago to the next trading day.
const TO_NEXT_DAY_MS: i64 = 7 * 60 * MINUTE_MS;

/// A round trip from 19 900 to `ticks`, by a person.
fn trip(desk: &mut Desk, ticks: i32) {
    desk.command(Command::Resume {});
    desk.warm_up();
    desk.sink();
    desk.command(Command::Pause { until_ms: None });
    desk.price(ticks);
    desk.command(Command::Flatten {});
    desk.pass(3_000);
    assert_eq!(desk.broker.position, 0);
}

fn told(desk: &Desk, name: &str) -> Vec<bool> {
    let controls = desk.controls();
    controls
        .iter()
        .filter(|(control, _)| control == name)
        .map(|(_, tripped)| *tripped)
        .collect()
}

fn figures(desk: &mut Desk, realised_cents: i64) {
    desk.tell(Event::AccountReported {
        net_liquidation_cents: Some(1_000_000),
        excess_liquidity_cents: Some(800_000),
        realised_cents: Some(realised_cents),
    });
}

fn knocks(desk: &Desk) -> usize {
    let woken = desk
        .inputs
        .iter()
        .filter(|(_, _, event)| matches!(event, Event::Woke {}));
    woken.count()
}

#[test]
fn the_first_round_trip_of_a_day_is_its_best_and_its_worst_and_the_fall_counts_from_the_peak() {
    let mut desk = Desk::ready(settings());
    trip(&mut desk, 19_880);
    let today = desk.status().today;
    assert_eq!((today.best_cents, today.worst_cents), (-2_614, -2_614));

    trip(&mut desk, 19_910);
    let today = desk.status().today;
    assert_eq!((today.best_cents, today.worst_cents), (1_250 - 114, -2_614));

    let mut desk = Desk::ready(settings());
    trip(&mut desk, 19_910);
    trip(&mut desk, 19_880);
    let today = desk.status().today;
    assert_eq!((today.best_cents, today.worst_cents), (1_250 - 114, -2_614));
    // The peak was 1 193, before the fee of the first exit.
    assert_eq!(today.drawdown_cents, 1_193 + 1_478);
}

#[test]
fn a_round_trip_that_earns_its_fees_is_neither_won_nor_lost_also_once_it_is_restated() {
    // A fee of 125 each way: two ticks earn them.
    let counts = |ticks| match ticks {
        19_903 => (1, 0),
        19_902 => (0, 0),
        _ => (0, 1),
    };
    for first in [19_901, 19_902, 19_903] {
        for second in [19_901, 19_902, 19_903] {
            let mut desk = Desk::ready(with(|settings| settings.costs.fee_cents = 125));
            trip(&mut desk, first);
            let today = desk.status().today;
            assert_eq!((today.wins, today.losses), counts(first), "{first}");

            let exit = desk.broker.newest_exit();
            let corrected = desk.broker.correct_last(&exit, 2, 1, second);
            desk.tell(corrected);

            let today = desk.status().today;
            assert_eq!(
                (today.wins, today.losses),
                counts(second),
                "{first} to {second}"
            );
        }
    }
}

#[test]
fn the_roll_is_told_five_days_before_it_two_days_before_and_when_it_is_due() {
    // 2026-11-25 to 2026-12-18 are 23 days.
    for (days_before, is_told) in [
        (17, false),
        (18, true),
        (19, false),
        (20, false),
        (21, true),
        (22, false),
        (23, true),
        (24, false),
    ] {
        let desk = Desk::ready(with(|settings| {
            settings.roll_days_before = Some(days_before)
        }));
        let due = desk
            .notices()
            .into_iter()
            .filter(|notice| matches!(notice, Notice::RollDue { days_left: 23, .. }));
        assert_eq!(due.count(), usize::from(is_told), "{days_before}");
    }
}

#[test]
fn a_pause_by_a_person_outlives_the_session() {
    let mut desk = Desk::ready(settings());
    desk.command(Command::Pause { until_ms: None });

    desk.pass(TO_NEXT_DAY_MS);
    desk.price(20_000);

    assert_eq!(desk.posture(), Posture::Paused);
}

#[test]
fn the_same_pause_twice_is_on_the_record_once() {
    let mut desk = Desk::ready(settings());
    let until_ms = desk.at_ms + MINUTE_MS;
    let changes = |desk: &Desk| {
        let changes = desk
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::PostureChanged { .. }));
        changes.count()
    };
    let before = changes(&desk);
    desk.command(Command::Pause { until_ms: None });
    desk.command(Command::Pause { until_ms: None });
    assert_eq!(changes(&desk), before + 1);

    desk.command(Command::Pause {
        until_ms: Some(until_ms),
    });
    assert_eq!(changes(&desk), before + 2);
    desk.pass(MINUTE_MS);
    assert_eq!(
        (changes(&desk), desk.posture()),
        (before + 3, Posture::Trading)
    );
}

#[test]
fn d34_a_halt_during_a_flatten_is_latched_once_and_after_arming_the_next_one_is_again() {
    let latches = |desk: &Desk| {
        let latches = desk
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Latch { .. }));
        latches.count()
    };
    let halt = Command::Halt {
        reason: "test".into(),
    };
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.broker.hold(true);
    desk.command(Command::Flatten {});
    desk.command(halt.clone());
    desk.command(halt.clone());
    assert_eq!((latches(&desk), desk.posture()), (1, Posture::Flattening));

    desk.broker.hold(false);
    desk.price(19_900);
    desk.pass(6_000);
    assert_eq!(desk.posture(), Posture::Halted);
    desk.price(19_900);
    assert!(desk.command(Command::Arm {}).0);
    desk.command(halt);
    assert_eq!((latches(&desk), desk.posture()), (2, Posture::Halted));
}

#[test]
fn d6_an_alarm_about_old_data_ends_with_new_ones_and_says_how_long_they_were_gone() {
    let mut desk = Desk::ready(settings());
    desk.price(20_000);
    desk.pass(10_000);
    assert_eq!(told(&desk, "stale_quote"), [true], "not at once again");

    desk.pass(2_345);
    desk.price(20_000);

    assert_eq!(told(&desk, "stale_quote"), [true, false]);
    let gone = desk.notices().into_iter().find_map(|notice| match notice {
        Notice::DataFresh { gone_ms } => Some(*gone_ms),
        _ => None,
    });
    assert_eq!(gone, Some(12_345));
}

#[test]
fn d28_a_gap_of_more_than_two_bars_is_filled_from_history() {
    for (gone_ms, asks) in [(10_000, 0), (10_001, 1)] {
        let mut desk = Desk::ready(with(|settings| settings.strategy.sampling_ms = 5_000));
        let asked = |desk: &Desk| {
            let asks = desk.effects.iter().filter(|effect| {
                matches!(effect, Effect::AskBroker(BrokerQuestion::History { .. }))
            });
            asks.count()
        };
        desk.price(20_000);
        let before = asked(&desk);
        desk.pass(gone_ms);
        desk.price(20_000);

        assert_eq!(told(&desk, "stale_quote"), [true, false]);
        assert_eq!(asked(&desk) - before, asks, "{gone_ms}");
    }
}

#[test]
fn d20_the_hold_limit_acts_a_bar_and_five_seconds_late_where_no_bar_closes() {
    // The clock is looked at each minute: what is due at the minute is left at it, what is due later at the next.
    for (late_ms, minutes) in [(-1, 1), (0, 1), (1, 2)] {
        let mut desk = Desk::ready(with(|settings| {
            settings.risk.max_hold_ms = 45_750 + late_ms
        }));
        desk.sink();
        let entry_at_ms = desk.status().position.unwrap().entry_at_ms;
        assert_eq!(
            entry_at_ms + 45_750 + SECOND_MS + 5_000,
            START_MS + MINUTE_MS
        );
        desk.broker.hold(true);

        desk.pass(START_MS + MINUTE_MS + 500 - desk.at_ms);
        let due = exit_sent(&desk);
        assert_eq!(due, minutes == 1, "{late_ms}");
        desk.pass(MINUTE_MS);
        assert!(exit_sent(&desk));
    }
}

/// Has an order of its own left to close the position?
fn exit_sent(desk: &Desk) -> bool {
    desk.effects.iter().any(
        |effect| matches!(effect, Effect::Intent { order_ref, .. } if order_ref.ends_with('X')),
    )
}

#[test]
fn r14_the_flat_window_leaves_alone_what_a_person_is_asked_about() {
    let mut desk = Desk::ready(with(|settings| settings.risk.max_hold_ms = 24 * 3_600_000));
    desk.sink();
    desk.broker.hold(true);
    desk.broker.position = 3;
    desk.pass(70_000);
    assert_eq!(desk.posture(), Posture::Halted);
    let sent = (desk.broker.placed.len(), desk.broker.modified.len());

    // 15:55 is five hours and 55 minutes after the start.
    desk.pass(6 * 60 * MINUTE_MS);

    assert_eq!((desk.broker.placed.len(), desk.broker.modified.len()), sent);
    assert!(told(&desk, "flatten_failed").is_empty());
}

#[test]
fn d22_a_reset_that_is_near_is_told_once_however_long_the_exit_takes() {
    let mut desk = Desk::ready(with(|settings| {
        let from_week_minute = 2 * 1_440 + 13 * 60;
        settings.session.reset_windows = vec![scalper_core::settings::ResetSpan {
            from_week_minute,
            to_week_minute: from_week_minute + 60,
        }];
        settings.risk.max_hold_ms = 10 * 60 * MINUTE_MS;
    }));
    desk.sink();
    desk.broker.hold(true);
    desk.pass(110 * MINUTE_MS);

    assert_eq!(told(&desk, "reset_window"), [true]);
}

#[test]
fn an_order_without_an_answer_makes_no_haste() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.swallow_places = true;
    desk.sink();
    let before = knocks(&desk);
    desk.pass(2_500);

    assert!(knocks(&desk) - before <= 3, "{}", knocks(&desk) - before);
}

#[test]
fn f17_what_the_broker_calls_filled_is_looked_for_after_two_seconds_and_every_two_from_then_on() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.broker.hold(true);
    let target = desk.broker.newest('T');
    desk.broker.orders.get_mut(&target).unwrap().state = BrokerOrderState::Filled;
    let filled = desk.broker.report(&target);
    desk.tell(filled);
    let before = looks(&desk);

    desk.pass(1_999);
    assert_eq!(looks(&desk), before);
    desk.pass(1);
    assert_eq!(looks(&desk), before + 1);

    let woken = knocks(&desk);
    desk.pass(20_000);
    assert!(knocks(&desk) - woken < 60, "{}", knocks(&desk) - woken);
}

#[test]
fn r24_nothing_is_compared_while_an_order_works_nor_within_five_seconds_of_a_fill() {
    let mut desk = Desk::ready(settings());
    figures(&mut desk, 0);
    desk.broker.hold(true);
    desk.sink();
    figures(&mut desk, -20_000);
    assert!(told(&desk, "pnl_drift").is_empty());

    for (waited_ms, is_compared) in [(4_999, false), (5_000, true)] {
        let mut desk = Desk::ready(settings());
        figures(&mut desk, 0);
        desk.sink();
        desk.broker.hold(true);
        let stop = desk.broker.newest('S');
        let told_now = desk.broker.fill(&stop, desk.at_ms);
        desk.tell_all(told_now);
        desk.pass(waited_ms);
        figures(&mut desk, -20_000);

        assert_eq!(!told(&desk, "pnl_drift").is_empty(), is_compared);
    }
}

#[test]
fn r24_a_difference_outlives_the_brokers_own_midnight() {
    let mut desk = Desk::ready(settings());
    figures(&mut desk, 0);
    trip(&mut desk, 19_880);
    desk.pass(10_000);
    figures(&mut desk, -2_614 - 10_000);
    let left_cents = desk.status().today.loss_left_cents;

    figures(&mut desk, 0);

    assert_eq!(told(&desk, "pnl_drift"), [true]);
    assert_eq!(desk.status().today.loss_left_cents, left_cents);
}

#[test]
fn r24_two_commissions_may_differ_where_these_are_more_than_five_dollars() {
    for (differs_by, drifts) in [(799, false), (800, false), (801, true)] {
        let mut desk = Desk::ready(with(|settings| settings.costs.fee_cents = 400));
        figures(&mut desk, 0);

        figures(&mut desk, -differs_by);

        assert_eq!(!told(&desk, "pnl_drift").is_empty(), drifts, "{differs_by}");
    }
}

#[test]
fn r24_what_the_broker_counts_after_our_day_began_belongs_to_it() {
    let mut desk = Desk::ready(settings());
    figures(&mut desk, -7_000);
    desk.pass(TO_NEXT_DAY_MS);
    desk.price(20_000);

    figures(&mut desk, -10_000);

    assert_eq!(told(&desk, "pnl_drift"), [true]);
    assert_eq!(desk.status().today.loss_left_cents, 50_000 - 3_000);
}

#[test]
fn d24_a_control_that_is_off_asks_nothing() {
    let mut desk = Desk::ready(settings());
    desk.pass(5 * 60 * MINUTE_MS);

    let asked = desk
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::AskBroker(BrokerQuestion::Margin { .. })));
    assert!(!asked);
    assert!(desk.gate("margin").open);
}

#[test]
fn d27_three_looks_in_a_row_halt_and_one_that_agrees_begins_anew() {
    let mut desk = Desk::new(settings());
    desk.broker.skew_ms = 3_600_000;
    desk.link_up();
    desk.pass(2_999);
    let before = looks(&desk);
    desk.pass(1);
    assert_eq!(looks(&desk), before + 1, "three seconds apart");
    desk.broker.skew_ms = 0;
    desk.pass(3_000);
    assert_eq!(told(&desk, "clock"), [true, false]);
    assert!(!desk.gate("clock").open);

    // After a minute of agreement the gate opens; the looks before count no more.
    desk.pass(59_999 - 3_000);
    desk.tell(Event::Woke {});
    assert!(!desk.gate("clock").open);
    desk.pass(1);
    desk.tell(Event::Woke {});
    assert!(desk.gate("clock").open);
    assert_eq!(desk.posture(), Posture::Trading);
}
