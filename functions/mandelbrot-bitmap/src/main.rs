//! The function as an executable.
lumos_function::main!(mandelbrot_bitmap::MandelbrotBitmap);
