//! Properties of the parsers of hostile input, on inputs that nobody thought of. `holds` says what is true of any input;
//! the fuzz targets assert the same.

mod address;
mod basic;
mod digest;
mod form;
mod forwarded;
mod holds;
mod leads;
mod picture;
mod redirect_uri;
mod scope;
