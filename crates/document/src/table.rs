//! Searches sorted tables. Each line is a row, whose fields are separated by one space; the first field is the key. Comments start with
//! `#` and come first.

use std::cmp::Ordering;

/// The fields of a row. `str::split` takes several times as long for fields of a few bytes.
#[derive(Debug, Clone)]
pub struct Fields<'a>(Option<&'a str>);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        match rest.bytes().position(|byte| byte == b' ') {
            Some(at) => {
                self.0 = Some(&rest[at + 1..]);
                Some(&rest[..at])
            }
            None => self.0.take(),
        }
    }
}

/// Returns the fields after the key of a row; `None` if the table has no such row.
pub fn find<'a>(table: &'a str, key: &str) -> Option<Fields<'a>> {
    let bytes = table.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = bytes[low..middle].iter().rposition(|&byte| byte == b'\n').map_or(low, |at| low + at + 1);
        let end = bytes[middle..high].iter().position(|&byte| byte == b'\n').map_or(high, |at| middle + at);
        let mut fields = Fields(Some(&table[start..end]));
        match fields.next().unwrap_or_default().cmp(key) {
            Ordering::Less => low = end + 1,
            Ordering::Equal => return Some(fields),
            Ordering::Greater => high = start,
        }
    }
    None
}

/// Returns all rows in order, without the comments.
pub fn rows(table: &str) -> impl DoubleEndedIterator<Item = Fields<'_>> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| Fields(Some(line)))
}

/// Splits a field that is a list separated by commas; `-` is the empty list.
pub fn list(field: Option<&str>) -> impl Iterator<Item = &str> {
    field.filter(|field| *field != "-").into_iter().flat_map(|field| field.split(','))
}

/// Parses a field that is a minor version, such as `1.12`.
pub fn minor(field: &str) -> Option<(u64, u64)> {
    let (major, minor) = field.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{find, list, minor, rows};

    const TABLE: &str = "# a comment\n# b\n* -\na 1 x,y\nab\nb 2 -\nc 3 z\n";

    #[test]
    fn only_rows_are_found() {
        let found = |key| find(TABLE, key).map(Iterator::collect::<Vec<_>>);
        for (key, fields) in
            [("*", vec!["-"]), ("a", vec!["1", "x,y"]), ("ab", vec![]), ("b", vec!["2", "-"]), ("c", vec!["3", "z"])]
        {
            assert_eq!(found(key), Some(fields), "{key}");
        }
        for key in ["", "0", "aa", "abc", "d", "a 1", "z", "\n", "é"] {
            assert_eq!(found(key), None, "{key}");
        }
        assert!(find("", "a").is_none());
    }

    #[test]
    fn rows_and_fields_are_split() {
        assert_eq!(
            rows(TABLE).map(|mut row| row.next()).collect::<Vec<_>>(),
            [Some("*"), Some("a"), Some("ab"), Some("b"), Some("c")]
        );
        assert_eq!(list(Some("x,y")).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(list(Some("-")).count() + list(None).count(), 0);
        assert_eq!((minor("1.12"), minor("1"), minor("v1.12"), minor("1.12.2")), (Some((1, 12)), None, None, None));
    }
}
