//! The calls into MIT's libkrb5 that ask a KDC what it knows, and that compare a real ticket with
//! a keytab. Nothing is written: tickets are in memory caches of this process.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::layout::{Creds, Data, ErrorHead, TicketHead};
use super::{Context, Failure, Keytab, Options, Principal, printable};

/// What a KDC answered instead of a ticket (RFC 4120 section 5.9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::krb5::kdc) struct Said {
    /// The error, by the numbers of RFC 4120 section 7.5.9.
    pub(in crate::krb5::kdc) code: u32,
    /// The KDC's clock: seconds since 1970, good until 2106.
    pub(in crate::krb5::kdc) at: u32,
}

impl Context {
    /// Asks for an initial ticket for `service` (without it: for the KDC itself) with
    /// no key at all, so that no account has a failed sign-on by it. `None`: the KDC
    /// gave the ticket, to somebody who cannot open it.
    pub(in crate::krb5::kdc) fn ask(
        &self,
        client: &Principal<'_>,
        service: Option<&CStr>,
    ) -> Result<Option<Said>, Failure> {
        let no_keys = self.keytab(c"MEMORY:doorward-no-keys")?;
        let initial = Initial::new(self, client, &no_keys)?;
        if let Some(service) = service {
            initial.want(service)?;
        }
        match (initial.get(), initial.said()) {
            (_, Some(said)) => Ok(Some(said)),
            (Err(failure), None) if failure.code != KT_NOTFOUND => Err(failure),
            _ => Ok(None),
        }
    }

    /// Gets a ticket-granting ticket by a key of `keytab`, and keeps it in `cache`.
    pub(in crate::krb5::kdc) fn fill_by_key(
        &self,
        cache: &CStr,
        client: &Principal<'_>,
        keytab: &Keytab<'_>,
    ) -> Result<(), Failure> {
        let initial = Initial::new(self, client, keytab)?;
        initial.get()?;
        let mut ticket = super::Ticket(self, Box::default());
        // SAFETY: the exchange is finished; the place is large enough for a krb5_creds.
        let code = unsafe { krb5_init_creds_get_creds(self.0, initial.1, ticket.1.place()) };
        self.check(code)?;
        self.cache(cache)?.keep(client, ticket.1.place())
    }

    /// Copies the ticket-granting ticket of the default cache, and says whose it is.
    pub(in crate::krb5::kdc) fn fill_by_caller(&self, cache: &CStr) -> Result<String, Failure> {
        let mut default = Cache(self, ptr::null_mut());
        // SAFETY: the context is valid; `default.1` is a place for one handle.
        let code = unsafe { krb5_cc_default(self.0, &mut default.1) };
        self.check(code)?;
        let mut client = Principal(self, ptr::null_mut());
        // SAFETY: both handles are valid; `client.1` is a place for one handle.
        let code = unsafe { krb5_cc_get_principal(self.0, default.1, &mut client.1) };
        self.check(code)?;
        let name = client.name()?;
        let realm = name.rsplit_once('@').map_or("", |(_, realm)| realm);
        let granting = super::text(&format!("krbtgt/{realm}@{realm}")).unwrap_or_default();
        let granting = self.principal(&granting)?;
        let ticket = default.credentials(&client, &granting, GC_CACHED)?;
        self.cache(cache)?.keep(&client, ticket.1)?;
        Ok(name)
    }

    /// Gets a ticket for `service` by the ticket-granting ticket in `cache`.
    pub(in crate::krb5::kdc) fn ticket_for(
        &self,
        cache: &CStr,
        service: &Principal<'_>,
    ) -> Result<ServiceTicket<'_>, Failure> {
        let cache = self.cache(cache)?;
        let mut client = Principal(self, ptr::null_mut());
        // SAFETY: both handles are valid; `client.1` is a place for one handle.
        let code = unsafe { krb5_cc_get_principal(self.0, cache.1, &mut client.1) };
        self.check(code)?;
        let given = cache.credentials(&client, service, 0)?;
        let mut ticket = ServiceTicket(self, ptr::null_mut());
        // SAFETY: the library gave a krb5_creds; its ticket is only read;
        // `ticket.1` is a place for one pointer.
        let code = unsafe { krb5_decode_ticket(&(*given.1.cast::<Creds>()).ticket, &mut ticket.1) };
        self.check(code)?;
        Ok(ticket)
    }

    /// The encryption types that krb5.conf permits, by number.
    pub(in crate::krb5::kdc) fn permitted(&self) -> Result<Vec<i32>, Failure> {
        let mut list = ptr::null_mut();
        // SAFETY: the context is valid; `list` is a place for one pointer.
        let code = unsafe { krb5_get_permitted_enctypes(self.0, &mut list) };
        self.check(code)?;
        let mut permitted = Vec::new();
        let mut at = list;
        // SAFETY: the library gives an array of numbers that ends with 0.
        while !at.is_null() && unsafe { *at } != 0 {
            // SAFETY: as above; this entry is not the last.
            unsafe {
                permitted.push(*at);
                at = at.add(1);
            }
        }
        // SAFETY: the array came from the call above, and is not used again.
        unsafe { krb5_free_enctypes(self.0, list) };
        Ok(permitted)
    }

    /// `default_realm` of krb5.conf, or what the library takes for it.
    pub(in crate::krb5::kdc) fn default_realm(&self) -> Result<String, Failure> {
        let mut realm = ptr::null_mut();
        // SAFETY: the context is valid; `realm` is a place for one string.
        let code = unsafe { krb5_get_default_realm(self.0, &mut realm) };
        self.check(code)?;
        // SAFETY: after success it is a string that ends with NUL, until it is given back.
        let text = printable(unsafe { CStr::from_ptr(realm) });
        // SAFETY: it came from the call above, and is not used again.
        unsafe { krb5_free_default_realm(self.0, realm) };
        Ok(text)
    }

    fn cache(&self, name: &CStr) -> Result<Cache<'_>, Failure> {
        let mut cache = Cache(self, ptr::null_mut());
        // SAFETY: context and name are valid; `cache.1` is a place for one handle.
        let code = unsafe { krb5_cc_resolve(self.0, name.as_ptr(), &mut cache.1) };
        self.check(code)?;
        Ok(cache)
    }
}

impl Principal<'_> {
    fn name(&self) -> Result<String, Failure> {
        let mut name = ptr::null_mut();
        // SAFETY: context and principal are valid; `name` is a place for one string.
        let code = unsafe { krb5_unparse_name(self.0.0, self.1, &mut name) };
        self.0.check(code)?;
        // SAFETY: after success it is a string that ends with NUL, until it is given back.
        let text = printable(unsafe { CStr::from_ptr(name) });
        // SAFETY: it came from the call above, and is not used again.
        unsafe { krb5_free_unparsed_name(self.0.0, name) };
        Ok(text)
    }
}

/// An exchange for an initial ticket, and what it holds on to.
struct Initial<'a>(&'a Context, *mut c_void, Options<'a>, &'a Keytab<'a>);

impl<'a> Initial<'a> {
    fn new(
        context: &'a Context,
        client: &Principal<'_>,
        keytab: &'a Keytab<'a>,
    ) -> Result<Self, Failure> {
        let mut initial = Self(context, ptr::null_mut(), Options::short(context)?, keytab);
        // SAFETY: all handles are valid and of one context; there is no prompter;
        // the options live as long as the exchange; `initial.1` is a place for one
        // handle.
        let code = unsafe {
            krb5_init_creds_init(
                context.0,
                client.1,
                ptr::null(),
                ptr::null_mut(),
                0,
                initial.2.1,
                &mut initial.1,
            )
        };
        context.check(code)?;
        // Without any source of keys the library would call through a null pointer. It
        // sets the source before it looks for keys of the client, and complains if it
        // finds none; whoever asks without keys means that.
        // SAFETY: all handles are valid; the keytab lives as long as the exchange.
        let code = unsafe { krb5_init_creds_set_keytab(context.0, initial.1, initial.3.1) };
        if code != KT_NOTFOUND {
            context.check(code)?;
        }
        Ok(initial)
    }

    fn want(&self, service: &CStr) -> Result<(), Failure> {
        // SAFETY: both handles are valid; the name is copied.
        let code = unsafe { krb5_init_creds_set_service(self.0.0, self.1, service.as_ptr()) };
        self.0.check(code)
    }

    fn get(&self) -> Result<(), Failure> {
        // SAFETY: both handles are valid.
        let code = unsafe { krb5_init_creds_get(self.0.0, self.1) };
        self.0.check(code)
    }

    /// The KDC's last error.
    fn said(&self) -> Option<Said> {
        let mut error: *mut ErrorHead = ptr::null_mut();
        // SAFETY: both handles are valid; `error` is a place for one pointer.
        let code = unsafe { krb5_init_creds_get_error(self.0.0, self.1, &mut error) };
        if code != 0 || error.is_null() {
            return None;
        }
        // SAFETY: the library gave a krb5_error, which begins with these fields.
        let said = unsafe { Said { code: (*error).error, at: (*error).stime } };
        // SAFETY: it came from the call above, and is not used again.
        unsafe { krb5_free_error(self.0.0, error) };
        Some(said)
    }
}

impl Drop for Initial<'_> {
    fn drop(&mut self) {
        if !self.1.is_null() {
            // SAFETY: the handle is ours, and is not used again.
            unsafe { krb5_init_creds_free(self.0.0, self.1) };
        }
    }
}

/// A cache of tickets.
struct Cache<'a>(&'a Context, *mut c_void);

impl<'a> Cache<'a> {
    /// Begins the cache anew, with one ticket.
    fn keep(&self, client: &Principal<'_>, ticket: *mut c_void) -> Result<(), Failure> {
        // SAFETY: all handles are valid; the principal is copied.
        let code = unsafe { krb5_cc_initialize(self.0.0, self.1, client.1) };
        self.0.check(code)?;
        // SAFETY: `ticket` is a krb5_creds that the library filled; it is copied.
        let code = unsafe { krb5_cc_store_cred(self.0.0, self.1, ticket) };
        self.0.check(code)
    }

    fn credentials(
        &self,
        client: &Principal<'_>,
        service: &Principal<'_>,
        flags: i32,
    ) -> Result<Given<'a>, Failure> {
        let mut wanted = Creds::between(client, service);
        let mut given = Given(self.0, ptr::null_mut());
        // SAFETY: all handles are valid; `wanted` is a krb5_creds that names two
        // principals, is only read and outlives the call; `given.1` is a place for
        // one pointer.
        let code = unsafe {
            krb5_get_credentials(
                self.0.0,
                flags,
                self.1,
                ptr::from_mut(&mut wanted).cast(),
                &mut given.1,
            )
        };
        self.0.check(code)?;
        Ok(given)
    }
}

impl Drop for Cache<'_> {
    fn drop(&mut self) {
        if !self.1.is_null() {
            // SAFETY: the handle is ours, and is not used again. What it names stays.
            unsafe { krb5_cc_close(self.0.0, self.1) };
        }
    }
}

/// Credentials that the library made.
struct Given<'a>(&'a Context, *mut c_void);

impl Drop for Given<'_> {
    fn drop(&mut self) {
        // SAFETY: they are ours, or null, which the call allows.
        unsafe { krb5_free_creds(self.0.0, self.1) };
    }
}

/// A ticket for a service.
pub(in crate::krb5::kdc) struct ServiceTicket<'a>(&'a Context, *mut TicketHead);

impl ServiceTicket<'_> {
    /// The version of the key by which it was made.
    pub(in crate::krb5::kdc) fn kvno(&self) -> u32 {
        // SAFETY: the library made it, and it begins with these fields.
        unsafe { (*self.1).kvno }
    }

    /// The type of its encryption.
    pub(in crate::krb5::kdc) fn enctype(&self) -> i32 {
        // SAFETY: as above.
        unsafe { (*self.1).enctype }
    }

    /// Whether a key of the keytab opens it, whosever it is: an acceptor tries them all.
    pub(in crate::krb5::kdc) fn opens(&self, keytab: &Keytab<'_>) -> bool {
        // SAFETY: all handles are valid and of one context.
        unsafe { krb5_server_decrypt_ticket_keytab(self.0.0, keytab.1, self.1) == 0 }
    }
}

impl Drop for ServiceTicket<'_> {
    fn drop(&mut self) {
        // SAFETY: it is ours, or null, which the call allows.
        unsafe { krb5_free_ticket(self.0.0, self.1) };
    }
}

#[link(name = "krb5")]
// SAFETY: the signatures are those of krb5.h, with opaque handles.
unsafe extern "C" {
    fn krb5_init_creds_init(
        context: *mut c_void,
        client: *mut c_void,
        prompter: *const c_void,
        data: *mut c_void,
        start: i32,
        options: *mut c_void,
        initial: *mut *mut c_void,
    ) -> i32;
    fn krb5_init_creds_free(context: *mut c_void, initial: *mut c_void);
    fn krb5_init_creds_set_keytab(
        context: *mut c_void,
        initial: *mut c_void,
        keytab: *mut c_void,
    ) -> i32;
    fn krb5_init_creds_set_service(
        context: *mut c_void,
        initial: *mut c_void,
        service: *const c_char,
    ) -> i32;
    fn krb5_init_creds_get(context: *mut c_void, initial: *mut c_void) -> i32;
    fn krb5_init_creds_get_creds(
        context: *mut c_void,
        initial: *mut c_void,
        credentials: *mut c_void,
    ) -> i32;
    fn krb5_init_creds_get_error(
        context: *mut c_void,
        initial: *mut c_void,
        error: *mut *mut ErrorHead,
    ) -> i32;
    fn krb5_free_error(context: *mut c_void, error: *mut ErrorHead);
    fn krb5_cc_default(context: *mut c_void, cache: *mut *mut c_void) -> i32;
    fn krb5_cc_resolve(context: *mut c_void, name: *const c_char, cache: *mut *mut c_void)
    -> c_int;
    pub(super) fn krb5_cc_initialize(
        context: *mut c_void,
        cache: *mut c_void,
        client: *mut c_void,
    ) -> i32;
    pub(super) fn krb5_cc_store_cred(
        context: *mut c_void,
        cache: *mut c_void,
        ticket: *mut c_void,
    ) -> i32;
    fn krb5_cc_get_principal(
        context: *mut c_void,
        cache: *mut c_void,
        client: *mut *mut c_void,
    ) -> i32;
    fn krb5_cc_close(context: *mut c_void, cache: *mut c_void) -> i32;
    pub(super) fn krb5_get_credentials(
        context: *mut c_void,
        flags: i32,
        cache: *mut c_void,
        wanted: *mut c_void,
        given: *mut *mut c_void,
    ) -> i32;
    pub(super) fn krb5_free_creds(context: *mut c_void, credentials: *mut c_void);
    fn krb5_decode_ticket(encoded: *const Data, ticket: *mut *mut TicketHead) -> i32;
    fn krb5_free_ticket(context: *mut c_void, ticket: *mut TicketHead);
    fn krb5_server_decrypt_ticket_keytab(
        context: *mut c_void,
        keytab: *mut c_void,
        ticket: *mut TicketHead,
    ) -> i32;
    fn krb5_get_permitted_enctypes(context: *mut c_void, list: *mut *mut i32) -> i32;
    fn krb5_free_enctypes(context: *mut c_void, list: *mut i32);
    fn krb5_get_default_realm(context: *mut c_void, realm: *mut *mut c_char) -> i32;
    fn krb5_free_default_realm(context: *mut c_void, realm: *mut c_char);
    fn krb5_unparse_name(
        context: *mut c_void,
        principal: *mut c_void,
        name: *mut *mut c_char,
    ) -> i32;
    fn krb5_free_unparsed_name(context: *mut c_void, name: *mut c_char);
}

/// `KRB5_GC_CACHED`: only what the cache has.
const GC_CACHED: i32 = 2;
/// `KRB5_KT_NOTFOUND`: the keytab has no key of the client.
const KT_NOTFOUND: i32 = -1_765_328_203;
