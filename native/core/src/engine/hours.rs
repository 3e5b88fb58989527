//! When we trade: the trading day, our own windows, the broker's resets, the days to expiry. Only asks the calendar.

use crate::calendar::{DAY_MINUTES, Date, ZonedClock, is_in_daily_span};
use crate::event::Span;
use crate::settings::SessionSettings;
use serde::{Deserialize, Serialize};

const WEEK_MINUTES: i64 = 7 * DAY_MINUTES as i64;
const MINUTE_MS: i64 = 60_000;
const QUARTER_MS: i64 = 15 * MINUTE_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Our trading hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SessionSettings", into = "SessionSettings")]
pub(crate) struct Hours {
    settings: SessionSettings,
    zone: ZonedClock,
    reset_zone: ZonedClock,
}

impl From<Hours> for SessionSettings {
    fn from(hours: Hours) -> SessionSettings {
        hours.settings
    }
}

impl TryFrom<SessionSettings> for Hours {
    type Error = String;

    fn try_from(settings: SessionSettings) -> Result<Hours, String> {
        Hours::new(&settings)
    }
}

impl Hours {
    /// Returns the hours by their settings, or which zone is unknown.
    pub fn new(settings: &SessionSettings) -> Result<Hours, String> {
        let zone = |name: &str| ZonedClock::new(name).map_err(|error| error.to_string());
        Ok(Hours {
            zone: zone(&settings.time_zone)?,
            reset_zone: zone(&settings.reset_zone)?,
            settings: settings.clone(),
        })
    }

    /// Returns the trading day that a moment belongs to, "2026-11-25"; "all" where the session never ends [S2].
    pub fn trade_date(&self, at_ms: i64) -> String {
        match self.settings.open_minute {
            Some(open) => self.zone.trade_date(at_ms, Some(open)).to_string(),
            None => "all".to_owned(),
        }
    }

    /// Is the moment in the flat window [S2], or `flatten_before_close_ms` or less before the market's close.
    pub fn in_flat_window(&self, at_ms: i64, spans: &[Span]) -> bool {
        let SessionSettings {
            flatten_at_minute,
            open_minute,
            flatten_before_close_ms,
            ..
        } = self.settings;
        if flatten_at_minute.is_none() {
            return false;
        }
        let closes_soon = || {
            spans.iter().any(|span| {
                (span.from_ms..span.to_ms).contains(&at_ms)
                    && span.to_ms - at_ms <= flatten_before_close_ms
            })
        };
        self.zone
            .is_in_flat_window(at_ms, flatten_at_minute, open_minute)
            || closes_soon()
    }

    /// Is the moment in one of our entry windows; always where there are none.
    pub fn in_entry_window(&self, at_ms: i64) -> bool {
        let windows = &self.settings.entry_windows;
        let minute = self.zone.local(at_ms).minute_of_day;
        windows.is_empty()
            || windows
                .iter()
                .any(|window| is_in_daily_span(minute, window.from_minute, window.to_minute))
    }

    /// Does one of the broker's reset windows begin within `lead_ms`, or is it on (D22).
    pub fn near_reset(&self, at_ms: i64, lead_ms: i64) -> bool {
        self.minutes_to_reset(at_ms, lead_ms)
            .is_some_and(|minutes| minutes < 0)
    }

    /// Returns `near_reset` and a time up to which it stays so. Looks ahead to the next full hour: up to there the zone's clock
    /// runs evenly.
    pub fn near_reset_to_ms(&self, at_ms: i64, lead_ms: i64) -> (bool, i64) {
        let Some(minutes) = self.minutes_to_reset(at_ms, lead_ms) else {
            return (false, i64::MAX);
        };
        let minute_ms = at_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let hour_ends_ms = (at_ms.div_euclid(HOUR_MS) + 1) * HOUR_MS;
        let changes_at_ms = minute_ms + minutes.abs() * MINUTE_MS;
        (minutes < 0, changes_at_ms.min(hour_ends_ms))
    }

    /// Returns the minutes until `lead_ms` before the next reset window; from there on those until its end, below 0; none where
    /// there are no windows.
    fn minutes_to_reset(&self, at_ms: i64, lead_ms: i64) -> Option<i64> {
        if self.settings.reset_windows.is_empty() {
            return None;
        }
        let lead = lead_ms / MINUTE_MS;
        let now = i64::from(self.reset_zone.local(at_ms).minute_of_week());
        let windows = self.settings.reset_windows.iter().map(|window| {
            let (from, to) = (
                i64::from(window.from_week_minute),
                i64::from(window.to_week_minute),
            );
            let length = (to - from).rem_euclid(WEEK_MINUTES);
            let since = (now - (from - lead)).rem_euclid(WEEK_MINUTES);
            if since < length + lead {
                since - (length + lead)
            } else {
                WEEK_MINUTES - since
            }
        });
        windows.min()
    }

    /// Returns calendar days from the moment's local date to a date; none where that is no date.
    pub fn days_until(&self, date: &str, at_ms: i64) -> Option<i64> {
        Some(self.days_to(date.parse().ok()?, at_ms))
    }

    /// Returns calendar days from the moment's local date to a date.
    pub fn days_to(&self, last: Date, at_ms: i64) -> i64 {
        self.zone.local(at_ms).date.days_until(last)
    }

    /// Returns whether there are at most `limit` calendar days to a date, and a time up to which it stays so.
    pub fn near_date_to_ms(&self, at_ms: i64, date: Date, limit: i64) -> (bool, i64) {
        let days_left = self.days_to(date, at_ms) - limit;
        // The local day may end at once and the next be an hour short. Zones stand apart by whole quarters of an hour, so no
        // day ends before the next quarter.
        let days_to_ms = at_ms + (days_left - 1) * DAY_MS - 2 * HOUR_MS;
        let quarter_ms = (at_ms.div_euclid(QUARTER_MS) + 1) * QUARTER_MS;
        (days_left <= 0, days_to_ms.max(quarter_ms))
    }

    /// Returns the local clock time with its zone, "13:02:11 CT".
    pub fn clock(&self, at_ms: i64) -> String {
        let minute = self.zone.local(at_ms).minute_of_day;
        let second = at_ms.rem_euclid(MINUTE_MS) / 1_000;
        let zone = match self.settings.time_zone.as_str() {
            "America/Chicago" | "US/Central" => "CT",
            "America/New_York" | "US/Eastern" => "ET",
            other => other,
        };
        format!("{:02}:{:02}:{second:02} {zone}", minute / 60, minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ResetSpan;

    #[test]
    fn what_is_said_to_stay_so_does_in_every_minute_and_across_the_change_of_clocks() {
        let last: Date = "2026-11-20".parse().unwrap();
        for zone in ["America/Chicago", "Asia/Kathmandu"] {
            let hours = Hours::new(&SessionSettings {
                time_zone: zone.into(),
                open_minute: Some(1_020),
                entry_windows: vec![],
                no_entry_before_flatten_ms: 0,
                flatten_at_minute: Some(955),
                flatten_before_close_ms: 0,
                reset_windows: [(1_425, 1_485), (10_065, 45), (7_140, 7_380), (7_185, 7_245)]
                    .map(|(from_week_minute, to_week_minute)| ResetSpan {
                        from_week_minute,
                        to_week_minute,
                    })
                    .to_vec(),
                reset_zone: "America/New_York".into(),
            })
            .unwrap();
            let (mut reset, mut expiry) = ((false, i64::MIN), (false, i64::MIN));
            let (mut resets, mut expiries) = (0, 0);
            // 28 October to 25 November 2026: the clocks of New York and Chicago go back on 1 November.
            for minute in 0..28 * 1_440 {
                let at_ms = 1_793_160_000_000 + minute * MINUTE_MS;
                if at_ms >= reset.1 {
                    reset = hours.near_reset_to_ms(at_ms, 30 * MINUTE_MS);
                    assert!(reset.1 > at_ms);
                    resets += 1;
                }
                if at_ms >= expiry.1 {
                    expiry = hours.near_date_to_ms(at_ms, last, 8);
                    assert!(expiry.1 > at_ms);
                    expiries += 1;
                }

                assert_eq!(reset.0, hours.near_reset(at_ms, 30 * MINUTE_MS), "{at_ms}");
                assert_eq!(expiry.0, hours.days_to(last, at_ms) <= 8, "{at_ms}");
            }
            assert!(resets < 1_000 && expiries < 2_000, "{resets} {expiries}");
        }
    }
}
