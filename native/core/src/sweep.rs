//! Many backtests over the same bars: combinations of settings, on several threads, with what they have in common computed
//! once for each group of them. The results do not know how many threads there were. The memory grows with the threads: each
//! holds one timeline, one series of z and one equity curve at a time, and of a run that is done only its figures stay.

use crate::backtest::{
    BacktestError, BacktestReport, BacktestTrade, Columns, FillModel, Prepared, SessionEquity,
    SignalCloses, Timeline, run_prepared,
};
use crate::calendar::ZonedClock;
use crate::event::Contract;
use crate::selection::{SessionSums, SpanFigures};
use crate::settings::{EngineSettings, PriceKind, ResetWindow, SessionSettings};
use crate::statistics::Statistics;
use crate::zscore::ZSeries;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use thiserror::Error;
use ts_rs::TS;

/// More threads than this are refused.
pub const THREADS_MAX: usize = 256;
/// At most so many combinations of a group go to one thread at a time, so that all of them end together.
const PIECE_MAX: usize = 32;

/// What one run is made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Combination {
    /// The rules.
    pub settings: EngineSettings,
    /// How fills are assumed.
    pub fills: FillModel,
}

/// Sessions of the data by their places, from 0: `from` and those before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionSpan {
    /// The first.
    pub from: u32,
    /// The first that is not in it; not before `from`. Sessions beyond the data's last count for nothing.
    pub to: u32,
}

/// What one combination came to.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CombinationResult {
    /// [S10].
    pub statistics: Statistics,
    /// Bars inside of which both stop and target of a position lay.
    pub both_touched: u32,
    /// Of the spans that were asked for, in their order.
    pub spans: Vec<SpanFigures>,
}

/// Why no sweep can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SweepError {
    /// A combination or the data cannot be used.
    #[error("combination {index}: {error}")]
    Combination {
        /// Its place, from 0.
        index: usize,
        /// What is wrong.
        error: BacktestError,
    },
    /// None, or more than make sense.
    #[error("{threads} threads; allowed are 1 to {THREADS_MAX}")]
    Threads {
        /// What was asked.
        threads: usize,
    },
}

/// Is looked at from outside while a sweep, or a single run, is made.
#[derive(Debug, Default)]
pub struct SweepWatch {
    /// Bars done, of all combinations together.
    pub bars_done: AtomicU64,
    /// True stops it within some thousands of bars.
    pub is_stopped: AtomicBool,
}

impl SweepWatch {
    /// Notes how far a single run is and returns whether to go on.
    pub fn note(&self, bars: usize) -> bool {
        self.bars_done.store(bars as u64, Ordering::Relaxed);
        !self.is_stopped.load(Ordering::Relaxed)
    }
}

/// Runs every combination over the bars and returns their results in the same order; where it was stopped, none for those
/// that were not finished. `contract` is that of the data, where it is known; `spans` tells of which stretches of sessions the sums are wanted.
///
/// # Errors
/// The first combination that cannot be run, or a number of threads that is none.
pub fn sweep(
    bars: &Columns<'_>,
    contract: Option<&Contract>,
    combinations: &[Combination],
    spans: &[SessionSpan],
    threads: usize,
    watch: &SweepWatch,
) -> Result<Vec<Option<CombinationResult>>, SweepError> {
    if !(1..=THREADS_MAX).contains(&threads) {
        return Err(SweepError::Threads { threads });
    }
    let order = grouped(combinations);
    let pieces = pieces(&order, combinations, threads);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut worker = Worker {
            bars,
            contract,
            spans,
            watch,
            shared: None,
            closes_cents: Vec::new(),
        };
        let mut done = Vec::new();
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            for &index in &order[piece.clone()] {
                match worker.run(&combinations[index]) {
                    Ok(Some(result)) => done.push((index, Ok(result))),
                    Ok(None) => return done,
                    Err(error) => {
                        watch.is_stopped.store(true, Ordering::Relaxed);
                        done.push((index, Err(error)));
                        return done;
                    }
                }
            }
        }
        done
    };
    let finished: Vec<_> = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(pieces.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut all = work();
        for helper in helpers {
            match helper.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    let mut results = vec![None; combinations.len()];
    let mut first_error: Option<(usize, BacktestError)> = None;
    for (index, outcome) in finished {
        match outcome {
            Ok(result) => results[index] = Some(result),
            Err(error) if first_error.as_ref().is_none_or(|(at, _)| index < *at) => {
                first_error = Some((index, error));
            }
            Err(_) => {}
        }
    }
    match first_error {
        Some((index, error)) => Err(SweepError::Combination { index, error }),
        None => Ok(results),
    }
}

/// Places of the combinations in the order of the work: those that share most stand together.
fn grouped(combinations: &[Combination]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..combinations.len()).collect();
    order.sort_by(|&one, &other| {
        let (one, other) = (&combinations[one].settings, &combinations[other].settings);
        hours_of(one)
            .cmp(&hours_of(other))
            .then_with(|| window_of(one).cmp(&window_of(other)))
    });
    order
}

/// What a timeline depends on, to be sorted by.
fn hours_of(settings: &EngineSettings) -> (i64, &str, Option<u32>, Option<u32>) {
    let session = &settings.session;
    (
        settings.strategy.sampling_ms,
        &session.time_zone,
        session.open_minute,
        session.flatten_at_minute,
    )
}

/// Window, ddof, whether a session empties the window, and whether z is of middles.
type WindowKey = (u32, u8, bool, bool);

/// What z depends on beside the timeline.
fn window_of(settings: &EngineSettings) -> WindowKey {
    let strategy = &settings.strategy;
    (
        strategy.window,
        strategy.ddof,
        strategy.reset_window == ResetWindow::Session,
        strategy.price == PriceKind::Mid,
    )
}

/// Cuts the order into pieces of one group each.
fn pieces(order: &[usize], combinations: &[Combination], threads: usize) -> Vec<Range<usize>> {
    let same = |one: usize, other: usize| {
        let (one, other) = (&combinations[one].settings, &combinations[other].settings);
        hours_of(one) == hours_of(other) && window_of(one) == window_of(other)
    };
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < order.len() {
        let group = order[from..]
            .iter()
            .take_while(|&&index| same(order[from], index))
            .count();
        let piece = group.div_ceil(threads).clamp(1, PIECE_MAX);
        let end = from + group;
        while from < end {
            let to = (from + piece).min(end);
            pieces.push(from..to);
            from = to;
        }
    }
    pieces
}

/// One thread's work: what the last combination needed is kept for the next.
struct Worker<'a> {
    bars: &'a Columns<'a>,
    contract: Option<&'a Contract>,
    spans: &'a [SessionSpan],
    watch: &'a SweepWatch,
    shared: Option<Shared>,
    closes_cents: Vec<i64>,
}

struct Shared {
    session: SessionSettings,
    sampling_ms: i64,
    timeline: Timeline,
    window: WindowKey,
    /// None where the sums want more than 64 bits.
    z: Option<ZSeries>,
}

impl Worker<'_> {
    /// None where it was stopped.
    fn run(
        &mut self,
        combination: &Combination,
    ) -> Result<Option<CombinationResult>, BacktestError> {
        let Combination { settings, fills } = combination;
        self.prepare(settings)?;
        let shared = self.shared.as_ref().expect("prepared above");
        let mut counted = 0;
        let count = |bars: usize, counted: &mut usize| {
            let more = u64::try_from(bars - *counted).expect("bars go forward");
            self.watch.bars_done.fetch_add(more, Ordering::Relaxed);
            *counted = bars;
        };
        let report = run_prepared(
            settings,
            fills,
            Prepared {
                bars: self.bars,
                timeline: &shared.timeline,
                z: shared.z.as_ref(),
                contract: self.contract,
            },
            std::mem::take(&mut self.closes_cents),
            |bars| {
                count(bars, &mut counted);
                !self.watch.is_stopped.load(Ordering::Relaxed)
            },
        );
        let mut report = match report {
            Ok(report) => report,
            Err(BacktestError::Stopped { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        count(self.bars.len(), &mut counted);
        self.closes_cents = std::mem::take(&mut report.equity_cents);
        Ok(Some(CombinationResult {
            both_touched: report.both_touched,
            spans: sums_of(&report, settings, fills.start_equity_cents, self.spans)?,
            statistics: report.statistics,
        }))
    }

    fn prepare(&mut self, settings: &EngineSettings) -> Result<(), BacktestError> {
        let sampling_ms = settings.strategy.sampling_ms;
        let window = window_of(settings);
        let timeline = match self.shared.take() {
            Some(shared)
                if shared.session == settings.session && shared.sampling_ms == sampling_ms =>
            {
                if shared.window == window {
                    self.shared = Some(shared);
                    return Ok(());
                }
                shared.timeline
            }
            Some(_) | None => Timeline::new(self.bars, &settings.session, sampling_ms)?,
        };
        let z = series_of(self.bars, &timeline, settings)?;
        self.shared = Some(Shared {
            session: settings.session.clone(),
            sampling_ms,
            timeline,
            window,
            z,
        });
        Ok(())
    }
}

/// Returns z at each close of the bars as these settings want it; none where it has to be rolled.
///
/// # Errors
/// A window or a ddof out of range, or middles that are wanted of bars without quotes.
pub fn series_of(
    bars: &Columns<'_>,
    timeline: &Timeline,
    settings: &EngineSettings,
) -> Result<Option<ZSeries>, BacktestError> {
    let (window, ddof, is_reset, _) = window_of(settings);
    let begins = |at| is_reset && timeline.begins(at);
    Ok(match bars.signal_closes(settings.strategy.price)? {
        SignalCloses::Last { close_ticks } => ZSeries::new(close_ticks, window, ddof, begins)?,
        closes @ SignalCloses::Mid { .. } => {
            ZSeries::of(bars.len(), |at| closes.at(at), window, ddof, begins)?
        }
    })
}

/// Returns the sums of a run over each span of its sessions. Positions end with their session, so sessions add up.
fn sums_of(
    report: &BacktestReport,
    settings: &EngineSettings,
    start_cents: i64,
    spans: &[SessionSpan],
) -> Result<Vec<SpanFigures>, BacktestError> {
    let trades_to = if spans.is_empty() {
        Vec::new()
    } else {
        trades_to(report, &settings.session)?
    };
    let of_span = |span: &SessionSpan| {
        let to = (span.to as usize).min(report.sessions.len());
        let from = (span.from as usize).min(to);
        let mut sums = SessionSums::default();
        for at in from..to {
            let (before_cents, first_trade) = match at {
                0 => (start_cents, 0),
                _ => (report.sessions[at - 1].equity_cents, trades_to[at - 1]),
            };
            sums.add_session(report.sessions[at].equity_cents - before_cents);
            for trade in &report.trades[first_trade..trades_to[at]] {
                sums.add_trade(trade.net_cents);
            }
        }
        SpanFigures::from(sums)
    };
    Ok(spans.iter().map(of_span).collect())
}

/// Of each session: how many trades had ended with it. A trade begins and ends in the session of its entry bar.
fn trades_to(
    report: &BacktestReport,
    session: &SessionSettings,
) -> Result<Vec<usize>, BacktestError> {
    let clock = ZonedClock::new(&session.time_zone)?;
    let day_of = |trade: &BacktestTrade| clock.trade_date(trade.entry_at_ms, session.open_minute);
    let mut ended = 0;
    let count = |day: &SessionEquity| {
        let of_day = report.trades[ended..].iter();
        ended += match session.open_minute {
            Some(_) => of_day
                .take_while(|trade| day_of(trade) == day.trade_date)
                .count(),
            // One endless session.
            None => of_day.count(),
        };
        ended
    };
    Ok(report.sessions.iter().map(count).collect())
}
