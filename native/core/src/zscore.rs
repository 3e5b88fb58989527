//! z = (price − rolling mean) / rolling standard deviation, twice: exact over whole ticks for decisions, and numerically
//! stable over arbitrary f64 arrays for analysis. Knows no session and no threshold's meaning.

mod batch;
mod series;

pub use batch::zscore;
pub use series::ZSeries;

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use thiserror::Error;

/// Smallest window, in prices.
pub const WINDOW_MIN: u32 = 2;
/// Largest window, in prices.
pub const WINDOW_MAX: u32 = 1_000_000;
/// Largest price, up or down, in ticks: keeps n·Q under 2^120, so that nothing overflows in 128 bits.
pub const PRICE_TICKS_MAX: i64 = 1 << 40;
/// Thresholds beyond this are never reached (|z| < √n ≤ 1000), so they may be cut to it before they are squared.
const THRESHOLD_E4_MAX: i64 = 100_000_000;
/// Thresholds come in ten-thousandths [S3].
const THRESHOLD_SCALE: i64 = 10_000;

/// A window that cannot be computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WindowError {
    /// Too short or too long.
    #[error("a window of {window} bars is outside {WINDOW_MIN} to {WINDOW_MAX}")]
    Window {
        /// What was asked.
        window: u32,
    },
    /// Neither of the two usual deviations.
    #[error("ddof {ddof} is neither 0 (population deviation) nor 1 (sample deviation)")]
    Ddof {
        /// What was asked.
        ddof: u8,
    },
    /// A stored window holds more prices than fit.
    #[error("{filled} prices are stored for a window of {window}")]
    Overfull {
        /// Prices found.
        filled: usize,
        /// Prices that fit.
        window: u32,
    },
    /// A stored price is beyond what the sums may hold.
    #[error("the price of {price_ticks} ticks is beyond {PRICE_TICKS_MAX}")]
    Price {
        /// What was found.
        price_ticks: i64,
    },
}

/// What the window says at a close [S3]: figures for show, and the exact integers for comparisons.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ZReading {
    /// z, rounded to a float for show; none while fewer than a window of prices exist or all of them are equal.
    pub z: Option<f64>,
    /// Mean of the window in ticks; none while it is not full.
    pub mean_ticks: Option<f64>,
    /// Standard deviation in ticks, 0 where all prices are equal; none while the window is not full.
    pub sd_ticks: Option<f64>,
    /// Prices in the window.
    pub filled: u32,
    /// z as integers; none where z is.
    exact: Option<ExactZ>,
}

/// z = d·√(n − ddof) / √(n·V), in the integers of [S3].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ExactZ {
    /// n·x − S.
    deviation: i64,
    /// V = n·Q − S², above 0.
    spread: u128,
    /// n.
    count: u32,
    /// n − ddof.
    freedom: u32,
}

impl ZReading {
    /// Returns how z compares with a threshold in ten-thousandths (20000 = 2.0), exactly: ties are `Equal`. None where z
    /// is undefined.
    pub fn compare(&self, threshold_e4: i64) -> Option<Ordering> {
        self.exact.map(|exact| exact.compare(threshold_e4))
    }

    /// Is z ≥ threshold, a tie included; false where z is undefined.
    pub fn is_at_least(&self, threshold_e4: i64) -> bool {
        self.compare(threshold_e4).is_some_and(Ordering::is_ge)
    }

    /// Is z ≤ threshold, a tie included; false where z is undefined.
    pub fn is_at_most(&self, threshold_e4: i64) -> bool {
        self.compare(threshold_e4).is_some_and(Ordering::is_le)
    }

    /// Returns the same reading with mean and deviation divided by `units`: 2 where doubled ticks were pushed. z has no unit
    /// and stays.
    #[expect(clippy::float_arithmetic, reason = "mean and deviation are for show")]
    pub fn in_units_of(self, units: u32) -> Self {
        let scale = f64::from(units);
        Self {
            mean_ticks: self.mean_ticks.map(|mean| mean / scale),
            sd_ticks: self.sd_ticks.map(|sd| sd / scale),
            ..self
        }
    }
}

impl ExactZ {
    fn compare(self, threshold_e4: i64) -> Ordering {
        let threshold_e4 = threshold_e4.clamp(-THRESHOLD_E4_MAX, THRESHOLD_E4_MAX);
        match (self.deviation.signum(), threshold_e4.signum()) {
            (deviation, threshold) if deviation != threshold => deviation.cmp(&threshold),
            (0, _) => Ordering::Equal,
            (1, _) => self.compare_sizes(threshold_e4),
            _ => self.compare_sizes(threshold_e4).reverse(),
        }
    }

    /// |z| against |t|: d²·(n − ddof)·10⁸ against t²·n·V, in 256 bits since d² and V each fill nearly 128.
    fn compare_sizes(self, threshold_e4: i64) -> Ordering {
        let deviation = self.deviation.unsigned_abs();
        let threshold = threshold_e4.unsigned_abs();
        let scale = THRESHOLD_SCALE.unsigned_abs();
        let (freedom, count) = (u64::from(self.freedom), u64::from(self.count));
        // 2^60 · 2^47 and 2^60 · 2^60: one product of two words a side is all that the prices of a market ever need.
        if deviation < 1 << 30 && self.spread < 1 << 60 && threshold < 1 << 20 {
            let spread = u64::try_from(self.spread).expect("below 2^60");
            let left = u128::from(deviation * deviation) * u128::from(freedom * scale * scale);
            let right = u128::from(spread) * u128::from(threshold * threshold * count);
            return left.cmp(&right);
        }
        let (deviation, threshold) = (u128::from(deviation), u128::from(threshold));
        let (freedom, count, scale) = (u128::from(freedom), u128::from(count), u128::from(scale));
        let left = wide_product(deviation * deviation, freedom * scale * scale);
        let right = wide_product(self.spread, threshold * threshold * count);
        left.cmp(&right)
    }
}

/// Returns a·b as (high, low) halves of 256 bits.
fn wide_product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u32 = 64;
    const LOW: u128 = (1 << HALF) - 1;
    let (a_high, a_low) = (a >> HALF, a & LOW);
    let (b_high, b_low) = (b >> HALF, b & LOW);
    let low = a_low * b_low;
    let (middle, carried) = (a_low * b_high).overflowing_add(a_high * b_low);
    let (middle, carried_low) = {
        let (sum, over) = middle.overflowing_add(low >> HALF);
        (sum, u128::from(over) + u128::from(carried))
    };
    let high = a_high * b_high + (middle >> HALF) + (carried_low << HALF);
    (high, (middle << HALF) | (low & LOW))
}

/// z of a stream of whole ticks over the newest `window` prices: constant time a price, exact sums, so no drift however long
/// it runs, and no allocation after construction.
///
/// ```
/// use scalper_core::zscore::RollingZ;
///
/// let mut rolling = RollingZ::new(5, 1)?;
/// for ticks in [1, 0, 1, 0] {
///     assert_eq!(rolling.push(ticks).z, None);
/// }
/// let reading = rolling.push(8);
/// assert!((reading.z.unwrap() - 1.769_303_473_9).abs() < 1e-9);
/// assert!(reading.is_at_least(15_000));
/// # Ok::<(), scalper_core::zscore::WindowError>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "StoredWindow", try_from = "StoredWindow")]
pub struct RollingZ {
    window: u32,
    ddof: u8,
    /// Grows to `window` prices, then is a ring.
    ring: Vec<i64>,
    /// Where the oldest price stands once the ring is full.
    oldest: usize,
    /// S.
    sum: i128,
    /// Q.
    sum_of_squares: i128,
}

impl RollingZ {
    /// Returns an empty window of 2 to 1 000 000 prices; `ddof` 0 or 1, else an error.
    pub fn new(window: u32, ddof: u8) -> Result<Self, WindowError> {
        Self::check(window, ddof)?;
        Ok(Self {
            window,
            ddof,
            ring: Vec::with_capacity(window as usize),
            oldest: 0,
            sum: 0,
            sum_of_squares: 0,
        })
    }

    fn check(window: u32, ddof: u8) -> Result<(), WindowError> {
        if !(WINDOW_MIN..=WINDOW_MAX).contains(&window) {
            return Err(WindowError::Window { window });
        }
        if ddof > 1 {
            return Err(WindowError::Ddof { ddof });
        }
        Ok(())
    }

    /// Takes the newest price in and returns what the window says with it.
    ///
    /// # Panics
    /// Where the price is beyond [`PRICE_TICKS_MAX`].
    pub fn push(&mut self, price_ticks: i64) -> ZReading {
        assert!(
            price_ticks.abs() <= PRICE_TICKS_MAX,
            "price of {price_ticks} ticks is beyond {PRICE_TICKS_MAX}"
        );
        if self.ring.len() < self.window as usize {
            self.ring.push(price_ticks);
        } else {
            let leaving = i128::from(std::mem::replace(&mut self.ring[self.oldest], price_ticks));
            self.sum -= leaving;
            self.sum_of_squares -= leaving * leaving;
            self.oldest += 1;
            if self.oldest == self.ring.len() {
                self.oldest = 0;
            }
        }
        let arriving = i128::from(price_ticks);
        self.sum += arriving;
        self.sum_of_squares += arriving * arriving;
        self.reading()
    }

    /// Returns what the window says at its newest price.
    pub fn reading(&self) -> ZReading {
        let filled = self.filled();
        let empty = ZReading {
            filled,
            ..ZReading::default()
        };
        let Some(newest) = self.newest().filter(|_| filled == self.window) else {
            return empty;
        };
        let count = i128::from(self.window);
        let deviation = count * i128::from(newest) - self.sum;
        let spread = (count * self.sum_of_squares - self.sum * self.sum).unsigned_abs();
        let exact = (spread != 0).then(|| ExactZ {
            deviation: i64::try_from(deviation)
                .expect("|n·x − S| < 2^61 by the limits of price and window"),
            spread,
            count: self.window,
            freedom: self.window - u32::from(self.ddof),
        });
        let (mean, sd) = self.moments(spread);
        ZReading {
            z: exact.map(z_of),
            mean_ticks: Some(mean),
            sd_ticks: Some(sd),
            exact,
            ..empty
        }
    }

    /// Returns the number of prices in the window.
    pub fn filled(&self) -> u32 {
        u32::try_from(self.ring.len()).expect("at most the window, which is a u32")
    }

    /// Returns how many prices the window holds when full.
    pub fn window(&self) -> u32 {
        self.window
    }

    /// Returns the prices in the window, oldest first.
    pub fn prices(&self) -> impl Iterator<Item = i64> + '_ {
        let (newer, older) = self.ring.split_at(self.oldest);
        older.iter().chain(newer).copied()
    }

    /// Empties the window.
    pub fn clear(&mut self) {
        self.ring.clear();
        self.oldest = 0;
        self.sum = 0;
        self.sum_of_squares = 0;
    }

    /// Returns a window of another size with the newest prices that fit; a longer one has to fill up first.
    pub fn resized(&self, window: u32, ddof: u8) -> Result<Self, WindowError> {
        let mut resized = Self::new(window, ddof)?;
        let surplus = self.ring.len().saturating_sub(window as usize);
        for price in self.prices().skip(surplus) {
            resized.push(price);
        }
        Ok(resized)
    }

    fn newest(&self) -> Option<i64> {
        let at = self
            .oldest
            .checked_sub(1)
            .or(self.ring.len().checked_sub(1))?;
        self.ring.get(at).copied()
    }

    #[expect(
        clippy::float_arithmetic,
        reason = "mean and deviation are for show; decisions compare integers"
    )]
    fn moments(&self, spread: u128) -> (f64, f64) {
        let count = f64::from(self.window);
        let freedom = f64::from(self.window - u32::from(self.ddof));
        (
            i64::try_from(self.sum).map_or(self.sum as f64, |small| small as f64) / count,
            (float_of(spread) / (count * freedom)).sqrt(),
        )
    }
}

#[expect(
    clippy::float_arithmetic,
    reason = "z is dimensionless and for show; decisions compare integers"
)]
fn z_of(exact: ExactZ) -> f64 {
    let variance = float_of(exact.spread) * f64::from(exact.count) / f64::from(exact.freedom);
    exact.deviation as f64 / variance.sqrt()
}

/// Returns the nearest float; the halves of most spreads are zero, and 64 bits convert in one instruction.
fn float_of(spread: u128) -> f64 {
    match u64::try_from(spread) {
        Ok(small) => small as f64,
        Err(_) => spread as f64,
    }
}

/// Two windows are equal where they hold the same prices in the same order, wherever their rings stand.
impl PartialEq for RollingZ {
    fn eq(&self, other: &Self) -> bool {
        self.window == other.window && self.ddof == other.ddof && self.prices().eq(other.prices())
    }
}

impl Eq for RollingZ {}

/// How a window is written into a snapshot: the sums follow from the prices.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredWindow {
    window: u32,
    ddof: u8,
    /// Oldest first.
    prices: Vec<i64>,
}

impl From<RollingZ> for StoredWindow {
    fn from(rolling: RollingZ) -> Self {
        Self {
            window: rolling.window,
            ddof: rolling.ddof,
            prices: rolling.prices().collect(),
        }
    }
}

impl TryFrom<StoredWindow> for RollingZ {
    type Error = WindowError;

    fn try_from(stored: StoredWindow) -> Result<Self, WindowError> {
        let mut rolling = Self::new(stored.window, stored.ddof)?;
        let filled = stored.prices.len();
        if filled > stored.window as usize {
            return Err(WindowError::Overfull {
                filled,
                window: stored.window,
            });
        }
        for price_ticks in stored.prices {
            if !(-PRICE_TICKS_MAX..=PRICE_TICKS_MAX).contains(&price_ticks) {
                return Err(WindowError::Price { price_ticks });
            }
            rolling.push(price_ticks);
        }
        Ok(rolling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(prices: &[i64], ddof: u8) -> ZReading {
        let window = u32::try_from(prices.len()).unwrap();
        let mut rolling = RollingZ::new(window, ddof).unwrap();
        prices
            .iter()
            .map(|&price| rolling.push(price))
            .last()
            .unwrap()
    }

    #[test]
    fn a_tie_at_two_is_reached_from_both_sides() {
        let high = reading(&[0, 0, 0, 0, 1], 0);
        let low = reading(&[1, 1, 1, 1, 0], 0);

        assert_eq!(high.compare(20_000), Some(Ordering::Equal));
        assert_eq!(low.compare(-20_000), Some(Ordering::Equal));
        assert!(high.is_at_least(20_000) && !high.is_at_least(20_001) && high.is_at_least(19_999));
        assert!(low.is_at_most(-20_000) && !low.is_at_most(-20_001) && low.is_at_most(-19_999));
    }

    #[test]
    fn comparisons_hold_across_zero() {
        let high = reading(&[0, 0, 0, 0, 1], 0);
        let low = reading(&[1, 1, 1, 1, 0], 0);
        let middle = reading(&[1, 3, 2], 1);

        assert_eq!(high.compare(-20_000), Some(Ordering::Greater));
        assert_eq!(high.compare(0), Some(Ordering::Greater));
        assert_eq!(low.compare(0), Some(Ordering::Less));
        assert_eq!(low.compare(-5_000), Some(Ordering::Less));
        assert_eq!(low.compare(5_000), Some(Ordering::Less));
        assert_eq!(middle.compare(0), Some(Ordering::Equal));
        assert_eq!(middle.compare(1), Some(Ordering::Less));
        assert_eq!(middle.compare(-1), Some(Ordering::Greater));
    }

    #[test]
    fn an_undefined_z_reaches_nothing() {
        let constant = reading(&[7, 7, 7], 1);
        let mut short = RollingZ::new(3, 1).unwrap();
        short.push(1);

        for reading in [constant, short.push(5)] {
            assert_eq!(reading.z, None);
            assert!(
                !reading.is_at_least(-THRESHOLD_E4_MAX) && !reading.is_at_most(THRESHOLD_E4_MAX)
            );
        }
        assert_eq!(constant.mean_ticks, Some(7.0));
        assert_eq!(constant.sd_ticks, Some(0.0));
    }

    #[test]
    fn prices_at_the_limit_neither_overflow_nor_round() {
        let mut rolling = RollingZ::new(4, 0).unwrap();
        for price in [
            PRICE_TICKS_MAX,
            -PRICE_TICKS_MAX,
            PRICE_TICKS_MAX,
            -PRICE_TICKS_MAX,
        ] {
            rolling.push(price);
        }

        assert_eq!(rolling.reading().compare(-10_000), Some(Ordering::Equal));
        assert_eq!(rolling.reading().compare(i64::MIN), Some(Ordering::Greater));
        assert_eq!(
            rolling.push(PRICE_TICKS_MAX).compare(10_000),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn wide_products_are_exact() {
        assert_eq!(wide_product(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(wide_product(u128::MAX, 2), (1, u128::MAX - 1));
        assert_eq!(wide_product(1 << 100, 1 << 100), (1 << 72, 0));
        assert_eq!(wide_product(12, 12), (0, 144));
        // The only carry here comes out of the low halves' product.
        assert_eq!(
            wide_product(
                0xb60d16e83b2409ecc2ce6f447ed4d57b,
                0x612e7696a6cecc1bffff10617311d8a3
            ),
            (
                0x451c005d46fd4c1b1ef40755f89d1be4,
                0x91d10c0560d5114fe65a3f43c3ceb551
            )
        );
    }

    #[test]
    fn a_window_and_ddof_out_of_range_are_refused() {
        assert_eq!(RollingZ::new(1, 1), Err(WindowError::Window { window: 1 }));
        assert_eq!(
            RollingZ::new(1_000_001, 1),
            Err(WindowError::Window { window: 1_000_001 })
        );
        assert_eq!(RollingZ::new(2, 2), Err(WindowError::Ddof { ddof: 2 }));
        assert!(RollingZ::new(2, 0).is_ok() && RollingZ::new(1_000_000, 1).is_ok());
    }

    #[test]
    fn a_shorter_window_keeps_the_newest_prices() {
        let mut rolling = RollingZ::new(4, 1).unwrap();
        for price in [9, 1, 2, 3, 5] {
            rolling.push(price);
        }

        let shorter = rolling.resized(3, 1).unwrap();
        let longer = rolling.resized(6, 1).unwrap();

        assert_eq!(shorter.prices().collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!(longer.prices().collect::<Vec<_>>(), [1, 2, 3, 5]);
        assert_eq!(longer.reading().z, None);
    }

    #[test]
    fn a_window_survives_its_snapshot() {
        let mut rolling = RollingZ::new(3, 0).unwrap();
        for price in [4, 8, 15, 16] {
            rolling.push(price);
        }

        let text = serde_json::to_string(&rolling).unwrap();
        let mut back: RollingZ = serde_json::from_str(&text).unwrap();

        assert_eq!(text, r#"{"window":3,"ddof":0,"prices":[8,15,16]}"#);
        assert_eq!(back, rolling);
        assert_eq!(back.push(23), rolling.push(23));
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        for text in [
            r#"{"window":2,"ddof":0,"prices":[1,2,3]}"#,
            r#"{"window":0,"ddof":0,"prices":[]}"#,
            r#"{"window":2,"ddof":0,"prices":[9223372036854775807]}"#,
        ] {
            assert!(serde_json::from_str::<RollingZ>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_batch_is_undefined_where_a_window_does_not_fit() {
        for (window, ddof) in [(0, 0), (1, 1), (4, 0)] {
            assert!(
                zscore(&[1.0, 2.0, 3.0], window, ddof)
                    .iter()
                    .all(|z| z.is_nan())
            );
        }
        assert!(zscore(&[], 2, 1).is_empty());
    }

    #[test]
    fn extreme_magnitudes_neither_overflow_nor_vanish() {
        for scale in [
            f64::MIN_POSITIVE / 4096.0,
            1e-300,
            1e-160,
            1.0,
            1e160,
            f64::MAX / 16.0,
        ] {
            let prices = [1.0, 2.0, 3.0, 4.0, 9.0].map(|price| price * scale);
            let z = zscore(&prices, 4, 0);

            assert!(
                (z[3] - 1.341_640_786_499_873_9).abs() < 1e-12,
                "{scale:e}: {}",
                z[3]
            );
            assert!(
                (z[4] - 1.671_258_043_593_466_5).abs() < 1e-12,
                "{scale:e}: {}",
                z[4]
            );
        }
    }

    #[test]
    fn a_window_over_many_magnitudes_recovers_when_the_large_price_has_left() {
        let tiny = 1e-200;
        let z = zscore(&[1e250, tiny, 2.0 * tiny, 3.0 * tiny, 4.0 * tiny], 4, 0);

        assert!((z[3] + (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((z[4] - 1.341_640_786_499_873_9).abs() < 1e-12);
    }
}
