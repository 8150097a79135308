//! TLS towards ourselves, where nobody can be deceived: any certificate is taken.

use crate::mail::cert::Kind;
use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Takes any certificate. Only for a health check inside a service's own container, for an expired certificate is
/// another finding than a server that does not answer, and for reading which one a port of ours serves.
#[derive(Debug)]
pub struct Anyone {
    provider: CryptoProvider,
    /// The only kind of key that is offered to take.
    kind: Option<Kind>,
}

impl Anyone {
    /// With the signature schemes of the usual provider.
    pub fn new() -> Self {
        Self { provider: ring::default_provider(), kind: None }
    }

    /// With those of one kind of key: a server that has two certificates shows that one.
    pub fn only(kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::new() }
    }
}

impl Default for Anyone {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        schemes.retain(|scheme| match (self.kind, scheme) {
            (None, _) => true,
            (
                Some(Kind::Ecdsa),
                SignatureScheme::ECDSA_NISTP256_SHA256
                | SignatureScheme::ECDSA_NISTP384_SHA384
                | SignatureScheme::ECDSA_NISTP521_SHA512,
            ) => true,
            (
                Some(Kind::Rsa),
                SignatureScheme::RSA_PSS_SHA256
                | SignatureScheme::RSA_PSS_SHA384
                | SignatureScheme::RSA_PSS_SHA512
                | SignatureScheme::RSA_PKCS1_SHA256
                | SignatureScheme::RSA_PKCS1_SHA384
                | SignatureScheme::RSA_PKCS1_SHA512,
            ) => true,
            (Some(_), _) => false,
        });
        schemes
    }
}
