//! The browser application, served out of the program itself.
//!
//! `build.rs` makes the table from `dashboards/dist`. A page of the application is `index.html`
//! whatever its path; a file that is not in the table is a 404 and never a page, because a browser
//! that gets HTML for a script shows an empty screen. There is no data here and nothing to sign in
//! for: what a page may show is decided by the routes that it asks.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, EntityTag, Header as _, IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

/// One file of the built page, as `build.rs` writes it down.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// From the root of the site, with its slash: `/assets/index-x1.js`.
    path: &'static str,
    mime: &'static str,
    /// Digits of the plain content's SHA-256, without quotes.
    etag: &'static str,
    plain: &'static [u8],
    /// Absent where compressing saves too little.
    gzip: Option<&'static [u8]>,
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets_table.rs"));

/// First parts of the paths that are pages of the application; the root is one more. Everything
/// below such a part is a page too (`/queues/pensions`). The application's own list has the rest.
pub const PAGES: &[&str] = &[
    "wallboard",
    "queues",
    "agents",
    "agent",
    "contacts",
    "requests",
    "alerts",
    "reports",
    "administration",
    "health-of-the-system",
    "accessibility",
    "help",
    "login",
];

/// No inline script, no other host, never in a frame of another site.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// For a file whose name changes with its content: a year, the longest that caches honour.
const CACHE_FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For all else: kept, but asked for again each time, which the `ETag` makes cheap.
const CACHE_AND_ASK: &str = "no-cache";
/// Characters of the digest in a file's name, as the bundler makes it.
const NAME_DIGEST_CHARS: usize = 8;

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><title>Atalaya</title>\n\
    <h1>This build has no pages</h1>\n\
    <p>The server and its API work; the browser application was not there when it was built.</p>\n\
    <p>Build it (<code>npm ci &amp;&amp; npm run build</code> in <code>dashboards/web</code>), \
    then build the server again.</p></html>\n";
const NO_SUCH_FILE: &str = "{\"type\":\"urn:atalaya:problem:not-found\",\"title\":\"Not found\",\
    \"status\":404,\"detail\":\"no such file in this build: reload the page\"}";
const WRONG_METHOD: &str = "{\"type\":\"urn:atalaya:problem:method-not-allowed\",\
    \"title\":\"Method not allowed\",\"status\":405,\"detail\":\"pages and files are only read\"}";

/// Registers every page and file. Whatever matches none of them is left to the caller's default.
pub fn configure(config: &mut web::ServiceConfig) {
    configure_with(config, ASSETS);
}

fn configure_with(config: &mut web::ServiceConfig, assets: &'static [Asset]) {
    let mut resource = |path: &str| {
        let read = move |request: HttpRequest| async move { answer(&request, assets) };
        config.service(
            web::resource(path)
                .route(web::get().to(read))
                .route(web::head().to(read))
                .default_service(web::to(|| async { wrong_method() })),
        );
    };
    resource("/");
    for page in PAGES {
        resource(&format!("/{page}"));
        resource(&format!("/{page}/{{below:.*}}"));
    }
    resource("/assets/{file:.*}");
    resource("/fonts/{file:.*}");
    for asset in assets {
        let in_folder = asset.path.starts_with("/assets/") || asset.path.starts_with("/fonts/");
        if !in_folder && !asset.path.contains(['{', '}']) {
            resource(asset.path);
        }
    }
}

fn answer(request: &HttpRequest, assets: &[Asset]) -> HttpResponse {
    let path = request.path();
    match assets.iter().find(|asset| asset.path == path) {
        Some(asset) => send(request, *asset),
        None if is_page(path) => match assets.iter().find(|asset| asset.path == "/index.html") {
            Some(index) => send(request, *index),
            None => {
                build(StatusCode::NOT_FOUND, "text/html; charset=utf-8", "no-store").body(NOT_BUILT)
            }
        },
        None => {
            let mime = "application/problem+json";
            build(StatusCode::NOT_FOUND, mime, "no-store").body(NO_SUCH_FILE)
        }
    }
}

fn send(request: &HttpRequest, asset: Asset) -> HttpResponse {
    // Slugs may hold dots, so a page is known by its first part only, never by a missing ending.
    let cache = if named_by_content(asset.path) { CACHE_FOR_EVER } else { CACHE_AND_ASK };
    let packed = asset.gzip.filter(|_| takes_gzip(request));
    // The two forms differ byte by byte, so each has a strong tag of its own.
    let tag = EntityTag::new_strong(match packed {
        Some(_) => format!("{}-gzip", asset.etag),
        None => asset.etag.to_owned(),
    });
    let known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|theirs| theirs.weak_eq(&tag)),
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Err(_) => false,
    };
    let status = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = build(status, asset.mime, cache);
    response.insert_header((header::ETAG, tag.to_string()));
    response.insert_header((header::VARY, "accept-encoding"));
    match packed {
        _ if known => response.finish(),
        Some(packed) => response.insert_header(ContentEncoding::Gzip).body(packed),
        None => response.body(asset.plain),
    }
}

/// The headers that every answer of this file carries, refusals included.
fn build(status: StatusCode, mime: &'static str, cache: &'static str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, mime))
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    response
}

fn wrong_method() -> HttpResponse {
    build(StatusCode::METHOD_NOT_ALLOWED, "application/problem+json", "no-store")
        .insert_header((header::ALLOW, "GET, HEAD"))
        .body(WRONG_METHOD)
}

fn is_page(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    first.is_empty() || PAGES.contains(&first)
}

fn takes_gzip(request: &HttpRequest) -> bool {
    use header::Encoding;
    let offered = [Encoding::gzip(), Encoding::identity()];
    request.headers().contains_key(header::ACCEPT_ENCODING)
        && AcceptEncoding::parse(request)
            .is_ok_and(|accepted| accepted.negotiate(offered.iter()) == Some(Encoding::gzip()))
}

/// `/assets/index-DiwrgTda.js`: the bundler ends the name with a dash and a digest of the content.
fn named_by_content(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default().as_bytes();
    let dash = stem.len().checked_sub(NAME_DIGEST_CHARS + 1).and_then(|at| stem.get(at));
    path.starts_with("/assets/") && dash == Some(&b'-')
}

#[cfg(test)]
#[path = "assets_tests.rs"]
mod tests;
