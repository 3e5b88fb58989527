//! Backtests on trades and quotes for JavaScript, off its thread: packed records in without a copy, figures and bars out.

use crate::backtest::{NativeBacktestControl, NativeBars, coded, json, refusal, words_of};
use crate::trades::NativeTrades;
use napi::bindgen_prelude::{AsyncTask, Float64Array, Int32Array, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use scalper_core::backtest::{FillModel, TickModel, run_ticks};
use scalper_core::event::Bar;
use scalper_core::settings::EngineSettings;
use scalper_core::statistics::StudySettings;
use scalper_core::sweep::SweepWatch;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a backtest on ticks found.
#[napi(object)]
pub struct NativeTickBacktest {
    /// BacktestReport as JSON, its trades left out.
    pub report: String,
    /// Its trades.
    pub trades: NativeTrades,
    /// Study as JSON, where one was asked for.
    pub study: Option<String>,
    /// The bars that the engine made.
    pub bars: NativeBars,
    /// At each bar's close.
    pub equity_cents: Float64Array,
    /// At each bar's close; NaN where undefined.
    pub z: Float64Array,
}

/// One run on a thread of the pool.
pub struct TickTask {
    settings: EngineSettings,
    fills: FillModel,
    model: TickModel,
    study: Option<StudySettings>,
    records: Uint8Array,
    watch: Arc<SweepWatch>,
}

/// Runs a backtest over market records of 40 bytes, oldest first, which are read in place from another thread: leave them
/// alone until the promise settles. `settings` is EngineSettings, `fills` FillModel, `model` TickModel, `study` StudySettings
/// where one is wanted, all as JSON. Fails with the codes of `backtest`; the control counts records.
#[napi(catch_unwind, ts_return_type = "Promise<NativeTickBacktest>")]
pub fn backtest_ticks(
    settings: String,
    fills: String,
    model: String,
    records: Uint8Array,
    control: &NativeBacktestControl,
    study: Option<String>,
) -> napi::Result<AsyncTask<TickTask>> {
    let refused = |error: serde_json::Error| coded("SETTINGS", error);
    Ok(AsyncTask::new(TickTask {
        settings: serde_json::from_str(&settings).map_err(refused)?,
        fills: serde_json::from_str(&fills).map_err(refused)?,
        model: serde_json::from_str(&model).map_err(refused)?,
        study: study
            .map(|study| serde_json::from_str(&study))
            .transpose()
            .map_err(refused)?,
        records,
        watch: Arc::clone(&control.watch),
    }))
}

impl Task for TickTask {
    type Output = NativeTickBacktest;
    type JsValue = NativeTickBacktest;

    fn compute(&mut self) -> napi::Result<NativeTickBacktest> {
        catch_unwind(AssertUnwindSafe(|| self.run()))
            .unwrap_or_else(|panic| Err(coded("PANIC", words_of(panic.as_ref()))))
    }

    fn resolve(
        &mut self,
        _env: Env,
        output: NativeTickBacktest,
    ) -> napi::Result<NativeTickBacktest> {
        Ok(output)
    }
}

impl TickTask {
    fn run(&self) -> napi::Result<NativeTickBacktest> {
        let mut found = run_ticks(
            &self.settings,
            &self.fills,
            &self.model,
            &self.records,
            |records| self.watch.note(records),
        )
        .map_err(refusal)?;
        let report = &mut found.report;
        let study = self
            .study
            .map(|study| report.study(&study, self.fills.start_equity_cents))
            .map(|study| json(serde_json::to_string(&study)))
            .transpose()?;
        let cents = std::mem::take(&mut report.equity_cents).into_iter();
        let trades = NativeTrades::of(&std::mem::take(&mut report.trades))?;
        Ok(NativeTickBacktest {
            trades,
            report: json(serde_json::to_string(report))?,
            study,
            equity_cents: Float64Array::new(cents.map(|cents| cents as f64).collect()),
            bars: columns_of(&found.bars),
            z: Float64Array::new(found.z),
        })
    }
}

fn columns_of(bars: &[Bar]) -> NativeBars {
    let ticks = |of: fn(&Bar) -> i32| Int32Array::new(bars.iter().map(of).collect());
    NativeBars {
        open_at_ms: Float64Array::new(bars.iter().map(|bar| bar.open_at_ms as f64).collect()),
        open_ticks: ticks(|bar| bar.open_ticks),
        high_ticks: ticks(|bar| bar.high_ticks),
        low_ticks: ticks(|bar| bar.low_ticks),
        close_ticks: ticks(|bar| bar.close_ticks),
        bid_ticks: None,
        ask_ticks: None,
    }
}
