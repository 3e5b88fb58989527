//! Backtests for JavaScript, off its thread: bars by columns without a copy, figures out, progress to look at, a flag to stop.

use napi::bindgen_prelude::{AsyncTask, Float64Array, Int32Array};
use napi::{Env, Task};
use napi_derive::napi;
use scalper_core::backtest::{
    Backtest, BacktestError, BacktestReport, FillModel, Intrabar, PROGRESS_BARS,
};
use scalper_core::event::{Bar, Contract};
use scalper_core::settings::EngineSettings;
use scalper_core::statistics::StudySettings;
use scalper_core::zscore::RollingZ;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Watches and stops one backtest.
#[napi]
pub struct NativeBacktestControl {
    pub(crate) shared: Arc<Control>,
}

#[derive(Default)]
pub(crate) struct Control {
    is_stopped: AtomicBool,
    bars: AtomicU32,
}

impl Control {
    /// Notes how much is done and returns whether to go on.
    pub(crate) fn note(&self, done: usize) -> bool {
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        self.bars.store(done, Ordering::Relaxed);
        !self.is_stopped.load(Ordering::Relaxed)
    }
}

#[napi]
impl NativeBacktestControl {
    /// Makes a control for one backtest.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        NativeBacktestControl {
            shared: Arc::default(),
        }
    }

    /// Stops it at the next thousands of bars; it then fails with BACKTEST_STOPPED.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Returns the number of bars done so far.
    #[napi(catch_unwind)]
    pub fn bars_done(&self) -> u32 {
        self.shared.bars.load(Ordering::Relaxed)
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
}

/// What a backtest found.
#[napi(object)]
pub struct NativeBacktest {
    /// BacktestReport as JSON.
    pub report: String,
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
    control: Arc<Control>,
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
    let length = bars.open_at_ms.len();
    for column in [
        &bars.open_ticks,
        &bars.high_ticks,
        &bars.low_ticks,
        &bars.close_ticks,
    ] {
        if column.len() != length {
            return Err(coded("BARS", "the columns differ in length"));
        }
    }
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
        bars,
        control: Arc::clone(&control.shared),
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
        let (report, z) = self.report(&self.fills)?;
        let other_intrabar = if report.both_touched > 0 {
            let other = FillModel {
                intrabar: match self.fills.intrabar {
                    Intrabar::StopFirst => Intrabar::TargetFirst,
                    Intrabar::TargetFirst => Intrabar::StopFirst,
                },
                ..self.fills
            };
            Some(json(serde_json::to_string(
                &self.report(&other)?.0.statistics,
            ))?)
        } else {
            None
        };
        let study = self
            .study
            .map(|study| report.study(&study, self.fills.start_equity_cents))
            .map(|study| json(serde_json::to_string(&study)))
            .transpose()?;
        Ok(NativeBacktest {
            other_intrabar,
            study,
            equity_cents: Float64Array::new(
                report
                    .equity_cents
                    .iter()
                    .map(|&cents| cents as f64)
                    .collect(),
            ),
            report: json(serde_json::to_string(&report))?,
            z: Float64Array::new(z),
        })
    }

    fn report(&self, fills: &FillModel) -> napi::Result<(BacktestReport, Vec<f64>)> {
        let NativeBars {
            open_at_ms,
            open_ticks,
            high_ticks,
            low_ticks,
            close_ticks,
        } = &self.bars;
        // Slices, once: indexing the typed arrays themselves goes through a pointer each time.
        let open_at_ms: &[f64] = open_at_ms;
        let open_ticks: &[i32] = open_ticks;
        let high_ticks: &[i32] = high_ticks;
        let low_ticks: &[i32] = low_ticks;
        let close_ticks: &[i32] = close_ticks;
        let mut backtest = Backtest::new(&self.settings, fills).map_err(refusal)?;
        if let Some(contract) = &self.contract {
            backtest.know(contract);
        }
        backtest.expect_bars(open_at_ms.len());
        for index in 0..open_at_ms.len() {
            if index % PROGRESS_BARS == 0 && !self.control.note(index) {
                return Err(refusal(BacktestError::Stopped { bars: index }));
            }
            let bar = Bar {
                open_at_ms: open_at_ms[index] as i64,
                open_ticks: open_ticks[index],
                high_ticks: high_ticks[index],
                low_ticks: low_ticks[index],
                close_ticks: close_ticks[index],
                volume: 0,
            };
            let next_ms = open_at_ms.get(index + 1).map(|&next_ms| next_ms as i64);
            backtest.push(&bar, next_ms).map_err(refusal)?;
        }
        let z = backtest.take_z();
        Ok((backtest.finish(), z))
    }
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
        | BacktestError::TickValue { .. } => coded("SETTINGS", error),
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
