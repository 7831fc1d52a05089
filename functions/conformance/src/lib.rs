//! A guest that misbehaves on request, for the tests of hosts.

use std::hint::black_box;
use std::net::SocketAddrV4;
use std::sync::Mutex;

use lumos_function::{Context, Error, Function, wire::canary};
use serde::{Deserialize, Serialize};

mod block;

/// Does what it is told, however bad.
pub struct Conformance;

/// `{"op": "echo", "data": "x"}`, or another operation.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Request {
    /// Answers with `data`.
    Echo {
        /// What to answer.
        data: String,
    },
    /// Fails with `message`, as a function does.
    Fail {
        /// The error's message.
        message: String,
    },
    /// Refuses the request with `message`, as a function does that does not like its input.
    Refuse {
        /// What is wrong with it.
        message: String,
    },
    /// Executes an instruction that traps (natively: aborts).
    Trap,
    /// Panics, which the build profile turns into a trap.
    Panic,
    /// Ends the process or the command with an exit code.
    Exit {
        /// The exit code.
        code: i32,
    },
    /// Allocates and touches memory until there is none. Without a memory limit this
    /// takes all that the machine has.
    Oom,
    /// Allocates, touches and keeps memory for as long as the instance lives.
    Grow {
        /// How much more.
        bytes: u32,
    },
    /// Runs for ever.
    Spin,
    /// Runs for a while.
    Burn {
        /// Rounds of the canary loop.
        iterations: u32,
    },
    /// Reads from a socket that never answers: one of `addr`, or that of the Redis
    /// server while it waits for an item of a list that nobody fills.
    Block {
        /// Where somebody accepts and stays silent.
        addr: Option<SocketAddrV4>,
    },
}

/// What a well-behaved operation answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// Of `echo`.
    Data {
        /// The request's `data`.
        data: String,
    },
    /// Of `grow`.
    Held {
        /// All bytes that this instance keeps.
        held: u64,
    },
    /// Of `burn`.
    Value {
        /// The loop's result.
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
            Request::Block { addr } => block::block(addr),
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
    let mut held = HELD.lock().expect("nobody panics with the lock");
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
    fn what_behaves_well_answers() {
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
    fn unknown_operations_are_errors() {
        assert!(ask(r#"{"op":"dance"}"#).unwrap_err().message().contains("dance"));
        assert!(ask("").unwrap_err().message().contains("line 1"));
    }
}
