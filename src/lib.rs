//! Atalaya: supervises a contact centre live. The map of the house is in ARCHITECTURE.md.

pub mod actors;
pub mod api;
pub mod audit;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod journal;
pub mod replay;
pub mod simulation;
pub mod telemetry;
pub mod views;
