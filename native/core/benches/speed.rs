//! How fast the numerics, the backtest, the sweep and the engine are: `cargo bench -p scalper-core`, or `npm run bench`.
//! Everything is measured in CPU time of this process, which a busy machine disturbs less than the clock, and each figure is
//! set against a baseline of the same run, the two taken turn about. Where threads matter the wall clock stands beside it,
//! with the processors that the machine let us have. Criterion keeps the single figures; the table of ratios is printed
//! first.
#![expect(
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    reason = "rates and ratios, and the machine is asked for its load"
)]

use cpu_time::ProcessTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, criterion_group, criterion_main};
use scalper_core::backtest::{
    BacktestReport, Columns, FillModel, Intrabar, Prepared, TargetFill, Timeline, run_prepared,
};
use scalper_core::engine::Engine;
use scalper_core::event::{Contract, Span};
use scalper_core::frames::Frames;
use scalper_core::settings::{EngineSettings, RateLimit, ResetSpan};
use scalper_core::sweep::{Combination, SweepWatch, series_of, sweep};
use scalper_core::zscore::zscore;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "../tests/support/mod.rs"]
mod support;

const BARS: usize = 1_000_000;
const LONG: usize = 10_000_000;
const MINUTE_MS: i64 = 60_000;
/// 7 May 2018 08:30 in Chicago.
const FIRST_MS: i64 = 1_525_699_800_000;
const DAY_MS: i64 = 86_400_000;
const ROUNDS: usize = 9;
/// Of what takes long.
const FEW_ROUNDS: usize = 3;
const EVENTS: usize = 100_000;

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
fn turn_about(rounds: usize, mut baseline: impl FnMut(), mut ours: impl FnMut()) -> (f64, f64) {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
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
        load()
    );
    println!(
        "CPU time, the least of {ROUNDS} rounds ({FEW_ROUNDS} of ten million prices and of sweeps), baseline and ours turn about\n"
    );
    z_ratios(BARS, ROUNDS);
    z_ratios(LONG, FEW_ROUNDS);
    backtest_ratios();
    sweep_ratios();
    engine_ratio();
    println!("load at the end {}\n", load());
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn load() -> String {
    read("/proc/loadavg").trim().to_owned()
}

fn z_ratios(length: usize, rounds: usize) {
    let closes = walk(length);
    let scaled = |scale: f64| -> Vec<f64> {
        closes
            .iter()
            .map(|&close| f64::from(close) / scale)
            .collect()
    };
    for (name, prices) in [
        ("whole ticks", scaled(1.0)),
        ("quarter ticks", scaled(4.0)),
        ("cents", scaled(100.0)),
        ("any floats", float_walk(length)),
    ] {
        let mut of_window = Vec::new();
        for window in [20, 200, 2_000] {
            let (plain, ours) = turn_about(
                rounds,
                || drop(black_box(plain_loop(black_box(&prices), window))),
                || drop(black_box(zscore(black_box(&prices), window, 1))),
            );
            of_window.push(ours);
            println!(
                "z of {length} {name}, window {window}: {:.2} ms, plain loop {:.2} ms: {:.2} × it",
                ours * 1e3,
                plain * 1e3,
                ours / plain
            );
        }
        println!(
            "z of {length} {name}: window 2000 takes {:.2} × window 20",
            of_window[2] / of_window[0]
        );
    }
}

/// How much is traded in a backtest.
struct Trading {
    name: &'static str,
    settings: EngineSettings,
}

/// From hardly ever to as often as the rules allow: a trade in the bar after each signal, stopped within it.
fn tradings() -> [Trading; 4] {
    let unlimited = |window, entry_z_e4, exit_z_e4| {
        let mut settings = minute_settings(window, entry_z_e4);
        settings.strategy.exit_z_e4 = exit_z_e4;
        lift_limits(&mut settings);
        settings
    };
    let mut stopped = unlimited(2, 10, 9);
    stopped.risk.stop_cents = Some(2 * stopped.instrument.tick_value_cents);
    stopped.risk.target_cents = Some(stopped.instrument.tick_value_cents);
    [
        ("rare", unlimited(60, 34_000, 5_000)),
        ("usual", minute_settings(60, 20_000)),
        ("frequent", unlimited(6, 10_000, 9_999)),
        ("constant", stopped),
    ]
    .map(|(name, settings)| Trading { name, settings })
}

fn backtest_ratios() {
    let bars = Owned::new(BARS);
    let (columns, fills, contract) = (bars.view(), fills(), contract());
    let share = |count: usize| count as f64 / BARS as f64 * 100.0;
    let mut rare = 0.0;
    for Trading { name, settings } in tradings() {
        let window = settings.strategy.window as usize;
        let report = one_run(&columns, &settings, &fills, &contract);
        let trades = report.trades.len();
        let within = report.trades.iter().filter(|trade| trade.bars == 0).count();
        drop(report);
        let (plain, ours) = turn_about(
            ROUNDS,
            || drop(black_box(plain_loop(black_box(&bars.closes), window))),
            || drop(black_box(one_run(&columns, &settings, &fills, &contract))),
        );
        if name == "rare" {
            rare = ours;
        }
        println!(
            "backtest of {BARS} bars, {name} trades: {trades}, a fill in {:.2} % of the bars, an exit in {:.2} %: {:.1} ms, {:.1} million bars/s, {:.1} × the plain z loop, {:.2} × rare trades",
            share(2 * trades - within),
            share(trades),
            ours * 1e3,
            BARS as f64 / ours / 1e6,
            ours / plain,
            ours / rare
        );
    }
}

/// What a piece of work took by both clocks, in seconds.
#[derive(Clone, Copy)]
struct Took {
    cpu: f64,
    wall: f64,
}

impl Took {
    const LONGEST: Took = Took {
        cpu: f64::INFINITY,
        wall: f64::INFINITY,
    };

    fn of(work: impl FnOnce()) -> Took {
        let (cpu, wall) = (ProcessTime::now(), Instant::now());
        work();
        Took {
            cpu: cpu.elapsed().as_secs_f64(),
            wall: wall.elapsed().as_secs_f64(),
        }
    }

    fn or_less(self, other: Took) -> Took {
        Took {
            cpu: self.cpu.min(other.cpu),
            wall: self.wall.min(other.wall),
        }
    }
}

/// One single run, a sweep on one thread and one on two, turn about.
fn sweep_ratios() {
    let bars = Owned::new(BARS);
    let (columns, fills, contract) = (bars.view(), fills(), contract());
    let (settings, combinations) = (minute_settings(60, 20_000), combinations());
    let swept = |threads| {
        let watch = SweepWatch::default();
        let found = sweep(
            &columns,
            Some(&contract),
            &combinations,
            &[],
            threads,
            &watch,
        );
        assert_eq!(black_box(found).unwrap().len(), combinations.len());
    };
    let mut single = Took::LONGEST;
    let mut on = [Took::LONGEST; 2];
    for _ in 0..FEW_ROUNDS {
        for _ in 0..FEW_ROUNDS {
            let run = || drop(black_box(one_run(&columns, &settings, &fills, &contract)));
            single = single.or_less(Took::of(run));
        }
        for (threads, least) in (1..).zip(&mut on) {
            *least = least.or_less(Took::of(|| swept(threads)));
        }
    }
    let count = combinations.len();
    let rate = |seconds: f64| (BARS * count) as f64 / seconds / 1e6;
    for (threads, took) in (1..).zip(on) {
        println!(
            "sweep of {count} combinations, {BARS} bars, {threads} thread(s): {:.1} million combination-bars a CPU second; by the wall clock {:.1} million a second, {:.2} processors had, {:.0} % of {threads} × a single backtest",
            rate(took.cpu),
            rate(took.wall),
            took.cpu / took.wall,
            single.wall * count as f64 / took.wall / f64::from(threads) * 100.0,
        );
    }
    let [one, two] = on;
    println!(
        "sweep: two threads give {:.0} % of twice one thread by the wall clock, {:.0} % by CPU time; load {}",
        one.wall / two.wall / 2.0 * 100.0,
        one.cpu / two.cpu * 100.0,
        load()
    );
}

fn engine_ratio() {
    let (mut engine, mut market) = warm_engine();
    let mut effects = Vec::with_capacity(1_024);
    let (mut reading, mut all, mut batched, mut told) =
        (f64::INFINITY, f64::INFINITY, f64::INFINITY, 0);
    for _ in 0..ROUNDS {
        let frames = market.frames(EVENTS);
        reading = reading.min(seconds(&mut || {
            for frame in Frames::new(&frames) {
                black_box(frame.unwrap().read().unwrap());
            }
        }));
        effects.clear();
        all = all.min(seconds(&mut || {
            engine.apply(&frames, &mut effects).unwrap()
        }));
        let batches: Vec<Vec<u8>> = (0..EVENTS / 1_000).map(|_| market.frames(1_000)).collect();
        batched = batched.min(seconds(&mut || {
            for batch in &batches {
                engine.apply(batch, &mut effects).unwrap();
            }
        }));
        told = effects.len();
    }
    let ns = |seconds: f64| seconds / EVENTS as f64 * 1e9;
    println!(
        "engine: {:.1} ns a market event, {:.1} ns by the thousand ({told} effects in {} events); reading the frames alone {:.1} ns: {:.1} × it",
        ns(all),
        ns(batched),
        2 * EVENTS,
        ns(reading),
        all / reading
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
    let (columns, fills, contract) = (bars.view(), fills(), contract());
    let settings = minute_settings(60, 20_000);
    criterion.bench_function("backtest of a million bars", |bench| {
        bench.iter(|| one_run(&columns, &settings, &fills, &contract));
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

/// Everything on that a backtest knows: hours, resets, early closes and the roll, rates, loss budget, the fall from the peak.
fn minute_settings(window: u32, entry_z_e4: i64) -> EngineSettings {
    let mut settings = support::settings();
    settings.strategy.sampling_ms = MINUTE_MS;
    settings.strategy.window = window;
    settings.strategy.entry_z_e4 = entry_z_e4;
    settings.session.no_entry_before_flatten_ms = 600_000;
    // Each night from 23:45 in New York on.
    settings.session.reset_windows = (0..7)
        .map(|day| ResetSpan {
            from_week_minute: day * 1_440 + 1_425,
            to_week_minute: (day + 1) % 7 * 1_440 + 45,
        })
        .collect();
    settings.risk.daily_loss_reset = scalper_core::settings::DailyLossReset::NextSession;
    settings.risk.loss_budget_check = true;
    settings.risk.trailing_drawdown_cents = Some(40_000);
    settings.risk.entries_max = Some(RateLimit {
        minute: 4,
        hour: 40,
        day: 400,
    });
    settings.risk.orders_max = Some(RateLimit {
        minute: 16,
        hour: 160,
        day: 1_600,
    });
    settings.roll_days_before = Some(8);
    settings.flat_days_before = Some(2);
    settings
}

/// Everything stays on, and nothing is ever reached that keeps entries out: it is about many trades.
fn lift_limits(settings: &mut EngineSettings) {
    let risk = &mut settings.risk;
    risk.daily_loss_cents = i64::MAX / 4;
    risk.trailing_drawdown_cents = Some(i64::MAX / 4);
    risk.loss_streak = u32::MAX;
    for limit in [&mut risk.entries_max, &mut risk.orders_max] {
        *limit = limit.map(|limit| RateLimit {
            hour: limit.hour * 4,
            day: limit.day * 4,
            ..limit
        });
    }
}

/// Traded for 23 hours of each day of the bars, its last trade date far away.
fn contract() -> Contract {
    let opens_ms = FIRST_MS - 15 * 3_600_000 - 1_800_000;
    let days = 1 + (LONG as i64 * MINUTE_MS) / DAY_MS;
    Contract {
        last_trade_date: "2099-12-18".into(),
        hours: (0..days)
            .map(|day| opens_ms + day * DAY_MS)
            .map(|from_ms| Span {
                from_ms,
                to_ms: from_ms + 23 * 3_600_000,
            })
            .collect(),
        ..support::contract()
    }
}

fn fills() -> FillModel {
    FillModel {
        intrabar: Intrabar::StopFirst,
        target_fill: TargetFill::Touch,
        start_equity_cents: 1_000_000,
    }
}

fn one_run(
    columns: &Columns<'_>,
    settings: &EngineSettings,
    fills: &FillModel,
    contract: &Contract,
) -> BacktestReport {
    let timeline =
        Timeline::new(columns, &settings.session, settings.strategy.sampling_ms).unwrap();
    let z = series_of(columns, &timeline, settings).unwrap();
    let prepared = Prepared {
        bars: columns,
        timeline: &timeline,
        z: z.as_ref(),
        contract: Some(contract),
    };
    run_prepared(settings, fills, prepared, Vec::new(), |_| true).unwrap()
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
