;; A reactor in the form that the SDK builds. The request's first byte chooses what
;; `invoke` does; the answer is an envelope: body, 64 bytes of guest phases, status.
(module
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $fd_prestat_get (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $out_of_memory (mut i32) (i32.const 0))
  (global $initialised (mut i32) (i32.const 0))
  (data (i32.const 256) "guest wrote this\n")

  (func (export "_initialize") (global.set $initialised (i32.const 1)))

  ;; One buffer at the second page, grown to fit.
  (func (export "alloc") (param $len i32) (result i32)
    (local $pages i32)
    (local.set $pages
      (i32.add (i32.shr_u (i32.add (local.get $len) (i32.const 1000)) (i32.const 16)) (i32.const 2)))
    (if (i32.gt_u (local.get $pages) (memory.size))
      (then
        (if (i32.eq (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const -1))
          (then (global.set $out_of_memory (i32.const 1)) (unreachable)))))
    (i32.const 65536))

  (func (export "oom") (result i32) (global.get $out_of_memory))

  ;; lumos_wire::canary::spin
  (func (export "canary") (param $n i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $i i32)
    (local.set $a (i32.const 0x9e3779b9))
    (local.set $b (i32.const 0x243f6a88))
    (local.set $c (i32.const 0xb7e15162))
    (local.set $d (i32.const 0x13198a2e))
    (block $done
      (loop $round
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $a (i32.add (i32.xor (local.get $a) (local.get $i))
                               (i32.rotl (local.get $a) (i32.const 7))))
        (local.set $b (i32.add (i32.xor (local.get $b) (local.get $i))
                               (i32.rotl (local.get $b) (i32.const 11))))
        (local.set $c (i32.add (i32.xor (local.get $c) (local.get $i))
                               (i32.rotl (local.get $c) (i32.const 13))))
        (local.set $d (i32.add (i32.xor (local.get $d) (local.get $i))
                               (i32.rotl (local.get $d) (i32.const 17))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $round)))
    (i32.xor (i32.xor (local.get $a) (local.get $b)) (i32.xor (local.get $c) (local.get $d))))

  ;; The buffer at $ptr becomes the envelope of a body of $len bytes.
  (func $seal (param $ptr i32) (param $len i32) (result i64)
    (memory.fill (i32.add (local.get $ptr) (local.get $len)) (i32.const 0) (i32.const 65))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
      (i64.extend_i32_u (i32.add (local.get $len) (i32.const 65)))))

  (func $recurse (param $n i32) (result i32)
    (i32.rotl (call $recurse (i32.add (local.get $n) (i32.const 1))) (local.get $n)))

  ;; A nap of ten minutes: one relative clock subscription.
  (func $sleep (result i32)
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 48))
    (i32.store (i32.const 1040) (i32.const 1))
    (i64.store (i32.const 1048) (i64.const 600000000000))
    (call $poll_oneoff (i32.const 1024) (i32.const 2048) (i32.const 1) (i32.const 16)))

  (func (export "invoke") (param $ptr i32) (param $len i32) (result i64)
    (local $what i32)
    (if (i32.eqz (global.get $initialised)) (then (unreachable)))
    (local.set $what (i32.load8_u (local.get $ptr)))
    ;; 's': spin for ever
    (if (i32.eq (local.get $what) (i32.const 0x73)) (then (loop $spin (br $spin))))
    ;; 'c': read the clock for ever
    (if (i32.eq (local.get $what) (i32.const 0x63))
      (then (loop $spin (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 512))) (br $spin))))
    ;; 'w': wait in a host call for ever, as a guest whose library retries on EINTR
    (if (i32.eq (local.get $what) (i32.const 0x77))
      (then (loop $spin (drop (call $sleep)) (br $spin))))
    ;; 'z': one nap, then an ordinary answer
    (if (i32.eq (local.get $what) (i32.const 0x7a)) (then (drop (call $sleep))))
    ;; 't': trap
    (if (i32.eq (local.get $what) (i32.const 0x74)) (then (unreachable)))
    ;; 'l': load out of bounds
    (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (drop (i32.load (i32.const -16)))))
    ;; 'd': divide by zero
    (if (i32.eq (local.get $what) (i32.const 0x64))
      (then (drop (i32.div_u (local.get $len) (i32.const 0)))))
    ;; 'r': recurse for ever
    (if (i32.eq (local.get $what) (i32.const 0x72)) (then (drop (call $recurse (i32.const 0)))))
    ;; 'x': leave
    (if (i32.eq (local.get $what) (i32.const 0x78)) (then (call $proc_exit (i32.const 3))))
    ;; 'o': take memory until there is none
    (if (i32.eq (local.get $what) (i32.const 0x6f))
      (then
        (loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        (global.set $out_of_memory (i32.const 1))
        (unreachable)))
    ;; 'p': print
    (if (i32.eq (local.get $what) (i32.const 0x70))
      (then
        (i32.store (i32.const 512) (i32.const 256))
        (i32.store (i32.const 516) (i32.const 17))
        (drop (call $fd_write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520)))))
    ;; 'v': the environment
    (if (i32.eq (local.get $what) (i32.const 0x76))
      (then
        (drop (call $environ_sizes_get (i32.const 512) (i32.const 516)))
        (drop (call $environ_get (i32.const 1024) (local.get $ptr)))
        (return (call $seal (local.get $ptr) (i32.load (i32.const 516))))))
    ;; 'f': the answer of fd_prestat_get(3)
    (if (i32.eq (local.get $what) (i32.const 0x66))
      (then
        (i32.store (local.get $ptr) (call $fd_prestat_get (i32.const 3) (i32.const 512)))
        (return (call $seal (local.get $ptr) (i32.const 4)))))
    ;; anything else: echo
    (call $seal (local.get $ptr) (local.get $len))))
