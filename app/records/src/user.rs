//! Users: search, record, changes.
