//! Rules of the backtest that no recorded vector catches, on bars made by hand.

use crate::vectors::{at_ms, bars, fixture, settings};
use scalper_core::backtest::{
    BacktestError, BacktestReport, FillModel, PROGRESS_BARS, run, run_with,
};
use scalper_core::event::Bar;
use scalper_core::settings::{EngineSettings, EntryWindow};
use scalper_core::status::{ExitReason, Side};

const MINUTE_MS: i64 = 60_000;

/// The mini example's settings without costs: window 5, entry 1.5, exit 0.5, stop 8 ticks, target 12 ticks.
fn mini() -> (EngineSettings, FillModel) {
    let vector: serde_json::Value = serde_json::from_str(&fixture("mini_expected.json")).unwrap();
    let (mut settings, fills) = settings(&vector["params"]);
    settings.costs.fee_cents = 0;
    settings.costs.slippage_ticks = 0;
    (settings, fills)
}

fn bar(at: &str, minute: i64, [open, high, low, close]: [i32; 4]) -> Bar {
    Bar {
        open_at_ms: at_ms(at) + minute * MINUTE_MS,
        open_ticks: open,
        high_ticks: high,
        low_ticks: low,
        close_ticks: close,
        volume: 1,
    }
}

/// Five bars of which the last closes at z = -1.7889 with window 5: a long signal.
fn long_signal(at: &str) -> Vec<Bar> {
    let quiet = (0..4).map(|minute| bar(at, minute, [100, 100, 100, 100]));
    quiet.chain([bar(at, 4, [100, 100, 90, 90])]).collect()
}

fn traded(at: &str, after: &[[i32; 4]]) -> BacktestReport {
    let (settings, fills) = mini();
    traded_with(&settings, &fills, at, after)
}

fn traded_with(
    settings: &EngineSettings,
    fills: &FillModel,
    at: &str,
    after: &[[i32; 4]],
) -> BacktestReport {
    let mut bars = long_signal(at);
    bars.extend(
        after
            .iter()
            .zip(5..)
            .map(|(&prices, minute)| bar(at, minute, prices)),
    );
    run(settings, fills, &bars).unwrap()
}

const MORNING: &str = "2024-05-07T14:00:00Z";

#[test]
fn an_open_beyond_the_target_fills_at_the_open() {
    let report = traded(
        MORNING,
        &[[90, 90, 85, 85], [103, 103, 103, 103], [103, 103, 103, 103]],
    );

    let trade = &report.trades[0];
    assert_eq!(
        (trade.side, trade.reason),
        (Side::Buy, ExitReason::TargetGap)
    );
    assert_eq!((trade.entry_ticks, trade.exit_ticks), (90, 103));
    assert_eq!(trade.exit_at_ms, at_ms("2024-05-07T14:06:00Z"));
    assert_eq!((trade.bars, trade.gross_cents), (1, 13 * 125));
}

#[test]
fn an_open_exactly_at_the_target_is_a_target_gap() {
    let report = traded(
        MORNING,
        &[[90, 90, 85, 85], [102, 102, 102, 102], [102, 102, 102, 102]],
    );

    assert_eq!(report.trades[0].reason, ExitReason::TargetGap);
    assert_eq!(report.trades[0].exit_ticks, 102);
}

#[test]
fn a_target_gap_is_not_worsened_by_slippage_and_a_stop_gap_is() {
    let (mut settings, fills) = mini();
    settings.costs.slippage_ticks = 2;

    let up = [[90, 90, 85, 85], [110, 110, 110, 110]];
    let down = [[90, 90, 85, 85], [80, 80, 80, 80]];
    let target = traded_with(&settings, &fills, MORNING, &up);
    let stop = traded_with(&settings, &fills, MORNING, &down);

    assert_eq!(
        (target.trades[0].reason, target.trades[0].exit_ticks),
        (ExitReason::TargetGap, 110)
    );
    assert_eq!(
        (stop.trades[0].reason, stop.trades[0].exit_ticks),
        (ExitReason::StopGap, 78)
    );
}

#[test]
fn an_open_exactly_at_the_stop_is_a_stop_gap() {
    let report = traded(MORNING, &[[90, 90, 85, 85], [82, 82, 82, 82]]);

    assert_eq!(report.trades[0].reason, ExitReason::StopGap);
}

#[test]
fn a_stop_is_touched_at_its_price_and_not_one_tick_before() {
    let before = traded(MORNING, &[[90, 90, 83, 83]]);
    let touched = traded(MORNING, &[[90, 90, 82, 83]]);

    assert_eq!(before.trades[0].reason, ExitReason::SessionEnd);
    assert_eq!(
        (touched.trades[0].reason, touched.trades[0].exit_ticks),
        (ExitReason::Stop, 82)
    );
}

#[test]
fn an_entry_pending_over_a_session_change_is_dropped() {
    let (mut settings, fills) = mini();
    settings.session.flatten_at_minute = None;
    // The signal bar closes at 17:00 Chicago, but is the last of its session: nothing may pend.
    let last_of_session = traded_with(
        &settings,
        &fills,
        "2024-05-07T21:55:00Z",
        &[[90, 95, 85, 90]; 3],
    );
    // One bar earlier it trades.
    let earlier = traded_with(
        &settings,
        &fills,
        "2024-05-07T21:54:00Z",
        &[[90, 95, 85, 90]; 3],
    );

    assert!(last_of_session.trades.is_empty());
    assert_eq!(earlier.trades[0].reason, ExitReason::SessionEnd);
    assert_eq!(earlier.trades[0].exit_at_ms, at_ms("2024-05-07T22:00:00Z"));
    assert_eq!(earlier.sessions.len(), 2);
}

#[test]
fn an_entry_announced_with_a_wrong_next_bar_is_dropped_by_the_new_session() {
    let (mut settings, fills) = mini();
    settings.session.flatten_at_minute = None;
    let mut backtest = scalper_core::backtest::Backtest::new(&settings, &fills).unwrap();
    let mut stream = long_signal("2024-05-07T21:55:00Z");
    stream.push(bar("2024-05-07T22:00:00Z", 0, [90, 95, 85, 90]));

    // A feed that promises one more bar of the session which then never comes.
    for one in &stream {
        backtest
            .push(one, Some(at_ms("2024-05-07T21:59:59Z")))
            .unwrap();
    }

    assert!(backtest.finish().trades.is_empty());
}

#[test]
fn a_position_at_the_end_of_a_session_leaves_at_the_worsened_close() {
    let (mut settings, fills) = mini();
    settings.costs.slippage_ticks = 1;

    let report = traded_with(&settings, &fills, MORNING, &[[90, 90, 88, 88]]);

    let trade = &report.trades[0];
    assert_eq!(
        (trade.reason, trade.exit_ticks),
        (ExitReason::SessionEnd, 87)
    );
    assert_eq!(trade.exit_at_ms, at_ms("2024-05-07T14:06:00Z"));
    assert_eq!(
        (trade.bars, report.statistics.exposure),
        (0, Some(1.0 / 6.0))
    );
}

#[test]
fn the_flat_window_leaves_at_the_open_and_takes_no_entry() {
    // The signal's bar closes at 15:55 Chicago: its entry would fill inside the window.
    let at_the_edge = traded("2024-05-07T20:50:00Z", &[[90, 95, 85, 90]; 3]);
    let before = traded(
        "2024-05-07T20:49:00Z",
        &[[90, 90, 85, 85], [86, 86, 86, 86], [86, 86, 86, 86]],
    );

    assert!(at_the_edge.trades.is_empty());
    assert_eq!(before.trades[0].reason, ExitReason::SessionClose);
    assert_eq!(before.trades[0].exit_at_ms, at_ms("2024-05-07T20:55:00Z"));
    assert_eq!(before.trades[0].exit_ticks, 86);
}

#[test]
fn one_endless_session_has_no_end_but_the_data() {
    let (mut settings, fills) = mini();
    settings.session.open_minute = None;
    settings.session.flatten_at_minute = None;

    let report = traded_with(
        &settings,
        &fills,
        "2024-05-07T21:55:00Z",
        &[[90, 90, 85, 85]; 2],
    );

    assert_eq!(report.sessions.len(), 1);
    assert_eq!(report.trades[0].entry_at_ms, at_ms("2024-05-07T22:00:00Z"));
}

#[test]
fn entries_wait_for_their_window_and_end_before_the_flat_window() {
    let (settings, fills) = mini();
    let after = [[90, 95, 85, 90]; 2];
    // The signal comes at the close of 09:05 Chicago.
    for (from_minute, to_minute, trades) in [(0, 545, 0), (0, 546, 1), (545, 600, 1), (546, 600, 0)]
    {
        let mut windowed = settings.clone();
        windowed.session.entry_windows = vec![EntryWindow {
            from_minute,
            to_minute,
        }];
        let report = traded_with(&windowed, &fills, MORNING, &after);
        assert_eq!(report.trades.len(), trades, "{from_minute}..{to_minute}");
    }
    for (minutes_before, trades) in [(409, 1), (410, 0), (411, 0)] {
        let mut early = settings.clone();
        early.session.no_entry_before_flatten_ms = minutes_before * MINUTE_MS;
        let report = traded_with(&early, &fills, MORNING, &after);
        assert_eq!(
            report.trades.len(),
            trades,
            "{minutes_before} min before 15:55"
        );
    }
}

#[test]
fn equity_ends_where_the_trades_say() {
    let (settings, fills) = mini();
    let report = run(&settings, &fills, &bars(&fixture("mini_bars.csv"), None)).unwrap();

    let net_cents: i64 = report.trades.iter().map(|trade| trade.net_cents).sum();
    assert_eq!(
        report.equity_cents.last(),
        Some(&(fills.start_equity_cents + net_cents))
    );
    assert_eq!(report.equity_cents.len(), 27);
}

#[test]
fn bars_that_do_not_move_on_or_do_not_hold_their_prices_are_refused() {
    let (settings, fills) = mini();
    let twice = [bar(MORNING, 0, [1, 1, 1, 1]), bar(MORNING, 0, [1, 1, 1, 1])];
    let open_at_ms = at_ms(MORNING);

    assert_eq!(
        run(&settings, &fills, &twice),
        Err(BacktestError::BarOrder {
            index: 1,
            open_at_ms,
            before_ms: open_at_ms
        })
    );
    for prices in [[5, 4, 1, 2], [0, 4, 1, 2], [2, 4, 1, 5], [2, 4, 1, 0]] {
        assert_eq!(
            run(&settings, &fills, &[bar(MORNING, 0, prices)]),
            Err(BacktestError::BarShape {
                index: 0,
                open_at_ms
            })
        );
    }
}

#[test]
fn settings_that_cannot_be_measured_are_refused() {
    let (settings, fills) = mini();
    let poor = FillModel {
        start_equity_cents: 0,
        ..fills
    };
    let mut free = settings.clone();
    free.instrument.tick_value_cents = 0;
    let mut nowhere = settings.clone();
    nowhere.session.time_zone = "Chicago".to_owned();
    let mut narrow = settings.clone();
    narrow.strategy.window = 1;

    assert_eq!(
        run(&settings, &poor, &[]),
        Err(BacktestError::StartEquity { cents: 0 })
    );
    assert_eq!(
        run(&free, &fills, &[]),
        Err(BacktestError::TickValue { cents: 0 })
    );
    assert!(matches!(
        run(&nowhere, &fills, &[]),
        Err(BacktestError::Calendar(_))
    ));
    assert!(matches!(
        run(&narrow, &fills, &[]),
        Err(BacktestError::Window(_))
    ));
}

#[test]
fn a_run_stops_when_told_to() {
    let (settings, fills) = mini();
    let minutes = i64::try_from(PROGRESS_BARS).unwrap() + 1;
    let many: Vec<Bar> = (0..minutes)
        .map(|minute| bar(MORNING, minute, [1, 1, 1, 1]))
        .collect();

    let stopped = run_with(&settings, &fills, &many, |_| false);
    let few = run_with(&settings, &fills, &many[1..], |_| false);

    assert_eq!(
        stopped,
        Err(BacktestError::Stopped {
            bars: PROGRESS_BARS
        })
    );
    assert!(few.is_ok());
}
