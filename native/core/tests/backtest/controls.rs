//! The controls of the reliability note on bars: each is off, just short of acting, and acting.

use crate::vectors::{at_ms, fixture, settings};
use scalper_core::backtest::{Backtest, BacktestEvent, BacktestReport, FillModel};
use scalper_core::event::{Bar, Contract, Span};
use scalper_core::settings::{EngineSettings, RateLimit, ResetSpan};
use scalper_core::status::ExitReason;

/// A Tuesday, 10:00 in New York and 09:00 in Chicago.
const MORNING: &str = "2024-05-07T14:00:00Z";
const MINUTE_MS: i64 = 60_000;
/// That moment's minute of the week in New York.
const MORNING_MINUTE: u32 = 24 * 60 + 10 * 60;

/// The mini example's rules without costs, stop and target: window 5, entry 1.5, exit 0.5.
fn rules() -> (EngineSettings, FillModel) {
    let vector: serde_json::Value = serde_json::from_str(&fixture("mini_expected.json")).unwrap();
    let (mut settings, fills) = settings(&vector["params"]);
    settings.costs.fee_cents = 0;
    settings.costs.slippage_ticks = 0;
    settings.risk.stop_cents = None;
    settings.risk.target_cents = None;
    (settings, fills)
}

fn contract(hours: Vec<Span>, last_trade_date: &str) -> Contract {
    Contract {
        con_id: 1,
        local_symbol: "MESM4".to_owned(),
        month: "202406".to_owned(),
        last_trade_date: last_trade_date.to_owned(),
        tick_size_e4: 2_500,
        multiplier_cents: 500,
        hours,
    }
}

/// A long signal at the fifth close, 14:05, and a steady fall that keeps z below the exit.
fn falling() -> Vec<i32> {
    [100, 100, 100, 100, 90]
        .into_iter()
        .chain((60..90).rev())
        .collect()
}

fn ran(settings: &EngineSettings, contract: Option<&Contract>, closes: &[i32]) -> BacktestReport {
    let (_, fills) = rules();
    let mut backtest = Backtest::new(settings, &fills).unwrap();
    if let Some(contract) = contract {
        backtest.know(contract);
    }
    let step_ms = settings.strategy.sampling_ms;
    let open_at_ms = |index: usize| at_ms(MORNING) + i64::try_from(index).unwrap() * step_ms;
    for (index, &close) in closes.iter().enumerate() {
        let bar = Bar {
            open_at_ms: open_at_ms(index),
            open_ticks: close,
            high_ticks: close,
            low_ticks: close,
            close_ticks: close,
            volume: 1,
        };
        let next_ms = (index + 1 < closes.len()).then(|| open_at_ms(index + 1));
        backtest.push(&bar, next_ms).unwrap();
    }
    backtest.finish()
}

/// Minutes after 14:00 at which the first trade ended, and why.
fn first_exit(report: &BacktestReport) -> (i64, ExitReason) {
    let trade = &report.trades[0];
    (
        (trade.exit_at_ms - at_ms(MORNING)) / MINUTE_MS,
        trade.reason,
    )
}

fn tripped(report: &BacktestReport) -> Vec<&str> {
    let names = report.events.iter().map(|event| match event {
        BacktestEvent::Pause { .. } => "pause",
        BacktestEvent::DailyLossHalt { .. } => "daily_loss",
        BacktestEvent::Control { control, .. } => control,
    });
    names.collect()
}

#[test]
fn a_reset_of_the_broker_stops_entries_30_minutes_before_and_ends_positions_15_before() {
    for (begins_after, entry_is_stopped, exit_minute) in
        [(35, true, 0), (36, false, 21), (40, false, 25)]
    {
        let (mut settings, _) = rules();
        settings.session.reset_windows = vec![ResetSpan {
            from_week_minute: MORNING_MINUTE + begins_after,
            to_week_minute: MORNING_MINUTE + begins_after + 60,
        }];

        let report = ran(&settings, None, &falling());

        let stopped = report.blocked.contains_key("reset_window");
        assert_eq!(stopped, entry_is_stopped, "{begins_after}");
        if !entry_is_stopped {
            let expected = (exit_minute, ExitReason::SessionClose);
            assert_eq!(first_exit(&report), expected, "{begins_after}");
        }
    }
}

#[test]
fn an_early_close_ends_positions_before_it_and_entries_before_that() {
    let closing = |minute: i64| {
        let span = Span {
            from_ms: at_ms(MORNING) - 600 * MINUTE_MS,
            to_ms: at_ms(MORNING) + minute * MINUTE_MS,
        };
        contract(vec![span], "")
    };
    let (mut settings, _) = rules();
    settings.session.flatten_before_close_ms = 5 * MINUTE_MS;
    settings.session.no_entry_before_flatten_ms = 10 * MINUTE_MS;

    let entered = ran(&settings, Some(&closing(21)), &falling());
    let too_late = ran(&settings, Some(&closing(20)), &falling());
    settings.session.flatten_at_minute = None;
    let without = ran(&settings, Some(&closing(21)), &falling());

    assert_eq!(first_exit(&entered), (16, ExitReason::SessionClose));
    assert_eq!(
        (too_late.trades.len(), too_late.blocked["last_entry"]),
        (0, 1)
    );
    assert_eq!(first_exit(&without).1, ExitReason::SessionEnd);
}

#[test]
fn the_roll_keeps_away_from_the_last_trade_date() {
    for (last, roll, flat, stopped_by) in [
        ("2024-05-16", Some(8), None, None),
        ("2024-05-15", Some(8), None, Some("roll")),
        ("2024-05-15", None, None, None),
        ("", Some(8), Some(2), None),
    ] {
        let (mut settings, _) = rules();
        settings.roll_days_before = roll;
        settings.flat_days_before = flat;

        let report = ran(&settings, Some(&contract(vec![], last)), &falling());

        assert_eq!(report.trades.is_empty(), stopped_by.is_some(), "{last}");
        assert_eq!(
            report.blocked.keys().next().map(String::as_str),
            stopped_by,
            "{last}"
        );
    }
}

#[test]
fn a_loss_budget_lets_no_entry_in_that_could_pass_the_daily_limit() {
    let (mut settings, _) = rules();
    settings.risk.stop_cents = Some(1_000);
    settings.risk.loss_budget_check = true;
    // Stopped out after 8 ticks and the slip of 4 that is reckoned with: 12 ticks of 125 cents.
    for (limit_cents, is_let_in) in [(1_500, true), (1_499, false)] {
        settings.risk.daily_loss_cents = limit_cents;

        let report = ran(&settings, None, &falling());

        assert_eq!(
            report.blocked.contains_key("loss_budget"),
            !is_let_in,
            "{limit_cents}"
        );
        assert_eq!(report.trades.is_empty(), !is_let_in, "{limit_cents}");
    }
}

#[test]
fn a_fall_from_the_days_peak_flattens_and_stops_entries_to_the_sessions_end() {
    let (mut settings, _) = rules();
    settings.risk.trailing_armed_at_cents = 0;
    let mut closes = falling();
    closes.extend([100, 100, 100, 100, 100, 90, 90]);
    let without = ran(&settings, None, &closes);
    // Entered at 89: four ticks lower is the fifth close after the signal.
    settings.risk.trailing_drawdown_cents = Some(4 * 125);

    let report = ran(&settings, None, &closes);

    assert_eq!(tripped(&report), ["trail_dd"]);
    assert_eq!(first_exit(&report), (10, ExitReason::Flatten));
    assert_eq!((without.trades.len(), report.trades.len()), (2, 1));
    assert!(report.blocked["trail_dd"] > 0);
}

#[test]
fn more_entries_than_a_span_may_hold_are_stopped() {
    let twice = [
        100, 100, 100, 100, 90, 100, 100, 100, 100, 100, 90, 100, 100,
    ];
    let (mut settings, _) = rules();
    settings.risk.loss_streak = 20;
    for (hour, orders, trades) in [(2, None, 2), (1, None, 1), (2, Some(4), 1), (2, Some(5), 2)] {
        let of = |hour| RateLimit {
            minute: 9,
            hour,
            day: 99,
        };
        settings.risk.entries_max = Some(of(hour));
        settings.risk.orders_max = orders.map(of);

        let report = ran(&settings, None, &twice);

        assert_eq!(report.trades.len(), trades, "{hour} {orders:?}");
        assert_eq!(report.blocked.contains_key("order_rate"), trades < 2);
    }
}

#[test]
fn ten_round_trips_within_five_minutes_stop_the_session() {
    let (mut settings, _) = rules();
    settings.strategy.sampling_ms = 2_000;
    settings.risk.loss_streak = 20;
    let once = [100, 100, 100, 100, 90, 100, 100];
    let closes: Vec<i32> = std::iter::repeat_n(once, 14).flatten().collect();

    let fast = ran(&settings, None, &closes);
    settings.strategy.sampling_ms = MINUTE_MS;
    let slow = ran(&settings, None, &closes);

    assert_eq!((tripped(&fast), fast.trades.len()), (vec!["runaway"], 10));
    assert_eq!((tripped(&slow), slow.trades.len()), (vec![], 14));
}
