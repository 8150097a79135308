//! The one unsafe place of the program: SQLite has no SQL for this switch.

use libsqlite3_sys::{SQLITE_FCNTL_PERSIST_WAL, SQLITE_OK, sqlite3_file_control};
use sqlx::SqliteConnection;
use std::{ffi::c_int, ptr};

/// Tells SQLite to leave `-wal` and `-shm` in place when the last connection closes.
pub async fn keep_companions(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut handle = connection.lock_handle().await?;
    let mut on: c_int = 1;
    let database = handle.as_raw_handle().as_ptr();
    #[expect(unsafe_code, reason = "sqlite3_file_control is the only way to set PERSIST_WAL")]
    // SAFETY: the handle is open and the guard keeps sqlx's worker thread off it; a null name means the main
    // database; for this opcode the argument points to an int, which lives until the call returns.
    let status = unsafe {
        sqlite3_file_control(
            database.cast(),
            ptr::null(),
            SQLITE_FCNTL_PERSIST_WAL,
            ptr::from_mut(&mut on).cast(),
        )
    };
    if status == SQLITE_OK {
        Ok(())
    } else {
        Err(sqlx::Error::Protocol(format!("SQLite does not know PERSIST_WAL (status {status})")))
    }
}
