//! z at every close of a whole series of ticks, computed once for all who read it: what a sweep shares among the
//! combinations of one window. The same integers, and so the same bits, as `RollingZ` gives one by one.

use super::{ExactZ, RollingZ, WindowError, ZReading, z_of};

/// z at each close, as the float for show and the integers for comparisons: 24 bytes a close.
#[derive(Debug, Clone, PartialEq)]
pub struct ZSeries {
    count: u32,
    freedom: u32,
    /// NaN where undefined.
    z: Vec<f64>,
    /// n·x − S.
    deviations: Vec<i64>,
    /// n·Q − S².
    spreads: Vec<u64>,
}

impl ZSeries {
    /// Returns z at each close over the newest `window` of them; the window is emptied before each close for which `is_reset`
    /// says so. None where the closes are so far apart that the sums want more than 64 bits: then roll.
    ///
    /// # Errors
    /// As [`RollingZ::new`].
    pub fn new(
        closes_ticks: &[i32],
        window: u32,
        ddof: u8,
        is_reset: impl Fn(usize) -> bool,
    ) -> Result<Option<Self>, WindowError> {
        let close_at = |at: usize| i64::from(closes_ticks[at]);
        Self::of(closes_ticks.len(), close_at, window, ddof, is_reset)
    }

    /// Does the same for `closes` whole numbers below 2^40 that `close_at` gives, in ticks or parts of a tick.
    ///
    /// # Errors
    /// As [`RollingZ::new`].
    pub fn of(
        closes: usize,
        close_at: impl Fn(usize) -> i64,
        window: u32,
        ddof: u8,
        is_reset: impl Fn(usize) -> bool,
    ) -> Result<Option<Self>, WindowError> {
        RollingZ::check(window, ddof)?;
        let origin = if closes == 0 { 0 } else { close_at(0) };
        let farthest = (0..closes)
            .map(|at| (close_at(at) - origin).unsigned_abs())
            .max();
        // n·Q and S² are at most (n·x)², and their difference keeps its sign in 64 bits.
        let largest = u128::from(window) * u128::from(farthest.unwrap_or(0));
        if largest >= 1 << 31 {
            return Ok(None);
        }
        let mut series = Self {
            count: window,
            freedom: window - u32::from(ddof),
            z: Vec::with_capacity(closes),
            deviations: Vec::with_capacity(closes),
            spreads: Vec::with_capacity(closes),
        };
        let (count, size) = (i64::from(window), window as usize);
        let (mut sum, mut squares, mut filled) = (0_i64, 0_i64, 0_usize);
        for at in 0..closes {
            if is_reset(at) {
                (sum, squares, filled) = (0, 0, 0);
            }
            let arriving = close_at(at) - origin;
            sum += arriving;
            squares += arriving * arriving;
            if filled == size {
                let leaving = close_at(at - size) - origin;
                sum -= leaving;
                squares -= leaving * leaving;
            } else {
                filled += 1;
            }
            let deviation = count * arriving - sum;
            let spread = if filled == size {
                (count * squares - sum * sum).unsigned_abs()
            } else {
                0
            };
            series.z.push(match series.exact(deviation, spread) {
                Some(exact) => z_of(exact),
                None => f64::NAN,
            });
            series.deviations.push(deviation);
            series.spreads.push(spread);
        }
        Ok(Some(series))
    }

    /// Returns z at a close without mean and deviation.
    ///
    /// # Panics
    /// Where there is no close at `index`.
    pub fn reading(&self, index: usize) -> ZReading {
        let exact = self.exact(self.deviations[index], self.spreads[index]);
        ZReading {
            z: exact.map(|_| self.z[index]),
            exact,
            ..ZReading::default()
        }
    }

    /// Takes out z at each close, NaN where it is undefined.
    pub fn into_z(self) -> Vec<f64> {
        self.z
    }

    fn exact(&self, deviation: i64, spread: u64) -> Option<ExactZ> {
        (spread != 0).then(|| ExactZ {
            deviation,
            spread: u128::from(spread),
            count: self.count,
            freedom: self.freedom,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_gives_the_bits_of_the_rolling_window() {
        let closes: Vec<i32> = (0..400_i32)
            .map(|at| 27_000 + (at * at * 7 + at * 13) % 41)
            .collect();
        for (window, ddof) in [(2, 0), (5, 1), (20, 0), (60, 1)] {
            let is_reset = |at: usize| at.is_multiple_of(150);
            let series = ZSeries::new(&closes, window, ddof, is_reset)
                .unwrap()
                .unwrap();
            let mut rolling = RollingZ::new(window, ddof).unwrap();
            for (at, &close) in closes.iter().enumerate() {
                if is_reset(at) {
                    rolling.clear();
                }
                let (shared, own) = (series.reading(at), rolling.push(close.into()));

                assert_eq!(shared.z.map(f64::to_bits), own.z.map(f64::to_bits), "{at}");
                assert_eq!(shared.exact, own.exact, "{at}");
            }
        }
    }

    #[test]
    fn closes_too_far_apart_for_64_bits_are_left_to_the_rolling_window() {
        assert_eq!(ZSeries::new(&[0, i32::MAX], 2, 0, |_| false), Ok(None));
        assert!(
            ZSeries::new(&[0, (1 << 30) - 1], 2, 0, |_| false)
                .unwrap()
                .is_some()
        );
        assert_eq!(
            ZSeries::new(&[1], 1, 0, |_| false),
            Err(WindowError::Window { window: 1 })
        );
    }
}
