//! The projector: after each batch publish, fold, release the outcomes, then match.
//!
//! One consumer, which awaits nobody but the next batch, so it cannot deadlock; a caller reads its
//! own writes, since its outcome is released after the fold.

use std::sync::Arc;

use atalaya_domain::quarantine::Standing;
use atalaya_domain::time::Now;
use atalaya_domain::{Event, system};
use tokio::sync::mpsc;

use super::centre::Centre;
use super::clock::wall_now;
use super::guardian::APPLY_PANICKED;
use super::slots::Applied;
use super::writer::Batch;
use crate::journal::commit::{Sealed, Whose};
use crate::telemetry::logging;

/// Consumes batches until the writer is gone.
pub async fn project(centre: Arc<Centre>, mut batches: mpsc::Receiver<Batch>) {
    while let Some(batch) = batches.recv().await {
        let Batch { number, left, entries, releases } = batch;
        centre.leave(&left);
        // What follows from a batch is in flight before what it ends has landed.
        let follows = centre.token();
        for entry in &entries {
            fold(&centre, entry);
            let events = entry.events.iter().map(|numbered| (numbered.seq, &numbered.recorded));
            logging::committed(&entry.cause.by, events);
        }
        centre.pictured(number, &entries);
        for release in releases {
            // A caller who is gone has lost interest, not the outcome.
            let _ = release.to.send(release.outcome);
            drop(release.token);
        }
        if let Some(last) = entries.last().filter(|_| !centre.is_lockstep()) {
            offer_all(&centre, Now::live(last.now));
        }
        drop(follows);
        centre.pulse.folded();
    }
}

/// Publishes one committed entry and folds it into everything that follows the log; a start does
/// the same with what the log holds.
pub fn fold(centre: &Centre, entry: &Sealed) {
    let mut brain = centre.brain();
    let mut board = centre.board();
    for numbered in &entry.events {
        let recorded = &numbered.recorded;
        let (id, seq) = (&recorded.entity, numbered.seq);
        let before = centre.slots.before(recorded);
        match centre.slots.apply(numbered) {
            Applied::Done => {
                brain.fold(numbered, &centre.slots);
                if let Event::System(system::Event::Quarantined { entity, cause }) = &recorded.event
                {
                    centre.slots.retire(entity, recorded.at);
                    brain.retire(entity, centre.slots.read(entity).standing());
                    centre.guardian().quarantined(entity);
                    tracing::error!(%entity, seq, cause, "quarantined: out of service");
                }
                let after = centre.slots.read(id);
                board.fold(seq, recorded, &before.state, &after.state);
                centre.may_leave(id, &after);
            }
            Applied::Panicked => {
                let event = recorded.event.name();
                tracing::error!(entity = %id, seq, event, "a machine panicked while applying");
                if before.quarantined.is_none() {
                    brain.quarantine(id, APPLY_PANICKED, Standing::Frozen);
                }
            }
            Applied::Frozen => (),
        }
    }
    brain.hear(&entry.events);
    centre.spoken.keep(entry);
    centre.receipts.fold(entry, wall_now);
    for said in &entry.cause.said {
        if let (Whose::Agent(agent), "name") = (&said.of, said.field.as_str()) {
            board.set_name(agent, &said.text);
        }
    }
    centre.published(entry);
    // The board is let go last: whoever reads it finds the number that it stands at.
    drop(board);
}

/// Live: every pair that matching gives is sent on its way at once; says whether there was one.
pub fn offer_all(centre: &Arc<Centre>, now: Now) -> bool {
    let mut any = false;
    loop {
        // In flight before it is taken, so that it is never neither.
        let token = centre.token();
        let Some(origin) = centre.brain().next_match(now) else { return any };
        any = true;
        centre.pass(origin, token);
    }
}
