//! The `value` of a comparison: read, checked and made ready for its operator.

use std::fmt::Arguments;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use semver::Version;

use crate::decode::{excerpt, found, is_null, number, scalar, string, wrong_type};
use crate::findings::Sink;
use crate::limits::LIST_ITEMS;
use crate::value::{Operand, Scalar};
use crate::yaml::{Kind as NodeKind, Node};

use super::Refusal;
use super::expected::{Expected, Test, texts};
use super::fold::Folded;
use super::operator::{Kind, Operator};
use super::parse::Parser;

impl Parser<'_, '_> {
    /// Reads the value of an operator that takes one; what is wrong with it is reported.
    pub(super) fn operand(&mut self, operator: Operator, node: &Node<'_>) -> Option<Expected> {
        let what = format_args!("`value` of `{}`", operator.name());
        if is_null(node) {
            let help = "ask whether a field is null with `is_null`";
            self.sink
                .error_help(node.span, format!("{what} is `null`"), help);
            return None;
        }
        self.expected(operator.kind(), node, what)
    }

    fn expected(&mut self, kind: Kind, node: &Node<'_>, what: Arguments<'_>) -> Option<Expected> {
        Some(match kind {
            Kind::Not(positive) => return self.expected(positive.kind(), node, what),
            Kind::Presence | Kind::Bare(_) => Expected::Nothing,
            Kind::Scalar(_) => {
                let scalar = scalar(node, what, self.sink)?;
                Expected::Plain(Operand::Scalar(scalar))
            }
            Kind::Scalars(_) => {
                let element = |node: &Node<'_>, what: Arguments<'_>, sink: &mut Sink<'_>| {
                    scalar(node, what, sink)
                };
                Expected::Plain(Operand::List(self.list(node, what, element)?))
            }
            Kind::Number(_) => {
                let number = number(node, what, self.sink)?;
                Expected::Plain(Operand::Scalar(Scalar::Number(number)))
            }
            Kind::Text(_) => Expected::Plain(one(string(node, what, self.sink)?)),
            Kind::Pattern(syntax) => {
                let text = string(node, what, self.sink)?;
                let matcher = self.patterns.compile(syntax, text);
                match self.accept(matcher, node)? {
                    None => Expected::Plain(one(text)),
                    Some(matcher) => {
                        self.spend_on_pattern(matcher.size(), node.span);
                        Expected::made(one(text), Test::Text(matcher))
                    }
                }
            }
            Kind::Folded(holds) => {
                let text = string(node, what, self.sink)?;
                let folded = Box::new([Folded::new(text)]);
                Expected::made(one(text), Test::Folded(holds, folded))
            }
            Kind::FoldedAny(holds) => {
                let list = self.list(node, what, text)?;
                let folded = texts(&list).map(Folded::new).collect();
                Expected::made(Operand::List(list), Test::Folded(holds, folded))
            }
            Kind::Time(holds) => {
                let text = string(node, what, self.sink)?;
                let time = text.parse::<Timestamp>().map_err(|_| {
                    Refusal::new(
                        format!("`{}` is not an RFC 3339 time", excerpt(text)),
                        "write it as in \"2026-04-01T10:30:00Z\"",
                    )
                });
                Expected::made(one(text), Test::Time(holds, self.accept(time, node)?))
            }
            Kind::Version(holds) => {
                let text = string(node, what, self.sink)?;
                let version = text.parse::<Version>().map_err(|_| {
                    Refusal::new(
                        format!("`{}` is not a semantic version", excerpt(text)),
                        "write it as in \"1.2.3\" or \"1.2.3-rc.1\"",
                    )
                });
                Expected::made(one(text), Test::Version(holds, self.accept(version, node)?))
            }
            Kind::Networks => self.networks(node, what)?,
        })
    }

    /// A non-empty list of scalars of one type, sorted and without repeats.
    fn list(
        &mut self,
        node: &Node<'_>,
        what: Arguments<'_>,
        element: impl Fn(&Node<'_>, Arguments<'_>, &mut Sink<'_>) -> Option<Scalar>,
    ) -> Option<Box<[Scalar]>> {
        let NodeKind::List(nodes) = &node.kind else {
            if let NodeKind::Scalar(_) = &node.kind {
                let message = format!("{what} must be a list, found {}", found(node));
                let help = "put it in brackets: `value: [one, two]`";
                self.sink.error_help(node.span, message, help);
            } else {
                let help = "put the values in brackets: `value: [one, two]`";
                wrong_type(node, &format!("{what} must be a list"), help, self.sink);
            }
            return None;
        };
        if nodes.is_empty() {
            if !self.is_cut(node) {
                let help = "list at least one value";
                self.sink
                    .error_help(node.span, format!("{what} is an empty list"), help);
            }
            return None;
        }
        self.count_items(nodes.len(), node);
        let mut list: Vec<Scalar> = Vec::with_capacity(nodes.len());
        // The first element that is not of the type of the first.
        let mut other = None;
        for node in nodes {
            if let Some(scalar) = element(node, format_args!("an element of {what}"), self.sink) {
                let is_other = |first: &Scalar| first.kind_of() != scalar.kind_of();
                if other.is_none() && list.first().is_some_and(is_other) {
                    other = Some((node, scalar.kind()));
                }
                list.push(scalar);
            }
        }
        let complete = list.len() == nodes.len();
        if let (Some(first), Some((node, kind))) = (list.first(), other) {
            let message = format!(
                "the elements of {what} are of several types: {kind} after {}",
                first.kind()
            );
            let help = "use one type; quote a number or a boolean to make it text";
            self.sink.error_help(node.span, message, help);
            return None;
        }
        list.sort_unstable();
        list.dedup();
        complete.then(|| list.into())
    }

    /// Counts the elements of all lists against the limit, which is reported once.
    fn count_items(&mut self, items: usize, node: &Node<'_>) {
        let before = self.items;
        self.items += items;
        if before <= LIST_ITEMS && self.items > LIST_ITEMS {
            self.sink.error_help(
                node.span,
                format!("the lists of the conditions hold more than {LIST_ITEMS} elements"),
                "split the policy, or use a pattern",
            );
        }
    }

    fn networks(&mut self, node: &Node<'_>, what: Arguments<'_>) -> Option<Expected> {
        let operand = if let NodeKind::List(_) = &node.kind {
            Operand::List(self.list(node, what, cidr)?)
        } else {
            Operand::Scalar(cidr(node, what, self.sink)?)
        };
        let networks = texts(operand.scalars()).map(network);
        let networks = networks.collect::<Result<_, _>>().ok()?;
        Some(Expected::made(operand, Test::Networks(networks)))
    }

    /// What was made of a value, or its refusal, reported at the value.
    pub(super) fn accept<T>(&mut self, made: Result<T, Refusal>, node: &Node<'_>) -> Option<T> {
        made.map_err(|refusal| {
            self.sink
                .error_help(node.span, refusal.message, refusal.help);
        })
        .ok()
    }
}

/// A string as a scalar.
fn text(node: &Node<'_>, what: Arguments<'_>, sink: &mut Sink<'_>) -> Option<Scalar> {
    string(node, what, sink).map(|text| Scalar::String(text.into()))
}

/// A network as a scalar, which keeps the spelling.
fn cidr(node: &Node<'_>, what: Arguments<'_>, sink: &mut Sink<'_>) -> Option<Scalar> {
    let text = string(node, what, sink)?;
    match network(text) {
        Ok(_) => Some(Scalar::String(text.into())),
        Err(refusal) => {
            sink.error_help(node.span, refusal.message, refusal.help);
            None
        }
    }
}

fn one(text: &str) -> Operand {
    Operand::Scalar(Scalar::String(text.into()))
}

/// A network in CIDR notation, its host bits zero. IPv4 inside IPv6 is read as IPv4.
fn network(text: &str) -> Result<IpNet, Refusal> {
    let refusal = |help: String| Refusal::new(format!("`{}` is not a CIDR", excerpt(text)), help);
    let general = || "write an address and a prefix length, as in `10.0.0.0/8`".to_owned();
    let Some((address, prefix)) = text.split_once('/') else {
        return Err(match text.parse::<IpAddr>() {
            Ok(address) => refusal(format!(
                "write `{}` for the one address",
                IpNet::from(address)
            )),
            Err(_) => refusal(general()),
        });
    };
    let address: IpAddr = address.parse().map_err(|_| refusal(general()))?;
    let is_decimal = !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_digit())
        && (prefix == "0" || !prefix.starts_with('0'));
    let length = prefix.parse::<u8>().ok().filter(|_| is_decimal);
    let network = length
        .and_then(|length| IpNet::new(address, length).ok())
        .ok_or_else(|| {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            refusal(format!("write a prefix length from 0 to {longest}"))
        })?;
    if network.trunc() != network {
        return Err(Refusal::new(
            format!("`{}` has host bits set", excerpt(text)),
            format!("write `{}`", network.trunc()),
        ));
    }
    Ok(as_ipv4(network).map_or(network, IpNet::V4))
}

/// The IPv4 network that an IPv6 one of mapped addresses stands for.
fn as_ipv4(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else {
        return None;
    };
    let address = network.addr().to_ipv4_mapped()?;
    let length = network.prefix_len().checked_sub(96)?;
    Ipv4Net::new(address, length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let rows = [
            ("10.0.0.0/8", Ok("10.0.0.0/8")),
            ("0.0.0.0/0", Ok("0.0.0.0/0")),
            ("10.1.2.3/32", Ok("10.1.2.3/32")),
            ("2001:db8::/32", Ok("2001:db8::/32")),
            ("::/0", Ok("::/0")),
            ("::ffff:10.0.0.0/104", Ok("10.0.0.0/8")),
            ("::ffff:0.0.0.0/96", Ok("0.0.0.0/0")),
            ("::ffff:0.0.0.0/95", Err("write `::fffe:0:0/95`")),
            ("10.0.0.1/8", Err("write `10.0.0.0/8`")),
            ("2001:db8::1/32", Err("write `2001:db8::/32`")),
            ("10.0.0.1", Err("write `10.0.0.1/32` for the one address")),
            ("10.0.0.0/33", Err("write a prefix length from 0 to 32")),
            ("10.0.0.0/08", Err("write a prefix length from 0 to 32")),
            ("10.0.0.0/+8", Err("write a prefix length from 0 to 32")),
            ("::/129", Err("write a prefix length from 0 to 128")),
            (
                "010.0.0.0/8",
                Err("write an address and a prefix length, as in `10.0.0.0/8`"),
            ),
            (
                "fe80::1%eth0/64",
                Err("write an address and a prefix length, as in `10.0.0.0/8`"),
            ),
            (
                "nonsense",
                Err("write an address and a prefix length, as in `10.0.0.0/8`"),
            ),
        ];
        for (text, expected) in rows {
            let made = network(text);
            let made = made
                .map(|network| network.to_string())
                .map_err(|refusal| refusal.help);
            assert_eq!(
                made,
                expected.map(str::to_owned).map_err(str::to_owned),
                "{text}"
            );
        }
    }
}
