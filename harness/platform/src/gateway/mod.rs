//! The gateway: functions over HTTP.
//!
//! | request | response |
//! |---|---|
//! | `POST /FUNCTION` | the function's output, with its phases in `Server-Timing` |
//! | `GET /healthz` | 200, or 503 while the gateway drains |
//! | `GET /metrics` | OpenMetrics text |
//!
//! An error is a JSON object that names its cause ([`ResponseCause`]). A header `lumos-seq: N`
//! numbers the request's sample in the gateway's records. The gateway speaks HTTP/1.1 (and
//! 1.0) without TLS, because it serves measurements on one machine.
//!
//! # One request through the gateway
//!
//! Paths are relative to `harness/platform/src/`.
//!
//! ```text
//!  client                  event loop n                               pool thread
//!    |                          |                                          |
//!    |--- connect ----------> Connection        (by way of the acceptor)   |
//!    |--- head -------------> request::handle                              |
//!    |                        InFlightRequest   <- intended_ns             |
//!    |--- body -------------> read_body                                    |
//!    |                        invoke                                       |
//!    |                          |-- short: Service::serve_here             |
//!    |                          |     instance     <- began_ns, ended_ns   |
//!    |                          |                                          |
//!    |                          |-- otherwise: Service::submit --------> instance
//!    |                          |                                        <- began_ns,
//!    |                          |<-- Answer ---------------------------- <- ended_ns
//!    |                        InFlightRequest::answer                      |
//!    |<-- response ---------- Connection                                   |
//! ```
//!
//! 1. **Accept.** `accept` in `gateway/acceptor.rs` runs on the first event loop. It waits for
//!    a permit of the connection limit, accepts, and takes a `ConnectionSlot`
//!    (`gateway/event_loop.rs`) in the loop with the fewest connections. The connection stays
//!    in that loop.
//! 2. **Read the head.** `Connection::serve` (`gateway/connection.rs`) runs hyper's HTTP/1
//!    protocol. `repoll` (`gateway/repoll.rs`) saves a thread's wake-up when the connection's
//!    task wakes itself. For each head, hyper calls `handle` (`gateway/request.rs`).
//! 3. **Count.** `InFlightRequest::new` (`gateway/in_flight.rs`) takes the time of arrival,
//!    finds the `Route` (`gateway/route.rs`) and reads `lumos-seq`. From here on the request
//!    is counted exactly once, however it ends. A path without a function goes to
//!    `gateway/endpoints.rs` instead.
//! 4. **Check and read.** `refusal` (`gateway/request.rs`) refuses other methods (405), long
//!    heads (431) and requests during a drain (503). `read_body` (`gateway/body.rs`) refuses
//!    long (413) and slow (408) bodies.
//! 5. **Invoke.** `invoke` (`gateway/request.rs`) begins an `InlineCall`
//!    (`gateway/event_loop.rs`) and offers the request to `Service::serve_here`
//!    (`service/service_impl.rs`). The service accepts if recent invocations were short and an
//!    instance is idle or quick to make. Otherwise `Service::submit` passes the request to the
//!    pool's threads, and the connection's task awaits the answer.
//! 6. **Assign.** Either way, the `Executor` (`service/executor.rs`) reports the request to the
//!    `Pool` (`pool/calls.rs`) under a short lock, and carries out the actions that the pool
//!    returns. The request gets an instance at once, waits for one, or is rejected.
//! 7. **Run.** The instance (`service/pooled_instance.rs`) is invoked, in the host process
//!    (`service/in_process.rs`) or in a process of its own (`service/sandboxed.rs`), and `service/answer.rs` turns
//!    what was measured into an `Answer`: cause, sample, output.
//! 8. **Respond.** `InFlightRequest::answer` builds the response (`gateway/response.rs`,
//!    `gateway/server_timing.rs`), counts the request (`gateway/metrics.rs`) and keeps its
//!    sample (`gateway/records.rs`). Hyper writes the response.
//!
//! ## Threads
//!
//! | thread | number | work |
//! |---|---|---|
//! | `gateway` | two per event loop; one loop per core, four at most | one reads, calls inline and writes; the other stands by (`gateway/standby.rs`) |
//! | `gateway-watchdog` | one | checks every 2 ms whether an inline call takes longer than 5 ms, and then lets the stand-by thread work for the loop (`gateway/watchdog.rs`) |
//! | `lumos-pool` | started on demand | make instances, and invoke them for requests that are not called inline (`threads.rs`) |
//!
//! ## Time stamps
//!
//! All are nanoseconds of `CLOCK_MONOTONIC`.
//!
//! | stamp | taken in | meaning |
//! |---|---|---|
//! | `intended_ns` | `InFlightRequest::new` | the head was read; deadline and total count from here |
//! | `inline_call_ns` | `EventLoop::begin_inline_call` | for the watchdog only |
//! | `began_ns` | `invoke` in `service/in_process.rs` or `service/sandboxed.rs` | before the call into the instance; ends the phase `queue` |
//! | `ended_ns` | the same place | after the call; ends the total |
//!
//! So `queue` contains the reading of the body and the waits for an instance and a thread, but
//! not the part of a cold start that the request waited for, which has its own phases. Writing
//! the response is not in the total; a client measures it. A request that never reaches its
//! service has a total that ends when it is refused.
//!
//! ## When the client leaves
//!
//! Hyper drops the request's future, and the drop of `InFlightRequest` counts `client-left`. A
//! request in the queue is removed from it. A running invocation continues to its end, and its
//! answer is discarded. An inline call cannot be interrupted: it counts as answered, although
//! nobody reads the response.
//!
//! ## When the deadline passes
//!
//! The deadline is `intended_ns` plus the function's timeout. In the queue, the executor's timer
//! removes the request. In the instance, the engine interrupts a guest in a thread, and the
//! parent kills an instance's process; the instance is gone. Both give 504 `deadline-passed`.
//!
//! ## When the gateway drains
//!
//! `Gateway::close` (`gateway/server.rs`) calls `drain` (`gateway/drain.rs`). Idle connections
//! are closed at once; a connection that has sent no request yet has 100 ms to do so. Further
//! requests and connections get 503 `draining`. Waiting requests are rejected by the pool,
//! running ones end, and their responses close the connection. What still runs at the end of
//! the drain time is stopped (`Service::stop`) and gets 503 `draining` too.
//!
//! # Modules
//!
//! | module | subject |
//! |---|---|
//! | `server` | the gateway as a whole: open, read, close |
//! | `acceptor`, `connection` | connections |
//! | `request`, `in_flight`, `body` | one request |
//! | `endpoints`, `route` | paths with and without functions |
//! | `response`, `server_timing`, `cause` | responses |
//! | `metrics`, `pool_metrics`, `records` | what is counted and kept |
//! | `state` | state shared by connections, and by the requests of a connection |
//! | `event_loops`, `event_loop`, `standby` | threads |
//! | `watchdog`, `activity` | detection of long inline calls |
//! | `repoll`, `stay_awake` | avoided wake-ups of threads and cores |
//! | `drain` | the end |

mod acceptor;
mod activity;
mod body;
mod cause;
mod connection;
mod drain;
mod endpoints;
mod event_loop;
mod event_loops;
mod in_flight;
mod metrics;
mod pool_metrics;
mod records;
mod repoll;
mod request;
mod response;
mod route;
mod server;
mod server_timing;
mod standby;
mod state;
mod stay_awake;
#[cfg(test)]
mod tests;
mod watchdog;

pub use cause::ResponseCause;
pub(crate) use server::{Closed, Gateway};
