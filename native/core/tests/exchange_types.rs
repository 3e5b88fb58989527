//! Holds the generated words of the exchange, `native/exchange.d.ts`, to what the core declares.
//! `UPDATE_TYPES=1 cargo test -p scalper-core --test exchange_types` writes the file anew.

use scalper_core::exchange::words;
use std::{env, fs, path::Path};
use ts_rs::{Config, TS};

macro_rules! declarations {
    ($config:expr, $($type:ty),+ $(,)?) => {{
        let mut text = String::from(
            "// Generated from native/core by its test `exchange_types`; never edited by hand.\nimport type { Side } from \"./types.d.ts\";\n",
        );
        $(
            if let Some(docs) = <$type as TS>::docs() {
                text.push('\n');
                text.push_str(docs.trim_end());
            }
            text.push_str("\nexport ");
            text.push_str(&<$type as TS>::decl(&$config));
            text.push('\n');
        )+
        text
    }};
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test compares a file on the disk with the core"
)]
fn the_committed_words_are_those_of_the_exchange() {
    // Every integer that crosses the border stays below 2^53.
    let config = Config::default().with_large_int("number");
    let text = declarations!(
        config,
        words::ExchangeSettings,
        words::ExchangeInstrument,
        words::Resting,
        words::NewOrder,
        words::ExchangeOrderKind,
        words::ExchangeTif,
        words::OrderChanges,
        words::ExchangeReport,
        words::ExchangeFill,
        words::Liquidity,
        words::HeldReason,
        words::CancelReason,
        words::RejectReason,
        words::ExchangeOrderStatus,
        words::OrderStage,
        words::ExchangePosition,
        words::ExchangeAccount,
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../exchange.d.ts");

    if env::var_os("UPDATE_TYPES").is_some() {
        fs::write(&path, &text).expect("native/exchange.d.ts can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();

    assert!(
        committed == text,
        "native/exchange.d.ts differs from the core: run UPDATE_TYPES=1 cargo test -p scalper-core --test exchange_types"
    );
}
