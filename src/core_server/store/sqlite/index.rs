//! Where rows are: what the writer knows of the file without reading it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::core_server::store::{End, Record};
use crate::wire::{SessionKey, User};

/// The file's content by its keys, as of the last commit.
///
/// Keys are known here by their first eight bytes, a fifth of the space. Two with the
/// same beginning count as one when a session is opened, which chance does not bring
/// about; rows are changed only where the whole key is right.
#[derive(Debug, Default)]
pub(super) struct Index {
    sessions: HashMap<u64, i64>,
    ended: HashSet<u64>,
    users: Users,
    next_session: i64,
}

/// Users by the shared content that is in memory for them: it is held here, so its
/// address stays its own.
#[derive(Debug, Default)]
struct Users {
    places: HashMap<usize, i64>,
    held: HashMap<i64, Held>,
    next: i64,
}

#[derive(Debug)]
struct Held {
    /// `None`: a newer version wrote the row, and this one does not read it.
    user: Option<Arc<User>>,
    sessions: usize,
}

impl Index {
    pub(super) fn add_user(&mut self, place: i64, user: Option<Arc<User>>) {
        if let Some(user) = &user {
            self.users.places.insert(address(user), place);
        }
        self.users.held.insert(place, Held { user, sessions: 0 });
        self.users.next = self.users.next.max(place + 1);
    }

    /// The content of a user: `None` where there is no such row, `Some(None)` where this
    /// version does not read it.
    pub(super) fn user(&self, place: i64) -> Option<Option<&Arc<User>>> {
        self.users.held.get(&place).map(|held| held.user.as_ref())
    }

    pub(super) fn add_session(&mut self, key: &SessionKey, place: i64, user: i64) {
        self.sessions.insert(beginning(key), place);
        self.next_session = self.next_session.max(place + 1);
        if let Some(held) = self.users.held.get_mut(&user) {
            held.sessions += 1;
        }
    }

    pub(super) fn add_end(&mut self, key: &SessionKey) {
        self.ended.insert(beginning(key));
    }

    fn remove_session(&mut self, key: &SessionKey, user: i64) {
        self.sessions.remove(&beginning(key));
        if let Some(held) = self.users.held.get_mut(&user) {
            held.sessions = held.sessions.saturating_sub(1);
        }
    }

    fn remove_user(&mut self, place: i64) {
        if let Some(Held { user: Some(user), .. }) = self.users.held.remove(&place) {
            self.users.places.remove(&address(&user));
        }
    }
}

/// What a transaction changes in the index once it is committed.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    index: &'a Index,
    opened: HashMap<u64, Opened>,
    ended: HashSet<u64>,
    removed: Vec<(SessionKey, i64)>,
    users: HashMap<usize, (i64, Arc<User>)>,
    next_session: i64,
    next_user: i64,
}

#[derive(Debug)]
struct Opened {
    key: SessionKey,
    place: i64,
    user: i64,
}

/// Where a user is.
pub(super) enum At {
    /// In the file already, or in this transaction.
    Known(i64),
    /// Nowhere: the row must be written there.
    New(i64),
}

impl<'a> Draft<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        Self {
            index,
            opened: HashMap::new(),
            ended: HashSet::new(),
            removed: Vec::new(),
            users: HashMap::new(),
            next_session: index.next_session,
            next_user: index.users.next,
        }
    }

    /// Where the session of a key was at the last commit.
    pub(super) fn session(&self, key: &SessionKey) -> Option<i64> {
        self.index.sessions.get(&beginning(key)).copied()
    }

    /// Notes an end; `false`: it is noted already.
    pub(super) fn end(&mut self, end: &End) -> bool {
        !self.index.ended.contains(&beginning(&end.key)) && self.ended.insert(beginning(&end.key))
    }

    /// A session's row was deleted, which named that user.
    pub(super) fn removed(&mut self, key: SessionKey, user: i64) {
        self.removed.push((key, user));
    }

    /// The place for a new session; `None`: its key is taken.
    pub(super) fn place(&self, key: &SessionKey) -> Option<i64> {
        let taken = self.index.sessions.contains_key(&beginning(key))
            || self.opened.contains_key(&beginning(key))
            || self.is_ended(key);
        (!taken).then_some(self.next_session)
    }

    pub(super) fn opened(&mut self, record: &Record, place: i64, user: i64) {
        self.opened.insert(beginning(&record.key), Opened { key: record.key, place, user });
        self.next_session = place + 1;
    }

    /// Where the user of a new session is.
    pub(super) fn user(&mut self, user: &Arc<User>) -> At {
        if let Some(place) = self.index.users.places.get(&address(user)) {
            return At::Known(*place);
        }
        if let Some((place, _)) = self.users.get(&address(user)) {
            return At::Known(*place);
        }
        let place = self.next_user;
        self.next_user += 1;
        self.users.insert(address(user), (place, Arc::clone(user)));
        At::New(place)
    }

    /// Users whose last session this transaction ends.
    pub(super) fn forgotten(&self) -> Vec<i64> {
        let stored = |user| self.index.users.held.get(&user).map_or(0, |held| held.sessions);
        let mut left: HashMap<i64, usize> = HashMap::new();
        for &(_, user) in &self.removed {
            let left = left.entry(user).or_insert_with(|| stored(user));
            *left = left.saturating_sub(1);
        }
        left.retain(|_, left| *left == 0);
        if !left.is_empty() {
            for opened in self.opened.values() {
                left.remove(&opened.user);
            }
        }
        left.into_keys().collect()
    }

    fn is_ended(&self, key: &SessionKey) -> bool {
        self.index.ended.contains(&beginning(key)) || self.ended.contains(&beginning(key))
    }

    /// What is to be done to the index now that it is on the disk.
    pub(super) fn commit(self, over: Vec<SessionKey>) -> Committed {
        let forgotten = self.forgotten();
        let Self { opened, ended, removed, users, .. } = self;
        Committed { opened, ended, removed, users, forgotten, over }
    }
}

/// A draft whose transaction is committed.
#[derive(Debug)]
pub(super) struct Committed {
    opened: HashMap<u64, Opened>,
    ended: HashSet<u64>,
    removed: Vec<(SessionKey, i64)>,
    users: HashMap<usize, (i64, Arc<User>)>,
    forgotten: Vec<i64>,
    /// Ends that are forgotten.
    over: Vec<SessionKey>,
}

impl Index {
    pub(super) fn apply(&mut self, committed: Committed) {
        for (place, user) in committed.users.into_values() {
            self.add_user(place, Some(user));
        }
        for Opened { key, place, user } in committed.opened.into_values() {
            self.add_session(&key, place, user);
        }
        for (key, user) in committed.removed {
            self.remove_session(&key, user);
        }
        for user in committed.forgotten {
            self.remove_user(user);
        }
        self.ended.extend(committed.ended);
        for key in committed.over {
            self.ended.remove(&beginning(&key));
        }
    }
}

fn beginning(key: &SessionKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn address(user: &Arc<User>) -> usize {
    Arc::as_ptr(user).addr()
}
