;; A function in the smallest form that shows what a host must cope with. The first byte
;; of the request says what happens:
;;   e  the request is the answer          x  the request is an error's message
;;   t  a trap                             g  memory grows by 64 MiB, or there is a trap
;;   s  a loop without end                 z  a sleep without end
;; The answers are no envelopes: nothing here looks into them.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $own (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $own))))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))

  (core module $function
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (memory (export "memory") 1)

    ;; Requests go to 1024, and memory grows until they fit. The result is at 0.
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $pages i32)
      (local.set $pages (i32.shr_u (i32.add (local.get $size) (i32.const 66559)) (i32.const 16)))
      (if (i32.gt_u (local.get $pages) (memory.size))
        (then (drop (memory.grow (i32.sub (local.get $pages) (memory.size))))))
      i32.const 1024)

    (func $answer (param $case i32) (param $address i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 0) (local.get $case))
      (i32.store (i32.const 4) (local.get $address))
      (i32.store (i32.const 8) (local.get $length))
      i32.const 0)

    (func (export "invoke") (param $address i32) (param $length i32) (result i32)
      (local $op i32)
      (local.set $op (i32.load8_u (local.get $address)))
      (if (i32.eq (local.get $op) (i32.const 0x78))
        (then (return (call $answer (i32.const 1) (local.get $address) (local.get $length)))))
      (if (i32.eq (local.get $op) (i32.const 0x74)) (then unreachable))
      (if (i32.eq (local.get $op) (i32.const 0x73)) (then (loop $ever (br $ever))))
      (if (i32.eq (local.get $op) (i32.const 0x7a))
        (then (call $block (call $subscribe (i64.const 1000000000000000)))))
      (if (i32.eq (local.get $op) (i32.const 0x67))
        (then (if (i32.eq (memory.grow (i32.const 1024)) (i32.const -1)) (then unreachable))))
      (call $answer (i32.const 0) (local.get $address) (local.get $length)))

    ;; lumos-wire's canary.
    (func (export "canary") (param $rounds i32) (result i32)
      (local $i i32) (local $a i32) (local $b i32) (local $c i32) (local $d i32)
      (local.set $a (i32.const 0x9e3779b9))
      (local.set $b (i32.const 0x243f6a88))
      (local.set $c (i32.const 0xb7e15162))
      (local.set $d (i32.const 0x13198a2e))
      (block $done (loop $next
        (br_if $done (i32.eq (local.get $i) (local.get $rounds)))
        (local.set $a (i32.add (i32.xor (local.get $a) (local.get $i))
          (i32.rotl (local.get $a) (i32.const 7))))
        (local.set $b (i32.add (i32.xor (local.get $b) (local.get $i))
          (i32.rotl (local.get $b) (i32.const 11))))
        (local.set $c (i32.add (i32.xor (local.get $c) (local.get $i))
          (i32.rotl (local.get $c) (i32.const 13))))
        (local.set $d (i32.add (i32.xor (local.get $d) (local.get $i))
          (i32.rotl (local.get $d) (i32.const 17))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (i32.xor (i32.xor (local.get $a) (local.get $b))
        (i32.xor (local.get $c) (local.get $d)))))

  (core instance $i (instantiate $function (with "host" (instance
    (export "subscribe" (func $subscribe))
    (export "block" (func $block))))))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "invoke")
    (param "payload" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $i "invoke") (memory $memory) (realloc $realloc)))
  (func (export "canary") (param "iterations" u32) (result u32)
    (canon lift (core func $i "canary"))))
