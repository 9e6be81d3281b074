//! Tables for people.

use std::fmt::Write as _;

/// Rows under a heading, in columns. Columns in which nothing stands are left out.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().filter(|width| *width > 0).map(|width| width.max(heading[column].len()))
    };
    let widths: Vec<(usize, usize)> =
        (0..N).filter_map(|column| Some((column, widest(column)?))).collect();
    let mut text = String::new();
    let heading = heading.map(str::to_owned);
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for (column, width) in &widths {
            // Writing into a String cannot fail.
            let _ = write!(line, "{:<width$}  ", or_dash(&row[*column]));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names and values, one a line. Those without value are left out.
pub(super) fn lines(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().filter(|(_, value)| !value.is_empty());
    let width = rows.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<width$}  {value}");
        text
    })
}

/// A text of somebody else's, which must not command the terminal.
pub(super) fn shown(text: &str) -> String {
    let plain = |character: char| match character {
        _ if character.is_control() => character.escape_default().to_string(),
        _ => character.to_string(),
    };
    text.chars().map(plain).collect()
}

fn or_dash(cell: &str) -> &str {
    if cell.is_empty() { "-" } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let rows =
            [["john", "", ""], ["jürgen", "", "192.0.2.1"]].map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["USER", "COMPANY", "CLIENT"], &rows),
            "USER    CLIENT\njohn    -\njürgen  192.0.2.1\n"
        );
        let pairs = [("user", "john".to_owned()), ("company", String::new())];
        assert_eq!(lines(&pairs), "user  john\n");
    }

    #[test]
    fn a_name_does_not_command_the_terminal() {
        assert_eq!(shown("jo\u{1b}[2Jhn\u{9b}ü"), "jo\\u{1b}[2Jhn\\u{9b}ü");
    }
}
