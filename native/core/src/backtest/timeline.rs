//! What of a run depends on the data and the hours alone, and not on what is traded: the bars by columns, checked once, and
//! of each bar whether it begins or ends a session and whether it lies in the flat window [S2]. A sweep computes it once for
//! all combinations that share their hours.

use super::BacktestError;
use crate::calendar::ZonedClock;
use crate::event::Bar;
use crate::settings::SessionSettings;

/// Bars by columns, all of one length, oldest first; read in place.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Milliseconds since 1970 UTC, whole numbers, as JavaScript has them.
    pub open_at_ms: &'a [f64],
    /// First price.
    pub open_ticks: &'a [i32],
    /// Highest price.
    pub high_ticks: &'a [i32],
    /// Lowest price.
    pub low_ticks: &'a [i32],
    /// Last price.
    pub close_ticks: &'a [i32],
}

impl Columns<'_> {
    /// Returns the number of bars.
    pub fn len(&self) -> usize {
        self.open_at_ms.len()
    }

    /// Is there no bar.
    pub fn is_empty(&self) -> bool {
        self.open_at_ms.is_empty()
    }

    /// Returns a bar; its volume is 0.
    ///
    /// # Panics
    /// Where there is none at `index`, or a column is shorter than the others.
    pub fn bar(&self, index: usize) -> Bar {
        Bar {
            open_at_ms: self.open_at_ms[index] as i64,
            open_ticks: self.open_ticks[index],
            high_ticks: self.high_ticks[index],
            low_ticks: self.low_ticks[index],
            close_ticks: self.close_ticks[index],
            volume: 0,
        }
    }
}

/// Of each bar one byte, and the sessions in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    flags: Vec<u8>,
    /// In days since 1970-01-01.
    trade_days: Vec<i64>,
}

const BEGINS: u8 = 1;
const FLAT: u8 = 2;
const ENDS: u8 = 4;

impl Timeline {
    /// Returns the timeline of bars of `bar_ms` (0 = one for every trade), or the first bar that is out of order or shape.
    pub fn new(
        bars: &Columns<'_>,
        session: &SessionSettings,
        bar_ms: i64,
    ) -> Result<Self, BacktestError> {
        let clock = ZonedClock::new(&session.time_zone)?;
        let mut timeline = Self {
            flags: Vec::with_capacity(bars.len()),
            trade_days: Vec::new(),
        };
        let mut before = None;
        for index in 0..bars.len() {
            let bar = bars.bar(index);
            check_bar(&bar, index, before, bar_ms)?;
            before = Some(bar.open_at_ms);
            let day = match (session.open_minute, timeline.trade_days.last()) {
                (None, Some(&only)) => only,
                (open_minute, _) => clock.trade_day(bar.open_at_ms, open_minute),
            };
            let begins = timeline.trade_days.last() != Some(&day);
            if begins {
                timeline.trade_days.push(day);
                if let Some(last) = timeline.flags.last_mut() {
                    *last |= ENDS;
                }
            }
            let is_flat = clock.is_in_flat_window(
                bar.open_at_ms,
                session.flatten_at_minute,
                session.open_minute,
            );
            let flag = |is: bool, flag: u8| if is { flag } else { 0 };
            timeline
                .flags
                .push(flag(begins, BEGINS) | flag(is_flat, FLAT));
        }
        if let Some(last) = timeline.flags.last_mut() {
            *last |= ENDS;
        }
        Ok(timeline)
    }

    /// Returns the number of bars.
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Is there no bar.
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// Returns the trade dates of the sessions, in days since 1970-01-01.
    pub fn trade_days(&self) -> &[i64] {
        &self.trade_days
    }

    /// Is the bar the first of its session.
    pub fn begins(&self, index: usize) -> bool {
        self.flags[index] & BEGINS != 0
    }

    /// Is the bar the last of its session.
    pub fn ends(&self, index: usize) -> bool {
        self.flags[index] & ENDS != 0
    }

    /// Is the bar in the flat window.
    pub fn is_flat(&self, index: usize) -> bool {
        self.flags[index] & FLAT != 0
    }
}

/// Returns what is wrong with a bar that stands at `index` after one that opened at `before_ms` [S1].
pub(super) fn check_bar(
    bar: &Bar,
    index: usize,
    before_ms: Option<i64>,
    bar_ms: i64,
) -> Result<(), BacktestError> {
    let open_at_ms = bar.open_at_ms;
    // Where every trade is a bar, several share a stamp and stand in the order of the file.
    let step_ms = i64::from(bar_ms > 0);
    if let Some(before_ms) = before_ms.filter(|&before_ms| open_at_ms < before_ms + step_ms) {
        return Err(BacktestError::BarOrder {
            index,
            open_at_ms,
            before_ms,
        });
    }
    let range = bar.low_ticks..=bar.high_ticks;
    if !range.contains(&bar.open_ticks) || !range.contains(&bar.close_ticks) {
        return Err(BacktestError::BarShape { index, open_at_ms });
    }
    Ok(())
}
