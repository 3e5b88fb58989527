//! Holds the generated words of the exchange, `native/exchange.d.ts`, to what the core declares.
//! `UPDATE_TYPES=1 cargo test -p scalper-core --test exchange_types` writes the file anew.

#[macro_use]
#[path = "support/declarations.rs"]
mod declarations;

use scalper_core::exchange::words;

#[test]
fn the_committed_words_are_those_of_the_exchange() {
    let text = declarations!(
        "// Generated from native/core by its test `exchange_types`; never edited by hand.\nimport type { Side } from \"./types.d.ts\";\n",
        words::ExchangeSettings,
        words::ExchangeInstrument,
        words::PriceLimits,
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
        words::ExchangeLimits,
        words::LimitPrice,
        words::LimitStanding,
    );

    declarations::hold("exchange.d.ts", "exchange_types", &text);
}
