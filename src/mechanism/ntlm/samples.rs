//! Real messages, recorded with the password `Password1!` that opens nothing:
//! pyspnego 0.12 with challenges of Samba 4.17, and Samba 4.17 and curl 7.88 with ours.

use secrecy::SecretBox;

use super::crypto::SecretKey;
use super::effect::{Challenged, Context, Given};
use super::message::Challenge;

/// This challenge, given just now.
pub(in crate::mechanism) fn challenged(message: &[u8]) -> Challenged {
    let challenge = Challenge::parse(message.to_vec()).unwrap();
    let context = Context(Given::Ourselves(crate::clock::instant()));
    Challenged { challenge: Box::new(challenge), context }
}

/// The three messages of one exchange, and the keys that belong to them.
#[derive(Clone)]
pub(in crate::mechanism) struct Exchange {
    pub(in crate::mechanism) negotiate: Vec<u8>,
    pub(in crate::mechanism) challenge: Vec<u8>,
    pub(in crate::mechanism) authenticate: Vec<u8>,
    /// NTOWFv2 of user, domain and password (MS-NLMP 3.3.2).
    pub(in crate::mechanism) response_key: [u8; 16],
    pub(in crate::mechanism) user_session_key: [u8; 16],
    pub(in crate::mechanism) exported_key: [u8; 16],
}

/// pyspnego, bound to a TLS channel.
pub(in crate::mechanism) fn bound() -> Exchange {
    Exchange {
        negotiate: bytes(NEGOTIATE),
        challenge: bytes(BOUND_CHALLENGE),
        authenticate: bytes(BOUND_AUTHENTICATE),
        response_key: key("0a56286e2115691c99aa226b69fdb112"),
        user_session_key: key("e32053f909baf0d5dbc8fea69d574443"),
        exported_key: key("977b389f5b15b073960f52d53b70657b"),
    }
}

/// pyspnego without a channel, and a name beyond ASCII.
pub(in crate::mechanism) fn plain() -> Exchange {
    Exchange {
        negotiate: bytes(NEGOTIATE),
        challenge: bytes(PLAIN_CHALLENGE),
        authenticate: bytes(PLAIN_AUTHENTICATE),
        response_key: key("0f2c7f274539852fad8896d71b9d565a"),
        user_session_key: key("b7b58cb91b154da2f913b5b5c64a33ac"),
        exported_key: key("8ee778749e08d79543d55bfca108cfde"),
    }
}

/// Samba's client, with an answer to our own challenge and a binding of zeros.
pub(in crate::mechanism) fn samba() -> Exchange {
    Exchange {
        negotiate: bytes(SAMBA_NEGOTIATE),
        challenge: bytes(OUR_CHALLENGE),
        authenticate: bytes(SAMBA_AUTHENTICATE),
        response_key: key("0a56286e2115691c99aa226b69fdb112"),
        user_session_key: key("f8fea2f5a7d8d392c2d1f88856e1c958"),
        exported_key: key("89e7df301b1f952701180f92db2d3dcc"),
    }
}

/// curl, with an answer to our own challenge: OEM names, no signatures, no key
/// exchange, no integrity code.
pub(in crate::mechanism) fn curl() -> Exchange {
    Exchange {
        negotiate: bytes(CURL_NEGOTIATE),
        challenge: bytes(OUR_OEM_CHALLENGE),
        authenticate: bytes(CURL_AUTHENTICATE),
        response_key: key("0a56286e2115691c99aa226b69fdb112"),
        user_session_key: key("0f7ba4c6e0d5b69146157e24b9c7af22"),
        exported_key: key("0f7ba4c6e0d5b69146157e24b9c7af22"),
    }
}

/// All of them.
pub(in crate::mechanism) fn exchanges() -> [Exchange; 4] {
    [bound(), plain(), samba(), curl()]
}

/// The bytes that these hexadecimal digits spell.
pub(in crate::mechanism) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// A key in hexadecimal digits.
pub(in crate::mechanism) fn key(hex: &str) -> [u8; 16] {
    bytes(hex).try_into().unwrap()
}

/// The same, as what proves somebody.
pub(in crate::mechanism) fn secret_key(hex: &str) -> SecretKey {
    SecretBox::new(Box::new(key(hex)))
}

impl Exchange {
    pub(in crate::mechanism) fn user_session_key(&self) -> SecretKey {
        SecretBox::new(Box::new(self.user_session_key))
    }

    pub(in crate::mechanism) fn exported_key(&self) -> SecretKey {
        SecretBox::new(Box::new(self.exported_key))
    }
}

/// The binding of a channel whose certificate has the SHA-256 of `a certificate`.
pub(in crate::mechanism) const BINDING_HASH: &str = "421782df33f5f2439ded6119a3fdbc68";

/// The first message of pyspnego: 40 bytes, with a version.
pub(in crate::mechanism) const NEGOTIATE: &str =
    "4e544c4d5353500001000000378208e200000000280000000000000028000000000c04000000000f";

pub(in crate::mechanism) const BOUND_CHALLENGE: &str = "\
    4e544c4d5353500002000000040004003800000035828ae269de922ffd6a90d600000000000000002c002c003c00 \
    0000060100000000000f56004d000200040056004d000100040056004d00040000000300040076006d0007000800 \
    b4782a6d917add0100000000";

pub(in crate::mechanism) const BOUND_AUTHENTICATE: &str = "\
    4e544c4d53535000030000001800180058000000a400a400700000000600060014010000060006001a0100000400 \
    040020010000100010002401000035828ae2000c04000000000fef8eac8934e6918e60297ae070fc24c100000000 \
    0000000000000000000000000000000000000000ee3dc900300d2f30a5baabad81dc6d110101000000000000b478 \
    2a6d917add01893c9adcfbdbf3fa000000000200040056004d000100040056004d00040000000300040076006d00 \
    07000800b4782a6d917add010a001000421782df33f5f2439ded6119a3fdbc680900280048005400540050002f00 \
    7700650062002e006c00610062002e006500780061006d0070006c00650006000400020000000000000000000000 \
    4c00410042006a006f00730056004d00e88d947a6b6c3d1add655f4332d03798";

pub(in crate::mechanism) const PLAIN_CHALLENGE: &str = "\
    4e544c4d5353500002000000040004003800000035828ae2208ab1d250a8145c00000000000000002c002c003c00 \
    0000060100000000000f56004d000200040056004d000100040056004d00040000000300040076006d0007000800 \
    eccc2f6d917add0100000000";

pub(in crate::mechanism) const PLAIN_AUTHENTICATE: &str = "\
    4e544c4d53535000030000001800180058000000900090007000000006000600000100000c000c00060100000400 \
    040012010000100010001601000035828ae2000c04000000000f124aff930528d58c2889cae8d858ffcb00000000 \
    0000000000000000000000000000000000000000e2304bc546512f531f178e15c9f735ee0101000000000000eccc \
    2f6d917add01890c3bc7a10e6726000000000200040056004d000100040056004d00040000000300040076006d00 \
    07000800eccc2f6d917add010900280048005400540050002f007700650062002e006c00610062002e0065007800 \
    61006d0070006c006500060004000200000000000000000000004c00410042006a00fc007200670065006e005600 \
    4d00553ab7046c0955bdd5bbd671d5e09415";

/// The first message of curl: 32 bytes, without a version.
pub(in crate::mechanism) const CURL_NEGOTIATE: &str =
    "4e544c4d53535000010000000682080000000000000000000000000000000000";

pub(in crate::mechanism) const OUR_OEM_CHALLENGE: &str = "\
    4e544c4d53535000020000000300030038000000068289000123456789abcdef0000000000000000600060003b00 \
    000000000000000000004c4142020006004c004100420001000600570045004200040016006c00610062002e0065 \
    00780061006d0070006c00650003001e007700650062002e006c00610062002e006500780061006d0070006c0065 \
    0007000800b4782a6d917add0100000000";

pub(in crate::mechanism) const CURL_AUTHENTICATE: &str = "\
    4e544c4d53535000030000001800180040000000900090005800000003000300e800000003000300eb0000000b00 \
    0b00ee00000000000000000000000682890019b974e9e058c796f20fa15df3cc896c5139630f2d01b0e51f14680a \
    c4549ae35effce82d40046b1010100000000000080155919947add015139630f2d01b0e500000000020006004c00 \
    4100420001000600570045004200040016006c00610062002e006500780061006d0070006c00650003001e007700 \
    650062002e006c00610062002e006500780061006d0070006c00650007000800b4782a6d917add01000000000000 \
    00004c41426a6f73574f524b53544154494f4e";

/// The first message of Samba: 40 bytes.
pub(in crate::mechanism) const SAMBA_NEGOTIATE: &str = "\
    4e544c4d53535000010000001582086200000000280000000000000028000000060100000000000f";

pub(in crate::mechanism) const OUR_CHALLENGE: &str = "\
    4e544c4d53535000020000000600060038000000158289620123456789abcdef0000000000000000600060003e00 \
    0000060100000000000f4c0041004200020006004c004100420001000600570045004200040016006c0061006200 \
    2e006500780061006d0070006c00650003001e007700650062002e006c00610062002e006500780061006d007000 \
    6c00650007000800b4782a6d917add0100000000";

pub(in crate::mechanism) const SAMBA_AUTHENTICATE: &str = "\
    4e544c4d53535000030000001800180058000000dc00dc0070000000060006004c01000006000600520100000000 \
    000058010000100010005801000015820862060100000000000f9c2d4ac9443be91c915553a1172bf67300000000 \
    0000000000000000000000000000000000000000f52a9a4241e1ce99dc2c349a7d168aa10101000000000000b478 \
    2a6d917add0144a5e897334ddff200000000020006004c004100420001000600570045004200040016006c006100 \
    62002e006500780061006d0070006c00650003001e007700650062002e006c00610062002e006500780061006d00 \
    70006c00650007000800b4782a6d917add0106000400020000000800300030000000000000000000000000000000 \
    49a433476739fc7779a2f6e2d6657c747efbfbba399ed95854dfac654f748f3b0a00100000000000000000000000 \
    000000000000000000004c00410042006a006f007300a38ba751e01b8ef977310f90fd091ca3";

/// The example of MS-NLMP 4.2.4.3.
pub(in crate::mechanism) const DOCUMENTED_AUTHENTICATE: &str = "\
    4e544c4d5353500003000000180018006c00000054005400840000000c000c004800000008000800540000001000 \
    10005c00000010001000d8000000358288e20501280a0000000f44006f006d00610069006e005500730065007200 \
    43004f004d005000550054004500520086c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab851e5 \
    1c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f00 \
    6d00610069006e0001000c005300650072007600650072000000000000000000c5dad2544fc9799094ce1ce90bc9 \
    d03e";
