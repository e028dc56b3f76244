//! Killed before each sync and each write of its log, of the folder too: while it serves, over
//! rotations; in its first start; and while it recovers from a kill. It starts again each time, all
//! that was answered is there, one entry more at most, none by half.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::copies::copy_of;
use super::script::{Name, SEGMENT, STEPS, Whole, folder, in_step, shown_by, walk};
use super::server::{ATALAYA, Server};
use super::support;

const SYNC: &str = "kill-at-fsync";
const WRITE: &str = "kill-at-write";
const RENAME: &str = "kill-at-rename";
/// Rounds that run at one time: most of a round is waiting for processes to begin and end.
const AT_ONCE: usize = 3;
/// Calls of one kind on one file after which a script must have ended by itself.
const CALLS_MAX: usize = 60;

/// One kind of call on one file of the data folder.
type Place = (&'static str, String);

fn segment(number: usize) -> String {
    format!("log/{number:020}.log")
}

/// Runs `round` for the first call of each place, the second, and so on, until one says that no
/// kill fired; gives the number of kills. Each place has its kill, or `round` tried nothing.
fn campaign(places: Vec<Place>, round: impl AsyncFn(&Place, usize) -> bool + Sync) -> usize {
    let places = Mutex::new(places);
    let kills = AtomicUsize::new(0);
    let work = || {
        actix_web::rt::System::new().block_on(async {
            loop {
                let Some(place) = places.lock().unwrap().pop() else { return };
                let mut call = 1;
                while round(&place, call).await {
                    kills.fetch_add(1, Ordering::AcqRel);
                    call += 1;
                    assert!(call < CALLS_MAX, "{place:?}: the script never ended");
                }
                assert!(call > 1, "{place:?}: no kill fired");
            }
        });
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    kills.into_inner()
}

#[actix_web::test]
async fn while_it_serves_over_rotations() {
    if !support::has("while_it_serves_over_rotations", "strace") {
        return;
    }
    let whole = Whole::played().await;
    let segments = 1..=whole.segments;
    let mut places: Vec<Place> =
        segments.flat_map(|number| [(SYNC, segment(number)), (WRITE, segment(number))]).collect();
    places.push((SYNC, "log".into()));
    let kills = campaign(places, async |place, call| serving(&whole, place, call).await);
    eprintln!("serving: {kills} kills over {} segments", whole.segments);
    // A step is a write and a sync, a rotation the same of its header, and a sync of the folder.
    assert_eq!(kills, 2 * STEPS + 3 * (whole.segments - 1));
}

/// One script that is killed at one call; says whether it was.
async fn serving(whole: &Whole, (fault, file): &Place, call: usize) -> bool {
    let dir = folder();
    let server = Server::start_with(dir.path(), &SEGMENT);
    let tracer = server.under(&format!("{fault}:{call}"), &dir.path().join(file));
    let done = AtomicUsize::new(0);
    let ended = walk(&server, &done).await;
    let answered = done.into_inner();
    let what = format!("{fault}:{call} of {file} after {answered} answers");
    assert_eq!(ended.is_ok(), answered == STEPS, "{what}");
    if ended.is_ok() {
        server.kill();
        tracer.join();
        return false;
    }
    tracer.join();
    assert!(server.ended(), "{what}: no answer, and yet no kill");
    let again = Server::start_with(dir.path(), &SEGMENT);
    if let Err(wrong) = whole.judge(&again, Some(answered)).await {
        panic!("{what}: {wrong}");
    }
    again.kill();
    true
}

#[actix_web::test]
async fn in_its_first_start() {
    if !support::has("in_its_first_start", "strace") {
        return;
    }
    let whole = Whole::played().await;
    let first = segment(1);
    let places = [
        (SYNC, ""),
        (WRITE, "lock"),
        (WRITE, "key.new"),
        (SYNC, "key.new"),
        (RENAME, "key.new"),
        (SYNC, "log"),
        (WRITE, &first),
        (SYNC, &first),
        (WRITE, "admin.token"),
        (SYNC, "admin.token"),
    ];
    let places = places.map(|(fault, file)| (fault, file.to_owned())).to_vec();
    let kills = campaign(places, async |place, call| {
        let dir = folder();
        if !starting(dir.path(), place, call, &SEGMENT) {
            return false;
        }
        let again = Server::start_with(dir.path(), &SEGMENT);
        // However early it was killed, nobody is locked out of the folder.
        again.wire().get("/api/v1/tokens").await.unwrap().good();
        if let Err(wrong) = whole.judge(&again, None).await {
            panic!("{place:?}:{call}: {wrong}");
        }
        again.kill();
        true
    });
    eprintln!("first start: {kills} kills");
}

/// A start that is killed at one call; says whether it was.
fn starting(dir: &Path, (fault, file): &Place, call: usize, words: &[&str]) -> bool {
    let mut command = support::disk_fault(&format!("{fault}:{call}"), Path::new(ATALAYA));
    let path = if file.is_empty() { dir.to_owned() } else { dir.join(file) };
    command.env("DISKFAULT_PATH", path);
    let Some(server) = Server::by(command, dir, words) else { return true };
    server.kill();
    false
}

/// The folder of a script that is killed at one call on one segment.
async fn killed_at(fault: &str, number: usize, call: usize, words: &[&str]) -> tempfile::TempDir {
    let dir = folder();
    let server = Server::start_with(dir.path(), words);
    let tracer = server.under(&format!("{fault}:{call}"), &dir.path().join(segment(number)));
    assert!(walk(&server, &AtomicUsize::new(0)).await.is_err(), "it was killed");
    tracer.join();
    assert!(server.ended());
    dir
}

/// A folder that a kill left, and what a start that nobody kills makes of it.
struct Left {
    dir: tempfile::TempDir,
    /// Number of its last segment.
    last: usize,
    /// Whether that is full already, so that the next start makes another.
    is_full: bool,
    before: Vec<Name>,
    start: Vec<Name>,
    contacts: Vec<serde_json::Value>,
}

impl Left {
    /// The script in one large segment is killed at one of its syncs; `torn` bytes of the end are
    /// lost.
    async fn in_one_segment(torn: u64) -> Self {
        let dir = killed_at(SYNC, 1, 14, &[]).await;
        let file = dir.path().join(segment(1));
        let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
        file.set_len(file.metadata().unwrap().len() - torn).unwrap();
        Self::seen(dir, 1, true).await
    }

    /// The script is killed before its fourth segment has a header: the start takes that away.
    async fn without_a_header() -> Self {
        let dir = killed_at(WRITE, 4, 1, &SEGMENT).await;
        assert_eq!(dir.path().join(segment(4)).metadata().unwrap().len(), 0);
        Self::seen(dir, 3, false).await
    }

    async fn seen(dir: tempfile::TempDir, last: usize, is_full: bool) -> Self {
        let copy = copy_of(dir.path());
        let server = Server::start_with(copy.path(), &SEGMENT);
        let (before, start) = shown_by(&mut server.wire()).await.unwrap();
        let contacts = server.wire().all("/api/v1/contacts").await;
        server.kill();
        Self { dir, last, is_full, before, start, contacts }
    }

    /// A recovery that is killed at one call; says whether it was.
    async fn recovering(&self, place: &Place, call: usize) -> bool {
        let dir = copy_of(self.dir.path());
        if !starting(dir.path(), place, call, &SEGMENT) {
            return false;
        }
        let again = Server::start_with(dir.path(), &SEGMENT);
        let mut admin = again.wire();
        let (before, start) = shown_by(&mut admin).await.unwrap();
        let more = before.strip_prefix(self.before.as_slice());
        let more = more.unwrap_or_else(|| panic!("{place:?}:{call}: {before:?}"));
        // Whom the killed start has shown lost, the next need not.
        let starts = [more, &start].concat();
        let told_twice = [&self.start[..], &self.start[..1]].concat();
        let whole = if more.is_empty() { starts == self.start } else { starts == told_twice };
        assert!(whole, "{place:?}:{call}: {starts:?} is not {:?}, once or twice", self.start);
        assert_eq!(admin.all("/api/v1/contacts").await, self.contacts, "{place:?}:{call}");
        in_step(&mut admin).await.unwrap();
        again.kill();
        true
    }

    /// Kills at every call of the files that a recovery touches.
    fn kills(&self) -> usize {
        let mut places = vec![(SYNC, String::new()), (WRITE, "lock".into()), (SYNC, "log".into())];
        for number in self.last..=self.last + usize::from(self.is_full) {
            places.extend([(WRITE, segment(number)), (SYNC, segment(number))]);
        }
        campaign(places, async |place, call| self.recovering(place, call).await)
    }
}

#[actix_web::test]
async fn while_it_recovers() {
    if !support::has("while_it_recovers", "strace") {
        return;
    }
    let whole = Left::in_one_segment(0).await;
    let torn = Left::in_one_segment(7).await;
    assert!(torn.before.len() < whole.before.len(), "the torn batch is cut");
    let headerless = Left::without_a_header().await;
    for left in [whole, torn, headerless] {
        eprintln!("recovery of {} events: {} kills", left.before.len(), left.kills());
    }
}
