//! When we trade: the trading day, our own windows, the broker's resets, the days to expiry. Only asks the calendar.

use crate::calendar::{DAY_MINUTES, Date, ZonedClock, is_in_daily_span};
use crate::event::Span;
use crate::settings::SessionSettings;
use serde::{Deserialize, Serialize};

const WEEK_MINUTES: i64 = 7 * DAY_MINUTES as i64;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

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
        self.minutes_to_reset(at_ms, lead_ms) == Some(0)
    }

    /// Returns a time up to which `near_reset` is false, or the moment itself where it is true. Looks ahead to the next full
    /// hour: up to there the zone's clock runs evenly.
    pub fn clear_of_reset_to_ms(&self, at_ms: i64, lead_ms: i64) -> i64 {
        let Some(minutes) = self.minutes_to_reset(at_ms, lead_ms) else {
            return i64::MAX;
        };
        let minute_ms = at_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let hour_ends_ms = (at_ms.div_euclid(HOUR_MS) + 1) * HOUR_MS;
        if minutes == 0 {
            return at_ms;
        }
        (minute_ms + minutes * MINUTE_MS).min(hour_ends_ms)
    }

    /// Returns the minutes until `lead_ms` before the next reset window, 0 from there to its end; none where there are none.
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
                0
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
