//! What readers see is what happened: sums, days, deltas and shapes of the views.

mod checks;
mod events;
mod life;
mod shapes;
