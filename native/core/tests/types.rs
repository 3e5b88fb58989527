//! Holds the generated TypeScript types of the border, `native/types.d.ts`, to what the core declares.
//! `UPDATE_TYPES=1 cargo test -p scalper-core --test types` writes the file anew.

#[macro_use]
#[path = "support/declarations.rs"]
mod declarations;

use scalper_core::{
    backtest, effect, event, exchange, selection, settings, statistics, status, sweep,
};

#[test]
fn the_committed_types_are_those_of_the_core() {
    let text = declarations!(
        "// Generated from native/core by its test `types`; never edited by hand.\n",
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
        sweep::Combination,
        sweep::SessionSpan,
        sweep::CombinationResult,
        selection::SessionSums,
        selection::SpanFigures,
        selection::Objective,
        selection::Overfitting,
        selection::Degradation,
    );

    declarations::hold("types.d.ts", "types", &text);
}
