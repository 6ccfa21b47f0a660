use super::*;

/// What proc(5) tells of a process: its 23rd, 27th, 50th and 51st word, after a name that may be anything.
fn stat([size, code, start, end]: [u64; 4]) -> String {
    let mut words: Vec<String> = (4..=52).map(|word| word.to_string()).collect();
    for (word, value) in [(23, size), (27, code), (50, start), (51, end)] {
        words[word - 4] = value.to_string();
    }
    format!("7 (a ) 0 b) R {}", words.join(" "))
}

#[test]
fn what_the_kernel_tells_of_an_environment() {
    assert_eq!(told(&stat([4096, 0, 0, 0])), Told::Between);
    // It is in its place, and no end of it is told yet.
    assert_eq!(told(&stat([4096, 0, 140_000, 140_000])), Told::Between);
    assert_eq!(told(&stat([4096, 9, 140_000, 140_000])), Told::Bytes(0));
    assert_eq!(told(&stat([4096, 9, 140_000, 140_300])), Told::Bytes(300));
    assert_eq!(told(&stat([0, 0, 0, 0])), Told::NoMemory);
    assert_eq!(told(""), Told::NoMemory);
}

#[test]
fn a_program_without_variables_has_none_at_once() {
    let mut command = std::process::Command::new("/bin/sleep");
    let bare = crate::tests::Guard::spawn(command.arg("60").env_clear());
    let of = |pid: i32| environment(Path::new(&format!("/proc/{pid}")));
    assert_eq!(of(bare.pid()).unwrap(), b"");
    assert!(!of(std::process::id().cast_signed()).unwrap().is_empty());
}

#[test]
fn a_program_that_becomes_another_all_the_time_is_always_found() {
    let service = ServiceName::from("becomes-another");
    let under_way = UnderWay::of(&service);
    let again = "n=$1; [ $n -gt 0 ] || exit 0; exec /bin/sh \"$0\" $((n - 1))";
    let script = tempfile::tempdir().unwrap();
    let script = script.path().join("again");
    fs::write(&script, again).unwrap();
    let argv = ["/bin/sh", script.to_str().unwrap(), "1000"].map(str::to_owned);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| under_way.run(&argv, Duration::from_secs(60)));
        while under_way.look() == Holding::Free {}
        while !run.is_finished() {
            // Looked at before it is asked whether it still runs: what ends between the two was there.
            let seen = under_way.look();
            assert!(seen != Holding::Free || ended(&under_way), "not seen");
        }
        assert_eq!(run.join().unwrap().exit, Some(0));
    });
}

/// Whether it is gone for good, and not only for one look.
fn ended(under_way: &UnderWay) -> bool {
    (0..20).all(|_| under_way.look() == Holding::Free)
}
