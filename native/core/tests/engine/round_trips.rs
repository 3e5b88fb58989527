//! Whole round trips against a broker that does what it is told.

use crate::support::*;
use scalper_core::effect::{Effect, Notice};
use scalper_core::event::{Command, Event};
use scalper_core::status::{ExitReason, OrderKind, Posture};

#[test]
fn a_signal_becomes_an_entry_with_stop_and_target_exact_from_the_fill() {
    let mut desk = Desk::ready(settings());

    desk.sink();

    let status = desk.status();
    let position = status.position.expect("long");
    assert_eq!((position.position, position.average_ticks), (1, 19_900.0));
    assert_eq!(
        (position.stop_ticks, position.target_ticks),
        (Some(19_740), Some(20_140))
    );
    assert_eq!(desk.broker.position, 1);
    let working: Vec<_> = status
        .orders
        .iter()
        .map(|order| order.state.clone())
        .collect();
    assert_eq!(working, ["acked", "acked"]);
}

#[test]
fn a_position_is_left_when_z_comes_back_inside_the_exit_band() {
    let mut desk = Desk::ready(settings());
    desk.sink();

    desk.prices(&[19_990, 19_995, 19_995]);
    desk.pass(2_000);

    let trips = desk.trips();
    assert_eq!(trips.len(), 1);
    assert_eq!(trips[0].reason, ExitReason::Zexit);
    assert_eq!(trips[0].net_cents, trips[0].gross_cents - 114);
    assert_eq!((desk.broker.position, desk.status().orders.len()), (0, 0));
    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn the_stop_ends_a_trip_at_the_broker_and_disarms_its_direction() {
    let mut desk = Desk::ready(settings());
    desk.sink();

    desk.prices(&[19_740]);
    desk.pass(5_000);

    let trips = desk.trips();
    assert_eq!(
        (trips.len(), trips[0].reason, trips[0].gross_cents),
        (1, ExitReason::Stop, -20_000)
    );
    assert_eq!((desk.broker.position, desk.status().orders.len()), (0, 0));
    assert_eq!(desk.broker.worst_position, 1);
}

#[test]
fn the_target_ends_a_trip_at_the_broker() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.command(Command::Pause { until_ms: None });

    desk.price(20_140);
    desk.pass(5_000);

    let trips = desk.trips();
    assert_eq!(
        (trips.len(), trips[0].reason, trips[0].gross_cents),
        (1, ExitReason::Target, 30_000)
    );
    assert_eq!((desk.broker.position, desk.status().orders.len()), (0, 0));
}

#[test]
fn flatten_closes_everything_and_says_flat_only_after_the_broker_did() {
    let mut desk = Desk::ready(settings());
    desk.sink();

    let (accepted, _) = desk.command(Command::Flatten {});
    desk.pass(3_000);

    assert!(accepted);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
    assert_eq!(desk.trips()[0].reason, ExitReason::Flatten);
    assert!(
        desk.notices()
            .iter()
            .any(|notice| matches!(notice, Notice::FlatConfirmed { .. }))
    );
}

#[test]
fn flatten_during_an_exit_closes_once_and_never_reverses() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.broker.faults.hold_market = true;
    desk.prices(&[19_990, 19_995]);
    desk.pass(300);

    desk.command(Command::Flatten {});
    desk.command(Command::Flatten {});
    desk.broker.faults.hold_market = false;
    desk.price(19_996);
    desk.pass(3_000);

    assert_eq!(
        (
            desk.broker.position,
            desk.broker.worst_position,
            desk.trips().len()
        ),
        (0, 1, 1)
    );
    assert_eq!(desk.posture(), Posture::Paused);
}

#[test]
fn pause_keeps_entries_out_and_resume_lets_them_in_again() {
    let mut desk = Desk::ready(settings());
    desk.command(Command::Pause { until_ms: None });

    desk.sink();
    assert_eq!(
        (desk.entries(), desk.blocked().as_deref()),
        (0, Some("posture"))
    );

    desk.command(Command::Resume {});
    desk.prices(&[19_700]);
    desk.pass(300);
    assert_eq!((desk.entries(), desk.posture()), (1, Posture::Trading));
}

#[test]
fn a_timed_pause_ends_by_itself() {
    let mut desk = Desk::ready(settings());
    let until_ms = desk.at_ms + 60_000;
    desk.command(Command::Pause {
        until_ms: Some(until_ms),
    });

    desk.pass(59_999);
    assert_eq!(desk.posture(), Posture::Paused);
    desk.pass(1);
    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn the_daily_loss_limit_closes_everything_and_halts() {
    let mut settings = settings();
    settings.risk.daily_loss_cents = 10_000;
    let mut desk = Desk::ready(settings);
    desk.sink();

    desk.price(19_819);
    desk.pass(5_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Halted));
    assert_eq!(desk.trips()[0].reason, ExitReason::DailyLoss);
    assert!(desk.controls().contains(&("daily_loss".to_owned(), true)));
    let (accepted, lines) = desk.command(Command::Arm {});
    assert!(!accepted, "{lines:?}");
}

#[test]
fn three_losses_in_a_row_pause_entries_for_thirty_minutes() {
    let mut settings = settings();
    settings.risk.stop_cents = Some(1_000);
    let mut desk = Desk::ready(settings);

    for _ in 0..3 {
        desk.sink();
        desk.price(19_880);
        desk.pass(2_500);
        desk.warm_up();
    }

    assert_eq!(desk.trips().len(), 3, "{:?}", desk.trips());
    assert_eq!(desk.posture(), Posture::Paused);
    assert!(desk.controls().contains(&("loss_streak".to_owned(), true)));
    desk.pass(30 * 60_000);
    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn a_lost_link_with_an_order_on_its_way_sends_nothing_twice() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.mute = true;
    desk.sink();
    desk.broker.faults.mute = false;

    desk.link_down();
    desk.pass(10_000);
    desk.link_up();
    desk.price(19_900);
    desk.pass(5_000);

    assert_eq!((desk.entries(), desk.broker.position), (1, 1));
    assert_eq!(
        desk.status().position.map(|position| position.position),
        Some(1)
    );
    assert!(desk.status().reconciled);
}

#[test]
fn an_order_that_never_arrived_is_buried_after_two_clean_looks() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.swallow_places = true;
    desk.sink();
    desk.broker.faults.swallow_places = false;

    desk.pass(3_000);
    assert!(
        desk.status()
            .orders
            .iter()
            .any(|order| order.state == "in_doubt")
    );
    desk.pass(5_000);

    assert_eq!((desk.status().orders.len(), desk.broker.position), (0, 0));
    assert_eq!(desk.entries(), 1);
}

#[test]
fn a_flatten_with_the_link_down_runs_first_when_it_is_back() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.link_down();

    let (accepted, lines) = desk.command(Command::Flatten {});
    assert!(accepted);
    assert!(
        lines.iter().any(|line| line.contains("NOT flat")),
        "{lines:?}"
    );
    desk.pass(30_000);
    assert_eq!(desk.broker.position, 1);
    assert!(
        desk.notices()
            .iter()
            .any(|notice| matches!(notice, Notice::NotFlat { .. }))
    );

    desk.link_up();
    desk.pass(5_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
}

#[test]
fn a_refused_stop_of_a_filled_entry_is_placed_anew_within_two_seconds() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.refuse_stops = true;
    desk.prices(&[19_900]);
    desk.broker.faults.refuse_stops = false;
    desk.pass(2_000);

    let stops = desk
        .status()
        .orders
        .iter()
        .filter(|order| matches!(order.kind, Some(OrderKind::Stop { .. })))
        .count();
    assert_eq!((desk.broker.position, stops), (1, 1));
}

#[test]
fn a_stop_that_is_refused_again_and_again_closes_the_position() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.refuse_stops = true;
    desk.sink();
    desk.pass(10_000);

    assert_eq!((desk.broker.position, desk.status().orders.len()), (0, 0));
}

#[test]
fn three_refused_entries_within_a_minute_halt() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.refuse_entries = true;

    desk.prices(&[19_900, 19_700, 19_000, 17_000, 10_000]);
    desk.pass(3_000);

    assert_eq!((desk.posture(), desk.broker.position), (Posture::Halted, 0));
    assert!(desk.controls().contains(&("runaway".to_owned(), true)));
    // Stop and target are refused as well, for want of a parent: one bracket counts once.
    assert_eq!(desk.entries(), 3);
}

#[test]
fn the_flat_window_ends_a_position_by_the_clock_alone() {
    let mut desk = Desk::ready(settings());
    desk.pass((5 * 60 + 50) * 60_000);
    desk.warm_up();
    desk.sink();
    assert_eq!(desk.broker.position, 1);

    desk.pass(6 * 60_000);

    assert_eq!(
        desk.trips().last().map(|trip| trip.reason),
        Some(ExitReason::SessionClose)
    );
    assert_eq!(desk.broker.position, 0);
}

#[test]
fn the_same_inputs_give_the_same_effects_and_the_same_hash() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.prices(&[19_990, 19_995, 19_995, 19_700]);
    desk.link_down();
    desk.pass(40_000);
    desk.link_up();
    desk.command(Command::Flatten {});
    desk.pass(10_000);

    let (effects, hash) = desk.replay();

    assert_eq!(effects, desk.effects);
    assert_eq!(hash, desk.engine.state_hash().unwrap());
}

#[test]
fn a_daily_limit_loosened_within_a_day_waits_for_the_next_one_and_a_tightened_one_does_not() {
    let mut desk = Desk::ready(settings());
    let limit_cents = settings().risk.daily_loss_cents;
    let change = |daily_loss_cents: i64| Event::ConfigChanged {
        revision: 2,
        by: "anna (1)".to_owned(),
        update_id: None,
        changes: Vec::new(),
        settings: with_daily_loss(daily_loss_cents),
    };

    desk.tell(change(limit_cents * 2));
    assert_eq!(desk.status().today.loss_left_cents, limit_cents);

    // A restart is no way round it.
    desk.tell(started(with_daily_loss(limit_cents * 2)));
    assert_eq!(desk.status().today.loss_left_cents, limit_cents);

    desk.tell(change(limit_cents / 2));
    assert_eq!(desk.status().today.loss_left_cents, limit_cents / 2);

    desk.tell(change(limit_cents * 2));
    desk.pass(24 * 3_600_000);
    desk.price(20_000);
    assert_eq!(desk.status().today.loss_left_cents, limit_cents * 2);
}

fn with_daily_loss(daily_loss_cents: i64) -> scalper_core::settings::EngineSettings {
    let mut changed = settings();
    changed.risk.daily_loss_cents = daily_loss_cents;
    changed
}

fn whys(desk: &Desk) -> Vec<String> {
    let whys = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Intent { why, .. } => Some(why.clone()),
        _ => None,
    });
    whys.collect()
}

#[test]
fn every_order_says_why_it_is_sent() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    assert_eq!(whys(&desk)[0], "z -1.79 ≤ -1.50, close 19900 t");
    let entered = desk.notices().into_iter().find_map(|notice| match notice {
        Notice::EntrySent { reason, .. } => Some(reason.threshold_z),
        _ => None,
    });
    assert_eq!(entered, Some(-1.5));
    desk.prices(&[19_990]);
    let last = whys(&desk).last().cloned().unwrap();
    assert!(
        last.starts_with("zexit: z ") && last.ends_with(" is back inside the exit band"),
        "{last}"
    );

    let mut desk = Desk::ready(settings());
    desk.prices(&[20_100]);
    desk.pass(300);
    let why = &whys(&desk)[0];
    assert!(why.contains(" ≥ 1.50, close 20100 t"), "{why}");
}

#[test]
fn an_exit_at_its_longest_time_says_so() {
    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.risk.max_hold_ms = 3_000;
        settings.strategy.exit_z_e4 = 0;
        settings
    });
    desk.sink();
    desk.prices(&[19_899, 19_898, 19_897, 19_896]);

    let last = whys(&desk).last().cloned().unwrap();
    assert_eq!(last, "time: held for the longest time allowed");
}

#[test]
fn a_signal_that_is_stopped_is_counted_once_for_each_gate_and_side() {
    // Long, long again, short, nothing for a while, and short: closes, and how many signals were stopped by then.
    let closes = [
        (vec![19_900], 1),
        (vec![19_700], 1),
        (vec![22_000], 2),
        (vec![20_000, 20_002, 20_000, 20_002, 20_000], 2),
        (vec![20_100], 3),
    ];
    for steps in 1..=closes.len() {
        let mut desk = Desk::ready(settings());
        desk.command(Command::Pause { until_ms: None });
        for (prices, _) in &closes[..steps] {
            desk.prices(prices);
            desk.pass(300);
        }

        desk.tell(Event::SummaryDue {});

        let count = desk.notices().into_iter().find_map(|notice| match notice {
            Notice::DailySummary { blocked, .. } => {
                Some(blocked.iter().map(|gate| gate.count).sum::<u32>())
            }
            _ => None,
        });
        assert_eq!(count, Some(closes[steps - 1].1), "after {steps} steps");
    }
}

#[test]
fn a_denial_is_told_once_and_only_where_it_is_news() {
    let denials = |desk: &Desk| {
        let denials = desk
            .notices()
            .into_iter()
            .filter(|notice| matches!(notice, Notice::EntryDenied { .. }));
        denials.count()
    };
    let mut desk = Desk::ready({
        let mut settings = settings();
        settings.risk.max_notional_cents = Some(1);
        settings
    });
    desk.sink();
    assert_eq!((denials(&desk), desk.entries()), (1, 0));

    let mut desk = Desk::ready(settings());
    desk.command(Command::Pause { until_ms: None });
    desk.sink();
    assert_eq!(denials(&desk), 0, "a pause is known");
}

#[test]
fn a_full_window_is_told_when_it_fills() {
    let mut desk = Desk::new(settings());
    desk.link_up();
    let told = |desk: &Desk| {
        let told = desk
            .notices()
            .into_iter()
            .filter(|notice| matches!(notice, Notice::WarmedUp { .. }));
        told.count()
    };

    desk.prices(&[20_000, 20_002, 20_000, 20_002, 20_000]);
    assert_eq!(told(&desk), 0);
    desk.prices(&[20_002, 20_000, 20_002]);

    assert_eq!(told(&desk), 1);
    assert_eq!(desk.status().bars, 7);
}
