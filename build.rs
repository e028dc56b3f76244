//! Turns `dashboards/dist` into a table of files that the program carries in itself.
//!
//! Each file becomes an `Asset` of `src/api/assets.rs` in `$OUT_DIR/assets_table.rs`: its path, its
//! media type, an `ETag` of its content and its bytes, plain and compressed. No npm runs here: the
//! built page is kept in the repository, and `tests/run` checks that it is what the sources give.
//! A folder that is missing or empty gives an empty table; the handler then says so to whom asks.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// Files in the built page; more means that something else got into the folder: the build stops.
const FILES_MAX: usize = 400;
/// Bytes of one file; the whole table lies in the program and in memory: the build stops.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Folders within folders; the build stops.
const DEPTH_MAX: usize = 8;
/// Hexadecimal digits of the SHA-256 in an `ETag`: 128 bits tell any two builds apart.
const ETAG_DIGITS: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let dist = root.join("dashboards/dist");
    // Nothing else is watched, above all not `node_modules`: a look through it costs seconds.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=dashboards/dist");

    let mut files = Vec::new();
    if dist.is_dir() {
        collect(&dist, 0, &mut files)?;
    }
    files.sort();
    if FILES_MAX < files.len() {
        return Err(format!("{} files in {}, over {FILES_MAX}", files.len(), dist.display()).into());
    }
    let mut table = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        write_entry(&mut table, &out, number, &dist, file)?;
    }
    table.push(']');
    fs::write(out.join("assets_table.rs"), table)?;
    Ok(())
}

/// The files below `folder`, without those whose name starts with a dot.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if DEPTH_MAX < depth {
        return Err(format!("{} lies deeper than {DEPTH_MAX} folders", folder.display()).into());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, depth + 1, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn write_entry(
    table: &mut String,
    out: &Path,
    number: usize,
    dist: &Path,
    file: &Path,
) -> Result<(), Box<dyn Error>> {
    let plain = fs::read(file)?;
    if FILE_BYTES_MAX < plain.len() {
        return Err(
            format!("{} has {} bytes, over {FILE_BYTES_MAX}", file.display(), plain.len()).into()
        );
    }
    let relative = file.strip_prefix(dist)?;
    let path: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    let path = format!("/{}", path.join("/"));
    let mut etag = String::new();
    for byte in Sha256::digest(&plain) {
        write!(etag, "{byte:02x}")?;
    }
    etag.truncate(ETAG_DIGITS);

    // A copy, so that a page rebuilt between this script and the compiler cannot mix two builds.
    let plain_copy = out.join(format!("asset_{number}.plain"));
    fs::write(&plain_copy, &plain)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&plain)?;
    let gzip = encoder.finish()?;
    // Fonts and pictures are compressed already: under a tenth saved is not worth the unpacking.
    let gzip = if gzip.len() < plain.len() - plain.len() / 10 {
        let gzip_copy = out.join(format!("asset_{number}.gzip"));
        fs::write(&gzip_copy, gzip)?;
        format!("Some(include_bytes!({:?}))", gzip_copy.display().to_string())
    } else {
        "None".to_owned()
    };
    let plain_copy = plain_copy.display().to_string();
    let mime = media_type(relative);
    writeln!(
        table,
        "Asset {{ path: {path:?}, mime: {mime:?}, etag: {etag:?}, \
         plain: include_bytes!({plain_copy:?}), gzip: {gzip} }},"
    )?;
    Ok(())
}

/// The media type by the name's ending; browsers are told not to guess (`nosniff`).
fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("mp3") => "audio/mpeg",
        Some("ogg") => "audio/ogg",
        Some("wav") => "audio/wav",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
