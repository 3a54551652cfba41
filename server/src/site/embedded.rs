//! The assets in the program: the folder that `LETHE_ASSETS_DIR` named during the build.

use include_dir::{Dir, DirEntry, include_dir};
use std::future::{Ready, ready};
use std::io::{self, Cursor, ErrorKind, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

static SITE: Dir<'static> = include_dir!("$LETHE_ASSETS_DIR");

/// Returns the content of a file.
pub(super) fn read(path: &str) -> io::Result<&'static [u8]> {
    SITE.get_file(path).map(include_dir::File::contents).ok_or_else(|| ErrorKind::NotFound.into())
}

/// The source of files for tower-http.
#[derive(Clone, Copy, Debug)]
pub(super) struct Embedded;

impl Backend for Embedded {
    type File = EmbeddedFile;
    type Metadata = EmbeddedMetadata;
    type OpenFuture = Ready<io::Result<EmbeddedFile>>;
    type MetadataFuture = Ready<io::Result<EmbeddedMetadata>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let file = entry(&path).and_then(|entry| entry.as_file());
        let file = file.map(|file| EmbeddedFile {
            content: Cursor::new(file.contents()),
            metadata: EmbeddedMetadata::of_file(file),
        });
        ready(file.ok_or_else(|| ErrorKind::NotFound.into()))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let metadata = entry(&path).map(|entry| match entry {
            DirEntry::Dir(_) => EmbeddedMetadata { is_folder: true, length: 0, modified: None },
            DirEntry::File(file) => EmbeddedMetadata::of_file(file),
        });
        ready(metadata.ok_or_else(|| ErrorKind::NotFound.into()))
    }
}

/// Returns the file or folder at a path as tower-http makes it: `./pkg/lethe.js`.
fn entry(path: &Path) -> Option<&'static DirEntry<'static>> {
    SITE.get_entry(path.strip_prefix(".").unwrap_or(path))
}

pub(super) struct EmbeddedFile {
    content: Cursor<&'static [u8]>,
    metadata: EmbeddedMetadata,
}

impl File for EmbeddedFile {
    type Metadata = EmbeddedMetadata;
    type MetadataFuture<'a> = Ready<io::Result<EmbeddedMetadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.metadata))
    }
}

impl AsyncRead for EmbeddedFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.content).poll_read(context, buffer)
    }
}

impl AsyncSeek for EmbeddedFile {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.content).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.content).poll_complete(context)
    }
}

#[derive(Clone, Copy)]
pub(super) struct EmbeddedMetadata {
    is_folder: bool,
    length: u64,
    modified: Option<SystemTime>,
}

impl EmbeddedMetadata {
    fn of_file(file: &include_dir::File<'_>) -> Self {
        let modified = file.metadata().map(include_dir::Metadata::modified);
        Self { is_folder: false, length: file.contents().len() as u64, modified }
    }
}

impl Metadata for EmbeddedMetadata {
    fn is_dir(&self) -> bool {
        self.is_folder
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.modified.ok_or_else(|| ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        self.length
    }
}
