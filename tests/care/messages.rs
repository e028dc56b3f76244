//! What each command says when it cannot: exit code 1 and one line that says what to do; and what a
//! restore leaves that is killed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::house::{ATALAYA, Place, Server, furnish, segments};
use crate::support;

/// Calls of one kind after which a restore must have ended by itself.
const CALLS_MAX: usize = 40;

/// An installation with a log of some segments, and its server.
async fn running() -> (Place, Server) {
    let place = Place::new("[limits]\nlog_segment = \"4KiB\"\n");
    let server = place.serve("data", &[]);
    furnish(&mut server.wire(&place.token()), 40).await;
    (place, server)
}

/// One that was stopped, and a backup of it.
async fn backed_up() -> Place {
    let (place, server) = running().await;
    server.stop();
    place.run(&["backup", "copy", "--data", "data"]).good();
    place
}

#[track_caller]
fn says(text: &str, what: &str) {
    assert!(text.contains(what), "`{what}` is not in: {text}");
}

#[actix_web::test]
async fn a_folder_that_is_missing_full_taken_or_no_backup_is_named() {
    let (place, server) = running().await;
    let no_log = "there is no log in it; name a data folder";
    says(&place.run(&["backup", "copy", "--data", "nowhere"]).refused(), no_log);
    says(&place.run(&["export", "--data", "nowhere"]).refused(), no_log);
    says(&place.run(&["verify", "--data", "nowhere"]).refused(), no_log);
    assert!(!place.path("copy").exists() && !place.path("nowhere").exists());
    for source in ["nowhere", "data"] {
        let refused = place.run(&["restore", source, "--data", "back"]).refused();
        says(&refused, &format!("cannot use {source}: it is no backup; make one with"));
        assert!(!place.path("back").exists());
    }
    place.run(&["backup", "copy", "--data", "data"]).good();
    let full = place.run(&["backup", "copy", "--data", "data"]).refused();
    says(&full, "cannot write into copy: it is not empty (");
    let taken = place.run(&["restore", "copy", "--data", "data"]).refused();
    let pid = server.pid();
    let told = format!("a server (pid {pid}) has data; stop it first, or name another folder");
    says(&taken, &told);
    server.stop();
    let full = place.run(&["restore", "copy", "--data", "data"]).refused();
    says(&full, "cannot write into data: it is not empty (");
    std::fs::create_dir(place.path("photos")).unwrap();
    std::fs::write(place.path("photos/one"), "").unwrap();
    let full = place.run(&["restore", "copy", "--data", "photos"]).refused();
    says(&full, "cannot write into photos: it is not empty (one is in it)");
    assert_eq!(std::fs::read_dir(place.path("photos")).unwrap().count(), 1, "left as it was");
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--data", "copy"]);
    assert_eq!(refused.code, Some(1));
    says(&refused.err, "it is a backup; restore it to another folder");
    place.run(&["verify", "--data", "copy"]).good();
    for words in [&["backup"][..], &["restore"], &["export", "--format", "xml"]] {
        assert_eq!(place.run(words).code, Some(2), "{words:?}");
    }
}

#[actix_web::test]
async fn a_backup_is_its_owners_only() {
    let place = backed_up().await;
    place.run(&["restore", "copy", "--data", "back"]).good();
    for name in ["copy", "back"] {
        let root = place.path(name);
        let inside = |dir: &Path| std::fs::read_dir(dir).unwrap().map(|one| one.unwrap().path());
        let paths = inside(&root).chain(inside(&root.join("log"))).chain([root.clone()]);
        for path in paths {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "{}: {mode:o}", path.display());
        }
    }
}

#[actix_web::test]
async fn a_flipped_byte_is_named_by_segment_and_offset() {
    let place = backed_up().await;
    let files = segments(&place.path("copy"));
    assert!(files.len() > 2, "{files:?}");
    for (index, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).unwrap();
        // In its last batch: of the last segment that is where a torn end would be.
        let at = bytes.len() - 3;
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        std::fs::write(file, &flipped).unwrap();
        let named =
            format!("cannot use the backup copy: segment {} is damaged at byte ", index + 1);
        let refused = place.run(&["verify", "--data", "copy"]).refused();
        says(&refused, &named);
        let (_, offset) = refused.split_once("at byte ").unwrap();
        let offset: usize = offset.split(' ').next().unwrap().parse().unwrap();
        assert!(offset <= at && at - offset < 4096, "{refused}");
        says(&place.run(&["restore", "copy", "--data", "back"]).refused(), &named);
        assert!(!place.path("back").join("key").exists());
        std::fs::write(file, &bytes).unwrap();
    }
    place.run(&["restore", "copy", "--data", "back"]).good();
}

/// A real disk that is full, before it begins and on the way.
#[actix_web::test]
async fn a_full_disk_is_named_and_what_it_leaves_is_refused() {
    let name = "a_full_disk_is_named_and_what_it_leaves_is_refused";
    if !support::has(name, "strace") || !support::has(name, "unshare") {
        return;
    }
    let place = backed_up().await;
    let full = |size: &str, words: &str| {
        let mut command = Command::new(support::fixture("diskfault.sh"));
        let line = format!("{ATALAYA} {words}");
        command.args(["full", size, "sh", "-c", &line]).current_dir(place.path(""));
        command.output().unwrap()
    };
    if !full("256k", "--version").status.success() {
        support::skip(name, "no mount namespace can be made here");
        return;
    }
    for words in ["backup $ATL_FULL/c --data data", "restore copy --data $ATL_FULL/d"] {
        let output = full("64k", words);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        says(&err, "bytes are needed and");
        says(&err, "make room, or name a folder on another disk");
    }
    let on_the_way = |words: &[&str], data: &str| {
        let second = place.path(data).join("log/00000000000000000002.log");
        let mut command = support::disk_fault("write-enospc:1", Path::new(ATALAYA));
        command.env("DISKFAULT_PATH", second).args(words).current_dir(place.path(""));
        command.output().unwrap()
    };
    let output = on_the_way(&["backup", "half", "--data", "data"], "half");
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    says(&err, "No space left on device");
    let unfinished = "cannot use half: a backup into it did not end; take the folder away";
    for words in [
        &["verify", "--data", "half"][..],
        &["restore", "half", "--data", "back"],
        &["export", "--data", "half"],
        &["backup", "other", "--data", "half"],
    ] {
        says(&place.run(words).refused(), unfinished);
    }
    assert!(!place.path("back").exists() && !place.path("other").exists());
    let output = on_the_way(&["restore", "copy", "--data", "back"], "back");
    says(&String::from_utf8(output.stderr).unwrap(), "No space left on device");
    refuses_until_it_is_restored_again(&place, "back");
}

/// Everything that reads or starts is refused by name; the same restore again ends.
#[track_caller]
fn refuses_until_it_is_restored_again(place: &Place, data: &str) {
    let unfinished = format!("cannot use {data}: a restore into it did not end; run `atalaya rest");
    for words in [
        &["verify", "--data", data][..],
        &["export", "--data", data],
        &["backup", "other", "--data", data],
        &["token", "new", "--role", "administrator", "--data", data],
        &["serve", "--listen", "127.0.0.1:0", "--data", data],
    ] {
        let refused = place.run(words);
        assert_eq!(refused.code, Some(1), "{words:?}: {refused:?}");
        says(&refused.err, &unfinished);
    }
    place.run(&["restore", "copy", "--data", data]).good();
    place.run(&["verify", "--data", data]).good();
}

/// Killed before its first sync, its second, and so on; and before each write.
#[actix_web::test]
async fn a_restore_that_is_killed_leaves_nothing_or_is_refused_until_it_is_run_again() {
    if !support::has("a_restore_that_is_killed", "strace") {
        return;
    }
    let place = backed_up().await;
    let (mut refused, mut nothing, mut whole) = (0, 0, 0);
    for fault in ["kill-at-fsync", "kill-at-write"] {
        let mut ended = false;
        for call in 1..CALLS_MAX {
            let data = format!("{fault}-{call}");
            let mut command = support::disk_fault(&format!("{fault}:{call}"), Path::new(ATALAYA));
            command.args(["restore", "copy", "--data", &data]).current_dir(place.path(""));
            ended = command.output().unwrap().status.success();
            if ended {
                break;
            }
            if place.path(&data).join("unfinished").exists() {
                // One of them in full: what is refused is the same.
                if refused % 8 == 0 {
                    refuses_until_it_is_restored_again(&place, &data);
                } else {
                    let verified = place.run(&["verify", "--data", &data]).refused();
                    says(&verified, "a restore into it did not end");
                    place.run(&["restore", "copy", "--data", &data]).good();
                }
                refused += 1;
            } else if place.path(&data).join("key").exists() {
                // Before the sync after the mark was taken away.
                place.run(&["verify", "--data", &data]).good();
                whole += 1;
            } else {
                assert!(!place.path(&data).join("log").exists(), "{data}");
                nothing += 1;
            }
        }
        assert!(ended, "{fault}: a restore has more than {CALLS_MAX} calls");
    }
    eprintln!("kills: {refused} refused and restored again, {nothing} nothing, {whole} whole");
    assert!(refused >= 10 && nothing > 0 && whole <= 1, "{refused} {nothing} {whole}");
}
