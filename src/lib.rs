//! Atalaya: the live supervision of a contact centre.

pub mod journal;
