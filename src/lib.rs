//! Atalaya, a live supervisor for contact centres: the map of the house.

pub mod api;
