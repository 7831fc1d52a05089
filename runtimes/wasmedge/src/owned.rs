//! Ownership of WasmEdge's objects.

use std::ptr::NonNull;

use crate::failure::Failure;

/// An object of WasmEdge that is deleted when this is dropped.
pub(crate) struct Owned<T>(NonNull<T>, unsafe extern "C" fn(*mut T));

impl<T> Owned<T> {
    /// Takes ownership of a new object; null means that WasmEdge had no memory for it.
    pub fn new(created: *mut T, delete: unsafe extern "C" fn(*mut T)) -> Result<Self, Failure> {
        let created =
            NonNull::new(created).ok_or_else(|| Failure::new("WasmEdge is out of memory"))?;
        Ok(Self(created, delete))
    }

    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `new` was given the delete function of this object's type.
        unsafe { self.1(self.0.as_ptr()) }
    }
}
