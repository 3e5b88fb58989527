//! The account as the broker tells it: which one it is (R20), what an entry would do to its margin (D24), and whether its
//! result of the day is the one that our fills make (R24).

use super::core::{Core, NEVER_MS};
use super::risk::cents;
use crate::effect::{Notice, NoticeClass};
use crate::event::Ask;
use crate::status::Gate;
use serde::{Deserialize, Serialize};

const HOUR_MS: i64 = 3_600_000;
/// The margin is asked about so often (D24).
const MARGIN_EVERY_MS: i64 = 4 * HOUR_MS;
/// An older answer says nothing (D24).
const MARGIN_AGE_MS_MAX: i64 = 8 * HOUR_MS;
/// After an answer about another quantity than an entry has now, the next question waits so long at least.
const OTHER_QUANTITY_MS: i64 = 1_000;
/// The results of a day may differ by so much, or by two commissions (R24).
const DRIFT_CENTS_MIN: i64 = 500;
/// The broker's figures follow a fill by so much at most; sooner they prove nothing.
const FIGURES_LAG_MS: i64 = 5_000;

/// An answer about the margin of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Margin {
    at_ms: i64,
    con_id: i64,
    quantity: u32,
    equity_cents: i64,
    margin_cents: i64,
    margin_after_cents: i64,
}

/// What is known of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccountState {
    /// The account that this journal trades; never another one.
    pub id: Option<String>,
    net_liquidation_cents: Option<i64>,
    excess_liquidity_cents: Option<i64>,
    /// The broker's realised result, by its own day.
    realised_cents: Option<i64>,
    /// What of it belongs to the time before our trading day; none until a flat moment has shown it.
    base_cents: Option<i64>,
    /// Broker's result of our trading day minus ours where they differ; 0 = they agree.
    pub drift_cents: i64,
    /// When a fill was last booked: the broker's figures come after it.
    pub booked_at_ms: i64,
    margin: Option<Margin>,
}

impl AccountState {
    /// A new trading day: what the broker counts so far belongs to the day before.
    pub fn begin_day(&mut self, is_flat: bool) {
        self.base_cents = self.realised_cents.filter(|_| is_flat);
        self.drift_cents = 0;
    }
}

impl Core {
    /// Is this the account that this journal trades (R20)? Another one is neither compared nor traded.
    pub fn is_own_account(&mut self, told: &str) -> bool {
        let Some(known) = self.account.id.clone() else {
            self.account.id = Some(told.to_owned());
            return true;
        };
        if known == told {
            self.questions.remove("account");
            return true;
        }
        let (told, known) = (masked(told), masked(&known));
        let detail = format!(
            "the gateway has account {told}, this data directory belongs to {known}; use another data directory, or connect to {known}"
        );
        self.questions.insert("account".to_owned(), detail.clone());
        let doing = vec![
            "nothing is compared or traded".to_owned(),
            "entries are off".to_owned(),
        ];
        self.halt("wrong_account", &detail, "risk", doing);
        false
    }

    /// The broker told the account's figures.
    pub fn on_account(
        &mut self,
        net_liquidation_cents: Option<i64>,
        excess_liquidity_cents: Option<i64>,
        realised_cents: Option<i64>,
    ) {
        self.account.net_liquidation_cents = net_liquidation_cents;
        self.account.excess_liquidity_cents = excess_liquidity_cents;
        let before_cents = self.account.realised_cents;
        self.account.realised_cents = realised_cents;
        if let Some(realised_cents) = realised_cents {
            self.compare_result(realised_cents, before_cents);
        }
    }

    /// Compares the day's results (R24); only where nothing is held and the last fill has had time to arrive there.
    fn compare_result(&mut self, realised_cents: i64, before_cents: Option<i64>) {
        let is_flat = self.position.signed() == 0 && self.orders.live().next().is_none();
        if !is_flat || self.at_ms - self.account.booked_at_ms < FIGURES_LAG_MS {
            return;
        }
        // The broker's own day begins at another hour than ours: its figure starts at nothing again.
        let begins_anew =
            realised_cents == 0 && before_cents.is_some_and(|before_cents| before_cents != 0);
        let own_cents = self.day.net_cents();
        let base_cents = match self.account.base_cents {
            Some(base_cents) if !begins_anew => base_cents,
            Some(_) | None => realised_cents - own_cents - self.account.drift_cents,
        };
        self.account.base_cents = Some(base_cents);
        let brokers_cents = realised_cents - base_cents;
        let drift_cents = brokers_cents - own_cents;
        let allowed_cents = DRIFT_CENTS_MIN.max(2 * self.settings.costs.fee_cents);
        let drifts = drift_cents.abs() > allowed_cents;
        let drift_cents = if drifts { drift_cents } else { 0 };
        if drift_cents == self.account.drift_cents {
            return;
        }
        self.account.drift_cents = drift_cents;
        // Only a worse result counts: a better one that nobody can explain must not give room.
        self.strategy.set_drift(drift_cents.min(0));
        let detail = format!(
            "today {} by the broker, {} by our fills",
            cents(brokers_cents),
            cents(own_cents)
        );
        self.control("pnl_drift", drifts, detail.clone());
        let lines = if drifts {
            vec![
                format!("The results of the day differ: {detail}."),
                "The worse of the two counts for the daily limit.".to_owned(),
            ]
        } else {
            vec![format!("The results of the day agree again: {detail}.")]
        };
        let told = Notice::Told {
            name: "pnl_drift".to_owned(),
            lines,
        };
        self.notice(NoticeClass::Control, None, told);
        if self.strategy.mark_day(0) {
            self.on_daily_loss(0);
        }
    }

    /// The broker answered what an entry would do to the margin.
    pub fn on_margin(
        &mut self,
        quantity: u32,
        equity_cents: i64,
        margin_cents: i64,
        margin_after_cents: i64,
    ) {
        self.link.answered(Ask::Margin);
        let con_id = self
            .link
            .contract
            .as_ref()
            .map_or(0, |contract| contract.con_id);
        self.account.margin = Some(Margin {
            at_ms: self.at_ms,
            con_id,
            quantity,
            equity_cents,
            margin_cents,
            margin_after_cents,
        });
    }

    /// Returns the answer about the margin that may still be believed: of this contract, and not too old.
    fn margin(&self) -> Option<Margin> {
        let con_id = self.link.contract.as_ref()?.con_id;
        self.account.margin.filter(|margin| {
            margin.con_id == con_id && self.at_ms - margin.at_ms <= MARGIN_AGE_MS_MAX
        })
    }

    /// Returns the same where it is about as many contracts as an entry has now.
    fn margin_of_entry(&self) -> Option<Margin> {
        self.margin()
            .filter(|margin| margin.quantity == self.settings.strategy.quantity)
    }

    /// Returns when the margin is to be asked about again; never where the control is off.
    pub fn margin_due_ms(&self) -> i64 {
        if self.settings.risk.excess_liquidity_pct.is_none() || !self.link.reconciled {
            return NEVER_MS;
        }
        match (self.margin_of_entry(), self.margin()) {
            (Some(margin), _) => margin.at_ms + MARGIN_EVERY_MS,
            (None, Some(other)) => other.at_ms + OTHER_QUANTITY_MS,
            (None, None) => self.at_ms,
        }
    }

    /// Would enough be left of the account after the margin of an entry (D24)?
    pub fn margin_gate(&self) -> Gate {
        let gate = |open, detail| Gate {
            name: "margin".to_owned(),
            open,
            detail,
        };
        let Some(pct) = self.settings.risk.excess_liquidity_pct else {
            return gate(true, "no limit".to_owned());
        };
        let Some(margin) = self.margin_of_entry() else {
            let quantity = self.settings.strategy.quantity;
            return gate(
                false,
                format!("the broker has not said what an entry of {quantity} would need"),
            );
        };
        if self.position.signed() != 0 {
            return gate(true, "a position is held already".to_owned());
        }
        let by_answer = margin.equity_cents - margin.margin_after_cents;
        let by_account = self
            .account
            .excess_liquidity_cents
            .map(|excess_cents| excess_cents - margin.margin_cents);
        let left_cents = by_account.map_or(by_answer, |left_cents| left_cents.min(by_answer));
        let account_cents = self
            .account
            .net_liquidation_cents
            .unwrap_or(margin.equity_cents);
        let least_cents = account_cents.max(0).saturating_mul(i64::from(pct)) / 100;
        gate(
            left_cents > least_cents,
            format!(
                "{} left after an entry, more than {} needed",
                cents(left_cents),
                cents(least_cents)
            ),
        )
    }
}

/// Returns an account's id as people are shown it: enough to recognise, too little to use.
fn masked(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= 5 {
        return "***".to_owned();
    }
    let (head, tail) = (&letters[..2], &letters[letters.len() - 3..]);
    format!(
        "{}***{}",
        head.iter().collect::<String>(),
        tail.iter().collect::<String>()
    )
}
