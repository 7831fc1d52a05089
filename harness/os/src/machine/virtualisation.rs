//! Whether this machine is a virtual machine.

use super::parse;
use super::root::Root;

/// DMI vendor and product names of virtual machines.
const VIRTUAL: [&str; 12] = [
    "QEMU",
    "KVM",
    "VMware",
    "VirtualBox",
    "innotek",
    "Xen",
    "Bochs",
    "Parallels",
    "bhyve",
    "Amazon EC2",
    "Google Compute",
    "Virtual Machine",
];

/// Evidence of a hypervisor; `None` if there is none.
pub fn hint(root: &Root, cpuinfo: &str) -> Option<String> {
    // Documentation/ABI/stable/sysfs-hypervisor-xen.
    if let Some(kind) = root.text("sys/hypervisor/type") {
        return Some(kind);
    }
    // ARM: Documentation/devicetree/bindings, node `hypervisor`.
    if let Some(kind) = root.text("proc/device-tree/hypervisor/compatible") {
        return Some(kind.replace('\0', " "));
    }
    let dmi = ["sys_vendor", "product_name"]
        .map(|name| root.text(&format!("sys/class/dmi/id/{name}")).unwrap_or_default());
    if dmi.iter().any(|text| VIRTUAL.iter().any(|name| text.contains(name))) {
        return Some(dmi.join(" ").trim().to_owned());
    }
    parse::has_hypervisor_flag(cpuinfo).then(|| "CPU flag `hypervisor`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_strongest_evidence() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::at(folder.path());
        let write = |file: &str, text: &str| {
            std::fs::create_dir_all(root.path(file).parent().unwrap()).unwrap();
            std::fs::write(root.path(file), text).unwrap();
        };
        assert_eq!(hint(&root, ""), None);
        let flag = "flags\t\t: fpu hypervisor\n";
        assert_eq!(hint(&root, flag).unwrap(), "CPU flag `hypervisor`");
        write("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
        assert_eq!(hint(&root, ""), None);
        write("sys/class/dmi/id/sys_vendor", "QEMU\n");
        write("sys/class/dmi/id/product_name", "Standard PC\n");
        assert_eq!(hint(&root, flag).unwrap(), "QEMU Standard PC");
        write("sys/hypervisor/type", "xen\n");
        assert_eq!(hint(&root, flag).unwrap(), "xen");
    }
}
