//! Where a file that is not TOML goes wrong. The parser names the place where it stopped; for a
//! list, a text or a section that is not closed, that is lines after the one to correct. This
//! finds the place where it begins.
//!
//! It is only used when the parser refused the file, so it never refuses anything itself.

/// What was read of a file that is not TOML.
#[derive(Debug, Default)]
pub(in crate::config) struct Outline {
    /// Where statements begin: sections and keys with their values.
    statements: Vec<usize>,
    /// The first thing that is not closed.
    pub(in crate::config) unclosed: Option<Unclosed>,
}

/// Something that begins and does not end.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::config) struct Unclosed {
    /// Where it begins.
    pub(in crate::config) offset: usize,
    /// What it is, and what to do.
    pub(in crate::config) sentence: &'static str,
}

impl Outline {
    /// Reads a file up to the first thing that is not closed.
    pub(in crate::config) fn of(text: &str) -> Self {
        let mut outline = Self::default();
        let mut scan = Scan { text: text.as_bytes(), at: 0 };
        while scan.skip_to_statement() {
            outline.statements.push(scan.at);
            if let Err(unclosed) = scan.statement() {
                outline.unclosed = Some(unclosed);
                return outline;
            }
        }
        outline
    }

    /// The number of the statement that a place belongs to: what is wrong at one place
    /// of a statement makes the rest of it unreadable.
    pub(in crate::config) fn statement(&self, offset: usize) -> usize {
        self.statements.partition_point(|begin| *begin <= offset)
    }
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

type Closed = Result<(), Unclosed>;

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        self.at += self.rest().iter().take_while(|byte| wanted(**byte)).count();
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| byte != b'\n');
    }

    /// Over blanks, empty lines and comments; `false` at the end of the file.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            self.skip_while(|byte| byte.is_ascii_whitespace());
            match self.peek() {
                None => return false,
                Some(b'#') => self.skip_line(),
                Some(_) => return true,
            }
        }
    }

    fn statement(&mut self) -> Closed {
        if self.peek() == Some(b'[') {
            self.section()?;
        } else if self.key()? {
            self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
            self.value()?;
        }
        self.skip_line();
        Ok(())
    }

    /// `[section]` or `[[section]]`, on one line.
    fn section(&mut self) -> Closed {
        let offset = self.at;
        let (wanted, sentence) = if self.rest().starts_with(b"[[") {
            (2, "the name of a section that begins here has no ]]; add them")
        } else {
            (1, "the name of a section that begins here has no ]; add it")
        };
        let mut closed = 0;
        self.at += wanted;
        while closed < wanted {
            match self.peek() {
                None | Some(b'\n' | b'#') => return Err(Unclosed { offset, sentence }),
                Some(b'"' | b'\'') => self.quoted()?,
                Some(byte) => {
                    closed += usize::from(byte == b']');
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    /// A key up to behind its `=`; `false` where there is none on the line.
    fn key(&mut self) -> Result<bool, Unclosed> {
        loop {
            match self.peek() {
                None | Some(b'\n' | b'#') => return Ok(false),
                Some(b'"' | b'\'') => self.quoted()?,
                Some(byte) => {
                    self.at += 1;
                    if byte == b'=' {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn value(&mut self) -> Closed {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted(),
            Some(b'[' | b'{') => self.nested(),
            _ => Ok(()),
        }
    }

    /// A text of one line or of several.
    fn quoted(&mut self) -> Closed {
        let offset = self.at;
        let quote = self.peek().unwrap_or(b'"');
        let long = self.rest().starts_with(&[quote; 3]);
        let border: &[u8] = if long { &[quote; 3] } else { &[quote] };
        let sentence = match (long, quote) {
            (false, _) => "the text that begins here has no quote at its end; add it",
            (true, b'"') => {
                "the text that begins here with \"\"\" has no \"\"\" at its end; add them, or write it in one line between single quotes"
            }
            (true, _) => {
                "the text that begins here with ''' has no ''' at its end; add them, or write it in one line between single quotes"
            }
        };
        self.at += border.len();
        loop {
            match self.peek() {
                None => return Err(Unclosed { offset, sentence }),
                Some(b'\n') if !long => return Err(Unclosed { offset, sentence }),
                Some(b'\\') if quote == b'"' => self.at += 2,
                Some(_) if self.rest().starts_with(border) => {
                    self.at += border.len();
                    return Ok(());
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// A list or a table in braces, with everything in it.
    fn nested(&mut self) -> Closed {
        let mut open: Vec<(u8, usize)> = Vec::new();
        loop {
            match (self.peek(), open.last().copied()) {
                (Some(byte @ (b'[' | b'{')), _) => {
                    open.push((byte, self.at));
                    self.at += 1;
                }
                (Some(b'"' | b'\''), _) => self.quoted()?,
                (Some(b'#'), _) => self.skip_line(),
                (Some(b'\n'), Some(innermost)) => {
                    self.at += 1;
                    if begins_statement(self.rest(), innermost.0) {
                        return Err(unclosed(innermost));
                    }
                }
                (Some(b']'), Some((b'[', _))) | (Some(b'}'), Some((b'{', _))) => {
                    self.at += 1;
                    open.pop();
                    if open.is_empty() {
                        return Ok(());
                    }
                }
                (None | Some(b']' | b'}'), Some(innermost)) => return Err(unclosed(innermost)),
                (Some(_), _) => self.at += 1,
                (None, None) => return Ok(()),
            }
        }
    }
}

const fn unclosed((opened_by, offset): (u8, usize)) -> Unclosed {
    let sentence = match opened_by {
        b'[' => "the list that begins here has no ]; add it after the last value",
        _ => "the table that begins here has no }; add it after the last value",
    };
    Unclosed { offset, sentence }
}

/// Whether a line inside a list or table is the next statement of the file: a section, or
/// in a list also a key. Lists in lists do not hold names.
fn begins_statement(rest: &[u8], within: u8) -> bool {
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.trim_ascii();
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. \t".contains(byte);
    let brackets = line.iter().take_while(|byte| **byte == b'[').count();
    if brackets > 0 {
        let inside = line.get(brackets..).unwrap_or_default();
        let named: Vec<u8> = inside.iter().copied().take_while(|byte| name(byte)).collect();
        return named.first().is_some_and(u8::is_ascii_alphabetic)
            && !matches!(named.trim_ascii(), b"true" | b"false" | b"inf" | b"nan")
            && !matches!(inside.get(named.len()), Some(b',' | b'"' | b'\''));
    }
    let behind = line.iter().position(|byte| !name(byte));
    within == b'[' && behind.is_some_and(|behind| behind > 0 && line.get(behind) == Some(&b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<&str> {
        Outline::of(text).unclosed.map(|unclosed| &text[unclosed.offset..])
    }

    #[test]
    fn what_is_closed_is_passed_over() {
        for text in [
            "",
            "a = 1",
            "a = [ # ]\n  \"]\", '[',\n  [1, 2], [true],\n  { b = [\"}\"] },\n]\n[b.\"c]\"]\n[[d]]\n",
            "a = \"\"\"\n[\"\\\"\"\"\"\nb = '''\n\"'''\n\"k=[\" = \"\\\\\"\n",
            "no key here\n= \n[x]",
        ] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn the_innermost_thing_that_is_open_is_found_where_it_begins() {
        for (text, expected) in [
            ("a = [\"x\"\n[b]\nc = 1", "[\"x\"\n[b]\nc = 1"),
            ("a = [\"x\",\n[b]\nc = 1", "[\"x\",\n[b]\nc = 1"),
            ("a = [\n \"x\",\n b = 1", "[\n \"x\",\n b = 1"),
            ("a = [[1]\nb.c = 1", "[[1]\nb.c = 1"),
            ("a = [1, { b = 1 ]", "{ b = 1 ]"),
            ("a = { b = \"c\"\n[[d]]", "{ b = \"c\"\n[[d]]"),
            ("a = \"x\nb = \"y\"", "\"x\nb = \"y\""),
            ("a = [\"x, \"y\"]\n", "\"]\n"),
            ("a = \"\"\"x\n[b]\nc = \"d\"", "\"\"\"x\n[b]\nc = \"d\""),
            ("[a\nb = 1", "[a\nb = 1"),
            ("x = 1\n[[a]\nb = 1", "[[a]\nb = 1"),
            ("a = [\"x\" # ]", "[\"x\" # ]"),
        ] {
            assert_eq!(place(text), Some(expected), "{text}");
        }
    }
}
