//! The file of the ledger: locked as long as it is open, read line by line, only ever added to.

use super::entry::{Entry, FORMAT, Flaw, Header, Place};
use crate::error::RecordsError;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

/// The open file. Nobody else has it open as long as this lives, in this process or another.
pub(super) struct LedgerFile {
    file: File,
}

impl LedgerFile {
    /// Opens the file, when nobody else has it open any more. None where there is no file.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => {
                file.lock()?;
                Ok(Some(Self { file }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// [`LedgerFile::open`], and makes an empty file, for the owner of the process alone, where there is none.
    pub(super) fn open_or_create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let file = options.open(path)?;
        file.lock()?;
        // The name of the file is durable too.
        File::open(folder)?.sync_all()?;
        Ok(Self { file })
    }

    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// Reads from the first line on.
    pub(super) fn read(&mut self) -> Result<(Header, Lines<BufReader<&File>>), Damage> {
        self.file.seek(SeekFrom::Start(0))?;
        read(BufReader::new(&self.file))
    }

    /// Reads the lines that follow a place.
    pub(super) fn read_from(
        &mut self,
        position: u64,
        place: Place,
    ) -> Result<Lines<BufReader<&File>>, Damage> {
        if self.file.metadata()?.len() < position {
            return Err(Damage::Shorter);
        }
        self.file.seek(SeekFrom::Start(position))?;
        Ok(Lines { reader: BufReader::new(&self.file), position, place, torn: false })
    }

    /// Writes after the last whole line, which ends at `position`; what stands there without a line break was never
    /// finished, and goes. With `durable` it is on the disk when this returns, and so is all that was written before.
    pub(super) fn append(&mut self, position: u64, text: &str, durable: bool) -> io::Result<()> {
        if self.file.metadata()?.len() > position {
            self.file.set_len(position)?;
        }
        self.file.seek(SeekFrom::Start(position))?;
        self.file.write_all(text.as_bytes())?;
        if durable { self.file.sync_data() } else { Ok(()) }
    }

    /// Writes the first line of a new ledger, in the place of all that stands in the file.
    pub(super) fn start(&mut self, line: &str) -> io::Result<()> {
        self.append(0, line, true)
    }

    /// Copies the file to another one that does not exist yet.
    pub(super) fn copy_to(&mut self, path: &Path) -> io::Result<()> {
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

/// Reads the file from the first line on, also while somebody else has it open.
pub(super) fn read_unlocked(path: &Path) -> Result<(Header, Lines<BufReader<File>>), Damage> {
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
    let lines = Lines { reader, position: length as u64, place: header.begins(), torn: false };
    Ok((header, lines))
}

/// Waits until all that was written into the file is on the disk.
pub(super) fn make_durable(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()
}

/// The lines of the file from some place on, each checked against the chain.
pub(super) struct Lines<R> {
    reader: R,
    /// Where the last line that was read ends, in bytes.
    pub(super) position: u64,
    /// The place after it.
    pub(super) place: Place,
    /// Whether something without a line break follows: a line that was never finished.
    pub(super) torn: bool,
}

impl<R: BufRead> Lines<R> {
    /// The next entry and the place after it. None at the end, and before a line that was never finished.
    pub(super) fn next(&mut self) -> Result<Option<(Entry, Place)>, Damage> {
        let mut line = Vec::new();
        let length = self.reader.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            self.torn = length > 0;
            return Ok(None);
        }
        let (entry, place) = Entry::read(&self.place, line)
            .map_err(|flaw| Damage::Entry { sequence: self.place.sequence + 1, flaw })?;
        self.position += length as u64;
        self.place = place.clone();
        Ok(Some((entry, place)))
    }
}

/// Why the file cannot be followed.
#[derive(Debug)]
pub(super) enum Damage {
    /// The disk.
    Io(io::Error),
    /// The first line.
    Header,
    /// The first line names another form.
    Format,
    /// It is shorter than it was.
    Shorter,
    /// An entry.
    Entry { sequence: i64, flaw: Flaw },
    /// An entry that does not go with the one before: it is settled twice, or never was.
    Unsettled { sequence: i64 },
    /// A policy that this version cannot read.
    Policy { sequence: i64 },
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Damage {
    /// What is wrong, as the second half of a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Io(error) => format!("the file cannot be read: {}", error.kind()),
            Self::Header => "its first line cannot be read".to_owned(),
            Self::Format => "it was written by another version of Lethe".to_owned(),
            Self::Shorter => "it is shorter than it was".to_owned(),
            Self::Entry { sequence, flaw: Flaw::Unreadable } => format!("entry {sequence} cannot be read"),
            Self::Entry { sequence, flaw: Flaw::Chain } => {
                format!("entry {sequence} or something before it was changed: its checksum does not fit")
            }
            Self::Entry { sequence, flaw: Flaw::Order } => format!("entry {sequence} is missing"),
            Self::Unsettled { sequence } => format!("entry {sequence} does not go with those before it"),
            Self::Policy { sequence } => format!("the policy of entry {sequence} cannot be read"),
        }
    }
}

impl From<Damage> for RecordsError {
    fn from(damage: Damage) -> Self {
        match damage {
            // The file may be whole: nobody is to start over because of a right or a disk.
            Damage::Io(error) => Self::Ledger(super::standing::unusable(&error)),
            damage => Self::Ledger(super::standing::damaged(&damage.words())),
        }
    }
}
