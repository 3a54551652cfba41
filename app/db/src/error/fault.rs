//! Temporary faults of the database: full disks, lost connections, locks. The same change can succeed later.

use crate::error::{Fault, Storage};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// Returns the temporary fault behind an error. None if the statement caused it.
pub(crate) fn fault_of(error: &DbErr) -> Option<Fault> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => of_driver(error),
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => Some(Fault::Unreachable),
        _ => None,
    }
}

fn of_driver(error: &SqlxError) -> Option<Fault> {
    match error {
        SqlxError::Database(error) => {
            let code = error.code()?;
            // PostgreSQL codes have five characters; SQLite codes are numbers of at most four digits.
            if code.len() == 5 { of_state(&code) } else { of_result(code.parse().ok()?) }
        }
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed
        | SqlxError::Protocol(_) => Some(Fault::Unreachable),
        // The transaction of an earlier request was still open. The pool closes such a connection.
        SqlxError::BeginFailed | SqlxError::InvalidSavePointStatement => Some(Fault::Busy),
        _ => None,
    }
}

/// Maps an `SQLSTATE` of PostgreSQL.
fn of_state(code: &str) -> Option<Fault> {
    match code {
        // disk_full
        "53100" => Some(Fault::DiskFull(Storage::Database)),
        // read_only_sql_transaction
        "25006" => Some(Fault::Unwritable(Storage::Database)),
        // serialization_failure, deadlock_detected, lock_not_available, query_canceled
        "40001" | "40P01" | "55P03" | "57014" => Some(Fault::Busy),
        // Other kinds of insufficient_resources: memory, connections.
        _ if code.starts_with("53") => Some(Fault::Busy),
        // connection_exception, operator_intervention (the server is starting or shutting down), system_error
        _ if code.starts_with("08") || code.starts_with("57P") || code.starts_with("58") => {
            Some(Fault::Unreachable)
        }
        _ => None,
    }
}

/// Maps an extended result code of SQLite.
fn of_result(code: i32) -> Option<Fault> {
    /// `SQLITE_IOERR_SHMSIZE`: the shared memory beside the file cannot grow.
    const SHARED_MEMORY: i32 = 4_874;
    match (code, code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL
        (_, 5 | 6 | 15) => Some(Fault::Busy),
        // SQLITE_FULL
        (SHARED_MEMORY, _) | (_, 13) => Some(Fault::DiskFull(Storage::Database)),
        // SQLITE_READONLY, SQLITE_IOERR, SQLITE_PERM
        (_, 8 | 10 | 3) => Some(Fault::Unwritable(Storage::Database)),
        // SQLITE_CANTOPEN
        (_, 14) => Some(Fault::Unreachable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_their_fault() {
        let full = Some(Fault::DiskFull(Storage::Database));
        for (code, fault) in [
            ("53100", full),
            ("53300", Some(Fault::Busy)),
            ("40P01", Some(Fault::Busy)),
            ("57014", Some(Fault::Busy)),
            ("57P01", Some(Fault::Unreachable)),
            ("08006", Some(Fault::Unreachable)),
            ("25006", Some(Fault::Unwritable(Storage::Database))),
            ("23505", None),
            ("42P01", None),
        ] {
            assert_eq!(of_state(code), fault, "{code}");
        }
        for (code, fault) in [
            (5, Some(Fault::Busy)),
            (517, Some(Fault::Busy)),
            (13, full),
            (4_874, full),
            (778, Some(Fault::Unwritable(Storage::Database))),
            (1_032, Some(Fault::Unwritable(Storage::Database))),
            (14, Some(Fault::Unreachable)),
            (787, None),
            (1, None),
        ] {
            assert_eq!(of_result(code), fault, "{code}");
        }
    }
}
