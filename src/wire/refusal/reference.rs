//! The number that connects a user's page with a line in the log.

use aws_lc_rs::rand;

/// A new reference: eight characters of base32 (RFC 4648 section 6), 40 random bits.
/// It is no secret; should the system's random source fail, it is all `A`.
pub(crate) fn new_reference() -> String {
    let mut bits = [0; 8];
    if rand::fill(&mut bits[3..]).is_err() {
        tracing::error!("the random source of the system failed; references are not unique");
    }
    let bits = u64::from_be_bytes(bits);
    (0..8).rev().map(|place| char::from(BASE32[((bits >> (5 * place)) & 31) as usize])).collect()
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_eight_characters_and_differ() {
        let one = new_reference();
        assert_eq!(one.len(), 8);
        assert!(one.bytes().all(|byte| BASE32.contains(&byte)));
        assert_ne!(one, new_reference());
    }
}
