//! What this host has that a site's configuration is made of, before there is one.

pub use siaga_node::observe::survey::{
    Card, Cluster, Disk, Found, Layout, Server, VolumeGroup, neighbour,
};

use siaga_node::observe::survey;

/// Looks, and changes nothing.
pub fn look() -> Found {
    let mut found = survey::detect(&survey::gather());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    // Without it the roles are not known: they are asked for.
    if let Ok(runtime) = runtime {
        for server in &mut found.servers {
            server.roles = survey::login_roles(runtime.handle(), server);
        }
    }
    found
}
