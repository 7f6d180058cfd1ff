//! Files on a shared disk: nothing half written, no other file lost.
//!
//! Comes in: paths, bytes. Goes out: files that are whole, folders that one process at a time writes.
//! Fails with [`std::io::Error`], or as each file of this folder documents. Native only.

pub mod export_mark;
pub mod lock;
pub mod medical_file;
pub mod overlay_mark;
pub mod own_files;
pub mod path_text;
pub mod picture_file;
pub mod run_window;
pub mod unfinished;
pub mod whole;

pub use lock::{LockError, PathLock};
pub use run_window::{RunWindow, grey_spread};
pub use unfinished::Unfinished;
pub use whole::{WholeFile, write_whole};
