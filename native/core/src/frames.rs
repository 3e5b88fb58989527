//! Reads framed journal records (reliability note, section G): length, checksum, version, code, flags, sequence, time,
//! payload, all little endian. The checksum was verified by the journal; here only shape and meaning are.

use crate::event::Event;
use thiserror::Error;

/// Bytes from the frame's start to its payload.
pub const HEADER_BYTES: usize = 28;
/// Largest payload that a frame may have.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// The version of the frames that this engine reads.
pub const FRAME_VERSION: u8 = 1;

const CODE_JSON: u8 = 1;
const CODE_TRADE: u8 = 2;
const CODE_QUOTE: u8 = 3;
const TRADE_BYTES: usize = 16;
const QUOTE_BYTES: usize = 24;
/// Stands for "no bid" or "no ask" in a packed quote.
const ABSENT: i32 = i32::MIN;

/// Why bytes are not frames of this version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The bytes end inside a frame.
    #[error("FRAME_SHORT: the frame at byte {at} needs {needs} bytes, {has} are left")]
    Short {
        /// Where the frame begins.
        at: usize,
        /// What it needs.
        needs: usize,
        /// What is left.
        has: usize,
    },
    /// The length field is impossible.
    #[error("FRAME_LENGTH: the frame at byte {at} says {length} bytes; allowed are 20 to 1048596")]
    Length {
        /// Where the frame begins.
        at: usize,
        /// What it says.
        length: u32,
    },
    /// Written by another version of the program.
    #[error("FRAME_VERSION: record {seq} has version {version}, this engine reads {FRAME_VERSION}")]
    Version {
        /// Its sequence number.
        seq: i64,
        /// Its version.
        version: u8,
    },
    /// A code that no input has.
    #[error("FRAME_CODE: record {seq} has code {code}, which no input has")]
    Code {
        /// Its sequence number.
        seq: i64,
        /// Its code.
        code: u8,
    },
    /// A packed record of the wrong size.
    #[error("FRAME_PAYLOAD: record {seq} has {bytes} bytes of payload, code {code} needs {needs}")]
    Payload {
        /// Its sequence number.
        seq: i64,
        /// Its code.
        code: u8,
        /// What it has.
        bytes: usize,
        /// What it needs.
        needs: usize,
    },
    /// A JSON payload that is no event.
    #[error("FRAME_EVENT: record {seq} is no event: {detail}")]
    Event {
        /// Its sequence number.
        seq: i64,
        /// The parser's words.
        detail: String,
    },
    /// A sequence number beyond 2^53, which the border cannot carry, or one that does not grow.
    #[error("FRAME_SEQ: record {seq} cannot follow record {last}")]
    Seq {
        /// Its sequence number.
        seq: u64,
        /// The one before.
        last: i64,
    },
}

/// What a record is to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Something that happened: applied.
    Input,
    /// An effect or a note of the shell: skipped.
    Other,
}

/// One record, its payload not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Sequence number in the journal.
    pub seq: i64,
    /// When it was taken in.
    pub at_ms: i64,
    /// Input or not.
    pub kind: FrameKind,
    version: u8,
    code: u8,
    payload: &'a [u8],
}

/// A trade print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The exchange's time.
    pub exchange_at_ms: i64,
    /// Price.
    pub price_ticks: i32,
    /// Contracts.
    pub size: i32,
}

/// A change of the best bid or ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The exchange's time.
    pub exchange_at_ms: i64,
    /// None = no bid.
    pub bid_ticks: Option<i32>,
    /// None = no ask.
    pub ask_ticks: Option<i32>,
    /// Contracts.
    pub bid_size: i32,
    /// Contracts.
    pub ask_size: i32,
}

/// A payload that has been read.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Hot: a trade.
    Trade(Trade),
    /// Hot: a quote.
    Quote(Quote),
    /// All else; boxed, since events are large and trades are many.
    Event(Box<Event>),
}

impl<'a> Frame<'a> {
    /// Returns the payload's meaning. Only for frames of kind `Input`.
    ///
    /// # Errors
    /// A version, code, size or JSON that no input of this version has.
    pub fn read(&self) -> Result<Input, FrameError> {
        let seq = self.seq;
        if self.version != FRAME_VERSION {
            return Err(FrameError::Version {
                seq,
                version: self.version,
            });
        }
        match self.code {
            CODE_JSON => {
                let event: Event =
                    serde_json::from_slice(self.payload).map_err(|error| FrameError::Event {
                        seq,
                        detail: error.to_string(),
                    })?;
                Ok(Input::from(event))
            }
            CODE_TRADE => {
                self.expect_bytes(TRADE_BYTES)?;
                Ok(Input::Trade(Trade {
                    exchange_at_ms: i64_at(self.payload, 0),
                    price_ticks: i32_at(self.payload, 8),
                    size: i32_at(self.payload, 12),
                }))
            }
            CODE_QUOTE => {
                self.expect_bytes(QUOTE_BYTES)?;
                let present = |ticks: i32| (ticks != ABSENT).then_some(ticks);
                Ok(Input::Quote(Quote {
                    exchange_at_ms: i64_at(self.payload, 0),
                    bid_ticks: present(i32_at(self.payload, 8)),
                    ask_ticks: present(i32_at(self.payload, 12)),
                    bid_size: i32_at(self.payload, 16),
                    ask_size: i32_at(self.payload, 20),
                }))
            }
            code => Err(FrameError::Code { seq, code }),
        }
    }

    fn expect_bytes(&self, needs: usize) -> Result<(), FrameError> {
        if self.payload.len() == needs {
            return Ok(());
        }
        Err(FrameError::Payload {
            seq: self.seq,
            code: self.code,
            bytes: self.payload.len(),
            needs,
        })
    }
}

impl From<Event> for Input {
    /// Unpacks trades and quotes that came as JSON, so that both roads are one.
    fn from(event: Event) -> Input {
        match event {
            Event::Trade {
                exchange_at_ms,
                price_ticks,
                size,
            } => Input::Trade(Trade {
                exchange_at_ms,
                price_ticks,
                size,
            }),
            Event::Quote {
                exchange_at_ms,
                bid_ticks,
                ask_ticks,
                bid_size,
                ask_size,
            } => Input::Quote(Quote {
                exchange_at_ms,
                bid_ticks,
                ask_ticks,
                bid_size,
                ask_size,
            }),
            other => Input::Event(Box::new(other)),
        }
    }
}

/// Walks over frames laid end to end. After an error it ends.
#[derive(Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    /// Returns a walk over `bytes`.
    pub fn new(bytes: &'a [u8]) -> Frames<'a> {
        Frames { bytes, at: 0 }
    }

    fn cut(&mut self) -> Result<Frame<'a>, FrameError> {
        let at = self.at;
        let rest = &self.bytes[at..];
        if rest.len() < HEADER_BYTES {
            return Err(FrameError::Short {
                at,
                needs: HEADER_BYTES,
                has: rest.len(),
            });
        }
        let length = u32_at(rest, 0);
        let after_checksum = HEADER_BYTES - 8;
        let size = length as usize;
        if size < after_checksum || size > after_checksum + PAYLOAD_BYTES_MAX {
            return Err(FrameError::Length { at, length });
        }
        if rest.len() < 8 + size {
            return Err(FrameError::Short {
                at,
                needs: 8 + size,
                has: rest.len(),
            });
        }
        let raw_seq = u64::from_le_bytes(eight(rest, 12));
        let Ok(seq) = i64::try_from(raw_seq) else {
            return Err(FrameError::Seq {
                seq: raw_seq,
                last: -1,
            });
        };
        let flags = u16::from_le_bytes([rest[10], rest[11]]);
        self.at = at + 8 + size;
        Ok(Frame {
            seq,
            at_ms: i64_at(rest, 20),
            kind: if (flags >> 1) & 0b11 == 0 {
                FrameKind::Input
            } else {
                FrameKind::Other
            },
            version: rest[8],
            code: rest[9],
            payload: &rest[HEADER_BYTES..8 + size],
        })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let cut = self.cut();
        if cut.is_err() {
            self.at = self.bytes.len();
        }
        Some(cut)
    }
}

fn eight(bytes: &[u8], at: usize) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[at..at + 8]);
    out
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(eight(bytes, at))
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(code: u8, flags: u16, seq: u64, at_ms: i64, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&u32::try_from(20 + payload.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&[FRAME_VERSION, code]);
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&seq.to_le_bytes());
        out.extend_from_slice(&at_ms.to_le_bytes());
        out.extend_from_slice(payload);
        out
    }

    fn packed_trade(at: i64, price: i32, size: i32) -> Vec<u8> {
        [
            &at.to_le_bytes()[..],
            &price.to_le_bytes(),
            &size.to_le_bytes(),
        ]
        .concat()
    }

    #[test]
    fn a_packed_trade_is_read_as_it_was_written() {
        let bytes = frame(2, 0, 7, 1_000, &packed_trade(999, 20_001, 3));

        let frames: Vec<_> = Frames::new(&bytes).collect::<Result<_, _>>().unwrap();

        assert_eq!(
            (frames[0].seq, frames[0].at_ms, frames[0].kind),
            (7, 1_000, FrameKind::Input)
        );
        let trade = Trade {
            exchange_at_ms: 999,
            price_ticks: 20_001,
            size: 3,
        };
        assert_eq!(frames[0].read(), Ok(Input::Trade(trade)));
    }

    #[test]
    fn an_absent_side_of_a_quote_is_none() {
        let mut payload = 5i64.to_le_bytes().to_vec();
        for value in [i32::MIN, 101, 0, 4] {
            payload.extend_from_slice(&value.to_le_bytes());
        }
        let bytes = frame(3, 0, 1, 6, &payload);

        let read = Frames::new(&bytes).next().unwrap().unwrap().read().unwrap();

        let Input::Quote(quote) = read else {
            panic!("a quote was written")
        };
        assert_eq!((quote.bid_ticks, quote.ask_ticks), (None, Some(101)));
    }

    #[test]
    fn outputs_and_notes_are_told_from_inputs_by_their_flags() {
        let kinds: Vec<_> = [0u16, 1, 2, 4, 3, 5]
            .map(|flags| {
                Frames::new(&frame(1, flags, 1, 1, b"{}"))
                    .next()
                    .unwrap()
                    .unwrap()
                    .kind
            })
            .to_vec();

        use FrameKind::{Input, Other};
        assert_eq!(kinds, vec![Input, Input, Other, Other, Other, Other]);
    }

    #[test]
    fn each_kind_of_broken_frame_is_named() {
        let good = frame(2, 0, 1, 1, &packed_trade(1, 1, 1));
        let with = |at: usize, bytes: &[u8]| {
            let mut broken = good.clone();
            broken[at..at + bytes.len()].copy_from_slice(bytes);
            broken
        };
        let table: Vec<(&str, Vec<u8>)> = vec![
            ("FRAME_SHORT", good[..27].to_vec()),
            ("FRAME_SHORT", good[..good.len() - 1].to_vec()),
            ("FRAME_LENGTH", with(0, &19u32.to_le_bytes())),
            ("FRAME_LENGTH", with(0, &u32::MAX.to_le_bytes())),
            ("FRAME_VERSION", with(8, &[2])),
            ("FRAME_CODE", with(9, &[9])),
            ("FRAME_SEQ", with(12, &u64::MAX.to_le_bytes())),
            ("FRAME_PAYLOAD", frame(2, 0, 1, 1, &[0; 15])),
            ("FRAME_PAYLOAD", frame(3, 0, 1, 1, &[0; 25])),
            ("FRAME_EVENT", frame(1, 0, 1, 1, b"{\"type\":\"wok\"}")),
        ];
        for (code, bytes) in table {
            let error = match Frames::new(&bytes).next().unwrap() {
                Ok(frame) => frame.read().unwrap_err(),
                Err(error) => error,
            };
            assert!(error.to_string().starts_with(code), "{code}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_frames_or_an_error_but_never_in_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for frame in Frames::new(&bytes).flatten() {
                let _ = frame.read();
            }
        }
    }
}
