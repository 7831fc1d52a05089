//! Load: when requests are to be sent, sending them at that time, and what came of them.
