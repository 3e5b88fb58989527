//! Local clock time and trade dates in one zone, by the time zone database [S2]. Knows no holidays: which days trade is told
//! by the contract's hours.

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const SECOND_MS: i64 = 1_000;
/// Minutes in a day without a change of the clock.
pub const DAY_MINUTES: u32 = 1_440;

/// A zone or date that is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// No such zone.
    #[error("\"{name}\" is no zone of the IANA time zone database (\"America/Chicago\" is one)")]
    Zone {
        /// What was asked.
        name: String,
    },
    /// No such date.
    #[error("\"{text}\" is no date of the form 2026-11-25")]
    Date {
        /// What was asked.
        text: String,
    },
}

/// A day of the Gregorian calendar. Prints and is stored as "2026-11-25"; later days are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Date(NaiveDate);

impl Date {
    /// Returns the date, or none where it does not exist. Months and days count from 1.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// Returns the date that many days after 1970-01-01.
    ///
    /// # Panics
    /// Some 262 000 years from now or ago.
    pub fn from_epoch_days(days: i64) -> Self {
        let date = i32::try_from(days)
            .ok()
            .and_then(NaiveDate::from_epoch_days);
        Self(date.expect("a date within the calendar's range"))
    }

    /// Returns the days since 1970-01-01.
    pub fn epoch_days(self) -> i64 {
        i64::from(self.0.to_epoch_days())
    }

    /// Returns the year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Returns the month, 1 to 12.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// Returns the day of the month, from 1.
    pub fn day(self) -> u32 {
        self.0.day()
    }

    /// Returns the day of the week, Monday 0 to Sunday 6.
    pub fn weekday(self) -> u32 {
        self.0.weekday().num_days_from_monday()
    }

    /// Returns the date `days` later; earlier where negative.
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_epoch_days(self.epoch_days() + days)
    }

    /// Returns the days from this date to `later`; negative where it is earlier.
    pub fn days_until(self, later: Self) -> i64 {
        later.epoch_days() - self.epoch_days()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.year(),
            self.month(),
            self.day()
        )
    }
}

impl FromStr for Date {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .map(Self)
            .filter(|date| date.to_string() == text)
            .ok_or_else(|| CalendarError::Date {
                text: text.to_owned(),
            })
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for Date {
    type Error = CalendarError;

    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

/// What the clock on the wall of a zone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The day.
    pub date: Date,
    /// Minutes since midnight by that clock, 0 to 1439.
    pub minute_of_day: u32,
}

impl LocalTime {
    /// Returns the minutes since Monday 00:00 by that clock, 0 to 10 079.
    pub fn minute_of_week(self) -> u32 {
        self.date.weekday() * DAY_MINUTES + self.minute_of_day
    }
}

/// The clock of one zone. Asking it for times near each other costs a few nanoseconds: it remembers the offset of the hour.
#[derive(Debug, Clone)]
pub struct ZonedClock {
    zone: Tz,
    remembered: Cell<Remembered>,
}

/// Within `from_ms .. to_ms` the zone is `offset_ms` ahead of UTC. Empty at first.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    from_ms: i64,
    to_ms: i64,
    offset_ms: i64,
}

impl PartialEq for ZonedClock {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone
    }
}

impl Eq for ZonedClock {}

impl ZonedClock {
    /// Returns the clock of the zone with this IANA name, "America/Chicago", or an error where there is none.
    pub fn new(name: &str) -> Result<Self, CalendarError> {
        let zone = name.parse().map_err(|_| CalendarError::Zone {
            name: name.to_owned(),
        })?;
        Ok(Self {
            zone,
            remembered: Cell::default(),
        })
    }

    /// Returns the zone's IANA name.
    pub fn name(&self) -> &'static str {
        self.zone.name()
    }

    /// Returns what the zone's clock shows at a time in milliseconds since 1970 UTC.
    pub fn local(&self, at_ms: i64) -> LocalTime {
        let (days, minute_of_day) = self.local_day(at_ms);
        LocalTime {
            date: Date::from_epoch_days(days),
            minute_of_day,
        }
    }

    /// The same without the calendar: days since 1970-01-01 by the zone's clock, and minutes since its midnight.
    pub(crate) fn local_day(&self, at_ms: i64) -> (i64, u32) {
        let local_ms = at_ms + self.offset_ms(at_ms);
        let minute = local_ms.rem_euclid(DAY_MS) / MINUTE_MS;
        (
            local_ms.div_euclid(DAY_MS),
            u32::try_from(minute).expect("below 1440"),
        )
    }

    /// Returns the trade date [S2]: from `open_minute` on, by the local clock, a time belongs to the next calendar date. Where
    /// there is no opening minute it is the local date.
    pub fn trade_date(&self, at_ms: i64, open_minute: Option<u32>) -> Date {
        Date::from_epoch_days(self.trade_day(at_ms, open_minute))
    }

    /// Returns the same as [`ZonedClock::trade_date`] in days since 1970-01-01, which takes no calendar.
    pub fn trade_day(&self, at_ms: i64, open_minute: Option<u32>) -> i64 {
        let (days, minute_of_day) = self.local_day(at_ms);
        match open_minute {
            Some(open) if minute_of_day >= open => days + 1,
            Some(_) | None => days,
        }
    }

    /// Is the time in the flat window [S2], local time in [`flatten_at_minute`, `open_minute`). It passes midnight where the
    /// first is the later one, and ends at midnight where there is no opening minute; no flattening minute = no window.
    pub fn is_in_flat_window(
        &self,
        at_ms: i64,
        flatten_at_minute: Option<u32>,
        open_minute: Option<u32>,
    ) -> bool {
        let Some(from) = flatten_at_minute else {
            return false;
        };
        let to = open_minute.unwrap_or(DAY_MINUTES);
        is_in_daily_span(self.local_day(at_ms).1, from, to)
    }

    /// Returns when the clock shows this minute of this date: the first time where it shows it twice, and where it leaves the
    /// minute out the moment at which it leaps.
    pub fn at(&self, date: Date, minute_of_day: u32) -> i64 {
        let shown = wall_time(date, minute_of_day);
        match self.zone.from_local_datetime(&shown) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.timestamp_millis(),
            LocalResult::None => self.end_of_gap(&shown),
        }
    }

    /// Returns the next time, after `at_ms`, at which the clock comes to this minute; of a minute that it shows twice in a
    /// night both count, and one that it leaves out is the moment at which it leaps.
    pub fn next_at(&self, at_ms: i64, minute_of_day: u32) -> i64 {
        let today = self.local(at_ms).date;
        // The clock may be set back past midnight, so the day before can still be to come.
        (-1..=2)
            .map(|days| today.plus_days(days))
            .flat_map(|date| {
                [
                    self.at(date, minute_of_day),
                    self.last_at(date, minute_of_day),
                ]
            })
            .filter(|&next_ms| next_ms > at_ms)
            .min()
            .expect("each day has each minute, or the leap over it")
    }

    /// Returns the second time at which the clock shows this minute, where it does so twice; otherwise as `at`.
    fn last_at(&self, date: Date, minute_of_day: u32) -> i64 {
        match self
            .zone
            .from_local_datetime(&wall_time(date, minute_of_day))
        {
            LocalResult::Ambiguous(_, at) => at.timestamp_millis(),
            LocalResult::Single(_) | LocalResult::None => self.at(date, minute_of_day),
        }
    }

    fn end_of_gap(&self, shown: &NaiveDateTime) -> i64 {
        GapInfo::new(shown, &self.zone)
            .and_then(|gap| gap.end)
            .expect("a minute that does not exist lies in a gap, which ends")
            .timestamp_millis()
    }

    fn offset_ms(&self, at_ms: i64) -> i64 {
        let remembered = self.remembered.get();
        if (remembered.from_ms..remembered.to_ms).contains(&at_ms) {
            return remembered.offset_ms;
        }
        let offset_ms = self.exact_offset_ms(at_ms);
        let from_ms = at_ms.div_euclid(HOUR_MS) * HOUR_MS;
        let to_ms = from_ms + HOUR_MS;
        // No zone has changed its clock twice within one hour, so equal ends mean that all between is equal.
        if self.exact_offset_ms(from_ms) == self.exact_offset_ms(to_ms - 1) {
            self.remembered.set(Remembered {
                from_ms,
                to_ms,
                offset_ms,
            });
        }
        offset_ms
    }

    fn exact_offset_ms(&self, at_ms: i64) -> i64 {
        let at =
            DateTime::from_timestamp_millis(at_ms).expect("a time within the calendar's range");
        let offset = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
        i64::from(offset.local_minus_utc()) * SECOND_MS
    }
}

/// Is `minute` in [`from`, `to`) of a day; a span whose end is not after its start passes midnight, and an empty one
/// (`from` = `to`) holds nothing.
pub fn is_in_daily_span(minute: u32, from: u32, to: u32) -> bool {
    if from <= to {
        (from..to).contains(&minute)
    } else {
        minute >= from || minute < to
    }
}

fn wall_time(date: Date, minute_of_day: u32) -> NaiveDateTime {
    let (hour, minute) = (minute_of_day / 60, minute_of_day % 60);
    date.0
        .and_hms_opt(hour, minute, 0)
        .expect("a minute of the day is below 1440")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chicago() -> ZonedClock {
        ZonedClock::new("America/Chicago").unwrap()
    }

    fn utc(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    const fn minute(hour: u32, minute: u32) -> u32 {
        hour * 60 + minute
    }

    #[test]
    fn local_time_follows_both_changes_of_2026() {
        for (at, date, minute_of_day) in [
            ("2026-03-08T07:59:59.999Z", "2026-03-08", minute(1, 59)),
            ("2026-03-08T08:00:00Z", "2026-03-08", minute(3, 0)),
            ("2026-11-01T06:59:59.999Z", "2026-11-01", minute(1, 59)),
            ("2026-11-01T07:00:00Z", "2026-11-01", minute(1, 0)),
            ("2026-11-01T08:00:00Z", "2026-11-01", minute(2, 0)),
            ("2026-01-01T05:59:00Z", "2025-12-31", minute(23, 59)),
            ("2026-07-01T05:00:00Z", "2026-07-01", 0),
            ("1969-12-31T23:59:59.999Z", "1969-12-31", minute(17, 59)),
        ] {
            let local = chicago().local(utc(at));

            assert_eq!(
                (local.date.to_string().as_str(), local.minute_of_day),
                (date, minute_of_day),
                "{at}"
            );
        }
    }

    #[test]
    fn the_remembered_hour_changes_no_answer() {
        let clock = chicago();
        let first = utc("2026-03-07T00:00:00Z");
        let back_and_forth = (0..4_000).map(|step: i64| first + (step * 7_919 % 4_000) * 977_000);

        for at_ms in back_and_forth {
            assert_eq!(clock.local(at_ms), chicago().local(at_ms));
        }
    }

    #[test]
    fn the_trade_date_turns_at_the_open_by_the_local_clock() {
        let clock = chicago();
        let open = Some(minute(17, 0));
        for (at, date) in [
            ("2026-03-06T22:59:59Z", "2026-03-06"),
            ("2026-03-06T23:00:00Z", "2026-03-07"),
            ("2026-03-08T22:00:00Z", "2026-03-09"),
            ("2026-03-08T21:59:59Z", "2026-03-08"),
            ("2026-11-01T22:59:59Z", "2026-11-01"),
            ("2026-11-01T23:00:00Z", "2026-11-02"),
            ("2026-12-31T23:30:00Z", "2027-01-01"),
        ] {
            assert_eq!(clock.trade_date(utc(at), open).to_string(), date, "{at}");
        }
        assert_eq!(
            clock
                .trade_date(utc("2026-03-06T23:00:00Z"), None)
                .to_string(),
            "2026-03-06"
        );
    }

    #[test]
    fn the_flat_window_holds_its_start_and_not_its_end() {
        let clock = chicago();
        let (flatten, open) = (Some(minute(15, 55)), Some(minute(17, 0)));
        for (at, flat) in [
            ("2026-07-01T20:54:59.999Z", false),
            ("2026-07-01T20:55:00Z", true),
            ("2026-07-01T21:59:59.999Z", true),
            ("2026-07-01T22:00:00Z", false),
            ("2026-12-01T20:55:00Z", false),
            ("2026-12-01T21:55:00Z", true),
        ] {
            assert_eq!(
                clock.is_in_flat_window(utc(at), flatten, open),
                flat,
                "{at}"
            );
        }
        assert!(!clock.is_in_flat_window(utc("2026-07-01T20:55:00Z"), None, open));
        assert!(clock.is_in_flat_window(utc("2026-07-02T04:59:00Z"), flatten, None));
        assert!(!clock.is_in_flat_window(utc("2026-07-02T05:00:00Z"), flatten, None));
    }

    #[test]
    fn a_daily_span_may_pass_midnight() {
        for (minute, from, to, inside) in [
            (10, 10, 20, true),
            (20, 10, 20, false),
            (5, 20, 10, true),
            (20, 20, 10, true),
            (10, 20, 10, false),
            (7, 7, 7, false),
        ] {
            assert_eq!(
                is_in_daily_span(minute, from, to),
                inside,
                "{minute} in {from}..{to}"
            );
        }
    }

    #[test]
    fn the_next_minute_is_found_over_both_changes() {
        let clock = chicago();
        for (at, minute_of_day, next) in [
            (
                "2026-03-07T23:00:00Z",
                minute(17, 0),
                "2026-03-08T22:00:00Z",
            ),
            (
                "2026-10-31T22:00:00Z",
                minute(17, 0),
                "2026-11-01T23:00:00Z",
            ),
            (
                "2026-07-01T21:59:59.999Z",
                minute(17, 0),
                "2026-07-01T22:00:00Z",
            ),
            (
                "2026-07-01T22:00:00Z",
                minute(17, 0),
                "2026-07-02T22:00:00Z",
            ),
            // 02:30 is left out: the leap itself.
            (
                "2026-03-08T07:00:00Z",
                minute(2, 30),
                "2026-03-08T08:00:00Z",
            ),
            (
                "2026-03-08T08:00:00Z",
                minute(2, 30),
                "2026-03-09T07:30:00Z",
            ),
            // 01:30 comes twice.
            (
                "2026-11-01T06:00:00Z",
                minute(1, 30),
                "2026-11-01T06:30:00Z",
            ),
            (
                "2026-11-01T06:30:00Z",
                minute(1, 30),
                "2026-11-01T07:30:00Z",
            ),
            (
                "2026-11-01T07:30:00Z",
                minute(1, 30),
                "2026-11-02T07:30:00Z",
            ),
        ] {
            assert_eq!(clock.next_at(utc(at), minute_of_day), utc(next), "{at}");
        }
    }

    #[test]
    fn a_minute_of_a_date_is_its_first_showing() {
        let clock = chicago();
        let spring = Date::new(2026, 3, 8).unwrap();
        let autumn = Date::new(2026, 11, 1).unwrap();

        assert_eq!(clock.at(spring, minute(17, 0)), utc("2026-03-08T22:00:00Z"));
        assert_eq!(clock.at(spring, minute(2, 30)), utc("2026-03-08T08:00:00Z"));
        assert_eq!(clock.at(autumn, minute(1, 30)), utc("2026-11-01T06:30:00Z"));
        assert_eq!(clock.at(autumn, minute(17, 0)), utc("2026-11-01T23:00:00Z"));
    }

    #[test]
    fn dates_print_parse_and_count() {
        let date: Date = "2026-02-27".parse().unwrap();

        assert_eq!(
            (date.year(), date.month(), date.day(), date.weekday()),
            (2026, 2, 27, 4)
        );
        assert_eq!(date.plus_days(2).to_string(), "2026-03-01");
        assert_eq!(date.days_until(Date::new(2027, 2, 27).unwrap()), 365);
        assert_eq!(date.days_until(date.plus_days(-3)), -3);
        assert_eq!(serde_json::to_string(&date).unwrap(), "\"2026-02-27\"");
        assert_eq!(
            serde_json::from_str::<Date>("\"2026-02-27\"").unwrap(),
            date
        );
        assert_eq!(Date::from_epoch_days(0).to_string(), "1970-01-01");
        for text in ["2026-02-30", "2026-2-27", "27.02.2026", "", "2026-02-27 "] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_minute_of_the_week_begins_on_monday() {
        let clock = chicago();

        assert_eq!(clock.local(utc("2026-03-09T05:00:00Z")).minute_of_week(), 0);
        assert_eq!(
            clock.local(utc("2026-03-09T04:59:00Z")).minute_of_week(),
            10_079
        );
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = ZonedClock::new("America/Chicagoo").unwrap_err();

        assert!(error.to_string().contains("America/Chicagoo"));
    }
}
