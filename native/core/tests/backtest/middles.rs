//! `strategy.price: mid` on bars: z of the middle of bid and ask at each close, everything else of what traded.

use crate::vectors::{fixture, settings};
use proptest::prelude::{Just, prop, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Generator;
use scalper_core::backtest::{
    BacktestError, BacktestReport, Columns, FillModel, Prepared, Quotes, Timeline, run,
    run_prepared,
};
use scalper_core::event::Bar;
use scalper_core::exchange::record::NO_PRICE;
use scalper_core::settings::{EngineSettings, PriceKind, ResetWindow};
use scalper_core::status::{ExitReason, Side};
use scalper_core::sweep::{Combination, SweepError, SweepWatch, series_of, sweep};

const FIRST_MS: i64 = 1_715_090_400_000;
const MINUTE_MS: i64 = 60_000;

fn mini(price: PriceKind) -> (EngineSettings, FillModel) {
    let vector: serde_json::Value = serde_json::from_str(&fixture("mini_expected.json")).unwrap();
    let (mut settings, fills) = settings(&vector["params"]);
    settings.strategy.price = price;
    settings.strategy.ddof = 0;
    (settings, fills)
}

/// Bars with what stood at each close; `NO_PRICE` = nothing.
#[derive(Debug, Default)]
struct Market {
    open_at_ms: Vec<f64>,
    open: Vec<i32>,
    high: Vec<i32>,
    low: Vec<i32>,
    close: Vec<i32>,
    bid: Vec<i32>,
    ask: Vec<i32>,
}

impl Market {
    fn push(&mut self, [open, close, bid, ask]: [i32; 4]) {
        let at_ms = FIRST_MS + self.open.len() as i64 * MINUTE_MS;
        self.open_at_ms.push(at_ms as f64);
        self.open.push(open);
        self.high.push(open.max(close));
        self.low.push(open.min(close));
        self.close.push(close);
        self.bid.push(bid);
        self.ask.push(ask);
    }

    fn view(&self) -> Columns<'_> {
        Columns {
            open_at_ms: &self.open_at_ms,
            open_ticks: &self.open,
            high_ticks: &self.high,
            low_ticks: &self.low,
            close_ticks: &self.close,
            quotes: Some(Quotes {
                bid_ticks: &self.bid,
                ask_ticks: &self.ask,
            }),
        }
    }
}

/// Returns the report with z at each close; the shared series is used where `is_shared`, else z is rolled.
fn prepared(
    settings: &EngineSettings,
    fills: &FillModel,
    bars: &Columns<'_>,
    is_shared: bool,
) -> Result<(BacktestReport, Vec<f64>), BacktestError> {
    let timeline = Timeline::new(bars, &settings.session, settings.strategy.sampling_ms)?;
    let z = series_of(bars, &timeline, settings)?;
    let shared = z.as_ref().filter(|_| is_shared);
    let prepared = Prepared {
        bars,
        timeline: &timeline,
        z: shared,
        contract: None,
    };
    let report = run_prepared(settings, fills, prepared, Vec::new(), |_| true)?;
    Ok((report, z.map_or_else(Vec::new, |z| z.into_z())))
}

/// Prices are 4000 + ticks / 4. One print at 4 ticks, which the quotes never followed, is all that last prices see; the middle
/// sees the quotes fall at bar 6, where nothing but the old price trades. Bar 2 has crossed quotes, bar 3 no ask: their closes
/// count. Half ticks: 1 1 0 0 1 1 −9 1 1. At bar 6: 0 0 1 1 −9, S = −7, Q = 83, z = (5·−9 + 7) / √(5·83 − 49) = −38 / √366.
fn by_hand() -> Market {
    const BASE: i32 = 16_000;
    let mut market = Market::default();
    for bar in [
        [0, 0, 0, 1],
        [0, 0, 0, 1],
        [0, 0, 3, 3],
        [0, 0, 0, NO_PRICE],
        [0, 4, 0, 1],
        [4, 0, 0, 1],
        [0, 0, -5, -4],
        [-5, 0, 0, 1],
        [0, 0, 0, 1],
    ] {
        let shifted = |ticks: i32| {
            if ticks == NO_PRICE {
                NO_PRICE
            } else {
                BASE + ticks
            }
        };
        market.push(bar.map(shifted));
    }
    market
}

/// Side, entry and exit in ticks above 4000 points and in minutes, reason, net.
fn told(report: &BacktestReport) -> Vec<(Side, i64, i64, i64, i64, ExitReason, i64)> {
    let minute = |at_ms: i64| (at_ms - FIRST_MS) / MINUTE_MS;
    report
        .trades
        .iter()
        .map(|trade| {
            (
                trade.side,
                minute(trade.entry_at_ms),
                trade.entry_ticks - 16_000,
                minute(trade.exit_at_ms),
                trade.exit_ticks - 16_000,
                trade.reason,
                trade.net_cents,
            )
        })
        .collect()
}

#[test]
fn middle_and_last_trade_differently_by_hand() {
    let market = by_hand();
    let (last, fills) = mini(PriceKind::Last);
    let (mid, _) = mini(PriceKind::Mid);

    let (of_last, _) = prepared(&last, &fills, &market.view(), true).unwrap();
    let (of_mid, z) = prepared(&mid, &fills, &market.view(), true).unwrap();

    // Sold at bar 5's open of 4, bought at bar 6's of 0; bought at bar 7's open of −5, sold at bar 8's of 0: 1 tick worse each.
    let zexit = ExitReason::Zexit;
    assert_eq!(told(&of_last), [(Side::Sell, 5, 3, 6, 1, zexit, 136)]);
    assert_eq!(told(&of_mid), [(Side::Buy, 7, -4, 8, -1, zexit, 261)]);
    let shown: Vec<String> = z[4..].iter().map(|z| format!("{z:.4}")).collect();
    assert_eq!(shown, ["0.8165", "0.8165", "-1.9863", "0.5613", "0.5000"]);
    assert!(z[..4].iter().all(|z| z.is_nan()));
}

#[test]
fn middles_of_bars_without_quotes_are_refused_everywhere() {
    let market = by_hand();
    let (mid, fills) = mini(PriceKind::Mid);
    let bare = Columns {
        quotes: None,
        ..market.view()
    };
    let bars: Vec<Bar> = (0..bare.len()).map(|at| bare.bar(at)).collect();
    let combination = Combination {
        settings: mid.clone(),
        fills,
    };

    let swept = sweep(&bare, None, &[combination], &[], 1, &SweepWatch::default());

    assert_eq!(run(&mid, &fills, &bars), Err(BacktestError::NoQuotes));
    assert_eq!(
        prepared(&mid, &fills, &bare, true),
        Err(BacktestError::NoQuotes)
    );
    let error = BacktestError::NoQuotes;
    assert_eq!(swept, Err(SweepError::Combination { index: 0, error }));
}

/// One bar's steps of the close and of the next open, and how bid and ask stand to the close.
type Step = (i32, i32, Option<i32>, Option<i32>);

fn steps() -> impl Generator<Value = Vec<Step>> {
    let side = |range: std::ops::RangeInclusive<i32>| prop_oneof![6 => range.prop_map(Some), 1 => Just(None)];
    prop::collection::vec((-5..=5_i32, -2..=2_i32, side(-4..=0), side(-1..=4)), 1..250)
}

fn market_of(steps: &[Step], scale: i32) -> Market {
    let mut market = Market::default();
    let mut before = 16_000 * scale;
    for &(step, gap, bid, ask) in steps {
        let (open, close) = (before + gap * scale, before + (gap + step) * scale);
        let at = |side: Option<i32>| side.map_or(NO_PRICE, |ticks| close + ticks * scale);
        market.push([open, close, at(bid), at(ask)]);
        before = close;
    }
    market
}

/// The rules without stop, target, costs, limits and sessions, as anybody would write them: side, entry bar, exit bar. z by
/// the prices themselves each time, in exact integers.
fn plainly(
    market: &Market,
    window: usize,
    entry_tenths: i128,
    exit_tenths: i128,
) -> Vec<(Side, usize, usize)> {
    let doubled: Vec<i128> = (0..market.close.len())
        .map(|at| {
            let (bid, ask) = (i128::from(market.bid[at]), i128::from(market.ask[at]));
            let is_usable = market.bid[at] != NO_PRICE && market.ask[at] != NO_PRICE && bid < ask;
            if is_usable {
                bid + ask
            } else {
                2 * i128::from(market.close[at])
            }
        })
        .collect();
    let n = window as i128;
    // The sign of z − tenths/10 with ddof 0: z = d/√V.
    let compare = |at: usize, tenths: i128| {
        let prices = &doubled[at + 1 - window..=at];
        let sum: i128 = prices.iter().sum();
        let (d, v) = (
            n * doubled[at] - sum,
            n * prices.iter().map(|x| x * x).sum::<i128>() - sum * sum,
        );
        (v > 0).then(|| (100 * d * d.abs() - tenths * tenths.abs() * v).signum())
    };
    let (mut trades, mut held, mut entry, mut exit) = (Vec::new(), None, None, false);
    for at in 0..doubled.len() {
        if let Some((side, from)) = held.filter(|_| exit) {
            trades.push((side, from, at));
            (held, exit) = (None, false);
        }
        if let Some(side) = entry.take() {
            held = Some((side, at));
        }
        if at + 1 < window || at + 1 == doubled.len() {
            continue;
        }
        let is = |tenths, sign| compare(at, tenths).is_some_and(|found| found * sign >= 0);
        match held {
            Some((Side::Buy, _)) => exit = is(-exit_tenths, 1),
            Some((Side::Sell, _)) => exit = is(exit_tenths, -1),
            None if is(entry_tenths, 1) => entry = Some(Side::Sell),
            None if is(-entry_tenths, -1) => entry = Some(Side::Buy),
            None => {}
        }
    }
    // What the data leave open ends at the last close [S9].
    if let Some((side, from)) = held {
        trades.push((side, from, doubled.len() - 1));
    }
    trades
}

/// Nothing but z decides.
fn bare(window: u32) -> (EngineSettings, FillModel) {
    let (mut settings, fills) = mini(PriceKind::Mid);
    settings.strategy.window = window;
    settings.strategy.entry_z_e4 = 13_000;
    settings.strategy.exit_z_e4 = 4_000;
    settings.strategy.reset_window = ResetWindow::Never;
    settings.session.open_minute = None;
    settings.session.flatten_at_minute = None;
    settings.risk.stop_cents = None;
    settings.risk.target_cents = None;
    settings.risk.daily_loss_cents = i64::MAX / 4;
    settings.risk.loss_streak = u32::MAX;
    settings.risk.max_hold_ms = i64::MAX / 4;
    (settings, fills)
}

proptest! {
    #[test]
    fn trades_of_the_middle_are_those_of_a_plain_second_program(
        steps in steps(), window in 3_u32..20, is_shared: bool, is_far: bool,
    ) {
        let market = market_of(&steps, if is_far { 10_000 } else { 1 });
        let (settings, fills) = bare(window);

        let (report, _) = prepared(&settings, &fills, &market.view(), is_shared).unwrap();

        let bar_of = |at_ms: i64| ((at_ms - FIRST_MS) / MINUTE_MS) as usize;
        let found: Vec<_> = report
            .trades
            .iter()
            .map(|trade| (trade.side, bar_of(trade.entry_at_ms), bar_of(trade.entry_at_ms) + trade.bars as usize))
            .collect();
        prop_assert_eq!(found, plainly(&market, window as usize, 13, 4));
    }

    #[test]
    fn quotes_that_stand_around_the_close_change_nothing(
        steps in steps(), window in 5_u32..20, half in 1..=3_i32,
    ) {
        let mut market = market_of(&steps, 1);
        market.bid = market.close.iter().map(|close| close - half).collect();
        market.ask = market.close.iter().map(|close| close + half).collect();
        let both = [PriceKind::Last, PriceKind::Mid].map(|price| {
            let (mut settings, fills) = mini(price);
            settings.strategy.window = window;
            settings.strategy.entry_z_e4 = 12_000;
            Combination { settings, fills }
        });
        let [last, mid] = &both;

        let one = prepared(&last.settings, &last.fills, &market.view(), true).unwrap();
        let other = prepared(&mid.settings, &mid.fills, &market.view(), true).unwrap();
        let swept = sweep(&market.view(), None, &both, &[], 2, &SweepWatch::default()).unwrap();

        prop_assert_eq!(&other.0, &one.0);
        prop_assert_eq!(&swept[0], &swept[1]);
    }

    #[test]
    fn a_sweep_of_both_prices_gives_each_its_own(steps in steps()) {
        let market = market_of(&steps, 1);
        let both = [PriceKind::Mid, PriceKind::Last, PriceKind::Mid].map(|price| {
            let (settings, fills) = mini(price);
            Combination { settings, fills }
        });

        let swept = sweep(&market.view(), None, &both, &[], 1, &SweepWatch::default()).unwrap();

        for (result, Combination { settings, fills }) in swept.iter().zip(&both) {
            let (report, _) = prepared(settings, fills, &market.view(), true).unwrap();
            prop_assert_eq!(&result.as_ref().unwrap().statistics, &report.statistics);
        }
    }
}
