//! The probability of overfitting against an implementation of its own in Python, which puts the sessions themselves together.

use crate::vectors::fixture;
use scalper_core::selection::{Objective, SessionSums, overfitting};
use serde_json::Value;

#[test]
fn the_probability_of_overfitting_is_that_of_the_reference() {
    let cases: Vec<Value> = serde_json::from_str(&fixture("overfitting_vectors.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for (place, case) in cases.iter().enumerate() {
        let table: Vec<Vec<Vec<i64>>> = serde_json::from_value(case["table"].clone()).unwrap();
        let blocks = table[0].len();
        let sums: Vec<SessionSums> = table
            .iter()
            .flatten()
            .map(|block| of_sessions(block))
            .collect();
        for (name, objective) in [("sharpe", Objective::Sharpe), ("net", Objective::Net)] {
            let wanted = &case[name];
            let number = |key: &str| wanted[key].as_f64().unwrap();

            let found = overfitting(objective, &sums, blocks, || true).unwrap();

            let line = found.degradation.unwrap();
            for (key, value) in [
                ("splits", f64::from(found.splits)),
                ("probability", found.probability),
                ("loss_probability", found.loss_probability),
                ("median_logit", found.median_logit),
                ("slope", line.slope),
                ("intercept", line.intercept),
            ] {
                let allowed = 1e-9 * number(key).abs().max(1e-3);
                let apart = (value - number(key)).abs();
                assert!(
                    apart <= allowed,
                    "case {place}, {name}, {key}: {value}, not {}",
                    number(key)
                );
            }
            let tenths: [u32; 10] = serde_json::from_value(wanted["rank_tenths"].clone()).unwrap();
            assert_eq!(found.rank_tenths, tenths, "case {place}, {name}");
        }
    }
}

fn of_sessions(nets: &[i64]) -> SessionSums {
    let mut sums = SessionSums::default();
    for &net in nets {
        sums.add_session(net);
    }
    sums
}
