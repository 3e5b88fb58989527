//! The backtest on ticks: what it is joined with, and what it refuses. That it trades as a session does is a test of the
//! program's (`tests/parity/backtest.test.ts`).

use crate::vectors::{fixture, settings};
use scalper_core::backtest::{
    BacktestError, BacktestEvent, FillModel, TickModel, TickReport, run_ticks,
};
use scalper_core::event::{Contract, Span};
use scalper_core::exchange::record::{MarketContent, MarketRecord, write_record};
use scalper_core::exchange::words::{PriceLimits, Resting};
use scalper_core::settings::{DailyLossReset, EngineSettings};
use scalper_core::status::{ExitReason, Side};
use serde_json::Value;

/// Tuesday 2026-11-24, 10:00 in Chicago.
const START_MS: i64 = 1_795_536_000_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Bars of a second, a window of five, entry at 1.5.
fn rules() -> (EngineSettings, FillModel) {
    let expected: Value = serde_json::from_str(&fixture("mini_expected.json")).unwrap();
    let (mut settings, fills) = settings(&expected["params"]);
    settings.strategy.sampling_ms = 1_000;
    settings.risk.stop_cents = Some(20_000);
    settings.risk.target_cents = Some(30_000);
    settings.costs.slippage_ticks = 2;
    (settings, fills)
}

fn model(hours: Vec<Span>) -> TickModel {
    TickModel {
        latency_ms: 20,
        resting: Resting::Touch,
        contract: Contract {
            con_id: 1,
            local_symbol: "MESZ6".to_owned(),
            month: "202612".to_owned(),
            last_trade_date: String::new(),
            tick_size_e4: 2_500,
            multiplier_cents: 500,
            hours,
        },
        price_limits: None,
    }
}

/// A market of a price a second, each with a quote one tick around it before it.
#[derive(Default)]
struct Tape {
    records: Vec<u8>,
    now_ms: i64,
}

impl Tape {
    fn from(start_ms: i64) -> Tape {
        Tape {
            records: Vec::new(),
            now_ms: start_ms,
        }
    }

    fn prices(&mut self, ticks: &[i32]) -> &mut Tape {
        for &price_ticks in ticks {
            let quote = MarketContent::Quote {
                bid_ticks: price_ticks - 1,
                ask_ticks: price_ticks + 1,
                bid_size: 9,
                ask_size: 9,
            };
            let trade = MarketContent::Trade {
                price_ticks,
                size: 1,
            };
            for content in [quote, trade] {
                let record = MarketRecord {
                    at_ms: self.now_ms,
                    instrument_id: 1,
                    content,
                };
                write_record(&mut self.records, &record);
            }
            self.now_ms += 1_000;
        }
        self
    }

    /// Fills the window around 20 000 and leaves it upward: a short is wanted at the last close.
    fn signal(&mut self) -> &mut Tape {
        self.prices(&[20_000, 20_001, 20_000, 20_001, 20_000, 20_001, 20_010])
    }

    fn run(&self, settings: &EngineSettings, fills: &FillModel, model: &TickModel) -> TickReport {
        run_ticks(settings, fills, model, &self.records, |_| true).unwrap()
    }
}

#[test]
fn an_entry_takes_the_other_side_of_the_book_after_the_latency_and_slips() {
    let (settings, fills) = rules();
    let mut tape = Tape::from(START_MS);
    tape.signal()
        .prices(&[20_009, 20_005, 20_003, 20_001, 20_000, 20_000]);

    let found = tape.run(&settings, &fills, &model(vec![]));

    let trade = &found.report.trades[0];
    assert_eq!((trade.side, trade.reason), (Side::Sell, ExitReason::Zexit));
    // The bar of 20 010 is closed by the trade of the next second: the book of the one after it gives the price.
    assert_eq!(trade.signal_at_ms, START_MS + 7_000);
    assert_eq!(trade.entry_ticks, 20_005 - 1 - 2);
    assert_eq!(
        trade.net_cents,
        trade.gross_cents - 2 * settings.costs.fee_cents
    );
    assert_eq!(trade.slippage_cents, 2 * 2 * 125);
    assert_eq!(found.bars.len(), found.report.equity_cents.len());
    assert_eq!(
        found.report.equity_cents.last().copied(),
        Some(fills.start_equity_cents + trade.net_cents)
    );
    assert_eq!((found.report.open_at_end, found.report.anomalies), (0, 0));
}

#[test]
fn a_position_that_the_data_leaves_open_is_in_the_equity_and_not_among_the_trades() {
    let (settings, fills) = rules();
    let mut tape = Tape::from(START_MS);
    tape.signal().prices(&[20_010, 20_012]);

    let found = tape.run(&settings, &fills, &model(vec![]));

    assert_eq!(
        (found.report.trades.len(), found.report.open_at_end),
        (0, -1)
    );
    let sold = 20_012 - 1 - 2;
    let expected = fills.start_equity_cents - settings.costs.fee_cents - (20_012 - sold) * 125;
    assert_eq!(found.report.equity_cents.last().copied(), Some(expected));
    assert_eq!(found.report.statistics.final_equity_cents, expected);
}

#[test]
fn nothing_is_entered_in_a_closed_market_and_a_position_is_left_before_the_close() {
    let (mut settings, fills) = rules();
    settings.session.flatten_before_close_ms = 5_000;
    let closes_at = |ms: i64| {
        model(vec![Span {
            from_ms: START_MS - HOUR_MS,
            to_ms: START_MS + ms,
        }])
    };
    let mut tape = Tape::from(START_MS);
    // A steady rise keeps z above the exit.
    let rise: Vec<i32> = (20_010..20_030).collect();
    tape.signal().prices(&rise);

    let closed = tape.run(&settings, &fills, &closes_at(3_000));
    let early = tape.run(&settings, &fills, &closes_at(18_000));

    assert_eq!(closed.report.trades.len(), 0);
    assert!(
        closed.report.blocked.contains_key("market_open"),
        "{:?}",
        closed.report.blocked
    );
    assert_eq!(early.report.trades.len(), 1);
    assert_eq!(early.report.trades[0].reason, ExitReason::SessionClose);
    assert!(early.report.trades[0].exit_at_ms < START_MS + 18_000);
    assert_eq!(early.report.open_at_end, 0);
}

#[test]
fn a_halt_ends_with_the_session_since_nobody_arms() {
    let (mut settings, fills) = rules();
    settings.risk.daily_loss_cents = 1_000;
    settings.risk.daily_loss_reset = DailyLossReset::Arm;
    let rise = [20_015, 20_020, 20_025, 20_030, 20_035, 20_040, 20_045];
    let mut tape = Tape::from(START_MS);
    tape.signal().prices(&rise);
    let trades_of_one = tape
        .run(&settings, &fills, &model(vec![]))
        .report
        .trades
        .len();
    tape.now_ms = START_MS + DAY_MS;
    // Near the last price, or the next day would begin with a jump that blocks entries.
    tape.prices(&[20_040, 20_041, 20_040, 20_041, 20_040, 20_041, 20_050])
        .prices(&[20_049, 20_045, 20_041, 20_040, 20_040]);

    let found = tape.run(&settings, &fills, &model(vec![]));

    let halts = |event: &&BacktestEvent| matches!(event, BacktestEvent::DailyLossHalt { .. });
    assert_eq!(found.report.events.iter().filter(halts).count(), 1);
    assert_eq!((trades_of_one, found.report.trades.len()), (1, 2));
    assert_eq!(found.report.trades[0].reason, ExitReason::DailyLoss);
    assert_eq!(found.report.sessions.len(), 2);
}

#[test]
fn at_a_price_limit_an_exit_waits_for_the_market_to_come_back() {
    let (settings, fills) = rules();
    let mut tape = Tape::from(START_MS);
    // At 15:00 in Chicago the reference is made: 7 % above it are 21 400, until the next morning.
    let fixing_ms = START_MS + 5 * HOUR_MS;
    tape.prices(&[20_000]);
    tape.now_ms = fixing_ms + 3 * HOUR_MS;
    tape.signal().prices(&[20_009, 20_009, 20_010]);
    let jumped_ms = tape.now_ms;
    tape.prices(&[21_900; 30]);
    let back_ms = tape.now_ms;
    tape.prices(&[21_390; 30]);
    let run = |price_limits| {
        let model = TickModel {
            price_limits,
            ..model(vec![])
        };
        tape.run(&settings, &fills, &model)
    };

    let limited = run(Some(PriceLimits::EquityIndex));
    let free = run(None);

    let exit = |found: &TickReport| {
        (
            found.report.trades[0].exit_at_ms,
            found.report.trades[0].exit_ticks,
        )
    };
    assert_eq!(exit(&free), (jumped_ms, 21_901 + 2));
    assert_eq!(exit(&limited), (back_ms, 21_391 + 2));
    let highest = |found: &TickReport| found.bars.iter().map(|bar| bar.high_ticks).max();
    assert_eq!(
        (highest(&limited), highest(&free)),
        (Some(21_400), Some(21_900))
    );
}

#[test]
fn records_that_are_none_or_in_disorder_are_refused() {
    let (settings, fills) = rules();
    let refused = |records: &[u8]| {
        run_ticks(&settings, &fills, &model(vec![]), records, |_| true).unwrap_err()
    };
    let mut back = Tape::from(START_MS);
    back.prices(&[20_000]);
    back.now_ms = START_MS - 1;
    back.prices(&[20_000]);
    let mut unknown = Tape::from(START_MS).prices(&[20_000]).records.clone();
    unknown[16] = 9;

    assert!(matches!(refused(&[]), BacktestError::Records(_)));
    assert!(matches!(refused(&[0; 39]), BacktestError::Records(_)));
    assert!(matches!(refused(&back.records), BacktestError::Exchange(_)));
    assert!(matches!(refused(&unknown), BacktestError::Exchange(_)));
}
