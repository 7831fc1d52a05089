//! One invocation: what all forms of a function share.

use lumos_wire::envelope::{self, Status};
use lumos_wire::phases::{GuestPhase, GuestPhases};

use crate::context::Context;
use crate::error::Error;
use crate::function::Function;
use crate::time::Lap;

/// Serves one request. The answer is an envelope with the phases (`lumos_wire::envelope`).
pub fn invoke_bytes<F: Function>(request: &[u8]) -> Vec<u8> {
    let mut phases = GuestPhases::default();
    let (mut body, status) = match respond::<F>(request, &mut phases) {
        Ok(body) => (body, Status::Ok),
        Err(error) => {
            let status = error.status();
            (error.into_message().into_bytes(), status)
        }
    };
    envelope::seal(&mut body, &phases, status);
    body
}

/// Serves one request: JSON in, JSON out.
///
/// A clock read costs an interpreted guest up to 1.7 us. There are four, because adjacent phases
/// share one.
///
/// # Errors
/// When the request cannot be decoded, or the function fails.
pub fn respond<F: Function>(request: &[u8], phases: &mut GuestPhases) -> Result<Vec<u8>, Error> {
    let mut lap = Lap::start();
    let request = serde_json::from_slice(request)
        .map_err(|error| Error::bad_request(error).context("the request is not understood"))?;
    phases.add(GuestPhase::Request, lap.next());

    let mut cx = Context { phases: GuestPhases::default() };
    let output = F::run(request, &mut cx);
    let ran = lap.next();
    merge(phases, &cx.phases);
    phases.add(GuestPhase::Compute, ran.saturating_sub(cx.phases.total()));

    let body = serde_json::to_vec(&output?)?;
    phases.add(GuestPhase::Serialize, lap.next());
    Ok(body)
}

fn merge(into: &mut GuestPhases, from: &GuestPhases) {
    for phase in GuestPhase::ALL {
        into.add(phase, from.get(phase));
    }
}
