//! The strategy and the controls that act on it, written a second time, plainly: no orders, no broker, no state machine;
//! z from the prices themselves each time. What the engine decides at each close must be the same.

#![expect(
    clippy::float_arithmetic,
    reason = "z from the prices themselves, as anybody would write it; dimensionless"
)]

use crate::support::*;
use proptest::prelude::*;
use scalper_core::bars::GRACE_MS;
use scalper_core::effect::{Effect, Wish};
use scalper_core::settings::EngineSettings;
use scalper_core::status::ExitReason;

const VALUE_CENTS: i64 = 125;
const FEE_CENTS: i64 = 57;
const ENTRY_Z: f64 = 1.5;
const EXIT_Z: f64 = 0.5;
const STOP_TICKS: i32 = 24;
const TARGET_TICKS: i32 = 36;
const DAILY_LOSS_CENTS: i64 = 12_000;
const STREAK: u32 = 3;
const PAUSE_MS: i64 = 20 * SECOND_MS;
const HOLD_MS: i64 = 15 * SECOND_MS;

fn plain() -> EngineSettings {
    let mut settings = settings();
    settings.risk.stop_cents = Some(i64::from(STOP_TICKS) * VALUE_CENTS);
    settings.risk.target_cents = Some(i64::from(TARGET_TICKS) * VALUE_CENTS);
    settings.risk.daily_loss_cents = DAILY_LOSS_CENTS;
    settings.risk.loss_streak = STREAK;
    settings.risk.loss_streak_pause_ms = PAUSE_MS;
    settings.risk.max_hold_ms = HOLD_MS;
    settings
}

/// What is held: +1 or −1, since when, from which price.
#[derive(Debug, Clone, Copy)]
struct Held {
    sign: i32,
    at_ms: i64,
    ticks: i32,
}

#[derive(Debug, Default)]
struct Opinion {
    closes: Vec<i32>,
    held: Option<Held>,
    disarmed: [bool; 2],
    losses: u32,
    paused_until_ms: i64,
    day_cents: i64,
    day_halted: bool,
    runs_away: bool,
    trips: Vec<(ExitReason, i64)>,
}

fn index(sign: i32) -> usize {
    usize::from(sign > 0)
}

impl Opinion {
    fn z(&self) -> Option<f64> {
        let window = self.closes.len().checked_sub(WINDOW as usize)?;
        let prices: Vec<f64> = self.closes[window..]
            .iter()
            .map(|ticks| f64::from(*ticks))
            .collect();
        let count = f64::from(WINDOW);
        let mean = prices.iter().sum::<f64>() / count;
        let squares: f64 = prices.iter().map(|price| (price - mean).powi(2)).sum();
        (squares > 0.0).then(|| (prices.last().unwrap() - mean) / (squares / (count - 1.0)).sqrt())
    }

    fn leave(&mut self, reason: ExitReason, ticks: i32, at_ms: i64) {
        let held = self.held.take().expect("something is held");
        let gross_cents = i64::from(held.sign * (ticks - held.ticks)) * VALUE_CENTS;
        self.day_cents += gross_cents - FEE_CENTS;
        let net_cents = gross_cents - 2 * FEE_CENTS;
        if reason != ExitReason::Zexit {
            self.disarmed[index(held.sign)] = true;
        }
        if net_cents < 0 {
            self.losses += 1;
        } else if net_cents > 0 {
            self.losses = 0;
        }
        if self.losses == STREAK {
            self.losses = 0;
            self.paused_until_ms = at_ms + PAUSE_MS;
        }
        self.trips.push((reason, net_cents));
        // All of a test is within five minutes.
        self.runs_away |= self.trips.len() == 10;
        if self.day_cents <= -DAILY_LOSS_CENTS {
            self.day_halted = true;
        }
    }

    /// A price shows; the close before it is `last_ticks`.
    fn see(&mut self, bid_ticks: i32, last_ticks: i32, at_ms: i64) {
        let Some(held) = self.held else { return };
        let mark_ticks = if held.sign > 0 {
            bid_ticks
        } else {
            bid_ticks + 1
        };
        let open_cents = i64::from(held.sign * (mark_ticks - held.ticks)) * VALUE_CENTS;
        if !self.day_halted && self.day_cents + open_cents <= -DAILY_LOSS_CENTS {
            self.day_halted = true;
            self.leave(ExitReason::DailyLoss, last_ticks, at_ms);
        }
    }

    /// A bar closes; market orders fill at its close. Returns what is wanted and what stops it.
    fn close(&mut self, ticks: i32, close_at_ms: i64, now_ms: i64) -> (Wish, Option<&'static str>) {
        self.closes.push(ticks);
        let z = self.z();
        if z.is_some_and(|z| z < ENTRY_Z - 1e-9) {
            self.disarmed[index(-1)] = false;
        }
        if z.is_some_and(|z| z > -ENTRY_Z + 1e-9) {
            self.disarmed[index(1)] = false;
        }
        if let Some(held) = self.held {
            let is_back = z.is_some_and(|z| f64::from(held.sign) * z >= -EXIT_Z - 1e-9);
            let reason = if is_back {
                ExitReason::Zexit
            } else if close_at_ms - held.at_ms >= HOLD_MS {
                ExitReason::Time
            } else {
                return (Wish::Nothing, None);
            };
            self.leave(reason, ticks, now_ms);
            return (Wish::Exit, None);
        }
        let sign = match z {
            Some(z) if z >= ENTRY_Z - 1e-9 => -1,
            Some(z) if z <= -ENTRY_Z + 1e-9 => 1,
            _ => return (Wish::Nothing, None),
        };
        let wish = if sign > 0 {
            Wish::EnterLong
        } else {
            Wish::EnterShort
        };
        let by = if self.day_halted {
            Some("daily_limit")
        } else if close_at_ms < self.paused_until_ms {
            Some("streak")
        } else if self.disarmed[index(sign)] {
            Some("rearm")
        } else if self.runs_away {
            Some("posture")
        } else {
            None
        };
        if by.is_none() {
            self.day_cents -= FEE_CENTS;
            self.held = Some(Held {
                sign,
                at_ms: now_ms,
                ticks,
            });
        }
        (wish, by)
    }

    /// Stop and target rest at the broker and fill as the price reaches them.
    fn reach(&mut self, ticks: i32, at_ms: i64) {
        let Some(held) = self.held else { return };
        let gain = held.sign * (ticks - held.ticks);
        if gain <= -STOP_TICKS {
            self.leave(ExitReason::Stop, ticks, at_ms);
        } else if gain >= TARGET_TICKS {
            self.leave(
                ExitReason::Target,
                held.ticks + held.sign * TARGET_TICKS,
                at_ms,
            );
        }
    }
}

fn decisions(desk: &Desk) -> Vec<(Wish, Option<String>)> {
    let made = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Decision {
            wants, blocked_by, ..
        } => Some((*wants, blocked_by.clone())),
        _ => None,
    });
    made.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_decides_what_a_plain_second_writing_of_the_rules_decides(
        steps in proptest::collection::vec(-14i32..=14, 5..120)
    ) {
        let mut desk = Desk::new(plain());
        desk.link_up();
        let mut opinion = Opinion::default();
        let mut expected = Vec::new();
        let mut ticks = 20_000;
        let mut last: Option<(i32, i64)> = None;
        for step in steps {
            ticks += step;
            // One price every two seconds: a bar of one second closes by the clock before the next price comes.
            let at_ms = desk.at_ms;
            if let Some((last_ticks, _)) = last {
                opinion.see(ticks, last_ticks, at_ms);
            }
            desk.price(ticks);
            opinion.reach(ticks, at_ms);
            desk.pass(2 * SECOND_MS);
            let bar_ms = at_ms - at_ms.rem_euclid(SECOND_MS);
            let close_at_ms = bar_ms + SECOND_MS;
            expected.push(opinion.close(ticks, close_at_ms, close_at_ms + GRACE_MS));
            last = Some((ticks, at_ms));
        }

        let made = decisions(&desk);
        prop_assert_eq!(made.len(), expected.len());
        for (at, (made, expected)) in made.iter().zip(&expected).enumerate() {
            // The first bars have too few quotes behind them, and the same entry is not made twice in two seconds.
            let is_known = matches!(made.1.as_deref(), Some("warm_up" | "data_age"));
            prop_assert!(!is_known || at < WINDOW as usize, "{made:?} at {at}");
            prop_assert_eq!(made.0, expected.0, "wish at {}", at);
            prop_assert_eq!(made.1.as_deref(), expected.1, "gate at {}", at);
        }
        let trips: Vec<_> = desk.trips().iter().map(|trip| (trip.reason, trip.net_cents)).collect();
        prop_assert_eq!(trips, opinion.trips);
    }
}
