//! Atalaya: the shells around `atalaya-domain`. Decisions are the domain's; nothing here decides.

pub mod simulation;
