//! What a file that is fine becomes.

use std::path::Path;

use atalaya::cli::configure::{Rulings, read};
use atalaya::config::{self, Config, Limits};
use atalaya_domain::ids::Slug;
use atalaya_domain::priority::Credit;
use atalaya_domain::time::Span;

use crate::support;

fn parse(text: &str) -> Config {
    config::parse(text, "f", &Rulings).unwrap()
}

#[test]
fn the_centre_of_the_repository_is_fine() {
    let config = read(&support::root().join(config::DEFAULT_PATH)).unwrap();
    assert_eq!((config.queues.len(), config.agents.len()), (10, 164));
    let levels: Vec<_> = config.agents.iter().map(|a| a.what.facts.profile.level).collect();
    assert!(levels.contains(&1) && levels.contains(&2));
    // Nobody is there for nothing: each queue has somebody who meets its requirement.
    for queue in &config.queues {
        let able = config.agents.iter().filter(|agent| {
            let profile = &agent.what.facts.profile;
            queue.what.requirement.unfit(&queue.id, profile).is_none()
        });
        assert!(able.count() > 1, "{}", queue.id);
    }
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let mistakes = read(Path::new("nowhere/at/all.toml")).unwrap_err();
    assert!(mistakes.to_string().starts_with("nowhere/at/all.toml: cannot be read"), "{mistakes}");
}

#[test]
fn an_empty_file_is_the_defaults() {
    let (empty, default) = (parse(""), Config::default());
    assert_eq!(empty.text(), default.text());
    assert_eq!(empty.centre.time_zone.iana_name(), Some("Europe/Madrid"));
    assert_eq!((empty.server.listen, empty.server.insecure_http), (None, false));
}

#[test]
fn limits_are_read_in_their_units() {
    let text = "[limits]\ndisk_reserve = \"256MB\"\nlog_segment = \"4KiB\"\nmax_body = \"2 kB\"\n\
                max_sockets = 7\n";
    let wanted = Limits {
        disk_reserve: Some(256_000_000),
        log_segment: Some(4_096),
        max_body: Some(2_000),
        max_sockets: Some(7),
    };
    assert_eq!(parse(text).limits, wanted);
}

#[test]
fn priorities_replace_and_add() {
    let config = parse("[priorities]\nhigh = \"7m\"\nvip = \"always_first\"\n");
    let credit = |name: &str| config.priorities.0[&Slug::new(name).unwrap()];
    assert_eq!(credit("high"), Credit::HeadStart(Span::seconds(420)));
    assert_eq!(credit("vip"), Credit::AlwaysFirst);
    assert_eq!(credit("low"), Credit::HeadStart(Span::seconds(-600)));
}

/// Layout, order and comments are not the text: nothing is applied again for their sake.
#[test]
fn the_text_of_an_entity_is_what_it_asks_for() {
    let one = parse("[[queue]]\nid = \"q\"\nname = \"Q\"\nrequires = { a = 1, b = 2 }\n");
    let other = "# A queue.\n[[queue]]\nname   = 'Q'  # Its name.\nid = \"q\"\n\
                 [queue.requires]\nb = 2\na = 1\n";
    assert_eq!(one.queues[0].text, parse(other).queues[0].text);
    let third = parse("[[queue]]\nid = \"q\"\nname = \"Q\"\nrequires = { a = 1, b = 3 }\n");
    assert_ne!(one.queues[0].text, third.queues[0].text);
}

/// What a queue inherits is part of its text.
#[test]
fn a_default_strategy_is_every_queues() {
    let queue = "[[queue]]\nid = \"q\"\n";
    let inherited = parse(&format!("[strategy]\nagent = \"longest_idle\"\n{queue}"));
    let own = parse(&format!("{queue}strategy = {{ agent = \"longest_idle\" }}\n"));
    assert_eq!(inherited.queues[0].text, own.queues[0].text);
    assert_ne!(inherited.queues[0].text, parse(queue).queues[0].text);
}

#[test]
fn a_group_is_many_agents_called_by_their_ids() {
    let config = parse("[[agents]]\ncount = 3\nprefix = \"m\"\nteam = \"t\"\nlevel = 2\n");
    let names: Vec<_> = config
        .agents
        .iter()
        .map(|agent| (agent.id.as_str(), agent.what.name.as_str(), agent.what.facts.profile.level))
        .collect();
    assert_eq!(names, [("m1", "m1", 2), ("m2", "m2", 2), ("m3", "m3", 2)]);
}

/// Agents may serve queues that only the store has: a file without queues does not know.
#[test]
fn queues_of_agents_are_looked_up_only_beside_queues() {
    let agent = "[[agents]]\nid = \"a\"\nteam = \"t\"\nqueues = [\"q\"]\n";
    parse(agent);
    parse(&format!("[[queue]]\nid = \"q\"\n{agent}"));
    let other = format!("[[queue]]\nid = \"r\"\n{agent}");
    assert!(config::parse(&other, "f", &Rulings).is_err());
}
