//! Sources whose keys open nothing, and when they are no longer listened to.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{FAILURE_TIME, FAILURES, SOURCES};

/// Counts failures by source.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Throttle {
    /// The seconds after which `source` is listened to again; `None` if it is now.
    pub(crate) fn refuses(&self, source: IpAddr, now: Instant) -> Option<u64> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = sources.get(&network(source))?;
        let passed = now.saturating_duration_since(failures.since);
        let left = FAILURE_TIME.checked_sub(passed)?;
        (failures.count >= FAILURES).then(|| left.as_secs().saturating_add(1))
    }

    /// Counts a failure.
    pub(crate) fn fail(&self, source: IpAddr, now: Instant) {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over =
            |failures: &Failures| now.saturating_duration_since(failures.since) >= FAILURE_TIME;
        if sources.len() >= SOURCES {
            sources.retain(|_, failures| !is_over(failures));
        }
        if sources.len() >= SOURCES {
            // Whoever has so many addresses starts again with the others: memory is what has to stay bounded.
            sources.clear();
        }
        let fresh = Failures {
            since: now,
            count: 0,
        };
        let failures = sources.entry(network(source)).or_insert(fresh);
        if is_over(failures) {
            *failures = fresh;
        }
        failures.count = failures.count.saturating_add(1);
    }
}

/// The source that an address stands for: of IPv6 the network, of which one machine has all addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_source_is_heard_again_after_a_while() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let source = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..FAILURES {
            assert_eq!(throttle.refuses(source, start), None);
            throttle.fail(source, start);
        }
        assert_eq!(throttle.refuses(source, start), Some(61));
        // The same machine, and others.
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(
            throttle.refuses(mapped, start + Duration::from_secs(20)),
            Some(41)
        );
        assert_eq!(throttle.refuses(IpAddr::from([192, 0, 2, 2]), start), None);
        let later = start + FAILURE_TIME + Duration::from_millis(1);
        assert_eq!(throttle.refuses(source, later), None);
        throttle.fail(source, later);
        assert_eq!(throttle.refuses(source, later), None);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..FAILURES {
            throttle.fail(format!("2001:db8:1:2::{n}").parse().unwrap(), now);
        }
        assert!(
            throttle
                .refuses("2001:db8:1:2::ffff".parse().unwrap(), now)
                .is_some()
        );
        assert_eq!(
            throttle.refuses("2001:db8:1:3::1".parse().unwrap(), now),
            None
        );
    }

    #[test]
    fn many_sources_take_bounded_memory() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..=u32::try_from(SOURCES).unwrap() * 2 {
            throttle.fail(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(throttle.0.lock().unwrap().len() <= SOURCES);
    }
}
