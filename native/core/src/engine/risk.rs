//! What the controls remember, and those that act by themselves: daily loss, drawdown, runaway, order rate.

use super::core::Core;
use crate::orders::group_of;
use crate::settings::{RateLimit, RiskSettings};
use crate::status::{ExitReason, Posture, Side};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Stamps that are kept for a rate, none for more than two hours; more in an hour than this is a runaway by any setting.
const STAMPS_MAX: usize = 4_096;
/// D14.
const ENTRIES_WITHOUT_TRADE_MAX: u32 = 3;
const REJECTS_MAX: usize = 3;
const REJECTS_SPAN_MS: i64 = MINUTE_MS;
pub(crate) const ROUND_TRIPS_MAX: usize = 10;
const ROUND_TRIPS_SPAN_MS: i64 = 5 * MINUTE_MS;
/// D9.
const DUPLICATE_MS: i64 = 2_000;

/// How many in the last minute, hour and trading day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rate {
    stamps: VecDeque<i64>,
    day: u32,
}

impl Rate {
    pub fn count(&mut self, at_ms: i64) {
        self.count_some(at_ms, 1);
    }

    /// Counts so many at once.
    pub fn count_some(&mut self, at_ms: i64, some: u32) {
        // In one go for an hour: stamp by stamp, what is old would be looked for at each count.
        if self
            .stamps
            .front()
            .is_some_and(|stamp| at_ms - stamp >= 2 * HOUR_MS)
        {
            let is_old = |stamp: &&i64| at_ms - **stamp >= HOUR_MS;
            let old = self.stamps.iter().take_while(is_old).count();
            self.stamps.drain(..old);
        }
        for _ in 0..some {
            if self.stamps.len() >= STAMPS_MAX {
                self.stamps.pop_front();
            }
            self.stamps.push_back(at_ms);
        }
        self.day += some;
    }

    /// Begins a trading day.
    pub fn begin_day(&mut self) {
        self.day = 0;
    }

    fn since(&self, at_ms: i64, span_ms: i64) -> u32 {
        let count = self
            .stamps
            .iter()
            .rev()
            .take_while(|stamp| at_ms - **stamp < span_ms)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Returns the first of minute, hour and day that `more` would carry beyond `factor` × the limit, in words.
    pub fn over(&self, at_ms: i64, more: u32, factor: u32, limit: &RateLimit) -> Option<String> {
        let fits = |limit: u32| limit.saturating_mul(factor).checked_sub(more);
        let is_within = |span_ms, limit| {
            fits(limit).is_some_and(|count| !self.reaches_beyond(at_ms, span_ms, count))
        };
        if is_within(MINUTE_MS, limit.minute)
            && is_within(HOUR_MS, limit.hour)
            && fits(limit.day).is_some_and(|count| self.day <= count)
        {
            return None;
        }
        let table = [
            ("minute", self.since(at_ms, MINUTE_MS), limit.minute),
            ("hour", self.since(at_ms, HOUR_MS), limit.hour),
            ("day", self.day, limit.day),
        ];
        table.into_iter().find_map(|(span, used, limit)| {
            let over = used.saturating_add(more) > limit.saturating_mul(factor);
            over.then(|| format!("{used} in this {span}, limit {limit}"))
        })
    }

    /// Is the stamp that stands before the newest `count` ones young enough to count: if not, there are no more than these,
    /// and none has to be counted.
    fn reaches_beyond(&self, at_ms: i64, span_ms: i64, count: u32) -> bool {
        let place = self.stamps.len().checked_sub(1 + count as usize);
        place.is_some_and(|place| at_ms - self.stamps[place] < span_ms)
    }

    /// Returns how many in the last minute, for people.
    pub fn in_minute(&self, at_ms: i64) -> u32 {
        self.since(at_ms, MINUTE_MS)
    }
}

/// What the controls remember.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RiskState {
    pub entries: Rate,
    pub orders: Rate,
    pub last_entry: Option<(i64, Side, u32)>,
    pub entries_without_trade: u32,
    pub rejects: VecDeque<i64>,
    /// The bracket that was refused last: all of it counts once.
    pub rejected_group: String,
    pub round_trips: VecDeque<i64>,
    /// The signal that a gate stops at present, and which one.
    pub blocked_signal: Option<(Side, String)>,
    pub foreign_orders: u32,
    /// Contracts that those may still fill.
    pub foreign_contracts: i64,
    pub foreign_told: bool,
    /// The limit of D3 that follows the run's first price; none until there is one.
    pub auto_notional_cents: Option<i64>,
}

impl RiskState {
    pub fn begin_day(&mut self) {
        self.entries.begin_day();
        self.orders.begin_day();
    }

    pub fn count_entry(&mut self, at_ms: i64, side: Side, quantity: u32) {
        self.entries.count(at_ms);
        self.entries_without_trade += 1;
        self.last_entry = Some((at_ms, side, quantity));
    }

    pub fn count_order(&mut self, at_ms: i64) {
        self.orders.count(at_ms);
    }

    /// Is true where the same entry was made less than two seconds ago (D9).
    pub fn is_duplicate(&self, at_ms: i64, side: Side, quantity: u32) -> bool {
        self.last_entry.is_some_and(|(last_ms, of, contracts)| {
            of == side && contracts == quantity && at_ms - last_ms < DUPLICATE_MS
        })
    }
}

impl Core {
    /// Fixes the limit of D3 by the run's first price where the settings leave it open.
    pub fn fix_notional(&mut self, price_ticks: i32) {
        if self.risk.auto_notional_cents.is_none() {
            let worth = i64::from(price_ticks)
                * self.tick_value_cents()
                * i64::from(self.settings.risk.max_position);
            self.risk.auto_notional_cents = Some(worth * 17 / 10);
        }
    }

    /// The daily loss limit is reached (D15): out of everything, then halted.
    pub fn on_daily_loss(&mut self, open_cents: i64) {
        let result = self.strategy.day_result_cents(open_cents);
        let limit = self.settings.risk.daily_loss_cents;
        let detail = format!(
            "today {} of −{} allowed",
            cents(result),
            cents(limit).trim_start_matches('−')
        );
        let is_held = self.position.signed() != 0 || self.orders.live().next().is_some();
        let doing = if is_held {
            vec![
                "entries are off".to_owned(),
                "everything is being closed".to_owned(),
            ]
        } else {
            vec!["entries are off".to_owned()]
        };
        self.halt("daily_loss", &detail, "risk", doing);
        if is_held {
            self.begin_flatten(ExitReason::DailyLoss, "daily_loss", Posture::Halted);
        }
    }

    /// Has the day fallen too far from its peak (D17)? Out of everything, paused to the session's end.
    pub fn check_drawdown(&mut self, open_cents: i64) -> bool {
        let now_cents = self.day.net_cents() + open_cents;
        let Some(fall) = fall_too_far(&self.settings.risk, self.day.peak_cents, now_cents) else {
            return false;
        };
        if self.exit.as_ref().is_some_and(|plan| plan.is_flatten) || self.is_halted() {
            return false;
        }
        let detail = format!(
            "{} below the day's peak of {}",
            cents(fall),
            cents(self.day.peak_cents)
        );
        self.control("trail_dd", true, detail);
        self.begin_flatten(ExitReason::Flatten, "risk", Posture::Paused);
        self.posture.until_session = true;
        true
    }

    /// Counts a refusal by the broker; the third within a minute halts (D14). The orders that were sent together are one.
    pub fn count_reject(&mut self, order_ref: &str) {
        let at_ms = self.at_ms;
        let group = group_of(order_ref);
        if self.risk.rejected_group == group {
            return;
        }
        self.risk.rejected_group = group;
        count_within(&mut self.risk.rejects, at_ms, REJECTS_SPAN_MS);
        let count = self.risk.rejects.len();
        if count >= REJECTS_MAX && !self.is_halted() {
            let detail = format!("{count} orders refused within a minute");
            self.halt(
                "runaway",
                &detail,
                "risk",
                vec!["entries are off".to_owned()],
            );
        }
    }

    /// Counts a finished round trip; the tenth within five minutes halts (D14).
    pub fn count_round_trip(&mut self) {
        let at_ms = self.at_ms;
        self.risk.entries_without_trade = 0;
        let count = count_round_trip(&mut self.risk.round_trips, at_ms);
        if count >= ROUND_TRIPS_MAX && !self.is_halted() {
            let detail = format!("{count} round trips within five minutes");
            self.halt(
                "runaway",
                &detail,
                "risk",
                vec!["entries are off".to_owned()],
            );
        }
    }

    /// Halts where entries come without a trade, or orders at twice the allowed rate (D12, D14).
    pub fn watch_gates(&mut self) {
        if self.is_halted() {
            return;
        }
        let idle = self.entry.is_none() && self.position.signed() == 0;
        if idle && self.risk.entries_without_trade >= ENTRIES_WITHOUT_TRADE_MAX {
            let count = self.risk.entries_without_trade;
            self.risk.entries_without_trade = 0;
            let detail = format!("{count} entries without a closed trade");
            self.halt(
                "runaway",
                &detail,
                "risk",
                vec!["entries are off".to_owned()],
            );
            return;
        }
        let may_exist = self.orders.live().count();
        let allowed = usize::try_from(self.settings.risk.max_open_orders).unwrap_or(usize::MAX);
        if may_exist >= allowed.saturating_mul(2) {
            let detail = format!("{may_exist} own orders may exist, limit {allowed}");
            self.halt(
                "max_open_orders",
                &detail,
                "risk",
                vec!["entries are off".to_owned()],
            );
            return;
        }
        let Some(limit) = self.settings.risk.orders_max else {
            return;
        };
        if let Some(detail) = self.risk.orders.over(self.at_ms, 0, 2, &limit) {
            self.halt(
                "order_rate",
                &detail,
                "risk",
                vec!["entries are off".to_owned()],
            );
        }
    }
}

/// Returns how far a day has fallen from its peak, fees and open result included, where that is too far (D17).
pub(crate) fn fall_too_far(risk: &RiskSettings, peak_cents: i64, now_cents: i64) -> Option<i64> {
    let fall = peak_cents - now_cents;
    let watches = peak_cents >= risk.trailing_armed_at_cents;
    risk.trailing_drawdown_cents
        .is_some_and(|allowed| watches && fall >= allowed)
        .then_some(fall)
}

/// Counts a finished round trip and returns how many there were within five minutes (D14).
pub(crate) fn count_round_trip(stamps: &mut VecDeque<i64>, at_ms: i64) -> usize {
    count_within(stamps, at_ms, ROUND_TRIPS_SPAN_MS);
    stamps.len()
}

fn count_within(stamps: &mut VecDeque<i64>, at_ms: i64, span_ms: i64) {
    stamps.push_back(at_ms);
    while stamps.front().is_some_and(|stamp| at_ms - stamp >= span_ms) || stamps.len() > STAMPS_MAX
    {
        stamps.pop_front();
    }
}

/// Returns a duration as seconds for people: "3600.5 s".
pub(super) fn seconds(ms: i64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

/// Returns cents as dollars for people: "−$1,501.49".
pub(crate) fn cents(amount: i64) -> String {
    let sign = if amount < 0 { "−" } else { "" };
    let amount = amount.unsigned_abs();
    let digits = (amount / 100).to_string();
    let mut whole = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    format!("{sign}${whole}.{:02}", amount % 100)
}

#[cfg(test)]
mod tests {
    use super::{HOUR_MS, Rate, RiskState, STAMPS_MAX, cents, count_within, seconds};
    use crate::settings::RateLimit;
    use crate::status::Side;

    #[test]
    fn d9_the_same_entry_is_none_for_two_seconds() {
        let mut risk = RiskState::default();
        risk.count_entry(10_000, Side::Buy, 1);

        for (at_ms, side, quantity, expected) in [
            (10_000, Side::Buy, 1, true),
            (11_999, Side::Buy, 1, true),
            (12_000, Side::Buy, 1, false),
            (12_001, Side::Buy, 1, false),
            (11_999, Side::Sell, 1, false),
            (11_999, Side::Buy, 2, false),
        ] {
            assert_eq!(
                risk.is_duplicate(at_ms, side, quantity),
                expected,
                "{at_ms}"
            );
        }
    }

    #[test]
    fn d12_a_rate_that_is_looked_up_says_what_counting_every_stamp_says() {
        let (mut state, mut at_ms) = (7_u32, 0_i64);
        let mut rate = Rate::default();
        let mut all: Vec<i64> = Vec::new();
        let mut overs = 0;
        for _ in 0..5_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [waits, some, limit, factor] = state.to_le_bytes().map(u32::from);
            // Mostly seconds, and once in a while hours.
            at_ms += i64::from(waits) * if waits % 50 == 0 { 60_000 } else { 300 };
            rate.count_some(at_ms, some % 4);
            all.extend((0..some % 4).map(|_| at_ms));
            let (more, factor) = (some % 3, 1 + factor % 2);
            let limit = RateLimit {
                minute: 1 + limit % 7,
                hour: 20 + limit,
                day: u32::MAX,
            };

            let over = rate.over(at_ms, more, factor, &limit);

            let within = |span_ms| all.iter().filter(|stamp| at_ms - **stamp < span_ms).count();
            let is_over = |span_ms, limit: u32| within(span_ms) as u32 + more > limit * factor;
            assert_eq!(
                over.is_some(),
                is_over(60_000, limit.minute) || is_over(3_600_000, limit.hour),
                "{over:?}"
            );
            overs += u32::from(over.is_some());
        }
        assert!((500..4_500).contains(&overs), "{overs}");
    }

    #[test]
    fn d12_each_span_of_a_rate_has_its_own_limit_and_forgets_in_its_own_time() {
        let mut rate = Rate::default();
        for at_ms in [0, 1, 2] {
            rate.count(at_ms);
        }
        let limit = |minute, hour, day| RateLimit { minute, hour, day };
        for (at_ms, more, factor, limit, over) in [
            (59_999, 1, 1, limit(4, 9, 9), false),
            (59_999, 2, 1, limit(4, 9, 9), true),
            (59_999, 0, 1, limit(2, 9, 9), true),
            (59_999, 0, 2, limit(1, 9, 9), true),
            (59_999, 0, 2, limit(2, 9, 9), false),
            (60_002, 1, 1, limit(0, 9, 9), true),
            (60_002, 0, 1, limit(0, 9, 9), false),
            (3_599_999, 0, 1, limit(9, 2, 9), true),
            (3_600_002, 0, 1, limit(9, 0, 9), false),
            (3_600_002, 0, 1, limit(9, 9, 2), true),
            (3_600_002, 0, 1, limit(9, 9, 3), false),
        ] {
            assert_eq!(
                rate.over(at_ms, more, factor, &limit).is_some(),
                over,
                "{at_ms} {more} {factor} {limit:?}"
            );
        }
    }

    #[test]
    fn a_rate_keeps_no_more_stamps_than_two_hours_and_a_limit_want() {
        let mut rate = Rate::default();
        for at_ms in 0..10 {
            rate.count(at_ms);
        }
        rate.count(HOUR_MS + 4);
        rate.count(HOUR_MS + 5);
        rate.count(2 * HOUR_MS - 1);
        assert_eq!(rate.stamps.len(), 13, "none is two hours old");
        rate.count(2 * HOUR_MS + 4);
        assert_eq!(rate.stamps.len(), 3, "then an hour old is too old");

        for at_ms in 0..2 * i64::try_from(STAMPS_MAX).unwrap() {
            rate.count(3 * HOUR_MS + at_ms / 100);
        }
        assert_eq!(rate.stamps.len(), STAMPS_MAX);
        assert_eq!(
            rate.in_minute(3 * HOUR_MS),
            u32::try_from(STAMPS_MAX).unwrap()
        );
        assert_eq!(rate.in_minute(4 * HOUR_MS), 0);
    }

    #[test]
    fn d14_what_is_a_minute_old_counts_no_more() {
        for (last_ms, count) in [(59_999, 3), (60_000, 2), (60_001, 2), (90_000, 1)] {
            let mut stamps = std::collections::VecDeque::new();
            for at_ms in [0, 30_000, last_ms] {
                count_within(&mut stamps, at_ms, 60_000);
            }

            assert_eq!(stamps.len(), count, "{last_ms}");
        }
        let mut stamps = std::collections::VecDeque::new();
        for _ in 0..=STAMPS_MAX {
            count_within(&mut stamps, 0, 60_000);
        }
        assert_eq!(stamps.len(), STAMPS_MAX);
    }

    #[test]
    fn seconds_are_printed_to_a_tenth() {
        for (ms, text) in [
            (0, "0.0 s"),
            (99, "0.0 s"),
            (1_999, "1.9 s"),
            (3_600_500, "3600.5 s"),
        ] {
            assert_eq!(seconds(ms), text);
        }
    }

    #[test]
    fn money_is_printed_as_the_rest_of_the_program_prints_it() {
        for (amount, text) in [
            (0, "$0.00"),
            (-5, "−$0.05"),
            (99_999, "$999.99"),
            (100_000, "$1,000.00"),
            (-3_402_500, "−$34,025.00"),
            (12_345_678_900, "$123,456,789.00"),
        ] {
            assert_eq!(cents(amount), text);
        }
    }
}
