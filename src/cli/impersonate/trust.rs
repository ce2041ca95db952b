//! How each system and program is told to believe the authority, and to forget it again.

use std::fmt::Write as _;
use std::path::Path;

use crate::boot::impersonation::HOST;
use crate::domain::timestamp::Timestamp;

/// Who, how they are told, and how they forget. `{ca}` stands for the certificate's file.
const WAYS: [(&str, &str, &str); 12] = [
    ("curl, once", "curl --cacert {ca} https://{host}/readyz", "nothing: it keeps nothing"),
    (
        "Debian, Ubuntu: curl, Python, PHP, Ruby, Go, .NET",
        "sudo cp {ca} /usr/local/share/ca-certificates/leadgate.crt && sudo update-ca-certificates",
        "sudo rm /usr/local/share/ca-certificates/leadgate.crt && sudo update-ca-certificates --fresh",
    ),
    (
        "Fedora, RHEL",
        "sudo cp {ca} /etc/pki/ca-trust/source/anchors/leadgate.pem && sudo update-ca-trust",
        "sudo rm /etc/pki/ca-trust/source/anchors/leadgate.pem && sudo update-ca-trust",
    ),
    (
        "Alpine, in a container",
        "cp {ca} /usr/local/share/ca-certificates/leadgate.crt && update-ca-certificates",
        "rm /usr/local/share/ca-certificates/leadgate.crt && update-ca-certificates --fresh",
    ),
    (
        "macOS: Safari, Chrome, curl",
        "security add-trusted-cert -r trustRoot -p ssl -k ~/Library/Keychains/login.keychain-db {ca}",
        "security delete-certificate -c 'Leadgate, for this machine and {host}' ~/Library/Keychains/login.keychain-db",
    ),
    (
        "Windows: Edge, Chrome, .NET (PowerShell)",
        "Import-Certificate -FilePath {ca} -CertStoreLocation Cert:\\CurrentUser\\Root",
        "Get-ChildItem Cert:\\CurrentUser\\Root | Where-Object Subject -Match 'Leadgate, for this machine' | Remove-Item",
    ),
    (
        "Chromium and Chrome on Linux (certutil is in libnss3-tools)",
        "mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n leadgate -i {ca}",
        "certutil -d sql:$HOME/.pki/nssdb -D -n leadgate",
    ),
    (
        "Firefox (PROFILE: about:profiles)",
        "certutil -d sql:PROFILE -A -t C,, -n leadgate -i {ca}",
        "certutil -d sql:PROFILE -D -n leadgate",
    ),
    ("Node.js, in the environment of its process", "export NODE_EXTRA_CA_CERTS={ca}", "unset NODE_EXTRA_CA_CERTS"),
    (
        "Python's requests and httpx",
        "export SSL_CERT_FILE={ca} REQUESTS_CA_BUNDLE={ca}    # in the place of all others",
        "unset SSL_CERT_FILE REQUESTS_CA_BUNDLE",
    ),
    (
        "PHP's curl",
        "php -d curl.cainfo={ca} -d openssl.cafile={ca} …    # in the place of all others",
        "nothing: it keeps nothing",
    ),
    (
        "Java",
        "keytool -importcert -noprompt -cacerts -storepass changeit -alias leadgate -file {ca}",
        "keytool -delete -cacerts -storepass changeit -alias leadgate",
    ),
];

/// How each is told.
pub fn done(certificate: &Path, ends: Timestamp) -> String {
    let certificate = certificate.display().to_string();
    let mut text = format!(
        "The authority's certificate is {certificate}\nIt is good for {HOST} alone, until {}. Its key is beside it, and nobody \
         else's business.\n\n",
        ends.to_rfc3339()
    );
    let quoted = quoted(&certificate);
    for (who, how, _) in WAYS {
        let _ = writeln!(text, "{who}:\n  {}\n", filled(how).replace("{ca}", &quoted));
    }
    text
}

/// How each forgets it.
pub fn undone() -> String {
    let mut text = String::new();
    for (who, _, how) in WAYS {
        let _ = writeln!(text, "{who}:\n  {}\n", filled(how));
    }
    text
}

fn filled(how: &str) -> String {
    how.replace("{host}", HOST)
}

/// As a shell reads it.
fn quoted(path: &str) -> String {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if is_plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
