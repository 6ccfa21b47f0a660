//! Pages that fill from top to bottom: what is drawn where. Distances are in points, from the top left corner.

use crate::metrics::Font;
use crate::wrap::wrap;

/// A4.
pub(crate) const WIDTH: f32 = 595.0;
pub(crate) const HEIGHT: f32 = 842.0;
/// The margins.
pub(crate) const LEFT: f32 = 44.0;
pub(crate) const RIGHT: f32 = WIDTH - 44.0;
pub(crate) const TOP: f32 = 36.0;
/// Below it stands the foot.
pub(crate) const BOTTOM: f32 = HEIGHT - 54.0;
/// Body text.
pub(crate) const SIZE: f32 = 9.5;
pub(crate) const LINE: f32 = 12.5;

/// One thing drawn.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Op {
    /// `y` is the base line.
    Text {
        x: f32,
        y: f32,
        font: Font,
        size: f32,
        gray: f32,
        text: String,
    },
    Line {
        from: (f32, f32),
        to: (f32, f32),
        width: f32,
        gray: f32,
    },
    Rect {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        fill: Option<f32>,
        stroke: bool,
    },
}

/// A row of the layout that is being filled.
struct Open {
    label: String,
    /// Where it began on this page.
    from: f32,
    /// Where its content begins.
    at: f32,
}

/// The pages so far.
pub(crate) struct Flow {
    pub pages: Vec<Vec<Op>>,
    pub y: f32,
    pub left: f32,
    pub right: f32,
    /// Where the content of a page after the first begins.
    top: f32,
    open: Option<Open>,
}

impl Flow {
    /// `first`: where the content of the first page begins; `top`: that of the others.
    pub fn new(first: f32, top: f32) -> Self {
        Self {
            pages: vec![Vec::new()],
            y: first,
            left: LEFT,
            right: RIGHT,
            top,
            open: None,
        }
    }

    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    pub fn push(&mut self, op: Op) {
        if let Some(page) = self.pages.last_mut() {
            page.push(op);
        }
    }

    /// Begins a new page where `height` does not fit any more. True: it did.
    pub fn ensure(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM || self.y <= self.top {
            return false;
        }
        self.new_page();
        true
    }

    pub fn new_page(&mut self) {
        self.border();
        self.pages.push(Vec::new());
        self.y = self.top;
        if let Some(open) = &mut self.open {
            open.from = self.top;
        }
        if self.open.is_some() {
            self.y += 6.0;
            self.label();
        }
    }

    pub fn gap(&mut self, height: f32) {
        self.y += height;
    }

    pub fn text_at(&mut self, x: f32, y: f32, font: Font, size: f32, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.push(Op::Text {
                x,
                y,
                font,
                size,
                gray: 0.0,
                text,
            });
        }
    }

    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, gray: f32) {
        self.push(Op::Line {
            from,
            to,
            width,
            gray,
        });
    }

    pub fn frame(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.rect(x, y, width, height, None, true);
    }

    pub fn rect(
        &mut self,
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        fill: Option<f32>,
        stroke: bool,
    ) {
        self.push(Op::Rect {
            x,
            y,
            width,
            height,
            fill,
            stroke,
        });
    }

    /// Lines of text, over as many pages as they take.
    pub fn paragraph(&mut self, text: &str, font: Font, size: f32) {
        let leading = size * LINE / SIZE;
        for line in wrap(text, font, size, self.width()) {
            self.ensure(leading);
            let (x, y) = (self.left, self.y + size);
            self.text_at(x, y, font, size, line);
            self.y += leading;
        }
    }

    /// Begins a row of the layout: its name at the left, in a box of its own.
    pub fn begin_section(&mut self, label: &str, label_width: f32) {
        self.ensure(60.0);
        let at = LEFT + label_width;
        self.open = Some(Open {
            label: label.to_owned(),
            from: self.y,
            at,
        });
        self.left = at + 8.0;
        self.right = RIGHT - 8.0;
        self.y += 6.0;
        self.label();
    }

    pub fn end_section(&mut self) {
        self.y += 4.0;
        self.border();
        self.open = None;
        self.left = LEFT;
        self.right = RIGHT;
    }

    fn label(&mut self) {
        let Some(open) = &self.open else { return };
        let (label, width) = (open.label.clone(), open.at - LEFT - 12.0);
        let mut y = self.y;
        for line in wrap(&label, Font::Bold, SIZE, width) {
            self.text_at(LEFT + 6.0, y + SIZE, Font::Bold, SIZE, line);
            y += LINE;
        }
    }

    /// The box around what the open row has on this page.
    fn border(&mut self) {
        let Some(open) = &self.open else { return };
        let (from, at) = (open.from, open.at);
        let height = self.y - from;
        self.frame(LEFT, from, RIGHT - LEFT, height);
        let y = self.y;
        self.line((at, from), (at, y), 0.8, 0.0);
    }
}
