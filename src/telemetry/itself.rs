//! What the system says of this process: memory, processor time, open files.
//!
//! Read from `/proc` at each scrape; where there is none it is unknown (NaN). Not here: what the
//! process counts itself.

use std::fs;

use super::families::{Families, Labels, float};
use super::meters::whole;

/// Parts of a second in which `/proc` tells processor time: fixed for what programs are shown.
const TICKS_PER_SECOND: f64 = 100.0;
/// Places of the time in user mode and in the kernel, behind the program's name in parentheses.
const TIMES_AT: [usize; 2] = [11, 12];

/// Writes all of it.
pub fn write(to: &mut Families) {
    let mut gauge = |name, help, value: Option<f64>| {
        to.gauge(name, help, [(Labels::new(), value.unwrap_or(f64::NAN))]);
    };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let help = "Memory that the process holds; NaN: unknown.";
    gauge("resident_memory_bytes", help, resident(&status));
    let files = fs::read_dir("/proc/self/fd").ok().map(|files| float(whole(files.count())));
    gauge("open_files", "Files and sockets that the process holds open; NaN: unknown.", files);
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let help = "Processor time that the process has taken; NaN: unknown.";
    to.seconds("cpu_seconds_total", help, cpu(&stat).unwrap_or(f64::NAN));
}

fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024.0)
}

fn cpu(stat: &str) -> Option<f64> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = TIMES_AT.map(|at| fields.get(at).and_then(|field| field.parse::<f64>().ok()));
    Some((ticks[0]? + ticks[1]?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_proc_are_read() {
        let status = "Name:\tatalaya\nVmHWM:\t  900 kB\nVmRSS:\t   512 kB\nThreads:\t4\n";
        assert_eq!(resident(status), Some(524_288.0));
        let stat = "42 (an (odd) name) S 1 42 42 0 -1 4194304 9 8 7 6 250 75 3 2 20 0 4 0 99 1 2";
        assert_eq!(cpu(stat), Some(3.25));
        assert_eq!((resident(""), cpu("42 (x) S 1")), (None, None));
    }
}
