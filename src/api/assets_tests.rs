//! What a browser gets for a page, a file, a file that is gone, and a build without pages.

use std::io::Read as _;

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::{App, test};
use expect_test::{Expect, expect};

use super::*;

const SCRIPT: &[u8] = b"let waiting = 0; let waiting_since = 0; let waiting_now = 0;\n";

/// A table as `build.rs` would write it, with one file of each kind.
fn table() -> &'static [Asset] {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, SCRIPT).unwrap();
    let gzip: &'static [u8] = Box::leak(encoder.finish().unwrap().into_boxed_slice());
    let plain = |path, mime, etag, plain| Asset { path, mime, etag, plain, gzip: None };
    Box::leak(Box::new([
        Asset {
            path: "/assets/index-DiwrgTda.js",
            mime: "text/javascript; charset=utf-8",
            etag: "aa",
            plain: SCRIPT,
            gzip: Some(gzip),
        },
        plain("/favicon.svg", "image/svg+xml", "bb", b"<svg/>"),
        plain("/fonts/inter.woff2", "font/woff2", "cc", b"font"),
        plain("/index.html", "text/html; charset=utf-8", "dd", b"<!doctype html>page"),
    ]))
}

async fn ask(
    assets: &'static [Asset],
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> ServiceResponse {
    let app =
        test::init_service(App::new().configure(|config| configure_with(config, assets))).await;
    let mut request = test::TestRequest::default().method(method).uri(path);
    for header in headers {
        request = request.insert_header(*header);
    }
    test::call_service(&app, request.to_request()).await
}

/// Status, the headers that matter, and the start of the body, one a line.
async fn shown(response: ServiceResponse) -> String {
    let mut lines = vec![response.status().as_u16().to_string()];
    let names = ["content-type", "content-encoding", "etag", "cache-control", "vary", "allow"];
    for name in names {
        if let Some(value) = response.headers().get(name) {
            lines.push(format!("{name}: {}", value.to_str().unwrap()));
        }
    }
    let body = test::read_body(response).await;
    lines.push(String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned());
    lines.join("\n")
}

async fn check(method: Method, path: &str, headers: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&shown(ask(table(), method, path, headers).await).await);
}

#[actix_web::test]
async fn every_page_is_the_index() {
    let mut paths = vec!["/".to_owned(), "/wallboard?kiosk".to_owned()];
    paths.extend(PAGES.iter().map(|page| format!("/{page}")));
    paths.extend(PAGES.iter().map(|page| format!("/{page}/ana.garcia")));
    for path in paths {
        let response = ask(table(), Method::GET, &path, &[]).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(test::read_body(response).await, "<!doctype html>page", "{path}");
    }
}

#[actix_web::test]
async fn a_page_is_asked_for_again_and_a_named_file_is_kept() {
    let get = Method::GET;
    check(
        get.clone(),
        "/",
        &[],
        expect![[r#"
            200
            content-type: text/html; charset=utf-8
            etag: "dd"
            cache-control: no-cache
            vary: accept-encoding
            <!doctype html>page"#]],
    )
    .await;
    check(
        get.clone(),
        "/favicon.svg",
        &[],
        expect![[r#"
            200
            content-type: image/svg+xml
            etag: "bb"
            cache-control: no-cache
            vary: accept-encoding
            <svg/>"#]],
    )
    .await;
    check(
        get,
        "/assets/index-DiwrgTda.js",
        &[("accept-encoding", "identity")],
        expect![[r#"
            200
            content-type: text/javascript; charset=utf-8
            etag: "aa"
            cache-control: public, max-age=31536000, immutable
            vary: accept-encoding
            let waiting = 0; let waiting_since = 0; let waiting_now = 0;"#]],
    )
    .await;
}

#[actix_web::test]
async fn a_name_without_a_digest_is_no_promise() {
    for (path, kept) in [
        ("/assets/index-BHl8KIjN.js", true),
        ("/assets/inter-latin-wght-Dx4kXJAl.woff2", true),
        ("/assets/index-B-l8_IjN.js.map", true),
        ("/assets/inter-latin-wght.woff2", false),
        ("/assets/icon.svg", false),
        ("/icon-BHl8KIjN.svg", false),
        ("/assets/", false),
    ] {
        assert_eq!(named_by_content(path), kept, "{path}");
    }
}

#[actix_web::test]
async fn what_is_known_is_not_sent_again() {
    let path = "/assets/index-DiwrgTda.js";
    let not_modified = expect![[r#"
        304
        content-type: text/javascript; charset=utf-8
        etag: "aa-gzip"
        cache-control: public, max-age=31536000, immutable
        vary: accept-encoding
    "#]];
    let headers = [("accept-encoding", "gzip"), ("if-none-match", "\"zz\", W/\"aa-gzip\"")];
    check(Method::GET, path, &headers, not_modified).await;
    // The tag of the plain form says nothing of the packed one.
    for (encoding, tag) in [("gzip", "\"aa\""), ("identity", "\"aa-gzip\""), ("gzip", "rubbish")] {
        let headers = [("accept-encoding", encoding), ("if-none-match", tag)];
        let response = ask(table(), Method::GET, path, &headers).await;
        assert_eq!(response.status(), 200, "{encoding} {tag}");
    }
}

#[actix_web::test]
async fn it_is_packed_only_for_whom_can_unpack() {
    let path = "/assets/index-DiwrgTda.js";
    for (accepted, packed) in [
        (Some("gzip, deflate, br, zstd"), true),
        (Some("*"), false),
        (Some("gzip;q=0"), false),
        (Some("identity"), false),
        (Some("br"), false),
        (None, false),
    ] {
        let headers: Vec<_> = accepted.iter().map(|value| ("accept-encoding", *value)).collect();
        let response = ask(table(), Method::GET, path, &headers).await;
        let encoding = response.headers().get("content-encoding").cloned();
        let body = test::read_body(response).await;
        if packed {
            assert_eq!(encoding.unwrap(), "gzip", "{accepted:?}");
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, SCRIPT, "{accepted:?}");
        } else {
            assert_eq!((encoding, &body[..]), (None, SCRIPT), "{accepted:?}");
        }
    }
}

#[actix_web::test]
async fn a_file_that_is_gone_is_never_a_page() {
    for path in ["/assets/index-00000000.js", "/assets/", "/fonts/none.woff2", "/assets/../x"] {
        let response = ask(table(), Method::GET, path, &[]).await;
        assert_eq!(response.status(), 404, "{path}");
        let mime = response.headers().get("content-type").unwrap();
        assert_eq!(mime, "application/problem+json", "{path}");
    }
    assert_eq!(ask(table(), Method::GET, "/robots.txt", &[]).await.status(), 404);
}

#[actix_web::test]
async fn only_reading_is_allowed() {
    for path in ["/", "/wallboard", "/assets/index-DiwrgTda.js", "/favicon.svg"] {
        let response = ask(table(), Method::POST, path, &[]).await;
        assert_eq!(response.status(), 405, "{path}");
        assert_eq!(response.headers().get("allow").unwrap(), "GET, HEAD", "{path}");
        assert_eq!(ask(table(), Method::HEAD, path, &[]).await.status(), 200, "{path}");
    }
}

#[actix_web::test]
async fn a_build_without_pages_says_so() {
    let expected = expect![[r#"
        404
        content-type: text/html; charset=utf-8
        cache-control: no-store
        <!doctype html>
        <html lang="en"><title>Atalaya</title>
        <h1>T"#]];
    expected.assert_eq(&shown(ask(&[], Method::GET, "/wallboard", &[]).await).await);
}

#[actix_web::test]
async fn every_answer_is_locked_down() {
    let cases = [
        (table(), Method::GET, "/"),
        (table(), Method::GET, "/assets/index-DiwrgTda.js"),
        (table(), Method::GET, "/assets/gone.js"),
        (table(), Method::POST, "/"),
        (&[] as &[Asset], Method::GET, "/"),
    ];
    for (assets, method, path) in cases {
        let response = ask(assets, method.clone(), path, &[]).await;
        for (name, value) in [
            ("content-security-policy", CONTENT_SECURITY_POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            let shown = response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(shown, Some(value), "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn the_table_of_this_build_is_whole() {
    for asset in ASSETS {
        let response = ask(ASSETS, Method::GET, asset.path, &[]).await;
        assert_eq!(response.status(), 200, "{}", asset.path);
        assert_ne!(asset.mime, "application/octet-stream", "{}: name its type", asset.path);
        if let Some(gzip) = asset.gzip {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(gzip).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, asset.plain, "{}", asset.path);
        }
    }
    let pages = ASSETS.iter().filter(|asset| asset.path == "/index.html").count();
    assert_eq!(pages, usize::from(!ASSETS.is_empty()), "pages need an index");
}
