//! Poisson arrivals at a rate that changes with time, by inversion of the expected number of
//! arrivals (Çinlar, *Introduction to Stochastic Processes*, 1975, section 4.7). Gaps in the
//! expected number are exponential with mean 1. Within a piece of linear rate, the inverse is
//! a square root, which IEEE 754 defines exactly.

use lumos_model::arrival::Rate;

use crate::random::Random;
use crate::time::SECOND;

/// A period over which the rate changes linearly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub length_ns: u64,
    /// Requests a second at the beginning.
    pub from: f64,
    /// Requests a second at the end.
    pub to: f64,
}

impl Piece {
    /// A piece with a constant rate.
    pub fn level(length_ns: u64, rate: Rate) -> Self {
        Self { length_ns, from: rate.get(), to: rate.get() }
    }

    /// The time, in seconds from the beginning of the piece, at which `expected` more arrivals
    /// than at `at_s` are expected. An error holds the rest of `expected` at the end of the
    /// piece.
    fn advance(&self, at_s: f64, expected: f64) -> Result<f64, f64> {
        let length_s = self.length_ns as f64 / SECOND as f64;
        let left_s = length_s - at_s;
        if left_s <= 0.0 {
            return Err(expected);
        }
        let slope = (self.to - self.from) / length_s;
        let rate = self.from + slope * at_s;
        let left = (rate + self.to) / 2.0 * left_s;
        if expected >= left {
            return Err(expected - left);
        }
        // The positive root of slope/2 x^2 + rate x = expected, in the form without a
        // subtraction of nearly equal numbers.
        let root = (rate * rate + 2.0 * slope * expected).max(0.0).sqrt();
        Ok((at_s + 2.0 * expected / (rate + root)).min(length_s))
    }
}

/// A sequence of pieces.
#[derive(Clone, Debug)]
pub enum Pieces {
    Once(std::vec::IntoIter<Piece>),
    /// The same pieces again and again.
    Repeat(std::iter::Cycle<std::vec::IntoIter<Piece>>),
}

impl Pieces {
    pub fn once(pieces: Vec<Piece>) -> Self {
        Self::Once(pieces.into_iter())
    }

    pub fn repeat(pieces: Vec<Piece>) -> Self {
        Self::Repeat(pieces.into_iter().cycle())
    }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        match self {
            Pieces::Once(pieces) => pieces.next(),
            Pieces::Repeat(pieces) => pieces.next(),
        }
    }
}

/// The arrivals of a sequence of pieces.
#[derive(Clone, Debug)]
pub struct Poisson {
    pieces: Pieces,
    piece: Piece,
    piece_begin_ns: u64,
    at_s: f64,
    end_ns: u64,
    random: Random,
}

impl Poisson {
    /// The arrivals before `end_ns`.
    pub fn new(pieces: Pieces, end_ns: u64, random: Random) -> Self {
        let piece = Piece { length_ns: 0, from: 0.0, to: 0.0 };
        Self { pieces, piece, piece_begin_ns: 0, at_s: 0.0, end_ns, random }
    }
}

impl Iterator for Poisson {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let mut expected = self.random.exponential();
        while self.piece_begin_ns < self.end_ns {
            match self.piece.advance(self.at_s, expected) {
                Ok(at_s) => {
                    self.at_s = at_s;
                    let into_piece = ((at_s * SECOND as f64) as u64).min(self.piece.length_ns);
                    return Some(self.piece_begin_ns + into_piece);
                }
                Err(left) => {
                    expected = left;
                    self.piece_begin_ns = self.piece_begin_ns.saturating_add(self.piece.length_ns);
                    self.piece = self.pieces.next()?;
                    self.at_s = 0.0;
                }
            }
        }
        None
    }
}
