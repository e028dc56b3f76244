//! What the command line starts: the parts of the house, put together.

use std::time::Duration;

use atalaya_domain::time::Span;

pub mod audit;
pub mod care;
pub mod check;
pub mod configure;
pub mod demo;
pub mod export;
pub mod kpi;
pub mod replay;
pub mod serve;
pub mod store;
pub mod token;

/// A length of time, like `10m`, as an argument.
pub fn length(text: &str) -> Result<Duration, String> {
    let span = Span::parse(text).map_err(|error| error.to_string())?;
    let micros = u64::try_from(span.0).map_err(|_| "a length is not negative".to_owned())?;
    Ok(Duration::from_micros(micros))
}
