//! What is allocated, and how much memory is held: counted, not guessed.

use allocation_counter::measure;
use scalper_core::backtest::{
    Columns, FillModel, Intrabar, Prepared, Quotes, TargetFill, Timeline, run_prepared,
};
use scalper_core::settings::{EngineSettings, PriceKind};
use scalper_core::sweep::{Combination, SweepWatch, series_of, sweep};

mod support;

use support::{Desk, QuietMarket};

const MINUTE_MS: i64 = 60_000;
const BYTES_A_BAR_MAX: usize = 64;
const BYTES_A_TRADE_MAX: usize = 200;
const BYTES_A_RESULT_MAX: usize = 2_000;
/// Of a thread, whatever it works on: its name, its lists.
const BYTES_A_THREAD_MAX: usize = 10_000;

#[test]
fn a_market_event_that_decides_nothing_allocates_nothing() {
    let mut settings = support::settings();
    settings.strategy.entry_z_e4 = 60_000;
    let desk = Desk::ready(settings);
    let mut market = QuietMarket::after(&desk);
    let mut engine = desk.engine;
    let mut effects = Vec::with_capacity(1_000);
    // The first seconds end what starting has begun.
    engine.apply(&market.frames(2_000), &mut effects).unwrap();
    let frames: Vec<Vec<u8>> = (0..5_000).map(|_| market.frames(1)).collect();
    let (mut silent, mut told, mut allocations) = (0, 0, 0);

    for frame in &frames {
        effects.clear();
        let counted = measure(|| engine.apply(frame, &mut effects).unwrap());

        if effects.is_empty() {
            silent += 1;
            assert_eq!(
                counted.count_total, 0,
                "an event without an effect allocated"
            );
        } else {
            told += effects.len();
            allocations += counted.count_total;
        }
    }

    println!(
        "{silent} of 5000 events had no effect; {told} effects took {allocations} allocations"
    );
    // 50 seconds: each close of a bar asks to be woken at the next one's end.
    assert!(silent > 4_850, "only {silent} events had no effect");
}

#[test]
fn a_backtest_holds_64_bytes_a_bar_and_200_a_trade_above_its_data() {
    // From hardly any trade to one in every second or third bar, stopped within it.
    for (window, entry_z_e4, exit_z_e4, stop_cents, price, trades_min) in [
        (5, 40_000, 5_000, 20_000, PriceKind::Last, 0),
        (5, 10_000, 9_999, 20_000, PriceKind::Last, 60_000),
        (5, 10_000, 9_999, 20_000, PriceKind::Mid, 30_000),
        (2, 10, 9, 250, PriceKind::Last, 100_000),
    ] {
        let bars = Bars::new(300_000);
        let mut settings = settings(window, entry_z_e4, exit_z_e4);
        settings.strategy.price = price;
        settings.risk.stop_cents = Some(stop_cents);
        // Low and high stand around each close.
        let columns = Columns {
            quotes: Some(Quotes {
                bid_ticks: &bars.prices[2],
                ask_ticks: &bars.prices[1],
            }),
            ..bars.view()
        };
        let mut trades = 0;

        let counted = measure(|| {
            let timeline = Timeline::new(&columns, &settings.session, MINUTE_MS).unwrap();
            let z = series_of(&columns, &timeline, &settings).unwrap();
            let prepared = Prepared {
                bars: &columns,
                timeline: &timeline,
                z: z.as_ref(),
                contract: None,
            };
            let report = run_prepared(&settings, &fills(), prepared, Vec::new(), |_| true).unwrap();
            trades = report.trades.len();
        });

        let allowed = columns.len() * BYTES_A_BAR_MAX + trades * BYTES_A_TRADE_MAX;
        let held = usize::try_from(counted.bytes_max).unwrap();
        println!(
            "{} bars, {trades} trades: {held} bytes of {allowed}",
            columns.len()
        );
        assert!(trades >= trades_min, "only {trades} trades");
        assert!(held <= allowed, "{held} bytes, allowed are {allowed}");
    }
}

#[test]
fn a_sweep_grows_with_its_threads_and_not_with_its_combinations() {
    let bars = Bars::new(100_000);
    let columns = bars.view();
    // What a thread allocates is counted in that thread, here the one that calls; the others do the same as it.
    let held_by = |count: u32, threads: usize| {
        let combinations: Vec<Combination> = (0..count)
            .map(|at| Combination {
                settings: settings(10 + at % 7, 30_000, 5_000),
                fills: fills(),
            })
            .collect();
        let mut trades_max = 0;
        let counted = measure(|| {
            let watch = SweepWatch::default();
            let results = sweep(&columns, None, &combinations, &[], threads, &watch).unwrap();
            let trades = results
                .iter()
                .flatten()
                .map(|found| found.statistics.trades);
            trades_max = trades.max().unwrap_or(0) as usize;
        });
        (usize::try_from(counted.bytes_max).unwrap(), trades_max)
    };

    let ((few, trades), (many, _), (shared, _)) = (held_by(7, 1), held_by(70, 1), held_by(70, 2));

    println!("7 combinations: {few} bytes, 70: {many}, 70 on two threads: {shared} in the first");
    let a_run = columns.len() * BYTES_A_BAR_MAX + trades * BYTES_A_TRADE_MAX;
    assert!(
        few <= a_run + 7 * BYTES_A_RESULT_MAX,
        "{few} bytes for 7, {a_run} for a run"
    );
    assert!(
        many <= few + 63 * BYTES_A_RESULT_MAX,
        "{few} bytes for 7, {many} for 70"
    );
    assert!(
        shared <= many + BYTES_A_THREAD_MAX,
        "{shared} bytes in one of two threads, {many} in one"
    );
}

struct Bars {
    open_at_ms: Vec<f64>,
    prices: [Vec<i32>; 4],
}

impl Bars {
    fn new(length: usize) -> Self {
        let mut state = 7_u32;
        let mut price = 16_000;
        let mut bars = Self {
            open_at_ms: Vec::new(),
            prices: Default::default(),
        };
        for at in 0..length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let open = price;
            price += i32::try_from((state >> 16) % 7).unwrap() - 3;
            let prices = [open, open.max(price) + 1, open.min(price) - 1, price];
            bars.open_at_ms
                .push((support::START_MS + at as i64 * MINUTE_MS) as f64);
            for (column, price) in bars.prices.iter_mut().zip(prices) {
                column.push(price);
            }
        }
        bars
    }

    fn view(&self) -> Columns<'_> {
        let [open_ticks, high_ticks, low_ticks, close_ticks] = &self.prices;
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

fn settings(window: u32, entry_z_e4: i64, exit_z_e4: i64) -> EngineSettings {
    let mut settings = support::settings();
    settings.strategy.sampling_ms = MINUTE_MS;
    settings.strategy.window = window;
    settings.strategy.entry_z_e4 = entry_z_e4;
    settings.strategy.exit_z_e4 = exit_z_e4;
    settings.risk.daily_loss_cents = i64::MAX / 4;
    settings.risk.loss_streak = u32::MAX;
    settings
}

fn fills() -> FillModel {
    FillModel {
        intrabar: Intrabar::StopFirst,
        target_fill: TargetFill::Touch,
        start_equity_cents: 100_000_000,
    }
}
