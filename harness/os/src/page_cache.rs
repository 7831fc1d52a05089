//! Evicts a file's pages from the page cache, so that the next start reads them from disk.
//!
//! posix_fadvise(2) is only advice: pages that a process maps stay in memory, and so do files in
//! tmpfs, which exist nowhere else. The pages are therefore counted afterwards (mincore(2)).
//! Caches below the page cache are out of reach: those of a drive, or of the host of a virtual
//! machine.

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

/// The result of evicting a file's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Number of the file's pages in memory before.
    pub resident_before: u64,
    /// Number of the file's pages in memory after.
    pub resident_after: u64,
    /// Why pages stayed in memory, and what to do; `None` if none stayed.
    pub reason: Option<String>,
}

impl Eviction {
    /// Number of evicted pages.
    pub fn evicted(&self) -> u64 {
        self.resident_before.saturating_sub(self.resident_after)
    }
}

/// Writes the dirty pages of the file at `path` to disk, evicts all its pages, and counts those
/// that stay.
///
/// # Errors
/// When the file cannot be opened, written to its disk, or mapped.
pub fn evict(path: &Path) -> io::Result<Eviction> {
    let file = File::open(path)?;
    let resident_before = resident_pages(&file)?;
    // Dirty pages cannot be evicted, and a file that was just built has some.
    file.sync_data()?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    let resident_after = resident_pages(&file)?;
    let reason = (resident_after > 0).then(|| reason_for_residents(&file, path, resident_after));
    Ok(Eviction { resident_before, resident_after, reason })
}

/// Why pages stayed in memory, and what to do.
fn reason_for_residents(file: &File, path: &Path, resident: u64) -> String {
    let in_memory = fstatfs(file).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC);
    let reason = if in_memory {
        "it is in tmpfs, which is memory: build the artifacts on a disk"
    } else {
        "another process maps or reads the file: end that process"
    };
    format!("{resident} pages of {} stay in memory: {reason}", path.display())
}

/// Number of the file's pages in memory.
///
/// # Errors
/// When the file cannot be mapped.
fn resident_pages(file: &File) -> io::Result<u64> {
    let Some(length) = NonZeroUsize::new(file.metadata()?.len() as usize) else { return Ok(0) };
    let page = sysconf(SysconfVar::PAGE_SIZE)?.expect("Linux has pages") as usize;
    let mut resident = vec![0_u8; length.get().div_ceil(page)];
    // The mapping permits no access: reading a page would load it.
    let map = Mapping::new(file, length, libc::PROT_NONE)?;
    // SAFETY: the mapping covers `length` bytes and outlives the call; the vector has one byte for
    // each page.
    let result = unsafe { libc::mincore(map.start, length.get(), resident.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // Only the lowest bit of each byte is defined.
    Ok(resident.iter().filter(|page| **page & 1 == 1).count() as u64)
}

/// A file mapped into memory.
struct Mapping {
    start: *mut c_void,
    length: usize,
}

impl Mapping {
    fn new(file: &File, length: NonZeroUsize, access: c_int) -> io::Result<Self> {
        let (length, fd) = (length.get(), file.as_raw_fd());
        // SAFETY: the kernel chooses an unused address, so the new mapping affects no other.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` made the mapping with this length, and no pointer into it remains.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;

    /// A file in `folder` of 100 pages and one byte, just written.
    fn file(folder: &Path) -> NamedTempFile {
        let mut file = NamedTempFile::new_in(folder).unwrap();
        file.write_all(&vec![7; 100 * page() + 1]).unwrap();
        file
    }

    fn page() -> usize {
        sysconf(SysconfVar::PAGE_SIZE).unwrap().unwrap() as usize
    }

    /// The folder of this test's executable: on a disk, like the artifacts.
    fn disk() -> std::path::PathBuf {
        std::env::current_exe().unwrap().parent().unwrap().to_owned()
    }

    #[test]
    fn evicts_a_file_on_disk_until_it_is_read_again() {
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
    fn reports_that_a_file_in_tmpfs_stays() {
        let file = file(Path::new("/dev/shm"));
        let eviction = evict(file.path()).unwrap();
        assert_eq!((eviction.evicted(), eviction.resident_after), (0, 101));
        let reason = eviction.reason.unwrap();
        assert!(reason.contains("tmpfs"), "{reason}");
    }

    #[test]
    fn reports_that_mapped_pages_stay() {
        let file = file(&disk());
        let length = NonZeroUsize::new(10 * page()).unwrap();
        let map = Mapping::new(file.as_file(), length, libc::PROT_READ).unwrap();
        // SAFETY: it reads the first byte of the mapping above, which permits reading.
        assert_eq!(unsafe { map.start.cast::<u8>().read_volatile() }, 7);
        let eviction = evict(file.path()).unwrap();
        drop(map);
        assert!(eviction.resident_after >= 1, "{eviction:?}");
        assert!(eviction.reason.unwrap().contains("another process maps"));
        assert_eq!(evict(file.path()).unwrap().resident_after, 0);
    }

    #[test]
    fn an_empty_file_has_no_pages_and_a_missing_file_is_an_error() {
        let empty = NamedTempFile::new_in(disk()).unwrap();
        let nothing = Eviction { resident_before: 0, resident_after: 0, reason: None };
        assert_eq!(evict(empty.path()).unwrap(), nothing);
        assert_eq!(evict(Path::new("/none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
