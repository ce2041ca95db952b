//! Digest access authentication (RFC 7616), with `qop=auth`: the response, what a server reads of a client, and nonces
//! that need no memory.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest as _, Md5};

use super::mac::{MacKey, Purpose};
use super::token::sha256;
use crate::domain::auth_params::{AuthParams, Malformed, quoted};
use crate::domain::delivery::DigestAlgorithm;
use crate::domain::timestamp::Timestamp;
use crate::entropy::Entropy;

/// How long a nonce is good.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// The only quality of protection that is spoken here (RFC 7616 section 3.4).
pub const QOP: &str = "auth";

fn hash(algorithm: DigestAlgorithm, text: &str) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match algorithm {
        DigestAlgorithm::Sha256 => hex(&sha256(text.as_bytes())),
        DigestAlgorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
    }
}

/// What a response is computed from.
#[derive(Clone, Copy)]
pub struct Digested<'d> {
    pub algorithm: DigestAlgorithm,
    pub username: &'d str,
    pub realm: &'d str,
    pub password: &'d str,
    pub method: &'d str,
    pub uri: &'d str,
    pub nonce: &'d str,
    /// Eight hexadecimal digits.
    pub nc: &'d str,
    pub cnonce: &'d str,
}

impl Digested<'_> {
    /// What the client proves itself with (RFC 7616 section 3.4.1).
    pub fn response(&self) -> String {
        self.over(&format!("{}:{}", self.method, self.uri))
    }

    /// What the server proves itself with (RFC 7616 section 3.5).
    pub fn rspauth(&self) -> String {
        self.over(&format!(":{}", self.uri))
    }

    fn over(&self, a2: &str) -> String {
        let Self { algorithm, username, realm, password, nonce, nc, cnonce, .. } = *self;
        let ha1 = hash(algorithm, &format!("{username}:{realm}:{password}"));
        let ha2 = hash(algorithm, a2);
        hash(algorithm, &format!("{ha1}:{nonce}:{nc}:{cnonce}:{QOP}:{ha2}"))
    }

    /// Whether this is the response. Constant time.
    pub fn is_response(&self, presented: &str) -> bool {
        verify_slices_are_equal(self.response().as_bytes(), presented.as_bytes()).is_ok()
    }

    /// The `Authorization` field of a client. A user name that is not ASCII is written after RFC 5987, as RFC 7616
    /// section 3.4.4 has it.
    pub fn authorization(&self, opaque: Option<&str>) -> String {
        let username = if self.username.is_ascii() {
            format!("username={}", quoted(self.username))
        } else {
            format!("username*=UTF-8''{}", percent_encoding::utf8_percent_encode(self.username, ATTR_CHAR))
        };
        let mut fields = vec![
            username,
            format!("realm={}", quoted(self.realm)),
            format!("uri={}", quoted(self.uri)),
            format!("algorithm={}", self.algorithm.as_str()),
            format!("nonce={}", quoted(self.nonce)),
            format!("nc={}", self.nc),
            format!("cnonce={}", quoted(self.cnonce)),
            format!("qop={QOP}"),
            format!("response={}", quoted(&self.response())),
        ];
        fields.extend(opaque.map(|opaque| format!("opaque={}", quoted(opaque))));
        format!("Digest {}", fields.join(", "))
    }
}

/// All but the `attr-char` of RFC 5987 section 3.2.1.
const ATTR_CHAR: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// What a client says in its `Authorization` field (RFC 7616 section 3.4). What may be missing is refused by who judges it,
/// with a challenge.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub response: String,
    /// `None`: one that is not spoken here. Without the parameter it is MD5.
    pub algorithm: Option<DigestAlgorithm>,
    pub qop: Option<String>,
    pub cnonce: Option<String>,
    pub nc: Option<String>,
    pub opaque: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Reads the whole field, scheme included.
    pub fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let params = AuthParams::credentials(value)?;
        if !params.is("Digest") {
            return Err(Malformed);
        }
        let text = |name: &str| params.get(name).map(str::to_owned);
        let needed = |name: &str| text(name).ok_or(Malformed);
        let username = match (text("username"), params.get("username*")) {
            (Some(plain), None) => plain,
            (None, Some(extended)) => extended_value(extended)?,
            _ => return Err(Malformed),
        };
        Ok(Self {
            username,
            realm: needed("realm")?,
            nonce: needed("nonce")?,
            uri: needed("uri")?,
            response: needed("response")?,
            algorithm: params.get("algorithm").map_or(Some(DigestAlgorithm::Md5), DigestAlgorithm::parse),
            qop: text("qop"),
            cnonce: text("cnonce"),
            nc: text("nc"),
            opaque: text("opaque"),
        })
    }
}

/// `UTF-8'language'percent-encoded` (RFC 5987 section 3.2.1).
fn extended_value(text: &str) -> Result<String, Malformed> {
    let (charset, rest) = text.split_once('\'').ok_or(Malformed)?;
    let (_, encoded) = rest.split_once('\'').ok_or(Malformed)?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(Malformed);
    }
    let is_whole = |at: usize| {
        let digits = encoded.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if encoded.match_indices('%').any(|(at, _)| !is_whole(at)) {
        return Err(Malformed);
    }
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().map_err(|_| Malformed)?;
    Ok(decoded.into_owned())
}

/// How often a nonce was used, by what the client writes: eight hexadecimal digits, from one (RFC 7616 section 3.4).
pub fn nonce_count(nc: &str) -> Option<u32> {
    let is_count = nc.len() == 8 && nc.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(nc, 16).ok().filter(|count| is_count && *count > 0)
}

/// A nonce that was not made by this server for this purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the nonce is none of this server's")]
pub struct ForgedNonce;

const RANDOM: usize = 16;
const MAC: usize = 32;
/// The times, what is random, and the MAC over all.
const NONCE: usize = 8 + 8 + RANDOM + MAC;

/// What time it is: by the server's clock, which may be moved, and by the machine's, which is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub server: Timestamp,
    pub machine: Timestamp,
}

/// A fresh nonce for `what`: nothing is stored of it.
pub fn nonce(key: &MacKey, what: &str, now: Moment, entropy: &dyn Entropy) -> String {
    let mut bytes = [now.server, now.machine].map(|time| time.as_micros().to_be_bytes()).concat();
    let mut random = [0; RANDOM];
    entropy.fill(&mut random);
    bytes.extend_from_slice(&random);
    let mac = key.sign(Purpose::DigestNonce, &message(what, &bytes));
    bytes.extend_from_slice(&mac);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// When a nonce was made, if it was made for `what`. Constant time.
pub fn nonce_made_at(key: &MacKey, what: &str, nonce: &str) -> Result<Moment, ForgedNonce> {
    let bytes = URL_SAFE_NO_PAD.decode(nonce).map_err(|_| ForgedNonce)?;
    let bytes: [u8; NONCE] = bytes.try_into().map_err(|_| ForgedNonce)?;
    let (plain, mac) = bytes.split_at(NONCE - MAC);
    if !key.verify(Purpose::DigestNonce, &message(what, plain), mac) {
        return Err(ForgedNonce);
    }
    let time = |at: usize| {
        let mut micros = [0; 8];
        micros.copy_from_slice(&plain[at..at + 8]);
        Timestamp::from_micros(i64::from_be_bytes(micros))
    };
    Ok(Moment { server: time(0), machine: time(8) })
}

/// Whether a nonce is still good, by both clocks: who moves the server's does not bring back what is over. One of a clock
/// that was ahead is as good as one of a clock that was behind.
pub fn is_fresh(made_at: Moment, now: Moment) -> bool {
    let age = |made_at: Timestamp, now: Timestamp| if made_at <= now { now.since(made_at) } else { made_at.since(now) };
    age(made_at.server, now.server).max(age(made_at.machine, now.machine)) < NONCE_LIFETIME
}

/// What a client has to send back as it came (RFC 7616 section 3.3).
pub fn opaque(key: &MacKey, what: &str) -> String {
    URL_SAFE_NO_PAD.encode(&key.sign(Purpose::DigestOpaque, what.as_bytes())[..16])
}

fn message(what: &str, plain: &[u8]) -> Vec<u8> {
    [what.as_bytes(), b"\0", plain].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const VECTOR: Digested<'static> = Digested {
        algorithm: DigestAlgorithm::Sha256,
        username: "Mufasa",
        realm: "http-auth@example.org",
        password: "Circle of Life",
        method: "GET",
        uri: "/dir/index.html",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        nc: "00000001",
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    };

    #[test]
    fn q2_the_vectors_of_rfc_7616_section_3_9_1_verify() {
        assert!(VECTOR.is_response("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
        let md5 = Digested { algorithm: DigestAlgorithm::Md5, ..VECTOR };
        assert!(md5.is_response("8ca523f5e9506fed4657c9700eebdbec"));
        assert!(!VECTOR.is_response("8ca523f5e9506fed4657c9700eebdbec") && !md5.is_response(""));
    }

    #[test]
    fn q7_what_is_written_is_read_back() {
        for username in ["Mufasa", "a \"b\" \\c", "Jäsøn Doe"] {
            let written = Digested { username, ..VECTOR }.authorization(Some("o"));
            let read = Credentials::parse(written.as_bytes()).unwrap();
            assert_eq!((read.username.as_str(), read.opaque.as_deref()), (username, Some("o")));
            assert!(Digested { username, ..VECTOR }.is_response(&read.response));
            assert_eq!((read.algorithm, read.qop.as_deref()), (Some(DigestAlgorithm::Sha256), Some(QOP)));
        }
    }

    #[test]
    fn q8_a_user_name_has_one_form() {
        let with = |name: &str| format!("Digest {name}, realm=r, nonce=n, uri=\"/\", response=x");
        let read = |name: &str| Credentials::parse(with(name).as_bytes()).map(|read| read.username);
        assert_eq!(read("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe").as_deref(), Ok("Jäsøn Doe"));
        for bad in [
            "username=a, username*=UTF-8''a",
            "username*=UTF-8'a",
            "username*=ISO-8859-1''a",
            "username*=UTF-8''%",
            "username*=UTF-8''%C3",
            "username*=UTF-8''%zz",
            "user=a",
        ] {
            assert_eq!(read(bad), Err(Malformed), "{bad}");
        }
        assert_eq!(Credentials::parse(b"Basic YTpi"), Err(Malformed));
    }

    #[test]
    fn q5_a_count_is_eight_digits_from_one() {
        assert_eq!([nonce_count("00000001"), nonce_count("0000001F")], [Some(1), Some(31)]);
        for bad in ["", "1", "00000000", "+0000001", "0000000g", "000000001"] {
            assert_eq!(nonce_count(bad), None, "{bad}");
        }
    }

    #[test]
    fn q4_q6_a_nonce_is_good_for_one_purpose_and_time() {
        let at = |server, machine| Moment {
            server: Timestamp::from_unix_seconds(server),
            machine: Timestamp::from_unix_seconds(machine),
        };
        let (key, now) = (MacKey::new(&[1; 32]), at(1_000_000, 2_000_000));
        let nonce = nonce(&key, "one", now, &SystemEntropy);
        assert_eq!(nonce_made_at(&key, "one", &nonce), Ok(now));
        assert_eq!(nonce_made_at(&key, "two", &nonce), Err(ForgedNonce));
        assert_eq!(nonce_made_at(&MacKey::new(&[2; 32]), "one", &nonce), Err(ForgedNonce));
        let altered = format!("{}{}", if nonce.starts_with('A') { 'B' } else { 'A' }, &nonce[1..]);
        for forged in [altered.as_str(), "", "x", "dcd98b7102dd2f0e8b11d0f600bfb0c093"] {
            assert_eq!(nonce_made_at(&key, "one", forged), Err(ForgedNonce), "{forged}");
        }
        for good in [now, at(1_000_299, 2_000_299), at(1_000_299, 2_000_000), at(1_000_000, 2_000_299)] {
            assert!(is_fresh(now, good) && is_fresh(good, now), "{good:?}");
        }
        for over in [at(1_000_300, 2_000_300), at(1_000_300, 2_000_000), at(1_000_000, 2_000_300)] {
            assert!(!is_fresh(now, over) && !is_fresh(over, now), "{over:?}");
        }
        assert_ne!(opaque(&key, "one"), opaque(&key, "two"));
    }
}
