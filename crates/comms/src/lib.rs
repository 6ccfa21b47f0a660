//! What the units of the hospital are told: texts from templates with typed fields, and the channels that carry them.
//!
//! Which notice goes out when, and what was sent, is the agent's to say and the journal's to keep. This crate writes a
//! text and sends it once.

mod channel;
pub mod facts;
pub mod field;
mod fit;
mod link;
mod pace;
mod say;
mod spoken;
mod template;
mod template_error;
mod templates;
mod told;

pub use channel::{
    Buttons, Channel, Outgoing, Pressed, Receipt, Retry, SendError, as_sent, button_data, open,
};
pub use facts::{Drill, Facts};
pub use field::Field;
pub use fit::{drill_mark, fit, limit, whole};
pub use link::{AckLink, AckSecret, NoSecret, with_link};
pub use pace::Pace;
pub use spoken::{AlertFacts, CallRow, Sign, alert, announcement, call_list, sample};
pub use template_error::{TemplateError, TemplateFault};
pub use templates::{Templates, moment_by_name, moment_name, moment_word};
pub use told::{again, event_heads, reminder};
