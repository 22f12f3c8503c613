//! The proxy on the way to a server, as the environment names it.

use lattice_core::{Code, Error};
use ureq::Proxy;
use ureq::ProxyProtocol::{Http, Https};

/// Where a proxy is named, the first that is set.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// What is reached without it, likewise.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy to `https://` servers by the variables of an environment.
///
/// An exception is a host with all that is below it (`example.com`, `.example.com`, `*.example.com`), or `*`; commas stand
/// between them.
///
/// # Errors
///
/// `USAGE` where the variable is set and names none: what has to take a certain way does not silently take another. The
/// message never repeats its text, which may hold a password.
pub(super) fn proxy(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, Error> {
    let set = |name: &&'static str| {
        let text = variable(name)?;
        (!text.trim().is_empty()).then_some((*name, text))
    };
    let Some((name, url)) = VARIABLES.iter().find_map(set) else {
        return Ok(None);
    };
    let wrong = || {
        Error::new(Code::Usage, format!("{name} does not name a proxy of HTTP"))
            .with_help("write it as `http://[USER:PASSWORD@]HOST:PORT`")
    };
    let named = Proxy::new(url.trim()).map_err(|_| wrong())?;
    if !matches!(named.protocol(), Http | Https) || named.host().is_empty() {
        return Err(wrong());
    }
    let mut proxy = Proxy::builder(named.protocol())
        .host(named.host())
        .port(named.port());
    if let Some(user) = named.username() {
        proxy = proxy.username(user);
    }
    if let Some(password) = named.password() {
        proxy = proxy.password(password);
    }
    let exceptions = EXCEPTIONS.iter().find_map(set);
    let exceptions = exceptions.map(|(_, text)| text).unwrap_or_default();
    for exception in exceptions.split(',').map(str::trim) {
        let host = exception.trim_start_matches('*').trim_start_matches('.');
        proxy = match host {
            "" if exception == "*" => proxy.no_proxy("*"),
            "" => proxy,
            _ => proxy.no_proxy(host).no_proxy(&format!(".{host}")),
        };
    }
    proxy.build().map(Some).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn of(variables: Variables<'_>) -> Result<Option<Proxy>, Error> {
        proxy(|name| {
            let mut found = variables.iter().filter(|(known, _)| *known == name);
            found.next().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_is_set_names_it() {
        let none = "HTTPS_PROXY does not name a proxy of HTTP";
        let rows: [(Variables<'_>, Result<Option<&str>, &str>); 11] = [
            (&[], Ok(None)),
            (&[("HTTPS_PROXY", " ")], Ok(None)),
            // That is the way to `http://`, where keys do not go.
            (&[("HTTP_PROXY", "http://a:1")], Ok(None)),
            (
                &[("HTTPS_PROXY", "http://a:1"), ("ALL_PROXY", "http://b:2")],
                Ok(Some("a:1")),
            ),
            (
                &[("HTTPS_PROXY", ""), ("all_proxy", "https://b")],
                Ok(Some("b:443")),
            ),
            (&[("https_proxy", "a:3128")], Ok(Some("a:3128"))),
            (
                &[("HTTPS_PROXY", "http://user:p%40ss@a:1")],
                Ok(Some("user:p@ss@a:1")),
            ),
            (
                &[("HTTPS_PROXY", "socks5://a:1"), ("ALL_PROXY", "http://b:2")],
                Err(none),
            ),
            (&[("HTTPS_PROXY", "http://")], Err(none)),
            (&[("HTTPS_PROXY", "http://user:secret@")], Err(none)),
            (&[("HTTPS_PROXY", "no way:secret")], Err(none)),
        ];
        for (variables, expected) in rows {
            let found = of(variables).map(|found| {
                found.map(|proxy| {
                    let user = proxy.username().zip(proxy.password());
                    let user = user.map(|(user, password)| format!("{user}:{password}@"));
                    format!(
                        "{}{}:{}",
                        user.unwrap_or_default(),
                        proxy.host(),
                        proxy.port()
                    )
                })
            });
            let found = found.as_ref().map(Option::as_deref);
            assert_eq!(found.map_err(Error::message), expected, "{variables:?}");
        }
    }

    #[test]
    fn exceptions_are_hosts_with_all_below_them() {
        let rows = [
            ("example.com", "example.com", true),
            ("example.com", "a.b.example.com", true),
            ("example.com", "notexample.com", false),
            ("example.com", "example.com.evil", false),
            (".example.com", "a.example.com", true),
            ("*.example.com", "a.example.com", true),
            ("a.example , example.com", "EXAMPLE.com", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("*", "anything", true),
            ("", "example.com", false),
            (" , .", "example.com", false),
        ];
        for (exceptions, host, expected) in rows {
            let found = of(&[("HTTPS_PROXY", "http://a:1"), ("no_proxy", exceptions)]);
            let uri = format!("https://{host}/").parse().unwrap();
            let found = found.unwrap().unwrap().is_no_proxy(&uri);
            assert_eq!(found, expected, "{exceptions:?} {host}");
        }
    }
}
