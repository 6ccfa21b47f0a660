//! Where the configuration of a unit's server says that the data is. Its word counts more than the server's `-D`: one that
//! was never brought over from the other node starts this host's own cluster, and clients would find it at the service's address.

use crate::observe::survey::data_directory;
use siaga_model::Why;
use siaga_model::config::Database;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A longer configuration file is not read.
const LARGEST: u64 = 1 << 20;

/// The file that leads the unit of `database` to other data, and where to. What can't be read or told is no reason.
pub fn elsewhere(database: &Database) -> Option<Why> {
    let main = config_file(database)?;
    // As PostgreSQL reads Debian's: the last word counts, and `conf.d` is included at the end.
    let said = |file: PathBuf| Some((data_directory(&text(&file)?)?, file));
    let (named, file) = files(main).into_iter().rev().find_map(said)?;
    leads_off(&named, &database.data_dir).then(|| Why::ConfigNamesOtherData {
        file,
        named,
        data_dir: database.data_dir.clone(),
    })
}

/// The configured one, or Debian's for a unit of its template.
fn config_file(database: &Database) -> Option<PathBuf> {
    let unit = database.unit.as_deref()?;
    if let Some(file) = &database.config_file {
        return Some(file.clone());
    }
    let instance = unit.strip_prefix("postgresql@")?;
    let instance = instance.strip_suffix(".service").unwrap_or(instance);
    let (version, cluster) = instance.split_once('-')?;
    let file = Path::new("/etc/postgresql").join(version).join(cluster);
    Some(file.join("postgresql.conf"))
}

fn files(main: PathBuf) -> Vec<PathBuf> {
    let folder = main.with_file_name("conf.d");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut included: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "conf"))
        .collect();
    included.sort();
    included.insert(0, main);
    included
}

fn text(file: &Path) -> Option<String> {
    let meta = std::fs::metadata(file).ok()?;
    if !meta.is_file() || meta.len() > LARGEST {
        return None;
    }
    let mut text = String::new();
    let file = std::fs::File::open(file).ok()?;
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The same directory under another name is no other. A link that leads nowhere now may lead to the disk set once it is mounted.
fn leads_off(named: &Path, data_dir: &Path) -> bool {
    if named == data_dir {
        return false;
    }
    let identity = |path: &Path| std::fs::metadata(path).map(|m| (m.dev(), m.ino()));
    match (identity(named), identity(data_dir)) {
        (Ok(named), Ok(data)) => named != data,
        (Ok(_) | Err(_), _) => !named.ancestors().any(Path::is_symlink),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::database;

    #[test]
    fn a_configuration_that_was_never_brought_over_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (own, data) = (dir.path().join("own"), dir.path().join("srv/data"));
        let main = dir.path().join("postgresql.conf");
        let mut database = database(dir.path(), dir.path());
        database.unit = Some("postgresql@15-main.service".to_owned());
        database.config_file = Some(main.clone());
        database.data_dir = data.clone();
        let write = |file: &Path, named: &Path| {
            let text = format!("data_directory = '{}'\n", named.display());
            std::fs::write(file, text).unwrap();
        };
        // Nothing is said of it, or nothing can be read.
        assert_eq!(elsewhere(&database), None);
        std::fs::write(&main, "port = 5432\n").unwrap();
        assert_eq!(elsewhere(&database), None);
        write(&main, &data);
        assert_eq!(elsewhere(&database), None);

        // This host's own cluster, there or not, with the disk set mounted or not.
        write(&main, &own);
        let found = |file: &Path| {
            Some(Why::ConfigNamesOtherData {
                file: file.to_owned(),
                named: own.clone(),
                data_dir: data.clone(),
            })
        };
        assert_eq!(elsewhere(&database), found(&main));
        std::fs::create_dir_all(&own).unwrap();
        assert_eq!(elsewhere(&database), found(&main));
        std::fs::create_dir_all(&data).unwrap();
        assert_eq!(elsewhere(&database), found(&main));

        // What is included comes last.
        std::fs::create_dir(dir.path().join("conf.d")).unwrap();
        let included = dir.path().join("conf.d/site.conf");
        write(&included, &data);
        assert_eq!(elsewhere(&database), None);
        write(&main, &data);
        write(&included, &own);
        assert_eq!(elsewhere(&database), found(&included));

        // Without a unit the command line says where the data is.
        database.unit = None;
        assert_eq!(elsewhere(&database), None);
    }

    #[test]
    fn the_same_directory_under_another_name_is_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("srv/data");
        let link = dir.path().join("main");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        // The disk set is not mounted here.
        assert!(!leads_off(&link, &data));
        assert!(!leads_off(&link.join("deeper"), &data));
        std::fs::create_dir_all(&data).unwrap();
        assert!(!leads_off(&link, &data));
        assert!(leads_off(dir.path(), &data));
    }

    #[test]
    fn the_file_of_a_unit_is_debians_where_none_is_configured() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = database(dir.path(), dir.path());
        database.config_file = None;
        let mut of = |unit: &str| {
            database.unit = Some(unit.to_owned());
            config_file(&database)
        };
        let debian = Some("/etc/postgresql/15/a-b/postgresql.conf".into());
        assert_eq!(of("postgresql@15-a-b.service"), debian);
        assert_eq!(of("postgresql-15.service"), None);
    }
}
