//! Laws: streaming z is batch z, comparisons are exact, money adds up, a direction re-arms only inside the band.
#![expect(clippy::float_arithmetic, reason = "compares dimensionless figures")]

use crate::vectors::{fixture, settings};
use proptest::prelude::{Just, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Generator;
use scalper_core::backtest::{FillModel, Intrabar, TargetFill, run};
use scalper_core::event::Bar;
use scalper_core::settings::{EngineSettings, ResetWindow};
use scalper_core::status::{ExitReason, Side};
use scalper_core::strategy::{EntryWish, Strategy};
use scalper_core::zscore::{RollingZ, zscore};
use std::cmp::Ordering;

fn mini() -> (EngineSettings, FillModel) {
    let vector: serde_json::Value = serde_json::from_str(&fixture("mini_expected.json")).unwrap();
    settings(&vector["params"])
}

/// Steps of a random walk, with stretches that stand still.
fn steps(length: std::ops::Range<usize>) -> impl Generator<Value = Vec<i32>> {
    prop::collection::vec(
        prop_oneof![3 => -6..=6_i32, 1 => Just(0), 1 => -40..=40_i32],
        length,
    )
}

fn walk(steps: &[i32]) -> Vec<i64> {
    steps
        .iter()
        .scan(16_000_i64, |price, &step| {
            *price += i64::from(step);
            Some(*price)
        })
        .collect()
}

/// Minute bars over a walk, from 15:00 Chicago, so that longer ones pass the flat window and a change of session.
fn bars_of(steps: &[i32], wicks: &[i32]) -> Vec<Bar> {
    const FIRST_MS: i64 = 1_715_112_000_000;
    let mut before = 16_000;
    (0_i64..)
        .zip(steps.iter().zip(wicks))
        .map(|(minute, (&step, &wick))| {
            let (open, close) = (before + wick / 4, before + step);
            before = close;
            Bar {
                open_at_ms: FIRST_MS + minute * 60_000,
                open_ticks: open,
                high_ticks: open.max(close) + wick.abs() / 2,
                low_ticks: open.min(close) - wick.abs() / 3,
                close_ticks: close,
                volume: 1,
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn streaming_equals_batch(steps in steps(1..300), window in 2_u32..40, ddof in 0_u8..=1) {
        let prices = walk(&steps);
        let mut rolling = RollingZ::new(window, ddof).unwrap();
        let floats: Vec<f64> = prices.iter().map(|&price| price as f64).collect();

        let batch = zscore(&floats, window as usize, ddof.into());

        for (&price, z) in prices.iter().zip(batch) {
            match rolling.push(price).z {
                None => prop_assert!(z.is_nan()),
                Some(streamed) => prop_assert!((streamed - z).abs() <= 1e-9 * z.abs().max(1.0)),
            }
        }
    }

    #[test]
    fn a_window_forgets_what_left_it(steps in steps(60..200), window in 2_u32..40) {
        let prices = walk(&steps);
        let mut long_lived = RollingZ::new(window, 1).unwrap();
        prices.iter().for_each(|&price| { long_lived.push(price); });
        let mut fresh = RollingZ::new(window, 1).unwrap();
        prices[prices.len() - window as usize..].iter().for_each(|&price| { fresh.push(price); });

        prop_assert_eq!(&long_lived, &fresh);
        prop_assert_eq!(long_lived.reading(), fresh.reading());
    }

    #[test]
    fn exact_comparisons_agree_with_floats_away_from_ties(
        steps in steps(30..60), ddof in 0_u8..=1, threshold_e4 in -60_000_i64..60_000,
    ) {
        let mut rolling = RollingZ::new(20, ddof).unwrap();
        for price in walk(&steps) {
            let reading = rolling.push(price);
            let Some(z) = reading.z else {
                prop_assert_eq!(reading.compare(threshold_e4), None);
                continue;
            };
            let distance = z - threshold_e4 as f64 / 10_000.0;
            if distance.abs() > 1e-9 {
                let expected = if distance > 0.0 { Ordering::Greater } else { Ordering::Less };
                prop_assert_eq!(reading.compare(threshold_e4), Some(expected));
            }
        }
    }

    #[test]
    fn money_adds_up(
        steps in steps(200..400), wicks in prop::collection::vec(-9..=9_i32, 400),
        window in 5_u32..30, quantity in 1_u32..4, fee_cents in 0_i64..300, slippage_ticks in 0_i64..3,
        target_first: bool, through: bool, keep_window: bool,
    ) {
        let (mut settings, mut fills) = mini();
        settings.strategy.window = window;
        settings.strategy.quantity = quantity;
        settings.costs.fee_cents = fee_cents;
        settings.costs.slippage_ticks = slippage_ticks;
        if keep_window { settings.strategy.reset_window = ResetWindow::Never; }
        if target_first { fills.intrabar = Intrabar::TargetFirst; }
        if through { fills.target_fill = TargetFill::Through; }

        let report = run(&settings, &fills, &bars_of(&steps, &wicks)).unwrap();

        let mut net_cents = 0;
        let mut free_from_ms = i64::MIN;
        for trade in &report.trades {
            let moved = (trade.exit_ticks - trade.entry_ticks) * trade.side.sign();
            prop_assert_eq!(trade.gross_cents, moved * 125 * i64::from(quantity));
            prop_assert_eq!(trade.fees_cents, 2 * fee_cents * i64::from(quantity));
            prop_assert_eq!(trade.net_cents, trade.gross_cents - trade.fees_cents);
            prop_assert!(trade.entry_at_ms >= free_from_ms, "one position at a time");
            prop_assert!(trade.exit_at_ms > trade.entry_at_ms);
            free_from_ms = trade.exit_at_ms;
            net_cents += trade.net_cents;
        }
        prop_assert_eq!(report.statistics.net_cents, net_cents);
        prop_assert_eq!(report.statistics.final_equity_cents, fills.start_equity_cents + net_cents);
        prop_assert_eq!(report.sessions.last().unwrap().equity_cents, report.statistics.final_equity_cents);
        prop_assert_eq!(run(&settings, &fills, &bars_of(&steps, &wicks)).unwrap(), report);
    }

    #[test]
    fn after_an_exit_not_by_z_no_entry_comes_that_way_before_z_was_inside(
        steps in steps(80..160), stopped_at in 20_usize..60, short: bool,
    ) {
        let (settings, _) = mini();
        let side = if short { Side::Sell } else { Side::Buy };
        let entry_z_e4 = settings.strategy.entry_z_e4;
        let mut strategy = Strategy::new(&settings.strategy, &settings.risk);
        let mut was_inside = true;
        for (at, price) in walk(&steps).into_iter().enumerate() {
            let z = strategy.push_close(price);
            if at == stopped_at {
                strategy.trade_closed(side, ExitReason::Stop, 1, 0);
                was_inside = false;
            }
            was_inside |= match side {
                Side::Sell => z.z.is_some() && !z.is_at_least(entry_z_e4),
                Side::Buy => z.z.is_some() && !z.is_at_most(-entry_z_e4),
            };
            strategy.rearm(&z);

            let reached = match side {
                Side::Sell => z.is_at_least(entry_z_e4),
                Side::Buy => z.is_at_most(-entry_z_e4),
            };
            let expected = if was_inside {
                EntryWish::Enter(side)
            } else {
                EntryWish::Stopped { side, by: Strategy::BY_REARM }
            };
            if reached {
                prop_assert_eq!(strategy.entry_decision(0, &z), expected);
            }
        }
    }

    #[test]
    fn a_snapshot_at_any_bar_changes_nothing_after_it(steps in steps(40..120), cut in 0_usize..40) {
        let (settings, _) = mini();
        let mut through = Strategy::new(&settings.strategy, &settings.risk);
        let mut resumed = through.clone();
        for (at, price) in walk(&steps).into_iter().enumerate() {
            if at == cut {
                resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
            }
            prop_assert_eq!(through.push_close(price), resumed.push_close(price));
        }
        prop_assert_eq!(through, resumed);
    }
}
