//! A scrape, read: families by name, samples by their labels.

use std::collections::BTreeMap;

use actix_web::body::to_bytes;
use actix_web::test::TestRequest;

use crate::house::House;

/// What one scrape held.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(crate) seq: u64,
    pub(crate) text: String,
    /// `name{a="b"}` → value, as written.
    pub(crate) samples: BTreeMap<String, f64>,
}

pub(crate) fn read(seq: u64, text: String) -> Scrape {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    Scrape { seq, samples: samples.collect(), text }
}

impl Scrape {
    pub(crate) fn get(&self, sample: &str) -> f64 {
        let sample = format!("atalaya_{sample}");
        *self.samples.get(&sample).unwrap_or_else(|| panic!("no {sample} in:\n{}", self.text))
    }

    /// Each family: kind, name and the names of its labels.
    pub(crate) fn shapes(&self) -> Vec<String> {
        let kinds = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let shape = |line: &str| {
            let (name, kind) = line.split_once(' ').unwrap();
            let sample = self.samples.keys().find(|sample| {
                let rest = sample.strip_prefix(name).unwrap_or("x");
                rest.is_empty() || rest.starts_with('{') || rest.starts_with("_count")
            });
            let labels = sample.unwrap_or_else(|| panic!("no sample of {name}"));
            let labels = labels.split_once('{').map_or("", |(_, labels)| labels);
            let labels: Vec<_> = labels
                .split("\",")
                .filter_map(|label| label.split_once('='))
                .map(|(label, _)| label)
                .collect();
            format!("{kind:9} {name}{{{}}}", labels.join(","))
        };
        kinds.map(shape).collect()
    }
}

impl House {
    pub(crate) async fn text(&self, token: &str) -> (u16, Option<u64>, String) {
        let request: TestRequest = Self::request("GET", "/metrics", token);
        let response = (self.service)(request).await;
        let seq = response.headers().get("Atalaya-Seq").map(|seq| seq.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body()).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (status, seq.map(|seq| seq.parse().unwrap()), text)
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let (status, seq, text) = self.text(&self.admin).await;
        assert_eq!(status, 200, "{text}");
        read(seq.unwrap(), text)
    }
}
