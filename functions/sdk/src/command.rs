//! The command form of a wasm module: one request on stdin, one response on stdout.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use lumos_wire::phases::GuestPhases;

use crate::error::Error;
use crate::function::Function;
use crate::invoke::respond;

/// Serves the one request on stdin.
pub fn main<F: Function>() -> ExitCode {
    match serve_once::<F>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve_once<F: Function>() -> Result<(), Error> {
    let mut request = Vec::new();
    io::stdin().read_to_end(&mut request)?;
    let body = respond::<F>(&request, &mut GuestPhases::default())?;
    let mut stdout = io::stdout();
    stdout.write_all(&body)?;
    stdout.flush()?;
    Ok(())
}
