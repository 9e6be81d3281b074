use super::*;
use crate::core_server::store::suite::{self, Place};

impl Place for Memory {
    fn open(&self) -> Box<dyn Store> {
        self.shared().room = None;
        Box::new(self.again())
    }

    fn open_small(&self) -> Box<dyn Store> {
        self.shared().room = Some(300);
        Box::new(self.again())
    }
}

suite::suite!(holds, Memory::default());

/// Each rule is missed where it is not held.
macro_rules! without {
    ($($fault:ident: $rule:ident,)*) => {$(
        #[tokio::test]
        #[should_panic(expected = "assertion")]
        async fn $rule() {
            suite::$rule(&Memory::with(Fault::$fault)).await;
        }
    )*};
}

mod misses {
    use super::*;

    without! {
        NewestFirst: what_is_opened_is_loaded_in_that_order,
        CopiesUsers: sessions_of_one_user_share_it,
        OpensTwice: no_key_is_opened_twice,
        NoTombstones: an_end_wins_over_what_is_opened_later,
        TombstonesOfKnownOnly: an_end_wins_also_where_the_session_never_was,
        LastEndCounts: the_first_end_of_a_session_is_the_one_that_counts,
        UseRevives: a_use_after_the_end_brings_nothing_back,
        LastUseCounts: the_latest_use_counts_in_whatever_order_they_come,
        KeepsAllEnds: an_end_is_forgotten_when_nothing_can_bring_the_session_back,
        LosesLazyEnds: what_is_on_its_way_when_a_store_closes_is_written,
        OpensHalf: a_batch_is_opened_as_a_whole_or_not_at_all,
        FullForEnds: a_full_store_takes_ends_and_goes_on_when_there_is_room,
    }
}
