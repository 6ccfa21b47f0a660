//! The move of a data directory: what is seen goes to the planner, and its list to what carries it out. There is no agent yet
//! when this is done; the command line does it as root.

pub use siaga_node::act::migrate::kept::Lock;
pub use siaga_node::act::migrate::{At, Watch};

use crate::pki::files;
use siaga_config::HostChecks;
use siaga_model::Why;
use siaga_model::migrate::{
    Configured, Fail, Job, Plan, Refusal, Seen, Sides, Step, StepFailed, Wish,
};
use siaga_node::act::migrate::device;
use siaga_node::act::migrate::kept::Kept;
use siaga_node::act::migrate::work::{self, Work};
use siaga_node::observe::{migrate as look, survey};
use siaga_planner::migrate as planner;
use std::io;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// Where `mkfs.ext4` is on every system.
const MKFS: [&str; 2] = ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"];

/// Plans moves on this host and carries them out.
pub struct Mover {
    runtime: Runtime,
    state_dir: PathBuf,
    config: PathBuf,
    kept: Kept,
}

/// How it is carried out.
pub struct How<'a> {
    pub watch: &'a dyn Watch,
    /// The pace of copies while the database runs.
    pub bytes_per_s: Option<u64>,
    /// What the note in the old directory says.
    pub note: &'a str,
}

impl Mover {
    /// With Siaga's state directory and the site's configuration, which need not be there.
    pub fn new(state_dir: &Path, config: &Path) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            runtime,
            state_dir: state_dir.to_owned(),
            config: config.to_owned(),
            kept: Kept::new(state_dir),
        })
    }

    /// So that nobody else carries one out meanwhile.
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        self.kept.lock()
    }

    /// The last job, ended or not.
    pub fn job(&self) -> io::Result<Option<Job>> {
        self.kept.read()
    }

    /// Looks, and plans. Nothing is changed.
    ///
    /// # Errors
    /// Everything that stands against it.
    pub fn plan(&self, wish: &Wish) -> Result<Plan, Vec<Refusal>> {
        let found = survey::detect(&survey::gather());
        let handle = self.runtime.handle();
        let mut clusters = look::clusters(handle, &self.state_dir, &found);
        let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system());
        let date = now.strftime("%Y%m%d").to_string();
        for cluster in &mut clusters {
            let kept = planner::kept(&cluster.server.data_dir, &date);
            cluster.kept_there = kept.symlink_metadata().is_ok();
        }
        let data_dirs: Vec<PathBuf> = clusters.iter().map(|c| c.server.data_dir.clone()).collect();
        let from = wish.from.as_ref().or(data_dirs.first());
        let reads_per_s = from.and_then(|from| look::reads_per_s(from, &wish.device));
        let seen = Seen {
            is_root: rustix::process::geteuid().is_root(),
            configured: self.configured(&data_dirs),
            of_a_site: self.of_a_site(),
            clusters,
            not_roots: found.not_roots.clone(),
            device: look::look_at_device(&wish.device, &found),
            place: look::place(&wish.mount_point),
            can_format: MKFS.iter().any(|path| Path::new(path).exists()),
            reads_per_s,
            date,
        };
        planner::plan(&seen, wish)
    }

    /// What the configuration says of these directories.
    fn configured(&self, data_dirs: &[PathBuf]) -> Configured {
        if !self.config.exists() {
            return Configured::No;
        }
        let config = match siaga_config::load_checked(&self.config, &HostChecks::start()) {
            Ok((config, _)) => config,
            Err(errors) => {
                return Configured::Unreadable {
                    file: self.config.clone(),
                    said: errors.render(errors.language),
                };
            }
        };
        let carries =
            |dir: &&siaga_model::config::Service| data_dirs.contains(&dir.database.data_dir);
        match config.services.iter().find(carries) {
            None => Configured::No,
            Some(service) => Configured::Carries {
                service: service.name.to_string(),
                data_dir: service.database.data_dir.clone(),
            },
        }
    }

    /// Is this host a node of a site? It has its keys, or rows in its log: another node may have the disk by a mandate. What
    /// can't be read counts as there.
    fn of_a_site(&self) -> bool {
        let key = |name: &str| {
            let path = files::path(&self.state_dir, name);
            path.try_exists().unwrap_or(true)
        };
        let log = siaga_journal::saved::is_empty(&self.state_dir);
        key(files::NODE_KEY) || key(files::NODE_CERT) || !log.unwrap_or(false)
    }

    /// Makes the job of a plan durable, before anything is done.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn begin(&self, plan: &Plan) -> io::Result<Job> {
        let mut job = planner::job(plan);
        if job.left.contains(&Step::Format) {
            let uuid = std::fs::read_to_string("/proc/sys/kernel/random/uuid")?;
            job.facts.uuid = Some(uuid.trim().to_owned());
        }
        self.kept.write(&job)?;
        Ok(job)
    }

    /// May what is left of it be done? Looked at before anything has an effect.
    ///
    /// # Errors
    /// The refusal.
    pub fn may_go_on(&self, job: &Job) -> Result<(), Refusal> {
        planner::may_go_on(job, &self.sides(job))
    }

    /// Mounts the new place, where that is not of a site yet, to see what was written there.
    ///
    /// # Errors
    /// Where it may not be mounted, or can't be.
    pub fn mount(&self, job: &Job) -> Result<(), Fail> {
        device::mount(&job.facts, &|| !self.of_a_site()).map(drop)
    }

    /// Carries out what is left of it.
    ///
    /// # Errors
    /// The step that was not done.
    pub fn carry_out(&self, job: &mut Job, how: &How) -> Result<(), StepFailed> {
        if let Some(step) = job.left.first().copied() {
            self.may_go_on(job).map_err(|refusal| StepFailed {
                step,
                fail: Fail::Refused { refusal },
            })?;
        }
        let work = Work {
            kept: &self.kept,
            state_dir: &self.state_dir,
            rt: self.runtime.handle(),
            watch: how.watch,
            bytes_per_s: how.bytes_per_s,
            note: how.note,
            may_mount: &|| !self.of_a_site(),
        };
        work::carry_out(&work, job)
    }

    /// Where both sides stand.
    pub fn sides(&self, job: &Job) -> Sides {
        let dirs = [&job.facts.to, &job.facts.server.data_dir].map(PathBuf::clone);
        Sides {
            new: look::new_side(job),
            mounted: device::is_mounted(&job.facts),
            configured: self.configured(&dirs),
            of_a_site: self.of_a_site(),
            is_root: rustix::process::geteuid().is_root(),
            old_there: look::old_there(&job.facts),
            ahead: look::ahead(job),
        }
    }

    /// Plans the way back from where the job stands.
    ///
    /// # Errors
    /// The refusal.
    pub fn way_back(&self, job: &Job, sides: &Sides, as_it_was: bool) -> Result<Job, Refusal> {
        let (direction, left) = planner::back(job, sides, as_it_was)?;
        let mut turned = Job {
            direction,
            left,
            ..job.clone()
        };
        // These were of the other way.
        turned.record.away_ms = None;
        turned.record.passes.clear();
        Ok(turned)
    }

    /// The job goes the other way from now on.
    ///
    /// # Errors
    /// Where that can't be written.
    pub fn turn(&self, job: &Job) -> Result<(), Fail> {
        self.kept.write(job).map_err(|e| Why::system(e).into())
    }
}
