//! Words that the project does not say: it speaks of itself, not of where and by whom it was written.
//!
//! The words are put together here, so that this file does not complain of itself.

/// Banned in every file, in any case of letters.
const EVERYWHERE: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("cla", "ude"), "who wrote it is not in the text"),
    (concat!("anthr", "opic"), "who wrote it is not in the text"),
    (concat!("chat", "gpt"), "who wrote it is not in the text"),
    (concat!("co-author", "ed-by"), "who wrote it is not in the text"),
    (concat!("sess", "ion_0"), "looks like a place of work"),
    (concat!("artif", "actory"), "a package host: read it from the client's own settings"),
    (concat!("verd", "accio"), "a package host: read it from the client's own settings"),
    (concat!("dev", "pi"), "a package host: read it from the client's own settings"),
    (concat!("registry.npm", "js.org"), "a package host: lock files here leave it out"),
    (concat!("pypi", ".org"), "a package host: read it from the client's own settings"),
    (concat!("deb.deb", "ian.org"), "a package host: read it from the client's own settings"),
    (concat!("index.cra", "tes.io"), "a package host: read it from the client's own settings"),
    (concat!("\"reso", "lved\":"), "a package host: lock files here leave it out"),
];

/// Banned in what is written here, not in lists and pages that a tool makes from other people's work.
const BY_HAND: &[(&str, &str)] = &[
    (concat!("hel", "per"), "say what it does, in the words of ARCHITECTURE.md"),
    (concat!("work", "tree"), "looks like a place of work"),
    (concat!("DES", "IGN.md"), "name ARCHITECTURE.md, which is in the repository"),
    (concat!("SCENA", "RIOS.md"), "say what the order or the form is"),
    (concat!("CAS", "ES.md"), "the case's number is enough"),
    (concat!("DES", "IGN §"), "name ARCHITECTURE.md, which is in the repository"),
    (concat!("STY", "LE.md"), "name CONTRIBUTING.md, which is in the repository"),
    (concat!("FA", "CTS.md"), "name ARCHITECTURE.md, which is in the repository"),
];

pub(crate) fn check(path: &str, text: &str, complaints: &mut Vec<String>) {
    let made = path.starts_with("dashboards/dist/")
        || path.ends_with("package-lock.json")
        || path.ends_with("Cargo.lock");
    for (index, line) in text.lines().enumerate() {
        let low = line.to_lowercase();
        for (word, why) in EVERYWHERE.iter().chain(if made { &[] } else { BY_HAND }) {
            if low.contains(&word.to_lowercase()) {
                complaints.push(format!("{path}:{}: `{word}`: {why}", index + 1));
            }
        }
    }
    if path.ends_with("Cargo.lock") {
        check_lock(path, text, complaints);
    }
}

/// Every package comes from the one public index.
fn check_lock(path: &str, text: &str, complaints: &mut Vec<String>) {
    let index = concat!("registry+https://github.com/rust-lang/cra", "tes.io-index");
    for (number, line) in text.lines().enumerate() {
        if let Some(source) = line.strip_prefix("source = ")
            && source.trim_matches('"') != index
        {
            let number = number + 1;
            complaints
                .push(format!("{path}:{number}: {source}: packages come from crates.io only"));
        }
    }
}
