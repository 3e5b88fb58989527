//! The engine for JavaScript: journal frames in, effects as JSON out. A panic becomes an exception; after one the engine
//! must be thrown away.

use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi_derive::napi;
use scalper_core::engine::Engine;

/// The engine behind src/engine.ts.
#[napi]
pub struct NativeEngine {
    engine: Engine,
    poisoned: bool,
}

#[napi]
impl NativeEngine {
    /// Takes a snapshot to go on from; null begins anew.
    #[napi(constructor, catch_unwind)]
    pub fn new(snapshot: Option<String>) -> napi::Result<Self> {
        let engine = match snapshot {
            Some(text) => Engine::restore(&text).map_err(fault)?,
            None => Engine::new(),
        };
        Ok(NativeEngine {
            engine,
            poisoned: false,
        })
    }

    /// Applies framed journal records in order; returns Caused[] as JSON, or null where there are none.
    #[napi(catch_unwind)]
    pub fn apply(&mut self, frames: Uint8Array) -> napi::Result<Option<String>> {
        if self.poisoned {
            return Err(napi::Error::from_reason(
                "ENGINE_BROKEN: an earlier call failed in its middle; begin anew from the journal",
            ));
        }
        self.poisoned = true;
        let mut effects = Vec::new();
        self.engine.apply(&frames, &mut effects).map_err(fault)?;
        self.poisoned = false;
        if effects.is_empty() {
            return Ok(None);
        }
        serde_json::to_string(&effects).map(Some).map_err(fault)
    }

    /// Returns the Status as JSON.
    #[napi(catch_unwind)]
    pub fn status(&self) -> napi::Result<String> {
        serde_json::to_string(&self.engine.status().map_err(fault)?).map_err(fault)
    }

    /// Returns the whole state as JSON.
    #[napi(catch_unwind)]
    pub fn snapshot(&self) -> napi::Result<String> {
        self.engine.snapshot().map_err(fault)
    }

    /// Returns a hash of the whole state as 16 hexadecimal digits.
    #[napi(catch_unwind)]
    pub fn state_hash(&self) -> napi::Result<String> {
        Ok(format!("{:016x}", self.engine.state_hash().map_err(fault)?))
    }
}

/// Returns z for each price over the last `window` prices; NaN where it is undefined.
#[napi(catch_unwind)]
pub fn zscore(prices: Float64Array, window: u32, ddof: u32) -> napi::Result<Float64Array> {
    if window < 2 || ddof > 1 {
        return Err(napi::Error::from_reason(format!(
            "ZSCORE_ARGUMENT: a window of {window} with ddof {ddof}; allowed are windows from 2 and ddof 0 or 1"
        )));
    }
    let window = usize::try_from(window).map_err(fault)?;
    Ok(Float64Array::new(scalper_core::zscore::zscore(
        &prices, window, ddof,
    )))
}

/// Returns the version of this build; the program refuses another.
#[napi(catch_unwind)]
pub fn version() -> napi::Result<String> {
    Ok(env!("CARGO_PKG_VERSION").to_owned())
}

fn fault(error: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}
