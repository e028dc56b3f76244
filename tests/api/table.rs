//! The table of roles, walked: every route by every role.

use atalaya::api::body::BODY_BYTES_MAX;
use atalaya::api::roles::{Line, Role, TABLE, Who};
use expect_test::expect_file;
use serde_json::{Value, json};

use crate::house::{House, NOBODY, house};

/// A body that the route takes.
pub(crate) fn body_of(line: &Line) -> Value {
    match (line.method, line.path.rsplit('/').next().unwrap()) {
        ("PUT", _) if line.path.contains("agents") => json!({"name": "N", "team": "t"}),
        ("PUT", _) => json!({"name": "N"}),
        (_, "presence") => json!({"state": "ready"}),
        (_, "contacts") => json!({"channel": "voice", "queue": "nowhere"}),
        ("PATCH", _) => json!({"priority": "high"}),
        (_, "end") => json!({"by": "citizen"}),
        (_, "extend_wrap_up") => json!({"by": "30s"}),
        (_, "clock") => json!({"advance": "1s"}),
        (_, "tokens") => json!({"role": "auditor"}),
        (_, "sessions") => json!({"token": "nonsense"}),
        _ => json!({}),
    }
}

/// What a permitted role gets for an id that nobody has (or, without one, for a fair request).
fn wanted(line: &Line, role: Role) -> u16 {
    match (line.method, line.path) {
        ("PUT", _) | ("POST", "/api/v1/tokens") => 201,
        // A contact cannot come to a queue that is not there: the body is at fault.
        ("POST", "/api/v1/contacts") => 422,
        ("POST", "/api/v1/sessions") | ("GET", "/enter") => 401,
        // Let through, and then not a handshake.
        ("GET", "/ws") => 400,
        ("DELETE", "/api/v1/sessions/current") => 404,
        ("PATCH", _) | ("GET", "/api/v1/queues/{id}/waiting") if role == Role::Agent => 403,
        (_, path) if path.contains('{') => 404,
        _ => 200,
    }
}

#[actix_web::test]
async fn the_table_of_roles_holds_on_every_route() {
    let house = house().await;
    let mut tokens = vec![];
    for role in Role::ALL {
        let agent = (role == Role::Agent).then_some("ghost");
        tokens.push((role, house.token(role, agent).await));
    }
    let mut wrong = vec![];
    let names = Role::ALL.map(|role| format!("{:.5}", role.name())).join(" ");
    let mut matrix = format!("{:48}   - {names} | {}\n", "", "400 413 415");
    for line in TABLE {
        let path = line.path.replace("agents/{id}", "agents/ghost");
        let path = path.replace("queues/{id}", "queues/nowhere");
        let path = path.replace("{id}", NOBODY).replace("{offer}", NOBODY);
        let mut check = |what: &str, role: &str, got: u16, wanted: u16| {
            if got != wanted {
                wrong.push(format!("{} {path} {role} {what}: {got}, wanted {wanted}", line.method));
            }
            got
        };
        let ask = async |token: &str, body: Value| house.ask(line.method, &path, token, body).await;
        let mut shown = vec![];
        let mut refusals = vec![];
        if line.who == Who::Open {
            shown.push("   ·".to_owned());
        } else {
            let nobody = ask("", json!({"nonsense": 1})).await;
            shown.push(format!("{:4}", check("no token", "", nobody.status, 401)));
        }
        for (role, token) in &tokens {
            let may = match line.who {
                Who::Open => true,
                Who::Roles(roles) => roles.contains(role),
            };
            if !may {
                let refused = ask(token, json!({"nonsense": 1})).await;
                shown.push(format!("{:5}", check("wrong role", role.name(), refused.status, 403)));
                continue;
            }
            let mut body = body_of(line);
            if path.ends_with("presence") && *role != Role::Agent {
                body = json!({"state": "ready", "force": true, "why": "a test"});
            }
            let mut wanted = wanted(line, *role);
            if line.method == "PUT" {
                // Asked for last, so that the id is unknown until then.
                wanted = 400;
                body = json!({"nonsense": 1});
            }
            let got = if line.method == "GET" {
                house.get(&path, token).await.status
            } else {
                ask(token, body).await.status
            };
            shown.push(format!("{:5}", check("unknown id", role.name(), got, wanted)));
            if ["GET", "DELETE"].contains(&line.method) {
                continue;
            }
            let unknown = ask(token, json!({"nonsense": 1})).await;
            refusals = vec![check("unknown field", role.name(), unknown.status, 400)];
            let named = u16::from(unknown.json["field"] == "nonsense");
            check("field named", role.name(), named, 1);
            let big = json!({"nonsense": "x".repeat(BODY_BYTES_MAX)});
            refusals.push(check("oversize", role.name(), ask(token, big).await.status, 413));
            let text = House::plain(line.method, &path, token);
            refusals.push(check("no JSON", role.name(), house.send(text).await.status, 415));
        }
        let other = house.ask("OPTIONS", &path, &house.admin, json!({})).await;
        check("another method", "", other.status, 405);
        let allowed = other.header("allow").unwrap_or("").contains(line.method);
        check("named by Allow", "", u16::from(allowed), 1);
        let refusals: Vec<_> = refusals.iter().map(u16::to_string).collect();
        let (shown, refusals) = (shown.join(" "), refusals.join(" "));
        let row = format!("{:6} {:41} {shown} | {refusals}", line.method, line.path);
        matrix += row.trim_end_matches([' ', '|']);
        matrix += "\n";
    }
    for line in TABLE.iter().filter(|line| line.method == "PUT") {
        let path = line.path.replace("{id}", "fresh");
        let made = house.ask("PUT", &path, &house.admin, body_of(line)).await;
        assert_eq!(made.status, 201, "{path}: {made:?}");
    }
    println!("{matrix}");
    expect_file!["../golden/api_roles.txt"].assert_eq(&matrix);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
