//! A file's pages in memory: who wants to start from the disk must see them gone.
//!
//! What the kernel is asked for (posix_fadvise(2)) it may leave undone: pages that some
//! process maps stay, and a file in tmpfs has no other place. So the pages are counted
//! afterwards (mincore(2)). Below the page cache nothing is reached: a drive, or the
//! machine that a virtual one runs on, may still answer from a memory of its own.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::unistd::{SysconfVar, sysconf};

/// What became of a file's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Pages of the file that were in memory before.
    pub resident_before: u64,
    /// Pages of the file that are in memory still.
    pub resident_after: u64,
    /// Why pages stayed; `None`: none did.
    pub reason: Option<String>,
}

impl Eviction {
    /// Pages that left.
    pub fn evicted(&self) -> u64 {
        self.resident_before.saturating_sub(self.resident_after)
    }
}

/// Writes what is dirty of the file at `path`, drops its pages from memory, and counts
/// those that stay.
///
/// # Errors
/// When the file cannot be read, written to its disk, or mapped.
pub fn evict(path: &Path) -> io::Result<Eviction> {
    let file = File::open(path)?;
    let resident_before = resident_pages(&file)?;
    // Dirty pages stay; this file may have been built a moment ago.
    file.sync_data()?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    let resident_after = resident_pages(&file)?;
    let reason = (resident_after > 0).then(|| why(&file, path, resident_after));
    Ok(Eviction { resident_before, resident_after, reason })
}

/// Why pages stayed, and what to do.
fn why(file: &File, path: &Path, resident: u64) -> String {
    let in_memory = fstatfs(file).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC);
    let reason = if in_memory {
        "its file system has no other place: build the artifacts on a disk"
    } else {
        "another process maps them or reads the file: end it"
    };
    format!("{resident} pages of {} stay in memory; {reason}", path.display())
}

/// How many pages of `file` are in memory.
///
/// # Errors
/// When the file cannot be mapped.
pub fn resident_pages(file: &File) -> io::Result<u64> {
    let Some(length) = NonZeroUsize::new(file.metadata()?.len() as usize) else { return Ok(0) };
    let page = sysconf(SysconfVar::PAGE_SIZE)?.expect("Linux has pages") as usize;
    let mut resident = vec![0_u8; length.get().div_ceil(page)];
    // No access is asked for: to touch a page is to read it.
    let map = Mapping::new(file, length, libc::PROT_NONE)?;
    // SAFETY: the mapping is `length` bytes long and lives; the vector has a byte a page.
    let result = unsafe { libc::mincore(map.start, length.get(), resident.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // Only the lowest bit is defined.
    Ok(resident.iter().filter(|page| **page & 1 == 1).count() as u64)
}

/// A file as addresses.
struct Mapping {
    start: *mut c_void,
    length: usize,
}

impl Mapping {
    fn new(file: &File, length: NonZeroUsize, access: c_int) -> io::Result<Self> {
        let (length, fd) = (length.get(), file.as_raw_fd());
        // SAFETY: a new mapping at a place of the kernel's choice disturbs no other.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with that length, and nobody holds a pointer into it.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;

    /// A file of 100 pages and a bit in `folder`, just written.
    fn file(folder: &Path) -> NamedTempFile {
        let mut file = NamedTempFile::new_in(folder).unwrap();
        file.write_all(&vec![7; 100 * page() + 1]).unwrap();
        file
    }

    fn page() -> usize {
        sysconf(SysconfVar::PAGE_SIZE).unwrap().unwrap() as usize
    }

    /// The folder of this test's executable: on the disk, where artifacts are too.
    fn disk() -> std::path::PathBuf {
        std::env::current_exe().unwrap().parent().unwrap().to_owned()
    }

    #[test]
    fn a_file_on_a_disk_leaves_memory_and_comes_back_when_it_is_read() {
        let file = file(&disk());
        for _ in 0..2 {
            let eviction = evict(file.path()).unwrap();
            assert_eq!(
                eviction,
                Eviction { resident_before: 101, resident_after: 0, reason: None }
            );
            assert_eq!(eviction.evicted(), 101);
            assert_eq!(std::fs::read(file.path()).unwrap().len(), 100 * page() + 1);
            assert_eq!(resident_pages(file.as_file()).unwrap(), 101);
        }
    }

    #[test]
    fn a_file_in_tmpfs_stays_and_it_is_told() {
        let file = file(Path::new("/dev/shm"));
        let eviction = evict(file.path()).unwrap();
        assert_eq!((eviction.evicted(), eviction.resident_after), (0, 101));
        let reason = eviction.reason.unwrap();
        assert!(reason.contains("no other place"), "{reason}");
    }

    #[test]
    fn pages_that_are_mapped_stay_and_it_is_told() {
        let file = file(&disk());
        let length = NonZeroUsize::new(10 * page()).unwrap();
        let map = Mapping::new(file.as_file(), length, libc::PROT_READ).unwrap();
        // SAFETY: the first byte of the mapping above.
        assert_eq!(unsafe { map.start.cast::<u8>().read_volatile() }, 7);
        let eviction = evict(file.path()).unwrap();
        drop(map);
        assert!(eviction.resident_after >= 1, "{eviction:?}");
        assert!(eviction.reason.unwrap().contains("another process maps them"));
        assert_eq!(evict(file.path()).unwrap().resident_after, 0);
    }

    #[test]
    fn an_empty_file_has_no_pages_and_a_missing_one_is_an_error() {
        let empty = NamedTempFile::new_in(disk()).unwrap();
        let nothing = Eviction { resident_before: 0, resident_after: 0, reason: None };
        assert_eq!(evict(empty.path()).unwrap(), nothing);
        assert_eq!(evict(Path::new("/none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
