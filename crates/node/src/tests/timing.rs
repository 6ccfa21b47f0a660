use super::*;
use siaga_runner::hands::Hands;
#[test]
fn timing() {
    in_own_namespace(|| {
        let w = World::with_cluster("", |_| {});
        let t = |n: &str, f: &mut dyn FnMut()| { let b = Instant::now(); f(); eprintln!("{n}: {:.2} ms", b.elapsed().as_secs_f64()*1e3); };
        let (h, s) = (&w.hands, &w.service);
        for _ in 0..4 {
            t("start", &mut || { eprintln!("{:?}", h.start_database(s, &|_| {}).unwrap().notes); });
            t("look ready", &mut || { h.look(s); });
            t("checkpoint", &mut || { h.checkpoint(s).unwrap(); });
            t("stop", &mut || { eprintln!("{:?}", h.stop_database(s, &|_| {}).unwrap().notes); });
            t("unmount", &mut || { h.unmount(s).unwrap(); });
            t("release", &mut || { h.prove_released(s).unwrap(); });
            t("look free", &mut || { h.look(s); });
            t("pg find", &mut || { w.processes(); });
            t("take", &mut || { w.take().unwrap(); });
            t("mount", &mut || { h.mount(s).unwrap(); });
            t("epoch", &mut || { h.write_disk_epoch(s, &World::epoch(std::process::id() as u64 + rand())).unwrap(); });
        }
        eprintln!("pids {}", crate::observe::holders::all_pids().unwrap().len());
    });
}
fn rand() -> u64 { crate::wall_clock().0 as u64 }
