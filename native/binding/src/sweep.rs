//! Sweeps for JavaScript, off its thread and on as many of their own as asked, and the choice among their results.

use crate::backtest::{NativeBacktestControl, NativeBars, coded, json, refusal, words_of};
use napi::bindgen_prelude::{AsyncTask, Float64Array};
use napi::{Env, Task};
use napi_derive::napi;
use scalper_core::event::Contract;
use scalper_core::selection::{self, Objective, SelectionError, SessionSums, SpanFigures};
use scalper_core::sweep::{self, Combination, SessionSpan, SweepError, SweepWatch};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One sweep on threads of its own.
pub struct SweepTask {
    combinations: Vec<Combination>,
    spans: Vec<SessionSpan>,
    bars: NativeBars,
    contract: Option<Contract>,
    threads: usize,
    watch: Arc<SweepWatch>,
}

/// Runs backtests over the same bars, by `contract`'s hours and last trade date where it is given (Contract as JSON). `combinations` is Combination[], `spans` SessionSpan[], both as JSON; gives
/// (CombinationResult | null)[] as JSON in the same order, null where it was stopped before. Fails with a code before the
/// colon: BACKTEST_SETTINGS (the words name the combination), BACKTEST_BARS, or BACKTEST_PANIC for a fault of ours.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn sweep(
    combinations: String,
    spans: String,
    bars: NativeBars,
    threads: u32,
    control: &NativeBacktestControl,
    contract: Option<String>,
) -> napi::Result<AsyncTask<SweepTask>> {
    Ok(AsyncTask::new(SweepTask {
        combinations: serde_json::from_str(&combinations)
            .map_err(|error| coded("SETTINGS", error))?,
        spans: serde_json::from_str(&spans).map_err(|error| coded("SETTINGS", error))?,
        bars: bars.checked()?,
        contract: contract
            .map(|contract| serde_json::from_str(&contract))
            .transpose()
            .map_err(|error| coded("SETTINGS", error))?,
        threads: threads as usize,
        watch: Arc::clone(&control.watch),
    }))
}

impl Task for SweepTask {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        let run = || {
            let (columns, watch) = (self.bars.columns(), &self.watch);
            sweep::sweep(
                &columns,
                self.contract.as_ref(),
                &self.combinations,
                &self.spans,
                self.threads,
                watch,
            )
        };
        let found = catch_unwind(AssertUnwindSafe(run))
            .map_err(|panic| coded("PANIC", words_of(panic.as_ref())))?;
        match found {
            Ok(results) => json(serde_json::to_string(&results)),
            Err(SweepError::Combination { index, error }) => {
                let refused = refusal(error);
                let (code, words) = refused.reason.split_once(": ").unwrap_or(("", ""));
                Err(napi::Error::from_reason(format!(
                    "{code}: combination {}: {words}",
                    index + 1
                )))
            }
            Err(error @ SweepError::Threads { .. }) => Err(coded("SETTINGS", error)),
        }
    }

    fn resolve(&mut self, _env: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}

/// Numbers of one SessionSums in a table: sessions, trades, wins, netCents, squares, wonCents, lostCents.
const SUMS_NUMBERS: usize = 7;

/// Returns the place of the best by the objective ("sharpe", "net", "profit-factor"), the first of equals; null of none.
/// `table` has seven numbers a candidate: sessions, trades, wins, netCents, squares, wonCents, lostCents.
#[napi(catch_unwind)]
pub fn best_of(objective: String, table: Float64Array) -> napi::Result<Option<u32>> {
    let place = selection::best(objective_of(&objective)?, &sums_of(&table)?);
    Ok(place.and_then(|place| u32::try_from(place).ok()))
}

/// Returns SpanFigures as JSON of all sums of a table together; see `bestOf`.
#[napi(catch_unwind)]
pub fn sum_of(table: Float64Array) -> napi::Result<String> {
    let all = sums_of(&table)?;
    let sum = all
        .iter()
        .fold(SessionSums::default(), |sum, each| sum.and(each));
    json(serde_json::to_string(&SpanFigures::from(sum)))
}

/// One judgement of overfitting on a thread of the pool.
pub struct OverfittingTask {
    objective: Objective,
    blocks: usize,
    sums: Vec<SessionSums>,
    watch: Arc<SweepWatch>,
}

/// Returns Overfitting as JSON. `table` has `blocks` sums for each combination, in the order of time; see `bestOf`. Fails with
/// SELECTION_ARGUMENT, SELECTION_STOPPED or SELECTION_PANIC before the colon.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn overfitting(
    objective: String,
    blocks: u32,
    table: Float64Array,
    control: &NativeBacktestControl,
) -> napi::Result<AsyncTask<OverfittingTask>> {
    Ok(AsyncTask::new(OverfittingTask {
        objective: objective_of(&objective)?,
        blocks: blocks as usize,
        sums: sums_of(&table)?,
        watch: Arc::clone(&control.watch),
    }))
}

impl Task for OverfittingTask {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        let go_on = || !self.watch.is_stopped.load(Ordering::Relaxed);
        let judge = || selection::overfitting(self.objective, &self.sums, self.blocks, go_on);
        let found = catch_unwind(AssertUnwindSafe(judge)).map_err(|panic| {
            napi::Error::from_reason(format!("SELECTION_PANIC: {}", words_of(panic.as_ref())))
        })?;
        match found {
            Ok(found) => json(serde_json::to_string(&found)),
            Err(error @ SelectionError::Stopped) => Err(napi::Error::from_reason(format!(
                "SELECTION_STOPPED: {error}"
            ))),
            Err(error) => Err(argument(error)),
        }
    }

    fn resolve(&mut self, _env: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}

fn objective_of(name: &str) -> napi::Result<Objective> {
    serde_json::from_value(serde_json::Value::from(name)).map_err(argument)
}

fn sums_of(table: &[f64]) -> napi::Result<Vec<SessionSums>> {
    let rows = table.chunks_exact(SUMS_NUMBERS);
    if !rows.remainder().is_empty() {
        return Err(argument(format!(
            "{} numbers are no table of {SUMS_NUMBERS} columns",
            table.len()
        )));
    }
    Ok(rows
        .map(|row| SessionSums {
            sessions: row[0] as u32,
            trades: row[1] as u32,
            wins: row[2] as u32,
            net_cents: row[3] as i64,
            squares: row[4],
            won_cents: row[5] as i64,
            lost_cents: row[6] as i64,
        })
        .collect())
}

fn argument(error: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(format!("SELECTION_ARGUMENT: {error}"))
}
