//! The ways in which programs read the same path.

use unicode_normalization::UnicodeNormalization;

use crate::wire::Reason;

/// The path as different programs read it: percent-decoded once, twice and so on
/// (proxies chained), compatible characters as their plain ones, backslashes as
/// slashes, without what some programs pass over (see [`variants`]), each as it is
/// and with empty and dot segments resolved.
///
/// # Errors
/// [`Reason::AmbiguousPath`]: there is no end to its readings. [`Reason::OddPath`]: it
/// hides a control character.
pub(in crate::front) fn readings(path: &str) -> Result<Vec<String>, Reason> {
    let mut readings = Vec::new();
    let mut form = path.to_owned();
    for _ in 0..LAYERS {
        if form.contains(char::is_control) {
            return Err(Reason::OddPath);
        }
        if holds_unicode_escape(&form) {
            return Err(Reason::AmbiguousPath);
        }
        let next = decode(&form);
        let is_last = next == form;
        for form in variants(form) {
            readings.push(resolve(&form));
            readings.push(form);
        }
        if is_last {
            readings.sort_unstable();
            readings.dedup();
            return Ok(readings);
        }
        form = next;
    }
    Err(Reason::AmbiguousPath)
}

/// One form of a path, and the same without what some programs pass over or cut off.
fn variants(form: String) -> Vec<String> {
    let plain: String = form.nfkc().filter(|character| !is_ignorable(*character)).collect();
    let slashes = plain.replace('\\', "/");
    let whole = without_stray_percents(&slashes);
    let bare = each_segment(&whole, |segment| segment.split(';').next().unwrap_or(segment));
    let trimmed = [&whole, &bare].map(|form| each_segment(form, trim));
    // A library for URLs takes what follows two slashes for a host.
    let behind_host =
        slashes.strip_prefix("//").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    let behind_host = behind_host.map(|path| each_segment(path, trim));
    // Where ASP.NET keeps a session in the path: `/(S(…))/admin`.
    let unmarked = without_sessions(&bare).map(|path| each_segment(&path, trim));
    let mut variants = vec![form, plain, slashes, whole, bare];
    variants.extend(trimmed);
    variants.extend(behind_host);
    variants.extend(unmarked);
    variants
}

/// Characters that show nothing, which some file systems pass over in names.
const fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Without each `%` that begins no escape: some decoders drop it.
fn without_stray_percents(path: &str) -> String {
    let bytes = path.as_bytes();
    let is_escape = |at: usize| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    path.char_indices()
        .filter(|(at, character)| *character != '%' || is_escape(*at))
        .map(|(_, character)| character)
        .collect()
}

fn without_sessions(path: &str) -> Option<String> {
    let is_session = |segment: &&str| {
        let bytes = segment.as_bytes();
        segment.ends_with("))")
            && matches!(bytes, [b'(', letter, b'(', ..] if letter.is_ascii_alphabetic())
    };
    path.split('/').any(|segment| is_session(&segment)).then(|| {
        path.split('/').filter(|segment| !is_session(segment)).collect::<Vec<_>>().join("/")
    })
}

/// `%uXXXX`, which was never part of URLs, and which some servers decode.
fn holds_unicode_escape(path: &str) -> bool {
    path.as_bytes().windows(6).any(|part| {
        part.starts_with(b"%")
            && part[1].eq_ignore_ascii_case(&b'u')
            && part[2..].iter().all(u8::is_ascii_hexdigit)
    })
}

fn each_segment<'a>(path: &'a str, read: impl Fn(&'a str) -> &'a str) -> String {
    path.split('/').map(read).collect::<Vec<_>>().join("/")
}

/// A name as file systems of Windows read it, where dots and blanks at its end and
/// the name of a stream (`::$DATA`) do not count; `.` and `..` are no names. In a form,
/// `+` is a blank.
fn trim(segment: &str) -> &str {
    let name = segment.split_once(':').filter(|(_, stream)| stream.contains('$'));
    match name.map_or(segment, |(name, _)| name).trim_matches([' ', '+']) {
        dots @ ("." | "..") => dots,
        name => name.trim_end_matches(['.', ' ', '+']),
    }
}

/// A path as programs compare it that know no case; that of a Turkish capital `I` is
/// one of two.
pub(in crate::front) fn fold(path: &str) -> String {
    path.replace('\u{130}', "i").to_uppercase().to_lowercase()
}

fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&shortest(decoded)).into_owned()
}

/// Characters of ASCII that are spelt in two bytes or more, which UTF-8 forbids and old
/// decoders read (RFC 3629 section 10), as themselves.
fn shortest(bytes: Vec<u8>) -> Vec<u8> {
    let mut short = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some((first, more)) = rest.split_first() {
        let (byte, length) = overlong(rest).unwrap_or((*first, 1));
        short.push(byte);
        rest = more.get(length - 1..).unwrap_or_default();
    }
    short
}

/// The character of ASCII that these bytes begin with in too long a form, and its length.
fn overlong(bytes: &[u8]) -> Option<(u8, usize)> {
    let (first, length) = match *bytes.first()? {
        first @ 0xc0..=0xc1 => (first & 0x1f, 2),
        0xe0 => (0, 3),
        0xf0 => (0, 4),
        0xf8 => (0, 5),
        0xfc => (0, 6),
        _ => return None,
    };
    let mut value = u32::from(first);
    for byte in bytes.get(1..length)? {
        // Some decoders look at the lower bits of the second byte only.
        let continues = matches!(byte, 0x80..=0xbf) || (length == 2 && matches!(byte, b'.' | b'/'));
        if !continues {
            return None;
        }
        value = value << 6 | u32::from(byte & 0x3f);
    }
    u8::try_from(value).ok().filter(u8::is_ascii).map(|byte| (byte, length))
}

fn resolve(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Layers of percent-encoding that are taken off; nobody needs as many.
pub(in crate::front) const LAYERS: usize = 8;
