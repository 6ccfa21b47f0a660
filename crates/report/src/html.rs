//! A paper as one HTML file: no script that runs, nothing loaded from elsewhere.

use crate::document::{Bar, Block, Column, Document, Span, Step};
use crate::pdf::language_tag;
use siaga_model::config::Language;
use siaga_words::{Paper, paper};
use std::fmt::Write;

/// The element that carries the data.
pub(crate) const DATA_OPEN: &str = r#"<script type="application/json" id="siaga-report">"#;
pub(crate) const DATA_CLOSE: &str = "</script>";

const STYLE: &str = "
body{font-family:Helvetica,Arial,sans-serif;font-size:14px;line-height:1.4;max-width:900px;margin:2em auto;padding:0 1em;color:#000;background:#fff}
table{border-collapse:collapse;width:100%;margin:.4em 0}
.box td,.box th,.grid td,.grid th,.paper>tbody>tr>th,.paper>tbody>tr>td{border:1px solid #000;padding:.3em .5em;vertical-align:top;text-align:left}
.box small{display:block;color:#444}
.box .name,.box .title,.box .sort{text-align:center;vertical-align:middle;font-weight:bold}
.paper>tbody>tr>th{width:8em}
.fields th{width:38%;font-weight:normal;text-align:left;vertical-align:top}
.fields td{border-bottom:1px dotted #888}
.grid .number{text-align:right}
.steps td{vertical-align:top;padding:.2em .4em}
.steps .tick{border:1px solid #000;width:4em}
pre{background:#eee;margin:.2em 0;padding:.3em .5em;white-space:pre-wrap}
.warning{border:2px solid #000;background:#eee;padding:.4em .6em;font-weight:bold}
.line{border-bottom:1px solid #888;height:1.6em}
.bar{display:inline-block;height:.8em;background:#777}
.strong{background:#222}
.sign td{height:6em;vertical-align:top;width:33%}
footer{font-family:monospace;font-size:10px;color:#444;margin-top:2em;overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none}}
";

/// The file's text.
pub fn render(document: &Document) -> String {
    let mut out = String::new();
    let lang = language_tag(document.language);
    let title = escaped(&document.head.title);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"generator\" content=\"Siaga {}\">\n<meta name=\"event-chain\" content=\"{}\">\n\
         <style>{STYLE}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(&document.foot)
    );
    head(&mut out, document);
    blocks(&mut out, &document.blocks, document.language);
    if !document.foot.is_empty() {
        let _ = writeln!(out, "<footer>{}</footer>", escaped(&document.foot));
    }
    if let Some(data) = &document.data {
        // The end of the element can't stand inside it.
        let data = data.replace('<', "\\u003c");
        let _ = writeln!(out, "{DATA_OPEN}{data}{DATA_CLOSE}");
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// A text as HTML, also inside an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

fn head(out: &mut String, document: &Document) {
    let head = &document.head;
    let label = |p| paper(document.language, p);
    let cell = |p, value: &str| {
        format!(
            "<td><small>{}</small>{}</td>",
            label(p),
            escaped(value).replace('\n', "<br>")
        )
    };
    let _ = writeln!(
        out,
        "<table class=\"box\">\n<tr><td class=\"name\" rowspan=\"2\">{}</td>\
         <td class=\"title\" colspan=\"2\">{}</td></tr>\n<tr>{}{}</tr>\n\
         <tr><td class=\"sort\">{}</td>{}{}</tr>\n</table>",
        escaped(&head.site),
        escaped(&head.title),
        cell(Paper::DocumentNumber, &head.number),
        cell(Paper::Revision, &head.revision),
        escaped(&head.sort),
        cell(Paper::IssuedOn, &head.date),
        cell(Paper::ApprovedBy, &head.approved_by),
    );
}

fn blocks(out: &mut String, list: &[Block], language: Language) {
    for block in list {
        match block {
            Block::Heading(text) => {
                let _ = writeln!(out, "<h2>{}</h2>", escaped(text));
            }
            Block::Text(text) => {
                let _ = writeln!(out, "<p>{}</p>", lines(text));
            }
            Block::Warning(text) => {
                let _ = writeln!(out, "<p class=\"warning\">{}</p>", lines(text));
            }
            Block::Fields(fields) => self::fields(out, fields),
            Block::Table { columns, rows } => table(out, columns, rows),
            Block::Steps(steps) => self::steps(out, steps, language),
            Block::Bars(bars) => self::bars(out, bars),
            Block::Timeline(spans) => timeline(out, spans),
            Block::Lines(many) => {
                for _ in 0..*many {
                    out.push_str("<div class=\"line\"></div>\n");
                }
            }
            Block::Signatures(who) => signatures(out, who),
            Block::Section {
                label,
                blocks: inner,
            } => {
                let _ = writeln!(
                    out,
                    "<table class=\"paper\"><tbody><tr><th>{}</th><td>",
                    escaped(label)
                );
                blocks(out, inner, language);
                out.push_str("</td></tr></tbody></table>\n");
            }
        }
    }
}

fn lines(text: &str) -> String {
    escaped(text).replace('\n', "<br>")
}

fn fields(out: &mut String, fields: &[(String, String)]) {
    out.push_str("<table class=\"fields\">\n");
    for (name, value) in fields {
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td></tr>",
            escaped(name),
            lines(value)
        );
    }
    out.push_str("</table>\n");
}

fn table(out: &mut String, columns: &[Column], rows: &[Vec<String>]) {
    out.push_str("<table class=\"grid\">\n<thead><tr>");
    for column in columns {
        let _ = write!(out, "<th>{}</th>", escaped(&column.title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (cell, column) in row.iter().zip(columns) {
            let class = if column.right {
                " class=\"number\""
            } else {
                ""
            };
            let _ = write!(out, "<td{class}>{}</td>", lines(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn steps(out: &mut String, steps: &[Step], language: Language) {
    let _ = writeln!(
        out,
        "<table class=\"steps\">\n<tr><td></td><td></td><td><small>{}</small></td><td><small>{}</small></td></tr>",
        paper(language, Paper::Hour),
        paper(language, Paper::Initials)
    );
    for step in steps {
        let _ = write!(
            out,
            "<tr><td><b>{}</b></td><td>{}",
            escaped(&step.number),
            lines(&step.text)
        );
        if !step.commands.is_empty() {
            let _ = write!(out, "<pre>{}</pre>", escaped(&step.commands.join("\n")));
        }
        out.push_str("</td><td class=\"tick\"></td><td class=\"tick\"></td></tr>\n");
    }
    out.push_str("</table>\n");
}

fn bars(out: &mut String, bars: &[Bar]) {
    out.push_str("<table class=\"fields\">\n");
    for bar in bars {
        let width = bar.share.unwrap_or(0.0).clamp(0.0, 1.0) * 20.0;
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td><span class=\"bar\" style=\"width:{width:.2}em\"></span> {}</td></tr>",
            escaped(&bar.label),
            escaped(&bar.text)
        );
    }
    out.push_str("</table>\n");
}

fn timeline(out: &mut String, spans: &[Span]) {
    let total = spans.iter().map(|s| s.from_ms + s.length_ms).max();
    let total = total.unwrap_or(1).max(1) as f64;
    out.push_str("<table class=\"fields\">\n");
    for span in spans {
        let em = |ms: u64| ms as f64 * 28.0 / total;
        let class = if span.strong { "bar strong" } else { "bar" };
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td><span class=\"{class}\" style=\"margin-left:{:.2}em;width:{:.2}em\"></span> {}</td></tr>",
            escaped(&span.label),
            em(span.from_ms),
            em(span.length_ms).max(0.1),
            escaped(&span.text)
        );
    }
    out.push_str("</table>\n");
}

fn signatures(out: &mut String, who: &[(String, String)]) {
    out.push_str("<table class=\"sign\"><tr>");
    for (role, name) in who {
        let _ = write!(
            out,
            "<td>{}<br><br><br><br>________________<br>{}</td>",
            escaped(role),
            escaped(name)
        );
    }
    out.push_str("</tr></table>\n");
}
