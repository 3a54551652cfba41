//! The ledger file: locked while it is open, read line by line, appended to.

use super::entry::{Entry, FORMAT, Flaw, Header, LedgerPosition};
use db::RecordsError;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

/// The open file, locked against other processes and other tasks of this process.
pub(crate) struct LedgerFile {
    file: File,
}

impl LedgerFile {
    /// Waits for the lock and opens the file. Returns `None` if the file doesn't exist.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => {
                file.lock()?;
                Ok(Some(Self { file }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Like [`LedgerFile::open`], but creates a missing file, readable by its owner only.
    pub(crate) fn open_or_create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let file = options.open(path)?;
        file.lock()?;
        // Syncing the folder makes the file name durable.
        File::open(folder)?.sync_all()?;
        Ok(Self { file })
    }

    pub(crate) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// Reads from the first line.
    pub(crate) fn read(&mut self) -> Result<(Header, Lines<BufReader<&File>>), Damage> {
        self.file.seek(SeekFrom::Start(0))?;
        read(BufReader::new(&self.file))
    }

    /// Reads the lines after `position`, which ends at byte `file_offset`.
    pub(crate) fn read_from(
        &mut self,
        file_offset: u64,
        position: LedgerPosition,
    ) -> Result<Lines<BufReader<&File>>, Damage> {
        if self.file.metadata()?.len() < file_offset {
            return Err(Damage::Shorter);
        }
        self.file.seek(SeekFrom::Start(file_offset))?;
        Ok(Lines { reader: BufReader::new(&self.file), file_offset, position, torn: false })
    }

    /// Writes `text` at byte `file_offset`, the end of the last complete line, and truncates an unfinished line after
    /// it.
    ///
    /// With `durable`, this text and everything before it is on disk when the function returns.
    pub(crate) fn append(&mut self, file_offset: u64, text: &str, durable: bool) -> io::Result<()> {
        if self.file.metadata()?.len() > file_offset {
            self.file.set_len(file_offset)?;
        }
        self.file.seek(SeekFrom::Start(file_offset))?;
        self.file.write_all(text.as_bytes())?;
        if durable { self.file.sync_data() } else { Ok(()) }
    }

    /// Replaces the content of the file with the first line of a new ledger.
    pub(crate) fn start(&mut self, line: &str) -> io::Result<()> {
        self.append(0, line, true)
    }

    /// Copies the file to `path`, which must not exist.
    pub(crate) fn copy_to(&mut self, path: &Path) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut copy = options.open(path)?;
        io::copy(&mut self.file, &mut copy)?;
        copy.sync_all()
    }
}

/// Reads the file from the first line without locking it.
pub(crate) fn read_unlocked(path: &Path) -> Result<(Header, Lines<BufReader<File>>), Damage> {
    read(BufReader::new(File::open(path)?))
}

fn read<R: BufRead>(mut reader: R) -> Result<(Header, Lines<R>), Damage> {
    let mut line = Vec::new();
    let length = reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(Damage::Header);
    }
    let header: Header = serde_json::from_slice(&line).map_err(|_| Damage::Header)?;
    if header.format != FORMAT {
        return Err(Damage::Format);
    }
    let lines = Lines { reader, file_offset: length as u64, position: header.start_position(), torn: false };
    Ok((header, lines))
}

/// Flushes the file to disk.
pub(crate) fn make_durable(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()
}

/// Iterates over the lines of the file and checks each against the chain.
pub(crate) struct Lines<R> {
    reader: R,
    /// End of the last line read, in bytes.
    pub(crate) file_offset: u64,
    /// Position after that line.
    pub position: LedgerPosition,
    /// Whether an unfinished line (without a line break) follows.
    pub(crate) torn: bool,
}

impl<R: BufRead> Lines<R> {
    /// Returns the next entry and the position after it, or `None` at the end of the complete lines.
    pub(crate) fn next(&mut self) -> Result<Option<(Entry, LedgerPosition)>, Damage> {
        let mut line = Vec::new();
        let length = self.reader.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            self.torn = length > 0;
            return Ok(None);
        }
        let (entry, position) = Entry::read(&self.position, line)
            .map_err(|flaw| Damage::Entry { sequence: self.position.sequence + 1, flaw })?;
        self.file_offset += length as u64;
        self.position = position.clone();
        Ok(Some((entry, position)))
    }
}

/// Why the file can't be used.
#[derive(Debug)]
pub enum Damage {
    /// The operating system reported an error.
    Io(io::Error),
    /// The first line can't be parsed.
    Header,
    /// The first line names another format.
    Format,
    /// The file is shorter than when it was last read.
    Shorter,
    /// An entry can't be parsed or doesn't fit the chain.
    Entry { sequence: i64, flaw: Flaw },
    /// A `done` or `void` entry doesn't match the entry before, or is missing.
    InDoubt { sequence: i64 },
    /// This version can't parse the policy.
    Policy { sequence: i64 },
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Damage {
    /// Returns the second half of a sentence that says what is wrong.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Io(error) => format!("the file cannot be read: {}", error.kind()),
            Self::Header => "its first line cannot be read".to_owned(),
            Self::Format => "it was written by another version of Lethe".to_owned(),
            Self::Shorter => "it is shorter than it was".to_owned(),
            Self::Entry { sequence, flaw: Flaw::Unreadable } => format!("entry {sequence} cannot be read"),
            Self::Entry { sequence, flaw: Flaw::Chain } => {
                format!("entry {sequence} or something before it was changed: its checksum does not match")
            }
            Self::Entry { sequence, flaw: Flaw::Order } => format!("entry {sequence} is missing"),
            Self::InDoubt { sequence } => format!("entry {sequence} contradicts the entries before it"),
            Self::Policy { sequence } => format!("the policy of entry {sequence} cannot be read"),
        }
    }
}

impl From<Damage> for RecordsError {
    fn from(damage: Damage) -> Self {
        match damage {
            // The file may be intact, so the message must not suggest starting over.
            Damage::Io(error) => Self::Ledger(super::status::unusable(&error)),
            damage => Self::Ledger(super::status::damaged(&damage.label())),
        }
    }
}
