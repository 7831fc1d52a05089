//! The axes of the matrix that are closed sets of words.

crate::words! {
    /// Size group of a function's input (Lumos paper, Table 2; `tiny` is for quick runs).
    Size, "size" {
        /// A few kilobytes, or a thousand numbers.
        Tiny = "tiny",
        /// 512 KB, 10 000 numbers, 512 px.
        Small = "small",
        /// 1 MB, 100 000 numbers, 1024 px.
        Medium = "medium",
        /// 2 MB, 1 000 000 numbers, 2048 px.
        Large = "large",
    }
}

crate::words! {
    /// Where an instance lives.
    Isolation, "isolation" {
        /// In its own operating-system process and cgroup.
        Process = "process",
        /// Inside the host process.
        Thread = "thread",
    }
}

crate::words! {
    /// What is new for an invocation. Each cold start includes those before it.
    Start, "start kind" {
        /// Nothing: the instance has served at least `warmup` invocations.
        Warm = "warm",
        /// The instance; engine and compiled module are resident.
        ColdInstance = "cold:instance",
        /// The module: it is read, compiled or mapped again.
        ColdModule = "cold:module",
        /// The process and its cgroup.
        ColdProcess = "cold:process",
        /// The page cache: the artifact's pages are evicted first.
        ColdImage = "cold:image",
        /// Under load: the pool of instances decides between cold and warm.
        Mixed = "mixed",
    }
}

impl Start {
    /// The start kinds of single samples: all except [`Start::Mixed`].
    pub const SINGLE: [Start; 5] =
        [Start::Warm, Start::ColdInstance, Start::ColdModule, Start::ColdProcess, Start::ColdImage];

    /// Whether every invocation of this kind is a cold start.
    pub const fn is_cold(self) -> bool {
        !matches!(self, Start::Warm | Start::Mixed)
    }
}

crate::words! {
    /// Where a function reads its input and writes its output.
    Storage, "storage" {
        /// In the request and the response.
        Inline = "inline",
        /// In a file; a wasm guest reaches it through WASI.
        Local = "local",
        /// In Redis, through the guest's own socket.
        Redis = "redis",
        /// In Redis, through a host call.
        Host = "host",
    }
}

crate::words! {
    /// From where a pool of instances is driven.
    Driver, "driver" {
        /// From inside the host process, without a network: the runtime alone.
        Direct = "direct",
        /// By HTTP requests from another process to the host's gateway: the platform path.
        Http = "http",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_as_they_are_written() {
        for start in Start::ALL {
            assert_eq!(start.as_str().parse(), Ok(*start));
        }
        let error = "cold".parse::<Start>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown start kind `cold`: expected one of warm, cold:instance, cold:module, \
             cold:process, cold:image, mixed"
        );
    }
}
