//! Hosts: the executables `lumos-host-RUNTIME` that load and invoke functions.
//!
//! | module | content |
//! |---|---|
//! | `discovery` | which hosts are installed next to `lumos`, and what each can do |
//! | `client` | `HostClient`: the requests of the host protocol, typed |
//! | `process` | a host's process: its start, its messages, its end |
//! | `groups` | `ControlGroups`: the control groups of this `lumos` process |
//! | `error` | [`ClientError`]: why a host did not do what it was asked |

mod client;
mod discovery;
mod error;
mod groups;
mod process;

pub(crate) use self::client::{BlockRequest, HostClient, Outputs};
pub use self::discovery::discover;
pub use self::error::ClientError;
pub(crate) use self::groups::ControlGroups;
