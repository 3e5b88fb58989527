//! Choosing among the combinations of a sweep, and how far the choice can be trusted: the objective, the best by it, and the
//! probability of backtest overfitting. Reads sums of sessions, not trades, so a combination weighs the same whatever the
//! length of the data.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

/// Sessions in a year, for the Sharpe ratio.
const SESSIONS_PER_YEAR: f64 = 252.0;
/// Fewest blocks that tell anything: six ways to split.
pub const BLOCKS_MIN: usize = 4;
/// Most blocks: 16 give 12 870 splits, 20 already 184 756.
pub const BLOCKS_MAX: usize = 20;

/// What combinations are compared by, the larger the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Mean / standard deviation (ddof 1) of the sessions' net results, times √252.
    Sharpe,
    /// Net result.
    Net,
    /// Sum of the trades won / sum of those lost.
    ProfitFactor,
}

/// What some sessions of one run came to, as sums, so that sessions can be put together. Net results in cents, not
/// compounded: a Sharpe ratio of them is that of returns on a fixed capital.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionSums {
    /// Sessions.
    pub sessions: u32,
    /// Round trips that ended in them.
    pub trades: u32,
    /// Round trips with a net above 0.
    pub wins: u32,
    /// Net result, fees of every fill included.
    pub net_cents: i64,
    /// Sum of the squares of the sessions' net results, in cents².
    pub squares: f64,
    /// Sum of the trades' nets above 0.
    pub won_cents: i64,
    /// Sum of the trades' nets below 0, without its sign.
    pub lost_cents: i64,
}

#[expect(
    clippy::float_arithmetic,
    reason = "sums of squares on their way to ratios, which have no unit"
)]
impl SessionSums {
    /// Adds one session with its net result.
    pub fn add_session(&mut self, net_cents: i64) {
        self.sessions += 1;
        self.net_cents += net_cents;
        self.squares += net_cents as f64 * net_cents as f64;
    }

    /// Adds the net result of a trade that ended in one of the sessions.
    pub fn add_trade(&mut self, net_cents: i64) {
        self.trades += 1;
        self.wins += u32::from(net_cents > 0);
        self.won_cents += net_cents.max(0);
        self.lost_cents -= net_cents.min(0);
    }

    /// Returns the sums of both together.
    pub fn and(self, other: &Self) -> Self {
        Self {
            sessions: self.sessions + other.sessions,
            trades: self.trades + other.trades,
            wins: self.wins + other.wins,
            net_cents: self.net_cents + other.net_cents,
            squares: self.squares + other.squares,
            won_cents: self.won_cents + other.won_cents,
            lost_cents: self.lost_cents + other.lost_cents,
        }
    }

    /// Returns the annual Sharpe ratio of the sessions' net results, without a risk-free rate; none for fewer than two
    /// sessions, or where all are equal.
    pub fn sharpe(&self) -> Option<f64> {
        let sessions = f64::from(self.sessions);
        let net = self.net_cents as f64;
        let spread = self.squares - net * net / sessions;
        // What rounding leaves of sessions that are all equal lies below this share of their squares.
        let is_constant = spread <= self.squares * f64::EPSILON * sessions;
        if self.sessions < 2 || is_constant {
            return None;
        }
        let deviation = (spread / (sessions - 1.0)).sqrt();
        Some(net / sessions / deviation * SESSIONS_PER_YEAR.sqrt())
    }

    /// Returns the sum of the trades won / the sum of those lost; none without a loss.
    pub fn profit_factor(&self) -> Option<f64> {
        (self.lost_cents > 0).then(|| self.won_cents as f64 / self.lost_cents as f64)
    }

    /// Returns what the objective makes of the sums, never NaN. Where a ratio is not defined: a Sharpe ratio counts as 0,
    /// and a profit factor as infinite where something was won and as 1 where nothing was.
    pub fn value(&self, objective: Objective) -> f64 {
        match objective {
            Objective::Sharpe => self.sharpe().unwrap_or(0.0),
            Objective::Net => self.net_cents as f64,
            Objective::ProfitFactor => match self.profit_factor() {
                Some(factor) => factor,
                None if self.won_cents > 0 => f64::INFINITY,
                None => 1.0,
            },
        }
    }
}

/// Sums of one span with the ratios that follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SpanFigures {
    /// What the sessions came to.
    pub sums: SessionSums,
    /// See [`SessionSums::sharpe`].
    pub sharpe: Option<f64>,
    /// See [`SessionSums::profit_factor`].
    pub profit_factor: Option<f64>,
}

impl From<SessionSums> for SpanFigures {
    fn from(sums: SessionSums) -> Self {
        Self {
            sharpe: sums.sharpe(),
            profit_factor: sums.profit_factor(),
            sums,
        }
    }
}

/// Returns the place of the best by the objective, the first of several equals; none of none.
pub fn best(objective: Objective, candidates: &[SessionSums]) -> Option<usize> {
    best_of(candidates.iter().map(|sums| sums.value(objective)))
}

fn best_of(values: impl Iterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, value) in values.enumerate() {
        if best.is_none_or(|(_, most)| value > most) {
            best = Some((index, value));
        }
    }
    best.map(|(index, _)| index)
}

/// Why overfitting cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SelectionError {
    /// Splits want an even number of blocks, and neither too few nor too many.
    #[error("{blocks} blocks; allowed are the even numbers from {BLOCKS_MIN} to {BLOCKS_MAX}")]
    Blocks {
        /// What was asked.
        blocks: usize,
    },
    /// Nothing to choose from.
    #[error("{combinations} combinations; there must be 2 at least")]
    Combinations {
        /// What was given.
        combinations: usize,
    },
    /// The table is no rectangle.
    #[error("{sums} sums are no table of {blocks} blocks a combination")]
    Shape {
        /// What was given.
        sums: usize,
        /// Columns.
        blocks: usize,
    },
    /// As asked.
    #[error("stopped, as asked")]
    Stopped,
}

/// How the choice of the best does out of sample, over all ways to split the blocks in halves.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Overfitting {
    /// Blocks of sessions.
    pub blocks: u32,
    /// Ways to split them: blocks choose blocks / 2.
    pub splits: u32,
    /// Probability of backtest overfitting: share of the splits in which the best in sample is at the median of all
    /// combinations or below it out of sample.
    pub probability: f64,
    /// Share of the splits in which the best in sample loses money out of sample.
    pub loss_probability: f64,
    /// Median of the logits ln(ω / (1 − ω)) of the relative rank ω out of sample.
    pub median_logit: f64,
    /// Slope and intercept of the straight line through (in sample, out of sample) of the objective of the best; none
    /// where it is infinite somewhere or the same in all splits. A negative slope: the better it looked, the worse it did.
    pub degradation: Option<Degradation>,
    /// How many splits fall on each tenth of the relative rank, worst first: ten equal columns are pure luck.
    pub rank_tenths: [u32; 10],
}

/// A straight line by least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Degradation {
    /// Change out of sample for 1 more in sample.
    pub slope: f64,
    /// Out of sample where in sample is 0.
    pub intercept: f64,
}

/// Returns the probability of backtest overfitting by combinatorially symmetric cross-validation. `sums` is a table by rows:
/// of each combination its blocks, which are equal stretches of sessions in the order of time. `go_on` is asked now and then.
///
/// For each choice of half of the blocks (in sample) the rest is out of sample. n* is the best combination in sample by the
/// objective, r its rank among all N out of sample (1 the worst; equals share the mean of their ranks), ω = r / (N + 1), and
/// λ = ln(ω / (1 − ω)). The probability of overfitting is the share of choices with λ ≤ 0.
///
/// Source: D. H. Bailey, J. M. Borwein, M. López de Prado, Q. J. Zhu, "The Probability of Backtest Overfitting", Journal of
/// Computational Finance 20(4), 2017 (SSRN 2326253, 2015), sections 3 and 4. There the ranks are those of distinct values.
///
/// # Errors
/// A number of blocks or combinations that cannot be judged, or being stopped.
pub fn overfitting(
    objective: Objective,
    sums: &[SessionSums],
    blocks: usize,
    mut go_on: impl FnMut() -> bool,
) -> Result<Overfitting, SelectionError> {
    if !blocks.is_multiple_of(2) || !(BLOCKS_MIN..=BLOCKS_MAX).contains(&blocks) {
        return Err(SelectionError::Blocks { blocks });
    }
    if !sums.len().is_multiple_of(blocks) {
        return Err(SelectionError::Shape {
            sums: sums.len(),
            blocks,
        });
    }
    let combinations = sums.len() / blocks;
    if combinations < 2 {
        return Err(SelectionError::Combinations { combinations });
    }
    let mut splits = Splits::default();
    let mut halves = (vec![0.0; combinations], vec![0.0; combinations]);
    // A choice and its complement come together: what is in sample of one is out of sample of the other.
    let choices = (1_u32..1 << blocks)
        .filter(|choice| choice & 1 == 1 && choice.count_ones() as usize == blocks / 2);
    for choice in choices {
        if !go_on() {
            return Err(SelectionError::Stopped);
        }
        for (combination, row) in sums.chunks_exact(blocks).enumerate() {
            let (mut chosen, mut rest) = (SessionSums::default(), SessionSums::default());
            for (block, of_block) in row.iter().enumerate() {
                let half = if choice >> block & 1 == 1 {
                    &mut chosen
                } else {
                    &mut rest
                };
                *half = half.and(of_block);
            }
            halves.0[combination] = chosen.value(objective);
            halves.1[combination] = rest.value(objective);
        }
        let is_loss = |index: usize, mask: u32| net_of(sums, blocks, index, mask) < 0;
        splits.add(&halves.0, &halves.1, |index| is_loss(index, !choice));
        splits.add(&halves.1, &halves.0, |index| is_loss(index, choice));
    }
    Ok(splits.finish(u32::try_from(blocks).expect("at most 20")))
}

/// Net result of a combination in the blocks of `mask`.
fn net_of(sums: &[SessionSums], blocks: usize, combination: usize, mask: u32) -> i64 {
    let row = &sums[combination * blocks..][..blocks];
    row.iter()
        .enumerate()
        .filter(|(block, _)| mask >> block & 1 == 1)
        .map(|(_, of_block)| of_block.net_cents)
        .sum()
}

/// What is kept of the splits.
#[derive(Default)]
struct Splits {
    logits: Vec<f64>,
    losses: u32,
    tenths: [u32; 10],
    /// Objective of the best in sample, and what it is out of sample.
    pairs: Vec<(f64, f64)>,
}

#[expect(
    clippy::float_arithmetic,
    reason = "ranks, logits and shares have no unit"
)]
impl Splits {
    fn add(&mut self, inside: &[f64], outside: &[f64], is_loss: impl Fn(usize) -> bool) {
        let chosen = best_of(inside.iter().copied()).expect("two combinations at least");
        let value = outside[chosen];
        let below = outside.iter().filter(|&&other| other < value).count() as f64;
        let equal = outside.iter().filter(|&&other| other == value).count() as f64;
        let rank = below + (equal + 1.0) / 2.0;
        let relative = rank / (outside.len() as f64 + 1.0);
        self.logits.push((relative / (1.0 - relative)).ln());
        self.tenths[((relative * 10.0) as usize).min(9)] += 1;
        self.losses += u32::from(is_loss(chosen));
        self.pairs.push((inside[chosen], value));
    }

    fn finish(mut self, blocks: u32) -> Overfitting {
        let splits = self.logits.len() as f64;
        let overfit = self.logits.iter().filter(|&&logit| logit <= 0.0).count() as f64;
        self.logits.sort_by(f64::total_cmp);
        let middle = self.logits.len() / 2;
        Overfitting {
            blocks,
            splits: u32::try_from(self.logits.len()).expect("at most 184 756"),
            probability: overfit / splits,
            loss_probability: f64::from(self.losses) / splits,
            // A choice and its complement make the number of splits even.
            median_logit: f64::midpoint(self.logits[middle - 1], self.logits[middle]),
            degradation: line_through(&self.pairs),
            rank_tenths: self.tenths,
        }
    }
}

/// Ordinary least squares.
#[expect(clippy::float_arithmetic, reason = "ratios have no unit")]
fn line_through(pairs: &[(f64, f64)]) -> Option<Degradation> {
    let count = pairs.len() as f64;
    let mean_of = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean_of(|pair| pair.0), mean_of(|pair| pair.1));
    let (mut together, mut alone) = (0.0, 0.0);
    for (x, y) in pairs {
        together += (x - mean_x) * (y - mean_y);
        alone += (x - mean_x) * (x - mean_x);
    }
    let slope = together / alone;
    (slope.is_finite() && mean_x.is_finite()).then_some(Degradation {
        slope,
        intercept: mean_y - slope * mean_x,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_sessions(nets: &[i64]) -> SessionSums {
        let mut sums = SessionSums::default();
        for &net in nets {
            sums.add_session(net);
        }
        sums
    }

    #[test]
    fn the_sharpe_ratio_of_sums_is_that_of_the_sessions() {
        let sums = of_sessions(&[100, -50]).and(&of_sessions(&[250]));

        // Mean 100, deviations 0, -150, 150: sd = √(45000/2) = 150.
        let expected = 100.0 / 150.0 * 252.0_f64.sqrt();
        assert!((sums.sharpe().unwrap() - expected).abs() < 1e-12);
        assert_eq!(of_sessions(&[7]).sharpe(), None);
        assert_eq!(of_sessions(&[33, 33, 33]).sharpe(), None);
        assert_eq!(of_sessions(&[0, 0]).value(Objective::Sharpe), 0.0);
    }

    #[test]
    fn a_profit_factor_without_losses_counts_by_what_was_won() {
        let mut sums = SessionSums::default();
        assert_eq!(sums.value(Objective::ProfitFactor), 1.0);
        sums.add_trade(300);
        assert_eq!(sums.value(Objective::ProfitFactor), f64::INFINITY);
        sums.add_trade(-200);
        sums.add_trade(0);

        assert_eq!(sums.value(Objective::ProfitFactor), 1.5);
        assert_eq!((sums.trades, sums.wins), (3, 1));
    }

    #[test]
    fn the_first_of_the_best_is_chosen() {
        let candidates = [5, 9, 9, -3].map(|net| of_sessions(&[net]));

        assert_eq!(best(Objective::Net, &candidates), Some(1));
        assert_eq!(best(Objective::Net, &[]), None);
    }

    #[test]
    fn a_combination_that_is_always_best_is_not_overfitted() {
        let always: Vec<SessionSums> = [100, 90, 110, 95].map(|net| of_sessions(&[net])).into();
        let never: Vec<SessionSums> = [-10, 5, -20, 0].map(|net| of_sessions(&[net])).into();
        let table: Vec<SessionSums> = [never, always].concat();

        let found = overfitting(Objective::Net, &table, 4, || true).unwrap();

        assert_eq!((found.splits, found.probability), (6, 0.0));
        assert_eq!(found.loss_probability, 0.0);
        // Rank 2 of 2: ω = 2/3, λ = ln 2.
        assert!((found.median_logit - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(found.rank_tenths.iter().sum::<u32>(), 6);
    }

    #[test]
    fn a_gain_of_one_block_alone_is_overfitted() {
        // Each combination wins in one block and loses in the others: the best in sample is the worst out of sample.
        let table: Vec<SessionSums> = (0..4)
            .flat_map(|lucky| (0..4).map(move |block| if block == lucky { 100 } else { -10 }))
            .map(|net| of_sessions(&[net]))
            .collect();

        let found = overfitting(Objective::Net, &table, 4, || true).unwrap();

        assert_eq!((found.probability, found.loss_probability), (1.0, 1.0));
        assert!(found.median_logit < 0.0);
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let table = vec![SessionSums::default(); 10];
        let refused = |sums: &[SessionSums], blocks| {
            overfitting(Objective::Net, sums, blocks, || true).unwrap_err()
        };

        assert_eq!(refused(&table, 5), SelectionError::Blocks { blocks: 5 });
        assert_eq!(refused(&table, 2), SelectionError::Blocks { blocks: 2 });
        assert_eq!(refused(&table, 22), SelectionError::Blocks { blocks: 22 });
        assert_eq!(
            refused(&table, 4),
            SelectionError::Shape {
                sums: 10,
                blocks: 4
            }
        );
        assert_eq!(
            refused(&table[..4], 4),
            SelectionError::Combinations { combinations: 1 }
        );
        assert_eq!(
            overfitting(Objective::Net, &table[..8], 4, || false),
            Err(SelectionError::Stopped)
        );
    }
}
