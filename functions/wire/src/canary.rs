//! A loop whose time distinguishes interpreters from compiled code.
//!
//! Its four independent chains keep a superscalar core busy: compiled code executes several
//! operations per cycle, while an interpreter pays its dispatch for each one. Every artifact
//! exports this loop, and the host runs the same source natively, so the proof covers the measured
//! artifact itself.

/// Runs the loop and returns a value that depends on each iteration.
#[inline(never)]
pub fn spin(iterations: u32) -> u32 {
    let [mut a, mut b, mut c, mut d] = [0x9e37_79b9_u32, 0x243f_6a88, 0xb7e1_5162, 0x1319_8a2e];
    for i in 0..iterations {
        a = (a ^ i).wrapping_add(a.rotate_left(7));
        b = (b ^ i).wrapping_add(b.rotate_left(11));
        c = (c ^ i).wrapping_add(c.rotate_left(13));
        d = (d ^ i).wrapping_add(d.rotate_left(17));
    }
    a ^ b ^ c ^ d
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_result_depends_on_each_iteration() {
        assert_ne!(super::spin(0), super::spin(1));
        assert_ne!(super::spin(999), super::spin(1000));
    }
}
