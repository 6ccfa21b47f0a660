//! Answers, given one by one or as a file.

use crate::suggest::closest;
use siaga_model::config::Language;
use siaga_model::question::Question;
use std::collections::{BTreeMap, BTreeSet};

/// What was answered. An empty answer is none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    given: BTreeMap<Question, String>,
    /// Left out on purpose: what was found is not taken for it.
    without: BTreeSet<Question>,
}

/// What is wrong with a file of answers.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AnswersError {
    #[error("{said}")]
    Syntax { said: String },
    #[error("{key} is no question")]
    NoSuchQuestion {
        key: String,
        suggestion: Option<String>,
    },
    #[error("{key} is no text, number or list of texts")]
    NotText { key: String },
}

impl Answers {
    /// The answer to a question.
    pub fn get(&self, question: Question) -> Option<&str> {
        self.given.get(&question).map(String::as_str)
    }

    /// The parts of an answer with commas.
    pub fn list(&self, question: Question) -> Vec<&str> {
        let parts = self.get(question).unwrap_or_default().split(',');
        parts.map(str::trim).filter(|p| !p.is_empty()).collect()
    }

    /// Gives an answer; an empty one, or a dash, leaves it out.
    pub fn set(&mut self, question: Question, answer: &str) {
        match answer.trim() {
            "" | "-" => {
                self.given.remove(&question);
                self.without.insert(question);
            }
            answer => {
                self.without.remove(&question);
                self.given.insert(question, answer.to_owned());
            }
        }
    }

    /// As if it had never been asked.
    pub fn forget(&mut self, question: Question) {
        self.given.remove(&question);
        self.without.remove(&question);
    }

    /// Was it answered, or left out on purpose?
    pub fn is_settled(&self, question: Question) -> bool {
        self.given.contains_key(&question) || self.without.contains(&question)
    }

    /// The site's language, as far as it was answered.
    pub fn language(&self) -> Language {
        match self.get(Question::Language) {
            Some("id") => Language::Indonesian,
            _ => Language::English,
        }
    }

    /// Does the question make sense with the other answers?
    pub fn asks(&self, question: Question) -> bool {
        match question {
            Question::VolumeGroup | Question::ReservedDisk => {
                self.get(Question::Driver) == Some("lvm")
            }
            // A group lies on one of the two.
            Question::ReplicaBelow => {
                self.get(Question::Driver) == Some("lvm")
                    && self.get(Question::ReservedDisk).is_none()
            }
            Question::Resource => self.get(Question::Driver) == Some("drbd"),
            Question::ThisFenceUser | Question::ThisFenceSecret => {
                self.get(Question::ThisFence).is_some()
            }
            Question::OtherFenceUser | Question::OtherFenceSecret => {
                self.get(Question::OtherFence).is_some()
            }
            _ => true,
        }
    }

    /// What must still be answered.
    pub fn missing(&self) -> Vec<Question> {
        let open = |q: &Question| !q.optional() && self.asks(*q) && self.get(*q).is_none();
        Question::ALL.iter().copied().filter(open).collect()
    }

    /// Reads TOML, or JSON where the text begins with a brace.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, AnswersError> {
        let syntax = |said: String| AnswersError::Syntax { said };
        let json = text.trim_start().starts_with('{');
        let table: BTreeMap<String, serde_json::Value> = match json {
            true => serde_json::from_str(text).map_err(|e| syntax(e.to_string()))?,
            false => toml::from_str(text).map_err(|e| syntax(e.message().to_owned()))?,
        };
        let mut answers = Self::default();
        for (key, value) in table {
            let Some(question) = Question::of_key(&key) else {
                let keys: Vec<&str> = Question::ALL.iter().map(|q| q.key()).collect();
                let suggestion = closest(&key, &keys);
                return Err(AnswersError::NoSuchQuestion { key, suggestion });
            };
            let text = text_of(&value).ok_or(AnswersError::NotText { key })?;
            answers.set(question, &text);
        }
        Ok(answers)
    }

    /// As JSON, by the questions' keys.
    pub fn to_json(&self) -> serde_json::Value {
        let one = |(question, answer): (&Question, &String)| {
            (question.key().to_owned(), answer.clone().into())
        };
        serde_json::Value::Object(self.given.iter().map(one).collect())
    }
}

fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(|v| v.as_str()).collect();
            Some(texts?.join(", "))
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Object(_) => None,
    }
}
