//! Locations in files, which findings point to.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;

/// A JSON pointer (RFC 6901) to a value in a document, such as `/volumes/EPHEMERAL/size`. The pointer to the root is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Creates a pointer from its written form, such as `/disks`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pointer to the value of `key` in the mapping at this pointer. The key is escaped.
    pub fn child(&self, key: impl AsRef<str>) -> Self {
        let key = key.as_ref();
        if key.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
            return Self([&self.0, "/", &key.replace('~', "~0").replace('/', "~1")].concat());
        }
        Self([&self.0, "/", key].concat())
    }

    /// The pointer to the item at `index` in the list at this pointer.
    pub fn item(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// Appends `inner`, which is relative to the value at this pointer.
    pub fn join(&self, inner: &Self) -> Self {
        Self([&*self.0, &*inner.0].concat())
    }

    /// The pointer to the list or mapping that contains the value; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|at| Self(self.0[..at].to_owned()))
    }

    /// The keys and indexes from the root, unescaped.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = String> + '_ {
        let path = self.0.strip_prefix('/');
        path.into_iter().flat_map(|path| path.split('/')).map(|segment| match segment.contains('~') {
            true => segment.replace("~1", "/").replace("~0", "~"),
            false => segment.to_owned(),
        })
    }

    /// The last key or index, unescaped; `None` for the root.
    pub fn last(&self) -> Option<String> {
        self.segments().next_back()
    }

    /// The written form.
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

/// A file that findings point into: a user's file, a template or an artifact.
#[derive(Debug, Clone)]
pub struct Source {
    /// Relative to the repository's root.
    pub path: Utf8PathBuf,
    /// The whole content.
    pub text: Arc<str>,
}

/// The index of a source in its [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// All sources of a run.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a source, and returns its ID.
    ///
    /// # Panics
    /// With 2^32 sources or more.
    pub fn add(&mut self, path: impl Into<Utf8PathBuf>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.0.len()).expect("fewer than 2^32 sources"));
        self.0.push(Source { path: path.into(), text: text.into() });
        id
    }

    /// Replaces the text of a source: by an empty one to save memory, or by the text as it is read again.
    pub fn set_text(&mut self, id: SourceId, text: impl Into<Arc<str>>) {
        self.0[id.0 as usize].text = text.into();
    }

    pub fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }
}

/// A position in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// The whole file: no line is shown.
    File,
    /// A range of bytes.
    Bytes(Range32),
    Key(Pointer),
    Value(Pointer),
    /// A range of bytes in the content of the scalar at a pointer, counted without quotes and escapes.
    Part(Pointer, Range32),
}

/// A range of bytes in a source. Sources are at most 4 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range32 {
    /// The offset of the first byte.
    pub start: u32,
    /// The offset after the last byte.
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

/// A source and a position in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub source: SourceId,
    /// The position in the file.
    pub anchor: Anchor,
}

impl Location {
    /// The whole file.
    pub const fn file(source: SourceId) -> Self {
        Self { source, anchor: Anchor::File }
    }

    pub fn bytes(source: SourceId, range: Range<usize>) -> Self {
        Self { source, anchor: Anchor::Bytes(range.into()) }
    }

    pub const fn key(source: SourceId, pointer: Pointer) -> Self {
        Self { source, anchor: Anchor::Key(pointer) }
    }

    pub const fn value(source: SourceId, pointer: Pointer) -> Self {
        Self { source, anchor: Anchor::Value(pointer) }
    }

    /// Narrows the location of a value to a range of bytes in its content. Other locations are returned unchanged.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        match self.anchor {
            Anchor::Value(pointer) => Self { anchor: Anchor::Part(pointer, range.into()), ..self },
            _ => self,
        }
    }

    /// Changes the location of a value to that of its key. Other locations are returned unchanged.
    pub fn as_key(&self) -> Self {
        match &self.anchor {
            Anchor::Value(pointer) => Self::key(self.source, pointer.clone()),
            _ => self.clone(),
        }
    }
}
