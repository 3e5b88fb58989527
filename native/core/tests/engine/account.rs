//! The account: whose it is (R20), its margin (D24), and its result of the day against ours (R24).

use crate::support::*;
use scalper_core::effect::{BrokerQuestion, Effect, Notice};
use scalper_core::event::{Command, Event};
use scalper_core::settings::EngineSettings;
use scalper_core::status::{Link, Posture};

const HOUR_MS: i64 = 3_600_000;

fn guarded() -> EngineSettings {
    let mut settings = settings();
    settings.risk.excess_liquidity_pct = Some(25);
    settings
}

fn figures(desk: &mut Desk, excess_cents: i64, realised_cents: i64) {
    desk.tell(Event::AccountReported {
        net_liquidation_cents: Some(1_000_000),
        excess_liquidity_cents: Some(excess_cents),
        realised_cents: Some(realised_cents),
    });
}

fn drifts(desk: &Desk) -> Vec<bool> {
    let controls = desk.controls();
    controls
        .iter()
        .filter(|(control, _)| control == "pnl_drift")
        .map(|(_, tripped)| *tripped)
        .collect()
}

/// A desk that has lost a round trip of 20 ticks: −2 500 cents and two fees of 57.
fn after_a_loss() -> Desk {
    let mut desk = Desk::ready(settings());
    figures(&mut desk, 800_000, 0);
    desk.sink();
    desk.command(Command::Pause { until_ms: None });
    desk.broker.hold(true);
    desk.command(Command::Flatten {});
    desk.broker.hold(false);
    desk.price(19_880);
    desk.pass(10_000);
    assert_eq!(desk.status().today.net_cents, -2_614);
    desk
}

#[test]
fn d24_an_entry_must_leave_more_than_its_share_of_the_account() {
    for (margin_cents, open) in [(749_999, true), (750_000, false), (750_001, false)] {
        let mut desk = Desk::new(guarded());
        desk.broker.margin = Some((1_000_000, margin_cents));
        desk.link_up();

        assert_eq!(desk.gate("margin").open, open, "{margin_cents}");
    }
}

#[test]
fn d24_without_an_answer_there_is_no_entry_and_the_position_keeps_its_exits() {
    let mut desk = Desk::new(guarded());
    desk.broker.margin = None;
    desk.link_up();
    desk.warm_up();

    desk.sink();

    assert_eq!(
        (desk.entries(), desk.blocked().as_deref()),
        (0, Some("margin"))
    );
}

#[test]
fn d24_an_answer_is_asked_for_every_four_hours_and_is_worth_nothing_after_eight() {
    let mut desk = Desk::new(guarded());
    desk.link_up();
    let asks = |desk: &Desk| {
        let asked = desk
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::AskBroker(BrokerQuestion::Margin { .. })));
        asked.count()
    };
    assert_eq!(asks(&desk), 1);

    desk.pass(4 * HOUR_MS - 1);
    assert_eq!(asks(&desk), 1);
    desk.broker.margin = None;
    desk.pass(1);
    assert_eq!(asks(&desk), 2);

    desk.pass(4 * HOUR_MS);
    assert!(desk.gate("margin").open);
    desk.pass(1);
    desk.tell(Event::Woke {});
    assert!(!desk.gate("margin").open);
}

#[test]
fn d24_the_accounts_own_figure_counts_where_it_is_the_worse_one() {
    let mut desk = Desk::new(guarded());
    desk.link_up();
    // 240 000 of margin on 1 000 000: 250 000 must be left.
    for (excess_cents, open) in [(490_001, true), (490_000, false), (489_999, false)] {
        figures(&mut desk, excess_cents, 0);

        assert_eq!(desk.gate("margin").open, open, "{excess_cents}");
    }
}

/// Contracts of each question about the margin so far.
fn asked_of(desk: &Desk) -> Vec<u32> {
    let quantity_of = |effect: &Effect| match effect {
        Effect::AskBroker(BrokerQuestion::Margin { quantity }) => Some(*quantity),
        _ => None,
    };
    desk.effects.iter().filter_map(quantity_of).collect()
}

fn change(desk: &mut Desk, quantity: u32) {
    let mut settings = guarded();
    settings.risk.max_position = 3;
    settings.strategy.quantity = quantity;
    desk.tell(Event::ConfigChanged {
        revision: 2,
        by: "anna (1)".to_owned(),
        update_id: None,
        changes: vec![],
        settings,
    });
}

#[test]
fn d24_the_question_is_about_as_many_contracts_as_an_entry_has() {
    // Three need three times 240 000, or three times 250 001, of 1 000 000, of which 250 000 must be left.
    for (of_one_cents, open) in [(240_000, true), (250_000, false)] {
        let mut three = guarded();
        three.risk.max_position = 3;
        three.strategy.quantity = 3;
        let mut desk = Desk::new(three);
        desk.broker.margin = Some((1_000_000, of_one_cents));

        desk.link_up();

        assert_eq!(asked_of(&desk), [3]);
        assert_eq!(desk.gate("margin").open, open, "{of_one_cents}");
    }
}

#[test]
fn d24_another_quantity_wants_an_answer_of_its_own_first() {
    let mut desk = Desk::new(guarded());
    desk.link_up();
    desk.pass(60_000);
    desk.broker.margin = None;

    change(&mut desk, 3);

    assert_eq!(asked_of(&desk), [1, 3]);
    let gate = desk.gate("margin");
    assert!(!gate.open);
    assert!(gate.detail.contains("an entry of 3"), "{}", gate.detail);
    desk.broker.margin = Some((1_000_000, 240_000));
    desk.pass(1_000);
    assert_eq!(asked_of(&desk), [1, 3, 3]);
    assert!(desk.gate("margin").open);
}

#[test]
fn d24_a_quantity_that_waits_until_flat_is_not_asked_about_before() {
    let mut desk = Desk::new(guarded());
    desk.link_up();
    desk.pass(4 * HOUR_MS - 600_000);
    desk.warm_up();
    desk.sink();
    assert_eq!((desk.broker.position, asked_of(&desk)), (1, vec![1]));
    change(&mut desk, 3);

    desk.pass(600_000);
    assert_eq!((desk.broker.position, asked_of(&desk)), (1, vec![1, 1]));
    desk.command(Command::Flatten {});
    desk.pass(3_000);

    assert_eq!(desk.broker.position, 0);
    assert_eq!(asked_of(&desk).last(), Some(&3));
    assert!(desk.gate("margin").open);
}

#[test]
fn d24_an_answer_about_another_quantity_is_asked_for_again_after_a_second() {
    let mut desk = Desk::new(guarded());
    desk.link_up();
    let before = asked_of(&desk).len();

    desk.tell(Event::MarginReported {
        quantity: 2,
        equity_cents: 1_000_000,
        margin_cents: 1,
        margin_after_cents: 1,
    });

    assert!(!desk.gate("margin").open);
    desk.pass(999);
    assert_eq!(asked_of(&desk).len(), before);
    desk.pass(1);
    assert_eq!(asked_of(&desk).len(), before + 1);
    assert!(desk.gate("margin").open);
}

#[test]
fn d24_a_question_stands_in_the_journal_as_before_but_for_the_quantity() {
    let printed = |question| serde_json::to_string(&Effect::AskBroker(question)).unwrap();

    assert_eq!(
        printed(BrokerQuestion::MarketData {}),
        r#"{"type":"ask_broker","ask":"market_data"}"#
    );
    assert_eq!(
        printed(BrokerQuestion::Margin { quantity: 3 }),
        r#"{"type":"ask_broker","ask":"margin","quantity":3}"#
    );
    let failed = r#"{"type":"ask_failed","ask":"margin","detail":"no"}"#;
    let read: Event = serde_json::from_str(failed).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), failed);
}

#[test]
fn r20_another_account_is_neither_compared_nor_traded() {
    let mut desk = Desk::ready(settings());
    desk.link_down();
    let asked = |desk: &Desk| {
        let asks = desk
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::AskBroker(_)));
        asks.count()
    };
    let before = asked(&desk);

    desk.tell(Event::LinkChanged {
        link: Link::Up,
        epoch: 9,
        detail: String::new(),
        account: Some("DU7654321".to_owned()),
    });
    desk.pass(120_000);

    assert_eq!((desk.posture(), asked(&desk)), (Posture::Halted, before));
    assert!(
        desk.controls()
            .contains(&("wrong_account".to_owned(), true))
    );
    let questions = desk.status().questions;
    assert!(questions[0].contains("DU***321"), "{questions:?}");
    assert!(!desk.command(Command::Arm {}).0);

    desk.tell(Event::LinkChanged {
        link: Link::Down,
        epoch: 9,
        detail: String::new(),
        account: None,
    });
    desk.epoch = 9;
    desk.link_up();
    desk.price(20_000);
    desk.pass(1_000);
    assert!(desk.command(Command::Arm {}).0);
}

#[test]
fn r24_results_that_differ_by_more_than_five_dollars_are_told_and_the_worse_counts() {
    for (realised_cents, drifts_by) in [
        (-2_614 - 500, None),
        (-2_614 - 501, Some(-501)),
        (-2_614 + 501, Some(0)),
        (-2_614 + 500, None),
    ] {
        let mut desk = after_a_loss();
        let left_cents = desk.status().today.loss_left_cents;

        figures(&mut desk, 800_000, realised_cents);

        assert_eq!(
            drifts(&desk).contains(&true),
            drifts_by.is_some(),
            "{realised_cents}"
        );
        assert_eq!(
            desk.status().today.loss_left_cents,
            left_cents + drifts_by.unwrap_or(0)
        );
        let told = desk
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::Told { name, .. } if name == "pnl_drift"));
        assert_eq!(told, drifts_by.is_some());
    }
}

#[test]
fn r24_a_difference_that_ends_gives_its_room_back() {
    let mut desk = after_a_loss();
    let left_cents = desk.status().today.loss_left_cents;
    figures(&mut desk, 800_000, -2_614 - 10_000);
    assert_eq!(desk.status().today.loss_left_cents, left_cents - 10_000);

    figures(&mut desk, 800_000, -2_614);

    assert_eq!(drifts(&desk), [true, false]);
    assert_eq!(desk.status().today.loss_left_cents, left_cents);
}

#[test]
fn r24_a_difference_beyond_the_daily_limit_halts() {
    let mut desk = after_a_loss();

    figures(&mut desk, 800_000, -50_000);

    assert!(desk.controls().contains(&("daily_loss".to_owned(), true)));
    assert_eq!(desk.posture(), Posture::Halted);
}

#[test]
fn r24_the_brokers_figures_prove_nothing_in_a_position_nor_right_after_a_fill() {
    let mut desk = Desk::ready(settings());
    figures(&mut desk, 800_000, 0);
    desk.sink();
    figures(&mut desk, 800_000, -20_000);
    assert!(drifts(&desk).is_empty());

    desk.command(Command::Flatten {});
    desk.pass(4_000);
    figures(&mut desk, 800_000, -20_000);
    assert!(drifts(&desk).is_empty());
}

#[test]
fn r24_the_brokers_own_day_begins_at_another_hour_than_ours() {
    let mut desk = after_a_loss();
    figures(&mut desk, 800_000, -2_614);

    figures(&mut desk, 800_000, 0);
    assert!(drifts(&desk).is_empty(), "its figure began anew");

    // Our next trading day begins: what the broker counted before belongs to the one before.
    figures(&mut desk, 800_000, -7_000);
    assert_eq!(drifts(&desk), [true]);
    desk.pass(8 * HOUR_MS);
    desk.price(20_000);
    figures(&mut desk, 800_000, -7_000);
    assert_eq!(drifts(&desk), [true]);
    assert_eq!(desk.status().today.loss_left_cents, 50_000);
}
