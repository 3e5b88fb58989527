//! Backtests for JavaScript, off its thread: bars by columns without a copy, figures out, progress to look at, a flag to stop.

use crate::trades::NativeTrades;
use napi::bindgen_prelude::{AsyncTask, Float64Array, Int32Array};
use napi::{Env, Task};
use napi_derive::napi;
use scalper_core::backtest::{
    BacktestError, BacktestReport, Columns, FillModel, Intrabar, Prepared, Quotes, Timeline,
    run_prepared,
};
use scalper_core::event::Contract;
use scalper_core::settings::{EngineSettings, ResetWindow};
use scalper_core::statistics::StudySettings;
use scalper_core::sweep::{SweepWatch, series_of};
use scalper_core::zscore::RollingZ;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Watches and stops one backtest or sweep.
#[napi]
pub struct NativeBacktestControl {
    pub(crate) watch: Arc<SweepWatch>,
}

#[napi]
impl NativeBacktestControl {
    /// Makes a control for one run.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        NativeBacktestControl {
            watch: Arc::default(),
        }
    }

    /// Stops it at the next thousands of bars: a backtest then fails with BACKTEST_STOPPED, a sweep gives what was done.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.watch.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Returns the number of bars done so far, of all combinations together.
    #[napi(catch_unwind)]
    pub fn bars_done(&self) -> f64 {
        self.watch.bars_done.load(Ordering::Relaxed) as f64
    }
}

/// Bars by columns, all of one length. They are read in place from another thread: leave them alone until the promise settles.
#[napi(object)]
pub struct NativeBars {
    /// Milliseconds since 1970 UTC, whole numbers.
    pub open_at_ms: Float64Array,
    pub open_ticks: Int32Array,
    pub high_ticks: Int32Array,
    pub low_ticks: Int32Array,
    pub close_ticks: Int32Array,
    /// Best bid and ask at each close, -2^31 where there is none; both or neither. What z is of where `strategy.price` is `mid`.
    pub bid_ticks: Option<Int32Array>,
    pub ask_ticks: Option<Int32Array>,
}

impl NativeBars {
    /// Returns the columns, or an error where they differ in length.
    pub(crate) fn checked(self) -> napi::Result<Self> {
        let length = self.open_at_ms.len();
        let columns = [
            &self.open_ticks,
            &self.high_ticks,
            &self.low_ticks,
            &self.close_ticks,
        ];
        if self.bid_ticks.is_some() != self.ask_ticks.is_some() {
            return Err(coded(
                "BARS",
                "there is a bid without an ask, or an ask without a bid",
            ));
        }
        let quotes = [&self.bid_ticks, &self.ask_ticks].into_iter().flatten();
        if columns
            .into_iter()
            .chain(quotes)
            .any(|column| column.len() != length)
        {
            return Err(coded("BARS", "the columns differ in length"));
        }
        Ok(self)
    }

    /// Slices, once: indexing the typed arrays themselves goes through a pointer each time.
    pub(crate) fn columns(&self) -> Columns<'_> {
        Columns {
            open_at_ms: &self.open_at_ms,
            open_ticks: &self.open_ticks,
            high_ticks: &self.high_ticks,
            low_ticks: &self.low_ticks,
            close_ticks: &self.close_ticks,
            quotes: match (&self.bid_ticks, &self.ask_ticks) {
                (Some(bid_ticks), Some(ask_ticks)) => Some(Quotes {
                    bid_ticks,
                    ask_ticks,
                }),
                (Some(_) | None, _) => None,
            },
        }
    }
}

/// What a backtest found.
#[napi(object)]
pub struct NativeBacktest {
    /// BacktestReport as JSON, its trades left out.
    pub report: String,
    /// Its trades.
    pub trades: NativeTrades,
    /// Statistics as JSON of the same run with the other order of stop and target inside a bar; null where no bar held both.
    pub other_intrabar: Option<String>,
    /// Study as JSON, where one was asked for.
    pub study: Option<String>,
    /// At each bar's close.
    pub equity_cents: Float64Array,
    /// At each bar's close; NaN where undefined.
    pub z: Float64Array,
}

/// One run on a thread of the pool.
pub struct BacktestTask {
    settings: EngineSettings,
    fills: FillModel,
    study: Option<StudySettings>,
    contract: Option<Contract>,
    bars: NativeBars,
    watch: Arc<SweepWatch>,
}

/// Runs a backtest over bars, oldest first. `settings` is EngineSettings, `fills` FillModel, `study` StudySettings where one
/// is wanted, `contract` Contract where its hours or its last trade date are known, all as JSON. Fails with a code before the colon: BACKTEST_SETTINGS, BACKTEST_BARS, BACKTEST_STOPPED, or
/// BACKTEST_PANIC for a fault of ours.
#[napi(catch_unwind, ts_return_type = "Promise<NativeBacktest>")]
pub fn backtest(
    settings: String,
    fills: String,
    bars: NativeBars,
    control: &NativeBacktestControl,
    study: Option<String>,
    contract: Option<String>,
) -> napi::Result<AsyncTask<BacktestTask>> {
    Ok(AsyncTask::new(BacktestTask {
        settings: serde_json::from_str(&settings).map_err(|error| coded("SETTINGS", error))?,
        fills: serde_json::from_str(&fills).map_err(|error| coded("SETTINGS", error))?,
        study: study
            .map(|study| serde_json::from_str(&study))
            .transpose()
            .map_err(|error| coded("SETTINGS", error))?,
        contract: contract
            .map(|contract| serde_json::from_str(&contract))
            .transpose()
            .map_err(|error| coded("SETTINGS", error))?,
        bars: bars.checked()?,
        watch: Arc::clone(&control.watch),
    }))
}

impl Task for BacktestTask {
    type Output = NativeBacktest;
    type JsValue = NativeBacktest;

    fn compute(&mut self) -> napi::Result<NativeBacktest> {
        catch_unwind(AssertUnwindSafe(|| self.run()))
            .unwrap_or_else(|panic| Err(coded("PANIC", words_of(panic.as_ref()))))
    }

    fn resolve(&mut self, _env: Env, output: NativeBacktest) -> napi::Result<NativeBacktest> {
        Ok(output)
    }
}

impl BacktestTask {
    fn run(&self) -> napi::Result<NativeBacktest> {
        let columns = self.bars.columns();
        let session = &self.settings.session;
        let timeline = Timeline::new(&columns, session, self.settings.strategy.sampling_ms)
            .map_err(refusal)?;
        let z = series_of(&columns, &timeline, &self.settings).map_err(refusal)?;
        let prepared = Prepared {
            bars: &columns,
            timeline: &timeline,
            z: z.as_ref(),
            contract: self.contract.as_ref(),
        };
        let run = |fills: &FillModel| self.report(fills, prepared);
        let mut report = run(&self.fills)?;
        // In place: a number is as long in either form.
        let cents = std::mem::take(&mut report.equity_cents).into_iter();
        let equity_cents = Float64Array::new(cents.map(|cents| cents as f64).collect());
        let other_intrabar = if report.both_touched > 0 {
            let other = FillModel {
                intrabar: match self.fills.intrabar {
                    Intrabar::StopFirst => Intrabar::TargetFirst,
                    Intrabar::TargetFirst => Intrabar::StopFirst,
                },
                ..self.fills
            };
            Some(json(serde_json::to_string(&run(&other)?.statistics))?)
        } else {
            None
        };
        let study = self
            .study
            .map(|study| report.study(&study, self.fills.start_equity_cents))
            .map(|study| json(serde_json::to_string(&study)))
            .transpose()?;
        let z = match z {
            Some(series) => series.into_z(),
            None => rolled(&columns, &timeline, &self.settings)?,
        };
        let trades = NativeTrades::of(&std::mem::take(&mut report.trades))?;
        Ok(NativeBacktest {
            study,
            trades,
            report: json(serde_json::to_string(&report))?,
            other_intrabar,
            equity_cents,
            z: Float64Array::new(z),
        })
    }

    fn report(&self, fills: &FillModel, prepared: Prepared<'_>) -> napi::Result<BacktestReport> {
        let go_on = |bars| self.watch.note(bars);
        run_prepared(&self.settings, fills, prepared, Vec::new(), go_on).map_err(refusal)
    }
}

/// z at each close one by one, where the sums want more than 64 bits.
fn rolled(
    columns: &Columns<'_>,
    timeline: &Timeline,
    settings: &EngineSettings,
) -> napi::Result<Vec<f64>> {
    let strategy = &settings.strategy;
    let mut rolling =
        RollingZ::new(strategy.window, strategy.ddof).map_err(|error| refusal(error.into()))?;
    let closes = columns.signal_closes(strategy.price).map_err(refusal)?;
    Ok((0..columns.len())
        .map(|index| {
            if strategy.reset_window == ResetWindow::Session && timeline.begins(index) {
                rolling.clear();
            }
            rolling.push(closes.at(index)).z.unwrap_or(f64::NAN)
        })
        .collect())
}

/// Returns z of each whole number (prices in ticks, say) over the last `window` of them, by exact sums; NaN where undefined.
#[napi(catch_unwind)]
pub fn zscore_exact(units: Float64Array, window: u32, ddof: u8) -> napi::Result<Float64Array> {
    let mut rolling = RollingZ::new(window, ddof)
        .map_err(|error| napi::Error::from_reason(format!("ZSCORE_ARGUMENT: {error}")))?;
    let z = units
        .iter()
        .map(|&unit| rolling.push(unit as i64).z.unwrap_or(f64::NAN));
    Ok(Float64Array::new(z.collect()))
}

pub(crate) fn refusal(error: BacktestError) -> napi::Error {
    match &error {
        BacktestError::Window(_)
        | BacktestError::Calendar(_)
        | BacktestError::StartEquity { .. }
        | BacktestError::TickValue { .. }
        | BacktestError::NoQuotes => coded("SETTINGS", error),
        BacktestError::BarOrder { .. }
        | BacktestError::BarShape { .. }
        | BacktestError::Records(_)
        | BacktestError::Exchange(_) => coded("BARS", error),
        BacktestError::Fault(_) => coded("PANIC", error),
        BacktestError::Stopped { .. } => coded("STOPPED", error),
    }
}

pub(crate) fn coded(code: &str, words: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(format!("BACKTEST_{code}: {words}"))
}

pub(crate) fn words_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}

pub(crate) fn json(printed: serde_json::Result<String>) -> napi::Result<String> {
    printed.map_err(|error| coded("PANIC", error))
}
