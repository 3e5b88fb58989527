//! Laws that hold over any sequence of prices, faults, losses of the link and commands.

use crate::support::*;
use proptest::prelude::*;
use scalper_core::effect::{Caused, Effect};
use scalper_core::engine::Engine;
use scalper_core::event::{Command, Event};
use scalper_core::status::Posture;

#[derive(Debug, Clone)]
enum Act {
    Price(i32),
    Pass(i64),
    LinkDown,
    LinkUp,
    Faults(Faults),
    Command(Command),
    RepeatFills,
    ForgetFills,
    Restart,
    Rubbish(u8),
    Deliver(usize),
}

fn any_faults() -> impl Strategy<Value = Faults> {
    any::<[bool; 12]>().prop_map(
        |[
            swallow_places,
            mute,
            swallow_cancels,
            refuse_entries,
            refuse_stops,
            hold_market,
            slow,
            hold_legs,
            hide_state,
            swallow_modifies,
            refuse_modifies,
            refuse_exits,
        ]| {
            Faults {
                swallow_places,
                mute,
                swallow_cancels,
                refuse_entries,
                refuse_stops,
                hold_market,
                slow,
                hold_legs,
                hide_state,
                swallow_modifies,
                refuse_modifies,
                refuse_exits,
            }
        },
    )
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Pause { until_ms: None }),
        Just(Command::Resume {}),
        Just(Command::Flatten {}),
        Just(Command::Halt {
            reason: "test".into()
        }),
        Just(Command::Arm {}),
        Just(Command::Adopt {}),
        Just(Command::Acknowledge { notice_id: 1 }),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (19_000i32..21_000).prop_map(Act::Price),
        6 => (19_980i32..20_020).prop_map(Act::Price),
        6 => (1i64..8_000).prop_map(Act::Pass),
        1 => (60_000i64..3_600_000).prop_map(Act::Pass),
        1 => Just(Act::LinkDown),
        2 => Just(Act::LinkUp),
        1 => any_faults().prop_map(Act::Faults),
        2 => Just(Act::Faults(Faults::default())),
        2 => any_command().prop_map(Act::Command),
        1 => Just(Act::RepeatFills),
        1 => Just(Act::ForgetFills),
        1 => Just(Act::Restart),
        1 => any::<u8>().prop_map(Act::Rubbish),
        4 => (1usize..6).prop_map(Act::Deliver),
        2 => Just(Act::Faults(Faults { slow: true, ..Faults::default() })),
    ]
}

fn play(desk: &mut Desk, act: &Act) {
    match act {
        Act::Price(ticks) => {
            desk.price(*ticks);
            desk.pass(1_000);
        }
        Act::Pass(ms) => desk.pass(*ms),
        Act::LinkDown => desk.link_down(),
        Act::Deliver(count) => desk.deliver(*count),
        Act::LinkUp => desk.link_up(),
        Act::Faults(faults) => {
            desk.broker.faults = *faults;
            if !faults.slow {
                desk.deliver(1_000);
            }
        }
        Act::Command(command) => {
            desk.command(command.clone());
        }
        Act::RepeatFills => {
            for fill in desk.broker.fills.clone() {
                desk.tell(Event::Fill { fill });
            }
        }
        // A new day: the broker no longer tells of old executions.
        Act::ForgetFills => desk.broker.forget_fills(),
        Act::Restart => {
            desk.link_down();
            desk.tell(started(settings()));
            desk.link_up();
        }
        Act::Rubbish(kind) => desk.tell(rubbish(*kind)),
    }
}

fn rubbish(kind: u8) -> Event {
    let order_ref = match kind % 3 {
        0 => "QS1-t3st-261125-99-S",
        1 => "QS1-othr-261125-1-E",
        _ => "",
    }
    .to_owned();
    match kind % 7 {
        0 => Event::Trade {
            exchange_at_ms: i64::from(kind) - 100,
            price_ticks: -5,
            size: -1,
        },
        1 => Event::Quote {
            exchange_at_ms: 0,
            bid_ticks: Some(30_000),
            ask_ticks: Some(10),
            bid_size: 0,
            ask_size: 0,
        },
        2 => Event::Sent {
            order_ref,
            order_id: 3,
            epoch: 9,
        },
        3 => Event::OrderRefused {
            order_ref,
            code: 201,
            text: "?".into(),
        },
        4 => Event::ChangeRefused {
            order_ref,
            code: 10_147,
            text: "?".into(),
        },
        5 => Event::NotSent {
            order_ref,
            reason: "?".into(),
        },
        _ => Event::Reconciled {
            open_orders: vec![],
            fills: vec![],
            positions: vec![],
            broker_at_ms: None,
        },
    }
}

fn frame(seq: i64, at_ms: i64, event: &Event) -> Vec<u8> {
    let payload = serde_json::to_vec(event).unwrap();
    let mut out = u32::try_from(20 + payload.len())
        .unwrap()
        .to_le_bytes()
        .to_vec();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&[1, 1, 0, 0]);
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&at_ms.to_le_bytes());
    out.extend_from_slice(&payload);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_the_brokers_position_stays_within_its_limit(acts in proptest::collection::vec(any_act(), 1..80)) {
        let mut desk = Desk::ready(settings());
        for act in &acts {
            play(&mut desk, act);
            prop_assert!(desk.broker.worst_position <= 1, "position {} after {act:?}", desk.broker.position);
            prop_assert_eq!(desk.broker.opened_by_legs, 0, "after {:?}", act);
        }
        let (effects, hash) = desk.replay();
        prop_assert_eq!(&effects, &desk.effects);
        prop_assert_eq!(hash, desk.engine.state_hash().unwrap());
    }

    #[test]
    fn once_the_faults_stop_a_flatten_ends_flat_at_the_broker(acts in proptest::collection::vec(any_act(), 1..60)) {
        let mut desk = Desk::ready(settings());
        for act in &acts {
            play(&mut desk, act);
        }
        desk.broker.faults = Faults::default();
        desk.deliver(1_000);
        if !desk.linked {
            desk.link_up();
        }
        desk.price(20_000);
        desk.pass(70_000);
        desk.command(Command::Flatten {});
        desk.price(20_000);
        desk.pass(20_000);

        let working = desk.broker.orders.values().filter(|held| held.state == scalper_core::event::BrokerOrderState::Working).count();
        prop_assert_eq!((desk.broker.position, working), (0, 0), "{:?}", desk.status());
        let confirmed = desk.effects.iter().any(|effect| matches!(effect, Effect::FlatConfirmed { .. }));
        prop_assert!(confirmed, "{:?}", desk.status());
        prop_assert!(desk.posture() != Posture::Flattening);
    }

    #[test]
    fn neither_batching_nor_a_snapshot_changes_anything(
        acts in proptest::collection::vec(any_act(), 1..30),
        cuts in proptest::collection::vec(1usize..20, 1..20),
    ) {
        let mut desk = Desk::ready(settings());
        for act in &acts {
            play(&mut desk, act);
        }
        let mut engine = Engine::new();
        let mut effects: Vec<Caused> = Vec::new();
        let mut rest = &desk.inputs[..];
        for size in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*size).min(rest.len()));
            let bytes: Vec<u8> = now.iter().flat_map(|(seq, at_ms, event)| frame(*seq, *at_ms, event)).collect();
            engine.apply(&bytes, &mut effects).unwrap();
            engine = Engine::restore(&engine.snapshot().unwrap()).unwrap();
            rest = later;
        }
        let effects: Vec<Effect> = effects.into_iter().map(|caused| caused.effect).collect();
        prop_assert_eq!(&effects, &desk.effects);
        prop_assert_eq!(engine.state_hash().unwrap(), desk.engine.state_hash().unwrap());
    }
}
