//! Round trips for JavaScript, by columns: as JSON they would cost more than the backtest that made them.

use crate::backtest::coded;
use napi::bindgen_prelude::{Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use scalper_core::backtest::BacktestTrade;
use serde_json::Value;

/// BacktestTrade[] by columns, all of one length, in order of the exits. The fields are those of BacktestTrade; `side` and
/// `reason` are places in the lists of their words.
#[napi(object)]
pub struct NativeTrades {
    pub trade_id: Uint32Array,
    pub side: Uint8Array,
    pub side_words: Vec<String>,
    pub quantity: Uint32Array,
    pub signal_at_ms: Float64Array,
    pub entry_at_ms: Float64Array,
    pub entry_ticks: Float64Array,
    pub exit_at_ms: Float64Array,
    pub exit_ticks: Float64Array,
    pub reason: Uint8Array,
    pub reason_words: Vec<String>,
    pub bars: Uint32Array,
    pub gross_cents: Float64Array,
    pub fees_cents: Float64Array,
    pub net_cents: Float64Array,
    pub slippage_cents: Float64Array,
    pub z_signal: Float64Array,
}

impl NativeTrades {
    pub(crate) fn of(trades: &[BacktestTrade]) -> napi::Result<Self> {
        let sides = trades.iter().map(|trade| trade.side);
        let (side, side_words) = places(sides, |word| serde_json::to_value(word))?;
        let reasons = trades.iter().map(|trade| trade.reason);
        let (reason, reason_words) = places(reasons, |word| serde_json::to_value(word))?;
        let whole = |of: fn(&BacktestTrade) -> i64| {
            Float64Array::new(trades.iter().map(|trade| of(trade) as f64).collect())
        };
        let count =
            |of: fn(&BacktestTrade) -> u32| Uint32Array::new(trades.iter().map(of).collect());
        Ok(Self {
            trade_id: count(|trade| trade.trade_id),
            side,
            side_words,
            quantity: count(|trade| trade.quantity),
            signal_at_ms: whole(|trade| trade.signal_at_ms),
            entry_at_ms: whole(|trade| trade.entry_at_ms),
            entry_ticks: whole(|trade| trade.entry_ticks),
            exit_at_ms: whole(|trade| trade.exit_at_ms),
            exit_ticks: whole(|trade| trade.exit_ticks),
            reason,
            reason_words,
            bars: count(|trade| trade.bars),
            gross_cents: whole(|trade| trade.gross_cents),
            fees_cents: whole(|trade| trade.fees_cents),
            net_cents: whole(|trade| trade.net_cents),
            slippage_cents: whole(|trade| trade.slippage_cents),
            z_signal: Float64Array::new(trades.iter().map(|trade| trade.z_signal).collect()),
        })
    }
}

/// Returns each word's place in the list of those that occur, and the list, as JSON spells them.
fn places<Word: PartialEq>(
    words: impl Iterator<Item = Word>,
    spell: fn(&Word) -> serde_json::Result<Value>,
) -> napi::Result<(Uint8Array, Vec<String>)> {
    let mut list: Vec<Word> = Vec::new();
    let places = words
        .map(|word| {
            let place = list.iter().position(|known| *known == word);
            let place = place.unwrap_or_else(|| {
                list.push(word);
                list.len() - 1
            });
            u8::try_from(place).map_err(|error| coded("PANIC", error))
        })
        .collect::<napi::Result<Vec<u8>>>()?;
    let spelled = list.iter().map(|word| match spell(word) {
        Ok(Value::String(word)) => Ok(word),
        Ok(other) => Err(coded("PANIC", format!("{other} is no word"))),
        Err(error) => Err(coded("PANIC", error)),
    });
    Ok((
        Uint8Array::new(places),
        spelled.collect::<napi::Result<_>>()?,
    ))
}
