//! The disk port: everything that the journal asks of files, so that tests can fail any of it.
//!
//! [`RealDisk`] is the operating system's. What is written where, and in which order, is not here.

use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// Only the server's user reads the log and its key: they hold personal data.
const FILE_MODE: u32 = 0o600;
/// Likewise a folder.
const FOLDER_MODE: u32 = 0o700;

/// Files and folders. Nothing is durable before its sync: a file's bytes after
/// [`DiskFile::sync_data`], a name's coming and going after [`Disk::sync_folder`].
pub trait Disk: Debug + Send + Sync {
    /// Makes a file that must not exist, open for reading and writing, readable by its owner only.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens for reading only, as `verify` and `backup` do beside a server.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes a folder and those above it, for their owner only; fine where it is there.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, in no order; those that are not UTF-8 are none of ours.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Puts a file in another name's place.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Bytes that may still be written on the folder's file system.
    fn free_space(&self, folder: &Path) -> io::Result<u64>;
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Reads some bytes from an offset; 0 at the end.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes at an offset. After an error any part of them may be there.
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the bytes and the length durable (`fdatasync`). After an error nothing is known,
    /// and a later success says nothing of what was written before.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Cuts or lengthens.
    fn set_len(&mut self, len: u64) -> io::Result<()>;
    /// The length in bytes.
    fn size(&self) -> io::Result<u64>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(FILE_MODE);
        Ok(Box::new(RealFile(options.open(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(File::open(path)?)))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name()));
        names.filter_map(|name| name.map(|name| name.into_string().ok()).transpose()).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn free_space(&self, folder: &Path) -> io::Result<u64> {
        let file_system = rustix::fs::statvfs(folder)?;
        Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
