//! A paper as PDF: A4, the fonts that every reader has, the data it was made from as an attachment.

use crate::blocks;
use crate::document::{Document, Head};
use crate::flow::{BOTTOM, Flow, HEIGHT, LEFT, LINE, Op, RIGHT, SIZE, TOP, WIDTH};
use crate::metrics::{Font, win_ansi};
use crate::wrap::wrap;
use pdf_writer::types::AssociationKind;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use siaga_model::config::Language;
use siaga_words::{Paper, paper};

/// The head box: the row of the title, of the numbers, and, on the first page, of date and approver.
const TITLE_ROW: f32 = 40.0;
const NUMBER_ROW: f32 = 30.0;
const APPROVAL_ROW: f32 = 68.0;
/// The box at the left: logo, or the hospital's name.
const NAME_BOX: f32 = 150.0;

/// The file's bytes. The same paper gives the same bytes.
pub fn render(document: &Document) -> Vec<u8> {
    let top = TOP + TITLE_ROW + NUMBER_ROW + 8.0;
    let first = top - 8.0 + APPROVAL_ROW + if is_procedure(document) { 0.0 } else { 8.0 };
    let mut flow = Flow::new(first, top);
    blocks::draw(&mut flow, &document.blocks, document.language);
    let pages = flow.pages.len();
    let drawn = flow.pages.into_iter().enumerate().map(|(index, ops)| {
        let mut page = Flow::new(TOP, TOP);
        head(&mut page, &document.head, document.language, index, pages);
        foot(&mut page, &document.foot);
        let mut all = page.pages.pop().unwrap_or_default();
        all.extend(ops);
        content(&all)
    });
    write(document, drawn.collect())
}

/// A procedure's first row touches the head box.
fn is_procedure(document: &Document) -> bool {
    matches!(
        document.blocks.first(),
        Some(crate::document::Block::Section { .. })
    )
}

fn head(flow: &mut Flow, head: &Head, language: Language, index: usize, pages: usize) {
    let width = RIGHT - LEFT;
    let (title_top, number_top) = (TOP, TOP + TITLE_ROW);
    flow.frame(LEFT, title_top, NAME_BOX, TITLE_ROW + NUMBER_ROW);
    flow.frame(LEFT + NAME_BOX, title_top, width - NAME_BOX, TITLE_ROW);
    let name_box = (LEFT, title_top, NAME_BOX, TITLE_ROW + NUMBER_ROW);
    centred(flow, &head.site, Font::Bold, 11.0, name_box);
    let title_box = (LEFT + NAME_BOX, title_top, width - NAME_BOX, TITLE_ROW);
    centred(
        flow,
        &head.title.to_uppercase(),
        Font::Bold,
        12.5,
        title_box,
    );
    let third = (width - NAME_BOX) / 3.0;
    let page = format!(
        "{} {} {}",
        index + 1,
        paper(language, Paper::OfPages),
        pages
    );
    let cells = [
        (Paper::DocumentNumber, head.number.as_str()),
        (Paper::Revision, head.revision.as_str()),
        (Paper::Page, page.as_str()),
    ];
    for (column, (label, value)) in cells.into_iter().enumerate() {
        let x = LEFT + NAME_BOX + column as f32 * third;
        flow.frame(x, number_top, third, NUMBER_ROW);
        labelled(flow, paper(language, label), value, x, number_top, third);
    }
    if index > 0 {
        return;
    }
    let top = number_top + NUMBER_ROW;
    flow.frame(LEFT, top, NAME_BOX, APPROVAL_ROW);
    let sort_box = (LEFT, top, NAME_BOX, APPROVAL_ROW);
    centred(flow, &head.sort.to_uppercase(), Font::Bold, 11.0, sort_box);
    let (date_x, date_width) = (LEFT + NAME_BOX, third);
    flow.frame(date_x, top, date_width, APPROVAL_ROW);
    let label = paper(language, Paper::IssuedOn);
    labelled(flow, label, &head.date, date_x, top, date_width);
    let (x, approver_width) = (date_x + date_width, third * 2.0);
    flow.frame(x, top, approver_width, APPROVAL_ROW);
    let label = paper(language, Paper::ApprovedBy);
    flow.text_at(x + 5.0, top + 11.0, Font::Plain, 8.0, label);
    let line = top + APPROVAL_ROW - 16.0;
    flow.line((x + 5.0, line), (x + approver_width - 5.0, line), 0.4, 0.4);
    flow.text_at(
        x + 5.0,
        line + 11.0,
        Font::Bold,
        9.0,
        head.approved_by.clone(),
    );
}

fn labelled(flow: &mut Flow, label: &str, value: &str, x: f32, y: f32, width: f32) {
    flow.text_at(x + 5.0, y + 11.0, Font::Plain, 8.0, label);
    for (index, line) in wrap(value, Font::Bold, 9.0, width - 10.0)
        .into_iter()
        .take(2)
        .enumerate()
    {
        let base = y + 23.0 + index as f32 * 10.0;
        flow.text_at(x + 5.0, base, Font::Bold, 9.0, line);
    }
}

/// In the middle of a box, over as many lines as it takes.
fn centred(flow: &mut Flow, text: &str, font: Font, size: f32, place: (f32, f32, f32, f32)) {
    let (x, y, width, height) = place;
    let lines = wrap(text, font, size, width - 12.0);
    let leading = size * LINE / SIZE;
    let mut base = y + (height - lines.len() as f32 * leading) / 2.0 + size;
    for line in lines {
        let at = x + (width - font.width(&line, size)) / 2.0;
        flow.text_at(at, base, font, size, line);
        base += leading;
    }
}

fn foot(flow: &mut Flow, text: &str) {
    let mut y = BOTTOM + 14.0;
    for line in wrap(text, Font::Mono, 6.2, RIGHT - LEFT)
        .into_iter()
        .take(4)
    {
        flow.push(Op::Text {
            x: LEFT,
            y,
            font: Font::Mono,
            size: 6.2,
            gray: 0.35,
            text: line,
        });
        y += 7.4;
    }
}

fn content(ops: &[Op]) -> Vec<u8> {
    let mut content = Content::new();
    for op in ops {
        match op {
            Op::Text {
                x,
                y,
                font,
                size,
                gray,
                text,
            } => {
                let bytes: Vec<u8> = text.chars().map(win_ansi).collect();
                content.set_fill_gray(*gray);
                content.begin_text();
                content.set_font(Name(font.resource()), *size);
                content.next_line(*x, HEIGHT - y);
                content.show(Str(&bytes));
                content.end_text();
            }
            Op::Line {
                from,
                to,
                width,
                gray,
            } => {
                content.set_stroke_gray(*gray);
                content.set_line_width(*width);
                content.move_to(from.0, HEIGHT - from.1);
                content.line_to(to.0, HEIGHT - to.1);
                content.stroke();
            }
            Op::Rect {
                x,
                y,
                width,
                height,
                fill,
                stroke,
            } => {
                let paths = [fill.is_some(), *stroke];
                if let Some(gray) = fill {
                    content.set_fill_gray(*gray);
                }
                content.set_stroke_gray(0.0);
                content.set_line_width(0.6);
                content.rect(*x, HEIGHT - y - height, *width, *height);
                match paths {
                    [true, true] => content.fill_nonzero_and_stroke(),
                    [true, false] => content.fill_nonzero(),
                    [false, _] => content.stroke(),
                };
            }
        }
    }
    content.finish().to_vec()
}

/// Hands out the numbers of the file's objects.
struct Numbers(i32);

impl Numbers {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

fn write(document: &Document, pages: Vec<Vec<u8>>) -> Vec<u8> {
    let mut numbers = Numbers(0);
    let (catalog, tree, info) = (numbers.next(), numbers.next(), numbers.next());
    let fonts = Font::ALL.map(|font| (font, numbers.next()));
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let attached = document
        .data
        .as_ref()
        .map(|data| attach(&mut pdf, data, &mut numbers));
    let page_refs: Vec<Ref> = pages.iter().map(|_| numbers.next()).collect();
    let mut root = pdf.catalog(catalog);
    root.pages(tree);
    root.lang(TextStr(language_tag(document.language)));
    root.viewer_preferences().display_doc_title(true);
    if let Some(file) = attached {
        root.names()
            .embedded_files()
            .names()
            .insert(Str(ATTACHMENT), file);
        root.insert(Name(b"AF")).array().item(file);
    }
    root.finish();
    pdf.document_info(info)
        .title(TextStr(&document.head.title))
        .author(TextStr(&document.head.site))
        .subject(TextStr(&document.head.sort))
        .keywords(TextStr(&document.foot))
        .creator(TextStr(concat!("Siaga ", env!("CARGO_PKG_VERSION"))));
    pdf.pages(tree)
        .kids(page_refs.iter().copied())
        .count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for (font, number) in fonts {
        pdf.type1_font(number)
            .base_font(Name(font.base()))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (number, bytes) in page_refs.into_iter().zip(pages) {
        let content = numbers.next();
        let mut page = pdf.page(number);
        page.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
        page.parent(tree);
        page.contents(content);
        let mut resources = page.resources();
        let mut of_page = resources.fonts();
        for (font, number) in fonts {
            of_page.pair(Name(font.resource()), number);
        }
        of_page.finish();
        resources.finish();
        page.finish();
        pdf.stream(content, &bytes);
    }
    pdf.finish()
}

/// The attachment's name.
const ATTACHMENT: &[u8] = b"report.json";

/// Not compressed, so that the data is found without a PDF reader.
fn attach(pdf: &mut Pdf, data: &str, numbers: &mut Numbers) -> Ref {
    let (stream, spec) = (numbers.next(), numbers.next());
    pdf.embedded_file(stream, data.as_bytes())
        .subtype(Name(b"application/json"))
        .params()
        .size(i32::try_from(data.len()).unwrap_or(i32::MAX));
    let mut file = pdf.file_spec(spec);
    file.path(Str(ATTACHMENT));
    file.unic_file(TextStr("report.json"));
    file.embedded_file(stream);
    file.association_kind(AssociationKind::Data);
    file.finish();
    spec
}

pub(crate) fn language_tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Indonesian => "id",
    }
}
