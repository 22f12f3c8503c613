//! HTML that escapes by construction: tags and attribute names are the program's own, all else is text.

use std::fmt::Write as _;

use super::{room, safe};

/// What may load or run in a document: nothing but its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A piece of a document, with every element closed.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// Names and values of attributes.
type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// A piece that `write` writes.
    pub(super) fn new(write: impl FnOnce(&mut Self)) -> Self {
        let mut html = Self::default();
        write(&mut html);
        html
    }

    /// A whole document: self-contained, without script.
    pub(super) fn document(title: &str, style: &'static str, body: impl FnOnce(&mut Self)) -> Self {
        Self::new(|html| {
            html.0.push_str("<!doctype html>\n");
            html.element("html", &[("lang", "en")], |html| {
                html.0.push('\n');
                html.element("head", &[], |html| head(html, title, style));
                html.element("body", &[], body);
            });
        })
    }

    /// An element, with what `inside` writes in it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes);
        inside(self);
        let _ = write!(self.0, "</{tag}>");
        if is_block(tag) {
            self.0.push('\n');
        }
    }

    /// An element of a class.
    pub(super) fn class(&mut self, tag: &'static str, class: &str, inside: impl FnOnce(&mut Self)) {
        self.element(tag, &[("class", class)], inside);
    }

    /// An element that holds text alone.
    pub(super) fn leaf(&mut self, tag: &'static str, text: &str) {
        self.element(tag, &[], |html| html.text(text));
    }

    /// Text, on one line and with control and direction characters as escapes.
    pub(super) fn text(&mut self, text: &str) {
        for character in safe(text).chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(character),
            }
        }
    }

    /// Text in which backticks mark inline code, as in messages and notes.
    pub(super) fn prose(&mut self, text: &str) {
        for (part, text) in text.split('`').enumerate() {
            if part % 2 == 0 {
                self.text(text);
            } else {
                self.leaf("code", text);
            }
        }
    }

    /// The end of a line that is kept as it stands, in preformatted text.
    pub(super) fn line_end(&mut self) {
        self.0.push('\n');
    }

    /// Appends pieces as long as the whole stays within `most` bytes; returns how many did not fit.
    pub(super) fn fill<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        most: usize,
        show: impl Fn(T) -> Self,
    ) -> usize {
        room::fill(&mut self.0, items, most, |item| show(item).0)
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            let _ = write!(self.0, " {name}=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

fn head(html: &mut Html, title: &str, style: &'static str) {
    let metas: [Attributes<'_>; 5] = [
        &[("charset", "utf-8")],
        &[
            ("http-equiv", "Content-Security-Policy"),
            ("content", POLICY),
        ],
        &[
            ("name", "viewport"),
            ("content", "width=device-width, initial-scale=1"),
        ],
        &[("name", "color-scheme"), ("content", "light dark")],
        &[("name", "referrer"), ("content", "no-referrer")],
    ];
    html.line_end();
    for meta in metas {
        html.open("meta", meta);
        html.line_end();
    }
    html.leaf("title", title);
    html.line_end();
    html.element("style", &[], |html| html.0.push_str(style));
    html.line_end();
}

/// Whether white space around the element is never shown, so that a line may end behind it.
fn is_block(tag: &str) -> bool {
    !matches!(
        tag,
        "a" | "code" | "del" | "ins" | "span" | "strong" | "pre"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let rows = [
            ("größe", "größe"),
            (
                "<script>alert(1)</script>",
                "&lt;script&gt;alert(1)&lt;/script&gt;",
            ),
            (
                "</style><b a='1' c=\"2\">&amp;",
                "&lt;/style&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;",
            ),
            (
                "evil\u{202e}txt\u{2028}\u{7}\n",
                "evil\\u{202e}txt\\u{2028}\\u{7}\\n",
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(Html::new(|html| html.text(text)).into_string(), expected);
            let element = Html::new(|html| html.element("code", &[("title", text)], |_| ()));
            assert_eq!(
                element.into_string(),
                format!("<code title=\"{expected}\"></code>")
            );
        }
    }

    #[test]
    fn backticks_mark_code() {
        let rows = [
            ("a `<b>` c", "a <code>&lt;b&gt;</code> c"),
            ("`a", "<code>a</code>"),
            ("", ""),
        ];
        for (text, expected) in rows {
            assert_eq!(Html::new(|html| html.prose(text)).into_string(), expected);
        }
    }
}
