//! The throttle bits of a Raspberry Pi's firmware.

use super::root::Root;

/// The kernel's file with the bits, relative to `root`. The folder of the firmware device is
/// `soc:firmware` on a Pi 4 and contains a bus address on later boards, so the device is found by
/// its driver.
pub(super) fn file(root: &Root) -> Option<String> {
    const DRIVER: &str = "sys/bus/platform/drivers/raspberrypi-firmware";
    let known = "sys/devices/platform/soc/soc:firmware/get_throttled".to_owned();
    let found = root.names(DRIVER).into_iter().map(|dev| format!("{DRIVER}/{dev}/get_throttled"));
    std::iter::once(known).chain(found).find(|file| root.path(file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_file_on_every_board() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::at(folder.path());
        assert_eq!(file(&root), None);
        let pi5 = "sys/bus/platform/drivers/raspberrypi-firmware/soc@107c000000:firmware";
        std::fs::create_dir_all(root.path(pi5)).unwrap();
        std::fs::write(root.path(&format!("{pi5}/get_throttled")), "0\n").unwrap();
        assert_eq!(file(&root).unwrap(), format!("{pi5}/get_throttled"));
    }
}
