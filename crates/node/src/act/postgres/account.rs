//! The operating system's account that PostgreSQL runs as, from `/etc/passwd` and `/etc/group`.

use siaga_model::Why;
use std::path::PathBuf;

/// A local account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// Every group, the first one among them.
    pub groups: Vec<u32>,
    pub home: PathBuf,
}

/// Looks an account up. Only local accounts: a directory service may be down in the same night.
pub fn lookup(name: &str) -> Result<Account, Why> {
    let read =
        |path: &str| std::fs::read_to_string(path).map_err(|e| Why::system(format!("{path}: {e}")));
    parse(name, &read("/etc/passwd")?, &read("/etc/group")?).ok_or_else(|| Why::NoSuchUser {
        user: name.to_owned(),
    })
}

fn parse(name: &str, passwd: &str, group: &str) -> Option<Account> {
    let fields: Vec<&str> = passwd
        .lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find(|f| f[0] == name)?;
    let (uid, gid) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
    let member_of = |line: &str| {
        let mut parts = line.split(':').skip(2);
        let id: u32 = parts.next()?.parse().ok()?;
        parts.next()?.split(',').any(|m| m == name).then_some(id)
    };
    let mut groups = vec![gid];
    groups.extend(group.lines().filter_map(member_of).filter(|g| *g != gid));
    let home = PathBuf::from(fields.get(5).copied().unwrap_or("/"));
    Some(Account {
        name: name.to_owned(),
        uid,
        gid,
        groups,
        home,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_include_the_own_one_and_the_others() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        let group = "ssl-cert:x:103:www,postgres\npostgres:x:104:postgres\nother:x:9:postgresql\n";
        let account = parse("postgres", passwd, group).unwrap();
        assert_eq!((account.uid, account.gid), (101, 104));
        assert_eq!(account.groups, [104, 103]);
        assert_eq!(account.home, PathBuf::from("/var/lib/postgresql"));
        assert!(parse("nobody", passwd, group).is_none());
    }
}
