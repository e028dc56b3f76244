//! A disk in memory that keeps apart what was written and what was synced, fails the call that a
//! test names, and crashes. After a failed sync the unsynced bytes are never written by a later
//! one, as with a real page cache. Free space is what the test says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use atalaya::journal::{Disk, DiskFile};

/// What becomes of unsynced bytes and names at a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// All is lost.
    Lost,
    /// All had reached the disk by chance.
    Kept,
    /// As lost, but names and the first half of each file's last write had reached the disk.
    Torn,
    /// The lengths and names had, the bytes are zeros.
    Zeroed,
}

/// How the named call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails and does nothing.
    Fails,
    /// A write leaves the first half of its bytes; any other call does its work. Then it fails.
    FailsLate,
    /// It and every call after it fail: the process is as good as gone.
    Dies,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default, Clone)]
struct Bytes {
    /// What a reader sees.
    seen: Vec<u8>,
    synced: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Bytes>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    free: u64,
}

/// Shared by its clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    index: usize,
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, data) => {
            if bytes.len() < at + data.len() {
                bytes.resize(at + data.len(), 0);
            }
            bytes[*at..at + data.len()].copy_from_slice(data);
        }
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

impl FaultDisk {
    pub(crate) fn new() -> Self {
        let disk = Self::default();
        disk.state().free = u64::MAX;
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// How many changing calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The call with this number, from 0, fails.
    pub(crate) fn fail_at(&self, call: u64, fault: Fault) {
        self.state().fault = Some((call, fault));
    }

    pub(crate) fn set_free(&self, free: u64) {
        self.state().free = free;
    }

    /// The names of the files that are there.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[path]].seen.clone()
    }

    /// Replaces a file's bytes durably, as damage does.
    pub(crate) fn set_bytes(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        let next = state.files.len();
        let index = *state.names.entry(path.to_path_buf()).or_insert(next);
        if index == next {
            state.files.push(Bytes::default());
        }
        let names = state.names.clone();
        state.synced_names = names;
        let file = &mut state.files[index];
        (file.seen, file.synced) = (bytes.to_vec(), bytes.to_vec());
        file.pending.clear();
    }

    /// The disk as the next start finds it after a crash now; no fault is set on it.
    pub(crate) fn crashed(&self, unsynced: Unsynced) -> Self {
        let state = self.state();
        let names = match unsynced {
            Unsynced::Lost => state.synced_names.clone(),
            Unsynced::Kept | Unsynced::Torn | Unsynced::Zeroed => state.names.clone(),
        };
        let files = state.files.iter().map(|file| {
            let mut bytes = file.synced.clone();
            match unsynced {
                Unsynced::Lost => {}
                Unsynced::Kept => file.pending.iter().for_each(|change| apply(&mut bytes, change)),
                Unsynced::Torn => {
                    if let Some(Change::Write(at, data)) = file.pending.last() {
                        apply(&mut bytes, &Change::Write(*at, data[..data.len() / 2].to_vec()));
                    }
                }
                Unsynced::Zeroed => {
                    for change in &file.pending {
                        match change {
                            Change::Write(at, data) => {
                                apply(&mut bytes, &Change::Write(*at, vec![0; data.len()]));
                            }
                            Change::Length(_) => apply(&mut bytes, change),
                        }
                    }
                }
            }
            Bytes { seen: bytes.clone(), synced: bytes, pending: Vec::new() }
        });
        let files = files.collect();
        let (free, synced_names) = (state.free, names.clone());
        let state = State { files, names, synced_names, free, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Counts a changing call, and says how it fails, if it does.
    fn call(&self) -> Option<Fault> {
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        match state.fault {
            Some((at, Fault::Dies)) if at <= call => Some(Fault::Dies),
            Some((at, fault)) if at == call => Some(fault),
            _ => None,
        }
    }

    /// Does the work unless it fails at once, and fails if it is to.
    fn run<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        match self.call() {
            None => work(&mut self.state()),
            Some(Fault::FailsLate) => work(&mut self.state()).and(Err(fault())),
            Some(Fault::Fails | Fault::Dies) => Err(fault()),
        }
    }

    fn handle(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let index = self.state().names.get(path).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(FaultFile { disk: self.clone(), index }))
    }
}

fn fault() -> io::Error {
    io::Error::other("a fault that the test asked for")
}

impl Disk for FaultDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.run(|state| {
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.names.insert(path.to_path_buf(), state.files.len());
            state.files.push(Bytes::default());
            Ok(())
        })?;
        self.handle(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.handle(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.handle(path)
    }

    fn create_folder(&self, _path: &Path) -> io::Result<()> {
        self.run(|_| Ok(()))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(|state| {
            let index = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.to_path_buf(), index);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.run(|state| state.names.remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into()))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.run(|state| {
            let inside = |path: &Path| path.parent() == Some(folder);
            state.synced_names.retain(|path, _| !inside(path));
            let synced: Vec<_> = state.names.iter().filter(|(path, _)| inside(path)).collect();
            let synced: Vec<_> = synced.into_iter().map(|(path, at)| (path.clone(), *at)).collect();
            state.synced_names.extend(synced);
            Ok(())
        })
    }

    fn free_space(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.state().free)
    }
}

impl DiskFile for FaultFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let bytes = &state.files[self.index].seen;
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let size = into.len().min(bytes.len() - from);
        into[..size].copy_from_slice(&bytes[from..from + size]);
        Ok(size)
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let outcome = self.disk.call();
        let size = match outcome {
            None => bytes.len(),
            Some(Fault::FailsLate) => bytes.len() / 2,
            Some(Fault::Fails | Fault::Dies) => return Err(fault()),
        };
        let change = Change::Write(usize::try_from(offset).unwrap(), bytes[..size].to_vec());
        let mut state = self.disk.state();
        let file = &mut state.files[self.index];
        apply(&mut file.seen, &change);
        file.pending.push(change);
        outcome.map_or(Ok(()), |_| Err(fault()))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let outcome = self.disk.call();
        if outcome == Some(Fault::Dies) {
            return Err(fault());
        }
        let mut state = self.disk.state();
        let file = &mut state.files[self.index];
        let pending = std::mem::take(&mut file.pending);
        if outcome != Some(Fault::Fails) {
            for change in &pending {
                apply(&mut file.synced, change);
            }
        }
        outcome.map_or(Ok(()), |_| Err(fault()))
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let index = self.index;
        self.disk.run(|state| {
            let change = Change::Length(usize::try_from(len).unwrap());
            apply(&mut state.files[index].seen, &change);
            state.files[index].pending.push(change);
            Ok(())
        })
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.index].seen.len() as u64)
    }
}
