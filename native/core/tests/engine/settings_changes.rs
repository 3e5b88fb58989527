//! Settings that change in mid-trade: what is held keeps the rules that it was entered by, less risk counts at once, more
//! of it from the next flat moment on (reliability note, H8).

use crate::support::*;
use scalper_core::effect::{BrokerQuestion, Effect};
use scalper_core::event::{Bar, Command, Event};
use scalper_core::settings::*;
use scalper_core::status::ExitReason;

const MINUTE_MS: i64 = 60_000;

fn changed(change: impl Fn(&mut EngineSettings)) -> Event {
    let mut settings = settings();
    change(&mut settings);
    Event::ConfigChanged {
        revision: 2,
        by: "anna (1)".to_owned(),
        update_id: None,
        changes: vec![],
        settings,
    }
}

fn long() -> Desk {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(desk.broker.position, 1);
    desk
}

fn flat(desk: &mut Desk) {
    desk.command(Command::Flatten {});
    desk.pass(3_000);
    desk.command(Command::Resume {});
    assert_eq!(desk.broker.position, 0);
}

#[test]
fn an_open_position_keeps_its_exit_rule_and_the_next_one_has_the_new_one() {
    let mut desk = long();

    desk.tell(changed(|settings| settings.strategy.exit_z_e4 = 14_000));
    assert_eq!(desk.status().position.unwrap().exit_z, -0.5);
    assert_eq!(desk.status().revision, 2);
    desk.prices(&[19_900, 19_900]);
    assert_eq!(desk.broker.position, 1, "z is inside ±1.4 and outside ±0.5");

    flat(&mut desk);
    desk.warm_up();
    desk.prices(&[19_800]);
    assert_eq!(desk.status().position.unwrap().exit_z, -1.4);
}

#[test]
fn a_restart_is_no_way_round_the_rule_of_an_open_position() {
    let mut desk = long();
    let mut wider = settings();
    wider.strategy.exit_z_e4 = 14_000;

    desk.tell(started(wider));

    assert_eq!(desk.status().position.unwrap().exit_z, -0.5);
}

#[test]
fn a_shorter_hold_counts_at_once_and_a_longer_one_does_not() {
    for (minutes, expected) in [(30, 30), (180, 120)] {
        let mut desk = long();

        desk.tell(changed(|settings| {
            settings.risk.max_hold_ms = minutes * MINUTE_MS
        }));

        let position = desk.status().position.unwrap();
        assert_eq!(
            position.latest_exit_at_ms - position.entry_at_ms,
            expected * MINUTE_MS
        );
    }
}

#[test]
fn a_shorter_hold_that_has_passed_ends_the_position() {
    let mut desk = long();
    desk.pass(10 * MINUTE_MS);

    desk.tell(changed(|settings| {
        settings.risk.max_hold_ms = 5 * MINUTE_MS
    }));
    desk.pass(MINUTE_MS);

    assert_eq!(desk.broker.position, 0);
    assert_eq!(desk.trips()[0].reason, ExitReason::Time);
}

#[test]
fn an_entry_under_way_is_protected_by_the_settings_that_it_was_sent_with() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.hold_market = true;
    desk.sink();

    desk.tell(changed(|settings| {
        settings.risk.stop_cents = Some(40_000);
        settings.risk.target_cents = Some(60_000);
    }));
    desk.broker.faults.hold_market = false;
    desk.price(19_900);
    desk.pass(300);

    let position = desk.status().position.unwrap();
    assert_eq!(
        (position.stop_ticks, position.target_ticks),
        (Some(19_740), Some(20_140))
    );
}

#[test]
fn a_trailing_drawdown_can_be_tightened_but_not_loosened_under_a_position() {
    let watched = |allowed_cents: Option<i64>| {
        move |settings: &mut EngineSettings| {
            settings.risk.trailing_drawdown_cents = allowed_cents;
            settings.risk.trailing_armed_at_cents = 1_000;
            settings.risk.target_cents = None;
        }
    };
    // The fall is 8 000 cents: 64 ticks.
    for (first, second, trips) in [
        (Some(10_000), Some(8_000), true),
        (Some(8_000), Some(10_000), true),
        (Some(8_000), None, true),
        (None, Some(8_000), true),
        (Some(10_000), Some(10_000), false),
    ] {
        let mut settings = settings();
        watched(first)(&mut settings);
        let mut desk = Desk::ready(settings);
        desk.sink();
        desk.tell(changed(watched(second)));
        for bid in [20_000, 19_936] {
            desk.tell(Event::Quote {
                exchange_at_ms: desk.at_ms,
                bid_ticks: Some(bid),
                ask_ticks: Some(bid + 1),
                bid_size: 1,
                ask_size: 1,
            });
        }

        let tripped = desk.controls().contains(&("trail_dd".to_owned(), true));
        assert_eq!(tripped, trips, "{first:?} to {second:?}");
    }
}

/// Ten bars of this length up to now.
fn history(desk: &Desk, bar_ms: i64) -> Vec<Bar> {
    let bar = |at: i64| Bar {
        open_at_ms: desk.at_ms - (12 - at) * bar_ms,
        open_ticks: 20_000,
        high_ticks: 20_000,
        low_ticks: 20_000,
        close_ticks: 20_000 + i32::try_from(at).unwrap(),
        volume: 1,
    };
    (0..10).map(bar).collect()
}

/// Length and number of the bars of each question about history so far.
fn asked_for(desk: &Desk) -> Vec<(i64, u32)> {
    let terms = |effect: &Effect| match effect {
        Effect::AskBroker(BrokerQuestion::History { bar_ms, bars }) => Some((*bar_ms, *bars)),
        _ => None,
    };
    desk.effects.iter().filter_map(terms).collect()
}

#[test]
fn a_new_sampling_waits_for_flat_and_so_does_the_question_about_its_bars() {
    let mut desk = long();
    desk.tell(changed(|settings| {
        settings.strategy.sampling_ms = 5 * SECOND_MS
    }));
    let filled = desk.status().window_filled;
    assert_eq!(filled, WINDOW, "the position keeps its window");

    desk.history = history(&desk, SECOND_MS);
    desk.link_down();
    desk.link_up();
    assert_eq!(asked_for(&desk).last(), Some(&(SECOND_MS, WINDOW + 10)));
    assert_eq!(desk.status().window_filled, WINDOW);

    desk.history = history(&desk, 5 * SECOND_MS);
    flat(&mut desk);
    assert_eq!(asked_for(&desk).last(), Some(&(5 * SECOND_MS, WINDOW + 10)));
    assert_eq!(desk.status().window_filled, WINDOW);
}

#[test]
fn bars_of_a_length_that_was_changed_since_they_were_asked_for_are_never_mixed_in() {
    let mut desk = Desk::ready(settings());
    desk.tell(changed(|settings| settings.strategy.window = WINDOW + 1));
    let short = history(&desk, SECOND_MS);
    desk.tell(changed(|settings| {
        settings.strategy.sampling_ms = 5 * SECOND_MS
    }));
    let before = desk.status().window_filled;

    desk.tell(Event::History {
        bar_ms: Some(SECOND_MS),
        bars: short,
    });

    assert_eq!(desk.status().window_filled, before);
}

#[test]
fn history_of_a_journal_from_before_its_length_was_told_is_read_as_then() {
    let mut desk = long();
    desk.tell(changed(|settings| {
        settings.strategy.sampling_ms = 5 * SECOND_MS
    }));
    let read: Event = serde_json::from_str(r#"{"type":"history","bars":[{"openAtMs":1,"openTicks":1,"highTicks":1,"lowTicks":1,"closeTicks":1,"volume":1}]}"#).unwrap();

    desk.tell(read);

    assert_eq!(desk.status().window_filled, 0);
}

#[test]
fn settings_that_no_window_can_hold_are_refused_before_anything_changes() {
    let mut desk = long();
    let mut broken = settings();
    broken.strategy.window = 1;
    let mut out = Vec::new();

    let answer = desk
        .engine
        .apply_event(desk.seq + 1, desk.at_ms, started(broken), &mut out);

    assert!(answer.is_err());
    assert_eq!(desk.status().window_size, WINDOW);
}
