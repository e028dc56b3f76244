//! The account as people read it: one screen a day, tables by spaces. What it says is `account`'s.

use std::collections::BTreeMap;
use std::io::Write;

use super::account::{Account, Agent, BrokenLine, Figures, Lines, Odd, Waits, count};

impl Account {
    /// Writes it for people.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Lines { read, blank, broken, of_other_days, of_day } = self.lines;
        writeln!(out, "\n{}, day {}", self.file, self.day)?;
        writeln!(
            out,
            "lines: {read} read = {blank} blank + {broken} broken + {of_other_days} of other days \
             + {of_day} of the day"
        )?;
        let left_out: u64 = self.left_out.values().map(|few| few.calls).sum();
        writeln!(out, "calls of the day: {} taken in, {left_out} left out", self.taken_in)?;
        for (why, few) in &self.left_out {
            let lines = named(&few.lines, few.calls);
            writeln!(out, "  left out {:>5}  {why}{lines}", few.calls)?;
        }
        self.write_broken(out)?;
        write_odd(out, "flags of the log", &self.flags)?;
        write_odd(out, "odd values", &self.anomalies)?;
        writeln!(out, "\ninferred")?;
        for sentence in &self.inferred {
            writeln!(out, "  {sentence}")?;
        }
        self.write_waits(out)?;
        writeln!(out, "\nagent       from      to        windows  there_s  calls  queues")?;
        for agent in &self.agents {
            let Agent { agent, from, to, windows, there_s, calls, queues } = agent;
            let queues = queues.join(" ");
            writeln!(
                out,
                "{agent:<10}  {from}  {to}  {windows:>7}  {there_s:>7}  {calls:>5}  {queues}"
            )?;
        }
        Ok(())
    }

    fn write_broken(&self, out: &mut impl Write) -> std::io::Result<()> {
        for (kind, times) in &self.broken.kinds {
            writeln!(out, "  broken {times:>7}  {kind}")?;
        }
        for BrokenLine { line, column, what } in &self.broken.listed {
            writeln!(out, "  line {line}: `{column}`: {what}")?;
        }
        if self.broken.not_listed > 0 {
            writeln!(out, "  and {} broken lines more", self.broken.not_listed)?;
        }
        Ok(())
    }

    fn write_waits(&self, out: &mut impl Write) -> std::io::Result<()> {
        let head = ["answered", "abandoned", "mean wait, s", "of answered, s", "of abandoned, s"];
        let pairs = head.map(|title| format!("{title:>17}"));
        writeln!(out, "\n{:<16}{}", "", pairs.concat())?;
        writeln!(out, "{:<16}{}", "", "   record  replay".repeat(head.len()))?;
        for Waits { of, record, replay } in &self.waits {
            write!(out, "{of:<16}")?;
            for count in [|of: &Figures| of.answered, |of: &Figures| of.abandoned] {
                write!(out, " {:>8} {:>7}", count(record), count(replay))?;
            }
            for figure in [
                |of: &Figures| of.mean_wait_s,
                |of: &Figures| of.asa_s,
                |of: &Figures| of.mean_wait_abandoned_s,
            ] {
                let [record, replay] = [record, replay].map(|of| seconds(figure(of)));
                write!(out, " {record:>8} {replay:>7}")?;
            }
            writeln!(out)?;
        }
        let neither = self.waits.last().map_or(0, |all| all.replay.neither);
        if neither > 0 {
            writeln!(out, "neither answered nor abandoned in the replay: {neither}")?;
        }
        Ok(())
    }
}

fn write_odd(
    out: &mut impl Write,
    title: &str,
    groups: &BTreeMap<String, Odd>,
) -> std::io::Result<()> {
    writeln!(out, "\n{title:<36}  taken in  left out  what is made of them")?;
    for (name, group) in groups {
        let Odd { taken_in, left_out, made, lines } = group;
        let lines = named(lines, taken_in + left_out);
        writeln!(out, "{name:<36}  {taken_in:>8}  {left_out:>8}  {made}{lines}")?;
    }
    Ok(())
}

fn seconds(figure: Option<f64>) -> String {
    figure.map_or("—".to_owned(), |figure| format!("{figure:.1}"))
}

/// The lines of a group of `all`.
fn named(lines: &[u64], all: u64) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let named: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let more = all.saturating_sub(count(lines.len()));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(" (lines {}{more})", named.join(", "))
}
