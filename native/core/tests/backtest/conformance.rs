//! The backtest and z against the recorded vectors: trade for trade, event for event, figures to 1e-6, z to 1e-9.
#![expect(clippy::float_arithmetic, reason = "compares dimensionless figures")]

use crate::vectors::{at_ms, bars, fixture, scaled, settings, shared, text, ticks, unzipped};
use scalper_core::backtest::{BacktestEvent, BacktestReport, BacktestTrade, run};
use scalper_core::calendar::ZonedClock;
use scalper_core::statistics::Statistics;
use scalper_core::status::{ExitReason, Side};
use scalper_core::zscore::zscore;
use serde_json::{Value, json};

const FIGURE_TOLERANCE: f64 = 1e-6;

#[test]
fn the_mini_example_trades_as_written_by_hand() {
    let expected = serde_json::from_str(&fixture("mini_expected.json")).unwrap();

    compare("mini", &expected, &fixture("mini_bars.csv"));
}

#[test]
fn the_mini_example_trades_as_written_by_hand_with_the_target_first() {
    let expected = serde_json::from_str(&fixture("mini_expected_target_first.json")).unwrap();

    compare("mini target-first", &expected, &fixture("mini_bars.csv"));
}

#[test]
fn twelve_recorded_backtests_are_reproduced() {
    let Some(path) = shared("vectors/backtest_expected.json") else {
        println!("SKIPPED: ../shared/vectors/backtest_expected.json is not beside the project");
        return;
    };
    let results: Vec<Value> = serde_json::from_str(&text(&path)).unwrap();
    assert_eq!(results.len(), 12);
    for expected in &results {
        let file = expected["data"]["file"].as_str().unwrap();
        let Some(recording) = shared(&format!("data/{file}")) else {
            println!("SKIPPED: ../shared/data/{file} is not beside the project");
            continue;
        };
        let name = format!("{} on {file}", expected["set"].as_str().unwrap());

        compare(&name, expected, &unzipped(&recording));
    }
}

#[test]
fn z_of_floats_meets_the_vectors() {
    let text = fixture("zscore_vectors.json");
    let document: Value = serde_json::from_str(&text).unwrap();
    let all_series = document["series"].as_array().unwrap();
    let all_prices = exact_prices(&text);
    assert_eq!(all_prices.len(), all_series.len());
    let mut cases = 0;
    for (series, prices) in all_series.iter().zip(&all_prices) {
        let name = series["name"].as_str().unwrap();
        let tolerance = series["tol"].as_f64().unwrap();
        for case in series["cases"].as_array().unwrap() {
            let window = usize::try_from(case["window"].as_u64().unwrap()).unwrap();
            let ddof = u32::try_from(case["ddof"].as_u64().unwrap()).unwrap();
            let expected = case["z"].as_array().unwrap();
            let z = zscore(prices, window, ddof);

            assert_eq!(z.len(), expected.len());
            for (at, (found, wanted)) in z.iter().zip(expected).enumerate() {
                let place = format!("{name}, window {window}, ddof {ddof}, price {at}");
                match wanted.as_f64() {
                    None => assert!(found.is_nan(), "{place}: {found} where z is undefined"),
                    Some(wanted) => {
                        let error = (found - wanted).abs();
                        let allowed = tolerance * wanted.abs().max(1.0);
                        assert!(error <= allowed, "{place}: {found}, expected {wanted}");
                    }
                }
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 96);
}

/// Prices of all series, read digit by digit: `serde_json` may miss the nearest float by one unit in the last place, which is
/// 1e-4 deviations where the noise is 1e-3 on an offset of 1e9. NaN and the infinities are strings.
fn exact_prices(text: &str) -> Vec<Vec<f64>> {
    let lists = text.split("\"prices\":[").skip(1);
    lists
        .map(|rest| rest.split(']').next().unwrap())
        .map(|list| {
            list.split(',')
                .map(|price| price.trim_matches('"').parse().unwrap())
                .collect()
        })
        .collect()
}

fn compare(name: &str, expected: &Value, csv: &str) {
    let (settings, fills) = settings(&expected["params"]);
    let bars = bars(csv, expected["data"]["contract"].as_str());
    assert_eq!(
        bars.len() as u64,
        expected["data"]["bars"].as_u64().unwrap(),
        "{name}: bars"
    );

    let report = run(&settings, &fills, &bars).unwrap();

    let trades = expected["trades"].as_array().unwrap();
    for (found, wanted) in report.trades.iter().zip(trades) {
        compare_trade(name, found, wanted);
    }
    assert_eq!(
        report.trades.len(),
        trades.len(),
        "{name}: number of trades"
    );
    let events: Vec<Value> = report.events.iter().map(event_as_vector).collect();
    assert_eq!(
        &events,
        expected["events"].as_array().unwrap(),
        "{name}: events"
    );
    compare_sessions(name, &report, &expected["stats"]["daily_equity"]);
    compare_statistics(name, &report.statistics, &expected["stats"]);
    assert_eq!(
        u64::from(report.ties),
        expected["stats"]["near_ties"].as_u64().unwrap(),
        "{name}: ties"
    );
}

fn compare_trade(name: &str, found: &BacktestTrade, wanted: &Value) {
    let place = format!("{name}, trade {}", wanted["n"]);
    let text = |key: &str| wanted[key].as_str().unwrap();
    let number = |key: &str| wanted[key].to_string();
    assert_eq!(
        u64::from(found.trade_id),
        wanted["n"].as_u64().unwrap(),
        "{place}"
    );
    let side = match found.side {
        Side::Buy => "long",
        Side::Sell => "short",
    };
    assert_eq!(side, text("side"), "{place}: side");
    assert_eq!(
        u64::from(found.quantity),
        wanted["qty"].as_u64().unwrap(),
        "{place}: quantity"
    );
    assert_eq!(
        found.signal_at_ms,
        at_ms(text("signal_ts")),
        "{place}: signal"
    );
    assert_eq!(found.entry_at_ms, at_ms(text("entry_ts")), "{place}: entry");
    assert_eq!(
        found.entry_ticks,
        ticks(&number("entry_price")),
        "{place}: entry price"
    );
    assert_eq!(word(found.reason), text("reason"), "{place}: reason");
    assert_eq!(found.exit_at_ms, at_ms(text("exit_ts")), "{place}: exit");
    assert_eq!(
        found.exit_ticks,
        ticks(&number("exit_price")),
        "{place}: exit price"
    );
    assert_eq!(
        u64::from(found.bars),
        wanted["bars"].as_u64().unwrap(),
        "{place}: bars"
    );
    assert_eq!(
        found.gross_cents,
        scaled(&number("gross"), 100),
        "{place}: gross"
    );
    assert_eq!(
        found.fees_cents,
        scaled(&number("fees"), 100),
        "{place}: fees"
    );
    assert_eq!(found.net_cents, scaled(&number("net"), 100), "{place}: net");
    // Written with nine decimals.
    let z_error = (found.z_signal - wanted["z_signal"].as_f64().unwrap()).abs();
    assert!(z_error < 1e-9, "{place}: z {}", found.z_signal);
}

fn word(reason: ExitReason) -> String {
    serde_json::to_value(reason)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

fn time(at_ms: i64) -> String {
    assert_eq!(
        at_ms % 60_000,
        0,
        "events of the vectors fall on whole minutes"
    );
    let local = ZonedClock::new("UTC").unwrap().local(at_ms);
    let (hour, minute) = (local.minute_of_day / 60, local.minute_of_day % 60);
    format!("{}T{hour:02}:{minute:02}:00Z", local.date)
}

fn event_as_vector(event: &BacktestEvent) -> Value {
    match event {
        BacktestEvent::Pause { at_ms, until_ms } => {
            json!({ "ts": time(*at_ms), "event": "pause", "until": time(*until_ms) })
        }
        BacktestEvent::DailyLossHalt { at_ms, trade_date } => {
            json!({ "ts": time(*at_ms), "event": "daily_loss_halt", "session": trade_date.to_string() })
        }
        BacktestEvent::Control { control, .. } => json!({ "event": control }),
    }
}

fn compare_sessions(name: &str, report: &BacktestReport, wanted: &Value) {
    let found: Vec<(String, i64)> = report
        .sessions
        .iter()
        .map(|session| (session.trade_date.to_string(), session.equity_cents))
        .collect();
    let wanted: Vec<(String, i64)> = wanted
        .as_object()
        .unwrap()
        .iter()
        .map(|(date, equity)| (date.clone(), scaled(&equity.to_string(), 100)))
        .collect();
    assert_eq!(found, wanted, "{name}: equity of sessions");
}

fn compare_statistics(name: &str, found: &Statistics, wanted: &Value) {
    let cents = |cents: i64| Some(cents as f64 / 100.0);
    for (key, figure) in [
        ("trades", Some(f64::from(found.trades))),
        ("wins", Some(f64::from(found.wins))),
        ("losses", Some(f64::from(found.losses))),
        ("scratches", Some(f64::from(found.scratches))),
        ("win_rate", found.win_rate),
        ("profit_factor", found.profit_factor),
        ("payoff_ratio", found.payoff_ratio),
        (
            "expectancy",
            found.expectancy_cents.map(|cents| cents / 100.0),
        ),
        ("gross", cents(found.gross_cents)),
        ("fees", cents(found.fees_cents)),
        ("net", cents(found.net_cents)),
        ("final_equity", cents(found.final_equity_cents)),
        ("max_drawdown_usd", cents(found.max_drawdown_cents)),
        ("max_drawdown_pct", Some(found.max_drawdown_share)),
        ("sharpe_daily", found.sharpe),
        ("sessions", Some(f64::from(found.sessions))),
        ("exposure", found.exposure),
        ("avg_hold_bars", found.hold_bars_mean),
    ] {
        match (figure, wanted[key].as_f64()) {
            (Some(figure), Some(wanted)) => {
                let allowed = FIGURE_TOLERANCE * wanted.abs();
                assert!(
                    (figure - wanted).abs() <= allowed,
                    "{name}: {key} {figure}, not {wanted}"
                );
            }
            (figure, wanted) => assert_eq!(figure, wanted, "{name}: {key}"),
        }
    }
    let reasons: Value = found
        .exit_reasons
        .iter()
        .map(|(reason, count)| (word(*reason), json!(count)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(reasons, wanted["exit_reasons"], "{name}: exit reasons");
}
