//! A cache of short texts without a match.

/// Short texts that contain no searched value. Codes and first names that occur in thousands of rows are searched
/// only once.
pub(super) struct NegativeCache {
    texts: Vec<([u8; Self::MAX_BYTES], u8)>,
}

impl Default for NegativeCache {
    fn default() -> Self {
        Self { texts: vec![([0; Self::MAX_BYTES], 0); Self::SIZE] }
    }
}

impl NegativeCache {
    const MAX_BYTES: usize = 31;
    const SIZE: usize = 4_096;

    fn slot(text: &[u8]) -> usize {
        // FNV hash: fast for a few bytes.
        let hash = text.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        });
        usize::try_from(hash >> 52).unwrap_or_default() % Self::SIZE
    }

    /// Returns whether this text is known to contain no match.
    pub(super) fn holds(&self, text: &[u8]) -> bool {
        if text.len() > Self::MAX_BYTES {
            return false;
        }
        let (known, length) = &self.texts[Self::slot(text)];
        known.get(..usize::from(*length)) == Some(text)
    }

    /// Adds a text, if it is short enough.
    pub(super) fn add(&mut self, text: &[u8]) {
        if let (Ok(length), Some(slot)) =
            (u8::try_from(text.len()), self.texts[Self::slot(text)].0.get_mut(..text.len()))
        {
            slot.copy_from_slice(text);
            self.texts[Self::slot(text)].1 = length;
        }
    }
}
