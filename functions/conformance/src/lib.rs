//! A guest that misbehaves on request, for the tests of hosts.

use std::hint::black_box;
use std::net::SocketAddrV4;
use std::sync::Mutex;

use lumos_function::{Context, Error, Function, wire::canary};
use serde::{Deserialize, Serialize};

mod block;

/// Fails in the requested way.
pub struct Conformance;

/// `{"op": "echo", "data": "x"}`, or another operation.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Request {
    /// Returns `data`.
    Echo {
        /// The data to return.
        data: String,
    },
    /// Fails with `message`, like a function with an error.
    Fail {
        /// The error message.
        message: String,
    },
    /// Rejects the request with `message`, like a function with invalid input.
    Refuse {
        /// What is wrong with the request.
        message: String,
    },
    /// Executes an instruction that traps; aborts on native targets.
    Trap,
    /// Panics, which the build profile turns into a trap.
    Panic,
    /// Exits with an exit code.
    Exit {
        /// The exit code.
        code: i32,
    },
    /// Allocates and touches memory until none is left. Without a memory limit, it takes all memory
    /// of the machine.
    Oom,
    /// Allocates and touches memory, and keeps it until the instance ends.
    Grow {
        /// Number of bytes to add.
        bytes: u32,
    },
    /// Runs forever.
    Spin,
    /// Runs the canary loop.
    Burn {
        /// Number of iterations.
        iterations: u32,
    },
    /// Reads from a socket that never answers: from `addr`, or from the Redis server, which waits
    /// for an item of a list that stays empty.
    Block {
        /// The address of a server that accepts connections and sends nothing.
        addr: Option<SocketAddrV4>,
    },
}

/// The output of an operation that succeeds.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// The output of `echo`.
    Data {
        /// The request's `data`.
        data: String,
    },
    /// The output of `grow`.
    Held {
        /// Number of bytes that this instance keeps.
        held: u64,
    },
    /// The output of `burn`.
    Value {
        /// The result of the loop.
        value: u32,
    },
}

impl Function for Conformance {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, _cx: &mut Context) -> Result<Output, Error> {
        match request {
            Request::Echo { data } => Ok(Output::Data { data }),
            Request::Fail { message } => Err(Error::new(message)),
            Request::Refuse { message } => Err(Error::bad_request(message)),
            Request::Trap => trap(),
            Request::Panic => panic!("a panic was asked for"),
            Request::Exit { code } => std::process::exit(code),
            Request::Oom => fill_memory(),
            Request::Grow { bytes } => Ok(Output::Held { held: grow(bytes) }),
            Request::Spin => spin(),
            Request::Burn { iterations } => Ok(Output::Value { value: canary::spin(iterations) }),
            Request::Block { addr } => match block::block(addr)? {},
        }
    }
}

lumos_function::export!(Conformance);

#[cfg(target_family = "wasm")]
fn trap() -> ! {
    std::arch::wasm32::unreachable()
}

#[cfg(not(target_family = "wasm"))]
fn trap() -> ! {
    std::process::abort()
}

fn spin() -> ! {
    let mut turns = 0_u32;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

const PAGE: usize = 1 << 20;

fn fill_memory() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; PAGE]));
    }
}

static HELD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

fn grow(bytes: u32) -> u64 {
    let mut held = HELD.lock().expect("no code panics while it holds the lock");
    held.push(black_box(vec![1_u8; bytes as usize]));
    held.iter().map(|block| block.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    fn ask(request: &str) -> Result<String, Error> {
        respond::<Conformance>(request.as_bytes(), &mut GuestPhases::default())
            .map(|body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn answers_operations_that_succeed() {
        assert_eq!(ask(r#"{"op":"echo","data":"¡hola!"}"#).unwrap(), r#"{"data":"¡hola!"}"#);
        assert_eq!(ask(r#"{"op":"burn","iterations":0}"#).unwrap(), r#"{"value":519096445}"#);
        assert_eq!(ask(r#"{"op":"grow","bytes":1000}"#).unwrap(), r#"{"held":1000}"#);
        assert_eq!(ask(r#"{"op":"grow","bytes":24}"#).unwrap(), r#"{"held":1024}"#);
        for (op, is_bad_request) in [("fail", false), ("refuse", true)] {
            let error = ask(&format!(r#"{{"op":"{op}","message":"no"}}"#)).unwrap_err();
            assert_eq!((error.message(), error.is_bad_request()), ("no", is_bad_request));
        }
    }

    #[test]
    fn rejects_unknown_operations() {
        assert!(ask(r#"{"op":"dance"}"#).unwrap_err().message().contains("dance"));
        assert!(ask("").unwrap_err().message().contains("line 1"));
    }
}
