//! Limits the number of connections, as a whole and for each address. A new connection replaces
//! the one that was idle for longest; a busy one is never closed for it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::clock;
use crate::front::connection::activity::Activity;

/// The places of a kind of listener.
#[derive(Debug)]
pub(in crate::front) struct Places {
    most: usize,
    most_per_address: usize,
    table: Mutex<Table>,
    freed: Notify,
    waiting: Semaphore,
}

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Option<Guest>>,
    free: Vec<usize>,
    by_address: HashMap<IpAddr, usize>,
    /// Where the next look for somebody idle begins.
    cursor: usize,
}

#[derive(Clone, Debug)]
struct Guest {
    /// `None` for a trusted proxy, which brings many clients.
    address: Option<IpAddr>,
    activity: Arc<Activity>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(in crate::front) struct Place {
    places: Arc<Places>,
    slot: usize,
    /// Whose place it is.
    pub(in crate::front) activity: Arc<Activity>,
}

/// An address has all the places that one may have, and all are at work.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::front) struct AddressFull;

impl Places {
    /// So many places, and so many of them for one address.
    pub(in crate::front) fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        let (table, freed) = (Mutex::default(), Notify::new());
        let waiting = Semaphore::new(MAX_WAITING);
        Arc::new(Self { most, most_per_address, table, freed, waiting })
    }

    /// A place for a newcomer. Where all are taken and at work, it waits.
    ///
    /// # Errors
    /// Its address has too many that are at work.
    pub(in crate::front) async fn take(
        self: &Arc<Self>,
        peer: IpAddr,
        trusted: bool,
    ) -> Result<Place, AddressFull> {
        let address = (!trusted).then(|| network_of(peer));
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.try_take(address)? {
                return Ok(place);
            }
            // One that was at work may be idle by now, of which nobody tells.
            tokio::select! {
                () = freed => {}
                () = clock::pause(LOOK_AGAIN) => {}
            }
        }
    }

    /// A place for a newcomer whose address has too many: as soon as one of them is idle.
    ///
    /// # Errors
    /// They stay at work, or too many newcomers wait already.
    pub(in crate::front) async fn take_soon(
        self: &Arc<Self>,
        peer: IpAddr,
    ) -> Result<Place, AddressFull> {
        let _waiting = self.waiting.try_acquire().map_err(|_| AddressFull)?;
        let taking = async {
            loop {
                clock::pause(LOOK_AGAIN).await;
                if let Ok(place) = self.take(peer, false).await {
                    return place;
                }
            }
        };
        timeout(PATIENCE, taking).await.map_err(|_| AddressFull)
    }

    fn try_take(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Option<Place>, AddressFull> {
        let mut table = self.table();
        let held = address.and_then(|address| table.by_address.get(&address).copied());
        if held.is_some_and(|held| held >= self.most_per_address) && !table.make_room(address) {
            return Err(AddressFull);
        }
        if table.taken() >= self.most && !table.make_room(None) {
            return Ok(None);
        }
        let activity = Arc::new(Activity::new());
        let slot = table.put(Guest { address, activity: Arc::clone(&activity) });
        Ok(Some(Place { places: Arc::clone(self), slot, activity }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn taken(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn put(&mut self, guest: Guest) -> usize {
        if let Some(address) = guest.address {
            *self.by_address.entry(address).or_default() += 1;
        }
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.slots.get_mut(slot)
        {
            *place = Some(guest);
            return slot;
        }
        self.slots.push(Some(guest));
        self.slots.len() - 1
    }

    fn remove(&mut self, slot: usize) -> Option<Guest> {
        let guest = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        if let Some(address) = guest.address
            && let Some(held) = self.by_address.get_mut(&address)
        {
            *held -= 1;
            if *held == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(guest)
    }

    /// Ends the idlest connection, of this address or of any. False where all are at work.
    fn make_room(&mut self, of: Option<IpAddr>) -> bool {
        let looked_at = self.slots.len().min(LOOKED_AT);
        let mut idlest: Option<(bool, Duration, usize)> = None;
        for step in 0..looked_at {
            let slot = (self.cursor + step) % self.slots.len();
            let Some(Some(guest)) = self.slots.get(slot) else { continue };
            if of.is_some() && guest.address != of {
                continue;
            }
            let Some(idle) = guest.activity.idle_for() else { continue };
            // A proxy's idle connections serve many: they go last.
            let rank = (guest.address.is_some(), idle, slot);
            idlest = idlest.max(Some(rank));
        }
        self.cursor += looked_at;
        match idlest.and_then(|(_, _, slot)| self.remove(slot)) {
            Some(guest) => {
                guest.activity.end();
                true
            }
            None => false,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        let ours = table.slots.get(self.slot).and_then(Option::as_ref);
        if ours.is_some_and(|guest| Arc::ptr_eq(&guest.activity, &self.activity)) {
            table.remove(self.slot);
            drop(table);
            self.places.freed.notify_one();
        }
    }
}

/// What counts as one address: a host that has IPv6 has a whole network of 64 bits.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

/// Among so many the idlest is looked for, so that newcomers in great number
/// do not cost more the more places there are.
const LOOKED_AT: usize = 4096;

const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// So many newcomers may wait for a place of their address, and for so long.
const MAX_WAITING: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::connection::activity::OpenRequest;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn is_ended(place: &Place) -> bool {
        let mut ending = std::pin::pin!(place.activity.asked_to_end());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        std::future::Future::poll(ending.as_mut(), &mut cx).is_ready()
    }

    #[tokio::test]
    async fn the_idlest_gives_way_and_whoever_is_at_work_never_does() {
        let places = Places::new(3, 3);
        let working = places.take(ONE, false).await.unwrap();
        let _request = OpenRequest::new(&working.activity);
        let older = places.take(ONE, false).await.unwrap();
        let newer = places.take(OTHER, false).await.unwrap();
        clock::pause(Duration::from_millis(5)).await;
        newer.activity.touch();
        let _newcomer = places.take(OTHER, false).await.unwrap();
        assert!(is_ended(&older) && !is_ended(&newer) && !is_ended(&working));
    }

    #[tokio::test]
    async fn one_address_takes_its_own_places_only_and_a_trusted_proxy_has_no_such_limit() {
        let places = Places::new(100, 2);
        let first = places.take(ONE, false).await.unwrap();
        let second = places.take(ONE, false).await.unwrap();
        let others = places.take(OTHER, false).await.unwrap();
        let third = places.take(ONE, false).await.unwrap();
        assert!([&first, &second].into_iter().filter(|place| is_ended(place)).count() == 1);
        assert!(!is_ended(&others));
        let kept = if is_ended(&first) { &second } else { &first };
        let _requests = [OpenRequest::new(&kept.activity), OpenRequest::new(&third.activity)];
        assert_eq!(places.take(ONE, false).await.unwrap_err(), AddressFull);
        let mut proxies = Vec::new();
        for _ in 0..10 {
            proxies.push(places.take(ONE, true).await.unwrap());
        }
        assert!(!proxies.iter().any(is_ended));
    }

    #[tokio::test]
    async fn where_all_are_at_work_a_newcomer_waits_for_one_to_end() {
        let places = Places::new(1, 1);
        let working = places.take(ONE, false).await.unwrap();
        let request = OpenRequest::new(&working.activity);
        let waits = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(OTHER, false).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        drop(request);
        drop(working);
        waits.await.unwrap().unwrap();
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let address = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:0:0:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), ONE);
    }
}
