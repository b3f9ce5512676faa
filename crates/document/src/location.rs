//! Places in texts: what a finding points at.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;

/// A path to a value inside a document, as RFC 6901 writes it: `/volumes/EPHEMERAL/size`. The root is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The document itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Takes a pointer that is written out, such as `/disks`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value behind `key` of the mapping that this points at.
    #[must_use]
    pub fn child(&self, key: impl AsRef<str>) -> Self {
        let key = key.as_ref();
        if key.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
            return Self([&self.0, "/", &key.replace('~', "~0").replace('/', "~1")].concat());
        }
        Self([&self.0, "/", key].concat())
    }

    /// The item at `index` of the list that this points at.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// What `inner`, a pointer into the value that this points at, is from the root.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self([&*self.0, &*inner.0].concat())
    }

    /// The value that holds this one, and none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|at| Self(self.0[..at].to_owned()))
    }

    /// The keys from the root, unescaped.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = String> + '_ {
        let path = self.0.strip_prefix('/');
        path.into_iter().flat_map(|path| path.split('/')).map(|segment| match segment.contains('~') {
            true => segment.replace("~1", "/").replace("~0", "~"),
            false => segment.to_owned(),
        })
    }

    /// The last key, unescaped, and none for the root.
    #[must_use]
    pub fn last(&self) -> Option<String> {
        self.segments().next_back()
    }

    /// The pointer as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Pointer {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A user's file, a template or an artifact: a text that findings point into.
#[derive(Debug, Clone)]
pub struct Source {
    /// Relative to the repository's root.
    pub path: Utf8PathBuf,
    /// The whole text.
    pub text: Arc<str>,
}

/// The number of a source in its [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// All texts of a run.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Takes a text in and gives its number.
    ///
    /// # Panics
    /// Over four thousand million sources.
    pub fn add(&mut self, path: impl Into<Utf8PathBuf>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.0.len()).expect("fewer than 2^32 sources"));
        self.0.push(Source { path: path.into(), text: text.into() });
        id
    }

    /// The source behind a number that [`Sources::add`] gave.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }
}

/// A spot in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// The file as a whole: no line is shown.
    File,
    /// Bytes from the start of the text.
    Bytes(Range32),
    /// The key of the value at a pointer.
    Key(Pointer),
    /// The value at a pointer.
    Value(Pointer),
    /// Bytes of the text that the scalar at a pointer stands for, quotes and escapes aside.
    Part(Pointer, Range32),
}

/// A range of bytes in a source. Sources are at most 4 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range32 {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl From<Range<usize>> for Range32 {
    fn from(range: Range<usize>) -> Self {
        let clip = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: clip(range.start), end: clip(range.end) }
    }
}

impl From<Range32> for Range<usize> {
    fn from(range: Range32) -> Self {
        range.start as usize..range.end as usize
    }
}

/// A source and a spot in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Which text.
    pub source: SourceId,
    /// Where in it.
    pub spot: Anchor,
}

impl Location {
    /// The file as a whole.
    #[must_use]
    pub const fn file(source: SourceId) -> Self {
        Self { source, spot: Anchor::File }
    }

    /// Some bytes of a text.
    #[must_use]
    pub fn bytes(source: SourceId, range: Range<usize>) -> Self {
        Self { source, spot: Anchor::Bytes(range.into()) }
    }

    /// The key of the value at `pointer`.
    #[must_use]
    pub const fn key(source: SourceId, pointer: Pointer) -> Self {
        Self { source, spot: Anchor::Key(pointer) }
    }

    /// The value at `pointer`.
    #[must_use]
    pub const fn value(source: SourceId, pointer: Pointer) -> Self {
        Self { source, spot: Anchor::Value(pointer) }
    }

    /// Some bytes of the value's text instead of the value; other spots stay.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        match self.spot {
            Anchor::Value(pointer) => Self { spot: Anchor::Part(pointer, range.into()), ..self },
            _ => self,
        }
    }

    /// The same pointer's key instead of its value; other spots stay.
    #[must_use]
    pub fn as_key(&self) -> Self {
        match &self.spot {
            Anchor::Value(pointer) => Self::key(self.source, pointer.clone()),
            _ => self.clone(),
        }
    }
}
