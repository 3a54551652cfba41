//! The imported files, in Lethe's own format.

use crate::Sizes;
use crate::child::Part;
use chrono::{Days, NaiveDate};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with both files.
pub struct Files(TempDir);

impl Files {
    /// Writes the files.
    pub fn write(sizes: Sizes) -> anyhow::Result<Self> {
        let files = Self(tempfile::Builder::new().prefix("lethe-bench.").tempdir()?);
        users(&files.path(Part::Users), sizes.users)?;
        loans(&files.path(Part::Loans), sizes)?;
        Ok(files)
    }

    /// Returns the path of a file.
    pub fn path(&self, part: Part) -> PathBuf {
        self.0.path().join(part.label()).with_extension("csv")
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

fn day(days: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2018, 1, 1).unwrap_or_default() + Days::new(days)
}

fn users(path: &Path, count: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "external_id,user_id,barcode,last_name,first_name,email,phone,street,postcode,city,country,category,\
         department,branch,birth_date,gender,language,notes,leaving_on,created_on"
    )?;
    for n in 1..=count {
        let category = if n.is_multiple_of(5) { "staff" } else { "student" };
        let notes = if n.is_multiple_of(10) { "Asked for a quiet place, phone first" } else { "" };
        writeln!(
            file,
            "HR-{n},u{},B{},Lastname{},Firstname{},person.{n}@students.example.org,{},{} Long Lane,SW{}A {}AB,\
             Town {},GB,{category},D{},branch {},{},f,en,\"{notes}\",{},{}",
            1_000_000 + n * 7,
            20_000_000 + n,
            n * 104_729 % 29_989,
            n * 7_919 % 997,
            7_946_000_000 + n,
            n % 200,
            n % 20 + 1,
            n % 9 + 1,
            n % 50,
            n % 40,
            n % 6,
            day(0) - Days::new(n % 15_000 + 6_000),
            day(n % 1_500),
            day(0) - Days::new(n % 900),
        )?;
    }
    Ok(file.flush()?)
}

/// Writes loans in the order of their days, with the loans of one user far apart.
fn loans(path: &Path, sizes: Sizes) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "external_id,item_barcode,title,branch,category,department,issued_on,due_on,returned_on,renewals,note"
    )?;
    let items = (sizes.loans / 20).max(1);
    for n in 1..=sizes.loans {
        let issued = n / 1_000 % 1_400;
        let returned = if n.is_multiple_of(50) { String::new() } else { day(issued + 14).to_string() };
        let note = if n.is_multiple_of(11) { "Wants a call" } else { "" };
        // The shift keeps a user from borrowing an item twice on one day.
        let item = (n + n / sizes.users * 31) % items;
        writeln!(
            file,
            "HR-{},I{},A book about {},branch {},student,D{},{},{},{returned},{},{note}",
            n * 7_919 % sizes.users + 1,
            item,
            item,
            n % 6,
            n % 40,
            day(issued),
            day(issued + 28),
            n % 3,
        )?;
    }
    Ok(file.flush()?)
}
