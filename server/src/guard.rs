//! Who a request comes from, by its key.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use lattice_core::hash::sha256;
use lattice_core::view::KeyKind;
use lattice_core::{Code, Error};
use lattice_workspace::{AdminKey, Key, Reader, Store};
use subtle::ConstantTimeEq;

use crate::call::{Who, no_key};
use crate::operation::Scope;

/// Whether `text` is the admin key.
fn is_admin(key: &AdminKey, text: &str) -> bool {
    let (key, text) = (sha256(key.reveal().as_bytes()), sha256(text.as_bytes()));
    key.ct_eq(&text).into()
}

/// Who asks, as far as the header says; whether a key of a workspace opens anything, its store says.
pub(crate) fn who(
    scope: Scope,
    headers: &HeaderMap,
    admin: Option<&AdminKey>,
) -> Result<Who, Error> {
    if scope == Scope::Open {
        return Ok(Who::Anyone);
    }
    let text = bearer(headers).ok_or_else(no_key)?;
    match (scope, admin) {
        (Scope::Admin, Some(admin)) if is_admin(admin, text) => Ok(Who::Admin),
        (Scope::Admin, _) => Err(Error::new(
            Code::InvalidServiceKey,
            "this takes the admin key of the server",
        )
        .with_help("whoever runs the server has it, if it was started with one")),
        (Scope::Open | Scope::Agent | Scope::Service, _) => Key::parse(text).map(Who::Key),
    }
}

/// The key that a request offers, whatever for: [`Who::Anyone`] where it looks like an admin's and is not.
pub(crate) fn offered(headers: &HeaderMap, admin: Option<&AdminKey>) -> Option<Who> {
    let text = bearer(headers)?;
    if admin.is_some_and(|admin| is_admin(admin, text)) {
        return Some(Who::Admin);
    }
    if AdminKey::parse(text).is_ok() {
        return Some(Who::Anyone);
    }
    Key::parse(text).map(Who::Key).ok()
}

/// The one key in the header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    (more.is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(key.trim())
}

/// Whether the key opens nothing at all, as one that was guessed.
pub(crate) fn is_guess(who: &Who, store: &dyn Store) -> bool {
    match who {
        Who::Key(key) => match Reader::open(store, key, KeyKind::Agent, None) {
            Ok(_) => false,
            Err(error) => error.code() == Code::InvalidServiceKey,
        },
        Who::Anyone | Who::Admin => false,
    }
}

/// Looks the key up, before anything large is read for it.
pub(crate) fn check(scope: Scope, who: &Who, store: &dyn Store) -> Result<(), Error> {
    let need = match scope {
        Scope::Agent => KeyKind::Agent,
        Scope::Service => KeyKind::Service,
        Scope::Open | Scope::Admin => return Ok(()),
    };
    match who {
        Who::Key(key) => Reader::open(store, key, need, None).map(drop),
        Who::Anyone | Who::Admin => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_header_holds_one_key() {
        let key = format!("al_svc_dev_{}", "0f".repeat(32));
        let admin_text = format!("al_admin_{}", "0f".repeat(32));
        let admin = AdminKey::parse(&admin_text).unwrap();
        let who = |scope, values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            let who = super::who(scope, &headers, Some(&admin));
            who.map(|who| format!("{who:?}"))
                .map_err(|error| error.message().to_owned())
        };
        let bearer = format!("Bearer {key}");
        let as_admin = format!("bearer {admin_text}");
        let none = Err("the request has no key".to_owned());
        let other = Err("this takes the admin key of the server".to_owned());
        let rows: [(Scope, &[&str], Result<String, String>); 9] = [
            (Scope::Open, &[], Ok("Anyone".to_owned())),
            (
                Scope::Service,
                &[&bearer],
                Ok("Key(Key(Service))".to_owned()),
            ),
            (Scope::Service, &[], none.clone()),
            (Scope::Service, &[&key], none.clone()),
            (Scope::Service, &[&bearer, &bearer], none.clone()),
            (Scope::Service, &["Basic eDp5"], none.clone()),
            (Scope::Admin, &[&as_admin], Ok("Admin".to_owned())),
            (Scope::Admin, &[&bearer], other),
            (Scope::Admin, &[], none),
        ];
        for (scope, values, expected) in rows {
            assert_eq!(who(scope, values), expected, "{scope:?} {values:?}");
        }
        assert!(who(Scope::Service, &[&as_admin]).is_err());
    }
}
