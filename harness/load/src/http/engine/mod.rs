//! Sends requests that are due and reads responses, on one thread.
//!
//! | module | contents |
//! |---|---|
//! | `event_loop` | one turn after another until every request has its outcome |
//! | `sending` | due requests, and connections that become free |
//! | `connecting` | connections: made, closed, replaced |
//! | `deadlines` | requests that time out or are cancelled |
//! | `ending` | the outcome of a request, recorded |
//! | `state` | what all of them share |

mod connecting;
mod deadlines;
mod ending;
mod event_loop;
mod sending;
mod state;

pub(super) use self::state::Engine;
