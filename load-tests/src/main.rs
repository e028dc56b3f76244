//! None yet: what will generate load and measure it lives here, apart from the server.
fn main() {}
