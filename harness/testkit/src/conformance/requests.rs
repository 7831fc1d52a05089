//! Requests to the guest `conformance`.

use std::net::SocketAddr;

use serde_json::{Value, json};

pub fn echo(data: &str) -> String {
    request(json!({ "op": "echo", "data": data }))
}

pub fn fail(message: &str) -> String {
    request(json!({ "op": "fail", "message": message }))
}

pub fn refuse(message: &str) -> String {
    request(json!({ "op": "refuse", "message": message }))
}

pub fn trap() -> String {
    request(json!({ "op": "trap" }))
}

pub fn panic() -> String {
    request(json!({ "op": "panic" }))
}

pub fn exit(code: i32) -> String {
    request(json!({ "op": "exit", "code": code }))
}

pub fn oom() -> String {
    request(json!({ "op": "oom" }))
}

pub fn grow(bytes: u32) -> String {
    request(json!({ "op": "grow", "bytes": bytes }))
}

pub fn spin() -> String {
    request(json!({ "op": "spin" }))
}

pub fn burn(iterations: u32) -> String {
    request(json!({ "op": "burn", "iterations": iterations }))
}

pub fn block(silent: SocketAddr) -> String {
    request(json!({ "op": "block", "addr": silent }))
}

fn request(value: Value) -> String {
    value.to_string()
}
