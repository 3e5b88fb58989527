//! Market records as they travel: 40 bytes each, little endian.
//! `atMs` i64 | `instrumentId` i64 | kind u32 (1 trade, 2 quote) | a i32 | b i32 | c i32 | d i32 | aggressor i32.
//! A trade has its price in a and its size in c; a quote has bid, ask, bid size and ask size in a, b, c, d.

/// Length of one record.
pub const RECORD_BYTES: usize = 40;
/// Stands for a side of the book without a price.
pub const NO_PRICE: i32 = i32::MIN;

/// One market record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketRecord {
    /// The exchange's time.
    pub at_ms: i64,
    /// Which contract.
    pub instrument_id: i64,
    /// What it says.
    pub content: MarketContent,
}

/// What a market record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketContent {
    /// A trade print.
    Trade {
        /// Price.
        price_ticks: i32,
        /// Contracts.
        size: i32,
    },
    /// A new best bid and ask; `NO_PRICE` where there is none.
    Quote {
        /// Best bid.
        bid_ticks: i32,
        /// Best ask.
        ask_ticks: i32,
        /// Contracts at the bid.
        bid_size: i32,
        /// Contracts at the ask.
        ask_size: i32,
    },
}

/// Reads one record; none for a kind that does not exist.
#[inline]
pub fn read_record(bytes: &[u8; RECORD_BYTES]) -> Option<MarketRecord> {
    let content = match word(bytes, 16) {
        1 => MarketContent::Trade {
            price_ticks: word(bytes, 20),
            size: word(bytes, 28),
        },
        2 => MarketContent::Quote {
            bid_ticks: word(bytes, 20),
            ask_ticks: word(bytes, 24),
            bid_size: word(bytes, 28),
            ask_size: word(bytes, 32),
        },
        _ => return None,
    };
    Some(MarketRecord {
        at_ms: long(bytes, 0),
        instrument_id: long(bytes, 8),
        content,
    })
}

/// Appends one record. The aggressor is left unknown: the exchange does not read it.
pub fn write_record(batch: &mut Vec<u8>, record: &MarketRecord) {
    let words = match record.content {
        MarketContent::Trade { price_ticks, size } => [1, price_ticks, 0, size, 0, 0],
        MarketContent::Quote {
            bid_ticks,
            ask_ticks,
            bid_size,
            ask_size,
        } => [2, bid_ticks, ask_ticks, bid_size, ask_size, 0],
    };
    batch.extend_from_slice(&record.at_ms.to_le_bytes());
    batch.extend_from_slice(&record.instrument_id.to_le_bytes());
    for word in words {
        batch.extend_from_slice(&word.to_le_bytes());
    }
}

/// Writes other prices and sizes into a record of the same kind.
pub(super) fn rewrite_record(bytes: &mut [u8], content: MarketContent) {
    let words = match content {
        MarketContent::Trade { price_ticks, size } => [price_ticks, 0, size, 0],
        MarketContent::Quote {
            bid_ticks,
            ask_ticks,
            bid_size,
            ask_size,
        } => [bid_ticks, ask_ticks, bid_size, ask_size],
    };
    for (place, word) in bytes[20..36].chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

#[inline]
fn word(bytes: &[u8; RECORD_BYTES], at: usize) -> i32 {
    i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
fn long(bytes: &[u8; RECORD_BYTES], at: usize) -> i64 {
    let low = u64::from(word(bytes, at) as u32);
    let high = u64::from(word(bytes, at + 4) as u32);
    ((high << 32) | low) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_written() {
        let contents = [
            MarketContent::Trade {
                price_ticks: 10_682,
                size: 3,
            },
            MarketContent::Quote {
                bid_ticks: NO_PRICE,
                ask_ticks: 10_683,
                bid_size: 0,
                ask_size: 31,
            },
        ];
        for content in contents {
            let record = MarketRecord {
                at_ms: 1_525_699_800_001,
                instrument_id: -7,
                content,
            };
            let mut batch = Vec::new();

            write_record(&mut batch, &record);

            let bytes: [u8; RECORD_BYTES] = batch.try_into().expect("one record is 40 bytes");
            assert_eq!(read_record(&bytes), Some(record));
        }
    }
}
