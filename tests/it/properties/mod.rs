//! Properties of the parsers of hostile input, on inputs that nobody thought of. `holds`, `signed` and
//! `files` say what is true of any input; the fuzz targets assert the same.

mod address;
mod basic;
mod config;
mod digest;
mod files;
mod form;
mod forwarded;
mod headers;
mod holds;
mod leads;
mod picture;
mod redirect_uri;
mod scope;
mod signed;
mod tokens;
