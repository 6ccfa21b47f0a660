//! Keeps the agent small: what a run or the start needed, an idle agent gives back.

/// All threads share two arenas of the allocator, in place of up to eight for each core, each of which keeps what its
/// threads once used. To be called before there are threads.
pub fn keep_memory_small() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a parameter of the allocator; there is no other thread that allocates meanwhile.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives memory that is free inside the allocator back to the system: a run needs more than an idle agent.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer, and the allocator locks its own arenas.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Lets go of the program's own code: what was read for the start is not needed again, and what is needed comes back from the
/// page cache by itself, where the file stays. Nothing happens where the code can't be told from the rest.
pub fn let_go_of_code() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
        return;
    };
    let Some((begin, length)) = code_of(&maps, let_go_of_code as fn() as usize) else {
        return;
    };
    // SAFETY: a private mapping of a file that can be read and run and not written, as the kernel lists it, holds nothing but the
    // file: every page comes back as it was when it is touched again, by any thread.
    unsafe {
        libc::madvise(begin as *mut libc::c_void, length, libc::MADV_DONTNEED);
    }
}

/// Where the mapping with `address` begins, and its length, if it is code from a file.
fn code_of(maps: &str, address: usize) -> Option<(usize, usize)> {
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (begin, end) = fields.next()?.split_once('-')?;
        let begin = usize::from_str_radix(begin, 16).ok()?;
        let end = usize::from_str_radix(end, 16).ok()?;
        let (permissions, _offset, _device) = (fields.next()?, fields.next()?, fields.next()?);
        let of_a_file = fields.next()? != "0";
        let wanted = (begin..end).contains(&address) && permissions == "r-xp" && of_a_file;
        wanted.then_some((begin, end - begin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c04f4000 r--p 00000000 fe:00 1203                       /usr/bin/siaga
55d0c04f4000-55d0c15a8000 r-xp 004f4000 fe:00 1203                       /usr/bin/siaga
55d0c15a8000-55d0c1608000 r--p 015a8000 fe:00 1203                       /usr/bin/siaga
55d0c2000000-55d0c2100000 r-xp 00000000 00:00 0
55d0c3000000-55d0c3100000 rwxp 00000000 fe:00 1203                       /usr/bin/siaga
";

    #[test]
    fn only_code_that_a_file_holds_is_let_go() {
        let code = (0x55d0_c04f_4000, 0x10b_4000);
        assert_eq!(code_of(MAPS, 0x55d0_c04f_4000), Some(code));
        assert_eq!(code_of(MAPS, 0x55d0_c15a_7fff), Some(code));
        // Read-only after relocation: what the loader wrote there would be lost.
        assert_eq!(code_of(MAPS, 0x55d0_c15a_8000), None);
        // Of no file, and one that can be written.
        assert_eq!(code_of(MAPS, 0x55d0_c200_0000), None);
        assert_eq!(code_of(MAPS, 0x55d0_c300_0000), None);
        assert_eq!(code_of(MAPS, 0x1000), None);
        assert_eq!(code_of("half a line", 0x1000), None);
    }

    #[test]
    fn the_program_goes_on_afterwards() {
        for _ in 0..3 {
            let_go_of_code();
            assert_eq!(code_of(MAPS, 0x1000), None);
        }
    }
}
