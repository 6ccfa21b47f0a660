
pub mod act;
pub mod command;
pub mod observe;
