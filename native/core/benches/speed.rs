//! How fast the numerics, the backtest, the sweep and the engine are: `cargo bench -p scalper-core`, or `npm run bench`.
//! Everything is measured in CPU time of this process, which a busy machine disturbs less than the clock, and each figure is
//! set against a baseline of the same run, the two taken turn about. Criterion keeps the single figures; the table of ratios
//! is printed first.
#![expect(
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    reason = "rates and ratios, and the machine is asked for its load"
)]

use cpu_time::ProcessTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, criterion_group, criterion_main};
use scalper_core::backtest::{
    Columns, FillModel, Intrabar, Prepared, TargetFill, Timeline, run_prepared,
};
use scalper_core::engine::Engine;
use scalper_core::settings::EngineSettings;
use scalper_core::sweep::{Combination, SweepWatch, series_of, sweep};
use scalper_core::zscore::zscore;
use std::hint::black_box;
use std::time::Duration;

#[path = "../tests/support/mod.rs"]
mod support;

const BARS: usize = 1_000_000;
const MINUTE_MS: i64 = 60_000;
/// 7 May 2018 08:30 in Chicago.
const FIRST_MS: i64 = 1_525_699_800_000;
const ROUNDS: usize = 9;

criterion_group! {
    name = speed;
    config = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = ratios, zscores, backtests, sweeps, engines
}
criterion_main!(speed);

/// CPU time of all threads of this process.
struct CpuTime;

static CLOCK: WallTime = WallTime;

impl Measurement for CpuTime {
    type Intermediate = ProcessTime;
    type Value = Duration;

    fn start(&self) -> ProcessTime {
        ProcessTime::now()
    }

    fn end(&self, start: ProcessTime) -> Duration {
        start.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        CLOCK.formatter()
    }
}

/// Least CPU seconds of each of two pieces of work, taken turn about.
fn turn_about(mut baseline: impl FnMut(), mut ours: impl FnMut()) -> (f64, f64) {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        least.0 = least.0.min(seconds(&mut baseline));
        least.1 = least.1.min(seconds(&mut ours));
    }
    least
}

fn seconds(work: &mut impl FnMut()) -> f64 {
    let start = ProcessTime::now();
    work();
    start.elapsed().as_secs_f64()
}

fn ratios(_: &mut Criterion<CpuTime>) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let model = read("/proc/cpuinfo");
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "machine: {model}, {processors} processors, {} {}; load {}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        read("/proc/loadavg").trim()
    );
    println!("CPU time, the least of {ROUNDS} rounds, baseline and ours turn about\n");
    z_ratios();
    backtest_ratios();
    engine_ratio();
    println!();
}

fn z_ratios() {
    let closes = walk(BARS);
    let ticks: Vec<f64> = closes.iter().map(|&close| f64::from(close) / 4.0).collect();
    let decimals: Vec<f64> = closes
        .iter()
        .map(|&close| f64::from(close) / 100.0)
        .collect();
    let floats = float_walk(BARS);
    for (name, prices) in [
        ("quarter ticks", &ticks),
        ("cents", &decimals),
        ("any floats", &floats),
    ] {
        let mut of_window = Vec::new();
        for window in [20, 200, 2_000] {
            let (plain, ours) = turn_about(
                || drop(black_box(plain_loop(black_box(prices), window))),
                || drop(black_box(zscore(black_box(prices), window, 1))),
            );
            of_window.push(ours);
            println!(
                "z of {BARS} {name}, window {window}: {:.2} ms, plain loop {:.2} ms: {:.2} × it",
                ours * 1e3,
                plain * 1e3,
                ours / plain
            );
        }
        println!(
            "z of {BARS} {name}: window 2000 takes {:.2} × window 20",
            of_window[2] / of_window[0]
        );
    }
}

fn backtest_ratios() {
    let bars = Owned::new(BARS);
    let columns = bars.view();
    let fills = fills();
    let rate = |seconds: f64| BARS as f64 / seconds / 1e6;
    let mut single = 0.0;
    let mut by_trading = Vec::new();
    for (name, window, entry_z_e4) in [
        ("rare", 60, 38_000),
        ("usual", 60, 20_000),
        ("constant", 5, 10_000),
    ] {
        let settings = minute_settings(window, entry_z_e4);
        let mut trades = 0;
        let (plain, ours) = turn_about(
            || {
                drop(black_box(plain_loop(
                    black_box(&bars.closes),
                    window as usize,
                )))
            },
            || trades = one_run(&columns, &settings, &fills),
        );
        by_trading.push(ours);
        println!(
            "backtest of {BARS} bars, {name} trades ({trades}, {:.1} % of the bars): {:.1} ms, {:.1} million bars/s, {:.1} × the plain z loop",
            trades as f64 / BARS as f64 * 100.0,
            ours * 1e3,
            rate(ours),
            ours / plain
        );
        if name == "usual" {
            single = ours;
        }
    }
    println!(
        "backtest: constant trading takes {:.2} × rare trading",
        by_trading[2] / by_trading[0]
    );
    let combinations = combinations();
    for threads in [1, 2] {
        let start = ProcessTime::now();
        let results = sweep(
            &columns,
            None,
            &combinations,
            &[],
            threads,
            &SweepWatch::default(),
        )
        .unwrap();
        let each = start.elapsed().as_secs_f64() / results.len() as f64;
        println!(
            "sweep of {} combinations, {threads} thread(s): {:.1} million combination-bars per CPU second, {:.0} % of the single run",
            results.len(),
            rate(each),
            single / each * 100.0
        );
    }
}

fn engine_ratio() {
    let (mut engine, mut market) = warm_engine();
    let mut effects = Vec::with_capacity(64);
    let bytes = market.frames(100_000);
    let taken = seconds(&mut || engine.apply(&bytes, &mut effects).unwrap());
    println!(
        "engine: {:.0} ns a market event ({} effects in 100000 events)",
        taken / 100_000.0 * 1e9,
        effects.len()
    );
}

fn zscores(criterion: &mut Criterion<CpuTime>) {
    let ticks: Vec<f64> = walk(BARS)
        .iter()
        .map(|&close| f64::from(close) / 4.0)
        .collect();
    let floats = float_walk(BARS);
    let mut group = criterion.benchmark_group("z of a million");
    for window in [20, 200, 2_000] {
        group.bench_function(format!("plain loop, window {window}"), |bench| {
            bench.iter(|| plain_loop(black_box(&ticks), window));
        });
        group.bench_function(format!("quarter ticks, window {window}"), |bench| {
            bench.iter(|| zscore(black_box(&ticks), window, 1));
        });
        group.bench_function(format!("any floats, window {window}"), |bench| {
            bench.iter(|| zscore(black_box(&floats), window, 1));
        });
    }
    group.finish();
}

fn backtests(criterion: &mut Criterion<CpuTime>) {
    let bars = Owned::new(BARS);
    let (columns, settings, fills) = (bars.view(), minute_settings(60, 20_000), fills());
    criterion.bench_function("backtest of a million bars", |bench| {
        bench.iter(|| one_run(&columns, &settings, &fills));
    });
}

fn sweeps(criterion: &mut Criterion<CpuTime>) {
    let bars = Owned::new(BARS / 10);
    let (columns, combinations) = (bars.view(), combinations());
    criterion.bench_function("sweep of 100 combinations over 100 000 bars", |bench| {
        bench.iter(|| {
            sweep(
                &columns,
                None,
                &combinations,
                &[],
                2,
                &SweepWatch::default(),
            )
        });
    });
}

fn engines(criterion: &mut Criterion<CpuTime>) {
    let (mut engine, mut market) = warm_engine();
    let mut effects = Vec::with_capacity(64);
    criterion.bench_function("engine, a thousand market events", |bench| {
        bench.iter_batched(
            || market.frames(1_000),
            |bytes| {
                effects.clear();
                engine.apply(&bytes, &mut effects)
            },
            criterion::BatchSize::NumIterations(1),
        );
    });
}

/// Read, two sums, square root, divide, write: neither stable nor exact, and as fast as one pass without vectors can be.
fn plain_loop(prices: &[f64], window: usize) -> Vec<f64> {
    let mut z = vec![f64::NAN; prices.len()];
    let (share, freedom) = (1.0 / window as f64, 1.0 / (window as f64 - 1.0));
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, &price) in prices.iter().enumerate() {
        sum += price;
        squares += price * price;
        if at >= window {
            let left = prices[at - window];
            sum -= left;
            squares -= left * left;
        }
        if at + 1 >= window {
            let mean = sum * share;
            z[at] = (price - mean) / ((squares - sum * mean) * freedom).sqrt();
        }
    }
    z
}

/// Steps of −3 to +3 ticks around 16 000, the same each time.
fn walk(length: usize) -> Vec<i32> {
    let mut state = 7_u32;
    let mut price = 16_000;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            price += i32::try_from((state >> 16) % 7).unwrap() - 3;
            if !(8_000..=32_000).contains(&price) {
                price = 16_000;
            }
            price
        })
        .collect()
}

/// Steps that lie on no grid.
fn float_walk(length: usize) -> Vec<f64> {
    let mut state = 7_u64;
    let mut price = 4_000.0;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            price += (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
            price
        })
        .collect()
}

struct Owned {
    open_at_ms: Vec<f64>,
    open: Vec<i32>,
    high: Vec<i32>,
    low: Vec<i32>,
    close: Vec<i32>,
    /// The same for the baseline.
    closes: Vec<f64>,
}

impl Owned {
    fn new(length: usize) -> Self {
        let close = walk(length);
        let open: Vec<i32> = close
            .first()
            .into_iter()
            .chain(&close)
            .take(length)
            .copied()
            .collect();
        let both = |of: fn(i32, i32) -> i32| {
            open.iter()
                .zip(&close)
                .map(|(&open, &close)| of(open, close))
                .collect()
        };
        Self {
            open_at_ms: (0..length)
                .map(|at| (FIRST_MS + at as i64 * MINUTE_MS) as f64)
                .collect(),
            high: both(|open, close| open.max(close) + 1),
            low: both(|open, close| open.min(close) - 1),
            closes: close.iter().map(|&close| f64::from(close)).collect(),
            open,
            close,
        }
    }

    fn view(&self) -> Columns<'_> {
        Columns {
            open_at_ms: &self.open_at_ms,
            open_ticks: &self.open,
            high_ticks: &self.high,
            low_ticks: &self.low,
            close_ticks: &self.close,
            quotes: None,
        }
    }
}

/// Everything on that a backtest knows, hours included.
fn minute_settings(window: u32, entry_z_e4: i64) -> EngineSettings {
    let mut settings = support::settings();
    settings.strategy.sampling_ms = MINUTE_MS;
    settings.strategy.window = window;
    settings.strategy.entry_z_e4 = entry_z_e4;
    settings.session.no_entry_before_flatten_ms = 600_000;
    settings.risk.daily_loss_reset = scalper_core::settings::DailyLossReset::NextSession;
    if entry_z_e4 == 10_000 {
        // Nothing that keeps entries out: it is about many trades.
        settings.risk.daily_loss_cents = i64::MAX / 4;
        settings.risk.loss_streak = u32::MAX;
        settings.strategy.exit_z_e4 = 9_999;
    }
    settings
}

fn fills() -> FillModel {
    FillModel {
        intrabar: Intrabar::StopFirst,
        target_fill: TargetFill::Touch,
        start_equity_cents: 1_000_000,
    }
}

fn one_run(columns: &Columns<'_>, settings: &EngineSettings, fills: &FillModel) -> usize {
    let timeline =
        Timeline::new(columns, &settings.session, settings.strategy.sampling_ms).unwrap();
    let z = series_of(columns, &timeline, settings).unwrap();
    let report = run_prepared(
        settings,
        fills,
        Prepared {
            bars: columns,
            timeline: &timeline,
            z: z.as_ref(),
            contract: None,
        },
        Vec::new(),
        |_| true,
    )
    .unwrap();
    black_box(report).trades.len()
}

/// Four windows, five entries, five exits.
fn combinations() -> Vec<Combination> {
    let windows = [20, 60, 120, 240];
    windows
        .iter()
        .flat_map(|&window| (0..5).map(move |entry| (window, 18_000 + entry * 2_000)))
        .flat_map(|(window, entry)| (0..5).map(move |exit| (window, entry, exit * 2_000)))
        .map(|(window, entry, exit)| {
            let mut settings = minute_settings(window, entry);
            settings.strategy.exit_z_e4 = exit;
            Combination {
                settings,
                fills: fills(),
            }
        })
        .collect()
}

/// An engine with a full window, and a market that never goes far enough for a signal.
fn warm_engine() -> (Engine, support::QuietMarket) {
    let mut settings = support::settings();
    settings.strategy.entry_z_e4 = 60_000;
    let desk = support::Desk::ready(settings);
    let market = support::QuietMarket::after(&desk);
    (desk.engine, market)
}
