//! The figures of a run against those of quantstats and empyrical, to 1e-9; `make_statistics_vectors.py` beside the vectors
//! made them.
#![expect(clippy::float_arithmetic, reason = "compares dimensionless figures")]

use crate::vectors::fixture;
use scalper_core::statistics::{EquityCurve, Outcome, Statistics, Study, StudySettings};
use scalper_core::status::ExitReason;
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

#[test]
fn the_figures_are_those_of_quantstats_and_empyrical() {
    let document: Value = serde_json::from_str(&fixture("statistics_vectors.json")).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    let mut compared = 0;
    for case in cases {
        let closes = whole(&case["closesCents"]);
        let ends = whole(&case["endsCents"]);

        let found = Statistics::new(
            outcomes(case),
            &EquityCurve {
                start_cents: case["startCents"].as_i64().unwrap(),
                closes_cents: &closes,
                session_ends_cents: &ends,
                bars_held: 0,
            },
        );

        let mut found = serde_json::to_value(found).unwrap();
        found["maxDrawdownTroughBar"] = found["maxDrawdownFall"]["troughBar"].clone();
        for (name, wanted) in case["figures"].as_object().unwrap() {
            compare(&format!("{}: {name}", case["name"]), &found[name], wanted);
            compared += 1;
        }
    }
    assert_eq!(compared, 7 * 15);
}

#[test]
fn intervals_and_odds_are_those_of_the_papers() {
    let document: Value = serde_json::from_str(&fixture("statistics_vectors.json")).unwrap();
    let studied: Vec<&Value> = document["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["study"].is_object())
        .collect();
    assert_eq!(studied.len(), 3);
    for case in studied {
        let wanted = &case["study"];
        let number = |name: &str| u32::try_from(wanted[name].as_u64().unwrap()).unwrap();
        let settings = StudySettings {
            seed: number("seed"),
            resamples: number("resamples"),
            trials: number("trials"),
        };
        let nets: Vec<i64> = outcomes(case).iter().map(|one| one.net_cents).collect();

        let study = Study::new(
            &settings,
            &nets,
            case["startCents"].as_i64().unwrap(),
            &whole(&case["endsCents"]),
        );

        let found = serde_json::to_value(study).unwrap();
        assert_eq!(found["tradeResamples"], wanted["resamples"]);
        for (name, value) in wanted.as_object().unwrap() {
            let place = format!("{}: {name}", case["name"]);
            match name.as_str() {
                "resamples" => {}
                _ if value.is_object() => {
                    compare(&place, &found[name]["low"], &value["low"]);
                    compare(&place, &found[name]["high"], &value["high"]);
                }
                _ => compare(&place, &found[name], value),
            }
        }
    }
}

#[test]
fn a_study_of_almost_nothing_says_why_it_says_nothing() {
    let settings = StudySettings {
        seed: 7,
        resamples: 100,
        trials: 1,
    };
    let cases: [(&[i64], &[i64], &str, &str); 4] = [
        (&[], &[], "no_trades", "few_sessions"),
        (&[100; 9], &[1_000; 9], "too_few", "too_few"),
        (&[100; 20], &[1_100; 20], "unstable", "unstable"),
        (&[-100; 20], &[-5, 3], "", "ruined"),
    ];
    for (nets, ends, of_factor, of_sortino) in cases {
        let study = Study::new(&settings, nets, 1_000, ends);

        let json = serde_json::to_value(study).unwrap();
        let undefined = json["undefined"].as_object().unwrap();
        for (name, value) in json.as_object().unwrap() {
            assert_eq!(value.is_null(), undefined.contains_key(name), "{name}");
        }
        let why = |name: &str| undefined.get(name).and_then(Value::as_str).unwrap_or("");
        assert_eq!(
            (why("profitFactor"), why("sortino")),
            (of_factor, of_sortino),
            "{nets:?}"
        );
        assert_ne!(why("deflatedSharpe"), "");
    }
}

fn outcomes(case: &Value) -> Vec<Outcome> {
    let trades = case["trades"].as_array().unwrap();
    trades
        .iter()
        .map(|trade| Outcome {
            gross_cents: trade["gross"].as_i64().unwrap(),
            fees_cents: trade["fees"].as_i64().unwrap(),
            net_cents: trade["net"].as_i64().unwrap(),
            slippage_cents: trade["slippage"].as_i64().unwrap(),
            bars: 1,
            reason: ExitReason::Zexit,
        })
        .collect()
}

fn whole(list: &Value) -> Vec<i64> {
    let list = list.as_array().unwrap();
    list.iter().map(|one| one.as_i64().unwrap()).collect()
}

fn compare(place: &str, found: &Value, wanted: &Value) {
    let Some(wanted) = wanted.as_f64() else {
        assert!(found.is_null(), "{place}: {found} where there is no value");
        return;
    };
    let found = found.as_f64().unwrap_or_else(|| panic!("{place}: none"));
    let error = (found - wanted).abs();
    assert!(
        error <= TOLERANCE * wanted.abs().max(1.0),
        "{place}: {found}, expected {wanted}"
    );
}
