//! What a day brings: its beginning and its summary, the middle as price, the hold limit, history that fills the window.

use crate::support::*;
use scalper_core::effect::{Effect, Notice};
use scalper_core::event::{Bar, Command, Event};
use scalper_core::settings::{DailyLossReset, PriceKind};
use scalper_core::status::{ExitReason, Posture};

const MINUTE_MS: i64 = 60_000;
/// From 10:00 in Chicago to the next trading day.
const TO_NEXT_DAY_MS: i64 = 7 * 60 * MINUTE_MS;

fn bar(open_at_ms: i64, close_ticks: i32) -> Bar {
    Bar {
        open_at_ms,
        open_ticks: close_ticks,
        high_ticks: close_ticks,
        low_ticks: close_ticks,
        close_ticks,
        volume: 1,
    }
}

fn summaries(desk: &Desk) -> Vec<(String, u32, i64)> {
    let notices = desk
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::DailySummary {
                trade_date, today, ..
            } => Some((trade_date.clone(), today.trades, today.net_cents)),
            _ => None,
        });
    notices.collect()
}

fn lose(desk: &mut Desk) {
    desk.sink();
    desk.price(19_880);
    desk.pass(2_500);
    desk.warm_up();
}

#[test]
fn a_new_trading_day_begins_with_an_empty_window_and_figures_of_its_own() {
    let mut small = settings();
    small.risk.stop_cents = Some(1_000);
    let mut desk = Desk::ready(small);
    lose(&mut desk);
    lose(&mut desk);
    let today = desk.status().today;
    assert_eq!((today.trades, today.loss_streak), (2, 2));

    desk.pass(TO_NEXT_DAY_MS);
    desk.price(20_000);

    let status = desk.status();
    assert_eq!(
        (status.today.trade_date.as_str(), status.today.trades),
        ("2026-11-26", 0)
    );
    assert_eq!((status.today.net_cents, status.today.loss_streak), (0, 0));
    assert_eq!(status.window_filled, 0);
    assert_eq!(status.today.loss_left_cents, 50_000);
    let opened = desk
        .notices()
        .iter()
        .filter(|notice| matches!(notice, Notice::SessionOpened { .. }))
        .count();
    assert_eq!(opened, 2);
}

#[test]
fn the_day_is_summed_up_once_when_it_is_due_or_late_when_it_was_missed() {
    for is_told_in_time in [true, false] {
        let mut small = settings();
        small.risk.stop_cents = Some(1_000);
        let mut desk = Desk::ready(small);
        lose(&mut desk);
        let net_cents = desk.status().today.net_cents;

        if is_told_in_time {
            desk.tell(Event::SummaryDue {});
            assert_eq!(summaries(&desk).len(), 1);
            desk.tell(Event::SummaryDue {});
        }
        desk.pass(TO_NEXT_DAY_MS);
        desk.price(20_000);

        assert_eq!(
            summaries(&desk),
            [("2026-11-25".to_owned(), 1, net_cents)],
            "in time: {is_told_in_time}"
        );
    }
}

#[test]
fn the_summary_counts_exits_and_signals_that_were_kept_out() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    desk.command(Command::Flatten {});
    desk.pass(3_000);
    desk.warm_up();
    desk.sink();
    desk.tell(Event::SummaryDue {});

    let counts = desk.notices().into_iter().find_map(|notice| match notice {
        Notice::DailySummary { blocked, exits, .. } => Some((blocked.clone(), exits.clone())),
        _ => None,
    });
    let (blocked, exits) = counts.expect("a summary");
    assert_eq!(exits.len(), 1);
    assert_eq!((exits[0].name.as_str(), exits[0].count), ("flatten", 1));
    assert_eq!((blocked[0].name.as_str(), blocked[0].count), ("posture", 1));
}

#[test]
fn a_daily_halt_ends_with_the_session_only_where_the_settings_say_so() {
    for (reset, after) in [
        (DailyLossReset::NextSession, Posture::Trading),
        (DailyLossReset::Arm, Posture::Halted),
    ] {
        let mut tight = settings();
        tight.risk.daily_loss_cents = 10_000;
        tight.risk.daily_loss_reset = reset;
        let mut desk = Desk::ready(tight);
        desk.sink();
        desk.price(19_800);
        desk.pass(3_000);
        assert_eq!(desk.posture(), Posture::Halted);

        desk.pass(TO_NEXT_DAY_MS);
        desk.price(20_000);

        assert_eq!(desk.posture(), after);
        let unlatched = desk
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Unlatch { .. }));
        assert_eq!(unlatched, after == Posture::Trading);
        assert_eq!(
            desk.command(Command::Arm {}).0,
            after == Posture::Halted,
            "a person may arm on the new day"
        );
    }
}

#[test]
fn a_halt_by_a_person_outlives_the_session() {
    let mut desk = Desk::ready(settings());
    desk.command(Command::Halt {
        reason: "lunch".into(),
    });

    desk.pass(TO_NEXT_DAY_MS);
    desk.price(20_000);

    assert_eq!(desk.posture(), Posture::Halted);
}

#[test]
fn the_middle_of_the_book_makes_z_where_the_settings_say_so() {
    let mut mid = settings();
    mid.strategy.price = PriceKind::Mid;
    let mut desk = Desk::ready(mid);

    // Trades stand still; only the book moves, half a tick at a time.
    for (bid, ask) in [
        (20_000, 20_001),
        (20_000, 20_002),
        (20_000, 20_001),
        (20_000, 20_002),
        (20_002, 20_003),
    ] {
        desk.tell(Event::Quote {
            exchange_at_ms: desk.at_ms,
            bid_ticks: Some(bid),
            ask_ticks: Some(ask),
            bid_size: 1,
            ask_size: 1,
        });
        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: 20_000,
            size: 1,
        });
        desk.pass(SECOND_MS);
    }

    let status = desk.status();
    // Middles 20 000.5, 20 001, 20 000.5, 20 001, 20 002.5.
    assert_eq!(status.mean_ticks, Some(20_001.1));
    assert!((status.sd_ticks.unwrap() - 0.675_f64.sqrt()).abs() < 1e-12);
    assert!((status.z.unwrap() - 1.4 / 0.675_f64.sqrt()).abs() < 1e-12);
}

#[test]
fn a_position_is_left_at_the_close_that_completes_its_longest_time() {
    let mut short = settings();
    short.risk.max_hold_ms = 10 * SECOND_MS;
    short.risk.stop_cents = Some(100_000);
    short.risk.daily_loss_cents = 1_000_000;
    let mut desk = Desk::ready(short);
    desk.sink();
    let entry_at_ms = desk.status().position.unwrap().entry_at_ms;

    // Falling further, z never comes back.
    let mut ticks = 19_900;
    while desk.trips().is_empty() && desk.at_ms < entry_at_ms + 60 * SECOND_MS {
        ticks -= 30;
        desk.prices(&[ticks]);
    }

    let trips = desk.trips();
    assert_eq!(trips[0].reason, ExitReason::Time);
    let held_ms = trips[0].exit_at_ms - entry_at_ms;
    assert!((10_000..12_000).contains(&held_ms), "{held_ms}");
}

#[test]
fn history_fills_the_window_with_bars_of_this_session_only() {
    let open_ms = START_MS - 17 * 60 * MINUTE_MS;
    let mut desk = Desk::new(settings());
    desk.at_ms = open_ms + 3 * SECOND_MS + 500;
    desk.history = (-10..3)
        .map(|second: i64| {
            bar(
                open_ms + second * SECOND_MS,
                20_000 + i32::try_from(second).unwrap(),
            )
        })
        .collect();

    desk.link_up();

    assert_eq!(desk.status().window_filled, 3);
}

#[test]
fn the_unfinished_bar_of_history_goes_on_with_the_trades_that_follow() {
    let mut desk = Desk::new(settings());
    desk.at_ms = START_MS + 500;
    desk.history = (-4..=0)
        .map(|second: i64| {
            bar(
                START_MS + second * SECOND_MS,
                20_000 + 2 * i32::try_from(second.rem_euclid(2)).unwrap(),
            )
        })
        .collect();
    desk.link_up();
    assert_eq!(desk.status().window_filled, 4);

    desk.price(20_009);
    desk.pass(SECOND_MS);

    let last = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Decision { bar, filled, .. } => Some((*bar, *filled)),
        _ => None,
    });
    let (bar, filled) = last.expect("the bar closed");
    assert_eq!((bar.open_at_ms, filled), (START_MS, 5));
    assert_eq!(
        (bar.open_ticks, bar.high_ticks, bar.close_ticks),
        (20_000, 20_009, 20_009)
    );
}

#[test]
fn bars_that_closed_while_history_was_on_its_way_follow_it_once() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.slow = true;
    desk.link_down();
    desk.link_up();
    desk.deliver(2);
    // The question about history is out; two bars close meanwhile.
    let from_ms = desk.at_ms;
    desk.prices(&[20_010, 20_012]);
    desk.pass(300);
    desk.history = (1..=4)
        .map(|back| bar(from_ms - back * SECOND_MS, 20_000))
        .rev()
        .collect();
    let history = Event::History {
        bar_ms: None,
        bars: desk.history.clone(),
    };
    desk.broker.faults.slow = false;
    desk.tell(history);

    let status = desk.status();
    assert_eq!(status.window_filled, 5);
    assert_eq!(status.mean_ticks, Some(20_000.0 + (10.0 + 12.0) / 5.0));
}
