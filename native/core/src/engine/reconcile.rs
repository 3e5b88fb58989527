//! What the broker says is true, compared with what we know (reliability note, section C, R1–R25). Fills are always
//! believed; what is absent is looked at twice; what our orders do not explain is never touched without a person.

use super::core::{Core, Mismatch, NOTICE_FOLD_MS_MAX};
use super::orders::is_open;
use crate::effect::{Notice, NoticeClass, OrderRequest};
use crate::event::{Ask, BrokerFill, BrokerOrder, BrokerOrderState, BrokerPosition};
use crate::orders::{Order, OrderState, OrderStep, Outcome, Owner, Presumed, owner_of};
use crate::status::{Leg, OrderKind, Side, Tif};

/// Two clean looks are so far apart at least (B).
const SECOND_LOOK_MS: i64 = 2_000;
/// A position that differs is looked at again after so long (D25).
const MISMATCH_LOOK_MS: i64 = 3_000;
/// A picture spoilt by news is asked for again after so long.
const SPOILT_LOOK_MS: i64 = 500;

impl Core {
    /// The broker told everything in one piece.
    pub fn on_reconciled(
        &mut self,
        open: &[BrokerOrder],
        fills: &[BrokerFill],
        positions: &[BrokerPosition],
        brokers_ms: Option<i64>,
    ) {
        let was_asked = self.link.answered(Ask::State);
        let Some(con_id) = self.link.contract.as_ref().map(|contract| contract.con_id) else {
            return;
        };
        if !was_asked || !self.is_link_up() {
            self.anomaly("a picture of the broker's state came without being asked for".to_owned());
            return;
        }
        self.link.last_state_ms = self.at_ms;
        if let Some(brokers_ms) = brokers_ms {
            self.check_clock(brokers_ms, self.link.state_asked_ms);
        }
        let spoilt = self.link.order_news;
        let mut differences = Vec::new();
        let orphans = self.take_fills(fills, con_id, &mut differences);
        let own_open = self.take_open_orders(open, con_id, &mut differences);
        let brokers = positions.iter().find(|position| position.con_id == con_id);
        self.tell_other_months(positions, con_id);
        if spoilt {
            self.want_state(self.at_ms + SPOILT_LOOK_MS);
            self.note(differences);
            return;
        }
        let Some(absent) = self.absent_twice(open) else {
            self.note(differences);
            return;
        };
        let brokers_signed = brokers.map_or(0, |position| position.position);
        self.settle_absent(&absent, brokers_signed, brokers, &mut differences);
        if !self.compare_position(brokers_signed, brokers, &orphans, &mut differences) {
            self.note(differences);
            return;
        }
        self.link.is_suspect = false;
        self.link.told_position = Some(brokers_signed);
        if self.mismatch.is_none() {
            self.link.agreed_asked_ms = self.link.state_asked_ms;
        }
        if !self.link.reconciled {
            self.on_ready(differences);
        } else {
            self.note(differences);
        }
        self.verify_flat(brokers_signed, own_open);
    }

    /// Puts differences on the record: what a further look is needed for was taken in all the same.
    fn note(&mut self, differences: Vec<String>) {
        for difference in differences {
            self.anomaly(difference);
        }
    }

    /// Counts the fills of known orders; returns those of ours that have no record.
    fn take_fills(
        &mut self,
        fills: &[BrokerFill],
        con_id: i64,
        differences: &mut Vec<String>,
    ) -> Vec<BrokerFill> {
        let mut orphans = Vec::new();
        for fill in fills
            .iter()
            .filter(|fill| fill.con_id == con_id && fill.quantity >= 0)
        {
            let is_empty = fill.quantity == 0 && !self.ledger.corrects(&fill.exec_id);
            if is_empty || self.ledger.knows(&fill.exec_id) {
                continue;
            }
            match owner_of(&fill.order_ref, &self.settings.instance) {
                Owner::Own { .. } if self.orders.get(&fill.order_ref).is_some() => {
                    let verb = if fill.side == Side::Buy {
                        "bought"
                    } else {
                        "sold"
                    };
                    differences.push(format!(
                        "{verb} {} at {} t by {}",
                        fill.quantity, fill.price_ticks, fill.order_ref
                    ));
                    self.count_fill(fill);
                }
                Owner::Own { .. } => orphans.push(fill.clone()),
                Owner::Sibling | Owner::Foreign => {}
            }
        }
        orphans
    }

    /// Adopts our open orders, takes back those without a record, counts the foreign ones; returns how many are ours.
    fn take_open_orders(
        &mut self,
        open: &[BrokerOrder],
        con_id: i64,
        differences: &mut Vec<String>,
    ) -> usize {
        let mut own = 0;
        let mut foreign = 0;
        let mut foreign_contracts = 0;
        for told in open.iter().filter(|told| is_open(told.state)) {
            match owner_of(&told.order_ref, &self.settings.instance) {
                Owner::Own { .. } => {
                    own += 1;
                    self.take_own_order(told, differences);
                }
                Owner::Sibling if told.con_id == con_id => self.on_sibling(told),
                Owner::Foreign if told.con_id == con_id => {
                    foreign += 1;
                    foreign_contracts += (told.quantity - told.filled).max(0);
                }
                Owner::Sibling | Owner::Foreign => {}
            }
        }
        self.risk.foreign_orders = foreign;
        self.risk.foreign_contracts = foreign_contracts;
        if foreign > 0 && !self.risk.foreign_told {
            self.risk.foreign_told = true;
            let lines = vec![
                format!("{foreign} working orders in our contract are not ours."),
                "They are never touched; entries wait while they exist.".to_owned(),
            ];
            self.control("foreign_orders", true, lines[0].clone());
            self.notice(
                NoticeClass::Critical,
                None,
                Notice::Told {
                    name: "foreign_orders".to_owned(),
                    lines,
                },
            );
        } else if foreign == 0 && self.risk.foreign_told {
            self.risk.foreign_told = false;
            self.control(
                "foreign_orders",
                false,
                "no foreign orders any more".to_owned(),
            );
        }
        own
    }

    fn take_own_order(&mut self, told: &BrokerOrder, differences: &mut Vec<String>) {
        self.highest_order_id = self.highest_order_id.max(told.order_id);
        if self.orders.get(&told.order_ref).is_none() {
            differences.push(format!(
                "order {} has no record here and is taken back",
                told.order_ref
            ));
            self.control(
                "orphan_order",
                true,
                format!("{} has no record here", told.order_ref),
            );
            let kind = told.kind.unwrap_or(OrderKind::Market {});
            let Ok(quantity) = u32::try_from(told.quantity) else {
                return;
            };
            self.add_orphan(orphan_terms(&told.order_ref, told.side, quantity, kind));
            self.cancel_order(&told.order_ref, "it has no record here");
            return;
        }
        if self.take_back_double(told, true) {
            differences.push(format!(
                "a second order {} works and is taken back",
                told.order_ref
            ));
            return;
        }
        let changed_since = self.orders.get(&told.order_ref).is_some_and(|order| {
            order.since_ms > self.link.state_asked_ms && order.state != OrderState::InDoubt
        });
        if changed_since {
            return;
        }
        let before = self.orders.get(&told.order_ref).map(|order| order.state);
        let cancelling = told.state == BrokerOrderState::CancelPending;
        let step = OrderStep::FoundOpen {
            quantity: told.quantity,
            kind: told.kind,
            cancelling,
        };
        match self.step(&told.order_ref, step) {
            Outcome::TermsDiffer => self.terms_differ(told),
            Outcome::LateAppearance => {
                differences.push(format!(
                    "order {} still works and is taken back",
                    told.order_ref
                ));
                self.cancel_late(&told.order_ref);
            }
            Outcome::Changed if before == Some(OrderState::InDoubt) => {
                differences.push(format!("order {} exists at the broker", told.order_ref));
            }
            Outcome::Changed
            | Outcome::Unchanged
            | Outcome::BecameInDoubt
            | Outcome::AwaitsExecutions
            | Outcome::LateFill
            | Outcome::Overfill
            | Outcome::Anomaly => {}
        }
    }

    fn on_sibling(&mut self, told: &BrokerOrder) {
        let detail = format!(
            "{} belongs to another instance of this program, or to a restored backup",
            told.order_ref
        );
        if self
            .questions
            .insert(format!("sibling:{}", told.order_ref), detail.clone())
            .is_none()
        {
            self.halt(
                "other_instance",
                &detail,
                "risk",
                vec!["nothing of it is touched".to_owned()],
            );
        }
    }

    fn tell_other_months(&mut self, positions: &[BrokerPosition], con_id: i64) {
        let symbol = self.settings.instrument.symbol.clone();
        let others = positions.iter().filter(|other| {
            other.con_id != con_id && other.position != 0 && other.local_symbol.starts_with(&symbol)
        });
        for other in others {
            let key = format!("other_month:{}:{}", other.con_id, other.position);
            let lines = vec![format!(
                "The account holds {} of {}, which is not our contract.",
                other.position, other.local_symbol
            )];
            self.notice_every(
                NOTICE_FOLD_MS_MAX,
                NoticeClass::Link,
                Some(&key),
                Notice::Told {
                    name: "other_month".to_owned(),
                    lines,
                },
            );
        }
    }

    /// Returns the orders that two clean looks did not find; none while a second look is needed.
    fn absent_twice(&mut self, open: &[BrokerOrder]) -> Option<Vec<String>> {
        let at_ms = self.at_ms;
        let asked_ms = self.link.state_asked_ms;
        let missing = self.orders.live_refs(|order| {
            let answers_pend = matches!(order.state, OrderState::Intent | OrderState::Sent)
                || order.since_ms > asked_ms;
            !answers_pend
                && !open.iter().any(|told| {
                    told.order_ref == order.terms.order_ref
                        && is_open(told.state)
                        && order.is_meant(told.perm_id)
                })
        });
        let mut waits = false;
        for order_ref in &missing {
            let Some(order) = self.orders.get_mut(order_ref) else {
                continue;
            };
            if order.clean_probes == 0 {
                order.clean_probes = 1;
                order.probed_at_ms = at_ms;
                waits = true;
            } else if at_ms - order.probed_at_ms < SECOND_LOOK_MS {
                waits = true;
            }
        }
        if waits {
            self.link.is_suspect = true;
            self.want_state(at_ms + SECOND_LOOK_MS);
            return None;
        }
        Some(missing)
    }

    /// Decides what became of orders that are gone: one of them may explain the position, the others never filled.
    fn settle_absent(
        &mut self,
        absent: &[String],
        brokers_signed: i64,
        brokers: Option<&BrokerPosition>,
        differences: &mut Vec<String>,
    ) {
        for order_ref in absent {
            let difference = brokers_signed - self.position.signed();
            let Some(order) = self.orders.get(order_ref).cloned() else {
                continue;
            };
            if difference != 0 && order.terms.side.sign() * order.leaves() == difference {
                differences.push(format!(
                    "order {order_ref} is taken for filled: the broker's position says so"
                ));
                self.presume_fill(&order, brokers);
                continue;
            }
            let known = !order.perm_ids.is_empty()
                || order.filled > 0
                || order.state != OrderState::InDoubt;
            if !known && difference != 0 {
                // The position contradicts that it never existed (B): in doubt until it is explained.
                self.want_state(self.at_ms + SECOND_LOOK_MS);
                continue;
            }
            let expired =
                order.terms.tif == Tif::Day && !order.terms.order_ref.contains(&self.day_stamp());
            let step = if known {
                OrderStep::FoundGone { expired }
            } else {
                OrderStep::ProvenAbsent
            };
            differences.push(format!("order {order_ref} is gone from the broker"));
            self.step(order_ref, step);
            if self
                .entry
                .as_ref()
                .is_some_and(|entry| &entry.entry_ref == order_ref)
            {
                self.entry = None;
            }
        }
    }

    fn day_stamp(&self) -> String {
        self.day
            .trade_date
            .chars()
            .filter(char::is_ascii_digit)
            .skip(2)
            .collect()
    }

    /// R4: the broker's position says that it filled, no execution does: booked at the best price known, and alarmed.
    fn presume_fill(&mut self, order: &Order, brokers: Option<&BrokerPosition>) {
        let order_ref = &order.terms.order_ref;
        let average = brokers
            .and_then(|position| position.average_ticks_e2)
            .and_then(|e2| i32::try_from(e2 / 100).ok());
        let price_ticks = match order.terms.kind {
            OrderKind::Stop { stop_ticks } => Some(stop_ticks),
            OrderKind::Limit { limit_ticks } => Some(limit_ticks),
            OrderKind::Market {} => average.or(self.market.last_ticks),
        };
        let quantity = order.leaves();
        let fee_cents = self.settings.costs.fee_cents * quantity;
        self.control(
            "synthetic_fill",
            true,
            format!("{order_ref} has no execution but the position says it filled"),
        );
        let price_ticks = price_ticks.unwrap_or(0);
        self.step(order_ref, OrderStep::Filled { quantity });
        let trip_id = self.next_trip_id();
        if let Some(order) = self.orders.get_mut(order_ref) {
            order.presumed = Some(Presumed {
                quantity,
                price_ticks,
                trip_id,
            });
        }
        self.book(
            order_ref,
            order.terms.side,
            quantity,
            price_ticks,
            fee_cents,
            self.at_ms,
        );
    }

    /// Compares positions; returns whether the picture may stand.
    fn compare_position(
        &mut self,
        brokers_signed: i64,
        brokers: Option<&BrokerPosition>,
        orphans: &[BrokerFill],
        differences: &mut Vec<String>,
    ) -> bool {
        let difference = brokers_signed - self.position.signed();
        if difference == 0 {
            self.link.mismatch_looks = 0;
            for orphan in orphans {
                // Closed among themselves before our record began: known from now on, counted nowhere.
                self.ledger.record(orphan, 0, 0);
            }
            if self.mismatch.take().is_some() {
                self.questions.remove("position");
                self.control(
                    "pos_mismatch",
                    false,
                    "the broker's position agrees again".to_owned(),
                );
            }
            return true;
        }
        let explained: i64 = orphans
            .iter()
            .map(|fill| fill.side.sign() * fill.quantity)
            .sum();
        if explained == difference {
            self.adopt_orphans(orphans, differences);
            return true;
        }
        if self
            .mismatch
            .as_ref()
            .is_some_and(|known| known.brokers.position == brokers_signed)
        {
            self.shrink_legs(brokers_signed);
            self.look_again_at_mismatch();
            return true;
        }
        if self.link.mismatch_looks == 0 {
            self.link.mismatch_looks = 1;
            self.link.mismatch_since_ms = self.at_ms;
        }
        let due_ms = self.link.mismatch_since_ms + MISMATCH_LOOK_MS;
        if self.at_ms < due_ms {
            self.link.is_suspect = true;
            self.want_state(due_ms);
            return false;
        }
        self.conclude_mismatch(brokers_signed, brokers, differences);
        true
    }

    /// R12: our own references explain the position.
    fn adopt_orphans(&mut self, orphans: &[BrokerFill], differences: &mut Vec<String>) {
        self.link.mismatch_looks = 0;
        for fill in orphans {
            differences.push(format!(
                "{} at {} t by {}, which has no record here",
                fill.quantity, fill.price_ticks, fill.order_ref
            ));
            let Ok(quantity) = u32::try_from(fill.quantity) else {
                continue;
            };
            match self.orders.get_mut(&fill.order_ref) {
                Some(order) => order.terms.quantity += quantity,
                None => self.add_orphan(orphan_terms(
                    &fill.order_ref,
                    fill.side,
                    quantity,
                    OrderKind::Market {},
                )),
            }
            self.count_fill(fill);
        }
        self.control(
            "adopted",
            true,
            "fills of our own orders without a record here were adopted".to_owned(),
        );
    }

    fn conclude_mismatch(
        &mut self,
        brokers_signed: i64,
        brokers: Option<&BrokerPosition>,
        differences: &mut Vec<String>,
    ) {
        let ours = self.position.signed();
        self.link.mismatch_looks = 0;
        if brokers_signed == 0 {
            // R11: closed by somebody else; our book follows at the last price, as an estimate.
            let price_ticks = self
                .market
                .last_ticks
                .or(self.trip.as_ref().and_then(|trip| trip.stop_ticks))
                .unwrap_or(0);
            let side = if ours > 0 { Side::Sell } else { Side::Buy };
            differences.push(format!("the position of {ours} was closed outside of the bot; booked at {price_ticks} t, an estimate"));
            self.book("", side, ours.abs(), price_ticks, 0, self.at_ms);
            self.flat_since_ms = 0;
            let detail = format!("a position of {ours} was closed outside of the bot");
            self.tell_mismatch(ours, 0, &detail);
            self.halt(
                "pos_mismatch",
                &detail,
                "risk",
                vec!["its stop and target are taken back".to_owned()],
            );
            return;
        }
        let local_symbol = self
            .link
            .contract
            .as_ref()
            .map_or_else(String::new, |contract| contract.local_symbol.clone());
        let con_id = self
            .link
            .contract
            .as_ref()
            .map_or(0, |contract| contract.con_id);
        let held = brokers.cloned().unwrap_or(BrokerPosition {
            con_id,
            local_symbol,
            position: brokers_signed,
            average_ticks_e2: None,
        });
        let detail = format!(
            "the broker says {brokers_signed}, our fills say {ours}: adopt it, flatten, or close it by hand"
        );
        self.mismatch = Some(Mismatch {
            brokers: held,
            ours,
        });
        self.questions.insert("position".to_owned(), detail.clone());
        self.tell_mismatch(ours, brokers_signed, &detail);
        self.halt(
            "pos_mismatch",
            &detail,
            "risk",
            vec!["nothing is touched until a person decides".to_owned()],
        );
        self.shrink_legs(brokers_signed);
        self.look_again_at_mismatch();
    }

    /// What an exit waits for is looked at often; else the light check is enough.
    fn look_again_at_mismatch(&mut self) {
        if self.exit.is_some() {
            self.want_state(self.at_ms + MISMATCH_LOOK_MS);
        }
    }

    /// A fill of ours that came late may explain what was asked about: looked at anew at once.
    pub fn reconsider_mismatch(&mut self) {
        let signed = self.position.signed();
        if self
            .mismatch
            .as_ref()
            .is_some_and(|known| known.brokers.position == signed)
        {
            self.want_state(self.at_ms);
        }
    }

    /// R14: stops and targets that are larger than what the broker holds could open a position: made smaller, or taken
    /// back where there is nothing that they could close.
    fn shrink_legs(&mut self, brokers_signed: i64) {
        let legs: Vec<Order> = self
            .orders
            .live()
            .filter(|order| matches!(order.leg, Leg::Stop | Leg::Target))
            .cloned()
            .collect();
        for order in legs {
            let closes = order.terms.side.sign() == -brokers_signed.signum();
            let closable = if closes { brokers_signed.abs() } else { 0 };
            if order.leaves() <= closable {
                continue;
            }
            if closable == 0 {
                self.cancel_order(&order.terms.order_ref, "it could open a position");
                continue;
            }
            let may_change = matches!(order.state, OrderState::Acked | OrderState::Partial);
            if let (true, Ok(quantity)) = (may_change, u32::try_from(order.filled + closable)) {
                let terms = OrderRequest {
                    quantity,
                    ..order.terms
                };
                self.modify_order(terms, "no larger than what the broker holds");
            }
        }
    }

    fn tell_mismatch(&mut self, ours: i64, brokers: i64, detail: &str) {
        let notice = Notice::PositionMismatch {
            ours,
            brokers,
            detail: detail.to_owned(),
        };
        self.notice(NoticeClass::Critical, Some("position_mismatch"), notice);
    }

    /// A person decided: the position at the broker is ours from now on, at its average price.
    pub fn adopt(&mut self) -> Option<i64> {
        let mismatch = self.mismatch.take()?;
        self.questions.remove("position");
        let difference = mismatch.brokers.position - self.position.signed();
        let average = mismatch
            .brokers
            .average_ticks_e2
            .and_then(|e2| i32::try_from(e2 / 100).ok());
        let price_ticks = average.or(self.market.last_ticks).unwrap_or(0);
        if difference != 0 {
            let side = if difference > 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            self.book("", side, difference.abs(), price_ticks, 0, self.at_ms);
        }
        self.control(
            "pos_mismatch",
            false,
            "a person adopted the position".to_owned(),
        );
        Some(mismatch.brokers.position)
    }

    fn terms_differ(&mut self, told: &BrokerOrder) {
        self.on_terms_differ(told);
    }
}

fn orphan_terms(order_ref: &str, side: Side, quantity: u32, kind: OrderKind) -> OrderRequest {
    OrderRequest {
        order_ref: order_ref.to_owned(),
        side,
        quantity,
        kind,
        tif: Tif::Gtc,
        parent_ref: None,
        oca_group: None,
        outside_rth: true,
    }
}
