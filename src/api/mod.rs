//! The way in over HTTP and WebSocket: routes and what they share. Nothing is decided here.

pub mod assets;
