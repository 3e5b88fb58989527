//! Sweeps: the same figures as single runs, whatever the number of threads, and spans of sessions that add up.

use crate::vectors::{fixture, settings};
use proptest::prelude::{prop, prop_assert_eq, proptest};
use scalper_core::backtest::{
    Backtest, BacktestReport, Columns, FillModel, Prepared, Timeline, run_prepared,
};
use scalper_core::calendar::ZonedClock;
use scalper_core::event::{Bar, Contract, Span};
use scalper_core::selection::SessionSums;
use scalper_core::settings::{EngineSettings, EntryWindow, ResetWindow};
use scalper_core::sweep::{Combination, SessionSpan, SweepError, SweepWatch, series_of, sweep};
use std::sync::atomic::Ordering;

const FIRST_MS: i64 = 1_715_112_000_000;
const MINUTE_MS: i64 = 60_000;

fn mini() -> (EngineSettings, FillModel) {
    let vector: serde_json::Value = serde_json::from_str(&fixture("mini_expected.json")).unwrap();
    settings(&vector["params"])
}

/// Bars of 7 minutes over several sessions, by a walk that a seed makes.
fn walk(seed: u32, bars: usize, range: u32) -> Vec<Bar> {
    let mut state = seed;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i32::try_from((state >> 16) % below).unwrap()
    };
    let mut price = 16_000;
    (0_i64..)
        .take(bars)
        .map(|at| {
            let open = price;
            price += next(range) - next(range);
            Bar {
                open_at_ms: FIRST_MS + at * 7 * MINUTE_MS,
                open_ticks: open,
                high_ticks: open.max(price) + next(3),
                low_ticks: open.min(price) - next(3),
                close_ticks: price,
                volume: 0,
            }
        })
        .collect()
}

struct Owned {
    open_at_ms: Vec<f64>,
    columns: [Vec<i32>; 4],
}

impl Owned {
    fn new(bars: &[Bar]) -> Self {
        let column = |of: fn(&Bar) -> i32| bars.iter().map(of).collect();
        Self {
            open_at_ms: bars.iter().map(|bar| bar.open_at_ms as f64).collect(),
            columns: [
                column(|bar| bar.open_ticks),
                column(|bar| bar.high_ticks),
                column(|bar| bar.low_ticks),
                column(|bar| bar.close_ticks),
            ],
        }
    }

    fn view(&self) -> Columns<'_> {
        let [open_ticks, high_ticks, low_ticks, close_ticks] = &self.columns;
        Columns {
            open_at_ms: &self.open_at_ms,
            open_ticks,
            high_ticks,
            low_ticks,
            close_ticks,
            quotes: None,
        }
    }
}

/// Hours of which one closes early, and a last trade date within the bars.
fn early_contract() -> Contract {
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    Contract {
        con_id: 1,
        local_symbol: "ESM4".to_owned(),
        month: "202406".to_owned(),
        last_trade_date: "2024-05-14".to_owned(),
        tick_size_e4: 2_500,
        multiplier_cents: 5_000,
        hours: (0..6)
            .map(|day| Span {
                from_ms: FIRST_MS + day * DAY_MS + 2 * 60 * MINUTE_MS,
                to_ms: FIRST_MS + (day + 1) * DAY_MS
                    - if day == 1 { 7 * 60 * MINUTE_MS } else { 0 },
            })
            .collect(),
    }
}

/// Bar by bar, without anything prepared.
fn one_by_one(
    settings: &EngineSettings,
    fills: &FillModel,
    contract: Option<&Contract>,
    bars: &[Bar],
) -> BacktestReport {
    let mut backtest = Backtest::new(settings, fills).unwrap();
    if let Some(contract) = contract {
        backtest.know(contract);
    }
    for (index, bar) in bars.iter().enumerate() {
        let next = bars.get(index + 1).map(|next| next.open_at_ms);
        backtest.push(bar, next).unwrap();
    }
    backtest.finish()
}

fn combinations() -> Vec<Combination> {
    let mut all = Vec::new();
    for window in [5, 12, 30] {
        for (entry_z_e4, flatten) in [(12_000, Some(955)), (15_000, Some(955)), (15_000, None)] {
            for reset_window in [ResetWindow::Session, ResetWindow::Never] {
                let (mut settings, fills) = mini();
                settings.strategy.sampling_ms = 7 * MINUTE_MS;
                settings.strategy.window = window;
                settings.strategy.entry_z_e4 = entry_z_e4;
                settings.strategy.reset_window = reset_window;
                settings.session.flatten_at_minute = flatten;
                all.push(Combination { settings, fills });
            }
        }
    }
    all
}

proptest! {
    #[test]
    fn a_prepared_run_is_the_run_bar_by_bar(
        seed: u32, bars in 1_usize..900, range in 1_u32..40, window in 2_u32..40, ddof in 0_u8..=1,
        keep_window: bool, endless: bool, windows in prop::collection::vec((0_u32..1_440, 0_u32..1_440), 0..3),
        no_entry_ms in 0_i64..3_600_000, knows: bool,
    ) {
        let bars = walk(seed, bars, range);
        let (mut settings, fills) = mini();
        settings.strategy.sampling_ms = 7 * MINUTE_MS;
        settings.strategy.window = window;
        settings.strategy.ddof = ddof;
        settings.strategy.entry_z_e4 = 11_000;
        settings.session.no_entry_before_flatten_ms = no_entry_ms;
        settings.session.entry_windows = windows
            .into_iter()
            .map(|(from_minute, to_minute)| EntryWindow { from_minute, to_minute })
            .collect();
        if keep_window { settings.strategy.reset_window = ResetWindow::Never; }
        if endless { settings.session.open_minute = None; }
        let owned = Owned::new(&bars);
        let columns = owned.view();
        let timeline = Timeline::new(&columns, &settings.session, settings.strategy.sampling_ms).unwrap();
        let z = series_of(&columns, &timeline, &settings).unwrap();
        settings.roll_days_before = Some(2);
        settings.flat_days_before = Some(1);
        let contract = knows.then(early_contract);
        let wanted = one_by_one(&settings, &fills, contract.as_ref(), &bars);

        for z in [z.as_ref(), None] {
            let found = run_prepared(&settings, &fills, Prepared { bars: &columns, timeline: &timeline, z, contract: contract.as_ref() }, Vec::new(), |_| true).unwrap();
            prop_assert_eq!(&found, &wanted);
        }
    }

    #[test]
    fn sums_of_spans_are_those_of_the_sessions(seed: u32, cuts in prop::collection::vec(0_u32..14, 1..6)) {
        let bars = walk(seed, 2_000, 12);
        let owned = Owned::new(&bars);
        let all = &combinations()[..2];
        let spans: Vec<SessionSpan> = cuts
            .iter()
            .map(|&from| SessionSpan { from, to: from + 3 })
            .chain([SessionSpan { from: 0, to: 1_000 }])
            .collect();

        let results = sweep(&owned.view(), None, all, &spans, 1, &SweepWatch::default()).unwrap();

        for (combination, result) in all.iter().zip(results) {
            let report = one_by_one(&combination.settings, &combination.fills, None, &bars);
            let result = result.unwrap();
            prop_assert_eq!(&result.statistics, &report.statistics);
            for (span, found) in spans.iter().zip(&result.spans) {
                prop_assert_eq!(found.sums, by_hand(&report, &combination.fills, *span));
            }
        }
    }
}

/// By equity, and by what a session made: that of its own trades, as many as add up to it.
fn by_hand(report: &BacktestReport, fills: &FillModel, span: SessionSpan) -> SessionSums {
    let mut sums = SessionSums::default();
    let mut before_cents = fills.start_equity_cents;
    let zone = ZonedClock::new("America/Chicago").unwrap();
    for (place, day) in (0_u32..).zip(&report.sessions) {
        let trades = report
            .trades
            .iter()
            .filter(|trade| zone.trade_date(trade.signal_at_ms, Some(17 * 60)) == day.trade_date);
        let realised_cents: i64 = trades.clone().map(|trade| trade.net_cents).sum();
        assert_eq!(
            realised_cents,
            day.equity_cents - before_cents,
            "a session's result is that of its trades"
        );
        if (span.from..span.to).contains(&place) {
            sums.add_session(day.equity_cents - before_cents);
            trades.for_each(|trade| sums.add_trade(trade.net_cents));
        }
        before_cents = day.equity_cents;
    }
    sums
}

#[test]
fn the_results_do_not_know_the_number_of_threads() {
    let bars = walk(7, 3_000, 12);
    let owned = Owned::new(&bars);
    let all = combinations();
    let spans = [
        SessionSpan { from: 0, to: 5 },
        SessionSpan { from: 5, to: 9 },
    ];
    let run = |threads| {
        let watch = SweepWatch::default();
        let results = sweep(&owned.view(), None, &all, &spans, threads, &watch).unwrap();
        let done = watch.bars_done.load(Ordering::Relaxed);
        assert_eq!(done, (all.len() * bars.len()) as u64);
        results
    };

    let one = run(1);

    assert!(
        one.iter()
            .flatten()
            .any(|result| result.statistics.trades > 50)
    );
    for threads in [2, 3, 64] {
        assert_eq!(run(threads), one);
    }
}

#[test]
fn a_sweep_that_is_stopped_gives_what_was_done() {
    let bars = walk(7, 20_000, 12);
    let owned = Owned::new(&bars);
    let watch = SweepWatch::default();
    watch.is_stopped.store(true, Ordering::Relaxed);

    let results = sweep(&owned.view(), None, &combinations(), &[], 2, &watch).unwrap();

    assert_eq!(results, vec![None; combinations().len()]);
}

#[test]
fn the_first_combination_that_cannot_be_run_is_named() {
    let bars = walk(7, 50, 12);
    let owned = Owned::new(&bars);
    let mut all = combinations();
    all[4].settings.strategy.window = 1;

    let error = sweep(&owned.view(), None, &all, &[], 1, &SweepWatch::default()).unwrap_err();

    assert!(
        matches!(error, SweepError::Combination { index: 4, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("window of 1"), "{error}");
    for threads in [0, 257] {
        assert_eq!(
            sweep(
                &owned.view(),
                None,
                &all,
                &[],
                threads,
                &SweepWatch::default()
            ),
            Err(SweepError::Threads { threads })
        );
    }
}
