//! Bytes that no client sends cost one answer each.

use crate::gateway::{Gateway, web};
use crate::lab::realm;
use crate::lab::realm::TokenOptions;

/// A few real tokens, and three thousand that are none: random, cut, flipped, of wrong lengths.
fn junk() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let alice = realm().ticket("alice");
    let raw = TokenOptions { raw: true, ..TokenOptions::default() };
    let real: Vec<Vec<u8>> = alice
        .tokens(&web(), 4)
        .iter()
        .chain(&alice.tokens_with(&web(), 4, &raw))
        .map(|token| decode(token))
        .collect();
    let mut random = Random(0x5eed);
    let junk = (0..3_000)
        .map(|n| {
            let token = &real[n % real.len()];
            match n % 4 {
                0 => (0..random.below(2_000)).map(|_| random.byte()).collect(),
                1 => token[..random.below(token.len())].to_vec(),
                2 => {
                    let mut token = token.clone();
                    for _ in 0..=random.below(8) {
                        let at = random.below(token.len());
                        token[at] ^= 1 << random.below(8);
                    }
                    token
                }
                _ => {
                    // The lengths of the outer ASN.1 elements stand in the first bytes.
                    let mut token = token.clone();
                    let at = random.below(40).min(token.len() - 1);
                    token[at] = random.byte();
                    token
                }
            }
        })
        .collect();
    (real, junk)
}

fn decode(token: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(token).unwrap()
}

fn encode(token: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(token)
}

struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        // Xorshift: the same junk at every run.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as u8
    }

    fn below(&mut self, limit: usize) -> usize {
        let wide =
            (u64::from(self.byte()) << 16) | (u64::from(self.byte()) << 8) | u64::from(self.byte());
        (wide as usize) % limit.max(1)
    }
}

#[test]
fn three_thousand_junk_tokens_are_refused_and_leave_nothing_behind() {
    let gateway = Gateway::start();
    let (real, junk) = junk();
    // Some bits of a token are nobody's business (RFC 4120 seals only a part of it):
    // a real token that was used is a replay with such a bit flipped.
    for token in &real {
        assert_eq!(gateway.send_token(&encode(token)).status, 200);
    }
    let (first, rest) = junk.split_at(1_000);
    send(&gateway, first);
    let before = resident(&gateway);
    send(&gateway, rest);
    let after = resident(&gateway);
    assert!(after < before + 4_096, "from {before} KB to {after} KB");
    assert_eq!(gateway.metric("doorward_sessions ") as usize, real.len());
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    assert_eq!(gateway.send_token(&token).status, 200);
}

fn send(gateway: &Gateway, junk: &[Vec<u8>]) {
    let mut connection = gateway.connect();
    for token in junk {
        let value = format!("Negotiate {}", encode(token));
        let answer = connection.get(&web(), "/", &[("Authorization", &value)]);
        assert!([400, 401].contains(&answer.status), "{}: {answer:?}", encode(token));
        assert_eq!(answer.header("set-cookie"), None, "{}", encode(token));
    }
}

fn resident(gateway: &Gateway) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", gateway.doorward.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
