//! Daily price limits of CME's and CBOT's US equity-index futures: the price that they are measured from, where they stand
//! at each time of the day in Chicago, and what of the market they let happen. Sources and choices: docs/decisions/009.
//!
//! What a market shows within its limits comes through as it is. What is decided here is decided again, alike, for what has
//! already come through, so that a feed and the exchange can each ask.

use super::account::divide_rounded;
use super::book::Book;
use super::record::{MarketContent, NO_PRICE};
use super::words::{ExchangeLimits, LimitPrice, LimitStanding};
use crate::calendar::{CalendarError, Date, ZonedClock};
use crate::status::Side;
use serde::{Deserialize, Serialize};

/// Declines at which the levels of the regular hours stand, in percent of the reference.
const LEVELS_PCT: [u8; 3] = [7, 13, 20];
/// Limits outside of the regular hours, both ways.
const HARD_PCT: u8 = 7;
/// From the moment at which the market comes to the first or second level it stands there so long, then the next one applies:
/// the length of the cash market's halt at that level.
const LEVEL_HOLDS_MS: i64 = 15 * 60_000;

const REGULAR_OPEN: u32 = 8 * 60 + 30;
/// From here to the close of the cash market only the third level applies.
const LAST_LEVEL_ALONE: u32 = 14 * 60 + 25;
/// The close of the cash market, by which the reference is made.
const FIXING: u32 = 15 * 60;
const EVENING_OPEN: u32 = 17 * 60;
/// Trades of this last half of the minute before the fixing make the reference.
const FIXING_WINDOW_MS: i64 = 30_000;
const MINUTE_MS: i64 = 60_000;
/// The end of the year 9999: no calendar is asked for a time beyond it.
const TIME_MS_MAX: i64 = 253_402_300_799_999;

/// Monday 2013-04-08, when 7, 13 and 20 % of the day before came into force. What applied before is not known here.
const RULES_FROM_DAY: i64 = 15_803;
/// A reference is of the weekday before, or of the one before that where that one was a holiday; no older one is known to be it.
const REFERENCE_WEEKDAYS_MAX: i64 = 2;

/// Where the limits' clock hangs.
pub(super) fn exchange_clock() -> Result<ZonedClock, CalendarError> {
    ZonedClock::new("America/Chicago")
}

/// A time as the limits see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    at_ms: i64,
    /// Counts weekdays. A period ends with the fixing of its weekday; what comes after a Friday's is Monday's.
    period: i64,
    minute: u32,
    is_in_rules: bool,
}

impl Moment {
    fn of(clock: &ZonedClock, at_ms: i64) -> Moment {
        let at_ms = at_ms.clamp(0, TIME_MS_MAX);
        let (day, minute) = clock.local_day(at_ms);
        Moment {
            at_ms,
            period: period_of(day, minute),
            minute,
            is_in_rules: day >= RULES_FROM_DAY,
        }
    }

    fn makes_reference(self) -> bool {
        self.minute + 1 == FIXING && self.at_ms.rem_euclid(MINUTE_MS) >= FIXING_WINDOW_MS
    }

    fn has_levels(self) -> bool {
        (REGULAR_OPEN..LAST_LEVEL_ALONE).contains(&self.minute)
    }
}

/// Days since 1970-01-01, a Thursday, to weekdays.
fn period_of(day: i64, minute: u32) -> i64 {
    let since_monday = day + 3;
    let (week, weekday) = (since_monday.div_euclid(7), since_monday.rem_euclid(7));
    let is_over = weekday < 5 && minute >= FIXING;
    week * 5 + weekday.min(5) + i64::from(is_over)
}

fn day_of(period: i64) -> i64 {
    period.div_euclid(5) * 7 + period.rem_euclid(5) - 3
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Reference {
    price_ticks: i32,
    /// The period that it was made at the end of.
    period: i64,
}

/// Prices that nothing may trade beyond, with their distance from the reference in percent; none = no limit that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Band {
    pub(super) down: Option<LimitPrice>,
    pub(super) up: Option<LimitPrice>,
}

impl Band {
    /// Returns the worst price at which an order of this side can fill.
    pub(super) fn worst_ticks(self, side: Side) -> Option<i32> {
        match side {
            Side::Buy => self.up.map(|limit| limit.price_ticks),
            Side::Sell => self.down.map(|limit| limit.price_ticks),
        }
    }

    /// Returns the price, or the limit where it lies beyond it.
    pub(super) fn within(self, price_ticks: i32) -> i32 {
        let floor = self.down.map_or(i32::MIN, |limit| limit.price_ticks);
        let ceiling = self.up.map_or(i32::MAX, |limit| limit.price_ticks);
        price_ticks.max(floor).min(ceiling)
    }

    /// Returns the limit that a price lies beyond.
    pub(super) fn broken_by(self, price_ticks: i32) -> Option<LimitPrice> {
        let below = self.down.filter(|limit| price_ticks < limit.price_ticks);
        below.or(self.up.filter(|limit| price_ticks > limit.price_ticks))
    }

    /// At a limit the other side waits, and who would go beyond it does not stand in the book.
    fn lets_through(self, content: MarketContent) -> MarketContent {
        match content {
            MarketContent::Trade { price_ticks, size } => MarketContent::Trade {
                price_ticks: self.within(price_ticks),
                size,
            },
            MarketContent::Quote {
                bid_ticks,
                ask_ticks,
                bid_size,
                ask_size,
            } => {
                let has_bid = bid_ticks != NO_PRICE
                    && self.down.is_none_or(|limit| bid_ticks >= limit.price_ticks);
                let has_ask = ask_ticks != NO_PRICE
                    && self.up.is_none_or(|limit| ask_ticks <= limit.price_ticks);
                MarketContent::Quote {
                    bid_ticks: if has_bid {
                        self.within(bid_ticks)
                    } else {
                        NO_PRICE
                    },
                    ask_ticks: if has_ask {
                        self.within(ask_ticks)
                    } else {
                        NO_PRICE
                    },
                    bid_size: if has_bid { bid_size } else { 0 },
                    ask_size: if has_ask { ask_size } else { 0 },
                }
            }
        }
    }
}

/// What is known of one contract's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Limits {
    /// The period that is being traded; what follows is of it.
    period: i64,
    last_ticks: Option<i32>,
    /// Σ price × size and Σ size of the trades that make the next reference.
    fixing_paid_ticks: i64,
    fixing_size: i64,
    /// Which of the levels applies in regular hours, from 0.
    level: u8,
    /// Since when the market has stood at that level.
    reached_at_ms: Option<i64>,
    reference: Option<Reference>,
    /// The reference before that one.
    before: Option<Reference>,
}

impl Limits {
    /// Takes one thing that the market does and returns what the limits let happen of it.
    pub(super) fn see(
        &mut self,
        clock: &ZonedClock,
        at_ms: i64,
        content: MarketContent,
    ) -> MarketContent {
        let moment = Moment::of(clock, at_ms);
        self.settle(moment);
        let band = self.band_at(moment);
        let seen = band.lets_through(content);
        if let MarketContent::Trade { price_ticks, size } = seen
            && price_ticks > 0
        {
            self.last_ticks = Some(price_ticks);
            if moment.makes_reference() {
                let size = i64::from(size.max(1));
                self.fixing_paid_ticks += i64::from(price_ticks) * size;
                self.fixing_size += size;
            }
        }
        let is_last_level = usize::from(self.level) + 1 >= LEVELS_PCT.len();
        if moment.has_levels()
            && !is_last_level
            && self.reached_at_ms.is_none()
            && band.down.is_some_and(|limit| stands_at(seen, limit))
        {
            self.reached_at_ms = Some(at_ms);
        }
        seen
    }

    /// Returns what nothing may trade beyond at a time that is not before the last record.
    pub(super) fn band(mut self, clock: &ZonedClock, at_ms: i64) -> Band {
        let moment = Moment::of(clock, at_ms);
        self.settle(moment);
        self.band_at(moment)
    }

    /// Takes a reference that it has not seen made, or forgets all that it has seen.
    pub(super) fn set_reference(
        &mut self,
        clock: &ZonedClock,
        at_ms: i64,
        price_ticks: Option<i32>,
    ) {
        let moment = Moment::of(clock, at_ms);
        self.settle(moment);
        *self = match price_ticks {
            Some(price_ticks) => Limits {
                reference: Some(Reference {
                    price_ticks,
                    period: moment.period - 1,
                }),
                before: None,
                ..*self
            },
            None => Limits {
                period: moment.period,
                ..Limits::default()
            },
        };
    }

    /// Returns the limits for a person, with where the book stands.
    pub(super) fn told(
        mut self,
        clock: &ZonedClock,
        at_ms: i64,
        instrument_id: i64,
        book: Option<&Book>,
    ) -> ExchangeLimits {
        let moment = Moment::of(clock, at_ms);
        self.settle(moment);
        let Band { down, up } = self.band_at(moment);
        let best = |side: Side| book.and_then(|book| book.own_ticks(side));
        let (bid, ask) = (best(Side::Buy), best(Side::Sell));
        let is_at = |price: Option<i32>, limit: Option<LimitPrice>| {
            limit.is_some_and(|limit| price == Some(limit.price_ticks))
        };
        let standing = if bid.is_none() && is_at(ask, down) {
            LimitStanding::Down
        } else if ask.is_none() && is_at(bid, up) {
            LimitStanding::Up
        } else {
            LimitStanding::Within
        };
        ExchangeLimits {
            instrument_id,
            fixing_at_ms: clock.at(Date::from_epoch_days(day_of(self.period - 1)), FIXING),
            reference_ticks: self.known_reference().map(|known| known.price_ticks),
            down,
            up,
            standing,
        }
    }

    /// Lets what time alone brings happen: a reference is made, a level gives way to the next.
    fn settle(&mut self, moment: Moment) {
        if moment.period > self.period {
            let made = self.fixing().map(|price_ticks| Reference {
                price_ticks,
                period: self.period,
            });
            let (reference, before) = match made {
                Some(_) => (made, self.reference),
                None => (self.reference, self.before),
            };
            *self = Limits {
                period: moment.period,
                reference,
                before,
                ..Limits::default()
            };
        }
        if self
            .reached_at_ms
            .is_some_and(|reached_at_ms| moment.at_ms - reached_at_ms >= LEVEL_HOLDS_MS)
        {
            self.level += 1;
            self.reached_at_ms = None;
        }
    }

    /// The volume-weighted price of the half minute, else the last price before it.
    fn fixing(&self) -> Option<i32> {
        if self.fixing_size == 0 {
            return self.last_ticks;
        }
        i32::try_from(divide_rounded(self.fixing_paid_ticks, self.fixing_size)).ok()
    }

    fn known_reference(&self) -> Option<Reference> {
        self.reference
            .filter(|known| self.period - known.period <= REFERENCE_WEEKDAYS_MAX)
    }

    fn band_at(&self, moment: Moment) -> Band {
        let Some(reference) = self.known_reference().filter(|_| moment.is_in_rules) else {
            return Band::default();
        };
        let last_pct = LEVELS_PCT[LEVELS_PCT.len() - 1];
        match moment.minute {
            REGULAR_OPEN..LAST_LEVEL_ALONE => {
                let level = usize::from(self.level).min(LEVELS_PCT.len() - 1);
                Band {
                    down: Some(below(reference, LEVELS_PCT[level])),
                    up: None,
                }
            }
            LAST_LEVEL_ALONE..FIXING => Band {
                down: Some(below(reference, last_pct)),
                up: None,
            },
            FIXING..EVENING_OPEN => {
                let down = below(reference, HARD_PCT);
                let cap = self
                    .before
                    .filter(|before| reference.period - before.period <= REFERENCE_WEEKDAYS_MAX)
                    .map(|before| below(before, last_pct))
                    .filter(|cap| cap.price_ticks > down.price_ticks);
                Band {
                    down: Some(cap.unwrap_or(down)),
                    up: Some(above(reference, HARD_PCT)),
                }
            }
            _ => Band {
                down: Some(below(reference, HARD_PCT)),
                up: Some(above(reference, HARD_PCT)),
            },
        }
    }
}

/// Traded there, or offered there by who would sell lower.
fn stands_at(seen: MarketContent, down: LimitPrice) -> bool {
    match seen {
        MarketContent::Trade { price_ticks, .. } => price_ticks <= down.price_ticks,
        MarketContent::Quote { ask_ticks, .. } => {
            ask_ticks != NO_PRICE && ask_ticks <= down.price_ticks
        }
    }
}

fn below(reference: Reference, percent: u8) -> LimitPrice {
    LimitPrice {
        price_ticks: reference.price_ticks - distance_ticks(reference, percent),
        percent,
    }
}

fn above(reference: Reference, percent: u8) -> LimitPrice {
    LimitPrice {
        price_ticks: reference
            .price_ticks
            .saturating_add(distance_ticks(reference, percent)),
        percent,
    }
}

/// Rounded down to whole ticks: a limit is never further away than its percentage.
fn distance_ticks(reference: Reference, percent: u8) -> i32 {
    let ticks = i64::from(reference.price_ticks) * i64::from(percent) / 100;
    i32::try_from(ticks).unwrap_or(i32::MAX)
}
