//! The bytes of a keytab: MIT's `doc/formats/keytab_file_format.rst`, version
//! 0x0502, all numbers big-endian.

use super::{Enctype, Entry, Keytab};
use crate::clock::Timestamp;

pub(super) enum Flaw {
    NotAKeytab(&'static str),
    Truncated(usize),
}

pub(super) fn parse(bytes: &[u8]) -> Result<Keytab, Flaw> {
    match parse_what_is_whole(bytes) {
        Ok((keytab, None)) => Ok(keytab),
        Ok((_, Some(offset))) => Err(Flaw::Truncated(offset)),
        Err(what) => Err(Flaw::NotAKeytab(what)),
    }
}

/// The entries before the first that is cut off, and where that one ends; otherwise how
/// one can tell that it is no keytab.
pub(super) fn parse_what_is_whole(bytes: &[u8]) -> Result<(Keytab, Option<usize>), &'static str> {
    let mut file = Cursor { bytes, offset: 0 };
    match file.array() {
        Ok([5, 2]) => {}
        Ok([5, 1]) => {
            return Err("it has the old format 0x0501; export it again");
        }
        Ok(_) => return Err("it does not begin with 0x0502"),
        Err(_) => return Err("it is empty"),
    }
    let mut entries = Vec::new();
    loop {
        match next(&mut file) {
            Ok(Record::Key(entry)) => entries.push(entry),
            Ok(Record::Hole) => {}
            Ok(Record::End) => return Ok((Keytab { entries }, None)),
            Err(Flaw::Truncated(offset)) => return Ok((Keytab { entries }, Some(offset))),
            Err(Flaw::NotAKeytab(what)) => return Err(what),
        }
    }
}

enum Record {
    Key(Entry),
    /// Left by a deleted entry.
    Hole,
    End,
}

fn next(file: &mut Cursor<'_>) -> Result<Record, Flaw> {
    if file.left() == 0 {
        return Ok(Record::End);
    }
    let size = file.array().map(i32::from_be_bytes)?;
    let start = file.offset;
    let record = file.take(size.unsigned_abs() as usize)?;
    match size {
        0 => Ok(Record::End),
        ..0 => Ok(Record::Hole),
        _ => entry(record, start).map(Record::Key),
    }
}

fn entry(record: &[u8], start: usize) -> Result<Entry, Flaw> {
    let mut record = Cursor { bytes: record, offset: 0 };
    entry_at(&mut record).map_err(|flaw| match flaw {
        Flaw::Truncated(offset) => Flaw::Truncated(start + offset),
        other => other,
    })
}

fn entry_at(record: &mut Cursor<'_>) -> Result<Entry, Flaw> {
    let components = record.u16()?;
    let realm = quoted(record.counted()?, false);
    let mut names = Vec::new();
    for _ in 0..components {
        names.push(quoted(record.counted()?, true));
    }
    record.take(4)?; // name type
    let written = Timestamp::from_unix(u64::from(record.u32()?));
    let [short_kvno] = record.array()?;
    let enctype = Enctype(record.u16()?);
    record.counted()?; // the key itself
    // A version that needs more than 8 bits follows at the end.
    let long_kvno = if record.left() >= 4 { record.u32()? } else { 0 };
    Ok(Entry {
        principal: format!("{}@{realm}", names.join("/")),
        kvno: if long_kvno == 0 { u32::from(short_kvno) } else { long_kvno },
        realm,
        enctype,
        written,
    })
}

/// A component or realm as MIT displays it: `krb5_unparse_name` quotes these.
fn quoted(bytes: &[u8], component: bool) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            '\\' | '@' => text.extend(['\\', character]),
            '/' if component => text.push_str("\\/"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\0' => text.push_str("\\0"),
            other => text.push(other),
        }
    }
    text
}

struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.offset)
    }

    fn take(&mut self, wanted: usize) -> Result<&'a [u8], Flaw> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = rest.get(..wanted).ok_or(Flaw::Truncated(self.bytes.len()))?;
        self.offset += wanted;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u16(&mut self) -> Result<u16, Flaw> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Flaw> {
        self.array().map(u32::from_be_bytes)
    }

    fn counted(&mut self) -> Result<&'a [u8], Flaw> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::krb5::keytab::tests::{entry, file, hole};

    #[test]
    fn entries_are_read_as_they_stand() {
        let keytab = read(&file(&[
            entry("EXAMPLE", &["HTTP", "web.example"], 3, 18),
            entry("EXAMPLE", &["HTTP", "web.example"], 3, 23),
            entry("OTHER", &["host"], 1, 20),
        ]));
        let lines: Vec<String> = keytab.entries.iter().map(Entry::to_string).collect();
        assert_eq!(
            lines,
            [
                "HTTP/web.example@EXAMPLE kvno 3 aes256-cts-hmac-sha1-96",
                "HTTP/web.example@EXAMPLE kvno 3 arcfour-hmac",
                "host@OTHER kvno 1 aes256-cts-hmac-sha384-192",
            ]
        );
        assert_eq!(keytab.entries[0].written, Timestamp::from_unix(1_700_000_000));
    }

    #[test]
    fn deleted_entries_are_passed_over() {
        let kept = entry("EXAMPLE", &["HTTP", "web"], 2, 18);
        let keytab = read(&file(&[hole(40), kept.clone(), hole(3), kept]));
        assert_eq!(keytab.entries.len(), 2);
    }

    #[test]
    fn a_key_version_over_255_is_read_from_the_end_of_its_entry() {
        let keytab = read(&file(&[entry("EXAMPLE", &["HTTP", "web"], 65_537, 18)]));
        assert_eq!(keytab.entries[0].kvno, 65_537);
    }

    #[test]
    fn a_size_of_zero_ends_the_file() {
        let mut bytes = file(&[entry("EXAMPLE", &["HTTP", "web"], 2, 18)]);
        bytes.extend([0; 64]);
        assert_eq!(read(&bytes).entries.len(), 1);
    }

    #[test]
    fn odd_names_are_quoted_as_kerberos_quotes_them() {
        let keytab = read(&file(&[entry("EX@MPLE", &["a/b", "c\\d\n"], 2, 18)]));
        assert_eq!(keytab.entries[0].principal, "a\\/b/c\\\\d\\n@EX\\@MPLE");
    }

    #[test]
    fn a_file_cut_off_inside_an_entry_is_truncated_there() {
        let first = file(&[entry("EXAMPLE", &["HTTP", "web"], 2, 18)]);
        let whole = file(&[
            entry("EXAMPLE", &["HTTP", "web"], 2, 18),
            entry("EXAMPLE", &["HTTP", "web"], 2, 23),
        ]);
        for end in first.len() + 1..whole.len() {
            let flaw = parse(&whole[..end]).err();
            assert!(matches!(flaw, Some(Flaw::Truncated(at)) if at == end), "cut at {end}");
        }
    }

    #[test]
    fn an_entry_smaller_than_its_fields_is_truncated_at_its_own_end() {
        let mut bytes = file(&[entry("EXAMPLE", &["HTTP", "web"], 2, 18)]);
        let end = bytes.len();
        let realm_length = 2 + 4 + 2;
        bytes[realm_length] = 0xff;
        assert!(matches!(parse(&bytes), Err(Flaw::Truncated(at)) if at == end));
    }

    #[test]
    fn other_files_are_no_keytabs() {
        for bytes in [&b""[..], b"\x05", b"\x05\x01\0\0", b"-----BEGIN CERTIFICATE-----"] {
            assert!(matches!(parse(bytes), Err(Flaw::NotAKeytab(_))), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            bytes.splice(0..0, [5, 2]);
            let _ = parse(&bytes);
        }
    }

    fn read(bytes: &[u8]) -> Keytab {
        parse(bytes).unwrap_or_else(|_| panic!("a sound keytab"))
    }
}
