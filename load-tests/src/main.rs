//! Generators and benchmarks; each says how it measures.
fn main() {}
