//! All templates: the shipped ones, and the site's own in their place.

use crate::facts::Facts;
use crate::field::{Field, required};
use crate::fit::drill_mark;
use crate::say::Speaker;
use crate::template::Template;
use crate::template_error::{TemplateError, TemplateFault};
use jiff::tz::TimeZone;
use siaga_model::config::{Config, Language, Site};
use siaga_model::downtime::Rules;
use siaga_model::notice::{Moment, Text};
use std::collections::BTreeMap;
use std::path::Path;

/// The languages of texts.
const LANGUAGES: [Language; 2] = [Language::Indonesian, Language::English];

/// The templates of a site.
#[derive(Clone, Debug)]
pub struct Templates {
    all: BTreeMap<(Moment, &'static str), Template>,
    zone: TimeZone,
    site: String,
    contact: String,
}

impl Templates {
    /// The shipped texts, with the site's own in the place of those that it has. A file with a fault is not used: the
    /// shipped text stands in for it, since a notice that is late helps nobody. Every fault is told.
    pub fn load(config: &Config) -> (Templates, Vec<TemplateError>) {
        Self::of(&config.site, &config.downtime.rules)
    }

    /// As [`Templates::load`], of a site with such rules.
    pub fn of(site: &Site, rules: &Rules) -> (Templates, Vec<TemplateError>) {
        let mut faults = Vec::new();
        let mut templates = Templates {
            all: shipped(&mut faults),
            zone: TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC),
            site: site.name.clone(),
            contact: rules.contact.clone(),
        };
        if let Some(dir) = &rules.template_dir {
            templates.read_dir(dir, &mut faults);
        }
        (templates, faults)
    }

    fn read_dir(&mut self, dir: &Path, faults: &mut Vec<TemplateError>) {
        let files = match std::fs::read_dir(dir) {
            Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())),
            Err(e) => {
                let why = e.to_string();
                faults.push(whole(dir, TemplateFault::Unreadable { why }));
                return;
            }
        };
        let mut files: Vec<_> = files
            .filter(|f| f.extension().is_some_and(|e| e == "txt"))
            .collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let Some((moment, language)) = by_file_name(&name) else {
                faults.push(whole(&file, TemplateFault::FileName));
                continue;
            };
            match std::fs::read_to_string(&file) {
                Ok(text) => self.put(moment, language, &file, &text, faults),
                Err(e) => {
                    let why = e.to_string();
                    faults.push(whole(&file, TemplateFault::Unreadable { why }));
                }
            }
        }
    }

    fn put(
        &mut self,
        moment: Moment,
        language: Language,
        file: &Path,
        text: &str,
        faults: &mut Vec<TemplateError>,
    ) {
        match Template::read(text, moment) {
            Ok(template) => drop(self.all.insert((moment, code(language)), template)),
            Err(found) => {
                faults.extend(
                    found
                        .into_iter()
                        .map(|(line, column, fault)| TemplateError {
                            file: file.to_owned(),
                            line,
                            column,
                            fault,
                        }),
                )
            }
        }
    }

    /// The text of a moment. A drill is marked at its start and at its end.
    pub fn text(&self, moment: Moment, language: Language, facts: &Facts) -> Text {
        let speaker = self.speaker(language);
        let (subject, body) = self
            .all
            .get(&(moment, code(language)))
            .map(|t| t.fill(&speaker, facts))
            .unwrap_or_default();
        let Some(drill) = facts.drill else {
            return Text {
                language,
                subject,
                body,
            };
        };
        let mark = drill_mark(language);
        let stops = match (drill.stops_service, language) {
            (false, _) => "",
            (true, Language::English) => "The service really stops while the drill lasts.\n",
            (true, Language::Indonesian) => "Layanan benar-benar berhenti selama simulasi.\n",
        };
        Text {
            language,
            subject: format!("{mark} {subject}"),
            body: format!("{mark}\n{stops}{body}\n{mark}"),
        }
    }

    /// A field that a text of that moment must have and that has no value yet.
    pub fn missing(&self, moment: Moment, facts: &Facts) -> Option<Field> {
        let speaker = self.speaker(Language::default());
        required(moment)
            .iter()
            .copied()
            .find(|field| speaker.value(*field, facts).is_none())
    }

    /// A moment as a text of that language says it, with its day where that is not today's.
    pub fn moment(
        &self,
        language: Language,
        at: siaga_model::UtcMicros,
        now: siaga_model::UtcMicros,
    ) -> String {
        self.speaker(language).moment(at, now)
    }

    fn speaker(&self, language: Language) -> Speaker<'_> {
        Speaker {
            language,
            zone: &self.zone,
            site: &self.site,
            contact: &self.contact,
        }
    }
}

fn whole(file: &Path, fault: TemplateFault) -> TemplateError {
    TemplateError {
        file: file.to_owned(),
        line: 0,
        column: 0,
        fault,
    }
}

/// `id`, `en`.
fn code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Indonesian => "id",
    }
}

/// The name of a moment in file names and on the command line.
pub fn moment_name(moment: Moment) -> &'static str {
    match moment {
        Moment::Suspected => "suspected",
        Moment::Confirmed => "confirmed",
        Moment::Update => "update",
        Moment::Action => "action",
        Moment::Restored => "restored",
        Moment::AllClear => "all_clear",
        Moment::Planned => "planned",
        Moment::FollowUp => "follow_up",
        Moment::Withdrawn => "withdrawn",
    }
}

/// The word of a moment on the command line.
pub fn moment_word(moment: Moment) -> &'static str {
    match moment {
        Moment::AllClear => "all-clear",
        Moment::FollowUp => "follow-up",
        other => moment_name(other),
    }
}

/// The moment of that name; a hyphen is as good as an underscore.
pub fn moment_by_name(name: &str) -> Option<Moment> {
    let name = name.replace('-', "_");
    Moment::ALL
        .iter()
        .copied()
        .find(|m| moment_name(*m) == name)
}

fn by_file_name(name: &str) -> Option<(Moment, Language)> {
    let mut parts = name.split('.');
    let moment = moment_by_name(parts.next()?)?;
    let language = parts.next()?;
    let language = LANGUAGES.into_iter().find(|l| code(*l) == language)?;
    (parts.next() == Some("txt") && parts.next().is_none()).then_some((moment, language))
}

fn shipped(faults: &mut Vec<TemplateError>) -> BTreeMap<(Moment, &'static str), Template> {
    let mut all = BTreeMap::new();
    for moment in Moment::ALL {
        for language in LANGUAGES {
            let name = format!("{}.{}.txt", moment_name(moment), code(language));
            match Template::read(shipped_text(moment, language), moment) {
                Ok(template) => drop(all.insert((moment, code(language)), template)),
                // A test holds that there is none.
                Err(found) => {
                    faults.extend(
                        found
                            .into_iter()
                            .map(|(line, column, fault)| TemplateError {
                                file: Path::new(&name).to_owned(),
                                line,
                                column,
                                fault,
                            }),
                    )
                }
            }
        }
    }
    all
}

macro_rules! shipped {
    ($($moment:ident: $id:literal, $en:literal;)*) => {
        fn shipped_text(moment: Moment, language: Language) -> &'static str {
            match (moment, language) {
                $((Moment::$moment, Language::Indonesian) => include_str!(concat!("../templates/", $id)),
                (Moment::$moment, Language::English) => include_str!(concat!("../templates/", $en)),)*
            }
        }
    };
}
shipped! {
    Suspected: "suspected.id.txt", "suspected.en.txt";
    Confirmed: "confirmed.id.txt", "confirmed.en.txt";
    Update: "update.id.txt", "update.en.txt";
    Action: "action.id.txt", "action.en.txt";
    Restored: "restored.id.txt", "restored.en.txt";
    AllClear: "all_clear.id.txt", "all_clear.en.txt";
    Planned: "planned.id.txt", "planned.en.txt";
    FollowUp: "follow_up.id.txt", "follow_up.en.txt";
    Withdrawn: "withdrawn.id.txt", "withdrawn.en.txt";
}
