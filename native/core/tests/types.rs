//! Holds the generated TypeScript types of the border, `native/types.d.ts`, to what the core declares.
//! `UPDATE_TYPES=1 cargo test -p scalper-core --test types` writes the file anew.

#![expect(
    clippy::disallowed_methods,
    reason = "this test writes and reads the generated file; the engine does not"
)]

use scalper_core::{backtest, effect, event, exchange, settings, statistics, status};
use std::{env, fs, path::Path};
use ts_rs::{Config, TS};

macro_rules! declarations {
    ($config:expr, $($type:ty),+ $(,)?) => {{
        let mut text = String::from(
            "// Generated from native/core by its test `types`; never edited by hand.\n",
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
fn the_committed_types_are_those_of_the_core() {
    // Every integer that crosses the border stays below 2^53.
    let config = Config::default().with_large_int("number");
    let text = declarations!(
        config,
        settings::EngineSettings,
        settings::Instrument,
        settings::StrategySettings,
        settings::PriceKind,
        settings::ResetWindow,
        settings::RiskSettings,
        settings::RateLimit,
        settings::DailyLossBasis,
        settings::DailyLossReset,
        settings::SessionSettings,
        settings::EntryWindow,
        settings::ResetSpan,
        settings::CostSettings,
        event::Event,
        event::Bar,
        event::Ask,
        event::Contract,
        event::Span,
        event::BrokerOrder,
        event::BrokerOrderState,
        event::BrokerFill,
        event::BrokerPosition,
        event::Command,
        event::ConfigChange,
        effect::Caused,
        effect::Effect,
        effect::Wish,
        effect::OrderAction,
        effect::OrderRequest,
        effect::NoticeClass,
        effect::EntryReason,
        effect::Notice,
        effect::Count,
        effect::RoundTrip,
        status::Side,
        status::Leg,
        status::OrderKind,
        status::Tif,
        status::Link,
        status::Posture,
        status::ExitReason,
        status::Gate,
        status::Today,
        status::PositionStatus,
        status::OrderStatus,
        status::Status,
        status::Blocked,
        backtest::FillModel,
        backtest::Intrabar,
        backtest::TargetFill,
        backtest::BacktestReport,
        backtest::BacktestTrade,
        backtest::BacktestEvent,
        backtest::SessionEquity,
        backtest::TickModel,
        exchange::words::Resting,
        statistics::Statistics,
        statistics::Fall,
        statistics::Undefined,
        statistics::StudySettings,
        statistics::Study,
        statistics::Interval,
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../types.d.ts");

    if env::var_os("UPDATE_TYPES").is_some() {
        fs::write(&path, &text).expect("native/types.d.ts can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();

    assert!(
        committed == text,
        "native/types.d.ts differs from the core: run UPDATE_TYPES=1 cargo test -p scalper-core --test types"
    );
}
