//! WasmEdge's sockets for preview 1, which WASI itself lacks.
//!
//! The host functions are WasmEdge's extension of `wasi_snapshot_preview1`. Only WasmEdge provides
//! them, and only a function that opens a connection imports them.

use std::io;
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::FromRawFd;
use std::time::Duration;

const INET4: u32 = 1;
const STREAM: u32 = 2;
const SOL_SOCKET: u32 = 0;
const RECEIVE_TIMEOUT: u32 = 11;
const SEND_TIMEOUT: u32 = 12;

#[repr(C)]
struct Address {
    octets: *const u8,
    length: u32,
}

#[repr(C)]
struct TimeValue {
    seconds: i64,
    microseconds: i64,
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_open(family: u32, kind: u32, fd: *mut u32) -> u32;
    fn sock_connect(fd: u32, address: *const Address, port: u32) -> u32;
    fn sock_setsockopt(fd: u32, level: u32, name: u32, value: *const TimeValue, bytes: u32) -> u32;
}

pub(crate) fn open(address: SocketAddrV4, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let mut fd = 0;
    // SAFETY: `fd` outlives the call, which writes one u32 into it.
    check(unsafe { sock_open(INET4, STREAM, &mut fd) })?;
    // SAFETY: the host has just opened `fd`, and it has no other owner.
    let stream = unsafe { TcpStream::from_raw_fd(fd as i32) };

    for name in timeout.iter().flat_map(|_| [RECEIVE_TIMEOUT, SEND_TIMEOUT]) {
        set_timeout(fd, name, timeout.unwrap_or_default())?;
    }
    let octets = address.ip().octets();
    let target = Address { octets: octets.as_ptr(), length: octets.len() as u32 };
    // SAFETY: `target` and the octets it points to outlive the call, which reads them.
    check(unsafe { sock_connect(fd, &target, u32::from(address.port())) })?;
    Ok(stream)
}

fn set_timeout(fd: u32, name: u32, timeout: Duration) -> io::Result<()> {
    let value = TimeValue {
        seconds: timeout.as_secs() as i64,
        microseconds: i64::from(timeout.subsec_micros()),
    };
    let bytes = size_of::<TimeValue>() as u32;
    // SAFETY: `value` outlives the call, which reads `bytes` bytes of it.
    check(unsafe { sock_setsockopt(fd, SOL_SOCKET, name, &value, bytes) })
}

/// The error numbers of WASI are those of wasi-libc, which `std` uses.
fn check(errno: u32) -> io::Result<()> {
    if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno as i32)) }
}
