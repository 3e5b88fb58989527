//! What of a run depends on the data and the hours alone, and not on what is traded: the bars by columns, checked once, and
//! of each bar whether it begins or ends a session and whether it lies in the flat window [S2]. A sweep computes it once for
//! all combinations that share their hours.

use super::BacktestError;
use crate::calendar::ZonedClock;
use crate::event::Bar;
use crate::exchange::record::NO_PRICE;
use crate::settings::{PriceKind, SessionSettings};
use crate::strategy::{middle_half_ticks, signal_close};

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
    /// Where they are known: what z is of where `strategy.price` is `mid`.
    pub quotes: Option<Quotes<'a>>,
}

/// Bid and ask at each bar's close, both of the length of its column; [`NO_PRICE`] where there is none.
#[derive(Debug, Clone, Copy)]
pub struct Quotes<'a> {
    /// Best bid.
    pub bid_ticks: &'a [i32],
    /// Best ask.
    pub ask_ticks: &'a [i32],
}

impl Quotes<'_> {
    /// Returns the middle at a bar's close in half ticks; none where a side is missing or the bid is not below the ask.
    fn middle_half_ticks(&self, index: usize) -> Option<i64> {
        let priced = |ticks: i32| (ticks != NO_PRICE).then_some(ticks);
        middle_half_ticks(priced(self.bid_ticks[index]), priced(self.ask_ticks[index]))
    }
}

/// The prices that z is of, one at each bar's close.
#[derive(Debug, Clone, Copy)]
pub enum SignalCloses<'a> {
    /// Last prices.
    Last {
        /// Of each bar.
        close_ticks: &'a [i32],
    },
    /// Middles of bid and ask, closes where there is no middle.
    Mid {
        /// Of each bar.
        close_ticks: &'a [i32],
        /// At each close.
        quotes: Quotes<'a>,
    },
}

impl SignalCloses<'_> {
    /// Returns what the strategy takes at a close: whole ticks of last prices, half ticks of middles.
    ///
    /// # Panics
    /// Where there is no bar at `index`.
    pub fn at(&self, index: usize) -> i64 {
        match self {
            SignalCloses::Last { close_ticks } => {
                signal_close(PriceKind::Last, close_ticks[index], None)
            }
            SignalCloses::Mid {
                close_ticks,
                quotes,
            } => {
                let middle = quotes.middle_half_ticks(index);
                signal_close(PriceKind::Mid, close_ticks[index], middle)
            }
        }
    }
}

impl<'a> Columns<'a> {
    /// Returns the prices that z is of.
    ///
    /// # Errors
    /// [`BacktestError::NoQuotes`] where middles are wanted of bars without quotes.
    pub fn signal_closes(&self, price: PriceKind) -> Result<SignalCloses<'a>, BacktestError> {
        let close_ticks = self.close_ticks;
        match (price, self.quotes) {
            (PriceKind::Last, _) => Ok(SignalCloses::Last { close_ticks }),
            (PriceKind::Mid, Some(quotes)) => Ok(SignalCloses::Mid {
                close_ticks,
                quotes,
            }),
            (PriceKind::Mid, None) => Err(BacktestError::NoQuotes),
        }
    }

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
