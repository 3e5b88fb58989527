//! The engine: takes journal records one by one, in order, and returns what is to be done. Its whole state is a value
//! that can be written down and taken up again; the same inputs give the same effects, however they are cut into calls.

mod account;
mod answers;
mod clock;
mod commands;
mod core;
mod day;
mod decide;
mod execution;
mod exits;
pub(crate) mod gates;
pub(crate) mod hours;
mod link;
mod market;
mod orders;
mod posture;
mod protect;
mod reconcile;
mod report;
pub(crate) mod risk;
pub(crate) mod timers;
mod told;

use self::core::Core;
use crate::effect::{Caused, Effect};
use crate::event::Event;
use crate::frames::{FrameError, FrameKind, Frames, Input};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the snapshots that this engine writes and reads.
pub const SNAPSHOT_VERSION: u32 = 2;

/// Why the engine refuses.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Bytes that are no frames of this version.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A snapshot that is none.
    #[error("SNAPSHOT_BROKEN: {0}")]
    SnapshotBroken(String),
    /// A snapshot of another version.
    #[error(
        "SNAPSHOT_VERSION: the snapshot has version {0}, this engine reads {SNAPSHOT_VERSION}; replay the journal"
    )]
    SnapshotVersion(u32),
    /// Nothing is known yet.
    #[error("NOT_STARTED: the engine has not seen a started event yet")]
    NotStarted,
    /// Settings that contradict themselves.
    #[error("SETTINGS: {0}")]
    Settings(String),
}

/// Decides. See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Engine {
    version: u32,
    seq: i64,
    at_ms: i64,
    /// Stamps that ran back and were taken as the last one.
    clock_steps_back: u64,
    core: Option<Box<Core>>,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Engine {
    /// Returns an engine that has seen nothing.
    pub fn new() -> Engine {
        Engine {
            version: SNAPSHOT_VERSION,
            seq: 0,
            at_ms: 0,
            clock_steps_back: 0,
            core: None,
        }
    }

    /// Returns the engine as it was when the snapshot was taken.
    ///
    /// # Errors
    /// A snapshot that cannot be read, or of another version.
    pub fn restore(snapshot: &str) -> Result<Engine, EngineError> {
        let broken = |error: serde_json::Error| EngineError::SnapshotBroken(error.to_string());
        let head: SnapshotHead = serde_json::from_str(snapshot).map_err(broken)?;
        if head.version != SNAPSHOT_VERSION {
            return Err(EngineError::SnapshotVersion(head.version));
        }
        serde_json::from_str(snapshot).map_err(broken)
    }

    /// Applies framed journal records in order; records that are no inputs are skipped. Appends what is to be done.
    ///
    /// # Errors
    /// Bytes that are no frames, or an input that no journal of this version can hold. What stood before it is applied.
    pub fn apply(&mut self, bytes: &[u8], effects: &mut Vec<Caused>) -> Result<(), EngineError> {
        for frame in Frames::new(bytes) {
            let frame = frame?;
            if frame.kind == FrameKind::Other {
                continue;
            }
            if frame.seq <= self.seq && self.seq > 0 {
                let seq = u64::try_from(frame.seq).unwrap_or(0);
                return Err(FrameError::Seq {
                    seq,
                    last: self.seq,
                }
                .into());
            }
            let input = frame.read()?;
            self.take(frame.seq, frame.at_ms, input, effects)?;
        }
        Ok(())
    }

    /// Applies one event, stamped. For tests and for callers without a journal.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    pub fn apply_event(
        &mut self,
        seq: i64,
        at_ms: i64,
        event: Event,
        effects: &mut Vec<Caused>,
    ) -> Result<(), EngineError> {
        self.take(seq, at_ms, Input::from(event), effects)
    }

    fn take(
        &mut self,
        seq: i64,
        at_ms: i64,
        input: Input,
        effects: &mut Vec<Caused>,
    ) -> Result<(), EngineError> {
        if at_ms < self.at_ms {
            self.clock_steps_back += 1;
        }
        self.at_ms = self.at_ms.max(at_ms);
        self.seq = seq;
        if self.core.is_none() {
            match &input {
                Input::Event(event) => match event.as_ref() {
                    Event::Started { settings, .. } => {
                        self.core = Some(Box::new(Core::new(settings, self.at_ms)?));
                    }
                    _ => return self.too_early(effects),
                },
                Input::Trade(_) | Input::Quote(_) => return self.too_early(effects),
            }
        }
        let Some(core) = self.core.as_deref_mut() else {
            return Ok(());
        };
        core.take(seq, self.at_ms, input)?;
        effects.append(&mut core.out);
        Ok(())
    }

    fn too_early(&self, effects: &mut Vec<Caused>) -> Result<(), EngineError> {
        let detail = "an event came before the first started event".to_owned();
        effects.push(Caused {
            cause: self.seq,
            effect: Effect::Anomaly { detail },
        });
        Ok(())
    }

    /// Returns everything that a person may want to see, as of the last event.
    ///
    /// # Errors
    /// Before the first `started`.
    pub fn status(&self) -> Result<crate::status::Status, EngineError> {
        self.core
            .as_deref()
            .map(Core::status)
            .ok_or(EngineError::NotStarted)
    }

    /// Returns the whole state as JSON.
    ///
    /// # Errors
    /// A state that cannot be written down; a fault of ours.
    pub fn snapshot(&self) -> Result<String, EngineError> {
        serde_json::to_string(self).map_err(|error| EngineError::SnapshotBroken(error.to_string()))
    }

    /// Returns a 64-bit FNV-1a hash of the snapshot.
    ///
    /// # Errors
    /// As `snapshot`.
    pub fn state_hash(&self) -> Result<u64, EngineError> {
        let text = self.snapshot()?;
        Ok(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    /// Returns how many stamps ran back; each was taken as the one before it.
    pub fn clock_steps_back(&self) -> u64 {
        self.clock_steps_back
    }
}

#[derive(Deserialize)]
struct SnapshotHead {
    version: u32,
}
