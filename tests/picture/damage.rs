//! A picture that cannot be believed is set aside, whatever is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

use atalaya::journal::picture::{ASIDE_MAX, Picture, PictureError, STATE_FOLDER, Standing};
use tempfile::tempdir;
use uuid::Uuid;

use crate::store::{Views, opens_as_of_one};
use crate::support::{EPOCH, KEY, States, copy, history, open, states_of, steps};

/// Places in each file that are broken, one at a time; `ATALAYA_PICTURE_FLIPS` for more.
const FLIPS: usize = 60;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Garbage anywhere: the picture is set aside, or it is one that was, whole.
#[test]
fn a_byte_of_garbage_is_never_believed() {
    let asked = std::env::var("ATALAYA_PICTURE_FLIPS").ok().and_then(|text| text.parse().ok());
    let flips: usize = asked.unwrap_or(FLIPS);
    let home = tempdir().unwrap();
    let history = history(&steps(300), 5);
    let (picture, _) = open(home.path());
    for (change, _) in &history {
        picture.apply(change).unwrap();
        picture.flush().unwrap();
    }
    drop(picture);
    let state = home.path().join(STATE_FOLDER);
    let (mut aside, mut broken) = (0, 0);
    for file in files(&state) {
        let bytes = fs::read(&file).unwrap();
        let name = file.strip_prefix(home.path()).unwrap();
        for flip in 0..flips.min(bytes.len()) {
            let at = bytes.len() * flip / flips.min(bytes.len());
            let crashed = tempdir().unwrap();
            copy(&state, &crashed.path().join(STATE_FOLDER));
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x55;
            fs::write(crashed.path().join(name), bytes).unwrap();
            broken += 1;
            let (picture, standing) = open(crashed.path());
            if let Standing::SetAside { to, why } = standing {
                assert!(!why.is_empty() && to.is_dir());
                assert_eq!((picture.applied(), states_of(&picture)), (None, States::new()));
                aside += 1;
            } else {
                drop(picture);
                opens_as_of_one(crashed.path(), &history, Views::MayBeLost);
            }
        }
    }
    assert!(0 < aside, "nothing of {broken} was ever found out");
}

/// A file that ends early.
#[test]
fn a_file_cut_short_is_never_believed() {
    let home = tempdir().unwrap();
    let history = history(&steps(100), 5);
    let (picture, _) = open(home.path());
    for (change, _) in &history {
        picture.apply(change).unwrap();
        picture.flush().unwrap();
    }
    drop(picture);
    let state = home.path().join(STATE_FOLDER);
    for file in files(&state) {
        let bytes = fs::read(&file).unwrap();
        let name = file.strip_prefix(home.path()).unwrap();
        for part in 0..20 {
            let crashed = tempdir().unwrap();
            copy(&state, &crashed.path().join(STATE_FOLDER));
            fs::write(crashed.path().join(name), &bytes[..bytes.len() * part / 20]).unwrap();
            let (picture, standing) = open(crashed.path());
            if matches!(standing, Standing::SetAside { .. }) {
                assert_eq!(states_of(&picture), States::new());
            } else {
                drop(picture);
                opens_as_of_one(crashed.path(), &history, Views::MayBeLost);
            }
        }
    }
}

#[test]
fn what_is_of_another_log_or_key_is_set_aside_and_few_are_kept() {
    let home = tempdir().unwrap();
    let dir = home.path();
    let (change, states) = history(&steps(50), 50).remove(0);
    let mut asides = Vec::new();
    for (epoch, key) in
        [(EPOCH, KEY), (Uuid::from_u128(8), KEY), (EPOCH, KEY), (EPOCH, [1; 16]), (EPOCH, KEY)]
    {
        let (picture, standing) = Picture::open(dir, epoch, key).unwrap();
        assert_eq!(picture.applied(), None);
        picture.apply(&change).unwrap();
        picture.flush().unwrap();
        if let Standing::SetAside { to, why } = standing {
            assert_eq!(why, "cannot use the state: it is of another log");
            asides.push(to);
        }
    }
    assert_eq!(asides.len(), 4);
    let kept: Vec<_> = asides.iter().filter(|aside| aside.is_dir()).collect();
    assert_eq!(kept, asides.iter().skip(4 - ASIDE_MAX).collect::<Vec<_>>());
    let (picture, standing) = open(dir);
    assert_eq!(standing, Standing::Known(change.applied.unwrap()));
    assert_eq!(states_of(&picture), states);
}

#[test]
fn a_picture_that_is_gone_is_a_new_one() {
    let home = tempdir().unwrap();
    let (change, _) = history(&steps(50), 50).remove(0);
    open(home.path()).0.apply(&change).unwrap();
    fs::remove_dir_all(home.path().join(STATE_FOLDER)).unwrap();
    let (picture, standing) = open(home.path());
    assert_eq!((standing, picture.applied()), (Standing::New, None));
    assert_eq!(picture.apply(&change), Ok(()));
}

#[test]
fn a_picture_in_use_is_not_set_aside() {
    let home = tempdir().unwrap();
    let _picture = open(home.path());
    let error = Picture::open(home.path(), EPOCH, KEY).unwrap_err();
    assert!(matches!(error, PictureError::Busy { .. }), "{error}");
}
