//! The exchange for JavaScript: orders, changes, reports and figures as JSON, market records packed. A panic becomes an
//! exception; after one the exchange must be thrown away.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use scalper_core::exchange::Exchange;
use scalper_core::exchange::words::ExchangeReport;

/// Fills orders against a market. Its words are in native/exchange.d.ts; every method that changes something returns an
/// ExchangeReport[] as JSON.
#[napi]
pub struct NativeExchange {
    exchange: Exchange,
}

#[napi]
impl NativeExchange {
    /// Takes ExchangeSettings as JSON and a snapshot to go on from.
    #[napi(constructor, catch_unwind)]
    pub fn new(settings: String, snapshot: Option<String>) -> napi::Result<Self> {
        let settings = serde_json::from_str(&settings).map_err(fault)?;
        let exchange = Exchange::new(settings, snapshot.as_deref()).map_err(fault)?;
        Ok(NativeExchange { exchange })
    }

    /// Takes packed market records of 40 bytes (see core's exchange/record.rs); null where nothing came of them.
    #[napi(catch_unwind)]
    pub fn market(&mut self, batch: Uint8Array) -> napi::Result<Option<String>> {
        let mut out = Vec::new();
        self.exchange.market(&batch, &mut out).map_err(fault)?;
        some_json(&out)
    }

    /// Returns packed market records as the price limits let them happen; null where that changes nothing. They have not
    /// happened by that: `market` still takes them.
    #[napi(catch_unwind)]
    pub fn limited(&self, batch: Uint8Array) -> napi::Result<Option<Uint8Array>> {
        let limited = self.exchange.limited(&batch).map_err(fault)?;
        Ok(limited.map(Uint8Array::new))
    }

    /// Returns ExchangeLimits[] at a time as JSON, one for each contract that has limits.
    #[napi(catch_unwind)]
    pub fn limits(&self, at_ms: i64) -> napi::Result<String> {
        text(serde_json::to_string(&self.exchange.limits(at_ms)))
    }

    /// Tells a contract's limits their reference, or with null lets them forget what they have seen.
    #[napi(catch_unwind)]
    pub fn set_reference(&mut self, at_ms: i64, instrument_id: i64, price_ticks: Option<i32>) {
        self.exchange
            .set_reference(at_ms, instrument_id, price_ticks);
    }

    /// Lets time pass without market records; null where nothing came of it.
    #[napi(catch_unwind)]
    pub fn advance(&mut self, at_ms: i64) -> napi::Result<Option<String>> {
        let mut out = Vec::new();
        self.exchange.advance(at_ms, &mut out);
        some_json(&out)
    }

    /// Takes NewOrder[] as JSON, a parent before its children.
    #[napi(catch_unwind)]
    pub fn submit(&mut self, at_ms: i64, orders: String) -> napi::Result<String> {
        let orders: Vec<_> = serde_json::from_str(&orders).map_err(fault)?;
        let mut out = Vec::new();
        self.exchange.submit(at_ms, &orders, &mut out);
        text(serde_json::to_string(&out))
    }

    /// Takes OrderChanges as JSON.
    #[napi(catch_unwind)]
    pub fn modify(&mut self, at_ms: i64, order_key: i64, changes: String) -> napi::Result<String> {
        let changes = serde_json::from_str(&changes).map_err(fault)?;
        let mut out = Vec::new();
        self.exchange.modify(at_ms, order_key, changes, &mut out);
        text(serde_json::to_string(&out))
    }

    /// Asks for an order's end.
    #[napi(catch_unwind)]
    pub fn cancel(&mut self, at_ms: i64, order_key: i64) -> napi::Result<String> {
        let mut out = Vec::new();
        self.exchange.cancel(at_ms, order_key, &mut out);
        text(serde_json::to_string(&out))
    }

    /// Asks for the end of all orders.
    #[napi(catch_unwind)]
    pub fn cancel_all(&mut self, at_ms: i64) -> napi::Result<String> {
        let mut out = Vec::new();
        self.exchange.cancel_all(at_ms, &mut out);
        text(serde_json::to_string(&out))
    }

    /// Opens or closes the market.
    #[napi(catch_unwind)]
    pub fn set_open(&mut self, at_ms: i64, open: bool) -> napi::Result<String> {
        let mut out = Vec::new();
        self.exchange.set_open(at_ms, open, &mut out);
        text(serde_json::to_string(&out))
    }

    /// Ends the session: day orders expire.
    #[napi(catch_unwind)]
    pub fn session_ends(&mut self, at_ms: i64) -> napi::Result<String> {
        let mut out = Vec::new();
        self.exchange.session_ends(at_ms, &mut out);
        text(serde_json::to_string(&out))
    }

    /// Returns ExchangeOrderStatus[] as JSON.
    #[napi(catch_unwind)]
    pub fn orders(&self) -> napi::Result<String> {
        text(serde_json::to_string(&self.exchange.orders()))
    }

    /// Returns ExchangePosition[] as JSON.
    #[napi(catch_unwind)]
    pub fn positions(&self) -> napi::Result<String> {
        text(serde_json::to_string(&self.exchange.positions()))
    }

    /// Returns ExchangeAccount[] as JSON, the first account first.
    #[napi(catch_unwind)]
    pub fn account(&self) -> napi::Result<String> {
        text(serde_json::to_string(&self.exchange.accounts()))
    }

    /// Returns today's ExchangeFill[] as JSON, oldest first.
    #[napi(catch_unwind)]
    pub fn fills(&self) -> napi::Result<String> {
        text(serde_json::to_string(
            &self.exchange.fills().collect::<Vec<_>>(),
        ))
    }

    /// Returns the whole state as JSON.
    #[napi(catch_unwind)]
    pub fn snapshot(&self) -> napi::Result<String> {
        self.exchange.snapshot().map_err(fault)
    }
}

fn some_json(reports: &[ExchangeReport]) -> napi::Result<Option<String>> {
    if reports.is_empty() {
        Ok(None)
    } else {
        text(serde_json::to_string(reports)).map(Some)
    }
}

fn text(printed: serde_json::Result<String>) -> napi::Result<String> {
    printed.map_err(fault)
}

fn fault(error: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}
